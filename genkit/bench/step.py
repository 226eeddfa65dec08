"""A training step in genkit's trainer, and in a bare loop of the same modules."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .. import recipes
from ..augment import shift
from ..training import TrainConfig, train
from .turns import beside, flat

MODELS = ("vae-digits", "gpt-pydocs")


def step(rounds: int = 9, steps: int = 150, models: Sequence[str] = MODELS) -> dict[str, float]:
    """Time a training step of named models in genkit's trainer, and in a bare loop of the same modules.

    Both clip, average the weights, keep the same schedule of AdamW and draw batches of the same size; digits are moved
    by a pixel in both.
    """
    found: dict[str, float] = {}
    for name in models:
        recipe = recipes.get(name)
        data = recipe.dataset().train
        config = TrainConfig(steps=steps, batch=recipe.config().batch, lr=2e-3, ema=0.995, clip=20.0)
        change = shift if recipe.augment == "shift" else _unchanged
        ways = {
            "genkit": partial(_run, _trainer, recipe, data, config, change),
            "bare loop": partial(_run, _bare_loop, recipe, data, config, change),
        }
        found |= flat(beside(ways, rounds), f"{name}, {steps} steps")
    return found


def _run(way, recipe, *arguments) -> None:
    way(recipe.build(), *arguments)


def _unchanged(x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    return x, c


def _trainer(model, data, config: TrainConfig, change) -> None:
    for _ in train(model, type(data)(data.x, data.c if _given(model) else None), config, augment=change):
        pass


def _given(model) -> bool:
    """Tell whether a model is told what stands before: one of words."""
    return hasattr(model, "vocabulary")


def _bare_loop(model, data, config: TrainConfig, change) -> None:
    params = list(model.parameters())
    optimiser = torch.optim.AdamW(params, lr=config.lr, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
    model.train()
    for _ in range(config.steps):
        rows = torch.randint(len(data.x), (config.batch,))
        x, c = change(data.x[rows], data.c[rows] if _given(model) else None)
        loss = model.loss(x, c)["loss"].mean()
        optimiser.zero_grad()
        loss.backward()
        clip_grad_norm_(params, config.clip)
        optimiser.step()
        schedule.step()
        average.update_parameters(model)
