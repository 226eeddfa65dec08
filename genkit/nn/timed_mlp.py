"""A multilayer perceptron that is told the time, and perhaps a class: the smallest network that can denoise."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .mlp import mlp
from .times import waves


class TimedMLP(nn.Module):
    """Linear layers from an example, waves of its time and its class to something of the example's shape.

    Small enough to be shipped inside a page. :class:`genkit.nn.field.Field` is its larger relative: residual blocks
    which time and class scale and gate, where this one merely reads them beside the example.

    ``net(x, t, c)`` has the signature of :class:`genkit.nn.unet.UNet`.

    Arguments
        shape: of an example.
        hidden: widths of the hidden layers.
        waves: how many numbers tell the time; even.
        classes: how many; 0 for none.
        dropout: the probability with which a hidden unit is silenced in training.

    >>> net = TimedMLP((2,), hidden=(16,), classes=3)
    >>> net(torch.zeros(4, 2), torch.rand(4), torch.tensor([0, 1, 2, 2])).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, shape: tuple[int, ...], *, hidden: tuple[int, ...] = (128, 128), waves: int = 16, classes: int = 0,
        dropout: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        self.shape, self.waves, self.classes = tuple(shape), waves, classes
        size, labels = math.prod(shape), classes + 1 if classes else 0
        self.network = mlp(size + waves + labels, *hidden, size, dropout=dropout)

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        """Return something of the shape of x, given times in [0, 1], shape (B,), and classes or None."""
        if x.shape[1:] != self.shape:
            raise ValueError(f"x: expected the shape (B, {', '.join(map(str, self.shape))}), received {tuple(x.shape)}")
        return self.network(self.features(x, t, c)).view_as(x)

    def features(self, x: Tensor, t: Tensor, c: Tensor | None) -> Tensor:
        """Return what the first layer sees: the numbers of x, the waves, the class in classes + 1 columns."""
        parts = [x.flatten(1), waves(t, self.waves, slowest=0.25, fastest=8.0)]
        if not self.classes and c is not None:
            raise ValueError("c: expected None, since this network was built without classes, received labels")
        if self.classes:
            c = torch.full((len(x),), self.classes, device=x.device) if c is None else c
            if c.dtype != torch.int64 or c.shape != t.shape or not 0 <= int(c.min()) <= int(c.max()) <= self.classes:
                raise ValueError(
                    f"c: expected int64 labels in [0, {self.classes}) of shape {tuple(t.shape)}, received {c.dtype} "
                    f"of shape {tuple(c.shape)}"
                )
            parts.append(F.one_hot(c, self.classes + 1).to(x))
        return torch.cat(parts, 1)
