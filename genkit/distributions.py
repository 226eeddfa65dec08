r"""Distributions that models put over codes and over pixels.

Images are float32 in [0, 1] with ``levels`` equally spaced grey levels. A probability here is that of the
level itself, a discrete thing: it never exceeds 1, and nats of different models can be compared.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Gaussian(NamedTuple):
    r"""A Gaussian with independent dimensions, :math:`\mathcal N(\mu, \mathrm{diag}\,\sigma^2)`.

    Arguments
        mean: :math:`\mu`, shape (B, D).
        std: :math:`\sigma > 0`, shape (B, D).
    """

    mean: Tensor
    std: Tensor

    def rsample(self) -> Tensor:
        r"""Draw :math:`z = \mu + \sigma\,\varepsilon` with :math:`\varepsilon \sim \mathcal N(0, I)`, shape (B, D).

        The gradient reaches :math:`\mu` and :math:`\sigma` (Kingma & Welling 2014, section 2.4).
        """
        return self.mean + self.std * torch.randn_like(self.mean)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return the log-density at ``z``, shape (..., D), in nats, summed over D."""
        return -0.5 * (((z - self.mean) / self.std) ** 2 + 2 * self.std.log() + math.log(2 * math.pi)).sum(-1)

    def kl_to_standard(self) -> Tensor:
        r"""Return :math:`D_\mathrm{KL}(\mathcal N(\mu, \sigma^2)\,\|\,\mathcal N(0, I))` in nats, shape (B, D).

        .. math:: \tfrac12\left(\mu^2 + \sigma^2 - 1\right) - \log\sigma

        Kingma & Welling (2014), appendix B. It is per dimension, so that a collapsed one can be seen.

        >>> Gaussian(torch.zeros(1, 2), torch.ones(1, 2)).kl_to_standard()
        tensor([[0., 0.]])
        """
        return 0.5 * (self.mean**2 + self.std**2 - 1) - self.std.log()


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """Return the log-density of N(0, I) at ``z``, shape (..., D), in nats, summed over D."""
    return -0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)


class Pixels(Protocol):
    """A distribution over images whose pixels are independent given the code."""

    @property
    def mean(self) -> Tensor:
        """The expected image, shape (B, C, H, W), in [0, 1]."""

    def log_prob(self, x: Tensor) -> Tensor:
        """The log-probability of the images ``x``, shape (B, C, H, W), in nats per image, shape (B,)."""

    def sample(self) -> Tensor:
        """One draw, shape (B, C, H, W), on the grey levels in [0, 1]."""


class Family(NamedTuple):
    """A kind of pixel distribution: how many numbers it needs for a pixel, and how it is made of them."""

    per_pixel: int
    of: Callable[[Tensor], Pixels]


class BernoulliPixels:
    """Black or white: one logit a pixel.

    ``logits`` has shape (B, C, H, W, 1). A grey ``x`` in [0, 1] is read as the mean of a coin: then ``log_prob``
    is the expected log-probability of its dynamically binarised version (Salakhutdinov & Murray 2008).
    """

    def __init__(self, logits: Tensor):
        self.logits = logits.squeeze(-1)

    @property
    def mean(self) -> Tensor:
        return self.logits.sigmoid()

    def log_prob(self, x: Tensor) -> Tensor:
        x = x.expand(len(self.logits), *x.shape[1:])
        return -F.binary_cross_entropy_with_logits(self.logits, x, reduction="none").flatten(1).sum(1)

    def sample(self) -> Tensor:
        return torch.bernoulli(self.mean)


class CategoricalPixels:
    """Any distribution over the levels: one logit for every level of every pixel, shape (B, C, H, W, levels)."""

    def __init__(self, logits: Tensor):
        self.log_p = logits.log_softmax(-1)

    @property
    def levels(self) -> int:
        return self.log_p.shape[-1]

    @property
    def mean(self) -> Tensor:
        return self.log_p.exp() @ torch.linspace(0, 1, self.levels, device=self.log_p.device)

    def log_prob(self, x: Tensor) -> Tensor:
        index = level_index(x, self.levels).unsqueeze(-1)
        index = index.expand(len(self.log_p), *index.shape[1:])
        return self.log_p.gather(-1, index).flatten(1).sum(1)

    def sample(self) -> Tensor:
        index = torch.distributions.Categorical(logits=self.log_p, validate_args=False).sample()
        return index / (self.levels - 1)


class LogisticPixels:
    r"""A mixture of logistic bells cut at the borders between levels: three numbers a bell, shape (B, C, H, W, 3·K).

    .. math:: p(x) = \sum_{i=1}^{K} \pi_i \left[\sigma\!\left(\frac{x + \delta/2 - \mu_i}{s_i}\right)
              - \sigma\!\left(\frac{x - \delta/2 - \mu_i}{s_i}\right)\right]

    with :math:`\delta = 1/(\text{levels} - 1)`; the first and the last level take the whole tail, so that the
    probabilities of all levels sum to 1. Salimans et al. (2017), eq. 2. The numbers of a pixel are the K logits of
    :math:`\pi`, the K centres before a sigmoid, and the K logarithms of widths in units of eight levels.
    """

    def __init__(self, params: Tensor, *, levels: int):
        weight, mu, log_s = params.chunk(3, -1)  # (B, C, H, W, K) each
        start = torch.linspace(-3, 3, mu.shape[-1] + 2, device=mu.device)[1:-1]  # new bells stand side by side
        self.log_weight, self.mu = weight.log_softmax(-1), (mu + start).sigmoid()
        self.s = log_s.clamp(-7, 3).exp() * 8 / (levels - 1)  # a new network says "within eight levels"
        self.levels = levels

    def log_p(self) -> Tensor:
        """Return the log-probability of every level of every pixel, shape (B, C, H, W, levels)."""
        half = 0.5 / (self.levels - 1)
        edges = torch.linspace(half, 1 - half, self.levels - 1, device=self.mu.device)
        at = (edges - self.mu.unsqueeze(-1)) / self.s.unsqueeze(-1)  # (B, C, H, W, K, levels - 1)
        below, above = F.logsigmoid(at), F.logsigmoid(-at)
        # σ(b) − σ(a) = σ(b) σ(−a) (1 − e^{a−b}): the product never subtracts two numbers that are almost equal
        gap = torch.log(-torch.expm1(-(at[..., 1:] - at[..., :-1])))
        middle = below[..., 1:] + above[..., :-1] + gap
        bells = torch.cat([below[..., :1], middle, above[..., -1:]], -1)  # (B, C, H, W, K, levels)
        return (self.log_weight.unsqueeze(-1) + bells).logsumexp(-2)

    def log_prob(self, x: Tensor) -> Tensor:
        # the borders of the one level that was seen, not of all: training is several times faster
        half, x = 0.5 / (self.levels - 1), x.unsqueeze(-1)
        low, high = (x - half - self.mu) / self.s, (x + half - self.mu) / self.s  # (B, C, H, W, K)
        log_p = F.logsigmoid(high) + F.logsigmoid(-low) + torch.log(-torch.expm1(low - high))
        log_p = torch.where(x < half, F.logsigmoid(high), torch.where(x > 1 - half, F.logsigmoid(-low), log_p))
        return (self.log_weight + log_p).logsumexp(-1).flatten(1).sum(1)

    @property
    def mean(self) -> Tensor:
        return CategoricalPixels(self.log_p()).mean

    def sample(self) -> Tensor:
        return CategoricalPixels(self.log_p()).sample()


def bernoulli() -> Family:
    """Black-or-white pixels: one number a pixel."""
    return Family(1, BernoulliPixels)


def categorical(levels: int) -> Family:
    """Any distribution over ``levels`` grey levels: ``levels`` numbers a pixel."""
    _at_least_two(levels)
    return Family(levels, CategoricalPixels)


def discretised_logistic(levels: int, components: int = 1) -> Family:
    """A mixture of ``components`` bells over ``levels`` grey levels: three numbers a bell."""
    _at_least_two(levels)
    if components < 1:
        raise ValueError(f"components: expected at least 1, received {components}")
    return Family(3 * components, partial(LogisticPixels, levels=levels))


def level_index(x: Tensor, levels: int) -> Tensor:
    """Return which grey level each pixel of ``x`` in [0, 1] has: int64 in 0 … levels − 1, same shape.

    >>> level_index(torch.tensor([0.0, 0.5, 1.0]), 17)
    tensor([ 0,  8, 16])
    """
    return (x * (levels - 1)).round().long()


def _at_least_two(levels: int) -> None:
    if levels < 2:
        raise ValueError(f"levels: expected at least 2, received {levels}")
