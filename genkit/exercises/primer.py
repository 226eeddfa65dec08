"""The ten exercises of the primer: together they tell a reader where to start."""

import math

import torch

from .exercise import Exercise, Wrong

SECTIONS = {
    "flattened": "Tensors and shapes",
    "standardised": "Broadcasting",
    "distances": "Broadcasting",
    "slope": "Gradients",
    "descend": "Gradients",
    "expectation": "Chance",
    "posterior": "Conditional probability",
    "log_density": "Densities",
    "draw": "Drawing",
    "log_mean": "Logarithms",
}
"""Where the primer teaches what each exercise asks."""

# the references ------------------------------------------------------------------------------------------------------


def flattened(images):
    """Pictures of shape (B, 1, H, W) as rows of pixels, shape (B, H · W)."""
    return images.flatten(1)  # hole


def standardised(x):
    """x, shape (N, D), with every column moved to mean 0 and scaled to deviation 1.

    The deviation is the root of the mean squared distance from the mean.
    """
    centred = x - x.mean(0)  # hole
    return centred / centred.square().mean(0).sqrt()  # hole


def distances(a, b):
    """Squared distance from every row of a to every row of b, without a loop.

    a has shape (N, D), b has shape (M, D). Returns shape (N, M).
    """
    return (a[:, None] - b[None]).square().sum(2)  # hole


def slope(f, x):
    """The derivative of f at every number of x, by autograd; shape of x.

    f works number by number: f(x)[i] depends on x[i] alone.
    """
    x = x.detach().requires_grad_()  # hole
    return torch.autograd.grad(f(x).sum(), x)[0]  # hole


def descend(gradient, x, rate, steps):
    """Where gradient descent from x arrives after some steps.

    gradient(x) is the gradient at x, of the shape of x.
    """
    for _ in range(steps):
        x = x - rate * gradient(x)  # hole
    return x


def expectation(f, values, probabilities):
    """E[f(X)], a number, where X takes values[i] with probabilities[i].

    Both have shape (K,); f takes and returns such a tensor.
    """
    return (probabilities * f(values)).sum().item()  # hole


def posterior(prior, likelihood):
    """p(cause | data), shape (K,), from p(cause) and p(data | cause), both (K,)."""
    joint = prior * likelihood  # hole
    return joint / joint.sum()  # hole


def log_density(x, mu, sigma):
    """The logarithm of the normal density at x; mu and sigma are numbers."""
    distance = (x - mu) / sigma  # hole
    return -0.5 * distance**2 - math.log(sigma * math.sqrt(2 * math.pi))  # hole


def draw(probabilities, u):
    """Turn numbers u, uniform in [0, 1), into draws from a table of probabilities.

    probabilities has shape (K,), u has shape (N,). Returns int64 of shape (N,):
    outcome 0 for the lowest u, then 1, and so on, each as often as it should be.
    """
    edges = probabilities.cumsum(0)  # hole
    return (u[:, None] >= edges[:-1]).sum(1)  # hole


def log_mean(log_p):
    """The logarithm of the mean of probabilities, shape (B,).

    Given are their logarithms, shape (k, B), which may be as low as −1,000.
    """
    return log_p.logsumexp(0) - math.log(len(log_p))  # hole


# what they are tried on ----------------------------------------------------------------------------------------------


def _normal(*shape, seed=0, scale=1.0, move=0.0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * scale + move


def _probabilities(k, seed):
    p = torch.rand(k, generator=torch.Generator().manual_seed(seed)) + 0.1
    return p / p.sum()


def _uniform(n, seed):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed))


def _uses_autograd(answer) -> None:
    """An answer by differences is close, but not the derivative: a steep function shows it."""
    x = torch.tensor([0.3, 1.1], dtype=torch.float64)
    found = answer(lambda v: torch.sin(1e9 * v), x)
    if not isinstance(found, torch.Tensor) or found.shape != x.shape:
        return  # the trials say what is wrong with it
    if not torch.allclose(found.double(), 1e9 * torch.cos(1e9 * x), rtol=1e-3):
        plain = answer(lambda v: 3 * v, x)
        if isinstance(plain, torch.Tensor) and torch.allclose(plain.double(), torch.full_like(x, 3.0), rtol=1e-2):
            raise Wrong("this is a difference of two values, which is not the derivative of a steep function.")


EXERCISES = (
    Exercise(
        "flattened",
        1,
        flattened,
        [
            lambda: (_normal(3, 1, 2, 4),),
            lambda: (_normal(1, 1, 5, 5, seed=1),),
            lambda: (_normal(4, 1, 1, 3, seed=2),),
        ],
        {
            "all": (lambda x: x.flatten(), "one row for each picture is wanted, not one for all."),
            "columns": (lambda x: x.transpose(2, 3).flatten(1), "you read the pictures column by column."),
            "squeezed": (lambda x: x.squeeze(1), "the rows and columns of each picture are still apart."),
            "turned": (lambda x: x.flatten(1).T, "pictures are in the columns: they belong in the rows."),
        },
    ),
    Exercise(
        "standardised",
        1,
        standardised,
        [
            lambda: (_normal(6, 3, move=2.0, scale=3.0),),
            lambda: (_normal(5, 5, seed=1, move=-1.0),),
            lambda: (_normal(40, 2, seed=2, scale=0.1),),
        ],
        {
            "rows": (
                lambda x: (
                    (x - x.mean(1, keepdim=True)) / (x - x.mean(1, keepdim=True)).square().mean(1, keepdim=True).sqrt()
                ),
                "these are the rows' means: take the mean over the rows, dimension 0.",
            ),
            "all": (lambda x: (x - x.mean()) / x.std(correction=0), "each column has a mean of its own."),
            "n - 1": (
                lambda x: (x - x.mean(0)) / x.std(0),
                "torch's std divides by N − 1 unless told otherwise: correction=0 divides by N.",
            ),
            "variance": (
                lambda x: (x - x.mean(0)) / x.var(0, correction=0),
                "you divided by the variance: take its root.",
            ),
            "not centred": (lambda x: x / x.std(0, correction=0), "the means are still there: subtract them first."),
            "not scaled": (lambda x: x - x.mean(0), "the columns have mean 0, but not yet deviation 1."),
        },
    ),
    Exercise(
        "distances",
        2,
        distances,
        [
            lambda: (_normal(3, 2), _normal(4, 2, seed=1)),
            lambda: (_normal(3, 3, seed=2), _normal(3, 3, seed=3)),
            lambda: (_normal(1, 5, seed=4), _normal(2, 5, seed=5)),
        ],
        {
            "root": (lambda a, b: torch.cdist(a, b), "these are distances: their squares are wanted."),
            "turned": (
                lambda a, b: (a[:, None] - b[None]).square().sum(2).T,
                "rows of a belong to the rows of the result: yours is turned over.",
            ),
            "mean": (
                lambda a, b: (a[:, None] - b[None]).square().mean(2),
                "this is the mean over D: the sum is wanted.",
            ),
            "products": (lambda a, b: a @ b.T, "these are inner products."),
            "no square": (lambda a, b: (a[:, None] - b[None]).abs().sum(2), "square the differences before the sum."),
        },
    ),
    Exercise(
        "slope",
        1,
        slope,
        [
            lambda: (lambda x: x**2, torch.tensor([0.0, 1.0, -3.0])),
            lambda: (lambda x: torch.sin(3 * x), _normal(5)),
            lambda: (lambda x: torch.exp(x) * x, _normal(2, 3, seed=1)),
        ],
        {
            "value": (lambda f, x: f(x), "this is f itself: its derivative is wanted."),
            "mean": (
                lambda f, x: torch.autograd.functional.vjp(lambda v: f(v).mean(), x)[1],
                "you took the mean before the gradient: each slope came out divided by their number.",
            ),
        },
        tests=(_uses_autograd,),
    ),
    Exercise(
        "descend",
        2,
        descend,
        [
            lambda: (lambda x: 2 * x, torch.tensor([3.0, -1.0]), 0.1, 5),
            lambda: (lambda x: x.sin(), torch.tensor([1.0]), 0.5, 3),
            lambda: (lambda x: 4 * (x - 1), torch.tensor([0.5, 2.0]), 0.2, 1),
            lambda: (lambda x: x, torch.tensor([2.0]), 0.3, 0),
        ],
        {
            "up": (
                lambda g, x, r, n: _walk(g, x, -r, n),
                "this climbs: step against the gradient.",
            ),
            "one step": (lambda g, x, r, n: x - r * g(x), "that is one step, whatever `steps` says."),
            "same gradient": (
                lambda g, x, r, n: x - n * r * g(x),
                "the gradient changes as x moves: compute it anew in every step.",
            ),
            "no rate": (lambda g, x, r, n: _walk(g, x, 1.0, n), "the rate says how far to step: multiply by it."),
        },
    ),
    Exercise(
        "expectation",
        1,
        expectation,
        [
            lambda: (lambda v: v**2, torch.tensor([1.0, 2.0, 6.0]), torch.tensor([0.5, 0.3, 0.2])),
            lambda: (torch.exp, _normal(5), _probabilities(5, 1)),
            lambda: (lambda v: v, _normal(4, seed=2), _probabilities(4, 3)),
        ],
        {
            "f of the mean": (
                lambda f, v, p: f((p * v).sum()),
                "this is f of the mean, f(E[X]): apply f first, then average.",
            ),
            "plain mean": (lambda f, v, p: f(v).mean(), "not all values are equally likely: weigh with probabilities."),
            "no sum": (lambda f, v, p: p * f(v), "these are the terms: add them up."),
            "without f": (lambda f, v, p: (p * v).sum(), "this is E[X]: the mean of f(X) is wanted."),
            "p inside": (lambda f, v, p: f(p * v).sum(), "f acts on the values, not on values times probabilities."),
        },
    ),
    Exercise(
        "posterior",
        2,
        posterior,
        [
            lambda: (torch.tensor([0.01, 0.99]), torch.tensor([0.9, 0.08])),
            lambda: (_probabilities(4, 0), _uniform(4, 1)),
            lambda: (_probabilities(3, 2), torch.tensor([0.0, 0.3, 0.1])),
        ],
        {
            "joint": (lambda p, q: p * q, "these are joint probabilities: divide by their sum."),
            "likelihood": (lambda p, q: q / q.sum(), "the prior is missing: a rare cause stays rare."),
            "prior": (lambda p, q: p, "this is the prior: what was seen has changed nothing."),
            "quotient": (
                lambda p, q: (q / p) / (q / p).sum(),
                "multiply by the prior; dividing makes rare causes likely.",
            ),
            "sum": (lambda p, q: (p + q) / (p + q).sum(), "both must happen: probabilities multiply."),
        },
    ),
    Exercise(
        "log_density",
        1,
        log_density,
        [
            lambda: (_normal(5), 0.0, 1.0),
            lambda: (_normal(3, seed=1), 1.0, 0.1),
            lambda: (torch.tensor([60.0, -200.0]), -0.5, 2.0),
        ],
        {
            "density": (
                lambda x, m, s: torch.exp(-0.5 * ((x - m) / s) ** 2) / (s * math.sqrt(2 * math.pi)),
                "this is the density: its logarithm is wanted.",
            ),
            "log of density": (
                lambda x, m, s: (torch.exp(-0.5 * ((x - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))).log(),
                "far out the density rounds to 0 and its logarithm is −∞: take the logarithm by hand.",
            ),
            "no constant": (
                lambda x, m, s: -0.5 * ((x - m) / s) ** 2,
                "the constant is missing: it must integrate to 1.",
            ),
            "no sigma": (
                lambda x, m, s: -0.5 * ((x - m) / s) ** 2 - 0.5 * math.log(2 * math.pi),
                "a narrow bell is higher: σ stands in the constant too.",
            ),
            "variance": (
                lambda x, m, s: -0.5 * (x - m) ** 2 / s - 0.5 * math.log(2 * math.pi * s),
                "you took sigma for the variance: it is the standard deviation.",
            ),
            "sign": (
                lambda x, m, s: 0.5 * ((x - m) / s) ** 2 + math.log(s * math.sqrt(2 * math.pi)),
                "the sign: far from the mean the density is low.",
            ),
        },
    ),
    Exercise(
        "draw",
        3,
        draw,
        [
            lambda: (torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.0, 0.3, 0.6, 0.8, 0.99])),
            lambda: (_probabilities(6, 0), _uniform(50, 1)),
            lambda: (torch.tensor([0.25, 0.0, 0.75]), torch.tensor([0.1, 0.25, 0.5, 0.9999])),
            # in single precision these add up to less than one
            lambda: (torch.full((10,), 0.0999999), torch.tensor([0.05, 0.99999994])),
        ],
        {
            "likeliest": (
                lambda p, u: torch.full(u.shape, int(p.argmax())),
                "this always gives the likeliest outcome: a draw gives the others too.",
            ),
            "uniform": (
                lambda p, u: (u * len(p)).long(),
                "all outcomes come equally often: their shares of [0, 1) should be their probabilities.",
            ),
            "one too many": (
                lambda p, u: (u[:, None] >= p.cumsum(0)).sum(1) + 1,
                "the first outcome is number 0.",
            ),
            "no sums": (
                lambda p, u: (u[:, None] >= p).sum(1),
                "compare u with running sums of the probabilities, not with the probabilities.",
            ),
            "at the edge": (
                lambda p, u: (u[:, None] > p.cumsum(0)[:-1]).sum(1),
                "u on an edge belongs to the next outcome: u = 0 must not draw an outcome of probability 0.",
            ),
            "past the end": (
                lambda p, u: (u[:, None] >= p.cumsum(0)).sum(1),
                "rounded probabilities can add up to less than 1, and a high u then lands past the last outcome.",
            ),
        },
    ),
    Exercise(
        "log_mean",
        3,
        log_mean,
        [
            lambda: (_normal(4, 3),),
            lambda: (_normal(6, 2, seed=1, move=-1000.0),),
            lambda: (torch.tensor([[-1000.0, 0.0], [-3.0, -2000.0]]),),
        ],
        {
            "mean of logs": (
                lambda p: p.mean(0),
                "this is the mean of the logarithms, which is lower: the mean comes first.",
            ),
            "naive": (
                lambda p: p.exp().mean(0).log(),
                "exp(−1000) rounds to 0: torch.logsumexp takes the largest out first.",
            ),
            "sum": (lambda p: p.logsumexp(0), "this is the logarithm of the sum: divide by k, that is subtract log k."),
            "largest": (lambda p: p.max(0).values, "the largest alone is no mean."),
            "wrong axis": (
                lambda p: p.logsumexp(1) - math.log(p.shape[1]),
                "you averaged over the columns: one number for each of them is wanted.",
            ),
            "divided": (lambda p: p.logsumexp(0) / len(p), "dividing inside a logarithm is subtracting log k outside."),
        },
    ),
)


def _walk(gradient, x, rate, steps):
    for _ in range(steps):
        x = x - rate * gradient(x)
    return x
