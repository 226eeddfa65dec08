"""Other right answers to the exercises on flow matching, and wrong ones with words of their hints."""

import torch

from genkit.metrics.paths import mixture_velocity, straightness
from genkit.sampling import solve, times


def row_by_row(x, eps, t):
    return torch.stack([a + s * (b - a) for a, b, s in zip(x, eps, t, strict=True)])


def loss_by_rows(velocity, x, eps, t):
    said = velocity(torch.lerp(x, eps, t.unsqueeze(1)), t)
    return ((said + x - eps) ** 2).sum(dim=-1) / x.shape[-1]


def walk(velocity, eps, steps):
    x, t = eps.clone(), torch.ones(len(eps))
    for _ in range(steps):
        x = x + velocity(x, t) * (-1 / steps)
        t = t - 1 / steps
    return x


def solved(velocity, eps, steps):
    *_, x = solve(lambda x, t, c: velocity(x, t), eps, times(steps))
    return x


def bend_in_loops(path):
    n, line = len(path) - 1, path[-1] - path[0]
    off = [((path[i + 1] - path[i]) * n - line).pow(2).sum(-1).mean() for i in range(n)]
    return torch.stack(off).mean() / line.pow(2).sum(-1).mean()


def two_guesses(x, t, mean, sigma):
    t = t.unsqueeze(-1)
    variance = (1 - t).pow(2) * sigma**2 + t.pow(2)
    away = x - (1 - t) * mean
    return t * away / variance - (mean + (1 - t) * sigma**2 * away / variance)


def by_score(x, t, mean, sigma):
    t = t[:, None]
    variance = (1 - t) ** 2 * sigma**2 + t**2
    score = -(x - (1 - t) * mean) / variance
    return (-t * score - x) / (1 - t)


RIGHT = {
    "between": {
        "row by row": row_by_row,
        "lerp": lambda x, e, t: torch.lerp(x, e, t[:, None]),
        "start and way": lambda x, e, t: x + t.view(-1, 1) * (e - x),
        "einsum": lambda x, e, t: torch.einsum("b,bd->bd", 1 - t, x) + torch.einsum("b,bd->bd", t, e),
    },
    "flow_loss": {
        "by rows": loss_by_rows,
        "mse": lambda v, x, e, t: torch.nn.functional.mse_loss(
            v((1 - t[:, None]) * x + t[:, None] * e, t), e - x, reduction="none"
        ).mean(-1),
    },
    "euler": {"its own clock": walk, "genkit's": solved},
    "noise_of": {
        "what is left of the way": lambda x, v, t: x + v - t[:, None] * v,
        "data, then a velocity": lambda x, v, t: (x - t[:, None] * v) + v,
        "addcmul": lambda x, v, t: torch.addcmul(x, (1 - t)[:, None], v),
    },
    "bend": {"loops": bend_in_loops, "genkit's": lambda p: straightness(p).value},
    "ball_velocity": {
        "two guesses": two_guesses,
        "by the score": by_score,
        "genkit's, of a mixture of one": lambda x, t, m, s: mixture_velocity(x, t, m[None], s),
    },
    "one_step": {"in capitals": "B", "with a space": "b "},
}


def ball(rule):
    def wrong(x, t, mean, sigma):
        t = t[:, None]
        return rule(x, t, mean, sigma)

    return wrong


WRONG = {
    "between": {
        "wrong end": (lambda x, e, t: e + t[:, None] * (x - e), "the ends are swapped"),
        "variance kept": (
            lambda x, e, t: (1 - t[:, None]) ** 0.5 * x + t[:, None] ** 0.5 * e,
            "a straight line has the shares",
        ),
        "data does not fade": (lambda x, e, t: x + t.unsqueeze(1) * e, "the data must fade"),
        "the slope": (lambda x, e, t: (e - x) * torch.ones_like(t)[:, None], "this is the velocity"),
        "middle": (lambda x, e, t: 0.5 * x + 0.5 * e, "middle of the line"),
        "a number": (lambda x, e, t: 0.0, ""),
    },
    "flow_loss": {
        "from noise to data": (
            lambda v, x, e, t: ((v(x + t[:, None] * (e - x), t) + e - x) ** 2).mean(1),
            "the sign is wrong",
        ),
        "noise asked": (
            lambda v, x, e, t: ((v(x + t[:, None] * (e - x), t) - e) ** 2).mean(1),
            "the velocity is eps − x",
        ),
        "asked at the data": (lambda v, x, e, t: ((v(x, t) - e + x) ** 2).mean(1), "not at the data"),
        "all rows": (
            lambda v, x, e, t: ((v(x + t[:, None] * (e - x), t) - e + x) ** 2).mean(),
            "one number for each row",
        ),
        "the norm": (
            lambda v, x, e, t: torch.linalg.vector_norm(v(x + t[:, None] * (e - x), t) - e + x, dim=1),
            "the mean square is wanted",
        ),
        "detached": (
            lambda v, x, e, t: ((v(x + t[:, None] * (e - x), t) - (e - x)) ** 2).mean(1).detach(),
            "gradient",
        ),
    },
    "euler": {
        "plus": (
            lambda v, e, n: [e := e + v(e, torch.full((len(e),), 1 - i / n)) / n for i in range(n)][-1],
            "subtract the velocity",
        ),
        "time counted up": (
            lambda v, e, n: [e := e - v(e, torch.full((len(e),), i / n)) / n for i in range(n)][-1],
            "you counted it up from 0",
        ),
        "steps of one": (
            lambda v, e, n: [e := e - v(e, torch.full((len(e),), 1 - i / n)) for i in range(n)][-1],
            "each step lasts 1 / steps",
        ),
        "backward euler's time": (
            lambda v, e, n: [e := e - v(e, torch.full((len(e),), 1 - (i + 1) / n)) / n for i in range(n)][-1],
            "where the step begins",
        ),
        "a single jump": (lambda v, e, n: e - v(e, torch.ones(len(e))), "this is one step"),
        "nothing": (lambda v, e, n: e, ""),
    },
    "noise_of": {
        "clean": (lambda x, v, t: x - t.view(-1, 1) * v, "this is the guess at the data"),
        "subtracted": (lambda x, v, t: x - v + t[:, None] * v, "points towards the noise"),
        "gone instead of left": (lambda x, v, t: x + v * t[:, None], "not t"),
        "whole": (lambda x, v, t: v + x, "1 − t is left"),
        "the velocity": (lambda x, v, t: v.clone(), "add what is missing"),
        "wrong shape": (lambda x, v, t: (x + (1 - t[:, None]) * v).sum(1), ""),
    },
    "bend": {
        "steps, not velocities": (
            lambda p: (p.diff(dim=0) - (p[-1] - p[0])).pow(2).sum(-1).mean() / (p[-1] - p[0]).pow(2).sum(-1).mean(),
            "divide it by the time",
        ),
        "unscaled": (
            lambda p: (p.diff(dim=0) * (len(p) - 1) - (p[-1] - p[0])).pow(2).sum(-1).mean(),
            "divide by the mean squared length",
        ),
        "times": (
            lambda p: (
                (p.diff(dim=0) * len(p) - (p[-1] - p[0])).pow(2).sum(-1).mean() / (p[-1] - p[0]).pow(2).sum(-1).mean()
            ),
            "one fewer steps",
        ),
        "root": (lambda p: straightness(p).value ** 0.5, "no square root"),
        "mean of ratios": (
            lambda p: (
                (p.diff(dim=0) * (len(p) - 1) - (p[-1] - p[0])).pow(2).sum(-1).mean(0) / (p[-1] - p[0]).pow(2).sum(-1)
            ).mean(),
            "a mean of ratios",
        ),
        "one": (lambda p: 1.0, ""),
    },
    "ball_velocity": {
        "noise alone": (
            ball(lambda x, t, m, s: t * (x - (1 - t) * m) / ((1 - t) ** 2 * s**2 + t**2)),
            "must be subtracted",
        ),
        "reversed": (lambda x, t, m, s: -two_guesses(x, t, m, s), "it is eps − x"),
        "mean left out": (lambda x, t, m, s: two_guesses(x, t, m, s) + m, "their difference is missing"),
        "deviation for variance": (
            ball(lambda x, t, m, s: (t - (1 - t) * s) / ((1 - t) ** 2 * s**2 + t**2) * (x - (1 - t) * m) - m),
            "square it",
        ),
        "added": (
            ball(lambda x, t, m, s: (t + (1 - t) * s**2) / ((1 - t) ** 2 * s**2 + t**2) * (x - (1 - t) * m) - m),
            "the two shares are subtracted",
        ),
        "as if sigma were 0": (ball(lambda x, t, m, s: (x - m) / t), ""),
    },
    "one_step": {
        "curved": ("a", "take one step"),
        "elsewhere": ("c", "Where do they lead"),
        "all": ("all", "only one"),
        "none": ("none", "one of them does"),
        "a number": (2, "expected a word"),
    },
}
