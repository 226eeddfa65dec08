"""Quality and diversity apart: precision and recall, density and coverage, by balls about points.

Every point gets a ball that reaches to its k-th nearest neighbour of its own set. The balls about real points are a
guess at where real things lie.
"""

import torch
from torch import Tensor

from ..base import Estimate
from .rows import as_rows


def precision(real: Tensor, samples: Tensor, *, k: int = 5) -> Estimate:
    """Return the share of samples that lie in the ball of some real point (Kynkäänniemi et al. 2019, eq. 1).

    Arguments
        real, samples: points or features, shapes (N, …) and (M, …).
        k: neighbours, at least 1 and below the smaller of N and M.

    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> precision(x[:100], x[100:] + 50).value
    0.0
    """
    real, samples = _points(real, samples, k)
    return Estimate.mean((torch.cdist(samples, real) <= _radii(real, k)).any(1).double())


def recall(real: Tensor, samples: Tensor, *, k: int = 5) -> Estimate:
    """Return the share of real points that lie in the ball of some sample: precision with the parts exchanged.

    Kynkäänniemi et al. (2019), eq. 2. A few samples far from all have large balls, and can cover everything.

    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> recall(x[:100], x[:3].repeat(30, 1) + 1e-3 * x[:90]).value < 0.3
    True
    """
    return precision(samples, real, k=k)


def density(real: Tensor, samples: Tensor, *, k: int = 5) -> Estimate:
    r"""Return in how many balls of real points a sample lies, over k: about 1 for samples like the data.

    .. math:: \frac{1}{kM} \sum_{j=1}^M \sum_{i=1}^N 1_{y_j \in B(x_i, \mathrm{NND}_k(x_i))}

    Naeem et al. (2020), section 3. A single far real point counts little, where :func:`precision` is fooled by it. It
    may exceed 1.

    >>> x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    >>> 0.8 < density(x[:150], x[150:]).value < 1.2
    True
    """
    real, samples = _points(real, samples, k)
    return Estimate.mean((torch.cdist(samples, real) <= _radii(real, k)).sum(1).double() / k)


def coverage(real: Tensor, samples: Tensor, *, k: int = 5) -> Estimate:
    r"""Return the share of real points whose ball holds at least one sample.

    Naeem et al. (2020), section 3. For as many samples as real points from one distribution it is
    :math:`1 - \prod_{i<k} \frac{N - 1 - i}{2N - 1 - i}`, about :math:`1 - 2^{-k}`, in any number of dimensions.

    >>> x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    >>> coverage(x[:200], x[200:]).value > 0.9
    True
    """
    real, samples = _points(real, samples, k)
    return Estimate.mean((torch.cdist(real, samples).min(1).values <= _radii(real, k)).double())


def _radii(x: Tensor, k: int) -> Tensor:
    """Return the distance of each point from its k-th nearest neighbour of its own set, shape (N,)."""
    return torch.cdist(x, x).fill_diagonal_(0).topk(k + 1, largest=False).values[:, -1]  # the nearest is itself


def _points(real: Tensor, samples: Tensor, k: int) -> tuple[Tensor, Tensor]:
    real, samples = as_rows("real", real), as_rows("samples", samples)
    if real.shape[1] != samples.shape[1]:
        raise ValueError(f"samples: expected {real.shape[1]} dimensions as in real, received {samples.shape[1]}")
    smaller = min(len(real), len(samples))
    if smaller < 2:
        raise ValueError(f"real, samples: expected 2 or more of each, received {len(real)} and {len(samples)}")
    if k != int(k) or not 1 <= k < smaller:
        raise ValueError(f"k: expected a whole number in [1, {smaller}), received {k}")
    return real, samples
