"""How much of the data do samples reach? With the modes known, and without knowing anything."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..base import Estimate


def near_modes(x: Tensor, centres: Tensor, sigma: float, *, radius: float = 3.0) -> Estimate:
    """Return the share of points x, shape (N, D), that lie within ``radius`` deviations of a centre, shape (K, D).

    Of the points of a round Gaussian of the plane, 98.9 % lie within three deviations.

    >>> near_modes(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.zeros(1, 2), 0.1).value
    0.5
    """
    _, inside = _nearest(x, centres, sigma, radius)
    return Estimate.mean(inside.float())


def modes_covered(x: Tensor, centres: Tensor, sigma: float, *, radius: float = 3.0, least: float = 0.1) -> int:
    """Return how many centres have samples: at least ``least`` of the N / K that would be fair, within ``radius`` σ.

    >>> modes_covered(torch.zeros(20, 2), torch.tensor([[0.0, 0.0], [1.0, 0.0]]), 0.1)
    1
    """
    if not 0 < least <= 1:
        raise ValueError(f"least: expected a share in (0, 1], received {least}")
    nearest, inside = _nearest(x, centres, sigma, radius)
    counts = nearest[inside].bincount(minlength=len(centres))
    return int((counts >= least * len(x) / len(centres)).sum())


def _nearest(x: Tensor, centres: Tensor, sigma: float, radius: float) -> tuple[Tensor, Tensor]:
    if x.ndim != 2 or centres.ndim != 2 or x.shape[1] != centres.shape[1] or len(x) < 2:
        raise ValueError(
            f"x, centres: expected shapes (N, D) with N >= 2 and (K, D), received {tuple(x.shape)} and "
            f"{tuple(centres.shape)}"
        )
    if not sigma > 0 or not radius > 0:
        raise ValueError(f"sigma, radius: expected numbers above 0, received {sigma} and {radius}")
    distance, nearest = torch.cdist(x, centres).min(1)
    return nearest, distance <= radius * sigma


@dataclass(frozen=True)
class Collapse:
    """What :func:`collapse` found.

    Arguments
        deserted: the share of test points that no sample comes near.
        alarm: whether it is above the tolerance.
        rate: at most this is the probability of an alarm for samples that follow the distribution of the data.
    """

    deserted: Estimate
    alarm: bool
    rate: float


def collapse(samples: Tensor, real: Tensor, test: Tensor, *, k: int = 20, tolerance: float = 0.05) -> Collapse:
    r"""Tell, knowing nothing of modes, whether a part of the data is one that samples never reach.

    Samples and as many real examples are thrown together. A test point is *deserted* where its ``k`` nearest of them
    are all real. Were the samples drawn as the real ones are, each set of k out of n + n would be as likely to be
    nearest as any other, so a point is deserted with probability

    .. math:: q = \binom{n}{k} \Big/ \binom{2n}{k} \le 2^{-k},

    and by Markov's inequality the share of deserted points is above the tolerance with probability at most q divided by
    it: whatever the distribution, and however many dimensions.

    Arguments
        samples, real, test: shapes (N, …), (M, …), (T, …); the first n = min(N, M) of the first two are taken. No
            example may be in two of them.
        k: neighbours, at least 1 and at most n.
        tolerance: the share of deserted points above which it gives alarm.

    >>> _ = torch.manual_seed(0)
    >>> real, test = torch.randn(500, 2), torch.randn(300, 2)
    >>> collapse(torch.randn(500, 2), real, test).alarm, collapse(0.1 * torch.randn(500, 2), real, test).alarm
    (False, True)
    """
    samples, real, test = (x.flatten(1).float() for x in (samples, real, test))
    if not samples.shape[1] == real.shape[1] == test.shape[1] or len(test) < 2:
        raise ValueError(
            f"samples, real, test: expected (N, D), (M, D), (T, D), T >= 2, received {tuple(samples.shape)}, "
            f"{tuple(real.shape)}, {tuple(test.shape)}"
        )
    n = min(len(samples), len(real))
    if not 1 <= k <= n:
        raise ValueError(f"k: expected a number in [1, {n}], received {k}")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance: expected a share in (0, 1), received {tolerance}")
    pool = torch.cat([samples[:n], real[:n]])
    nearest = torch.cdist(test, pool).topk(k, largest=False).indices  # (T, k)
    deserted = Estimate.mean((nearest >= n).all(1).float())
    rate = math.comb(n, k) / math.comb(2 * n, k) / tolerance
    return Collapse(deserted, deserted.value > tolerance, min(1.0, rate))
