"""Distances between two sets of points."""

import torch
from torch import Tensor

from ..base import Estimate


def sliced_wasserstein(a: Tensor, b: Tensor, *, projections: int = 200, seed: int = 0) -> Estimate:
    r"""Return the sliced 2-Wasserstein distance between sets of points, shapes (N, …) and (M, …).

    .. math:: \left(\mathbb E_{\theta \sim U(S^{D-1})}\; W_2^2(\theta^\top a, \theta^\top b)\right)^{1/2}

    Bonneel et al. (2015), section 3. In one dimension the best transport pairs the sorted points. The standard error
    is that of the mean over random directions.

    >>> a = torch.randn(1000, 1)
    >>> round(sliced_wasserstein(a, a + 3).value, 3)
    3.0
    """
    a, b = a.flatten(1).double(), b.flatten(1).double()
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"b: expected {a.shape[1]} dimensions as in a, received {b.shape[1]}")
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(a.shape[1], projections, generator=generator, dtype=torch.double)
    direction /= direction.norm(dim=0)
    n = max(len(a), len(b))
    q = (torch.arange(n, dtype=torch.double) + 0.5) / n  # sets of two sizes meet at their quantiles
    sorted_a, sorted_b = (_quantiles((points @ direction).sort(0).values, q) for points in (a, b))
    squared = (sorted_a - sorted_b).square().mean(0)  # (projections,)
    value = squared.mean().sqrt()
    stderr = squared.std() / projections**0.5 / (2 * value) if value > 0 else squared.std()
    return Estimate(value.item(), stderr.item())


def _quantiles(ordered: Tensor, q: Tensor) -> Tensor:
    return ordered if len(ordered) == len(q) else ordered[(q * len(ordered)).long()]
