r"""Houses that were never built, and their prices: the book's own, so that the truth behind the noise is known.

.. math:: \log\text{price} = \log\text{worth} + 0.12\,\varepsilon, \qquad \varepsilon \sim \mathcal N(0, 1)

What a house is worth follows from five columns. What somebody pays for it is off by chance, so nobody can predict
prices better than the worth does. Real prices depend on hundreds of things more, and on each other; streets differ,
years differ, and no formula is known. What is true of these houses says nothing about any town.
"""

import torch

from .columns import column_codec
from .dataset import Dataset, Split, digest
from .splits import shuffled

COLUMNS = ("area", "rooms", "age", "garden", "distance")
"""Square metres inside, rooms, years, square metres outside, kilometres to the centre."""
NOISE = 0.12


def worth(x: torch.Tensor) -> torch.Tensor:
    """Return what houses are worth, in thousands, shape (N,), from rows of ``COLUMNS``, shape (N, 5).

    A share is added for each room and garden; the centre is dear; houses lose until they are sixty, and gain again.

    >>> worth(torch.tensor([[100.0, 4.0, 0.0, 0.0, 5.0]])).round()
    tensor([329.])
    """
    area, rooms, age, garden, distance = x.unbind(1)
    log = 0.85 * area.log() + 0.03 * rooms + 0.02 * garden.sqrt() - 0.35 * (0.5 + distance / 5).log()
    return (1.905 + log - 0.35 * (1 - ((age - 60) / 60).square())).exp()


def houses(n: int = 1000, seed: int = 0) -> Dataset:
    """Draw n houses; eight tenths to learn from.

    Arguments
        n: houses, 10 to 100,000.
        seed: of the houses, of what was paid, and of the split.

    x is float32 of shape (N, 5), in the order of ``COLUMNS``; c is the price in thousands. The factors are the columns,
    and ``worth``. ``encode`` takes a dictionary of the columns to a row, and ``decode`` a row to a dictionary.
    """
    if not 10 <= n <= 100_000:
        raise ValueError(f"n: expected 10 … 100,000, received {n}")
    g = torch.Generator().manual_seed(seed)
    area = (4.6 + 0.35 * torch.randn(n, generator=g)).exp().clamp(30, 300).round()
    rooms = (area / 26 + 0.7 * torch.randn(n, generator=g)).round().clamp(1, 12)
    age = (torch.rand(n, generator=g) * 120).round()
    distance = (0.3 - 6 * torch.rand(n, generator=g).clamp(min=1e-3).log()).clamp(max=30)
    garden = (torch.rand(n, generator=g) * (40 + 12 * distance) - 20).clamp(min=0).round()
    x = torch.stack([area, rooms, age, garden, (10 * distance).round() / 10], 1)
    paid = worth(x) * (NOISE * torch.randn(n, generator=g)).exp()
    parts = [_split(part) for part in shuffled(x, paid, seed=seed)]
    encode, decode = column_codec(COLUMNS)
    return Dataset("houses", *parts, shape=(5,), encode=encode, decode=decode, sha256=digest(*parts))


def _split(part: Split) -> Split:
    columns = dict(zip(COLUMNS, part.x.unbind(1), strict=True))
    return Split(part.x, part.c, columns | {"worth": worth(part.x)})
