r"""Boltzmann machines (Ackley et al. 1985): units that are on or off, and an energy for each of their states.

.. math:: p(s) = \frac{e^{-E(s)}}{Z}, \qquad Z = \sum_{s'} e^{-E(s')}

Learning lowers the energy of what the data show, and raises the energy of what the machine shows by itself.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..base import Generative, Terms, rows
from ..nn.machines import MOST, Network, Pair, states


class RBM(Generative):
    r"""A restricted Boltzmann machine: links between visible and hidden units, none inside either group.

    .. math:: -\frac{\partial \log p(x)}{\partial \theta} = \frac{\partial F(x)}{\partial \theta}
              - \mathbb E_{v \sim p}\left[\frac{\partial F(v)}{\partial \theta}\right]

    with the free energy :math:`F(v) = -\log \sum_h e^{-E(v, h)}`. The mean over the model is taken over chains of
    ``k`` Gibbs steps: from the data, contrastive divergence (Hinton 2002), or from where the chains stopped in
    the step before, persistent contrastive divergence (Younes 1989; Tieleman 2008).

    Arguments
        shape: of one example, such as (C, H, W); in [0, 1] for units of 0 and 1.
        hidden: the number of hidden units.
        k: Gibbs steps between data and sample, at least 1.
        chains: the number of persistent chains, a buffer of the module; 0 for chains that start at the data.
        sigma: the standard deviation of Gaussian visible units; None for units of 0 and 1.
        classes: the number of classes of a label unit among the visible ones; the machine then learns p(x, c), and
            c = None sums the label out.

    ``likelihood`` is ``"exact"`` where the smaller group (of a Gaussian machine, the hidden one) has at most 20 units,
    since then Z is a sum; otherwise it is ``"none"``, and :func:`genkit.metrics.ais` estimates. For units of 0 and 1
    without labels, :func:`genkit.nn.phases.learn` learns in a fraction of the trainer's time.

    >>> model = RBM(shape=(1, 4, 4), hidden=3)
    >>> model.log_prob(model.sample(5, steps=10)).shape
    torch.Size([5])
    """

    def __init__(
        self, *, shape: tuple[int, ...], hidden: int, k: int = 1, chains: int = 0, sigma: float | None = None,
        classes: int = 0,
    ):  # fmt: skip
        super().__init__()
        _at_least(1, hidden=hidden, k=k)
        _at_least(0, chains=chains, classes=classes)
        if sigma is not None and not sigma > 0:
            raise ValueError(f"sigma: expected None or a number above 0, received {sigma}")
        size = math.prod(shape)
        self.shape, self.k, self.sigma, self.classes = tuple(shape), k, sigma, classes
        self.weight = nn.Parameter(0.01 * torch.randn(size, hidden))
        self.visible_bias, self.hidden_bias = nn.Parameter(torch.zeros(size)), nn.Parameter(torch.zeros(hidden))
        if classes:
            self.label_weight = nn.Parameter(0.01 * torch.randn(classes, hidden))
            self.label_bias = nn.Parameter(torch.zeros(classes))
        start = torch.randn(chains, size) if sigma is not None else torch.randint(2, (chains, size)).float()
        self.register_buffer("chains", start)

    @property
    def likelihood(self) -> str:
        """``"exact"`` where the sum over the smaller group can be done, else ``"none"``."""
        visible, hidden = self.weight.shape
        return "exact" if (hidden if self.sigma is not None else min(visible, hidden)) <= MOST else "none"

    @property
    def machine(self) -> Pair:
        """The parameters as a :class:`~genkit.nn.machines.Pair`, which holds the mathematics."""
        label = (self.label_weight, self.label_bias) if self.classes else None
        return Pair(self.weight, self.visible_bias, self.hidden_bias, self.sigma, label)

    def log_unnormalised(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return minus the free energy, log p(x, c) but for log Z, nats, shape (B,)."""
        return self.machine.log_unnormalised(self._flat(x), self._labels(c, len(x)))

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the exact log p(x), or log p(x | c) where c is given: nats per example, shape (B,).

        Of Gaussian units it is a density. Raises ``ValueError`` where there are too many units for the sum Z.
        """
        unnormalised, machine = self.log_unnormalised(x, c), self.machine
        if c is None or not self.classes:
            return unnormalised - machine.log_partition()
        sums = {int(k): machine.log_partition(k[None]) for k in c.unique()}  # Σ over the states that show class k
        return unnormalised - torch.stack([sums[int(k)] for k in rows(c, len(x))])

    def log_class(self, x: Tensor) -> Tensor:
        """Return the exact log p(c | x) of every class, shape (B, classes): the machine as a classifier."""
        if not self.classes:
            raise ValueError("classes: expected a machine with a label unit, received one without")
        return self.machine.log_labels(self._flat(x)).log_softmax(1)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the free energy of data minus that of samples, shape (); its gradient is that of learning.

        The value itself is no likelihood, and need not fall. ``data`` and ``samples`` are the two energies.
        """
        machine, v, c = self.machine, self._flat(x), self._labels(c, len(x))
        with torch.no_grad():
            fantasy = self.chains if len(self.chains) else v
            for i in range(self.k):
                fantasy = machine.step(fantasy, c if i == 0 and not len(self.chains) else None)
            if len(self.chains):
                self.chains.copy_(fantasy)
        data, samples = -machine.log_unnormalised(v, c).mean(), -machine.log_unnormalised(fantasy).mean()
        return {"loss": data - samples, "data": data, "samples": samples}

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the mean of the visible units after one step up and down, of the shape of x."""
        return self.machine.mean_visible(self.machine.draw_hidden(self._flat(x))).view_as(x)

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, steps: int = 500, start: Tensor | None = None,
        known: Tensor | None = None, mask: Tensor | None = None, temperature: float = 1.0, mean: bool = False,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Yield n examples after each of ``steps`` steps of Gibbs sampling.

        Arguments
            c: classes to hold fixed, int64, n of them or one.
            start: examples to start from; noise by default.
            known, mask: examples, n or one, whose places are held fixed where ``mask``, of their shape, is True: that
                is how a machine completes a picture.
            temperature: energies are divided by it; 1 is what was learnt.
            mean: yield the means of the visible units instead of draws; the chain itself still runs on draws.
        """
        _at_least(1, steps=steps)
        if not temperature > 0 or (temperature != 1 and self.sigma is not None):
            raise ValueError(f"temperature: expected above 0, and 1 for Gaussian units, received {temperature}")
        if (known is None) != (mask is None):
            raise ValueError("known, mask: expected both or neither, received one of them")
        machine, c = self.machine.tempered(1 / temperature) if temperature != 1 else self.machine, self._labels(c, n)
        if start is None:
            v = torch.bernoulli(torch.full((n, len(self.visible_bias)), 0.5, device=self.device))
        else:
            v = self._flat(rows(start, n))
        if known is not None:
            kept, fixed = self._flat(rows(known, n)), rows(mask, n).expand(n, *self.shape).flatten(1)
            v = torch.where(fixed, kept, v)
        for _ in range(steps):
            h = machine.draw_hidden(v, c)
            v = machine.draw_visible(h)
            shown = machine.mean_visible(h) if mean else v
            if known is not None:
                v, shown = torch.where(fixed, kept, v), torch.where(fixed, kept, shown)
            yield shown.view(n, *self.shape)

    def rates(self, x: Tensor) -> Tensor:
        """Return how often each visible unit is on in examples x, shape (D,): where AIS starts."""
        return self._flat(x).mean(0)

    def _flat(self, x: Tensor) -> Tensor:
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected the shape (B, *{self.shape}), received {tuple(x.shape)}")
        if self.sigma is None and len(x) and not 0 <= float(x.min()) <= float(x.max()) <= 1:
            raise ValueError(f"x: expected numbers in [0, 1], received {float(x.min()):g} … {float(x.max()):g}")
        return x.flatten(1).to(self.weight)

    def _labels(self, c: Tensor | None, n: int) -> Tensor | None:
        if c is None:
            return None
        if not self.classes:
            raise ValueError("c: expected None for a machine without a label unit, received labels")
        if c.dtype != torch.int64 or not 0 <= int(c.min()) <= int(c.max()) < self.classes:
            raise ValueError(
                f"c: expected int64 labels in [0, {self.classes}), received {c.dtype}, {c.unique().tolist()}"
            )
        return rows(c, n)


class Boltzmann(Generative):
    r"""A general Boltzmann machine: every unit may be linked with every other, the visible with the visible too.

    .. math:: \frac{\partial \log p(x)}{\partial w_{ij}} = \langle s_i s_j \rangle_\text{data}
              - \langle s_i s_j \rangle_\text{model}

    Ackley et al. (1985). With ``sweeps`` = 0 both means are exact sums, over at most 20 units; otherwise
    they are taken over Gibbs sampling, with the visible units held at the data and from persistent chains.

    Arguments
        shape: of one example; its units come first.
        hidden: the number of hidden units, 0 or more.
        sweeps: sweeps of Gibbs sampling in each phase of learning; 0 for exact sums.
        chains: the number of persistent chains, a buffer of the module.

    >>> machine = Boltzmann(shape=(3,), hidden=1)
    >>> round(machine.log_prob(states(3)).exp().sum().item(), 4)  # over all that can be seen
    1.0
    """

    def __init__(self, *, shape: tuple[int, ...], hidden: int = 0, sweeps: int = 0, chains: int = 100):
        super().__init__()
        _at_least(0, hidden=hidden, sweeps=sweeps)
        _at_least(1, chains=chains)
        self.shape, self.hidden, self.sweeps = tuple(shape), hidden, sweeps
        n = math.prod(shape) + hidden
        if sweeps == 0 and n > MOST:
            raise ValueError(f"sweeps: expected at least 1 for more than {MOST} units, received 0 for {n}")
        self.links, self.bias = nn.Parameter(0.01 * torch.randn(n * (n - 1) // 2)), nn.Parameter(torch.zeros(n))
        self.register_buffer("pairs", torch.triu_indices(n, n, 1), persistent=False)
        self.register_buffer("chains", torch.randint(2, (chains if sweeps else 0, n)).float())

    @property
    def likelihood(self) -> str:
        """``"exact"`` for at most 20 units, else ``"none"``."""
        return "exact" if len(self.bias) <= MOST else "none"

    @property
    def machine(self) -> Network:
        """The parameters as a :class:`~genkit.nn.machines.Network`, which holds the mathematics."""
        upper = self.links.new_zeros(len(self.bias), len(self.bias)).index_put(tuple(self.pairs), self.links)
        return Network(upper + upper.T, self.bias)

    def log_unnormalised(self, x: Tensor) -> Tensor:
        """Return log p(x) but for log Z, with the hidden units summed out (at most 20): nats, shape (B,)."""
        v, h = self._flat(x), states(self.hidden).to(self.bias)
        both = torch.cat([v.repeat_interleave(len(h), 0), h.repeat(len(v), 1)], 1)
        return self.machine.log_unnormalised(both).view(len(v), len(h)).logsumexp(1)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the exact log p(x), nats per example, shape (B,). Raises ``ValueError`` for more than 20 units."""
        _unconditional(c)
        return self.log_unnormalised(x) - self.machine.log_partition()

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return −log p(x), shape (B,), where the sums are exact; else the difference of two energies, shape ()."""
        _unconditional(c)
        if not self.sweeps:
            return {"loss": -self.log_prob(x)}
        machine, v = self.machine, self._flat(x)
        with torch.no_grad():
            free, size = self.chains, v.shape[1]
            held = torch.cat([v, torch.randint(2, (len(v), self.hidden), device=v.device).to(v)], 1)
            for _ in range(self.sweeps):
                free = machine.step(free)
                held = machine.step(held, clamped=size) if self.hidden else held
            self.chains.copy_(free)
        data, samples = machine.energy(held).mean(), machine.energy(free).mean()
        return {"loss": data - samples, "data": data, "samples": samples}

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, steps: int = 500, temperature: float = 1.0
    ) -> Iterator[Tensor]:
        """Yield n examples after each of ``steps`` sweeps of Gibbs sampling, unit by unit, from noise."""
        _unconditional(c)
        _at_least(1, steps=steps)
        if not temperature > 0:
            raise ValueError(f"temperature: expected a number above 0, received {temperature}")
        machine = self.machine.tempered(1 / temperature)
        s = torch.randint(2, (n, len(self.bias)), device=self.device).to(self.bias)
        for _ in range(steps):
            s = machine.step(s)
            yield s[:, : math.prod(self.shape)].view(n, *self.shape)

    def rates(self, x: Tensor) -> None:
        """Return None: AIS starts from coins."""

    def _flat(self, x: Tensor) -> Tensor:
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected the shape (B, *{self.shape}), received {tuple(x.shape)}")
        return x.flatten(1).to(self.bias)


def _unconditional(c: Tensor | None) -> None:
    if c is not None:
        raise ValueError("c: expected None, since a general machine has no label unit, received labels")


def _at_least(least: int, **arguments: int) -> None:
    for name, value in arguments.items():
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, received {value}")
