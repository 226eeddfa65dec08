"""Examples as rows of numbers: what metrics of two sets take, checked in one place."""

from torch import Tensor


def as_rows(name: str, x: Tensor) -> Tensor:
    """Return examples of shape (N, …) as float64 of shape (N, D); refuse what would make a distance NaN.

    Arguments
        name: of the argument, for the error.
        x: numbers of any kind, whole ones too; N may be 0.

    Raises ``ValueError`` for anything but a tensor of two or more dimensions, and for numbers that are not finite.

    >>> import torch
    >>> as_rows("real", torch.ones(2, 1, 2, 2, dtype=torch.int64)).shape
    torch.Size([2, 4])
    """
    if not isinstance(x, Tensor) or x.ndim < 2:
        received = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"{name}: expected a tensor of shape (N, …), received {received}")
    x = x.flatten(1).double()
    if not x.isfinite().all():
        raise ValueError(f"{name}: expected finite numbers, received {int((~x.isfinite()).sum())} that are not")
    return x
