"""The named models of the book, in one table."""

from dataclasses import replace

from .families import BINARY, GREY
from .named_gans import GANS
from .named_self_supervised import SELF_SUPERVISED
from .named_semi import SEMI
from .named_text import TEXT
from .recipe import Recipe
from .training import TrainConfig

_PIXELS = {"shape": [1, 8, 8], "pixels": "discretised_logistic", "levels": 17, "components": 3}
_DIGITS = {**_PIXELS, **GREY}
_QUICK = TrainConfig(steps=1000, batch=100, lr=2e-3, ema=0.995, warmup=100, clip=20.0)
OWN = TrainConfig(steps=5000, batch=128, lr=2e-3, ema=0.995, warmup=200, clip=20.0)
_FLOW = TrainConfig(steps=2000, batch=100, lr=2e-3, ema=0.995, warmup=50, clip=100.0)
_PLANE = TrainConfig(steps=1000, batch=256, lr=5e-3, ema=0.99, warmup=30, clip=10.0)
_CHAINS = TrainConfig(steps=400, batch=256, lr=1e-2, ema=0.98, warmup=20)
_COINS = TrainConfig(steps=1500, batch=100, lr=0.02, clip=None)
_COUPLINGS = {"shape": [1, 8, 8], "levels": 17, "hidden": [128, 128], "mix": False}
_PATHS = {"shape": [1, 8, 8], "classes": 10, "bounds": [0.0, 1.0], "size": {"width": 128, "depth": 3}}
_NOISE = TrainConfig(steps=1000, batch=64, lr=4e-3, ema=0.99, warmup=50)
_DENOISED = {"shape": [1, 8, 8], "levels": 17, "classes": 10}

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *TEXT,
        Recipe("vae-digits", "vae", "digits", _QUICK, arguments=_DIGITS, augment="shift"),
        Recipe(
            "vae-digits-conditional", "vae", "digits", replace(_QUICK, steps=600, ema=0.98),
            arguments=_DIGITS | {"classes": 10}, options={"split": "random"}, augment="shift", conditional=True,
        ),
        Recipe(
            "autoencoder-digits", "autoencoder", "digits",
            TrainConfig(steps=800, batch=100, lr=3e-3, ema=0.99, warmup=50),
            arguments={"shape": [1, 8, 8], "latent": 2, "hidden": [256, 64]}, options={"split": "random"},
        ),
        Recipe(
            "vae-glyphs-2d", "vae", "glyphs",
            TrainConfig(steps=1000, batch=100, lr=2e-3, ema=0.99, warmup=50, clip=20.0),
            arguments={
                "shape": [1, 28, 28], "pixels": "bernoulli", "latent": 2, "hidden": [256, 64], "classes": 8,
                "label_dropout": 0.0,
            },
            options={"letters": "AEGKQRSW", "draws": 24}, conditional=True,
        ),
        Recipe(
            "vae-mnist", "vae", "mnist", replace(OWN, steps=20_000),
            full=replace(OWN, steps=400_000, lr=1e-3, ema=0.9995, warmup=1000),
            arguments={"shape": [1, 28, 28], "pixels": "bernoulli", "levels": 256, **BINARY}, augment="binarise",
        ),
        Recipe(
            "autoregressive-digits", "autoregressive", "digits",
            TrainConfig(steps=500, batch=50, lr=5e-3, ema=0.985, warmup=50, clip=20.0),
            arguments={**_PIXELS, "network": "pixelcnn", "width": 32, "blocks": 4, "dropout": 0.1}, augment="shift",
        ),
        Recipe(
            "made-digits", "autoregressive", "digits",
            TrainConfig(steps=700, batch=100, lr=3e-3, ema=0.99, warmup=50, clip=20.0),
            arguments={**_PIXELS, "network": "made", "hidden": [1024], "dropout": 0.4}, augment="shift",
        ),
        Recipe(
            "made-digits-conditional", "autoregressive", "digits",
            TrainConfig(steps=600, batch=100, lr=3e-3, ema=0.99, warmup=50, clip=20.0),
            arguments={**_PIXELS, "network": "made", "hidden": [1024], "dropout": 0.4, "classes": 10},
            options={"split": "random"}, augment="shift", conditional=True,
        ),
        Recipe(
            "flow-digits", "flow", "digits", _FLOW, augment="shift",
            arguments={**_COUPLINGS, "layers": 16, "dropout": 0.35},
        ),
        Recipe(
            "flow-digits-variational", "flow", "digits", replace(_FLOW, steps=1500), augment="shift",
            arguments={**_COUPLINGS, "layers": 12, "dropout": 0.3, "hidden": [128], "noise_layers": 2},
        ),
        Recipe(
            "flow-digits-conditional", "flow", "digits", replace(_FLOW, steps=900, ema=0.99), augment="shift",
            arguments={**_COUPLINGS, "layers": 12, "dropout": 0.3, "hidden": [128], "noise_layers": 2, "classes": 10},
            options={"split": "random"}, conditional=True,
        ),
        Recipe(
            "flow-star", "flow", "toy2d", _PLANE, arguments={"shape": [2], "layers": 8, "hidden": [32, 32]},
            options={"kind": "star"},
        ),
        Recipe(
            "flow-star-spline", "zuko_flow", "toy2d", replace(_PLANE, steps=600),
            arguments={"shape": [2], "kind": "spline"}, options={"kind": "star"},
        ),
        Recipe(
            "flow-star-continuous", "zuko_flow", "toy2d", replace(_PLANE, steps=300, lr=2e-2, ema=0.98),
            arguments={"shape": [2], "kind": "continuous"}, options={"kind": "star"},
        ),
        Recipe(
            "flow_matching-digits", "flow_matching", "digits",
            TrainConfig(steps=2000, batch=256, lr=4e-3, ema=0.995, warmup=50), arguments=_PATHS,
            options={"split": "random"}, augment="shift", conditional=True,
        ),
        Recipe(  # the teacher learns in the first three quarters, its student in the last
            "reflow-digits", "reflow", "digits",
            TrainConfig(steps=2600, batch=256, lr=4e-3, ema=0.99, warmup=50),
            arguments={
                **_PATHS, "pairs": 4000, "split": 0.75, "knobs": {"steps": 10, "method": "heun", "guidance": 1.5},
            },
            options={"split": "random"}, augment="shift", conditional=True,
        ),
        Recipe(
            "flow_matching-moons", "flow_matching", "toy2d",
            TrainConfig(steps=600, batch=256, lr=5e-3, ema=0.98, warmup=20),
            arguments={"shape": [2], "size": {"width": 64, "depth": 3}}, options={"kind": "moons"},
        ),
        Recipe(
            "energy-moons", "energy", "toy2d", _CHAINS, options={"kind": "moons"},
            arguments={"shape": [2], "steps": 15, "step": 0.1, "chains": 2000, "renewal": 0.02},
        ),
        Recipe(
            "energy-moons-short", "energy", "toy2d", _CHAINS, options={"kind": "moons"},
            arguments={"shape": [2], "steps": 15, "step": 0.1},
        ),
        Recipe(
            "vq-digits", "vq", "digits",
            TrainConfig(steps=800, batch=64, lr=2e-3, ema=0.985, warmup=20, clip=20.0, optimiser="muon"),
            arguments={
                **_PIXELS, "patch": 2, "codes": 32, "dim": 8, "width": 32, "dropout": 0.1, "classes": 10,
                "prior": {"dropout": 0.1}, "prior_lr": 4.0,
            },
            options={"split": "random"}, augment="shift", conditional=True,
        ),
        Recipe(
            "vq-glyphs", "vq", "glyphs",
            TrainConfig(steps=440, batch=64, lr=3e-3, ema=0.98, warmup=20, clip=20.0, optimiser="muon"),
            arguments={
                "shape": [1, 28, 28], "pixels": "bernoulli", "patch": 7, "codes": 64, "dim": 8, "width": 48,
                "classes": 8, "split": 0.5, "prior_lr": 3.0,
            },
            options={"letters": "AEGKQRSW", "draws": 24}, conditional=True,
        ),
        Recipe(
            "boltzmann-binary_digits", "boltzmann", "binary_digits", _COINS,
            arguments={"shape": [1, 8, 8], "hidden": 200, "k": 5, "chains": 100},
        ),
        Recipe(
            "boltzmann-binary_digits-exact", "boltzmann", "binary_digits", replace(_COINS, lr=0.06),
            arguments={"shape": [1, 8, 8], "hidden": 16, "k": 10},
        ),
        Recipe(
            "boltzmann-binary_digits-conditional", "boltzmann", "binary_digits", _COINS,
            arguments={"shape": [1, 8, 8], "hidden": 200, "k": 1, "chains": 100, "classes": 10},
            options={"split": "random"}, conditional=True,
        ),
        Recipe(
            "dbn-binary_digits", "dbn", "binary_digits", replace(_COINS, steps=3000),
            arguments={"shape": [1, 8, 8], "hidden": [200, 200], "k": 5, "chains": 100},
        ),
        Recipe(
            "autoregressive-seasons", "autoregressive", "seasons",
            TrainConfig(steps=300, batch=32, lr=8e-3, ema=0.98, warmup=30, clip=20.0),
            arguments={
                "shape": [384], "pixels": "discretised_logistic", "levels": 256,
                "network": "dilated", "width": 24, "layers": 8,
            },
        ),
        Recipe(
            "autoregressive-tones", "autoregressive", "tones",
            TrainConfig(steps=320, batch=16, lr=1.2e-2, ema=0.98, warmup=30, clip=20.0),
            arguments={
                "shape": [512], "pixels": "discretised_logistic", "levels": 256,
                "network": "dilated", "width": 32, "layers": 7,
            },
            options={"notes": 5},
        ),
        Recipe(  # a classifier, to look into: no distribution over pictures
            "seeing-textures", "seeing", "textures", TrainConfig(steps=400, batch=32, lr=6e-3, warmup=20),
            arguments={"classes": 10}, options={"n": 6000}, conditional=True,
        ),
        Recipe(
            "vae-textures", "vae", "textures", TrainConfig(steps=150, batch=64, lr=2e-3, warmup=20, clip=20.0),
            arguments={
                "shape": [3, 32, 32], "pixels": "discretised_logistic", "levels": 256, "components": 1, "latent": 32,
                "hidden": [256],
            },
            options={"n": 6000},
        ),
        Recipe(
            "diffusion-digits", "diffusion", "digits", _NOISE, arguments={**_DENOISED, "width": 24, "grow": [1, 2]},
            options={"split": "random"}, augment="shift", conditional=True,
        ),
        Recipe(  # small enough to be shipped inside a page
            "diffusion-digits-small", "diffusion", "digits", replace(_NOISE, steps=1500, batch=128, lr=3e-3),
            arguments={**_DENOISED, "network": "mlp", "hidden": [320, 320]},
            options={"split": "random"}, augment="shift", conditional=True,
        ),
        Recipe(
            "diffusion-star", "diffusion", "toy2d",
            TrainConfig(steps=2000, batch=256, lr=4e-3, ema=0.99, warmup=30), options={"kind": "star"},
            arguments={"shape": [2], "network": "mlp", "hidden": [128, 128, 128], "unit": False},
        ),
        Recipe(
            "latent-glyphs", "latent_diffusion", "glyphs",
            TrainConfig(steps=1100, batch=100, lr=2e-3, ema=0.99, warmup=50, clip=20.0),
            arguments={
                "codec": {"shape": [1, 28, 28], "pixels": "bernoulli", "latent": 32, "hidden": [256, 128], "beta": 0.5},
                "prior": {"hidden": [384, 384]}, "classes": 8, "split": 0.4,
            },
            options={"letters": "AEGKQRSW", "draws": 24}, conditional=True,
        ),
        Recipe(
            "translation-night", "translation", "scenes",
            TrainConfig(steps=800, batch=4, lr=3e-3, ema=0.98, clip=None), conditional=True,
            arguments={
                "kind": "cyclegan", "shape": [3, 32, 32], "keep": True, "cycle": 3.0, "identity": 0.0, "buffer": 50,
            },
            options={"view": "night", "given": "day", "paired": False},
        ),
        Recipe(
            "translation-map", "translation", "scenes",
            TrainConfig(steps=400, batch=16, lr=3e-3, ema=0.98, clip=None), conditional=True,
            arguments={"kind": "pix2pix", "grow": [1, 2], "l1": 10.0}, options={"view": "map", "given": "satellite"},
        ),
        Recipe(
            "translation-front", "translation", "avatars",
            TrainConfig(steps=300, batch=16, lr=3e-3, ema=0.98, clip=None), conditional=True,
            arguments={"kind": "pix2pix", "grow": [1, 2], "l1": 30.0}, options={"turned": True},
        ),
        *GANS,
        *SEMI,
        *SELF_SUPERVISED,
    )
}  # fmt: skip
