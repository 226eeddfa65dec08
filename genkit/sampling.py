"""How samples are drawn from a network that knows directions: guidance, and walks along a field of velocities.

Time runs from t = 1, noise, to t = 0, data.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from .names import unknown

Net = Callable[..., Tensor]
"""``net(x, t, c)``: x of shape (B, …), times in [0, 1] of shape (B,), a condition or None; returns the shape of x."""


def guided(net: Net, w: float) -> Net:
    r"""Return a network that goes further the way the condition points: :math:`u + w\,(k - u)`.

    k is what ``net`` says with the condition and u what it says without; w = 1 is ``net`` itself, w = 0 forgets the
    condition, w > 1 overstates it (Ho & Salimans 2021, eq. 6, whose weight is w − 1).

    >>> net = lambda x, t, c: x * 0 if c is None else x * 0 + c[:, None]
    >>> guided(net, 3.0)(torch.zeros(1, 1), torch.zeros(1), torch.tensor([2]))
    tensor([[6.]])
    """
    if w == 1:
        return net

    def pushed(x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        if c is None:
            raise ValueError(f"guidance: expected 1 where there is no condition, received {w}")
        without = net(x, t, None)
        return without + w * (net(x, t, c) - without)

    return pushed


def times(steps: int, start: float = 1.0, end: float = 0.0) -> list[float]:
    """Return ``steps`` + 1 evenly spaced times from ``start`` to ``end``.

    >>> times(4)
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, received {steps}")
    return [start + (end - start) * i / steps for i in range(steps)] + [end]


def solve(
    velocity: Net, x: Tensor, path: list[float], c: Tensor | None = None, *, method: str = "euler"
) -> Iterator[Tensor]:
    r"""Follow :math:`dx/dt = v(x, t)` along the times of ``path`` and yield x after each of them but the first.

    Arguments
        velocity: ``velocity(x, t, c)``.
        x: where to start, at time ``path[0]``, shape (B, …).
        path: times in the order in which they are visited; it may rise or fall.
        method: ``"euler"``, one evaluation a step, or ``"heun"``, two: the mean of the slopes at both ends (the last
            step of a path that ends at 0 too).

    >>> *_, x = solve(lambda x, t, c: x, torch.ones(1), times(1000, 0.0, 1.0), method="heun")
    >>> round(x.item(), 4)  # e
    2.7183
    """
    if method not in ("euler", "heun"):
        raise unknown("method", method, ("euler", "heun"))

    def at(time: float) -> Tensor:
        return torch.full((len(x),), time, device=x.device)

    for now, then in pairwise(path):
        slope = velocity(x, at(now), c)
        ahead = x + (then - now) * slope
        if method == "heun":
            ahead = x + (then - now) * (slope + velocity(ahead, at(then), c)) / 2
        x = ahead
        yield x
