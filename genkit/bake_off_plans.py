"""How each family takes part in the bake-off: the form in which it reads a picture, its size, its training."""

import math
from dataclasses import dataclass, field, replace

from .data import Dataset
from .picture_forms import Form, form
from .training import TrainConfig

RATES = (0.25, 0.5, 1.0, 2.0)
"""Times the learning rate of its plan: what every family is tried with before the race, as many tries for each."""


@dataclass(frozen=True)
class Plan:
    """How a family takes part.

    Arguments
        name: in the table.
        family: its name in the register.
        form: how it reads and writes a picture, of :data:`genkit.picture_forms.FORMS`.
        arguments: JSON for :func:`genkit.families.build`.
        config: its training at the budget of the chapter: so many steps that all families cost about the same.
        knobs: how it samples.
    """

    name: str
    family: str
    form: str
    arguments: dict
    config: TrainConfig
    knobs: dict = field(default_factory=dict)

    def form_of(self) -> Form:
        """Return how the family reads and writes a picture."""
        return form(self.form)

    def sized(self, data: Dataset) -> "Plan":
        """Return the plan for pictures of another shape or with other levels; large ones get a larger network."""
        if len(data.shape) != 3 or data.levels is None:
            raise ValueError(f"data: expected pictures with grey levels, received {data.name!r} of shape {data.shape}")
        size = LARGE.get(self.name, {}) if min(data.shape[1:]) >= 16 else {}
        return replace(self, arguments=_fitted(self.arguments | size, data))


def _fitted(arguments: dict, data: Dataset) -> dict:
    """Return the arguments with the shape and the levels of the data wherever they hold such."""
    known = {
        "shape": list(data.shape), "levels": data.levels, "vocabulary": data.levels, "context": math.prod(data.shape),
    }  # fmt: skip
    inner = {name: _fitted(value, data) for name, value in arguments.items() if name == "codec"}
    return arguments | {name: value for name, value in known.items() if name in arguments} | inner


_RACE = TrainConfig(batch=64, ema=0.99, warmup=20, clip=20.0)
_GREY = {"shape": [1, 8, 8], "levels": 17}
_BELLS = {**_GREY, "pixels": "discretised_logistic", "components": 3}
_GAME = {"game": "relativistic", "r1": 0.2, "r2": 0.2, "momentum": 0.5}
_NUMBERS = {"shape": [1, 8, 8]}
_FEW = {"sampler": "sde_dpm_solver", "steps": 20}
_UNIT = {**_NUMBERS, "bounds": [0.0, 1.0]}


def _plan(
    name: str, family: str, form: str, arguments: dict, steps: int, lr: float, knobs: dict | None = None, **more
) -> Plan:  # fmt: skip
    return Plan(name, family, form, arguments, replace(_RACE, steps=steps, lr=lr, **more), knobs or {})


PLANS: dict[str, Plan] = {plan.name: plan for plan in (
    _plan("VAE", "vae", "grey", {**_BELLS, "latent": 16, "hidden": [256]}, 440, 4e-3),
    _plan(
        "VQ", "vq", "grey", {**_BELLS, "patch": 2, "codes": 32, "width": 32, "prior": {"width": 48, "layers": 2}},
        150, 4e-3, optimiser="muon",
    ),
    _plan(
        "PixelCNN", "autoregressive", "grey", {**_BELLS, "network": "pixelcnn", "width": 24, "blocks": 3}, 110, 8e-3,
        batch=32,
    ),
    _plan("MADE", "autoregressive", "grey", {**_BELLS, "network": "made", "hidden": [512], "dropout": 0.2}, 320, 4e-3),
    _plan(
        "GPT", "gpt", "words", {"vocabulary": 17, "context": 64, "width": 32, "layers": 2, "heads": 2}, 108, 1.6e-2,
        batch=16, optimiser="muon",
    ),
    _plan(
        "recurrent", "recurrent", "words", {"vocabulary": 17, "context": 64, "width": 48, "hidden": 96, "layers": 1},
        165, 4e-3, batch=32,
    ),
    _plan("flow", "flow", "grey", {**_GREY, "layers": 8, "hidden": [128], "mix": False, "dropout": 0.1}, 285, 4e-3),
    _plan("spline flow", "zuko_flow", "points", {**_NUMBERS, "hidden": [64]}, 98, 8e-3),
    _plan("flow matching", "flow_matching", "grey", {**_UNIT, "size": {"width": 128, "depth": 3}}, 330, 4e-3),
    _plan(
        "reflow", "reflow", "grey",
        {**_UNIT, "size": {"width": 128, "depth": 3}, "pairs": 2000, "split": 0.7, "knobs": {"steps": 10}},
        300, 8e-3, {"steps": 1},
    ),
    _plan(
        "diffusion", "diffusion", "grey", {**_GREY, "network": "mlp", "hidden": [320, 320]}, 570, 8e-3, _FEW, batch=128
    ),
    _plan("diffusion, U-Net", "diffusion", "grey", {**_GREY, "width": 16, "grow": [1, 2]}, 130, 8e-3, _FEW, batch=32),
    _plan(
        "latent diffusion", "latent_diffusion", "grey",
        {"codec": {**_BELLS, "latent": 16, "hidden": [256]}, "prior": {"hidden": [192, 192]}, "split": 0.5}, 560, 4e-3,
    ),
    _plan(
        "GAN", "gan", "grey",
        {**_NUMBERS, **_GAME, "latent": 32, "draw": {"hidden": [256, 256]}, "look": {"hidden": [256, 256]}},
        315, 4e-3, clip=None,
    ),
    _plan(
        "energy", "energy", "points",
        {**_NUMBERS, "hidden": [256, 256], "spread": 2.0, "steps": 20, "step": 0.2, "chains": 1000, "regularise": 0.01},
        130, 1e-3, {"steps": 200},
    ),
    _plan(
        "Boltzmann machine", "boltzmann", "coins", {**_NUMBERS, "hidden": 128, "k": 1, "chains": 64}, 1450, 2e-2,
        {"steps": 500, "mean": True}, clip=None,
    ),
    _plan(
        "belief network", "dbn", "coins", {**_NUMBERS, "hidden": [128, 128], "k": 1, "chains": 64}, 1400, 4e-2,
        {"steps": 500, "mean": True}, clip=None,
    ),
)}  # fmt: skip
"""The contestants, in the order of the book."""
LARGE: dict[str, dict] = {
    "VAE": {"latent": 32, "hidden": [512]},
    "VQ": {"patch": 4, "codes": 128, "width": 64, "prior": {"width": 96, "layers": 3}},
    "PixelCNN": {"width": 48, "blocks": 6},
    "MADE": {"hidden": [1024]},
    "GPT": {"width": 96, "layers": 4, "heads": 4},
    "recurrent": {"hidden": 256},
    "flow": {"layers": 12, "hidden": [512]},
    "spline flow": {"hidden": [256], "layers": 2},
    "flow matching": {"network": "unet", "size": {"width": 32, "grow": [1, 2]}},
    "reflow": {"network": "unet", "size": {"width": 32, "grow": [1, 2]}},
    "diffusion": {"hidden": [1024, 1024]},
    "diffusion, U-Net": {"width": 32, "grow": [1, 2, 2]},
    "latent diffusion": {
        "codec": {**_BELLS, "latent": 32, "hidden": [512]}, "prior": {"hidden": [512, 512]}, "split": 0.5,
    },
    "GAN": {"latent": 64, "generator": "conv", "critic": "conv", "draw": {}, "look": {}},
    "energy": {"hidden": [512, 512]},
    "Boltzmann machine": {"hidden": 500},
    "belief network": {"hidden": [500, 500]},
}  # fmt: skip
"""What is larger for pictures of 16 pixels a side and more."""
