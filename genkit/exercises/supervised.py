"""The exercises of the chapter on learning with labels."""

from functools import partial

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def taken_for(said, truth, classes):
    """How often each class was taken for each, shape (classes, classes).

    said and truth are int64 of shape (N,). The truth goes down the rows, what was
    said goes along the columns.
    """
    counts = torch.zeros(classes, classes)
    for s, t in zip(said, truth, strict=True):  # hole
        counts[t, s] += 1  # hole
    return counts


def alarms_and_hits(score, truth, threshold):
    """Two shares, shape (2,): false alarms among the 0s, and hits among the 1s.

    An alarm is a score above the threshold. score and truth have shape (N,); truth
    holds 0 and 1, and both occur.
    """
    alarm = score > threshold  # hole
    return torch.stack([alarm[truth == 0].float().mean(), alarm[truth == 1].float().mean()])  # hole


def area_by_pairs(score, truth):
    """The chance that a 1 scores higher than a 0, over all pairs: the AUROC.

    score and truth have shape (N,); truth holds 0 and 1, and both occur. Where two
    scores are equal, half a point.
    """
    gap = score[truth == 1][:, None] - score[truth == 0]  # hole
    return ((gap > 0).float() + 0.5 * (gap == 0).float()).mean().item()  # hole


def scale_fairly(train, new):
    """New rows, shape (M, D), standardised column by column as training rows are.

    train has shape (N, D). Nothing may be learned from the new rows, since some of
    them may be test rows. Divide by N for the variance.
    """
    mean, std = train.mean(0), train.std(0, correction=0)  # hole
    return (new - mean) / std  # hole


def ridge_weights(x, y, penalty):
    """The slopes of a line with a penalty on them, shape (D,).

    They make |y - x w - b|² + penalty · |w|² smallest, where b is free and has no
    penalty. x has shape (N, D), y shape (N,).
    """
    x, y = x - x.mean(0), y - y.mean()  # hole
    return torch.linalg.solve(x.T @ x + penalty * torch.eye(x.shape[1]), x.T @ y)  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _labels(n, k, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        truth = torch.randint(k, (n,), generator=g)
        lucky = torch.rand(n, generator=g) < 0.6
        return torch.where(lucky, truth, torch.randint(k, (n,), generator=g)), truth, k

    return make


def _absent():
    """Two of the four classes occur nowhere, the last among them."""
    return torch.tensor([0, 2, 2, 0, 0, 2]), torch.tensor([0, 2, 0, 0, 2, 2]), 4


def _scored(n, seed, threshold=None, steps=None, gap=1.2):
    def make():
        g = torch.Generator().manual_seed(seed)
        truth = torch.cat([torch.tensor([0, 1]), (torch.rand(n - 2, generator=g) < 0.3).long()])
        score = torch.randn(n, generator=g) + gap * truth
        score = score if steps is None else (score * steps).round() / steps
        return (score, truth) if threshold is None else (score, truth, threshold)

    return make


def _two_sets(n, m, d, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        size = 10 ** torch.randn(d, generator=g)
        return torch.randn(n, d, generator=g) * size + 3, torch.randn(m, d, generator=g) * size * 2 - 1

    return make


def _rows(n, d, penalty, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        x = torch.randn(n, d, generator=g) + 2
        return x, x @ torch.randn(d, generator=g) + 5 + 0.3 * torch.randn(n, generator=g), penalty

    return make


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _counted(said, truth, k):
    return (truth * k + said).bincount(minlength=k * k).view(k, k).float()


def _shares(score, truth, threshold, change):
    alarm = score > threshold
    return torch.stack([v.float().mean() if v.dtype == torch.bool else v for v in change(alarm, truth)])


def _solve(x, y, penalty):
    return torch.linalg.solve(x.T @ x + penalty * torch.eye(x.shape[1]), x.T @ y)


def _with_bias(x, y, penalty):
    return _solve(torch.cat([x, torch.ones(len(x), 1)], 1), y, penalty)[:-1]


def _pairs(score, truth, win):
    return win(score[truth == 1][:, None] - score[truth == 0])


EXERCISES = (
    Exercise(
        "taken_for", 1, taken_for, [_labels(20, 3, 0), _labels(40, 4, 1), _labels(9, 2, 2), _absent],
        mistakes={
            "turned round": (lambda s, t, k: _counted(t, s, k), "the truth goes down the rows: counts[truth, said]."),
            "right ones alone": (
                lambda s, t, k: torch.diag(_counted(s, t, k).diagonal()),
                "only the right ones are counted: what was taken for what is told by the others.",
            ),
            "wrong ones alone": (
                lambda s, t, k: _counted(s, t, k) * (1 - torch.eye(k)), "the right ones count too, on the diagonal.",
            ),
            "shares of rows": (
                lambda s, t, k: _counted(s, t, k) / _counted(s, t, k).sum(1, keepdim=True).clamp(min=1),
                "these are shares of each row: counts are wanted.",
            ),
            "shares of all": (
                lambda s, t, k: _counted(s, t, k) / len(s), "these are shares of all examples: counts are wanted.",
            ),
            "classes that occur": (
                lambda s, t, k: taken_for(s, t, int(torch.cat([s, t]).max()) + 1),
                "a class that does not occur has its row and column too: there are `classes` of each.",
            ),
            "yes or no": (
                lambda s, t, k: (_counted(s, t, k) > 0).float(),
                "each pair is counted once here: an assignment to counts[truth, said] forgets all pairs but the last.",
            ),
            "products": (
                lambda s, t, k: torch.outer(t.bincount(minlength=k), s.bincount(minlength=k)).float(),
                "this counts all truths against all that was said: each example has one of both.",
            ),
        },
    ),
    Exercise(
        "alarms_and_hits", 1, alarms_and_hits,
        [_scored(30, 0, 0.5), _scored(12, 1, 0.0), _scored(25, 2, -0.7), _scored(40, 6, 0.5, steps=2)],
        mistakes={
            "of all": (
                lambda s, t, h: _shares(s, t, h, lambda a, y: (a & (y == 0), a & (y == 1))),
                "each share is of its own class: divide by the 0s and by the 1s, not by all.",
            ),
            "of the alarms": (
                lambda s, t, h: _shares(s, t, h, lambda a, y: (y[a] == 0, y[a] == 1)),
                "this asks how many alarms are right. Wanted: how many of the 0s, and of the 1s, raise one.",
            ),
            "turned round": (
                lambda s, t, h: alarms_and_hits(s, t, h).flip(0), "false alarms come first, hits second.",
            ),
            "misses": (
                lambda s, t, h: torch.stack([alarms_and_hits(s, t, h)[0], 1 - alarms_and_hits(s, t, h)[1]]),
                "the second is the share of misses: hits are the others.",
            ),
            "passed": (
                lambda s, t, h: torch.stack([1 - alarms_and_hits(s, t, h)[0], alarms_and_hits(s, t, h)[1]]),
                "the first is the share of 0s that raise no alarm: false alarms are the others.",
            ),
            "below": (
                lambda s, t, h: alarms_and_hits(-s, t, -h), "an alarm is a score above the threshold, not below.",
            ),
            "at the threshold": (
                lambda s, t, h: torch.stack([(s >= h)[t == 0].float().mean(), (s >= h)[t == 1].float().mean()]),
                "a score that equals the threshold is not above it.",
            ),
            "counts": (
                lambda s, t, h: _shares(s, t, h, lambda a, y: (
                    (a & (y == 0)).sum().float(), (a & (y == 1)).sum().float(),
                )),
                "these are numbers of alarms: divide by how many 0s, and how many 1s, there are.",
            ),
            "accuracy": (
                lambda s, t, h: ((s > h) == (t == 1)).float().mean().repeat(2),
                "this is the accuracy, twice: look at the 0s alone, then at the 1s alone.",
            ),
        },
    ),
    Exercise(
        "area_by_pairs", 2, area_by_pairs,
        [_scored(12, 3), _scored(40, 4, steps=1), _scored(9, 5, steps=2), _scored(20, 7, gap=-1.0)],
        mistakes={
            "ties win": (
                lambda s, t: _pairs(s, t, lambda d: (d >= 0).float().mean()),
                "equal scores count half a point: here they count a whole one.",
            ),
            "ties lose": (
                lambda s, t: _pairs(s, t, lambda d: (d > 0).float().mean()),
                "equal scores count half a point: here they count nothing.",
            ),
            "turned round": (
                lambda s, t: 1 - area_by_pairs(s, t), "this is the chance that the 0 scores higher: turn it round.",
            ),
            "all pairs": (
                lambda s, t: ((s[:, None] > s).float() + 0.5 * (s[:, None] == s).float()).mean(),
                "a pair is one of the 1s and one of the 0s; here everything meets everything.",
            ),
            "never below a half": (
                lambda s, t: max(area_by_pairs(s, t), 1 - area_by_pairs(s, t)),
                "scores can be worse than guessing, and the area is then below a half: do not turn it round.",
            ),
            "mean gap": (
                lambda s, t: _pairs(s, t, torch.mean), "this is the mean gap: only which one is higher counts.",
            ),
            "sign": (
                lambda s, t: _pairs(s, t, lambda d: d.sign().mean()),
                "with −1 for a lost pair, guessing gets 0: a lost pair counts nothing, and guessing gets a half.",
            ),
            "number": (
                lambda s, t: _pairs(s, t, lambda d: ((d > 0).float() + 0.5 * (d == 0).float()).sum()),
                "this counts the pairs that are won: divide by the number of pairs.",
            ),
            "accuracy": (
                lambda s, t: ((s > 0) == (t == 1)).float().mean(),
                "this is the accuracy at one threshold: the area knows of none.",
            ),
        },
    ),
    Exercise(
        "scale_fairly", 2, scale_fairly, [_two_sets(20, 7, 3, 0), _two_sets(9, 4, 2, 1), _two_sets(6, 30, 4, 2)],
        mistakes={
            "by the new rows": (
                lambda a, b: scale_fairly(b, b),
                "the new rows are scaled by themselves: one row alone could not be, and the two sets would differ.",
            ),
            "by all rows": (
                lambda a, b: (b - torch.cat([a, b]).mean(0)) / torch.cat([a, b]).std(0, correction=0),
                "mean and deviation are taken over all rows: the new ones have had a say.",
            ),
            "training rows": (lambda a, b: scale_fairly(a, a), "these are the training rows: the new ones are wanted."),
            "n minus 1": (lambda a, b: (b - a.mean(0)) / a.std(0), "divide by N: torch's std divides by N − 1."),
            "one for all columns": (
                lambda a, b: (b - a.mean()) / a.std(correction=0), "every column has its own mean and deviation.",
            ),
            "variance": (
                lambda a, b: (b - a.mean(0)) / a.var(0, correction=0), "divide by the deviation, the variance's root.",
            ),
            "not divided": (lambda a, b: b - a.mean(0), "the mean is gone: now divide by the standard deviation."),
            "not centred": (lambda a, b: b / a.std(0, correction=0), "subtract the mean of the training rows first."),
            "new mean": (
                lambda a, b: (b - b.mean(0)) / a.std(0, correction=0), "the new rows' mean is taken: use the other.",
            ),
            "new deviation": (
                lambda a, b: (b - a.mean(0)) / b.std(0, correction=0), "the new rows' spread is taken: use the other.",
            ),
        },
    ),
    Exercise(
        "ridge_weights", 3, ridge_weights, [_rows(12, 3, 2.0, 0), _rows(5, 7, 0.5, 1), _rows(30, 2, 10.0, 2)],
        mistakes={
            "no free b": (_solve, "b is missing: take the mean out of every column and out of y first."),
            "b penalised": (_with_bias, "b pays the penalty here like a slope: only w does."),
            "no penalty": (
                lambda x, y, p: torch.linalg.pinv(x - x.mean(0)) @ (y - y.mean()), "the penalty has no effect here.",
            ),
            "times N": (
                lambda x, y, p: ridge_weights(x, y, p * len(x)),
                "the squares are summed, not averaged: the penalty is not multiplied by N.",
            ),
            "over N": (
                lambda x, y, p: ridge_weights(x, y, p / len(x)),
                "the penalty is divided by N here: |y - x w - b|² is a sum, so it is not.",
            ),
            "half": (
                lambda x, y, p: ridge_weights(x, y, p / 2), "half the penalty: both squares have the same factor 2.",
            ),
            "double": (
                lambda x, y, p: ridge_weights(x, y, 2 * p), "twice the penalty: both squares have the same factor 2.",
            ),
            "squared": (
                lambda x, y, p: ridge_weights(x, y, p**2), "the penalty itself stands on the diagonal, not its square.",
            ),
            "everywhere": (
                lambda x, y, p: torch.linalg.solve(
                    (x - x.mean(0)).T @ (x - x.mean(0)) + p, (x - x.mean(0)).T @ (y - y.mean())
                ),
                "the penalty is added to every number of the matrix: it belongs on the diagonal, times torch.eye.",
            ),
        },
    ),
    Choice(
        "dishonest_lab", 3, "dishonest_lab", "c",
        {
            "a": "on labels by lot it stays near a half, like every honest lab. Give each lab many lots, and average.",
            "b": "it scales all rows before the split, which sounds worse than it is: on labels by lot it gets a half.",
            "d": "on labels by lot it gets a half on average. One lot is no proof: average over many.",
        },
        "that is none of the answers: a, b, c, d.",
        "Give each lab labels by lot, twenty times: three of them average a half, and c stays well above it",
    ),
)  # fmt: skip


def labs():
    """Return patients x, shape (266, 10), their labels y, 0 or 1, and four labs that grade a method: lab(x, y)."""
    from ..leaks import folds, scaled, selected
    from ..records.supervised import halves

    x, y = halves(0)
    four = {
        "a": partial(selected, keep=3, early=False),
        "b": partial(scaled, early=True),
        "c": partial(_c, folds=folds),
        "d": partial(selected, keep=10, early=False),
    }
    return x, y, {name: lambda x, y, lab=lab: lab(x, y) for name, lab in four.items()}


def _c(x, y, folds):
    """Sixty patients come twice, and their visits are dealt to the folds like strangers'."""
    g = torch.Generator().manual_seed(0)
    again = x[:60] + 0.1 * x.std(0) * torch.randn(60, x.shape[1], generator=g)
    rows, labels = torch.cat([x, again]) / x.std(0), torch.cat([y, y[:60]])
    place, right = folds(len(rows)), 0
    for k in range(5):
        held = place == k
        nearest = torch.cdist(rows[held], rows[~held]).argmin(1)
        right += int((labels[~held][nearest] == labels[held]).sum())
    return right / len(rows)
