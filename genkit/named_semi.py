"""The named model of the chapter on few labels."""

from .recipe import Recipe
from .training import TrainConfig

SEMI = (
    Recipe(  # linear networks: a picture of each class, and eight ways in which all of them bend
        "semi_vae-few_labels", "semi_vae", "few_labels",
        TrainConfig(steps=600, batch=80, lr=4e-2, ema=0.99, warmup=50, clip=20.0),
        arguments={
            "shape": [1, 8, 8], "pixels": "bernoulli", "classes": 10, "latent": 8, "hidden": [], "alpha": 3.0,
        },
        options={"labels": 10, "share": 0.2}, augment="shift", conditional=True,
    ),
)  # fmt: skip
