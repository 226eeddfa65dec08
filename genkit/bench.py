"""Timings of genkit beside the same work written out: ``genkit bench NAME`` prints both and their ratio."""

import inspect
import statistics
import time
from collections.abc import Callable

import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from . import recipes
from .augment import shift
from .bench_gpt import gpt
from .names import unknown
from .training import TrainConfig, train


def step(rounds: int = 9, steps: int = 150) -> dict[str, float]:
    """Time a training step of the VAE of digits in genkit's trainer, and in a bare loop of the same modules.

    Both clip, average the weights and change the batch in the same way. The two take turns, and the ratio is the median
    over the rounds, since a machine's speed drifts.
    """
    recipe = recipes.get("vae-digits")
    data = recipe.dataset().train
    config = TrainConfig(steps=steps, batch=100, lr=2e-3, ema=0.995, clip=20.0)
    times: dict[str, list[float]] = {"bare": [], "genkit": []}
    for _ in range(rounds):
        for name, run in (("bare", _bare_loop), ("genkit", _trainer)):
            model = recipe.build()
            start = time.perf_counter()
            run(model, data, config)
            times[name].append((time.perf_counter() - start) / steps)
    ratios = [ours / bare for ours, bare in zip(times["genkit"], times["bare"], strict=True)]
    milliseconds = {f"{name}, ms a step": 1e3 * statistics.median(values) for name, values in times.items()}
    return milliseconds | {"ratio": statistics.median(ratios)}


def _trainer(model, data, config: TrainConfig) -> None:
    for _ in train(model, type(data)(data.x), config, augment=shift):
        pass


def _bare_loop(model, data, config: TrainConfig) -> None:
    params = list(model.parameters())
    optimiser = torch.optim.AdamW(params, lr=config.lr, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
    model.train()
    for _ in range(config.steps):
        x, _ = shift(data.x[torch.randint(len(data.x), (config.batch,))])
        loss = model.loss(x)["loss"].mean()
        optimiser.zero_grad()
        loss.backward()
        clip_grad_norm_(params, config.clip)
        optimiser.step()
        schedule.step()
        average.update_parameters(model)


BENCHES: dict[str, Callable[..., dict[str, float]]] = {"step": step, "gpt": gpt}


def run(name: str, **options) -> dict[str, float]:
    """Run a benchmark by its name, with its options."""
    if name not in BENCHES:
        raise unknown("name", name, BENCHES)
    wanted = inspect.signature(BENCHES[name]).parameters
    for option in options:
        if option not in wanted:
            raise ValueError(f"{option}: expected none for the benchmark {name!r}, received {options[option]!r}")
    return BENCHES[name](**options)
