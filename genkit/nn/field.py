"""A small network that gives every point of a flat space a direction: for points in the plane, and for tiny images."""

from math import prod

import torch.nn.functional as F
from torch import Tensor, nn

from .attention import norm
from .times import TimeAndClass


class FieldBlock(nn.Module):
    """Two linear layers added to what came in; a vector scales, shifts and gates them, as in a block of a DiT.

    The gate starts at zero, so that an untrained block changes nothing.
    """

    def __init__(self, width: int, dropout: float = 0.0):
        super().__init__()
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.turn, self.dropout = nn.Linear(width, 3 * width), nn.Dropout(dropout)
        nn.init.zeros_(self.turn.weight)
        nn.init.zeros_(self.turn.bias)

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        """Return vectors of shape (B, width), given vectors h and e of that shape."""
        scale, shift, gate = self.turn(F.silu(e)).chunk(3, -1)
        return h + gate * self.down(self.dropout(F.silu(self.up(norm(h) * (1 + scale) + shift))))


class Field(nn.Module):
    """A residual network over an example as one flat vector, with the signature of :class:`genkit.nn.unet.UNet`.

    It knows nothing of neighbouring pixels, which costs little in 8 × 8 of them, and makes a step many times faster
    than convolutions or attention would. :class:`genkit.nn.timed_mlp.TimedMLP` is its smaller relative, without blocks.

    Arguments
        shape: of an example, such as (2,) or (1, 8, 8).
        width, depth: units of a layer, and blocks.
        classes: how many classes; 0 for none.
        dropout: inside the blocks.

    >>> import torch
    >>> net = Field((1, 8, 8), width=32, depth=2, classes=10)
    >>> net(torch.zeros(3, 1, 8, 8), torch.rand(3), torch.tensor([1, 2, 3])).shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self, shape: tuple[int, ...], *, width: int = 128, depth: int = 3, classes: int = 0, dropout: float = 0.0
    ):
        super().__init__()
        for name, value in (("width", width), ("depth", depth)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        self.shape = tuple(shape)
        self.embed = TimeAndClass(width, classes)
        self.enter, self.leave = nn.Linear(prod(self.shape), width), nn.Linear(width, prod(self.shape))
        self.blocks = nn.ModuleList(FieldBlock(width, dropout) for _ in range(depth))
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        """Return a direction for every example, shape (B, *shape), at times in [0, 1], shape (B,), given classes c."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected shape (B, *{self.shape}), received {tuple(x.shape)}")
        h, e = self.enter(x.flatten(1)), self.embed(t, c)
        for block in self.blocks:
            h = block(h, e)
        return self.leave(norm(h)).view_as(x)
