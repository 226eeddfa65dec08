"""How soon a diffusion model has drawn its samples: genkit's samplers against those of diffusers, on one U-Net."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from ..models.diffusion import Diffusion
from ..nn.unet import UNet
from ..sampling import times
from ..schedules import LAST
from .turns import beside, clock, flat, peer

PICTURES: dict[str, dict] = {
    "8×8": {"shape": (1, 8, 8), "width": 24, "grow": (1, 2)},
    "32×32": {"shape": (3, 32, 32), "width": 32, "grow": (1, 2, 2)},
}
"""Sizes of the U-Net: the chapter's on digits, and one for small pictures in colour."""
CASES = (
    ("8×8", 10, 1), ("8×8", 50, 1), ("8×8", 10, 64), ("8×8", 50, 64),
    ("32×32", 10, 1), ("32×32", 50, 1), ("32×32", 10, 64),
)  # fmt: skip
"""Picture, steps, batch."""
PIPELINES = {"ddim": ("DDIM", {"use_clipped_model_output": True}), "ancestral": ("DDPM", {})}
"""Each sampler, and the pipeline of diffusers that does the same with these options."""


def diffusion(
    cases: tuple[tuple[str, int, int], ...] = CASES, samplers: tuple[str, ...] = ("ddim", "ancestral", "dpm_solver"),
    rounds: int = 9, compiled: bool = False,
) -> dict[str, float]:  # fmt: skip
    """Time sampling, from noise to pictures: ``model.sample`` and what diffusers has for it.

    DDIM and ancestral sampling are run by the pipelines of diffusers, without their progress bar and with tensors as
    the result; DPM-Solver++(2M) by its scheduler in a bare loop. Equal on both sides: the U-Net, which is one module,
    every time at which it is asked, the clipping of its guesses, the batch and the noise: from the same seed both draw
    the same pictures but for rounding. The weights are random, since seconds do not depend on what was learnt.

    ``compiled`` adds, for each case, the DDIM of the U-Net under ``torch.compile`` (which needs a C++ compiler) beside
    that without, and the seconds that compiling took: it pays only where very many batches are drawn.
    """
    found: dict[str, float] = {}
    for picture, steps, batch in cases:
        where = f"{picture}, {steps} steps, batch {batch}"
        for sampler in samplers:
            ratios = beside(ways(picture, sampler, steps, batch), rounds, clock=clock())
            found |= flat(ratios, f"{sampler}, {where}")
        if compiled:
            found |= _compiled(picture, steps, batch, rounds)
    return found


def ways(picture: str, sampler: str, steps: int, batch: int) -> dict[str, Callable[[], Tensor]]:
    """Return both ways of drawing a batch, each from the global random state: they agree where the seeds do."""
    clip = sampler in PIPELINES  # diffusers' DPM-Solver++ clips nothing
    model = build(picture, clip=clip)
    theirs = _pipeline(model, sampler, steps, batch) if clip else _loop(model, steps, batch)
    return {"genkit": lambda: model.sample(batch, sampler=sampler, steps=steps), "diffusers": theirs}


def build(picture: str, *, clip: bool = True) -> Diffusion:
    """Return a model whose U-Net has random weights, the last convolution too, which would start at zero."""
    size = PICTURES[picture]
    channels = size["shape"][0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = UNet(channels, channels, width=size["width"], grow=size["grow"])
        nn.init.normal_(net.last[-1].weight, std=0.05)
    return Diffusion(net, shape=size["shape"], unit=clip).eval()


class Asked(nn.Module):
    """A U-Net of genkit as diffusers asks one: by the number of the time, for an object that has the ``sample``."""

    def __init__(self, model: Diffusion, path: list[float]):
        super().__init__()
        self.net = model.net
        self.register_buffer("times", torch.tensor(path))
        self.config = SimpleNamespace(in_channels=model.shape[0], sample_size=model.shape[1])
        self.dtype, self.device = torch.float32, model.device

    def forward(self, x: Tensor, n: Tensor) -> SimpleNamespace:
        """Return the answer for pictures at the n-th time."""
        return SimpleNamespace(sample=self.net(x, self.times[n].expand(len(x)), None))


def _pipeline(model: Diffusion, sampler: str, steps: int, batch: int) -> Callable[[], Tensor]:
    name, options = PIPELINES[sampler]
    asked, scheduler = _on_our_times(model, steps, f"{name}Scheduler", clip_sample=True)
    pipeline = getattr(peer("diffusers"), f"{name}Pipeline")(asked, scheduler)
    pipeline.scheduler.alphas_cumprod = scheduler.alphas_cumprod  # the pipeline of DDIM made a scheduler of its own
    pipeline.set_progress_bar_config(disable=True)
    options = {"num_inference_steps": steps, "output_type": "pt", "return_dict": False, **options}
    return lambda: pipeline(batch, **options)[0]


def _loop(model: Diffusion, steps: int, batch: int) -> Callable[[], Tensor]:
    settings = {"algorithm_type": "dpmsolver++", "final_sigmas_type": "zero", "timestep_spacing": "trailing"}
    asked, scheduler = _on_our_times(model, steps, "DPMSolverMultistepScheduler", **settings)

    @torch.no_grad()
    def draw() -> Tensor:
        scheduler.set_timesteps(steps)
        x = torch.randn(batch, *model.shape)
        for n in scheduler.timesteps:
            x = scheduler.step(asked(x, n).sample, n, x, return_dict=False)[0]
        return x

    return draw


def _on_our_times(model: Diffusion, steps: int, kind: str, **settings) -> tuple[Asked, object]:
    """Return the network and a scheduler whose times are those of genkit's steps: as many as there are steps."""
    path = times(steps, start=LAST)[-2::-1]  # from the last before the data to the noise
    scheduler = getattr(peer("diffusers"), kind)(
        num_train_timesteps=steps, prediction_type="v_prediction", **settings
    )  # fmt: skip
    scheduler.alphas_cumprod = model.schedule.alpha(torch.tensor(path, dtype=torch.float64)).square().float()
    return Asked(model, path), scheduler


def _compiled(picture: str, steps: int, batch: int, rounds: int) -> dict[str, float]:
    fast, plain = build(picture), build(picture)
    fast.net = torch.compile(fast.net)
    start = time.perf_counter()
    fast.sample(batch, sampler="ddim", steps=2)
    spent = time.perf_counter() - start
    both = {
        "compiled": lambda: fast.sample(batch, sampler="ddim", steps=steps),
        "not compiled": lambda: plain.sample(batch, sampler="ddim", steps=steps),
    }
    ratio = beside(both, rounds, clock=clock())["not compiled"]
    where = f"compiled, {picture}, {steps} steps, batch {batch}"
    return {
        f"{where}, ratio to not compiled": ratio.value, f"{where}, lower quartile": ratio.low,
        f"{where}, upper quartile": ratio.high, f"{where}, ms": 1e3 * ratio.ours, f"{where}, s to compile": spent,
    }  # fmt: skip
