"""The Inception score: is every sample sure to be something, and are they different things?"""

import torch
from torch import Tensor

from ..base import Estimate


def inception_score(p: Tensor) -> Estimate:
    r"""Return the Inception score of samples, by the classes that a classifier sees in them.

    .. math:: \exp\left(\frac1N \sum_n D_\mathrm{KL}\big(p(y \mid x_n) \,\|\, p(y)\big)\right), \quad
              p(y) = \frac1N \sum_n p(y \mid x_n)

    Salimans et al. (2016), section 4. It lies between 1 and the number of classes K. It is K where every sample is sure
    and all classes are equally frequent, and never looks at the data: one perfect picture of each class is enough. With
    another classifier than Inception it is another score. The standard error is the jackknife's (Efron 1979).

    Arguments
        p: p(y | x) of every sample, shape (N, K), N ≥ 2; each row sums to 1.

    >>> inception_score(torch.eye(4))
    Estimate(4.00 ± 0.00, estimate)
    """
    if p.ndim != 2 or len(p) < 2:
        raise ValueError(f"p: expected shape (N, K) with N >= 2, received {tuple(p.shape)}")
    if not (p >= 0).all() or not torch.allclose(p.sum(1), torch.ones(len(p), dtype=p.dtype), atol=1e-3):
        raise ValueError("p: expected rows of probabilities that sum to 1, received others; is a softmax missing?")
    p = p.double()
    n, total = len(p), p.sum(0)
    own = torch.special.xlogy(p, p).sum(1)  # −H of every row
    without = (total - p) / (n - 1)  # p(y) without each sample
    left_out = ((own.sum() - own) / (n - 1) - torch.special.xlogy(without, without).sum(1)).exp()
    share = total / n
    value = (own.mean() - torch.special.xlogy(share, share).sum()).exp()
    spread = ((n - 1) / n * (left_out - left_out.mean()).square().sum()).sqrt()
    return Estimate(value.item(), spread.item())
