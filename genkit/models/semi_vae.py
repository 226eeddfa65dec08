r"""A variational autoencoder that learns from few labels: M2 of Kingma et al. (2014).

A class :math:`y` and a code :math:`z` are drawn, and a decoder turns both into an image. Where the label of an image
is known it is used; where it is not, all classes are tried and weighed by :math:`q(y \mid x)`, a classifier.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Generative, Terms, rows
from ..distributions import Family, Gaussian, Pixels, standard_normal_log_prob
from ..nn import mlp

UNKNOWN = -1
"""The label of an image whose class nobody has said."""


class SemiVAE(Generative):
    r"""A class, a code, an image: :math:`p(y)\,p(z)\,p_\theta(x \mid y, z)` with K equally frequent classes.

    With :math:`\mathcal L(x, y) = \mathbb E_{q(z \mid x, y)}[\log p(x \mid y, z)] + \log p(y)
    - D_\mathrm{KL}(q(z \mid x, y) \,\|\, p(z))`,

    .. math:: \log p(x, y) \ge \mathcal L(x, y), \qquad
              \log p(x) \ge \mathcal U(x) = \sum_y q(y \mid x)\,\mathcal L(x, y) + H\big(q(y \mid x)\big)

    Kingma et al. (2014), eqs 6 and 7. Training minimises :math:`-\mathcal L - \alpha \log q(y \mid x)` where the
    label is known and :math:`-\mathcal U` where it is not (eqs 8 and 9).

    Arguments
        classifier: a network from (B, C·H·W) to (B, classes): the logits of :math:`q(y \mid x)`.
        encoder: a network from (B, C·H·W + classes) to (B, 2·latent): means, then the logarithms of deviations.
        decoder: a network from (B, latent + classes) to (B, C·H·W·pixels.per_pixel).
        shape: (C, H, W) of an image.
        classes: how many there are, at least 2.
        latent: the number D of latent dimensions.
        pixels: what the decoder says about a pixel, as for :class:`genkit.models.vae.VAE`.
        alpha: the weight of the classifier's own term, at least 0.

    Labels c are int64 of shape (B,); ``-1`` stands for an unknown one, and None for all unknown.

    >>> from genkit.distributions import bernoulli
    >>> model = mlp_semi_vae(shape=(1, 8, 8), pixels=bernoulli(), classes=10, latent=4)
    >>> x, c = torch.zeros(3, 1, 8, 8), torch.tensor([7, -1, -1])
    >>> model.loss(x, c)["loss"].shape, model.classify(x).shape, model.sample(5, torch.tensor([7])).shape
    (torch.Size([3]), torch.Size([3, 10]), torch.Size([5, 1, 8, 8]))
    """

    likelihood = "bound"

    def __init__(
        self, classifier: nn.Module, encoder: nn.Module, decoder: nn.Module, *, shape: tuple[int, int, int],
        classes: int, latent: int, pixels: Family, alpha: float = 10.0,
    ):  # fmt: skip
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes: expected at least 2, received {classes}")
        if latent < 1:
            raise ValueError(f"latent: expected at least 1, received {latent}")
        if alpha < 0:
            raise ValueError(f"alpha: expected a number >= 0, received {alpha}")
        self.classifier, self.encoder, self.decoder = classifier, encoder, decoder
        self.shape, self.classes, self.latent, self.pixels = tuple(shape), classes, latent, pixels
        self.alpha = alpha

    def log_classify(self, x: Tensor) -> Tensor:
        r"""Return :math:`\log q(y \mid x)` for images of shape (B, C, H, W), shape (B, classes)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected images of shape (B, *{self.shape}), received {tuple(x.shape)}")
        return self.classifier(x.flatten(1)).log_softmax(1)

    def classify(self, x: Tensor) -> Tensor:
        r"""Return :math:`q(y \mid x)`, shape (B, classes): non-negative, and each row sums to 1."""
        return self.log_classify(x).exp()

    def encode(self, x: Tensor, c: Tensor) -> Gaussian:
        """Return q(z | x, y) for images of shape (B, C, H, W) and known labels c."""
        mean, log_std = self.encoder(self._with_class(x.flatten(1), c)).chunk(2, 1)  # (B, D), (B, D)
        return Gaussian(mean, log_std.clamp(-7, 3).exp())

    def decode(self, z: Tensor, c: Tensor) -> Pixels:
        """Return p(x | y, z) for codes of shape (B, D) and known labels c."""
        h = self.decoder(self._with_class(z, c))
        return self.pixels.of(h.unflatten(1, (*self.shape, self.pixels.per_pixel)))

    def joint_bounds(self, x: Tensor) -> Tensor:
        r"""Return :math:`\mathcal L(x, y)` of every class y, with one code drawn for each: nats, (B, classes)."""
        again, c = self._every_class(x)
        q = self.encode(again, c)
        fit = self.decode(q.rsample(), c).log_prob(again)  # (K·B,)
        return (fit - q.kl_to_standard().sum(1)).unflatten(0, (self.classes, len(x))).T - math.log(self.classes)

    def bound(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        r"""Return :math:`\mathcal L(x, y)` where c names the class and :math:`\mathcal U(x)` where it is -1: (B,).

        Both are one formula, since a known label is a belief that is certain and has no entropy.
        """
        known, label = self._labels(c, len(x))
        log_q = self.log_classify(x)
        entropy = -(log_q.exp() * log_q).sum(1) * ~known
        certain = F.one_hot(label, self.classes).to(log_q)
        belief = torch.where(known[:, None], certain, log_q.exp())
        return (belief * self.joint_bounds(x)).sum(1) + entropy

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the terms of the loss in nats, each of shape (B,): minus the bound, and what the labels cost."""
        known, label = self._labels(c, len(x))
        naming = F.cross_entropy(self.classifier(x.flatten(1)), label, reduction="none") * known
        bound = -self.bound(x, c)
        return {"loss": bound + self.alpha * naming, "bound": bound, "naming": naming}

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return a one-sample estimate of the lower bound on log p(x | c), or on log p(x) where c is -1: nats, (B,)."""
        known, _ = self._labels(c, len(x))
        return self.bound(x, c) + math.log(self.classes) * known  # log p(x | y) = log p(x, y) − log p(y)

    def log_weights(self, x: Tensor, c: Tensor | None = None, k: int = 1) -> Tensor:
        r"""Return the logarithms of k importance weights of each image, shape (k, B).

        Their mean over i is unbiased for p(x | c), or for p(x) where c is -1: the sum over classes is exact, and each
        class draws a code from :math:`q(z \mid x, y)`. The log of the mean weight is the bound of Burda et al. (2016).
        """
        if k < 1:
            raise ValueError(f"k: expected at least 1, received {k}")
        known, label = self._labels(c, len(x))
        again, every = self._every_class(x)
        q = self.encode(again, every)
        z = q.mean + q.std * torch.randn(k, *q.mean.shape, device=x.device)  # (k, K·B, D)
        p = self.decode(z.flatten(0, 1), every.repeat(k))
        log_w = p.log_prob(again.repeat(k, 1, 1, 1)).unflatten(0, (k, -1))
        log_w = log_w + standard_normal_log_prob(z) - q.log_prob(z)
        log_w = log_w.unflatten(1, (self.classes, len(x)))  # (k, K, B)
        own = log_w.gather(1, label.expand(k, 1, -1))[:, 0]
        return torch.where(known, own, log_w.logsumexp(1) - math.log(self.classes))

    @torch.no_grad()
    def reconstruct(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the mean image of each image's mean code and class, the likeliest where c is -1: (B, C, H, W)."""
        known, label = self._labels(c, len(x))
        label = torch.where(known, label, self.log_classify(x).argmax(1))
        return self.decode(self.encode(x, label).mean, label).mean

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, mean: bool = False, z: Tensor | None = None
    ) -> Iterator[Tensor]:
        """Yield n images in one step; classes are drawn where c is -1 or None, codes where z, shape (n, D), is None."""
        known, label = self._labels(c, n)
        label = torch.where(known, label, torch.randint(self.classes, (n,), device=self.device))
        z = torch.randn(n, self.latent, device=self.device) if z is None else z
        if tuple(z.shape) != (n, self.latent):
            raise ValueError(f"z: expected shape {(n, self.latent)}, received {tuple(z.shape)}")
        p = self.decode(z, label)
        yield p.mean if mean else p.sample()

    def _labels(self, c: Tensor | None, n: int) -> tuple[Tensor, Tensor]:
        """Return which labels are known, bool (n,), and the labels with 0 in place of the unknown, int64 (n,)."""
        c = torch.full((n,), UNKNOWN, device=self.device) if c is None else rows(c, n)
        if c.dtype != torch.int64 or c.ndim != 1 or not UNKNOWN <= int(c.min()) <= int(c.max()) < self.classes:
            raise ValueError(
                f"c: expected int64 labels in [0, {self.classes}), or -1 for unknown, of shape (n,), received "
                f"{c.dtype} of shape {tuple(c.shape)}"
            )
        return c != UNKNOWN, c.clamp(min=0)

    def _every_class(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the images once for every class, (K·B, C, H, W), class by class, and those classes, (K·B,)."""
        every = torch.arange(self.classes, device=x.device).repeat_interleave(len(x))
        return x.repeat(self.classes, 1, 1, 1), every

    def _with_class(self, h: Tensor, c: Tensor) -> Tensor:
        return torch.cat([h, F.one_hot(rows(c, len(h)), self.classes).to(h)], 1)


def mlp_semi_vae(
    *, shape: tuple[int, int, int], pixels: Family, classes: int, latent: int = 16, hidden: tuple[int, ...] = (256,),
    dropout: float = 0.0, **options,
) -> SemiVAE:  # fmt: skip
    """Return a semi-supervised VAE of three multilayer perceptrons; ``options`` go to :class:`SemiVAE`."""
    size = math.prod(shape)
    if classes < 2 or latent < 1:
        raise ValueError(f"classes, latent: expected at least 2 and 1, received {classes} and {latent}")
    classifier = mlp(size, *hidden, classes, dropout=dropout)
    encoder = mlp(size + classes, *hidden, 2 * latent, dropout=dropout)
    decoder = mlp(latent + classes, *reversed(hidden), size * pixels.per_pixel, dropout=dropout)
    return SemiVAE(classifier, encoder, decoder, shape=shape, classes=classes, latent=latent, pixels=pixels, **options)
