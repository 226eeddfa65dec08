"""Copies one by one: how many samples lie too near to the training set, and how few a rank test can notice."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base import Estimate
from .copying import nearest


def replica_share(train: Tensor, test: Tensor, samples: Tensor, *, level: float = 0.01) -> Estimate:
    r"""Return the share of samples that lie nearer to the training set than nearly all test examples do.

    .. math:: \frac1M \sum_{j=1}^M 1[d(y_j, T) < \tau], \qquad \tau = \text{the level-quantile of } d(x, T)

    over test examples x, with d the distance from the nearest training example. A model that draws as the data are
    drawn comes to about ``level``; what is above it are copies. Where :func:`copy_score` asks whether samples lie
    nearer *on the whole*, this counts the few that lie very near.

    Arguments
        train, test, samples: points or features, shapes (T, …), (N, …), (M, …).
        level: the share of test examples that may lie as near, in (0, 0.5]; N · level should not be below 1.

    >>> x = torch.randn(900, 2, generator=torch.Generator().manual_seed(0))
    >>> train, test, fresh = x.split(300)
    >>> replica_share(train, test, torch.cat([fresh[:150], train[:150]])).value > 0.49
    True
    """
    if not 0 < level <= 0.5:
        raise ValueError(f"level: expected a share in (0, 0.5], received {level}")
    limit = nearest(test, train).quantile(level)
    return Estimate.mean((nearest(samples, train) < limit).double())


def nearest_few(train: Tensor, test: Tensor, samples: Tensor, *, few: int = 20) -> float:
    r"""Return how probable so many samples among the few nearest to the training set would be, if none were copied.

    Samples and test examples are put in one row by their distance from the training set. If both are drawn alike, the
    number k of samples among the first r is hypergeometric (Fisher's exact test):

    .. math:: p = \sum_{j \ge k} \binom{M}{j} \binom{N}{r - j} \Big/ \binom{M + N}{r} .

    :func:`copy_score` needs many copies to move the ranks of all; this needs about r of them. Ties go to test examples.

    Arguments
        train, test, samples: points or features, shapes (T, …), (N, …), (M, …).
        few: r, from 1 to M + N.

    Returns a p-value in [0, 1]: below 0.00135 is as rare as a z below −3.

    >>> x = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
    >>> train, test, fresh = x[:200], x[200:600], x[600:]
    >>> nearest_few(train, test, torch.cat([fresh[30:], train[:30]])) < 1e-4 < nearest_few(train, test, fresh)
    True
    """
    from scipy.stats import hypergeom

    total = len(test) + len(samples)
    if not 1 <= few <= total:
        raise ValueError(f"few: expected a number in [1, {total}], received {few}")
    away = torch.cat([nearest(test, train), nearest(samples, train)])
    first = away.argsort(stable=True)[:few]  # stable: test examples come first, so ties are theirs
    found = int((first >= len(test)).sum())
    return float(hypergeom.sf(found - 1, total, len(samples), few))


def expected_score(share: float, samples: int, test: int) -> float:
    r"""Return the copying score to be expected where a share s of M samples are exact copies and the rest is perfect.

    .. math:: \mathbb E[z] = -s \sqrt{\frac{3 M N}{M + N + 1}}

    since a copy is nearer than every test example, and any other sample nearer than half of them: so
    :math:`U = (1 - s) M N / 2` (put into the z of Mann & Whitney 1947). However many samples are drawn, it does not
    fall below :math:`-s\sqrt{3N}`.

    >>> round(expected_score(1.0, 100, 100), 2), round(expected_score(0.05, 10**9, 447), 2)
    (-12.22, -1.83)
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected a number in [0, 1], received {share}")
    if min(samples, test) < 1:
        raise ValueError(f"samples, test: expected at least 1 of each, received {samples} and {test}")
    return -share * (3 * samples * test / (samples + test + 1)) ** 0.5


def nudged(x: Tensor, by: int = 1) -> Tensor:
    """Return images, shape (N, C, H, W), moved by up to ``by`` pixels in each direction.

    There are (2 by + 1)² of each: the result has the shape (N · (2 by + 1)², C, H, W).

    The nearest of them is the nearest image whatever the shift. Black comes in at the border; the unmoved are among
    them.

    >>> nudged(torch.rand(4, 1, 8, 8)).shape
    torch.Size([36, 1, 8, 8])
    """
    if x.ndim != 4:
        raise ValueError(f"x: expected images of shape (N, C, H, W), received {tuple(x.shape)}")
    if by < 0:
        raise ValueError(f"by: expected 0 pixels or more, received {by}")
    h, w = x.shape[-2:]
    padded = F.pad(x, (by, by, by, by))
    steps = range(2 * by + 1)
    return torch.cat([padded[..., i : i + h, j : j + w] for i in steps for j in steps])
