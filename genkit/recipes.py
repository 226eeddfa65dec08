"""Every named model of the book: training it once, with the data and the budget that its recipe names."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace

import torch
from filelock import FileLock

from . import augment, checkpoint
from .base import Generative
from .cache import cache_folder
from .data import SETS, Dataset
from .families import SUITS
from .families import build as build
from .named import OWN, RECIPES
from .names import unknown
from .recipe import Recipe
from .scale import scale
from .source import source_hash
from .training import Fit, fit

AUGMENT = {"shift": augment.shift, "binarise": augment.binarise}


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
    config = replace(OWN, batch=min(OWN.batch, len(dataset.train)))
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
        "source": source_hash("training", "augment", *_model_modules(recipe), *_data_modules(recipe.data)),
        "torch": torch.__version__,
        "scale": scale(),
        "seed": seed,
        "threads": torch.get_num_threads(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _model_modules(recipe: Recipe) -> list[str]:
    """Name the modules of all the parts of the model: a deep belief network is made of Boltzmann machines."""
    parts = {type(part).__module__ for part in recipe.build().modules()}
    return sorted(name.removeprefix("genkit.") for name in parts if name.startswith("genkit."))


def _data_modules(name: str) -> tuple[str, ...]:
    """Name the module that makes a named set."""
    return (SETS[name].__module__.removeprefix("genkit."),) if name in SETS else ()
