"""Answers to the ten exercises of the primer: right ones written differently, wrong ones that readers write."""

import math

import numpy as np
import torch
from torch.distributions import Normal


def loop_distances(a, b):
    return torch.stack([torch.stack([((x - y) ** 2).sum() for y in b]) for x in a])


def by_backward(f, x):
    x = x.clone().detach().requires_grad_(True)
    f(x).backward(torch.ones_like(x))
    return x.grad


def one_by_one(f, x):
    out = []
    for v in x.flatten():
        v = v.detach().requires_grad_()
        out.append(torch.autograd.grad(f(v), v)[0])
    return torch.stack(out).reshape(x.shape)


def by_differences(f, x, h=1e-4):
    return (f(x.double() + h) - f(x.double() - h)) / (2 * h)


def fine_differences(f, x):
    return by_differences(f, x, 1e-6)


def recursive(gradient, x, rate, steps):
    return x if steps == 0 else recursive(gradient, x - rate * gradient(x), rate, steps - 1)


def momentum(gradient, x, rate, steps):
    v = torch.zeros_like(x)
    for _ in range(steps):
        v = 0.9 * v + gradient(x)
        x = x - rate * v
    return x


def in_place(gradient, x, rate, steps):
    for _ in range(steps):
        x -= rate * gradient(x)
    return x


def walk(change):
    def answer(gradient, x, rate, steps):
        return change(gradient, x, rate, steps)

    return answer


def loop_draw(p, u):
    found = []
    for v in u.tolist():
        total, k = 0.0, 0
        for k, share in enumerate(p.tolist()):  # noqa: B007
            total += share
            if v < total:
                break
        found.append(k)
    return torch.tensor(found)


def stable(log_p):
    top = log_p.max(0).values
    return top + (log_p - top).exp().mean(0).log()


RIGHT = {
    "flattened": {
        "reshape": lambda x: x.reshape(len(x), -1),
        "view": lambda x: x.view(x.shape[0], x.shape[2] * x.shape[3]),
        "squeeze, then flatten": lambda x: x[:, 0].flatten(1),
        "a stack": lambda x: torch.stack([one.flatten() for one in x]),
    },
    "standardised": {
        "correction 0": lambda x: (x - x.mean(0)) / x.std(0, correction=0),
        "unbiased": lambda x: (x - x.mean(dim=0, keepdim=True)) / x.std(dim=0, unbiased=False, keepdim=True),
        "by columns": lambda x: torch.stack([(c - c.mean()) / c.std(correction=0) for c in x.T], 1),
        "mean of squares": lambda x: (x - x.mean(0)) / (x.square().mean(0) - x.mean(0).square()).sqrt(),
    },
    "distances": {
        "a loop": loop_distances,
        "cdist": lambda a, b: torch.cdist(a.double(), b.double()) ** 2,
        "unsqueezed": lambda a, b: (a.unsqueeze(1) - b.unsqueeze(0)).pow(2).sum(-1),
        "multiplied out": lambda a, b: (a**2).sum(1, keepdim=True) - 2 * a @ b.T + (b**2).sum(1),
    },
    "slope": {"backward": by_backward, "one by one": one_by_one},
    "descend": {
        "recursive": recursive,
        "a while": walk(lambda g, x, r, n: recursive(g, x.clone(), r, n)),
        "plus minus": walk(lambda g, x, r, n: recursive(lambda v: -g(v), x, -r, n)),
    },
    "expectation": {
        "dot": lambda f, v, p: torch.dot(f(v), p),
        "a loop": lambda f, v, p: sum(q * y for q, y in zip(p, f(v), strict=True)),
        "a float": lambda f, v, p: (f(v) * p).sum().item(),
    },
    "posterior": {
        "in logarithms": lambda p, q: (p.log() + q.log()).softmax(0),
        "dot below": lambda p, q: p * q / torch.dot(p, q),
        "a loop": lambda p, q: torch.stack([a * b for a, b in zip(p, q, strict=True)]) / (p @ q),
        "normalised likelihood": lambda p, q: p * (q / q.sum()) / (p * (q / q.sum())).sum(),
    },
    "log_density": {
        "torch's own": lambda x, m, s: Normal(m, s).log_prob(x),
        "in parts": lambda x, m, s: -((x - m) ** 2) / (2 * s * s) - 0.5 * math.log(2 * math.pi) - np.log(s),
        "of a variance": lambda x, m, s: -0.5 * ((x - m) ** 2 / s**2 + math.log(2 * math.pi * s**2)),
    },
    "draw": {
        "a loop": loop_draw,
        "searchsorted, held": lambda p, u: torch.searchsorted(p.cumsum(0), u, right=True).clamp(max=len(p) - 1),
        "bucketize": lambda p, u: torch.bucketize(u, p.cumsum(0)[:-1], right=True),
    },
    "log_mean": {
        "by the largest": stable,
        "torch's own": lambda p: torch.logsumexp(p - math.log(p.shape[0]), dim=0),
        "in logaddexp": lambda p: _added(p) - math.log(len(p)),
    },
}


def _added(log_p):
    total = log_p[0]
    for row in log_p[1:]:
        total = torch.logaddexp(total, row)
    return total


# wrong answer: (function, words of the hint it must get)
WRONG = {
    "flattened": {
        "as it is": (lambda x: x, "shape"),
        "flatten(0)": (lambda x: x.flatten(0), "not one for all"),
        "rows of rows": (lambda x: x.flatten(0, 2), "shape"),
        "a sum": (lambda x: x.sum((1, 2)), "shape"),
        "reversed": (lambda x: x.flatten(1).flip(1), ""),
        "batch kept in a list": (lambda x: [one.flatten() for one in x], ""),
        "numbers of pixels": (lambda x: x.numel(), ""),
        "squeezed wholly": (lambda x: x.squeeze(), ""),
    },
    "standardised": {
        "first row's mean": (lambda x: x - x[0], ""),
        "in place": (lambda x: x.sub_(x.mean(0)).div_(x.std(0, correction=0)), "in place"),
        "range": (lambda x: (x - x.min(0).values) / (x.max(0).values - x.min(0).values), ""),
        "median": (lambda x: (x - x.median(0).values) / x.std(0, correction=0), ""),
        "divided first": (lambda x: x / x.std(0, correction=0) - x.mean(0), ""),
        "softmax": (lambda x: x.softmax(0), ""),
        "one column": (lambda x: ((x - x.mean(0)) / x.std(0, correction=0))[:, 0], "shape"),
    },
    "distances": {
        "pairs only": (lambda a, b: (a[: len(b)] - b[: len(a)]).square().sum(1), ""),
        "to the mean": (lambda a, b: (a - b.mean(0)).square().sum(1), ""),
        "the largest": (lambda a, b: (a[:, None] - b[None]).square().amax(2), ""),
        "no sum": (lambda a, b: (a[:, None] - b[None]).square(), "shape"),
        "of sums": (lambda a, b: (a.sum(1)[:, None] - b.sum(1)[None]).square(), ""),
        "zeros": (lambda a, b: torch.zeros(len(a), len(b)), ""),
        "sum squared": (lambda a, b: (a[:, None] - b[None]).sum(2).square(), ""),
        "sign": (lambda a, b: -(a[:, None] - b[None]).square().sum(2), ""),
    },
    "slope": {
        "by differences": (by_differences, "difference of two values"),
        "by fine differences": (fine_differences, "difference of two values"),
        "twice": (lambda f, x: 2 * by_backward(f, x), ""),
        "of the square": (lambda f, x: by_backward(lambda v: f(v) ** 2, x), ""),
        "zeros": (lambda f, x: torch.zeros_like(x), ""),
        "minus": (lambda f, x: -by_backward(f, x), ""),
        "summed": (lambda f, x: by_backward(f, x).sum(), "shape"),
        "at zero": (lambda f, x: by_backward(f, torch.zeros_like(x)), ""),
        "absolute": (lambda f, x: by_backward(f, x).abs(), ""),
        "None": (lambda f, x: None, ""),
    },
    "descend": {
        "momentum": (momentum, ""),
        "in place": (in_place, "in place"),
        "one too many": (lambda g, x, r, n: recursive(g, x, r, n + 1), ""),
        "one too few": (lambda g, x, r, n: recursive(g, x, r, max(0, n - 1)), ""),
        "the path": (lambda g, x, r, n: torch.stack([recursive(g, x, r, k) for k in range(n + 1)]), ""),
        "signs": (lambda g, x, r, n: recursive(lambda v: g(v).sign(), x, r, n), ""),
        "a shrinking rate": (lambda g, x, r, n: recursive(g, x, r / max(n, 1), n), ""),
    },
    "expectation": {
        "not normalised": (lambda f, v, p: (p * f(v)).mean(), ""),
        "the likeliest": (lambda f, v, p: f(v)[p.argmax()], ""),
        "spread": (lambda f, v, p: (p * (f(v) - (p * f(v)).sum()) ** 2).sum(), ""),
        "log": (lambda f, v, p: (p.log() * f(v)).sum(), ""),
        "squared p": (lambda f, v, p: (p**2 * f(v)).sum(), ""),
        "f of p": (lambda f, v, p: (v * f(p)).sum(), ""),
    },
    "posterior": {
        "the largest only": (lambda p, q: (p * q == (p * q).max()).float(), ""),
        "softmax": (lambda p, q: (p * q).softmax(0), ""),
        "by the prior's sum": (lambda p, q: p * q / p.sum(), "divide by their sum"),
        "complement": (lambda p, q: p * q / (p * q + (1 - p) * (1 - q)), ""),
        "two causes": (lambda p, q: p * q / (p * q + (1 - p) * q), ""),
        "square of the prior": (lambda p, q: p**2 * q / (p**2 * q).sum(), ""),
        "mean": (lambda p, q: p * q / (p * q).mean(), ""),
    },
    "log_density": {
        "pi alone": (lambda x, m, s: -0.5 * ((x - m) / s) ** 2 - math.log(s * math.sqrt(math.pi)), ""),
        "no half": (lambda x, m, s: -(((x - m) / s) ** 2) - math.log(s * math.sqrt(2 * math.pi)), ""),
        "plus the mean": (lambda x, m, s: Normal(-m, s).log_prob(x), ""),
        "summed": (lambda x, m, s: Normal(m, s).log_prob(x).sum(), "shape"),
        "in bits": (lambda x, m, s: Normal(m, s).log_prob(x) / math.log(2), ""),
        "cumulative": (lambda x, m, s: Normal(m, s).cdf(x).log(), ""),
    },
    "draw": {
        "chance of its own": (lambda p, u: torch.multinomial(p, len(u), replacement=True), ""),
        "from above": (lambda p, u: len(p) - 1 - (u[:, None] >= p.flip(0).cumsum(0)[:-1]).sum(1), ""),
        "nearest": (lambda p, u: (u[:, None] - p).abs().argmin(1), ""),
        "floats": (lambda p, u: u, ""),
        "one": (lambda p, u: (u[0] >= p.cumsum(0)[:-1]).sum(), "shape"),
        "sorted first": (lambda p, u: (u[:, None] >= p.sort().values.cumsum(0)[:-1]).sum(1), ""),
    },
    "log_mean": {
        "clamped": (lambda p: p.clamp(min=-80).exp().mean(0).log(), ""),
        "a little added": (lambda p: (p.exp() + 1e-30).mean(0).log(), ""),
        "log k added": (lambda p: p.logsumexp(0) + math.log(len(p)), ""),
        "all of it": (lambda p: p.flatten().logsumexp(0) - math.log(p.numel()), "shape"),
        "base two": (lambda p: (p.logsumexp(0) - math.log(len(p))) / math.log(2), ""),
        "the mean itself": (lambda p: p.exp().mean(0), ""),
    },
}
