"""The pieces of work that are timed: a training step and a draw, of every family, through the interface of all."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..base import Generative
from ..data import Dataset, Split
from ..families import SUITS, build
from ..names import unknown
from ..training import Run, TrainConfig

LEVELS, VOCABULARY = 17, 64
FOREVER = TrainConfig(steps=10**9, lr=1e-5)


@dataclass(frozen=True)
class Kind:
    """A family as it is timed: with what suits it (``families.SUITS``), but for these arguments.

    Arguments
        family: its name in ``families.FAMILIES``.
        text: it takes tokens instead of images.
        binary: it takes black-and-white images.
        arguments: those that differ from what suits it.
        knobs: of drawing.
        cache: keep what was computed for the tokens before, where the family can.
    """

    family: str
    text: bool = False
    binary: bool = False
    arguments: dict = field(default_factory=dict)
    knobs: dict = field(default_factory=dict)
    cache: bool = True


KINDS: dict[str, Kind] = {
    "vae": Kind("vae"),
    "made": Kind("autoregressive", arguments={"network": "made"}),
    "pixelcnn": Kind("autoregressive"),
    "flow": Kind("flow"),
    "flow_matching": Kind("flow_matching", knobs={"steps": 5}),
    "diffusion": Kind("diffusion", knobs={"steps": 5}),
    "gan": Kind("gan"),
    "boltzmann": Kind("boltzmann", binary=True, knobs={"steps": 50}),
    "gpt": Kind("gpt", text=True),
    "gpt without cache": Kind("gpt", text=True, cache=False),
    "recurrent": Kind("recurrent", text=True),
}
"""Drawing takes time in proportion to the steps, where there are steps: few are enough to see how it grows."""


def examples(kind: str, n: int, size: int) -> Split:
    """Return n examples of chance: images of side ``size``, or ``size`` tokens after one that is given."""
    made = torch.Generator().manual_seed(n)
    if _kind(kind).text:
        w = torch.randint(VOCABULARY, (n, size + 1), generator=made)
        return Split(w[:, 1:], w[:, :1])
    levels = 2 if _kind(kind).binary else LEVELS
    return Split(torch.randint(levels, (n, 1, size, size), generator=made) / (levels - 1))


def model(kind: str, size: int) -> Generative:
    """Build an untrained model for examples of that size, the same one every time."""
    known, some = _kind(kind), examples(kind, 2, size)
    levels = VOCABULARY if known.text else 2 if known.binary else LEVELS
    dataset = Dataset("chance", some, some, some, tuple(some.x.shape[1:]), levels=levels)
    arguments = SUITS[known.family](dataset, known.binary) | known.arguments
    with torch.random.fork_rng([]):
        torch.manual_seed(size)
        built = build(known.family, **arguments)
    if not known.cache:
        built.writer = lambda: built.next
    return built


def step(made: Generative, data: Split) -> Callable[[], object]:
    """Return a training step of all players, on ``data`` as one batch."""
    run = Run(made, FOREVER)
    return lambda: run.advance(data.x, data.c)


def draw(kind: str, made: Generative, n: int) -> Callable[[], Tensor]:
    """Return a drawing of n examples."""
    knobs = _kind(kind).knobs
    made.eval()
    return lambda: made.sample(n, **knobs)


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    return KINDS[kind]
