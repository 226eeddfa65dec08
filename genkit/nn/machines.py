r"""Units that are on or off, and the energy of their states: the machinery of Boltzmann machines, as pure functions.

A state has the probability :math:`e^{-E(s)} / Z`, and the sum :math:`Z` runs over all states. Two shapes: a
:class:`Network`, in which every unit may be linked with every other, and a :class:`Pair` of groups, with links between
the groups and none inside.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

MOST = 20  # units: a million states are summed over in a second, and each unit more doubles that
AT_ONCE = 2**14  # states


def states(n: int) -> Tensor:
    """Return all states of n units, counted in binary, the first unit slowest: shape (2ⁿ, n).

    >>> states(2)
    tensor([[0., 0.],
            [0., 1.],
            [1., 0.],
            [1., 1.]])
    """
    return torch.cat(list(_in_parts(n)))


def _in_parts(n: int) -> Iterator[Tensor]:
    """Yield all states of n units, some thousands at a time."""
    if not 0 <= n <= MOST:
        raise ValueError(f"units: expected 0 … {MOST} to sum over all states, received {n}: estimate with metrics.ais")
    place = torch.arange(n - 1, -1, -1)
    for part in torch.arange(2**n).split(AT_ONCE):
        yield ((part[:, None] >> place) & 1).float()


class Network(NamedTuple):
    r"""Units that may all be linked: a general Boltzmann machine (Ackley et al. 1985, eq. 1).

    .. math:: E(s) = -\sum_{i<j} w_{ij} s_i s_j - \sum_i b_i s_i = -\tfrac12 s^\top W s - b^\top s

    Arguments
        weight: W, symmetric with a diagonal of zeros, shape (n, n).
        bias: b, shape (n,).

    >>> friends = Network(torch.tensor([[0.0, 2.0], [2.0, 0.0]]), torch.tensor([0.0, -1.0]))
    >>> friends.log_unnormalised(states(2))  # nobody; the second alone; the first alone; both
    tensor([ 0., -1.,  0.,  1.])
    """

    weight: Tensor
    bias: Tensor

    def energy(self, s: Tensor) -> Tensor:
        """Return E(s) of states of shape (B, n): shape (B,)."""
        return -0.5 * ((s @ self.weight) * s).sum(-1) - s @ self.bias

    def log_unnormalised(self, s: Tensor) -> Tensor:
        """Return −E(s), the log-probability but for log Z, shape (B,)."""
        return -self.energy(s)

    def pull(self, s: Tensor) -> Tensor:
        r"""Return what pulls each unit towards 1, :math:`\sum_j w_{ij} s_j + b_i`, shape (B, n).

        It is the energy with the unit off minus the energy with it on, so :math:`p(s_i = 1 \mid \text{the others})`
        is its logistic sigmoid.
        """
        return s @ self.weight + self.bias

    def step(self, s: Tensor, clamped: int = 0) -> Tensor:
        """Return the states after one sweep of Gibbs sampling: one unit after the other, the first ``clamped`` kept."""
        s = s.clone()
        for i in range(clamped, s.shape[1]):
            s[:, i] = torch.bernoulli((s @ self.weight[:, i] + self.bias[i]).sigmoid())
        return s

    def log_partition(self) -> Tensor:
        """Return log Z, by summing over all states; at most 20 units."""
        return torch.stack([(-self.energy(s)).logsumexp(0) for s in _in_parts(len(self.bias))]).logsumexp(0)

    def tempered(self, beta: float, rates: Tensor | None = None) -> "Network":
        """Return the machine with its energy times β: at the temperature 1/β, where there are no ``rates``.

        With ``rates``, shape (n,), β = 0 is the machine of independent units that are on at these rates.
        """
        return Network(beta * self.weight, _between(self.bias, beta, rates))

    def log_partition_at_zero(self, rates: Tensor | None = None) -> Tensor:
        """Return log Z of ``tempered(0, rates)``, in closed form."""
        return F.softplus(_between(self.bias, 0.0, rates)).sum()

    def blank(self, n: int) -> Tensor:
        """Return n states to start from; one step of ``tempered(0, rates)`` makes exact draws of them."""
        return self.bias.new_zeros(n, len(self.bias))


class Pair(NamedTuple):
    r"""Visible units v and hidden units h with links between the groups alone: a restricted Boltzmann machine.

    .. math:: E(v, h) = -v^\top W h - b^\top v - a^\top h

    Smolensky (1986); Hinton (2002). With ``sigma`` the visible units are numbers, not coins:

    .. math:: E(v, h) = \frac{\|v - b\|^2}{2 \sigma^2} - \frac{v^\top W h}{\sigma} - a^\top h

    Arguments
        weight: W, shape (D, H).
        visible: the biases b, shape (D,).
        hidden: the biases a, shape (H,).
        sigma: the standard deviation of a visible unit, given the hidden ones; None for visible units of 0 and 1.
        label: links and biases of one more visible unit that takes one of K classes, shapes (K, H) and (K,).
    """

    weight: Tensor
    visible: Tensor
    hidden: Tensor
    sigma: float | None = None
    label: tuple[Tensor, Tensor] | None = None

    def energy(self, v: Tensor, h: Tensor) -> Tensor:
        """Return E(v, h), without labels, for v of shape (B, D) and h of shape (B, H): shape (B,)."""
        return -self._alone(v) - (self._scaled(v) @ self.weight * h).sum(-1) - h @ self.hidden

    def pull(self, v: Tensor, c: Tensor | None = None) -> Tensor:
        """Return what pulls each hidden unit towards 1, shape (B, H): its sigmoid is p(h = 1 | v, c)."""
        pull = self._scaled(v) @ self.weight + self.hidden
        return pull if c is None or self.label is None else pull + self.label[0][c]

    def log_unnormalised(self, v: Tensor, c: Tensor | None = None) -> Tensor:
        r"""Return minus the free energy, :math:`\log \sum_h e^{-E(v, h)}`, shape (B,).

        .. math:: -F(v) = b^\top v + \sum_j \log\left(1 + e^{a_j + (W^\top v)_j}\right)

        The hidden units are independent given v, so the sum over their 2ᴴ states is a product. Where there are labels
        and c is None, they are summed out as well.
        """
        if self.label is None or c is not None:
            bias = 0.0 if self.label is None else self.label[1][c]
            return self._alone(v) + bias + F.softplus(self.pull(v, c)).sum(-1)
        return self._alone(v) + self.log_labels(v).logsumexp(1)

    def log_labels(self, v: Tensor) -> Tensor:
        """Return log p(c | v) of every class, but for a constant: shape (B, K)."""
        pull = self.pull(v)[:, None] + self.label[0]  # (B, K, H)
        return self.label[1] + F.softplus(pull).sum(-1)

    def draw_hidden(self, v: Tensor, c: Tensor | None = None) -> Tensor:
        """Draw h given v, shape (B, H); where there are labels and c is None, a label is drawn first."""
        if self.label is not None and c is None:
            c = torch.distributions.Categorical(logits=self.log_labels(v), validate_args=False).sample()
        return torch.bernoulli(self.pull(v, c).sigmoid())

    def mean_visible(self, h: Tensor) -> Tensor:
        """Return the mean of v given h, shape (B, D)."""
        if self.sigma is not None:
            return self.visible + self.sigma * (h @ self.weight.T)
        return (h @ self.weight.T + self.visible).sigmoid()

    def draw_visible(self, h: Tensor) -> Tensor:
        """Draw v given h, shape (B, D)."""
        mean = self.mean_visible(h)
        return torch.bernoulli(mean) if self.sigma is None else mean + self.sigma * torch.randn_like(mean)

    def step(self, v: Tensor, c: Tensor | None = None) -> Tensor:
        """Return v after one step of Gibbs sampling: all hidden units at once, then all visible ones."""
        return self.draw_visible(self.draw_hidden(v, c))

    def log_partition(self, c: Tensor | None = None) -> Tensor:
        """Return log Z, shape (), by summing over the states of the smaller group, at most 20 units.

        With one class c, of shape (1,), it is the sum over the states that show this class.
        """
        return torch.stack([part.logsumexp(0) for part in self._sums(c)]).logsumexp(0)

    def _sums(self, c: Tensor | None) -> Iterator[Tensor]:
        if self.sigma is None and len(self.visible) < min(len(self.hidden), MOST + 1):
            yield from (self.log_unnormalised(v, None if c is None else c.expand(len(v))) for v in self._parts())
            return
        for h in self._parts():
            field = h @ self.weight.T
            if self.sigma is None:
                rest = F.softplus(field + self.visible).sum(-1)
            else:  # the Gaussian integral over v
                constant = len(self.visible) * 0.5 * math.log(2 * math.pi * self.sigma**2)
                rest = (self.visible * field / self.sigma + 0.5 * field**2).sum(-1) + constant
            if self.label is not None:
                labels = h @ self.label[0].T + self.label[1]  # (states, K)
                rest = rest + (labels.logsumexp(1) if c is None else labels[:, c].squeeze(1))
            yield rest + h @ self.hidden

    def _parts(self) -> Iterator[Tensor]:
        smaller = len(self.hidden) if self.sigma is not None else min(len(self.hidden), len(self.visible))
        return (part.to(self.weight) for part in _in_parts(smaller))

    def tempered(self, beta: float, rates: Tensor | None = None) -> "Pair":
        """Return the machine with its energy times β, as a :class:`Network`'s; of a Gaussian one, only links and a."""
        visible = self.visible if self.sigma is not None else _between(self.visible, beta, rates)
        label = None if self.label is None else (beta * self.label[0], beta * self.label[1])
        return self._replace(weight=beta * self.weight, visible=visible, hidden=beta * self.hidden, label=label)

    def log_partition_at_zero(self, rates: Tensor | None = None) -> Tensor:
        """Return log Z of ``tempered(0, rates)``, in closed form."""
        free = len(self.hidden) * math.log(2) + (0.0 if self.label is None else math.log(len(self.label[1])))
        if self.sigma is not None:
            return self.visible.new_tensor(free + len(self.visible) * 0.5 * math.log(2 * math.pi * self.sigma**2))
        return free + F.softplus(_between(self.visible, 0.0, rates)).sum()

    def blank(self, n: int) -> Tensor:
        """Return n states to start from; one step of ``tempered(0, rates)`` makes exact draws of them."""
        return self.visible.new_zeros(n, len(self.visible))

    def _scaled(self, v: Tensor) -> Tensor:
        return v if self.sigma is None else v / self.sigma

    def _alone(self, v: Tensor) -> Tensor:
        """Return minus the energy of the visible units on their own, shape (B,)."""
        return v @ self.visible if self.sigma is None else -((v - self.visible) ** 2).sum(-1) / (2 * self.sigma**2)


def _between(bias: Tensor, beta: float, rates: Tensor | None) -> Tensor:
    """Go from the biases of independent units with these rates (β = 0) to ``bias`` (β = 1)."""
    if rates is None:
        return beta * bias
    return beta * bias + (1 - beta) * torch.logit(rates.to(bias).clamp(0.02, 0.98))
