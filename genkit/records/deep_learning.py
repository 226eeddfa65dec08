"""The experiments of the chapter on deep networks: those on points, by hand-written back-propagation, and on digits."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import metrics
from ..backprop import (
    ACTIVATIONS,
    LEAKY,
    RELU,
    TANH,
    Activation,
    Loss,
    Weights,
    cross_entropy,
    forward,
    hinge,
    initial,
    softmax_cross_entropy,
    squared_error,
)  # fmt: skip
from ..data import load
from ..data.shapes import shapes
from ..nn.deep import Deep, gradient_sizes
from ..optimisers import Optimiser, adam, descend, momentum, sgd
from . import deep_sight

SOURCES = ("backprop", "optimisers", "nn.deep", "data.shapes", "data.digits", "metrics.detection", "records.deep_sight")
RECIPES = ()
SEEDS = (0, 1, 2)
TRIES = 5  # seeds by which a learning rate is chosen; as many fresh ones are then measured
TURNS = 2.0
STEPS, LONG = 500, 700
OPTIMISERS: dict[str, Optimiser] = {"plain descent": sgd, "momentum": momentum, "Adam": adam}
LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "squared error": squared_error, "hinge": hinge}
BENDS = ("ReLU", "tanh", "sigmoid", "leaky ReLU")
RATES = {
    "plain descent": tuple(10 ** (k / 2) for k in range(-4, 4)),
    "momentum": tuple(10 ** (k / 2) for k in range(-6, 2)),
    "Adam": tuple(10 ** (k / 2) for k in range(-7, 1)),
}
"""Eight rates for each optimiser, half a power of ten apart."""
KILL, CALM = (RELU, 1.0, 150), (RELU, 0.1, 300)
DEATHS = {
    "rate 0.3": [(RELU, 0.3, 150)],
    "rate 1": [KILL],
    "rate 1, then 0.1": [KILL, CALM],
    "rate 1, then 0.1 and leaky": [KILL, (LEAKY, 0.1, 300)],
}
"""What a network of three hidden layers goes through: activation, rate and steps, stage by stage."""
FEW_RATES = (0.003, 0.01, 0.03)
DEPTHS = (1, 2, 3, 4, 6, 8)
BUDGET = 300
WIDTHS = (4, 16, 64, 256)
DEEP = {
    "sigmoid": {"f": torch.sigmoid, "gain": 1.0},
    "tanh": {"f": torch.tanh, "gain": 1.0},
    "ReLU, gain 1": {"gain": 1.0},
    "ReLU, gain √2": {},
    "sigmoid, shortcuts": {"f": torch.sigmoid, "gain": 1.0, "shortcut": True},
    "sigmoid, normalised": {"f": torch.sigmoid, "gain": 1.0, "normalised": True},
}


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: some three minutes on one thread."""
    results, eyes = {}, [deep_sight.eye(seed) for seed in SEEDS]
    blanks = [deep_sight.blank(seed) for seed in SEEDS]
    for name, experiment in {
        "xor": crossed, "choices": choices, "depth": depths, "widths": widths, "teeth": teeth_found,
        "deep": lambda: [deep(seed) for seed in SEEDS], "dead": lambda: [dead_by_rate(seed) for seed in SEEDS],
        "shift": lambda: [deep_sight.shifted(seed) for seed in SEEDS],
        "probes": lambda: [deep_sight.probes(eyes[seed], seed) for seed in SEEDS],
        "blank": lambda: [deep_sight.probes(blanks[seed], seed) for seed in SEEDS],
        "filters": lambda: [deep_sight.waves(eye) for eye in eyes],
        "filters, blank": lambda: [deep_sight.waves(eye) for eye in blanks],
        "seeds": lambda: [who_moves(seed) for seed in SEEDS],
    }.items():  # fmt: skip
        results[name] = experiment()
        tell(f"{name}: {results[name]}")
    results["claims"] = {"C19": verdict(results["seeds"])}
    return results


# points in the plane, many networks at once --------------------------------------------------------------------------


def points(kind: str = "spirals", seed: int = 0, turns: float = TURNS) -> tuple[Tensor, ...]:
    """Return 250 training points with labels (N, 1), 250 to choose by, and 500 held out: x, y, x, y, x, y."""
    data = shapes(kind, 1250, seed=seed, turns=turns)
    x = torch.cat([data.train.x, data.valid.x, data.test.x])
    y = torch.cat([data.train.c, data.valid.c, data.test.c])[:, None].float()
    return x[:250], y[:250], x[250:500], y[250:500], x[500:1000], y[500:1000]


def right(weights: Weights, x: Tensor, y: Tensor, act: Activation = RELU) -> Tensor:
    """Return the share of points that each network of a stack names rightly."""
    return ((forward(weights, x, act)[-1] > 0) == (y > 0.5)).double().mean((-2, -1))


def held_out(weights: Weights, x: Tensor, y: Tensor, act: Activation = RELU) -> Tensor:
    """Return the held-out cross-entropy of each network of a stack, in nats a point."""
    return cross_entropy(forward(weights, x, act)[-1], y)[0].mean(-1)


def tuned(
    widths: Sequence[int], data: tuple[Tensor, ...], *, rates: Sequence[float] = RATES["Adam"],
    optimiser: Optimiser = adam, act: Activation = RELU, loss: Loss = cross_entropy, steps: int = STEPS,
    curve: int = 0,
) -> dict:  # fmt: skip
    """Train at every rate with five seeds, choose the rate on validation points, and measure five fresh seeds."""
    x, y, valid, valid_y, test, test_y = data
    rate = torch.tensor(rates).view(-1, 1, 1, 1)
    start = initial(widths, act, stack=(len(rates), 2 * TRIES))
    seen: list[Tensor] = []
    options = {"optimiser": optimiser, "act": act, "loss": loss, "rate": rate}
    for i, (weights, _) in enumerate(descend(start, x, y, steps=steps, **options)):
        if curve and (i + 1) % curve == 0:
            seen.append(right(weights, test, test_y, act)[:, TRIES:])
    by_valid = right(weights, valid, valid_y, act)[:, :TRIES].nan_to_num(0).mean(1)
    best = int(by_valid.argmax())
    found = right(weights, test, test_y, act)[best, TRIES:]
    return {
        "rate": rates[best], "runs": [{"accuracy": round(v, 4)} for v in found.tolist()],
        "by rate": [round(v, 4) for v in by_valid.tolist()],
        "curve": [round(s[best].mean().item(), 4) for s in seen],
    }  # fmt: skip


def choices() -> dict[str, dict]:
    """Compare on the spirals, each at its own best rate of eight; "Adam" is also ReLU and cross-entropy."""
    data, net = points(), (2, 16, 16, 1)
    found = {n: tuned(net, data, optimiser=o, rates=RATES[n], curve=25) for n, o in OPTIMISERS.items()}
    found |= {n: tuned(net, data, act=ACTIVATIONS[n], curve=25) for n in BENDS if n != "ReLU"}
    found |= {n: tuned(net, data, loss=f, curve=25) for n, f in LOSSES.items() if f is not cross_entropy}
    return found


def parameters(depth: int, width: int) -> int:
    """Return how many numbers a network from 2 to 1 has, with so many hidden layers of that width.

    >>> parameters(1, 25), parameters(2, 8)
    (101, 105)
    """
    return 3 * width + (depth - 1) * (width * width + width) + width + 1


def width_for(depth: int, budget: int) -> int:
    """Return the width whose number of parameters comes nearest to a budget."""
    return min(range(1, budget), key=lambda w: abs(parameters(depth, w) - budget))


def depths() -> dict[str, dict]:
    """Spend the same number of parameters on few wide layers or on many narrow ones."""
    found = {}
    for kind, turns in (("spirals", 2.5), ("moons", 1.0)):
        for depth in DEPTHS:
            net = (2, *[width_for(depth, BUDGET)] * depth, 1)
            found[f"{kind}, {depth}"] = tuned(net, points(kind, turns=turns), rates=FEW_RATES, steps=LONG)
    return found


def widths() -> dict[str, dict]:
    """One hidden layer, wider and wider, on spirals of more and more turns."""
    return {
        f"{turns}, {w}": tuned((2, w, 1), points(turns=turns), rates=FEW_RATES, steps=LONG)
        for turns in (1.0, 1.5, 2.0)
        for w in WIDTHS
    }


def crossed() -> dict[str, list]:
    """Return, for 0 to 4 hidden units on XOR's four corners, how many corners each of 100 networks gets right."""
    corners = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    found = {}
    for hidden in (0, 1, 2, 3, 4, 8):
        start = initial((2, hidden, 1) if hidden else (2, 1), TANH, stack=(100,))
        *_, (weights, _) = descend(start, corners, y, steps=2000, rate=0.3, act=TANH)
        found[str(hidden)] = [round(4 * v) for v in right(weights, corners, y, TANH).tolist()]
    return found


# a saw with many teeth ------------------------------------------------------------------------------------------------


def saw(x: Tensor, folds: int) -> Tensor:
    """Return a saw of 2^(folds − 1) teeth over [0, 1]: the tent 1 − |2x − 1|, again and again (Telgarsky 2016)."""
    for _ in range(folds):
        x = 1 - (2 * x - 1).abs()
    return x


def folded(folds: int) -> Weights:
    """Return a network of two ReLU units a layer that is the saw, exactly."""
    first = (torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, -0.5]]))
    again = (torch.tensor([[2.0, 2.0], [-4.0, -4.0]]), torch.tensor([[0.0, -0.5]]))
    return [first, *[again] * (folds - 1), (torch.tensor([[2.0], [-4.0]]), torch.zeros(1, 1))]


def spread(folds: int) -> Weights:
    """Return a network of one hidden layer that is the same saw: a ReLU unit for every corner."""
    n = 2**folds
    slope = torch.full((n, 1), 2.0 * n)
    slope[1::2] *= -1
    slope[0] = n
    return [(torch.ones(1, n), -torch.arange(n)[None] / n), (slope, torch.zeros(1, 1))]


def teeth_found() -> dict[str, list[dict]]:
    """Train one hidden layer, and four, with as many units on a saw of eight teeth: root mean square errors."""
    x = torch.linspace(0, 1, 257)[:, None]
    y, found = saw(x, 4), {}

    def gap(a: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return (a - y).square().sum(-1), 2 * (a - y)

    for name, hidden in {"one layer": (32,), "four layers": (8, 8, 8, 8)}.items():
        start = initial((1, *hidden, 1), RELU, stack=(3, 10))
        rate = torch.tensor(FEW_RATES).view(-1, 1, 1, 1)
        *_, (weights, _) = descend(start, 4 * x - 2, y, steps=1000, rate=rate, optimiser=adam, loss=gap)
        errors = gap(forward(weights, 4 * x - 2)[-1], y)[0].mean(-1).sqrt()
        best = int(errors[:, :5].mean(1).argmin())
        found[name] = [{"error": round(v, 4)} for v in errors[best, 5:].tolist()]
    return found


# many layers ----------------------------------------------------------------------------------------------------------


def deep(seed: int, steps: int = 150) -> dict[str, float | list[float]]:
    """Train networks of twenty equal layers on digits: gradients by layer before training, and accuracy after it."""
    data, found = load("digits", split="random", seed=seed), {}
    x, test = data.train.x.flatten(1), data.test.x.flatten(1)
    for name, options in DEEP.items():
        scores = []
        for rate in (1e-3, 4e-3):
            torch.manual_seed(seed)
            model = Deep(64, 10, depth=20, **options)
            if not scores:
                found[f"gradients, {name}"] = gradient_sizes(model, F.cross_entropy(model(x), data.train.c))
            mover = torch.optim.Adam(model.parameters(), lr=rate)
            for _ in range(steps):
                mover.zero_grad()
                F.cross_entropy(model(x), data.train.c).backward()
                mover.step()
            with torch.no_grad():
                valid = metrics.accuracy(model(data.valid.x.flatten(1)), data.valid.c).value
                scores.append((valid, metrics.accuracy(model(test), data.test.c).value))
        found[f"accuracy, {name}"] = round(max(scores)[1], 4)
    return found


def dead(weights: Weights, x: Tensor, act: Activation = RELU) -> list[float]:
    """Return the share of each hidden layer's units that are 0, or below, for every example."""
    return [(h <= 0).all(-2).double().mean().item() for h in forward(weights, x, act)[1:-1]]


def dead_by_rate(seed: int) -> dict[str, float]:
    """Train on digits at a good rate and at one too large, and try to revive: dead units by layer, and accuracy."""
    data, found = load("digits", split="random", seed=seed), {}
    x, y = data.train.x.flatten(1), F.one_hot(data.train.c, 10).float()
    for name, stages in DEATHS.items():
        weights = initial((64, *[64] * 3, 10), seed=seed)
        for act, rate, steps in stages:
            options = {"act": act, "loss": softmax_cross_entropy, "rate": rate, "steps": steps}
            *_, (weights, _) = descend(weights, x, y, **options)
        for i, share in enumerate(dead(weights, x, act)):
            found[f"layer {i + 1}, {name}"] = round(share, 4)
        logits = forward(weights, data.test.x.flatten(1), act)[-1]
        found[f"accuracy, {name}"] = round(metrics.accuracy(logits, data.test.c).value, 4)
    return found


# who moves the weights ------------------------------------------------------------------------------------------------


def who_moves(seed: int) -> dict[str, float]:
    """Call backward, then step, and return how far gradients and weights moved in each, the greatest of all numbers."""
    torch.manual_seed(seed)
    model, data = Deep(2, 1, depth=2, width=8), shapes("moons", 100, seed=seed)
    mover = torch.optim.SGD(model.parameters(), lr=0.1)

    def now() -> tuple[Tensor, Tensor]:
        weights = torch.cat([p.detach().flatten() for p in model.parameters()])
        slopes = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
        return weights.clone(), torch.cat([g.flatten() for g in slopes]).clone()

    logits = model(data.train.x)[:, 0]
    states = [now()]
    F.binary_cross_entropy_with_logits(logits, data.train.c.float()).backward()
    states.append(now())
    mover.step()
    states.append(now())
    found = {}
    for name, (a, b) in {"backward": states[:2], "step": states[1:]}.items():
        for what, before, after in zip(("weights", "gradients"), a, b, strict=True):
            found[f"{name}: {what}"] = round((after - before).abs().max().item(), 6)
    return found


def verdict(runs: list[dict[str, float]]) -> str:
    """Put claim C19 in a sentence, from the record's own numbers."""
    mean = {name: math.fsum(run[name] for run in runs) / len(runs) for name in runs[0]}
    return (
        f"No. After `backward()` the gradients had changed, by up to {mean['backward: gradients']:.2f}, and the "
        f"weights by {mean['backward: weights']:g}: not one of them moved. After the optimiser's `step()` the weights "
        f"had changed, by up to {mean['step: weights']:.3f}, and the gradients by {mean['step: gradients']:g}. "
        f"Back-propagation computes slopes; what is done with them is the optimiser's choice."
    )
