r"""Energy-based models: a number for every place, low where data are likely (LeCun et al. 2006).

.. math:: p_\theta(x) = \frac{e^{-E_\theta(x)}}{Z_\theta}, \qquad Z_\theta = \int e^{-E_\theta(x)}\,dx

A network may give any number, so nothing is asked of it but a slope. The price: the normaliser :math:`Z_\theta` is
unknown, and samples come from a chain that walks downhill with noise.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ..base import Generative, Terms
from ..nn import mlp


def langevin(
    energy: Callable[[Tensor], Tensor], x: Tensor, *, steps: int, step: float, noise: float = 1.0
) -> Iterator[Tensor]:
    r"""Walk downhill with noise and yield the points after every step.

    .. math:: x_{k+1} = x_k - \tfrac{\epsilon^2}{2} \nabla E(x_k) + \epsilon\,\xi_k, \qquad \xi_k \sim \mathcal N(0, I)

    Welling & Teh (2011), eq. 3, with all data in every step. For small :math:`\epsilon` and many steps the points
    follow :math:`e^{-E}/Z`.

    Arguments
        energy: from points (B, …) to energies (B,).
        x: where the chains begin, shape (B, …).
        steps: how many, at least 1.
        step: :math:`\epsilon > 0`. Where the energy curves by more than :math:`4 / \epsilon^2`, the walk explodes.
        noise: multiplies the noise; 0 is plain descent.

    >>> _ = torch.manual_seed(0)
    >>> *_, x = langevin(lambda x: x.square().sum(1) / 2, torch.zeros(2000, 1), steps=200, step=0.3)
    >>> round(x.std().item(), 1)  # E = x²/2 belongs to the standard normal
    1.0
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, received {steps}")
    if not step > 0:
        raise ValueError(f"step: expected a number above 0, received {step}")
    if noise < 0:
        raise ValueError(f"noise: expected a number >= 0, received {noise}")
    for _ in range(steps):
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(energy(at).sum(), at)
        x = at.detach() - 0.5 * step**2 * slope + step * noise * torch.randn_like(x)
        yield x


class EnergyModel(Generative):
    r"""A density known up to its normaliser, :math:`p_\theta(x) \propto e^{-f_\theta(x)}\,\mathcal N(x; 0, s^2 I)`.

    The reference normal makes the density proper whatever the network says far away, and chains begin there. Training
    follows the gradient of the log-likelihood (Hinton 2002, eq. 2)

    .. math:: -\nabla_\theta \log p_\theta(x) = \nabla_\theta E_\theta(x) - \mathbb E_{x' \sim p_\theta}[\nabla_\theta
              E_\theta(x')],

    with Langevin chains for the draws :math:`x'`. Chains begin anew from noise in every step (short runs, Nijkamp et
    al. 2019), or go on where they stopped, in a buffer of ``chains`` places (Tieleman 2008; Du & Mordatch 2019).

    Arguments
        network: from (B, D) to (B, 1).
        shape: of an example; D is the product of its sides.
        spread: the deviation s of the reference normal, in the unit of the data.
        steps: Langevin steps in a step of training, and in a sample by default.
        step: the length ε of a Langevin step.
        chains: places in the buffer; 0 begins every chain anew.
        renewal: the share of chains in a batch that begin anew from noise all the same.
        regularise: the weight α of :math:`E(x)^2 + E(x')^2` in the loss (Du & Mordatch 2019).

    >>> model = mlp_energy(shape=(2,), hidden=(16,))
    >>> model.energy(torch.zeros(3, 2)).shape, model.sample(5, steps=2).shape
    (torch.Size([3]), torch.Size([5, 2]))
    """

    likelihood = "none"

    def __init__(
        self, network: nn.Module, *, shape: tuple[int, ...], spread: float = 2.0, steps: int = 20, step: float = 0.1,
        chains: int = 0, renewal: float = 0.05, regularise: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        for name, value in (("spread", spread), ("step", step)):
            if not value > 0:
                raise ValueError(f"{name}: expected a number above 0, received {value}")
        if steps < 1:
            raise ValueError(f"steps: expected at least 1, received {steps}")
        if chains < 0:
            raise ValueError(f"chains: expected at least 0, received {chains}")
        if not 0 <= renewal <= 1:
            raise ValueError(f"renewal: expected a share in [0, 1], received {renewal}")
        if regularise < 0:
            raise ValueError(f"regularise: expected a number >= 0, received {regularise}")
        self.network, self.shape, self.spread = network, tuple(shape), spread
        self.steps, self.step, self.renewal, self.regularise = steps, step, renewal, regularise
        self.register_buffer("chains", spread * torch.randn(chains, *self.shape))

    def energy(self, x: Tensor) -> Tensor:
        """Return E(x) for x of shape (B, …), shape (B,): the network's number plus that of the reference normal."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected shape (B, *{self.shape}), received {tuple(x.shape)}")
        flat = x.flatten(1)
        return self.network(flat).squeeze(1) + flat.square().sum(1) / (2 * self.spread**2)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        r"""Return :math:`E(x) - E(x') + \alpha (E(x)^2 + E(x')^2)`, shape (B,), and the gap :math:`E(x) - E(x')`."""
        self._no_class(c)
        drawn = self._negatives(len(x))
        below, above = self.energy(x), self.energy(drawn)
        gap = below - above
        return {"loss": gap + self.regularise * (below**2 + above**2), "gap": gap, "energy": below}

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, steps: int | None = None, start: Tensor | None = None
    ) -> Iterator[Tensor]:
        """Yield n points after each Langevin step; chains begin at ``start``, shape (n, …), or at noise."""
        self._no_class(c)
        if start is not None and start.shape != (n, *self.shape):
            raise ValueError(f"start: expected shape {(n, *self.shape)}, received {tuple(start.shape)}")
        start = self._noise(n) if start is None else start
        yield from langevin(self.energy, start, steps=self.steps if steps is None else steps, step=self.step)

    def _negatives(self, n: int) -> Tensor:
        """Return draws to push up: the ends of n chains, kept in the buffer where there is one and in training."""
        start, places = self._noise(n), None
        if len(self.chains):
            places = torch.randint(len(self.chains), (n,), device=self.device)
            fresh = torch.rand(n, *(1 for _ in self.shape), device=self.device) < self.renewal
            start = torch.where(fresh, start, self.chains[places])
        *_, drawn = langevin(self.energy, start, steps=self.steps, step=self.step)
        if places is not None and self.training:
            self.chains[places] = drawn
        return drawn

    def _noise(self, n: int) -> Tensor:
        return self.spread * torch.randn(n, *self.shape, device=self.device)

    def _no_class(self, c: Tensor | None) -> None:
        if c is not None:
            raise ValueError(f"c: expected None, since this model knows no classes, received shape {tuple(c.shape)}")


def mlp_energy(*, shape: tuple[int, ...], hidden: tuple[int, ...] = (128, 128), **options) -> EnergyModel:
    """Return an energy that a multilayer perceptron gives; ``options`` go to :class:`EnergyModel`."""
    return EnergyModel(mlp(torch.Size(shape).numel(), *hidden, 1), shape=shape, **options)
