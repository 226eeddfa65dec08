"""The experiments of the chapter on adversarial networks."""

import time
from collections.abc import Callable
from dataclasses import replace

import torch

from .. import metrics, recipes
from ..data import toy
from ..explorers import Frame
from ..metrics.classifier_score import taught
from ..metrics.modes import collapse, modes_covered, near_modes
from ..models.gan import GAN
from ..nn import classifier
from ..training import Fit, train

SOURCES = (
    "training", "augment", "models.gan", "models.vae", "metrics.modes", "metrics.classifier_score", "metrics.images",
    "metrics.two_sample", "metrics.detection", "data.digits", "data.toy2d",
)  # fmt: skip
RECIPES = ("gan-ring", "gan-ring-plain", "gan-grid", "gan-digits-conditional", "vae-digits-conditional")
SEEDS = (0, 1, 2, 3, 4)
LOSSES = {
    "minimax": {"game": "minimax"},
    "non-saturating": {},
    "least squares": {"game": "least_squares"},
    "Wasserstein, penalty": {"game": "wasserstein", "penalty": 1.0},
    "non-saturating, mini-batch": {"look": {"neighbours": True}},
    "non-saturating, spectral": {"look": {"spectral": True}},
    "non-saturating, R1": {"r1": 0.1},
    "relativistic, R1 and R2": {"game": "relativistic", "r1": 0.1, "r2": 0.1},
}
"""Changes of the plain game; all else stays."""
CRITICS = {
    "learning rate × 1/30": {"critic_lr": 1 / 30},
    "learning rate × 1/10": {"critic_lr": 0.1},
    "equal": {},
    "learning rate × 3": {"critic_lr": 3.0},
    "4 critic steps": {"critic_steps": 4},
}
"""Critics from weak to strong, in a game that is otherwise plain, with momentum 0.5."""
PLANS = {
    "3,000 steps, calm soon": {"steps": 3000, "calm": 2800},
    "3,000 steps, calm late": {"steps": 3000, "calm": 4500},
    "4,000 steps, calm soon": {"steps": 4000, "calm": 2800},
}
"""Other lengths of the mended game on the grid, and steps over which its noise and slopes calm down."""
DRAWS = 10_000
WIDE = 25.0
"""Deviations around a mode within which a sample counts as on its side: half a unit, a third of the way to the next."""


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale."""
    results = {"losses": {}, "critics": {}, "mended": {}, "images": {}}
    for name in ("gan-ring", "gan-grid"):
        results["mended"][name] = [plane(recipes.get(name), seed) for seed in SEEDS]
        tell(f"{name}: {results['mended'][name]}")
    results["plans"] = {name: [planned(seed, **plan) for seed in SEEDS[:3]] for name, plan in PLANS.items()}
    tell(f"plans: {results['plans']}")
    for name in ("gan-digits-conditional", "vae-digits-conditional"):
        results["images"][name] = [pictures(recipes.get(name), seed) for seed in SEEDS[:3]]
        tell(f"{name}: {results['images'][name]}")
    results["real"] = round(real_score(), 4)
    for name, change in LOSSES.items():
        results["losses"][name] = [plane(recipes.variant("gan-ring-plain", **change), seed) for seed in SEEDS[:3]]
        tell(f"{name}: {results['losses'][name]}")
    for name, change in CRITICS.items():
        recipe = recipes.variant("gan-ring-plain", momentum=0.5, **change)
        results["critics"][name] = [plane(recipe, seed) for seed in SEEDS[:3]]
        tell(f"critic, {name}: {results['critics'][name]}")
    results["claims"] = {"C02": diverse(results), "C23": stronger(results)}
    return results


def planned(seed: int, *, steps: int, calm: int) -> dict[str, float]:
    """Play the mended game on the grid by another plan, and say what of the grid is covered."""
    found = plane(recipes.variant("gan-grid", calm=calm), seed, steps=steps)
    return {name: found[name] for name in ("covered", "near", "deserted")}


def plane(recipe: recipes.Recipe, seed: int, **changes) -> dict[str, float]:
    """Train a GAN of points, and measure its samples; its seconds are those that one thread was at work."""
    start = time.process_time()
    found = recipes.train(recipe, seed=seed, progress=False, **changes)
    seconds = time.process_time() - start
    return {**measure_plane(found.model, recipe), "seconds": round(seconds, 2)}


def measure_plane(model: GAN, recipe: recipes.Recipe) -> dict[str, float]:
    """Count the modes that samples cover, and what is deserted; the distance of samples from test points."""
    data, mixture = recipe.dataset(), toy(recipe.options["kind"])
    torch.manual_seed(0)
    x, known = model.sample(DRAWS), (mixture.centres, mixture.sigma)
    found = collapse(x, data.train.x[:2000], data.test.x[:500])
    with torch.no_grad():
        told = metrics.auroc(model.judge(data.test.x[:500]), model.judge(x[:500])).value
    return {
        "covered": modes_covered(x, *known),
        "reached": modes_covered(x, *known, radius=WIDE) if recipe.options["kind"] == "ring" else 0,
        "near": round(near_modes(x, *known).value, 4),
        "deserted": round(found.deserted.value, 4),
        "alarm": float(found.alarm),
        "distance": round(metrics.sliced_wasserstein(x[:1000], data.test.x[:1000]).value, 4),
        "critic": round(told, 4),
    }


def pictures(recipe: recipes.Recipe, seed: int) -> dict[str, float]:
    """Train a class-conditional model of digits, and measure its samples; seconds as for :func:`plane`."""
    start = time.process_time()
    found = recipes.train(recipe, seed=seed, progress=False)
    seconds = time.process_time() - start
    return {**measure_pictures(found, seed), "seconds": round(seconds, 2)}


def measure_pictures(found: Fit, seed: int = 0) -> dict[str, float]:
    """Return what 1,000 samples teach a classifier, their Fréchet ratio, what a judge reads, and what is deserted."""
    data, judge = recipes.get("gan-digits-conditional").dataset(), classifier("digits")
    asked = torch.arange(10).repeat_interleave(100)
    torch.manual_seed(seed)
    with torch.no_grad():
        x = (16 * found.model.sample(1000, asked)).round() / 16  # the 17 grey levels of the data
        read = metrics.accuracy(judge(x), asked).value
        desert = collapse(*(judge.features(v) for v in (x, data.train.x, data.test.x))).deserted.value
    ratio = metrics.frechet_ratio(data.train.x, data.test.x, x, judge.features, resamples=2).value
    return {
        "taught": round(taught(x, asked, data.test.x, data.test.c).float().mean().item(), 4),
        "ratio": round(ratio, 3),
        "obeyed": round(read, 4),
        "deserted": round(desert, 4),
    }


def real_score() -> float:
    """Return how many test digits a classifier gets right that learnt from the real training digits."""
    data = recipes.get("gan-digits-conditional").dataset()
    return taught(data.train.x, data.train.c, data.test.x, data.test.c).float().mean().item()


def watch(name: str, seed: int = 0, *, frames: int = 24, side: int = 24, extent: float = 3.0, **change) -> list[Frame]:
    """Train a GAN of points and keep moments of its game: ever more steps apart, since it moves fastest at first."""
    recipe = recipes.variant(name, **change)
    model, data = recipe.build(seed), replace(recipe.dataset().train, c=None)
    config = replace(recipe.config(), seed=seed)
    wanted = {round(config.steps * (i / (frames - 1)) ** 1.5) for i in range(1, frames)} | {1}
    places, z = (
        metrics.plane(extent, side)[0],
        torch.randn(200, model.latent, generator=torch.Generator().manual_seed(0)),
    )
    kept = []
    for step in train(model, data, config):
        if step.i + 1 in wanted:
            judge = step.average.eval()
            with torch.no_grad():
                kept.append(Frame(step.i + 1, judge.generate(z), model.eval().judge(places).view(side, side)))
            model.train()
    return kept


def mean(runs: list[dict], name: str) -> float:
    """Return the mean of one number over runs."""
    return sum(run[name] for run in runs) / len(runs)


def diverse(results: dict) -> str:
    """Put claim C02 in a sentence, from the record's own numbers."""
    plain, mended = results["losses"]["non-saturating"], results["losses"]["relativistic, R1 and R2"]
    gan, vae = (results["images"][f"{kind}-digits-conditional"] for kind in ("gan", "vae"))
    ring, grid = results["mended"]["gan-ring"], results["mended"]["gan-grid"]
    return (
        f"Both happen, and the loss decides. With the same networks and steps, the plain game reaches "
        f"{mean(plain, 'reached'):.1f} of 8 modes on average, the relativistic one with R1 and R2 "
        f"{mean(mended, 'reached'):.1f}; trained longer and calmed slowly it covers "
        f"{min(run['covered'] for run in ring)} of 8 and, on a grid, {min(run['covered'] for run in grid)} of 25 in "
        f"the worst of {len(SEEDS)} seeds, with {mean(ring, 'near'):.0%} and {mean(grid, 'near'):.0%} of samples on a "
        f"mode. On digits, the Fréchet ratio of its samples is "
        f"{mean(gan, 'ratio'):.1f} against {mean(vae, 'ratio'):.1f} for a VAE, and a classifier taught by them alone "
        f"gets {mean(gan, 'taught'):.0%} of real digits right against {mean(vae, 'taught'):.0%}."
    )


def stronger(results: dict) -> str:
    """Put claim C23 in a sentence, from the record's own numbers."""
    critics = results["critics"]
    weak, equal = critics["learning rate × 1/30"], critics["equal"]
    strong = min(mean(critics[name], "distance") for name in ("learning rate × 3", "4 critic steps"))
    if strong > 1.1 * mean(equal, "distance"):
        beyond = "beyond that it gets worse again"
    else:
        beyond = (
            "beyond that little is gained" if strong > 0.8 * mean(equal, "distance") else "and still stronger is better"
        )
    return (
        f"Up to a point. With a critic that learns a thirtieth as fast, samples lie {mean(weak, 'distance'):.2f} from "
        f"the data; with one that learns as fast as the generator, {mean(equal, 'distance'):.2f}; with the better of "
        f"two stronger ones, {strong:.2f}: {beyond}. A critic that is ahead helps only while its slope still tells the "
        f"generator where to go."
    )
