"""The exercises of the chapter on learning a distribution."""

import math

import torch

from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def divergence(p, q):
    """KL(p || q) in nats, a number, of two tables of probabilities, shape (K,).

    Where p is 0 nothing is added, whatever q is. Where only q is 0, it is infinite.
    """
    terms = torch.where(p > 0, p * (p / q).log(), 0.0)  # hole
    return terms.sum().item()  # hole


def kernel_density(x, points, width):
    """The log-density at x, shape (B,), of round bells on points, shape (N, D).

    x has shape (B, D). Every bell has the standard deviation `width` in each of the
    D directions, and every point counts as much as any other. D may be 500.
    """
    n, d = points.shape  # hole
    squares = torch.cdist(x, points).square()  # hole
    log_bell = -squares / (2 * width**2) - d * math.log(width * math.sqrt(2 * math.pi))  # hole
    return log_bell.logsumexp(1) - math.log(n)  # hole


def diluted(log_p, share, dims):
    """log-probability, shape (B,), of black-and-white pictures under a blend.

    With probability `share` a picture is drawn from a model that gives it log_p, shape
    (B,), and otherwise every one of its `dims` pixels is a fair coin.
    """
    noise = torch.full_like(log_p, -dims * math.log(2))  # hole
    return torch.logaddexp(log_p + math.log(share), noise + math.log(1 - share))  # hole


def update(x, resp):
    """One M-step of a mixture of Gaussians on a line: its shares, means and deviations.

    x has shape (N,). resp, shape (N, K), says how much of each point each of the
    Gaussians takes; every row adds up to 1. Returns shape (3, K): a row for the shares,
    one for the means, one for the deviations.
    """
    taken = resp.sum(0)  # hole
    means = (resp * x[:, None]).sum(0) / taken  # hole
    squares = (resp * (x[:, None] - means) ** 2).sum(0) / taken  # hole
    return torch.stack([taken / len(x), means, squares.sqrt()])  # hole


# what they are tried on ----------------------------------------------------------------------------------------------


def _table(k, seed):
    p = torch.rand(k, generator=torch.Generator().manual_seed(seed)) + 0.05
    return p / p.sum()


def _points(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _responsibilities(n, k, seed):
    return (2 * _points(n, k, seed=seed)).softmax(1)


EXERCISES = (
    Exercise(
        "divergence",
        1,
        divergence,
        [
            lambda: (_table(4, 0), _table(4, 1)),
            lambda: (torch.tensor([0.5, 0.0, 0.5]), torch.tensor([0.25, 0.5, 0.25])),
            lambda: (torch.tensor([0.5, 0.0, 0.5]), torch.tensor([0.4, 0.0, 0.6])),
            lambda: (torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])),
        ],
        {
            "turned": (
                lambda p, q: torch.where(q > 0, q * (q / p).log(), 0.0).sum().item(),
                "this is KL(q ‖ p): the mean is taken over p, the first of the two.",
            ),
            "zeros": (
                lambda p, q: (p * (p / q).log()).sum().item(),
                "0 · log 0 is not a number to a computer: where p is 0 the term is 0.",
            ),
            "sign": (
                lambda p, q: -torch.where(p > 0, p * (p / q).log(), 0.0).sum().item(),
                "the sign: a divergence is never negative.",
            ),
            "cross-entropy": (
                lambda p, q: -torch.where(p > 0, p * q.log(), 0.0).sum().item(),
                "this is the cross-entropy: the entropy of p is still in it.",
            ),
            "bits": (
                lambda p, q: torch.where(p > 0, p * (p / q).log2(), 0.0).sum().item(),
                "these are bits: the natural logarithm gives nats.",
            ),
            "not weighed": (
                lambda p, q: torch.where(p > 0, (p / q).log(), 0.0).sum().item(),
                "weigh every term with p: it is an expectation.",
            ),
        },
    ),
    Exercise(
        "kernel_density",
        2,
        kernel_density,
        [
            lambda: (_points(3, 2), _points(6, 2, seed=1), 0.5),
            lambda: (_points(2, 1, seed=2), _points(4, 1, seed=3), 1.0),
            lambda: (_points(2, 500, seed=4), _points(3, 500, seed=5), 0.3),
        ],
        {
            "one direction's constant": (
                lambda x, p, w: (
                    (-torch.cdist(x, p).square() / (2 * w**2)).logsumexp(1)
                    - math.log(w * math.sqrt(2 * math.pi))
                    - math.log(len(p))
                ),
                "the constant is that of one direction: there are D of them.",
            ),
            "the sum": (
                lambda x, p, w: (
                    (-torch.cdist(x, p).square() / (2 * w**2)).logsumexp(1)
                    - p.shape[1] * math.log(w * math.sqrt(2 * math.pi))
                ),
                "you added the bells: each has the share 1/N.",
            ),
            "underflow": (
                lambda x, p, w: (
                    (-torch.cdist(x, p).square() / (2 * w**2) - p.shape[1] * math.log(w * math.sqrt(2 * math.pi)))
                    .exp()
                    .mean(1)
                    .log()
                ),
                "in many directions the bells round to 0 or overflow: stay in logarithms, with logsumexp.",
            ),
            "mean of logs": (
                lambda x, p, w: (
                    -torch.cdist(x, p).square() / (2 * w**2) - p.shape[1] * math.log(w * math.sqrt(2 * math.pi))
                ).mean(1),
                "average the densities, then take the logarithm.",
            ),
            "no square": (
                lambda x, p, w: (
                    (-torch.cdist(x, p) / (2 * w**2)).logsumexp(1)
                    - p.shape[1] * math.log(w * math.sqrt(2 * math.pi))
                    - math.log(len(p))
                ),
                "the bell falls with the square of the distance.",
            ),
            "no constant": (
                lambda x, p, w: (-torch.cdist(x, p).square() / (2 * w**2)).logsumexp(1) - math.log(len(p)),
                "each bell must have area 1: the constant with `width` is missing.",
            ),
        },
    ),
    Exercise(
        "diluted",
        2,
        diluted,
        [
            lambda: (torch.tensor([-100.0, -80.0, -3.0]), 0.01, 784),
            lambda: (torch.tensor([-5.0, -700.0]), 0.5, 4),
            lambda: (torch.tensor([-3000.0, -500.0]), 0.01, 784),
        ],
        {
            "mean of logs": (
                lambda p, s, d: s * p - (1 - s) * d * math.log(2),
                "you mixed the logarithms: the probabilities are mixed.",
            ),
            "underflow": (
                lambda p, s, d: (s * p.exp() + (1 - s) * 2.0**-d).log(),
                "these probabilities round to 0: use torch.logaddexp.",
            ),
            "swapped": (
                lambda p, s, d: torch.logaddexp(
                    p + math.log(1 - s), torch.full_like(p, -d * math.log(2)) + math.log(s)
                ),
                "the shares are the wrong way round.",
            ),
            "no shares": (
                lambda p, s, d: torch.logaddexp(p, torch.full_like(p, -d * math.log(2))),
                "the shares are missing: as it is, the probabilities add up to 2.",
            ),
            "model alone": (lambda p, s, d: p + math.log(s), "noise may draw the picture too, if hardly ever."),
        },
    ),
    Exercise(
        "update",
        3,
        update,
        [
            lambda: (_points(8), _responsibilities(8, 3, 1)),
            lambda: (_points(5, seed=2, scale=4.0), _responsibilities(5, 2, 3)),
            lambda: (_points(3, seed=6), _responsibilities(3, 3, 4)),
        ],
        {
            "means of the products": (
                lambda x, r: torch.stack(
                    (
                        r.mean(0),
                        (r * x[:, None]).mean(0),
                        ((r * (x[:, None] - (r * x[:, None]).mean(0)) ** 2).mean(0)).sqrt(),
                    )
                ),
                "divide by what each Gaussian took, not by the number of points.",
            ),
            "variances": (
                lambda x, r: torch.stack(
                    (
                        r.mean(0),
                        (r * x[:, None]).sum(0) / r.sum(0),
                        (r * (x[:, None] - (r * x[:, None]).sum(0) / r.sum(0)) ** 2).sum(0) / r.sum(0),
                    )
                ),
                "these are variances: deviations are their roots.",
            ),
            "about the common mean": (
                lambda x, r: torch.stack(
                    (
                        r.mean(0),
                        (r * x[:, None]).sum(0) / r.sum(0),
                        ((r * (x[:, None] - x.mean()) ** 2).sum(0) / r.sum(0)).sqrt(),
                    )
                ),
                "each Gaussian's spread is about its own new mean.",
            ),
            "not normalised": (
                lambda x, r: torch.stack(
                    (
                        r.sum(0),
                        (r * x[:, None]).sum(0) / r.sum(0),
                        ((r * (x[:, None] - (r * x[:, None]).sum(0) / r.sum(0)) ** 2).sum(0) / r.sum(0)).sqrt(),
                    )
                ),
                "the shares must add up to 1: these are numbers of points.",
            ),
        },
    ),
)
