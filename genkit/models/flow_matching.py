r"""Flow matching: a velocity at every place and time that carries noise to data along straight lines.

.. math:: x_t = (1 - t)\,x + t\,\varepsilon, \qquad \frac{d x_t}{d t} = \varepsilon - x, \qquad
          \mathcal L = \mathbb E_{t, x, \varepsilon} \big\| v_\theta(x_t, t) - (\varepsilon - x) \big\|^2

Lipman et al. (2023), Liu et al. (2023), Albergo & Vanden-Eijnden (2023). Time 0 is data and time 1 is noise, as
everywhere in this book; the papers count the other way round.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ..base import Generative, Terms, rows
from ..names import unknown
from ..nn.dit import DiT
from ..nn.field import Field
from ..nn.unet import UNet
from ..sampling import guided, solve, times


def uniform(n: int, device: torch.device | None = None) -> Tensor:
    """Draw n times evenly from [0, 1], shape (n,)."""
    return torch.rand(n, device=device)


def logit_normal(n: int, device: torch.device | None = None) -> Tensor:
    """Draw n times whose log-odds are standard normal: most lie in the middle (Esser et al. 2024, section 3.1)."""
    return torch.randn(n, device=device).sigmoid()


def last(n: int, device: torch.device | None = None) -> Tensor:
    """Return n times 1: the one place where a single step looks."""
    return torch.ones(n, device=device)


TIMES: dict[str, Callable[..., Tensor]] = {"uniform": uniform, "logit_normal": logit_normal, "last": last}


def independent(x: Tensor, eps: Tensor, c: Tensor | None = None) -> Tensor:
    """Return the noise as it was drawn: any noise may go with any example."""
    return eps


def optimal(x: Tensor, eps: Tensor, c: Tensor | None = None) -> Tensor:
    r"""Return the noise in the order that makes the squared distances to its examples add up to the least.

    Optimal transport within a batch (Tong et al. 2024), found by the Hungarian algorithm. Where examples
    have labels c, noise changes places within a class alone: noise that told the class would be missing in sampling.

    >>> optimal(torch.tensor([[0.0], [5.0]]), torch.tensor([[4.0], [1.0]]))
    tensor([[1.],
            [4.]])
    """
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(x.flatten(1), eps.flatten(1)).square()
    order = torch.arange(len(x), device=x.device)
    for label in [None] if c is None else c.unique():
        group = order if label is None else (c == label).nonzero().squeeze(1)
        _, partner = linear_sum_assignment(cost[group][:, group].cpu().numpy())
        order = order.index_put((group,), group[torch.as_tensor(partner, device=x.device)])
    return eps[order]


COUPLINGS = {"independent": independent, "optimal": optimal}


class FlowMatching(Generative):
    r"""A velocity field :math:`v_\theta(x_t, t, c)`, learnt from straight lines between data and noise.

    Samples start at noise, t = 1, and follow the velocity to t = 0.

    Arguments
        network: ``network(x, t, c)``, from examples (B, *shape), times (B,) and labels, or None, to (B, *shape).
        shape: of an example.
        classes: how many classes the network knows; 0 for none.
        label_dropout: the share of examples whose label is hidden in training, so that guidance has something to
            compare with.
        bounds: (low, high) of the data, which are stretched to [−1, 1], and to which samples are cut; None takes
            data as they are.
        times: which times training looks at: ``"uniform"``, ``"logit_normal"`` or ``"last"``.
        coupling: which noise goes with which example: ``"independent"`` or ``"optimal"``.
        steps: of sampling, by default.

    >>> model = flow_matching(shape=(2,), size={"width": 16})
    >>> model.loss(torch.zeros(3, 2))["loss"].shape, model.sample(5, steps=4).shape
    (torch.Size([3]), torch.Size([5, 2]))
    """

    likelihood = "none"

    def __init__(
        self, network: nn.Module, *, shape: tuple[int, ...], classes: int = 0, label_dropout: float = 0.1,
        bounds: tuple[float, float] | None = None, times: str = "uniform", coupling: str = "independent",
        steps: int = 50,
    ):  # fmt: skip
        super().__init__()
        if times not in TIMES:
            raise unknown("times", times, TIMES)
        if coupling not in COUPLINGS:
            raise unknown("coupling", coupling, COUPLINGS)
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"label_dropout: expected a share in [0, 1], received {label_dropout}")
        if bounds is not None and not bounds[0] < bounds[1]:
            raise ValueError(f"bounds: expected a low below a high, received {bounds}")
        self.network, self.shape, self.classes, self.label_dropout = network, tuple(shape), classes, label_dropout
        self.bounds, self.draw, self.couple, self.steps = bounds, TIMES[times], COUPLINGS[coupling], steps

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the squared error of the velocity, a mean over the numbers of an example, shape (B,)."""
        x = self.stretch(x)
        eps = self.couple(x, torch.randn_like(x), c)
        return {"loss": self.error(x, eps, self.draw(len(x), x.device), self.hide(c))}

    def error(self, x: Tensor, eps: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        r"""Return :math:`\|v_\theta(x_t, t) - (\varepsilon - x)\|^2 / D`, shape (B,), for stretched x and times t."""
        at = t.view(-1, *(1 for _ in self.shape))
        v = self.velocity((1 - at) * x + at * eps, t, c)
        return (v - (eps - x)).square().flatten(1).mean(1)

    def velocity(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the velocity of stretched places x at times (B,), shape (B, *shape)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected shape (B, *{self.shape}), received {tuple(x.shape)}")
        return self.network(x, t, self._known(c, len(x)))

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, steps: int | None = None, method: str = "euler",
        guidance: float = 1.0, start: Tensor | None = None,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Yield n examples after each step from noise to data.

        Arguments
            steps: at least 1; ``self.steps`` by default. Heun's method asks the network twice a step.
            method: ``"euler"`` or ``"heun"``.
            guidance: w of :func:`genkit.sampling.guided`; other than 1, it needs classes and labels.
            start: the noise to start from, shape (n, *shape); drawn by default.
        """
        if start is not None and tuple(start.shape) != (n, *self.shape):
            raise ValueError(f"start: expected shape {(n, *self.shape)}, received {tuple(start.shape)}")
        if guidance != 1 and (not self.classes or c is None):
            why = "a model without classes" if not self.classes else "no labels"
            raise ValueError(f"guidance: expected 1 with {why}, received {guidance}")
        c, way = self._known(rows(c, n), n), times(self.steps if steps is None else steps)
        start = torch.randn(n, *self.shape, device=self.device) if start is None else start
        for x in solve(guided(self.velocity, guidance), start, way, c, method=method):
            yield self.shrink(x)

    def stretch(self, x: Tensor) -> Tensor:
        """Return data in the scale of the network: [low, high] becomes [−1, 1]."""
        if self.bounds is None:
            return x
        low, high = self.bounds
        return (2 * x - low - high) / (high - low)

    def shrink(self, x: Tensor) -> Tensor:
        """Undo :meth:`stretch`, and cut to the bounds."""
        if self.bounds is None:
            return x
        low, high = self.bounds
        return (((high - low) * x + low + high) / 2).clamp(low, high)

    def hide(self, c: Tensor | None) -> Tensor | None:
        """Return labels of which a share of ``label_dropout`` is replaced by "none given"."""
        if c is None or not self.classes or self.label_dropout == 0:
            return c
        hidden = torch.rand(len(c), device=c.device) < self.label_dropout
        return torch.where(hidden, self.classes, c)

    def _known(self, c: Tensor | None, n: int) -> Tensor | None:
        if c is None:
            return None
        if not self.classes:
            raise ValueError(f"c: expected None, since this model knows no classes, received shape {tuple(c.shape)}")
        if c.dtype != torch.int64 or c.shape != (n,) or not 0 <= int(c.min()) <= int(c.max()) <= self.classes:
            span = f"[{int(c.min())}, {int(c.max())}]" if c.numel() else "none"
            raise ValueError(
                f"c: expected int64 labels in [0, {self.classes}) of shape {(n,)}, received {c.dtype} of shape "
                f"{tuple(c.shape)} in {span}"
            )
        return c


def flow_matching(
    *, shape: tuple[int, ...], network: str = "field", size: dict | None = None, classes: int = 0, **options
) -> FlowMatching:
    """Return a flow with a network of the book's: ``"field"``, ``"unet"`` or ``"dit"``, the last two for images.

    ``size`` holds that network's own arguments; ``options`` go to :class:`FlowMatching`.
    """
    if network not in NETWORKS:
        raise unknown("network", network, NETWORKS)
    net = NETWORKS[network](tuple(shape), classes=classes, **(size or {}))
    return FlowMatching(net, shape=shape, classes=classes, **options)


NETWORKS = {"field": Field, "unet": lambda shape, **size: UNet(shape[0], shape[0], **size), "dit": DiT}
