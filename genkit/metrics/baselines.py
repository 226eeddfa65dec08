"""Simple models of discrete images, to hold a network's log-probability against: all in nats of the grey levels."""

import math

import torch
from torch import Tensor

from ..base import Estimate


class IndependentPixels:
    r"""Every pixel on its own: how often it shows each level, :math:`\log p(x) = \sum_d \log p_d(x_d)`.

    Counts start at ``prior`` instead of 0 (Laplace's rule of succession), so that no level is impossible.
    """

    def __init__(self, levels: int, prior: float = 1.0):
        if levels < 2:
            raise ValueError(f"levels: expected at least 2, received {levels}")
        self.levels, self.prior = levels, prior

    def fit(self, x: Tensor) -> "IndependentPixels":
        """Count the levels of images of shape (N, C, H, W) in [0, 1]."""
        index = self._index(x)
        counts = torch.stack([(index == level).float().sum(0) for level in range(self.levels)], -1)
        self.log_p = ((counts + self.prior) / (len(x) + self.prior * self.levels)).log()  # (C, H, W, levels)
        return self

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the exact log-probability of each image, nats, shape (N,)."""
        log_p = self.log_p.expand(len(x), *self.log_p.shape)
        return log_p.gather(-1, self._index(x).unsqueeze(-1)).flatten(1).sum(1)

    def sample(self, n: int) -> Tensor:
        """Draw n images, shape (n, C, H, W)."""
        return torch.distributions.Categorical(logits=self.log_p).sample((n,)) / (self.levels - 1)

    def evaluate(self, x: Tensor) -> Estimate:
        """Return the mean log-probability of ``x``, in nats per image."""
        return Estimate.mean(self.log_prob(x), kind="exact", unit="nats")

    def _index(self, x: Tensor) -> Tensor:
        return (x * (self.levels - 1)).round().long()


class MixtureOfPixels:
    r"""A mixture of Gaussians with independent pixels, cut into grey levels: exact probabilities.

    .. math:: p(x) = \sum_k \pi_k \prod_d \left[\Phi\!\left(\tfrac{b_d - \mu_{kd}}{\sigma_{kd}}\right)
              - \Phi\!\left(\tfrac{a_d - \mu_{kd}}{\sigma_{kd}}\right)\right]

    with a and b the borders of the level; the first and the last take their tails. scikit-learn fits the means and
    variances; ``floor`` is the least standard deviation, in levels.
    """

    def __init__(self, components: int, levels: int, floor: float = 0.5, seed: int = 0):
        self.components, self.levels, self.floor, self.seed = components, levels, floor, seed

    def fit(self, x: Tensor) -> "MixtureOfPixels":
        """Fit to images of shape (N, C, H, W) in [0, 1]."""
        from sklearn.mixture import GaussianMixture

        least = (self.floor / (self.levels - 1)) ** 2
        mixture = GaussianMixture(self.components, covariance_type="diag", reg_covar=least, random_state=self.seed)
        mixture.fit(x.flatten(1).numpy())
        self.log_weight = torch.tensor(mixture.weights_).log()  # (K,)
        self.mean, self.std = torch.tensor(mixture.means_), torch.tensor(mixture.covariances_).sqrt()  # (K, D)
        return self

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the exact log-probability of each image, nats, shape (N,)."""
        x, half = x.flatten(1).double().unsqueeze(1), 0.5 / (self.levels - 1)  # (N, 1, D)
        low = torch.where(x < half, -torch.inf, (x - half - self.mean) / self.std)
        high = torch.where(x > 1 - half, torch.inf, (x + half - self.mean) / self.std)
        # the difference is taken in the tail where both are small, or it would cancel to nothing
        flip = low > 0
        low, high = torch.where(flip, -high, low), torch.where(flip, -low, high)
        log_high, log_low = torch.special.log_ndtr(high), torch.special.log_ndtr(low)
        log_p = log_high + torch.log(-torch.expm1(log_low - log_high))
        return (self.log_weight + log_p.sum(-1)).logsumexp(-1).float()

    def evaluate(self, x: Tensor) -> Estimate:
        """Return the mean log-probability of ``x``, in nats per image."""
        return Estimate.mean(self.log_prob(x), kind="exact", unit="nats")


class ProbabilisticPCA:
    r"""A linear decoder with Gaussian noise (Tipping & Bishop 1999), bounded below by uniform dequantisation.

    .. math:: \log P(x) \ge \mathbb E_{u \sim U[-\frac12, \frac12)^D}\left[\log p\big(\text{level}(x) + u\big)\right]

    Theis et al. (2016), eq. 6: the density lives on levels of width 1, so its bound is one on the levels' probability.
    """

    def __init__(self, components: int, levels: int, seed: int = 0):
        self.components, self.levels, self.seed = components, levels, seed

    def fit(self, x: Tensor) -> "ProbabilisticPCA":
        """Fit to images of shape (N, C, H, W) in [0, 1], dequantised."""
        from sklearn.decomposition import PCA

        self.generator = torch.Generator().manual_seed(self.seed)
        self.pca = PCA(self.components, svd_solver="full").fit(self._noisy(x).numpy())
        return self

    def log_prob_bound(self, x: Tensor, samples: int = 20) -> Tensor:
        """Return the bound for each image, averaged over draws of u: nats, shape (N,)."""
        draws = [torch.tensor(self.pca.score_samples(self._noisy(x).numpy())) for _ in range(samples)]
        return torch.stack(draws).mean(0).float()

    def evaluate(self, x: Tensor) -> Estimate:
        """Return the mean bound of ``x``, in nats per image."""
        return Estimate.mean(self.log_prob_bound(x), kind="bound", unit="nats")

    def _noisy(self, x: Tensor) -> Tensor:
        level = (x.flatten(1) * (self.levels - 1)).round()
        return level + torch.rand(level.shape, generator=self.generator) - 0.5


def mixture_of_pixels(train: Tensor, valid: Tensor, levels: int) -> MixtureOfPixels:
    """Fit mixtures of several sizes and floors to ``train`` and return the best one on ``valid``."""
    candidates = [MixtureOfPixels(k, levels, floor).fit(train) for k in (40, 80) for floor in (2.0, 2.5, 3.0)]
    return max(candidates, key=lambda model: model.evaluate(valid).value)


def probabilistic_pca(train: Tensor, valid: Tensor, levels: int) -> ProbabilisticPCA:
    """Fit probabilistic PCA of several sizes to ``train`` and return the best one on ``valid``."""
    candidates = [ProbabilisticPCA(k, levels).fit(train) for k in (8, 12, 16, 24, 32) if k < math.prod(train.shape[1:])]
    return max(candidates, key=lambda model: model.evaluate(valid).value)
