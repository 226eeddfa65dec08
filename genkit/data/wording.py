"""Texts of a small known vocabulary as rows of numbers, and back."""

from collections.abc import Callable

import torch
from torch import Tensor


def word_codec(words: tuple[str, ...], length: int) -> tuple[Callable[[str], Tensor], Callable[[Tensor], str]]:
    """Return what turns a text of known words into a row, int64 of shape (length,), and what turns it back.

    Arguments
        words: the vocabulary; number 0 ends a text, and is no word.
        length: of a row; a text has fewer words.

    >>> encode, decode = word_codec(("", "hello", "world"), 4)
    >>> encode("world hello"), decode(encode("world hello"))
    (tensor([2, 1, 0, 0]), 'world hello')
    """
    number = {word: i for i, word in enumerate(words)}

    def encode(text: str) -> Tensor:
        unknown = [word for word in text.split() if word not in number]
        if unknown or len(text.split()) >= length:
            raise ValueError(f"text: expected fewer than {length} known words, received {unknown or text!r}")
        row = [number[word] for word in text.split()]
        return torch.tensor(row + [0] * (length - len(row)))

    def decode(row: Tensor) -> str:
        return " ".join(words[i] for i in row.tolist() if i)

    return encode, decode
