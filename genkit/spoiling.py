"""Faults made on purpose, by degrees: what a metric is worth shows on samples whose fault is known.

Every function takes good examples and how much of the fault is wanted, and draws its chance from ``generator``.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def blurred(x: Tensor, width: float) -> Tensor:
    """Blur images of shape (N, C, H, W) by a Gaussian of ``width`` pixels, above 0; black surrounds them.

    >>> dot = torch.zeros(1, 1, 5, 5)
    >>> dot[..., 2, 2] = 1
    >>> spread = blurred(dot, 0.5)
    >>> bool(spread[..., 2, 2] < 1), round(spread.sum().item(), 3)
    (True, 1.0)
    """
    if not 0 < width < float("inf"):
        raise ValueError(f"width: expected a number of pixels above 0, received {width}")
    if x.ndim != 4 or not x.is_floating_point():
        raise ValueError(f"x: expected images (N, C, H, W) of fractions, received {x.dtype} of shape {tuple(x.shape)}")
    reach = max(1, round(3 * width))
    bell = torch.exp(-torch.arange(-reach, reach + 1.0).square() / (2 * width**2))
    bell = (bell / bell.sum()).to(x)
    rows = F.conv2d(x.flatten(0, 1).unsqueeze(1), bell.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(rows, bell.view(1, 1, 1, -1), padding=(0, reach)).view_as(x)


def noisy(x: Tensor, deviation: float, generator: Generator) -> Tensor:
    """Add Gaussian noise of this standard deviation, 0 or more, to images in [0, 1], and cut what leaves that range."""
    if not deviation >= 0:
        raise ValueError(f"deviation: expected 0 or more, received {deviation}")
    return (x + deviation * torch.randn(x.shape, generator=generator)).clamp(0, 1)


def shifted(x: Tensor, share: float, generator: Generator, *, pixels: int = 1) -> Tensor:
    """Move a share of the images, shape (N, C, H, W), to the right by ``pixels``; black comes in from the left."""
    if x.ndim != 4 or not 0 <= pixels <= x.shape[-1]:
        raise ValueError(f"x, pixels: expected images (N, C, H, W) and 0 … W, received {tuple(x.shape)} and {pixels}")
    moved = x.clone()
    rows = chosen(len(x), share, generator)
    moved[rows] = F.pad(x[rows], (pixels, 0))[..., : x.shape[-1]]
    return moved


def chosen(n: int, share: float, generator: Generator) -> Tensor:
    """Return a share of the numbers 0 … n − 1, drawn without repeats, int64.

    >>> len(chosen(10, 0.3, torch.Generator().manual_seed(0)))
    3
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected a number in [0, 1], received {share}")
    return torch.randperm(n, generator=generator)[: round(share * n)]


def refilled(n: int, bad: Tensor, generator: Generator) -> Tensor:
    """Return rows, int64 of shape (n,): a row that is ``bad``, bool of shape (n,), is taken over by a good one.

    >>> refilled(3, torch.tensor([True, False, True]), torch.Generator().manual_seed(0))
    tensor([1, 1, 1])
    """
    good = (~bad).nonzero()[:, 0]
    if len(bad) != n or len(good) == 0:
        raise ValueError(f"bad: expected {n} marks, one of them False at least, received {len(bad)}")
    rows = torch.arange(n)
    rows[bad] = good[torch.randint(len(good), (int(bad.sum()),), generator=generator)]
    return rows


# texts, each a list of words ------------------------------------------------------------------------------------------

Words = list[str]


def shuffled(texts: Sequence[Words], share: float, generator: Generator) -> list[Words]:
    """Put the words of a share of the texts in any order."""
    return _changed(
        texts, share, generator, lambda text: [text[i] for i in torch.randperm(len(text), generator=generator)]
    )


def looped(texts: Sequence[Words], share: float, generator: Generator, *, words: int = 5) -> list[Words]:
    """Make a share of the texts say their first few words over and over, at the old length.

    >>> looped([["a", "b", "c", "d", "e"]], 1.0, torch.Generator(), words=2)
    [['a', 'b', 'a', 'b', 'a']]
    """
    if words < 1:
        raise ValueError(f"words: expected 1 or more, received {words}")
    return _changed(texts, share, generator, lambda text: [text[i % words] for i in range(len(text))])


def replaced(texts: Sequence[Words], share: float, generator: Generator, by: Sequence[Words]) -> list[Words]:
    """Put others in the place of a share of the texts, drawn from ``by``: the training set, or one text alone."""
    if not len(by):
        raise ValueError("by: expected one text or more, received none")
    return _changed(
        texts, share, generator, lambda text: list(by[int(torch.randint(len(by), (), generator=generator))])
    )


def thinned(texts: Sequence[Words], share: float, generator: Generator) -> list[Words]:
    """Leave out every word with a probability of ``share``, but for the first."""
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected a number in [0, 1], received {share}")
    return [[w for i, w in enumerate(text) if i == 0 or torch.rand((), generator=generator) >= share] for text in texts]


def _changed(texts: Sequence[Words], share: float, generator: Generator, change) -> list[Words]:
    rows = set(chosen(len(texts), share, generator).tolist())
    return [change(text) if i in rows else list(text) for i, text in enumerate(texts)]
