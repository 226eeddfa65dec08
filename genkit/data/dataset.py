"""What a data set is: three splits, and what is known of them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Split:
    """Examples: rows of x, of the condition c or None, and of the factors that made them where those are known."""

    x: Tensor
    c: Tensor | None = None
    factors: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Dataset:
    """Data to learn from, to choose by, and to be judged on.

    Arguments
        name: what it is called.
        train, valid, test: the splits, which share no example.
        shape: of one example; (C, H, W) for images, which are float32 in [0, 1].
        levels: grey levels of a pixel, or size of a vocabulary; None for numbers.
        classes: the names of the classes of c, or None.
        encode, decode: from a reader's own form (text, a row of a table) to x, and back.
        sha256: of the content of all splits.
    """

    name: str
    train: Split
    valid: Split
    test: Split
    shape: tuple[int, ...]
    levels: int | None = None
    classes: tuple[str, ...] | None = None
    encode: Callable | None = None
    decode: Callable | None = None
    sha256: str = ""


def digest(*splits: Split) -> str:
    """Return the SHA-256 of the examples and conditions of the splits, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    for split in splits:
        for tensor in (split.x, split.c):
            if tensor is not None:
                found.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
                found.update(tensor.contiguous().numpy().tobytes())
    return found.hexdigest()
