"""Strings that repeat themselves: every letter stands once in a random string, which is then written again and again.

From the second round on, each letter can be known for certain by one who remembers what followed it the last time. How
far back that was, is the length of the string: a distance that can be set.
"""

import torch
from torch import Tensor

from .dataset import Dataset, Split, digest

ALPHABET = "abcdefghijklmnopqrstuvwxyz "


def strings(distance: Tensor, length: int, generator: torch.Generator) -> Tensor:
    """Draw windows of ``length`` letters, int64 of shape (N, length); row i repeats itself every ``distance[i]``.

    >>> w = strings(torch.tensor([3]), 9, torch.Generator().manual_seed(0))[0]
    >>> bool((w[3:] == w[:-3]).all()), len(w[:3].unique())
    (True, 3)
    """
    order = torch.rand(len(distance), len(ALPHABET), generator=generator).argsort(1)
    return order.gather(1, torch.arange(length) % distance[:, None])


def recall(
    shortest: int = 4, longest: int = 24, context: int = 64, train: int = 8000, held: int = 840, seed: int = 0
) -> Dataset:
    """Draw strings that repeat themselves, in windows of ``context + 1``: c is the first letter of each, x the rest.

    Arguments
        shortest, longest: distances at which strings repeat, from 2 to 27; all between come equally often.
        context: letters to predict in a window, at least ``longest + 1``.
        train, held: windows to learn from, and in each of the two held-out parts.
        seed: of the strings.

    ``factors["distance"]`` says at what distance each window repeats, int64 of shape (N,). The letters x[:, distance:]
    are certain, given those before; the earlier ones are not.

    >>> data = recall(train=10, held=21)
    >>> w = data.decode(torch.cat([data.test.c[0], data.test.x[0]]))
    >>> w[4:] == w[:-4], data.shape, data.levels
    (True, (64,), 27)
    """
    if not 2 <= shortest <= longest <= len(ALPHABET):
        raise ValueError(
            f"longest: expected shortest and longest with 2 <= shortest <= longest <= {len(ALPHABET)}, received "
            f"{shortest} and {longest}"
        )
    if context <= longest:
        raise ValueError(f"context: expected at least {longest + 1}, one more than the longest, received {context}")
    generator = torch.Generator().manual_seed(seed)
    splits = []
    for n in (train, held, held):
        distance = shortest + torch.arange(n) % (longest - shortest + 1)
        w = strings(distance, context + 1, generator)
        splits.append(Split(w[:, 1:], w[:, :1], {"distance": distance}))
    return Dataset(
        "recall", *splits, shape=(context,), levels=len(ALPHABET), encode=encode, decode=decode,
        sha256=digest(*splits),
    )  # fmt: skip


def encode(text: str) -> Tensor:
    """Turn letters and spaces into tokens, int64 of shape (T,)."""
    strange = sorted(set(text) - set(ALPHABET))
    if strange:
        raise ValueError(f"text: expected the letters a to z and spaces, received {strange[0]!r}")
    return torch.tensor([ALPHABET.index(letter) for letter in text], dtype=torch.int64)


def decode(tokens: Tensor) -> str:
    """Turn tokens of shape (T,) into text."""
    return "".join(ALPHABET[i] for i in tokens.tolist())
