"""A time in [0, 1] and a class as one vector that a network can read."""

import math

import torch
from torch import Tensor, nn


def waves(t: Tensor, size: int, *, slowest: float = 0.25, fastest: float = 64.0) -> Tensor:
    r"""Return sines and cosines of times t, shape (B,), at speeds in geometric progression: shape (B, size).

    Half of the columns are :math:`\sin 2\pi f_k t`, half :math:`\cos 2\pi f_k t`, with f from ``slowest`` to
    ``fastest`` turns per unit of time, so that close times look alike and far ones do not (after Vaswani et al.
    2017, section 3.5).

    >>> waves(torch.tensor([0.0]), 4)
    tensor([[0., 0., 1., 1.]])
    """
    if size < 2 or size % 2:
        raise ValueError(f"size: expected an even number of at least 2, received {size}")
    speeds = torch.logspace(math.log2(slowest), math.log2(fastest), size // 2, base=2.0, device=t.device)
    turns = 2 * math.pi * t[:, None] * speeds
    return torch.cat([turns.sin(), turns.cos()], -1)


class TimeAndClass(nn.Module):
    """Embed a time, shape (B,), and perhaps a class, int64 of shape (B,), as a vector of shape (B, width).

    Arguments
        width: size of the vector.
        classes: how many there are; row ``classes`` of the table means "none given". 0 takes no class at all.
    """

    def __init__(self, width: int, classes: int = 0):
        super().__init__()
        self.width, self.classes = width, classes
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.table = nn.Embedding(classes + 1, width) if classes else None

    def forward(self, t: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the vectors of times in [0, 1] and classes; ``c=None`` is "none given" in every row."""
        if t.ndim != 1:
            raise ValueError(f"t: expected times of shape (B,), received shape {tuple(t.shape)}")
        h = self.time(waves(t, self.width))
        if self.table is None:
            if c is not None:
                raise ValueError("c: expected None, since this network was built without classes, received labels")
            return h
        if c is None:
            return h + self.table.weight[-1]
        if c.dtype != torch.int64 or c.shape != t.shape or not 0 <= int(c.min()) <= int(c.max()) <= self.classes:
            raise ValueError(
                f"c: expected int64 labels in [0, {self.classes}) of shape {tuple(t.shape)}, received {c.dtype} of "
                f"shape {tuple(c.shape)}"
            )
        return h + self.table(c)
