r"""Points of the plane, written in the ways that different families read: as numbers, as levels, as bits, as words.

A board of S × S cells lies over a square of the plane. A family of discrete things learns :math:`P(\text{cell})`, and

.. math:: p(x) = P(\text{cell of } x) \,/\, \text{area of a cell}

is a density that can be compared with one over real numbers, flat within a cell.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from .data.dataset import Dataset, Split
from .data.toy2d import toy
from .names import unknown

EXTENT, SIDE = 2.0, 64
"""The board covers [−EXTENT, EXTENT]² with SIDE² cells."""
BITS = int(math.log2(SIDE))
WIDTH = 2 * EXTENT / SIDE
MIDDLE = torch.tensor([0.5, 0.25])
"""The middle of the two moons of :mod:`genkit.data.toy2d`; here it lies at 0."""


@dataclass(frozen=True)
class Form:
    """A way to write a point.

    Arguments
        name: what it is called.
        shape: of a point that is written so.
        levels: values of each place; None for real numbers.
        write: from points of shape (N, 2) to (N, *shape).
        read: back again; a point of a cell is drawn evenly from it.
        log_area: of a cell; 0 for real numbers. A log-probability less this is a log-density.
    """

    name: str
    shape: tuple[int, ...]
    levels: int | None
    write: Callable[[Tensor], Tensor]
    read: Callable[[Tensor], Tensor]
    log_area: float


def cells(x: Tensor) -> Tensor:
    """Return the column and the row of each point's cell, int64 of shape (N, 2); points outside go to the edge.

    >>> cells(torch.tensor([[-2.0, 1.99], [0.01, 9.0]])).tolist()
    [[0, 63], [32, 63]]
    """
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x: expected points of shape (N, 2), received {tuple(x.shape)}")
    return ((x + EXTENT) / WIDTH).floor().long().clamp(0, SIDE - 1)


def anywhere(at: Tensor) -> Tensor:
    """Draw a point evenly from each cell, shape (N, 2), from its column and row, int64 of shape (N, 2)."""
    return (at + torch.rand(at.shape, device=at.device)) * WIDTH - EXTENT


def gray(at: Tensor) -> Tensor:
    """Return numbers in 0 … SIDE − 1 in Gray code, 0 or 1, shape (…, BITS): neighbours differ in one bit.

    >>> gray(torch.tensor([0, 1, 2, 3])).int().tolist()[2:]
    [[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 0]]
    """
    code = at ^ (at >> 1)
    return (code[..., None] >> torch.arange(BITS - 1, -1, -1, device=at.device) & 1).float()


def from_gray(bits: Tensor) -> Tensor:
    """Return the numbers, int64 of shape (…), that :func:`gray` has written, shape (…, BITS).

    >>> bool((from_gray(gray(torch.arange(SIDE))) == torch.arange(SIDE)).all())
    True
    """
    plain = bits.long().cumsum(-1) % 2
    return (plain << torch.arange(BITS - 1, -1, -1, device=bits.device)).sum(-1)


def _levels(x: Tensor) -> Tensor:
    return cells(x).float().view(-1, 1, 1, 2) / (SIDE - 1)


_CELL = 2 * math.log(WIDTH)
FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("numbers", (2,), None, lambda x: x, lambda x: x, 0.0),
        Form(
            "levels", (1, 1, 2), SIDE, _levels,
            lambda v: anywhere((v.flatten(1) * (SIDE - 1)).round().long()), _CELL,
        ),
        Form("bits", (1, 2, BITS), 2, lambda x: gray(cells(x))[:, None], lambda v: anywhere(from_gray(v[:, 0])), _CELL),
        Form("words", (2,), SIDE, cells, anywhere, _CELL),
    )
}  # fmt: skip
"""The four ways, the plainest first."""


def form(name: str) -> Form:
    """Return a way to write a point by its name."""
    if name not in FORMS:
        raise unknown("form", name, FORMS)
    return FORMS[name]


def truth(x: Tensor) -> Tensor:
    """Return the true log-density of points of shape (N, 2), nats, shape (N,): two moons around 0."""
    return toy("moons").log_prob(x + MIDDLE.to(x))


def draw(n: int, seed: int) -> Tensor:
    """Draw n points of the two moons, shape (n, 2)."""
    return toy("moons").sample(n, torch.Generator().manual_seed(seed))[0] - MIDDLE


@cache
def written(name: str, n: int = 64) -> Dataset:
    """Return a few points as a data set of that form: what a family is asked whether it takes it."""
    way, x = form(name), draw(n, seed=0)
    split = Split(way.write(x))
    return Dataset(f"points as {name}", split, split, split, shape=way.shape, levels=way.levels)
