"""Other right answers to the exercises on metrics, and wrong ones with words of their hints."""

import math

import numpy as np
import torch
from scipy.stats import binomtest
from sklearn.neighbors import NearestNeighbors

from genkit import metrics


def loop_score(p):
    share = [sum(row[k] for row in p.tolist()) / len(p) for k in range(p.shape[1])]
    own = [sum(v * math.log(v / s) for v, s in zip(row, share, strict=True) if v > 0) for row in p.tolist()]
    return torch.tensor(math.exp(sum(own) / len(own)))


def by_entropies(p):
    entropy = lambda q: -torch.special.xlogy(q, q).sum(-1)  # noqa: E731
    return (entropy(p.mean(0)) - entropy(p).mean()).exp()


def roots(right, n, z):
    """The two p at which the score test just fails: the roots of (p − right/n)² = z² p (1 − p) / n."""
    a, b, c = 1 + z * z / n, -(2 * right / n + z * z / n), (right / n) ** 2
    reach = math.sqrt(max(b * b - 4 * a * c, 0.0))
    return torch.tensor([(-b - reach) / (2 * a), (-b + reach) / (2 * a)])


def scipys(right, n, z):
    level = math.erf(z / math.sqrt(2))
    found = binomtest(right, n).proportion_ci(level, method="wilson")
    return torch.tensor([found.low, found.high])


def loop_covered(real, samples, k):
    found = 0
    for i, x in enumerate(real):
        others = sorted(float((x - y).norm()) for j, y in enumerate(real) if j != i)
        found += min(float((x - y).norm()) for y in samples) <= others[k - 1]
    return torch.tensor(found / len(real))


def by_neighbours(real, samples, k):
    radius = NearestNeighbors(n_neighbors=k + 1).fit(real.numpy()).kneighbors(real.numpy())[0][:, -1]
    near = NearestNeighbors(n_neighbors=1).fit(samples.numpy()).kneighbors(real.numpy())[0][:, 0]
    return torch.tensor((near <= radius).mean())


def loop_two(aa, bb, ab):
    n, m = ab.shape
    total = sum(aa[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    total = total + sum(bb[i, j] for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return total - 2 * sum(ab[i, j] for i in range(n) for j in range(m)) / (n * m)


def in_place(aa, bb, ab):
    aa.fill_diagonal_(0)
    bb.fill_diagonal_(0)
    n, m = ab.shape
    return aa.sum() / (n * (n - 1)) + bb.sum() / (m * (m - 1)) - 2 * ab.mean()


RIGHT = {
    "votes_interval": {
        "as roots": roots,
        "scipy's": scipys,
        "genkit's": lambda r, n, z: torch.tensor(metrics.wilson(r, n, level=math.erf(z / math.sqrt(2)))),
        "with pretended votes": lambda r, n, z: (
            (torch.tensor([-1.0, 1.0]) * z * math.sqrt(r * (n - r) / n + z * z / 4) + r + z * z / 2) / (n + z * z)
        ),
    },
    "class_score": {
        "a loop": loop_score,
        "by entropies": by_entropies,
        "genkit's": lambda p: torch.tensor(metrics.inception_score(p).value),
        "clamped logarithms": lambda p: (
            (p * (p.clamp(min=1e-30).log() - p.mean(0).clamp(min=1e-30).log())).sum(1).mean().exp()
        ),
    },
    "covered": {
        "a loop": loop_covered,
        "scikit-learn's": by_neighbours,
        "genkit's": lambda r, s, k: torch.tensor(metrics.manifold.coverage(r, s, k=k).value),
        "one place further": lambda r, s, k: (
            (torch.cdist(r, s) <= torch.cdist(r, r).topk(k + 1, largest=False).values[:, -1:]).any(1).double().mean()
        ),
    },
    "to_the_limit": {
        "lstsq": lambda n, v: torch.linalg.lstsq(torch.stack([torch.ones_like(n), 1 / n], 1), v[:, None]).solution[
            0, 0
        ],
        "numpy": lambda n, v: torch.tensor(np.polyfit(1 / n.numpy(), v.numpy(), 1)[1]),
        "normal equations": lambda n, v: (
            ((1 / n).square().sum() * v.sum() - (1 / n).sum() * (v / n).sum())
            / (len(n) * (1 / n).square().sum() - (1 / n).sum() ** 2)
        ),
    },
    "two_samples": {
        "a loop": loop_two,
        "without diagonals": lambda aa, bb, ab: (
            aa[~torch.eye(len(aa), dtype=torch.bool)].mean()
            + bb[~torch.eye(len(bb), dtype=torch.bool)].mean()
            - ab.mean()
            - ab.T.mean()
        ),
        "triangles": lambda aa, bb, ab: (
            aa.tril(-1).sum() * 2 / (len(aa) * (len(aa) - 1))
            + bb.triu(1).sum() * 2 / (len(bb) * (len(bb) - 1))
            - 2 * ab.mean()
        ),
    },
}

WRONG = {
    "votes_interval": {
        "a tuple": (lambda r, n, z: metrics.wilson(r, n), ""),
        "one number": (lambda r, n, z: torch.tensor(r / n), "expected shape"),
        "clipped plain": (
            lambda r, n, z: (r / n + torch.tensor([-z, z]) * math.sqrt(r / n * (1 - r / n) / n)).clamp(0, 1), "",
        ),
        "agresti": (
            lambda r, n, z: (lambda p, m: p + torch.tensor([-1.0, 1.0]) * z * math.sqrt(p * (1 - p) / m))(
                (r + z * z / 2) / (n + z * z), n + z * z
            ),
            "one number should be",
        ),
        "nothing": (lambda r, n, z: None, "return"),
    },
    "class_score": {
        "probabilities of one class": (lambda p: p.max(1).values.mean().exp(), "one number"),
        "number of classes": (lambda p: torch.tensor(float(p.argmax(1).unique().numel())), ""),
        "transposed": (lambda p: by_entropies(p.T), ""),
        "right unless a class is lost": (
            lambda p: (p * (p.clamp(min=1e-12).log() - p.mean(0).log())).sum(1).mean().exp(),
            "class that no sample has",
        ),
        "a floor that counts": (
            lambda p: (p * ((p + 1e-3) / (p.mean(0) + 1e-3)).log()).sum(1).mean().exp(), "one number should be",
        ),
        "sum for mean": (
            lambda p: (torch.special.xlogy(p, p) - torch.special.xlogy(p, p.mean(0))).sum().exp(), "",
        ),
        "one a sample": (
            lambda p: (torch.special.xlogy(p, p) - torch.special.xlogy(p, p.mean(0))).sum(1).exp(), "expected shape",
        ),
    },
    "covered": {
        "two places further": (
            lambda r, s, k: (
                (torch.cdist(r, s).min(1).values <= torch.cdist(r, r).sort(1).values[:, k + 1]).float().mean()
            ),
            "",
        ),
        "right without doubles": (
            lambda r, s, k: (
                torch.cdist(r, s).min(1).values
                <= torch.where(torch.cdist(r, r) > 0, torch.cdist(r, r), math.inf).kthvalue(k, 1).values
            ).float().mean(),
            "stands there twice",
        ),
        "doubles taken out first": (lambda r, s, k: loop_covered(r.unique(dim=0), s, k), ""),
        "samples' side": (lambda r, s, k: covered_by(s, r, k), ""),
        "squared": (
            lambda r, s, k: (
                (torch.cdist(r, s).min(1).values.square() <= torch.cdist(r, r).sort(1).values[:, k]).float().mean()
            ),
            "",
        ),
        "one flag each": (
            lambda r, s, k: (torch.cdist(r, s).min(1).values <= torch.cdist(r, r).sort(1).values[:, k]).float(),
            "expected shape",
        ),
        "a bare count": (
            lambda r, s, k: (torch.cdist(r, s).min(1).values <= torch.cdist(r, r).sort(1).values[:, k]).sum(), "",
        ),
    },
    "to_the_limit": {
        "the smallest set": (lambda n, v: v[n.argmin()], "one number should be"),
        "the lowest value": (lambda n, v: v.min() - 1, "one number should be"),
        "half a step": (lambda n, v: _line(n, v, 0.5), "one number should be"),
        "both": (lambda n, v: torch.stack([_line(n, v, 1.0), v.mean()]), "expected shape"),
        "a square": (lambda n, v: _line(n**2, v, 1.0), "one number should be"),
    },
    "two_samples": {
        "changes its input": (in_place, "in place"),
        "right for the Gaussian kernel": (
            lambda aa, bb, ab: sum((k.mean() * len(k) - 1) / (len(k) - 1) for k in (aa, bb)) - 2 * ab.mean(),
            "the diagonal need not be 1",
        ),
        "right where a point is most like itself": (
            lambda aa, bb, ab: aa[aa < aa.max()].mean() + bb[bb < bb.max()].mean() - 2 * ab.mean(), "",
        ),
        "right where all kernels are above 0": (
            lambda aa, bb, ab: sum((k := m - m.diagonal().diag()).sum() / (k > 0).sum() for m in (aa, bb))
            - 2 * ab.mean(), "",
        ),
        "never below 0": (lambda aa, bb, ab: loop_two(aa, bb, ab).relu(), "nothing is cut off"),
        "root of n": (lambda aa, bb, ab: loop_two(aa, bb, ab) / len(aa) ** 0.5, "one number should be"),
        "first set only": (lambda aa, bb, ab: (aa.sum() - aa.trace()) / (len(aa) * (len(aa) - 1)) - ab.mean(), ""),
        "minus the trace twice": (
            lambda aa, bb, ab: loop_two(aa, bb, ab) - aa.trace() / (len(aa) * (len(aa) - 1)), "one number should be",
        ),
        "a row each": (lambda aa, bb, ab: aa.mean(1) - ab.mean(1), "expected shape"),
    },
}  # fmt: skip


def covered_by(real, samples, k):
    return loop_covered(real, samples, k)


def _line(n, v, share):
    x = 1 / n
    slope = ((x - x.mean()) * (v - v.mean())).sum() / (x - x.mean()).square().sum()
    return v.mean() - share * slope * x.mean()
