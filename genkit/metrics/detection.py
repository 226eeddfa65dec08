"""Telling one kind from another: accuracy, the area under the ROC curve, and a classifier as a two-sample test."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..base import Estimate


def accuracy(logits: Tensor, labels: Tensor) -> Estimate:
    """Return how often the largest logit, shape (N, classes), is at the label, shape (N,)."""
    return Estimate.mean((logits.argmax(1) == labels).double())


def auroc(genuine: Tensor, odd: Tensor) -> Estimate:
    r"""Return the probability that an odd example scores higher than a genuine one, ties counting half.

    That is the area under the ROC curve. The standard error is DeLong et al.'s (1988), eq. 5. Shapes (N,) and (M,).

    >>> auroc(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0])).value
    0.875
    """
    for name, scores in (("genuine", genuine), ("odd", odd)):
        if scores.ndim != 1 or len(scores) < 2:
            raise ValueError(f"{name}: expected scores of shape (N,) with N >= 2, received {tuple(scores.shape)}")
        if scores.isnan().any():
            raise ValueError(f"{name}: expected numbers, received NaN")
    difference = odd.unsqueeze(1) - genuine  # (M, N)
    wins = (difference > 0).double() + 0.5 * (difference == 0)
    by_odd, by_genuine = wins.mean(1), wins.mean(0)
    variance = by_odd.var() / len(odd) + by_genuine.var() / len(genuine)
    return Estimate(wins.mean().item(), variance.sqrt().item())


def two_sample_auroc(train_a: Tensor, train_b: Tensor, test_a: Tensor, test_b: Tensor, *, seed: int = 0) -> Estimate:
    """Return how well boosted trees, trained on some of two sets, tell the rest apart: 0.5 if nobody can.

    All have shape (·, D). Lopez-Paz & Oquab (2017) call it a classifier two-sample test.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    labels = [1] * len(train_a) + [0] * len(train_b)
    trees = HistGradientBoostingClassifier(max_iter=60, random_state=seed).fit(torch.cat([train_a, train_b]), labels)
    score = torch.tensor(trees.decision_function(torch.cat([test_a, test_b])))
    return auroc(score[len(test_a) :], score[: len(test_a)])


def pca_error(train: Tensor, components: int) -> Callable[[Tensor], Tensor]:
    """Return a score for images: the squared distance from the plane of the first principal components, shape (N,)."""
    from sklearn.decomposition import PCA

    pca = PCA(components).fit(train.flatten(1).numpy())

    def error(x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return (flat - torch.tensor(pca.inverse_transform(pca.transform(flat.numpy())))).square().sum(1)

    return error
