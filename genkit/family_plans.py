"""How each family learns points of the plane: the form it reads, its size, its training."""

from dataclasses import dataclass, field, replace

from .points import BITS, SIDE
from .training import TrainConfig


@dataclass(frozen=True)
class Plan:
    """How a family learns points: the form it reads, its arguments, its training, and how it samples."""

    form: str
    arguments: dict
    config: TrainConfig
    knobs: dict = field(default_factory=dict)


QUICK = TrainConfig(steps=400, batch=256, lr=5e-3, ema=0.98, warmup=20, clip=10.0)
_LONG = replace(QUICK, steps=1000, ema=0.99)
_COINS = TrainConfig(steps=1500, batch=256, lr=0.03, ema=0.99, clip=None)
_BELLS = {"shape": [1, 1, 2], "pixels": "discretised_logistic", "levels": SIDE}
_BITS = {"shape": [1, 2, BITS]}
_WORDS = {"vocabulary": SIDE, "context": 2, "width": 32, "layers": 1}
_FIELD = {"shape": [2], "size": {"width": 48, "depth": 3}}
_CODEC = {**_BELLS, "components": 3, "latent": 2, "hidden": [96, 96]}
PLANS: dict[str, Plan] = {
    "autoregressive": Plan("levels", {**_BELLS, "components": 4, "network": "made", "hidden": [128, 128]}, _LONG),
    "gpt": Plan("words", {**_WORDS, "heads": 2}, QUICK),
    "recurrent": Plan("words", {**_WORDS, "hidden": 48}, QUICK),
    "flow": Plan("numbers", {"shape": [2], "layers": 8, "hidden": [32, 32]}, replace(QUICK, steps=600)),
    "zuko_flow": Plan("numbers", {"shape": [2], "kind": "spline"}, replace(QUICK, steps=250)),
    "vae": Plan("levels", _CODEC, replace(_LONG, steps=1200)),
    "vq": Plan(
        "bits",
        {
            **_BITS, "levels": 2, "pixels": "bernoulli", "patch": 2, "codes": 64, "dim": 8, "width": 32, "depth": 1,
            "prior": {"width": 32, "layers": 1, "heads": 2},
        },
        replace(QUICK, steps=500),
    ),
    "diffusion": Plan(
        "numbers", {"shape": [2], "network": "mlp", "hidden": [96, 96, 96], "unit": False},
        replace(_LONG, steps=1600), {"steps": 50},
    ),
    "flow_matching": Plan("numbers", _FIELD, replace(_LONG, steps=900)),
    "reflow": Plan("numbers", {**_FIELD, "pairs": 4000, "split": 0.6}, replace(_LONG, steps=1200), {"steps": 2}),
    "energy": Plan(
        "numbers", {"shape": [2], "hidden": [64, 64], "steps": 15, "step": 0.07, "chains": 2000, "renewal": 0.02},
        replace(QUICK, steps=500, lr=1e-2), {"steps": 400},
    ),
    "boltzmann": Plan("bits", {**_BITS, "hidden": 48, "k": 5, "chains": 256}, _COINS),
    "dbn": Plan("bits", {**_BITS, "hidden": [48, 16], "k": 5, "chains": 256}, _COINS),
    "gan": Plan(
        "numbers",
        {
            "shape": [2], "latent": 4, "game": "relativistic", "momentum": 0.5, "r1": 0.1, "r2": 0.1,
            "draw": {"spread": 1.0, "hidden": [64, 64]}, "look": {"hidden": [64, 64], "waves": 32, "frequency": 2.0},
        },
        TrainConfig(steps=800, batch=256, lr=2e-3, ema=0.99, clip=None),
    ),
    "latent_diffusion": Plan("levels", {"codec": _CODEC, "prior": {"hidden": [96, 96]}}, replace(_LONG, steps=1800)),
    "encoders": Plan("words", {"network": "masked", **_WORDS, "heads": 2, "share": 0.5}, QUICK),
    "autoencoder": Plan("numbers", {"shape": [2], "latent": 1, "hidden": [64, 64]}, QUICK),
}  # fmt: skip
"""How the book's families learn points, in the order of the tree; what a family's own entry suggests is larger."""
