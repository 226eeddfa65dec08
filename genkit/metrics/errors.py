"""How far off numbers are, and which classes are taken for which."""

from torch import Tensor

from ..base import Estimate


def rmse(guess: Tensor, truth: Tensor) -> Estimate:
    r"""Return the root of the mean squared error of numbers, shapes (N,), in the unit of the numbers.

    .. math:: \sqrt{\tfrac1N \sum_n (\hat y_n - y_n)^2}

    Its standard error is that of the mean square, over twice the root (the delta method).

    >>> import torch
    >>> round(rmse(torch.tensor([1.0, 2.0, 5.0]), torch.tensor([1.0, 2.0, 2.0])).value, 3)
    1.732
    """
    if guess.ndim != 1 or guess.shape != truth.shape:
        raise ValueError(
            f"guess: expected as many numbers as truth, shape (N,), received {tuple(guess.shape)} and "
            f"{tuple(truth.shape)}"
        )
    square = Estimate.mean((guess.double() - truth.double()).square())
    root = square.value**0.5
    return Estimate(root, square.stderr / (2 * root) if root else 0.0)


def confusion(chosen: Tensor, truth: Tensor, classes: int) -> Tensor:
    """Count how often class k was taken for class j: int64 of shape (classes, classes), the truth down the rows.

    Both are int64 of shape (N,), in 0 … classes − 1.

    >>> import torch
    >>> confusion(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2)
    tensor([[1, 1],
            [0, 1]])
    """
    if chosen.shape != truth.shape or chosen.ndim != 1:
        raise ValueError(
            f"chosen: expected as many labels as truth, shape (N,), received {tuple(chosen.shape)} and "
            f"{tuple(truth.shape)}"
        )
    for name, labels in (("chosen", chosen), ("truth", truth)):
        if labels.is_floating_point() or labels.is_complex():
            raise ValueError(f"{name}: expected whole numbers, received {labels.dtype}")
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise ValueError(
                f"{name}: expected labels in 0 … {classes - 1}, received {int(labels.min())} … {int(labels.max())}"
            )
    return (truth * classes + chosen).bincount(minlength=classes**2).view(classes, classes)
