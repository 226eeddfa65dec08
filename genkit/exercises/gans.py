"""The exercises of the chapter on adversarial networks."""

from dataclasses import replace

import torch
import torch.nn.functional as F

from .choice import Choice
from .exercise import Exercise, Wrong

# the references ------------------------------------------------------------------------------------------------------


def tell_apart(real, fake):
    """The critic's loss in minimax for each pair of logits, shape (B,).

    real are its logits on data, fake those on samples; both have shape (B,).
    """
    return torch.nn.functional.softplus(-real) + torch.nn.functional.softplus(fake)  # hole


def convince(fake):
    """The non-saturating loss of the generator for each logit, shape (B,)."""
    return torch.nn.functional.softplus(-fake)  # hole


def r1(critic, x, gamma):
    """gamma / 2 times the squared slope of the critic at each example, shape (B,).

    critic(x) returns shape (B,). The result must pass gradients to its weights.
    """
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)  # hole
    return gamma / 2 * slope.square().flatten(1).sum(1)  # hole


def beside(real, fake):
    """The relativistic loss of the generator for each pair of logits, shape (B,)."""
    return torch.nn.functional.softplus(real - fake)  # hole


def count_modes(x, centres, sigma, least):
    """How many centres have at least `least` points of x within 3 sigma, an int.

    x has shape (N, 2), centres (K, 2). A point counts for its nearest centre only.
    """
    distance, nearest = torch.cdist(x, centres).min(1)  # hole
    counts = nearest[distance <= 3 * sigma].bincount(minlength=len(centres))  # hole
    return int((counts >= least).sum())  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _logits(b, size, seed, *, pair=True):
    def make():
        g = torch.Generator().manual_seed(seed)
        drawn = [size * torch.randn(b, generator=g) for _ in range(2)]
        return tuple(drawn) if pair else (drawn[0],)

    return make


def _bowl(x):
    return (x**2).flatten(1).sum(1) + x.flatten(1)[:, 0]


def _wavy(x):
    return torch.sin(3 * x).flatten(1).sum(1) * 2


def _examples(shape, critic, gamma, seed):
    return lambda: (critic, torch.randn(shape, generator=torch.Generator().manual_seed(seed)), gamma)


def _points(inside, outside, sigma, least, seed):
    """Around the k-th centre lie inside[k] points at one and a half deviations, outside[k] at four."""

    def make():
        g = torch.Generator().manual_seed(seed)
        centres = 3.0 * torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0))[: len(inside)]
        own = torch.arange(len(inside)).repeat(2).repeat_interleave(torch.tensor([*inside, *outside]))
        far = torch.arange(len(own)) >= sum(inside)
        turn = 6.283 * torch.rand(len(own), generator=g)
        away = sigma * torch.where(far, 4.0, 1.5)[:, None] * torch.stack([turn.cos(), turn.sin()], 1)
        return centres[own] + away, centres, sigma, least

    return make


def _can_be_learnt_from(answer):
    weight = torch.tensor(1.5, requires_grad=True)
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    try:
        found = answer(lambda v: weight * v.sum(1), x, 2.0)
        value = found.sum()
    except Exception:  # the trials say what is wrong
        return
    if not value.requires_grad:
        raise Wrong("the value does not pass gradients to the critic's weights: create_graph=True keeps the way open.")


def _slope(critic, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]


def _inside(x, centres, sigma):
    return torch.cdist(x, centres) <= 3 * sigma


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "tell_apart", 1, tell_apart, [_logits(6, 2.0, 0), _logits(1, 1.0, 1), _logits(9, 300.0, 2)], gradients=(0, 1),
        mistakes={
            "swapped": (
                lambda r, f: F.softplus(r) + F.softplus(-f),
                "this critic calls samples real and data false: the signs are swapped.",
            ),
            "real alone": (lambda r, f: F.softplus(-r), "the samples are missing: their logits should be low."),
            "fake alone": (lambda r, f: F.softplus(f), "the data are missing: their logits should be high."),
            "both real": (
                lambda r, f: F.softplus(-r) + F.softplus(-f), "this calls samples real as well: mind the second sign.",
            ),
            "mean": (
                lambda r, f: (F.softplus(-r) + F.softplus(f)) / 2, "no mean of the two terms: they are added.",
            ),
            "negative": (
                lambda r, f: -F.softplus(-r) - F.softplus(f),
                "this is what the critic wants to be large; a loss is its negative.",
            ),
            "one number": (
                lambda r, f: (F.softplus(-r) + F.softplus(f)).mean(), "one number for each pair: do not average.",
            ),
            "relativistic": (
                lambda r, f: F.softplus(f - r), "that is the relativistic loss: here each is judged on its own.",
            ),
            "probabilities": (
                lambda r, f: -r.log() - (1 - f).log(), "these are logits, not probabilities: they may have any sign.",
            ),
        },
    ),
    Exercise(
        "convince", 1, convince,
        [_logits(6, 2.0, 3, pair=False), _logits(1, 1.0, 4, pair=False), _logits(9, 300.0, 5, pair=False)],
        gradients=(0,),
        mistakes={
            "minimax": (
                lambda f: -F.softplus(f),
                "that is the saturating loss: where the critic is sure, its gradient is almost 0.",
            ),
            "critic's": (lambda f: F.softplus(f), "this is the critic's term: the generator wants the logit high."),
            "wasserstein": (lambda f: -f, "that is Wasserstein's loss, without the logarithm."),
            "negative": (lambda f: -F.softplus(-f), "the sign: this grows as the sample convinces."),
            "probability": (lambda f: 1 - torch.sigmoid(f), "take the logarithm: this saturates as minimax does."),
            "one number": (lambda f: F.softplus(-f).mean(), "one number for each sample: do not average."),
            "squares": (lambda f: (f - 1) ** 2 / 2, "that is the least-squares loss."),
        },
    ),
    Exercise(
        "r1", 2, r1,
        [_examples((5, 2), _bowl, 1.0, 0), _examples((1, 3), _wavy, 0.3, 1), _examples((4, 1, 2, 2), _wavy, 10.0, 2)],
        tests=[_can_be_learnt_from],
        mistakes={
            "no half": (lambda d, x, g: g * _slope(d, x).square().flatten(1).sum(1), "the weight is gamma / 2."),
            "norm": (
                lambda d, x, g: g / 2 * _slope(d, x).flatten(1).norm(dim=1), "the slope is squared: no square root.",
            ),
            "mean": (
                lambda d, x, g: g / 2 * _slope(d, x).square().flatten(1).mean(1),
                "a squared length is a sum over the dimensions, not a mean.",
            ),
            "penalty": (
                lambda d, x, g: g / 2 * (_slope(d, x).flatten(1).norm(dim=1) - 1) ** 2,
                "that is the gradient penalty, which wants a slope of one; R1 wants none.",
            ),
            "one number": (
                lambda d, x, g: (g / 2 * _slope(d, x).square().flatten(1).sum(1)).mean(),
                "one number for each example: do not average over the batch.",
            ),
            "total": (
                lambda d, x, g: g / 2 * _slope(d, x).square().sum(), "one number for each example: add up its own.",
            ),
            "mean of logits": (
                lambda d, x, g: g / 2 * (_slope(d, x) / len(x)).square().flatten(1).sum(1),
                "differentiate the sum of the logits: a mean divides every slope by the batch.",
            ),
            "value": (lambda d, x, g: g / 2 * d(x).square(), "the logit itself may be large: its slope is penalised."),
            "not squared": (
                lambda d, x, g: g / 2 * _slope(d, x).flatten(1).sum(1), "square the slope before adding it up.",
            ),
        },
    ),
    Exercise(
        "beside", 2, beside, [_logits(6, 2.0, 6), _logits(1, 1.0, 7), _logits(9, 300.0, 8)], gradients=(0, 1),
        mistakes={
            "critic's": (lambda r, f: F.softplus(f - r), "that is the critic's loss: the generator's is its mirror."),
            "alone": (lambda r, f: F.softplus(-f), "the sample is judged alone: compare it with the real example."),
            "no logarithm": (lambda r, f: r - f, "that is the difference alone: softplus makes a loss of it."),
            "negative": (
                lambda r, f: -F.softplus(f - r), "this is minimax again, and saturates: mirror the difference instead.",
            ),
            "mean beside": (
                lambda r, f: F.softplus(r.mean() - f), "each sample has its own partner: do not average the others.",
            ),
            "one number": (lambda r, f: F.softplus(r - f).mean(), "one number for each pair: do not average."),
            "both": (
                lambda r, f: F.softplus(r) + F.softplus(-f),
                "two separate judgements: the relativistic loss knows the difference only.",
            ),
            "probability": (lambda r, f: torch.sigmoid(r - f), "take minus the logarithm of the probability."),
        },
    ),
    Exercise(
        "count_modes", 2, count_modes,
        [_points([5, 3, 1, 0], [0, 2, 4, 9], 0.05, 3, 0), _points([4, 9, 4, 0, 2], [0, 0, 0, 5, 3], 0.3, 4, 1),
         _points([1, 6], [9, 0], 0.02, 6, 2)],
        mistakes={
            "any distance": (
                lambda x, c, s, n: int((torch.cdist(x, c).argmin(1).bincount(minlength=len(c)) >= n).sum()),
                "points far from every centre count too: keep those within 3 sigma.",
            ),
            "one sigma": (
                lambda x, c, s, n: count_modes(x, c, s / 3, n), "three deviations, not one.",
            ),
            "one is enough": (
                lambda x, c, s, n: count_modes(x, c, s, 1), "a single point is not enough: at least `least` of them.",
            ),
            "more than": (
                lambda x, c, s, n: count_modes(x, c, s, n + 1), "at least `least`: as many as that are enough.",
            ),
            "points": (
                lambda x, c, s, n: int(_inside(x, c, s).any(1).sum()), "this counts points; count centres.",
            ),
            "share": (
                lambda x, c, s, n: count_modes(x, c, s, n) / len(c), "how many, not which share of them.",
            ),
            "squares": (
                lambda x, c, s, n: _by_squares(x, c, s, n),
                "a squared distance is compared with a distance: take the root, or square both.",
            ),
        },
    ),
    Choice(
        "cause", 3, "cause", "data",
        {
            "collapse": "in a collapse data still come from the deserted places, so the critic takes them for real: "
            "ask it there.",
            "strong": "a critic that is too strong leaves samples off the modes. These lie on them.",
            "none": "a part of the ring has no samples at all: count the modes.",
        },
        "that is none of the answers: collapse, data, strong, none.",
        "The critic does not say real at the deserted modes: no data ever came from there. The data were incomplete",
    ),
)  # fmt: skip


def suspect(steps: int = 500):
    """Train a GAN on the ring in a way that is not told, and return it. About four seconds."""
    from .. import recipes
    from ..data import Split
    from ..training import fit

    recipe = recipes.variant("gan-ring", calm=steps)
    model, data = recipe.build(seed=7), recipe.dataset().train
    seen = Split(data.x[data.c < 5])
    fit(model, seen, replace(recipe.config(), steps=steps, ema=0.98, seed=7), progress=False)
    return model


def _by_squares(x, centres, sigma, least):
    square, nearest = torch.cdist(x, centres).square().min(1)
    return int((nearest[square <= 3 * sigma].bincount(minlength=len(centres)) >= least).sum())
