"""Finding odd ones out: five ways to say how unlike the training examples a new one is, by libraries.

Every function takes training examples of shape (N, D) and returns a score of new ones, from (M, D) to (M,): the
higher, the odder. None of them sees a label.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]


def from_the_mean(x: Tensor) -> Score:
    r"""Score by the squared distance from the mean, :math:`\|x - \bar x\|^2`: the baseline.

    >>> from_the_mean(torch.tensor([[0.0], [1.0], [2.0]]))(torch.tensor([[1.0], [4.0]])).tolist()
    [0.0, 9.0]
    """
    mean = _rows(x).mean(0)
    return lambda new: (new.double() - mean).square().sum(1)


def from_the_plane(x: Tensor, components: int = 16) -> Score:
    r"""Score by what PCA cannot rebuild, :math:`\|x - \hat x\|^2`, from so many components, fewer where D is small."""
    from sklearn.decomposition import PCA

    pca = PCA(max(1, min(components, x.shape[1] // 2))).fit(_rows(x).numpy())

    def score(new: Tensor) -> Tensor:
        rows = new.double().numpy()
        return torch.tensor(((rows - pca.inverse_transform(pca.transform(rows))) ** 2).sum(1))

    return score


def by_a_gaussian(x: Tensor) -> Score:
    r"""Score by :math:`(x - \bar x)^\top \Sigma^{-1} (x - \bar x)`, which falls as one Gaussian's log-density rises.

    Its covariance is shrunk as Ledoit and Wolf (2004) propose.
    """
    from sklearn.covariance import LedoitWolf

    bell = LedoitWolf().fit(_rows(x).numpy())
    return lambda new: torch.tensor(bell.mahalanobis(new.double().numpy()))


def by_a_forest(x: Tensor, *, trees: int = 100, seed: int = 0) -> Score:
    """Score by how few random cuts set an example apart: isolation forest (Liu, Ting & Zhou 2008)."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=trees, random_state=seed).fit(_rows(x).numpy())
    return lambda new: torch.tensor(-forest.score_samples(new.double().numpy()))


def by_neighbours(x: Tensor, *, neighbours: int = 20) -> Score:
    """Score by how much thinner it is around an example than around its neighbours: local outlier factor.

    Breunig, Kriegel, Ng & Sander (2000).
    """
    from sklearn.neighbors import LocalOutlierFactor

    rows = _rows(x)
    local = LocalOutlierFactor(min(neighbours, len(rows) - 1), novelty=True).fit(rows.numpy())
    return lambda new: torch.tensor(-local.score_samples(new.double().numpy()))


DETECTORS: dict[str, Callable[..., Score]] = {
    "distance from the mean": from_the_mean,
    "PCA, squared error": from_the_plane,
    "one Gaussian": by_a_gaussian,
    "isolation forest": by_a_forest,
    "local outlier factor": by_neighbours,
}
"""The five by name, the baseline first."""


def _rows(x: Tensor) -> Tensor:
    if x.ndim != 2 or len(x) < 3:
        raise ValueError(f"x: expected shape (N, D) with N >= 3, received {tuple(x.shape)}")
    return x.double()
