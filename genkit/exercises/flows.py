"""The exercises of the chapter on normalising flows."""

import math

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def stretched(y, mu, sigma):
    """log p(y) of y = exp(x), where x is drawn from N(mu, sigma²).

    y is positive, of shape (N,); mu and sigma are numbers. Returns shape (N,).
    """
    x = y.log()  # hole
    log_p = -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))  # hole
    return log_p - x  # hole


def uncouple(z, network):
    """The x that a coupling sends to z; both have shape (B, 2K).

    A coupling keeps the first half a of x. It sends the second half b to b·exp(s) + t.
    network(a) has shape (B, 2K) and holds s, then t.
    """
    a, b = z.chunk(2, 1)  # hole
    s, t = network(a).chunk(2, 1)  # hole
    return torch.cat([a, (b - t) * (-s).exp()], 1)  # hole


def coupling_log_prob(x, network):
    """log p(x), shape (B,), of a flow of one coupling: x to z, and z is N(0, I).

    The coupling is that of `uncouple`: a, b to a, b·exp(s) + t, all of shape (B, K).
    """
    a, b = x.chunk(2, 1)  # hole
    s, t = network(a).chunk(2, 1)  # hole
    z = torch.cat([a, b * s.exp() + t], 1)  # hole
    return -0.5 * (z**2 + math.log(2 * math.pi)).sum(1) + s.sum(1)  # hole


def lu_log_det(p, lower, upper):
    """log |det W|, a number, of W = p @ lower @ upper, all of shape (D, D).

    p is a permutation, lower has ones on its diagonal, upper any numbers but 0.
    D may be 1,000: take no determinant of a full matrix.
    """
    return upper.diagonal().abs().log().sum().item()  # hole


def uniform_bound(log_p, levels, dims):
    """A lower bound on log P(x) of B discrete pictures, in nats, shape (B,).

    A picture of `dims` pixels has levels 0 … levels − 1. Noise u in [0, 1) was added
    to each, and all was divided by `levels`. log_p[k, b] is the flow's log-density
    of picture b with the k-th draw of noise.
    """
    return log_p.mean(0) - dims * math.log(levels)  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _positive(n, mu, sigma, seed):
    return lambda: (torch.randn(n, generator=torch.Generator().manual_seed(seed)).mul(1.5).exp(), mu, sigma)


def _network(k, seed):
    """A small network that is no linear map, from (B, K) to (B, 2K)."""
    g = torch.Generator().manual_seed(100 + seed)
    w, v = torch.randn(k, 6, generator=g), 0.5 * torch.randn(6, 2 * k, generator=g)
    return lambda a: torch.tanh(a @ w) @ v + 0.3


def _points(b, k, seed):
    return lambda: (torch.randn(b, 2 * k, generator=torch.Generator().manual_seed(seed)), _network(k, seed))


def _factors(d, scale, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        lower = (torch.randn(d, d, generator=g) / d).tril(-1) + torch.eye(d)
        sign = torch.where(torch.rand(d, generator=g) < 0.5, -1.0, 1.0)
        upper = (torch.randn(d, d, generator=g) / d).triu(1) + torch.diag(
            sign * scale * (0.5 + torch.rand(d, generator=g))
        )
        return torch.eye(d)[torch.randperm(d, generator=g)], lower, upper

    return make


def _log_p(k, b, levels, dims, seed):
    return lambda: (100 + 3 * torch.randn(k, b, generator=torch.Generator().manual_seed(seed)), levels, dims)


def _normal(z):
    return -0.5 * (z**2 + math.log(2 * math.pi)).sum(1)


def _coupled(x, network):
    """Return both halves of x, the moved half, and s."""
    a, b = x.chunk(2, 1)
    s, t = network(a).chunk(2, 1)
    return a, b, b * s.exp() + t, s


def _halves(z, network, undo):
    a, b = z.chunk(2, 1)
    s, t = network(a).chunk(2, 1)
    return torch.cat([a, undo(b, s, t)], 1)


def _bell(x, mu, sigma):
    return -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "stretched",
        1,
        stretched,
        [_positive(5, 0.0, 1.0, 0), _positive(1, 0.7, 1.0, 1), _positive(20, -0.4, 0.3, 2), _positive(3, 0.2, 2.5, 3)],
        gradients=(0,),
        mistakes={
            "no slope": (
                lambda y, m, s: _bell(y.log(), m, s),
                "this is the density of x. Stretching thins it out: the slope is missing.",
            ),
            "slope of exp": (
                lambda y, m, s: _bell(y.log(), m, s) + y.log(),
                "the sign of the slope's logarithm is wrong: where exp stretches, the density of y falls.",
            ),
            "slope itself": (
                lambda y, m, s: _bell(y.log(), m, s) - y,
                "you subtract the slope of exp itself, which is y: its logarithm is wanted.",
            ),
            "times 1/y": (
                lambda y, m, s: _bell(y.log(), m, s) / y,
                "densities are multiplied by the slope 1/y; to a log-density its logarithm is added.",
            ),
            "not undone": (
                lambda y, m, s: _bell(y, m, s) - y.log(),
                "the Gaussian is that of x: turn y into x = log y first.",
            ),
            "wrong way": (
                lambda y, m, s: _bell(y.exp(), m, s) + y,
                "you took the exponential of y: the way from y to x is its logarithm.",
            ),
            "variance": (
                lambda y, m, s: -0.5 * (y.log() - m) ** 2 / s - math.log(s * math.sqrt(2 * math.pi)) - y.log(),
                "sigma is a standard deviation: in the exponent it stands squared.",
            ),
            "sigma's logarithm": (
                lambda y, m, s: _bell(y.log(), m, s) + math.log(s) - y.log(),
                "the Gaussian's own − log sigma is missing.",
            ),
            "constant": (
                lambda y, m, s: _bell(y.log(), m, s) + 0.5 * math.log(2 * math.pi) - y.log(),
                "the Gaussian's constant is missing: half of log 2π.",
            ),
            "density": (
                lambda y, m, s: (_bell(y.log(), m, s) - y.log()).exp(),
                "this is the density itself: its logarithm is wanted.",
            ),
            "loss": (
                lambda y, m, s: -_bell(y.log(), m, s) + y.log(),
                "this is the loss, minus log p: the log-density itself is wanted.",
            ),
        },
    ),
    Exercise(
        "uncouple",
        1,
        uncouple,
        [_points(3, 2, 0), _points(1, 1, 1), _points(6, 4, 2), _points(4, 2, 3)],
        gradients=(0,),
        mistakes={
            "forward": (
                lambda z, n: _halves(z, n, lambda b, s, t: b * s.exp() + t),
                "this is the coupling itself: the way back is wanted.",
            ),
            "order": (
                lambda z, n: _halves(z, n, lambda b, s, t: b * (-s).exp() - t),
                "what came last is undone first: take t away, then undo the scale.",
            ),
            "sign of s": (
                lambda z, n: _halves(z, n, lambda b, s, t: (b - t) * s.exp()),
                "the scale is applied again instead of undone: s needs a minus.",
            ),
            "sign of t": (
                lambda z, n: _halves(z, n, lambda b, s, t: (b + t) * (-s).exp()),
                "t was added on the way there: take it away.",
            ),
            "no exp": (
                lambda z, n: _halves(z, n, lambda b, s, t: (b - t) / s),
                "s is the logarithm of the scale: divide by exp(s).",
            ),
            "shift alone": (lambda z, n: _halves(z, n, lambda b, s, t: b - t), "the scale is not undone."),
            "scale alone": (
                lambda z, n: _halves(z, n, lambda b, s, t: b * (-s).exp()),
                "the shift t is not undone.",
            ),
            "s and t": (
                lambda z, n: _halves(z, n, lambda b, s, t: (b - s) * (-t).exp()),
                "s and t have changed places: the network gives s first.",
            ),
            "network of b": (
                lambda z, n: torch.cat(
                    [
                        z.chunk(2, 1)[0],
                        (z.chunk(2, 1)[1] - n(z.chunk(2, 1)[1]).chunk(2, 1)[1])
                        * (-n(z.chunk(2, 1)[1]).chunk(2, 1)[0]).exp(),
                    ],
                    1,
                ),
                "the network must see the half that was kept: of the other one only the moved version is known.",
            ),
            "halves swapped": (
                lambda z, n: uncouple(z, n).roll(z.shape[1] // 2, 1),
                "the halves have changed places in your answer: a comes first.",
            ),
            "moved half alone": (
                lambda z, n: uncouple(z, n).chunk(2, 1)[1],
                "both halves are wanted: the one that was kept, then the one that was moved.",
            ),
        },
    ),
    Exercise(
        "coupling_log_prob",
        2,
        coupling_log_prob,
        [_points(3, 2, 0), _points(1, 1, 1), _points(6, 4, 2), _points(4, 2, 3)],
        gradients=(0,),
        mistakes={
            "no determinant": (
                lambda x, n: coupling_log_prob(x, n) - _coupled(x, n)[3].sum(1),
                "this is the Gaussian's log-density of z: the log-determinant of the way there is missing.",
            ),
            "sign": (
                lambda x, n: coupling_log_prob(x, n) - 2 * _coupled(x, n)[3].sum(1),
                "the sign of the log-determinant is wrong: it is that of the way from x to z, and is added.",
            ),
            "determinant": (
                lambda x, n: coupling_log_prob(x, n) + (_coupled(x, n)[3].exp() - _coupled(x, n)[3]).sum(1),
                "you added scales: the logarithm of a product of scales is the sum of their logarithms, the s.",
            ),
            "mean": (
                lambda x, n: coupling_log_prob(x, n) + _coupled(x, n)[3].mean(1) - _coupled(x, n)[3].sum(1),
                "the log-determinant is the sum of the s, not their mean.",
            ),
            "at x": (
                lambda x, n: _normal(x) + _coupled(x, n)[3].sum(1),
                "the Gaussian is that of z: send x through the coupling first.",
            ),
            "moved half": (
                lambda x, n: _normal(_coupled(x, n)[2]) + _coupled(x, n)[3].sum(1),
                "the half that is kept counts too: it is part of z, and has a density.",
            ),
            "constant": (
                lambda x, n: coupling_log_prob(x, n) + 0.5 * x.shape[1] * math.log(2 * math.pi),
                "the Gaussian's constant is missing: half of log 2π for every coordinate.",
            ),
            "one constant": (
                lambda x, n: coupling_log_prob(x, n) + 0.5 * (x.shape[1] - 1) * math.log(2 * math.pi),
                "half of log 2π is needed for every coordinate, not once.",
            ),
            "all points": (
                lambda x, n: coupling_log_prob(x, n) + _coupled(x, n)[3].sum() - _coupled(x, n)[3].sum(1),
                "you added the s of all points: each has its own determinant. Sum over axis 1.",
            ),
            "one number": (lambda x, n: coupling_log_prob(x, n).sum(), "one number for each point is wanted."),
            "loss": (
                lambda x, n: -coupling_log_prob(x, n),
                "this is the loss, minus log p: the log-density itself is wanted.",
            ),
            "the other way": (
                lambda x, n: _normal(uncouple(x, n)) - _coupled(x, n)[3].sum(1),
                "you went from z to x: a density of x needs the way from x to z.",
            ),
        },
    ),
    Exercise(
        "lu_log_det",
        2,
        lu_log_det,
        [_factors(3, 1.0, 0), _factors(1, 1.0, 1), _factors(5, 2.0, 2), _factors(200, 0.1, 3), _factors(4, 0.5, 4)],
        mistakes={
            "no absolute value": (
                lambda p, lo, u: u.diagonal().log().sum().item(),
                "some numbers on the diagonal are negative: the logarithm of their size is wanted.",
            ),
            "product": (
                lambda p, lo, u: u.diagonal().prod().abs().log().item(),
                "right for small D. A determinant of 200 small numbers is 0 in float32: add up logarithms.",
            ),
            "trace": (
                lambda p, lo, u: u.diagonal().abs().sum().log().item(),
                "the determinant is the product of the diagonal, not its sum.",
            ),
            "diagonal of W": (
                lambda p, lo, u: (p @ lo @ u).diagonal().abs().log().sum().item(),
                "only a triangular matrix has its determinant on the diagonal: take that of upper.",
            ),
            "all of upper": (
                lambda p, lo, u: u[u != 0].abs().log().sum().item(),
                "the diagonal alone counts: what lies beside it shears, and changes no volume.",
            ),
            "sign": (
                lambda p, lo, u: -u.diagonal().abs().log().sum().item(),
                "this is that of the inverse: the sign is wrong.",
            ),
            "mean": (
                lambda p, lo, u: u.diagonal().abs().log().mean().item(),
                "the logarithms are added, not averaged.",
            ),
            "bits": (
                lambda p, lo, u: u.diagonal().abs().log2().sum().item(),
                "this is the logarithm to base 2: the natural one is wanted.",
            ),
            "lower": (
                lambda p, lo, u: lo.diagonal().abs().log().sum().item(),
                "lower has ones on its diagonal: its determinant is 1. Look at upper.",
            ),
            "each": (
                lambda p, lo, u: u.diagonal().abs().log(),
                "one number is wanted: add them up.",
            ),
        },
    ),
    Exercise(
        "uniform_bound",
        2,
        uniform_bound,
        [_log_p(4, 3, 17, 64, 0), _log_p(1, 2, 2, 5, 1), _log_p(6, 1, 256, 10, 2), _log_p(3, 3, 17, 1, 3)],
        gradients=(0,),
        mistakes={
            "no volume": (
                lambda p, k, d: p.mean(0),
                "this is a density. A level takes 1/levels of each axis: multiply by that volume to get a probability.",
            ),
            "divided": (
                lambda p, k, d: p.mean(0) + d * math.log(k),
                "the sign of the volume is wrong: its logarithm is negative.",
            ),
            "one axis": (
                lambda p, k, d: p.mean(0) - math.log(k),
                "a cell is 1/levels wide along every one of the dims axes.",
            ),
            "levels − 1": (
                lambda p, k, d: p.mean(0) - d * math.log(k - 1),
                "all was divided by levels, so a cell is 1/levels wide, not 1/(levels − 1).",
            ),
            "tighter": (
                lambda p, k, d: p.logsumexp(0) - math.log(len(p)) - d * math.log(k),
                "you averaged inside the logarithm: that is the importance-weighted bound, tighter and right too. "
                "Here the plain average of the logarithms is wanted.",
            ),
            "log-sum": (
                lambda p, k, d: p.logsumexp(0) - d * math.log(k),
                "this adds the draws' densities up, and is no bound: average over the draws.",
            ),
            "sum": (lambda p, k, d: p.sum(0) - d * math.log(k), "average over the draws of noise: no sum."),
            "wrong axis": (
                lambda p, k, d: p.mean(1) - d * math.log(k),
                "you averaged over the pictures: average over the draws, axis 0.",
            ),
            "one number": (
                lambda p, k, d: p.mean() - d * math.log(k),
                "one number for each picture is wanted, not one for all.",
            ),
            "best draw": (
                lambda p, k, d: p.max(0).values - d * math.log(k),
                "the best draw says nothing of the average: take the mean.",
            ),
            "for each pixel": (
                lambda p, k, d: p.mean(0) / d - math.log(k),
                "this is for one pixel: the nats of the whole picture are wanted.",
            ),
            "loss": (
                lambda p, k, d: d * math.log(k) - p.mean(0),
                "this is the loss, minus the bound: the bound itself is wanted.",
            ),
            "bits": (
                lambda p, k, d: p.mean(0) - d * math.log2(k),
                "the volume is in bits and the density in nats: take the natural logarithm.",
            ),
        },
    ),
    Choice(
        "liar",
        3,
        "liar",
        5,
        {
            0: "layer 0 tells the truth: its log-determinant is autograd's. Take slogdet of every layer's Jacobian.",
            1: "layer 1 mixes, and says by how much volumes change: autograd agrees.",
            2: "layer 2 is a coupling, and an honest one. There is a second one.",
            3: "layer 3 scales, and says so. Feed each layer with what the layer before it gives.",
            4: "layer 4 turns, shears and stretches, and says how much that changes volumes: autograd agrees.",
            6: "what layer 6 gets is the output of a liar, and what it says of its own step is true.",
        },
        "that is no layer: an answer is a number from 0 to 6.",
        "Layer 5's log-determinant is not that of autograd's Jacobian, at any point; all the others' are",
    ),
)


def suspect():
    """Return a flow of the plane with seven layers, one of which lies about its log-determinant."""
    from ..models.flow import Coupling, coupling_flow

    class Liar(Coupling):
        """A coupling that reports the scales before they were limited."""

        def forward(self, x, context=None):
            z, _ = super().forward(x, context)
            return z, self.network(x[:, : self.kept])[:, : self.moved].sum(1)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        flow = coupling_flow(shape=(2,), layers=2, hidden=(8,)).eval()
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter += 0.5 * torch.randn_like(parameter)
    flow.layers[5].__class__ = Liar
    return flow
