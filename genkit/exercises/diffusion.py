"""The exercises of the chapter on diffusion."""

from itertools import pairwise

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def noised(x, eps, kept):
    """Pictures x with noise eps mixed in, both of shape (B, C, H, W).

    kept is the share of the variance that is signal, alpha squared, shape (B,):
    papers write it as alpha with a bar.
    """
    kept = kept[:, None, None, None]
    return kept.sqrt() * x + (1 - kept).sqrt() * eps  # hole


def denoising_loss(net, x, eps, t, alpha, sigma):
    """The squared error of a network that guesses the noise, shape (B,).

    x and eps have shape (B, D), alpha and sigma (B, 1), t (B,); net(x_t, t) returns
    shape (B, D). Take the mean over the D numbers.
    """
    guess = net(alpha * x + sigma * eps, t)  # hole
    return (guess - eps).square().mean(1)  # hole


def clean_guess(x_t, eps, alpha, sigma):
    """The clean example that x_t must come from, if eps was its noise."""
    return (x_t - sigma * eps) / alpha  # hole


def guide(net, x, t, c, w):
    """The guided answer of net(x, t, c), where net(x, t, None) knows no class.

    w = 1 is the answer with the class, w = 0 the one without.
    """
    without = net(x, t, None)
    return without + w * (net(x, t, c) - without)  # hole


def ddim_step(x_t, eps, alpha_t, sigma_t, alpha_s, sigma_s):
    """One step of DDIM from time t to the earlier time s, without fresh noise.

    eps is the network's guess of the noise in x_t.
    """
    clean = (x_t - sigma_t * eps) / alpha_t  # hole
    return alpha_s * clean + sigma_s * eps  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _pictures(b, shape, seed):
    def make():
        g = _generator(seed)
        return torch.randn(b, *shape, generator=g), torch.randn(b, *shape, generator=g), torch.rand(b, generator=g)

    return make


def _mix(v):
    return v.cos(), v.sin()


def _points(b, d, seed):
    def make():
        g = _generator(seed)
        x, eps = torch.randn(b, d, generator=g), torch.randn(b, d, generator=g)
        return x, eps, *_mix(0.1 + 1.3 * torch.rand(b, 1, generator=g))

    return make


def _net(x, t, c=None):
    told = 0.0 if c is None else (c[:, None] + 1.0) * x.cos()
    return (2 * x).sin() + t[:, None] * x + told


def _losses(b, d, seed):
    def make():
        g = _generator(seed)
        x, eps, t = torch.randn(b, d, generator=g), torch.randn(b, d, generator=g), torch.rand(b, generator=g)
        return _net, x, eps, t, *_mix(1.5 * t[:, None])

    return make


def _guided(b, d, w, seed):
    def make():
        g = _generator(seed)
        c = torch.randint(5, (b,), generator=g)
        return _net, torch.randn(b, d, generator=g), torch.rand(b, generator=g), c, w

    return make


def _steps(b, d, seed):
    def make():
        g = _generator(seed)
        late = 0.7 + 0.7 * torch.rand(b, 1, generator=g)
        early = late * (0.2 + 0.7 * torch.rand(b, 1, generator=g))
        x, eps = torch.randn(b, d, generator=g), torch.randn(b, d, generator=g)
        return x, eps, *_mix(late), *_mix(early)

    return make


def _wide(v):
    return v[:, None, None, None]


def _losing(rule):
    """Return a wrong loss: ``rule`` of the network, x, eps, t, alpha, sigma and the noisy x."""
    return lambda net, x, eps, t, a, s: rule(net, x, eps, t, a, s, a * x + s * eps)


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "noised", 1, noised, [_pictures(4, (1, 3, 3), 0), _pictures(1, (3, 2, 2), 1), _pictures(5, (1, 5, 5), 2)],
        gradients=(0,),
        mistakes={
            "no roots": (
                lambda x, e, k: _wide(k) * x + (1 - _wide(k)) * e,
                "kept is a share of the variance: signal and noise are multiplied by square roots.",
            ),
            "one root": (
                lambda x, e, k: _wide(k).sqrt() * x + (1 - _wide(k)) * e,
                "the noise needs a square root too, or the variance is not kept.",
            ),
            "root of the signal missing": (
                lambda x, e, k: _wide(k) * x + (1 - _wide(k)).sqrt() * e,
                "the signal needs a square root too: kept is a share of the variance.",
            ),
            "one minus the root": (
                lambda x, e, k: _wide(k).sqrt() * x + (1 - _wide(k).sqrt()) * e,
                "the noise has √(1 − kept), not 1 − √kept.",
            ),
            "swapped": (
                lambda x, e, k: (1 - _wide(k)).sqrt() * x + _wide(k).sqrt() * e,
                "kept is the share of the signal: signal and noise are exchanged.",
            ),
            "variance above one": (
                lambda x, e, k: x + (1 - _wide(k)).sqrt() * e,
                "the signal shrinks as the noise grows, so that the variance is kept.",
            ),
            "subtracted": (
                lambda x, e, k: _wide(k).sqrt() * x - (1 - _wide(k)).sqrt() * e,
                "the noise is added, not subtracted.",
            ),
        },
    ),
    Exercise(
        "denoising_loss", 2, denoising_loss, [_losses(4, 3, 0), _losses(1, 5, 1), _losses(6, 2, 2)],
        mistakes={
            "clean input": (
                _losing(lambda n, x, e, t, a, s, y: (n(x, t) - e).square().mean(1)),
                "the network sees the noisy example, not the clean one.",
            ),
            "guesses the example": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - x).square().mean(1)),
                "this network guesses the noise: compare with eps.",
            ),
            "guesses what it sees": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - y).square().mean(1)),
                "the noisy example is what the network sees: compare its answer with eps.",
            ),
            "scaled noise": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - s * e).square().mean(1)),
                "compare with eps itself, which has variance 1 at every time, not with sigma · eps.",
            ),
            "sum": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - e).square().sum(1)),
                "take the mean over the numbers of an example, not their sum.",
            ),
            "over the batch": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - e).square().mean(0)),
                "you averaged over the batch: average over the numbers of each example, axis 1.",
            ),
            "one number": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - e).square().mean()),
                "one number for each example is wanted: mean over axis 1.",
            ),
            "distance": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - e).norm(dim=1)),
                "a squared error is wanted, not a distance.",
            ),
            "absolute": (
                _losing(lambda n, x, e, t, a, s, y: (n(y, t) - e).abs().mean(1)), "take squares, not absolute values.",
            ),
            "swapped mixture": (
                _losing(lambda n, x, e, t, a, s, y: (n(s * x + a * e, t) - e).square().mean(1)),
                "alpha belongs to the example, sigma to the noise.",
            ),
        },
    ),
    Exercise(
        "clean_guess", 1, clean_guess, [_points(4, 3, 0), _points(1, 2, 1), _points(6, 5, 2)], gradients=(0, 1),
        mistakes={
            "not divided": (
                lambda x, e, a, s: x - s * e, "what is left is alpha times the clean example: divide by alpha.",
            ),
            "noise not scaled": (lambda x, e, a, s: (x - e) / a, "there is sigma times eps in x_t, not eps."),
            "divided by sigma": (
                lambda x, e, a, s: (x - a * e) / s, "alpha and sigma are exchanged: alpha belongs to the signal.",
            ),
            "added": (lambda x, e, a, s: (x + s * e) / a, "the noise was added, so subtract it."),
            "multiplied": (lambda x, e, a, s: a * (x - s * e), "divide by alpha: the signal had been shrunk by it."),
            "half divided": (
                lambda x, e, a, s: x / a - s * e, "the noise is in x_t too: divide the whole difference by alpha.",
            ),
            "squared": (lambda x, e, a, s: (x - s**2 * e) / a, "sigma is the noise's deviation: no square."),
            "over the square": (lambda x, e, a, s: (x - s * e) / a**2, "alpha multiplies the signal: no square."),
        },
    ),
    Exercise(
        "ddim_step", 2, ddim_step, [_steps(4, 3, 0), _steps(1, 2, 1), _steps(5, 4, 2)], gradients=(0,),
        mistakes={
            "straight to the end": (
                lambda x, e, a, s, b, r: (x - s * e) / a,
                "this jumps to time 0: mix as much of the noise back in as there is at time s.",
            ),
            "no noise back": (
                lambda x, e, a, s, b, r: b * (x - s * e) / a,
                "at time s there is noise too: add sigma_s · eps.",
            ),
            "old noise": (
                lambda x, e, a, s, b, r: b * (x - s * e) / a + s * e,
                "the noise is that of time s: sigma_s, not sigma_t.",
            ),
            "old signal": (
                lambda x, e, a, s, b, r: a * (x - s * e) / a + r * e,
                "the signal is that of time s: alpha_s, not alpha_t.",
            ),
            "not shrunk": (
                lambda x, e, a, s, b, r: (x - s * e) / a + r * e,
                "the clean example enters with alpha_s.",
            ),
            "swapped times": (
                lambda x, e, a, s, b, r: a * (x - r * e) / b + s * e,
                "the two times are exchanged: x_t stands at time t.",
            ),
            "no division": (
                lambda x, e, a, s, b, r: b * (x - s * e) + r * e,
                "divide by alpha_t first: the clean example had been shrunk by it.",
            ),
            "fresh noise": (
                lambda x, e, a, s, b, r: b * (x - s * e) / a + r * torch.randn_like(e),
                "no fresh noise: DDIM puts the same noise back, in a smaller amount.",
            ),
            "minus": (
                lambda x, e, a, s, b, r: b * (x - s * e) / a - r * e,
                "add the noise of time s: it points the same way as before.",
            ),
        },
    ),
    Exercise(
        "guide", 2, guide,
        [
            _guided(4, 3, 3.0, 0), _guided(1, 2, 1.0, 1), _guided(5, 2, 0.0, 2), _guided(3, 4, 7.5, 3),
            _guided(2, 2, 0.5, 4),
        ],
        mistakes={
            "the paper's weight": (
                lambda n, x, t, c, w: (1 + w) * n(x, t, c) - w * n(x, t, None),
                "this is the paper's weight, where 0 is none: here w = 1 must return the answer with the class.",
            ),
            "swapped": (
                lambda n, x, t, c, w: n(x, t, c) + w * (n(x, t, None) - n(x, t, c)),
                "this moves towards the answer without the class: start there, and move away from it.",
            ),
            "sum": (
                lambda n, x, t, c, w: n(x, t, None) + w * n(x, t, c),
                "multiply the difference of both answers by w, not the answer itself.",
            ),
            "class alone": (
                lambda n, x, t, c, w: w * n(x, t, c), "the answer without the class is where the step begins.",
            ),
            "mean": (
                lambda n, x, t, c, w: (n(x, t, c) + n(x, t, None)) / 2, "w decides how far to go.",
            ),
            "no guidance": (lambda n, x, t, c, w: n(x, t, c), "w has no effect."),
            "difference": (
                lambda n, x, t, c, w: w * (n(x, t, c) - n(x, t, None)), "this is the way alone: add where it begins.",
            ),
            "clamped": (
                lambda n, x, t, c, w: torch.lerp(n(x, t, None), n(x, t, c), min(w, 1.0)),
                "w may be larger than 1: that is what guidance is for.",
            ),
        },
    ),
    Choice(
        "wrong_walk", 3, "wrong_walk", "b",
        {
            "a": "it has no chance after its start, and its end has the right mean and the right spread.",
            "c": "it adds fresh noise, and takes as much of the old away: its end has the right spread.",
            "none": "look at the spread of what each walk ends with, and compare with the spread of the data.",
        },
        "that is none of the answers: a, b, c, none.",
        "Walk a Gaussian whose spread is known: b ends too wide, since it adds fresh noise and keeps all of the old",
    ),
)  # fmt: skip


def walks():
    """Return three samplers, ``walk(guess, x, path)``, one of which may be wrong.

    ``guess(x, t)`` returns the clean example and the noise of points x, shape (B, D), at a time t; ``path`` are times
    that fall to 0. All are for the cosine without an offset: alpha = cos(πt / 2), sigma = sin(πt / 2).
    """

    def mix(t):
        angle = torch.tensor(torch.pi / 2 * t)
        return angle.cos(), angle.sin()

    def walk(eta, forget):
        def take(guess, x, path):
            for t, s in pairwise(path):
                (alpha, sigma), (alpha_s, sigma_s) = mix(t), mix(s)
                clean, noise = guess(x, t)
                tau = eta * sigma_s / sigma * (1 - (alpha / alpha_s) ** 2).clamp(min=0).sqrt()
                left = (sigma_s**2 - tau**2).clamp(min=0).sqrt() if forget else sigma_s
                x = alpha_s * clean + left * noise + tau * torch.randn_like(x)
            return x

        return take

    return {"a": walk(0.0, True), "b": walk(1.0, False), "c": walk(1.0, True)}
