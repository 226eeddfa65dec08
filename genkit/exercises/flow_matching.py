"""The exercises of the chapter on flow matching."""

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def between(x, eps, t):
    """Places at times t on the straight lines from x to eps, shape (B, D).

    x is data and eps noise, both of shape (B, D); t has shape (B,), 0 at the data.
    """
    t = t[:, None]  # hole
    return (1 - t) * x + t * eps  # hole


def flow_loss(velocity, x, eps, t):
    """The loss of flow matching, one number for each row, shape (B,).

    velocity(x_t, t) returns shape (B, D); x is data and eps noise, shape (B, D);
    t has shape (B,). It is the mean over the D numbers of the squared error.
    """
    x_t = x + t[:, None] * (eps - x)
    return (velocity(x_t, t) - (eps - x)).square().mean(1)  # hole


def euler(velocity, eps, steps):
    """Where Euler's method carries noise, shape (B, D), in equal steps to t = 0.

    velocity(x, t) takes times of shape (B,).
    """
    x = eps  # hole
    for i in range(steps):  # hole
        t = torch.full((len(x),), 1 - i / steps)  # hole
        x = x - velocity(x, t) / steps  # hole
    return x  # hole


def noise_of(x_t, v, t):
    """The guess at the noise that a guess at the velocity implies, shape (B, D).

    x_t are places on straight lines and v velocities there, shape (B, D); t has
    shape (B,).
    """
    return x_t + (1 - t[:, None]) * v  # hole


def bend(path):
    """How far paths are from straight, a number; path has shape (times, B, D).

    The mean squared deviation of the velocity from the straight line's, over the mean
    squared length of that line. Times are evenly spaced from 0 to 1.
    """
    line = path[-1] - path[0]  # (B, D)
    velocity = (path[1:] - path[:-1]) * (len(path) - 1)  # hole
    off = (velocity - line).square().sum(2).mean()  # hole
    return (off / line.square().sum(1).mean()).item()  # hole


def ball_velocity(x, t, mean, sigma):
    """The true velocity at places x, shape (B, D), if the data are one round Gaussian.

    The data are N(mean, sigma² I), with mean of shape (D,); t has shape (B,).
    """
    t = t[:, None]
    variance = (1 - t) ** 2 * sigma**2 + t**2  # of x_t
    away = x - (1 - t) * mean
    return (t - (1 - t) * sigma**2) / variance * away - mean  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _lines(b, d, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(b, d, generator=g), torch.randn(b, d, generator=g), torch.rand(b, generator=g)

    return make


def _swirl(x, t):
    return torch.sin(x + 2 * t[:, None]) * (1 + t[:, None]) - 0.5 * x.flip(1)


def _judged(b, d, seed):
    return lambda: (_swirl, *_lines(b, d, seed)())


def _walk(b, d, steps, seed):
    return lambda: (_swirl, torch.randn(b, d, generator=torch.Generator().manual_seed(seed)), steps)


def _path(times, b, d, seed):
    return lambda: (torch.randn(times, b, d, generator=torch.Generator().manual_seed(seed)).cumsum(0),)


def _straight():
    g = torch.Generator().manual_seed(7)
    return (torch.linspace(0, 1, 6)[:, None, None] * torch.randn(4, 3, generator=g) + torch.randn(4, 3, generator=g),)


def _ball(b, d, sigma, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(b, d, generator=g), torch.rand(b, generator=g), 2 * torch.randn(d, generator=g), sigma

    return make


def _loss(rule):
    """Return a wrong loss: ``rule`` of the velocity function, x, eps, t and the place x_t."""
    return lambda v, x, e, t: rule(v, x, e, t, x + t[:, None] * (e - x))


def _walked(rule):
    """Return a wrong walk: ``rule`` of the velocity function, x, the number of the step and how many there are."""

    def wrong(velocity, x, steps):
        for i in range(steps):
            x = rule(lambda y, time: velocity(y, torch.full((len(y),), float(time))), x, i, steps)
        return x

    return wrong


def _bent(rule):
    """Return a wrong measure: ``rule`` of the path, its line and its velocity."""
    return lambda p: float(rule(p, p[-1] - p[0], (p[1:] - p[:-1]) * (len(p) - 1)))


def _balls(rule):
    """Return a wrong velocity: ``rule`` of x, t, mean, sigma and the variance of x_t."""

    def wrong(x, t, mean, sigma):
        t = t[:, None]
        return rule(x, t, mean, sigma, (1 - t) ** 2 * sigma**2 + t**2)

    return wrong


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "between", 1, between, [_lines(4, 3, 0), _lines(1, 2, 1), _lines(5, 5, 2), _lines(6, 1, 3)],
        gradients=(0, 1),
        mistakes={
            "swapped": (
                lambda x, e, t: t[:, None] * x + (1 - t[:, None]) * e,
                "the ends are swapped: t = 0 is data and t = 1 is noise.",
            ),
            "circle": (
                lambda x, e, t: (1 - t[:, None]).sqrt() * x + t[:, None].sqrt() * e,
                "these square roots keep the variance, as diffusion does; a straight line has the shares 1 − t and t.",
            ),
            "noise added": (
                lambda x, e, t: x + t[:, None] * e, "the data must fade as the noise comes: their share is 1 − t.",
            ),
            "velocity": (lambda x, e, t: e - x, "this is the velocity: the place at time t is wanted."),
            "velocity times t": (
                lambda x, e, t: t[:, None] * (e - x), "this is the way gone so far: add it to where it began, x.",
            ),
            "other direction": (
                lambda x, e, t: x + t[:, None] * (x - e),
                "this walks away from the noise: the line goes from x to eps.",
            ),
            "one time": (
                lambda x, e, t: (1 - t[0]) * x + t[0] * e, "every row has its own time; you used the first for all.",
            ),
            "mean time": (
                lambda x, e, t: (1 - t.mean()) * x + t.mean() * e, "every row has its own time: no average.",
            ),
            "halfway": (lambda x, e, t: (x + e) / 2, "this is the middle of the line, whatever t is."),
            "squares": (
                lambda x, e, t: (1 - t[:, None]) ** 2 * x + t[:, None] ** 2 * e,
                "the shares are 1 − t and t themselves: they add up to 1.",
            ),
        },
    ),
    Exercise(
        "flow_loss", 1, flow_loss, [_judged(4, 3, 0), _judged(1, 2, 1), _judged(5, 5, 2), _judged(6, 1, 3)],
        gradients=(1, 2),
        mistakes={
            "sign": (
                _loss(lambda v, x, e, t, at: (v(at, t) - (x - e)).square().mean(1)),
                "the sign is wrong: as t grows the point moves towards the noise, so its velocity is eps − x.",
            ),
            "noise": (
                _loss(lambda v, x, e, t, at: (v(at, t) - e).square().mean(1)),
                "this asks for the noise, as diffusion does: the velocity is eps − x.",
            ),
            "data": (
                _loss(lambda v, x, e, t, at: (v(at, t) - x).square().mean(1)),
                "this asks for the data, not for eps − x.",
            ),
            "place": (
                _loss(lambda v, x, e, t, at: (v(at, t) - at).square().mean(1)),
                "this asks for the place x_t: the velocity eps − x is wanted.",
            ),
            "at the data": (
                _loss(lambda v, x, e, t, at: (v(x, t) - (e - x)).square().mean(1)),
                "the network must be asked at x_t, not at the data: in sampling it sees places on the way.",
            ),
            "at the noise": (
                _loss(lambda v, x, e, t, at: (v(e, t) - (e - x)).square().mean(1)),
                "the network must be asked at x_t, not at the noise.",
            ),
            "sum": (
                _loss(lambda v, x, e, t, at: (v(at, t) - (e - x)).square().sum(1)),
                "take the mean over the D numbers, not the sum.",
            ),
            "one number": (
                _loss(lambda v, x, e, t, at: (v(at, t) - (e - x)).square().mean()),
                "one number for each row is wanted.",
            ),
            "wrong axis": (
                _loss(lambda v, x, e, t, at: (v(at, t) - (e - x)).square().mean(0)),
                "you averaged over the rows of the batch: average over axis 1.",
            ),
            "absolute": (
                _loss(lambda v, x, e, t, at: (v(at, t) - (e - x)).abs().mean(1)),
                "absolute errors lead to a median: squares lead to the mean, which is the velocity.",
            ),
            "distance": (
                _loss(lambda v, x, e, t, at: (v(at, t) - (e - x)).norm(dim=1)),
                "a distance: the mean square is wanted.",
            ),
            "weighted": (
                _loss(lambda v, x, e, t, at: t * (v(at, t) - (e - x)).square().mean(1)),
                "no weight by t is wanted here.",
            ),
        },
    ),
    Exercise(
        "euler", 2, euler, [_walk(4, 3, 5, 0), _walk(1, 2, 1, 1), _walk(5, 5, 2, 2), _walk(3, 2, 8, 3)],
        mistakes={
            "away": (
                _walked(lambda v, x, i, n: x + v(x, 1 - i / n) / n),
                "time runs down here, from 1 to 0: subtract the velocity times the step.",
            ),
            "upward": (
                _walked(lambda v, x, i, n: x - v(x, i / n) / n),
                "the walk begins at noise, t = 1, and t falls: you counted it up from 0.",
            ),
            "forward": (
                _walked(lambda v, x, i, n: x + v(x, i / n) / n),
                "this walks from data to noise: begin at t = 1 and go down.",
            ),
            "whole step": (
                _walked(lambda v, x, i, n: x - v(x, 1 - i / n)),
                "each step lasts 1 / steps: multiply the velocity by it.",
            ),
            "late": (
                _walked(lambda v, x, i, n: x - v(x, 1 - (i + 1) / n) / n),
                "ask for the velocity at the time where the step begins, not where it ends.",
            ),
            "no time": (
                _walked(lambda v, x, i, n: x - v(x, 1.0) / n),
                "t stays at 1 here: it falls by 1 / steps each time.",
            ),
            "at the end": (
                _walked(lambda v, x, i, n: x - v(x, 0.0) / n),
                "t stays at 0 here: it begins at 1 and falls.",
            ),
            "one step": (
                lambda v, x, n: x - v(x, torch.ones(len(x))), "this is one step, whatever was asked for.",
            ),
            "from the start": (
                lambda v, e, n: e - sum(v(e, torch.full((len(e),), 1 - i / n)) for i in range(n)) / n,
                "every velocity is taken where the walk began: take it where the point is now.",
            ),
            "one too many": (
                lambda v, x, n: _walked(lambda v, x, i, n: x - v(x, 1 - i / n) / n)(v, x, n)
                - v(_walked(lambda v, x, i, n: x - v(x, 1 - i / n) / n)(v, x, n), torch.zeros(len(x))) / n,
                "this takes one step too many: at t = 0 the walk is over.",
            ),
        },
    ),
    Exercise(
        "noise_of", 2, noise_of, [_lines(4, 3, 4), _lines(1, 2, 5), _lines(5, 5, 6), _lines(6, 1, 7)],
        gradients=(0, 1),
        mistakes={
            "data": (
                lambda x, v, t: x - t[:, None] * v,
                "this is the guess at the data: walk up to t = 1, a way of 1 − t, for the noise.",
            ),
            "sign": (
                lambda x, v, t: x - (1 - t[:, None]) * v, "the velocity points towards the noise: add it.",
            ),
            "t": (lambda x, v, t: x + t[:, None] * v, "from t to 1 there are 1 − t to go, not t."),
            "all the way": (lambda x, v, t: x + v, "a part t of the way has been gone already: 1 − t is left."),
            "velocity": (lambda x, v, t: v, "the velocity is eps − x, not eps: add what is missing."),
            "way": (lambda x, v, t: (1 - t[:, None]) * v, "this is the way that is left: begin at x_t."),
            "divided": (
                lambda x, v, t: (x + v) / (1 + t[:, None]), "no division is needed: walk from x_t for a time of 1 − t.",
            ),
            "divided by t": (
                lambda x, v, t: (x - (1 - t[:, None]) * v) / t[:, None],
                "v is the velocity and not the data: x_t + (1 − t) v needs no division.",
            ),
            "one time": (lambda x, v, t: x + (1 - t[0]) * v, "every row has its own time."),
            "from the data": (
                lambda x, v, t: x - t[:, None] * v + (1 - t[:, None]) * v,
                "from the guess at the data it is a whole velocity to the noise: x_t − t v + v.",
            ),
        },
    ),
    Exercise(
        "bend", 2, bend, [_path(5, 4, 3, 0), _path(3, 1, 2, 1), _path(9, 6, 1, 2), _path(4, 4, 4, 3), _straight],
        mistakes={
            "no pace": (
                _bent(lambda p, c, v: (v / (len(p) - 1) - c).square().sum(2).mean() / c.square().sum(1).mean()),
                "a difference of places is a step: divide it by the time it took, 1 / (times − 1).",
            ),
            "times": (
                _bent(
                    lambda p, c, v: (v * len(p) / (len(p) - 1) - c).square().sum(2).mean() / c.square().sum(1).mean()
                ),
                "between so many times lie one fewer steps.",
            ),
            "no division": (
                _bent(lambda p, c, v: (v - c).square().sum(2).mean()), "divide by the mean squared length of the line.",
            ),
            "mean": (
                _bent(lambda p, c, v: (v - c).square().mean() / c.square().sum(1).mean()),
                "a squared length is a sum over the D numbers; you averaged over them above, and summed below.",
            ),
            "each its own": (
                _bent(lambda p, c, v: ((v - c).square().sum(2).mean(0) / c.square().sum(1)).mean()),
                "a mean of ratios: the ratio of the two means is wanted, so that short lines do not decide.",
            ),
            "square root": (
                _bent(lambda p, c, v: ((v - c).square().sum(2).mean() / c.square().sum(1).mean()).sqrt()),
                "no square root is wanted.",
            ),
            "absolute": (
                _bent(lambda p, c, v: (v - c).abs().sum(2).mean() / c.abs().sum(1).mean()),
                "squares are wanted, not absolute values.",
            ),
            "summed": (
                _bent(lambda p, c, v: (v - c).square().sum(2).sum(0).mean() / c.square().sum(1).mean()),
                "take the mean over the times: the integral runs over one unit of time.",
            ),
            "velocity": (
                _bent(lambda p, c, v: v.square().sum(2).mean() / c.square().sum(1).mean()),
                "this is the whole velocity: subtract the straight line's first.",
            ),
            "one less": (
                _bent(lambda p, c, v: (c.square().sum(1).mean() / v.square().sum(2).mean())),
                "0 must mean straight: compare the velocity with the line's, and square the difference.",
            ),
        },
    ),
    Exercise(
        "ball_velocity", 3, ball_velocity,
        [_ball(5, 2, 0.5, 0), _ball(1, 3, 1.0, 1), _ball(4, 4, 2.0, 2), _ball(6, 1, 0.1, 3)],
        mistakes={
            "no mean": (
                _balls(lambda x, t, m, s, v: (t - (1 - t) * s**2) / v * (x - (1 - t) * m)),
                "E[eps] is 0, and E[x] is mean: their difference is missing.",
            ),
            "sign of the mean": (
                _balls(lambda x, t, m, s, v: (t - (1 - t) * s**2) / v * (x - (1 - t) * m) + m),
                "velocity is eps − x, so the mean of the data is subtracted.",
            ),
            "noise": (
                _balls(lambda x, t, m, s, v: t / v * (x - (1 - t) * m)),
                "this is E[eps | x_t]: E[x | x_t] must be subtracted.",
            ),
            "data": (
                _balls(lambda x, t, m, s, v: m + (1 - t) * s**2 / v * (x - (1 - t) * m)),
                "this is E[x | x_t]: it must be subtracted from E[eps | x_t].",
            ),
            "backwards": (
                _balls(lambda x, t, m, s, v: m - (t - (1 - t) * s**2) / v * (x - (1 - t) * m)),
                "this is x − eps: time runs towards the noise, so it is eps − x.",
            ),
            "sigma": (
                _balls(lambda x, t, m, s, v: (t - (1 - t) * s) / v * (x - (1 - t) * m) - m),
                "the covariance of x and x_t is (1 − t) sigma squared: square it.",
            ),
            "plus": (
                _balls(lambda x, t, m, s, v: (t + (1 - t) * s**2) / v * (x - (1 - t) * m) - m),
                "the two shares are subtracted, since velocity is a difference.",
            ),
            "no time": (
                _balls(lambda x, t, m, s, v: (t - s**2) / v * (x - (1 - t) * m) - m),
                "the covariance of x and x_t is (1 − t) sigma²: the factor 1 − t is missing.",
            ),
            "deviation": (
                _balls(lambda x, t, m, s, v: (t - (1 - t) * s**2) / v.sqrt() * (x - (1 - t) * m) - m),
                "regression divides by the variance of x_t, not by its root.",
            ),
            "marginal": (
                _balls(lambda x, t, m, s, v: 0 * x - m),
                "this is right at t = 1 alone, where x_t tells nothing of x.",
            ),
            "centred": (
                _balls(lambda x, t, m, s, v: (t - (1 - t) * s**2) / v * (x - m) - m),
                "the mean of x_t is (1 − t) mean, not mean.",
            ),
            "towards the mean": (
                _balls(lambda x, t, m, s, v: x - m),
                "this points from the mean to x: right for sigma = 0 at t = 1 alone.",
            ),
        },
    ),
    Choice(
        "one_step", 3, "one_step", "b",
        {
            "a": "its many-step samples are right. Now take one step, or measure its straightness.",
            "c": "its paths are straight indeed. Where do they lead? Measure its samples against the data.",
            "all": "only one of them passes both tests. Measure samples of one step for each.",
            "none": "one of them does. Measure samples of one step for each, beside those of many.",
        },
        "that is none of the answers: a, b, c, all, none.",
        "One flow bends, one is straight and leads elsewhere, and one is both straight and right: it holds",
    ),
)  # fmt: skip


def flows():
    """Return three velocities of the plane by name, ``velocity(x, t)``; the data are the two islands of ``toy2d``."""
    from ..data import toy
    from ..metrics.paths import mixture_velocity

    islands, places = toy("islands"), torch.linspace(-4, 4, 4001)
    normal = torch.distributions.Normal
    share = sum(normal(m, islands.sigma).cdf(places) for m in islands.centres[:, 0]) / 2  # of the data, to the left
    noise = torch.linspace(-5, 5, 4001)
    carried = places[torch.searchsorted(share, normal(0.0, 1.0).cdf(noise)).clamp(max=4000)]

    def straight(x, t):
        """Noise and data in the same order along the first coordinate, and shrunk along the second: no lines cross."""
        across = torch.empty(len(x))
        for time in t.unique():
            at = torch.searchsorted((1 - time) * carried + time * noise, x[t == time, 0].contiguous()).clamp(max=4000)
            across[t == time] = (noise - carried)[at]
        spread = (1 - t) * islands.sigma + t
        return torch.stack([across, x[:, 1] / spread * (1 - islands.sigma)], 1)

    def elsewhere(x, t):
        """The true velocity of one round Gaussian around the middle, whose paths are straight."""
        scale = (1 - t[:, None]) * 2.0 + t[:, None]
        return x / scale * (1 - 2.0)

    def bent(x, t):
        return mixture_velocity(x, t, islands.centres, islands.sigma)

    return {"a": bent, "b": straight, "c": elsewhere}
