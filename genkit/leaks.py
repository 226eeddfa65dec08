"""Four ways in which a test set tells its answers too early, each beside the honest way of doing the same.

All take rows x, float of shape (N, D), and labels 0 or 1, int64 of shape (N,), and return an accuracy in [0, 1]. Give
them labels that were drawn by lot: an honest score is then a half, whatever the model.
"""

import torch
from torch import Tensor

FOLDS = 5


def folds(n: int, k: int = FOLDS, seed: int = 0) -> Tensor:
    """Return which of k folds each of n rows is held out in, int64 of shape (n,); folds differ by one row at most.

    >>> folds(7, 3).bincount()
    tensor([3, 2, 2])
    """
    if not 2 <= k <= n:
        raise ValueError(f"k: expected 2 … {n} folds, received {k}")
    return (torch.arange(n) % k)[torch.randperm(n, generator=torch.Generator().manual_seed(seed))]


def loudest(x: Tensor, y: Tensor, keep: int) -> Tensor:
    """Return the places of the ``keep`` columns whose means differ most between the classes, in their own deviations.

    >>> loudest(torch.tensor([[0.0, 1.0], [0.1, 2.0], [0.1, 8.0], [0.0, 9.0]]), torch.tensor([0, 0, 1, 1]), 1)
    tensor([1])
    """
    gap = x[y == 1].mean(0) - x[y == 0].mean(0)
    return (gap.abs() / x.std(0).clamp(min=1e-9)).topk(keep).indices


def selected(x: Tensor, y: Tensor, *, keep: int = 20, early: bool, seed: int = 0) -> float:
    """Cross-validate logistic regression on the loudest columns, chosen on all rows (``early``) or in every fold."""
    from sklearn.linear_model import LogisticRegression

    place, right = folds(len(x), seed=seed), 0
    for k in range(FOLDS):
        held = place == k
        seen = torch.ones_like(held) if early else ~held
        columns = loudest(x[seen], y[seen], keep)
        model = LogisticRegression(max_iter=1000).fit(x[~held][:, columns].numpy(), y[~held].numpy())
        right += int((torch.tensor(model.predict(x[held][:, columns].numpy())) == y[held]).sum())
    return right / len(x)


def twice(x: Tensor, y: Tensor, *, apart: bool, noise: float = 0.1, seed: int = 0) -> float:
    """Measure everybody twice, and cross-validate the nearest neighbour's label.

    ``apart`` deals rows to the folds, so that a person's two visits may part; else persons are dealt. The second visit
    differs by ``noise`` standard deviations of each column.
    """
    g = torch.Generator().manual_seed(seed)
    again = x + noise * x.std(0) * torch.randn(x.shape, generator=g)
    rows, labels = torch.cat([x, again]), y.repeat(2)
    place = folds(len(rows), seed=seed) if apart else folds(len(x), seed=seed).repeat(2)
    return sum(_nearest(rows / x.std(0), labels, place == k) for k in range(FOLDS)) / len(rows)


def scaled(x: Tensor, y: Tensor, *, early: bool, seed: int = 0) -> float:
    """Cross-validate the nearest neighbour's label, columns scaled by all rows (``early``) or by those of training."""
    place, right = folds(len(x), seed=seed), 0
    for k in range(FOLDS):
        held = place == k
        seen = x if early else x[~held]
        right += _nearest(x / seen.std(0), y, held)
    return right / len(x)


def best_of(tries: int, *, rows: int = 100, seed: int = 0) -> tuple[float, float]:
    """Try many models that only guess on one test set of some rows; return the best score, and its score on fresh rows.

    >>> best, fresh = best_of(1000)
    >>> best > 0.6
    True
    """
    if tries < 1:
        raise ValueError(f"tries: expected at least 1, received {tries}")
    g = torch.Generator().manual_seed(seed)
    right = torch.randint(2, (2, tries, rows), generator=g).double().mean(2)
    return right[0].max().item(), right[1, right[0].argmax()].item()


def _nearest(x: Tensor, y: Tensor, held: Tensor) -> int:
    """Count the held-out rows whose nearest other row has their label."""
    nearest = torch.cdist(x[held], x[~held]).argmin(1)
    return int((y[~held][nearest] == y[held]).sum())
