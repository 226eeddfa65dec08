"""Every named model of the book: how it is built, what it learns from, and its budget at quick and at full scale."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import torch
from filelock import FileLock

from . import augment, checkpoint
from .base import Generative
from .cache import cache_folder
from .data import SETS, Dataset, load
from .families import BINARY, GREY, SUITS, build
from .names import unknown
from .randomness import randomness_of
from .scale import scale
from .source import source_hash
from .training import Fit, TrainConfig, fit

AUGMENT = {"shift": augment.shift, "binarise": augment.binarise}


@dataclass(frozen=True)
class Recipe:
    """A named model: family and arguments, data, and training at quick and at full scale.

    ``arguments``, ``options`` and the configurations are JSON: a checkpoint keeps them and nothing else.
    """

    name: str
    family: str
    data: str
    quick: TrainConfig
    full: TrainConfig | None = None
    arguments: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    augment: str | None = None
    conditional: bool = False

    def config(self) -> TrainConfig:
        """Return the training configuration of the present scale."""
        return self.full if self.full and scale() == "full" else self.quick

    def dataset(self) -> Dataset:
        """Load the data this model learns from."""
        return load(self.data, **self.options)

    def build(self, seed: int = 0) -> Generative:
        """Build the untrained model; its first weights are a function of ``seed``."""
        with randomness_of(seed, -2, 0, torch.device("cpu")):
            return build(self.family, **self.arguments)


_PIXELS = {"shape": [1, 8, 8], "pixels": "discretised_logistic", "levels": 17, "components": 3}
_DIGITS = {**_PIXELS, **GREY}
_QUICK = TrainConfig(steps=1000, batch=100, lr=2e-3, ema=0.995, warmup=100, clip=20.0)
_OWN = TrainConfig(steps=5000, batch=128, lr=2e-3, ema=0.995, warmup=200, clip=20.0)
_FLOW = TrainConfig(steps=2000, batch=100, lr=2e-3, ema=0.995, warmup=50, clip=100.0)
_PLANE = TrainConfig(steps=1000, batch=256, lr=5e-3, ema=0.99, warmup=30, clip=10.0)
_CHAINS = TrainConfig(steps=400, batch=256, lr=1e-2, ema=0.98, warmup=20)
_LOCALES = TrainConfig(steps=250, batch=32, lr=1e-2, warmup=20, optimiser="muon")
_COUPLINGS = {"shape": [1, 8, 8], "levels": 17, "hidden": [128, 128], "mix": False}
_SMALL = {"width": 96, "heads": 3, "layers": 2}

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("vae-digits", "vae", "digits", _QUICK, arguments=_DIGITS, augment="shift"),
        Recipe(
            "vae-digits-conditional", "vae", "digits", replace(_QUICK, steps=600, ema=0.98),
            arguments=_DIGITS | {"classes": 10}, options={"split": "random"}, augment="shift", conditional=True,
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
            "vae-mnist", "vae", "mnist", replace(_OWN, steps=20_000),
            full=replace(_OWN, steps=400_000, lr=1e-3, ema=0.9995, warmup=1000),
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
            "gpt-pydocs", "gpt", "pydocs",
            TrainConfig(steps=300, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
            arguments={"vocabulary": 96, "context": 64}, conditional=True,
        ),
        Recipe(  # small enough to be shipped inside a page
            "gpt-pydocs-small", "gpt", "pydocs",
            TrainConfig(steps=400, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
            arguments={"vocabulary": 96, "context": 64, "width": 96, "layers": 3}, conditional=True,
        ),
        Recipe(
            "gpt-docs", "gpt", "pydocs",
            TrainConfig(steps=900, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
            arguments={"vocabulary": 96, "context": 64, **_SMALL}, conditional=True,
        ),
        Recipe(
            "gpt-docs-pairs", "gpt", "pydocs",
            TrainConfig(steps=900, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
            arguments={"vocabulary": 1024, "context": 64, **_SMALL}, options={"pairs": 1024}, conditional=True,
        ),
        Recipe(
            "recurrent-docs", "recurrent", "pydocs",
            TrainConfig(steps=900, batch=12, lr=1e-2, warmup=20),
            arguments={"vocabulary": 96, "context": 64, "width": 96, "hidden": 182, "layers": 1}, conditional=True,
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
            "gpt-recall", "gpt", "recall",
            TrainConfig(steps=600, batch=32, lr=8e-3, warmup=20, optimiser="muon"),
            arguments={"vocabulary": 27, "context": 256, "width": 64, "heads": 4, "layers": 2}, conditional=True,
        ),
        Recipe(
            "gru-recall", "gru", "recall", TrainConfig(steps=600, batch=32, lr=1e-2, warmup=20),
            arguments={"vocabulary": 27, "context": 256, "width": 64, "hidden": 142}, conditional=True,
        ),
        Recipe(
            "recurrent-recall", "recurrent", "recall", TrainConfig(steps=600, batch=32, lr=1e-2, warmup=20),
            arguments={"vocabulary": 27, "context": 256, "width": 64, "hidden": 121, "layers": 1}, conditional=True,
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
            TrainConfig(steps=500, batch=64, lr=3e-3, ema=0.98, warmup=20, clip=20.0, optimiser="muon"),
            arguments={
                "shape": [1, 28, 28], "pixels": "bernoulli", "patch": 7, "codes": 64, "dim": 8, "width": 48,
                "classes": 8, "split": 0.5, "prior_lr": 3.0,
            },
            options={"letters": "AEGKQRSW", "draws": 24}, conditional=True,
        ),
        Recipe(
            "masked-pydocs", "encoders", "pydocs",
            TrainConfig(steps=300, batch=16, lr=1.5e-2, warmup=20, optimiser="muon"),
            arguments={
                "network": "masked", "vocabulary": 96, "context": 65, "width": 64, "heads": 2, "layers": 3,
                "share": 0.3,
            },
            conditional=True,
        ),
        Recipe(
            "translator-locales", "encoders", "locales", _LOCALES, conditional=True,
            arguments={"network": "translator", "vocabulary": 52, "source": 30, "target": 25},
        ),
        Recipe(
            "gpt-locales", "gpt", "locales", _LOCALES, options={"pad": "left"}, conditional=True,
            arguments={"vocabulary": 52, "context": 54, "width": 68, "heads": 2, "layers": 4},
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
    )
}  # fmt: skip


def get(name: str) -> Recipe:
    """Return a recipe by its name. Raises ``ValueError`` with the nearest name for one that is not known."""
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]


def suited(family: str, source: str, dataset: Dataset, *, conditional: bool = False, binarise: bool = False) -> Recipe:
    """Return a recipe for data that the book has none for, such as a reader's own; ``binarise`` tosses its pixels."""
    if family not in SUITS:
        raise unknown("family", family, SUITS)
    arguments = SUITS[family](dataset, binarise)
    prefix = dataset.classes is None and dataset.train.c is not None  # what a window of text begins with
    if conditional and not prefix:
        if dataset.classes is None:
            raise ValueError(f"data: expected classes for a conditional model, received none in {dataset.name!r}")
        arguments["classes"] = len(dataset.classes)
    config = replace(_OWN, batch=min(_OWN.batch, len(dataset.train)))
    return Recipe(
        f"{family}-{dataset.name}", family, source, config, arguments=arguments, conditional=conditional or prefix,
        augment="binarise" if binarise else None,
    )  # fmt: skip


def variant(name: str, **arguments) -> Recipe:
    """Return a recipe with some of its model's arguments changed."""
    recipe = get(name)
    return replace(recipe, arguments=recipe.arguments | arguments)


def names() -> tuple[str, ...]:
    """Return the names of all recipes, in the order of the book."""
    return tuple(RECIPES)


def score(dataset: Dataset, conditional: bool, *, binarise: bool = False) -> Callable[[Generative], float]:
    """Return what the early best is chosen by: the mean bound, or log-probability, of the validation examples.

    Where training tosses its pixels anew in every step, those of validation are tossed once.
    """
    x, c = dataset.valid.x, dataset.valid.c if conditional else None
    x = torch.bernoulli(x, generator=torch.Generator().manual_seed(0)) if binarise else x

    def validation(model: Generative) -> float:
        bound = model.log_prob if model.likelihood == "exact" else model.elbo
        given = None if c is None else c.to(model.device)
        return bound(x.to(model.device), given).mean().item()

    return validation


def train(
    recipe: Recipe,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    keeper: checkpoint.Checkpoints | None = None,
    dataset: Dataset | None = None,
    progress: bool = True,
    save_every: int = 500,
    **changes,
) -> Fit:
    """Build and train a recipe's model. ``changes`` override fields of its configuration, such as ``steps``."""
    dataset = dataset or recipe.dataset()
    model = recipe.build(seed).to(device)
    data = dataset.train if recipe.conditional else replace(dataset.train, c=None)
    select = (
        None
        if model.likelihood == "none"
        else score(dataset, recipe.conditional, binarise=recipe.augment == "binarise")
    )
    config = replace(recipe.config(), seed=seed, **changes)
    change = AUGMENT[recipe.augment] if recipe.augment else None
    return fit(
        model, data, config, augment=change, select=select, keeper=keeper, save_every=save_every, progress=progress
    )


def trained(name: str, *, seed: int = 0) -> Fit:
    """Return a recipe's trained model, training it once per machine and keeping it in the user's cache.

    The key covers the recipe, the source it imports, torch's version, the scale, the seed and the thread count.
    A second process that wants the same model waits for the first.
    """
    recipe = get(name)
    folder = cache_folder() / "trained" / f"{name}-{recipe_hash(recipe, seed=seed)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if (folder / "latest").exists():
            try:
                saved = checkpoint.read(folder)
                model = checkpoint.load_weights(recipe.build(seed), saved)
                best = saved.meta["best"]
                return Fit(model, saved.meta["history"], best["step"], best["score"], saved.meta["seconds"])
            except ValueError:  # a damaged cache is made anew
                (folder / "latest").unlink(missing_ok=True)
        return train(recipe, seed=seed, keeper=checkpoint.Checkpoints(folder, {"recipe": name}))


def recipe_hash(recipe: Recipe, *, seed: int = 0) -> str:
    """Return a hash of all that a trained model depends on: 16 hexadecimal digits."""
    parts = {
        "recipe": {**asdict(recipe), "quick": None, "full": None},
        "config": asdict(recipe.config()),
        "source": source_hash("training", "augment", f"models.{recipe.family}", *_data_modules(recipe.data)),
        "torch": torch.__version__,
        "scale": scale(),
        "seed": seed,
        "threads": torch.get_num_threads(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _data_modules(name: str) -> tuple[str, ...]:
    """Name the module that makes a named set."""
    return (SETS[name].__module__.removeprefix("genkit."),) if name in SETS else ()
