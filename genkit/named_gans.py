"""The named adversarial networks of the book."""

from .recipe import Recipe
from .training import TrainConfig

_SHARP = {"waves": 64, "frequency": 4.0}
_MENDED = {"game": "relativistic", "r1": 0.1, "r2": 0.1, "momentum": 0.5}

GANS = (
    Recipe(
        "gan-ring", "gan", "toy2d", TrainConfig(steps=3000, batch=256, lr=1.5e-3, ema=0.995, clip=None),
        arguments={
            "shape": [2], "latent": 2, **_MENDED, "noise": 0.1, "calm": 2800, "draw": {"spread": 1.5}, "look": _SHARP,
        },
        options={"kind": "ring"},
    ),
    Recipe(
        "gan-ring-plain", "gan", "toy2d", TrainConfig(steps=600, batch=128, lr=3e-3, clip=None, cosine=False),
        arguments={"shape": [2], "latent": 2, "momentum": 0.9},
        options={"kind": "ring"},
    ),
    Recipe(
        "gan-grid", "gan", "toy2d", TrainConfig(steps=4000, batch=256, lr=2e-3, ema=0.995, clip=None),
        arguments={
            "shape": [2], "latent": 2, **_MENDED, "r1": 0.3, "r2": 0.3, "noise": 0.3, "calm": 6000,
            "draw": {"spread": 2.8}, "look": {"waves": 64, "frequency": 3.0},
        },
        options={"kind": "grid25"},
    ),
    Recipe(
        "gan-digits-conditional", "gan", "digits",
        TrainConfig(steps=2000, batch=100, lr=2e-3, ema=0.995, clip=None),
        arguments={
            "shape": [1, 8, 8], "latent": 32, **_MENDED, "r1": 0.2, "r2": 0.2, "classes": 10,
            "draw": {"hidden": [256, 256]}, "look": {"hidden": [256, 256]},
        },
        options={"split": "random"}, augment="shift", conditional=True,
    ),
    Recipe(
        "gan-glyphs-style", "gan", "glyphs", TrainConfig(steps=4000, batch=32, lr=2e-3, ema=0.998, clip=None),
        arguments={
            "shape": [1, 28, 28], "latent": 16, **_MENDED, "r1": 0.1, "r2": 0.1, "calm": 8000, "generator": "style",
            "critic": "conv", "draw": {"width": 32, "mixing": 0.3}, "look": {"width": 16},
        },
        options={"letters": "AEGKQRSW", "draws": 24},
    ),
)  # fmt: skip
