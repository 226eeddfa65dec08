r"""The deep belief network (Hinton et al. 2006): restricted machines on top of each other, learned one after the other.

.. math:: p(x) = \sum_{h_1, \dots, h_{L-1}} p(x \mid h_1)\, p(h_1 \mid h_2) \cdots p(h_{L-1})

The topmost machine gives the last factor, a distribution over what it sees; the others only draw downwards.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Generative, Player, Terms, rows


class DBN(Generative):
    r"""A stack of restricted Boltzmann machines, each of which learns what the hidden units below it show.

    .. math:: \log p(x) \ge \mathbb E_q\left[\log p(x \mid h_1) + \dots + \log p(h_{L-1})
              - \log q(h_1 \mid x) - \dots\right]

    Hinton et al. (2006), with q the hidden units of each machine given those below. Layers are players whose
    spans follow each other: the trainer learns them one after the other in one run.

    Arguments
        layers: at least two machines of units of 0 and 1, such as :class:`~genkit.models.boltzmann.RBM`; each has the
            shape (hidden units of the one before,). A label unit belongs to the last.

    ``likelihood`` is ``"bound"`` where the last machine's is exact; otherwise :func:`genkit.metrics.ais` estimates the
    bound.

    >>> from genkit.models.boltzmann import RBM
    >>> model = DBN([RBM(shape=(1, 4, 4), hidden=6), RBM(shape=(6,), hidden=3)])
    >>> [(player.name, player.span) for player in model.players()]
    [('layer 1', (0.0, 0.5)), ('layer 2', (0.5, 1.0))]
    >>> model.sample(5, steps=10).shape
    torch.Size([5, 1, 4, 4])
    """

    def __init__(self, layers: Sequence[nn.Module]):
        super().__init__()
        if len(layers) < 2:
            raise ValueError(f"layers: expected at least 2, received {len(layers)}")
        for below, above in pairwise(layers):
            if tuple(above.shape) != (below.weight.shape[1],) or above.sigma is not None or below.classes:
                raise ValueError(
                    f"layers: expected one of shape ({below.weight.shape[1]},), of units of 0 and 1, above that many "
                    f"hidden units and no label, received one of shape {tuple(above.shape)}"
                )
        if layers[0].sigma is not None:
            raise ValueError("layers: expected visible units of 0 and 1, received Gaussian ones")
        self.layers, self.shape, self.classes = nn.ModuleList(layers), layers[0].shape, layers[-1].classes

    @property
    def likelihood(self) -> str:
        """``"bound"`` where the last machine's Z can be summed, else ``"none"``."""
        return "bound" if self.layers[-1].likelihood == "exact" else "none"

    @property
    def machine(self):
        """The last machine, whose Z is the one that is not known."""
        return self.layers[-1].machine

    def players(self) -> list[Player]:
        """Return the layers, each of which moves in its own share of training."""
        n = len(self.layers)
        return [
            Player(f"layer {i + 1}", list(layer.parameters()), partial(self._layer_loss, i), span=(i / n, (i + 1) / n))
            for i, layer in enumerate(self.layers)
        ]

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the terms of the last layer's loss, with the layers below it as they are."""
        return self._layer_loss(len(self.layers) - 1, x, c)

    def _layer_loss(self, i: int, x: Tensor, c: Tensor | None) -> Terms:
        return self.layers[i].loss(self.up(x, i), c if i == len(self.layers) - 1 else None)

    @torch.no_grad()
    def up(self, x: Tensor, layers: int) -> Tensor:
        """Draw what the hidden units of the ``layers`` lowest machines show, given x: shape (B, H)."""
        for layer in self.layers[:layers]:
            x = layer.machine.draw_hidden(x.flatten(1))
        return x

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return a one-sample estimate of the lower bound on log p(x | c), nats per example, shape (B,)."""
        return self.log_weights(x, c)[0]

    def log_weights(self, x: Tensor, c: Tensor | None = None, k: int = 1) -> Tensor:
        """Return log p(x, h) − log q(h | x) for k draws of the hidden units, shape (k, B); sums the last Z."""
        steps, h = self._downward(x, k)
        c = None if c is None else rows(c, len(x)).repeat(k)
        return (steps + self.layers[-1].log_prob(h, c)).view(k, len(x))

    @torch.no_grad()
    def log_unnormalised(self, x: Tensor, k: int = 100) -> Tensor:
        """Return the importance-weighted bound with k draws but for log Z of the last machine: nats, shape (B,)."""
        steps, h = self._downward(x, k)
        return (steps + self.machine.log_unnormalised(h)).view(k, len(x)).logsumexp(0) - math.log(k)

    def rates(self, x: Tensor) -> Tensor:
        """Return how often each unit that the last machine sees is on, for examples x: where AIS starts."""
        return self.up(x, len(self.layers) - 1).mean(0)

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, steps: int = 500, mean: bool = False) -> Iterator[Tensor]:
        """Yield n examples after each of ``steps`` Gibbs steps of the last machine, drawn downwards from there.

        ``mean`` shows the means of the visible units instead of draws.
        """
        for h in self.layers[-1].trajectory(n, c, steps=steps):
            for layer in list(self.layers[:-1])[::-1]:
                last = layer is self.layers[0]
                h = layer.machine.mean_visible(h) if mean and last else layer.machine.draw_visible(h)
            yield h.view(n, *self.shape)

    def _downward(self, x: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Draw hidden units upwards k times; return Σ log p(below | above) − log q(above | below), and the topmost."""
        if k < 1:
            raise ValueError(f"k: expected at least 1, received {k}")
        if tuple(x.shape[1:]) != tuple(self.shape):
            raise ValueError(f"x: expected the shape (B, *{tuple(self.shape)}), received {tuple(x.shape)}")
        below, total = x.flatten(1).repeat(k, 1), 0.0
        for layer in self.layers[:-1]:
            machine = layer.machine
            above = machine.draw_hidden(below).detach()
            down, upward = above @ machine.weight.T + machine.visible, machine.pull(below)
            total = total + _coins(down, below) - _coins(upward, above)
            below = above
        return total, below


def _coins(logits: Tensor, x: Tensor) -> Tensor:
    """Return the log-probability of coins of these logits to show x, shape (B,)."""
    return (logits * x - F.softplus(logits)).sum(1)
