"""Other right answers to the exercises on few labels, and wrong ones with words of their hints."""

import math

import torch


def loop_surest(p, each):
    return torch.tensor([sorted(range(len(p)), key=lambda i, k=k: -float(p[i, k]))[:each] for k in range(p.shape[1])])


def loop_out(joint, log_q):
    return torch.stack([sum(q.exp() * (j - q) for j, q in zip(*row, strict=True)) for row in zip(joint, log_q)])  # noqa: B905


def by_steps(w, y, alpha):
    w, y = w.double(), y.double()
    s = w / (w.sum(1)[:, None] * w.sum(1)).sqrt()
    f = y
    for _ in range(6000):
        f = alpha * s @ f + (1 - alpha) * y
    return f


def by_matrices(w, y, alpha):
    root = torch.diag(w.sum(0) ** -0.5)
    return torch.linalg.inv(torch.eye(len(w)) - alpha * root @ w @ root) @ y * (1 - alpha)


def loop_gain(new, old):
    gains = [float(a) - float(b) for a, b in zip(new, old, strict=True)]
    mean = sum(gains) / len(gains)
    square = sum((g - mean) ** 2 for g in gains) / (len(gains) - 1)
    return torch.tensor([mean, math.sqrt(square / len(gains))])


def likeliest_first(p, each):
    own = p + (p == p.max(1, keepdim=True).values)
    return own.topk(each, dim=0).indices.T


def some_steps(w, y, alpha):
    f = y
    for _ in range(30):
        f = alpha * s_of(w) @ f + (1 - alpha) * y
    return f


def s_of(w):
    return w / (w.sum(1)[:, None] * w.sum(1)).sqrt()


RIGHT = {
    "surest": {
        "a loop": loop_surest,
        "argsort": lambda p, n: p.argsort(dim=0, descending=True)[:n].T,
        "of the turned": lambda p, n: p.T.topk(n).indices,
        "of minus": lambda p, n: (-p).argsort(0)[:n].mT,
    },
    "sum_out": {
        "a loop": loop_out,
        "two sums": lambda j, q: (q.exp() * j).sum(1) - (q.exp() * q).sum(1),
        "einsum": lambda j, q: torch.einsum("bk,bk->b", q.exp(), j - q),
        "by divergence": lambda j, q: j.logsumexp(1) - (q.exp() * (q - j.log_softmax(1))).sum(1),
    },
    "spread_labels": {"by steps": by_steps, "by matrices": by_matrices},
    "paired_gain": {
        "a loop": loop_gain,
        "var": lambda a, b: torch.stack([a.mean() - b.mean(), ((a - b).var() / len(a)).sqrt()]),
        "tensor": lambda a, b: torch.tensor([float((a - b).mean()), float((a - b).std()) / math.sqrt(len(a))]),
    },
}

WRONG = {
    "surest": {
        "axis": (lambda p, n: p.topk(n).indices.T, "ask each class"),
        "argmax": (lambda p, n: p.argmax(0), "expected shape"),
        "likeliest first": (likeliest_first, "only its own probability"),
        "softmax twice": (lambda p, n: p.softmax(1).topk(n, dim=0).indices.T, "only its own probability"),
        "floats": (lambda p, n: p.topk(n, dim=0).indices.T.float(), "they are floats"),
        "values": (lambda p, n: p.topk(n, 0).values.T, "places of the rows"),
        "ascending": (lambda p, n: p.argsort(0)[:n].T, "least sure"),
        "not turned": (lambda p, n: p.argsort(0, descending=True)[:n], "exchange the two axes"),
        "one more": (lambda p, n: p.argsort(0, descending=True)[1 : n + 1].T, "one number should be"),
        "a list": (lambda p, n: p.topk(n, dim=0).indices.T.tolist(), "received list"),
        "both": (lambda p, n: p.topk(n, dim=0), "received topk"),
        "sorted by place": (lambda p, n: p.topk(n, dim=0).indices.T.sort(1).values, "one number should be"),
        "nothing": (lambda p, n: None, "return line"),
    },
    "sum_out": {
        "no entropy": (lambda j, q: (q.softmax(1) * j).sum(1), "entropy of q(y | x) is missing"),
        "twice the entropy": (lambda j, q: (q.exp() * (j - 2 * q)).sum(1), "one number should be"),
        "sign": (lambda j, q: (q.exp() * j).sum(1) + (q.exp() * q).sum(1), "here it is subtracted"),
        "detached": (lambda j, q: (q.exp().detach() * (j - q)).sum(1), "part of the computation"),
        "no gradient": (lambda j, q: (q.exp() * (j - q)).sum(1).detach(), "no gradient reaches"),
        "bounds cut off": (lambda j, q: (q.exp() * (j.detach() - q)).sum(1), "no gradient reaches joint"),
        "best class": (lambda j, q: j.max(1).values, "one number should be"),
        "kept axis": (lambda j, q: (q.exp() * (j - q)).sum(1, keepdim=True), "keepdim"),
        "whole sum": (lambda j, q: (q.exp() * (j - q)).sum(), "over which axes"),
        "averaged": (lambda j, q: (q.exp() * (j - q)).mean(1), "do not average"),
        "evidence": (lambda j, q: torch.logsumexp(j, 1), "best belief"),
        "in bits": (lambda j, q: (q.exp() * (j - q)).sum(1) / math.log(2), "right ones times"),
        "loss": (lambda j, q: (q.exp() * (q - j)).sum(1), "its negative"),
    },
    "spread_labels": {
        "no scaling": (lambda w, y, a: (1 - a) * torch.linalg.inv(torch.eye(len(w)) - a * w) @ y, "both points' sums"),
        "row sums": (
            lambda w, y, a: (1 - a) * torch.linalg.solve(torch.eye(len(w)) - a * w / w.sum(1)[:, None], y),
            "one point's sum",
        ),
        "column sums": (
            lambda w, y, a: (1 - a) * torch.linalg.solve(torch.eye(len(w)) - a * w / w.sum(0), y),
            "one number should be",
        ),
        "unscaled scores": (lambda w, y, a: torch.linalg.solve(torch.eye(len(w)) - a * s_of(w), y), "too large"),
        "thirty steps": (some_steps, "one number should be"),
        "classes alike": (lambda w, y, a: by_matrices(w, y / y.sum(0), a), "one number should be"),
        "labels come first": (
            lambda w, y, a: by_matrices(w, torch.eye(len(w))[:, : y.shape[1]], a),
            "one number should be",
        ),
        "two steps": (
            lambda w, y, a: a * s_of(w) @ (a * s_of(w) @ y + (1 - a) * y) + (1 - a) * y,
            "one number should be",
        ),
        "one step": (lambda w, y, a: (1 - a) * y + a * (s_of(w) @ y), "direct neighbours only"),
        "rows sum to 1": (
            lambda w, y, a: (lambda f: f / f.sum(1, keepdim=True))(by_matrices(w, y, a)),
            "one number should be",
        ),
        "classes": (lambda w, y, a: by_matrices(w, y, a).argmax(1), "not the class"),
        "in place": (lambda w, y, a: by_matrices(w, y.mul_(1.0).add_(0.1), a), "in place"),
        "no alpha": (lambda w, y, a: torch.linalg.solve(torch.eye(len(w)) - 0.5 * s_of(w), y) / 2, ""),
    },
    "paired_gain": {
        "separate draws": (
            lambda a, b: torch.stack([(a - b).mean(), (a.var() / len(a) + b.var() / len(b)) ** 0.5]),
            "spread of the differences",
        ),
        "spread": (lambda a, b: torch.stack([(a - b).mean(), (a - b).std()]), "root of N"),
        "tuple": (lambda a, b: ((a - b).mean(), (a - b).std() / len(a) ** 0.5), "received tuple"),
        "median": (lambda a, b: torch.stack([(a - b).median(), (a - b).std() / len(a) ** 0.5]), "one number should be"),
        "swapped": (lambda a, b: torch.stack([(a - b).std() / len(a) ** 0.5, (a - b).mean()]), "one number should be"),
        "old minus new": (lambda a, b: torch.stack([(b - a).mean(), (b - a).std() / len(a) ** 0.5]), "no gain"),
        "population": (
            lambda a, b: torch.stack([(a - b).mean(), (a - b).std(unbiased=False) / len(a) ** 0.5]),
            "N − 1",
        ),
        "in points": (lambda a, b: 100 * loop_gain(a, b), "right ones times"),
        "mean only": (lambda a, b: (a - b).mean(), "expected shape"),
        "all draws": (lambda a, b: a - b, "expected shape"),
    },
}
