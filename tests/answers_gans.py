"""Other right answers to the exercises on adversarial networks, and wrong ones with words of their hints."""

import torch
import torch.nn.functional as F

from genkit.adversarial import game, slope
from genkit.metrics.modes import modes_covered


def binary(logit, target):
    return F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, target), reduction="none")


def loop_count(x, centres, sigma, least):
    counts = [0] * len(centres)
    for point in x:
        distances = [(point - centre).norm().item() for centre in centres]
        best = min(range(len(centres)), key=distances.__getitem__)
        counts[best] += distances[best] <= 3 * sigma
    return sum(count >= least for count in counts)


def by_hooks(critic, x, gamma):
    x = x.clone().requires_grad_(True)
    out = torch.autograd.grad(critic(x), x, torch.ones(len(x)), create_graph=True)[0]
    return 0.5 * gamma * (out**2).reshape(len(x), -1).sum(-1)


def row_by_row(critic, x, gamma):
    found = []
    for one in x:
        one = one[None].detach().requires_grad_()
        found.append(gamma / 2 * torch.autograd.grad(critic(one).sum(), one, create_graph=True)[0].pow(2).sum())
    return torch.stack(found)


def detached(critic, x, gamma):
    return by_hooks(critic, x, gamma).detach()


def first_order(critic, x, gamma):
    x = x.detach().requires_grad_()
    return gamma / 2 * torch.autograd.grad(critic(x).sum(), x)[0].square().flatten(1).sum(1)


def near(x, centres, sigma, factor=3):
    return torch.cdist(x, centres) <= factor * sigma


RIGHT = {
    "tell_apart": {
        "the package's": game("non_saturating").critic,
        "cross-entropy": lambda r, f: binary(r, 1.0) + binary(f, 0.0),
        "log-sigmoid": lambda r, f: -F.logsigmoid(r) - F.logsigmoid(-f),
        "logaddexp": lambda r, f: torch.logaddexp(-r, torch.zeros_like(r)) + torch.logaddexp(f, torch.zeros_like(f)),
    },
    "convince": {
        "the package's": lambda f: game("non_saturating").generator(f, f),
        "cross-entropy": lambda f: binary(f, 1.0),
        "log-sigmoid": lambda f: -F.logsigmoid(f),
        "softplus less the logit": lambda f: F.softplus(f) - f,
    },
    "r1": {
        "the package's": lambda d, x, g: g / 2 * slope(d, x),
        "vector of ones": by_hooks,
        "row by row": row_by_row,
        "einsum": lambda d, x, g: g / 2 * torch.func.vmap(torch.func.grad(lambda v: d(v[None]).sum()))(x).square()
        .flatten(1).sum(1),
    },
    "beside": {
        "the package's": game("relativistic").generator,
        "log-sigmoid": lambda r, f: -F.logsigmoid(f - r),
        "cross-entropy": lambda r, f: binary(f - r, 1.0),
        "softmax": lambda r, f: -torch.stack([r, f]).log_softmax(0)[1],
    },
    "count_modes": {
        "loop": loop_count,
        "one hot": lambda x, c, s, n: int(
            ((F.one_hot(torch.cdist(x, c).argmin(1), len(c)) * near(x, c, s)).sum(0) >= n).sum()
        ),
        "the package's": lambda x, c, s, n: modes_covered(x, c, s, least=min(1.0, (n - 1e-6) * len(c) / len(x))),
        "sum of a list": lambda x, c, s, n: sum(
            int(((torch.cdist(x, c).argmin(1) == k) & near(x, c, s)[:, k]).sum()) >= n for k in range(len(c))
        ),
    },
}  # fmt: skip

WRONG = {
    "tell_apart": {
        "other way round": (lambda r, f: binary(r, 0.0) + binary(f, 1.0), "the signs are swapped"),
        "data only": (lambda r, f: binary(r, 1.0), "the samples are missing"),
        "samples only": (lambda r, f: binary(f, 0.0), "the data are missing"),
        "a number": (lambda r, f: (binary(r, 1.0) + binary(f, 0.0)).mean(), "one number for each pair"),
        "sum": (lambda r, f: (binary(r, 1.0) + binary(f, 0.0)).sum(), "Expected shape"),
        "half": (lambda r, f: 0.5 * binary(r, 1.0) + 0.5 * binary(f, 0.0), "no mean of the two"),
        "unstable": (lambda r, f: -torch.sigmoid(r).log() - (1 - torch.sigmoid(f)).log(), "not finite"),
        "cut off": (lambda r, f: binary(r, 1.0) + binary(f.detach(), 0.0), "no gradient reaches fake"),
        "stacked": (lambda r, f: torch.stack([binary(r, 1.0), binary(f, 0.0)]), "Expected shape"),
        "squares": (lambda r, f: (r - 1) ** 2 / 2 + f**2 / 2, "One number"),
    },
    "convince": {
        "saturating": (lambda f: F.logsigmoid(-f), "saturating loss"),
        "as the critic": (lambda f: binary(f, 0.0), "the critic's term"),
        "logit": (lambda f: f * -1, "Wasserstein"),
        "sigmoid": (lambda f: torch.sigmoid(-f), "take the logarithm"),
        "unstable": (lambda f: -torch.sigmoid(f).log(), "not finite"),
        "sum": (lambda f: binary(f, 1.0).sum(), "Expected shape"),
        "mean": (lambda f: binary(f, 1.0).mean(), "do not average"),
        "cut off": (lambda f: binary(f.detach(), 1.0), "no gradient reaches fake"),
        "hinge": (lambda f: F.relu(1 - f), "One number"),
    },
    "r1": {
        "detached": (detached, "does not pass gradients"),
        "no second order": (first_order, "create_graph=True"),
        "whole weight": (lambda d, x, g: 2 * by_hooks(d, x, g), "gamma / 2"),
        "root": (lambda d, x, g: g / 2 * (slope(d, x)).sqrt(), "no square root"),
        "averaged": (lambda d, x, g: by_hooks(d, x, g).mean(), "do not average over the batch"),
        "slope of the mean": (lambda d, x, g: by_hooks(d, x, g) / len(x) ** 2, "a mean divides every slope"),
        "towards one": (lambda d, x, g: g / 2 * (slope(d, x).sqrt() - 1) ** 2, "wants a slope of one"),
        "per dimension": (lambda d, x, g: by_hooks(d, x, g) / x[0].numel(), "a sum over the dimensions"),
        "no gamma": (lambda d, x, g: slope(d, x) / 2, "One number"),
        "kept": (lambda d, x, g: by_hooks(d, x, g)[:, None], "Expected shape"),
    },
    "beside": {
        "for the critic": (game("relativistic").critic, "the critic's loss"),
        "judged alone": (lambda r, f: binary(f, 1.0), "judged alone"),
        "saturates": (lambda r, f: F.logsigmoid(r - f), "minimax again"),
        "difference": (lambda r, f: -(f - r), "the difference alone"),
        "average partner": (lambda r, f: -F.logsigmoid(f - r.mean()), "its own partner"),
        "both": (lambda r, f: binary(r, 0.0) + binary(f, 1.0), "two separate judgements"),
        "mean": (lambda r, f: binary(f - r, 1.0).mean(), "do not average"),
        "chance": (lambda r, f: torch.sigmoid(r - f), "minus the logarithm"),
        "no gradient to data": (lambda r, f: F.softplus(r.detach() - f), "no gradient reaches real"),
        "pairs of all": (lambda r, f: F.softplus(r[:, None] - f[None]), "Expected shape"),
    },
    "count_modes": {
        "wherever": (
            lambda x, c, s, n: sum(int((torch.cdist(x, c).argmin(1) == k).sum()) >= n for k in range(len(c))),
            "points far from every centre count too",
        ),
        "strictly": (lambda x, c, s, n: loop_count(x, c, s, n + 1), "as many as that are enough"),
        "touched": (lambda x, c, s, n: loop_count(x, c, s, 1), "a single point is not enough"),
        "tight": (lambda x, c, s, n: loop_count(x, c, s / 3, n), "three deviations"),
        "how many points": (lambda x, c, s, n: int(near(x, c, s).any(1).sum()), "count centres"),
        "fraction": (lambda x, c, s, n: loop_count(x, c, s, n) / len(c), "not which share"),
        "squared": (
            lambda x, c, s, n: int(
                ((F.one_hot(torch.cdist(x, c).argmin(1), len(c)) * (torch.cdist(x, c) ** 2 <= 3 * s)).sum(0) >= n)
                .sum()
            ),
            "take the root",
        ),
        "a list": (lambda x, c, s, n: [loop_count(x, c, s, n)], "Expected"),
        "one more": (lambda x, c, s, n: loop_count(x, c, s, n) + 1, ""),
        "a float": (lambda x, c, s, n: float(loop_count(x, c, s, n)), "Expected"),
    },
}  # fmt: skip
