r"""The variational autoencoder (Kingma & Welling 2014; Rezende et al. 2014).

A code :math:`z \sim \mathcal N(0, I)` is drawn, and a decoder turns it into a distribution over images,
:math:`p_\theta(x \mid z)`. The encoder :math:`q_\phi(z \mid x)` guesses which codes could have made an image.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..base import Generative, Terms, rows
from ..distributions import Family, Gaussian, Pixels, standard_normal_log_prob
from ..labels import hide, one_hot
from ..nn import conv_decoder, conv_encoder, mlp


class VAE(Generative):
    r"""A variational autoencoder over images, unconditional or given a class.

    .. math:: \log p_\theta(x) \ge \mathbb E_{q_\phi(z \mid x)}[\log p_\theta(x \mid z)]
              - D_\mathrm{KL}(q_\phi(z \mid x) \,\|\, p(z))

    Kingma & Welling (2014), eq. 3. The right side is the evidence lower bound (ELBO). Training minimises its
    negative, with the second term multiplied by ``beta`` (Higgins et al. 2017, eq. 4).

    Arguments
        encoder: a network from (B, C·H·W) to (B, 2·latent): means, then the logarithms of deviations.
        decoder: a network from (B, latent) to (B, C·H·W·pixels.per_pixel). Where there are classes, both
            networks take classes + 1 more columns.
        shape: (C, H, W) of an image.
        latent: the number D of latent dimensions.
        pixels: what the decoder says about a pixel: ``bernoulli()``, ``categorical(levels)`` or
            ``discretised_logistic(levels)`` of :mod:`genkit.distributions`.
        beta: the weight of the KL term in the loss; ``elbo`` always uses 1.
        free_bits: nats that each latent dimension may carry, on average over the batch, at no cost
            (Kingma et al. 2016, eq. 15).
        classes: the number of classes of the condition c, int64 of shape (B,); 0 for an unconditional model.
        label_dropout: the probability with which ``loss`` hides an example's class, so that c = None works too.

    >>> from genkit.distributions import categorical
    >>> model = mlp_vae(shape=(1, 8, 8), pixels=categorical(17), latent=4)
    >>> model.sample(3).shape
    torch.Size([3, 1, 8, 8])
    """

    likelihood = "bound"

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, shape: tuple[int, int, int], latent: int, pixels: Family,
        beta: float = 1.0, free_bits: float = 0.0, classes: int = 0, label_dropout: float = 0.1,
    ):  # fmt: skip
        super().__init__()
        if latent < 1:
            raise ValueError(f"latent: expected at least 1, received {latent}")
        if beta < 0:
            raise ValueError(f"beta: expected a number >= 0, received {beta}")
        if free_bits < 0:
            raise ValueError(f"free_bits: expected a number of nats >= 0, received {free_bits}")
        self.encoder, self.decoder = encoder, decoder
        self.shape, self.latent, self.pixels = tuple(shape), latent, pixels
        self.beta, self.free_bits = beta, free_bits
        self.classes, self.label_dropout = classes, label_dropout

    def encode(self, x: Tensor, c: Tensor | None = None) -> Gaussian:
        """Return q(z | x, c) for images of shape (B, C, H, W): the codes that could have made them."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected images of shape (B, *{self.shape}), received {tuple(x.shape)}")
        h = self.encoder(self._with_class(x.flatten(1), c))
        mean, log_std = h.chunk(2, -1)  # (B, D), (B, D)
        return Gaussian(mean, log_std.clamp(-7, 3).exp())

    def decode(self, z: Tensor, c: Tensor | None = None) -> Pixels:
        """Return p(x | z, c) for codes of shape (B, D): ``.mean``, ``.log_prob(x)`` and ``.sample()``."""
        h = self.decoder(self._with_class(z, c))
        return self.pixels.of(h.unflatten(1, (*self.shape, self.pixels.per_pixel)))

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return reconstruction + β · KL in nats per image, shape (B,), with one code drawn for each image."""
        return self._terms(x, hide(c, len(x), self.classes, self.label_dropout))

    def _terms(self, x: Tensor, c: Tensor | None) -> Terms:
        q = self.encode(x, c)
        reconstruction = -self.decode(q.rsample(), c).log_prob(x)
        kl = q.kl_to_standard()  # (B, D)
        paid = kl.sum(1)
        if self.free_bits:  # the floor holds for a dimension's average over the batch, so one image may use less
            paid = kl.mean(0).clamp(min=self.free_bits).sum().expand(len(x))
        return {"loss": reconstruction + self.beta * paid, "reconstruction": reconstruction, "kl": kl.sum(1)}

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return a one-sample estimate of the lower bound on log p(x | c), nats per image, shape (B,)."""
        terms = self._terms(x, c)
        return -(terms["reconstruction"] + terms["kl"])

    def log_weights(self, x: Tensor, c: Tensor | None = None, k: int = 1) -> Tensor:
        r"""Return :math:`\log p(x, z_i) - \log q(z_i \mid x)` for k codes :math:`z_i \sim q`, shape (k, B).

        The mean over i is the ELBO; the log of their mean weight is the tighter importance-weighted bound
        (Burda et al. 2016, eq. 8).
        """
        if k < 1:
            raise ValueError(f"k: expected at least 1, received {k}")
        q = self.encode(x, c)
        q = Gaussian(q.mean.repeat(k, 1), q.std.repeat(k, 1))  # (k·B, D)
        z = q.rsample()
        again = x.repeat(k, 1, 1, 1)
        c = None if c is None else rows(c, len(x)).repeat(k)
        log_w = self.decode(z, c).log_prob(again) + standard_normal_log_prob(z) - q.log_prob(z)
        return log_w.unflatten(0, (k, len(x)))

    def iwae(self, x: Tensor, c: Tensor | None = None, k: int = 50) -> Tensor:
        """Return the importance-weighted bound with k codes, nats per image, shape (B,): Burda et al. (2016), eq. 8."""
        return self.log_weights(x, c, k).logsumexp(0) - math.log(k)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the mean image decoded from the mean code of each image, shape (B, C, H, W)."""
        return self.decode(self.encode(x, c).mean, c).mean

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, mean: bool = False) -> Iterator[Tensor]:
        """Yield n images, in the one step a VAE needs; the decoder's mean instead of a draw where ``mean`` is set."""
        p = self.decode(torch.randn(n, self.latent, device=self.device), c)
        yield p.mean if mean else p.sample()

    def _with_class(self, h: Tensor, c: Tensor | None) -> Tensor:
        """Append the class as a one-hot row of classes + 1 columns; the last column means "no class given"."""
        return torch.cat([h, one_hot(c, len(h), self.classes, h)], 1) if self.classes else h


def mlp_vae(
    *, shape: tuple[int, int, int], pixels: Family, latent: int = 16, hidden: tuple[int, ...] = (256, 256),
    dropout: float = 0.0, **options,
) -> VAE:  # fmt: skip
    """Return a VAE whose encoder and decoder are multilayer perceptrons; ``options`` go to :class:`VAE`."""
    size = math.prod(shape)
    labels = options["classes"] + 1 if options.get("classes") else 0
    encoder = mlp(size + labels, *hidden, 2 * latent, dropout=dropout)
    decoder = mlp(latent + labels, *reversed(hidden), size * pixels.per_pixel, dropout=dropout)
    return VAE(encoder, decoder, shape=shape, latent=latent, pixels=pixels, **options)


def conv_vae(
    *, shape: tuple[int, int, int], pixels: Family, latent: int = 16, width: int = 32, dropout: float = 0.0, **options
) -> VAE:
    """Return a VAE whose encoder and decoder are convolutional; ``options`` go to :class:`VAE`.

    A class would have to be painted over the whole image, so this one is unconditional.
    """
    if options.get("classes"):
        raise ValueError(f"classes: expected 0 for a convolutional VAE, received {options['classes']}; use mlp_vae")
    encoder = conv_encoder(shape, 2 * latent, width=width, dropout=dropout)
    decoder = conv_decoder(latent, shape, pixels.per_pixel, width=width, dropout=dropout)
    return VAE(encoder, decoder, shape=shape, latent=latent, pixels=pixels, **options)
