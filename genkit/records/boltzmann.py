"""The experiments of the chapter on Boltzmann machines."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from .. import metrics, recipes
from ..data import Dataset, Split
from ..models.boltzmann import RBM, Boltzmann
from ..nn import classifier
from ..nn.machines import Network, states
from ..training import Fit, TrainConfig, fit, train

SOURCES = (
    "training", "models.boltzmann", "models.dbn", "metrics.annealed", "metrics.likelihood", "data.binary_digits",
)  # fmt: skip
RECIPES = (
    "boltzmann-binary_digits", "boltzmann-binary_digits-exact", "boltzmann-binary_digits-conditional",
    "dbn-binary_digits", "made-digits",
)  # fmt: skip
SEEDS = (0, 1, 2)
WAYS = {"CD-1": {"k": 1}, "CD-10": {"k": 10}, "PCD": {"k": 1, "chains": 100}, "PCD, 10 steps": {"k": 10, "chains": 100}}
RATES = (0.01, 0.03, 0.06)
SECONDS = 1.5  # of training, for each way of learning
TRIED = ((0.1, 100), (0.05, 100), (0.02, 100), (0.01, 100), (0.01, 10))  # scikit-learn's learning rates and batches
BARS = TrainConfig(steps=4000, batch=120, lr=0.01, clip=None)
FAULTS = {"CD-1": {"k": 1}, "CD-10": {"k": 10}, "PCD": {"chains": 500}}


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about seven minutes on one thread."""
    data = recipes.get("boltzmann-binary_digits").dataset()
    results: dict = {"seeds": [], "ways": {}, "bars": {}, "unrestricted": {}, "ais": [], "completion": [], "labels": []}
    for seed in SEEDS:
        results["seeds"].append(digits(data, seed))
        tell(f"digits, seed {seed}: {results['seeds'][-1]}")
    for name, change in WAYS.items():
        results["ways"][name] = [way(data, change, seed) for seed in SEEDS]
        tell(f"{name}: {results['ways'][name]}")
    for name, change in FAULTS.items():
        results["bars"][name] = [on_bars(change, seed) for seed in SEEDS]
        tell(f"bars, {name}: {results['bars'][name][0]['log-likelihood']}")
    for name, build in unrestricted().items():
        results["unrestricted"][name] = [on_small_bars(build, seed) for seed in SEEDS]
        tell(f"{name}: {results['unrestricted'][name]}")
    small = recipes.train(recipes.get("boltzmann-binary_digits-exact"), dataset=data, progress=False).model
    for seed in range(10):
        results["ais"].append(annealed(small, data, seed))
        tell(f"AIS, seed {seed}: {results['ais'][-1]}")
    for seed in SEEDS:
        results["completion"].append(completion(data, seed))
        tell(f"completion, seed {seed}: {results['completion'][-1]}")
        results["labels"].append(labels(seed))
        tell(f"labels, seed {seed}: {results['labels'][-1]}")
    energies = [both_energies(data, seed) for seed in SEEDS]
    settled = [visited(seed) for seed in SEEDS]
    tell(f"energies: {energies}; visited: {settled}")
    results |= {"energies": energies, "visited": settled}
    results["claims"] = {"C07": energy_verdict(energies), "C25": lowest_verdict(settled)}
    return results


def digits(data: Dataset, seed: int) -> dict[str, float]:
    """Train the chapter's machines, and scikit-learn's with the same units and seconds; measure all on test digits."""
    found = {}
    for units, name in ((16, "boltzmann-binary_digits-exact"), (200, "boltzmann-binary_digits")):
        mine = recipes.train(recipes.get(name), seed=seed, dataset=data, progress=False)
        found[f"RBM, {units}"], found[f"seconds, {units}"] = nats(mine.model, data.test.x, seed), mine.seconds
        other = scikit_learns(data, units, mine.seconds, seed)
        found |= {f"scikit-learn, {units}": other["nats"], f"scikit-learn's seconds, {units}": other["seconds"]}
        found[f"scikit-learn's defaults, {units}"] = other["defaults"]
    deep = recipes.train(recipes.get("dbn-binary_digits"), seed=seed, dataset=data, progress=False)
    found["DBN"], found["seconds, DBN"] = nats(deep.model, data.test.x, seed), deep.seconds
    found["DBN's first layer"] = nats(deep.model.layers[0], data.test.x, seed)
    longer = recipes.train(recipes.get("boltzmann-binary_digits"), seed=seed, dataset=data, steps=3000, progress=False)
    found["RBM as long as the DBN"], found["seconds, longer"] = nats(longer.model, data.test.x, seed), longer.seconds
    recipe = replace(recipes.variant("made-digits", pixels="bernoulli", levels=2), augment=None)
    found["MADE"] = nats(recipes.train(recipe, seed=seed, dataset=data, progress=False).model, data.test.x, seed)
    return {name: round(value, 3) for name, value in found.items()}


def nats(model, x: Tensor, seed: int, **options) -> float:
    """Return the mean log-probability of x: exact where it can be, by annealed importance sampling elsewhere."""
    torch.manual_seed(seed)
    return (metrics.log_prob(model, x) if model.likelihood == "exact" else metrics.ais(model, x, **options)).value


def scikit_learns(data: Dataset, units: int, seconds: float, seed: int) -> dict[str, float]:
    """Train scikit-learn's machine for as many seconds, at the learning rate and batch that are best on validation.

    Each setting gets the whole time, and the choice costs nothing: a head start for the library.
    """
    x, best = data.train.x.flatten(1).numpy(), None
    for rate, batch in TRIED:
        start = time.perf_counter()
        _library(units, rate, batch, 10, seed).fit(x)
        passes = max(10, math.ceil(10 * seconds / (time.perf_counter() - start)))
        start = time.perf_counter()
        model = _ours(_library(units, rate, batch, passes, seed).fit(x))
        spent = time.perf_counter() - start
        score = nats(model, data.valid.x, seed, chains=100, rungs=300)
        if best is None or score > best[0]:
            best = (score, model, spent)
    plain = _ours(_library(units, 0.1, 10, 10, seed).fit(x))
    return {
        "nats": nats(best[1], data.test.x, seed), "seconds": best[2], "defaults": nats(plain, data.test.x, seed),
    }  # fmt: skip


def _library(units: int, rate: float, batch: int, passes: int, seed: int):
    from sklearn.neural_network import BernoulliRBM

    return BernoulliRBM(units, learning_rate=rate, batch_size=batch, n_iter=passes, random_state=seed)


def _ours(library) -> RBM:
    """Return a machine with the parameters that scikit-learn found."""
    model = RBM(shape=(1, 8, 8), hidden=library.n_components)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(library.components_.T))
        model.hidden_bias.copy_(torch.tensor(library.intercept_hidden_))
        model.visible_bias.copy_(torch.tensor(library.intercept_visible_))
    return model


def way(data: Dataset, change: dict, seed: int) -> dict[str, float]:
    """Learn the digits in one way for so many seconds, at the rate that is best on validation; 16 hidden units."""
    best = None
    for rate in RATES:
        recipe = recipes.variant("boltzmann-binary_digits-exact", **{"k": 1, "chains": 0, **change})
        trial = _plain(recipe, data, seed, steps=100, lr=rate)
        steps = max(200, round(100 * SECONDS / trial.seconds))
        found = _plain(recipe, data, seed, steps=steps, lr=rate)
        score = nats(found.model, data.valid.x, seed)
        if best is None or score > best[0]:
            best = (score, found, rate, steps)
    _, found, rate, steps = best
    return {
        "nats": round(nats(found.model, data.test.x, seed), 3),
        "steps": steps, "rate": rate, "seconds": round(found.seconds, 2),
    }  # fmt: skip


def _plain(recipe, data: Dataset, seed: int, **changes) -> Fit:
    """Train without an early best, so that every second is one of learning."""
    return fit(recipe.build(seed), Split(data.train.x), replace(recipe.config(), seed=seed, **changes), progress=False)


def bars(n: int) -> Tensor:
    """Return all pictures of n × n of whole rows, or of whole columns: shape (2ⁿ⁺¹ − 2, 1, n, n).

    >>> bars(3).shape
    torch.Size([14, 1, 3, 3])
    """
    s = states(n)
    both = torch.cat([s[:, :, None].expand(-1, n, n), s[:, None, :].expand(-1, n, n)])
    return both.flatten(1).unique(dim=0).view(-1, 1, n, n)


def on_bars(change: dict, seed: int) -> dict[str, list[float]]:
    """Learn bars of 4 × 4, and watch the exact log-likelihood beside the error of one-step reconstruction."""
    x = bars(4)
    torch.manual_seed(seed)
    model = RBM(shape=(1, 4, 4), hidden=12, **change)
    found: dict[str, list[float]] = {"step": [], "log-likelihood": [], "reconstruction error": []}
    for step in train(model, Split(x.repeat(4, 1, 1, 1)), replace(BARS, seed=seed)):
        if (step.i + 1) % 200 == 0:
            with torch.no_grad():
                found["step"].append(step.i + 1)
                found["log-likelihood"].append(round(model.log_prob(x).mean().item(), 3))
                wrong = (model.reconstruct(x) - x).square().mean().item()
                found["reconstruction error"].append(round(wrong, 5))
    return found


def unrestricted() -> dict[str, Callable[[], torch.nn.Module]]:
    """Return machines of 9 visible units, by name: without hidden units, restricted, and general."""
    shape = (1, 3, 3)
    return {
        "general, no hidden unit": lambda: Boltzmann(shape=shape),
        "restricted, 5 hidden": lambda: ByExactSums(shape=shape, hidden=5),
        "general, 5 hidden": lambda: Boltzmann(shape=shape, hidden=5),
        "restricted, 10 hidden": lambda: ByExactSums(shape=shape, hidden=10),
    }


class ByExactSums(RBM):
    """A restricted machine that learns by its exact log-likelihood, as a small general one does."""

    def loss(self, x: Tensor, c: Tensor | None = None) -> dict[str, Tensor]:
        """Return −log p(x), shape (B,)."""
        return {"loss": -self.log_prob(x)}


def on_small_bars(build: Callable, seed: int, steps: int = 600) -> dict[str, float]:
    """Learn bars of 3 × 3 by exact sums, and return the divergence from the truth, in nats."""
    x = bars(3)
    torch.manual_seed(seed)
    model = build()
    config = TrainConfig(steps=steps, batch=len(x), lr=0.05, clip=None, seed=seed)
    found = fit(model, Split(x), config, progress=False)
    with torch.no_grad():
        divergence = -math.log(len(x)) - model.log_prob(x).mean().item()
    weights = sum(p.numel() for p in model.parameters())
    return {"divergence": round(divergence, 4), "weights": weights, "seconds": round(found.seconds, 2)}


def annealed(model: RBM, data: Dataset, seed: int) -> dict[str, float]:
    """Estimate the log-likelihood of a machine whose exact one is known."""
    torch.manual_seed(seed)
    found = metrics.ais(model, data.test.x, chains=200, rungs=300)
    exact = metrics.log_prob(model, data.test.x).value
    return {"exact": round(exact, 4), "estimate": round(found.value, 4), "stderr": round(found.stderr, 4)}


def completion(data: Dataset, seed: int) -> dict[str, float]:
    """Complete the lower halves of test digits, and return the share of their pixels that are wrong."""
    model = recipes.train(recipes.get("boltzmann-binary_digits"), seed=seed, dataset=data, progress=False).model
    return {name: round(_wrong(y, data.test.x), 4) for name, y in completed(model, data, data.test.x, seed).items()}


def completed(model: RBM, data: Dataset, x: Tensor, seed: int) -> dict[str, Tensor]:
    """Return x with its lower half by the mean image, the nearest training digit, one draw, and the mean of draws."""
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    mask[:, :, :4] = True
    upper, train_x = x[:, :, :4].flatten(1), data.train.x
    near = train_x[torch.cdist(upper, train_x[:, :, :4].flatten(1)).argmin(1)]
    torch.manual_seed(seed)
    total, steps, warm = torch.zeros_like(x), 300, 100
    for i, shown in enumerate(model.trajectory(len(x), known=x, mask=mask, steps=steps, mean=True)):
        total += shown if i >= warm else 0
    mean = (total / (steps - warm)).round()
    draw = model.sample(len(x), known=x, mask=mask, steps=300)
    average = train_x.mean(0, keepdim=True).round().expand_as(x)
    ways = {"the mean image": average, "the nearest digit": near, "RBM, one draw": draw, "RBM, mean of draws": mean}
    return {name: torch.where(mask, x, y) for name, y in ways.items()}


def _wrong(y: Tensor, x: Tensor) -> float:
    return (y != x)[:, :, 4:].float().mean().item()


def labels(seed: int) -> dict[str, float]:
    """Train a machine with a label unit: how well it reads test digits, and draws the digit that was asked for."""
    recipe = recipes.get("boltzmann-binary_digits-conditional")
    data, model = recipe.dataset(), recipes.train(recipe, seed=seed, progress=False).model
    torch.manual_seed(seed)
    asked = torch.arange(10).repeat_interleave(50)
    drawn = model.sample(500, asked)
    with torch.no_grad():
        read = metrics.accuracy(model.log_class(data.test.x), data.test.c).value
        obeyed = metrics.accuracy(classifier("digits")(drawn), asked).value
    return {"read": round(read, 4), "obeyed": round(obeyed, 4)}


def both_energies(data: Dataset, seed: int) -> dict[str, float]:
    """Train as the chapter does, and with the energy of data alone; how energies and likelihood change."""
    recipe = recipes.get("boltzmann-binary_digits-exact")
    found: dict[str, float] = {}
    for name, family in (("both", RBM), ("data alone", DataAlone)):
        torch.manual_seed(seed)
        model = family(**{**recipe.arguments, "shape": (1, 8, 8)})
        with torch.no_grad():
            before = -model.log_unnormalised(data.test.x).mean().item(), model.log_prob(data.test.x).mean().item()
        fit(model, Split(data.train.x), replace(recipe.config(), seed=seed, steps=600), progress=False)
        with torch.no_grad():
            after = -model.log_unnormalised(data.test.x).mean().item(), model.log_prob(data.test.x).mean().item()
        found |= {f"energy change, {name}": after[0] - before[0], f"nats change, {name}": after[1] - before[1]}
    return {name: round(value, 3) for name, value in found.items()}


class DataAlone(RBM):
    """A machine that lowers the energy of the data and raises nothing."""

    def loss(self, x: Tensor, c: Tensor | None = None) -> dict[str, Tensor]:
        """Return the free energy of the data."""
        terms = super().loss(x, c)
        return {**terms, "loss": terms["data"]}


def party(seed: int, guests: int = 6) -> Network:
    """Return a party: who likes whom (+) and who does not (−), at random, and everybody's own mood."""
    generator = torch.Generator().manual_seed(seed)
    upper = torch.randn(guests, guests, generator=generator).triu(1)
    return Network(upper + upper.T, 0.3 * torch.randn(guests, generator=generator))


def visited(seed: int) -> dict[str, float]:
    """Let moods settle, and hold the states visited against their exact probabilities and their energies."""
    machine, s = party(seed), states(6)
    log_p = machine.log_unnormalised(s).log_softmax(0)
    torch.manual_seed(seed)
    now, counts = machine.blank(200), torch.zeros(64)
    for i in range(600):
        now = machine.step(now)
        if i >= 100:
            counts += torch.bincount((now.long() * 2 ** torch.arange(5, -1, -1)).sum(1), minlength=64)
    share = counts / counts.sum()
    lowest = log_p.argmax()
    slope = torch.stack([machine.energy(s), share.clamp(min=1e-6).log()])[:, log_p > -7]
    slope = torch.cov(slope)[0, 1] / torch.var(slope[0])
    return {
        "total variation": round(0.5 * (share - log_p.exp()).abs().sum().item(), 4),
        "share of the lowest": round(share[lowest].item(), 4),
        "probability of the lowest": round(log_p[lowest].exp().item(), 4),
        "slope": round(slope.item(), 3),
    }


def energy_verdict(runs: list[dict[str, float]]) -> str:
    """Put claim C07 in a sentence, from the record's own numbers."""
    mean = {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}
    return (
        f"Half of it. Learning lowers the energy of data against that of the machine's own samples. Where only the "
        f"energy of data is lowered, it falls by {-mean['energy change, data alone']:,.0f} nats, and the "
        f"log-likelihood of test digits falls by {-mean['nats change, data alone']:,.0f}. With both terms the energy "
        f"falls by {-mean['energy change, both']:.0f}, and the log-likelihood rises by {mean['nats change, both']:.0f}."
    )


def lowest_verdict(runs: list[dict[str, float]]) -> str:
    """Put claim C25 in a sentence, from the record's own numbers."""
    mean = {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}
    return (
        f"No, twice. Mood is minus the energy: the logarithm of how often a state comes falls by {-mean['slope']:.2f} "
        f"for each unit of energy, a straight line and no inverse proportion. And the machine does not stop at the "
        f"lowest energy: it spends {mean['share of the lowest']:.0%} of its time there, where "
        f"{mean['probability of the lowest']:.0%} is its exact share."
    )
