"""The experiments of the chapter on variational autoencoders."""

from collections.abc import Callable
from dataclasses import replace

import torch

from .. import metrics, recipes
from ..models.vae import VAE
from ..training import Fit, fit

SOURCES = (
    "training", "augment", "models.vae", "metrics.likelihood", "metrics.images", "metrics.detection",
    "data.digits", "data.glyphs",
)  # fmt: skip
RECIPES = ("vae-digits", "vae-glyphs-2d")
SEEDS = (0, 1, 2)
BETAS = (0.1, 0.3, 1.0, 2.0, 4.0, 10.0)
CODES = (2, 8, 32)
PIXELS = {
    "categorical": {"pixels": "categorical"},
    "one bell": {"components": 1},
    "three bells": {"components": 3},
}


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about eight minutes on one thread."""
    test = recipes.get("vae-digits").dataset().test.x
    results = {"seeds": [], "pixels": {}, "beta": {}, "blur": {}}
    for seed in SEEDS:
        found = variant(seed)
        results["seeds"].append({"seed": seed, **measure(found, test), "seconds": round(found.seconds, 2)})
        tell(f"vae-digits, seed {seed}: {results['seeds'][-1]}")
    for name, change in PIXELS.items():
        results["pixels"][name] = [measure(variant(seed, **change), test) for seed in SEEDS]
        tell(f"{name}: {results['pixels'][name]}")
    for beta in BETAS:
        results["beta"][str(beta)] = [measure(variant(seed, beta=beta), test) for seed in SEEDS]
        tell(f"beta {beta}: {results['beta'][str(beta)]}")
    for size in CODES:
        for beta in (0.0, 1.0, 4.0):
            name = f"{size} numbers, β = {beta:g}"
            results["blur"][name] = [blur(size, beta, seed) for seed in SEEDS]
            tell(f"{name}: {results['blur'][name]}")
    results["claims"] = {"C03": blur_verdict(results["blur"]), "C22": prior_verdict(tell)}
    return results


def blur_verdict(blur: dict[str, list[dict]]) -> str:
    """Put claim C03 in a sentence, from the record's own numbers."""
    sharp = {name: sum(run["reconstructions"] for run in runs) / len(runs) for name, runs in blur.items()}
    plain, small, large = (sharp[name] for name in ("2 numbers, β = 0", "2 numbers, β = 1", "32 numbers, β = 1"))
    return (
        f"Hardly. With a code of two numbers, an autoencoder without chance keeps {plain:.0%} of the sharpness of real "
        f"letters, a VAE {small:.0%}; with 32 numbers the VAE keeps {large:.0%}. Blur comes mostly from what the code "
        f"leaves out, and from showing the mean instead of a draw; the price of the code adds some."
    )


def prior_verdict(tell: Callable[[str], None]) -> str:
    """Settle claim C22: can codes of test digits be told from draws of the prior?"""
    data = recipes.get("vae-digits").dataset()
    found = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        model = variant(seed).model
        with torch.no_grad():
            train, test = model.encode(data.train.x).rsample(), model.encode(data.test.x).rsample()
        prior = torch.randn(len(train) + len(test), model.latent).split([len(train), len(test)])
        found.append(metrics.two_sample_auroc(train, prior[0], test, prior[1]).value)
        tell(f"codes against prior, seed {seed}: AUROC {found[-1]:.3f}")
    return (
        f"No. The term compares each picture's posterior with the prior, and knows no distribution of the data. Nor do "
        f"the codes of all pictures follow the prior: a classifier tells them apart with AUROC "
        f"{sum(found) / len(found):.2f}, where 0.5 is chance."
    )


def variant(seed: int, **change) -> Fit:
    """Train the chapter's model with some of its arguments changed."""
    return recipes.train(recipes.variant("vae-digits", **change), seed=seed, progress=False)


def measure(found: Fit, x: torch.Tensor) -> dict[str, float]:
    """Return the chapter's numbers of one trained model on the test images."""
    model: VAE = found.model
    torch.manual_seed(0)
    with torch.no_grad():
        q = model.encode(x)
        rate = q.kl_to_standard().sum(1).mean().item()
        active = int((q.mean.var(0) > 0.01).sum())  # Burda et al. (2016), section 5.2
        picture = model.reconstruct(x)
    elbo = metrics.elbo(model, x).value
    return {
        "elbo": round(elbo, 3),
        "iwae": round(metrics.iwae(model, x, k=500).value, 3),
        "rate": round(rate, 3),
        "distortion": round(-elbo - rate, 3),
        "active": active,
        "sharpness of reconstructions": round(metrics.sharpness(picture, x).value, 4),
        "sharpness of mean samples": round(metrics.sharpness(model.sample(1000, mean=True), x).value, 4),
        "sharpness of samples": round(metrics.sharpness(model.sample(1000), x).value, 4),
    }


def blur(size: int, beta: float, seed: int) -> dict[str, float]:
    """Train a VAE of letters whose code has ``size`` numbers, to the end, and measure how sharp its pictures are.

    With β = 0 the noise on the code costs nothing to remove and goes to 0: an autoencoder without chance.
    """
    recipe = recipes.variant("vae-glyphs-2d", latent=size, beta=beta, hidden=[256, 256])
    model, data = recipe.build(seed), recipe.dataset()
    fit(model, data.train, replace(recipe.config(), seed=seed), progress=False)  # no early best: it would favour β = 1
    x, c = data.test.x, data.test.c
    torch.manual_seed(0)
    with torch.no_grad():
        noise = model.encode(x, c).std.median().item()  # a dimension that is not used may have any
    return {
        "reconstructions": round(metrics.sharpness(model.reconstruct(x, c), x).value, 4),
        "samples": round(metrics.sharpness(model.sample(len(x), c, mean=True), x).value, 4),
        "noise": round(noise, 4),
    }
