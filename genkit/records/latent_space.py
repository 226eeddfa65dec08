"""The experiments of the chapter on latent space."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import metrics
from ..base import Estimate
from ..data import Dataset, load
from ..data.glyphs import LETTERS as ALPHABET
from ..families import build
from ..nn import classifier
from ..randomness import randomness_of
from ..training import Fit, TrainConfig, fit

SOURCES = (
    "training", "models.autoencoder", "models.vae", "metrics.images", "metrics.strokes", "data.glyphs", "nn.classifier",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2)
LETTERS = "AEGKQRSW"
LATENT, SWEEP = 8, (2, 4, 16, 32)
DRAWN, BELLS = 1000, 50
AMOUNTS = (0.0, 0.5, 1.0, 1.5, 2.0)
ALONG = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
COARSE = 4  # a sketch keeps one number of a square of 4 × 4 pixels
CPU = torch.device("cpu")
MEASURES: dict[str, Callable[[Tensor], Tensor]] = {"bold": metrics.stroke_width, "italic": metrics.lean}


@dataclass(frozen=True)
class Space:
    """A way to write pictures, shape (N, 1, 28, 28), as rows of numbers, and back."""

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about five minutes on one thread."""
    results: dict = {"spaces": [], "random": [], "arithmetic": [], "paths": [], "sketch": [], "sweep": []}
    for seed in SEEDS:
        found = spaces(seed)
        parts = {
            "spaces": {name: rebuilt(s) for name, s in found.items()},
            "random": random_codes(found, seed),
            "arithmetic": {f"{a}, {n}": moved(s, a) for a in MEASURES for n, s in found.items()},
            "paths": {f"{n}, {k}": crossing(s, k, seed) for n, s in found.items() for k in ("same", "other")},
            "sketch": {name: redrawn(s) for name, s in found.items() if name != "pixels"} | {"enlarged": enlarged()},
        }
        for part, values in parts.items():
            results[part].append(flat(values))
            tell(f"{part}, seed {seed}: {results[part][-1]}")
        results["sweep"].append(flat({f"{n}, {d}": sized(n, d, seed) for d in SWEEP for n in ("autoencoder", "VAE")}))
        tell(f"sweep, seed {seed}: {results['sweep'][-1]}")
    return results


def flat(values: dict[str, dict[str, float] | float]) -> dict[str, float]:
    """Return a table of tables as one table with joined names, rounded."""
    found = {}
    for name, value in values.items():
        parts = value.items() if isinstance(value, dict) else ((None, value),)
        found |= {name if part is None else f"{name}, {part}": round(float(v), 4) for part, v in parts}
    return found


@cache
def letters() -> Dataset:
    """Return eight letters, each in 24 versions of 18 fonts."""
    return load("glyphs", letters=LETTERS, draws=24)


def coder(name: str, seed: int, latent: int = LATENT, progress: bool = False) -> Fit:
    """Train an autoencoder or a VAE with a code of ``latent`` numbers."""
    size = {"shape": [1, 28, 28], "latent": latent, "hidden": [512, 256]}
    with randomness_of(seed, -2, 0, CPU):
        variational = {"pixels": "bernoulli", "dropout": 0.1} if name == "VAE" else {}
        model = build("vae" if variational else "autoencoder", **size, **variational)
    config = TrainConfig(steps=600, batch=128, lr=2e-3, ema=0.99, warmup=30, clip=20.0, seed=seed)
    return fit(model, letters().train, config, progress=progress)


def space_of(model) -> Space:
    """Return the space of a trained model; a VAE's codes are the means of its posteriors."""
    model = model.eval().requires_grad_(False)
    if hasattr(model, "pixels"):
        return Space(lambda x: model.encode(x).mean, lambda z: model.decode(z).mean)
    return Space(model.encode, lambda z: model.decode(z).clamp(0, 1))


def pixels() -> Space:
    """Return the space of the pixels themselves."""
    return Space(lambda x: x.flatten(1), lambda z: z.view(-1, 1, 28, 28).clamp(0, 1))


def components(count: int = LATENT) -> Space:
    """Return the space of the first principal components of the training letters."""
    x = letters().train.x.flatten(1)
    middle = x.mean(0)
    basis = torch.linalg.svd(x - middle, full_matrices=False).Vh[:count]  # (count, 784)
    return Space(
        lambda x: (x.flatten(1) - middle) @ basis.T, lambda z: (middle + z @ basis).view(-1, 1, 28, 28).clamp(0, 1)
    )


def spaces(seed: int) -> dict[str, Space]:
    """Return the four spaces of the chapter, the networks trained anew."""
    found = {name: space_of(coder(name, seed).model) for name in ("autoencoder", "VAE")}
    return {"pixels": pixels(), "PCA": components(), **found}


def read(x: Tensor) -> Tensor:
    """Return which of the eight letters the book's classifier of letters reads, −1 for any other: shape (N,)."""
    ours = torch.full((len(ALPHABET),), -1)
    ours[[ALPHABET.index(letter) for letter in LETTERS]] = torch.arange(len(LETTERS))
    with torch.no_grad():
        return ours[classifier("glyphs")(x).argmax(1)]


@torch.no_grad()
def strangeness(x: Tensor) -> Tensor:
    """Return how far pictures lie from the nearest training letter, on the classifier's features: shape (N,)."""
    return torch.cdist(classifier("glyphs").features(x), _known()).min(1).values


@cache
def _known() -> Tensor:
    with torch.no_grad():
        return classifier("glyphs").features(letters().train.x)


def rebuilt(space: Space) -> dict[str, float]:
    """Return how well test letters survive the way into a space and back."""
    test = letters().test
    back = space.decode(space.encode(test.x))
    right = (read(back) == test.c).float().mean()
    noise = metrics.psnr(back, test.x).value if not torch.equal(back, test.x) else torch.inf
    return {"dB": min(noise, 99.0), "read": right, "strange": strangeness(back).mean()}


def clouds(codes: Tensor, n: int, seed: int) -> dict[str, Tensor]:
    """Return n random codes of each kind, from knowing nothing of the codes of real letters to knowing much."""
    from sklearn.mixture import GaussianMixture

    with randomness_of(seed, 3, 0, CPU):
        wide = torch.distributions.MultivariateNormal(codes.mean(0), codes.T.cov())
        found = {"standard normal": torch.randn(n, codes.shape[1]), "one Gaussian, fitted": wide.sample((n,))}
    bells = GaussianMixture(BELLS, reg_covar=1e-2, max_iter=50, random_state=seed).fit(codes.double().numpy())
    return found | {f"{BELLS} Gaussians, fitted": torch.tensor(bells.sample(n)[0]).float()}


def frechet(x: Tensor) -> Estimate:
    """Return the Fréchet distance of drawn letters from test letters, over that of the training letters."""
    data = letters()
    return metrics.frechet_ratio(data.train.x, data.test.x, x, classifier("glyphs").features, resamples=20)


def random_codes(found: dict[str, Space], seed: int) -> dict[str, dict[str, float]]:
    """Return the Fréchet ratio of pictures decoded from random codes of each kind, in each of the two networks."""
    out = {}
    for name in ("autoencoder", "VAE"):
        codes = found[name].encode(letters().train.x)
        out[name] = {kind: frechet(found[name].decode(z)).value for kind, z in clouds(codes, DRAWN, seed).items()}
    return out


def direction(space: Space, attribute: str) -> Tensor:
    """Return the mean code of letters with an attribute minus that of those without, letter by letter, averaged."""
    train = letters().train
    z, has = space.encode(train.x), train.factors[attribute] == 1
    steps = [z[has & (train.c == k)].mean(0) - z[~has & (train.c == k)].mean(0) for k in range(len(LETTERS))]
    return torch.stack(steps).mean(0)


def plain() -> tuple[Tensor, Tensor]:
    """Return the test letters that are neither bold nor italic, and which they are."""
    test = letters().test
    kept = (test.factors["bold"] == 0) & (test.factors["italic"] == 0)
    return test.x[kept], test.c[kept]


def real_change(attribute: str) -> float:
    """Return by how much the measure of an attribute differs between real letters that have it and plain ones."""
    train, other = letters().train, "italic" if attribute == "bold" else "bold"
    value, only = MEASURES[attribute](train.x), train.factors[other] == 0
    has = train.factors[attribute] == 1
    gaps = [value[only & has & (train.c == k)].mean() - value[only & ~has & (train.c == k)].mean() for k in range(8)]
    return torch.stack(gaps).mean().item()


def moved(space: Space, attribute: str) -> dict[str, float]:
    """Return what happens to plain letters that are moved along an attribute's direction, and in a random one."""
    x, c = plain()
    z, step = space.encode(x), direction(space, attribute)
    with randomness_of(0, 4, 0, CPU):
        aimless = F.normalize(torch.randn_like(z), dim=1) * step.norm()
    measure, start = MEASURES[attribute], MEASURES[attribute](space.decode(z))
    found = {}
    for amount in AMOUNTS:
        y = space.decode(z + amount * step)
        found[f"change, {amount}"] = (measure(y) - start).mean()
        found[f"strange, {amount}"] = strangeness(y).mean()
        found[f"read, {amount}"] = (read(y) == c).float().mean()
    found["change, aimless"] = (measure(space.decode(z + aimless)) - start).mean()
    return found


def pairs(kind: str, seed: int, n: int = 300) -> tuple[Tensor, Tensor]:
    """Return n pairs of test letters in different fonts: the ``"same"`` letter, or an ``"other"``."""
    test, g = letters().test, torch.Generator().manual_seed(seed)
    i, j = torch.randint(len(test), (2, 40 * n), generator=g)
    kept = ((test.c[i] == test.c[j]) == (kind == "same")) & (test.factors["font"][i] != test.factors["font"][j])
    return test.x[i[kept][:n]], test.x[j[kept][:n]]


def path(space: Space, a: Tensor, b: Tensor) -> list[Tensor]:
    """Return pictures along the straight line from the codes of pictures a to those of b."""
    p, q = space.encode(a), space.encode(b)
    return [space.decode((1 - t) * p + t * q) for t in ALONG]


def crossing(space: Space, kind: str, seed: int) -> dict[str, float]:
    """Return how strange the pictures along paths between letters are."""
    steps = path(space, *pairs(kind, seed))
    return {str(t): strangeness(x).mean() for t, x in zip(ALONG, steps, strict=True)}


def sketch(x: Tensor) -> Tensor:
    """Return coarse sketches, shape (N, 1, 7, 7): the mean of every square of 4 × 4 pixels."""
    return F.avg_pool2d(x, COARSE)


def enlarge(s: Tensor) -> Tensor:
    """Return sketches at full size, by bilinear interpolation."""
    return F.interpolate(s, scale_factor=COARSE, mode="bilinear").clamp(0, 1)


def redraw(space: Space, s: Tensor, steps: int = 100) -> Tensor:
    """Return the pictures of a space whose sketches are nearest to ``s``: their codes found by gradient descent."""
    z = space.encode(enlarge(s)).detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([z], lr=0.1)
    with torch.enable_grad():
        for _ in range(steps):
            optimiser.zero_grad()
            (sketch(space.decode(z)) - s).square().sum().backward()
            optimiser.step()
    return space.decode(z.detach())


def judged(x: Tensor) -> dict[str, float]:
    """Return how near pictures come to the test letters, and how many are read as them."""
    test = letters().test
    return {"dB": metrics.psnr(x, test.x).value, "read": (read(x) == test.c).float().mean()}


def redrawn(space: Space) -> dict[str, float]:
    """Return how well a space redraws the test letters from their sketches."""
    return judged(redraw(space, sketch(letters().test.x)))


def enlarged() -> dict[str, float]:
    """Return how good the sketches are by themselves."""
    return judged(enlarge(sketch(letters().test.x)))


def sized(name: str, latent: int, seed: int) -> dict[str, float]:
    """Return how well a network with a code of another size rebuilds, and draws from its fitted Gaussian."""
    space = space_of(coder(name, seed, latent).model)
    drawn = clouds(space.encode(letters().train.x), DRAWN, seed)
    kinds = {"own prior": "standard normal", "fitted": f"{BELLS} Gaussians, fitted"}
    return {"dB": rebuilt(space)["dB"], **{k: frechet(space.decode(drawn[n])).value for k, n in kinds.items()}}
