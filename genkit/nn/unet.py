"""A small U-Net: down to few places with many channels, up again, with a bridge at every size."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .times import TimeAndClass


class Residual(nn.Module):
    """Two convolutions that are added to what came in; a vector scales and shifts what lies between them.

    Arguments
        inputs, outputs: channels before and after.
        embed: size of the vector, or 0 for none.
        dropout: probability with which a channel's number between the convolutions is silenced in training.
    """

    def __init__(self, inputs: int, outputs: int, embed: int = 0, dropout: float = 0.0):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.before, self.between = _norm(inputs), _norm(outputs)
        self.turn = nn.Linear(embed, 2 * outputs) if embed else None
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.second.weight)  # an untrained block changes nothing
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor, e: Tensor | None = None) -> Tensor:
        """Return maps of shape (B, outputs, H, W), given maps (B, inputs, H, W) and vectors (B, embed)."""
        h = self.between(self.first(F.silu(self.before(x))))
        if self.turn is not None:
            scale, shift = self.turn(F.silu(e))[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        return self.skip(x) + self.second(self.dropout(F.silu(h)))


class UNet(nn.Module):
    """A network from images to images of the same sides (Ronneberger et al. 2015; blocks after Ho et al. 2020).

    ``net(x, t, c)`` takes images, shape (B, inputs, H, W), times in [0, 1], shape (B,), and classes, int64 of shape
    (B,) or None, and returns shape (B, outputs, H, W). Its last convolution starts at zero. :class:`genkit.nn.dit.DiT`
    has the same signature.

    Arguments
        inputs, outputs: channels of an image before and after.
        width: channels at the full size.
        grow: by what the channels of each size are multiplied; the sides halve from one size to the next.
        blocks: residual blocks at each size, on the way down and on the way up.
        classes: how many classes; 0 for none.
        timed: take a time. Without one, ``t`` must be None.
        dropout: inside the blocks.

    >>> net = UNet(1, 1, width=16, grow=(1, 2), classes=10)
    >>> net(torch.zeros(3, 1, 8, 8), torch.rand(3), torch.tensor([1, 2, 3])).shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self, inputs: int, outputs: int, *, width: int = 32, grow: tuple[int, ...] = (1, 2, 2), blocks: int = 1,
        classes: int = 0, timed: bool = True, dropout: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        if classes and not timed:
            raise ValueError("classes: expected 0 where timed is False, since both enter by one vector")
        sizes = [width * g for g in grow]
        embed = 4 * width if timed else 0
        self.embed = TimeAndClass(embed, classes) if timed else None
        self.enter = nn.Conv2d(inputs, width, 3, padding=1)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        for before, size in pairwise([width, *sizes]):
            self.down.append(_stage(before, size, blocks, embed, dropout))
        self.shrink.extend(nn.Conv2d(size, size, 3, stride=2, padding=1) for size in sizes[:-1])
        self.middle = Residual(sizes[-1], sizes[-1], embed, dropout)
        self.up, self.enlarge = nn.ModuleList(), nn.ModuleList()
        for i in reversed(range(len(sizes))):
            # what the way down kept at this size comes in beside
            self.up.append(_stage(2 * sizes[i], sizes[i], blocks, embed, dropout))
            if i:
                self.enlarge.append(nn.Conv2d(sizes[i], sizes[i - 1], 3, padding=1))
        self.last = nn.Sequential(_norm(width * grow[0]), nn.SiLU(), nn.Conv2d(width * grow[0], outputs, 3, padding=1))
        nn.init.zeros_(self.last[-1].weight)
        nn.init.zeros_(self.last[-1].bias)
        self.shrinks = 2 ** (len(sizes) - 1)

    def forward(self, x: Tensor, t: Tensor | None = None, c: Tensor | None = None) -> Tensor:
        """Return what the network makes of images at times t, given classes c."""
        if x.ndim != 4 or x.shape[2] % self.shrinks or x.shape[3] % self.shrinks:
            raise ValueError(
                f"x: expected images (B, C, H, W) with sides divisible by {self.shrinks}, received {tuple(x.shape)}"
            )
        if (t is None) != (self.embed is None):
            raise ValueError(f"t: expected {'None' if self.embed is None else 'times'}, received {t}")
        e = None if self.embed is None else self.embed(t, c)
        h, kept = self.enter(x), []
        for i, stage in enumerate(self.down):
            for block in stage:
                h = block(h, e)
            kept.append(h)
            if i < len(self.shrink):
                h = self.shrink[i](h)
        h = self.middle(h, e)
        for i, stage in enumerate(self.up):
            h = torch.cat([h, kept.pop()], 1)
            for block in stage:
                h = block(h, e)
            if i < len(self.enlarge):
                h = self.enlarge[i](F.interpolate(h, scale_factor=2.0))
        return self.last(h)


def _stage(inputs: int, outputs: int, blocks: int, embed: int, dropout: float) -> nn.ModuleList:
    return nn.ModuleList(Residual(outputs if i else inputs, outputs, embed, dropout) for i in range(blocks))


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(next(g for g in (8, 4, 2, 1) if channels % g == 0), channels)
