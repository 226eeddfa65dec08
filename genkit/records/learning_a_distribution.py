"""The experiments of the chapter on learning a distribution."""

from collections.abc import Callable
from functools import cache

import torch

from .. import metrics
from ..data import Dataset, Split, load, toy
from ..families import build
from ..models.blend import Blend, Coins, Copies
from ..nn import classifier
from ..randomness import randomness_of
from ..training import Fit, TrainConfig, fit

Density = Callable[[torch.Tensor], torch.Tensor]
"""From points, shape (N, 2), to their log-densities, shape (N,)."""

SOURCES = (
    "training", "models.blend", "models.autoregressive", "metrics.likelihood", "metrics.images", "data.glyphs",
    "data.toy2d",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2)
LETTERS = "AEGKQRSW"
POINTS, HELD = 300, 2000  # in the plane: few to learn from, many to judge by
SHARE, FLIP = 0.01, 0.001
SAMPLES = 300


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about three minutes on one thread."""
    results: dict = {"letters": [], "plane": [], "greedy": []}
    for seed in SEEDS:
        results["plane"].append(densities(seed))
        tell(f"plane, seed {seed}: {results['plane'][-1]}")
        model = painter(seed).model
        results["letters"].append(judged(model, seed))
        tell(f"letters, seed {seed}: {results['letters'][-1]}")
        results["greedy"].append(typical(model, seed))
        tell(f"likeliest, seed {seed}: {results['greedy'][-1]}")
    results["claims"] = {"C20": verdict(results["greedy"])}
    return results


@cache
def letters() -> Dataset:
    """Return letters in black and white, 28 × 28, in many fonts."""
    data = load("glyphs", letters=LETTERS, draws=24)
    splits = (Split((s.x > 0.5).float(), s.c, s.factors) for s in (data.train, data.valid, data.test))
    return Dataset(
        "glyphs, black and white", *splits, shape=data.shape, levels=2, classes=data.classes, sha256=data.sha256
    )


def painter(seed: int, progress: bool = False) -> Fit:
    """Train an autoregressive network (MADE) to draw a letter that it is told."""
    with randomness_of(seed, -2, 0, torch.device("cpu")):
        model = build(
            "autoregressive", shape=[1, 28, 28], pixels="bernoulli", network="made", hidden=[512], dropout=0.1,
            classes=len(LETTERS), label_dropout=0.0,
        )  # fmt: skip
    config = TrainConfig(steps=600, batch=100, lr=3e-3, ema=0.99, warmup=30, seed=seed)
    return fit(model, letters().train, config, progress=progress)


def models(painted) -> dict:
    """Return the four models of the chapter by name, each with an exact log-likelihood."""
    coins = Coins((1, 28, 28))
    return {
        "the network": painted,
        "99 % noise, 1 % the network": Blend(painted, coins, SHARE),
        "nothing but noise": coins,
        "a copyist": Copies(letters().train.x, FLIP),
    }


def judged(painted, seed: int) -> dict[str, float]:
    """Return the held-out nats of each model, and how far its samples lie from real letters."""
    data, found = letters(), {}
    x, c = data.test.x, data.test.c
    features = classifier("glyphs").features
    asked = c[torch.arange(SAMPLES) % len(c)]
    for name, model in models(painted).items():
        with randomness_of(seed, 0, 0, torch.device("cpu")), torch.no_grad():
            drawn = model.sample(SAMPLES, asked)
            found[f"nats, {name}"] = round(model.log_prob(x, c).mean().item(), 3)
        ratio = metrics.frechet_ratio(data.train.x, x, drawn, features, resamples=2)
        found[f"distance, {name}"] = round(ratio.value, 3)
    return found


@torch.no_grad()
def likeliest(painted) -> torch.Tensor:
    """Draw one picture of each letter by always taking the likelier value of the next pixel."""
    c = torch.arange(len(LETTERS))
    x = torch.zeros(len(c), 28 * 28)
    for i in range(x.shape[1]):
        x[:, i] = (painted.given(x.view(-1, 1, 28, 28), c).mean.flatten(1)[:, i] > 0.5).float()
    return x.view(-1, 1, 28, 28)


@torch.no_grad()
def typical(painted, seed: int) -> dict[str, float]:
    """Return log p of the likeliest pictures, of drawn ones and of real ones, and how many pixels are black in each."""
    test, c = letters().test, torch.arange(len(LETTERS))
    with randomness_of(seed, 1, 0, torch.device("cpu")):
        drawn = painted.sample(8 * len(c), c.repeat(8))
    sets = {"likeliest": (likeliest(painted), c), "drawn": (drawn, c.repeat(8)), "real": (test.x, test.c)}
    found = {f"nats, {name}": round(painted.log_prob(*pair).mean().item(), 3) for name, pair in sets.items()}
    return found | {f"different, {name}": round(spread(*pair), 3) for name, pair in sets.items()}


def spread(x: torch.Tensor, c: torch.Tensor) -> float:
    """Return in how many pixels two pictures of the same letter differ, on average; 0 where there is one of each."""
    apart = torch.cdist(x.flatten(1), x.flatten(1), p=1)
    same = (c[:, None] == c) & ~torch.eye(len(c), dtype=torch.bool)
    return apart[same].mean().item() if same.any() else 0.0


def points(seed: int, n: int, held: int = HELD) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return points of the two moons to learn from, to choose by (as many), and to judge by."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(toy("moons").sample(k, generator)[0] for k in (n, n, held))


def histogram(x: torch.Tensor, side: int) -> Density:
    """Count points in side² squares over [−3, 3]²; a tenth of a point is added to each, so that none is impossible."""
    place = lambda v: ((v.clamp(-2.999, 2.999) + 3) / 6 * side).long()  # noqa: E731
    counts = torch.zeros(side, side).index_put((*place(x).T,), torch.ones(len(x)), accumulate=True) + 0.1
    log_p = (counts / counts.sum() / (6 / side) ** 2).log()
    return lambda v: log_p[(*place(v).T,)]


def kernels(x: torch.Tensor, width: float) -> Density:
    """Put a round bell of standard deviation ``width`` on every point: scikit-learn's kernel density estimate."""
    from sklearn.neighbors import KernelDensity

    model = KernelDensity(bandwidth=width).fit(x.numpy())
    return lambda v: torch.tensor(model.score_samples(v.numpy()))


def mixture(x: torch.Tensor, components: int) -> Density:
    """Fit some Gaussians by expectation maximisation: scikit-learn's."""
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(components, n_init=3, random_state=0).fit(x.numpy())
    return lambda v: torch.tensor(model.score_samples(v.numpy()))


SWEEPS: dict[str, tuple[Callable[[torch.Tensor, float], Density], tuple]] = {
    "histogram": (histogram, (3, 6, 9, 12, 18, 24, 36, 48)),
    "kernels": (kernels, (0.05, 0.08, 0.12, 0.18, 0.25, 0.4, 0.6, 1.0)),
    "mixture": (mixture, (1, 2, 4, 8, 16, 32, 64)),
}


def sweep(name: str, x: torch.Tensor, valid: torch.Tensor) -> tuple[list[float], list[float]]:
    """Return the mean log-density of training and of validation points at every size of a kind of model."""
    make, sizes = SWEEPS[name]
    fitted = [make(x, size) for size in sizes]
    return tuple([model(points).mean().item() for model in fitted] for points in (x, valid))


def densities(seed: int) -> dict[str, float]:
    """Return test nats of the best size of each kind, chosen on validation, of one Gaussian, and of the truth."""
    x, valid, test = points(seed, POINTS)
    found = {"truth": toy("moons").log_prob(test).mean().item(), "one Gaussian": mixture(x, 1)(test).mean().item()}
    for name, (make, sizes) in SWEEPS.items():
        scores = sweep(name, x, valid)[1]
        best = sizes[max(range(len(sizes)), key=scores.__getitem__)]
        found[name] = make(x, best)(test).mean().item()
        found[f"size, {name}"] = best
    return {name: round(value, 4) for name, value in found.items()}


def verdict(runs: list[dict[str, float]]) -> str:
    """Say what maximum likelihood chooses."""
    names = ("likeliest", "drawn", "real")
    best, drawn, real = (sum(run[f"nats, {name}"] for run in runs) / len(runs) for name in names)
    return (
        f"No. Maximum likelihood chooses parameters, not outputs. A network trained by it draws letters of {drawn:.0f} "
        f"nats, real ones have {real:.0f}; its likeliest letters have {best:.0f}, and there is one of each kind."
    )
