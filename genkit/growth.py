r"""How fast a cost grows: a constant and a power of the size, found in measured seconds or counted operations.

.. math:: t(n) = a + b\,n^k
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FLAT = 1.5  # costs that grow by less than this factor over all sizes: no constant can be told apart from them
STEEPEST = 6.0


@dataclass(frozen=True)
class Power:
    """A cost of ``overhead + scale · n ** exponent``.

    Arguments
        overhead: what is paid at any size, in the unit of the cost, at least 0.
        scale: the cost at n = 1 of what grows, in the same unit.
        exponent: doubling the size multiplies what grows by 2 to this power.
        stderr: the standard error of the exponent over rounds; None where there was one round.

    >>> Power(overhead=8.0, scale=0.5, exponent=2.0)
    Power(8 + 0.5 n^2.00)
    >>> Power(overhead=8.0, scale=0.5, exponent=2.0)(10), Power(8.0, 0.5, 2.0).even
    (58.0, 4.0)
    """

    overhead: float
    scale: float
    exponent: float
    stderr: float | None = None

    def __call__(self, n: float) -> float:
        """Return the cost at size n."""
        return self.overhead + self.scale * n**self.exponent

    @property
    def even(self) -> float:
        """The size at which what grows costs as much as the overhead: well below it, size is nearly free."""
        if self.overhead <= 0 or self.exponent <= 0:
            return 0.0
        return (self.overhead / self.scale) ** (1 / self.exponent)

    def __repr__(self) -> str:
        error = "" if self.stderr is None else f" ± {self.stderr:.2f}"
        return f"Power({self.overhead:.3g} + {self.scale:.3g} n^{self.exponent:.2f}{error})"


def power_law(n: Sequence[float], costs: Sequence[float] | Sequence[Sequence[float]]) -> Power:
    r"""Fit :math:`a + b n^k` with a, b ≥ 0 and 0 ≤ k ≤ 6 by least squares of the relative errors.

    For a given k the best a and b are those of a linear problem; k is looked for on a grid that is refined. Where the
    costs grow by less than half over all sizes, no constant can be told apart from growth that slow: then a is 0, and
    k is the slope of a straight line through the logarithms, which may be negative.

    The standard error tells how far rounds differ. It does not tell whether costs follow a power at all: look at the
    points beside the line.

    Arguments
        n: at least three different sizes above 0.
        costs: above 0, one for each size, or several rounds of them. Of several, every round is fitted by itself: the
            exponent is the mean of theirs, with the standard error of that mean; a and b fit the rounds' medians.

    >>> power_law([1, 2, 4, 8, 16], [5 + 3 * n**2 for n in (1, 2, 4, 8, 16)])
    Power(5 + 3 n^2.00)
    """
    sizes, found = torch.tensor(n, dtype=torch.double), torch.tensor(costs, dtype=torch.double)
    if sizes.ndim != 1 or len(set(n)) < 3 or not (sizes > 0).all():
        raise ValueError(f"n: expected at least 3 different sizes above 0, received {list(n)}")
    rounds = found[None] if found.ndim == 1 else found
    if rounds.ndim != 2 or rounds.shape[1] != len(sizes) or not len(rounds) or not (rounds > 0).all():
        raise ValueError(f"costs: expected rounds of {len(sizes)} costs above 0, received shape {tuple(found.shape)}")
    middle = rounds.quantile(0.5, dim=0)
    flat = bool(middle.max() < FLAT * middle.min())
    if len(rounds) == 1:
        return Power(*_fit(sizes, middle, flat))
    exponents = [_fit(sizes, row, flat)[2] for row in rounds]
    k = statistics.fmean(exponents)
    a, b = (v.item() for v in _linear(sizes, middle, torch.tensor([k]).double(), flat)[:2])
    return Power(a, b, k, statistics.stdev(exponents) / math.sqrt(len(rounds)))


def square_from(n: Sequence[int], counts: Sequence[int]) -> float | None:
    r"""Return the size at which the square in :math:`a\,n + b\,n^2` has caught up with the linear part: a / b.

    For counts, which have no noise; None where they are not of this form, with a and b above 0.

    >>> square_from([1, 2, 4], [600 * n + n * n for n in (1, 2, 4)])
    600.0
    """
    sizes, found = torch.tensor(n, dtype=torch.double), torch.tensor(counts, dtype=torch.double)
    slopes = found / sizes
    b = ((slopes[-1] - slopes[0]) / (sizes[-1] - sizes[0])).item()
    a = slopes[0].item() - b * sizes[0].item()
    exact = torch.allclose(a * sizes + b * sizes**2, found, rtol=1e-9)
    return a / b if exact and a > 0 and b > 1e-9 * a else None


def _fit(n: Tensor, t: Tensor, flat: bool) -> tuple[float, float, float]:
    if flat:
        x, y = n.log(), t.log()
        k = ((x - x.mean()) @ (y - y.mean()) / (x - x.mean()).square().sum()).item()
        return 0.0, (y.mean() - k * x.mean()).exp().item(), k
    low, high = 0.0, STEEPEST
    for _ in range(4):
        grid = torch.linspace(low, high, 1201, dtype=torch.double)
        a, b, loss = _linear(n, t, grid, flat)
        best, step = int(loss.argmin()), (high - low) / 1200
        low, high = max(0.0, grid[best].item() - step), min(STEEPEST, grid[best].item() + step)
    return a[best].item(), b[best].item(), grid[best].item()


def _linear(n: Tensor, t: Tensor, k: Tensor, flat: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best a ≥ 0 and b ≥ 0 for each exponent, shape (K,), and the sum of the squared relative errors."""
    top = n.max()
    grown, one = (n / top) ** k[:, None] / t, (1 / t).expand(len(k), -1)  # (K, N); the target is 1 everywhere
    gg, go, oo = (grown * grown).sum(1), (grown * one).sum(1), (one * one).sum(1)
    determinant = (gg * oo - go * go).clamp(min=1e-12 * gg * oo)
    a = (one.sum(1) * gg - grown.sum(1) * go) / determinant
    b = (grown.sum(1) * oo - one.sum(1) * go) / determinant
    alone = (a < 0) | flat  # no overhead, or nothing but overhead
    a = torch.where(alone, 0.0, torch.where(b < 0, one.sum(1) / oo, a))
    b = torch.where(alone, grown.sum(1) / gg, b.clamp(min=0))
    loss = (1 - a[:, None] * one - b[:, None] * grown).square().sum(1)
    return a, b / top**k, loss
