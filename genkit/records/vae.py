"""The experiments of the chapter on variational autoencoders."""

from collections.abc import Callable

import torch

from .. import metrics, recipes
from ..models.vae import VAE
from ..training import Fit

SOURCES = ("training", "augment", "models.vae", "metrics", "data.digits")
SEEDS = (0, 1, 2)
BETAS = (0.1, 0.3, 1.0, 2.0, 4.0, 10.0)
PIXELS = {
    "categorical": {"pixels": "categorical"},
    "one bell": {"components": 1},
    "three bells": {"components": 3},
}


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about four minutes on one thread."""
    test = recipes.get("vae-digits").dataset().test.x
    results = {"seeds": [], "pixels": {}, "beta": {}, "code": {}}
    for seed in SEEDS:
        fit = variant(seed)
        results["seeds"].append({"seed": seed, **measure(fit, test), "seconds": round(fit.seconds, 2)})
        tell(f"vae-digits, seed {seed}: {results['seeds'][-1]}")
    for name, change in PIXELS.items():
        results["pixels"][name] = [measure(variant(seed, **change), test) for seed in SEEDS]
        tell(f"{name}: {results['pixels'][name]}")
    for beta in BETAS:
        results["beta"][str(beta)] = [measure(variant(seed, beta=beta), test) for seed in SEEDS]
        tell(f"beta {beta}: {results['beta'][str(beta)]}")
    return results


def variant(seed: int, **change) -> Fit:
    """Train the chapter's model with some of its arguments changed."""
    return recipes.train(recipes.variant("vae-digits", **change), seed=seed, progress=False)


def measure(fit: Fit, x: torch.Tensor) -> dict[str, float]:
    """Return the chapter's numbers of one trained model on the test images."""
    model: VAE = fit.model
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
