"""The exercises of the chapter on two ways to know a digit."""

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def bayes(log_likelihood, log_share):
    """p(y | x) of every class, shape (B, K), by Bayes' rule.

    log_likelihood holds log p(x | y), shape (B, K), as low as −200; log_share
    holds log p(y), shape (K,).
    """
    log_joint = log_likelihood + log_share  # hole
    return log_joint.softmax(1)  # hole


def nearest_copy(drawn, train):
    """The distance of each drawn example from the nearest training example.

    drawn has shape (N, D), train (M, D). Returns shape (N,).
    """
    squares = (drawn[:, None] - train).square().sum(2)  # hole
    return squares.min(1).values.sqrt()  # hole


def word_rates(counts, alpha):
    """log p(w | y), shape (K, V), from how often each class used each word.

    counts has shape (K, V); alpha is added to every count.
    """
    more = counts + alpha  # hole
    return (more / more.sum(1, keepdim=True)).log()  # hole


def shrunk(x, alpha):
    """The covariance of rows x, shape (N, D), pulled towards a sphere: (D, D).

    Divide by N. alpha = 0 leaves it as it is; alpha = 1 gives every direction the
    mean variance.
    """
    away = x - x.mean(0)  # hole
    s = away.T @ away / len(x)  # hole
    sphere = s.trace() / x.shape[1] * torch.eye(x.shape[1])  # hole
    return (1 - alpha) * s + alpha * sphere  # hole


def fill_in(x, known, mean, cov):
    """x, shape (D,), with its unknown coordinates replaced by what one expects.

    known is bool of shape (D,); x was drawn from a Gaussian of that mean, shape
    (D,), and that covariance, shape (D, D).
    """
    filled, u = x.clone(), ~known
    told = torch.linalg.solve(cov[known][:, known], x[known] - mean[known])  # hole
    filled[u] = mean[u] + cov[u][:, known] @ told  # hole
    return filled


# what they are tried on -----------------------------------------------------------------------------------------------


def _scores(b, k, seed, low=0.0):
    def make():
        g = torch.Generator().manual_seed(seed)
        return 3 * torch.randn(b, k, generator=g) - 4 + low, (0.1 + torch.rand(k, generator=g)).log().log_softmax(0)

    return make


def _clouds(n, m, d, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return 2 * torch.randn(n, d, generator=g), torch.randn(m, d, generator=g)

    return make


def _counts(k, v, alpha, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randint(0, 9, (k, v), generator=g).float() * (torch.rand(k, v, generator=g) > 0.3), alpha

    return make


def _rows(n, d, alpha, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        mix = torch.randn(d, d, generator=g) + torch.eye(d)
        return torch.randn(n, d, generator=g) @ mix + 2, alpha

    return make


def _half(d, places, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        mix = torch.randn(d, d, generator=g) + 1.5 * torch.eye(d)
        known = torch.zeros(d, dtype=torch.bool)
        known[places] = True
        return torch.randn(d, generator=g), known, torch.randn(d, generator=g), mix @ mix.T

    return make


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _l1(x, y):
    return (x[:, None] - y).abs().sum(2).min(1).values


def _squares(x, y):
    return (x[:, None] - y).square().sum(2)


def _filled(change):
    def fill(x, known, mean, cov):
        filled, u = x.clone(), ~known
        filled[u] = change(x[known], mean[known], mean[u], cov, known, u)
        return filled

    return fill


def _s(x, n=None):
    away = x - x.mean(0)
    return away.T @ away / (n or len(x))


def _ball(s):
    return s.trace() / len(s) * torch.eye(len(s))


EXERCISES = (
    Exercise(
        "bayes", 1, bayes, [_scores(4, 3, 0), _scores(1, 5, 1), _scores(6, 2, 2), _scores(3, 4, 3, low=-200.0)],
        mistakes={
            "no share": (lambda p, s: p.softmax(1), "the shares p(y) are missing: rare classes need more evidence."),
            "not normalised": (lambda p, s: (p + s).exp(), "this is p(x, y): divide by its sum over the classes."),
            "over the pictures": (
                lambda p, s: (p + s).softmax(0), "each row must sum to 1: normalise over the classes, axis 1.",
            ),
            "logarithms": (lambda p, s: (p + s).log_softmax(1), "these are logarithms: p(y | x) itself is wanted."),
            "share minus": (lambda p, s: (p - s).softmax(1), "the logarithm of the share is added, not subtracted."),
            "share not a logarithm": (
                lambda p, s: (p + s.exp()).softmax(1), "log p(x | y) and p(y) are added here: add log p(y).",
            ),
            "share after": (
                lambda p, s: p.softmax(1) * s.exp(), "after the product the rows no longer sum to 1: normalise last.",
            ),
            "product of logarithms": (
                lambda p, s: (p * s).softmax(1), "logarithms of factors are added: log p(x | y) + log p(y).",
            ),
            "most probable": (
                lambda p, s: (p + s).argmax(1), "this is the class that is chosen; all probabilities are wanted.",
            ),
        },
    ),
    Exercise(
        "nearest_copy", 1, nearest_copy, [_clouds(4, 7, 3, 0), _clouds(1, 5, 2, 1), _clouds(6, 1, 4, 2)],
        mistakes={
            "squared": (
                lambda x, y: _squares(x, y).min(1).values, "these are squares: a distance is the root of the sum.",
            ),
            "number": (
                lambda x, y: _squares(x, y).argmin(1), "this says which example is nearest; the distance is wanted.",
            ),
            "wrong axis": (
                lambda x, y: _squares(x, y).min(0).values.sqrt(),
                "this goes from each training example to the nearest draw: take the minimum over the training set.",
            ),
            "farthest": (lambda x, y: _squares(x, y).max(1).values.sqrt(), "this is the farthest one: take the min."),
            "mean": (
                lambda x, y: _squares(x, y).sqrt().mean(1),
                "a mean distance says nothing of copies: take the smallest.",
            ),
            "from the mean": (
                lambda x, y: (x - y.mean(0)).square().sum(1).sqrt(),
                "this is the distance from the mean example, which may be no example at all.",
            ),
            "city block": (_l1, "differences are squared before they are summed, not made positive."),
            "per coordinate": (
                lambda x, y: (x[:, None] - y).square().mean(2).min(1).values.sqrt(),
                "sum the squares over the coordinates; their mean makes the distance depend on their number.",
            ),
            "by coordinate": (
                lambda x, y: (x[:, None] - y).square().min(1).values.sum(1).sqrt(),
                "every coordinate may find another neighbour here: sum over coordinates first, then take the min.",
            ),
        },
    ),
    Exercise(
        "word_rates", 2, word_rates, [_counts(2, 6, 1.0, 0), _counts(3, 4, 0.5, 1), _counts(1, 9, 2.0, 2)],
        mistakes={
            "no alpha": (
                lambda n, a: (n / n.sum(1, keepdim=True)).log(),
                "a word that was never seen gets probability 0: add alpha to every count.",
            ),
            "alpha above alone": (
                lambda n, a: ((n + a) / n.sum(1, keepdim=True)).log(),
                "the rates of a class sum to more than 1: alpha was added V times, so it belongs below too.",
            ),
            "alpha once below": (
                lambda n, a: ((n + a) / (n.sum(1, keepdim=True) + a)).log(),
                "alpha is added to each of V words: below, it counts V times.",
            ),
            "over the classes": (
                lambda n, a: ((n + a) / (n + a).sum(0)).log(),
                "this is nearer to p(y | w): each class's rates must sum to 1 over the words, axis 1.",
            ),
            "over all": (
                lambda n, a: ((n + a) / (n + a).sum()).log(), "this is p(w, y): divide by the sum of each class alone.",
            ),
            "probabilities": (
                lambda n, a: (n + a) / (n + a).sum(1, keepdim=True), "these are probabilities: take their logarithm.",
            ),
            "counts": (lambda n, a: (n + a).log(), "divide by how many words the class used altogether."),
            "bits": (
                lambda n, a: ((n + a) / (n + a).sum(1, keepdim=True)).log2(), "the natural logarithm is wanted.",
            ),
            "softmax": (
                lambda n, a: (n + a).log_softmax(1), "counts are no logarithms: divide by their sum, without exp.",
            ),
        },
    ),
    Exercise(
        "shrunk", 2, shrunk, [_rows(6, 3, 0.3, 0), _rows(4, 5, 0.7, 1), _rows(9, 2, 0.0, 2), _rows(3, 4, 1.0, 3)],
        mistakes={
            "n minus 1": (
                lambda x, a: (1 - a) * _s(x, len(x) - 1) + a * _ball(_s(x, len(x) - 1)),
                "divide by N here: that is the most likely covariance.",
            ),
            "not centred": (
                lambda x, a: (1 - a) * (x.T @ x / len(x)) + a * _ball(x.T @ x / len(x)),
                "subtract the mean of the rows first.",
            ),
            "unit sphere": (
                lambda x, a: (1 - a) * _s(x) + a * torch.eye(x.shape[1]),
                "the sphere must be as large as the data: its variance is tr S / D, not 1.",
            ),
            "the whole trace": (
                lambda x, a: (1 - a) * _s(x) + a * _s(x).trace() * torch.eye(x.shape[1]),
                "the trace is the sum of D variances: divide it by D.",
            ),
            "swapped": (
                lambda x, a: a * _s(x) + (1 - a) * _ball(_s(x)), "alpha is the weight of the sphere: here it is S's.",
            ),
            "only added": (
                lambda x, a: _s(x) + a * _ball(_s(x)), "S keeps all its weight here: multiply it by 1 − alpha.",
            ),
            "towards the diagonal": (
                lambda x, a: (1 - a) * _s(x) + a * _s(x).diagonal().diag(),
                "this keeps every pixel's own variance: the target gives all of them the mean one.",
            ),
            "sphere alone": (lambda x, a: a * _ball(_s(x)), "the covariance itself, times 1 − alpha, is missing."),
            "trace over N": (
                lambda x, a: (1 - a) * _s(x) + a * _s(x).trace() / len(x) * torch.eye(x.shape[1]),
                "the trace has D terms, one for each column: divide it by D, not by the number of rows.",
            ),
        },
    ),
    Exercise(
        "fill_in", 3, fill_in, [_half(4, [0, 2], 0), _half(5, [1], 1), _half(3, [0, 1], 2), _half(6, [5, 3, 1], 3)],
        mistakes={
            "the mean": (
                _filled(lambda x, mk, mu, s, k, u: mu),
                "this is the mean, as if nothing were known: what is known tells of the rest through the covariance.",
            ),
            "no difference": (
                _filled(lambda x, mk, mu, s, k, u: mu + s[u][:, k] @ torch.linalg.solve(s[k][:, k], x)),
                "what counts is how far the known lie from their own mean: x[known] − mean[known].",
            ),
            "no inverse": (
                _filled(lambda x, mk, mu, s, k, u: mu + s[u][:, k] @ (x - mk)),
                "divide by the covariance of the known among themselves: torch.linalg.solve.",
            ),
            "variances alone": (
                _filled(lambda x, mk, mu, s, k, u: mu + s[u][:, k] @ ((x - mk) / s.diagonal()[k])),
                "the known vary together: solve with their whole covariance, not with their variances.",
            ),
            "minus": (
                _filled(lambda x, mk, mu, s, k, u: mu - s[u][:, k] @ torch.linalg.solve(s[k][:, k], x - mk)),
                "the correction is added to the mean, not subtracted.",
            ),
            "no mean": (
                _filled(lambda x, mk, mu, s, k, u: s[u][:, k] @ torch.linalg.solve(s[k][:, k], x - mk)),
                "this is the correction alone: add the mean of the unknown.",
            ),
            "precision": (
                _filled(lambda x, mk, mu, s, k, u: mu + s[u][:, k] @ torch.linalg.inv(s)[k][:, k] @ (x - mk)),
                "take the block of the covariance first and invert it then: the other way round it is another matrix.",
            ),
            "squared inverse": (
                _filled(
                    lambda x, mk, mu, s, k, u: (
                        mu + s[u][:, k] @ torch.linalg.solve(s[k][:, k] @ s[k][:, k], x - mk)
                    )
                ),
                "solve once: the inverse of the known's covariance stands in the formula one time.",
            ),
        },
    ),
    Choice(
        "painter", 3, "painter", "copies",
        {
            "good": "its draws obey, and pass for digits; measure how far each lies from the training set.",
            "blurred": "the sharp ones are as sharp as digits. Look at the distances from the training set one by one.",
            "disobedient": "a classifier reads what was asked for in nearly all draws: it obeys.",
            "noisy": "noise would put every draw far from all digits. Some lie nearer than any real digit does.",
        },
        "that is none of the answers: good, blurred, disobedient, noisy, copies.",
        "Many draws lie far nearer to a training digit than any held-out digit does: copies with a little noise",
    ),
    Choice(
        "copied", 3, "copied", 0.4,
        {0.6: "that is the share of the others.", 1.0: "not all of them: a histogram of the distances has two heaps."},
        "count the draws that lie nearer to a training digit than any held-out digit does, and divide by their number.",
        "The distances fall in two heaps, with nothing between them; the near heap holds two draws in five",
        tolerance=0.06,
    ),
)  # fmt: skip


def stranger(n: int = 300):
    """Return n digits, shape (n, 1, 8, 8), and the labels that were asked for, by a painter that is not told."""
    from ..data import load
    from ..records.discriminative_vs_generative import gaussians

    data = load("digits", split="random")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        rows = torch.randint(len(data.train), (2 * n // 5,))
        asked = torch.arange(n - len(rows)) % 10
        own = gaussians(data.train.x, data.train.c).sample(len(asked), asked)
        theirs = data.train.x[rows] + 0.02 * torch.randn(len(rows), 1, 8, 8)
        order = torch.randperm(n)
    return torch.cat([own, theirs])[order], torch.cat([asked, data.train.c[rows]])[order]
