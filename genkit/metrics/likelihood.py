"""How probable a model finds data: log-probabilities and lower bounds on them, in nats per example."""

import math

import torch
from torch import Tensor

from ..base import Estimate, Generative, rows

Condition = Tensor | None


def log_prob(model: Generative, x: Tensor, c: Condition = None, *, batch: int = 500) -> Estimate:
    """Return the mean exact log-probability of ``x``, shape (N, …), in nats per example.

    Raises ``ValueError`` for a model that has no exact one.
    """
    if model.likelihood != "exact":
        raise ValueError(f"model: expected one with an exact log_prob, received likelihood {model.likelihood!r}")
    return Estimate.mean(_in_batches(model, model.log_prob, x, c, batch), kind="exact", unit="nats")


def elbo(model: Generative, x: Tensor, c: Condition = None, *, samples: int = 10, batch: int = 500) -> Estimate:
    """Return the mean evidence lower bound of ``x``, shape (N, …), in nats per example.

    Each example's bound is averaged over ``samples`` draws, so that the standard error is that of the examples.
    """
    _has_bound(model)

    def averaged(x: Tensor, c: Condition) -> Tensor:
        return torch.stack([model.elbo(x, c) for _ in range(samples)]).mean(0)

    return Estimate.mean(_in_batches(model, averaged, x, c, batch), kind="bound", unit="nats")


def iwae(model: Generative, x: Tensor, c: Condition = None, *, k: int = 500, rows_at_once: int = 10_000) -> Estimate:
    r"""Return the mean importance-weighted bound with k codes, in nats per example.

    .. math:: \log \frac1k \sum_{i=1}^k w_i, \qquad w_i = \frac{p(x, z_i)}{q(z_i \mid x)}

    Burda et al. (2016), eq. 8. At most ``rows_at_once`` codes are decoded at a time, so that memory stays bounded.
    """
    _has_bound(model)
    if k < 1:
        raise ValueError(f"k: expected at least 1, received {k}")
    share = min(k, rows_at_once)

    def bound(x: Tensor, c: Condition) -> Tensor:
        parts = [min(share, k - start) for start in range(0, k, share)]
        return torch.stack([model.log_weights(x, c, part).logsumexp(0) for part in parts]).logsumexp(0) - math.log(k)

    return Estimate.mean(_in_batches(model, bound, x, c, max(1, rows_at_once // share)), kind="bound", unit="nats")


def bits_per_dim(nats: Estimate | float, dims: int) -> Estimate:
    r"""Turn a log-probability in nats per example into bits per dimension, :math:`-\log p(x) / (D \log 2)`.

    >>> bits_per_dim(-64 * math.log(2), 64)
    Estimate(1.00 bits/dim, estimate)
    """
    if dims < 1:
        raise ValueError(f"dims: expected at least 1, received {dims}")
    given = nats if isinstance(nats, Estimate) else Estimate(nats)
    scale = dims * math.log(2)
    stderr = None if given.stderr is None else given.stderr / scale
    # a lower bound on a log-probability is an upper bound on a code length: still "bound"
    return Estimate(-given.value / scale, stderr, kind=given.kind, unit="bits/dim")


def _has_bound(model: Generative) -> None:
    if model.likelihood != "bound":
        raise ValueError(f"model: expected one with a lower bound, received likelihood {model.likelihood!r}")


@torch.no_grad()
def _in_batches(model: Generative, function, x: Tensor, c: Condition, batch: int) -> Tensor:
    was_training = model.training
    model.eval()
    c = rows(c, len(x))
    found = []
    for start in range(0, len(x), batch):
        part = slice(start, start + batch)
        found.append(function(x[part].to(model.device), None if c is None else c[part].to(model.device)).cpu())
    model.train(was_training)
    return torch.cat(found)
