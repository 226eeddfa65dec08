"""Two sets of points compared by a kernel: the maximum mean discrepancy, and KID, its form for features of pictures."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..base import Estimate
from .rows import as_rows

Kernel = Callable[[Tensor, Tensor], Tensor]
"""From points of shapes (N, D) and (M, D) to their likeness, shape (N, M)."""


def gaussian_kernel(width: float) -> Kernel:
    r"""Return the kernel :math:`k(x, y) = \exp(-\lVert x - y \rVert^2 / 2 w^2)` of a width w > 0."""
    if not width > 0:
        raise ValueError(f"width: expected a number above 0, received {width}")
    return lambda x, y: torch.exp(-torch.cdist(x, y).square() / (2 * width**2))


def cubic_kernel(x: Tensor, y: Tensor) -> Tensor:
    r"""Return :math:`k(x, y) = (x^\top y / D + 1)^3`, the kernel of KID (Bińkowski et al. 2018, section 4)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def mmd(a: Tensor, b: Tensor, kernel: Kernel) -> Estimate:
    r"""Return the squared maximum mean discrepancy of two sets of points, without bias.

    .. math:: \mathbb E\,k(x, x') - 2\,\mathbb E\,k(x, y) + \mathbb E\,k(y, y')

    Gretton et al. (2012), eq. 3: pairs of a point with itself are left out, so that the mean is 0 where both sets come
    from one distribution, and single values may be negative. The standard error is the jackknife's over both sets.

    Arguments
        a, b: shapes (N, …) and (M, …), N, M ≥ 3.
        kernel: likeness of points.

    >>> a = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    >>> mmd(a[:250], a[250:] + 3, gaussian_kernel(1.0)).value > 0.5
    True
    """
    a, b = _points(a, b)
    aa, bb, ab = kernel(a, a), kernel(b, b), kernel(a, b)
    aa, bb = aa - aa.diagonal().diag(), bb - bb.diagonal().diag()
    n, m = len(a), len(b)
    value = aa.sum() / (n * (n - 1)) + bb.sum() / (m * (m - 1)) - 2 * ab.mean()

    def spread(own: Tensor, cross: Tensor, other: Tensor, k: int, l: int) -> Tensor:  # noqa: E741
        """Return the jackknife's variance when one point of the first set is left out."""
        within = (own.sum() - 2 * own.sum(1)) / ((k - 1) * (k - 2))
        between = (cross.sum() - cross.sum(1)) / ((k - 1) * l)
        left_out = within - 2 * between + other.sum() / (l * (l - 1))
        return (k - 1) / k * (left_out - left_out.mean()).square().sum()

    variance = spread(aa, ab, bb, n, m) + spread(bb, ab.T, aa, m, n)
    return Estimate(value.item(), variance.sqrt().item())


def kid(real: Tensor, samples: Tensor) -> Estimate:
    """Return the kernel distance of two sets of features: :func:`mmd` with :func:`cubic_kernel`.

    Bińkowski et al. (2018) take it on the features of Inception and call it KID. Ours are our own classifiers'. Unlike
    the Fréchet distance it does not depend on the number of samples, but for its noise.

    >>> x = torch.randn(400, 5, generator=torch.Generator().manual_seed(0))
    >>> found = kid(x[:200], x[200:])
    >>> abs(found.value) < 4 * found.stderr
    True
    """
    return mmd(real, samples, cubic_kernel)


def _points(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    a, b = as_rows("a", a), as_rows("b", b)
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < 3:
        raise ValueError(
            f"a, b: expected shapes (N, D) and (M, D) with N, M >= 3, received {tuple(a.shape)} and {tuple(b.shape)}"
        )
    return a, b
