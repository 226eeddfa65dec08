"""The exercises of the chapter on autoregressive models."""

import math

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def chain(p):
    """log p(x) of each example, shape (B,), from p[b, i] = p(x_i | x_1 … x_{i−1})."""
    return p.log().sum(1)  # hole


def perplexity(log_p):
    """The perplexity of a text, a number; log_p holds log p of each token, in nats."""
    return math.exp(-log_p.mean())  # hole


def causal_mask(size):
    """A (size, size) tensor of 0 and 1: may output i look at input j?"""
    return torch.ones(size, size).tril(-1)  # hole


def reach(kernel, dilations):
    """How many inputs a stack of causal convolutions sees, an int.

    All have the same kernel size; dilations lists the distances between taps.
    """
    return 1 + sum((kernel - 1) * dilation for dilation in dilations)  # hole


def pinball(truth, forecast, q):
    """The mean pinball loss, a number, of forecasts of the q-quantile, shape (N,)."""
    error = truth - forecast
    return torch.where(error >= 0, q * error, (q - 1) * error).mean().item()  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _conditionals(b, d, seed):
    return lambda: (0.05 + 0.9 * torch.rand(b, d, generator=torch.Generator().manual_seed(seed)),)


def _tiny():
    """So many small probabilities that their product is 0 in float32."""
    return (torch.full((2, 400), 0.01),)


def _logs(n, seed):
    return lambda: ((0.02 + 0.9 * torch.rand(n, generator=torch.Generator().manual_seed(seed))).log(),)


def _pairs(n, q, seed):
    def make():
        generator = torch.Generator().manual_seed(seed)
        return 10 * torch.randn(n, generator=generator), 10 * torch.randn(n, generator=generator), q

    return make


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "chain",
        1,
        chain,
        [_conditionals(3, 4, 0), _conditionals(1, 6, 1), _conditionals(5, 1, 2), _conditionals(4, 4, 3), _tiny],
        gradients=(0,),
        mistakes={
            "product": (lambda p: p.prod(1), "this is p(x): its logarithm is wanted, and a product underflows."),
            "product, then log": (
                lambda p: p.prod(1).log(),
                "right for few factors; many small ones give a product of 0. Take logarithms first, then add.",
            ),
            "sign": (lambda p: -p.log().sum(1), "this is the loss, minus log p: the log-probability itself is wanted."),
            "mean": (lambda p: p.log().mean(1), "the chain rule adds the terms up: no average."),
            "log of the sum": (lambda p: p.sum(1).log(), "the logarithm of a sum is not the sum of logarithms."),
            "no logarithm": (lambda p: p.sum(1), "probabilities of successive events multiply: add their logarithms."),
            "wrong axis": (lambda p: p.log().sum(0), "you added up the examples: add up the places, axis 1."),
            "one number": (lambda p: p.log().sum(), "one number for each example is wanted, not one for all."),
            "bits": (lambda p: p.log2().sum(1), "these are bits: take the natural logarithm for nats."),
            "decimal": (lambda p: p.log10().sum(1), "this is the decimal logarithm: take the natural one for nats."),
            "complement": (lambda p: (1 - p).log().sum(1), "1 − p is the probability that something else came."),
        },
    ),
    Exercise(
        "perplexity",
        1,
        perplexity,
        [_logs(20, 0), _logs(3, 1), _logs(1, 2), _logs(100, 3)],
        mistakes={
            "sign": (lambda v: math.exp(v.mean()), "a perplexity is at least 1: the sign is wrong."),
            "sum": (
                lambda v: math.exp(min(-v.sum().item(), 700.0)),
                "average over the tokens: a text twice as long is not harder.",
            ),
            "no exp": (lambda v: -v.mean().item(), "this is the mean loss in nats: the perplexity is its exponential."),
            "two to the nats": (lambda v: 2 ** (-v.mean().item()), "2 goes with bits; with nats take e."),
            "mean of inverses": (
                lambda v: (-v).exp().mean().item(),
                "you averaged 1/p: average the logarithms first, then take the exponential.",
            ),
            "inverse of the mean": (
                lambda v: 1 / v.exp().mean().item(),
                "you averaged the probabilities: average their logarithms.",
            ),
            "bits": (lambda v: -v.mean().item() / math.log(2), "these are bits a token, not a perplexity."),
            "negated": (lambda v: -math.exp(-v.mean()), "a perplexity is positive."),
        },
    ),
    Exercise(
        "causal_mask",
        2,
        causal_mask,
        [lambda: (3,), lambda: (1,), lambda: (6,), lambda: (2,)],
        mistakes={
            "diagonal": (
                lambda n: torch.ones(n, n).tril(),
                "output i may look at input i: then it can copy what it should predict. Look strictly before.",
            ),
            "future": (
                lambda n: torch.ones(n, n).triu(1),
                "this looks at what comes after: rows are outputs, columns inputs.",
            ),
            "future and itself": (lambda n: torch.ones(n, n).triu(), "this looks at the place itself and after it."),
            "one back": (
                lambda n: torch.ones(n, n).tril(-1).triu(-1),
                "this looks at the one place before: all of them may be looked at.",
            ),
            "two back": (lambda n: torch.ones(n, n).tril(-2), "the place just before may be looked at too."),
            "everything": (lambda n: torch.ones(n, n), "this lets every output see every input."),
            "all but itself": (lambda n: 1 - torch.eye(n), "this hides the place itself, and still shows the future."),
            "itself alone": (lambda n: torch.eye(n), "this shows the place itself, and nothing else."),
        },
    ),
    Exercise(
        "reach",
        2,
        reach,
        [
            lambda: (2, [1, 2, 4, 8]),
            lambda: (3, [1, 1]),
            lambda: (2, [1]),
            lambda: (5, [1, 3, 9]),
            lambda: (4, [2]),
            lambda: (1, [1, 2]),
            lambda: (2, [1, 2, 4, 8, 16, 32, 64]),
        ],
        mistakes={
            "no first": (
                lambda k, d: sum((k - 1) * x for x in d),
                "one short: even a stack that adds nothing sees the one input it stands on.",
            ),
            "kernel times": (
                lambda k, d: sum(k * x for x in d),
                "between k taps lie k − 1 gaps: each layer adds (k − 1) · dilation.",
            ),
            "kernel times, plus one": (
                lambda k, d: 1 + sum(k * x for x in d),
                "between k taps lie k − 1 gaps: each layer adds (k − 1) · dilation.",
            ),
            "product": (
                lambda k, d: k ** len(d),
                "this holds where each dilation is k times the one before, not in general.",
            ),
            "product of dilations": (
                lambda k, d: (k - 1) * math.prod(d) + 1,
                "layers add up their reach: a sum, no product.",
            ),
            "no dilation": (
                lambda k, d: 1 + (k - 1) * len(d),
                "this would be right without dilation: all distances 1.",
            ),
            "last layer": (lambda k, d: 1 + (k - 1) * max(d), "the widest layer alone: the others add theirs."),
            "sum of dilations": (
                lambda k, d: 1 + sum(d),
                "right for kernels of 2 alone: each layer adds (k − 1) · dilation.",
            ),
            "one for each layer": (
                lambda k, d: sum(1 + (k - 1) * x for x in d),
                "the 1 is counted once, not in every layer.",
            ),
        },
    ),
    Exercise(
        "pinball",
        2,
        pinball,
        [_pairs(50, 0.9, 0), _pairs(50, 0.5, 1), _pairs(1, 0.1, 2), _pairs(20, 0.25, 3), _pairs(30, 0.99, 4)],
        mistakes={
            "swapped": (
                lambda y, f, q: torch.maximum(q * (f - y), (q - 1) * (f - y)).mean().item(),
                "q and 1 − q are swapped: a 0.9-quantile that lies too low must cost nine times one too high.",
            ),
            "absolute error": (
                lambda y, f, q: (y - f).abs().mean().item(),
                "this is the absolute error: errors to the two sides must cost q and 1 − q.",
            ),
            "half absolute error": (
                lambda y, f, q: 0.5 * (y - f).abs().mean().item(),
                "this is right for the median alone: errors to the two sides must cost q and 1 − q.",
            ),
            "squared": (lambda y, f, q: ((y - f) ** 2).mean().item(), "squares lead to the mean, not to a quantile."),
            "one side": (
                lambda y, f, q: (q * (y - f)).clamp(min=0).mean().item(),
                "forecasts that lie too high cost nothing here: they cost 1 − q for each unit.",
            ),
            "signed": (
                lambda y, f, q: (q * (y - f)).mean().item(),
                "errors to the two sides cancel here: a loss is never negative.",
            ),
            "negative side": (
                lambda y, f, q: torch.where(y >= f, q * (y - f), (1 - q) * (y - f)).mean().item(),
                "where the forecast is too high, your loss is negative.",
            ),
            "q times": (
                lambda y, f, q: q * (y - f).abs().mean().item(),
                "both sides cost q here: too high costs 1 − q.",
            ),
            "sum": (
                lambda y, f, q: torch.maximum(q * (y - f), (q - 1) * (y - f)).sum().item(),
                "the mean is wanted, not the sum.",
            ),
            "each": (
                lambda y, f, q: torch.maximum(q * (y - f), (q - 1) * (y - f)),
                "one number is wanted: take the mean.",
            ),
        },
    ),
    Choice(
        "leak",
        3,
        "leak",
        "c",
        {
            "a": "its masks hold: no gradient reaches a place itself or a later one. Now the two convolutions.",
            "b": "this one is honest, in every column. Take the gradients of its twin, the last column too.",
            "none": "one does. Take the gradient of what is said about place i for every input j, and look at j ≥ i.",
        },
        "that is none of the answers: a, b, c, none.",
        "What is said of the places of the last column depends on the places themselves: their gradient is not 0",
    ),
)


def suspects():
    """Return three small autoregressive models of 8 × 8 pixels, untrained; one of them sees what it should predict."""
    from ..distributions import discretised_logistic
    from ..models.autoregressive import made, pixelcnn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        pixels, shape = discretised_logistic(17), (1, 8, 8)
        models = {
            "a": made(shape=shape, pixels=pixels, hidden=(128,)),
            "b": pixelcnn(shape=shape, pixels=pixels, width=8, blocks=2),
            "c": pixelcnn(shape=shape, pixels=pixels, width=8, blocks=2),
        }
    models["c"].network = _Wrapped(models["c"].network)
    return models


class _Wrapped(torch.nn.Module):
    """A network over the image rolled around by one pixel in its last column: a border handled wrongly."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x, context=None):
        out = self.network(x, context)
        peek = torch.zeros_like(out)
        peek[:, :, :, -1, 0] = 0.5 * x[:, :, :, -1]
        return out + peek
