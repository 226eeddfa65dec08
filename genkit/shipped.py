"""Trained models that come with the package: ``python -m genkit.shipped gan-glyphs-style`` trains one again.

For models that a chapter needs and has no time to train. Each has a card that says how it was made.
"""

import hashlib
import json
import sys
from dataclasses import asdict

from safetensors.torch import load_file, save_file

from . import files, recipes
from .base import Generative
from .nn.classifier import WEIGHTS
from .source import source_hash


def shipped(name: str) -> Generative:
    """Return the shipped model of a recipe, ready to draw from.

    Raises ``ValueError`` where none is shipped, or where the weights are not those that were.
    """
    recipe = recipes.get(name)
    path = WEIGHTS / f"{name}.safetensors"
    if not path.exists():
        raise ValueError(f"name: expected a model that is shipped, received {name!r}; recipes.trained trains it")
    if files.sha256(path) != card(name)["sha256"]:
        raise ValueError(f"{path.name}: the file is damaged: its SHA-256 is not the one in its card")
    model = recipe.build()
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()})
    return model.eval().requires_grad_(False)


def card(name: str) -> dict:
    """Return what is known of a shipped model: how it was made, and how long that took."""
    return json.loads((WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))


def ship(name: str, seed: int = 0) -> dict:
    """Train a recipe's model and write its weights, as float16, with their card."""
    recipe = recipes.get(name)
    found = recipes.train(recipe, seed=seed)
    path = WEIGHTS / f"{name}.safetensors"
    halves = {k: v.half() if v.is_floating_point() else v for k, v in found.model.state_dict().items()}
    with files.atomic(path) as temporary:
        save_file({k: v.contiguous() for k, v in halves.items()}, temporary)
    about = {
        "kind": name,
        "made by": f"python -m genkit.shipped {name}",
        "seed": seed,
        "seconds": round(found.seconds),
        "recipe": made_of(name),
        "sha256": files.sha256(path),
    }
    files.write_json(WEIGHTS / f"{name}.json", about)
    return about


def made_of(name: str) -> str:
    """Return the hash of what a shipped model depends on: its recipe, and the source that builds and trains it."""
    recipe = recipes.get(name)
    parts = [asdict(recipe), source_hash("training", f"models.{recipe.family}", f"data.{recipe.data}")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


if __name__ == "__main__":
    print(ship(*sys.argv[1:]))
