"""The exercises of the chapter on metrics."""

import math

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def class_score(p):
    """The Inception score, a number as a tensor, from p(y | x) of samples, (N, K).

    Some probabilities are exactly 0.
    """
    share = p.mean(0)  # hole
    own = torch.special.xlogy(p, p).sum(1)  # hole
    return (own - torch.special.xlogy(p, share).sum(1)).mean().exp()  # hole


def votes_interval(right, n, z):
    """Wilson's interval for right of n votes: a tensor of shape (2,), low and high."""
    p = right / n  # hole
    middle = p + z**2 / (2 * n)  # hole
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))  # hole
    return torch.tensor([middle - half, middle + half]) / (1 + z**2 / n)  # hole


def covered(real, samples, k):
    """The share of real points whose ball holds a sample, a number as a tensor.

    real has shape (N, D), samples (M, D). A ball reaches to the k-th nearest other
    point of its own set.
    """
    apart = torch.cdist(real, real).fill_diagonal_(math.inf)  # hole
    radius = apart.sort(1).values[:, k - 1]  # hole
    return (torch.cdist(real, samples).min(1).values <= radius).float().mean()  # hole


def to_the_limit(sizes, values):
    """What values measured at sizes come to for endless samples, a tensor ().

    Both have shape (S,). Fit value = limit + c / size by least squares.
    """
    x = 1 / sizes  # hole
    slope = ((x - x.mean()) * (values - values.mean())).sum() / (x - x.mean()).square().sum()  # hole
    return values.mean() - slope * x.mean()  # hole


def two_samples(aa, bb, ab):
    """The squared maximum mean discrepancy without bias, a number as a tensor.

    aa, (N, N), holds the kernel of all pairs of the first set, bb, (M, M), that of
    the second, ab, (N, M), that between them.
    """
    n, m = ab.shape  # hole
    own = (aa.sum() - aa.trace()) / (n * (n - 1))  # hole
    other = (bb.sum() - bb.trace()) / (m * (m - 1))  # hole
    return own + other - 2 * ab.mean()  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _probabilities(n, k, seed, sharp=1.0):
    def make():
        g = torch.Generator().manual_seed(seed)
        p = (sharp * torch.randn(n, k, generator=g)).softmax(1)
        p[0] = torch.eye(k)[seed % k]
        return (p,)

    return make


def _no_class_three():
    """No sample has anything of the last class: its mean is exactly 0, too."""
    return (torch.tensor([[1.0, 0.0, 0.0], [0.3, 0.7, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]),)


def _clouds(n, m, d, k, seed, twice=0):
    def make():
        g = torch.Generator().manual_seed(seed)
        real, samples = torch.randn(n, d, generator=g), 0.6 * torch.randn(m, d, generator=g) + 0.8
        return torch.cat([real, real[:twice]]), samples, k

    return make


def _line(sizes, limit, slope, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        n = torch.tensor(sizes)
        return n, limit + slope / n + 0.05 * torch.randn(len(n), generator=g)

    return make


def _bell(x, y):
    return (-torch.cdist(x, y).square() / 2).exp()


def _cube(x, y):
    """KID's kernel: a point is not 1 with itself, and likeness may be below 0."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def _kernels(n, m, seed, *, kernel=_bell, shift=0.7):
    def make():
        g = torch.Generator().manual_seed(seed)
        a, b = torch.randn(n, 2, generator=g), torch.randn(m, 2, generator=g) + shift
        return kernel(a, a), kernel(b, b), kernel(a, b)

    return make


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _wilson(right, n, z, *, centre=True, scale=True, root=True, quarter=4.0):
    p = right / n
    middle = p + (z**2 / (2 * n) if centre else 0)
    inside = p * (1 - p) / n + z**2 / (quarter * n**2)
    half = z * (math.sqrt(inside) if root else inside)
    return torch.tensor([middle - half, middle + half]) / ((1 + z**2 / n) if scale else 1)


def _plain(right, n, z):
    p = right / n
    half = z * math.sqrt(p * (1 - p) / n)
    return torch.tensor([p - half, p + half])


def _apart(x):
    apart = torch.cdist(x, x)
    return apart.masked_fill(apart == 0, math.inf)


def _balls(real, samples, k, own, *, swap=False):
    radius = torch.cdist(own, own).sort(1).values[:, k]
    apart = torch.cdist(real, samples)
    inside = apart <= radius[None] if swap else apart <= radius[:, None]
    return inside


def _fit(x, y):
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return slope, y.mean() - slope * x.mean()


def _safe(p):
    return torch.special.xlogy(p, p)


EXERCISES = (
    Exercise(
        "votes_interval", 1, votes_interval,
        [lambda: (9, 10, 1.96), lambda: (0, 5, 1.96), lambda: (60, 100, 1.0), lambda: (7, 7, 2.58)],
        mistakes={
            "the plain one": (_plain, "this is the plain interval: after 5 of 5 it is one point. Wilson's is not."),
            "middle not moved": (
                lambda r, n, z: _wilson(r, n, z, centre=False), "the middle moves towards a half: add z²/2n to it.",
            ),
            "not divided": (
                lambda r, n, z: _wilson(r, n, z, scale=False), "divide both ends by 1 + z²/n.",
            ),
            "no root": (lambda r, n, z: _wilson(r, n, z, root=False), "under the root stand variances: take the root."),
            "two for four": (
                lambda r, n, z: _wilson(r, n, z, quarter=2.0), "under the root stands z² over 4 n², not over 2 n².",
            ),
            "swapped": (lambda r, n, z: votes_interval(r, n, z).flip(0), "the low end comes first."),
            "half the width": (
                lambda r, n, z: votes_interval(r, n, z / 2), "z is the whole reach to each side: do not halve it.",
            ),
        },
    ),
    Exercise(
        "class_score", 1, class_score,
        [_probabilities(8, 3, 0), _probabilities(20, 5, 1, 3.0), _probabilities(4, 2, 2), _no_class_three],
        mistakes={
            "log left": (lambda p: class_score(p).log(), "this is the mean divergence in nats: take its exp."),
            "entropy of the mean alone": (
                lambda p: (-_safe(p.mean(0)).sum()).exp(), "this asks for variety alone: are single samples sure?",
            ),
            "sureness alone": (lambda p: _safe(p).sum(1).mean().exp(), "this asks how sure samples are: and variety?"),
            "log of zero": (
                lambda p: (p * (p.log() - p.mean(0).log())).sum(1).mean().exp(),
                "0 · log 0 counts as 0: torch.special.xlogy knows that.",
            ),
            "log of a zero mean": (
                lambda p: (_safe(p) - p * p.mean(0).log()).sum(1).mean().exp(),
                "a class that no sample has makes 0 · log 0 in the mean, too: use torch.special.xlogy there as well.",
            ),
            "the other way": (
                lambda p: (p.mean(0) * (p.mean(0).log() - p.clamp(min=1e-12).log())).sum(1).mean().exp(),
                "the divergence goes from each sample to the mean, not from the mean to each sample.",
            ),
            "over the samples": (
                lambda p: (_safe(p).sum(0) - torch.special.xlogy(p, p.mean(0)).sum(0)).mean().exp(),
                "add up over the classes of a sample, then average over the samples.",
            ),
            "exp first": (
                lambda p: (_safe(p).sum(1) - torch.special.xlogy(p, p.mean(0)).sum(1)).exp().mean(),
                "average the divergences first, and take exp once.",
            ),
            "bits": (lambda p: 2 ** class_score(p).log(), "exp and the natural logarithm belong together."),
        },
    ),
    Exercise(
        "covered", 2, covered,
        [_clouds(30, 20, 2, 3, 0), _clouds(12, 25, 3, 1, 1), _clouds(40, 15, 2, 5, 2), _clouds(16, 9, 2, 2, 3, 8)],
        mistakes={
            "doubles left out": (
                lambda r, s, k: (torch.cdist(r, s).min(1).values <= _apart(r).sort(1).values[:, k - 1]).float().mean(),
                "you leave out every distance of 0: a real point that stands there twice is a neighbour of the other.",
            ),
            "itself counted": (
                lambda r, s, k: (
                    (torch.cdist(r, s).min(1).values <= torch.cdist(r, r).sort(1).values[:, k - 1]).float().mean()
                ),
                "a point is its own nearest neighbour, at distance 0: leave it out, or take one place further.",
            ),
            "precision": (
                lambda r, s, k: _balls(r, s, k, r).any(0).float().mean(),
                "this is precision, the share of samples in a ball: here the share of balls with a sample is wanted.",
            ),
            "recall": (
                lambda r, s, k: _balls(r, s, k, s, swap=True).any(1).float().mean(),
                "the balls here are those of samples: this is recall. Coverage has balls about real points.",
            ),
            "density": (
                lambda r, s, k: _balls(r, s, k, r).float().sum(0).mean() / k,
                "this is density: it counts balls for each sample. Count real points with a sample instead.",
            ),
            "all samples": (
                lambda r, s, k: _balls(r, s, k, r).all(1).float().mean(), "one sample in the ball is enough.",
            ),
            "uncovered": (lambda r, s, k: 1 - covered(r, s, k), "this is the share that is missed."),
            "one radius": (
                lambda r, s, k: (
                    (torch.cdist(r, s).min(1).values <= torch.cdist(r, r).sort(1).values[:, k].mean()).float().mean()
                ),
                "every point has a radius of its own.",
            ),
            "a count": (lambda r, s, k: covered(r, s, k) * len(r), "divide by the number of real points."),
        },
    ),
    Exercise(
        "to_the_limit", 2, to_the_limit,
        [
            _line([100.0, 200.0, 400.0, 800.0], 2.0, 300.0, 0), _line([50.0, 80.0, 300.0], 0.0, 90.0, 1),
            _line([60.0, 90.0, 250.0, 700.0, 1000.0], 5.0, -40.0, 2),
        ],
        mistakes={
            "against n": (
                lambda n, v: _fit(n, v)[1], "the line is straight in 1/n, not in n: this is the value at size 0.",
            ),
            "the slope": (lambda n, v: _fit(1 / n, v)[0], "this is c, the slope: the limit is the value at 1/n = 0."),
            "the largest": (lambda n, v: v[n.argmax()], "the largest set still has bias: follow the line to 1/n = 0."),
            "the mean": (lambda n, v: v.mean(), "that is the mean of the values: fit a line first."),
            "against log n": (lambda n, v: _fit(n.log(), v)[1], "the bias falls as 1/n, not as a logarithm."),
            "against a root": (lambda n, v: _fit(n**-0.5, v)[1], "noise falls as 1/√n; the bias falls as 1/n."),
            "through zero": (
                lambda n, v: v[n.argmax()] - (v / n).sum() / (1 / n).square().sum() / n.max(),
                "the line need not go through 0: its value there is what is sought.",
            ),
            "plus": (
                lambda n, v: v.mean() + _fit(1 / n, v)[0] * (1 / n).mean(), "subtract slope times mean: mind the sign.",
            ),
            "two points": (
                lambda n, v: v[-1] - (v[0] - v[-1]) / (1 / n[0] - 1 / n[-1]) / n[-1],
                "a line through two of the points wastes the others: least squares uses all.",
            ),
        },
    ),
    Exercise(
        "two_samples", 2, two_samples,
        [
            _kernels(6, 5, 0), _kernels(9, 4, 1), _kernels(3, 8, 2), _kernels(7, 6, 6, kernel=_cube),
            _kernels(8, 9, 0, shift=0.0),
        ],
        mistakes={
            "ones on the diagonal": (
                lambda aa, bb, ab: (
                    (aa.sum() - len(aa)) / (len(aa) * (len(aa) - 1)) + (bb.sum() - len(bb)) / (len(bb) * (len(bb) - 1))
                    - 2 * ab.mean()
                ),
                "the diagonal need not be 1: other kernels, such as KID's, have others there. Subtract the trace.",
            ),
            "with the diagonal": (
                lambda aa, bb, ab: aa.mean() + bb.mean() - 2 * ab.mean(),
                "every point is compared with itself here: that is the bias. Leave the diagonal out.",
            ),
            "divided by all": (
                lambda aa, bb, ab: (
                    (aa.sum() - aa.trace()) / aa.numel() + (bb.sum() - bb.trace()) / bb.numel() - 2 * ab.mean()
                ),
                "without the diagonal there are n (n − 1) pairs, not n².",
            ),
            "once between": (
                lambda aa, bb, ab: two_samples(aa, bb, ab) + ab.mean(), "the pairs between the sets count twice.",
            ),
            "plus between": (
                lambda aa, bb, ab: two_samples(aa, bb, ab) + 4 * ab.mean(), "likeness between the sets is subtracted.",
            ),
            "root": (
                lambda aa, bb, ab: two_samples(aa, bb, ab).abs().sqrt(), "the square is wanted: it may be below 0.",
            ),
            "clamped": (
                lambda aa, bb, ab: two_samples(aa, bb, ab).clamp(min=0),
                "nothing is cut off: without bias it may be small, or below 0.",
            ),
            "no diagonal between": (
                lambda aa, bb, ab: (
                    (aa.sum() - aa.trace()) / (len(aa) * (len(aa) - 1))
                    + (bb.sum() - bb.trace()) / (len(bb) * (len(bb) - 1))
                    - 2 * (ab.sum() - ab.diagonal().sum()) / (ab.numel() - min(ab.shape))
                ),
                "between the sets all pairs count: nobody meets himself there.",
            ),
            "without a sign": (
                lambda aa, bb, ab: two_samples(aa, bb, ab).abs(),
                "without bias it comes out below 0 about every second time for two sets of one kind: keep the sign.",
            ),
            "negative": (lambda aa, bb, ab: -two_samples(aa, bb, ab), "the sign is turned: farther is larger."),
        },
    ),
    Choice(
        "diagnosis", 3, "diagnosis", "fonts",
        {
            "blur": "blurred letters would be less sharp, and less precise: both stay as they are.",
            "noise": "noise raises sharpness and lowers precision: both stay as they are.",
            "classes": "count what the classifier reads: all ten letters are there, as often as they should be.",
            "copies": "look at the copying z: these letters lie no nearer to the training set than new ones do.",
            "nothing": "recall is far below that of clean sets.",
        },
        "that is none of the answers: blur, noise, classes, copies, fonts, nothing.",
        "Precision, sharpness, class counts and copying z are as they should be; recall is not: few kinds a letter",
    ),
)  # fmt: skip


def patient():
    """Return 500 letters with a fault, as the chapter's ``Letters``, and the world they come from."""
    from ..records import metrics as lab

    w = lab.world(0)  # with this seed no other number leaves what clean sets give: four fonts may be bolder than others
    return lab.spoiled(w, "few fonts a letter", 1, torch.Generator().manual_seed(11)), w
