"""Answers on learning a distribution: right ones written differently, wrong ones that readers write."""

import math

import torch
import torch.nn.functional as F
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal


def loop_divergence(p, q):
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        if a > 0:
            total += a * math.log(a / b) if b > 0 else math.inf
    return total


def torchs_mixture(x, points, width):
    bells = Independent(Normal(points, torch.full_like(points, width)), 1)
    return MixtureSameFamily(Categorical(torch.ones(len(points))), bells).log_prob(x)


def loop_kernels(x, points, width):
    each = [Normal(p, width).log_prob(x).sum(1) for p in points]
    return torch.stack(each).logsumexp(0) - math.log(len(each))


def by_the_larger(log_p, share, dims):
    a, b = log_p + math.log(share), torch.full_like(log_p, -dims * math.log(2) + math.log(1 - share))
    top = torch.maximum(a, b)
    return top + ((a - top).exp() + (b - top).exp()).log()


def loop_update(x, resp):
    shares, means, deviations = [], [], []
    for r in resp.T:
        shares.append(r.sum() / len(x))
        means.append(torch.dot(r, x) / r.sum())
        deviations.append((torch.dot(r, (x - means[-1]) ** 2) / r.sum()).sqrt())
    return torch.stack([torch.stack(v) for v in (shares, means, deviations)])


def by_second_moment(x, resp):
    weights = resp / resp.sum(0)
    mean = weights.T @ x
    return torch.stack([resp.mean(0), mean, (weights.T @ x.square() - mean.square()).sqrt()])


def _parts(x, r):
    mean = (r * x[:, None]).sum(0) / r.sum(0)
    return torch.stack([r.mean(0), mean, ((r * (x[:, None] - mean) ** 2).sum(0) / r.sum(0)).sqrt()])


RIGHT = {
    "divergence": {
        "a loop": loop_divergence,
        "xlogy": lambda p, q: (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(),
    },
    "kernel_density": {"torch's mixture": torchs_mixture, "a loop": loop_kernels},
    "diluted": {
        "by the larger": by_the_larger,
        "a stack": lambda p, s, d: torch.stack(
            [p + math.log(s), torch.full_like(p, math.log1p(-s) - d * math.log(2))]
        ).logsumexp(0),
    },
    "update": {"a loop": loop_update, "by the second moment": by_second_moment},
}

# wrong answer: (function, words of the hint it must get)
WRONG = {
    "divergence": {
        "symmetric": (lambda p, q: 0.5 * (loop_divergence(p, q) + loop_divergence(q, p)), ""),
        "torch's, turned": (lambda p, q: F.kl_div(p.log(), q, reduction="sum"), ""),
        "a little added": (lambda p, q: (p * ((p + 1e-4) / (q + 1e-4)).log()).sum().item(), ""),
        "finite": (lambda p, q: loop_divergence(p, q.clamp(min=1e-6)), ""),
        "mean": (lambda p, q: loop_divergence(p, q) / len(p), ""),
        "total variation": (lambda p, q: 0.5 * (p - q).abs().sum().item(), ""),
        "squares": (lambda p, q: ((p - q) ** 2).sum().item(), ""),
        "terms": (lambda p, q: torch.where(p > 0, p * (p / q).log(), 0.0), ""),
    },
    "kernel_density": {
        "a loop's sum of logs": (lambda x, p, w: sum(Normal(q, w).log_prob(x).sum(1) for q in p), ""),
        "nearest only": (lambda x, p, w: torch.stack([Normal(q, w).log_prob(x).sum(1) for q in p]).amax(0), ""),
        "width as variance": (lambda x, p, w: torchs_mixture(x, p, math.sqrt(w)), ""),
        "the points' own": (lambda x, p, w: torchs_mixture(p, p, w), ""),
        "one number": (lambda x, p, w: torchs_mixture(x, p, w).mean(), "shape"),
        "the density": (lambda x, p, w: torchs_mixture(x, p, w).exp(), ""),
        "minus": (lambda x, p, w: -torchs_mixture(x, p, w), ""),
    },
    "diluted": {
        "noise alone": (lambda p, s, d: torch.full_like(p, -d * math.log(2)), ""),
        "the larger": (lambda p, s, d: torch.maximum(p + math.log(s), torch.full_like(p, -d * math.log(2))), ""),
        "minus 4.6": (lambda p, s, d: p - math.log(100), ""),
        "bits": (lambda p, s, d: by_the_larger(p, s, d) / math.log(2), ""),
        "one coin": (lambda p, s, d: by_the_larger(p, s, 1), ""),
        "half shares": (lambda p, s, d: by_the_larger(p, 0.5, d), ""),
        "clamped": (lambda p, s, d: by_the_larger(p.clamp(min=-50), s, d), ""),
    },
    "update": {
        "hard": (lambda x, r: _parts(x, F.one_hot(r.argmax(1), r.shape[1]).float() + 1e-6), ""),
        "equal shares": (lambda x, r: torch.stack([torch.full((r.shape[1],), 1 / r.shape[1]), *_parts(x, r)[1:]]), ""),
        "two of three": (lambda x, r: _parts(x, r)[:2], "shape"),
        "order": (lambda x, r: _parts(x, r).flip(0), ""),
        "one deviation": (
            lambda x, r: torch.stack([*_parts(x, r)[:2], _parts(x, r)[2].mean().expand(r.shape[1])]), "",
        ),
        "columns normalised": (lambda x, r: _parts(x, r / r.sum(0)), ""),
        "turned": (lambda x, r: _parts(x, r).T, ""),
        "a tuple": (lambda x, r: tuple(_parts(x, r)), ""),
    },
}  # fmt: skip
