"""The experiments of the chapter on attention."""

from collections.abc import Callable

import torch

from .. import metrics, recipes
from ..data.recall import strings
from ..nn.look import attention_weights, previous, share

SOURCES = ("training", "models.gpt", "models.recurrent", "nn.look", "data.recall", "metrics.recall")
RECIPES = ("gpt-recall", "gru-recall", "recurrent-recall")
SEEDS = (0, 1, 2)
DISTANCES = (4, 8, 12, 16, 20, 24)
LONG, PERIOD, BLOCK = 192, 12, 32  # windows three times as long as those of training, and the places counted together
MODELS = {
    "attention": ("gpt-recall", {}, {}),
    "GRU": ("gru-recall", {}, {}),
    "recurrent": ("recurrent-recall", {}, {}),
    "recurrent, half the rate": ("recurrent-recall", {}, {"lr": 5e-3}),
    "one layer": ("gpt-recall", {"layers": 1, "width": 88}, {}),
    "no positions": ("gpt-recall", {"positions": "none"}, {}),
    "learned positions": ("gpt-recall", {"positions": "learned"}, {}),
}


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about nine minutes on one thread."""
    results: dict = {"distance": {}, "beyond": {}, "heads": [], "size": {}}
    for name, (recipe, arguments, changes) in MODELS.items():
        results["distance"][name], results["beyond"][name] = [], []
        for seed in SEEDS:
            found = recipes.train(recipes.variant(recipe, **arguments), seed=seed, progress=False, **changes)
            row = by_distance(found.model) | {"seconds": round(found.seconds, 1)}
            results["distance"][name].append(row)
            results["size"][name] = sum(p.numel() for p in found.model.parameters())
            results["beyond"][name].append(beyond(found.model))
            if name == "attention":
                results["heads"].append(heads(found.model))
                tell(f"heads, seed {seed}: {results['heads'][-1]}")
            tell(f"{name}, seed {seed}: {row}, beyond {results['beyond'][name][-1]}")
    return results


def by_distance(model) -> dict[str, float]:
    """Return how often a model knows a letter that is certain, on held-out strings that repeat at some distances."""
    test = recipes.get("gpt-recall").dataset().test
    found = metrics.recalled(model, test.x, test.c, test.factors["distance"])
    return {str(n): round(found[n].value, 4) for n in DISTANCES}


@torch.no_grad()
def beyond(model) -> dict[str, float]:
    """Return how often it does in windows longer than those it learned from, by the last place of each block."""
    w = strings(torch.full((100,), PERIOD), LONG + 1, torch.Generator().manual_seed(1))
    hit = (model.given(w[:, 1:], w[:, :1]).argmax(-1) == w[:, 1:]).float()
    return {
        str(stop): round(hit[:, max(PERIOD, stop - BLOCK) : stop].mean().item(), 4)
        for stop in range(BLOCK, LONG + 1, BLOCK)
    }


def heads(model) -> dict[str, float]:
    """Return the largest share of any head on the letter before, and, in the second round, on what followed it."""
    w = strings(torch.full((100,), PERIOD), 2 * PERIOD, torch.Generator().manual_seed(2))
    weights, last = attention_weights(model, w), previous(w)
    before = torch.arange(2 * PERIOD).expand_as(w) - 1
    return {
        "previous": round(share(weights, before).max().item(), 4),
        "induction": round(share(weights, torch.where(last < 0, -1, last + 1)).max().item(), 4),
    }
