"""The exercises of the chapter on Boltzmann machines."""

import math

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def party_energy(s, weight, bias):
    """The energy of each row of s, shape (B, n), as a tensor of shape (B,).

    weight is symmetric with zeros on its diagonal, shape (n, n); bias has shape (n,).
    """
    return -0.5 * ((s @ weight) * s).sum(1) - s @ bias  # hole


def happy(s, weight, bias, temperature):
    """p(unit i is 1 | all others) for every unit of every row of s, shape (B, n)."""
    pull = s @ weight + bias
    return torch.sigmoid(pull / temperature)  # hole


def free_energy(v, weight, visible, hidden):
    """F(v) = −log Σ_h e^(−E(v, h)) of each row of v, shape (B, D), as shape (B,).

    E(v, h) = −v'Wh − b'v − a'h: weight W has shape (D, H), visible is b, hidden is a.
    """
    return -(v @ visible) - torch.nn.functional.softplus(v @ weight + hidden).sum(1)  # hole


def learning_step(v_data, v_model, weight, hidden):
    """The direction in which W should move, shape (D, H): ⟨v h⟩ of data minus of model.

    v_data and v_model have shape (B, D); for h take its mean given v. hidden is a.
    """
    h_data = torch.sigmoid(v_data @ weight + hidden)
    h_model = torch.sigmoid(v_model @ weight + hidden)  # hole
    return (v_data.T @ h_data - v_model.T @ h_model) / len(v_data)  # hole


def ais_error(log_w):
    """The standard error of log of the mean weight, a number; log_w has shape (M,)."""
    w = torch.exp(log_w - log_w.max())  # hole
    return (w.std() / (w.mean() * math.sqrt(len(w)))).item()  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _party(b, n, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        upper = torch.randn(n, n, generator=g).triu(1)
        s = (torch.rand(b, n, generator=g) < 0.7).float()
        return s, upper + upper.T, torch.randn(n, generator=g)

    return make


def _warm_party(b, n, temperature, seed):
    return lambda: (*_party(b, n, seed)(), temperature)


def _pair(b, d, h, seed, scale=1.0):
    def make():
        g = torch.Generator().manual_seed(seed)
        v = (torch.rand(b, d, generator=g) < 0.5).float()
        weight = scale * torch.randn(d, h, generator=g)
        return v, weight, torch.randn(d, generator=g), torch.randn(h, generator=g)

    return make


def _strong():
    """Pulls so large that their exponentials are not finite."""
    return torch.ones(2, 4), torch.full((4, 3), 40.0), torch.zeros(4), torch.zeros(3)


def _two_phases(b, d, h, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        data, model = ((torch.rand(b, d, generator=g) < p).float() for p in (0.6, 0.4))
        return data, model, torch.randn(d, h, generator=g), torch.randn(h, generator=g)

    return make


def _weights(m, spread, level, seed):
    return lambda: (level + spread * torch.randn(m, generator=torch.Generator().manual_seed(seed)).double(),)


def _softplus(x):
    return torch.nn.functional.softplus(x)


def _phases(data, model, weight, hidden):
    return torch.sigmoid(data @ weight + hidden), torch.sigmoid(model @ weight + hidden)


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "party_energy",
        1,
        party_energy,
        [_party(4, 5, 0), _party(1, 3, 1), _party(6, 2, 2), _party(5, 5, 3), _party(3, 1, 4)],
        mistakes={
            "each link twice": (
                lambda s, w, b: -((s @ w) * s).sum(1) - s @ b,
                "every link is counted twice: the sum runs over i < j, so take half of s'Ws.",
            ),
            "half of everything": (
                lambda s, w, b: -0.5 * (((s @ w) * s).sum(1) + s @ b),
                "the half belongs to the links alone: each bias counts once.",
            ),
            "sign": (
                lambda s, w, b: 0.5 * ((s @ w) * s).sum(1) + s @ b,
                "this is minus the energy: friends who are happy together lower it.",
            ),
            "sign of the bias": (
                lambda s, w, b: -0.5 * ((s @ w) * s).sum(1) + s @ b,
                "the bias has the wrong sign: a guest of a sunny nature lowers the energy by being happy.",
            ),
            "no bias": (lambda s, w, b: -0.5 * ((s @ w) * s).sum(1), "the biases are missing."),
            "bias of everybody": (
                lambda s, w, b: -0.5 * ((s @ w) * s).sum(1) - b.sum(),
                "a bias counts only where its unit is 1.",
            ),
            "no links": (lambda s, w, b: -(s @ b), "these are the biases alone: the links are missing."),
            "one number": (
                lambda s, w, b: (-0.5 * ((s @ w) * s).sum() - (s @ b).sum()),
                "one number for each row is wanted, not one for all.",
            ),
            "pairs of rows": (
                lambda s, w, b: -0.5 * s @ w @ s.T - s @ b,
                "s W s' compares every row with every other: its diagonal is what you want.",
            ),
            "units of plus and minus": (
                lambda s, w, b: -0.5 * (((2 * s - 1) @ w) * (2 * s - 1)).sum(1) - (2 * s - 1) @ b,
                "this is for units of −1 and 1; here they are 0 and 1.",
            ),
        },
    ),
    Exercise(
        "happy",
        1,
        happy,
        [_warm_party(4, 5, 1.0, 0), _warm_party(3, 4, 2.5, 1), _warm_party(1, 3, 0.4, 2), _warm_party(2, 2, 10.0, 3)],
        mistakes={
            "times": (
                lambda s, w, b, t: torch.sigmoid((s @ w + b) * t),
                "heat makes moods more random: divide the pull by the temperature.",
            ),
            "no temperature": (lambda s, w, b, t: torch.sigmoid(s @ w + b), "the temperature is missing."),
            "temperature outside": (
                lambda s, w, b, t: torch.sigmoid(s @ w + b) / t,
                "divide the pull, not the probability, which would not stay between 0 and 1.",
            ),
            "links alone": (
                lambda s, w, b, t: torch.sigmoid(s @ w / t + b),
                "the whole pull is divided by the temperature, the bias too.",
            ),
            "bias alone warm": (
                lambda s, w, b, t: torch.sigmoid(s @ w + b / t),
                "the whole pull is divided by the temperature, the links too.",
            ),
            "sign": (
                lambda s, w, b, t: torch.sigmoid(-(s @ w + b) / t),
                "this is the probability of being 0: a pull upwards makes 1 likelier.",
            ),
            "no sigmoid": (lambda s, w, b, t: (s @ w + b) / t, "this is the pull: squash it by the logistic sigmoid."),
            "softmax": (
                lambda s, w, b, t: torch.softmax((s @ w + b) / t, 1),
                "a softmax lets one guest alone be happy: each has its own chance.",
            ),
            "exponential": (
                lambda s, w, b, t: torch.exp((s @ w + b) / t),
                "these are the odds, p / (1 − p): the probability is odds / (1 + odds).",
            ),
            "hyperbolic tangent": (
                lambda s, w, b, t: torch.tanh((s @ w + b) / t),
                "tanh is the mean of units of −1 and 1; here they are 0 and 1.",
            ),
            "hard": (
                lambda s, w, b, t: ((s @ w + b) > 0).float(),
                "this takes the likelier mood, as if the temperature were 0: a probability is wanted.",
            ),
            "half the pull": (
                lambda s, w, b, t: torch.sigmoid((0.5 * s @ w + b) / t),
                "the half of the energy's formula is gone here: each friend pulls with the whole link.",
            ),
        },
    ),
    Exercise(
        "free_energy",
        2,
        free_energy,
        [_pair(4, 5, 3, 0), _pair(1, 3, 4, 1), _pair(3, 3, 3, 2), _pair(6, 2, 1, 3), _strong],
        mistakes={
            "sign": (
                lambda v, w, b, a: v @ b + _softplus(v @ w + a).sum(1),
                "this is −F, the log-probability but for log Z.",
            ),
            "sign of the bias": (
                lambda v, w, b, a: v @ b - _softplus(v @ w + a).sum(1),
                "b'v lowers the energy, so it lowers the free energy: its sign is wrong.",
            ),
            "no visible": (lambda v, w, b, a: -_softplus(v @ w + a).sum(1), "the visible biases are missing."),
            "no hidden": (
                lambda v, w, b, a: -(v @ b) - _softplus(v @ w).sum(1),
                "the hidden biases a are missing from the pull.",
            ),
            "pull": (
                lambda v, w, b, a: -(v @ b) - (v @ w + a).sum(1),
                "this is the energy with every hidden unit on: sum over both its states, log(1 + e^pull).",
            ),
            "relu": (
                lambda v, w, b, a: -(v @ b) - torch.relu(v @ w + a).sum(1),
                "this is the lowest energy: the free energy sums over all h, log(1 + e^pull).",
            ),
            "exponential": (
                lambda v, w, b, a: -(v @ b) - torch.exp(v @ w + a).sum(1),
                "the logarithm is missing: log(1 + e^pull).",
            ),
            "sigmoid": (
                lambda v, w, b, a: -(v @ b) - torch.sigmoid(v @ w + a).sum(1),
                "the sigmoid is the mean of h: here log(1 + e^pull) is wanted.",
            ),
            "naive": (
                lambda v, w, b, a: -(v @ b) - torch.log(1 + torch.exp(v @ w + a)).sum(1),
                "right, until a pull is large: then e^pull is infinite. torch.nn.functional.softplus knows better.",
            ),
            "product": (
                lambda v, w, b, a: -(v @ b) - _softplus((v @ w + a).sum(1)),
                "the sum over h is a product over units: take log(1 + e^pull) of each unit, then add.",
            ),
            "mean": (
                lambda v, w, b, a: -(v @ b) - _softplus(v @ w + a).mean(1),
                "the hidden units' terms add up: no average.",
            ),
            "one number": (
                lambda v, w, b, a: (-(v @ b) - _softplus(v @ w + a).sum(1)).sum(),
                "one number for each row is wanted, not one for all.",
            ),
        },
    ),
    Exercise(
        "learning_step",
        2,
        learning_step,
        [_two_phases(6, 4, 3, 0), _two_phases(1, 3, 5, 1), _two_phases(5, 3, 3, 2), _two_phases(8, 2, 1, 3)],
        mistakes={
            "sign": (
                lambda x, y, w, a: (y.T @ _phases(x, y, w, a)[1] - x.T @ _phases(x, y, w, a)[0]) / len(x),
                "this is the gradient of the loss: W should move the other way.",
            ),
            "sum": (
                lambda x, y, w, a: x.T @ _phases(x, y, w, a)[0] - y.T @ _phases(x, y, w, a)[1],
                "average over the rows: a larger batch should not mean a larger step.",
            ),
            "data alone": (
                lambda x, y, w, a: x.T @ _phases(x, y, w, a)[0] / len(x),
                "this only lowers the energy of data: subtract the same of what the model shows.",
            ),
            "model alone": (
                lambda x, y, w, a: -(y.T @ _phases(x, y, w, a)[1]) / len(x),
                "this only raises the energy of samples: add the same of the data.",
            ),
            "old hidden": (
                lambda x, y, w, a: (x - y).T @ _phases(x, y, w, a)[0] / len(x),
                "the hidden units must be asked anew for what the model shows: h_data belongs to the data.",
            ),
            "added": (
                lambda x, y, w, a: (x.T @ _phases(x, y, w, a)[0] + y.T @ _phases(x, y, w, a)[1]) / len(x),
                "the two phases are subtracted, not added.",
            ),
            "turned": (
                lambda x, y, w, a: ((x.T @ _phases(x, y, w, a)[0] - y.T @ _phases(x, y, w, a)[1]) / len(x)).T,
                "rows are visible units and columns hidden ones: yours is transposed.",
            ),
            "no bias": (
                lambda x, y, w, a: (x.T @ torch.sigmoid(x @ w) - y.T @ torch.sigmoid(y @ w)) / len(x),
                "the hidden biases are missing from the pull.",
            ),
            "pulls": (
                lambda x, y, w, a: (x.T @ (x @ w + a) - y.T @ (y @ w + a)) / len(x),
                "these are pulls: the mean of a hidden unit is their sigmoid.",
            ),
            "means apart": (
                lambda x, y, w, a: (
                    torch.outer(x.mean(0), _phases(x, y, w, a)[0].mean(0))
                    - torch.outer(y.mean(0), _phases(x, y, w, a)[1].mean(0))
                ),
                "the mean of a product is not the product of means: multiply within each row, then average.",
            ),
        },
    ),
    Exercise(
        "ais_error",
        2,
        ais_error,
        [
            _weights(50, 0.3, 0, 0), _weights(8, 1.0, 2, 1), _weights(200, 0.5, -900, 2), _weights(30, 0.2, 500, 3),
            _weights(20, 300.0, 0, 4),
        ],
        mistakes={
            "of the logarithms": (
                lambda w: (w.std() / math.sqrt(len(w))).item(),
                "this is the error of the mean logarithm: AIS takes the logarithm of the mean weight.",
            ),
            "deviation of the logarithms": (
                lambda w: w.std().item(),
                "this is the spread of single logarithms: the error of their mean weight is wanted.",
            ),
            "no root": (
                lambda w: ((w - w.max()).exp().std() / (w - w.max()).exp().mean()).item(),
                "this is the relative spread of one chain: a mean of M chains is √M times sharper.",
            ),
            "M": (
                lambda w: ((w - w.max()).exp().std() / ((w - w.max()).exp().mean() * len(w))).item(),
                "errors of means fall with √M, not with M.",
            ),
            "not relative": (
                lambda w: ((w - w.max()).exp().std() / math.sqrt(len(w))).item(),
                "this is the error of the mean weight: for its logarithm, divide by the mean.",
            ),
            "overflow": (
                lambda w: (w.exp().std() / (w.exp().mean() * math.sqrt(len(w)))).item(),
                "right for small numbers; e^500 and e^−900 are none. A common factor cancels: take it out.",
            ),
            "variance": (
                lambda w: ((w - w.max()).exp().var() / ((w - w.max()).exp().mean() * math.sqrt(len(w)))).item(),
                "take the standard deviation, not the variance.",
            ),
            "three": (
                lambda w: 3 * ((w - w.max()).exp().std() / ((w - w.max()).exp().mean() * math.sqrt(len(w)))).item(),
                "one standard error is wanted: the three to either side come when it is used.",
            ),
        },
    ),
    Choice(
        "sampler",
        3,
        "sampler",
        "b",
        {
            "a": "its frequencies settle on the exact ones: guests one after the other are Gibbs sampling.",
            "c": "its frequencies settle too, more slowly: any order of guests will do, one at a time.",
            "none": "one of them stays off however long it runs. Take more rounds, and add up the differences.",
        },
        "that is none of the answers: a, b, c, none.",
        "Its guests all look at the old moods and change at once: friends can swap moods for ever, and the frequencies "
        "settle elsewhere",
    ),
)  # fmt: skip


def suspects():
    """Return a party's machine, and three ways to let its moods settle, by name; at most one is wrong.

    Each is a function of moods of shape (B, n) that returns the moods after one more round.
    """
    from ..nn.machines import Network

    weight = torch.zeros(4, 4)
    for i, j, link in ((0, 1, 2.0), (1, 2, 1.5), (2, 3, 2.0), (0, 3, -1.0)):
        weight[i, j] = weight[j, i] = link
    machine = Network(weight, torch.tensor([-1.0, -1.5, -1.5, -0.5]))

    def at_once(s):
        return torch.bernoulli(machine.pull(s).sigmoid())

    def anybody(s):
        s = s.clone()
        for i in torch.randint(4, (4,)).tolist():
            s[:, i] = torch.bernoulli(machine.pull(s)[:, i].sigmoid())
        return s

    return machine, {"a": machine.step, "b": at_once, "c": anybody}
