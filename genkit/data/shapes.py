"""Two kinds of points in the plane, for a small network to tell apart: crossed clouds, rings, moons, spirals."""

import math

import torch
from torch import Tensor

from ..names import unknown
from .dataset import Dataset, digest
from .splits import shuffled


def _xor(t: Tensor, y: Tensor, turns: float) -> Tensor:
    quarter = torch.floor(2 * t) + 0.5 * y  # opposite quarters belong together
    angle = 2 * math.pi * (quarter / 2 + 1 / 8)
    return 2**0.5 * torch.stack([angle.cos(), angle.sin()], 1)


def _rings(t: Tensor, y: Tensor, turns: float) -> Tensor:
    return (0.6 + 1.4 * y)[:, None] * torch.stack([(2 * math.pi * t).cos(), (2 * math.pi * t).sin()], 1)


def _moons(t: Tensor, y: Tensor, turns: float) -> Tensor:
    x, v = (math.pi * t).cos(), (math.pi * t).sin()
    side = 1 - 2 * y
    return 1.4 * torch.stack([side * x - side / 2, side * (v - 0.25)], 1)


def _spirals(t: Tensor, y: Tensor, turns: float) -> Tensor:
    r = 0.15 + 0.85 * t.sqrt()  # as many points to a length of the arm outside as inside
    angle = 2 * math.pi * turns * r + math.pi * y
    return 2.5 * r[:, None] * torch.stack([angle.cos(), angle.sin()], 1)


SHAPES = {"xor": (_xor, 0.35), "rings": (_rings, 0.25), "moons": (_moons, 0.2), "spirals": (_spirals, 0.1)}
"""Each kind with the function that places its points, and its usual noise."""


def shapes(
    kind: str = "spirals", n: int = 1000, *, seed: int = 0, noise: float | None = None, turns: float = 1.5
) -> Dataset:
    """Draw points of two kinds, as many of each, within about [−3, 3]².

    Arguments
        kind: xor (four clouds, opposite ones belong together), rings (one inside the other), moons, or spirals.
        n: how many, even and at least 20.
        seed: of the points and of the split.
        noise: standard deviation of the distance from the curve in each coordinate; each kind has its own.
        turns: of the spirals.

    >>> shapes("xor", n=40).train.x.shape
    torch.Size([32, 2])
    """
    if kind not in SHAPES:
        raise unknown("kind", kind, SHAPES)
    if n < 20 or n % 2:
        raise ValueError(f"n: expected an even number of at least 20, received {n}")
    place, usual = SHAPES[kind]
    noise = usual if noise is None else noise
    if not noise >= 0:
        raise ValueError(f"noise: expected at least 0, received {noise}")
    generator = torch.Generator().manual_seed(seed)
    c = torch.arange(n) % 2
    at = place(torch.rand(n, generator=generator), c.float(), turns)
    splits = shuffled(at + noise * torch.randn(n, 2, generator=generator), c, seed=seed)
    return Dataset(f"shapes-{kind}", *splits, shape=(2,), classes=("0", "1"), sha256=digest(*splits))
