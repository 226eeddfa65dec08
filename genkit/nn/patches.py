"""Images cut into patches, one vector for each, and back: the networks around a codebook."""

from torch import Tensor, nn


class _Residual(nn.Module):
    """Two convolutions over the grid of patches, added to what was there."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.SiLU(), nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(), nn.Dropout(dropout), nn.Conv2d(width, width, 1),
        )  # fmt: skip

    def forward(self, h: Tensor) -> Tensor:
        return h + self.body(h)


def patch_encoder(
    shape: tuple[int, int, int], outputs: int, *, patch: int, width: int = 64, depth: int = 2, dropout: float = 0.0
) -> nn.Sequential:
    """Return a network from images, shape (B, C, H, W), to a vector for each patch, shape (B, T, outputs).

    T = (H / patch) · (W / patch), in reading order. Neighbouring patches look at each other in ``depth`` blocks.

    >>> patch_encoder((1, 8, 8), 5, patch=2)(__import__("torch").zeros(3, 1, 8, 8)).shape
    torch.Size([3, 16, 5])
    """
    channels, _, _ = _divisible(shape, patch)
    return nn.Sequential(
        nn.Conv2d(channels, width, patch, stride=patch),
        *(_Residual(width, dropout) for _ in range(depth)),
        nn.Conv2d(width, outputs, 1), nn.Flatten(2), Swap(),
    )  # fmt: skip


def patch_decoder(
    inputs: int, shape: tuple[int, int, int], per_pixel: int, *, patch: int, width: int = 64, depth: int = 2,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Return a network from vectors, shape (B, T, inputs), to the numbers of pixels, shape (B, C, H, W, per_pixel)."""
    channels, height, across = _divisible(shape, patch)
    return nn.Sequential(
        Swap(), nn.Unflatten(2, (height // patch, across // patch)), nn.Conv2d(inputs, width, 3, padding=1),
        *(_Residual(width, dropout) for _ in range(depth)), nn.SiLU(),
        nn.ConvTranspose2d(width, channels * per_pixel, patch, stride=patch),
        nn.Unflatten(1, (channels, per_pixel)), Last(),
    )  # fmt: skip


class Swap(nn.Module):
    """Exchange the last two axes."""

    def forward(self, h: Tensor) -> Tensor:
        return h.transpose(1, 2)


class Last(nn.Module):
    """Move the numbers of a pixel to the end: (B, C, P, H, W) to (B, C, H, W, P)."""

    def forward(self, h: Tensor) -> Tensor:
        return h.permute(0, 1, 3, 4, 2)


def _divisible(shape: tuple[int, int, int], patch: int) -> tuple[int, int, int]:
    if patch < 1 or len(shape) != 3 or shape[1] % patch or shape[2] % patch:
        raise ValueError(f"shape: expected (C, H, W) with H and W divisible by {patch}, received {tuple(shape)}")
    return shape
