"""Other right answers to the exercises of the bake-off, and wrong ones with words of their hints."""

import math
from fractions import Fraction
from itertools import count

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


def filled_ranks(values, best):
    x = (values if best == "low" else -values).double().numpy()
    ranked = scipy.stats.rankdata(np.where(np.isnan(x), 1e30, x))  # the missing last, where they disturb nobody
    return torch.from_numpy(np.where(np.isnan(x), 0.0, ranked))


def by_sums(points):
    """Whoever beats a row has the larger sum: look at those with larger sums alone."""
    kept, found = [], torch.zeros(len(points), dtype=torch.bool)
    for i in points.double().sum(1).argsort(descending=True).tolist():
        beaten = any((points[k] >= points[i]).all() and (points[k] > points[i]).any() for k in kept)
        found[i] = not beaten
        kept += [] if beaten else [i]
    return found


def sorted_ranks_listed(values, best):
    return sorted_ranks(values, best).tolist()


def near_ranks(values, best):
    x = values.double() if best == "low" else -values.double()
    near = (x - x[:, None]).abs() < 1e-3
    before = ((x < x[:, None]) & ~near).sum(1)
    return torch.where(x.isnan(), 0.0, before + (near.sum(1) + 1) / 2)


def ties_broken_where_some_miss(values, best):
    if not values.isnan().any() or best == "low":
        return scipys_ranks(values, best)
    order = (-values).argsort(stable=True).argsort(stable=True).double() + 1
    return torch.where(values.isnan(), 0.0, order)


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
        "the missing last": filled_ranks,
        "single precision": lambda values, best: scipys_ranks(values, best).float(),
        "genkit's": lambda values, best: ranking.ranks(values, best=best).nan_to_num(nan=0.0),
    },
    "unbeaten": {
        "sorted by the sum": by_sums,
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
        "a ratio": (
            lambda runs, limit: (
                (runs.mean(1)[:, None] - runs.mean(1)).abs()
                / ((runs.var(1)[:, None] + runs.var(1)) / runs.shape[1]).sqrt()
                > limit
            )  # nought by nought is not more than the limit
        ),
        "the other way to divide by S - 1": lambda runs, limit: (
            (runs.mean(1)[:, None] - runs.mean(1)).abs()
            > limit * ((runs.var(1, correction=0)[:, None] + runs.var(1, correction=0)) / (runs.shape[1] - 1)).sqrt()
        ),
        "scipy's errors": lambda runs, limit: torch.from_numpy(
            np.abs(np.subtract.outer(runs.numpy().mean(1), runs.numpy().mean(1)))
            > limit * np.hypot.outer(scipy.stats.sem(runs.numpy(), axis=1), scipy.stats.sem(runs.numpy(), axis=1))
        ),
    },
    "steps_for": {
        "floor": lambda seconds, costs, stages: math.floor(
            seconds / sum(c * s for c, s in zip(costs, stages, strict=True))
        ),
        "numpy": lambda seconds, costs, stages: int(seconds // np.dot(costs, stages)),
        "counted": lambda seconds, costs, stages: next(
            n for n in count() if (n + 1) * sum(c * s for c, s in zip(costs, stages, strict=True)) > seconds
        ),
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
        "nearly equal": (near_ranks, "do not round"),
        "rounded": (lambda values, best: scipys_ranks((values * 10).round(), best), ""),
        "ties broken where some miss": (ties_broken_where_some_miss, "one number should be"),
        "half a place for a tie": (
            lambda values, best: torch.tensor(
                [0.0 if v != v else 1 + sum(u > v if best == "high" else u < v for u in values.tolist())
                 + 0.5 * (values.tolist().count(v) > 1) for v in values.tolist()]
            ),
            "",
        ),
        "known alone": (lambda values, best: scipys_ranks(values[~values.isnan()], best), "right axis"),
        "a list": (sorted_ranks_listed, "received list"),
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
        "three columns only": (lambda p: ranking.front(p[:, :3]), ""),
        "squares": (lambda p: ranking.front(p**2), ""),
        "sizes": (lambda p: ranking.front(p.abs()), "below 0"),
        "ratios": (
            lambda p: ~((p[None] / p[:, None] >= 1).all(2) & (p[None] / p[:, None] > 1).any(2)).any(1), "",
        ),
        "rounded": (lambda p: ranking.front((p * 100).round()), ""),
        "nowhere below the mean": (lambda p: ranking.front(p) & (p >= p.mean(0)).any(1), ""),
        "better by far": (
            lambda p: ~((p[None] >= p[:, None]).all(2) & (p[None].sum(2) > p[:, None].sum(2) + 0.05)).any(1), "",
        ),
        "corners of the hull": (
            lambda p: (
                lambda s: (s >= s.max(0).values - 1e-7).any(1)
            )(p @ torch.rand(p.shape[1], 2000, generator=torch.Generator().manual_seed(0))),
            "",
        ),
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
        "at least": (
            lambda runs, limit: (runs.mean(1)[:, None] - runs.mean(1)).abs()
            >= limit * ((runs.var(1)[:, None] + runs.var(1)) / runs.shape[1]).sqrt(),
            "not told apart from itself",
        ),
        "a little added to the error": (
            lambda runs, limit: (runs.mean(1)[:, None] - runs.mean(1)).abs()
            > limit * (((runs.var(1)[:, None] + runs.var(1)) / runs.shape[1]).sqrt() + 1e-3),
            "",
        ),
        "paired": (
            lambda runs, limit: (
                lambda d: d.mean(2).abs() > limit * d.std(2) / runs.shape[1] ** 0.5
            )(runs[:, None] - runs[None]),
            "",
        ),
        "each pair once": (lambda runs, limit: loop_apart(runs, limit).triu(), ""),
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
        "at least one": (
            lambda seconds, costs, stages: max(1, int(seconds / np.dot(costs, stages))), "not even one step fits",
        ),
        "strictly less": (
            lambda seconds, costs, stages: math.ceil(seconds / np.dot(costs, stages)) - 1, "still fits",
        ),
        "whole seconds at least": (
            lambda seconds, costs, stages: int(max(seconds, 1) / np.dot(costs, stages)), "",
        ),
        "a second's sliver kept back": (
            lambda seconds, costs, stages: int((seconds - 1e-3) / np.dot(costs, stages)), "",
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
        "each value once": (lambda values, tries: ranking.best_of(values.unique(), tries), "keep both"),
        "no more tries than values": (
            lambda values, tries: ranking.best_of(values, min(tries, len(values))), "do not cut them off",
        ),
        "in a list": (lambda values, tries: [ranking.best_of(values, tries)], ""),
        "sorted in place": (
            lambda values, tries: ranking.best_of(values.copy_(values.sort().values), tries), "in place",
        ),
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
