"""Other right answers to the exercises on latent space, and wrong ones with words of their hints."""

import math

import torch
from sklearn.decomposition import PCA


def library(x, d):
    if d == 0:
        return 0.0
    return float(PCA(d).fit(x.double().numpy()).explained_variance_ratio_.sum())


def by_covariance(x, d):
    values = torch.linalg.eigvalsh(torch.cov(x.T)).flip(0)
    return values[:d].sum() / values.sum()


def by_rebuilding(x, d):
    away = x - x.mean(0)
    basis = torch.linalg.svd(away, full_matrices=False).Vh[:d]
    return 1 - (away - away @ basis.T @ basis).square().sum() / away.square().sum()


def loop_attribute(z, has, kind):
    total, kinds = [0.0] * z.shape[1], sorted(set(kind.tolist()))
    for k in kinds:
        for d in range(z.shape[1]):
            sides = {True: [], False: []}
            for row, h, j in zip(z.tolist(), has.tolist(), kind.tolist(), strict=True):
                if j == k:
                    sides[h].append(row[d])
            total[d] += (sum(sides[True]) / len(sides[True]) - sum(sides[False]) / len(sides[False])) / len(kinds)
    return torch.tensor(total)


def weighted(z, has, kind):
    h, k = has.float(), torch.nn.functional.one_hot(kind).float()
    up, down = (k * h[:, None]).T, (k * (1 - h)[:, None]).T
    return ((up @ z) / up.sum(1, keepdim=True) - (down @ z) / down.sum(1, keepdim=True)).mean(0)


def regression(z, has, kind):
    """Each letter's own offset and slope, by least squares; then the mean of the slopes."""
    k = torch.nn.functional.one_hot(kind).double()
    x = torch.cat([k, k * has[:, None]], 1)
    return torch.linalg.lstsq(x, z.double()).solution[k.shape[1] :].mean(0)


def one_slope(z, has, kind):
    """One slope for all letters together: the letters that are bold most often weigh most."""
    k = torch.nn.functional.one_hot(kind).double()
    x = torch.cat([k, has[:, None].double()], 1)
    return torch.linalg.lstsq(x, z.double()).solution[-1]


def loop_slerp(a, b, t):
    out = []
    for p, q in zip(a.tolist(), b.tolist(), strict=True):
        dot = sum(x * y for x, y in zip(p, q, strict=True))
        w = math.acos(dot / (math.hypot(*p) * math.hypot(*q)))
        out.append([(math.sin((1 - t) * w) * x + math.sin(t * w) * y) / math.sin(w) for x, y in zip(p, q, strict=True)])
    return torch.tensor(out)


def by_cosine(a, b, t):
    w = torch.nn.functional.cosine_similarity(a, b, dim=-1).arccos().unsqueeze(-1)
    return torch.sin((1 - t) * w) / torch.sin(w) * a + torch.sin(t * w) / torch.sin(w) * b


def turned(a, b, t):
    """The same circle through tangents: sin((1−t)ω) = sin ω cos tω − cos ω sin tω."""
    u, v = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
    cos = (u * v).sum(1, keepdim=True)
    w = cos.acos()
    sin = (1 - cos**2).sqrt()
    first = (t * w).cos() - cos * (t * w).sin() / sin
    return first * a + (t * w).sin() / sin * b


def normalised_first(a, b, t):
    u, v = (e / e.norm(dim=1, keepdim=True) for e in (a, b))
    return by_cosine(u, v, t)


def nlerp(a, b, t):
    line = (1 - t) * a + t * b
    length = (1 - t) * a.norm(dim=1, keepdim=True) + t * b.norm(dim=1, keepdim=True)
    return line / line.norm(dim=1, keepdim=True) * length


def with_backward(decode, target, z, lr, steps):
    z = z.clone().requires_grad_()
    for _ in range(steps):
        z.grad = None
        ((decode(z) - target) ** 2).sum().backward()
        with torch.no_grad():
            z -= lr * z.grad
    return z.detach()


def with_sgd(decode, target, z, lr, steps):
    z = z.clone().requires_grad_()
    optimiser = torch.optim.SGD([z], lr=lr)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(decode(z), target, reduction="sum").backward()
        optimiser.step()
    return z.detach()


def by_jacobian(decode, target, z, lr, steps):
    for _ in range(steps):
        z = z - lr * torch.func.grad(lambda v: (decode(v) - target).square().sum())(z)
    return z


def with_adam(decode, target, z, lr, steps):
    z = z.clone().requires_grad_()
    optimiser = torch.optim.Adam([z], lr=lr)
    for _ in range(steps):
        optimiser.zero_grad()
        (decode(z) - target).square().sum().backward()
        optimiser.step()
    return z.detach()


def not_zeroed(decode, target, z, lr, steps):
    z = z.clone().requires_grad_()
    for _ in range(steps):
        ((decode(z) - target) ** 2).sum().backward()
        z.data -= lr * z.grad
    return z.detach()


def stale(decode, target, z, lr, steps):
    z = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad((decode(z) - target).square().sum(), z)
    return (z - steps * lr * slope).detach()


def attached(decode, target, z, lr, steps):
    z = z.clone().requires_grad_()
    for _ in range(steps):
        z = z - lr * torch.autograd.grad((decode(z) - target).square().sum(), z)[0]
    return z


def in_place(decode, target, z, lr, steps):
    z.copy_(with_sgd(decode, target, z, lr, steps))
    return z


RIGHT = {
    "kept": {
        "scikit-learn's": library,
        "by the covariance": by_covariance,
        "by rebuilding": by_rebuilding,
        "a float": lambda x, d: float(by_covariance(x, d)),
    },
    "attribute": {"a loop": loop_attribute, "weights": weighted, "regression": regression},
    "slerp": {"a loop": loop_slerp, "cosine_similarity": by_cosine, "by tangents": turned},
    "find_code": {"backward": with_backward, "torch's SGD": with_sgd, "torch.func": by_jacobian},
}

WRONG = {
    "kept": {
        "no centring": (
            lambda x, d: (lambda s: s[:d].sum() / s.sum())(torch.linalg.svdvals(x) ** 2), "subtract the mean",
        ),
        "no squares": (
            lambda x, d: (lambda s: s[:d].sum() / s.sum())(torch.linalg.svdvals(x - x.mean(0))), "are the squares",
        ),
        "lost": (lambda x, d: 1 - by_covariance(x, d), "what is lost"),
        "ascending": (
            lambda x, d: (lambda v: v[:d].sum() / v.sum())(torch.linalg.eigvalsh(torch.cov(x.T))), "largest first",
        ),
        "one more": (lambda x, d: by_covariance(x, d + 1), ""),
        "d-th alone": (
            lambda x, d: (lambda v: v[d] / v.sum())(torch.linalg.svdvals(x - x.mean(0)) ** 2), "a single component",
        ),
        "columns": (
            lambda x, d: (lambda v: v[:d].sum() / v.sum())(x.var(0).sort(descending=True).values), "between columns",
        ),
        "first columns": (lambda x, d: x.var(0)[:d].sum() / x.var(0).sum(), ""),
        "every share": (
            lambda x, d: (lambda v: v[:d] / v.sum())(torch.linalg.svdvals(x - x.mean(0)) ** 2), "",
        ),
        "row means": (
            lambda x, d: (lambda v: v[:d].sum() / v.sum())(torch.linalg.svdvals(x - x.mean(1, keepdim=True)) ** 2), "",
        ),
        "not divided": (lambda x, d: (torch.linalg.svdvals(x - x.mean(0)) ** 2)[:d].sum(), "divide by the sum"),
    },
    "attribute": {
        "all together": (lambda z, h, k: z[h].mean(0) - z[~h].mean(0), "own difference first"),
        "reversed": (lambda z, h, k: -weighted(z, h, k), "away from the attribute"),
        "sum": (lambda z, h, k: len(k.unique()) * weighted(z, h, k), "too far"),
        "one slope": (one_slope, "one number should be"),
        "sums of rows": (lambda z, h, k: z[h].sum(0) - z[~h].sum(0), "one number should be"),
        "only those with": (
            lambda z, h, k: torch.stack([z[h & (k == j)].mean(0) for j in k.unique()]).mean(0), "those without",
        ),
        "medians": (
            lambda z, h, k: torch.stack(
                [z[h & (k == j)].median(0)[0] - z[~h & (k == j)].median(0)[0] for j in k.unique()]
            ).mean(0),
            "one number should be",
        ),
        "unit": (lambda z, h, k: weighted(z, h, k) / weighted(z, h, k).norm(), "length one"),
        "first letter": (lambda z, h, k: z[h & (k == 0)].mean(0) - z[~h & (k == 0)].mean(0), "one number should be"),
        "a number": (lambda z, h, k: weighted(z, h, k).mean(), "shape"),
        "all letters": (
            lambda z, h, k: torch.stack([z[h & (k == j)].mean(0) - z[~h & (k == j)].mean(0) for j in k.unique()]),
            "average over the letters",
        ),
    },
    "slerp": {
        "straight": (torch.lerp, "straight line"),
        "swapped": (lambda a, b, t: by_cosine(a, b, 1 - t), "at t = 0"),
        "rescaled line": (nlerp, "one number should be"),
        "unit ends": (normalised_first, "one number should be"),
        "one angle": (
            lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(
                ((a * b).sum() / (a.norm() * b.norm())).acos()
            ),
            "angle of its own",
        ),
        "no lengths": (
            lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(
                (a * b).sum(1, keepdim=True).acos()
            ),
            "by both lengths",
        ),
        "not divided": (
            lambda a, b, t: by_cosine(a, b, t) * (1 - torch.cosine_similarity(a, b)[:, None] ** 2).sqrt(),
            "divide by sin",
        ),
        "asin": (
            lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(
                torch.cosine_similarity(a, b)[:, None].asin()
            ),
            "one number should be",
        ),
        "middle": (lambda a, b, t: by_cosine(a, b, 0.5), "one number should be"),
        "over the rows": (
            lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(
                torch.cosine_similarity(a, b, dim=0).acos()
            ),
            "",
        ),
    },
    "find_code": {
        "Adam": (with_adam, "one number should be"),
        "not zeroed": (not_zeroed, "earlier steps"),
        "mean": (
            lambda f, x, z, lr, n: by_jacobian(f, x, z, lr / x.numel(), n), "add the squares up",
        ),
        "mean over pictures": (
            lambda f, x, z, lr, n: by_jacobian(f, x, z, lr / len(x), n), "over the pictures too",
        ),
        "uphill": (lambda f, x, z, lr, n: by_jacobian(f, x, z, -lr, n), "against the gradient"),
        "one gradient": (stale, "one number should be"),
        "one step": (lambda f, x, z, lr, n: by_jacobian(f, x, z, lr, 1), "all the steps"),
        "a step too few": (lambda f, x, z, lr, n: by_jacobian(f, x, z, lr, n - 1), "one number should be"),
        "in place": (in_place, "in place"),
        "attached": (attached, "return it detached"),
        "a leaf": (lambda f, x, z, lr, n: by_jacobian(f, x, z, lr, n).requires_grad_(), "return it detached"),
        "the picture": (lambda f, x, z, lr, n: f(by_jacobian(f, x, z, lr, n)), "shape"),
        "from zero": (lambda f, x, z, lr, n: by_jacobian(f, x, torch.zeros_like(z), lr, n), "from the z"),
    },
}  # fmt: skip
