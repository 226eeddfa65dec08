r"""Diffusion: noise is easy to add, so learn to take it away (Sohl-Dickstein et al. 2015; Ho et al. 2020).

An example is mixed with Gaussian noise, :math:`x_t = \alpha_t x_0 + \sigma_t \varepsilon`, more of it the later the
time t. A network that sees :math:`x_t` and t guesses what was mixed. Sampling begins with noise alone and takes it
away, a little in each step.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ..base import Generative, Terms, rows
from ..labels import hide
from ..names import unknown
from ..samplers import SAMPLERS, inpaint
from ..sampling import guided, times
from ..schedules import LAST
from ..schedules import schedule as schedule_of


def _edm(alpha: Tensor, sigma: Tensor, spread: float) -> tuple[Tensor, Tensor]:
    size = (sigma**2 + (alpha * spread) ** 2).sqrt()
    return sigma / (spread * size), -spread * alpha / size


TARGETS: dict[str, Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]] = {
    "noise": lambda alpha, sigma, spread: (0 * alpha, 1 + 0 * alpha),  # Ho et al. (2020), eq. 14
    "clean": lambda alpha, sigma, spread: (1 + 0 * alpha, 0 * alpha),
    "velocity": lambda alpha, sigma, spread: (-sigma, alpha),  # Salimans & Ho (2022), section 4
    "edm": _edm,  # Karras et al. (2022), table 1, of a path that keeps the variance
}
"""What the network is asked for: :math:`a\\,x_0 + b\\,\\varepsilon`, as functions of α, σ and the data's spread."""


class Diffusion(Generative):
    r"""A denoising diffusion model over images or numbers, unconditional or given a class.

    .. math:: x_t = \alpha_t x_0 + \sigma_t \varepsilon, \qquad
              \mathcal L = \mathbb E_{x_0, \varepsilon, t}\,
              \big\| F_\theta(x_t, t) - (a_t x_0 + b_t \varepsilon) \big\|^2 / D

    with :math:`\varepsilon \sim \mathcal N(0, I)`, times spread evenly over [0, 1], and D numbers in an example: Ho et
    al. (2020), eq. 14, for a = 0, b = 1. With :math:`x_t` and F there are two linear equations for the two unknowns
    :math:`x_0` and ε; so whatever the network was asked for, it tells both.

    Arguments
        net: ``net(x, t, c)``, of x's shape: a :class:`genkit.nn.unet.UNet`, a ``DiT`` or a ``TimedMLP``.
        shape: of an example, without the batch.
        schedule: ``"cosine"`` or ``"linear"``.
        predict: what the network is asked for: ``"noise"``, ``"clean"``, ``"velocity"`` or ``"edm"``.
        spread: the standard deviation of the data, for ``"edm"``. With 1 it is ``"velocity"`` with its sign turned.
        unit: the data lie in [0, 1], and are seen as [−1, 1]; guesses of the clean example are held to it too.
        levels: samples are rounded to the nearest of so many grey levels; None for no rounding.
        classes: the number of classes of the condition c, int64 of shape (B,); 0 for an unconditional model.
        label_dropout: the probability with which ``loss`` hides an example's class: guidance needs both.

    >>> from genkit.nn.timed_mlp import TimedMLP
    >>> model = Diffusion(TimedMLP((2,)), shape=(2,), unit=False)
    >>> model.sample(3, steps=5).shape
    torch.Size([3, 2])
    """

    likelihood = "none"  # of its probability flow there is an estimate: genkit.metrics.flow_log_prob

    def __init__(
        self, net: nn.Module, *, shape: tuple[int, ...], schedule: str = "cosine", predict: str = "velocity",
        spread: float = 1.0, unit: bool = True, levels: int | None = None, classes: int = 0,
        label_dropout: float = 0.1,
    ):  # fmt: skip
        super().__init__()
        if predict not in TARGETS:
            raise unknown("predict", predict, TARGETS)
        if not spread > 0:
            raise ValueError(f"spread: expected a number above 0, received {spread}")
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"label_dropout: expected a number in [0, 1], received {label_dropout}")
        self.net, self.shape, self.schedule = net, tuple(shape), schedule_of(schedule)
        self.predict, self.spread, self.unit, self.levels = predict, spread, unit, levels
        self.classes, self.label_dropout = classes, label_dropout

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the squared error of the network's answer, mean over an example's numbers, shape (B,)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected examples of shape (B, *{self.shape}), received {tuple(x.shape)}")
        # one time in each of B equal parts of [0, 1]: a mean over them varies less (Kingma et al. 2021, appendix I.1)
        t = (torch.rand(1, device=x.device) + torch.arange(len(x), device=x.device) / len(x)) % 1
        c = hide(self._labels(c, len(x)), len(x), self.classes, self.label_dropout)
        return {"loss": self.error(self.seen(x), torch.randn_like(x), t, c)}

    def error(self, x: Tensor, noise: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the loss of examples as the network sees them, for a given noise and given times: shape (B,)."""
        alpha, sigma = self._mix(t)
        a, b = TARGETS[self.predict](alpha, sigma, self.spread)
        answer = self._answer(self.net, alpha * x + sigma * noise, t, c)
        return (answer - a * x - b * noise).square().flatten(1).mean(1)

    def guess(
        self, x: Tensor, t: Tensor, c: Tensor | None = None, *, guidance: float = 1.0, hold: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return the clean example and the noise that the network takes x for, each of the shape of x.

        Arguments
            x: noisy examples as the network sees them, shape (B, …).
            t: their times in [0, 1], shape (B,).
            c: classes, int64 of shape (B,), or None.
            guidance: w of :func:`genkit.sampling.guided`.
            hold: keep the clean example in [−1, 1], and let the noise be what is left.
        """
        alpha, sigma = self._mix(t)
        a, b = TARGETS[self.predict](alpha, sigma, self.spread)
        answer = self._answer(guided(self.net, guidance), x, t, c)
        # x = α x₀ + σ ε and F = a x₀ + b ε, solved
        determinant = alpha * b - sigma * a
        clean = (b * x - sigma * answer) / determinant
        if hold:
            clean = clean.clamp(-1, 1)
            return clean, (x - alpha * clean) / sigma
        return clean, (alpha * answer - a * x) / determinant

    def velocity(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        r"""Return :math:`\mathrm d x / \mathrm d t` of the probability flow (Song et al. 2021, eq. 13), for t > 0."""
        clean, noise = self.guess(x, t, c)
        alpha, sigma = (self._wide(rate) for rate in self.schedule.rates(t))
        return alpha * clean + sigma * noise

    def score(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        r"""Return :math:`\nabla_x \log p_t(x) \approx -\hat\varepsilon / \sigma_t`, of the shape of x, for t > 0."""
        return -self.guess(x, t, c)[1] / self._mix(t)[1]

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, sampler: str = "ancestral", steps: int = 250,
        guidance: float = 1.0, start: Tensor | None = None,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Yield n examples after each of ``steps`` steps from noise to data.

        Arguments
            c: classes, int64 of shape (n,) or (1,), or None.
            sampler: ``"ancestral"``, ``"ddim"``, ``"heun"``, ``"dpm_solver"`` or ``"sde_dpm_solver"``.
            guidance: 1 is none, 0 forgets the class, more than 1 overstates it.
            start: the noise to begin with, shape (n, …); drawn where it is None.
        """
        if sampler not in SAMPLERS:
            raise unknown("sampler", sampler, SAMPLERS)
        denoise, c = self._denoise(c, n, guidance)
        x = torch.randn(n, *self.shape, device=self.device) if start is None else start
        path = times(steps, start=LAST)
        for i, left in enumerate(SAMPLERS[sampler](denoise, self.schedule, x, path, c), 1):
            yield self.shown(left, final=i == steps)

    @torch.no_grad()
    def inpaint(
        self, known: Tensor, mask: Tensor, c: Tensor | None = None, *, steps: int = 50, again: int = 5,
        jump: int = 1, guidance: float = 1.0,
    ) -> Tensor:  # fmt: skip
        """Return ``known``, shape (B, …), with what ``mask`` (bool, True where known) leaves out filled in.

        Each ``jump`` steps are taken ``again`` times: see :func:`genkit.samplers.inpaint`.
        """
        if tuple(known.shape[1:]) != self.shape:
            raise ValueError(f"known: expected examples of shape (B, *{self.shape}), received {tuple(known.shape)}")
        denoise, c = self._denoise(c, len(known), guidance)
        path = times(steps, start=LAST)
        *_, x = inpaint(denoise, self.schedule, self.seen(known), mask, path, c, again=again, jump=jump)
        return self.shown(x, final=True)

    def seen(self, x: Tensor) -> Tensor:
        """Return examples as the network sees them: [0, 1] becomes [−1, 1] where ``unit`` is set."""
        return 2 * x - 1 if self.unit else x

    def shown(self, x: Tensor, *, final: bool = False) -> Tensor:
        """Return what the network sees as an example; the final one is held to [0, 1] and rounded to its levels."""
        x = (x + 1) / 2 if self.unit else x
        if final and self.unit:
            x = x.clamp(0, 1)
        if final and self.levels:
            x = (x * (self.levels - 1)).round() / (self.levels - 1)
        return x

    def _denoise(self, c: Tensor | None, n: int, guidance: float) -> tuple[Callable, Tensor | None]:
        c = self._labels(c, n)
        if c is None and guidance != 1:
            raise ValueError(f"guidance: expected 1 where there is no class, received {guidance}")

        def denoise(x: Tensor, t: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
            return self.guess(x, t, c, guidance=guidance, hold=self.unit)

        return denoise, c

    def _labels(self, c: Tensor | None, n: int) -> Tensor | None:
        if c is None:
            return None
        if not self.classes:
            raise ValueError("c: expected None, since this model was built without classes, received labels")
        if c.dtype != torch.int64 or c.ndim != 1 or not 0 <= int(c.min()) <= int(c.max()) < self.classes:
            raise ValueError(
                f"c: expected int64 labels in [0, {self.classes}) of shape ({n},) or (1,), received {c.dtype} of "
                f"shape {tuple(c.shape)} from {int(c.min())} to {int(c.max())}"
            )
        return rows(c, n)

    def _answer(self, net: Callable, x: Tensor, t: Tensor, c: Tensor | None) -> Tensor:
        if self.predict == "edm":
            alpha, sigma = self._mix(t)
            x = x / (sigma**2 + (alpha * self.spread) ** 2).sqrt()
        return net(x, t, c)

    def _mix(self, t: Tensor) -> tuple[Tensor, Tensor]:
        alpha, sigma = self.schedule.mix(t)
        return self._wide(alpha), self._wide(sigma)

    def _wide(self, v: Tensor) -> Tensor:
        return v.view(-1, *(1 for _ in self.shape))
