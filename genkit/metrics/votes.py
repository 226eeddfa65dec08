"""People as judges: shown a real thing and a made one, how often do they find the real one, and how sure is that?"""

import math
from statistics import NormalDist

from ..base import Estimate


def wilson(right: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    r"""Return Wilson's interval for a probability of which ``right`` of n tries came out.

    .. math:: \frac{\hat p + \frac{z^2}{2n} \pm z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4n^2}}}{1 + z^2/n}

    Wilson (1927). It stays within [0, 1], and is never a single point, not even after 5 of 5.

    >>> [round(v, 3) for v in wilson(5, 5)]
    [0.566, 1.0]
    """
    if not 0 <= right <= n or n < 1:
        raise ValueError(f"right, n: expected 0 <= right <= n and n >= 1, received {right} and {n}")
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number in (0, 1), received {level}")
    z, p = NormalDist().inv_cdf((1 + level) / 2), right / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def votes_needed(half_width: float, *, p: float = 0.5, level: float = 0.95) -> int:
    """Return the smallest number of votes whose Wilson interval is at most ``half_width`` wide on each side.

    >>> votes_needed(0.05)
    381
    """
    if not 0 < half_width < 0.5:
        raise ValueError(f"half_width: expected a number in (0, 0.5), received {half_width}")
    if not 0 <= p <= 1:
        raise ValueError(f"p: expected a probability, received {p}")

    def wide(n: int) -> bool:
        low, high = wilson(round(p * n), n, level=level)
        return (high - low) / 2 > half_width

    n = 1
    while wide(n):
        n *= 2
    low = n // 2
    while low + 1 < n:  # the width falls with n, but for the rounding of p · n
        middle = (low + n) // 2
        low, n = (middle, n) if wide(middle) else (low, middle)
    return n


def two_way(right: int, n: int) -> Estimate:
    """Return the share of pairs in which judges found the real one; a half is the best that a generator can reach.

    The standard error is that of Wilson's interval: half its width at 68.3 %.

    >>> two_way(50, 100)
    Estimate(0.50 ± 0.05, estimate)
    """
    low, high = wilson(right, n, level=0.6827)
    return Estimate(right / n, (high - low) / 2)
