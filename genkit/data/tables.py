"""Four small tables of real measurements that ship with scikit-learn: flowers, wines, tumours, patients."""

import torch
from torch import Tensor

from .columns import column_codec
from .dataset import Dataset, Split, digest

HELD_OUT = 0.2  # to choose by, and as much again to be judged on: small tables need large test parts
STRATA = 10  # a number to predict is stratified by its tenths


def iris(seed: int = 0) -> Dataset:
    """Load 150 irises of three species: sepals and petals in centimetres (Anderson 1935; Fisher 1936).

    >>> data = iris()
    >>> data.classes, list(data.train.factors)[0]
    (('setosa', 'versicolor', 'virginica'), 'sepal length (cm)')
    """
    from sklearn.datasets import load_iris

    return _table("iris", load_iris(), seed)


def wine(seed: int = 0) -> Dataset:
    """Load 178 wines of three growers, by 13 measurements of their chemistry (Forina et al. 1988)."""
    from sklearn.datasets import load_wine

    return _table("wine", load_wine(), seed)


def breast_cancer(seed: int = 0) -> Dataset:
    """Load 569 tumours, malignant or benign, by 30 measurements of their cells' nuclei (Street et al. 1993).

    The classes stand in scikit-learn's order: 0 is malignant, 1 is benign.
    """
    from sklearn.datasets import load_breast_cancer

    return _table("breast_cancer", load_breast_cancer(), seed)


def diabetes(seed: int = 0) -> Dataset:
    """Load 442 patients with diabetes, by ten measurements in their own units (Efron et al. 2004).

    c is no class but a number, float32: how far the disease has gone a year later, 25 to 346. ``classes`` is None.
    """
    from sklearn.datasets import load_diabetes

    return _table("diabetes", load_diabetes(scaled=False), seed)


def _table(name: str, raw, seed: int) -> Dataset:
    """Make three stratified parts of scikit-learn's table; the factors of each are its columns, by name."""
    x, named = torch.tensor(raw.data, dtype=torch.float32), tuple(str(n) for n in raw.feature_names)
    classes = tuple(str(n) for n in raw.target_names) if "target_names" in raw else None
    c = torch.tensor(raw.target, dtype=torch.float32 if classes is None else torch.int64)
    strata = c if classes else c.argsort().argsort() * STRATA // len(c)
    rows, place = x.unique(dim=0, return_inverse=True)  # equal rows stay together: irises 101 and 142 are twins
    key = _order(torch.empty(len(rows), dtype=torch.int64).index_put((place,), strata.long()), seed)[place]
    edges = (1 - 2 * HELD_OUT) * len(rows), (1 - HELD_OUT) * len(rows)
    within = [key < edges[0], (key >= edges[0]) & (key < edges[1]), key >= edges[1]]
    mixed = [part.nonzero()[:, 0][key[part].argsort()] for part in within]
    parts = [Split(x[i], c[i], {n: x[i, k] for k, n in enumerate(named)}) for i in mixed]
    encode, decode = column_codec(named)
    return Dataset(
        name, *parts, shape=(len(named),), classes=classes, encode=encode, decode=decode, sha256=digest(*parts)
    )  # fmt: skip


def _order(strata: Tensor, seed: int) -> Tensor:
    """Return the place of each row in an order of which every stretch holds the strata in about their shares."""
    generator, key = torch.Generator().manual_seed(seed), torch.empty(len(strata))
    for stratum in strata.unique():
        members = (strata == stratum).nonzero()[:, 0]
        rank = torch.randperm(len(members), generator=generator)
        key[members] = (rank + torch.rand(len(members), generator=generator)) / len(members)
    return key.argsort().argsort()
