"""The bake-off on any pictures, for a given time: every family, the same seconds, the same yardsticks, over seeds."""

import math
import statistics
import time
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from ..bake_off import Contestant, Judge, enter, memory, speed
from ..bake_off_plans import PLANS
from ..data import Dataset, Split, load
from ..metrics.likelihood import bits_per_dim
from ..names import unknown
from ..nn.classifier import KINDS, classifier
from ..training import train
from .turns import aloud

SCALES = {"quick": (2.0, 2, 100), "full": (600.0, 3, 1000)}
"""Seconds of training for each family and seed, seeds, pictures drawn: minutes, or a night without a GPU."""
MOST = 5000  # pictures that a yardstick looks at


def families(
    data: str | None = None, scale: str = "quick", seconds: float | None = None, seeds: int | None = None,
    only: Iterable[str] = (),
) -> dict[str, float]:  # fmt: skip
    """Train every family of the bake-off for so many seconds on the same pictures, and measure it.

    Arguments
        data: a path that leads to MNIST's files, or a name; by default the digits of the chapter.
        scale: ``"quick"`` or ``"full"``: sets ``seconds`` and ``seeds`` where they are not given.
        only: names of contestants; all by default.

    Returns for every contestant and yardstick the mean over seeds, and with ``, ±`` its standard error. How many steps
    the seconds allow is measured first, so another machine trains another number of steps.
    """
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
    seconds, seeds, draws = seconds or SCALES[scale][0], seeds or SCALES[scale][1], SCALES[scale][2]
    pictures = load(data) if data else load("digits", split="random")
    judge = Judge(_some(pictures), _eyes(pictures))
    found: dict[str, float] = {}
    for name in only or PLANS:
        steps = steps_in(_placed(name, pictures), pictures, seconds)
        fixed = {"steps": float(steps), **memory(name, pictures, n=10)}
        runs = [_run(name, pictures, judge, steps, seed, draws) | fixed for seed in range(seeds)]
        aloud(f"{name}: {', '.join(f'{key} {runs[0][key]:.3g}' for key in ('steps', 'frechet', 'a second'))}")
        for key in runs[0]:
            values = [run[key] for run in runs if key in run]
            found[f"{name}, {key}"] = statistics.fmean(values)
            if len(values) > 1:
                found[f"{name}, {key}, ±"] = statistics.stdev(values) / math.sqrt(len(values))
    return found


def steps_in(contestant: Contestant, data: Dataset, seconds: float, *, tried: int = 8) -> int:
    """Return how many steps of training fit into so many seconds.

    A few of each stage are timed: the median of a stage counts by the stage's share of the steps.
    """
    config = replace(contestant.plan.config, steps=tried * 4)
    took: dict[tuple[str, ...], list[float]] = {}  # by who moved: that is what stages differ in
    start = time.perf_counter()
    for step in train(contestant.model, Split(data.train.x), config, augment=contestant.write):
        next(iter(step.terms.values())).item()  # wait until it is done
        now = time.perf_counter()
        took.setdefault(tuple(step.terms), []).append(now - start)
        start = now
    mean = sum(len(stage) * statistics.median(stage) for stage in took.values()) / config.steps
    return max(1, round(seconds / mean))


def _placed(name: str, data: Dataset, seed: int = 0) -> Contestant:
    """Return a contestant on a GPU where there is one."""
    contestant = enter(name, data, seed)
    contestant.model.to("cuda" if torch.cuda.is_available() else "cpu")
    return contestant


def _run(name: str, data: Dataset, judge: Judge, steps: int, seed: int, draws: int) -> dict[str, float]:
    contestant = _placed(name, data, seed)
    contestant.fit(data.train.x, replace(contestant.plan.config, steps=steps, seed=seed))
    torch.manual_seed(seed)
    samples, rates = speed(contestant, draws)
    said = contestant.likelihood(judge.data.test.x[: 2 * draws])
    row = {"seconds": contestant.seconds, **judge(samples), **rates}
    if said is not None:
        row["bits"] = bits_per_dim(said, math.prod(data.shape)).value
    row["parameters"] = float(sum(p.numel() for p in contestant.model.parameters()))
    return row


def _some(data: Dataset) -> Dataset:
    """Return the data set with as many training and test pictures as the yardsticks look at."""
    few = {name: Split(getattr(data, name).x[:MOST]) for name in ("train", "valid", "test")}
    return replace(data, **few | {"test": Split(data.test.x[:1000])})


def _eyes(data: Dataset):
    """Return what features and logits of the shipped classifier of such pictures are."""
    kind = next((kind for kind in ("digits", "mnist") if KINDS[kind][0] == data.shape), None)
    if kind is None:
        raise ValueError(f"data: expected digits of 8 × 8 or 28 × 28 pixels, received the shape {data.shape}")
    net = classifier(kind)

    @torch.no_grad()
    def seen(x: Tensor) -> tuple[Tensor, Tensor]:
        features = net.features(x)
        return features, net.head(features)

    return seen
