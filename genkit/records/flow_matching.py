"""The experiments of the chapter on flow matching."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from .. import metrics, recipes
from ..base import Generative, Terms, rows
from ..data import toy
from ..metrics.classifier_score import gap, taught
from ..metrics.paths import crossings, mixture_velocity, straightness
from ..models.flow_matching import FlowMatching, flow_matching
from ..models.reflow import Reflow
from ..nn import classifier
from ..sampling import guided, solve, times
from ..training import Fit, TrainConfig, fit

SOURCES = (
    "training", "augment", "models.flow_matching", "models.reflow", "models.vae", "metrics.images", "metrics.paths",
    "metrics.detection", "metrics.two_sample", "metrics.classifier_score", "data.digits", "data.toy2d",
)  # fmt: skip
RECIPES = ("flow_matching-digits", "flow_matching-moons", "vae-digits-conditional")
SEEDS = (0, 1, 2)
STEPS = (1, 2, 4, 8, 50)
SWEEP = (0.0, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0)
GUIDANCE = 1.5
PAIRS = {"pairs": 4000, "knobs": {"steps": 10, "method": "heun", "guidance": GUIDANCE}}
STRAIGHTEN = TrainConfig(steps=500, batch=256, lr=4e-3, ema=0.99, warmup=20)
DISTIL = TrainConfig(steps=300, batch=256, lr=2e-3, ema=0.98, warmup=20)
MOONS = TrainConfig(steps=300, batch=256, lr=2e-3, ema=0.98, warmup=20)
DRAWS, LESSONS = 1000, 5000


class CosineNoise(FlowMatching):
    """The rival: the same network on the path of diffusion, asked for the noise, sampled by DDIM.

    The path is x_t = cos(πt/2) x + sin(πt/2) ε, the loss that of Ho et al. (2020), eq. 14. Guesses at the data are cut
    to [−1, 1], as is customary, and sampling begins just below t = 1, where a guess at the data would divide by zero.
    """

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the squared error of the noise, shape (B,)."""
        x, eps = self.stretch(x), torch.randn_like(x)
        t = self.draw(len(x), x.device)
        a, s = (f(math.pi / 2 * t).view(-1, *(1 for _ in self.shape)) for f in (torch.cos, torch.sin))
        return {"loss": (self.velocity(a * x + s * eps, t, self.hide(c)) - eps).square().flatten(1).mean(1)}

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, steps: int = 50, guidance: float = 1.0, start=None):
        """Yield n examples after each step of DDIM (Song et al. 2021, eq. 12)."""
        x = torch.randn(n, *self.shape) if start is None else start
        net, c = guided(self.velocity, guidance), rows(c, n)
        for now, then in pairwise(times(steps, start=0.98)):
            a, s, b, r = (f(math.pi / 2 * t) for t in (now, then) for f in (math.cos, math.sin))
            clean = ((x - s * net(x, torch.full((n,), now), c)) / a).clamp(-1, 1)
            x = b * clean + r * (x - a * clean) / s
            yield self.shrink(x)


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about six minutes on one thread."""
    results = {name: [] for name in ("digits", "steps", "guidance", "ablation", "moons", "rival", "distilled")}
    for seed in SEEDS:
        for name, found in digits(seed).items():
            results[name].append(found)
            tell(f"seed {seed}, {name}: {found}")
        results["moons"].append(moons(seed))
        tell(f"seed {seed}, moons: {results['moons'][-1]}")
        results["ablation"].append(ablation(seed))
        tell(f"seed {seed}, ablation: {results['ablation'][-1]}")
        results["rival"].append(rival(seed))
        tell(f"seed {seed}, rival: {results['rival'][-1]}")
    results["real"] = round(real().double().mean().item(), 4)
    return results


def digits(seed: int) -> dict[str, dict]:
    """Train the flow, straighten it and distil it; measure each on test digits."""
    found = recipes.train(recipes.get("flow_matching-digits"), seed=seed, progress=False)
    teacher, begun = found.model, time.perf_counter()
    straight, making = straighten(teacher, seed)
    reflowed = time.perf_counter() - begun
    short = train_stage(straight.again(untrained(times="last")), DISTIL, seed)
    direct = Reflow(teacher, untrained(times="last"), **PAIRS)
    direct = train_stage(direct, replace(DISTIL, steps=STRAIGHTEN.steps + DISTIL.steps), seed)
    steps = {f"flow, {k}": distance(teacher, k, guidance=GUIDANCE) for k in STEPS}
    steps |= {f"flow, cosine, {k}": distance(teacher, k, path=cosine_path(k), guidance=GUIDANCE) for k in STEPS}
    steps |= {f"reflow, {k}": distance(straight, k) for k in STEPS}
    steps |= {"distilled, 1": distance(short.model, 1), "distilled at once, 1": distance(direct.model, 1)}
    start, c = torch.randn(500, 1, 8, 8, generator=torch.Generator().manual_seed(seed)), torch.arange(500) % 10
    bend = {
        "flow": straightness(travel(teacher, start, c, guidance=GUIDANCE)).value,
        "reflow": straightness(travel(straight, start, c)).value,
    }
    return {
        "digits": {
            "seconds": round(found.seconds, 2), **lessons(teacher),
            "bend": round(bend["flow"], 4), "bend, reflow": round(bend["reflow"], 4), "pairs, seconds": making,
            "reflow, seconds": round(reflowed, 2), "distil, seconds": round(short.seconds, 2),
            "reflow score": score(straight, steps=4)[0], "distilled score": score(short.model, steps=1)[0],
        },
        "steps": steps,
        "guidance": {f"{key}, {w}": value for w in SWEEP for key, value in guide(teacher, w).items()},
        "distilled": {"seconds": round(direct.seconds, 2)},
    }  # fmt: skip


def untrained(**change) -> FlowMatching:
    """Return an untrained flow with the network of the chapter."""
    return flow_matching(**recipes.get("flow_matching-digits").arguments | change)


def straighten(teacher: Generative, seed: int) -> tuple[Reflow, float]:
    """Return a reflow of a teacher, trained, and the seconds that its pairs took."""
    model, begun = Reflow(teacher, untrained(), **PAIRS), time.perf_counter()
    torch.manual_seed(seed)
    model.make()
    making = time.perf_counter() - begun
    return train_stage(model, STRAIGHTEN, seed).model, round(making, 2)


def train_stage(model: Generative, config: TrainConfig, seed: int, *, progress: bool = False) -> Fit:
    """Train a stage on its own pairs; the data it is handed are only counted."""
    data = recipes.get("flow_matching-digits").dataset().train
    return fit(model, data, replace(config, seed=seed), progress=progress)


def travel(
    model, start: Tensor, c: Tensor | None = None, *, guidance: float = 1.0, steps: int = 40, path=None
) -> Tensor:
    """Return the places at evenly spaced times from noise to data, uncut: shape (steps + 1, B, …)."""
    return torch.stack([start, *walk(model, start, c, guidance=guidance, path=path or times(steps))])


@torch.no_grad()
def walk(model, start: Tensor, c: Tensor | None, *, guidance: float, path: list[float]) -> Iterator[Tensor]:
    """Follow a model's velocity from noise along given times."""
    yield from solve(guided(model.velocity, guidance), start, path, c)


def cosine_path(steps: int) -> list[float]:
    """Return where on the straight path the even steps of a cosine path lie: σ / (α + σ)."""
    angles = [math.pi / 2 * t for t in times(steps)]
    return [math.sin(u) / (math.sin(u) + math.cos(u)) for u in angles]


def drawn(model, steps: int, *, n: int = DRAWS, path=None, **knobs) -> tuple[Tensor, Tensor]:
    """Draw n digits, as many of each class, from the same noise every time; return them with their labels."""
    start, c = torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(9)), torch.arange(n) % 10
    if path is None:
        return model.sample(n, c, start=start, steps=steps, **knobs), c
    *_, x = walk(model, start, c, path=path, **knobs)
    return model.shrink(x), c


def distance(model, steps: int, **knobs) -> float:
    """Return the Fréchet distance of draws from the test digits, over that of the training digits."""
    data, judge = recipes.get("flow_matching-digits").dataset(), classifier("digits")
    x, _ = drawn(model, steps, **knobs)
    return round(metrics.frechet_ratio(data.train.x, data.test.x, x, judge.features, resamples=2).value, 3)


def guide(model, w: float, steps: int = 20) -> dict[str, float]:
    """Return distance, obedience and spread of draws under guidance w."""
    judge = classifier("digits")
    x, c = drawn(model, steps, guidance=w)
    spread = torch.stack([x[c == k].var(0).sum().sqrt() for k in range(10)]).mean().item()
    return {
        "frechet": distance(model, steps, guidance=w), "obeyed": round(metrics.accuracy(judge(x), c).value, 4),
        "spread": round(spread, 4),
    }  # fmt: skip


def real() -> Tensor:
    """Return which test digits a classifier gets right that learnt from the training digits."""
    data = recipes.get("flow_matching-digits").dataset()
    return taught(data.train.x, data.train.c, data.test.x, data.test.c)


def score(model, *, n: int = LESSONS, **knobs) -> tuple[float, float, float]:
    """Return the score of a classifier taught on n samples alone, its gap to one taught on real digits, its error."""
    test = recipes.get("flow_matching-digits").dataset().test
    right = taught(*drawn(model, n=n, **knobs), test.x, test.c)
    found = gap(right, real())
    return round(right.double().mean().item(), 4), round(found.value, 4), round(found.stderr, 4)


def lessons(model) -> dict[str, float]:
    """Return the scores of classifiers taught on few samples and many, drawn with guidance and without."""
    found = {}
    for n in (1000, LESSONS):
        for w in (1.0, GUIDANCE):
            keys = (f"score, {n}, {w}", f"gap, {n}, {w}", f"error, {n}, {w}")
            found |= dict(zip(keys, score(model, n=n, steps=20, guidance=w), strict=True))
    return found


def moons(seed: int) -> dict[str, float]:
    """Train flows on two moons, with noise coupled at random and by transport; straighten the first and distil it."""
    recipe, found = recipes.get("flow_matching-moons"), {}
    models = {
        name: recipes.train(recipes.variant(recipe.name, coupling=coupling), seed=seed, progress=False)
        for name, coupling in (("flow", "independent"), ("transport", "optimal"))
    }
    begun = time.perf_counter()
    models["reflow"] = bend_moons(models["flow"].model, seed)
    found["reflow, seconds with pairs"] = round(time.perf_counter() - begun, 2)
    found["field error"] = round(field_error(models["flow"].model), 4)
    for name, run in models.items():
        found |= {f"{name}, {key}": value for key, value in judge_moons(run.model, seed).items()}
        found[f"{name}, seconds"] = round(run.seconds, 2)
    return found


def bend_moons(teacher: Generative, seed: int, *, progress: bool = False) -> Fit:
    """Return a reflow of a teacher in the plane, trained."""
    student = flow_matching(**recipes.get("flow_matching-moons").arguments)
    model = Reflow(teacher, student, pairs=10_000, knobs={"steps": 20, "method": "heun"})
    data = replace(recipes.get("flow_matching-moons").dataset().train, c=None)
    return fit(model, data, replace(MOONS, seed=seed), progress=progress)


def judge_moons(model, seed: int) -> dict[str, float]:
    """Return distances of samples after few steps and many, straightness, length of way, and crossings of lines."""
    test = recipes.get("flow_matching-moons").dataset().test.x
    start = torch.randn(900, 2, generator=torch.Generator().manual_seed(seed))
    path = travel(model, start, steps=50)
    found = {str(k): metrics.sliced_wasserstein(travel(model, start, steps=k)[-1], test[:900]).value for k in STEPS}
    found["bend"] = straightness(path).value
    found["length"] = (path[-1] - path[0]).square().sum(1).mean().item()
    found["crossings"] = crossings(start[:300], path[-1][:300]).value
    return {name: round(value, 4) for name, value in found.items()}


def field_error(model, seed: int = 5) -> float:
    """Return the mean squared error of a velocity in the plane, as a share of the true velocity's mean square."""
    mixture, generator = toy("moons"), torch.Generator().manual_seed(seed)
    x, _ = mixture.sample(2000, generator)
    t, eps = torch.rand(2000, generator=generator), torch.randn(2000, 2, generator=generator)
    x_t = (1 - t[:, None]) * x + t[:, None] * eps
    truth = mixture_velocity(x_t, t, mixture.centres, mixture.sigma)
    with torch.no_grad():
        said = model.velocity(x_t, t)
    return ((said - truth).square().sum(1).mean() / truth.square().sum(1).mean()).item()


def ablation(seed: int) -> dict[str, float]:
    """Train the flow of digits with other times, and with noise coupled by transport within each class."""
    found = {}
    for name, change in {"logit-normal": {"times": "logit_normal"}, "transport": {"coupling": "optimal"}}.items():
        run = recipes.train(recipes.variant("flow_matching-digits", **change), seed=seed, progress=False)
        found |= {f"{name}, {k}": distance(run.model, k, guidance=GUIDANCE) for k in (1, 4, 50)}
        found[f"{name}, seconds"] = round(run.seconds, 2)
    return found


def rival(seed: int) -> dict[str, float]:
    """Train the same network on the noise loss, and the conditional VAE; measure draws of both."""
    recipe = recipes.get("flow_matching-digits")
    torch.manual_seed(seed)
    flow = untrained()
    noise = CosineNoise(flow.network, shape=flow.shape, classes=10, bounds=flow.bounds)
    run = fit(
        noise, recipe.dataset().train, replace(recipe.config(), seed=seed), augment=recipes.AUGMENT["shift"],
        progress=False,
    )  # fmt: skip
    found = {f"noise, {k}": distance(noise, k, guidance=GUIDANCE) for k in STEPS}
    vae = recipes.train(recipes.get("vae-digits-conditional"), seed=seed, progress=False)
    data, c = recipe.dataset(), torch.arange(DRAWS) % 10
    torch.manual_seed(seed)
    draws = vae.model.sample(DRAWS, c)
    ratio = metrics.frechet_ratio(data.train.x, data.test.x, draws, classifier("digits").features, resamples=2)
    return found | {
        "noise, seconds": round(run.seconds, 2), "vae": round(ratio.value, 3), "vae, seconds": round(vae.seconds, 2),
    }  # fmt: skip
