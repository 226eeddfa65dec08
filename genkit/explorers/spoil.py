"""A hundred digits that can be spoiled with four sliders, while seven metrics look on."""

import math

import torch
from torch import Tensor

from .. import metrics
from .explorer import Explorer
from .party import random

NEAR, CLEAN = 5, 60
NAMES = ("Fréchet distance", "class score", "precision", "recall", "density", "coverage", "copying z")


def spoil_explorer(x: Tensor, c: Tensor, *, n: int = 100, features: int = 5, seed: int = 0) -> Explorer:
    """Return an explorer in which digits are blurred, hidden by noise, robbed of classes and replaced by copies.

    The metrics see the digits' first principal components; a logistic regression on them names the classes.

    Arguments
        x: digits of shape (N, 1, 8, 8), in sixteenths from 0 to 1; N at least 5 n.
        c: their classes 0 … 9, int64 of shape (N,).
        n: digits in each of the three sets, a square number: training, real ones, and those that are spoiled.
        features: principal components, 2 to 8.
        seed: which digits fall into which set.

    Raises ``ValueError`` for digits of another kind, and too few of them.
    """
    if x.ndim != 4 or tuple(x.shape[1:]) != (1, 8, 8) or len(c) != len(x) or set(c.tolist()) != set(range(10)):
        raise ValueError(
            f"x, c: expected digits (N, 1, 8, 8) of ten classes, received {tuple(x.shape)}, {tuple(c.shape)}"
        )
    if math.isqrt(n) ** 2 != n or n <= 2 * NEAR or len(x) < 5 * n:
        raise ValueError(f"n: expected a square number above {2 * NEAR}, a fifth of {len(x)} at most, received {n}")
    if not 2 <= features <= 8:
        raise ValueError(f"features: expected 2 … 8, received {features}")
    if not torch.equal((16 * x).round(), 16 * x):
        raise ValueError("x: expected sixteenths, which the page keeps exactly, received others")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    x, c = x[order].flatten(1).double(), c[order]
    train, real, base, pool = x.split([n, n, n, len(x) - 3 * n])
    mean, rows = _map(x, features)
    weight, bias = _classes((x - mean) @ rows.T, c)
    state = {
        "n": n, "k": NEAR, "names": list(NAMES), "pixels": _halves(torch.cat([train, real, base])),
        "labels": {"train": c[:n].tolist(), "base": c[2 * n : 3 * n].tolist()},
        "mean": mean.tolist(), "map": rows.tolist(), "weight": weight.tolist(), "bias": bias.tolist(),
    }  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    usual = [judge(state, train, real, pool[torch.randperm(len(pool), generator=generator)[:n]]) for _ in range(CLEAN)]
    values = torch.tensor(usual, dtype=torch.float64)
    state["clean"] = [
        [round(m, 4), round(s, 4)] for m, s in zip(values.mean(0).tolist(), values.std(0).tolist(), strict=True)
    ]
    tries = [
        {"blur": blur, "noise": noise, "dropped": dropped, "copies": copies, "seed": chance}
        for blur, noise, dropped, copies, chance in (
            (0, 0, 0, 0, 1), (0.6, 0, 0, 0, 1), (0, 0.2, 0, 0, 7), (0, 0, 4, 0, 1), (0, 0, 0, n // 2, 1),
            (0, 0, 9, n, 1), (0.3, 0.1, 2, n // 5, 2_000_000_000),
        )
    ]  # fmt: skip
    return Explorer(
        ("random.js", "spoil.js"), state=state,
        probes=[(given, answer(state, train, real, base, given)) for given in tries],
        title="Spoil a hundred digits and see which metric notices",
        fallback="Here digits can be spoiled with sliders, where scripts may run, and seven metrics say what they see.",
    )  # fmt: skip


def answer(state: dict, train: Tensor, real: Tensor, base: Tensor, inputs: dict) -> list[float]:
    """Compute what the page should, with the package's metrics; the page's chance is replayed."""
    x = spoiled(state, train, base, inputs)
    return [round(v, 6) for v in (*judge(state, train, real, x), x.mean().item(), x[-1, -1].item())]


def spoiled(state: dict, train: Tensor, base: Tensor, inputs: dict) -> Tensor:
    """Return the spoiled digits, shape (n, 64): copies first, then classes, blur and noise."""
    n, m = len(base), inputs["copies"]
    x, c = torch.cat([train[:m], base[m:]]), state["labels"]["train"][:m] + state["labels"]["base"][m:]
    rows = []
    for i in range(n):
        while c[i] >= 10 - inputs["dropped"]:
            i = (i + 1) % n
        rows.append(i)
    x = x[rows].view(n, 1, 8, 8)
    if inputs["blur"] > 0:
        b = inputs["blur"] / 3
        line = torch.tensor([b, 1 - 2 * b, b], dtype=x.dtype)
        for _ in range(2):
            x = torch.nn.functional.conv2d(x, line.view(1, 1, 1, 3), padding=(0, 1))
            x = torch.nn.functional.conv2d(x, line.view(1, 1, 3, 1), padding=(1, 0))
    x = x.view(n, 64)
    if inputs["noise"] > 0:
        chance = random(inputs["seed"])
        grain = [
            math.sqrt(-2 * math.log(1 - next(chance))) * math.cos(2 * math.pi * next(chance)) for _ in range(x.numel())
        ]
        x = (x + inputs["noise"] * torch.tensor(grain, dtype=x.dtype).view_as(x)).clamp(0, 1)
    return x


def judge(state: dict, train: Tensor, real: Tensor, x: Tensor) -> list[float]:
    """Return the seven metrics of digits x, shape (n, 64)."""
    mean, rows = (torch.tensor(state[name], dtype=x.dtype) for name in ("mean", "map"))
    a, b = ((v - mean) @ rows.T for v in (real, x))
    logits = b @ torch.tensor(state["weight"], dtype=x.dtype).T + torch.tensor(state["bias"], dtype=x.dtype)
    balls = [f(a, b, k=NEAR).value for f in (metrics.manifold.precision, metrics.manifold.recall)]
    balls += [f(a, b, k=NEAR).value for f in (metrics.manifold.density, metrics.manifold.coverage)]
    score = metrics.inception_score(logits.softmax(1)).value
    return [metrics.frechet(a, b), score, *balls, metrics.copy_score(train, real, x).value]


def _map(x: Tensor, features: int) -> tuple[Tensor, Tensor]:
    """Return the mean, shape (64,), and the first principal directions, shape (features, 64), rounded."""
    mean = (x.mean(0) * 1e4).round() / 1e4
    directions = torch.linalg.eigh(torch.cov(x.T)).eigenvectors[:, -features:].T
    return mean, (directions * 1e4).round() / 1e4


def _classes(f: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=2000).fit(f.numpy(), c.numpy())
    weight, bias = torch.tensor(model.coef_), torch.tensor(model.intercept_)
    return (weight * 1e4).round() / 1e4, (bias * 1e4).round() / 1e4


def _halves(x: Tensor) -> bytes:
    return x.to(torch.float16).numpy().astype("<f2").tobytes()
