"""A small diffusion transformer: patches are tokens that all look at each other, and the time turns every block."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention, norm
from .times import TimeAndClass


class DiTBlock(nn.Module):
    """A transformer block whose normalisations are scaled, shifted and gated by a vector (Peebles & Xie 2023, fig. 3).

    The gates start at zero, so that an untrained block changes nothing ("adaLN-Zero").
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0):
        super().__init__()
        self.attention = Attention(width, heads, zero_init=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.turn, self.dropout = nn.Linear(width, 6 * width), nn.Dropout(dropout)
        nn.init.zeros_(self.turn.weight)
        nn.init.zeros_(self.turn.bias)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        """Return tokens of shape (B, T, width), given vectors of shape (B, width)."""
        a, b, gate, p, q, door = self.turn(F.silu(e))[:, None].chunk(6, -1)
        x = x + gate * self.dropout(self.attention(norm(x) * (1 + a) + b))
        return x + door * self.dropout(self.down(F.gelu(self.up(norm(x) * (1 + p) + q))))


class DiT(nn.Module):
    """A transformer over the patches of an image, with the signature of :class:`genkit.nn.unet.UNet`.

    Arguments
        shape: (C, H, W) of an image.
        patch: side of a patch; it divides H and W.
        width, heads, depth: of the transformer.
        classes: how many classes; 0 for none.
        dropout: of what each block adds.

    >>> net = DiT((1, 8, 8), patch=2, width=32, heads=2, depth=2, classes=10)
    >>> net(torch.zeros(3, 1, 8, 8), torch.rand(3)).shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self, shape: tuple[int, int, int], *, patch: int = 2, width: int = 96, heads: int = 4, depth: int = 4,
        classes: int = 0, dropout: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        channels, height, across = shape
        if patch < 1 or height % patch or across % patch:
            raise ValueError(f"patch: expected a divisor of the sides {height} and {across}, received {patch}")
        self.shape, self.patch, places = tuple(shape), patch, (height // patch) * (across // patch)
        self.embed = TimeAndClass(width, classes)
        self.enter = nn.Conv2d(channels, width, patch, stride=patch)
        self.places = nn.Parameter(torch.randn(places, width) * 0.02)
        self.blocks = nn.ModuleList(DiTBlock(width, heads, dropout) for _ in range(depth))
        self.turn = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, channels * patch * patch)
        for layer in (self.turn, self.leave):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        """Return an image for every image, shape (B, C, H, W), at times in [0, 1], shape (B,), given classes c."""
        if x.shape[1:] != self.shape:
            raise ValueError(f"x: expected images of shape (B, *{self.shape}), received {tuple(x.shape)}")
        e = self.embed(t, c)
        h = self.enter(x).flatten(2).transpose(1, 2) + self.places
        for block in self.blocks:
            h = block(h, e)
        scale, shift = self.turn(F.silu(e))[:, None].chunk(2, -1)
        patches = self.leave(norm(h) * (1 + scale) + shift)  # (B, T, C·patch²)
        return F.fold(patches.transpose(1, 2), self.shape[1:], self.patch, stride=self.patch)
