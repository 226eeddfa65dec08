"""The experiments of the chapter on the bake-off."""

import math
import statistics
from collections.abc import Callable

import torch
from torch import Tensor

from ..bake_off import Contestant, Judge, baked, bound_by_flow, copies, enter, memory, one_gaussian, speed
from ..bake_off_plans import PLANS, RATES
from ..data import Dataset, load
from ..family_tree import Passes
from ..metrics.images import frechet
from ..metrics.likelihood import bits_per_dim
from ..nn.classifier import classifier
from ..ranking import ranks
from . import growth

SOURCES = (
    "bake_off", "bake_off_plans", "picture_forms", "peak", "ranking", "growth", "training", "families",
    "metrics.images", "metrics.manifold", "metrics.inception", "metrics.two_sample", "metrics.copying",
    "metrics.class_counts", "metrics.flow_ode", "metrics.likelihood", "data.digits",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2)
TRIED = 2  # times the steps of the plans, for every learning rate that is tried
BUDGETS = (1, 12)
"""Times the steps of the plans: the sprint, which the page runs before your eyes, and the long race."""
DRAWS = 1000
KEPT = 12  # pictures of each, for the page
STEPS = (1, 2, 4, 8, 16, 32, 128)
YARDSTICKS = {
    "frechet": "low", "precision": "high", "recall": "high", "coverage": "high", "wasserstein": "low",
    "class score": "high", "bits": "low", "a second": "high", "one, ms": "low", "drawing, MB": "low",
    "parameters": "low",
}  # fmt: skip
"""What contestants are ranked by, and which end of it is best."""


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about a quarter of an hour on one thread."""
    data = load("digits", split="random")
    results: dict = {"tries": {}, "races": {str(b): {} for b in BUDGETS}, "samples": {}, "kinds": {}, "sizes": {}}
    for name in PLANS:
        results["tries"][name] = tries(name, data)
        results["sizes"][name] = {k: round(v, 3) for k, v in sizes(name, data).items()}
        tell(f"{name}: {results['tries'][name]}, {results['sizes'][name]}")
    results["means"] = {name: [] for name in with_means()}
    results["ladder"] = []
    for budget in BUDGETS:
        for name in PLANS:
            rows = []
            for seed in SEEDS:
                contestant = ready(name, data, seed, budget, results["tries"])
                row, samples, kind = judged(contestant, data, seed)
                rows.append(row)
                if budget == BUDGETS[-1]:
                    results["kinds"][name] = kind
                    if seed == SEEDS[0]:
                        results["samples"][name] = levels(samples[:KEPT], data)
                    if name in results["means"]:
                        results["means"][name].append(by_means(contestant, data))
                    if name == "diffusion":
                        results["ladder"].append(ladder(contestant, data))
            results["races"][str(budget)][name] = rows
            tell(f"{budget} × {name}: {rows}")
    results["growth"] = growth.measure(tell)
    results["real"] = {name: [judge(data)(x) for x in sets] for name, sets in references(data).items()}
    results["claims"] = {name: verdict(results) for name, verdict in VERDICTS.items()}
    tell(str(results["claims"]))
    return results


# the tries ------------------------------------------------------------------------------------------------------------


@torch.no_grad()
def seen(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the features and the logits of the classifier of digits."""
    net = classifier("digits")
    features = net.features(x)
    return features, net.head(features)


def judge(data: Dataset) -> Judge:
    """Return the yardsticks on the test digits."""
    return Judge(data, seen)


def tries(name: str, data: Dataset) -> list[float]:
    """Return the Fréchet distance from the validation digits for every learning rate that is tried."""
    real = seen(data.valid.x)[0]
    found = []
    for rate in RATES:
        try:
            contestant = baked(name, data, seed=100, budget=TRIED, rate=rate)
        except FloatingPointError:  # the loss became NaN: too fast
            found.append(math.inf)
            continue
        torch.manual_seed(100)
        found.append(round(frechet(real, seen(contestant.sample(500))[0]), 3))
    return found


def chosen(tried: dict[str, list[float]], name: str) -> float:
    """Return the learning rate, times that of the plan, that did best for a contestant."""
    return RATES[tried[name].index(min(tried[name]))]


# the race -------------------------------------------------------------------------------------------------------------


def ready(name: str, data: Dataset, seed: int, budget: float, tried: dict, progress: bool = False) -> Contestant:
    """Return a contestant that has trained at the learning rate that was best for it."""
    return baked(name, data, seed=seed, budget=budget, rate=chosen(tried, name), progress=progress)


def judged(
    contestant: Contestant, data: Dataset, seed: int, *, draws: int = DRAWS, thorough: bool = True
) -> tuple[dict[str, float], Tensor, str]:
    """Return all numbers of a trained contestant, its samples, and what its likelihood is.

    ``thorough`` follows the flow of a velocity for a bound, too, which takes a few seconds.
    """
    torch.manual_seed(seed)
    samples, rates = speed(contestant, draws)
    row = {"seconds": contestant.seconds, **judge(data)(samples), **rates}
    said = contestant.likelihood(data.test.x)
    if said is None and thorough:
        said = bound_by_flow(contestant, data.test.x[:200])
    if said is not None:
        row["bits"] = bits_per_dim(said, data.test.x[0].numel()).value
    own = contestant.model.likelihood != "none"  # the flow of a velocity, followed in steps, is an estimate
    kind = "none" if said is None else said.kind if own else "estimate"
    return {k: round(v, 4) for k, v in row.items()}, samples, kind


def sizes(name: str, data: Dataset) -> dict[str, float]:
    """Return what of a contestant does not depend on a seed: parameters, memory, passes, and pictures it is shown."""
    contestant = enter(name, data)
    config = contestant.plan.config
    return {
        "parameters": sum(p.numel() for p in contestant.model.parameters()),
        "pictures shown": config.steps * config.batch,
        "passes": _passes(contestant),
        **memory(name, data),
    }


def _passes(contestant: Contestant) -> int:
    """Return how often the busiest layer runs to draw one picture; for a machine without layers, its steps."""
    with Passes(contestant.model) as counted:
        steps = sum(1 for _ in contestant.model.trajectory(1, **contestant.plan.knobs))
    return counted.most or steps


def levels(x: Tensor, data: Dataset) -> list[list[int]]:
    """Return pictures as whole numbers, row after row, for the record."""
    return (x * (data.levels - 1)).round().int().flatten(1).tolist()


def pictures(kept: list[list[int]], data: Dataset) -> Tensor:
    """Return pictures that the record keeps."""
    return torch.tensor(kept).view(-1, *data.shape) / (data.levels - 1)


def references(data: Dataset) -> dict[str, list[Tensor]]:
    """Return sets that no network drew: one Gaussian's, training digits, and digits nobody has seen."""
    return {
        "one Gaussian": [one_gaussian(data, DRAWS, seed) for seed in SEEDS],
        "the training digits again": [copies(data, DRAWS, seed) for seed in SEEDS],
        "new real digits": [data.valid.x],
    }


# means, and steps -----------------------------------------------------------------------------------------------------


def with_means() -> list[str]:
    """Return the contestants that can show the means of their pixels in place of draws."""
    return ["VAE", "latent diffusion"]


def by_means(contestant: Contestant, data: Dataset) -> dict[str, float]:
    """Return sharpness and Fréchet ratio of means of pixels, in place of draws."""
    torch.manual_seed(0)
    found = judge(data)(contestant.sample(DRAWS, mean=True))
    return {name: round(found[name], 4) for name in ("sharpness", "frechet", "precision", "recall")}


def ladder(contestant: Contestant, data: Dataset) -> dict[str, list[float]]:
    """Return the Fréchet ratio and the pictures a second of a diffusion, by its number of steps."""
    found: dict[str, list[float]] = {"frechet": [], "a second": []}
    for steps in STEPS:
        torch.manual_seed(0)
        samples, rates = speed(contestant, DRAWS, steps=steps)
        found["frechet"].append(round(judge(data)(samples)["frechet"], 3))
        found["a second"].append(round(rates["a second"], 1))
    return found


# ranks and verdicts ---------------------------------------------------------------------------------------------------


def table(results: dict, budget: int) -> dict[str, dict[str, float]]:
    """Return the mean of every number over seeds, by contestant, with what does not depend on a seed."""
    rows = {}
    for name, runs in results["races"][str(budget)].items():
        rows[name] = {k: statistics.fmean(r[k] for r in runs) for k in runs[0]} | results["sizes"][name]
    return rows


def ranking(rows: dict[str, dict[str, float]]) -> dict[str, Tensor]:
    """Return the ranks of all contestants by every yardstick; NaN for one that has no such number."""
    return {
        name: ranks([row.get(name, math.nan) for row in rows.values()], best=best) for name, best in YARDSTICKS.items()
    }


def rich(results: dict) -> str:
    """Put claim C02 in a sentence: are a GAN's samples good, are they diverse, or do they collapse?"""
    rows, runs = table(results, BUDGETS[-1]), results["races"][str(BUDGETS[-1])]["GAN"]
    place = {name: int(r[list(PLANS).index("GAN")]) for name, r in ranking(rows).items() if name in rows["GAN"]}
    worst = max(run["worst class"] for run in runs)
    high = place["frechet"] <= len(PLANS) / 3
    diverse = place["recall"] <= len(PLANS) / 3
    opening = {2: "True here", 1: "Half true", 0: "Neither, here"}[high + diverse]
    early = table(results, BUDGETS[0])["GAN"]["recall"]
    collapsed = "It has not collapsed" if rows["GAN"]["recall"] > 0.5 else "It has collapsed"
    gone = "no digit is missing" if worst < 4 else f"one digit is missing by {worst:.1f} deviations in the worst seed"
    return (
        f"{opening}. Among {len(PLANS)} models of one budget the GAN is number {place['frechet']} by Fréchet distance, "
        f"{place['precision']} by precision and {place['recall']} by recall, over {len(SEEDS)} seeds; {gone}. "
        f"{collapsed}: {rows['GAN']['recall']:.2f} of the real digits lie among its samples. That takes time: after "
        f"the sprint it was {early:.2f}."
    )


def blurred(results: dict) -> str:
    """Put claim C03 in a sentence: is it the probability that blurs?"""
    rows = table(results, BUDGETS[-1])
    means = statistics.fmean(r["sharpness"] for r in results["means"]["VAE"])
    distance = statistics.fmean(r["frechet"] for r in results["means"]["VAE"])
    draws, pixels = rows["VAE"]["sharpness"], rows["PixelCNN"]["sharpness"]
    opening = "False" if draws > 0.9 and pixels > 0.9 > means else "Half true"
    return (
        f"{opening}. Drawn from its pixel distribution, a VAE's digits have {draws:.2f} of the edge strength of "
        f"real ones; shown as means, as is usual, {means:.2f}. The PixelCNN has the same pixel distribution and is as "
        f"probabilistic: {pixels:.2f}. Blur is what a mean does, and grain what independent draws do; by Fréchet "
        f"distance the draws stand at {rows['VAE']['frechet']:.1f}, the means at {distance:.1f}."
    )


def cheap(results: dict) -> str:
    """Put claim C04 in a sentence: do flows draw faster than all others, and are they cheaper?"""
    rows = table(results, BUDGETS[-1])
    rate = {name: row["a second"] for name, row in rows.items()}
    place = sorted(rate, key=rate.get, reverse=True).index("flow") + 1
    quality = int(ranking(rows)["frechet"][list(PLANS).index("flow")])
    opening = "Half true" if (place <= 3) != (quality <= 3) else "True here" if place <= 3 else "False here"
    bits = min(row.get("bits", math.inf) for row in rows.values())
    return (
        f"{opening}. The coupling flow is number {place} of {len(PLANS)} by pictures drawn in a second, "
        f"{rate['flow']:,.0f} of them; the spline flow, which undoes itself pixel by pixel, draws "
        f"{rate['spline flow']:,.0f}. For the same training time it is number {quality} by Fréchet distance, and its "
        f"{rows['flow']['bits']:.2f} bits a pixel stand beside {bits:.2f} for the best. Fast to draw is not cheap to "
        f"train."
    )


def all_at_once(results: dict) -> str:
    """Put claim C06 in a sentence: does diffusion draw pixel by pixel, and is it slow?"""
    rows = table(results, BUDGETS[-1])
    one, other = rows["diffusion"], rows["PixelCNN"]
    steps = len(results["ladder"][0]["frechet"])
    quality = [statistics.fmean(run["frechet"][i] for run in results["ladder"]) for i in range(steps)]
    near = next(n for n, q in zip(STEPS, quality, strict=True) if q < 1.1 * min(quality))
    rate = {name: row["a second"] for name, row in rows.items()}
    faster = [name for name in rate if rate[name] > rate["diffusion"]]
    opening = "False, both parts, here" if len(faster) < len(rate) / 2 else "False in its first part"
    return (
        f"{opening}. Each of its {one['passes']:.0f} passes changes all 64 pixels; the model that does draw pixel by "
        f"pixel is the PixelCNN, in {other['passes']:.0f} passes. {near} steps are within a tenth of the best that any "
        f"number reaches. With {one['passes']:.0f} it draws {rate['diffusion']:,.0f} pictures in a second, the "
        f"PixelCNN {rate['PixelCNN']:,.0f}. Of {len(rate)} models {len(faster)} are faster: "
        f"{', '.join(f'{name} ({rate[name]:,.0f})' for name in faster)}."
    )


VERDICTS: dict[str, Callable[[dict], str]] = {"C02": rich, "C03": blurred, "C04": cheap, "C06": all_at_once}
