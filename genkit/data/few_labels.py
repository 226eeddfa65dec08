"""The digits as somebody finds them who could afford a few labels: most are hidden, and -1 stands in their place."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from .dataset import Dataset, digest
from .digits import digits

UNKNOWN = -1


def few_labels(labels: int = 10, seed: int = 0, share: float = 0.0) -> Dataset:
    """Load the digits, mixed, with the labels of ``labels`` training digits and of no other.

    Arguments
        labels: how many are kept, the same number of each class: a multiple of 10 up to 900.
        seed: of the split and of the choice. Validation hides all labels, since a label is a label wherever it lies;
            the test keeps its own, to be judged on.
        share: in [0, 1): the digits with labels are repeated until they are this share of the training rows, so that
            every batch meets some. 0 shows each digit once.

    >>> few_labels(20).train.c.unique(return_counts=True)[1][:3]  # the unknown, the zeros, the ones
    tensor([980,   2,   2])
    """
    if not 0 <= share < 1:
        raise ValueError(f"share: expected a number in [0, 1), received {share}")
    whole = digits("random", seed)
    c = hide_all_but(whole.train.c, labels, seed)
    known = c != UNKNOWN
    times = max(1, math.ceil(share / (1 - share) * (len(c) - labels) / labels))
    rows = torch.cat([(~known).nonzero()[:, 0], known.nonzero()[:, 0].repeat(times)]) if share else torch.arange(len(c))
    train = replace(whole.train, x=whole.train.x[rows], c=c[rows])
    valid = replace(whole.valid, c=torch.full_like(whole.valid.c, UNKNOWN))
    splits = (train, valid, whole.test)
    return replace(whole, name="few_labels", train=train, valid=valid, sha256=digest(*splits))


def hide_all_but(c: Tensor, labels: int, seed: int = 0) -> Tensor:
    """Return labels c, int64 of shape (N,), with -1 in place of all but ``labels`` of them, as many of each class.

    >>> hide_all_but(torch.tensor([0, 1, 1, 0]), 4).tolist()
    [0, 1, 1, 0]
    """
    kinds = c.unique()
    each = labels // len(kinds)
    fewest = int(c.bincount()[kinds].min())
    if labels % len(kinds) or not 1 <= each <= fewest:
        raise ValueError(
            f"labels: expected a multiple of {len(kinds)} up to {fewest * len(kinds)}, so that every class gets as "
            f"many, received {labels}"
        )
    generator = torch.Generator().manual_seed(seed)
    found = torch.full_like(c, UNKNOWN)
    for kind in kinds:
        places = (c == kind).nonzero()[:, 0]
        some = places[torch.randperm(len(places), generator=generator)[:each]]
        found[some] = kind
    return found
