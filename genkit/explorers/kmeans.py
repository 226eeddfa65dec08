"""Points in the plane and centres that can be dragged: k-means, one step at a time."""

import random as chances
from collections.abc import Mapping

import torch
from torch import Tensor

from ..clustering import assign, at_random, best_of, inertia, move, spread_out
from .explorer import Explorer
from .party import random

MOST_POINTS, MOST_CENTRES = 150, 8
STARTS = {"anywhere": at_random, "spread out": spread_out}


def kmeans_explorer(scenes: Mapping[str, Tensor], *, k: int = 4, extent: float = 3.0) -> Explorer:
    """Return an explorer of k-means: assign, move, watch the inertia, and hold it against the best end known.

    Arguments
        scenes: named sets of points, each of shape (N, 2), 8 to 150 of them within the plane that is shown.
        k: centres to begin with, 1 to 8.
        extent: the plane shows [−extent, extent] each way.

    Raises ``ValueError`` for scenes of another kind.

    >>> kmeans_explorer({"a line": torch.linspace(-2, 2, 20)[:, None].repeat(1, 2)})
    [explorer: k-means, one step at a time, to play with]
    """
    if not extent > 0:
        raise ValueError(f"extent: expected a number above 0, received {extent}")
    if not 1 <= k <= MOST_CENTRES:
        raise ValueError(f"k: expected 1 … {MOST_CENTRES}, received {k}")
    if not scenes:
        raise ValueError("scenes: expected at least one, received none")
    kept: dict[str, dict] = {}
    for name, points in scenes.items():
        if points.ndim != 2 or points.shape[1] != 2 or not MOST_CENTRES <= len(points) <= MOST_POINTS:
            raise ValueError(
                f"scenes: expected {MOST_CENTRES} … {MOST_POINTS} points of the plane, received {tuple(points.shape)}"
            )
        if not points.abs().max() <= extent:
            raise ValueError(f"scenes: expected points within {extent:g}, received {points.abs().max():g}")
        points = (1000 * points.double()).round() / 1000
        chance = chances.Random(0).random
        best = [best_of(points, j, chance, starts=20).inertia for j in range(1, MOST_CENTRES + 1)]
        kept[name] = {"points": points.tolist(), "best": [round(v, 4) for v in best]}
    state = {"scenes": kept, "k": k, "extent": extent}
    tries = [
        {"points": kept[name]["points"], "k": j, "start": start, "seed": seed, "rounds": rounds}
        for name in kept
        for j, start, seed, rounds in (
            (k, "anywhere", 1, 0), (3, "anywhere", 5, 4), (MOST_CENTRES, "spread out", 2_000_000_000, 12),
        )
    ]  # fmt: skip
    return Explorer(
        ("random.js", "kmeans.js"), state=state, probes=[(given, answer(given)) for given in tries],
        title="k-means, one step at a time, to play with",
        fallback="Here points lie in a plane, where scripts may run: place the centres, assign, move, and watch.",
    )  # fmt: skip


def answer(inputs: dict) -> list[float]:
    """Compute what the page should: the inertia after every half step, the last centres and the last labels."""
    points, numbers = torch.tensor(inputs["points"], dtype=torch.float64), random(inputs["seed"])
    centres = STARTS[inputs["start"]](points, inputs["k"], lambda: next(numbers))
    labels = assign(points, centres)
    found = [inertia(points, labels, centres)]
    for _ in range(inputs["rounds"]):
        centres = move(points, labels, centres)
        found.append(inertia(points, labels, centres))
        labels = assign(points, centres)
        found.append(inertia(points, labels, centres))
    return [round(v, 6) for v in (*found, *centres.flatten().tolist(), *labels.tolist())]
