"""The digits in black and white: every pixel of ink above a half is 1, every other 0."""

from dataclasses import replace

from .dataset import Dataset, digest
from .digits import digits


def binary_digits(split: str = "published", seed: int = 0) -> Dataset:
    """Load the digits with pixels of 0 and 1, in the same splits as :func:`~genkit.data.digits.digits`.

    >>> binary_digits().train.x.unique()
    tensor([0., 1.])
    """
    grey = digits(split, seed)
    splits = [replace(part, x=(part.x > 0.5).float()) for part in (grey.train, grey.valid, grey.test)]
    train, valid, test = splits
    return replace(
        grey, name="binary_digits", train=train, valid=valid, test=test, levels=2, sha256=digest(*splits)
    )  # fmt: skip
