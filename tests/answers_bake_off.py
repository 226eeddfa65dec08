"""Other right answers to the exercises of the bake-off, and wrong ones with words of their hints."""

import math
from fractions import Fraction

import numpy as np
import scipy.stats
import torch

from genkit import ranking


def scipys_ranks(values, best):
    x = values.double().numpy() * (1 if best == "low" else -1)
    return torch.from_numpy(scipy.stats.rankdata(x, nan_policy="omit")).nan_to_num(nan=0.0)


def sorted_ranks(values, best):
    known = sorted((v for v in values.tolist() if v == v), reverse=best == "high")
    return torch.tensor(
        [0.0 if v != v else sum(i + 1 for i, k in enumerate(known) if k == v) / known.count(v)
         for v in values.tolist()]
    )  # fmt: skip


def loop_front(points):
    rows = points.tolist()
    return torch.tensor(
        [not any(all(b >= a for a, b in zip(p, q, strict=True)) and q != p for q in rows) for p in rows]
    )


def loop_apart(runs, limit):
    n, seeds = runs.shape
    out = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n):
        for j in range(n):
            gap = abs(runs[i].mean() - runs[j].mean())
            out[i, j] = gap > limit * math.sqrt((runs[i].var() + runs[j].var()) / seeds)
    return out


def by_distribution(values, tries):
    x = np.sort(values.double().numpy())
    n = len(x)
    return float(sum(v * (((i + 1) / n) ** tries - (i / n) ** tries) for i, v in enumerate(x)))


RIGHT = {
    "ranks_by": {
        "scipy's": scipys_ranks,
        "sorted": sorted_ranks,
        "genkit's": lambda values, best: ranking.ranks(values, best=best).nan_to_num(nan=0.0),
    },
    "unbeaten": {
        "a loop": loop_front,
        "genkit's": ranking.front,
        "by differences": lambda p: torch.tensor(
            [not ((p - row).min(1).values.ge(0) & (p - row).max(1).values.gt(0)).any() for row in p]
        ),
    },
    "told_apart": {
        "a loop": loop_apart,
        "squares": lambda runs, limit: (
            (runs.mean(1)[:, None] - runs.mean(1)).square()
            > limit**2 * (runs.var(1)[:, None] + runs.var(1)) / runs.shape[1]
        ),
    },
    "steps_for": {
        "floor": lambda seconds, costs, stages: math.floor(
            seconds / sum(c * s for c, s in zip(costs, stages, strict=True))
        ),
        "numpy": lambda seconds, costs, stages: int(seconds // np.dot(costs, stages)),
        "tensor": lambda seconds, costs, stages: int(
            seconds / (torch.tensor(costs).double() * torch.tensor(stages).double()).sum()
        ),
    },
    "best_of_tries": {
        "a loop": by_distribution,
        "genkit's": lambda values, tries: ranking.best_of(values, tries),
        "from above": lambda values, tries: (
            lambda x: (x[-1] - (x.diff() * (torch.arange(1, len(x)) / len(x)).double() ** tries).sum()).item()
        )(values.double().sort().values),
    },
}

WRONG = {
    "ranks_by": {
        "nothing": (lambda values, best: None, "return"),
        "normalised": (lambda values, best: ranking.ranks(values, best=best).nan_to_num() / len(values), ""),
        "keeps NaN": (lambda values, best: ranking.ranks(values, best=best), ""),
        "dense": (
            lambda values, best: torch.tensor(
                [0.0 if v != v else 1.0 + sorted({u for u in values.tolist() if u == u},
                                                      reverse=best == "high").index(v) for v in values.tolist()]
            ),
            "",
        ),
        "counts the missing": (
            lambda values, best: (ranking.ranks(values, best=best) + values.isnan().sum()).nan_to_num(), "",
        ),
        "from the other end": (
            lambda values, best: (len(values) + 1 - ranking.ranks(values, best=best)).nan_to_num(), "",
        ),
    },
    "unbeaten": {
        "all": (lambda p: torch.ones(len(p), dtype=torch.bool), ""),
        "first column": (lambda p: p[:, 0] == p[:, 0].max(), ""),
        "above the mean": (lambda p: (p >= p.mean(0)).all(1), ""),
        "two columns only": (lambda p: ranking.front(p[:, :2]), ""),
        "distance from the ideal": (
            lambda p: (p.max(0).values - p).norm(dim=1) == (p.max(0).values - p).norm(dim=1).min(), "",
        ),
        "numbers": (lambda p: ranking.front(p).nonzero()[:, 0], ""),
    },
    "told_apart": {
        "none": (lambda runs, limit: torch.zeros(len(runs), len(runs), dtype=torch.bool), ""),
        "ranges overlap": (
            lambda runs, limit: (runs.min(1).values[:, None] > runs.max(1).values)
            | (runs.max(1).values[:, None] < runs.min(1).values),
            "",
        ),
        "intervals overlap": (
            lambda runs, limit: (runs.mean(1)[:, None] - runs.mean(1)).abs()
            > limit * (runs.std(1)[:, None] + runs.std(1)) / runs.shape[1] ** 0.5,
            "",
        ),
        "with itself": (
            lambda runs, limit: loop_apart(runs, limit) | torch.eye(len(runs), dtype=torch.bool), "",
        ),
        "pooled": (
            lambda runs, limit: (runs.mean(1)[:, None] - runs.mean(1)).abs()
            > limit * (2 * runs.var(1).mean() / runs.shape[1]).sqrt(),
            "",
        ),
    },
    "steps_for": {
        "seconds": (lambda seconds, costs, stages: int(seconds), ""),
        "last": (lambda seconds, costs, stages: int(seconds / costs[-1]), ""),
        "harmonic": (
            lambda seconds, costs, stages: int(seconds * sum(1 / c for c in costs) / len(costs)), "",
        ),
        "one less": (
            lambda seconds, costs, stages: math.floor(
                seconds / sum(c * s for c, s in zip(costs, stages, strict=True))
            ) - 1,
            "",
        ),
        "each rounded": (
            lambda seconds, costs, stages: sum(
                int(Fraction(seconds) / Fraction(c)) * s for c, s in zip(costs, stages, strict=True)
            ),
            "",
        ),
    },
    "best_of_tries": {
        "median": (lambda values, tries: values.median().item(), ""),
        "a quantile": (lambda values, tries: values.double().quantile(tries / (tries + 1)).item(), ""),
        "one draw": (lambda values, tries: values[torch.randint(len(values), (tries,))].max().item(), ""),
        "a few hundred draws": (
            lambda values, tries: values[torch.randint(len(values), (300, tries))].max(1).values.mean().item(), "",
        ),
        "power of the mean": (lambda values, tries: values.mean().item() * tries, ""),
        "nought at the start": (
            lambda values, tries: float(
                values.double().sort().values
                @ (((torch.arange(len(values)).double()) / len(values)) ** tries - 0.0)
            ),
            "",
        ),
    },
}  # fmt: skip
