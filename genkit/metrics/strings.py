"""Is a written string the right one, and how far is it off?"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..base import Estimate


def exact_match(written: Sequence[str], wanted: Sequence[str]) -> Estimate:
    """Return the share of strings that are right to the last character.

    >>> exact_match(["5. März", "1.234"], ["5. März", "1,234"])
    Estimate(0.50 ± 0.50, estimate)
    """
    if len(written) != len(wanted):
        raise ValueError(f"written: expected {len(wanted)} strings, received {len(written)}")
    return Estimate.mean(torch.tensor([a == b for a, b in zip(written, wanted, strict=True)]).float())


def edit_distances(a: Tensor, b: Tensor, *, pad: int = 0) -> Tensor:
    """Return how many insertions, deletions and changes of a token lead from each row of a to each row of b.

    The distance of Levenshtein (1966), for all pairs at once.

    Arguments
        a, b: int64 of shape (N, S) and (M, T), filled up on the right with ``pad``.

    Returns int64 of shape (N, M).

    >>> edit_distances(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 3, 0], [1, 2, 3], [4, 4, 4]]))
    tensor([[1, 0, 3]])
    """
    long_a, long_b = (a != pad).sum(1), (b != pad).sum(1)
    row = torch.arange(b.shape[1] + 1).expand(len(a), len(b), -1)  # from no token to the first t of b
    out = torch.where(long_a[:, None] == 0, long_b, 0)
    for s in range(a.shape[1]):
        change = row[..., :-1] + (a[:, s, None, None] != b[None])
        now = [row[..., 0] + 1]
        for t in range(b.shape[1]):
            now.append(torch.minimum(torch.minimum(row[..., t + 1], now[-1]) + 1, change[..., t]))
        row = torch.stack(now, -1)  # (N, M, T + 1)
        out = torch.where(long_a[:, None] == s + 1, row[:, torch.arange(len(b)), long_b], out)
    return out
