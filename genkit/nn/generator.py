"""Networks that draw: from noise to points, or to images."""

import math

from torch import Tensor, nn

from .conv import conv_decoder
from .mlp import mlp


class Spread(nn.Module):
    r"""A perceptron beside a straight road: :math:`G(z) = s\,Q z + \mathrm{MLP}(z)`.

    Q has orthonormal rows at first, so that samples begin spread out, a normal cloud of deviation s, and not in a heap.

    Arguments
        latent: the size of z, at least ``outputs``.
        outputs: of the network.
        hidden: sizes of the perceptron's hidden layers.
        spread: s, in the unit of the data.

    >>> import torch
    >>> Spread(4, 2, (16,), spread=1.5)(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(self, latent: int, outputs: int, hidden: tuple[int, ...], *, spread: float):
        super().__init__()
        if latent < outputs:
            raise ValueError(f"latent: expected at least {outputs}, received {latent}")
        if not spread > 0:
            raise ValueError(f"spread: expected a number above 0, received {spread}")
        self.network = mlp(latent, *hidden, outputs, activation=nn.ReLU)
        self.road = nn.Linear(latent, outputs, bias=False)
        nn.init.orthogonal_(self.road.weight, gain=spread)

    def forward(self, z: Tensor) -> Tensor:
        return self.road(z) + self.network(z)


def mlp_generator(
    inputs: int, shape: tuple[int, ...], hidden: tuple[int, ...] = (128, 128), *, spread: float = 0.0
) -> nn.Module:
    """Return a generator of points or, where ``shape`` is (C, H, W), of images in [0, 1].

    ``spread`` above 0 makes it a :class:`Spread`.
    """
    size = math.prod(shape)
    if spread:
        return Spread(inputs, size, hidden, spread=spread)
    network = mlp(inputs, *hidden, size, activation=nn.ReLU)
    return nn.Sequential(*network, nn.Sigmoid()) if len(shape) == 3 else network


def conv_generator(inputs: int, shape: tuple[int, int, int], *, width: int = 32) -> nn.Module:
    """Return a convolutional generator of images in [0, 1] whose sides divide by 4."""
    return nn.Sequential(*conv_decoder(inputs, shape, 1, width=width), nn.Sigmoid())
