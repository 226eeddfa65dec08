"""The exercises of the chapter on learning without labels."""

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def new_centres(x, labels, k):
    """The mean of every group's points, shape (k, D).

    x has shape (N, D); labels, shape (N,), holds 0 … k − 1, each at least once.
    """
    groups = [x[labels == j] for j in range(k)]  # hole
    return torch.stack([group.mean(0) for group in groups])  # hole


def rule_lift(x, a, b):
    """The lift of the rule "who has item a also has item b".

    x holds 0 and 1, shape (N, items); a and b are numbers of columns.
    """
    both = (x[:, a] * x[:, b]).mean()  # hole
    return (both / (x[:, a].mean() * x[:, b].mean())).item()  # hole


def next_centre(x, centres):
    """How likely each point is to become the next centre, shape (N,).

    A point's probability is proportional to its squared distance from the nearest
    of the centres, shape (K, D), that are there already; x has shape (N, D).
    """
    squares = (x[:, None] - centres).square().sum(2)
    nearest = squares.min(1).values  # hole
    return nearest / nearest.sum()  # hole


def share_lost(x, k):
    """The share of the variance of x, shape (N, D), that k components of PCA lose.

    Squared singular values of the centred rows are variances, up to a factor.
    """
    s = torch.linalg.svdvals(x - x.mean(0))  # hole
    return (s[k:].square().sum() / s.square().sum()).item()  # hole


def adjusted_rand(table):
    """The adjusted Rand index from table, shape (R, C): how many examples are in
    group r by the first grouping and in group c by the second.
    """

    def pairs(n):
        return n * (n - 1) / 2

    both = pairs(table).sum()
    one, other = pairs(table.sum(1)).sum(), pairs(table.sum(0)).sum()
    chance = one * other / pairs(table.sum())  # hole
    most = (one + other) / 2  # hole
    return ((both - chance) / (most - chance)).item()  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _points(n, d, k, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        labels = torch.cat([torch.arange(k), torch.randint(k, (n - k,), generator=g)])
        return 2 * torch.randn(n, d, generator=g) + 1, labels, k

    return make


def _baskets(n, a, b, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        x = (torch.rand(n, 5, generator=g) < torch.tensor([0.5, 0.4, 0.7, 0.3, 0.6])).float()
        x[:3] = 1
        return x, a, b

    return make


def _centres(n, d, k, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return 2 * torch.randn(n, d, generator=g), torch.randn(k, d, generator=g)

    return make


def _cloud(n, d, k, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(n, d, generator=g) * torch.arange(1, d + 1) + 3, k

    return make


def _table(rows):
    return lambda: (torch.tensor(rows, dtype=torch.float32),)


def _pairs(n):
    return n * (n - 1) / 2


def _parts(table):
    both, one, other = (_pairs(v).sum() for v in (table, table.sum(1), table.sum(0)))
    return both, one, other, _pairs(table.sum())


def _means(change):
    def centres(x, labels, k):
        return torch.stack([change(x, labels == j) for j in range(k)])

    return centres


def _squares(x, c):
    return (x[:, None] - c).square().sum(2)


def _share(v):
    return v / v.sum()


def _numbers(mistakes):
    """Let mistakes return plain numbers, so that a reader may write them as numbers or as tensors."""
    return {name: (lambda *given, f=f: float(f(*given)), hint) for name, (f, hint) in mistakes.items()}


def _against(t, most, chance):
    """Less chance above and below, from a table and what two groupings are thought to share."""
    return (_parts(t)[0] - chance) / (most - chance)


def _chance(t):
    return _parts(t)[1] * _parts(t)[2] / _parts(t)[3]


def _values(x, centred=True):
    return torch.linalg.svdvals(x - x.mean(0) if centred else x)


EXERCISES = (
    Exercise(
        "new_centres", 1, new_centres, [_points(9, 2, 3, 0), _points(5, 3, 2, 1), _points(12, 1, 4, 2)],
        mistakes={
            "sums": (_means(lambda x, own: x[own].sum(0)), "these are sums: divide by how many points a group has."),
            "over all": (
                _means(lambda x, own: x[own].sum(0) / len(x)), "divide by the number of the group's own points, not N.",
            ),
            "over k": (
                lambda x, labels, k: _means(lambda x, own: x[own].sum(0) / k)(x, labels, k),
                "k is the number of groups: divide by the number of points in the group.",
            ),
            "one mean": (
                _means(lambda x, own: x.mean(0)), "this is the mean of all points: take those of one label at a time.",
            ),
            "the others": (
                _means(lambda x, own: x[~own].mean(0)), "these are the means of the points outside each group.",
            ),
            "medians": (
                _means(lambda x, own: x[own].median(0).values),
                "the median makes absolute distances small: squared ones are smallest around the mean.",
            ),
            "the first": (
                _means(lambda x, own: x[own][0]), "a centre need not be a point: take the mean of the group.",
            ),
            "middles": (
                _means(lambda x, own: (x[own].amax(0) + x[own].amin(0)) / 2),
                "this is the middle between the extremes: every point counts, so take the mean.",
            ),
            "over the columns": (
                _means(lambda x, own: x[own].mean(1).mean().expand(x.shape[1])),
                "average over the points, axis 0, and keep the columns apart.",
            ),
        },
    ),
    Exercise(
        "rule_lift", 1, rule_lift, [_baskets(12, 0, 1, 0), _baskets(20, 3, 2, 1), _baskets(9, 4, 0, 2)],
        mistakes=_numbers({
            "support": (
                lambda x, a, b: (x[:, a] * x[:, b]).mean(), "this is the support: divide by what chance would give.",
            ),
            "confidence": (
                lambda x, a, b: (x[:, a] * x[:, b]).mean() / x[:, a].mean(),
                "this is the confidence: divide by how common b is anyway.",
            ),
            "confidence back": (
                lambda x, a, b: (x[:, a] * x[:, b]).mean() / x[:, b].mean(),
                "this is the confidence of the rule the other way round; divide by P(a) too.",
            ),
            "counts": (
                lambda x, a, b: (x[:, a] * x[:, b]).sum() / (x[:, a].sum() * x[:, b].sum()),
                "these are counts: with frequencies, the number of baskets N does not cancel.",
            ),
            "difference": (
                lambda x, a, b: (x[:, a] * x[:, b]).mean() - x[:, a].mean() * x[:, b].mean(),
                "this is the leverage, a difference: lift is the ratio of the two.",
            ),
            "either": (
                lambda x, a, b: ((x[:, a] + x[:, b]) > 0).float().mean() / (x[:, a].mean() * x[:, b].mean()),
                "count baskets with both items, not those with either.",
            ),
            "upside down": (
                lambda x, a, b: x[:, a].mean() * x[:, b].mean() / (x[:, a] * x[:, b]).mean(),
                "upside down: what was found stands above, what chance would give below.",
            ),
            "logarithm": (
                lambda x, a, b: ((x[:, a] * x[:, b]).mean() / (x[:, a].mean() * x[:, b].mean())).log(),
                "the logarithm is a good idea, but lift is the ratio itself: independence gives 1, not 0.",
            ),
            "without a": (
                lambda x, a, b: x[x[:, a] == 1][:, b].mean() / x[x[:, a] == 0][:, b].mean(),
                "compare with everybody, not only with those who do not have a.",
            ),
        }),
    ),
    Exercise(
        "next_centre", 2, next_centre, [_centres(6, 2, 2, 0), _centres(4, 3, 3, 1), _centres(9, 1, 1, 2)],
        mistakes={
            "not squared": (
                lambda x, c: _share(_squares(x, c).sqrt().min(1).values), "the squared distance counts, not its root.",
            ),
            "farthest for sure": (
                lambda x, c: (_squares(x, c).min(1).values == _squares(x, c).min(1).values.max()).float(),
                "always taking the farthest point would pick every outlier: give each point its probability.",
            ),
            "from the farthest": (
                lambda x, c: _share(_squares(x, c).max(1).values), "the nearest centre counts: min, not max.",
            ),
            "from all": (
                lambda x, c: _share(_squares(x, c).mean(1)), "not the mean over the centres: the nearest one counts.",
            ),
            "not shares": (
                lambda x, c: _squares(x, c).min(1).values, "probabilities sum to 1: divide by the sum over the points.",
            ),
            "softmax": (
                lambda x, c: _squares(x, c).min(1).values.softmax(0),
                "proportional to the squared distance itself, not to its exponential.",
            ),
            "by centre": (
                lambda x, c: _share(_squares(x, c).min(0).values),
                "one number for each point: take the minimum over the centres, axis 1.",
            ),
            "near ones": (
                lambda x, c: _share(1 / _squares(x, c).min(1).values),
                "upside down: far points shall be likely, so that a group without a centre gets one.",
            ),
            "by the largest": (
                lambda x, c: _squares(x, c).min(1).values / _squares(x, c).min(1).values.max(),
                "divide by the sum of all, not by the largest.",
            ),
        },
    ),
    Exercise(
        "share_lost", 2, share_lost,
        [_cloud(20, 4, 1, 0), _cloud(9, 3, 2, 1), _cloud(30, 6, 3, 2), _cloud(15, 3, 3, 3), _cloud(8, 2, 0, 4)],
        mistakes=_numbers({
            "kept": (
                lambda x, k: _values(x)[:k].square().sum() / _values(x).square().sum(),
                "this is the share that is kept: one minus it is lost.",
            ),
            "not squared": (
                lambda x, k: _values(x)[k:].sum() / _values(x).sum(), "variances are squares of the singular values.",
            ),
            "not centred": (
                lambda x, k: _values(x, False)[k:].square().sum() / _values(x, False).square().sum(),
                "subtract the mean of the rows first: variance is measured from there.",
            ),
            "one too many": (
                lambda x, k: _values(x)[k + 1 :].square().sum() / _values(x).square().sum(),
                "k components are kept: the first one that is lost has index k.",
            ),
            "the largest": (
                lambda x, k: _values(x).flip(0)[k:].square().sum() / _values(x).square().sum(),
                "the largest are kept: svdvals returns them in falling order already.",
            ),
            "squared too late": (
                lambda x, k: (_values(x)[k:].sum() / _values(x).sum()) ** 2, "square first, then add up.",
            ),
            "root": (
                lambda x, k: (_values(x)[k:].square().sum() / _values(x).square().sum()).sqrt(),
                "the root would be a share of lengths: of the variance, no root is taken.",
            ),
            "of what is kept": (
                lambda x, k: _values(x)[k:].square().sum() / _values(x)[:k].square().sum(),
                "a share of all variance: divide by the sum of all, not of those that are kept.",
            ),
            "not divided": (lambda x, k: _values(x)[k:].square().sum(), "divide by the sum of all squares."),
        }),
    ),
    Exercise(
        "adjusted_rand", 3, adjusted_rand,
        [
            _table([[5, 1], [0, 6]]), _table([[3, 2, 1], [1, 4, 2]]), _table([[2, 2], [3, 1], [1, 5]]),
            _table([[9, 0], [0, 3]]),
        ],
        mistakes=_numbers({
            "not adjusted": (
                lambda t: (_parts(t)[3] + 2 * _parts(t)[0] - _parts(t)[1] - _parts(t)[2]) / _parts(t)[3],
                "this is the Rand index itself: chance alone makes it large. Subtract what chance gives.",
            ),
            "pairs in common": (
                lambda t: _parts(t)[0] / _parts(t)[3], "so many pairs are together in both; compare with chance.",
            ),
            "no chance below": (
                lambda t: (_parts(t)[0] - _chance(t)) / ((_parts(t)[1] + _parts(t)[2]) / 2),
                "subtract chance below as well, so that the best possible agreement gives 1.",
            ),
            "smaller": (
                lambda t: _against(t, torch.minimum(_parts(t)[1], _parts(t)[2]), _chance(t)),
                "the most is taken as the mean of the two numbers of pairs, not the smaller one.",
            ),
            "larger": (
                lambda t: _against(t, torch.maximum(_parts(t)[1], _parts(t)[2]), _chance(t)),
                "the most is taken as the mean of the two numbers of pairs, not the larger one.",
            ),
            "no half": (
                lambda t: _against(t, _parts(t)[1] + _parts(t)[2], _chance(t)),
                "the most is half of the sum: the same pair cannot be counted for both groupings.",
            ),
            "chance over examples": (
                lambda t: _against(t, (_parts(t)[1] + _parts(t)[2]) / 2, _parts(t)[1] * _parts(t)[2] / t.sum()),
                "divide by the number of all pairs, pairs(N), not by the number of examples.",
            ),
            "accuracy": (
                lambda t: t.amax(0).sum() / t.sum(),
                "this is purity: it grows with the number of groups, up to 1 where each example is one.",
            ),
            "of all pairs": (
                lambda t: _against(t, _parts(t)[3], _chance(t)),
                "two groupings can share at most as many pairs as they have, not all pairs there are.",
            ),
        }),
    ),
    Choice(
        "drowning", 3, "drowning", 2,
        {
            0: "this column varies about as much as the next one does. Compare all standard deviations.",
            3: "if you counted from 1, count again from 0. If not, compare the standard deviations.",
            4: "this column holds no group, but varies little: it drowns nothing. Compare the standard deviations.",
        },
        "columns are counted from 0 to 5.",
        "Its standard deviation is dozens of times that of any other, so it alone decides every distance",
    ),
    Choice(
        "how_many", 3, "how_many", 4,
        {
            2: "with the loud column left as it is, its two halves look best. Standardise the columns first.",
            3: "two of the groups lie nearer to each other than the rest. What does the silhouette say of one more?",
            5: "one group has been cut in two. What does the silhouette say of one less?",
            6: "there are six columns. How many groups make the silhouette largest?",
        },
        "standardise the columns, group them for 2 … 8 groups, and take the largest silhouette.",
        "Standardised, four groups have the largest silhouette, and a mixture's held-out density stops rising there",
    ),
)  # fmt: skip


def survey(n: int = 320):
    """Return n rows of six measurements, shape (n, 6), of groups that nobody has labelled."""
    g = torch.Generator().manual_seed(11)
    middles = torch.tensor([[2.0, 2, 0, 1.5], [-2, 1.5, 2, 0], [0, -2, -2, 1.5], [1.5, -1, 1.5, -2.5]])
    kind = torch.arange(n) % 4
    told = middles[kind] + 0.6 * torch.randn(n, 4, generator=g)
    loud, idle = 400 * torch.rand(n, 1, generator=g), torch.randn(n, 1, generator=g)
    x = torch.cat([told[:, :2], loud, told[:, 2:3], idle, told[:, 3:]], 1)
    return x[torch.randperm(n, generator=g)]
