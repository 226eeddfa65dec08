"""The exercises of the chapter on the bake-off."""

import math

import torch

from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def ranks_by(values, best):
    """The rank of every value, 1 for the best; equal values share their mean rank.

    values has shape (N,); best is "high" or "low". A value that is NaN stands for a
    model that has no such number: it gets 0, which is no rank, and does not count for
    the others.
    """
    x = values.double() if best == "low" else -values.double()
    before = (x < x[:, None]).sum(1)  # hole
    same = (x == x[:, None]).sum(1)  # hole
    return torch.where(x.isnan(), 0.0, before + (same + 1) / 2)  # hole


def unbeaten(points):
    """Who is beaten by nobody: bool, shape (N,).

    points has shape (N, K), more is better in each column. One row beats another if
    it is at least as good everywhere and better somewhere.
    """
    good = (points[None] >= points[:, None]).all(2)  # hole
    better = (points[None] > points[:, None]).any(2)  # hole
    return ~(good & better).any(1)  # hole


def told_apart(runs, limit):
    """Which pairs of models differ by more than chance: bool, shape (N, N).

    runs has shape (N, S): a number for each of N models and S seeds. A pair is told
    apart if the means differ by more than limit times the standard error of the
    difference.
    """
    mean, error = runs.mean(1), runs.std(1) / runs.shape[1] ** 0.5
    apart = (mean[:, None] - mean).abs()  # hole
    return apart > limit * (error[:, None] ** 2 + error**2).sqrt()  # hole


def steps_for(seconds, costs, stages):
    """How many steps of training fit into so many seconds.

    A model learns in stages, one after another: costs[i] are the seconds of a step in
    stage i, and stages[i] is the share of all steps that stage i gets; the shares add
    up to 1. Returns a whole number: the most steps that do not exceed the seconds.
    """
    mean = sum(c * s for c, s in zip(costs, stages, strict=True))  # hole
    return int(seconds / mean)  # hole


def best_of_tries(values, tries):
    """How good the best of so many tries is on average.

    Each try draws one of the values, shape (N,), evenly and with replacement; more is
    better. Returns a number, exact, without drawing anything.
    """
    x = values.double().sort().values
    share = (torch.arange(len(x) + 1).double() / len(x)) ** tries  # hole
    return (x * share.diff()).sum().item()  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _scores(n, best, levels, missing, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        x = torch.randn(n, generator=g) * 3
        x = (x * levels).round() / levels if levels else x
        x[torch.randperm(n, generator=g)[:missing]] = math.nan
        return x, best

    return make


def _points(n, k, levels, seed):
    def make():
        x = torch.rand(n, k, generator=torch.Generator().manual_seed(seed))
        return ((x * levels).round() / levels if levels else x,)

    return make


def _runs(n, seeds, limit, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        centre, width = torch.randn(n, 1, generator=g), 0.1 + torch.rand(n, 1, generator=g)
        return centre + width * torch.randn(n, seeds, generator=g), limit

    return make


def _tries(n, tries, seed, spread=1.0):
    def make():
        return torch.randn(n, generator=torch.Generator().manual_seed(seed)) * spread - 2, tries

    return make


def _listed(numbers, *more):
    return lambda: (torch.tensor(numbers), *more)


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _place(values, best, *, tie=0.5, first=1.0):
    x = values.double() if best == "low" else -values.double()
    before, same = (x < x[:, None]).sum(1), (x == x[:, None]).sum(1)
    return torch.where(x.isnan(), 0.0, before + tie * (same - 1) + first)


def _filled(values, best, fill):
    return _place(values.nan_to_num(nan=fill), best)


def _beats(points, good, better):
    return ~(good(points[None], points[:, None]) & better(points[None], points[:, None])).any(1)


def _gap(runs, limit, error):
    mean = runs.mean(1)
    return (mean[:, None] - mean).abs() > limit * error(runs)


def _pairwise(e, how=lambda a, b: (a**2 + b**2).sqrt()):
    return how(e[:, None], e)


def _ordered(values, tries, *, least=False, share=None):
    x = values.double().sort(descending=least).values
    i = torch.arange(len(x) + 1).double() / len(x)
    return (x * (i**tries if share is None else share(i, tries)).diff()).sum().item()


EXERCISES = (
    Exercise(
        "ranks_by", 1, ranks_by,
        [
            _scores(5, "high", 0, 0, 0), _scores(6, "low", 0, 0, 1), _scores(9, "high", 1, 0, 2),
            _scores(8, "low", 1, 2, 3), _scores(1, "high", 0, 0, 4), _scores(7, "high", 0, 3, 5),
            _listed([0.3, 2.0, math.nan, 0.30002, 2.0, math.nan, -1.0, 0.3, 2.0], "high"),
        ],
        mistakes={
            "other end": (
                lambda values, best: _place(values, "low" if best == "high" else "high"),
                'best says which end is best: for "high" the largest value has rank 1.',
            ),
            "always high": (
                lambda values, best: _place(values, "high"), 'for "low" the smallest value is the best: look at best.',
            ),
            "from nought": (lambda values, best: _place(values, best, first=0.0), "ranks begin at 1, not at 0."),
            "first of equals": (
                lambda values, best: _place(values, best, tie=0.0),
                "equal values share the mean of their ranks, not the best of them.",
            ),
            "last of equals": (
                lambda values, best: _place(values, best, tie=1.0),
                "equal values share the mean of their ranks, not the worst of them.",
            ),
            "order": (
                lambda values, best: (values if best == "low" else -values).argsort().double() + 1,
                "argsort says which value comes at each place: the place of each value is wanted.",
            ),
            "missing is worst": (
                lambda values, best: _filled(values, best, -math.inf if best == "high" else math.inf),
                "a model without the number is not the worst: it gets no rank, but 0.",
            ),
            "missing is nought": (
                lambda values, best: _filled(values, best, 0.0),
                "a missing number is not the number 0 among others: such a model gets no rank.",
            ),
            "ties broken": (
                lambda values, best: torch.where(
                    values.isnan(), 0.0,
                    (values if best == "low" else -values).argsort(stable=True).argsort(stable=True).double() + 1,
                ),
                "equal values must get the same rank, whatever their order: the mean of their places.",
            ),
            "nearly equal": (
                lambda values, best: _place((values * 1e3).round(), best),
                "only values that are exactly equal share a rank: do not round them.",
            ),
        },
    ),
    Exercise(
        "unbeaten", 2, unbeaten,
        [
            _points(8, 2, 0, 0), _points(12, 3, 0, 1), _points(10, 2, 3, 2), _points(9, 1, 4, 3), _points(16, 2, 2, 4),
            _points(14, 5, 0, 5),
            _listed([[9.0, -4.0], [-4.0, 9.0], [9.0, -4.0], [-2.0, -1.9], [-2.0, -1.90002], [-3.0, -3.0]]),
        ],
        mistakes={
            "worst": (
                lambda points: unbeaten(-points), "these are beaten by everybody's measure: more is better here.",
            ),
            "equals": (
                lambda points: _beats(points, lambda a, b: (a >= b).all(2), lambda a, b: (a >= b).any(2)),
                "nobody beats himself or his equal: one column must be really better.",
            ),
            "strictly": (
                lambda points: _beats(points, lambda a, b: (a > b).all(2), lambda a, b: (a > b).any(2)),
                "it is enough to be better in one column and no worse in the others.",
            ),
            "anywhere": (
                lambda points: _beats(points, lambda a, b: (a > b).any(2), lambda a, b: (a > b).any(2)),
                "to be better somewhere is not enough: it must be no worse everywhere else.",
            ),
            "best somewhere": (
                lambda points: (points == points.max(0).values).any(1),
                "one may be unbeaten without being first in any column.",
            ),
            "sum": (
                lambda points: points.sum(1) == points.sum(1).max(),
                "the sum weighs the columns, which nobody asked for: compare pair by pair.",
            ),
            "beaten": (lambda points: ~unbeaten(points), "these are the ones that are beaten."),
            "one of equals": (
                lambda points: unbeaten(points)
                & torch.tensor([not any(torch.equal(p, q) for q in points[:i]) for i, p in enumerate(points)]),
                "equal rows do not beat each other: both are unbeaten.",
            ),
            "without sign": (
                lambda points: unbeaten(points.abs()),
                "numbers may lie below 0: more is better there, too, so take neither squares nor sizes.",
            ),
        },
    ),
    Exercise(
        "told_apart", 2, told_apart,
        [_runs(6, 3, 2.0, 0), _runs(9, 5, 3.0, 1), _runs(4, 10, 1.0, 2), _runs(12, 2, 2.0, 3),
         _listed([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [1.0, 2.0, 3.0], [0.500244140625] * 3], 2.0)],
        mistakes={
            "deviation": (
                lambda runs, limit: _gap(runs, limit, lambda r: _pairwise(r.std(1))),
                "that is the spread of single runs: the mean of S runs spreads less, by the root of S.",
            ),
            "added": (
                lambda runs, limit: _gap(
                    runs, limit, lambda r: _pairwise(r.std(1) / r.shape[1] ** 0.5, lambda a, b: a + b)
                ),
                "add the squares of the two errors, and take the root.",
            ),
            "larger": (
                lambda runs, limit: _gap(runs, limit, lambda r: _pairwise(r.std(1) / r.shape[1] ** 0.5, torch.maximum)),
                "both errors count: add their squares, and take the root.",
            ),
            "own": (
                lambda runs, limit: _gap(runs, limit, lambda r: (r.std(1) / r.shape[1] ** 0.5)[:, None]),
                "the other mean has an error, too: add the squares of both.",
            ),
            "variance": (
                lambda runs, limit: _gap(
                    runs, limit, lambda r: _pairwise(r.std(1) / r.shape[1] ** 0.5, lambda a, b: a**2 + b**2)
                ),
                "that is the variance of the difference: its root is wanted.",
            ),
            "no root": (
                lambda runs, limit: _gap(runs, limit, lambda r: _pairwise(r.std(1) / r.shape[1])),
                "the standard error is the deviation over the root of S.",
            ),
            "population": (
                lambda runs, limit: _gap(
                    runs, limit, lambda r: _pairwise(r.std(1, correction=0) / r.shape[1] ** 0.5)
                ),
                "with few seeds it matters: divide by S − 1 in the variance.",
            ),
            "one side": (
                lambda runs, limit: (runs.mean(1)[:, None] - runs.mean(1))
                > limit * _pairwise(runs.std(1) / runs.shape[1] ** 0.5),
                "a pair is a pair either way round: take the difference without its sign.",
            ),
            "no limit": (
                lambda runs, limit: _gap(runs, 1.0, lambda r: _pairwise(r.std(1) / r.shape[1] ** 0.5)),
                "the limit is how many standard errors are asked for: it is an argument.",
            ),
            "at least": (
                lambda runs, limit: ~(
                    (runs.mean(1)[:, None] - runs.mean(1)).abs()
                    < limit * _pairwise(runs.std(1) / runs.shape[1] ** 0.5)
                ),
                "more than the limit, not as much: a model without any spread is not told apart from itself.",
            ),
        },
    ),
    Exercise(
        "steps_for", 1, steps_for,
        [
            lambda: (10.0, [0.021], [1.0]), lambda: (7.0, [0.01, 0.043], [0.7, 0.3]),
            lambda: (2.5, [0.002, 0.0113, 0.0049], [0.5, 0.2, 0.3]), lambda: (0.9, [0.3, 0.9], [0.25, 0.75]),
            lambda: (0.5, [0.3, 0.9], [0.25, 0.75]), lambda: (6.0, [0.5, 1.0], [0.5, 0.5]),
        ],
        mistakes={
            "plain mean": (
                lambda seconds, costs, stages: int(seconds / (sum(costs) / len(costs))),
                "the stages do not get equal shares of the steps: weigh each cost by its share.",
            ),
            "mean of rates": (
                lambda seconds, costs, stages: int(sum(seconds * s / c for c, s in zip(costs, stages, strict=True))),
                "this gives each stage its share of the seconds: the shares are of the steps.",
            ),
            "first": (lambda seconds, costs, stages: int(seconds / costs[0]), "later stages cost something, too."),
            "dearest": (
                lambda seconds, costs, stages: int(seconds / max(costs)),
                "not every step is as dear as the dearest: average over the stages.",
            ),
            "sum": (
                lambda seconds, costs, stages: int(seconds / sum(costs)),
                "a step belongs to one stage, not to all of them: average, weighted by the shares.",
            ),
            "rounded up": (
                lambda seconds, costs, stages: math.ceil(
                    seconds / sum(c * s for c, s in zip(costs, stages, strict=True))
                ),
                "that takes longer than the seconds: round down.",
            ),
            "not whole": (
                lambda seconds, costs, stages: seconds / sum(c * s for c, s in zip(costs, stages, strict=True)),
                "there are no parts of steps: return a whole number.",
            ),
            "at least one": (
                lambda seconds, costs, stages: max(1, steps_for(seconds, costs, stages)),
                "where not even one step fits, the answer is 0.",
            ),
            "strictly less": (
                lambda seconds, costs, stages: (
                    math.ceil(seconds / sum(c * s for c, s in zip(costs, stages, strict=True))) - 1
                ),
                "seconds that are used up to the last are not exceeded: that step still fits.",
            ),
            "nearest": (
                lambda seconds, costs, stages: round(
                    seconds / sum(c * s for c, s in zip(costs, stages, strict=True))
                ),
                "that takes longer than the seconds: round down.",
            ),
        },
    ),
    Exercise(
        "best_of_tries", 3, best_of_tries,
        [_tries(5, 1, 0), _tries(4, 2, 1), _tries(12, 7, 2, 3.0), _tries(1, 4, 3), _tries(30, 20, 4),
         _listed([2.0, -1.0, -1.0, 0.5, -1.0], 7)],
        mistakes={
            "maximum": (
                lambda values, tries: values.max().item(),
                "the best of a few tries is seldom the best of all values.",
            ),
            "mean": (lambda values, tries: values.mean().item(), "that is the average of one try: the best is wanted."),
            "worst": (
                lambda values, tries: _ordered(values, tries, least=True),
                "this is the worst of the tries: sort the other way.",
            ),
            "one try more": (
                lambda values, tries: _ordered(values, tries + 1), "this is the best of one try more: mind the power.",
            ),
            "one try less": (
                lambda values, tries: _ordered(values, max(1, tries - 1)),
                "this is the best of one try less: mind the power.",
            ),
            "without replacement": (
                lambda values, tries: (
                    _ordered(
                        values, tries,
                        share=lambda i, n: torch.tensor(
                            [
                                math.comb(k, min(n, len(values))) / math.comb(len(values), min(n, len(values)))
                                for k in range(len(values) + 1)
                            ]
                        ).double(),
                    )
                ),
                "that draws without replacement: a value may come up twice.",
            ),
            "unsorted": (
                lambda values, tries: (
                    values.double() @ (torch.arange(len(values) + 1).double() / len(values)).pow(tries).diff()
                ).item(),
                "the formula wants the values in order: sort them first.",
            ),
            "each value once": (
                lambda values, tries: _ordered(values.unique(), tries),
                "a value that stands there twice is drawn twice as often: keep both.",
            ),
            "no more tries than values": (
                lambda values, tries: _ordered(values, min(tries, len(values))),
                "there may be more tries than values, for each is put back: do not cut them off.",
            ),
            "cumulative": (
                lambda values, tries: (
                    (values.double().sort().values * (torch.arange(1, len(values) + 1).double() / len(values)) ** tries)
                    .sum().item()
                ),
                "that power is the chance of at most this value: take differences for the chance of just this one.",
            ),
        },
    ),
)  # fmt: skip
