"""A training step in genkit's trainer, and in a bare loop of the same modules."""

import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .. import recipes
from ..augment import shift
from ..training import TrainConfig, train
from .turns import beside, flat


def step(rounds: int = 9, steps: int = 150) -> dict[str, float]:
    """Time a training step of the VAE of digits in genkit's trainer, and in a bare loop of the same modules.

    Both clip, average the weights and change the batch in the same way.
    """
    recipe = recipes.get("vae-digits")
    data = recipe.dataset().train
    config = TrainConfig(steps=steps, batch=100, lr=2e-3, ema=0.995, clip=20.0)
    ways = {
        "genkit": lambda: _trainer(recipe.build(), data, config),
        "bare loop": lambda: _bare_loop(recipe.build(), data, config),
    }
    return flat(beside(ways, rounds), f"{steps} steps")


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
