"""Two classes of points in the plane: a border that is drawn, and one that follows from what each class looks like."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from .explorer import Explorer
from .party import random

FLOOR, RIDGE, MOST = 0.02, 0.05, 40


def two_ways_explorer(scenes: Mapping[str, tuple[Tensor, Tensor]], *, extent: float = 3.0) -> Explorer:
    """Return an explorer that fits logistic regression and a Gaussian for each class to points that can be dragged.

    Arguments
        scenes: named sets of points to begin with, each of shape (N, 2) with labels 0 and 1, int64 of shape (N,):
            at most 40 points, two of each class at least.
        extent: the plane shows [−extent, extent] each way.

    Raises ``ValueError`` for scenes of another kind.

    >>> points, labels = torch.tensor([[0.0, 0.0], [1, 0], [2, 2], [2, 1]]), torch.tensor([0, 0, 1, 1])
    >>> two_ways_explorer({"four points": (points, labels)})
    [explorer: A border drawn in two ways, to play with]
    """
    if not extent > 0:
        raise ValueError(f"extent: expected a number above 0, received {extent}")
    if not scenes:
        raise ValueError("scenes: expected at least one, received none")
    kept: dict[str, list[list[float]]] = {}
    for name, (points, labels) in scenes.items():
        counts = labels.bincount(minlength=2).tolist()
        if points.ndim != 2 or tuple(points.shape) != (len(labels), 2) or len(labels) > MOST:
            raise ValueError(f"scenes: expected at most {MOST} points and labels, received {tuple(points.shape)}")
        if len(counts) != 2 or min(counts) < 2:
            raise ValueError(f"scenes: expected two points at least of class 0 and of class 1, received {counts}")
        kept[name] = [
            [round(x, 3), round(y, 3), int(c)] for (x, y), c in zip(points.tolist(), labels.tolist(), strict=True)
        ]
    state = {"scenes": kept, "extent": extent, "floor": FLOOR, "ridge": RIDGE}
    tries = [
        {"points": points, "shared": shared, "at": at, "seed": seed, "draws": 4}
        for points in kept.values()
        for shared, at, seed in ((False, [0.3, -0.8], 1), (True, [-1.5, 2.0], 2_000_000_000))
    ]
    return Explorer(
        ("random.js", "two_ways.js"), state=state, probes=[(given, answer(given)) for given in tries],
        title="A border drawn in two ways, to play with",
        fallback="Here points can be dragged, where scripts may run, and two models of them are fitted at every move.",
    )  # fmt: skip


def answer(inputs: dict) -> list[float]:
    """Compute what the page should: both models fitted in double precision, and the page's chance replayed."""
    data = torch.tensor(inputs["points"], dtype=torch.float64)
    x, c, at = data[:, :2], data[:, 2].long(), torch.tensor(inputs["at"], dtype=torch.float64)
    w = logistic(x, c)
    shares, means, covs = gaussians(x, c, shared=inputs["shared"])
    normals = [torch.distributions.MultivariateNormal(m, s) for m, s in zip(means, covs, strict=True)]
    joint = torch.stack([p.log() + normal.log_prob(at) for p, normal in zip(shares, normals, strict=True)])
    found = w.tolist()
    for p, m, s in zip(shares, means, covs, strict=True):
        found += [p.item(), *m.tolist(), s[0, 0].item(), s[0, 1].item(), s[1, 1].item()]
    found += [(w[0] + w[1:] @ at).sigmoid().item(), joint.softmax(0)[1].item(), joint.logsumexp(0).item()]
    chance = random(inputs["seed"])
    for _ in range(inputs["draws"]):
        k = int(next(chance) >= shares[0].item())
        r, t = math.sqrt(-2 * math.log(1 - next(chance))), 2 * math.pi * next(chance)
        eps = torch.tensor([r * math.cos(t), r * math.sin(t)], dtype=torch.float64)
        found += [k, *(means[k] + torch.linalg.cholesky(covs[k]) @ eps).tolist()]
    return [round(v, 6) for v in found]


def logistic(x: Tensor, c: Tensor) -> Tensor:
    """Return bias and weights, shape (3,), of least log-loss in sum plus RIDGE / 2 times the squared weights."""
    rows = torch.cat([torch.ones(len(x), 1).to(x), x], 1)
    penalty = torch.tensor([0.0, RIDGE, RIDGE]).to(x)
    w = torch.zeros(3).to(x)

    def cost(w: Tensor) -> Tensor:
        return torch.nn.functional.softplus((1 - 2 * c) * (rows @ w), threshold=1e3).sum() + (penalty * w * w).sum() / 2

    for _ in range(60):
        p = (rows @ w).sigmoid()
        bend = (rows * (p * (1 - p)).clamp(min=1e-12)[:, None]).T @ rows + penalty.diag()
        step, size = torch.linalg.solve(bend, rows.T @ (p - c) + penalty * w), 1.0
        while cost(w - size * step) > cost(w) and size > 1e-8:
            size /= 2
        if size <= 1e-8:
            break
        w = w - size * step
    return w


def gaussians(x: Tensor, c: Tensor, *, shared: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return shares (2,), means (2, 2) and covariances (2, 2, 2) of two classes of points, FLOOR added to variances."""
    shares = c.bincount(minlength=2).to(x) / len(c)
    means = torch.stack([x[c == k].mean(0) for k in (0, 1)])
    covs = torch.stack([torch.cov(x[c == k].T, correction=0) for k in (0, 1)])
    covs = (shares[:, None, None] * covs).sum(0).expand(2, 2, 2) if shared else covs
    return shares, means, covs + FLOOR * torch.eye(2).to(x)
