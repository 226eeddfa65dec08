"""Answers on the family tree: right ones written differently, wrong ones that readers write."""

import math

import torch
from torch.distributions import MultivariateNormal, Normal


def string_bits(number, bits):
    return torch.tensor([[int(b) for b in format(n ^ (n >> 1), f"0{bits}b")] for n in number.tolist()])


def reflected(number, bits):
    rows = [[]]
    for _ in range(bits):
        rows = [[0, *row] for row in rows] + [[1, *row] for row in rows[::-1]]
    return torch.tensor(rows)[number].float()


def by_the_least(energy, area):
    least = energy.min()
    return least - energy - ((least - energy).exp().sum() * area).log()


def columns(generator, z):
    """Differences of the generator in double precision, a column for each coordinate."""
    z = z.double()
    steps = 1e-5 * torch.eye(len(z), dtype=torch.double)
    slope = torch.stack([(generator(z + s) - generator(z - s)) / 2e-5 for s in steps], 1)
    return Normal(0.0, 1.0).log_prob(z).sum() - slope.det().abs().log()


def by_jacrev(generator, z):
    prior = MultivariateNormal(torch.zeros(len(z)), torch.eye(len(z))).log_prob(z)
    return prior - torch.func.jacrev(generator)(z).det().abs().log()


RIGHT = {
    "cell_density": {
        "a volume": lambda p, d, w: p - math.log(w**d),
        "torch": lambda p, d, w: (p.exp() / torch.tensor(w) ** d).log(),
    },
    "gray_bits": {"strings": string_bits, "by reflection": reflected},
    "settled": {
        "by the least": by_the_least,
        "log_softmax": lambda e, a: torch.log_softmax(-e, 0) - math.log(a),
    },
    "pushed_density": {"differences": columns, "jacrev": by_jacrev},
}

# wrong answer: (function, words of the hint it must get)
WRONG = {
    "cell_density": {
        "unchanged": (lambda p, d, w: p, ""),
        "of the mean": (lambda p, d, w: (p - d * math.log(w)).mean(), "shape"),
        "density": (lambda p, d, w: (p - d * math.log(w)).exp(), ""),
        "minus": (lambda p, d, w: -(p - d * math.log(w)), ""),
        "bits": (lambda p, d, w: p - d * math.log2(w), ""),
        "square always": (lambda p, d, w: p - 2 * math.log(w), ""),
        "one side only": (lambda p, d, w: p - math.log(w), "as many sides"),
    },
    "gray_bits": {
        "binary strings": (
            lambda n, b: torch.tensor([[int(v) for v in format(k, f"0{b}b")] for k in n.tolist()]), "plain",
        ),
        "numbers": (lambda n, b: n ^ (n >> 1), "shape"),
        "turned": (lambda n, b: reflected(n, b).T, ""),
        "signs": (lambda n, b: 2 * reflected(n, b) - 1, ""),
        "six bits": (lambda n, b: reflected(n, 6), "shape"),
        "eight bits": (lambda n, b: reflected(n & 255, b), "one number should be"),
        "two shifts": (lambda n, b: ((n ^ (n >> 2))[:, None] >> torch.arange(b - 1, -1, -1)) & 1, ""),
        "thermometer": (lambda n, b: (torch.arange(b) < n[:, None]).long(), ""),
    },
    "settled": {
        "minus the energy": (lambda e, a: -e, ""),
        "density": (lambda e, a: (-e).softmax(0) / a, ""),
        "the least alone": (lambda e, a: e.min() - e - math.log(a), ""),
        "mean energy": (lambda e, a: e.mean() - e - math.log(a), ""),
        "clamped": (lambda e, a: by_the_least(e.clamp(max=50), a), ""),
        "by the mean": (
            lambda e, a: -e - ((e.mean() - e).exp().sum() * a).log() + e.mean(), "not finite",
        ),
        "by the highest": (
            lambda e, a: -e - ((e.max() - e).exp().sum() * a).log() + e.max(), "not finite",
        ),
        "log of a softmax": (lambda e, a: ((-e).softmax(0) / a).log(), "not finite"),
        "log Z": (lambda e, a: torch.logsumexp(-e, 0) + math.log(a), "shape"),
        "in place": (lambda e, a: e.neg_() - torch.logsumexp(e, 0) - math.log(a), "in place"),
    },
    "pushed_density": {
        "trace": (lambda g, z: columns(lambda v: v, z) - torch.func.jacrev(g)(z).trace().abs().log(), ""),
        "norm": (lambda g, z: columns(lambda v: v, z) - torch.func.jacrev(g)(z).norm().log(), ""),
        "twice": (lambda g, z: columns(lambda v: v, z) - 2 * torch.func.jacrev(g)(z).det().abs().log(), ""),
        "no constant": (lambda g, z: columns(g, z) + len(z) / 2 * math.log(2 * math.pi), ""),
        "density": (lambda g, z: columns(g, z).exp(), ""),
        "minus": (lambda g, z: -columns(g, z), ""),
        "per dimension": (lambda g, z: columns(g, z) / len(z), ""),
    },
}  # fmt: skip
