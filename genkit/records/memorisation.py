"""The experiments of the chapter on learning and copying."""

from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import Tensor

from .. import augment, metrics
from ..base import Generative
from ..data import Dataset, Split, load, toy
from ..families import build
from ..nn import classifier
from ..randomness import randomness_of
from ..training import Fit, TrainConfig, fit, train

SOURCES = (
    "training", "augment", "models.flow_matching", "nn.field", "metrics.copying", "metrics.replicas", "metrics.images",
    "data.digits", "data.toy2d",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2)
POINTS = 1000  # in the plane, to learn from
BELLS = (1, 3, 10, 30, 100, 300, 1000)
SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.0)
DRAWS = (50, 200, 450)  # samples, and as many test digits
TRIALS = 60
RARE = 0.00135  # as rare as a z below −3
SIZES = (50, 100, 300, 1000)
STEPS, EVERY = 1000, 100
FEW, MANY = 50, 1000
TIMES = (1, 2, 4, 8, 16, 32, 64)
EACH, BASE = 2, 300  # digits for each number of times, among so many different ones


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about five minutes on one thread."""
    results: dict = {"plane": [], "power": {}, "sizes": {}, "duplicates": [], "mends": {}}
    for seed in SEEDS:
        results["plane"].append({str(bells): score for bells, score in plane(seed).items()})
        tell(f"plane, seed {seed}: {results['plane'][-1]}")
    for draws in DRAWS:
        results["power"][str(draws)] = [power(seed, draws) for seed in SEEDS]
        tell(f"power, {draws}: {results['power'][str(draws)]}")
    for n in SIZES:
        results["sizes"][str(n)] = [list(watched(some(n, seed), seed)) for seed in SEEDS]
        tell(f"{n} digits: {[rows[-1] for rows in results['sizes'][str(n)]]}")
    for seed in SEEDS:
        results["duplicates"].append(duplicates(seed))
        tell(f"duplicates, seed {seed}: {results['duplicates'][-1]}")
    results["mends"] = mends(results["sizes"])
    tell(f"mends: {results['mends']}")
    results["claims"] = {"C13": verdict(results)}
    return results


# in the plane ---------------------------------------------------------------------------------------------------------


def moons(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return training points, test points, and as many fresh ones that nobody trains or tests with."""
    drawn = toy("moons").sample(POINTS + 2000, torch.Generator().manual_seed(seed))[0]
    return drawn.split([POINTS, 1000, 1000])


def mixture(x: Tensor, bells: int, seed: int = 0, *, floor: float = 1e-4) -> Callable[[int], Tensor]:
    """Fit a mixture of Gaussians whose variances are at least ``floor``; return what draws n points from it."""
    from sklearn.mixture import GaussianMixture

    found = GaussianMixture(bells, reg_covar=floor, random_state=seed, max_iter=50, tol=1e-2).fit(x.double().numpy())
    found.random_state = seed + 1
    return lambda n: torch.from_numpy(found.sample(n)[0]).float()[torch.randperm(n)]


def plane(seed: int) -> dict[int, float]:
    """Return the copying score of mixtures, by the number of their bells."""
    x, test, _ = moons(seed)
    return {k: round(metrics.copy_score(x, test, mixture(x, k, seed)(1000)).value, 3) for k in BELLS}


# the power of the test ------------------------------------------------------------------------------------------------


@cache
def digits() -> Dataset:
    """Return the digits, mixed, so that the same people wrote the training digits and the test digits."""
    return load("digits", split="random")


@cache
def pool() -> Tensor:
    """Return all 1,797 digits."""
    data = digits()
    return torch.cat([data.train.x, data.valid.x, data.test.x])


def copies(x: Tensor, noise: float = 0.02) -> Tensor:
    """Return examples with a little noise on them, which no eye sees."""
    return x + noise * torch.randn_like(x)


def blend(train: Tensor, fresh: Tensor, share: float) -> Tensor:
    """Return as many samples as ``fresh`` has, of which a share are copies of training examples and the rest fresh."""
    n = round(share * len(fresh))
    return torch.cat([copies(train[torch.randint(len(train), (n,))]), fresh[n:]])


def power(seed: int, draws: int, trials: int = TRIALS) -> dict[str, float]:
    """Return how often copies are caught, by their share: by the rank test, and by the nearest few."""
    found: dict[str, float] = {}
    with randomness_of(seed, 0, 0, torch.device("cpu")):
        for share in SHARES:
            scores, few = [], []
            for _ in range(trials):
                rows = pool()[torch.randperm(len(pool()))]
                x, test, fresh = rows[:800], rows[800 : 800 + draws], rows[1300 : 1300 + draws]
                samples = blend(x, fresh, share)
                scores.append(metrics.copy_score(x, test, samples).value)
                few.append(metrics.nearest_few(x, test, samples))
            z, p = torch.tensor(scores), torch.tensor(few)
            found[f"z {share:g}"] = round(z.mean().item(), 3)
            found[f"rank {share:g}"] = round((z < -3).double().mean().item(), 4)
            found[f"few {share:g}"] = round((p < RARE).double().mean().item(), 4)
    return found


# networks that learn digits -------------------------------------------------------------------------------------------


def some(n: int, seed: int) -> Tensor:
    """Return n training digits, others for another seed."""
    x = digits().train.x
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:n]]


def network(seed: int) -> Generative:
    """Return an untrained flow-matching network of about 600,000 weights."""
    with randomness_of(seed, -2, 0, torch.device("cpu")):
        return build("flow_matching", shape=[1, 8, 8], bounds=[0.0, 1.0], size={"width": 192, "depth": 2})


def config(n: int, seed: int, steps: int = STEPS) -> TrainConfig:
    """Return how it is trained on n digits."""
    return TrainConfig(steps=steps, batch=min(50, n), lr=5e-3, ema=0.97, warmup=30, seed=seed)


def learner(x: Tensor, seed: int, *, progress: bool = False, steps: int = STEPS) -> Fit:
    """Train the network on digits x to the end."""
    return fit(network(seed), Split(x, None), config(len(x), seed, steps), progress=progress)


def draw(model: Generative, n: int, seed: int) -> Tensor:
    """Draw n digits."""
    with randomness_of(seed, 1, 0, torch.device("cpu")):
        return model.sample(n, steps=12)


def judged(x: Tensor, samples: Tensor) -> dict[str, float]:
    """Return how far samples are copies of digits x, also by a distance that forgives a pixel's move, and how good."""
    data, features = digits(), classifier("digits").features
    ratio = metrics.frechet_ratio(data.train.x, data.test.x, samples, features, resamples=2).value
    return {
        "z": round(metrics.copy_score(x, data.test.x, samples).value, 3),
        "z, moved": round(metrics.copy_score(metrics.nudged(x), data.test.x, samples).value, 3),
        "replicas": round(metrics.replica_share(x, data.test.x, samples).value, 4),
        "frechet": round(ratio, 3),
    }


@torch.no_grad()
def surprise(model: Generative, x: Tensor) -> float:
    """Return the training loss on digits x, always with the same noise."""
    with randomness_of(0, 2, 0, torch.device("cpu")):
        return model.loss(x.repeat(4, 1, 1, 1))["loss"].mean().item()


def watched(x: Tensor, seed: int, *, change=None, steps: int = STEPS, every: int = EVERY) -> Iterator[dict[str, float]]:
    """Train the network on digits x, and judge it after every few steps."""
    for step in train(network(seed), Split(x, None), config(len(x), seed, steps), augment=change):
        if (step.i + 1) % every == 0:
            held = surprise(step.average, digits().valid.x)
            found = judged(x, draw(step.average, 400, seed))
            yield {"step": step.i + 1, **found, "held out": round(held, 4), "seen": round(surprise(step.average, x), 4)}


def duplicates(seed: int, steps: int = 1200, draws: int = 2000) -> dict[str, float]:
    """Return how many of the drawn digits are replicas of a digit that stands in the training set several times."""
    base, plain = some(BASE, seed), digits().test.x
    often = torch.ones(BASE, dtype=torch.int64)
    often[: EACH * len(TIMES)] = torch.tensor(TIMES).repeat(EACH)
    limit = metrics.nearest(plain, base).quantile(0.01)
    found: dict[str, float] = {}
    for name, x in {"repeated": base.repeat_interleave(often, 0), "once": base}.items():
        samples = draw(learner(x, seed, steps=steps).model, draws, seed)
        apart = torch.cdist(samples.flatten(1), base.flatten(1)).min(1)
        near = apart.indices[apart.values < limit]
        for k in TIMES if name == "repeated" else ():
            mine = (often == k) & (torch.arange(BASE) < EACH * len(TIMES))
            found[f"{k}"] = mine[near].sum().item() / EACH / draws
        found[f"replicas, {name}"] = len(near) / draws
        found[f"z, {name}"] = round(metrics.copy_score(base, plain, samples[:400]).value, 3)
    return found


def mends(sizes: dict[str, list]) -> dict[str, list[dict[str, float]]]:
    """Return what the network that copies comes to when it is mended in several ways."""
    moved: list[dict[str, float]] = []
    longer: list[dict[str, float]] = []
    for seed in SEEDS:
        x = some(FEW, seed)
        *_, last = watched(x, seed, change=lambda x, c: augment.shift(x, c, probability=0.5), every=STEPS)
        moved.append(last)
        *_, last = watched(some(MANY, seed), seed, steps=3 * STEPS, every=3 * STEPS)
        longer.append(last)
    few = sizes[str(FEW)]
    return {
        "as it was": [rows[-1] for rows in few],
        "stopped early": [min(rows, key=lambda row: row["held out"]) for rows in few],
        "moved by a pixel": moved,
        "more digits": [rows[-1] for rows in sizes[str(MANY)]],
        "more digits, more steps": longer,
    }


def mean(values) -> float:
    """Return the mean of some numbers."""
    values = list(values)
    return sum(values) / len(values)


def verdict(results: dict) -> str:
    """Put claim C13 in a sentence, from the record's own numbers."""
    last = {n: [rows[-1] for rows in results["sizes"][str(n)]] for n in (FEW, MANY)}
    z = {n: mean(row["z"] for row in rows) for n, rows in last.items()}
    share = mean(row["replicas"] for row in last[FEW])
    most, least = (mean(row[str(k)] for row in results["duplicates"]) for k in (TIMES[-1], 1))
    return (
        f"False. A network trained on {FEW} digits hands them out again: {share:.0%} of its samples lie nearer to one "
        f"of them than 99 in 100 new digits do, and its copying score is {z[FEW]:+.1f}, where an honest model stays "
        f"above −3. On {MANY:,} digits the same network scores {z[MANY]:+.1f}: no sign of copying. Among {BASE} "
        f"digits, one that stood there {TIMES[-1]} times made up {most:.1%} of all samples, one that stood there once "
        f"{least:.2%}."
    ).replace("-", "−")
