r"""Flows of the library zuko behind this book's protocol: splines, and a flow that never stops to step.

A **neural spline flow** (Durkan et al. 2019) bends each coordinate by a rising curve of many pieces, where an affine
coupling has a straight line. A **continuous flow** (Chen et al. 2018; Grathwohl et al. 2019) has no layers: a network
gives every point a velocity at every time, and log-densities follow the divergence,

.. math:: \frac{dx}{dt} = v_\theta(x, t), \qquad
          \log p(x_0) = \log \mathcal N(x_1; 0, I) + \int_0^1 \operatorname{tr}\frac{\partial v_\theta}{\partial x} dt,

Chen et al. (2018), eq. 8. Time 0 is data, time 1 is noise, as everywhere in this book.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..base import Generative, Terms
from ..labels import hide, one_hot


class ZukoFlow(Generative):
    """A flow that zuko built, with an exact density over points of shape (D,), given a class or not.

    Arguments
        flow: a ``zuko.lazy.Flow`` over D features; where there are classes, with a context of classes + 1.
        shape: of one example.
        classes: the number of classes of the condition c, int64 of shape (B,); 0 for an unconditional flow.
        label_dropout: the probability with which ``loss`` hides an example's class, so that c = None works too.
    """

    likelihood = "exact"

    def __init__(self, flow: nn.Module, *, shape: tuple[int, ...], classes: int = 0, label_dropout: float = 0.1):
        super().__init__()
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"label_dropout: expected a probability, received {label_dropout}")
        self.flow, self.shape = flow, tuple(shape)
        self.classes, self.label_dropout = classes, label_dropout

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the points of the Gaussian that belong to x, shape (B, D), and the log-determinants, (B,)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected the shape (B, *{self.shape}), received {tuple(x.shape)}")
        return self._density(len(x), x, c).transform.call_and_ladj(x.flatten(1))

    def inverse(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the examples that belong to points z of the Gaussian, shape (B, D) to (B, *shape)."""
        return self._density(len(z), z, c).transform.inv(z).view(-1, *self.shape)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the exact log-density, nats per example, shape (B,)."""
        z, log_det = self(x, c)
        return self.flow.base(None).log_prob(z) + log_det

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the negative log-density, shape (B,)."""
        return {"loss": -self.log_prob(x, hide(c, len(x), self.classes, self.label_dropout))}

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yield n examples after every step on the way from the Gaussian."""
        z = torch.randn(n, math.prod(self.shape), device=self.device)
        yield z.view(n, *self.shape)
        for step in self._way_back(self._density(n, z, c)):
            z = step(z)
            yield z.view(n, *self.shape)

    def _density(self, n: int, like: Tensor, c: Tensor | None):
        """Return zuko's distribution for n examples: ``.transform`` leads from the data to the Gaussian."""
        return self.flow(one_hot(c, n, self.classes, like) if self.classes else None)

    def _way_back(self, density) -> list:
        """Return the maps that lead from the Gaussian to the data, one a step."""
        return [part.inv for part in reversed(density.transform.transforms)]


class ContinuousFlow(ZukoFlow):
    """A flow along a velocity field; ``trajectory`` yields eight moments of the way.

    ``tolerance`` is that of the solver in training, absolute and relative. In evaluation mode it is solved to 1e-6, so
    that the way there and back is exact to float32, and no gradient reaches the weights.
    """

    STEPS = 8

    def __init__(self, flow: nn.Module, *, shape: tuple[int, ...], tolerance: float = 1e-3, **options):
        super().__init__(flow, shape=shape, **options)
        if not 0 < tolerance < 1:
            raise ValueError(f"tolerance: expected a number in (0, 1), received {tolerance}")
        self.tolerance = tolerance

    def _density(self, n: int, like: Tensor, c: Tensor | None):
        self.flow.transform.atol = self.flow.transform.rtol = self.tolerance if self.training else 1e-6
        return super()._density(n, like, c)

    def _way_back(self, density) -> list:
        from zuko.transforms import FreeFormJacobianTransform

        whole, times = density.transform, torch.linspace(1, 0, self.STEPS + 1)
        return [
            FreeFormJacobianTransform(whole.f, t0=a, t1=b, atol=whole.atol, rtol=whole.rtol) for a, b in pairwise(times)
        ]


def spline_flow(
    *, shape: tuple[int, ...], layers: int = 3, bins: int = 8, hidden: tuple[int, ...] = (64, 64), **options
) -> ZukoFlow:
    """Return a neural spline flow (Durkan et al. 2019) over points within [−5, 5]; outside, its layers do nothing.

    Arguments
        layers: so many times every coordinate is bent, each by what those before it say; at least 1.
        bins: pieces of each curve, at least 2.
        hidden: sizes of the hidden layers of the networks that give the curves.
        options: ``classes`` and ``label_dropout`` of :class:`ZukoFlow`.

    >>> flow = spline_flow(shape=(2,), layers=1, hidden=(8,))
    >>> flow.log_prob(flow.sample(5)).shape
    torch.Size([5])
    """
    from zuko.flows import NSF

    _positive(layers=layers, bins=bins - 1)
    size, context = _sizes(shape, options)
    flow = NSF(size, context, bins=bins, transforms=layers, hidden_features=tuple(hidden))
    return ZukoFlow(flow, shape=shape, **options)


def continuous_flow(
    *, shape: tuple[int, ...], hidden: tuple[int, ...] = (64, 64), tolerance: float = 1e-3, **options
) -> ContinuousFlow:
    """Return a continuous flow with an exact divergence (Grathwohl et al. 2019): meant for few coordinates.

    Arguments
        hidden: sizes of the hidden layers of the network that gives the velocities.
        tolerance: of the solver in training, in (0, 1).
        options: ``classes`` and ``label_dropout`` of :class:`ZukoFlow`.

    >>> flow = continuous_flow(shape=(2,), hidden=(8,)).eval()
    >>> flow.log_prob(flow.sample(5)).shape
    torch.Size([5])
    """
    from zuko.flows import CNF

    size, context = _sizes(shape, options)
    flow = CNF(size, context, hidden_features=tuple(hidden), activation=nn.SiLU)
    return ContinuousFlow(flow, shape=shape, tolerance=tolerance, **options)


def _sizes(shape: tuple[int, ...], options: dict) -> tuple[int, int]:
    """Return the number of features and the width of the context."""
    classes = options.get("classes", 0)
    if classes < 0:
        raise ValueError(f"classes: expected at least 0, received {classes}")
    size = math.prod(shape)
    if size < 2:
        raise ValueError(f"shape: expected at least 2 coordinates, received {tuple(shape)}")
    return size, classes + 1 if classes else 0


def _positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            least = 2 if name == "bins" else 1
            raise ValueError(f"{name}: expected at least {least}, received {number + least - 1}")
