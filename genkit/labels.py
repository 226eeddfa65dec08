"""A class as numbers that a network can read, with a place for "no class given"."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .base import rows


def one_hot(c: Tensor | None, n: int, classes: int, like: Tensor) -> Tensor:
    """Return c, int64 of shape (n,) or (1,) or None, as rows of classes + 1 columns; the last means "none given".

    >>> one_hot(torch.tensor([1]), 2, 3, torch.empty(0))
    tensor([[0., 1., 0., 0.],
            [0., 1., 0., 0.]])
    >>> one_hot(None, 1, 3, torch.empty(0))
    tensor([[0., 0., 0., 1.]])
    """
    if c is None:
        c = torch.full((1,), classes, device=like.device)
    if c.dtype != torch.int64 or c.ndim != 1 or not 0 <= int(c.min()) <= int(c.max()) <= classes:
        raise ValueError(
            f"c: expected int64 labels in [0, {classes}) of shape (n,), received {c.dtype} of shape {tuple(c.shape)}"
        )
    return F.one_hot(rows(c, n), classes + 1).to(like)


def hide(c: Tensor | None, n: int, classes: int, probability: float) -> Tensor | None:
    """Replace each label by "none given" with ``probability``, so that a model learns to do without."""
    if not classes or c is None:
        return c
    hidden = torch.rand(n, device=c.device) < probability
    return torch.where(hidden, classes, rows(c, n))
