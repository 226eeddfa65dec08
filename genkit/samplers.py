r"""How noise is taken away, step by step: samplers for one network, and a way to fill in what is missing.

Each walks along times that fall from near 1, noise, to 0, data, and asks ``denoise(x, t, c)`` at every time t, shape
(B,), for a guess of both parts of :math:`x_t = \alpha_t x_0 + \sigma_t \varepsilon`: the clean example and the noise,
each of the shape of x. Each yields x after every step.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from .schedules import Schedule

Denoise = Callable[..., tuple[Tensor, Tensor]]
"""``denoise(x, t, c)`` returns guesses of the clean example and of the noise."""


def ddim(
    denoise: Denoise, schedule: Schedule, x: Tensor, path: list[float], c: Tensor | None = None, *, eta: float = 0.0,
    draw: Callable[[Tensor], Tensor] = torch.randn_like,
) -> Iterator[Tensor]:  # fmt: skip
    r"""Step to the time s < t with the two guesses, some of the noise exchanged for fresh one.

    .. math:: x_s = \alpha_s \hat x_0 + \sqrt{\sigma_s^2 - \eta^2 \tau^2}\; \hat\varepsilon + \eta \tau \xi, \qquad
              \tau^2 = \frac{\sigma_s^2}{\sigma_t^2} \Big(1 - \frac{\alpha_t^2}{\alpha_s^2}\Big)

    Song et al. (2021), "Denoising diffusion implicit models", eq. 12 and 16. With η = 0 there is no chance after the
    first draw; η = 1 is :func:`ancestral`. ``draw(x)`` makes the fresh noise ξ.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta: expected a number in [0, 1], received {eta}")
    for (now, alpha_t, sigma_t), (_, alpha_s, sigma_s) in pairwise(_mixes(schedule, path)):
        clean, noise = denoise(x, _full(now, x), c)
        tau = eta * sigma_s / sigma_t * _root(1 - (alpha_t / alpha_s) ** 2)
        x = alpha_s * clean + _root(sigma_s**2 - tau**2) * noise
        if tau > 0:
            x = x + tau * draw(x)
        yield x


def ancestral(
    denoise: Denoise, schedule: Schedule, x: Tensor, path: list[float], c: Tensor | None = None, *,
    draw: Callable[[Tensor], Tensor] = torch.randn_like,
) -> Iterator[Tensor]:  # fmt: skip
    r"""Step back as the noise came in: draw from :math:`q(x_s \mid x_t, \hat x_0)`, Ho et al. (2020), eq. 6 and 7.

    That is a Gaussian, and one member of the family of :func:`ddim`: the one with η = 1.
    """
    yield from ddim(denoise, schedule, x, path, c, eta=1.0, draw=draw)


def heun(
    denoise: Denoise, schedule: Schedule, x: Tensor, path: list[float], c: Tensor | None = None
) -> Iterator[Tensor]:
    r"""Follow the probability flow by the mean of the slopes at both ends of a step (Karras et al. 2022, algorithm 1).

    .. math:: \frac{\mathrm d x}{\mathrm d t} = \dot\alpha_t \hat x_0 + \dot\sigma_t \hat\varepsilon

    Two evaluations a step, but one in the last, which ends at 0, where the noise has no slope: that one is DDIM's.
    """

    def slope(x: Tensor, time: float) -> Tensor:
        clean, noise = denoise(x, _full(time, x), c)
        alpha, sigma = schedule.rates(torch.tensor(time, device=x.device))
        return alpha * clean + sigma * noise

    for now, then in pairwise(path):
        if then == 0:
            x = next(ddim(denoise, schedule, x, [now, then], c))
        else:
            first = slope(x, now)
            x = x + (then - now) * (first + slope(x + (then - now) * first, then)) / 2
        yield x


def dpm_solver(
    denoise: Denoise, schedule: Schedule, x: Tensor, path: list[float], c: Tensor | None = None
) -> Iterator[Tensor]:
    r"""Follow the probability flow with what the last step knew.

    DPM-Solver++(2M), Lu et al. (2022), "DPM-Solver++", algorithm 2.

    With :math:`\lambda = \log(\alpha / \sigma)`, h the step in it and r the last step over this one,

    .. math:: x_s = \frac{\sigma_s}{\sigma_t} x_t + \alpha_s (1 - e^{-h}) D, \qquad
              D = \Big(1 + \frac{1}{2r}\Big) \hat x_0 - \frac{1}{2r} \hat x_0'

    with :math:`\hat x_0'` the guess of the step before. One evaluation a step. The first and the last step have D =
    :math:`\hat x_0`, and so are DDIM's.
    """
    before, last = None, None
    for (now, alpha_t, sigma_t), (then, alpha_s, sigma_s) in pairwise(_mixes(schedule, path)):
        clean, _ = denoise(x, _full(now, x), c)
        h = math.log(alpha_s * sigma_t / (alpha_t * sigma_s)) if then > 0 else math.inf
        ahead = clean
        if before is not None and then > 0:
            ahead = clean + (clean - before) * (h / (2 * last))
        x = sigma_s / sigma_t * x + (alpha_s - alpha_t * sigma_s / sigma_t) * ahead
        before, last = clean, h
        yield x


def sde_dpm_solver(
    denoise: Denoise, schedule: Schedule, x: Tensor, path: list[float], c: Tensor | None = None, *,
    draw: Callable[[Tensor], Tensor] = torch.randn_like,
) -> Iterator[Tensor]:  # fmt: skip
    r"""Step with what the last step knew, and exchange noise for fresh noise on the way.

    SDE-DPM-Solver++(2M), Lu et al. (2022), "DPM-Solver++", the stochastic twin of :func:`dpm_solver`, with its h and D:

    .. math:: x_s = \frac{\sigma_s}{\sigma_t} e^{-h} x_t + \alpha_s (1 - e^{-2h}) D + \sigma_s \sqrt{1 - e^{-2h}}\; \xi

    One evaluation a step. ``draw(x)`` makes the fresh noise ξ. The first step is the one of :func:`ancestral`; the last
    is the guess itself.

    >>> from genkit.schedules import schedule
    >>> guess = lambda x, t, c: (torch.ones_like(x), x)
    >>> *_, x = sde_dpm_solver(guess, schedule("cosine"), torch.randn(1, 3), [0.9, 0.5, 0.0])
    >>> x
    tensor([[1., 1., 1.]])
    """
    before, last = None, None
    for (now, alpha_t, sigma_t), (then, alpha_s, sigma_s) in pairwise(_mixes(schedule, path)):
        clean, _ = denoise(x, _full(now, x), c)
        left = alpha_t * sigma_s / (alpha_s * sigma_t)  # e^{-h}: nothing at the end
        ahead = clean
        if before is not None and then > 0:
            ahead = clean + (clean - before) * (math.log(left) / (2 * math.log(last)))
        x = sigma_s / sigma_t * left * x + alpha_s * (1 - left**2) * ahead
        if then > 0:
            x = x + sigma_s * math.sqrt(1 - left**2) * draw(x)
        before, last = clean, left
        yield x


def inpaint(
    denoise: Denoise, schedule: Schedule, known: Tensor, mask: Tensor, path: list[float], c: Tensor | None = None, *,
    again: int = 1, jump: int = 1,
) -> Iterator[Tensor]:  # fmt: skip
    r"""Fill in what is not known: ancestral steps, after each of which the known part is put in, noised to that time.

    Lugmayr et al. (2022), eq. 8. Such steps may leave the parts at odds; so each ``jump`` of them are taken ``again``
    times, with noise put back between, :math:`x_t \sim q(x_t \mid x_s)` (their algorithm 1 and appendix B). Yields
    after every ``jump`` steps.

    Arguments
        known: examples, shape (B, …); what they hold where ``mask`` is False plays no part.
        mask: bool, True where it is known; of the shape of ``known``, or with sides of 1 in place of some of its.
        again: how often each stretch of the path is walked, at least 1.
        jump: the steps of a stretch, at least 1; the last may be shorter.
    """
    if mask.dtype != torch.bool or mask.ndim != known.ndim or any(
        m not in (1, k) for m, k in zip(mask.shape, known.shape, strict=True)
    ):  # fmt: skip
        raise ValueError(
            f"mask: expected bool of shape {tuple(known.shape)}, with 1 allowed for each, received {mask.dtype} "
            f"of shape {tuple(mask.shape)}"
        )
    for name, value in (("again", again), ("jump", jump)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, received {value}")
    x = torch.randn_like(known)
    for first in range(0, len(path) - 1, jump):
        stretch = _mixes(schedule, path[first : first + jump + 1])
        (_, alpha_t, sigma_t), (end, alpha_s, sigma_s) = stretch[0], stretch[-1]
        for left in reversed(range(again if end > 0 else 1)):  # at time 0 nothing is left to be settled
            for (now, _, _), (then, alpha, sigma) in pairwise(stretch):
                x = next(ancestral(denoise, schedule, x, [now, then], c))
                x = torch.where(mask, alpha * known + sigma * torch.randn_like(x), x)
            if left:
                shrink = alpha_t / alpha_s
                x = shrink * x + _root(sigma_t**2 - (shrink * sigma_s) ** 2) * torch.randn_like(x)
        yield x


def _full(time: float, x: Tensor) -> Tensor:
    return torch.full((len(x),), time, device=x.device)


def _mixes(schedule: Schedule, path: list[float]) -> list[tuple[float, float, float]]:
    """Return the times of a path with their α and σ, as plain numbers: no device waits for them."""
    alpha, sigma = schedule.mix(torch.tensor(path, dtype=torch.float64))
    return list(zip(path, alpha.tolist(), sigma.tolist(), strict=True))


def _root(v: float) -> float:
    return math.sqrt(max(0.0, v))  # rounding may leave a little less than nothing


SAMPLERS: dict[str, Callable[..., Iterator[Tensor]]] = {
    "ancestral": ancestral, "ddim": ddim, "heun": heun, "dpm_solver": dpm_solver,
    "sde_dpm_solver": sde_dpm_solver,
}  # fmt: skip
