"""Answers to the exercises on Boltzmann machines: right ones written differently, wrong ones that readers write."""

import math

import torch
import torch.nn.functional as F


def loop_energy(s, weight, bias):
    rows = []
    for state in s:
        total = torch.tensor(0.0)
        for i in range(len(state)):
            total = total - bias[i] * state[i]
            for j in range(i):
                total = total - weight[i, j] * state[i] * state[j]
        rows.append(total)
    return torch.stack(rows)


def difference_of_energies(s, weight, bias, temperature):
    columns = []
    for i in range(s.shape[1]):
        on, off = s.clone(), s.clone()
        on[:, i], off[:, i] = 1, 0
        gap = loop_energy(off, weight, bias) - loop_energy(on, weight, bias)
        columns.append(1 / (1 + torch.exp(-gap / temperature)))
    return torch.stack(columns, 1)


def summed_free_energy(v, weight, visible, hidden):
    h = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * len(hidden)).view(-1, len(hidden))
    return -(v @ weight @ h.T + (v @ visible)[:, None] + h @ hidden).logsumexp(1)


def step_by_rows(data, model, weight, hidden):
    total = torch.zeros_like(weight)
    for x, y in zip(data, model, strict=True):
        total += torch.outer(x, torch.sigmoid(x @ weight + hidden)) - torch.outer(y, torch.sigmoid(y @ weight + hidden))
    return total / len(data)


def step_by_autograd(data, model, weight, hidden):
    w = weight.clone().requires_grad_()
    gap = F.softplus(data @ w + hidden).sum() - F.softplus(model @ w + hidden).sum()
    return torch.autograd.grad(gap / len(data), w)[0]


def error_by_normalising(log_w):
    share = torch.softmax(log_w, 0) * len(log_w)
    return share.std() / math.sqrt(len(log_w))


RIGHT = {
    "party_energy": {
        "as a loop": loop_energy,
        "upper triangle": lambda s, w, b: -torch.einsum("bi,ij,bj->b", s, w.triu(1), s) - s @ b,
        "einsum": lambda s, w, b: -0.5 * torch.einsum("bi,ij,bj->b", s, w, s) - (s * b).sum(1),
        "diagonal": lambda s, w, b: -0.5 * (s @ w @ s.T).diagonal() - s @ b,
        "pull": lambda s, w, b: -(s * (0.5 * s @ w + b)).sum(-1),
    },
    "happy": {
        "energies": difference_of_energies,
        "by hand": lambda s, w, b, t: 1 / (1 + torch.exp(-(s @ w + b) / t)),
        "half a tanh": lambda s, w, b, t: 0.5 * (1 + torch.tanh((s @ w + b) / (2 * t))),
        "two moods": lambda s, w, b, t: torch.stack([0 * s, (s @ w + b) / t]).softmax(0)[1],
    },
    "free_energy": {
        "summed": summed_free_energy,
        "logaddexp": lambda v, w, b, a: -(v @ b) - torch.logaddexp(v @ w + a, torch.zeros(len(a))).sum(-1),
        "logsigmoid": lambda v, w, b, a: F.logsigmoid(-(v @ w + a)).sum(1) - v @ b,
        "einsum": lambda v, w, b, a: -torch.einsum("bd,d->b", v, b) - F.softplus(v @ w + a).sum(dim=1),
    },
    "learning_step": {
        "by rows": step_by_rows,
        "autograd": step_by_autograd,
        "einsum": lambda x, y, w, a: (
            torch.einsum("bd,bh->bdh", x, (x @ w + a).sigmoid()).mean(0)
            - torch.einsum("bd,bh->bdh", y, (y @ w + a).sigmoid()).mean(0)
        ),
    },
    "ais_error": {
        "normalised": error_by_normalising,
        "in double precision": lambda w: float(
            (w.double() - w.double().max()).exp().std() / (w.double() - w.double().max()).exp().mean() / len(w) ** 0.5
        ),
        "by the logarithm of the mean": lambda w: (
            (w - (w.logsumexp(0) - math.log(len(w)))).exp().std().item() / math.sqrt(len(w))
        ),
    },
}

WRONG = {
    "party_energy": {
        "no half": (lambda s, w, b: -(s * (s @ w + b)).sum(1), "Every link is counted twice"),
        "flipped": (lambda s, w, b: (s * (0.5 * s @ w + b)).sum(1), "This is minus the energy"),
        "matrix": (lambda s, w, b: -0.5 * (s @ w) * s, "shape"),
        "pull": (lambda s, w, b: s @ w + b, "shape"),
        "rows and columns": (lambda s, w, b: -0.5 * ((s @ w) * s).sum(0), "shape"),
        "mean": (lambda s, w, b: -0.5 * ((s @ w) * s).mean(1) - s @ b, "one number"),
        "a quarter": (lambda s, w, b: -0.25 * ((s @ w) * s).sum(1) - s @ b, "one number"),
        "a list": (lambda s, w, b: loop_energy(s, w, b).tolist(), "expected a tensor"),
        "changed in place": (lambda s, w, b: -0.5 * (s.mul_(s @ w)).sum(1) - s @ b, "in place"),
    },
    "happy": {
        "without heat": (lambda s, w, b, t: (s @ w + b).sigmoid(), "The temperature is missing"),
        "draws": (lambda s, w, b, t: torch.bernoulli(((s @ w + b) / t).sigmoid()), "another result"),
        "root of the temperature": (lambda s, w, b, t: ((s @ w + b) / t**0.5).sigmoid(), "one number"),
        "one for each row": (lambda s, w, b, t: ((s @ w + b) / t).sigmoid().prod(1), "shape"),
        "with itself": (lambda s, w, b, t: ((s @ w + b + s) / t).sigmoid(), "one number"),
        "grumpy": (lambda s, w, b, t: 1 - ((s @ w + b) / t).sigmoid(), "probability of being 0"),
        "clamped": (lambda s, w, b, t: ((s @ w + b) / t).clamp(0, 1), "one number"),
    },
    "free_energy": {
        "energy of the mean": (
            lambda v, w, b, a: -(v @ b) - ((v @ w + a) * (v @ w + a).sigmoid()).sum(1),
            "one number",
        ),
        "minus": (lambda v, w, b, a: v @ b + F.softplus(v @ w + a).sum(1), "This is −F"),
        "log2": (lambda v, w, b, a: -(v @ b) - F.softplus(v @ w + a).sum(1) / math.log(2), "one number"),
        "probability": (lambda v, w, b, a: (v @ b + F.softplus(v @ w + a).sum(1)).exp(), "one number"),
        "nats of all": (lambda v, w, b, a: (-(v @ b) - F.softplus(v @ w + a).sum(1)).mean(), "shape"),
        "by units": (lambda v, w, b, a: F.softplus(v @ w + a), "shape"),
        "log of the sum": (lambda v, w, b, a: -(v @ b) - (v @ w + a).logsumexp(1), "one number"),
    },
    "learning_step": {
        "reversed": (lambda x, y, w, a: -step_by_rows(x, y, w, a), "This is the gradient of the loss"),
        "a tenth": (lambda x, y, w, a: 0.1 * step_by_rows(x, y, w, a), "times 0.1"),
        "new weights": (lambda x, y, w, a: w + step_by_rows(x, y, w, a), "one number"),
        "hard units": (
            lambda x, y, w, a: (x.T @ (x @ w + a > 0).float() - y.T @ (y @ w + a > 0).float()) / len(x),
            "one number",
        ),
        "drawn units": (
            lambda x, y, w, a: (
                (x.T @ torch.bernoulli((x @ w + a).sigmoid()) - y.T @ torch.bernoulli((y @ w + a).sigmoid())) / len(x)
            ),
            "another result",
        ),
        "bias": (lambda x, y, w, a: (x - y).mean(0), "shape"),
    },
    "ais_error": {
        "logarithms": (lambda w: w.std() / len(w) ** 0.5, "This is the error of the mean logarithm"),
        "naive": (lambda w: w.exp().std() / w.exp().mean() / len(w) ** 0.5, "Right for small numbers"),
        "the log mean": (lambda w: (w.logsumexp(0) - math.log(len(w))).item(), "expected"),
        "each": (lambda w: (w - w.max()).exp(), "expected"),
        "from the smallest": (
            lambda w: ((w - w.min()).exp().std() / (w - w.min()).exp().mean() / len(w) ** 0.5).item(),
            "received nan",
        ),
        "nothing": (lambda w: 0.0, "expected"),
        "all": (lambda w: (w.max() - w.min()).item(), "expected"),
    },
}
