"""Other right answers to the exercises on two ways to know a digit, and wrong ones with words of their hints."""

import math

import torch
from sklearn.neighbors import NearestNeighbors
from torch.distributions import Categorical, MultivariateNormal

from genkit.models.gaussian import GaussianClasses


def loop_bayes(p, s):
    found = []
    for row in p:
        joint = [float(v) + float(w) for v, w in zip(row, s, strict=True)]
        top = max(joint)
        total = sum(math.exp(v - top) for v in joint)
        found.append([math.exp(v - top) / total for v in joint])
    return torch.tensor(found)


def neighbours(x, y):
    return torch.tensor(NearestNeighbors(n_neighbors=1).fit(y.numpy()).kneighbors(x.numpy())[0][:, 0])


def loop_rates(n, a):
    return torch.tensor([[math.log((v + a) / (sum(row) + a * len(row))) for v in row] for row in n.tolist()])


def loop_shrunk(x, a):
    n, d = x.shape
    m = [sum(x[:, i].tolist()) / n for i in range(d)]
    s = [[sum((r[i] - m[i]) * (r[j] - m[j]) for r in x.tolist()) / n for j in range(d)] for i in range(d)]
    mid = sum(s[i][i] for i in range(d)) / d
    return torch.tensor([[(1 - a) * s[i][j] + a * mid * (i == j) for j in range(d)] for i in range(d)])


def by_precision(x, known, mean, cov):
    u, p = ~known, torch.linalg.inv(cov)
    out = x.clone()
    out[u] = mean[u] - torch.linalg.solve(p[u][:, u], p[u][:, known] @ (x[known] - mean[known]))
    return out


def by_descent(x, known, mean, cov):
    """The most probable values of the unknown, found by Newton's step from the mean: for a Gaussian, one is enough."""
    out = torch.where(known, x, mean)
    slope = torch.linalg.solve(cov, out - mean)
    bend = torch.linalg.inv(cov)[~known][:, ~known]
    out[~known] -= torch.linalg.solve(bend, slope[~known])
    return out


def packaged(x, known, mean, cov):
    model = GaussianClasses(shape=x.shape, classes=1)
    model.mean, model.cov = mean[None].double(), cov[None].double()
    return model.fill(x[None], known, mean=True)[0]


def with_inverse(x, known, mean, cov):
    k, u = known.nonzero()[:, 0], (~known).nonzero()[:, 0]
    slope = cov[u[:, None], k] @ torch.linalg.inv(cov[k[:, None], k])
    out = torch.empty_like(x)
    out[k], out[u] = x[k], mean[u] + slope @ (x[k] - mean[k])
    return out


def only_unknown(x, known, mean, cov):
    return by_precision(x, known, mean, cov)[~known]


def in_place(x, known, mean, cov):
    x[~known] = by_precision(x, known, mean, cov)[~known]
    return x


def all_changed(x, known, mean, cov):
    return torch.where(known, mean, by_precision(x, known, mean, cov))


def drawn(x, known, mean, cov):
    out = by_precision(x, known, mean, cov)
    return torch.where(known, out, out + torch.randn_like(out))


RIGHT = {
    "bayes": {
        "a loop": loop_bayes,
        "logsumexp": lambda p, s: (p + s - (p + s).logsumexp(1, keepdim=True)).exp(),
        "the largest taken out": lambda p, s: (lambda e: e / e.sum(1, keepdim=True))(
            (p + s - (p + s).max(1, keepdim=True).values).exp()
        ),
        "torch's own": lambda p, s: Categorical(logits=p + s).probs,
        "ratios": lambda p, s: 1 / ((p + s)[:, None] - (p + s)[:, :, None]).exp().sum(2),
        "in double precision": lambda p, s: torch.softmax(p.double() + s.double(), -1),
    },
    "nearest_copy": {
        "cdist": lambda x, y: torch.cdist(x, y).min(dim=1).values,
        "amin": lambda x, y: (x.unsqueeze(1) - y.unsqueeze(0)).norm(dim=-1).amin(1),
        "scikit-learn's": neighbours,
        "a loop": lambda x, y: torch.stack([(y - row).pow(2).sum(1).min() for row in x]) ** 0.5,
        "einsum": lambda x, y: torch.einsum("nmd,nmd->nm", x[:, None] - y, x[:, None] - y).sqrt().min(1)[0],
    },
    "word_rates": {
        "a loop": loop_rates,
        "difference of logarithms": lambda n, a: (n + a).log() - (n + a).sum(1, keepdim=True).log(),
        "V times alpha": lambda n, a: torch.log((n + a) / (n.sum(1)[:, None] + a * n.shape[1])),
        "softmax of logarithms": lambda n, a: (n + a).log().log_softmax(1),
        "by columns": lambda n, a: ((n + a).T / (n + a).sum(1)).T.log(),
    },
    "shrunk": {
        "a loop": loop_shrunk,
        "torch.cov": lambda x, a: (lambda s: (1 - a) * s + a * s.diagonal().mean() * torch.eye(len(s)))(
            torch.cov(x.T, correction=0)
        ),
        "lerp": lambda x, a: (lambda s: torch.lerp(s, s.diagonal().mean() * torch.eye(len(s)), a))(
            torch.cov(x.T, correction=0)
        ),
        "mean of outer products": lambda x, a: (
            lambda s: s - a * s + a * torch.diag(s.diagonal().mean().expand(len(s)))
        )(torch.einsum("ni,nj->nij", x - x.mean(0), x - x.mean(0)).mean(0)),
    },
    "fill_in": {
        "by the precision": by_precision,
        "the most probable": by_descent,
        "genkit's": packaged,
        "with an inverse": with_inverse,
    },
}

WRONG = {
    "bayes": {
        "exp first": (lambda p, s: p.exp() * s.exp() / (p.exp() * s.exp()).sum(1, keepdim=True), "not finite"),
        "largest share": (lambda p, s: s.exp().expand_as(p), ""),
        "the largest is 1": (lambda p, s: (p + s - (p + s).max(1, keepdim=True).values).exp(), ""),
        "transposed": (lambda p, s: (p + s).softmax(1).T, "expected shape"),
        "a list": (lambda p, s: (p + s).softmax(1).tolist(), "received list"),
        "share twice": (lambda p, s: (p + 2 * s).softmax(1), "one number should be"),
        "temperature": (lambda p, s: ((p + s) / 2).softmax(1), "one number should be"),
        "first class only": (lambda p, s: (p + s).softmax(1)[:, 0], "over which axes"),
        "no share": (lambda p, s: torch.softmax(p, dim=1), "rare classes"),
        "joint": (lambda p, s: torch.exp(p + s), "divide by its sum"),
        "log": (lambda p, s: (p + s) - (p + s).logsumexp(1)[:, None], "these are logarithms"),
        "nothing": (lambda p, s: None, "return line"),
    },
    "nearest_copy": {
        "kept dimension": (lambda x, y: torch.cdist(x, y).min(1, keepdim=True).values, "keepdim"),
        "all distances": (lambda x, y: torch.cdist(x, y), ""),
        "one number": (lambda x, y: torch.cdist(x, y).min(), "over which axes"),
        "values forgotten": (lambda x, y: torch.cdist(x, y).min(1), "received min"),
        "squares": (lambda x, y: torch.cdist(x, y).min(1).values ** 2, "root of the sum"),
        "axis": (lambda x, y: torch.cdist(x, y).min(0).values, "training example to the nearest draw"),
        "which": (lambda x, y: torch.cdist(x, y).argmin(1), "which example"),
        "manhattan": (lambda x, y: torch.cdist(x, y, p=1).min(1).values, "squared before they are summed"),
        "largest coordinate": (lambda x, y: torch.cdist(x, y, p=math.inf).min(1).values, "one number should be"),
        "first example": (lambda x, y: (x - y[0]).norm(dim=1), "one number should be"),
    },
    "word_rates": {
        "one added": (lambda n, a: ((n + 1) / (n + 1).sum(1, keepdim=True)).log(), ""),
        "alpha below": (lambda n, a: ((n + a) / (n.sum(1, keepdim=True) + a)).log(), "V times"),
        "no smoothing": (lambda n, a: torch.log(n / n.sum(1, keepdim=True)), "never seen"),
        "axis": (lambda n, a: torch.log((n + a) / (n + a).sum(0, keepdim=True)), "nearer to p(y | w)"),
        "not logs": (lambda n, a: (n + a) / (n + a).sum(1)[:, None], "take their logarithm"),
        "log1p": (lambda n, a: ((n + a) / (n + a).sum(1, keepdim=True)).log1p(), "one number should be"),
        "presence": (lambda n, a: (((n > 0) + a) / ((n > 0) + a).sum(1, keepdim=True)).log(), "one number should be"),
        "one class": (lambda n, a: ((n + a) / (n + a).sum(1, keepdim=True)).log()[0], "expected shape"),
        "a floor": (lambda n, a: (n / n.sum(1, keepdim=True)).clamp(min=1e-3).log(), "one number should be"),
        "in place": (lambda n, a: n.add_(a).div_(n.sum(1, keepdim=True)).log(), "in place"),
    },
    "shrunk": {
        "unbiased": (
            lambda x, a: (lambda s: (1 - a) * s + a * s.diagonal().mean() * torch.eye(len(s)))(torch.cov(x.T)),
            "divide by N",
        ),
        "rows": (lambda x, a: torch.cov(x, correction=0), "expected shape"),
        "no shrinkage": (lambda x, a: torch.cov(x.T, correction=0), "one number should be"),
        "identity": (
            lambda x, a: (1 - a) * torch.cov(x.T, correction=0) + a * torch.eye(x.shape[1]),
            "as large as the data",
        ),
        "ones": (
            lambda x, a: (lambda s: (1 - a) * s + a * s.diagonal().mean())(torch.cov(x.T, correction=0)),
            "one number should be",
        ),
        "correlation": (lambda x, a: (1 - a) * torch.corrcoef(x.T) + a * torch.eye(x.shape[1]), "one number should be"),
        "swapped": (
            lambda x, a: (lambda s: a * s + (1 - a) * s.diagonal().mean() * torch.eye(len(s)))(
                torch.cov(x.T, correction=0)
            ),
            "weight of the sphere",
        ),
        "moments": (
            lambda x, a: (lambda s: (1 - a) * s + a * s.diagonal().mean() * torch.eye(len(s)))(x.T @ x / len(x)),
            "subtract the mean",
        ),
        "roots": (
            lambda x, a: (lambda s: (1 - a) * s + a * s.diagonal().sqrt().mean() * torch.eye(len(s)))(
                torch.cov(x.T, correction=0)
            ),
            "one number should be",
        ),
        "median": (
            lambda x, a: (lambda s: (1 - a) * s + a * s.diagonal().median() * torch.eye(len(s)))(
                torch.cov(x.T, correction=0)
            ),
            "one number should be",
        ),
    },
    "fill_in": {
        "the unknown alone": (only_unknown, "expected shape"),
        "in place": (in_place, "in place"),
        "the known too": (all_changed, "one number should be"),
        "a draw": (drawn, "another result in every call"),
        "untouched": (lambda x, k, m, s: x.clone(), "one number should be"),
        "mean filled in": (lambda x, k, m, s: torch.where(k, x, m), "as if nothing were known"),
        "zeros": (lambda x, k, m, s: torch.where(k, x, 0.0), "one number should be"),
        "mean of the known": (lambda x, k, m, s: torch.where(k, x, x[k].mean()), "one number should be"),
        "a draw of all": (lambda x, k, m, s: MultivariateNormal(m, s).sample(), "another result in every call"),
        "shrunk": (lambda x, k, m, s: by_precision(x, k, m, s + torch.eye(len(x))), "one number should be"),
    },
}
