"""The bake-off: every family that draws pictures, on the same pictures, under the same budget, through one interface.

Who takes part, and how, is in :mod:`genkit.bake_off_plans`. Nothing here names a family.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from . import metrics
from .bake_off_plans import PLANS, Plan
from .base import Estimate, Generative
from .data import Dataset, Split
from .families import build
from .metrics.class_counts import worst_class
from .metrics.flow_ode import flow_bound
from .names import unknown
from .peak import PeakMemory
from .picture_forms import Form, on_levels
from .randomness import randomness_of
from .training import TrainConfig, fit, train

CPU = torch.device("cpu")


@dataclass
class Contestant:
    """A family that draws pictures, behind the one interface.

    Arguments
        plan: how it takes part.
        model: the model itself.
        levels, shape: of the pictures.
        seconds: processor time that training took.
    """

    plan: Plan
    model: Generative
    levels: int
    shape: tuple[int, ...]
    seconds: float = 0.0

    @property
    def form(self) -> Form:
        """How it reads and writes a picture."""
        return self.plan.form_of()

    def write(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, None]:
        """Return pictures as the family reads them: the augmentation of its training."""
        return self.form.write(x, self.levels), None

    def fit(self, x: Tensor, config: TrainConfig | None = None, *, progress: bool = False) -> "Contestant":
        """Learn pictures x, shape (N, C, H, W) in [0, 1]; returns itself."""
        start = self.clock()
        fit(self.model, Split(x), config or self.plan.config, augment=self.write, progress=progress)
        self.seconds = self.clock() - start
        return self

    def clock(self) -> float:
        """Return seconds: of this processor's work, or on a GPU those that pass until its work is done."""
        if self.model.device.type != "cuda":
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    @torch.no_grad()
    def sample(self, n: int, *, at_once: int = 500, **knobs) -> Tensor:
        """Draw n pictures whose pixels lie on levels, shape (n, C, H, W); ``knobs`` go to the model's ``sample``."""
        parts = [min(at_once, n - done) for done in range(0, n, at_once)]
        drawn = [self.model.sample(part, **(self.plan.knobs | knobs)) for part in parts]
        return torch.cat([self.form.read(x.cpu(), self.levels, self.shape) for x in drawn])

    @torch.no_grad()
    def likelihood(self, x: Tensor, *, draws: int = 20) -> Estimate | None:
        """Return the mean log-probability of the grey levels of x, nats a picture: exact, a bound, or None.

        A bound is the mean over ``draws`` of what is random in it, importance-weighted where the family can. A density
        of real numbers bounds that of the levels; the flow of a velocity gives a bound that is itself estimated.
        """
        if self.form.log_cell is None:
            return None
        x, cell = x.to(self.model.device), self.form.log_cell(self.levels) * x[0].numel()
        if self.model.likelihood == "exact" and cell == 0:
            return metrics.log_prob(self.model, self.write(x)[0])
        if self.model.likelihood == "exact":
            each = [self.model.log_prob(self.write(x)[0]) + cell for _ in range(draws)]
            return Estimate.mean(torch.stack(each).mean(0), kind="bound", unit="nats")
        if hasattr(self.model, "log_weights"):
            return metrics.iwae(self.model, x, k=draws)
        if self.model.likelihood == "bound":
            return metrics.elbo(self.model, x, samples=draws)
        return None


def bound_by_flow(contestant: Contestant, x: Tensor, *, steps: int = 20) -> Estimate | None:
    """Return the bound that the flow of a velocity gives for x, nats a picture; None for a family without a velocity.

    It is the best over four amounts of noise that is added first: with little of it, the flow of a network that has
    learnt its examples by heart may run away from a picture that it does not know.
    """
    model = contestant.model
    if not hasattr(model, "velocity"):
        return None
    found = [
        flow_bound(model.velocity, _mixture(model, first), x, levels=contestant.levels, first=first, steps=steps)
        for first in (0.02, 0.05, 0.1, 0.2)
    ]
    return max(found, key=lambda estimate: estimate.value)


def _mixture(model: Generative, time: float) -> tuple[float, float]:
    """Return how much of the example and how much noise is in what a model of velocities sees at a time."""
    if not hasattr(model, "schedule"):
        return 1 - time, time
    t = torch.tensor([time])
    return model.schedule.alpha(t).item(), model.schedule.sigma(t).item()


def enter(name: str, data: Dataset, seed: int = 0, **arguments) -> Contestant:
    """Return an untrained contestant; ``arguments`` replace those of its plan."""
    if name not in PLANS:
        raise unknown("name", name, PLANS)
    plan = PLANS[name].sized(data)
    with randomness_of(seed, -2, 0, CPU):
        model = build(plan.family, **(plan.arguments | arguments))
    return Contestant(plan, model, data.levels, data.shape)


def baked(
    name: str, data: Dataset, *, seed: int = 0, budget: float = 1.0, rate: float = 1.0, progress: bool = False
) -> Contestant:  # fmt: skip
    """Return a contestant that has trained for ``budget`` times its plan's steps, at ``rate`` times its rate."""
    config = PLANS[name].config
    config = replace(config, steps=round(config.steps * budget), lr=config.lr * rate, seed=seed)
    return enter(name, data, seed).fit(data.train.x, config, progress=progress)


# the yardsticks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judge:
    """The yardsticks that need samples alone, on one data set.

    Arguments
        data: the pictures; as many are drawn as it has training pictures.
        seen: from pictures to the features and the logits of the classifier.
    """

    data: Dataset
    seen: Callable[[Tensor], tuple[Tensor, Tensor]]

    def __call__(self, samples: Tensor) -> dict[str, float]:
        """Return every number for samples, shape (N, C, H, W)."""
        test, train = self.data.test.x, self.data.train.x
        (real, real_logits), (drawn, logits), (known, _) = self.seen(test), self.seen(samples), self.seen(train)
        classes = real_logits.shape[1]
        near = drawn[: len(real)]
        missed = worst_class(real_logits.argmax(1), logits.argmax(1), classes=classes)
        return {
            "frechet": metrics.frechet(real, drawn) / metrics.frechet(real, known),
            "precision": metrics.manifold.precision(real, near).value,
            "recall": metrics.manifold.recall(real, near).value,
            "density": metrics.manifold.density(real, near).value,
            "coverage": metrics.manifold.coverage(real, near).value,
            "class score": metrics.inception_score(logits.softmax(1)).value,
            "sharpness": metrics.sharpness(samples, test).value,
            "wasserstein": metrics.sliced_wasserstein(samples.flatten(1), test.flatten(1)).value,
            "worst class": missed.value,
            "copying z": metrics.copy_score(train, test, samples[: len(test)]).value,
        }


def speed(contestant: Contestant, n: int = 500, **knobs) -> tuple[Tensor, dict[str, float]]:
    """Draw n pictures at once. Returns them, how many a second that makes, and the milliseconds of one alone.

    ``knobs`` go to the model's ``sample``.
    """
    contestant.sample(1, **knobs)  # what is done once only
    start = contestant.clock()
    drawn = contestant.sample(n, at_once=n, **knobs)
    many = contestant.clock() - start
    start = contestant.clock()
    contestant.sample(1, **knobs)
    return drawn, {"a second": n / many, "one, ms": 1e3 * (contestant.clock() - start)}


def memory(name: str, data: Dataset, *, n: int = 100, steps: int = 4) -> dict[str, float]:
    """Return the most memory that training and drawing n pictures need at once, megabytes, weights included.

    Training is so short that all its stages are passed through, one after another.
    """
    with PeakMemory() as fitting:
        contestant = enter(name, data)
        config = replace(contestant.plan.config, steps=steps)
        for _ in train(contestant.model, Split(data.train.x), config, augment=contestant.write):
            pass
    weights = sum(t.numel() * t.element_size() for t in contestant.model.state_dict().values())
    with PeakMemory() as drawing:
        contestant.sample(n)
    return {"training, MB": fitting.most / 1e6, "drawing, MB": (drawing.most + weights) / 1e6}


def copies(data: Dataset, n: int, seed: int = 0) -> Tensor:
    """Return n training pictures: what a model draws that has learnt them by heart."""
    chance = torch.Generator().manual_seed(seed)
    return data.train.x[torch.randint(len(data.train.x), (n,), generator=chance)]


def one_gaussian(data: Dataset, n: int, seed: int = 0) -> Tensor:
    """Return n draws from the one Gaussian that has the mean and the covariance of the training pictures."""
    x = data.train.x.flatten(1).double()
    root = torch.linalg.cholesky(torch.cov(x.T) + 1e-6 * torch.eye(x.shape[1]))
    noise = torch.randn(n, x.shape[1], dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return on_levels((x.mean(0) + noise @ root.T).float().view(n, *data.shape), data.levels)
