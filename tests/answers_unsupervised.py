"""Answers to the exercises on learning without labels: right ones written differently, and what readers write."""

import torch


def looped_centres(x, labels, k):
    sums, counts = torch.zeros(k, x.shape[1]), [0] * k
    for row, j in zip(x, labels.tolist(), strict=True):
        sums[j] += row
        counts[j] += 1
    return sums / torch.tensor(counts)[:, None]


def one_hot_centres(x, labels, k):
    member = torch.nn.functional.one_hot(labels, k).to(x)
    return (member.T @ x) / member.sum(0)[:, None]


def by_confidence(x, a, b):
    return x[x[:, a] == 1][:, b].mean() / x[:, b].mean()


def looped_next(x, centres):
    gaps = torch.stack([min(((p - c) ** 2).sum() for c in centres) for p in x])
    return gaps / sum(gaps)


def by_covariance(x, k):
    values = torch.linalg.eigvalsh(torch.cov(x.double().T, correction=0)).flip(0)
    return values[k:].sum() / values.sum()


def by_rebuilding(x, k):
    away = x - x.mean(0)
    v = torch.linalg.svd(away, full_matrices=False).Vh[:k]
    return (away - away @ v.T @ v).square().sum() / away.square().sum()


def chosen(n):
    return n * (n - 1) / 2


def by_library(table):
    from sklearn.metrics import adjusted_rand_score

    rows, columns = [], []
    for i, row in enumerate(table.long().tolist()):
        for j, count in enumerate(row):
            rows += [i] * count
            columns += [j] * count
    return adjusted_rand_score(rows, columns)


def by_counting_pairs(table):
    labels = [(i, j) for i, row in enumerate(table.long().tolist()) for j, n in enumerate(row) for _ in range(n)]
    pairs = [(p, q) for n, p in enumerate(labels) for q in labels[:n]]
    both = sum(p[0] == q[0] and p[1] == q[1] for p, q in pairs)
    one, other = sum(p[0] == q[0] for p, q in pairs), sum(p[1] == q[1] for p, q in pairs)
    chance = one * other / len(pairs)
    return (both - chance) / (0.5 * one + 0.5 * other - chance)


def gap(x, c):
    return (x[:, None] - c).square().sum(2)


RIGHT = {
    "new_centres": {"a loop": looped_centres, "one-hot": one_hot_centres},
    "rule_lift": {
        "by confidence": by_confidence,
        "by counts": lambda x, a, b: len(x) * (x[:, a] * x[:, b]).sum() / (x[:, a].sum() * x[:, b].sum()),
        "by a dot product": lambda x, a, b: (x[:, a] @ x[:, b] / len(x) / x[:, a].mean() / x[:, b].mean()).item(),
    },
    "next_centre": {
        "a loop": looped_next,
        "cdist": lambda x, c: torch.cdist(x, c).amin(1) ** 2 / (torch.cdist(x, c).amin(1) ** 2).sum(),
    },
    "share_lost": {
        "by covariance": by_covariance,
        "by rebuilding": by_rebuilding,
        "one minus what is kept": lambda x, k: (
            1 - torch.linalg.svdvals(x - x.mean(0))[:k].square().sum() / (x - x.mean(0)).square().sum()
        ),
    },
    "adjusted_rand": {"the library": by_library, "counting pairs": by_counting_pairs},
}

WRONG = {
    "new_centres": {
        "a list": (lambda x, z, k: [x[z == j].mean(0) for j in range(k)], "expected a tensor"),
        "turned": (lambda x, z, k: one_hot_centres(x, z, k).T, ""),
        "of all": (lambda x, z, k: x.mean(0, keepdim=True).expand(k, -1), "the mean of all points"),
        "unbiased": (
            lambda x, z, k: torch.stack([x[z == j].sum(0) / max(1, (z == j).sum() - 1) for j in range(k)]),
            "",
        ),
        "added": (lambda x, z, k: torch.zeros(k, x.shape[1]).index_add(0, z, x), "these are sums"),
        "any point": (
            lambda x, z, k: torch.stack([x[z == j][-1] for j in range(k)]),
            "",
        ),
        "over rows": (lambda x, z, k: torch.stack([x[z == j].mean() for j in range(k)]), "shape"),
    },
    "rule_lift": {
        "confidence": (lambda x, a, b: x[x[:, a] == 1][:, b].mean(), "this is the confidence"),
        "counts": (lambda x, a, b: x[:, a] @ x[:, b] / x[:, a].sum() / x[:, b].sum(), "does not cancel"),
        "correlation": (lambda x, a, b: torch.corrcoef(x[:, [a, b]].T)[0, 1], ""),
        "whole number": (lambda x, a, b: int(by_confidence(x, a, b)), ""),
        "zip": (lambda x, a, b: x[:, a] / x[:, b], ""),
        "leverage": (lambda x, a, b: (x[:, a] @ x[:, b]) / len(x) - x[:, a].mean() * x[:, b].mean(), "leverage"),
        "jaccard": (lambda x, a, b: (x[:, a] * x[:, b]).sum() / ((x[:, a] + x[:, b]) > 0).sum(), ""),
    },
    "next_centre": {
        "distances": (
            lambda x, c: torch.cdist(x, c).amin(1) / torch.cdist(x, c).amin(1).sum(),
            "the squared distance counts",
        ),
        "which one": (lambda x, c: gap(x, c).argmin(1), ""),
        "evenly": (lambda x, c: torch.full((len(x),), 1 / len(x)), ""),
        "for each centre": (lambda x, c: gap(x, c) / gap(x, c).sum(0), ""),
        "the farthest": (lambda x, c: gap(x, c).amin(1).argmax(), ""),
        "from the first": (lambda x, c: gap(x, c)[:, 0] / gap(x, c)[:, 0].sum(), ""),
        "a list": (lambda x, c: looped_next(x, c).tolist(), "expected a tensor"),
    },
    "share_lost": {
        "kept": (lambda x, k: 1 - by_covariance(x, k), "the share that is kept"),
        "last alone": (
            lambda x, k: torch.linalg.svdvals(x - x.mean(0))[-1] ** 2 / (x - x.mean(0)).square().sum(),
            "",
        ),
        "columns": (lambda x, k: x.var(0)[k:].sum() / x.var(0).sum(), ""),
        "not centred": (
            lambda x, k: torch.linalg.svdvals(x)[k:].square().sum() / x.square().sum(),
            "subtract the mean",
        ),
        "in percent": (lambda x, k: 100 * by_covariance(x, k), ""),
        "one too few": (lambda x, k: by_covariance(x, max(k - 1, 0)), ""),
        "a list": (lambda x, k: [float(by_covariance(x, k))], ""),
    },
    "adjusted_rand": {
        "rand": (
            lambda t: 1 - (chosen(t.sum(1)).sum() + chosen(t.sum(0)).sum() - 2 * chosen(t).sum()) / chosen(t.sum()),
            "the Rand index itself",
        ),
        "accuracy": (lambda t: t.diagonal().sum() / t.sum(), ""),
        "purity": (lambda t: t.max(0).values.sum() / t.sum(), "this is purity"),
        "squares": (
            lambda t: (t**2).sum() / ((t.sum(1) ** 2).sum() * (t.sum(0) ** 2).sum()).sqrt(),
            "",
        ),
        "jaccard": (
            lambda t: chosen(t).sum() / (chosen(t.sum(1)).sum() + chosen(t.sum(0)).sum() - chosen(t).sum()),
            "",
        ),
        "geometric": (
            lambda t: chosen(t).sum() / (chosen(t.sum(1)).sum() * chosen(t.sum(0)).sum()).sqrt(),
            "",
        ),
        "twice": (lambda t: 2 * by_counting_pairs(t), ""),
    },
}
