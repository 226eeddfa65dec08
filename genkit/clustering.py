r"""k-means, step by step: give every point to the nearest centre, move every centre to the middle of its points.

Lloyd (1982) wrote it in 1957. Chance enters as a function that returns numbers in [0, 1), such as
``random.Random(0).random``, so that whatever started there can be started again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Chance = Callable[[], float]


@dataclass(frozen=True)
class Clusters:
    """Where k-means stands: ``labels``, int64 of shape (N,), ``centres``, shape (K, D), and their ``inertia``."""

    labels: Tensor
    centres: Tensor
    inertia: float


def distances(x: Tensor, centres: Tensor) -> Tensor:
    r"""Return the squared distances :math:`\|x_n - m_k\|^2` of points, shape (N, D), from centres, (K, D): (N, K).

    Raises ``ValueError`` where the shapes do not fit.
    """
    if x.ndim != 2 or centres.ndim != 2 or x.shape[1] != centres.shape[1]:
        raise ValueError(
            f"x, centres: expected shapes (N, D) and (K, D), received {tuple(x.shape)} and {tuple(centres.shape)}"
        )
    return (x[:, None] - centres).square().sum(2)


def assign(x: Tensor, centres: Tensor) -> Tensor:
    r"""Return the number of the nearest centre of every point, :math:`\arg\min_k \|x_n - m_k\|^2`, int64 of (N,).

    >>> assign(torch.tensor([[0.0], [1.0], [9.0]]), torch.tensor([[0.0], [8.0]])).tolist()
    [0, 0, 1]
    """
    return distances(x, centres).argmin(1)


def move(x: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    r"""Return every centre moved to the mean of its points, shape (K, D); one that has no points stays where it is.

    >>> move(torch.tensor([[0.0], [1.0], [9.0]]), torch.tensor([0, 0, 1]), torch.zeros(3, 1)).flatten().tolist()
    [0.5, 9.0, 0.0]
    """
    if labels.shape != x.shape[:1]:
        raise ValueError(f"labels: expected shape ({len(x)},), received {tuple(labels.shape)}")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(centres):
        raise ValueError(f"labels: expected numbers from 0 to {len(centres) - 1}, received others")
    sums = torch.zeros_like(centres).index_add(0, labels, x)
    counts = labels.bincount(minlength=len(centres))[:, None]
    return torch.where(counts > 0, sums / counts.clamp(min=1), centres)


def inertia(x: Tensor, labels: Tensor, centres: Tensor) -> float:
    r"""Return what k-means makes small, :math:`\sum_n \|x_n - m_{z_n}\|^2`, in squared units of x.

    >>> inertia(torch.tensor([[0.0], [2.0]]), torch.tensor([0, 0]), torch.tensor([[1.0]]))
    2.0
    """
    return (x - centres[labels]).square().sum().item()


def kmeans(x: Tensor, centres: Tensor, *, most: int = 300) -> Iterator[Clusters]:
    """Assign and move by turns, and yield after every assignment, until none changes.

    Neither step can raise the inertia, and there are finitely many assignments, so it stops: where nothing changes,
    which need not be the best place.

    Arguments
        x: points, shape (N, D).
        centres: where they begin, shape (K, D).
        most: assignments after which it gives up.

    >>> *_, last = kmeans(torch.tensor([[0.0], [1.0], [9.0]]), torch.tensor([[0.0], [1.0]]))
    >>> last.labels.tolist(), last.centres.flatten().tolist(), last.inertia
    ([0, 0, 1], [0.5, 9.0], 0.5)
    """
    if most < 1:
        raise ValueError(f"most: expected at least 1, received {most}")
    labels = None
    for _ in range(most):
        before, labels = labels, assign(x, centres)
        yield Clusters(labels, centres, inertia(x, labels, centres))
        if before is not None and torch.equal(before, labels):
            return
        centres = move(x, labels, centres)


def at_random(x: Tensor, k: int, chance: Chance) -> Tensor:
    """Return k different points of x, all equally likely, to begin with: shape (K, D)."""
    _check(x, k)
    order = list(range(len(x)))
    for i in range(k):
        j = i + int(chance() * (len(x) - i))
        order[i], order[j] = order[j], order[i]
    return x[order[:k]].clone()


def spread_out(x: Tensor, k: int, chance: Chance) -> Tensor:
    r"""Return k points of x that lie far apart, to begin with: k-means++ (Arthur & Vassilvitskii 2007), shape (K, D).

    The first is any point. Every further one is drawn with a probability proportional to its squared distance from the
    nearest of those chosen before, so that a group without a centre is likely to get one.
    """
    _check(x, k)
    chosen = [int(chance() * len(x))]
    while len(chosen) < k:
        nearest = distances(x, x[chosen]).min(1).values.double()
        goal = chance() * nearest.sum()
        chosen.append(min(int((nearest.cumsum(0) <= goal).sum()), len(x) - 1))
    return x[chosen].clone()


def best_of(x: Tensor, k: int, chance: Chance, *, starts: int = 10, start: Callable = spread_out) -> Clusters:
    """Run k-means from several starts and return the end of least inertia."""
    if starts < 1:
        raise ValueError(f"starts: expected at least 1, received {starts}")
    ends = []
    for _ in range(starts):
        *_, end = kmeans(x, start(x, k, chance))
        ends.append(end)
    return min(ends, key=lambda end: end.inertia)


def _check(x: Tensor, k: int) -> None:
    if not 1 <= k <= len(x):
        raise ValueError(f"k: expected 1 … {len(x)}, as many as there are points at most, received {k}")
