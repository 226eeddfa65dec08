"""scikit-learn's 1,797 handwritten digits: 8 × 8 pixels, 17 grey levels, from 43 people (Alpaydin & Kaynak 1998)."""

import torch

from ..names import unknown
from .dataset import Dataset, Split, digest


def digits(split: str = "published", seed: int = 0) -> Dataset:
    """Load the digits, 1,000 to learn from, 350 to choose by, 447 to be judged on.

    Arguments
        split: ``"published"`` takes them in the file's order, as published likelihoods do; its test digits are by other
            writers than its training digits. ``"random"`` mixes them, each class in the same share everywhere.
        seed: of the random split.
    """
    from sklearn.datasets import load_digits

    if split not in ("published", "random"):
        raise unknown("split", split, ("published", "random"))
    images, labels = load_digits(return_X_y=True)
    x, c = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 16, torch.tensor(labels, dtype=torch.int64)
    order = torch.arange(len(x)) if split == "published" else _stratified(c, seed)
    splits = [Split(x[part], c[part]) for part in order.split([1000, 350, 447])]
    return Dataset(
        "digits", *splits, shape=(1, 8, 8), levels=17, classes=tuple("0123456789"), sha256=digest(*splits)
    )  # fmt: skip


def _stratified(c: torch.Tensor, seed: int) -> torch.Tensor:
    """Return an order in which every stretch holds the classes in about their shares."""
    generator = torch.Generator().manual_seed(seed)
    key = torch.empty(len(c))
    for label in c.unique():
        members = (c == label).nonzero().squeeze(1)
        place = torch.randperm(len(members), generator=generator)
        key[members] = (place + torch.rand(len(members), generator=generator)) / len(members)
    return key.argsort()
