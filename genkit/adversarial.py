r"""The two sides of a game: what a critic minimises, what a generator minimises, and what keeps a critic smooth.

A critic gives every example a number, its logit D(x): high where it takes the example for real. With r = D(x) on data
and f = D(G(z)) on samples, both of shape (B,), each game is a pair of losses per example.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .names import unknown

Critic = Callable[[Tensor], Tensor]
"""From examples, shape (B, …), to logits, shape (B,) or (B, places)."""


@dataclass(frozen=True)
class Game:
    """A critic's loss and a generator's, each ``f(real, fake) -> Tensor`` of logits of the same shape."""

    critic: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


GAMES = {
    # Goodfellow et al. (2014), eq. 1: the generator climbs what the critic descends
    "minimax": Game(lambda r, f: F.softplus(-r) + F.softplus(f), lambda r, f: -F.softplus(f)),
    # the same critic; the generator's gradient does not fade while it loses (section 3 there)
    "non_saturating": Game(lambda r, f: F.softplus(-r) + F.softplus(f), lambda r, f: F.softplus(-f)),
    # Mao et al. (2017), eq. 9 with a = 0, b = c = 1
    "least_squares": Game(lambda r, f: ((r - 1).square() + f.square()) / 2, lambda r, f: (f - 1).square() / 2),
    # Arjovsky et al. (2017), eq. 2: needs a critic that cannot be steep
    "wasserstein": Game(lambda r, f: f - r, lambda r, f: -f),
    # Jolicoeur-Martineau (2019), section 4; each sample is judged beside a real example
    "relativistic": Game(lambda r, f: F.softplus(f - r), lambda r, f: F.softplus(r - f)),
}


def game(name: str) -> Game:
    """Return the pair of losses called ``name``.

    >>> real, fake = torch.tensor([2.0]), torch.tensor([-2.0])
    >>> game("wasserstein").critic(real, fake), game("wasserstein").generator(real, fake)
    (tensor([-4.]), tensor([2.]))
    """
    if name not in GAMES:
        raise unknown("game", name, GAMES)
    return GAMES[name]


def slope(critic: Critic, x: Tensor) -> Tensor:
    r"""Return :math:`\|\nabla_x D(x)\|^2` for each example, shape (B,): how steep the critic is there.

    Half of it, times a weight, on real examples is R1 and on samples R2 (Mescheder et al. 2018, eq. 9 and 10). It can
    be differentiated again, so that a critic learns to be flat.

    >>> slope(lambda x: x.square().sum(1), torch.ones(2, 4)).detach()
    tensor([16., 16.])
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        return steepness(critic(x), x)


def steepness(logits: Tensor, x: Tensor) -> Tensor:
    r"""Return :math:`\|\nabla_x D(x)\|^2` for logits that were computed from x, shape (B,).

    It saves the critic's second look where the logits are wanted too.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def between(real: Tensor, fake: Tensor) -> Tensor:
    """Return a point drawn on the line from each real example to a sample, uniformly; shapes (B, …)."""
    if real.shape != fake.shape:
        raise ValueError(f"fake: expected the shape of real {tuple(real.shape)}, received {tuple(fake.shape)}")
    mix = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    return mix * real + (1 - mix) * fake


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    r"""Return :math:`(\|\nabla D\|_2 - 1)^2` between real examples and samples, shape (B,).

    Gulrajani et al. (2017), eq. 3.
    """
    return ((slope(critic, between(real, fake)) + 1e-12).sqrt() - 1).square()
