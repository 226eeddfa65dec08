"""A recorded game of generator and critic in the plane: scrub through its time, see the critic's opinion everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .explorer import Explorer


@dataclass(frozen=True)
class Frame:
    """A moment of a game.

    Arguments
        step: of training.
        points: samples, shape (N, 2).
        surface: the critic's logits over the plane, shape (S, S), rows from below; their level means nothing, so they
            are shown less their mean and divided by their deviation.
    """

    step: int
    points: Tensor
    surface: Tensor


def game_explorer(
    runs: Mapping[str, Sequence[Frame]], *, centres: Tensor, sigma: float, data: Tensor, extent: float
) -> Explorer:
    """Return an explorer for recorded games of the plane.

    Arguments
        runs: frames by the name of their run, all with as many points and one size of surface.
        centres, sigma: the modes, shape (K, 2), and their deviation.
        data: real points, shape (M, 2).
        extent: the plane shows [−extent, extent] each way.

    Raises ``ValueError`` for frames of different sizes, and where there are none.

    >>> frame = Frame(1, torch.zeros(9, 2), torch.rand(4, 4))
    >>> game_explorer({"one": [frame]}, centres=torch.zeros(1, 2), sigma=0.1, data=torch.zeros(3, 2), extent=1.0)
    [explorer: A recorded game of generator and critic, to play with]
    """
    frames = [frame for run in runs.values() for frame in run]
    if not frames or not all(runs.values()):
        raise ValueError("runs: expected at least one, each with a frame, received fewer")
    sizes = {(tuple(f.points.shape), tuple(f.surface.shape)) for f in frames}
    (points, surface), *others = sizes
    if others or len(points) != 2 or points[1] != 2 or len(surface) != 2 or surface[0] != surface[1] or surface[0] < 2:
        raise ValueError(f"runs: expected frames with points (N, 2) and a surface (S, S), all alike, received {sizes}")
    if not extent > 0 or not sigma > 0:
        raise ValueError(f"extent, sigma: expected numbers above 0, received {extent} and {sigma}")
    clouds = torch.stack([f.points.detach().clamp(-9 * extent, 9 * extent) for f in frames]).half()
    opinions = torch.stack([f.surface.detach() for f in frames])
    middle, spread = opinions.mean((1, 2), keepdim=True), opinions.std((1, 2), keepdim=True).clamp(min=1e-6)
    opinions = ((opinions - middle) / spread).half()
    state = {
        "runs": [{"name": name, "steps": [f.step for f in run]} for name, run in runs.items()],
        "points": clouds.numpy().astype("<f2").tobytes(),
        "surface": opinions.numpy().astype("<f2").tobytes(),
        "n": points[0],
        "side": surface[0],
        "extent": extent,
        "centres": centres.tolist(),
        "sigma": sigma,
        "data": [[round(v, 2) for v in x] for x in data.tolist()],
    }
    lengths = [len(run) for run in runs.values()]
    places = [(0.0, 0.0), (0.37 * extent, -0.61 * extent), (-0.99 * extent, 0.99 * extent), (0.1, 0.2)]
    tries = [
        {
            "run": i % len(lengths),
            "frame": (lengths[i % len(lengths)] - 1) * (i + 1) // 4,
            "x": [round(v, 3) for v in x],
        }
        for i, x in enumerate(places)
    ]
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    known = (clouds.double(), opinions.double(), centres.double(), sigma, extent)
    return Explorer(
        ("steer.js", "game.js"), state=state,
        probes=[(given, _answer(starts[given["run"]] + given["frame"], given["x"], *known)) for given in tries],
        title="A recorded game of generator and critic, to play with",
        fallback="Here two games play back, where scripts may run: one that goes well, and one that collapses.",
    )  # fmt: skip


def _answer(
    at: int, x: list[float], clouds: Tensor, opinions: Tensor, centres: Tensor, sigma: float, extent: float
) -> list[float]:
    """Count modes and samples near them, and read the critic between the middles of its squares."""
    distance, nearest = torch.cdist(clouds[at], centres).min(1)
    counts = nearest[distance <= 3 * sigma].bincount(minlength=len(centres))
    covered = (counts >= 0.1 * len(clouds[at]) / len(centres)).sum().item()
    place = torch.tensor(x, dtype=torch.float64).view(1, 1, 1, 2) / extent
    read = F.grid_sample(opinions[at][None, None], place, align_corners=False, padding_mode="border").item()
    return [float(covered), round(counts.sum().item() / len(clouds[at]), 6), round(read, 6)]
