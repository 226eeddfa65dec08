"""How each family takes part in the bake-off: the form in which it reads a picture, its size, its training."""

from dataclasses import dataclass, field, replace

from .training import TrainConfig

RATES = (0.25, 0.5, 1.0, 2.0)
"""Times the learning rate of its plan: what every family is tried with before the race, as many tries for each."""


@dataclass(frozen=True)
class Plan:
    """How a family takes part.

    Arguments
        family: its name in the register.
        form: how it reads and writes a picture, of :data:`genkit.picture_forms.FORMS`.
        arguments: JSON for :func:`genkit.families.build`.
        config: its training at the budget of the chapter: so many steps that all families cost about the same.
        knobs: how it samples.
    """

    family: str
    form: str
    arguments: dict
    config: TrainConfig
    knobs: dict = field(default_factory=dict)


_RACE = TrainConfig(batch=64, ema=0.99, warmup=20, clip=20.0)
_GREY = {"shape": [1, 8, 8], "levels": 17}
_BELLS = {**_GREY, "pixels": "discretised_logistic", "components": 3}
_GAME = {"game": "relativistic", "r1": 0.2, "r2": 0.2, "momentum": 0.5}
_NUMBERS = {"shape": [1, 8, 8]}
_FEW = {"sampler": "sde_dpm_solver", "steps": 20}
_UNIT = {**_NUMBERS, "bounds": [0.0, 1.0]}


def _plan(family: str, form: str, arguments: dict, steps: int, lr: float, knobs: dict | None = None, **more) -> Plan:
    return Plan(family, form, arguments, replace(_RACE, steps=steps, lr=lr, **more), knobs or {})


PLANS: dict[str, Plan] = {
    "vae": _plan("vae", "grey", {**_BELLS, "latent": 16, "hidden": [256]}, 540, 2e-3),
    "vq": _plan(
        "vq", "grey", {**_BELLS, "patch": 2, "codes": 32, "width": 32, "prior": {"width": 48, "layers": 2}}, 220, 2e-3,
        optimiser="muon",
    ),
    "pixelcnn": _plan(
        "autoregressive", "grey", {**_BELLS, "network": "pixelcnn", "width": 24, "blocks": 3}, 140, 4e-3, batch=32
    ),
    "made": _plan("autoregressive", "grey", {**_BELLS, "network": "made", "hidden": [512], "dropout": 0.2}, 390, 2e-3),
    "gpt": _plan(
        "gpt", "words", {"vocabulary": 17, "context": 64, "width": 32, "layers": 2, "heads": 2}, 190, 8e-3,
        batch=16, optimiser="muon",
    ),
    "recurrent": _plan(
        "recurrent", "words", {"vocabulary": 17, "context": 64, "width": 48, "hidden": 96, "layers": 1}, 220, 4e-3,
        batch=32,
    ),
    "flow": _plan("flow", "grey", {**_GREY, "layers": 8, "hidden": [128], "mix": False, "dropout": 0.1}, 360, 2e-3),
    "spline flow": _plan("zuko_flow", "points", {**_NUMBERS, "hidden": [64]}, 120, 4e-3),
    "flow_matching": _plan("flow_matching", "grey", {**_UNIT, "size": {"width": 128, "depth": 3}}, 400, 4e-3),
    "reflow": _plan(
        "reflow", "grey",
        {**_UNIT, "size": {"width": 128, "depth": 3}, "pairs": 2000, "split": 0.7, "knobs": {"steps": 10}},
        360, 4e-3, {"steps": 1},
    ),
    "diffusion": _plan(
        "diffusion", "grey", {**_GREY, "network": "mlp", "hidden": [320, 320]}, 660, 4e-3, _FEW, batch=128
    ),
    "diffusion, U-Net": _plan("diffusion", "grey", {**_GREY, "width": 16, "grow": [1, 2]}, 170, 4e-3, _FEW, batch=32),
    "latent_diffusion": _plan(
        "latent_diffusion", "grey",
        {"codec": {**_BELLS, "latent": 16, "hidden": [256]}, "prior": {"hidden": [192, 192]}, "split": 0.5}, 520, 2e-3,
    ),
    "gan": _plan(
        "gan", "grey",
        {**_NUMBERS, **_GAME, "latent": 32, "draw": {"hidden": [256, 256]}, "look": {"hidden": [256, 256]}},
        370, 2e-3, clip=None,
    ),
    "energy": _plan(
        "energy", "points",
        {**_NUMBERS, "hidden": [256, 256], "spread": 2.0, "steps": 20, "step": 0.2, "chains": 1000, "regularise": 0.01},
        155, 1e-3, {"steps": 200},
    ),
    "boltzmann": _plan(
        "boltzmann", "coins", {**_NUMBERS, "hidden": 128, "k": 1, "chains": 64}, 1750, 2e-2,
        {"steps": 500, "mean": True}, clip=None,
    ),
    "dbn": _plan(
        "dbn", "coins", {**_NUMBERS, "hidden": [128, 128], "k": 1, "chains": 64}, 1600, 2e-2,
        {"steps": 500, "mean": True}, clip=None,
    ),
}  # fmt: skip
"""The contestants, in the order of the book."""
