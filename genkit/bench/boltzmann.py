"""How soon a restricted Boltzmann machine has learnt, and how long a step takes: genkit's against scikit-learn's."""

import itertools
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .. import recipes
from ..data import Dataset
from ..models.boltzmann import RBM
from ..nn.phases import learn
from ..training import TrainConfig, train
from .turns import Ratio, beside, clock, flat, peer

UNITS = 16  # hidden ones: the sum over their 65,536 states is the exact partition function
SIZES = ((16, 10), (16, 100), (200, 100))
"""Hidden units and examples in a step."""
TRIED = tuple(itertools.product((0.02, 0.05, 0.1, 0.2), (10, 50, 100)))
"""scikit-learn's learning rates and batches."""
MARGINS = (1.0, 0.5, 0.1)
AT_ONCE = 20  # steps between two looks at the clock


def boltzmann(
    seconds: float = 2.0, seeds: int = 3, rounds: int = 15, sizes: tuple[tuple[int, int], ...] = SIZES,
    tried: tuple[tuple[float, int], ...] = TRIED,
) -> dict[str, float]:  # fmt: skip
    """Time a step of learning, and how soon the exact log-likelihood of held-out digits is as good.

    A step: one of persistent contrastive divergence with plain gradients, for the same batch, units and 32-bit numbers.
    genkit's is that of :func:`genkit.nn.phases.learn`; beside it stands the same in genkit's trainer, which is made for
    every family, with autograd and AdamW. scikit-learn's is the inner loop of its ``fit``, without its checks.

    Learning: all take turns until each has had so many seconds of training, and the clock stands still while the
    likelihood is measured, for both by genkit's sum over all hidden states. scikit-learn gets every pair of ``tried``
    its own run, and counts for a likelihood the one that reached it first: on the test digits themselves, a head start.
    genkit has one run, with its defaults. The likelihoods asked for are the best that any run of scikit-learn reached
    at any time, less a margin in nats. Digits are few, so that held-out likelihoods fall again where learning goes on:
    they are given at the end and at the best moment, scikit-learn's of the run that is best there.
    """
    found: dict[str, float] = {}
    for units, batch in sizes:
        found |= flat(beside(steps(units, batch), rounds, clock=clock()), f"200 steps, {units} units, batch {batch}")
    races = [race(seed, seconds, tried) for seed in range(seeds)]
    for margin in MARGINS:
        times = [_to(race, max(_best(run) for run in race[1:]) - margin) for race in races]
        found |= flat({"scikit-learn": Ratio.over(*zip(*times, strict=True))}, f"to its best less {margin} nats")
    ends = [[run.curve[-1][1] for run in race] for race in races]
    tops = [[_best(run) for run in race] for race in races]
    for when, scores in ((f"after {seconds:g} s", ends), ("at the best moment", tops)):
        found[f"{when}, genkit, nats"] = statistics.mean(mine for mine, *_ in scores)
        found[f"{when}, scikit-learn's best, nats"] = statistics.mean(max(theirs) for _, *theirs in scores)
    return found


def steps(units: int, batch: int, n: int = 200) -> dict[str, Callable[[], object]]:
    """Return three ways of taking n steps, each on a machine of its own."""
    data = recipes.get("boltzmann-binary_digits-exact").dataset().train
    x = data.x.flatten(1).numpy()
    mine, trained = RBM(shape=(1, 8, 8), hidden=units), RBM(shape=(1, 8, 8), hidden=units, chains=batch)
    config = TrainConfig(steps=n, batch=batch, clip=None)
    return {
        "genkit": lambda: list(learn(mine, data.x, steps=n, batch=batch, averaged=False, every=n)),
        "scikit-learn": lambda: next(_passes(_library(units, 0.1, batch, 0, x), x, n)),
        "genkit's trainer": lambda: list(train(trained, type(data)(data.x), config)),
    }


@dataclass
class Run:
    """One machine that learns while its clock runs. ``curve`` holds pairs of its seconds and its log-likelihood."""

    learning: Iterator
    measure: Callable[[], float]
    seconds: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)

    def until(self, mark: float) -> None:
        """Learn until the clock shows so many seconds, stop it and measure."""
        now = clock()
        while self.seconds < mark:
            start = now()
            next(self.learning)
            self.seconds += now() - start
        self.curve.append((self.seconds, self.measure()))


def race(seed: int, seconds: float, tried: tuple[tuple[float, int], ...]) -> list[Run]:
    """Let genkit's machine, the first, and all of scikit-learn's learn for so many seconds each, in turns."""
    data = recipes.get("boltzmann-binary_digits-exact").dataset()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = RBM(shape=data.shape, hidden=UNITS)
    runs = [
        Run(learn(model, data.train.x, steps=10**9, every=AT_ONCE, seed=seed), lambda: nats(model, data.test.x)),
        *(_theirs(data, rate, batch, seed) for rate, batch in tried),
    ]
    marks = [seconds]
    while marks[-1] > 0.02:
        marks.append(marks[-1] / 1.25)
    for i, mark in enumerate(reversed(marks)):
        for run in runs if i % 2 else reversed(runs):
            run.until(mark)
    return runs


@torch.no_grad()
def nats(model: RBM, x: Tensor) -> float:
    """Return the exact mean log-likelihood of examples."""
    return model.log_prob(x).mean().item()


def copied(library) -> RBM:
    """Return genkit's machine with the parameters that scikit-learn found."""
    model = RBM(shape=(1, 8, 8), hidden=library.n_components)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(library.components_.T))
        model.visible_bias.copy_(torch.tensor(library.intercept_visible_))
        model.hidden_bias.copy_(torch.tensor(library.intercept_hidden_))
    return model


def _theirs(data: Dataset, rate: float, batch: int, seed: int) -> Run:
    x = data.train.x.flatten(1).numpy()
    library = _library(UNITS, rate, batch, seed, x)
    return Run(_passes(library, x, AT_ONCE), lambda: nats(copied(library), data.test.x))


def _library(units: int, rate: float, batch: int, seed: int, x):
    """Return scikit-learn's machine as ``fit`` sets it up, which then makes no pass over the examples."""
    kind = peer("sklearn.neural_network").BernoulliRBM
    return kind(units, learning_rate=rate, batch_size=batch, n_iter=0, random_state=seed).fit(x)


def _passes(library, x, steps: int) -> Iterator[None]:
    """Go on with the loop of scikit-learn's ``fit``, and pause after so many steps."""
    random = peer("numpy").random.RandomState(library.random_state)
    starts = itertools.cycle(range(0, len(x) - library.batch_size + 1, library.batch_size))
    for i, start in enumerate(starts, 1):
        library._fit(x[start : start + library.batch_size], random)
        if i % steps == 0:
            yield


def _best(run: Run) -> float:
    return max(score for _, score in run.curve)


def _to(race: list[Run], target: float) -> tuple[float, float]:
    """Return the seconds that genkit and the fastest run of scikit-learn needed for this log-likelihood."""
    first = [next((s for s, score in run.curve if score >= target), math.inf) for run in race]
    return first[0], min(first[1:])
