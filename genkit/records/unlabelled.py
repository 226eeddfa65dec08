"""What the chapter on learning without labels and its record share: worlds whose truth is known, and measures."""

import math
import random

import torch
from torch import Tensor

from ..clustering import best_of


def agreement(truth: Tensor, found: Tensor) -> float:
    """Return the adjusted Rand index of two groupings of the same examples: 1 for the same, 0 on average by chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(truth.numpy(), found.numpy()))


def mixture(x, k: int, seed: int, *, starts: int = 3, begin: str = "kmeans"):
    """Fit scikit-learn's mixture of k Gaussians, each with a covariance of its own, from several starts."""
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(k, n_init=starts, reg_covar=1e-3, init_params=begin, random_state=seed).fit(x)


def round_groups(seed: int, *, k: int = 5, each: int = 40, spread: float = 0.35) -> tuple[Tensor, Tensor]:
    """Draw k round groups in the plane, on a ring and in its middle: points (N, 2) in double precision and groups."""
    generator, angle = torch.Generator().manual_seed(seed), 2 * math.pi * torch.arange(k - 1) / (k - 1)
    middles = torch.cat([torch.zeros(1, 2), 2 * torch.stack([angle.cos(), angle.sin()], 1)]).double()
    labels = torch.arange(k).repeat_interleave(each)
    return middles[labels] + spread * torch.randn(len(labels), 2, generator=generator).double(), labels


def eight_groups(seed: int) -> tuple[Tensor, Tensor]:
    """Draw eight small round groups, on a ring and in its middle: 200 points and groups."""
    return round_groups(seed, k=8, each=25, spread=0.22)


def long_groups(seed: int, *, each: int = 70) -> tuple[Tensor, Tensor]:
    """Draw three long, thin groups side by side: points (N, 2) and groups."""
    generator, labels = torch.Generator().manual_seed(seed), torch.arange(3).repeat_interleave(each)
    x = torch.randn(len(labels), 2, generator=generator).double() * torch.tensor([1.0, 0.13])
    x[:, 1] += (labels - 1) * 0.9
    turn = torch.tensor([[math.cos(0.5), math.sin(0.5)], [-math.sin(0.5), math.cos(0.5)]]).double()
    return (x @ turn).clamp(-2.9, 2.9), labels


def moons(seed: int, *, n: int = 210) -> tuple[Tensor, Tensor]:
    """Draw two thin moons that reach into each other, around the plane's middle: points (N, 2) and groups."""
    from sklearn.datasets import make_moons

    x, labels = make_moons(n, noise=0.06, random_state=seed)
    return 1.6 * (torch.tensor(x) - torch.tensor([0.5, 0.25])), torch.tensor(labels)


WORLDS = {"round": (round_groups, 5), "long": (long_groups, 3), "moons": (moons, 2)}
"""Worlds of groups by their shape, and how many groups there are."""


def ways(x: Tensor, k: int, seed: int) -> dict[str, Tensor]:
    """Group points in three ways: by nearness to centres, by Gaussians, and by merging the nearest neighbours."""
    from sklearn.cluster import AgglomerativeClustering

    rows = x.numpy()
    bells = mixture(rows, k, seed, starts=30, begin="k-means++")
    return {
        "k-means": best_of(x, k, random.Random(seed).random).labels,
        "Gaussian mixture": torch.tensor(bells.predict(rows)),
        "merging nearest": torch.tensor(AgglomerativeClustering(k, linkage="single").fit_predict(rows)),
    }


def wine() -> tuple[Tensor, Tensor, list[str]]:
    """Return scikit-learn's 178 wines of three growers: 13 measurements each, their growers, and what was measured."""
    from sklearn.datasets import load_wine

    data = load_wine()
    return torch.tensor(data.data), torch.tensor(data.target), list(data.feature_names)


def standardised(x: Tensor) -> Tensor:
    """Return columns with mean 0 and standard deviation 1."""
    return (x - x.mean(0)) / x.std(0, correction=0)


def elbow(inertias: list[float]) -> int:
    """Return the number of groups at the elbow: where the curve of inertia is farthest below the line of its ends."""
    n, (first, last) = len(inertias), (inertias[0], inertias[-1])
    below = [first + (last - first) * i / (n - 1) - v for i, v in enumerate(inertias)]
    return 1 + below.index(max(below))


def trusted(x: Tensor, z: Tensor, neighbours: int = 10) -> float:
    """Return the trustworthiness of codes z of examples x: 1 where neighbours of the codes are neighbours in truth."""
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(x.flatten(1).numpy(), z.numpy(), n_neighbors=neighbours))


def in_cube(n: int, seed: int, sides: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Tensor:
    """Draw n points evenly from a box around the origin, shape (n, 3); the plain one is a cube of edge 1."""
    return (torch.rand(n, 3, generator=torch.Generator().manual_seed(seed)) - 0.5) * torch.tensor(sides)


def lost(x: Tensor, again: Tensor, mean: Tensor) -> float:
    """Return the share of the squared distance from the mean that is missing in what was rebuilt."""
    return ((x - again).square().sum() / (x - mean).square().sum()).item()


def by_tsne(x: Tensor, seed: int = 0) -> Tensor:
    """Return a t-SNE map of these very examples, shape (N, 2): there is none for any others."""
    from sklearn.manifold import TSNE

    return torch.tensor(TSNE(2, init="pca", random_state=seed).fit_transform(x.flatten(1).numpy()))


def two_clouds(seed: int, *, each: int = 150, ratio: float = 6.0) -> tuple[Tensor, Tensor]:
    """Draw a small and a large round cloud in ten dimensions, one ``ratio`` times as wide: points, and which cloud."""
    generator, labels = torch.Generator().manual_seed(seed), torch.arange(2).repeat_interleave(each)
    width = torch.where(labels == 1, ratio, 1.0)[:, None]
    x = width * torch.randn(2 * each, 10, generator=generator)
    x[:, 0] += 60.0 * labels
    return x, labels


def width(z: Tensor) -> float:
    """Return the root mean squared distance of points from their mean."""
    return (z - z.mean(0)).square().sum(1).mean().sqrt().item()


def tumour_rows(n: int, seed: int, *, most: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    """Return 200 benign tumours with n malignant ones to learn from, and benign and malignant ones to be judged on.

    All in standard deviations of the first; ``most`` malignant ones are kept for learning, whatever n is.
    """
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    x, malignant = torch.tensor(data.data), torch.tensor(data.target) == 0
    generator = torch.Generator().manual_seed(seed)
    good, bad = (x[part][torch.randperm(int(part.sum()), generator=generator)] for part in (~malignant, malignant))
    train = torch.cat([good[:200], bad[:n]])
    return tuple((rows - train.mean(0)) / train.std(0) for rows in (train, good[200:], bad[most:]))
