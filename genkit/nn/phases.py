r"""Learning of a restricted Boltzmann machine by its own formula, without autograd: what is seen, less what is dreamt.

.. math:: \Delta W = \eta \left(\langle v h^\top \rangle_\text{seen} - \langle v h^\top \rangle_\text{dreamt}\right)

A step of such a machine is so little work that the bookkeeping of autograd, of an optimiser and of a trainer costs
several times as much. Here is the step alone, in place. The trainer learns every kind of machine, this one kind.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

EVERY = 10  # steps between two states that enter the average
RECENT = 8  # the last ninth of them makes most of the average


@torch.no_grad()
def learn(
    model, x: Tensor, *, steps: int, batch: int = 20, lr: float = 0.1, averaged: bool = True, every: int = 100,
    seed: int = 0,
) -> Iterator[int]:  # fmt: skip
    r"""Take steps of persistent contrastive divergence with one Gibbs step (Younes 1989; Tieleman 2008).

    Yields the number of steps taken, after ``every`` of them and at the end; ``model`` then holds what was learnt. All
    chance is a function of ``seed``.

    Arguments
        model: a :class:`genkit.models.boltzmann.RBM` of units of 0 and 1, without labels; its parameters are where
            learning starts, its own chains are not used.
        x: examples in [0, 1], shape (N, …), the model's.
        steps: how many steps, at least 1.
        batch: examples in a step, at most N, and chains.
        lr: η, which stays constant.
        averaged: the model gets a mean of the parameters on the way, in which the recent ones count more: at a constant
            rate they never settle, but their mean does (Swersky et al. 2010; the weights are those of Shamir & Zhang
            2013, section 4).

    >>> from genkit.models.boltzmann import RBM
    >>> model, x = RBM(shape=(4,), hidden=2), torch.tensor([[0.0, 0, 1, 1], [1, 1, 0, 0]]).repeat(50, 1)
    >>> before = model.log_prob(x).mean()
    >>> list(learn(model, x, steps=500, every=250))
    [250, 500]
    >>> bool(model.log_prob(x).mean() > before + 1)
    True
    """
    _check(model, x, steps, batch, lr, every)
    x, parameters = x.flatten(1).to(model.weight), (model.weight, model.visible_bias, model.hidden_bias)
    live, mean = [p.clone() for p in parameters], [p.clone() for p in parameters]
    generator = torch.Generator(x.device).manual_seed(seed)
    chains = torch.full((batch, len(model.hidden_bias)), 0.5).to(x).bernoulli(generator=generator)
    sides = torch.tensor([lr / batch, -lr / batch]).to(x).repeat_interleave(batch)
    rows = _rows(len(x), batch, generator)
    for i in range(1, steps + 1):
        chains = step(*live, x[next(rows)], chains, sides, generator)
        if i % EVERY == 0:
            for m, p in zip(mean, live, strict=True):
                m.lerp_(p, (1 + RECENT) / (i // EVERY + RECENT))
        if i % every == 0 or i == steps:
            for p, found in zip(parameters, mean if averaged and i >= EVERY else live, strict=True):
                p.copy_(found)
            yield i


def step(
    weight: Tensor, visible: Tensor, hidden: Tensor, seen: Tensor, chains: Tensor, sides: Tensor,
    generator: torch.Generator | None = None,
) -> Tensor:  # fmt: skip
    """Move the parameters of a machine in place, and return the new states of the hidden units of its chains.

    Arguments
        weight, visible, hidden: of a :class:`genkit.nn.machines.Pair`: shapes (D, H), (D,), (H,).
        seen: examples, shape (B, D).
        chains: states of the hidden units of the chains, shape (C, H).
        sides: how far each of the (B + C) rows moves the parameters: above 0 for what is seen, below for the dreamt.
    """
    dreamt = torch.addmm(visible, chains, weight.T).sigmoid_().bernoulli(generator=generator)
    v = torch.cat([seen, dreamt])
    h = torch.addmm(hidden, v, weight).sigmoid_()
    weight.addmm_(v.T, h * sides[:, None])
    visible.addmv_(v.T, sides)
    hidden.addmv_(h.T, sides)
    return h[len(seen) :].bernoulli(generator=generator)


def _rows(examples: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the rows of one batch after the other; in one pass no example comes twice."""
    while True:
        order = torch.randperm(examples, generator=generator, device=generator.device)
        yield from order[: examples // batch * batch].view(-1, batch)


def _check(model, x: Tensor, steps: int, batch: int, lr: float, every: int) -> None:
    if model.sigma is not None or model.classes:
        raise ValueError("model: expected units of 0 and 1 and no labels, received others, which the trainer learns")
    sides = ", ".join(map(str, model.shape))
    if tuple(x.shape[1:]) != model.shape or not len(x) or not 0 <= float(x.min()) <= float(x.max()) <= 1:
        raise ValueError(f"x: expected numbers in [0, 1] of shape (N, {sides}), received {tuple(x.shape)}")
    if not 1 <= batch <= len(x):
        raise ValueError(f"batch: expected 1 … {len(x)}, as many as there are examples, received {batch}")
    for name, value in (("steps", steps), ("every", every)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, received {value}")
    if not lr > 0:
        raise ValueError(f"lr: expected a number above 0, received {lr}")
