r"""How much signal and how much noise there is at each time: :math:`x_t = \alpha_t x_0 + \sigma_t \varepsilon`.

Both schedules keep the variance: :math:`\alpha_t^2 + \sigma_t^2 = 1`. Time 0 is data, time 1 is noise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .names import unknown

BETAS = (1e-4, 0.02)
"""Ho et al. (2020), section 4: the first and the last of a thousand variances."""
OFFSET = 0.008
"""Nichol & Dhariwal (2021), eq. 17: s, which keeps the first steps from being too small."""
LAST = 0.999
"""Later times count as this one: at t = 1 the cosine would leave no signal at all, and its logarithm no number."""


@dataclass(frozen=True)
class Schedule:
    r"""A path from data to noise that keeps the variance.

    Arguments
        name: what it is called.
        log_alpha: :math:`\log \alpha_t` of times, float64 of shape (…).
        rate: its derivative, :math:`\mathrm d \log \alpha_t / \mathrm d t`.

    >>> half = schedule("cosine").alpha(torch.tensor([0.0, 0.5]))
    >>> [round(a, 3) for a in half.tolist()]
    [1.0, 0.703]
    """

    name: str
    log_alpha: Callable[[Tensor], Tensor]
    rate: Callable[[Tensor], Tensor]

    def mix(self, t: Tensor) -> tuple[Tensor, Tensor]:
        r"""Return :math:`\alpha_t` and :math:`\sigma_t` for times in [0, 1] of any shape."""
        log_alpha = self.log_alpha(_held(t))
        return log_alpha.exp().to(t), (-torch.expm1(2 * log_alpha)).clamp(min=0).sqrt().to(t)

    def alpha(self, t: Tensor) -> Tensor:
        r"""Return :math:`\alpha_t`, how much signal there is, for times in [0, 1] of any shape."""
        return self.mix(t)[0]

    def sigma(self, t: Tensor) -> Tensor:
        r"""Return :math:`\sigma_t = \sqrt{1 - \alpha_t^2}`, how much noise there is."""
        return self.mix(t)[1]

    def half_log_snr(self, t: Tensor) -> Tensor:
        r"""Return :math:`\lambda_t = \log(\alpha_t / \sigma_t)`, half the logarithm of the signal-to-noise ratio."""
        log_alpha = self.log_alpha(_held(t))
        return (log_alpha - 0.5 * torch.log(-torch.expm1(2 * log_alpha).clamp(max=0))).to(t)

    def rates(self, t: Tensor) -> tuple[Tensor, Tensor]:
        r"""Return :math:`\dot\alpha_t` and :math:`\dot\sigma_t = -\alpha_t \dot\alpha_t / \sigma_t`; t > 0."""
        log_alpha, rate = self.log_alpha(_held(t)), self.rate(_held(t))
        alpha, sigma = log_alpha.exp(), (-torch.expm1(2 * log_alpha)).sqrt()
        return (alpha * rate).to(t), (-(alpha**2) * rate / sigma).to(t)


def schedule(name: str) -> Schedule:
    r"""Return a schedule by its name.

    ``"cosine"``: :math:`\alpha_t = \cos\frac{\pi}{2}\frac{t + s}{1 + s} \big/ \cos\frac{\pi}{2}\frac{s}{1 + s}` with
    s = 0.008 (Nichol & Dhariwal 2021, eq. 17; their f is its square).

    ``"linear"``: the thousand variances of Ho et al. (2020), :math:`\alpha_{i/1000}^2 = \prod_{j \le i} (1 - \beta_j)`
    with β from 0.0001 to 0.02, continued between their steps.
    """
    if name not in SCHEDULES:
        raise unknown("schedule", name, SCHEDULES)
    return SCHEDULES[name]


def _held(t: Tensor) -> Tensor:
    return t.double().clamp(0, LAST)


def _angle(t: Tensor | float) -> Tensor | float:
    return math.pi / 2 * (t + OFFSET) / (1 + OFFSET)


def _cosine(t: Tensor) -> Tensor:
    return _angle(t).cos().log() - math.log(math.cos(_angle(0.0)))


def _cosine_rate(t: Tensor) -> Tensor:
    return -_angle(t).tan() * math.pi / 2 / (1 + OFFSET)


def _beta(t: Tensor) -> Tensor:
    first, last = BETAS
    return first + (last - first) * (1000 * t - 0.5) / 999


def _linear(t: Tensor) -> Tensor:
    # Σ log(1 − β_j) is, to eight digits, the integral of log(1 − β) from half a step before to half a step after
    def whole(kept: Tensor) -> Tensor:
        return kept - kept * kept.log()

    step = (BETAS[1] - BETAS[0]) / 999
    return 0.5 * (whole(1 - _beta(t)) - whole(1 - _beta(torch.zeros_like(t)))) / step


def _linear_rate(t: Tensor) -> Tensor:
    return 500 * (1 - _beta(t)).log()


SCHEDULES = {"cosine": Schedule("cosine", _cosine, _cosine_rate), "linear": Schedule("linear", _linear, _linear_rate)}
