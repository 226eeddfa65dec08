"""What every model promises, and the one idea that keeps the trainer blind to families."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

Terms = dict[str, Tensor]
"""Named terms of a loss, each of shape (B,) or (); ``"loss"`` is the one that is minimised."""


@dataclass(frozen=True)
class Estimate:
    r"""A measured number with its standard error and what it means.

    Arguments
        value: the number.
        stderr: its standard error, :math:`s/\sqrt{n}` for a mean over n examples; ``None`` where there is none.
        kind: ``"exact"``, ``"bound"`` (a lower bound on a log-probability) or ``"estimate"``.
        unit: ``"nats"``, ``"bits/dim"``, ``"dB"``, … or empty.

    >>> Estimate(-93.66, 0.71, kind="bound", unit="nats")
    Estimate(-93.66 ± 0.71 nats, bound)
    >>> f"{Estimate(0.9312, 0.004):.3f}"
    '0.931 ± 0.004'
    """

    value: float
    stderr: float | None = None
    kind: str = "estimate"
    unit: str = ""

    @classmethod
    def mean(cls, values: Tensor, *, kind: str = "estimate", unit: str = "") -> "Estimate":
        """Return the mean of ``values``, shape (N,), with the standard error of that mean."""
        if values.ndim != 1 or len(values) < 2:
            raise ValueError(f"values: expected shape (N,) with N >= 2, received {tuple(values.shape)}")
        values = values.double()
        return cls(values.mean().item(), values.std().item() / math.sqrt(len(values)), kind=kind, unit=unit)

    def __format__(self, spec: str) -> str:
        spread = "" if self.stderr is None else f" ± {self.stderr:{spec or '.2f'}}"
        return f"{self.value:{spec or '.2f'}}{spread}" + (f" {self.unit}" if self.unit else "")

    def __str__(self) -> str:
        return format(self, "")

    def __repr__(self) -> str:
        return f"Estimate({self}, {self.kind})"


@dataclass
class Player:
    """One minimiser in the game of training: who moves, what it minimises, and when.

    Arguments
        name: its name in the history.
        params: the parameters it moves, and no others.
        loss: ``loss(x, c) -> Terms``.
        every: it moves in every ``every``-th step.
        span: the part of training, within [0, 1], in which it moves. Layers trained one after another,
            or a prior trained after its codes, are players with spans that follow each other.
        lr: multiplies the trainer's learning rate.
        betas: Adam's two decay rates; the first is Muon's momentum too.
        matrices: those of ``params`` that multiply hidden states, for an optimiser that treats matrices as matrices.
    """

    name: str
    params: list[nn.Parameter]
    loss: Callable[[Tensor, Tensor | None], Terms]
    every: int = 1
    span: tuple[float, float] = (0.0, 1.0)
    lr: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    matrices: list[nn.Parameter] = field(default_factory=list)


class Generative(nn.Module):
    """A distribution over x, perhaps given c, from which we can draw.

    A family writes ``loss`` and ``trajectory``; a game of several players overrides ``players``.
    ``log_prob(x, c)`` exists only where ``likelihood == "exact"``: nats per example, shape (B,).
    ``elbo(x, c)`` is a lower bound on the log-probability of the discrete data where the data are discrete.
    """

    likelihood = "none"
    """``"exact"``, ``"bound"`` or ``"none"``: what this family can say about how probable a thing is."""

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the named terms of the training loss; ``"loss"`` has shape (B,) or ()."""
        raise NotImplementedError

    def trajectory(self, n: int, c: Tensor | None = None, **knobs) -> Iterator[Tensor]:
        """Yield x after every step of sampling, without gradient. ``c`` has n rows, or one that is repeated."""
        raise NotImplementedError

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None, **knobs) -> Tensor:
        """Draw ``n`` examples: the last of the trajectory."""
        if n < 1:
            raise ValueError(f"n: expected at least 1, received {n}")
        return deque(self.trajectory(n, c, **knobs), maxlen=1).pop()

    def players(self) -> list[Player]:
        """Return who moves in a training step. A frozen parameter belongs to nobody."""
        return [Player("model", [p for p in self.parameters() if p.requires_grad], self.loss)]

    @property
    def device(self) -> torch.device:
        """The device that holds the parameters."""
        return next(self.parameters()).device


def rows(c: Tensor | None, n: int) -> Tensor | None:
    """Return a condition with n rows: ``None`` stays, one row is repeated, n rows pass.

    >>> rows(torch.tensor([7]), 3)
    tensor([7, 7, 7])
    """
    if c is None or len(c) == n:
        return c
    if len(c) != 1:
        raise ValueError(f"c: expected 1 or {n} rows, received {len(c)}")
    return c.expand(n, *c.shape[1:])
