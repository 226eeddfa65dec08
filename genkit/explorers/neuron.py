"""A tiny network that is trained in the page, by back-propagation written in JavaScript, beside what each unit sees."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..backprop import Weights, activation, cross_entropy, forward
from ..optimisers import adam, descend, sgd
from .explorer import Explorer

UNITS, LAYERS, MOST = 8, 3, 160
MOVES = {"plain descent": sgd, "Adam": adam}
BENDS = ("ReLU", "tanh", "sigmoid")


def neuron_explorer(
    sets: Mapping[str, tuple[Tensor, Tensor]], *, extent: float = 3.0, starts: int = 3, seed: int = 0
) -> Explorer:
    """Return an explorer of a network of 0 to 3 hidden layers of 1 to 8 units that learns points of two classes.

    Every network starts from the same table of normal draws, made here and shipped, of which a smaller one takes a
    part; so what the page computes in training can be held to torch.

    Arguments
        sets: named points, each of shape (N, 2) with labels 0 and 1, int64 of shape (N,): at most 160, of both classes.
        extent: the plane shows [−extent, extent] each way.
        starts: how many tables of draws are shipped.
        seed: of the draws.

    Raises ``ValueError`` for points of another kind.

    >>> neuron_explorer({"two points": (torch.eye(2), torch.arange(2))})
    [explorer: A small network that learns in the page]
    """
    if not extent > 0:
        raise ValueError(f"extent: expected a number above 0, received {extent}")
    if starts < 1:
        raise ValueError(f"starts: expected at least 1, received {starts}")
    if not sets:
        raise ValueError("sets: expected at least one, received none")
    kept: dict[str, list[list[float]]] = {}
    for name, (points, labels) in sets.items():
        if points.ndim != 2 or tuple(points.shape) != (len(labels), 2) or len(labels) > MOST:
            raise ValueError(f"sets: expected at most {MOST} points and labels, received {tuple(points.shape)}")
        if sorted(labels.unique().tolist()) != [0, 1]:
            raise ValueError(f"sets: expected points of class 0 and of class 1, received {labels.unique().tolist()}")
        kept[name] = [
            [round(x, 3), round(y, 3), int(c)] for (x, y), c in zip(points.tolist(), labels.tolist(), strict=True)
        ]
    tables = torch.randn(starts, LAYERS + 1, UNITS, UNITS, generator=torch.Generator().manual_seed(seed))
    draws = [[[[round(v, 4) for v in row] for row in matrix] for matrix in table] for table in tables.tolist()]
    gains = {name: activation(name).gain for name in BENDS}
    state = {"sets": kept, "extent": extent, "draws": draws, "gains": gains, "units": UNITS, "layers": LAYERS}
    usual = {"layers": 2, "units": 6, "bend": "ReLU", "move": "plain descent", "rate": 0.1, "start": 0, "steps": 30}
    changes = [
        {"layers": 0, "rate": 1.0}, {}, {"layers": 3, "units": 8, "bend": "tanh", "rate": 0.3},
        {"move": "Adam", "rate": 0.01, "start": starts - 1}, {"layers": 1, "units": 1, "bend": "sigmoid", "steps": 0},
        {"layers": 3, "bend": "sigmoid", "move": "Adam", "rate": 0.1, "steps": 60},
    ]  # fmt: skip
    tries = [
        {**usual, **change, "set": list(kept)[i % len(kept)], "at": [0.3, -0.7]} for i, change in enumerate(changes)
    ]
    return Explorer(
        ("steer.js", "neuron.js"), state=state, probes=[(given, answer(state, given)) for given in tries],
        title="A small network that learns in the page",
        fallback="Here is a small network, where scripts may run: train it, and see what each unit sees.",
    )  # fmt: skip


def born(state: dict, inputs: dict) -> Weights:
    """Return the weights that a network of the page starts from, in double precision."""
    draws = torch.tensor(state["draws"][inputs["start"]], dtype=torch.float64)
    widths = [2, *[inputs["units"]] * inputs["layers"], 1]
    weights = []
    for i in range(len(widths) - 1):
        last = i == len(widths) - 2
        table, gain = draws[-1 if last else i], 1.0 if last else state["gains"][inputs["bend"]]
        w = gain / widths[i] ** 0.5 * table[: widths[i], : widths[i + 1]]
        weights.append((w, torch.zeros(1, widths[i + 1], dtype=torch.float64)))
    return weights


def answer(state: dict, inputs: dict) -> list[float]:
    """Compute what the page should after some steps: loss, share right, p at a point, its hidden units, all weights."""
    data = torch.tensor(state["sets"][inputs["set"]], dtype=torch.float64)
    x, y, act = data[:, :2], data[:, 2:], activation(inputs["bend"])
    weights = born(state, inputs)
    if inputs["steps"]:
        options = {"optimiser": MOVES[inputs["move"]], "rate": inputs["rate"], "act": act}
        *_, (weights, _) = descend(weights, x, y, steps=inputs["steps"], **options)
    logits = forward(weights, x, act)[-1]
    _, *hidden, at = forward(weights, torch.tensor([inputs["at"]], dtype=torch.float64), act)
    right = ((logits > 0) == (y > 0.5)).double().mean()
    found = [cross_entropy(logits, y)[0].mean(), right, at[0, 0].sigmoid(), *(v for h in hidden for v in h[0])]
    found += [v for pair in weights for t in pair for v in t.flatten()]
    return [round(float(v), 6) for v in found]
