"""The experiments of the chapter on energies and discrete codes."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch

from .. import metrics, recipes
from ..base import Player
from ..data import toy
from ..nn import classifier
from ..training import Fit, fit

SOURCES = (
    "training", "augment", "models.energy", "models.vq", "models.vae", "models.gpt", "nn.patches", "metrics.likelihood",
    "metrics.images", "metrics.detection", "metrics.density", "metrics.codes", "metrics.two_sample", "data.digits",
    "data.toy2d",
)  # fmt: skip
RECIPES = ("energy-moons", "energy-moons-short", "vq-digits", "vae-digits-conditional")
SEEDS = (0, 1, 2)
RUNS = (5, 15, 45)
SIZES = (8, 128)
BOOKS = {
    "gradients": {"decay": None, "revive": 0.0},
    "averages": {"revive": 0.0},
    "averages, dead codes revived": {},
}
LONG, DRAWS, STEPS = 1000, 900, 300
EXTENT, SIDE = 4.0, 160


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about five minutes on one thread."""
    results = {"chains": {}, "runs": {}, "images": {}, "books": {}, "sizes": {}}
    for name in ("energy-moons-short", "energy-moons"):
        results["chains"][name] = [plane(recipes.get(name), seed) for seed in SEEDS]
        tell(f"{name}: {results['chains'][name]}")
    short = recipes.get("energy-moons-short").arguments["steps"]
    for steps in RUNS:
        if steps == short:
            results["runs"][str(steps)] = results["chains"]["energy-moons-short"]
            continue
        recipe = recipes.variant("energy-moons-short", steps=steps)
        results["runs"][str(steps)] = [plane(recipe, seed) for seed in SEEDS]
        tell(f"short runs of {steps} steps: {results['runs'][str(steps)]}")
    for name in ("vq-digits", "vae-digits-conditional"):
        results["images"][name] = [pictures(recipes.get(name), seed) for seed in SEEDS]
        tell(f"{name}: {results['images'][name]}")
    results["floor"] = round(floor(), 4)
    for name, change in BOOKS.items():
        results["books"][name] = [book(seed, **change) for seed in SEEDS]
        tell(f"codebook by {name}: {results['books'][name]}")
    for size in SIZES:
        results["sizes"][str(size)] = [pictures(recipes.variant("vq-digits", codes=size), seed) for seed in SEEDS]
        tell(f"{size} codes: {results['sizes'][str(size)]}")
    return results


def plane(recipe: recipes.Recipe, seed: int) -> dict[str, float]:
    """Train an energy of two moons; measure its density on a grid, and its samples after few steps and after many."""
    found = recipes.train(recipe, seed=seed, progress=False)
    return {**measure_energy(found.model, seed), "seconds": round(found.seconds, 2)}


def measure_energy(model, seed: int = 0) -> dict[str, float]:
    """Return the divergence of a density on the grid in nats, and distances of its samples from test points."""
    points, area = metrics.plane(EXTENT, SIDE)
    test = recipes.get("energy-moons").dataset().test.x[:DRAWS]
    torch.manual_seed(seed)
    with torch.no_grad():
        kl = metrics.grid_kl(toy("moons").log_prob(points), -model.energy(points), area).value
    few, many = model.sample(DRAWS), model.sample(DRAWS, steps=LONG)
    return {
        "kl": round(kl, 4),
        "few steps": round(metrics.sliced_wasserstein(few, test).value, 4),
        "many steps": round(metrics.sliced_wasserstein(many, test).value, 4),
    }


def pictures(recipe: recipes.Recipe, seed: int) -> dict[str, float]:
    """Train a class-conditional model of digits and measure its bound, its bits and its samples."""
    found = recipes.train(recipe, seed=seed, progress=False)
    return {**measure(found, seed), "seconds": round(found.seconds, 2)}


def measure(found: Fit, seed: int = 0) -> dict[str, float]:
    """Return nats and bits of the test digits, Fréchet distances of draws from them, and what a classifier reads."""
    model, judge = found.model, classifier("digits")
    test = recipes.get("vq-digits").dataset().test
    x, c, asked = test.x, test.c, torch.arange(10).repeat_interleave(100)
    torch.manual_seed(seed)

    def distance(images):
        return round(metrics.frechet_distance(x, images, judge.features, resamples=2).value, 4)

    with torch.no_grad():
        drawn, odd = model.sample(1000, asked), chimeras(x)
        score = {"elbo": model.elbo(x, c).mean().item(), "frechet": distance(drawn)}
        score["obeyed"] = metrics.accuracy(judge(drawn), asked).value
        score["auroc"] = metrics.auroc(-model.elbo(x), -model.elbo(odd)).value
        if hasattr(model, "codebook"):
            codes, size = model.encode(x), model.codebook.size
            uniform = model.decode(torch.randint(size, (1000, model.places))).sample()
            score["bits"] = -model.log_prior(codes, c).mean().item() / math.log(2)
            score["bits at most"] = model.places * math.log2(size)
            score["perplexity"] = metrics.code_perplexity(codes, size).value
            score["frechet, uniform codes"] = distance(uniform)
            score["frechet, reconstructions"] = distance(model.decode(codes).sample())
        else:
            q = model.encode(x, c)
            score["bits"] = q.kl_to_standard().sum(1).mean().item() / math.log(2)
            score["frechet, reconstructions"] = distance(model.decode(q.rsample(), c).sample())
    return {name: round(value, 4) for name, value in score.items()}


def chimeras(x: torch.Tensor) -> torch.Tensor:
    """Return the left half of every picture with the right half of the one before it."""
    return torch.cat([x[..., :4], x.roll(1, 0)[..., 4:]], -1)


def floor() -> float:
    """Return the Fréchet distance of the training digits from the test digits."""
    data = recipes.get("vq-digits").dataset()
    return metrics.frechet_distance(data.test.x, data.train.x, classifier("digits").features, resamples=2).value


def codes_alone(seed: int, steps: int = STEPS, **change):
    """Train encoder, decoder and codebook without a prior, and return the model."""
    recipe = recipes.variant("vq-digits", **change)
    model, data = recipe.build(seed), recipe.dataset()
    first: Player = model.players()[0]
    model.players = lambda: [replace(first, span=(0.0, 1.0))]
    config = replace(recipe.config(), steps=steps, seed=seed)
    fit(model, data.train, config, augment=recipes.AUGMENT["shift"], progress=False)
    return model


def book(seed: int, **change) -> dict[str, float]:
    """Train codes with a kind of codebook, and measure how many are used and how well they describe test digits."""
    model, x = codes_alone(seed, **change), recipes.get("vq-digits").dataset().test.x
    with torch.no_grad():
        codes = model.encode(x)
        nats = model.decode(codes).log_prob(x).mean().item()
    size = model.codebook.size
    return {
        "perplexity": round(metrics.code_perplexity(codes, size).value, 3),
        "used": round(metrics.codes_used(codes, size).value, 4),
        "nats": round(nats, 3),
    }
