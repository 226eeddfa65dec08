"""The Fréchet distance without its bias: measured at several sizes, followed to endlessly many samples."""

import torch
from torch import Tensor

from ..base import Estimate
from .images import frechet
from .rows import as_rows


def frechet_limit(
    real: Tensor, samples: Tensor, *, sizes: int = 8, draws: int = 4, smallest: float = 0.25, seed: int = 0
) -> Estimate:
    r"""Return the Fréchet distance of two sets of features, extrapolated to endlessly many samples.

    .. math:: F_n \approx F_\infty + \frac{c}{n}

    A finite set seems farther away than its distribution is, and the more so the smaller it is. So the distance is
    measured on subsets of several sizes n, evenly spaced in 1/n, and the line is followed to 1/n = 0 (Chong & Forsyth
    2020, section 4). The real set stays whole: what it lacks in size is not removed. The standard error is that of the
    intercept of the least-squares line; subsets share samples, so it is a little too small.

    Arguments
        real, samples: features, shapes (N, F) and (M, F), M ≥ 40.
        sizes: how many different sizes; draws: subsets of each size; smallest: the smallest size, as a share of M.
        seed: of the subsets.

    >>> x = torch.randn(3000, 4, generator=torch.Generator().manual_seed(0))
    >>> abs(frechet_limit(x[:2000], x[2000:]).value) < frechet(x[:2000], x[2000:])
    True
    """
    if real.ndim != 2 or samples.ndim != 2 or real.shape[1] != samples.shape[1] or len(samples) < 40:
        raise ValueError(
            f"real, samples: expected shapes (N, F) and (M, F) with M >= 40, received {tuple(real.shape)} and "
            f"{tuple(samples.shape)}"
        )
    if smallest * len(samples) <= real.shape[1]:
        raise ValueError(
            f"smallest: expected a share that leaves more than {real.shape[1]} samples, as many as features, received "
            f"{smallest} of {len(samples)}"
        )
    if sizes < 3 or draws < 1 or not 0 < smallest < 1:
        raise ValueError(
            f"sizes, draws, smallest: expected >= 3, >= 1 and in (0, 1), received {sizes}, {draws}, {smallest}"
        )
    real, samples = as_rows("real", real), as_rows("samples", samples)
    generator, m = torch.Generator().manual_seed(seed), len(samples)
    inverse, found = [], []
    for n in (1 / torch.linspace(1 / m, 1 / (smallest * m), sizes)).round().long().tolist():
        for _ in range(draws):
            rows = torch.randperm(m, generator=generator)[:n]
            inverse.append(1 / n)
            found.append(frechet(real, samples[rows]))
    x = torch.tensor([[1.0, v] for v in inverse], dtype=torch.double)
    y = torch.tensor(found, dtype=torch.double)
    line = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    noise = (y - x @ line).square().sum() / (len(y) - 2)
    return Estimate(line[0].item(), (noise * torch.linalg.inv(x.T @ x)[0, 0]).sqrt().item())
