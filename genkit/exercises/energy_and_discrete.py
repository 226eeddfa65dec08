"""The exercises of the chapter on energies and discrete codes."""

from dataclasses import replace

import torch

from .choice import Choice
from .exercise import Exercise, Wrong

# the references ------------------------------------------------------------------------------------------------------


def nearest_code(z, codebook):
    """The number of the nearest code of each vector, int64 of shape (B,).

    z has shape (B, D), codebook (K, D).
    """
    squares = (z[:, None] - codebook).square().sum(2)  # hole
    return squares.argmin(1)  # hole


def jump(z, e):
    """The codes e, shape (B, D), with a gradient that goes to z unchanged."""
    return z + (e - z).detach()  # hole


def commitment(z, e, beta):
    """beta times the squared distance of z from its codes e, for each row, shape (B,).

    It moves z, and leaves e where it is.
    """
    return beta * (z - e.detach()).square().sum(1)  # hole


def used_codes(codes, size):
    """The perplexity of code usage, a number; codes is int64 of any shape."""
    share = codes.flatten().bincount(minlength=size) / codes.numel()
    share = share[share > 0]  # hole
    return (-(share * share.log()).sum()).exp().item()  # hole


def langevin_step(x, energy, step, noise):
    """One Langevin step of points x, shape (B, D), with noise drawn from N(0, I).

    energy(x) returns shape (B,).
    """
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(energy(x).sum(), x)  # hole
    return (x - step**2 / 2 * slope + step * noise).detach()  # hole


def contrast(energy, data, drawn, alpha):
    """What training an energy minimises, one number.

    It pushes down at the data and up at the drawn points, and holds both energies
    near zero with weight alpha.
    """
    low, high = energy(data), energy(drawn)  # (B,), (B,)
    return (low - high + alpha * (low**2 + high**2)).mean()  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _pair(b, k, d, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(b, d, generator=g), torch.randn(k, d, generator=g) * torch.linspace(0.3, 3, k)[:, None]

    return make


def _two(b, d, seed, *more):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(b, d, generator=g), torch.randn(b, d, generator=g), *more

    return make


def _codes(shape, size, high, seed):
    return lambda: (torch.randint(high, shape, generator=torch.Generator().manual_seed(seed)), size)


def _bowl(x):
    return (x**2).sum(1)


def _waves(x):
    return torch.sin(2 * x).sum(1) + 0.25 * (x**4).sum(1)


def _walk(b, d, energy, step, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(b, d, generator=g), energy, step, torch.randn(b, d, generator=g)

    return make


def _contrast(b, alpha, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return _waves, torch.randn(b, 2, generator=g), 2 * torch.randn(b, 2, generator=g), alpha

    return make


def _leaves_codes_alone(*more):
    """Return a test that the second argument gets no gradient, or one of zeros."""

    def test(answer):
        e = torch.randn(3, 2, generator=torch.Generator().manual_seed(1)).requires_grad_()
        z = torch.randn(3, 2, generator=torch.Generator().manual_seed(2)).requires_grad_()
        try:
            found = torch.autograd.grad(answer(z, e, *more).sum(), e, allow_unused=True)[0]
        except Exception:  # the trials say what is wrong
            return
        if found is not None and found.abs().max() > 0:
            raise Wrong("a gradient reaches the codes e: detach them, so that only z is moved.")

    return test


def _step(x, energy):
    x = x.detach().requires_grad_()
    return x, torch.autograd.grad(energy(x).sum(), x)[0]


def _walks(rule):
    """Return a wrong step: ``rule`` of points, slope, length and noise."""

    def wrong(x, energy, step, noise):
        x, slope = _step(x, energy)
        return rule(x.detach(), slope, step, noise)

    return wrong


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "nearest_code", 1, nearest_code,
        [_pair(6, 4, 3, 0), _pair(1, 7, 2, 1), _pair(5, 5, 5, 2), _pair(40, 3, 1, 3), _pair(9, 12, 4, 4)],
        mistakes={
            "farthest": (
                lambda z, e: torch.cdist(z, e).argmax(1),
                "this is the farthest code: take argmin.",
            ),
            "inner product": (
                lambda z, e: (z @ e.T).argmax(1),
                "the largest inner product favours long codes: take the smallest distance.",
            ),
            "wrong axis": (
                lambda z, e: torch.cdist(z, e).argmin(0),
                "this finds the nearest vector of each code: look for the nearest code of each vector, axis 1.",
            ),
            "distance": (lambda z, e: torch.cdist(z, e).amin(1), "this is the distance: the code's number is wanted."),
            "the code": (lambda z, e: e[torch.cdist(z, e).argmin(1)], "this is the code itself: its number is wanted."),
            "signed": (
                lambda z, e: (z[:, None] - e).sum(2).argmin(1),
                "differences of both signs cancel: square them before you add up.",
            ),
            "mean of squares outside": (
                lambda z, e: (z[:, None] - e).sum(2).square().argmin(1),
                "square first, then add up: you square the sum.",
            ),
            "first dimension": (
                lambda z, e: (z[:, None, 0] - e[:, 0]).square().argmin(1),
                "all dimensions count, not the first alone.",
            ),
            "one number": (lambda z, e: torch.cdist(z, e).argmin(), "one number for each vector is wanted."),
            "cosine": (
                lambda z, e: torch.cosine_similarity(z[:, None], e, dim=2).argmax(1),
                "this compares directions: distances are wanted.",
            ),
        },
    ),
    Exercise(
        "jump", 2, jump, [_two(4, 3, 0), _two(1, 2, 1), _two(5, 5, 2)], gradients=(0,),
        tests=(_leaves_codes_alone(),),
        mistakes={
            "z": (lambda z, e: z + 0 * e.detach(), "the value must be the code's: the decoder sees e, not z."),
            "mean": (lambda z, e: (z + e.detach()) / 2, "halfway is neither: the value must be e."),
            "no difference": (lambda z, e: z + e.detach(), "add the difference e − z, not e."),
            "minus": (lambda z, e: z - (e - z).detach(), "the sign is wrong: this moves away from e."),
            "zeros": (lambda z, e: torch.zeros_like(z), "the value must be e."),
        },
    ),
    Exercise(
        "commitment", 2, commitment,
        [_two(4, 3, 0, 0.25), _two(1, 2, 1, 1.0), _two(5, 5, 2, 0.5), _two(7, 1, 3, 2.0)],
        gradients=(0,), tests=(_leaves_codes_alone(0.5),),
        mistakes={
            "no weight": (lambda z, e, b: (z - e.detach()).square().sum(1), "multiply by beta."),
            "mean": (
                lambda z, e, b: b * (z - e.detach()).square().mean(1),
                "a squared distance is a sum over the dimensions: no mean.",
            ),
            "distance": (lambda z, e, b: b * (z - e.detach()).norm(dim=1), "a distance: its square is wanted."),
            "absolute": (lambda z, e, b: b * (z - e.detach()).abs().sum(1), "take squares, not absolute values."),
            "wrong axis": (
                lambda z, e, b: b * (z - e.detach()).square().sum(0),
                "you added up the rows of the batch: add up the dimensions, axis 1.",
            ),
            "one number": (
                lambda z, e, b: b * (z - e.detach()).square().sum(), "one number for each row is wanted.",
            ),
            "sign": (lambda z, e, b: -b * (z - e.detach()).square().sum(1), "a cost is positive: the sign is wrong."),
            "beta squared": (
                lambda z, e, b: (b * (z - e.detach())).square().sum(1), "beta stands before the square, not in it.",
            ),
        },
    ),
    Exercise(
        "used_codes", 2, used_codes,
        [
            _codes((50, 4), 8, 8, 0), _codes((30,), 6, 3, 1), _codes((10, 2), 5, 1, 2), _codes((5, 40), 64, 20, 3),
            _codes((3,), 4, 4, 4),
        ],
        mistakes={
            "entropy": (
                lambda c, k: _log(c, k),
                "this is the entropy in nats: the perplexity is its exponential.",
            ),
            "count of used": (
                lambda c, k: float(len(c.unique())),
                "this counts the codes that occur: one that occurs once counts as much as one that does all the work.",
            ),
            "share of used": (lambda c, k: len(c.unique()) / k, "this is the share of codes that occur at all."),
            "nan": (
                lambda c, k: _raw(c, k).exp().item(),
                "0 · log 0 is not a number for the computer: leave out the codes that never occur.",
            ),
            "size": (lambda c, k: float(k), "this counts every code, used or not."),
            "sign": (
                lambda c, k: 1 / _perplexity(c, k), "a perplexity is at least 1: the sign in the exponent is wrong.",
            ),
            "base two": (
                lambda c, k: 2 ** _log(c, k), "2 goes with bits: with the natural logarithm take e.",
            ),
            "normalised": (lambda c, k: _perplexity(c, k) / k, "do not divide by the size: codes are counted."),
        },
    ),
    Exercise(
        "langevin_step", 2, langevin_step,
        [
            _walk(5, 2, _bowl, 0.3, 0), _walk(3, 4, _waves, 0.5, 1), _walk(1, 1, _waves, 0.1, 2),
            _walk(4, 4, _bowl, 1.0, 3), _walk(6, 2, _waves, 2.0, 4),
        ],
        mistakes={
            "uphill": (
                _walks(lambda x, g, s, n: x + s**2 / 2 * g + s * n),
                "this walks uphill: low energy is where data are likely, so subtract the slope.",
            ),
            "no half": (_walks(lambda x, g, s, n: x - s**2 * g + s * n), "the slope is multiplied by step² / 2."),
            "step for square": (
                _walks(lambda x, g, s, n: x - s / 2 * g + s * n), "step must be squared before it is halved.",
            ),
            "gradient descent": (
                _walks(lambda x, g, s, n: x - s * g + s * n), "the slope is multiplied by step² / 2, not by step.",
            ),
            "no noise": (_walks(lambda x, g, s, n: x - s**2 / 2 * g), "without noise all points end in the valleys."),
            "noise too large": (_walks(lambda x, g, s, n: x - s**2 / 2 * g + n), "the noise is multiplied by step."),
            "noise squared": (
                _walks(lambda x, g, s, n: x - s**2 / 2 * g + s**2 * n),
                "the noise is multiplied by step, not by its square.",
            ),
            "root": (
                _walks(lambda x, g, s, n: x - s**2 / 2 * g + s**0.5 * n),
                "the noise is multiplied by step, not by its root: here step² is the time that passes.",
            ),
            "move alone": (_walks(lambda x, g, s, n: s * n - s**2 / 2 * g), "this is the move: add it to x."),
            "halved noise": (
                _walks(lambda x, g, s, n: x - s**2 / 2 * g + s / 2 * n), "only the slope is halved, not the noise.",
            ),
        },
    ),
    Exercise(
        "contrast", 2, contrast,
        [_contrast(5, 0.1, 0), _contrast(1, 1.0, 1), _contrast(8, 0.0, 2), _contrast(8, 0.5, 3)],
        gradients=(1, 2),
        mistakes={
            "sign": (
                lambda f, x, y, a: (f(y) - f(x) + a * (f(x) ** 2 + f(y) ** 2)).mean(),
                "this raises the energy of the data and lowers that of the draws: swap them.",
            ),
            "data alone": (
                lambda f, x, y, a: (f(x) + a * (f(x) ** 2 + f(y) ** 2)).mean(),
                "lowering the data's energy alone, the network sinks everywhere: push up at the drawn points.",
            ),
            "no regulariser": (
                lambda f, x, y, a: (f(x) - f(y)).mean(), "the squares of both energies, times alpha, are missing.",
            ),
            "square of the gap": (
                lambda f, x, y, a: (f(x) - f(y) + a * (f(x) - f(y)) ** 2).mean(),
                "square each energy on its own: the gap may stay small while both run away.",
            ),
            "difference of squares": (
                lambda f, x, y, a: (f(x) - f(y) + a * (f(x) ** 2 - f(y) ** 2)).mean(),
                "both squares are added: one of them is subtracted here.",
            ),
            "one square": (
                lambda f, x, y, a: (f(x) - f(y) + a * f(x) ** 2).mean(), "the energies of the draws are squared too.",
            ),
            "sum": (
                lambda f, x, y, a: (f(x) - f(y) + a * (f(x) ** 2 + f(y) ** 2)).sum(), "take the mean, not the sum.",
            ),
            "each": (
                lambda f, x, y, a: f(x) - f(y) + a * (f(x) ** 2 + f(y) ** 2), "one number is wanted: take the mean.",
            ),
            "added": (
                lambda f, x, y, a: (f(x) + f(y) + a * (f(x) ** 2 + f(y) ** 2)).mean(),
                "this lowers both energies: the drawn points must be pushed up.",
            ),
            "regulariser subtracted": (
                lambda f, x, y, a: (f(x) - f(y) - a * (f(x) ** 2 + f(y) ** 2)).mean(),
                "the squares are a cost: add them.",
            ),
        },
    ),
    Choice(
        "upbringing", 3, "upbringing", "short",
        {
            "persistent": "draw with many more steps than in training: would samples of a right density get worse?",
            "exploded": "its energies are small and its samples near the data: nothing has exploded.",
            "untrained": "its short samples lie far nearer to the data than noise does.",
        },
        "that is none of the answers: short, persistent, exploded, untrained.",
        "Few steps from noise land near the data, many steps leave them: its chains began at noise, and were short",
    ),
)  # fmt: skip


def stranger(steps: int = 200):
    """Train an energy on two moons in a way that is not told, and return it. About two seconds."""
    from .. import recipes
    from ..training import fit

    recipe = recipes.variant("energy-moons-short")
    model, data = recipe.build(seed=5), replace(recipe.dataset().train, c=None)
    fit(model, data, replace(recipe.config(), steps=steps, seed=5), progress=False)
    return model


def _shares(codes, size):
    return codes.flatten().bincount(minlength=size) / codes.numel()


def _raw(codes, size):
    share = _shares(codes, size)
    return -(share * share.log()).sum()


def _log(codes, size):
    share = _shares(codes, size)
    return -torch.where(share > 0, share * share.log(), 0.0).nansum().item()


def _perplexity(codes, size):
    return 2.718281828459045 ** _log(codes, size)
