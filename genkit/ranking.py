"""Ranks: who is first by a yardstick, how far two yardsticks agree, and who is beaten by nobody in everything."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def ranks(values: Sequence[float], *, best: str = "high") -> Tensor:
    """Return the rank of every value, 1 for the best, shape (N,); equal values share the mean of their ranks.

    NaN stands for one that has no value: it gets no rank, but NaN.

    Arguments
        best: ``"high"`` or ``"low"``.

    >>> ranks([3.0, 9.0, 9.0, math.nan]).tolist()
    [3.0, 1.5, 1.5, nan]
    """
    x = torch.as_tensor(values, dtype=torch.float64)
    if x.ndim != 1:
        raise ValueError(f"values: expected shape (N,), received {tuple(x.shape)}")
    if best not in ("high", "low"):
        raise ValueError(f"best: expected 'high' or 'low', received {best!r}")
    x = x if best == "low" else -x
    before, same = (x < x[:, None]).sum(1), (x == x[:, None]).sum(1)
    return torch.where(x.isnan(), math.nan, before + (same + 1) / 2)


def agreement(a: Sequence[float], b: Sequence[float]) -> float:
    r"""Return Kendall's :math:`\tau_b` of two lists of ranks: 1 where all pairs stand alike, −1 where none.

    Kendall (1945). Those that have no rank (NaN) in one of them are left out; NaN where fewer than two are left.

    >>> round(agreement([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]), 3)  # two pairs of three stand alike
    0.333
    """
    from scipy.stats import kendalltau

    a, b = (torch.as_tensor(x, dtype=torch.float64) for x in (a, b))
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"a, b: expected one shape (N,), received {tuple(a.shape)} and {tuple(b.shape)}")
    both = ~(a.isnan() | b.isnan())
    if both.sum() < 2:
        return math.nan
    return float(kendalltau(a[both].numpy(), b[both].numpy()).statistic)


def front(points: Sequence[Sequence[float]]) -> Tensor:
    """Return who is beaten by nobody, bool of shape (N,), for points of shape (N, K) where more is better in each of K.

    One beats another that is at least as good everywhere and better somewhere: what is left is the Pareto front.

    >>> front([[1.0, 9.0], [5.0, 5.0], [4.0, 4.0], [5.0, 5.0]]).tolist()
    [True, True, False, True]
    """
    x = torch.as_tensor(points, dtype=torch.float64)
    if x.ndim != 2 or x.isnan().any():
        raise ValueError(f"points: expected numbers of shape (N, K), none missing, received {tuple(x.shape)}")
    better = (x[None] >= x[:, None]).all(2) & (x[None] > x[:, None]).any(2)  # [i, j]: j beats i
    return ~better.any(1)


def best_of(values: Sequence[float], tries: int) -> float:
    r"""Return how high the best of so many tries is on average, each drawn from ``values`` with replacement.

    .. math:: \mathbb E[\max] = \sum_i v_{(i)} \Big[\big(\tfrac iN\big)^n - \big(\tfrac{i-1}N\big)^n\Big]

    Dodge et al. (2019), section 3: what a longer search alone would bring.

    >>> best_of([0.0, 1.0], 1), best_of([0.0, 1.0], 2)
    (0.5, 0.75)
    """
    x = torch.as_tensor(values, dtype=torch.float64).sort().values
    if x.ndim != 1 or not len(x) or tries < 1:
        raise ValueError(f"values, tries: expected at least 1 of each, received {tuple(x.shape)} and {tries}")
    share = (torch.arange(len(x) + 1, dtype=torch.float64) / len(x)) ** tries
    return float(x @ share.diff())
