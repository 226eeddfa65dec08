"""Coloured textures made by formula: ten kinds of pattern, in any size, and landscapes to paint with them."""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from ..names import unknown
from .dataset import Dataset, digest
from .splits import shuffled

LEVELS = 256
Pattern = tuple[Tensor, Tensor]  # how much figure stands on the ground, and which of two colours it has: both in [0, 1]


def textures(n: int = 3000, side: int = 32, seed: int = 0) -> Dataset:
    """Draw n patches of ten kinds of texture, each with its own colours, size, angle and place.

    Arguments
        n: how many, at least 10; as many of each kind as of any other, or one more.
        side: pixels of a patch's side, at least 8.
        seed: of all that chance decides, and of the split.

    x holds colours in [0, 1] on 256 levels, shape (N, 3, side, side), and c the kind. Colours say nothing of the kind.
    """
    if n < 10:
        raise ValueError(f"n: expected at least 10, received {n}")
    return _textures(n, _checked(side), seed)


@lru_cache(maxsize=2)
def _textures(n: int, side: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    kinds = torch.arange(n) % len(KINDS)
    x = torch.empty(n, 3, side, side)
    for k, name in enumerate(KINDS):
        x[kinds == k] = paint(name, int((kinds == k).sum()), side, generator)
    splits = shuffled(x, kinds, seed=seed)
    return Dataset("textures", *splits, shape=(3, side, side), levels=LEVELS, classes=KINDS, sha256=digest(*splits))


def texture(kind: str, side: int = 128, seed: int = 0) -> Tensor:
    """Return one canvas of a texture, shape (1, 3, side, side), in [0, 1].

    >>> texture("bricks", side=64).shape
    torch.Size([1, 3, 64, 64])
    """
    if kind not in PATTERNS:
        raise unknown("kind", kind, PATTERNS)
    return paint(kind, 1, _checked(side), torch.Generator().manual_seed(seed))


def paint(kind: str, n: int, side: int, generator: torch.Generator) -> Tensor:
    """Draw n textures of one kind, shape (n, 3, side, side): a pattern turned, sized, moved and coloured by chance."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, generator=generator)

    angle, period = uniform(0, 2 * math.pi), uniform(8, 15)  # pixels
    at = torch.arange(side) - side / 2
    y, x = at[:, None] + uniform(-99, 99), at + uniform(-99, 99)  # (n, side, 1), (n, 1, side)
    u, v = (x * angle.cos() + y * angle.sin()) / period, (y * angle.cos() - x * angle.sin()) / period
    salt = torch.randint(2**20, (n, 1, 1), generator=generator)
    figure, tint = PATTERNS[kind](u, v, period, salt)
    ground, one, two = colours(n, generator)  # (n, 3) each
    ink = torch.lerp(one[..., None, None], two[..., None, None], tint.expand_as(figure)[:, None])
    return _levels(torch.lerp(ground[..., None, None].expand_as(ink), ink, figure[:, None]))


def colours(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return three colours for each of n pictures, (n, 3) each: a ground, and two that differ from it in lightness."""
    hue, saturation = torch.rand(3, n, generator=generator), 0.2 + 0.7 * torch.rand(3, n, generator=generator)
    light = torch.rand(n, generator=generator) < 0.5
    ground = 0.1 + 0.25 * torch.rand(n, generator=generator)
    figure = 0.65 + 0.3 * torch.rand(2, n, generator=generator)
    value = torch.cat([ground[None], figure])
    value = torch.where(light, 1.05 - value, value)
    # from hue, saturation and value to red, green and blue (Smith 1978)
    k = (torch.tensor([5.0, 3.0, 1.0]) + 6 * hue[..., None]) % 6
    wave = torch.minimum(k, 4 - k).clamp(0, 1)
    rgb = value[..., None] * (1 - saturation[..., None] * wave)
    return rgb[0], rgb[1], rgb[2]


def landscape(side: int = 128, seed: int = 0) -> Tensor:
    """Draw a landscape, shape (1, 3, side, side), in [0, 1]: a sky, a sun, hills, and a house with a lit window."""
    side = _checked(side)
    generator = torch.Generator().manual_seed(seed)
    r = torch.rand(32, generator=generator).tolist()
    at = (torch.arange(side) + 0.5) / side
    y, x, soft = at[:, None].expand(side, side), at.expand(side, side), side

    def over(canvas: Tensor, colour: tuple[float, ...], distance: Tensor) -> Tensor:
        """Paint where ``distance`` is below 0, with an edge one pixel wide."""
        cover = (0.5 - distance * soft).clamp(0, 1)
        return torch.lerp(canvas, torch.tensor(colour)[:, None, None].expand_as(canvas), cover)

    dusk = torch.tensor([[0.20, 0.38, 0.68], [0.98, 0.80, 0.55]])
    sky = torch.lerp(dusk[0][:, None, None], dusk[1][:, None, None], (1.5 * y).clamp(0, 1)[None])
    sun = torch.hypot(x - 0.2 - 0.6 * r[0], y - 0.2 - 0.12 * r[1]) - 0.09 - 0.03 * r[2]
    canvas = over(sky, (1.0, 0.93, 0.62), sun)
    hills = ((0.36, 0.40, 0.55), (0.22, 0.42, 0.40), (0.45, 0.55, 0.22))
    for i, colour in enumerate(hills):
        a, b, c, d = r[3 + 4 * i : 7 + 4 * i]
        crest = 0.48 + 0.15 * i + (0.09 - 0.02 * i) * torch.sin(2 * math.pi * ((1 + a) * x + b))
        crest = crest + 0.03 * torch.sin(2 * math.pi * ((2.5 + c) * x + d))
        canvas = over(canvas, colour, crest - y)
    h, v, w = 0.22 + 0.5 * r[20], 0.80, 0.10 + 0.02 * r[21]
    canvas = over(canvas, (0.93, 0.90, 0.82), torch.maximum((x - h).abs() - w, (y - v).abs() - 0.09))
    canvas = over(canvas, (0.60, 0.20, 0.16), torch.maximum((x - h).abs() * 0.8 + v - y - 0.19, y - v + 0.07))
    window = torch.maximum((x - h + w / 2).abs() - 0.024, (y - v).abs() - 0.03)
    canvas = over(canvas, (0.98, 0.72, 0.20), window)
    canvas = over(canvas, (0.30, 0.22, 0.20), torch.maximum((x - h - w / 2).abs() - 0.026, (y - v - 0.03).abs() - 0.06))
    return _levels(canvas)[None]


# the patterns: u and v count periods, shape (n, side, side); salt makes one wall differ from the next ----------------


def _bricks(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    row = (2 * v).floor()
    along = u + 0.5 * (row % 2)
    gap = torch.minimum(_from_edge(along) * period, _from_edge(2 * v) * period / 2)
    return _soft(gap - 0.9), _hash(along.floor(), row, salt)


def _cells(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    first, second, owner = torch.full_like(u, 9.0), torch.full_like(u, 9.0), torch.zeros_like(u)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            a, b = u.floor() + i, v.floor() + j
            far = torch.hypot(a + _hash(a, b, salt) - u, b + _hash(a, b, salt + 1) - v)
            owner = torch.where(far < first, _hash(a, b, salt + 2), owner)
            second = torch.minimum(second, torch.maximum(first, far))
            first = torch.minimum(first, far)
    return _soft((second - first) * period - 1.2), owner


def _checks(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    wave = torch.sin(2 * math.pi * u) * torch.sin(2 * math.pi * v)
    return _soft(wave * period / 3), torch.zeros_like(u)


def _dots(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    far = torch.hypot(u - u.floor() - 0.5, v - v.floor() - 0.5)
    return _soft((0.3 - far) * period), _hash(u.floor(), v.floor(), salt)


def _marble(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    rough = sum(_noise(u * k, v * k, salt + i) / k for i, k in enumerate((0.5, 1.0, 2.0)))
    vein = torch.sin(2 * math.pi * (0.3 * u + 0.8 * rough)).abs()
    return (1.3 * vein).clamp(0, 1), _noise(u * 0.4, v * 0.4, salt + 7)


def _rings(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    a, b = (u / 3).floor(), (v / 3).floor()
    far = torch.hypot(u - 3 * a - 1.5, v - 3 * b - 1.5)
    return _soft(torch.cos(2 * math.pi * 1.4 * far) * period / 8), _hash(a, b, salt)


def _scales(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    figure, tint = torch.zeros_like(u), torch.zeros_like(u)
    for step in (1, 0):  # the row above lies over the row below
        row = (2 * v).floor() - step
        along = u + 0.5 * (row % 2)
        far = torch.hypot(along - along.floor() - 0.5, v - row / 2) - 0.52
        inside = far < 0
        figure = torch.where(inside, _soft(-far * period - 1.2), figure)
        tint = torch.where(inside, _hash(along.floor(), row, salt), tint)
    return figure, tint


def _stripes(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    return _soft(torch.cos(2 * math.pi * u) * period / 6), _hash(u.round(), torch.zeros_like(u), salt)


def _weave(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    over = (u.floor() + v.floor()) % 2
    across, along = torch.where(over > 0, u, v), torch.where(over > 0, v, u)
    band = _soft((0.4 - (across - across.floor() - 0.5).abs()) * period)
    round_ = torch.sin(math.pi * (along - along.floor())).clamp(0, 1)
    return band * (0.45 + 0.55 * round_), over


def _zigzag(u: Tensor, v: Tensor, period: Tensor, salt: Tensor) -> Pattern:
    tooth = 2 * (v / 2 - (v / 2).round()).abs()
    wave = u + 0.9 * tooth
    return _soft(torch.cos(2 * math.pi * wave) * period / 6), _hash(wave.round(), torch.zeros_like(u), salt)


PATTERNS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Pattern]] = {
    "bricks": _bricks, "cells": _cells, "checks": _checks, "dots": _dots, "marble": _marble,
    "rings": _rings, "scales": _scales, "stripes": _stripes, "weave": _weave, "zigzag": _zigzag,
}  # fmt: skip
KINDS = tuple(PATTERNS)


def _soft(pixels: Tensor) -> Tensor:
    """Return 0 outside, 1 inside, and a ramp two pixels wide between: ``pixels`` is how far inside a place lies."""
    return (pixels / 2 + 0.5).clamp(0, 1)


def _from_edge(t: Tensor) -> Tensor:
    return (t - t.round()).abs()


def _hash(i: Tensor, j: Tensor, salt: Tensor) -> Tensor:
    """Return a number in [0, 1) for every pair of whole numbers: the same pair, the same number."""
    mixed = i.long() * 73_856_093 ^ j.long() * 19_349_663 ^ salt * 83_492_791
    mixed = (mixed ^ (mixed >> 13)) * 1_274_126_177
    return ((mixed ^ (mixed >> 16)) & 0xFFFF) / 65_536


def _noise(u: Tensor, v: Tensor, salt: Tensor) -> Tensor:
    """Return smooth noise in [0, 1]: a number at every corner of a grid, blended between the corners."""
    i, j = u.floor(), v.floor()
    a, b = (t * t * (3 - 2 * t) for t in (u - i, v - j))
    low = torch.lerp(_hash(i, j, salt), _hash(i + 1, j, salt), a)
    high = torch.lerp(_hash(i, j + 1, salt), _hash(i + 1, j + 1, salt), a)
    return torch.lerp(low, high, b)


def _levels(x: Tensor) -> Tensor:
    return (x.clamp(0, 1) * (LEVELS - 1)).round() / (LEVELS - 1)


def _checked(side: int) -> int:
    if side < 8:
        raise ValueError(f"side: expected at least 8 pixels, received {side}")
    return side
