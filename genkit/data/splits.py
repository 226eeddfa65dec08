"""Three parts that share no example, for data that come without published ones."""

import torch
from torch import Tensor

from .dataset import Split

HELD_OUT = 10  # one in ten for validation, one in ten for the test
FEWEST = 10


def shuffled(x: Tensor, c: Tensor | None = None, *, seed: int = 0) -> tuple[Split, Split, Split]:
    """Mix the rows and return training, validation and test parts: eight, one and one of ten.

    >>> [len(part) for part in shuffled(torch.zeros(25, 2))]
    [21, 2, 2]
    """
    n = len(x)
    if n < FEWEST:
        raise ValueError(f"data: expected at least {FEWEST} examples, to hold some out, received {n}")
    held = n // HELD_OUT
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return tuple(Split(x[rows], None if c is None else c[rows]) for rows in order.split([n - 2 * held, held, held]))
