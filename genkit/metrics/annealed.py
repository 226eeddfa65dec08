"""How probable a machine finds data whose sum over all states, Z, is too long: annealed importance sampling."""

import math
from typing import Protocol

import torch
from torch import Tensor

from ..base import Estimate


class Machine(Protocol):
    """What is annealed: an energy that can be weakened, step by step, to one of independent units."""

    def tempered(self, beta: float, rates: Tensor | None = None) -> "Machine": ...

    def log_partition_at_zero(self, rates: Tensor | None = None) -> Tensor: ...

    def log_unnormalised(self, s: Tensor) -> Tensor: ...

    def step(self, s: Tensor) -> Tensor: ...

    def blank(self, n: int) -> Tensor: ...


class Annealable(Protocol):
    """A model with a ``machine``, a log-probability that lacks log Z alone, and rates at which to start."""

    machine: Machine

    def log_unnormalised(self, x: Tensor) -> Tensor: ...

    def rates(self, x: Tensor) -> Tensor | None: ...


@torch.no_grad()
def log_partition(machine: Machine, *, rates: Tensor | None = None, chains: int = 500, rungs: int = 1000) -> Estimate:
    r"""Estimate log Z by annealed importance sampling, with the standard error of the estimate.

    .. math:: \hat Z = Z_0 \frac1M \sum_{m=1}^M w_m, \qquad
              w = \prod_{k=1}^{K} \frac{p^*_{\beta_k}(s_{k-1})}{p^*_{\beta_{k-1}}(s_{k-1})}

    Neal (2001), section 2; for restricted machines Salakhutdinov & Murray (2008). Each chain starts as an exact draw
    of independent units, and is led to the machine in K ``rungs``, one Gibbs step on each. The mean of the weights w is
    right on average; its logarithm is a little too low on average, the less the more chains. The standard error is
    :math:`\operatorname{std}(w) / (\bar w \sqrt M)`: it knows nothing of a region that no chain has found.

    Arguments
        machine: its energy.
        rates: how often each unit is on where the annealing starts; a half by default.
        chains: the number M of chains, at least 2.
        rungs: the number K of temperatures after the first, at least 1.
    """
    for name, value, least in (("chains", chains, 2), ("rungs", rungs, 1)):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, received {value}")
    here = machine.tempered(0.0, rates)
    s = here.step(machine.blank(chains))
    log_w = torch.zeros(chains, dtype=torch.float64)
    for beta in torch.linspace(0, 1, rungs + 1)[1:].tolist():
        there = machine.tempered(beta, rates)
        log_w += (there.log_unnormalised(s) - here.log_unnormalised(s)).double().cpu()
        s, here = there.step(s), there
    log_mean = log_w.logsumexp(0) - math.log(chains)
    spread = (log_w - log_mean).exp().std().item() / math.sqrt(chains)
    return Estimate(machine.log_partition_at_zero(rates).item() + log_mean.item(), spread, unit="nats")


@torch.no_grad()
def ais(model: Annealable, x: Tensor, *, chains: int = 500, rungs: int = 1000) -> Estimate:
    """Estimate the mean log-probability of ``x``, shape (N, …), of a machine whose Z cannot be summed: nats an example.

    The standard error is that of the estimated log Z, for these very examples: how far the estimate may lie from what
    exact sums would give. Salakhutdinov & Murray (2008) give three of them to either side, and so does this book.
    """
    if not (hasattr(model, "machine") and hasattr(model, "log_unnormalised")):
        raise ValueError(f"model: expected a Boltzmann machine or a belief network, received {type(model).__name__}")
    found = log_partition(model.machine, rates=model.rates(x), chains=chains, rungs=rungs)
    value = model.log_unnormalised(x).mean().item() - found.value
    return Estimate(value, found.stderr, unit="nats")
