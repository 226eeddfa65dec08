"""Other right answers to the exercises on copying, and wrong ones with words of their hints."""

import numpy as np
import scipy.stats
import torch
from sklearn.neighbors import NearestNeighbors


def library(x):
    found = NearestNeighbors(n_neighbors=2).fit(x.double().numpy()).kneighbors(x.double().numpy())[0]
    return torch.from_numpy(found[:, 1])


def loop_nearest(x):
    rows = [[(a - b).square().sum().sqrt() for j, b in enumerate(x) if j != i] for i, a in enumerate(x)]
    return torch.stack([torch.stack(row).min() for row in rows])


def scipys(drawn, real):
    m, n = len(drawn), len(real)
    u = scipy.stats.mannwhitneyu(drawn.numpy(), real.numpy()).statistic
    return (u - m * n / 2) / np.sqrt(m * n * (m + n + 1) / 12)


def by_ranks(drawn, real):
    m, n = len(drawn), len(real)
    ranks = scipy.stats.rankdata(torch.cat([drawn, real]).numpy())
    u = ranks[:m].sum() - m * (m + 1) / 2
    return float((u - m * n / 2) / (m * n * (m + n + 1) / 12) ** 0.5)


def loop_score(drawn, real):
    wins = sum((a > b) + 0.5 * (a == b) for a in drawn.tolist() for b in real.tolist())
    m, n = len(drawn), len(real)
    return (wins - m * n / 2) / (m * n * (m + n + 1) / 12) ** 0.5


def loop_kept(x, limit):
    kept = []
    for i, row in enumerate(x):
        if all((row - x[j]).norm() >= limit for j in kept):
            kept.append(i)
    return torch.tensor(kept)


def by_striking_out(x, limit):
    left, kept = list(range(len(x))), []
    while left:
        first = left.pop(0)
        kept.append(first)
        left = [j for j in left if torch.dist(x[first], x[j]) >= limit]
    return torch.as_tensor(kept)


def at_most(x, limit):
    kept = []
    for i, row in enumerate(x):
        if all((row - x[j]).norm() > limit for j in kept):
            kept.append(i)
    return kept


def no_self(x):
    return torch.cdist(x, x).topk(2, largest=False).values[:, 0]


def groups(x, limit):
    """The first of each connected group: chains are taken for one group."""
    from scipy.sparse.csgraph import connected_components

    names = connected_components((torch.cdist(x, x) < limit).numpy())[1]
    return torch.tensor(sorted(int(np.flatnonzero(names == k)[0]) for k in set(names)))


RIGHT = {
    "nearest_other": {
        "scikit-learn's": library, "a loop": loop_nearest,
        "second of the sorted": lambda x: torch.cdist(x, x).fill_diagonal_(-1).sort(1).values[:, 1],
    },
    "smallest_share": {
        "two roots": lambda m, n: min(1, (3 * (m + n + 1) / (m * n)) ** 0.5),
        "numpy": lambda m, n: np.minimum(1.0, np.sqrt(3 * (m + n + 1) / m / n)),
        "through the score of pure copies": lambda m, n: min(
            3 / (m * n / 2) * (m * n * (m + n + 1) / 12) ** 0.5, 1.0
        ),
    },
    "rank_score": {"SciPy's": scipys, "ranks": by_ranks, "a loop": loop_score},
    "deduplicated": {"a loop": loop_kept, "striking out": by_striking_out},
}  # fmt: skip

WRONG = {
    "nearest_other": {
        "itself": (no_self, "leave the diagonal out"),
        "farthest": (lambda x: torch.cdist(x, x).amax(1), "farthest"),
        "the next row": (lambda x: (x - x.roll(-1, 0)).norm(dim=1), ""),
        "from the mean": (lambda x: (x - x.mean(0)).norm(dim=1), ""),
        "along the other axis of rows": (lambda x: nearest_columns(x), ""),
        "a small number on the diagonal": (
            lambda x: (torch.cdist(x, x) + torch.eye(len(x))).min(1).values, "",
        ),
        "a hundred on the diagonal": (lambda x: torch.cdist(x, x).fill_diagonal_(100).min(1).values, "torch.inf"),
        "too little added to the diagonal": (
            lambda x: (torch.cdist(x, x) + 1e5 * torch.eye(len(x))).amin(1), "torch.inf",
        ),
        "sorted": (lambda x: library(x).sort().values, ""),
        "squared": (lambda x: library(x) ** 2, "square of the distance"),
        "column": (lambda x: library(x)[:, None], "axis"),
        "zeros left out": (
            lambda x: torch.stack([r[r > 1e-3].min() for r in torch.cdist(x, x)]), "stands there twice",
        ),
    },
    "smallest_share": {
        "above one": (lambda m, n: (3 * (m + n + 1) / (m * n)) ** 0.5, "cannot be above 1"),
        "product alone": (lambda m, n: min(1.0, 3 / (3 * m * n) ** 0.5), ""),
        "negative": (lambda m, n: -min(1.0, (3 * (m + n + 1) / (m * n)) ** 0.5), "a share is positive"),
        "samples alone": (lambda m, n: min(1.0, 3 / (3 * m) ** 0.5), ""),
        "test alone": (lambda m, n: min(1.0, (3 / n) ** 0.5), "endlessly many samples"),
        "without the one": (lambda m, n: min(1.0, (3 * (m + n) / (m * n)) ** 0.5), ""),
        "percent": (lambda m, n: 100 * min(1.0, (3 * (m + n + 1) / (m * n)) ** 0.5), ""),
    },
    "rank_score": {
        "sign": (lambda a, b: -loop_score(a, b), "the sign is wrong"),
        "swapped": (lambda a, b: loop_score(b, a), "the sign is wrong"),
        "strictly farther": (
            lambda a, b: loop_score(a, b) - 0.5 * (a[:, None] == b).sum().item()
            / (len(a) * len(b) * (len(a) + len(b) + 1) / 12) ** 0.5, "counts nothing",
        ),
        "nearly equal taken for a tie": (
            lambda a, b: sum(
                (p > q + 1e-3) + 0.5 * (abs(p - q) <= 1e-3) - 0.5 for p in a.tolist() for q in b.tolist()
            ) / (len(a) * len(b) * (len(a) + len(b) + 1) / 12) ** 0.5, "",
        ),
        "corrected for ties": (
            lambda a, b: float(scipy.stats.norm.ppf(scipy.stats.mannwhitneyu(
                a, b, alternative="less", method="asymptotic", use_continuity=False).pvalue)), "",
        ),
        "t-test": (lambda a, b: float(scipy.stats.ttest_ind(a, b).statistic), ""),
        "U": (lambda a, b: float(scipy.stats.mannwhitneyu(a, b).statistic), ""),
        "p-value": (lambda a, b: float(scipy.stats.mannwhitneyu(a, b).pvalue), ""),
        "difference of means": (lambda a, b: (a.mean() - b.mean()).item(), ""),
        "share": (
            lambda a, b: float(scipy.stats.mannwhitneyu(a, b).statistic) / (len(a) * len(b)), "turn it into a z-score",
        ),
        "ranks without ties": (lambda a, b: float(scipy.stats.ranksums(a, b[: len(b) - 1]).statistic), ""),
        "nothing": (lambda a, b: None, "return line"),
    },
    "deduplicated": {
        "exact": (lambda x, limit: torch.arange(len(x)), ""),
        "components": (groups, "must not drop others"),
        "all earlier": (
            lambda x, limit: torch.tensor([i for i in range(len(x)) if (x[:i] - x[i]).norm(dim=1).ge(limit).all()]),
            "must not drop others",
        ),
        "only the row before": (
            lambda x, limit: torch.tensor([i for i in range(len(x)) if i == 0 or torch.dist(x[i], x[i - 1]) >= limit]),
            "",
        ),
        "a list": (lambda x, limit: loop_kept(x, limit).tolist(), "received list"),
        "at the limit as well": (
            lambda x, limit: torch.tensor(
                [i for i, row in enumerate(x) if i == 0 or i in at_most(x, limit)], dtype=torch.int64
            ),
            "not below it",
        ),
        "as fractions": (lambda x, limit: loop_kept(x, limit).double(), "whole numbers"),
        "rows": (lambda x, limit: x[loop_kept(x, limit)], "numbers of the rows"),
        "twice the limit": (lambda x, limit: loop_kept(x, 2 * limit), ""),
        "squared distance": (lambda x, limit: loop_kept(x, limit**0.5), ""),
        "unique rows": (lambda x, limit: torch.arange(len(x.unique(dim=0))), ""),
        "complement": (
            lambda x, limit: torch.tensor(
                [i for i in range(len(x)) if i not in loop_kept(x, limit).tolist()], dtype=torch.int64
            ),
            "to be dropped",
        ),
    },
}  # fmt: skip


def nearest_columns(x):
    return torch.cdist(x.T, x.T).fill_diagonal_(torch.inf).min(0).values
