"""Every family on the same points, through one interface: fit, sample, and a log-density where there is one.

A family is found by walking the register :data:`genkit.families.FAMILIES`. One that has no plan here is asked, by its
entry in :data:`genkit.families.SUITS`, in which form it takes a point; so a new family joins by registering itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from . import metrics
from .base import Generative
from .data import Split
from .families import FAMILIES, SUITS, build
from .family_plans import PLANS, QUICK, Plan
from .points import EXTENT, FORMS, Form, form, written
from .randomness import randomness_of
from .training import TrainConfig, fit

POINTS = 8000
Density = Callable[[Tensor], Tensor]


def plan(family: str) -> Plan | None:
    """Return how a family learns points, or None for one that takes them in no form."""
    if family in PLANS:
        return PLANS[family]
    for name in FORMS:
        try:
            return Plan(name, SUITS[family](written(name), False), QUICK)
        except (KeyError, ValueError):  # it says nothing of itself, or that this form is not for it
            continue
    return None


@dataclass
class Member:
    """A family's model of points, behind the one interface.

    Arguments
        family: its name in the register.
        form: how it reads and writes a point.
        model: the model itself.
        knobs: how it samples.
        seconds: processor time that training took.
    """

    family: str
    form: Form
    model: Generative
    knobs: dict = field(default_factory=dict)
    seconds: float = 0.0

    def fit(self, x: Tensor, config: TrainConfig, *, progress: bool = False) -> "Member":
        """Learn points of shape (N, 2); returns itself."""
        start = time.process_time()
        fit(self.model, Split(self.form.write(x)), config, progress=progress)
        self.seconds = time.process_time() - start
        return self

    def sample(self, n: int) -> Tensor:
        """Draw n points, shape (n, 2). Raises ``AttributeError`` for a model from which nothing can be drawn."""
        return self.form.read(self.model.sample(n, **self.knobs))

    def log_density(self, x: Tensor, *, k: int = 64) -> tuple[Tensor, str] | None:
        """Return log p at points of shape (N, 2), nats, shape (N,), and what it is; None where there is none.

        ``"exact"``; ``"bound"``, a lower bound with ``k`` draws; ``"estimate"``, whose error is not known: the flow of
        a velocity, followed in steps, or minus an energy, with the sum over a fine grid in place of the integral.
        """
        model, way = self.model, self.form
        with torch.no_grad():
            if model.likelihood == "exact":
                return model.log_prob(way.write(x)) - way.log_area, "exact"
            if model.likelihood == "bound":
                return _bound(model, way.write(x), k) - way.log_area, "bound"
            if way.levels is None and hasattr(model, "velocity"):
                return metrics.flow_log_probs(model.velocity, x, steps=25), "estimate"
            if way.levels is None and hasattr(model, "energy"):
                grid, area = metrics.plane(2 * EXTENT, 200)
                return -model.energy(x) - (-model.energy(grid)).logsumexp(0) - torch.tensor(area).log(), "estimate"
        return None


def _bound(model: Generative, x: Tensor, k: int) -> Tensor:
    if hasattr(model, "log_weights"):
        return model.log_weights(x, None, k).logsumexp(0) - torch.tensor(float(k)).log()
    return model.elbo(x)


def join(family: str, seed: int = 0) -> Member:
    """Return an untrained member of a family. Raises ``ValueError`` for one that takes points in no form."""
    chosen = plan(family)
    if chosen is None:
        raise ValueError(f"family: expected one that takes points as one of {', '.join(FORMS)}, received {family!r}")
    with randomness_of(seed, -2, 0, torch.device("cpu")):
        model = build(family, **chosen.arguments)
    return Member(family, form(chosen.form), model, chosen.knobs)


def trained(family: str, x: Tensor, *, seed: int = 0, progress: bool = False) -> Member:
    """Return a member of a family that has learnt points x, shape (N, 2), by its plan."""
    return join(family, seed).fit(x, replace(plan(family).config, seed=seed), progress=progress)


def families() -> list[str]:
    """Return the families that take points, in the order of the plans; new ones come last."""
    known = [name for name in PLANS if name in FAMILIES]
    return known + [name for name in FAMILIES if name not in PLANS and plan(name) is not None]
