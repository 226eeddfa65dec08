"""Views: small changes by chance that leave what a picture shows alone."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Views(nn.Module):
    r"""Draws a view of each picture: moved, turned, zoomed and slanted, with thicker, thinner or softer strokes.

    A pixel u of the view, from −1 to 1 in both directions, shows what the picture has at

    .. math:: z \begin{pmatrix} \cos a & s - \sin a \\ \sin a & \cos a \end{pmatrix} u + \delta,

    blended between pixels; 0 is outside. Each part is drawn evenly up to its limit, and 0 leaves it out.

    Arguments
        shift: pixels, in each direction.
        turn: degrees.
        zoom: 0.15 makes a picture up to 1.15 times as large or as small.
        slant: sideways per upwards.
        weight: 0 to 1: how far strokes grow, shrink or blur towards the largest, smallest or mean of 3 × 3 pixels.

    >>> x = torch.rand(2, 1, 8, 8)
    >>> torch.allclose(Views(shift=0, turn=0, zoom=0, slant=0, weight=0)(x), x, atol=1e-5)
    True
    """

    def __init__(
        self, *, shift: float = 2.0, turn: float = 10.0, zoom: float = 0.15, slant: float = 0.4, weight: float = 1.0
    ):
        super().__init__()
        for name, value in (("shift", shift), ("turn", turn), ("zoom", zoom), ("slant", slant), ("weight", weight)):
            if value < 0 or (name == "weight" and value > 1):
                raise ValueError(f"{name}: expected at least 0 (weight: at most 1), received {value}")
        self.shift, self.turn, self.zoom, self.slant, self.weight = shift, turn, zoom, slant, weight

    def forward(self, x: Tensor) -> Tensor:
        """Return a view of each picture of shape (B, C, H, W) in [0, 1]; the same shape and range."""
        if x.ndim != 4:
            raise ValueError(f"x: expected pictures of shape (B, C, H, W), received {tuple(x.shape)}")
        return self._moved(self._stroked(x) if self.weight else x)

    def _stroked(self, x: Tensor) -> Tensor:
        much = self.weight * torch.rand(len(x), 1, 1, 1, device=x.device)
        kind = torch.randint(3, (len(x), 1, 1, 1), device=x.device)
        thick, thin, soft = F.max_pool2d(x, 3, 1, 1), -F.max_pool2d(-x, 3, 1, 1), F.avg_pool2d(x, 3, 1, 1)
        # thin strokes would vanish altogether: they lose at most seven tenths
        step = torch.where(kind == 0, thick - x, torch.where(kind == 1, 0.7 * (thin - x), soft - x))
        return x + much * step

    def _moved(self, x: Tensor) -> Tensor:
        a, z, s, right, down = (2 * torch.rand(5, len(x), device=x.device) - 1).unbind()
        a, z, s = a * math.radians(self.turn), torch.exp(z * math.log1p(self.zoom)), s * self.slant
        right, down = right * 2 * self.shift / x.shape[3], down * 2 * self.shift / x.shape[2]
        first = torch.stack([z * a.cos(), z * (s - a.sin()), right], 1)
        second = torch.stack([z * a.sin(), z * a.cos(), down], 1)
        grid = F.affine_grid(torch.stack([first, second], 1), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)
