"""Step through a diffusion: noise becomes a digit, by the sampler, the steps and the guidance of one's choice."""

import copy
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..samplers import ancestral, ddim, dpm_solver, sde_dpm_solver
from ..sampling import times
from ..schedules import LAST, OFFSET
from .explorer import Explorer, pack

SAMPLERS = {"DDIM": ddim, "DPM-Solver++": dpm_solver, "SDE-DPM-Solver++": sde_dpm_solver, "ancestral": ancestral}
CHANCE = ("SDE-DPM-Solver++", "ancestral")
PROBED = (
    {}, {"step": 3}, {"step": 0, "c": 10}, {"guidance": 3.0, "c": 2}, {"sampler": "DPM-Solver++", "c": 7},
    {"sampler": "DPM-Solver++", "steps": 14, "step": 9, "guidance": 1.5, "c": 0},
    {"sampler": "SDE-DPM-Solver++", "c": 6}, {"sampler": "SDE-DPM-Solver++", "steps": 11, "step": 5, "guidance": 2.5},
    {"sampler": "ancestral", "c": 4, "seed": 5}, {"sampler": "ancestral", "steps": 12, "step": 7, "guidance": 2.0},
    {"steps": 1, "step": 1, "c": 3}, {"c": 10, "seed": 3}, {"guidance": 0.0, "c": 8},
)  # fmt: skip


def denoise_explorer(model: nn.Module, *, kind: str = "digit") -> Explorer:
    """Return an explorer for a diffusion of small grey pictures with classes.

    Arguments
        model: the trained diffusion. Its network is a ``TimedMLP``, its schedule the cosine, its target the velocity.
        kind: what a class is called.

    Raises ``ValueError`` for a model of another kind.

    >>> from genkit.models.diffusion import Diffusion
    >>> from genkit.nn.timed_mlp import TimedMLP
    >>> net = TimedMLP((1, 8, 8), hidden=(16,), classes=10)
    >>> denoise_explorer(Diffusion(net, shape=(1, 8, 8), classes=10))
    [explorer: A diffusion, step by step, to play with]
    """
    net = model.net
    if not hasattr(net, "network") or not hasattr(net, "waves"):
        raise ValueError(f"model: expected a diffusion whose network is a TimedMLP, received {type(net).__name__}")
    if model.schedule.name != "cosine" or model.predict != "velocity" or not model.unit or not model.classes:
        raise ValueError(
            "model: expected pictures with classes, the cosine schedule and the velocity as target, received "
            f"{model.classes} classes, {model.schedule.name} and {model.predict}"
        )
    if len(model.shape) != 3 or model.shape[0] != 1 or model.shape[1] != model.shape[2]:
        raise ValueError(f"model: expected square grey pictures, received the shape {tuple(model.shape)}")
    layers, weights = pack(net.network)
    speeds = [0.25 * (8 / 0.25) ** (k / (net.waves // 2 - 1)) for k in range(net.waves // 2)]
    state = {
        "layers": layers,
        "weights": weights,
        "speeds": speeds,
        "side": model.shape[1],
        "classes": model.classes,
        "kind": kind,
        "last": LAST,
        "offset": OFFSET,
    }
    rounded = copy.deepcopy(model).half().double().eval()
    plain = {"seed": 1, "sampler": "DDIM", "steps": 8, "step": 8, "guidance": 1.0, "c": 1}
    inputs = [plain | {"c": min(plain["c"], model.classes)} | change for change in PROBED]
    inputs = [given | {"c": min(given["c"], model.classes)} for given in inputs]
    return Explorer(
        ("mlp.js", "random.js", "denoise.js"), state=state,
        probes=[(given, _answer(rounded, given)) for given in inputs],
        title="A diffusion, step by step, to play with",
        fallback="Here a small diffusion runs in the page, where scripts may run: noise that becomes a digit.",
    )  # fmt: skip


@torch.no_grad()
def _answer(model: nn.Module, inputs: dict) -> list[float]:
    """Return the picture after so many steps, and what the network takes it for, as numbers in [−1, 1]."""
    draws, shape = normals(inputs["seed"]), (1, *model.shape)

    def draw(x: Tensor) -> Tensor:
        return torch.tensor([next(draws) for _ in range(x.numel())], dtype=torch.float64).view(shape)

    def denoise(x: Tensor, t: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        w = inputs["guidance"] if c is not None else 1.0
        return model.guess(x, t.double(), c, guidance=w, hold=True)

    x, path = draw(torch.empty(shape)), times(inputs["steps"], LAST)
    c = torch.tensor([inputs["c"]]) if inputs["c"] < model.classes else None
    fresh = {"draw": draw} if inputs["sampler"] in CHANCE else {}
    walk = SAMPLERS[inputs["sampler"]](denoise, model.schedule, x, path, c, **fresh)
    for _ in range(inputs["step"]):
        x = next(walk)
    now = path[inputs["step"]]
    clean = denoise(x, torch.tensor([now]), c)[0] if now > 0 else x
    return [round(v, 6) for v in torch.cat([x.flatten(), clean.flatten()]).tolist()]


def normals(seed: int) -> Iterator[float]:
    """Yield normal numbers that a page can draw too: mulberry32's, in pairs by Box and Muller (1958)."""
    state = seed & 0xFFFFFFFF

    def uniform() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        v = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        v ^= (v + ((v ^ (v >> 7)) * (v | 61))) & 0xFFFFFFFF
        return ((v ^ (v >> 14)) & 0xFFFFFFFF) / 4294967296

    while True:
        size, angle = math.sqrt(-2 * math.log(1 - uniform())), 2 * math.pi * uniform()
        yield size * math.cos(angle)
        yield size * math.sin(angle)
