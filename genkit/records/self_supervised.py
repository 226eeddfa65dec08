"""The experiments of the chapter on labels made from the data."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from .. import recipes
from ..data import Dataset
from ..models.masked_autoencoder import hide
from ..nn.views import Views
from ..probe import few, probe
from ..spread import effective_rank, evenness

SOURCES = (
    "training", "models.contrastive", "models.masked_autoencoder", "models.labelled", "probe", "spread", "data.glyphs",
)  # fmt: skip
RECIPES = ("masked-glyphs", "contrastive-glyphs", "labelled-glyphs")
SEEDS = (0, 1, 2)
DRAWS = 10
LABELS = (10, 20, 50, 100, 200, 500)
TRAINED = {
    "masked autoencoder": "masked-glyphs", "contrastive": "contrastive-glyphs", "all labels": "labelled-glyphs",
}  # fmt: skip
NONE = {"shift": 0.0, "turn": 0.0, "zoom": 0.0, "slant": 0.0, "weight": 0.0}
ALL = {"shift": 2.0, "turn": 10.0, "zoom": 0.15, "slant": 0.4, "weight": 1.0}
VIEWS = {
    "all": ALL,
    "no strokes": ALL | {"weight": 0.0},
    "no slant": ALL | {"slant": 0.0},
    "strokes alone": NONE | {"weight": 1.0},
    "none": NONE,
    "any turn": ALL | {"turn": 180.0},
}
RATIOS = (0.25, 0.5, 0.75, 0.875)
TEMPERATURES = (0.05, 0.2, 1.0)
OBJECTIVES = ("nt_xent", "attract", "siamese")
SHORT = 100
"""Steps of training in a sweep."""


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about five minutes on one thread."""
    data = letters()
    results: dict = {"seeds": [], "views": {}, "ratios": {}, "temperatures": {}, "collapse": {}, "moved": []}
    for seed in SEEDS:
        results["seeds"].append(main(data, seed))
        tell(f"seed {seed}: {results['seeds'][-1]}")
        usual = brief(data, seed)
        for name in OBJECTIVES:
            model = usual if name == "nt_xent" else brief(data, seed, objective=name)
            results["collapse"].setdefault(name, []).append(collapsed(model, data, seed))
        results["collapse"].setdefault("untrained", []).append(collapsed(untrained(seed, data), data, seed))
        tell(f"collapse: { {k: v[-1] for k, v in results['collapse'].items()} }")
        for name, views in VIEWS.items():
            model = usual if name == "all" else brief(data, seed, views=views)
            results["views"].setdefault(name, []).append({"accuracy": accuracy(model.features, data, 50, seed)})
        tell(f"views: { {k: v[-1] for k, v in results['views'].items()} }")
        for t in TEMPERATURES:
            model = usual if t == 0.2 else brief(data, seed, temperature=t)
            results["temperatures"].setdefault(str(t), []).append(
                {"accuracy": accuracy(model.features, data, 50, seed)} | collapsed(model, data, seed, probed=False)
            )
        tell(f"temperatures: { {k: v[-1] for k, v in results['temperatures'].items()} }")
        for ratio in RATIOS:
            recipe = recipes.variant("masked-glyphs", ratio=ratio)
            model = recipes.train(recipe, seed=seed, dataset=data, steps=SHORT, progress=False).model
            found = {"accuracy": accuracy(model.features, data, 50, seed)} | jigsaw(model, data, seed)
            results["ratios"].setdefault(str(ratio), []).append(found)
        tell(f"ratios: { {k: v[-1] for k, v in results['ratios'].items()} }")
        results["moved"].append(moved_about(data, seed))
        tell(f"moved: {results['moved'][-1]}")
    return results


def letters() -> Dataset:
    """Return the letters that look alike: the labels of the training set are known to nobody unless said so."""
    return recipes.get("contrastive-glyphs").dataset()


def untrained(seed: int, data: Dataset) -> nn.Module:
    """Return a contrastive learner with its first weights, whose normalisation has met the data."""
    model = recipes.get("contrastive-glyphs").build(100 + seed).train()
    with torch.no_grad():
        for part in data.train.x.split(256):
            model.encoder(part)
    return model.eval()


def brief(data: Dataset, seed: int, **change) -> nn.Module:
    """Train the chapter's contrastive learner for fewer steps, with some arguments changed."""
    recipe = recipes.variant("contrastive-glyphs", **change)
    return recipes.train(recipe, seed=seed, dataset=data, steps=SHORT, progress=False).model


@torch.no_grad()
def scores(features: Callable[[Tensor], Tensor], data: Dataset, labels: int, seed: int, draws: int = DRAWS) -> Tensor:
    """Return the accuracy of a linear probe on the test letters for each draw of the labels, shape (draws,)."""
    known, test = features(data.train.x), features(data.test.x)
    picks = [few(data.train.c, labels, 1000 * seed + k) for k in range(draws)]
    return torch.tensor([probe(known[p], data.train.c[p], test, data.test.c) for p in picks], dtype=torch.float64)


def accuracy(features: Callable[[Tensor], Tensor], data: Dataset, labels: int, seed: int) -> float:
    """Return the mean accuracy of a probe over ten draws of the labels."""
    return round(scores(features, data, labels, seed).mean().item(), 4)


def main(data: Dataset, seed: int) -> dict[str, float]:
    """Train on each kind of label; return probes by "name, labels", and what else the page shows."""
    found, known = {}, {"raw pixels": lambda x: x.flatten(1), "random network": untrained(seed, data).features}
    for name, recipe in TRAINED.items():
        fit = recipes.train(recipes.get(recipe), seed=seed, dataset=data, progress=False)
        known[name] = fit.model.features
        found[f"{name}, seconds"] = round(fit.seconds, 2)
        if name == "masked autoencoder":
            found |= jigsaw(fit.model, data, seed)
        if name == "all labels":
            found["ceiling"] = right(fit.model, data)
    for name, features in known.items():
        for labels in LABELS if name != "all labels" else (50,):
            found[f"{name}, {labels}"] = accuracy(features, data, labels, seed)
    found["from scratch, 50"] = from_scratch(data, seed)
    return found


def from_scratch(data: Dataset, seed: int, draws: int = 2) -> float:
    """Return the accuracy of the same network taught by 50 labels alone, with the same views: mean over draws."""
    shares = []
    for k in range(draws):
        pick = few(data.train.c, 50, 1000 * seed + k)
        small = replace(data, train=replace(data.train, x=data.train.x[pick], c=data.train.c[pick], factors={}))
        fit = recipes.train(
            recipes.get("labelled-glyphs"), seed=seed, dataset=small, batch=50, steps=200, progress=False
        )
        shares.append(right(fit.model, data))
    return round(sum(shares) / draws, 4)


@torch.no_grad()
def right(model: nn.Module, data: Dataset) -> float:
    """Return the share of test letters that a classifier names rightly."""
    return round((model(data.test.x).argmax(1) == data.test.c).double().mean().item(), 4)


@torch.no_grad()
def jigsaw(model: nn.Module, data: Dataset, seed: int) -> dict[str, float]:
    """Return PSNR in dB on hidden patches of test letters: the model's guess, and the mean training picture."""
    x = data.test.x
    torch.manual_seed(seed)
    hidden = hide(len(x), model.places, model.ratio)
    gaps = model.pixels(hidden)
    fills = {"guess": model.guess(x, hidden).clamp(0, 1), "mean filled": data.train.x.mean(0).expand_as(x)}
    return {name: round(quality(fill, x, gaps).mean().item(), 4) for name, fill in fills.items()}


def quality(fill: Tensor, x: Tensor, gaps: Tensor) -> Tensor:
    """Return the PSNR in dB of each picture over its gaps alone, shape (N,)."""
    error = ((fill - x).square() * gaps).flatten(1).sum(1) / gaps.flatten(1).sum(1)
    return -10 * error.clamp(min=1e-6).log10()


@torch.no_grad()
def collapsed(model: nn.Module, data: Dataset, seed: int, *, probed: bool = True) -> dict[str, float]:
    """Return how the projections of test letters fill their space, and what probes read from network and projection."""
    z = model.project(data.test.x)
    found = {"evenness": round(evenness(z), 4), "rank": round(effective_rank(z), 4)}
    if probed:
        found["features"] = accuracy(model.features, data, 50, seed)
        found["projections"] = accuracy(model.project, data, 50, seed)
    return found


def moved_about(data: Dataset, seed: int) -> dict[str, float]:
    """Move and turn every letter once and for all, and probe again: the middle of a letter is no longer known."""
    place = Views(shift=4.0, turn=12.0, zoom=0.1, slant=0.0, weight=0.0)
    torch.manual_seed(seed)
    splits = {name: getattr(data, name) for name in ("train", "valid", "test")}
    away = replace(data, **{name: replace(split, x=place(split.x)) for name, split in splits.items()})
    views = ALL | {"shift": 4.0}
    masked = recipes.train(recipes.get("masked-glyphs"), seed=seed, dataset=away, progress=False).model
    recipe = recipes.variant("contrastive-glyphs", views=views)
    told = recipes.train(recipe, seed=seed, dataset=away, progress=False).model
    known = {"raw pixels": lambda x: x.flatten(1), "random network": untrained(seed, away).features}
    known |= {"masked autoencoder": masked.features, "contrastive": told.features}
    return {name: accuracy(features, away, 50, seed) for name, features in known.items()}
