r"""How probable a diffusion makes an example: its probability flow, followed from the data to the noise.

.. math:: \log p_0(x_0) = \log \mathcal N(x_1; 0, I) + \int_0^1 \nabla \cdot v(x_t, t)\, \mathrm d t
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from ..base import Estimate

FIRST = 1e-3
"""Where the flow starts: at t = 0 itself the slope of the noise is infinite."""


def flow_log_prob(
    velocity: Callable[..., Tensor], x: Tensor, c: Tensor | None = None, *, steps: int = 50, probes: int = 0,
    first: float = FIRST, end: float = 0.999, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Return the mean log-density of examples x, shape (N, …), in nats; see :func:`flow_log_probs`.

    The standard error is that over examples, and holds the probes' too, which differ from one to the next.
    """
    values = flow_log_probs(velocity, x, c, steps=steps, probes=probes, first=first, end=end, seed=seed)
    return Estimate.mean(values, unit="nats")


def flow_log_probs(
    velocity: Callable[..., Tensor], x: Tensor, c: Tensor | None = None, *, steps: int = 50, probes: int = 0,
    first: float = FIRST, end: float = 0.999, seed: int = 0,
) -> Tensor:  # fmt: skip
    r"""Return :math:`\log p(x)` of the probability flow for each example, nats, shape (N,).

    Song et al. (2021), "Score-based generative modeling through stochastic differential equations", eq. 39. The flow
    is followed by the midpoint rule, with steps that grow with the time.

    Arguments
        velocity: ``velocity(x, t, c)``, as the method of a diffusion or of a flow: differentiable in x.
        x: examples as the network sees them, shape (N, …).
        steps: of the midpoint rule, two evaluations each. Twice as many show how much they matter.
        probes: 0 adds up the divergence exactly, D derivatives for D dimensions. More draw so many random signs
            :math:`\epsilon` for each example and step, and average :math:`\epsilon^\top J \epsilon` (Hutchinson 1990):
            right on average.
        first: the time of x: what is returned is :math:`\log p_t(x)` there.
        end: the time at which the noise is told from a standard normal no more.
        seed: of the probes.
    """
    if steps < 1 or probes < 0:
        raise ValueError(f"steps, probes: expected at least 1 and 0, received {steps} and {probes}")
    generator = torch.Generator(device=x.device).manual_seed(seed)

    def at(x: Tensor, time: float) -> Tensor:
        return torch.full((len(x),), time, device=x.device, dtype=x.dtype)

    def slope(x: Tensor, time: float) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            v = velocity(x, at(x, time), c)
            flat = v.flatten(1)
            total = torch.zeros(len(x), device=x.device, dtype=x.dtype)
            for d in range(probes or flat.shape[1]):
                if probes:
                    sign = torch.randint(0, 2, v.shape, generator=generator, device=x.device).to(v) * 2 - 1
                    (along,) = torch.autograd.grad((v * sign).sum(), x, retain_graph=True)
                    total += (along * sign).flatten(1).sum(1) / probes
                else:
                    (along,) = torch.autograd.grad(flat[:, d].sum(), x, retain_graph=True)
                    total += along.flatten(1)[:, d]
        return v.detach(), total.detach()

    # the square root of the time grows evenly: near the data the flow turns fastest
    path = torch.linspace(math.sqrt(first), math.sqrt(end), steps + 1).square().tolist()
    grown = torch.zeros(len(x), device=x.device, dtype=x.dtype)
    for now, then in pairwise(path):
        with torch.no_grad():
            half = x + (then - now) / 2 * velocity(x, at(x, now), c)
        v, divergence = slope(half, (now + then) / 2)
        x, grown = x + (then - now) * v, grown + (then - now) * divergence
    last = -0.5 * (x.square() + math.log(2 * math.pi)).flatten(1).sum(1)
    return last + grown


def flow_bound(
    velocity: Callable[..., Tensor], mix: tuple[float, float], x: Tensor, c: Tensor | None = None, *, levels: int,
    first: float, steps: int = 25, probes: int = 1, seed: int = 0,
) -> Estimate:  # fmt: skip
    r"""Return a bound on the log-probability of pictures with grey levels, mean over them, in nats per picture.

    A little noise makes a picture a point z of a density, and the grey levels can still be read off it:

    .. math:: \log P(x) \ge \mathbb E_{z \sim q}\big[\log P(x \mid z) + \log p_t(z) - \log q(z \mid x)\big],
              \qquad q(z \mid x) = \mathcal N(\alpha_t x, \sigma_t^2 I)

    (after Kingma et al. 2021, with the density of the flow in place of their prior). :math:`P(x \mid z)` gives each
    level the weight of its bell. The bound is an estimate in so far as the flow is followed in steps and by probes.

    Arguments
        velocity: of pictures seen as [−1, 1].
        mix: :math:`\alpha_t` and :math:`\sigma_t` at ``first``.
        x: pictures in [0, 1] of so many ``levels``, shape (N, C, H, W).
        first: t, small, but with a noise that is no smaller than what the network knows well.
    """
    alpha, sigma = mix
    generator = torch.Generator(device=x.device).manual_seed(seed)
    seen = 2 * x - 1
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    z = alpha * seen + sigma * noise
    grey = alpha * torch.linspace(-1, 1, levels, device=x.device)
    weight = (-((z[..., None] - grey) / sigma).square() / 2).log_softmax(-1)
    read = weight.gather(-1, (x * (levels - 1)).round().long()[..., None])[..., 0].flatten(1).sum(1)
    entropy = (0.5 * (noise.square() + math.log(2 * math.pi)) + math.log(sigma)).flatten(1).sum(1)
    flow = flow_log_probs(velocity, z, c, steps=steps, probes=probes, first=first, seed=seed)
    return Estimate.mean(read + flow + entropy, kind="bound", unit="nats")
