"""A small convolutional encoder that halves the sides three times: cheap enough to be trained many times on a page."""

from torch import nn


def strided_encoder(shape: tuple[int, int, int], *, width: int = 16) -> nn.Sequential:
    """Return a network from pictures, shape (B, C, H, W), to features, shape (B, 4 · width · ⌈H / 8⌉ · ⌈W / 8⌉).

    Three convolutions of 3 × 3 pixels with stride 2, each normalised over the batch and cut off at 0, with ``width``, 2
    and 4 times as many channels. The features keep their places.

    >>> strided_encoder((1, 28, 28))(__import__("torch").zeros(2, 1, 28, 28)).shape
    torch.Size([2, 1024])
    """
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"shape: expected (C, H, W), received {tuple(shape)}")
    if width < 1:
        raise ValueError(f"width: expected at least 1, received {width}")
    layers, before = [], shape[0]
    for after in (width, 2 * width, 4 * width):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        before = after
    return nn.Sequential(*layers, nn.Flatten())


def features_of(shape: tuple[int, int, int], *, width: int = 16) -> int:
    """Return how many features :func:`strided_encoder` gives a picture.

    >>> features_of((1, 28, 28))
    1024
    """
    return 4 * width * -(-shape[1] // 8) * -(-shape[2] // 8)
