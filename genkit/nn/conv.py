"""Small convolutional encoder and decoder for images whose sides divide by four."""

from torch import Tensor, nn


def conv_encoder(shape: tuple[int, int, int], outputs: int, *, width: int = 32, dropout: float = 0.0) -> nn.Sequential:
    """Return a network from flattened images, shape (B, C·H·W), to ``outputs`` numbers, shape (B, outputs).

    Two stride-2 convolutions halve the sides twice while the channels grow from C to ``width`` to 2·``width``.
    """
    c, h, w = _divisible(shape)
    return nn.Sequential(
        nn.Unflatten(1, shape),
        nn.Conv2d(c, width, 3, padding=1), nn.SiLU(),
        nn.Conv2d(width, width, 4, stride=2, padding=1), nn.SiLU(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.SiLU(),
        nn.Flatten(), nn.Dropout(dropout),
        nn.Linear(2 * width * (h // 4) * (w // 4), outputs),
    )  # fmt: skip


def conv_decoder(
    inputs: int, shape: tuple[int, int, int], per_pixel: int, *, width: int = 32, dropout: float = 0.0
) -> nn.Sequential:
    """Return a network from codes, shape (B, inputs), to pixel parameters, shape (B, C·H·W·per_pixel)."""
    c, h, w = _divisible(shape)
    return nn.Sequential(
        nn.Linear(inputs, 2 * width * (h // 4) * (w // 4)), nn.SiLU(), nn.Dropout(dropout),
        nn.Unflatten(1, (2 * width, h // 4, w // 4)),
        nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), nn.SiLU(),
        nn.ConvTranspose2d(width, width, 4, stride=2, padding=1), nn.SiLU(),
        nn.Conv2d(width, c * per_pixel, 3, padding=1),
        PixelsLast(c),
    )  # fmt: skip


class PixelsLast(nn.Module):
    """Move the numbers of a pixel to the end: (B, C·P, H, W) to (B, C·H·W·P)."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, h: Tensor) -> Tensor:
        h = h.unflatten(1, (self.channels, -1))  # (B, C, P, H, W)
        return h.permute(0, 1, 3, 4, 2).flatten(1)


def _divisible(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if len(shape) != 3 or shape[1] % 4 or shape[2] % 4:
        raise ValueError(f"shape: expected (C, H, W) with H and W divisible by 4, received {tuple(shape)}")
    return shape
