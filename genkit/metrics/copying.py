"""Learning or copying: do samples lie nearer to the training set than real things of the same kind do?"""

import torch
from torch import Tensor

from ..base import Estimate
from .rows import as_rows


def nearest(x: Tensor, to: Tensor) -> Tensor:
    """Return the distance of each example of x from the nearest one of ``to``, shape (N,).

    >>> nearest(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [9.0, 9.0]]))
    tensor([5.])
    """
    one, other = as_rows("x", x), as_rows("to", to)
    if one.shape[1] != other.shape[1] or not len(other):
        raise ValueError(f"to: expected rows of {one.shape[1]} dimensions as in x, received {tuple(other.shape)}")
    one, other = (rows.to(x.dtype if x.is_floating_point() else rows.dtype) for rows in (one, other))
    return torch.cdist(one, other).min(1).values


def copy_scores(
    train: Tensor, test: Tensor, samples: Tensor, *, cells: int = 1, seed: int = 0
) -> tuple[Tensor, Tensor]:  # fmt: skip
    r"""Return the z-score of the data-copying test in each cell of the space, and how many test examples lie there.

    The distances from the training set are ranked, those of samples against those of test examples. If both are drawn
    alike, a sample is nearer in half of all pairs, and

    .. math:: z = \frac{U - mn/2}{\sqrt{mn(m + n + 1)/12}},

    with U the number of pairs in which the sample is farther (Mann & Whitney 1947), is nearly a standard normal number.
    Below −3 is copying; above 3 is underfitting: samples farther from everything than the data are. Meehan, Chaudhuri &
    Dasgupta (2020), section 3.

    Arguments
        train, test, samples: points or features, shapes (T, …), (N, …), (M, …); train and test share no example.
        cells: parts of the space, by k-means on the training set.
        seed: of k-means.

    Returns z, NaN in a cell without two samples and two test examples, and the number of test examples, both of shape
    (cells,).
    """
    train, test, samples = as_rows("train", train), as_rows("test", test), as_rows("samples", samples)
    if not train.shape[1] == test.shape[1] == samples.shape[1]:
        raise ValueError(
            f"train, test, samples: expected one number of dimensions, received {train.shape[1]}, {test.shape[1]} and "
            f"{samples.shape[1]}"
        )
    if not 1 <= cells <= len(train):
        raise ValueError(f"cells: expected a number in [1, {len(train)}], received {cells}")
    if min(len(test), len(samples)) < 2:
        raise ValueError(f"test, samples: expected 2 or more of each, received {len(test)} and {len(samples)}")
    place = _cells(train, cells, seed)
    test_cell, sample_cell = place(test), place(samples)
    z = torch.full((cells,), torch.nan, dtype=torch.double)
    for cell in range(cells):
        real, drawn = test[test_cell == cell], samples[sample_cell == cell]
        if min(len(real), len(drawn)) >= 2:
            z[cell] = _mann_whitney(nearest(drawn, train), nearest(real, train))
    return z, test_cell.bincount(minlength=cells)


def copy_score(train: Tensor, test: Tensor, samples: Tensor, *, cells: int = 1, seed: int = 0) -> Estimate:
    """Return the z-score of the data-copying test: far below 0 where samples lie too near to the training set.

    It is the mean of :func:`copy_scores`, weighted by test examples and scaled to a deviation of 1. Copies in one cell
    and vague samples in another cancel in it: look at the cells, too.

    >>> x = torch.randn(900, 2, generator=torch.Generator().manual_seed(0))
    >>> train, test, fresh = x.split(300)
    >>> abs(copy_score(train, test, fresh).value) < 3, copy_score(train, test, train + 0.01).value < -3
    (True, True)
    """
    z, count = copy_scores(train, test, samples, cells=cells, seed=seed)
    if z.isnan().all():
        raise ValueError("samples: expected two in a cell that has two test examples, received none; use fewer cells")
    weight = (count * ~z.isnan()).double()
    return Estimate((weight @ z.nan_to_num() / weight.norm()).item(), 1.0)


def _mann_whitney(a: Tensor, b: Tensor) -> float:
    """Return the z-score of how often a number of a is larger than one of b; a tie counts half."""
    m, n = len(a), len(b)
    counts = torch.cat([a, b]).unique(return_counts=True)[1]
    farther = (torch.searchsorted(b.sort().values, a) + torch.searchsorted(b.sort().values, a, right=True)).sum() / 2
    ties = (counts.double() ** 3 - counts).sum() / ((m + n) * (m + n - 1))
    deviation = (m * n / 12 * ((m + n + 1) - ties)).sqrt()
    return ((farther - m * n / 2) / deviation).item() if deviation > 0 else 0.0


def _cells(train: Tensor, cells: int, seed: int):
    if cells == 1:
        return lambda x: torch.zeros(len(x), dtype=torch.int64)
    from sklearn.cluster import KMeans

    found = KMeans(cells, n_init=3, random_state=seed).fit(train.numpy())
    return lambda x: torch.from_numpy(found.predict(x.numpy())).long()
