"""Samples as a textbook: how well does a classifier do on real pictures that has seen nothing but samples?"""

import torch
from torch import Tensor

from ..base import Estimate


def taught(x: Tensor, c: Tensor, test_x: Tensor, test_c: Tensor, *, seed: int = 0) -> Tensor:
    """Return which test examples a classifier gets right that learnt from ``x`` and ``c`` alone: bool, shape (N,).

    Their mean is the classification accuracy score (Ravuri & Vinyals 2019). The classifier is scikit-learn's support
    vector machine with Gaussian kernel, which has nothing to tune here and draws nothing at random.

    Arguments
        x, c: examples of shape (M, …) with labels, int64 of shape (M,): samples, or real ones to compare with.
        test_x, test_c: real examples that no model has seen.
        seed: of the classifier.

    Raises ``ValueError`` where fewer than two classes are taught.
    """
    from sklearn.svm import SVC

    if len(x) != len(c) or len(c.unique()) < 2:
        raise ValueError(f"c: expected {len(x)} labels, of two classes at least, received {len(c)}")
    machine = SVC(C=10.0, random_state=seed).fit(x.flatten(1).numpy(), c.numpy())
    return torch.from_numpy(machine.predict(test_x.flatten(1).numpy())) == test_c


def gap(right: Tensor, reference: Tensor, *, resamples: int = 2000, seed: int = 0) -> Estimate:
    """Return by how much ``right`` is more often true than ``reference``, on the same test examples.

    Both are bool of shape (N,). The standard error is that of the paired bootstrap (Efron 1979): test examples are
    drawn anew, each with both its answers.

    >>> gap(torch.tensor([True, True, True, False]), torch.tensor([True, False, True, False])).value
    0.25
    """
    if right.shape != reference.shape or right.ndim != 1:
        raise ValueError(
            f"right: expected the shape of reference {tuple(reference.shape)}, received {tuple(right.shape)}"
        )
    difference = right.double() - reference.double()
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(difference), (resamples, len(difference)), generator=generator)
    return Estimate(difference.mean().item(), difference[rows].mean(1).std().item())
