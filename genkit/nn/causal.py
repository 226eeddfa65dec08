"""Causal convolutions: what a place says depends on the places before it alone."""

from collections.abc import Generator

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PixelCNN(nn.Module):
    """Gated masked convolutions over a grey image, in reading order (van den Oord et al. 2016b, fig. 2 and eq. 2).

    A vertical stack sees the rows above, a horizontal one the pixels to the left in the same row, and the first feeds
    the second, so that nothing before a pixel is out of sight and nothing after it is in sight.

    Arguments
        shape: (1, H, W) of an image.
        per_place: numbers to say about each pixel.
        width: channels.
        blocks: gated layers after the first; each reaches one pixel further.
        context: width of the context that comes with each example; 0 for none.
        dropout: the probability in [0, 1) with which a channel is silenced in training.
    """

    def __init__(
        self, shape: tuple[int, int, int], per_place: int, *, width: int = 32, blocks: int = 4, context: int = 0,
        dropout: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        if len(shape) != 3 or shape[0] != 1 or min(shape) < 1:
            raise ValueError(f"shape: expected (1, H, W), received {tuple(shape)}")
        # two channels: the picture, and a plane of ones that tells the inside from the padding
        self.above, self.left = nn.Conv2d(2, width, (3, 5)), nn.Conv2d(2, width, (1, 3))
        self.place = nn.Parameter(torch.zeros(1, width, *shape[1:]))
        self.blocks = nn.ModuleList([Gated(width, context, dropout) for _ in range(blocks)])
        self.dropout = nn.Dropout2d(dropout)
        self.mix, self.last = nn.Conv2d(width, width, 1), nn.Conv2d(width, per_place, 1)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Return numbers about every pixel, (B, 1, H, W, per_place), from images of shape (B, 1, H, W)."""
        x = torch.cat([x, torch.ones_like(x)], 1)
        vertical = self.above(F.pad(x, (2, 2, 3, 0))[:, :, :-1]) + self.place  # three rows above, not this one
        horizontal = self.left(F.pad(x, (3, 0))[:, :, :, :-1]) + self.place  # three pixels to the left, not this one
        for block in self.blocks:
            vertical, horizontal = block(vertical, horizontal, context)
        h = F.silu(self.mix(F.silu(horizontal)))
        return self.last(self.dropout(h)).permute(0, 2, 3, 1).unsqueeze(1)


class Gated(nn.Module):
    """One gated layer over both stacks, tanh(a) · σ(b), with a shortcut past it."""

    def __init__(self, width: int, context: int, dropout: float):
        super().__init__()
        self.vertical, self.horizontal = nn.Conv2d(width, 2 * width, (2, 3)), nn.Conv2d(width, 2 * width, (1, 2))
        self.down, self.out = nn.Conv2d(2 * width, 2 * width, 1), nn.Conv2d(width, width, 1)
        self.context = nn.Linear(context, 2 * width, bias=False) if context else None
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, vertical: Tensor, horizontal: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return both stacks, (B, width, H, W) each."""
        v = self.vertical(F.pad(vertical, (1, 1, 1, 0)))
        h = self.horizontal(F.pad(horizontal, (1, 0))) + self.down(v)
        if self.context is not None and context is not None:
            said = self.context(context)[:, :, None, None]
            v, h = v + said, h + said
        return vertical + gate(v), horizontal + self.out(self.dropout(gate(h)))


class Dilated(nn.Module):
    """Dilated causal convolutions over a signal, as WaveNet's: each layer looks twice as far back.

    Van den Oord et al. (2016c), fig. 3.

    Arguments
        per_place: numbers to say about each sample.
        width: channels.
        layers: layer i looks 2^i samples back; together they reach ``reach`` = 2^layers samples back.
        context: width of the context that comes with each example; 0 for none.
        dropout: the probability in [0, 1) with which a channel is silenced in training.
    """

    def __init__(self, per_place: int, *, width: int = 32, layers: int = 6, context: int = 0, dropout: float = 0.0):
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers: expected at least 1, received {layers}")
        self.reach = 2**layers
        self.first = nn.Conv1d(2, width, 1)
        self.layers = nn.ModuleList([nn.Conv1d(width, 2 * width, 2, dilation=2**i) for i in range(layers)])
        self.out = nn.ModuleList([nn.Conv1d(width, width, 1) for _ in range(layers)])
        self.context = nn.Linear(context, width, bias=False) if context else None
        self.dropout = nn.Dropout1d(dropout)
        self.mix, self.last = nn.Conv1d(width, width, 1), nn.Conv1d(width, per_place, 1)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Return numbers about every sample, (B, T, per_place), from signals of shape (B, T), for any T."""
        x = torch.stack([x, torch.ones_like(x)], 1)
        h = self.first(F.pad(x, (1, 0))[:, :, :-1])  # one step late: a sample never sees itself
        if self.context is not None and context is not None:
            h = h + self.context(context)[:, :, None]
        skip = torch.zeros_like(h)
        for i, (layer, out) in enumerate(zip(self.layers, self.out, strict=True)):
            said = out(self.dropout(gate(layer(F.pad(h, (2**i, 0))))))
            h, skip = h + said, skip + said
        return self.last(F.silu(self.mix(F.silu(skip)))).transpose(1, 2)

    def stream(self, n: int, context: Tensor | None = None) -> Generator[Tensor, Tensor, None]:
        """Yield numbers about the first sample of n signals, (n, per_place); send a sample, (n,), for the next.

        What a layer will look back at is kept, so a sample costs one small step instead of a pass over all it can see.
        """
        width, device = self.first.out_channels, self.first.weight.device
        kept = [torch.zeros(2**i, n, width, device=device) for i in range(len(self.layers))]
        said_by_class = self.context(context) if self.context is not None and context is not None else 0.0
        seen, t = torch.zeros(n, 2, device=device), 0
        while True:
            h = _at(self.first, 0, seen) + said_by_class
            skip = torch.zeros_like(h)
            for i, (layer, out) in enumerate(zip(self.layers, self.out, strict=True)):
                past, kept[i][t % 2**i] = kept[i][t % 2**i].clone(), h
                # before the signal began, a layer saw zeros; from then on, what it was given 2^i samples ago
                both = _at(layer, 0, past, bias=False) + _at(layer, 1, h)
                said = _at(out, 0, gate(both))
                h, skip = h + said, skip + said
            value = yield _at(self.last, 0, F.silu(_at(self.mix, 0, F.silu(skip))))
            seen, t = torch.stack([value, torch.ones_like(value)], 1), t + 1


def _at(layer: nn.Conv1d, tap: int, h: Tensor, *, bias: bool = True) -> Tensor:
    """Apply one tap of a convolution to rows of channels, (n, channels)."""
    return F.linear(h, layer.weight[:, :, tap], layer.bias if bias else None)


def gate(h: Tensor) -> Tensor:
    """Return tanh of the first half of the channels times the sigmoid of the second."""
    a, b = h.chunk(2, 1)
    return a.tanh() * b.sigmoid()
