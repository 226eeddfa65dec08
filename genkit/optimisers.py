r"""Optimisers by hand: from a gradient, and a memory of earlier ones, to the step that a tensor takes.

Each is a pure function ``(gradient, memory, rate) -> (step, memory)``; the memory is ``None`` before the first step.
``update`` alone makes new weights.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .backprop import RELU, Activation, Loss, Weights, backprop, cross_entropy

Rate = float | Tensor
Optimiser = Callable[[Tensor, tuple | None, Rate], tuple[Tensor, tuple | None]]


def sgd(g: Tensor, memory: tuple | None, rate: Rate) -> tuple[Tensor, tuple | None]:
    r"""Plain descent, :math:`-\eta g`: straight down, as far as it is steep.

    >>> sgd(torch.tensor(2.0), None, 0.1)[0]
    tensor(-0.2000)
    """
    return -rate * g, memory


def momentum(g: Tensor, memory: tuple | None, rate: Rate, mu: float = 0.9) -> tuple[Tensor, tuple]:
    r"""Descent with a run-up, :math:`v \leftarrow \mu v + g`, a step of :math:`-\eta v` (Polyak 1964; torch's form)."""
    (v,) = memory or (torch.zeros_like(g),)
    v = mu * v + g
    return -rate * v, (v,)


def adam(
    g: Tensor, memory: tuple | None, rate: Rate, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8
) -> tuple[Tensor, tuple]:
    r"""Descent by the mean gradient over the root of its mean square, both corrected for their start at 0.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad
        -\eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \epsilon}

    Kingma & Ba (2015), algorithm 1. Its first step is :math:`\pm\eta` for every weight, however steep.
    """
    m, s, t = memory or (torch.zeros_like(g), torch.zeros_like(g), 0)
    m, s, t = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g, t + 1
    return -rate * (m / (1 - b1**t)) / ((s / (1 - b2**t)).sqrt() + eps), (m, s, t)


def update(
    weights: Weights, gradients: Weights, memory: list | None, optimiser: Optimiser, rate: Rate
) -> tuple[Weights, list]:
    """Return new weights and the optimiser's memory after one step. ``rate`` may be a tensor, one for each of a stack.

    >>> weights = [(torch.ones(1, 1), torch.zeros(1, 1))]
    >>> update(weights, weights, None, sgd, 0.5)[0]
    [(tensor([[0.5000]]), tensor([[0.]]))]
    """
    memory = memory or [(None, None)] * len(weights)
    moved, kept = [], []
    for pair, slopes, past in zip(weights, gradients, memory, strict=True):
        steps = [optimiser(g, m, rate) for g, m in zip(slopes, past, strict=True)]
        moved.append(tuple(t + step for t, (step, _) in zip(pair, steps, strict=True)))
        kept.append(tuple(m for _, m in steps))
    return moved, kept


def descend(
    weights: Weights,
    x: Tensor,
    y: Tensor,
    *,
    steps: int,
    rate: Rate,
    optimiser: Optimiser = sgd,
    act: Activation = RELU,
    loss: Loss = cross_entropy,
) -> Iterator[tuple[Weights, Tensor]]:
    """Train on all examples at once; yield the weights after every step, and the loss before it.

    The arguments are those of :func:`genkit.backprop.backprop` and of :func:`update`.
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, received {steps}")
    memory = None
    for _ in range(steps):
        value, gradients = backprop(weights, x, y, act, loss)
        weights, memory = update(weights, gradients, memory, optimiser, rate)
        yield weights, value
