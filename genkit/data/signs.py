"""Letters on patterned grounds: pictures that hold an edge, a texture and a letter at once, each of them known."""

from functools import lru_cache

import torch
from torch import Tensor

from .dataset import Dataset, digest
from .glyphs import SIDE, glyphs
from .splits import shuffled
from .textures import KINDS, paint

LETTERS = "AEHKMORSTX"
"""Ten letters: the ground is of one of ten kinds too, so that guessing is equally hard for both."""


def signs(n: int = 3000, seed: int = 0) -> Dataset:
    """Draw n grey pictures of 28 × 28 pixels: a letter of one of 18 fonts before a texture of one of ten kinds.

    Arguments
        n: how many, at least 10.
        seed: of all that chance decides, and of the split.

    c has shape (N, 2): which letter, and which kind of ground; neither tells of the other. The letter is black and the
    ground pale, or, in every other picture, white on a dark ground.
    """
    if n < 10:
        raise ValueError(f"n: expected at least 10, received {n}")
    return _signs(n, seed)


@lru_cache(maxsize=4)
def _signs(n: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    drawn = glyphs(LETTERS, draws=4, seed=seed)
    ink, letter = torch.cat([drawn.train.x, drawn.valid.x]), torch.cat([drawn.train.c, drawn.valid.c])
    rows = torch.randint(len(ink), (n,), generator=generator)
    kind = torch.randint(len(KINDS), (n,), generator=generator)
    ground = torch.empty(n, 1, SIDE, SIDE)
    for k, name in enumerate(KINDS):
        own = kind == k
        ground[own] = _even(paint(name, int(own.sum()), SIDE, generator).mean(1, keepdim=True))
    x = torch.lerp(0.55 * ground, torch.ones_like(ground), ink[rows])
    x = torch.where(torch.rand(n, 1, 1, 1, generator=generator) < 0.5, x, 1 - x)
    splits = shuffled(x, torch.stack([letter[rows], kind], 1), seed=seed)
    names = tuple(LETTERS) + KINDS
    return Dataset("signs", *splits, shape=(1, SIDE, SIDE), classes=names, sha256=digest(*splits))


def _even(x: Tensor) -> Tensor:
    """Stretch every picture's greys over [0, 1]."""
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low).clamp(min=1e-3)
