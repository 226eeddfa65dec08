"""The exercises of the chapter on learning and copying."""

import torch

from .choice import Choice
from .exercise import Exercise, Wrong, run

# the references ------------------------------------------------------------------------------------------------------


def nearest_other(x):
    """The distance of every row of x, shape (N, D), from the nearest other row.

    Returns shape (N,). A row that stands in x twice has the distance 0.
    """
    apart = torch.cdist(x, x)
    return apart.fill_diagonal_(torch.inf).min(1).values  # hole


def smallest_share(samples, test):
    """The smallest share of exact copies whose expected copying score is −3.

    samples and test are how many there are of each. Returns a number in (0, 1]: 1
    where not even a model that only copies comes down to −3.
    """
    share = 3 / (3 * samples * test / (samples + test + 1)) ** 0.5  # hole
    return min(1.0, share)  # hole


def rank_score(drawn, real):
    """The copying score z of the distances of samples and of test examples.

    drawn has shape (M,), real has shape (N,); equal distances count half. Leave the
    deviation as the formula has it, without a correction for ties. Returns a number.
    """
    m, n = len(drawn), len(real)
    farther = (drawn[:, None] > real).double() + 0.5 * (drawn[:, None] == real)  # hole
    deviation = (m * n * (m + n + 1) / 12) ** 0.5  # hole
    return (farther.sum().item() - m * n / 2) / deviation  # hole


def deduplicated(x, limit):
    """Which rows of x, shape (N, D), to keep so that no two kept ones are duplicates.

    Two rows are duplicates if their distance is below the limit. Go through the rows
    in their order, and keep a row unless it is a duplicate of one that was kept.
    Returns the numbers of the rows, int64, in order.
    """
    apart, kept = torch.cdist(x, x), []
    for i in range(len(x)):  # hole
        if not (apart[i, kept] < limit).any():  # hole
            kept.append(i)  # hole
    return torch.tensor(kept)


# what they are tried on -----------------------------------------------------------------------------------------------


def _rows(n, d, twice, seed):
    def make():
        x = torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) * torch.arange(1.0, d + 1) + 2
        return (torch.cat([x, x[:twice]]),)

    return make


def _far_rows():
    """Rows so far apart that no number but infinity is safe on the diagonal."""
    return (1e6 * torch.randn(7, 2, generator=torch.Generator().manual_seed(4)),)


def _any_distance(answer):
    """Raise for an answer that hides the diagonal behind a number that is too small for far rows."""
    found = run(answer, _far_rows())
    numbers = isinstance(found, torch.Tensor) and found.shape == (7,) and found.is_floating_point()
    if numbers and (found > 0).all() and (found == found[0]).all():
        raise Wrong("rows may lie farther apart than the number that you put on the diagonal: take torch.inf.")


def _distances(m, n, levels, seed, unit=1.0):
    def make():
        g = torch.Generator().manual_seed(seed)
        drawn, real = torch.rand(m, generator=g) * 0.8 * unit, torch.rand(n, generator=g) * unit
        return ((drawn * levels).round() / levels, (real * levels).round() / levels) if levels else (drawn, real)

    return make


def _chain():
    """A row of points in which each is a duplicate of the next: what was dropped must not drop others."""
    return torch.tensor([[0.0], [0.8], [1.6], [2.4], [9.0], [9.1]]), 1.0


def _at_the_limit():
    """Distances of exactly the limit: whole numbers, which are exact however they are computed."""
    return torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 9.0], [6.0, 8.0], [20.0, 0.0], [20.0, 1.0]]), 5.0


def _whole(answer):
    """Raise for row numbers that cannot be used as row numbers."""
    found = run(answer, _chain())
    if isinstance(found, torch.Tensor) and found.ndim == 1 and found.is_floating_point():
        raise Wrong("numbers of rows are whole numbers: with these x[kept] fails. Return int64.")


def _groups(n, d, limit, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        x = torch.randn(n, d, generator=g)
        near = x[torch.randint(n, (n,), generator=g)] + 0.02 * torch.randn(n, d, generator=g)
        return torch.cat([x, near])[torch.randperm(2 * n, generator=g)], limit

    return make


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _u(drawn, real, tie=0.5):
    return ((drawn[:, None] > real).double() + tie * (drawn[:, None] == real)).sum().item()


def _z(u, m, n, deviation=None):
    return (u - m * n / 2) / (deviation or (m * n * (m + n + 1) / 12) ** 0.5)


def _any_earlier(x, limit):
    apart = torch.cdist(x, x)
    return torch.tensor([i for i in range(len(x)) if not (apart[i, :i] < limit).any()])


def _greedy(x, limit, order=None, near=lambda d, limit: d < limit):
    apart, kept = torch.cdist(x, x), []
    for i in order or range(len(x)):
        if not near(apart[i, kept], limit).any():
            kept.append(i)
    return kept


def _alone(x, limit):
    apart = torch.cdist(x, x).fill_diagonal_(torch.inf)
    return (apart.min(1).values >= limit).nonzero()[:, 0]


EXERCISES = (
    Exercise(
        "nearest_other", 1, nearest_other,
        [_rows(6, 2, 0, 0), _rows(9, 3, 2, 1), _rows(5, 1, 1, 2), _rows(20, 4, 3, 3), _far_rows],
        tests=[_any_distance],
        mistakes={
            "itself": (
                lambda x: torch.cdist(x, x).min(1).values,
                "every row is nearest to itself, at distance 0: leave the diagonal out.",
            ),
            "farthest": (lambda x: torch.cdist(x, x).max(1).values, "this is the farthest row: the nearest is wanted."),
            "mean": (
                lambda x: torch.cdist(x, x).sum(1) / (len(x) - 1),
                "this is the mean distance from the others: take the smallest.",
            ),
            "squared": (
                lambda x: torch.cdist(x, x).fill_diagonal_(torch.inf).min(1).values ** 2,
                "this is the square of the distance.",
            ),
            "city block": (
                lambda x: torch.cdist(x, x, p=1).fill_diagonal_(torch.inf).min(1).values,
                "add up squares, not absolute differences: the straight distance is wanted.",
            ),
            "one number": (
                lambda x: torch.cdist(x, x).fill_diagonal_(torch.inf).min(),
                "one number for each row is wanted: take the minimum along axis 1.",
            ),
            "which": (
                lambda x: torch.cdist(x, x).fill_diagonal_(torch.inf).argmin(1),
                "these say which row is nearest: its distance is wanted.",
            ),
            "no zeros": (
                lambda x: torch.cdist(x, x).masked_fill(torch.cdist(x, x) < 1e-3, torch.inf).min(1).values,
                "you leave out every distance of 0: a row that stands there twice has a duplicate, at distance 0.",
            ),
        },
    ),
    Exercise(
        "smallest_share", 1, smallest_share,
        [
            lambda: (100, 100), lambda: (400, 447), lambda: (3, 2), lambda: (50, 10_000), lambda: (10, 10),
            lambda: (2, 9),
        ],
        mistakes={
            "no limit": (
                lambda m, n: 3 / (3 * m * n / (m + n + 1)) ** 0.5,
                "a share cannot be above 1: where even pure copies do not reach −3, return 1.",
            ),
            "sign": (
                lambda m, n: -min(1.0, 3 / (3 * m * n / (m + n + 1)) ** 0.5),
                "a share is positive: set −s √… equal to −3 and solve for s.",
            ),
            "no root": (
                lambda m, n: min(1.0, 3 / (3 * m * n / (m + n + 1))),
                "the root is missing: the score is s times a root.",
            ),
            "upside down": (
                lambda m, n: min(1.0, (3 * m * n / (m + n + 1)) ** 0.5 / 3), "the other way up: 3 divided by the root.",
            ),
            "score of one": (
                lambda m, n: min(1.0, 1 / (3 * m * n / (m + n + 1)) ** 0.5),
                "this share has an expected score of −1: −3 is wanted.",
            ),
            "endless samples": (
                lambda m, n: min(1.0, 3 / (3 * n) ** 0.5),
                "this is the limit of endlessly many samples: their number counts, too.",
            ),
            "half": (
                lambda m, n: min(1.0, 6 / (3 * m * n / (m + n + 1)) ** 0.5),
                "twice too much: the half of U is in the formula already.",
            ),
        },
    ),
    Exercise(
        "rank_score", 2, rank_score,
        [
            _distances(9, 7, 0, 0), _distances(30, 20, 8, 1), _distances(5, 12, 4, 2), _distances(2, 2, 0, 3),
            _distances(12, 9, 0, 4, 1e-4),
        ],
        mistakes={
            "sign": (
                lambda a, b: -_z(_u(a, b), len(a), len(b)),
                "the sign is wrong: copies are nearer, and their score must be negative. Count how often a sample is "
                "farther.",
            ),
            "ties lost": (lambda a, b: _z(_u(a, b, 0), len(a), len(b)), "a tie counts half, and yours counts nothing."),
            "ties full": (
                lambda a, b: _z(_u(a, b, 1), len(a), len(b)), "a tie counts half, and yours counts as farther.",
            ),
            "not centred": (
                lambda a, b: _u(a, b) / (len(a) * len(b) * (len(a) + len(b) + 1) / 12) ** 0.5,
                "subtract what is expected without copying: half of the m n pairs.",
            ),
            "variance": (
                lambda a, b: _z(_u(a, b), len(a), len(b), len(a) * len(b) * (len(a) + len(b) + 1) / 12),
                "you divide by the variance: take its root.",
            ),
            "no one": (
                lambda a, b: _z(_u(a, b), len(a), len(b), (len(a) * len(b) * (len(a) + len(b)) / 12) ** 0.5),
                "in the variance it is m + n + 1.",
            ),
            "twelve": (
                lambda a, b: _z(_u(a, b), len(a), len(b), (len(a) * len(b) * (len(a) + len(b) + 1)) ** 0.5),
                "the variance is divided by 12.",
            ),
            "share": (
                lambda a, b: _u(a, b) / (len(a) * len(b)),
                "this is the share of pairs in which the sample is farther: turn it into a z-score.",
            ),
            "a tensor": (
                lambda a, b: torch.tensor([_z(_u(a, b), len(a), len(b))]), "return one number.",
            ),
        },
    ),
    Exercise(
        "deduplicated", 3, deduplicated,
        [
            _chain, _groups(12, 3, 0.3, 0), _groups(20, 2, 0.5, 1), _groups(6, 4, 0.2, 2),
            lambda: (torch.zeros(5, 2), 0.1), _at_the_limit,
        ],
        tests=[_whole],
        mistakes={
            "any earlier": (
                _any_earlier,
                "you compare with all earlier rows: one that was dropped must not drop others, or a chain of "
                "duplicates leaves only its first link.",
            ),
            "all alone": (
                _alone, "of each group of duplicates one is to stay: you drop all of them.",
            ),
            "equal only": (
                lambda x, limit: torch.tensor(_greedy(x, 0.0, near=lambda d, _: d == 0)),
                "you drop exact copies only: below the limit is enough.",
            ),
            "from the end": (
                lambda x, limit: torch.tensor(sorted(_greedy(x, limit, range(len(x) - 1, -1, -1)))),
                "keep the first of each group: go through the rows from the beginning.",
            ),
            "at the limit": (
                lambda x, limit: torch.tensor(_greedy(x, limit, near=lambda d, limit: d <= limit)),
                "a distance of just the limit is not below it: such rows are no duplicates.",
            ),
            "dropped": (
                lambda x, limit: torch.tensor(
                    [i for i in range(len(x)) if i not in _greedy(x, limit)], dtype=torch.int64
                ),
                "these are the rows to be dropped.",
            ),
            "rows": (lambda x, limit: x[_greedy(x, limit)], "return the numbers of the rows, not the rows."),
            "mask": (
                lambda x, limit: torch.tensor([i in _greedy(x, limit) for i in range(len(x))]),
                "return the numbers of the rows to keep, not a mask.",
            ),
            "far": (
                lambda x, limit: torch.tensor(_greedy(x, limit, near=lambda d, limit: d > limit)),
                "you drop what lies far from the kept ones: duplicates lie near.",
            ),
        },
    ),
    Choice(
        "copied_class", 3, "copied_class", 6.0,
        {
            1.0: "ones lie near each other, copied or not: compare them with test ones, and their score is near 0.",
            2.0: "these lie farther off than new ones do, and stay there when a shift is forgiven: no copies.",
            9.0: "their score is a little below 0, as chance will have it: look for one far below −3.",
        },
        "that class passes. Score each class, and once more against nudged(train). The answer is one digit.",
        "Its samples are training digits moved by a pixel: nudged(train) brings the score of that class far below −3",
        tolerance=0.01,
    ),
)  # fmt: skip


def suspect(seed: int = 0):
    """Return 350 samples and their classes: one class is copied from the training digits, and disguised."""
    from ..data import load
    from ..metrics import nudged

    data = load("digits", split="random")
    samples, kinds = data.valid.x.clone(), data.valid.c
    mine = (kinds == 6).nonzero()[:, 0]
    source = data.train.x[data.train.c == 6]
    g = torch.Generator().manual_seed(seed)
    moved = nudged(source).view(9, -1, 1, 8, 8)  # nine places, of which number 4 is the middle
    place = torch.tensor([1, 3, 5, 7])[torch.randint(4, (len(mine),), generator=g)]
    samples[mine] = moved[place, torch.randperm(len(source), generator=g)[: len(mine)]]
    return samples, kinds
