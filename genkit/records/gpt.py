"""The experiments of the chapter on GPT."""

import math
from collections.abc import Callable

import torch

from .. import recipes
from ..data import Dataset
from ..models.ngram import NGram
from ..training import Fit

SOURCES = ("training", "models.gpt", "models.recurrent", "models.ngram", "data.text")
RECIPES = ("gpt-docs", "gpt-docs-pairs", "recurrent-docs")
SEEDS = (0, 1, 2)
TRICKS = {
    "learned positions instead of rotary": {"positions": "learned"},
    "GELU instead of squared ReLU": {"activation": "gelu"},
    "no normalised queries and keys": {"qk_norm": False},
    "projections that start at random": {"zero_init": False},
}
TRIED = {
    "recurrent-docs": (("adamw", 5e-3), ("adamw", 1e-2), ("muon", 4e-3), ("muon", 8e-3)),
    "gpt-docs": (("adamw", 2e-3), ("adamw", 4e-3), ("adamw", 8e-3)),
}
ORDERS = range(1, 9)
SHORT = 450  # steps: half of the page's, for what is compared with one thing changed
LONG = 2000


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about ten minutes on one thread."""
    results: dict = {"seeds": [], "long": [], "tricks": {}}
    recipe = recipes.get("gpt-docs")
    data = recipe.dataset()
    for seed in SEEDS:
        found = recipes.train(recipe, seed=seed, progress=False)
        results["seeds"].append({"seed": seed, **bits(found, data), "seconds": round(found.seconds, 2)})
        tell(f"GPT, seed {seed}: {results['seeds'][-1]}")
    for seed in SEEDS:
        found = recipes.train(recipe, seed=seed, progress=False, steps=LONG)
        curve = {str(int(step)): validation(score, data) for step, score in history(found)}
        results["long"].append({**bits(found, data), "validation": curve})
        tell(f"{LONG} steps, seed {seed}: {results['long'][-1]}")
    results["n-grams"] = ngrams(data)
    tell(f"n-grams: {results['n-grams']}")
    results["recurrent"] = best_of("recurrent-docs", None, tell)
    for name, change in {"nothing": {}, **TRICKS}.items():
        changed = recipes.variant("gpt-docs", **change)
        found = [recipes.train(changed, seed=seed, progress=False, steps=SHORT) for seed in SEEDS]
        results["tricks"][name] = [bits(fit, data) for fit in found]
        tell(f"{name}: {results['tricks'][name]}")
    results["adamw"] = best_of("gpt-docs", SHORT, tell)
    results["tricks"]["AdamW instead of Muon"] = results["adamw"]["seeds"]
    pairs = recipes.get("gpt-docs-pairs")
    results["pairs"] = [bits(recipes.train(pairs, seed=s, progress=False), pairs.dataset()) for s in SEEDS]
    tell(f"byte pairs: {results['pairs']}")
    return results


def best_of(name: str, steps: int | None, tell: Callable[[str], None]) -> dict:
    """Try optimisers and learning rates with one seed, judge them on validation, and give the best one all seeds."""
    recipe = recipes.get(name)
    data, changes = recipe.dataset(), {} if steps is None else {"steps": steps}

    def at(tried: tuple[str, float], seed: int) -> Fit:
        return recipes.train(recipe, seed=seed, progress=False, optimiser=tried[0], lr=tried[1], **changes)

    first = {tried: at(tried, 0) for tried in TRIED[name]}
    best = max(first, key=lambda tried: first[tried].best_score)
    found = [first[best], *(at(best, seed) for seed in SEEDS[1:])]
    result = {"optimiser": best[0], "rate": best[1], "seeds": [bits(fit, data) for fit in found]}
    tell(f"{name}, tried {list(first)}: {result}")
    return result


def history(found: Fit) -> list[tuple[float, float]]:
    """Return every fourth entry of a run's history: the step, and the mean log-probability of a validation window."""
    return list(zip(found.history["step"], found.history["score"], strict=True))[3::4]


def validation(score: float, data: Dataset) -> float:
    """Turn the log-probability of a window of characters into bits per character."""
    return round(-score / math.log(2) / data.shape[0], 4)


@torch.no_grad()
def bits(found: Fit, data: Dataset) -> dict[str, float]:
    """Return the held-out bits per character: tokens of different sizes compare by the text that they stand for."""
    x, c = data.test.x, data.test.c
    nats = -torch.cat([found.model.log_prob(a, b) for a, b in zip(x.split(256), c.split(256), strict=True)])
    characters = sum(len(data.decode(row)) for row in x)
    return {"bits": round(nats.sum().item() / math.log(2) / characters, 4)}


def ngrams(data: Dataset) -> dict[str, float]:
    """Return the held-out bits per character of n-grams: counted in the training text, chosen on validation."""
    text = torch.cat([data.train.c[:, 0], data.train.x[-1]])

    def score(model: NGram, split) -> float:
        return -model.log_prob(torch.cat([split.c, split.x], 1))[:, 1:].mean().item() / math.log(2)

    models = [NGram(n, data.levels).fit(text) for n in ORDERS]
    n = min(ORDERS, key=lambda n: score(models[n - 1], data.valid))
    return {"n": n, "bits": round(score(models[n - 1], data.test), 4)}
