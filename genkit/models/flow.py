r"""Normalising flows: bend a Gaussian into the data with steps that can be undone.

.. math:: \log p(x) = \log \mathcal N(f(x); 0, I) + \log\left|\det \frac{\partial f}{\partial x}\right|

The change of variables. f is a chain of layers; each knows its inverse and the logarithm of its determinant.
"""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Generative, Terms
from ..distributions import standard_normal_log_prob
from ..labels import hide, one_hot
from ..nn import mlp

Bent = tuple[Tensor, Tensor]
"""Points, (B, D), and the log-determinant of the way there, (B,)."""


class Layer(nn.Module):
    """A map of points of shape (B, D) that can be undone."""

    def forward(self, x: Tensor, context: Tensor | None = None) -> Bent:
        """Return f(x) and log |det ∂f/∂x|."""
        raise NotImplementedError

    def inverse(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the x with f(x) = z."""
        raise NotImplementedError


class Coupling(Layer):
    """Scale and move one half of the coordinates by what the other half says: RealNVP (Dinh et al. 2017, eqs. 7 and 8).

    Arguments
        size: the number D of coordinates, at least 2.
        hidden: sizes of the hidden layers of the network that says it.
        context: width of the context that comes with each point; 0 for none.
        dropout: the probability in [0, 1) with which a hidden unit is silenced in training.

    The logarithm of a scale is kept in (−2, 2), which keeps a step from exploding.
    """

    LIMIT = 2.0

    def __init__(self, size: int, hidden: tuple[int, ...], *, context: int = 0, dropout: float = 0.0):
        super().__init__()
        if size < 2:
            raise ValueError(f"size: expected at least 2 coordinates, received {size}")
        self.kept, self.moved = size - size // 2, size // 2
        self.network = mlp(self.kept + context, *hidden, 2 * self.moved, dropout=dropout)
        nn.init.zeros_(self.network[-1].weight)  # a new layer changes nothing
        nn.init.zeros_(self.network[-1].bias)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Bent:
        """Return the points with their second half moved, and the sum of the log-scales."""
        a, b = x.split([self.kept, self.moved], 1)
        log_s, t = self._said(a, context)
        return torch.cat([a, b * log_s.exp() + t], 1), log_s.sum(1)

    def inverse(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Move the second half back: the first half is as it was, and says the same."""
        a, b = z.split([self.kept, self.moved], 1)
        log_s, t = self._said(a, context)
        return torch.cat([a, (b - t) * (-log_s).exp()], 1)

    def _said(self, a: Tensor, context: Tensor | None) -> Bent:
        said = self.network(a if context is None else torch.cat([a, context], 1))
        log_s, t = said.chunk(2, 1)
        return self.LIMIT * torch.tanh(log_s / self.LIMIT), t


class ActNorm(Layer):
    """A scale and a shift for each coordinate; the first batch sets them to mean 0 and deviation 1.

    Kingma & Dhariwal (2018), section 3.1.
    """

    def __init__(self, size: int):
        super().__init__()
        self.log_s, self.shift = nn.Parameter(torch.zeros(size)), nn.Parameter(torch.zeros(size))
        self.register_buffer("ready", torch.tensor(False))

    def forward(self, x: Tensor, context: Tensor | None = None) -> Bent:
        """Return scaled and shifted points, and the sum of the log-scales."""
        if self.training and not self.ready and len(x) > 1:
            with torch.no_grad():
                self.log_s.copy_(-x.std(0).clamp(min=1e-3).log())
                self.shift.copy_(-x.mean(0))
                self.ready.fill_(True)
        return (x + self.shift) * self.log_s.exp(), self.log_s.sum().expand(len(x))

    def inverse(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Undo the scale and the shift."""
        return z * (-self.log_s).exp() - self.shift


class Mix(Layer):
    """A linear mixing of all coordinates, W = P L U: a 1 × 1 convolution (Kingma & Dhariwal 2018, eq. 10)."""

    def __init__(self, size: int):
        super().__init__()
        w = torch.linalg.qr(torch.randn(size, size)).Q  # a rotation: it changes no volume
        p, lower, upper = torch.linalg.lu(w)
        self.register_buffer("p", p)
        self.register_buffer("sign", upper.diagonal().sign())
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.log_s = nn.Parameter(upper.diagonal().abs().log())

    def _parts(self) -> tuple[Tensor, Tensor]:
        lower = self.lower.tril(-1) + torch.eye(len(self.log_s), device=self.log_s.device)
        return lower, self.upper.triu(1) + torch.diag(self.sign * self.log_s.exp())

    def forward(self, x: Tensor, context: Tensor | None = None) -> Bent:
        """Return mixed points, and log |det W|, the sum of the logarithms on the diagonal."""
        lower, upper = self._parts()
        return x @ (self.p @ lower @ upper).T, self.log_s.sum().expand(len(x))

    def inverse(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Solve two triangular systems."""
        lower, upper = self._parts()
        y = torch.linalg.solve_triangular(lower, self.p.T @ z.T, upper=False, unitriangular=True)
        return torch.linalg.solve_triangular(upper, y, upper=True).T


class Logit(Layer):
    r"""From (0, 1) to the whole line: :math:`\operatorname{logit}(\alpha + (1 - 2\alpha) x)` (Dinh et al. 2017)."""

    def __init__(self, alpha: float = 0.05):
        super().__init__()
        if not 0 < alpha < 0.5:
            raise ValueError(f"alpha: expected a number in (0, 0.5), received {alpha}")
        self.alpha = alpha

    def forward(self, x: Tensor, context: Tensor | None = None) -> Bent:
        """Return the logits and the sum of the logarithms of their slopes."""
        p = self.alpha + (1 - 2 * self.alpha) * x
        z = torch.logit(p)
        return z, (math.log(1 - 2 * self.alpha) - F.logsigmoid(z) - F.logsigmoid(-z)).sum(1)

    def inverse(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the points in (0, 1), or just outside where the flow drew beyond the data."""
        return (z.sigmoid() - self.alpha) / (1 - 2 * self.alpha)


class Flow(Generative):
    """An exact density over points of shape (D,), or over examples of any shape taken as points.

    Arguments
        layers: from the data to the Gaussian.
        shape: of one example.
        classes: the number of classes of the condition c, int64 of shape (B,); 0 for an unconditional flow. Where there
            are classes, the context of the layers is classes + 1 numbers wide.
        label_dropout: the probability with which ``loss`` hides an example's class, so that c = None works too.

    >>> flow = coupling_flow(shape=(2,), layers=2, hidden=(16,))
    >>> flow.log_prob(flow.sample(5)).shape
    torch.Size([5])
    """

    likelihood = "exact"

    def __init__(
        self, layers: list[Layer], *, shape: tuple[int, ...], classes: int = 0, label_dropout: float = 0.1
    ):  # fmt: skip
        super().__init__()
        if classes < 0:
            raise ValueError(f"classes: expected at least 0, received {classes}")
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"label_dropout: expected a probability, received {label_dropout}")
        self.layers, self.shape = nn.ModuleList(layers), tuple(shape)
        self.classes, self.label_dropout = classes, label_dropout

    def forward(self, x: Tensor, context: Tensor | None = None) -> Bent:
        """Return the points of the Gaussian that belong to x, shape (B, D), and the log-determinants, (B,)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected the shape (B, *{self.shape}), received {tuple(x.shape)}")
        z, total = x.flatten(1), torch.zeros(len(x), device=x.device)
        for layer in self.layers:
            z, log_det = layer(z, context)
            total = total + log_det
        return z, total

    def inverse(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the examples that belong to points z of the Gaussian, shape (B, D) to (B, *shape)."""
        if z.ndim != 2 or z.shape[1] != math.prod(self.shape):
            raise ValueError(f"z: expected the shape (B, {math.prod(self.shape)}), received {tuple(z.shape)}")
        for layer in reversed(self.layers):
            z = layer.inverse(z, context)
        return z.view(-1, *self.shape)

    def context(self, c: Tensor | None, n: int) -> Tensor | None:
        """Return what the layers are told of n classes: one-hot rows, the last column for "none given"; or None."""
        return one_hot(c, n, self.classes, next(self.parameters())) if self.classes else None

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the exact log-density, nats per example, shape (B,)."""
        z, log_det = self(x, self.context(c, len(x)))
        return standard_normal_log_prob(z) + log_det

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the negative log-density, shape (B,)."""
        return {"loss": -self.log_prob(x, hide(c, len(x), self.classes, self.label_dropout))}

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yield n examples after every layer on the way from the Gaussian: a ball of clay becomes a star."""
        z, context = torch.randn(n, math.prod(self.shape), device=self.device), self.context(c, n)
        yield z.view(n, *self.shape)
        for layer in reversed(self.layers):
            z = layer.inverse(z, context)
            yield z.view(n, *self.shape)


class Dequantised(Generative):
    r"""A flow over discrete data, made continuous by noise within a level (Ho et al. 2019, eq. 5).

    .. math:: \log P(x) \ge \mathbb E_{u \sim q(\cdot \mid x)}\left[\log p(x + u) - \log q(u \mid x)\right]

    Arguments
        flow: a density over [0, 1], where a level is 1 / levels wide.
        levels: grey levels of the data.
        noise: a flow that gives the noise inside a level, from a Gaussian and the example as context; None for uniform
            noise.
    """

    likelihood = "bound"

    def __init__(self, flow: Flow, *, levels: int, noise: Flow | None = None):
        super().__init__()
        if levels < 2:
            raise ValueError(f"levels: expected at least 2, received {levels}")
        self.flow, self.levels, self.noise = flow, levels, noise

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the bound on the log-probability of the discrete x in [0, 1], nats per example, shape (B,)."""
        u, log_q = self._noise(x)
        v = (x * (self.levels - 1) + u) / self.levels
        return self.flow.log_prob(v, c) - x[0].numel() * math.log(self.levels) - log_q

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the negative bound, shape (B,)."""
        return {"loss": -self.elbo(x, hide(c, len(x), self.flow.classes, self.flow.label_dropout))}

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yield what the flow yields; the last of it is put on its level."""
        for v in self.flow.trajectory(n, c):
            x = v
            yield v
        yield (x * self.levels).floor().clamp(0, self.levels - 1) / (self.levels - 1)

    def _noise(self, x: Tensor) -> Bent:
        """Return noise in (0, 1) of the shape of x, and log q of it, shape (B,)."""
        if self.noise is None:
            return torch.rand_like(x), torch.zeros(len(x), device=x.device)
        e = torch.randn(len(x), x[0].numel(), device=x.device)
        z, log_det = self.noise(e.view_as(x), 2 * x.flatten(1) - 1)
        slope = (F.logsigmoid(z) + F.logsigmoid(-z)).sum(1)
        return z.sigmoid().view_as(x), standard_normal_log_prob(e) - log_det - slope


def coupling_flow(
    *, shape: tuple[int, ...], layers: int = 8, hidden: tuple[int, ...] = (128,), mix: bool = True, norm: bool = True,
    context: int = 0, dropout: float = 0.0, unit: bool = False, classes: int = 0, label_dropout: float = 0.1,
) -> Flow:  # fmt: skip
    """Return a chain of normalisation, mixing and affine coupling.

    Arguments
        layers: so many couplings, at least 1.
        mix: mix all coordinates between couplings, as Glow does; otherwise turn their order round, as RealNVP does.
        norm: begin each step with a normalisation, as Glow does.
        context: width of a context of numbers, for a flow without classes.
        classes, label_dropout: those of :class:`Flow`.
        unit: the data lie in [0, 1]: begin with a logit.
    """
    if layers < 1:
        raise ValueError(f"layers: expected at least 1, received {layers}")
    if classes and context:
        raise ValueError(f"context: expected 0 for a flow with classes, received {context}")
    size, width = math.prod(shape), classes + 1 if classes else context
    between: Callable[[], Layer] = (lambda: Mix(size)) if mix else Flip
    first: Callable[[], list[Layer]] = (lambda: [ActNorm(size)]) if norm else list
    chain: list[Layer] = [Logit()] if unit else []
    for _ in range(layers):
        chain += [*first(), between(), Coupling(size, hidden, context=width, dropout=dropout)]
    return Flow([*chain, *first()], shape=shape, classes=classes, label_dropout=label_dropout)


class Flip(Layer):
    """Turn the order of the coordinates round."""

    def forward(self, x: Tensor, context: Tensor | None = None) -> Bent:
        """Return the points the other way round; no volume changes."""
        return x.flip(1), torch.zeros(len(x), device=x.device)

    def inverse(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Turn them round again."""
        return z.flip(1)
