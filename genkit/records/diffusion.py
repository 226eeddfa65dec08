"""The experiments of the chapter on diffusion."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from .. import metrics, recipes
from ..base import Estimate, Generative
from ..data import Dataset, load, toy
from ..metrics.classifier_score import gap, taught
from ..models.diffusion import Diffusion
from ..nn import classifier
from ..training import Fit, fit

SOURCES = (
    "training", "augment", "models.diffusion", "models.latent_diffusion", "models.vae", "nn.unet", "nn.timed_mlp",
    "metrics.images", "metrics.detection", "metrics.classifier_score", "metrics.flow_ode", "metrics.score",
    "data.digits", "data.glyphs", "data.toy2d",
)  # fmt: skip
RECIPES = ("diffusion-digits", "vae-digits-conditional", "diffusion-star", "latent-glyphs")
SEEDS = (0, 1, 2)
STEPS = {
    "ancestral": (5, 8, 10, 15, 25, 100, 250), "sde_dpm_solver": (5, 8, 10, 12, 15, 25), "ddim": (5, 10, 20, 50),
    "dpm_solver": (5, 8, 10, 15, 25), "heun": (3, 5, 10),
}  # fmt: skip
WALK = {"sampler": "sde_dpm_solver", "steps": 15}
LESSONS = (1000, 5000)
MARGIN = 1.5
SCALES = (0.0, 1.0, 1.5, 2.0, 4.0)
TIMES = (0.05, 0.2, 0.5, 0.8)
VARIANTS = {
    "noise": {"predict": "noise"}, "clean": {"predict": "clean"}, "velocity": {},
    "edm": {"predict": "edm", "spread": 1.1},
    "velocity, linear": {"schedule": "linear"},
}  # fmt: skip


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about nine minutes on one thread."""
    data = recipes.get("diffusion-digits").dataset()
    real = taught(data.train.x, data.train.c, data.test.x, data.test.c)
    results: dict = {"steps": {}, "guidance": {}, "inpainting": {}, "plane": {}}
    results |= {"seeds": [], "latent": [], "half hidden": []}
    lessons = []
    results["real"] = round(100 * real.float().mean().item(), 2)
    for seed in SEEDS:
        found = recipes.train(recipes.get("diffusion-digits"), seed=seed, progress=False)
        numbers, right = measure(found, data, real, seed)
        lessons.append(right)
        results["seeds"].append({"seed": seed, **numbers, "seconds": round(found.seconds, 2)})
        tell(f"digits, seed {seed}: {results['seeds'][-1]}")
        for sampler, counts in STEPS.items():
            for steps in counts:
                one = walk(found.model, data, sampler, steps)
                results["steps"].setdefault(sampler, {}).setdefault(str(steps), []).append(one)
        tell(f"steps: { {s: {k: v[-1]['ratio'] for k, v in runs.items()} for s, runs in results['steps'].items()} }")
        for scale in SCALES:
            results["guidance"].setdefault(str(scale), []).append(guide(found.model, data, scale))
            tell(f"guidance {scale}: {results['guidance'][str(scale)][-1]}")
        for name, one in filled(found.model, data).items():
            results["inpainting"].setdefault(name, []).append(one)
            tell(f"{name}: {one}")
        results["half hidden"].append(half_hidden(data, seed))
        tell(f"half of the classes hidden: {results['half hidden'][-1]}")
    for name, change in VARIANTS.items():
        results["plane"][name] = [on_the_plane(change, seed) for seed in SEEDS]
        tell(f"{name}: {results['plane'][name]}")
    for seed in SEEDS:
        results["latent"].append(by_codes(seed))
        tell(f"latent-glyphs, seed {seed}: {results['latent'][-1]}")
    results["lessons"] = together(lessons, real)
    results["changed"] = round(changed(found.model), 4)
    results["claims"] = {"C05": contrast_verdict(data, tell)}
    return concluded(results)


def concluded(results: dict) -> dict:
    """Add what follows from the record's own numbers: the steps that each sampler needs, and the verdict on C06."""
    steps = results["steps"]
    best = {sampler: min(_mean(runs, "ratio") for runs in tried.values()) for sampler, tried in steps.items()}
    yardstick = _mean(steps["ancestral"]["250"], "ratio")
    results["needed"] = {sampler: needed(tried, yardstick) for sampler, tried in steps.items()}
    results["settled"] = {sampler: needed(tried, best[sampler]) for sampler, tried in steps.items()}
    results["claims"]["C06"] = pixels_verdict(results)
    return results


def asked(n: int) -> Tensor:
    """Return n labels, as many of each digit."""
    return torch.arange(10).repeat(n // 10)


def draw(model: Generative, c: Tensor, **knobs) -> Tensor:
    """Draw a picture for each label, 500 at a time."""
    torch.manual_seed(0)
    return torch.cat([model.sample(len(part), part, **knobs) for part in c.split(500)])


def ratio(data: Dataset, x: Tensor) -> float:
    """Return the Fréchet distance from test digits over that of the training digits: 1 is the floor."""
    return metrics.frechet_ratio(data.train.x, data.test.x, x, classifier("digits").features, resamples=2).value


def read(x: Tensor, c: Tensor) -> float:
    """Return how often the book's classifier reads the class that was asked for, in percent."""
    with torch.no_grad():
        return 100 * metrics.accuracy(classifier("digits")(x), c).value


def variety(x: Tensor, c: Tensor, data: Dataset) -> float:
    """Return how much pictures of a class differ among themselves, beside how much test digits do: 1 is as much."""
    mine, real = (
        sum(p[q == k].var(0).sum() for k in range(10)).item() for p, q in ((x, c), (data.test.x, data.test.c))
    )
    return mine / real


def measure(found: Fit, data: Dataset, real: Tensor, seed: int) -> tuple[dict[str, float], Tensor]:
    """Return the chapter's numbers of one trained model, and of a variational autoencoder beside it.

    The second value tells which test digits a classifier gets right that learnt from the most draws of the diffusion.
    """
    results, rights = {}, {}
    vae = recipes.train(recipes.get("vae-digits-conditional"), seed=seed, progress=False).model
    for name, model, knobs in (("", found.model, WALK), ("vae ", vae, {})):
        c = asked(LESSONS[-1])
        x = draw(model, c, **knobs)
        for n in LESSONS:
            right = rights[name] = taught(x[:n], c[:n], data.test.x, data.test.c)
            results[f"{name}taught {n}"] = round(100 * right.float().mean().item(), 2)
            results[f"{name}gap {n}"] = round(100 * gap(right, real).value, 2)
            results[f"{name}gap error {n}"] = round(100 * (gap(right, real).stderr or 0.0), 2)
        results[f"{name}ratio"] = round(ratio(data, x), 3)
        results[f"{name}read"] = round(read(x, c), 2)
    results["bound"] = round(bound(found.model, data).value, 2)
    with torch.no_grad():
        results["vae elbo"] = round(vae.elbo(data.test.x, data.test.c).mean().item(), 2)
    return results, rights[""]


def together(lessons: list[Tensor], real: Tensor) -> dict[str, float]:
    """Return the gap to real digits, averaged over seeds, in points, with its standard error over test digits.

    ``not below`` is the end of its 95 % interval: above −MARGIN, draws teach as well as real digits, up to that margin.
    """
    change = 100 * (torch.stack(lessons).double().mean(0) - real.double())
    mean, error = change.mean().item(), change.std().item() / len(change) ** 0.5
    return {"gap": round(mean, 2), "error": round(error, 2), "not below": round(mean - 1.96 * error, 2)}


def bound(model: Diffusion, data: Dataset, *, n: int = 100, time: float = 0.02) -> Estimate:
    """Return the bound on the log-probability of n test digits, by the probability flow with one probe."""
    t = torch.tensor([time])
    mix = model.schedule.alpha(t).item(), model.schedule.sigma(t).item()
    x, c = data.test.x[:n], data.test.c[:n]
    return metrics.flow_bound(model.velocity, mix, x, c, levels=data.levels, first=time, steps=20)


def walk(model: Generative, data: Dataset, sampler: str, steps: int) -> dict[str, float]:
    """Return the Fréchet ratio of 500 digits, and the seconds of computing they took, by a sampler in so many steps."""
    begun = time.process_time()
    x = draw(model, asked(500), sampler=sampler, steps=steps)
    return {"seconds": round(time.process_time() - begun, 3), "ratio": round(ratio(data, x), 3)}


def needed(tried: dict[str, list[dict]], distance: float) -> int | None:
    """Return the fewest steps whose mean Fréchet ratio is within a tenth of ``distance``; None where none is."""
    return next((int(k) for k, runs in tried.items() if _mean(runs, "ratio") <= 1.1 * distance), None)


def guide(model: Generative, data: Dataset, scale: float) -> dict[str, float]:
    """Return what a guidance scale does to 500 digits."""
    c = asked(500)
    x = draw(model, c, sampler="dpm_solver", steps=20, guidance=scale)
    return {"read": round(read(x, c), 2), "variety": round(variety(x, c, data), 3), "ratio": round(ratio(data, x), 3)}


def filled(model: Diffusion, data: Dataset, *, steps: int = 20, n: int = 447) -> dict[str, dict[str, float]]:
    """Fill in the right half of test digits in several ways; return how they read, and how far they are from digits."""
    x, c = data.test.x[:n], data.test.c[:n]
    mask = left_half(x)
    torch.manual_seed(0)
    ways = {
        "mean right half": torch.where(mask, x, data.train.x.mean(0)),
        "right half of the nearest": torch.where(mask, x, nearest_left(x, data.train.x)),
        "diffusion, each step once": model.inpaint(x, mask, steps=steps, again=1),
        "diffusion, each step five times": model.inpaint(x, mask, steps=steps, again=5),
        "diffusion, five steps five times": model.inpaint(x, mask, steps=steps, again=5, jump=5),
        "diffusion, told the class it reads": model.inpaint(x, mask, class_of(x, mask, data), steps=steps, again=5),
        "diffusion, told the true class": model.inpaint(x, mask, c, steps=steps, again=5),
        "the digits themselves": x,
    }
    return {
        name: {"read": round(read(y, c), 2), "ratio": round(ratio(data, y), 3)} for name, y in ways.items()
    }  # fmt: skip


def half_hidden(data: Dataset, seed: int, *, n: int = 447) -> dict[str, float]:
    """Train with half of the classes hidden, not a tenth; return what that does to drawing and to filling in."""
    model = recipes.train(recipes.variant("diffusion-digits", label_dropout=0.5), seed=seed, progress=False).model
    x, c = data.test.x[:n], data.test.c[:n]
    torch.manual_seed(0)
    y = model.inpaint(x, left_half(x), steps=20, again=5)
    found = {f"ratio at guidance {scale:g}": guide(model, data, scale)["ratio"] for scale in (0.0, 1.0)}
    return found | {"read": round(read(y, c), 2), "ratio": round(ratio(data, y), 3)}


def left_half(x: Tensor) -> Tensor:
    """Return a mask that knows the left half of pictures: bool of shape (1, 1, H, W)."""
    return (torch.arange(x.shape[-1]) < x.shape[-1] // 2).expand(1, 1, *x.shape[-2:])


def class_of(x: Tensor, mask: Tensor, data: Dataset) -> Tensor:
    """Return the classes that a classifier reads from what ``mask`` knows, having learnt from the training digits."""
    from sklearn.svm import SVC

    known = mask.expand(1, *x.shape[1:])[0]
    machine = SVC(C=10.0).fit(data.train.x[:, known].numpy(), data.train.c.numpy())
    return torch.from_numpy(machine.predict(x[:, known].numpy()))


def nearest_left(x: Tensor, known: Tensor) -> Tensor:
    """Return, for each of x, the one of ``known`` whose left half is nearest to its own."""
    half = x.shape[-1] // 2
    return known[torch.cdist(x[..., :half].flatten(1), known[..., :half].flatten(1)).argmin(1)]


def on_the_plane(change: dict, seed: int) -> dict[str, float]:
    """Train on the star and return errors of the score at several times, and that of the likelihood."""
    model = recipes.train(recipes.variant("diffusion-star", **change), seed=seed, progress=False).model
    x = load("toy2d", kind="star").test.x
    found = {f"score at {t}": round(score_error(model, x, t).value, 5) for t in TIMES}
    flow = metrics.flow_log_prob(model.velocity, x[:500], steps=40)
    finer = metrics.flow_log_prob(model.velocity, x[:500], steps=80)
    true = toy("star").log_prob(x[:500]).mean().item()
    return found | {
        "log p, off by": round(flow.value - true, 4),
        "of that by steps": round(flow.value - finer.value, 4),
    }


def score_error(model: Diffusion, x: Tensor, time: float) -> Estimate:
    """Return the relative squared error of a model's score of the noised star."""
    torch.manual_seed(0)
    t, star = torch.full((len(x),), time), toy("star")
    alpha, sigma = model.schedule.alpha(t)[:, None], model.schedule.sigma(t)[:, None]
    noisy = alpha * x + sigma * torch.randn_like(x)
    with torch.no_grad():
        found = model.score(noisy, t)
    return metrics.score_error(found, metrics.mixture_score(noisy, star.centres, star.sigma, alpha, sigma))


def by_codes(seed: int) -> dict[str, float]:
    """Train a latent diffusion of letters; return how far its draws are from test letters, beside its codec's own."""
    recipe = recipes.get("latent-glyphs")
    model, data = recipe.build(seed), recipe.dataset()
    seconds = fit(model, data.train, replace(recipe.config(), seed=seed), progress=False).seconds
    features, letters = classifier("glyphs").features, torch.arange(8).repeat(100)
    torch.manual_seed(0)
    with torch.no_grad():
        ways = {
            "codes from the prior": model.codec.sample(800, mean=True),
            "codes by diffusion": model.sample(800, letters, mean=True),
            "codes by diffusion, guidance 2": model.sample(800, letters, mean=True, guidance=2.0),
            "codes of test letters": model.codec.reconstruct(data.test.x),
        }
    far = {
        name: round(metrics.frechet_ratio(data.train.x, data.test.x, x, features, resamples=2).value, 2)
        for name, x in ways.items()
    }
    return far | {"seconds": round(seconds, 2)}


def contrasts(model: Diffusion, x: Tensor, c: Tensor, *, seed: int = 0) -> tuple[float, float]:
    """Return by how much a digit's loss changes where the rest of its batch is exchanged: ours, and a contrastive one.

    The contrastive one is InfoNCE (van den Oord et al. 2018), eq. 4, of the network's answers and their targets.
    """
    generator = torch.Generator().manual_seed(seed)
    noise, t = torch.randn(x.shape, generator=generator), torch.rand(len(x), generator=generator)
    keep = (torch.arange(len(x)) == 0)[:, None, None, None]
    ours = model.seen(x), noise
    exchanged = [torch.where(keep, v, w) for v, w in zip(ours, (ours[0].roll(1, 0), -noise.roll(3, 0)), strict=True)]
    changes = []
    for loss in (model.error, lambda x, noise, t, c: info_nce(model, x, noise, t, c)):
        with torch.no_grad():
            before, after = loss(*ours, t, c), loss(*exchanged, t, torch.where(keep.flatten(), c, c.roll(1, 0)))
        changes.append((before - after)[0].abs().item())
    return changes[0], changes[1]


def info_nce(model: Diffusion, x: Tensor, noise: Tensor, t: Tensor, c: Tensor) -> Tensor:
    """Return a contrastive loss: which of the batch's noises belongs to this answer? Shape (B,)."""
    alpha, sigma = (f(t).view(-1, 1, 1, 1) for f in (model.schedule.alpha, model.schedule.sigma))
    _, guess = model.guess(alpha * x + sigma * noise, t, c)
    likeness = guess.flatten(1) @ noise.flatten(1).T / guess[0].numel()
    return -likeness.log_softmax(1).diagonal()


def contrast_verdict(data: Dataset, tell: Callable[[str], None]) -> str:
    """Settle claim C05, which is about the loss: any network will do, and one of 100 steps does."""
    model = recipes.train(recipes.get("diffusion-digits"), steps=100, progress=False).model
    own, contrastive = contrasts(model, data.test.x[:64], data.test.c[:64])
    tell(f"exchange the rest of the batch: {own:.2g} against {contrastive:.2g}")
    return (
        f"No. The loss is a squared error between the network's answer and a known mixture of one picture and one draw "
        f"of noise. Exchange all other pictures of the batch, and a picture's loss changes by {own:.6f}; a contrastive "
        f"loss of the same answers changes by {contrastive:.3f} nats."
    )


def changed(model: Diffusion, *, steps: int = 20) -> float:
    """Return the share of pixels that a step changes, on average over steps and pictures."""
    torch.manual_seed(0)
    seen = list(model.trajectory(50, asked(50), sampler="ddim", steps=steps))[:-1]
    return torch.stack([(a != b).float().mean() for a, b in pairwise(seen)]).mean().item()


def pixels_verdict(results: dict) -> str:
    """Settle claim C06, from the record's own numbers."""
    steps, few = results["steps"], results["needed"]["sde_dpm_solver"]
    slow = steps["ancestral"]["250"]
    if few is None:
        return "Half of it is false: all pixels change at once. Slow it is: no sampler came near 250 steps with fewer."
    fast = steps["sde_dpm_solver"][str(few)]
    speed = _mean(slow, "seconds") / _mean(fast, "seconds")
    return (
        f"No, and no longer. A step changes {results['changed']:.0%} of the pixels, all at once. Sampling asks the "
        f"network once in every step, but {few} steps of SDE-DPM-Solver++ do as well as 250 ancestral ones, in "
        f"{speed:.0f} times less time: a Fréchet ratio of {_mean(fast, 'ratio'):.1f} against "
        f"{_mean(slow, 'ratio'):.1f}, where a VAE has {_mean(results['seeds'], 'vae ratio'):.0f}."
    )


def _mean(runs: list[dict], key: str) -> float:
    return sum(run[key] for run in runs) / len(runs)
