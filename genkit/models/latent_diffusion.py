"""Latent diffusion: a diffusion over the codes of an autoencoder (Rombach et al. 2022; Vahdat et al. 2021)."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from ..base import Generative, Player, Terms, rows


class LatentDiffusion(Generative):
    r"""An autoencoder, and a diffusion that learns which codes it uses.

    A variational autoencoder draws codes from its fixed prior, and so also where no picture has its code. Here the
    codes of training pictures, :math:`z \sim q(z \mid x)`, are the data of a second model, and its draws are decoded.

    Arguments
        codec: a variational autoencoder: ``encode(x, c).rsample()``, ``decode(z, c)``, ``latent``.
        prior: a diffusion over codes of shape (latent,).
        split: the part of training after which the prior learns; until then the codec does.
        prior_lr: multiplies the learning rate of the prior.
    """

    likelihood = "none"

    def __init__(self, codec: Generative, prior: Generative, *, split: float = 0.5, prior_lr: float = 1.0):
        super().__init__()
        if tuple(prior.shape) != (codec.latent,):
            raise ValueError(f"prior: expected codes of shape {(codec.latent,)}, received {tuple(prior.shape)}")
        if not 0 < split < 1:
            raise ValueError(f"split: expected a number in (0, 1), received {split}")
        self.codec, self.prior, self.split, self.prior_lr = codec, prior, split, prior_lr
        self.shape, self.classes = codec.shape, prior.classes

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the prior's loss on codes of images x: shape (B,). No gradient reaches the autoencoder."""
        with torch.no_grad():
            z = self.codec.encode(x, self._given(c)).rsample()
        return self.prior.loss(z, c)

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, mean: bool = False, sampler: str = "dpm_solver", steps: int = 20,
        guidance: float = 1.0,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Yield the decoded codes after each step of the prior; the decoder's means where ``mean`` is set."""
        for z in self.prior.trajectory(n, c, sampler=sampler, steps=steps, guidance=guidance):
            p = self.codec.decode(z, self._given(rows(c, n)))
            yield p.mean if mean else p.sample()

    def players(self) -> list[Player]:
        """Return the autoencoder, which moves first, and the prior, which moves when that stands still."""
        codec, prior = self.codec.players()[0], self.prior.players()[0]
        return [
            replace(codec, name="codec", span=(0.0, self.split)),
            replace(prior, name="prior", loss=self.loss, span=(self.split, 1.0), lr=self.prior_lr),
        ]

    def _given(self, c: Tensor | None) -> Tensor | None:
        return c if self.codec.classes else None
