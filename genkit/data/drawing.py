"""Drawing many small pictures at once: how far every pixel lies from a shape, and paint where it lies inside."""

import torch
from torch import Tensor


class Canvas:
    """N square pictures of ``side`` pixels, shape (N, 3, side, side), that shapes are painted on one after another.

    Places and lengths are in pixels, from the upper left corner; numbers that differ from picture to picture have
    shape (N, 1, 1). A shape is a tensor of signed distances from its edge, negative inside, shape (N, side, side).

    >>> canvas = Canvas(2, 8)
    >>> canvas.paint(ellipse(canvas.x, canvas.y, 4.0, 4.0, 2.0, 2.0), (1.0, 0.0, 0.0))
    >>> canvas.rgb[0, :, 4, 4].tolist(), canvas.rgb[0, :, 0, 0].tolist()
    ([1.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    """

    def __init__(self, n: int, side: int):
        at = torch.arange(side) + 0.5  # the middle of every pixel
        self.x, self.y = at.view(1, 1, -1), at.view(1, -1, 1)
        self.rgb = torch.zeros(n, 3, side, side)

    def paint(self, distance: Tensor, colour: Tensor | tuple, strength: Tensor | float = 1.0) -> None:
        """Mix ``colour``, (3,) or (N, 3), into every picture where ``distance`` is negative; edges are smooth."""
        self.cover((0.5 - distance).clamp(0, 1) * strength, colour)

    def cover(self, share: Tensor, colour: Tensor | tuple) -> None:
        """Mix ``colour`` in by a share of every pixel, shape (N, side, side), in [0, 1]."""
        colour = torch.as_tensor(colour, dtype=torch.float32)
        colour = colour[:, :, None, None] if colour.ndim == 2 else colour.view(1, 3, 1, 1)
        self.rgb = self.rgb + share[:, None] * (colour - self.rgb)


def ellipse(x: Tensor, y: Tensor, cx, cy, a, b) -> Tensor:
    """Return about how far each pixel lies outside an ellipse with half-axes ``a`` and ``b``."""
    u, v = x - cx, y - cy
    f = ((u / a).square() + (v / b).square()).sqrt()
    slope = ((u / a**2).square() + (v / b**2).square()).sqrt()
    return f * (f - 1) / slope.clamp(min=1e-6) + (f == 0) * -1e3  # the middle is far inside


def box(x: Tensor, y: Tensor, cx, cy, a, b) -> Tensor:
    """Return how far each pixel lies outside an upright rectangle with half-sides ``a`` and ``b``."""
    return torch.maximum((x - cx).abs() - a, (y - cy).abs() - b)


def segment(x: Tensor, y: Tensor, x0, y0, x1, y1, half) -> Tensor:
    """Return how far each pixel lies outside a line with round ends that is ``2 · half`` wide."""
    u, v = x1 - x0, y1 - y0
    share = (((x - x0) * u + (y - y0) * v) / (u * u + v * v)).clamp(0, 1)
    return ((x - x0 - share * u).square() + (y - y0 - share * v).square()).sqrt() - half


def triangle(x: Tensor, y: Tensor, cx, cy, r) -> Tensor:
    """Return how far each pixel lies outside a triangle that stands on its base, of about radius ``r``."""
    u, v = (x - cx).abs(), y - cy + 0.15 * r
    return torch.maximum(v - 0.95 * r, 0.894 * u - 0.447 * (v + 1.05 * r))  # sides twice as steep as wide


def cross(x: Tensor, y: Tensor, cx, cy, r) -> Tensor:
    """Return how far each pixel lies outside a cross with arms of length ``r``."""
    return torch.minimum(box(x, y, cx, cy, r, 0.42 * r), box(x, y, cx, cy, 0.42 * r, r))
