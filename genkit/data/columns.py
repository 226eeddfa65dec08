"""A row of a table by the names of its columns."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def column_codec(
    named: Sequence[str],
) -> tuple[Callable[[dict[str, float]], Tensor], Callable[[Tensor], dict[str, float]]]:
    """Return what turns a dictionary of a row's numbers by name into a row, shape (D,), and what turns it back.

    >>> encode, decode = column_codec(("height", "age"))
    >>> encode({"age": 3.0, "height": 1.5}), decode(torch.tensor([1.5, 3.0]))
    (tensor([1.5000, 3.0000]), {'height': 1.5, 'age': 3.0})
    """

    def encode(row: dict[str, float]) -> Tensor:
        if set(row) != set(named):
            raise ValueError(f"row: expected {', '.join(named)}; received {', '.join(map(str, row))}")
        return torch.tensor([float(row[name]) for name in named])

    def decode(row: Tensor) -> dict[str, float]:
        return dict(zip(named, row.tolist(), strict=True))

    return encode, decode
