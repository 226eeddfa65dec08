r"""The plain autoencoder: squeeze through a few numbers and rebuild (Hinton & Salakhutdinov 2006).

Nothing says where codes should lie, so it compresses and does not generate: that is what a variational one adds.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..base import Generative, Terms
from ..nn import mlp


class Autoencoder(Generative):
    r"""Two networks, an encoder f and a decoder g, that together give back what they are given.

    .. math:: L(x) = \lVert x - g(f(x)) \rVert^2

    Hinton & Salakhutdinov (2006), with squared error. With linear f and g the best one spans the first principal
    components (Baldi & Hornik 1989).

    Arguments
        encoder: a network from (B, size) to (B, latent), where size is the product of ``shape``.
        decoder: a network from (B, latent) to (B, size).
        shape: of one example, such as (C, H, W) or (3,).
        latent: the number D of numbers in a code.

    >>> model = mlp_autoencoder(shape=(1, 8, 8), latent=2)
    >>> model.encode(torch.zeros(5, 1, 8, 8)).shape, model.reconstruct(torch.zeros(5, 1, 8, 8)).shape
    (torch.Size([5, 2]), torch.Size([5, 1, 8, 8]))
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, *, shape: tuple[int, ...], latent: int):
        super().__init__()
        if latent < 1:
            raise ValueError(f"latent: expected at least 1, received {latent}")
        self.encoder, self.decoder = encoder, decoder
        self.shape, self.latent = tuple(shape), latent

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of examples of shape (B, *shape): shape (B, D)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected examples of shape (B, *{self.shape}), received {tuple(x.shape)}")
        return self.encoder(x.flatten(1))

    def decode(self, z: Tensor) -> Tensor:
        """Return what codes of shape (B, D) stand for: shape (B, *shape)."""
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise ValueError(f"z: expected codes of shape (B, {self.latent}), received {tuple(z.shape)}")
        return self.decoder(z).unflatten(1, self.shape)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the squared error of the rebuilt examples, summed over an example: shape (B,). A class is ignored."""
        return {"loss": (self.decode(self.encode(x)) - x).pow(2).flatten(1).sum(1)}

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the examples squeezed and rebuilt, shape (B, *shape)."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, z: Tensor | None = None) -> Iterator[Tensor]:
        r"""Yield n examples decoded from codes ``z``, or from :math:`\mathcal N(0, I)`, which training never saw."""
        if z is not None and len(z) != n:
            raise ValueError(f"z: expected {n} codes, received {len(z)}")
        yield self.decode(torch.randn(n, self.latent, device=self.device) if z is None else z)


def mlp_autoencoder(
    *, shape: tuple[int, ...], latent: int = 2, hidden: tuple[int, ...] = (256,), dropout: float = 0.0
) -> Autoencoder:
    """Return an autoencoder of multilayer perceptrons; ``hidden=()`` makes it linear."""
    size = math.prod(shape)
    encoder = mlp(size, *hidden, latent, dropout=dropout)
    decoder = mlp(latent, *reversed(hidden), size, dropout=dropout)
    return Autoencoder(encoder, decoder, shape=shape, latent=latent)
