"""A cloze test: tokens of a text are hidden, and somebody fills them in."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from ..base import Estimate


class Counts(Protocol):
    """What :func:`from_the_left` needs of an n-gram model."""

    order: int
    levels: int

    def log_prob(self, tokens: Tensor) -> Tensor: ...


def gaps(tokens: Tensor, share: float, *, seed: int = 0) -> Tensor:
    """Choose tokens to hide: a share of them in (0, 1), or one in the middle half of each row where ``share`` is 0.

    Returns bool, of the shape (N, T) of ``tokens``.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share: expected a number in [0, 1), received {share}")
    luck = torch.rand(tokens.shape, generator=torch.Generator().manual_seed(seed))
    if share:
        return luck < share
    quarter = tokens.shape[1] // 4
    luck[:, :quarter] = luck[:, tokens.shape[1] - quarter :] = 2.0
    return luck == luck.amin(1, keepdim=True)


def cloze(fill: Callable[[Tensor, Tensor], Tensor], tokens: Tensor, hidden: Tensor, *, mask: int) -> Estimate:
    """Return the share of hidden tokens that ``fill`` gets right.

    Arguments
        fill: from what is to be seen, (N, T), and where it is hidden, bool (N, T), to the tokens there, shape (G,).
        tokens: int64 of shape (N, T).
        hidden: as :func:`gaps` returns them.
        mask: the token that stands in a gap.
    """
    if hidden.shape != tokens.shape or not hidden.any():
        raise ValueError(f"hidden: expected shape {tuple(tokens.shape)} with a gap, received {tuple(hidden.shape)}")
    with torch.no_grad():
        found = fill(tokens.masked_fill(hidden, mask), hidden)
    return Estimate.mean((found == tokens[hidden]).float())


def by_network(model: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return how a masked model fills gaps: the token with the largest logit."""
    return lambda seen, hidden: torch.cat([model(part).argmax(-1) for part in seen.split(64)])[hidden]


def from_the_left(model: Counts) -> Callable[[Tensor, Tensor], Tensor]:
    """Return how an n-gram model fills gaps: by the tokens before them alone, as far back as none is hidden.

    Its ``levels`` count the mask, which it never saw, so that it falls back on contexts without one.
    """

    def fill(seen: Tensor, hidden: Tensor) -> Tensor:
        back = model.order - 1
        padded = torch.nn.functional.pad(seen, (back, 0), value=model.levels - 1)
        before = padded.unfold(1, back, 1)[:, : seen.shape[1]][hidden]  # (G, order − 1)
        every = torch.arange(model.levels)
        best = []
        for part in before.split(512):
            rows = torch.cat([part.repeat_interleave(len(every), 0), every.repeat(len(part))[:, None]], 1)
            best.append(model.log_prob(rows)[:, -1].view(len(part), -1).argmax(1))
        return torch.cat(best)

    return fill


def from_both_sides(model) -> Callable[[Tensor, Tensor], Tensor]:
    """Return how :class:`genkit.models.neighbours.Neighbours` fills gaps: by as many neighbours as are to be seen."""

    def fill(seen: Tensor, hidden: Tensor) -> Tensor:
        k, length = model.reach, seen.shape[1]
        padded = torch.nn.functional.pad(seen, (k, k), value=model.levels - 1)
        around = padded.unfold(1, 2 * k + 1, 1)[:, :length][hidden]  # (G, 2k + 1)
        return model.likeliest(around[:, :k], around[:, k + 1 :])

    return fill
