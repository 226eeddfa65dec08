"""The exercises of the chapter on the family tree."""

import math

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def cell_density(log_p, dims, width):
    """The log-density, shape (B,), of examples whose cells have log-probability log_p.

    log_p has shape (B,). A cell is a cube of `dims` dimensions with sides `width`.
    """
    return log_p - dims * math.log(width)  # hole


def gray_bits(number, bits):
    """Whole numbers in Gray code: zeros and ones, shape (N, bits), highest bit first.

    number is int64 of shape (N,). Neighbouring numbers differ in a single bit.
    """
    code = number ^ (number >> 1)  # hole
    places = torch.arange(bits - 1, -1, -1)  # hole
    return (code[:, None] >> places) & 1  # hole


def settled(energy, area):
    """The log-density, shape (N,), of a model that has given N cells an energy each.

    energy has shape (N,), and may be in the hundreds. Every cell has the same area,
    and beyond the cells there is nothing.
    """
    log_z = torch.logsumexp(-energy, 0) + math.log(area)  # hole
    return -energy - log_z  # hole


def pushed_density(generator, z):
    """The log-density at x = generator(z), shape (), for z drawn from N(0, I).

    z has shape (D,). The generator returns shape (D,), is smooth, and can be undone.
    """
    slope = torch.autograd.functional.jacobian(generator, z)  # hole
    log_prior = -0.5 * (z.square() + math.log(2 * math.pi)).sum()  # hole
    return log_prior - torch.linalg.slogdet(slope).logabsdet  # hole


def suspects():
    """Return three answers by name: each a function from points, shape (N, 2), to "log-densities", shape (N,).

    One is a density, one a lower bound on it, one lacks its constant.
    """
    centres = torch.tensor([[-1.0, 0.5], [1.2, -0.4]])

    def density(x):
        square = (x[:, None] - centres).square().sum(-1) / (2 * 0.6**2)
        return torch.logsumexp(-square, 1) - math.log(2 * 2 * math.pi * 0.6**2)

    return {
        "ada": lambda x: density(x) - 0.4 * x[:, 0].sin().square() - 0.05,
        "bea": lambda x: density(x) + 1.7,
        "cem": density,
    }


# the exercises -------------------------------------------------------------------------------------------------------


def _log_p(n, seed=0):
    return -6 * torch.rand(n, generator=torch.Generator().manual_seed(seed)) - 1


def _energy(n, seed=0, shift=0.0):
    return 4 * torch.randn(n, generator=torch.Generator().manual_seed(seed)) + shift


def _far_apart():
    return torch.tensor([310.0, 20.0, 620.0, 24.0, 19.0, 480.0]), 0.5


def _bent(z):
    return torch.stack([torch.sinh(z[0]) + 0.5 * z[1], 2.0 * z[1] - 0.7 * z[0]])


def _three(z):
    return torch.stack([3 * z[0], z[1] + z[0] ** 2, -0.5 * z[2] + z[0] * z[1]])


def _normal(z):
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum()


def _slope(g, z):
    return torch.autograd.functional.jacobian(g, z)


EXERCISES = (
    Exercise(
        "cell_density", 1, cell_density,
        [
            lambda: (_log_p(5), 2, 0.0625), lambda: (_log_p(3, 1), 3, 0.5), lambda: (_log_p(4, 2), 1, 2.0),
            lambda: (_log_p(4, 3), 1, 0.25),
        ],
        {
            "multiplied": (lambda p, d, w: p + d * math.log(w), "a smaller cell makes the density larger: divide."),
            "one side": (lambda p, d, w: p - math.log(w), "a cell has as many sides as there are dimensions."),
            "times the width": (lambda p, d, w: p - d * w, "the logarithm of the width is missing."),
            "half": (lambda p, d, w: p - math.log(d * w), "the sides are multiplied, not added."),
            "not a logarithm": (lambda p, d, w: p / w**d, "these are logarithms: dividing becomes subtracting."),
        },
    ),
    Exercise(
        "gray_bits", 2, gray_bits,
        [
            lambda: (torch.arange(8), 3), lambda: (torch.tensor([0, 5, 11, 63, 32]), 6),
            lambda: (torch.tensor([1, 2, 3]), 9), lambda: (torch.tensor([300, 2049, 4095]), 12),
        ],
        {
            "plain binary": (
                lambda n, b: (n[:, None] >> torch.arange(b - 1, -1, -1)) & 1,
                "this is plain binary: from 3 to 4 three bits change.",
            ),
            "lowest first": (
                lambda n, b: ((n ^ (n >> 1))[:, None] >> torch.arange(b)) & 1, "the highest bit comes first.",
            ),
            "shifted the wrong way": (
                lambda n, b: ((n ^ (n << 1))[:, None] >> torch.arange(b - 1, -1, -1)) & 1,
                "shift the number to the right before you compare it with itself.",
            ),
            "and": (
                lambda n, b: ((n & (n >> 1))[:, None] >> torch.arange(b - 1, -1, -1)) & 1,
                "compare by exclusive or: 1 where two bits differ.",
            ),
            "not cut": (
                lambda n, b: (n ^ (n >> 1))[:, None] >> torch.arange(b - 1, -1, -1), "keep the last bit of each alone.",
            ),
        },
    ),
    Exercise(
        "settled", 2, settled,
        [
            lambda: (_energy(6), 0.25), lambda: (_energy(9, 1, 400.0), 0.01), lambda: (_energy(4, 2, -300.0), 2.0),
            _far_apart,
        ],
        {
            "no area": (lambda e, a: (-e).log_softmax(0), "these are probabilities of cells: the area is missing."),
            "sign": (
                lambda e, a: e.log_softmax(0) - math.log(a), "a low energy means a high density: mind the sign.",
            ),
            "area the wrong way": (
                lambda e, a: (-e).log_softmax(0) + math.log(a), "a smaller cell makes the density larger.",
            ),
            "underflow": (
                lambda e, a: -e - ((-e).exp().sum() * a).log(),
                "these exponentials round to 0 or infinity: use logsumexp.",
            ),
            "mean": (
                lambda e, a: -e - torch.logsumexp(-e, 0) + math.log(len(e)) - math.log(a),
                "add up all cells; no mean is asked for.",
            ),
        },
    ),
    Exercise(
        "pushed_density", 3, pushed_density,
        [
            lambda: (_bent, torch.tensor([0.3, -1.0])), lambda: (_three, torch.tensor([1.0, 0.5, -2.0])),
            lambda: (_bent, torch.tensor([-1.5, 0.2])),
        ],
        {
            "no volume": (lambda g, z: _normal(z), "the generator stretches space, which makes the density smaller."),
            "sign": (
                lambda g, z: _normal(z) + torch.linalg.slogdet(_slope(g, z)).logabsdet,
                "where space is stretched, the density gets smaller: subtract.",
            ),
            "at x": (
                lambda g, z: _normal(g(z)) - torch.linalg.slogdet(_slope(g, z)).logabsdet,
                "the normal distribution is that of z, not of x.",
            ),
            "diagonal": (
                lambda g, z: _normal(z) - _slope(g, z).diagonal().abs().log().sum(),
                "the diagonal alone is not the determinant, unless all else on one side of it is 0.",
            ),
            "no logarithm": (
                lambda g, z: _normal(z) - torch.linalg.det(_slope(g, z)).abs(),
                "take the logarithm of the determinant.",
            ),
        },
    ),
    Choice(
        "honest", 3, "honest", "cem",
        {
            "ada": "add up its density over a fine grid, times the area: too little. It is a lower bound.",
            "bea": "add up its density over a fine grid, times the area: far more than 1. Its constant is missing.",
        },
        "that is none of the three: ada, bea, cem.",
        "Over a fine grid of the plane its density adds up to 1; the others' to less and to more",
    ),
    Choice(
        "constant", 3, "constant", 1.7,
        {
            -1.7: "the sign: Z is more than 1 here, so its logarithm is positive.",
            math.exp(1.7): "that is Z itself; its logarithm is asked for.",
            0.18: "that is 1 / Z; the logarithm of Z is asked for.",
        },
        "add up all densities, times the area of a cell, over a grid that reaches far enough; then take the logarithm.",
        "The logarithm of what its density adds up to over a fine grid",
        tolerance=0.02,
    ),
)  # fmt: skip
