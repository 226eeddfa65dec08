"""Answers to the exercises on autoregressive models: right ones written differently, wrong ones that readers write."""

import math

import torch
import torch.nn.functional as F


def loop_chain(p):
    rows = []
    for row in p:
        total = torch.tensor(0.0)
        for value in row:
            total = total + torch.log(value)
        rows.append(total)
    return torch.stack(rows)


def loop_mask(n):
    mask = torch.zeros(n, n)
    for i in range(n):
        for j in range(i):
            mask[i, j] = 1
    return mask


def walked_reach(kernel, dilations):
    """Follow the earliest input that a stack can see, layer by layer."""
    earliest = 0
    for dilation in reversed(dilations):
        earliest -= (kernel - 1) * dilation
    return -earliest + 1


RIGHT = {
    "chain": {
        "as a loop": loop_chain,
        "torch's function": lambda p: torch.log(p).sum(dim=-1),
        "one by one": lambda p: sum(p[:, i].log() for i in range(p.shape[1])),
        "by base two": lambda p: p.log2().sum(1) * math.log(2),
        "einsum": lambda p: torch.einsum("bd->b", p.log()),
        "in double precision": lambda p: p.double().log().sum(1),
    },
    "perplexity": {
        "a tensor": lambda v: torch.exp(-v.mean()),
        "sum over length": lambda v: math.exp(-v.sum().item() / len(v)),
        "by bits": lambda v: 2 ** (-(v / math.log(2)).mean().item()),
        "geometric mean": lambda v: float(torch.exp(v).log().mean().neg().exp()),
    },
    "causal_mask": {
        "as a loop": loop_mask,
        "by comparison": lambda n: (torch.arange(n)[:, None] > torch.arange(n)).float(),
        "upper, turned": lambda n: torch.ones(n, n).triu(1).T,
        "whole numbers": lambda n: (torch.arange(n)[:, None] > torch.arange(n)).long(),
        "what remains": lambda n: 1 - torch.triu(torch.ones(n, n)),
    },
    "reach": {
        "walked": walked_reach,
        "factored": lambda k, d: 1 + (k - 1) * sum(d),
        "as a loop": lambda k, d: [n := 1, *[n := n + (k - 1) * x for x in d]][-1],
    },
    "pinball": {
        "the larger": lambda y, f, q: torch.maximum(q * (y - f), (q - 1) * (y - f)).mean().item(),
        "a tensor": lambda y, f, q: torch.maximum(q * (y - f), (q - 1) * (y - f)).mean(),
        "two parts": lambda y, f, q: (q * F.relu(y - f) + (1 - q) * F.relu(f - y)).mean(),
        "absolute and signed": lambda y, f, q: ((y - f).abs() / 2 + (q - 0.5) * (y - f)).mean().item(),
    },
}

WRONG = {
    "chain": {
        "prod": (lambda p: p.prod(dim=1), "This is p(x): its logari"),
        "log of prod": (lambda p: torch.log(p.prod(1)), "Right for few factors; m"),
        "negative": (lambda p: -torch.log(p).sum(-1), "This is the loss, minus"),
        "log1p": (lambda p: p.log1p().sum(1), "One number"),
        "cumulative": (lambda p: p.log().cumsum(1), "Expected shape"),
        "last": (lambda p: p.log()[:, -1], "One number"),
        "first left out": (lambda p: p.log()[:, 1:].sum(1), "One number"),
        "detached": (lambda p: p.detach().log().sum(1), "The value is right, but"),
        "clamped": (lambda p: p.clamp(min=0.5).log().sum(1), "One number"),
        "a number": (lambda p: p.log().sum().item(), "Expected a"),
    },
    "perplexity": {
        "loss": (lambda v: -v.mean().item(), "This is the mean loss in"),
        "base two": (lambda v: 2 ** -v.mean().item(), "2 goes with bits; with n"),
        "wrong sign": (lambda v: math.exp(v.mean().item()), "A perplexity is at least"),
        "of the sum": (
            lambda v: math.exp(-v.sum().item()) if v.sum() > -600 else float("inf"),
            "Average over the tokens:",
        ),
        "of the worst": (lambda v: math.exp(-v.min().item()), "Expected 3.0508895874076045,"),
        "of the median": (lambda v: math.exp(-v.median().item()) + 0.1, "Expected 3.0508895874076045,"),
        "one less": (lambda v: math.exp(-v.mean().item()) - 1, "Expected 3.0508895874076045,"),
        "by n − 1": (lambda v: math.exp(-v.sum().item() / max(1, len(v) - 1)) + 0.01, "Expected 3.0508895874076045,"),
    },
    "causal_mask": {
        "with diagonal": (lambda n: torch.tril(torch.ones(n, n)), "Output i may look at inp"),
        "upper": (lambda n: torch.triu(torch.ones(n, n), 1), "This looks at what comes"),
        "all": (lambda n: torch.ones((n, n)), "This lets every output s"),
        "none": (lambda n: torch.zeros(n, n), "One number"),
        "minus infinity": (lambda n: torch.full((n, n), float("-inf")).triu(), "Some of your numbers are"),
        "a row": (lambda n: torch.ones(n), "Expected shape"),
        "one too large": (lambda n: torch.ones(n + 1, n + 1).tril(-1), "Expected shape"),
        "a list": (lambda n: torch.ones(n, n).tril(-1).tolist(), "Expected a"),
        "weights": (lambda n: torch.ones(n, n).tril(-1) / torch.arange(n).clamp(min=1)[:, None], "One number"),
    },
    "reach": {
        "powers of two": (lambda k, d: 2 ** len(d), "Expected 5,"),
        "sum": (lambda k, d: sum(d), "Expected 16,"),
        "kernel": (lambda k, d: k, "Expected 16,"),
        "times": (lambda k, d: k * sum(d), "Between k taps lie k − 1"),
        "layers": (lambda k, d: len(d), "Expected 16,"),
        "a float": (lambda k, d: float(1 + (k - 1) * sum(d)) + 0.5, "Expected 16,"),
        "widest": (lambda k, d: 1 + (k - 1) * d[-1], "The widest layer alone:"),
    },
    "pinball": {
        "absolute": (lambda y, f, q: (y - f).abs().mean().item(), "This is the absolute err"),
        "other way round": (
            lambda y, f, q: torch.maximum(q * (f - y), (q - 1) * (f - y)).mean().item(),
            "Q and 1 − q are swapped:",
        ),
        "squared": (lambda y, f, q: ((y - f) ** 2).mean().item(), "Squares lead to the mean"),
        "smaller": (
            lambda y, f, q: torch.minimum(q * (y - f), (q - 1) * (y - f)).mean().item(),
            "Expected 5.880868434906006,",
        ),
        "sum": (
            lambda y, f, q: torch.maximum(q * (y - f), (q - 1) * (y - f)).sum().item() + 0.1,
            "Expected 5.880868434906006,",
        ),
        "signed": (lambda y, f, q: (q * (y - f)).mean().item(), "Errors to the two sides"),
        "twice": (
            lambda y, f, q: 2 * torch.maximum(q * (y - f), (q - 1) * (y - f)).mean().item(),
            "Expected 5.880868434906006,",
        ),
        "median": (lambda y, f, q: 0.5 * (y - f).abs().mean().item() + 0.01, "Expected 5.880868434906006,"),
        "root": (lambda y, f, q: ((y - f) ** 2).mean().sqrt().item(), "Expected 5.880868434906006,"),
    },
}
