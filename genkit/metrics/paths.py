"""How samples travel from noise to data: how straight, how far, and whether the velocity is the right one."""

from torch import Tensor

from ..base import Estimate


def mixture_velocity(x: Tensor, t: Tensor, centres: Tensor, sigma: float) -> Tensor:
    r"""Return the true velocity of straight paths where the data are equal round Gaussians, in closed form.

    .. math:: v(x, t) = \mathbb E[\varepsilon - x_0 \mid x_t = x] = \sum_k w_k(x)
              \left(\frac{t - (1 - t)\sigma^2}{s_t^2}\,\big(x - (1 - t) m_k\big) - m_k\right),
              \qquad s_t^2 = (1 - t)^2 \sigma^2 + t^2

    with :math:`w_k \propto \mathcal N(x; (1 - t) m_k, s_t^2 I)`: Gaussians stay Gaussians on the way, and the mean of
    noise and data given their mixture is linear regression.

    Arguments
        x: places, shape (B, D).
        t: times in [0, 1], shape (B,).
        centres: :math:`m_k`, shape (K, D).
        sigma: their standard deviation, above 0.

    >>> import torch
    >>> mixture_velocity(torch.tensor([[1.0]]), torch.tensor([1.0]), torch.tensor([[3.0]]), 0.1)  # ε less the mean
    tensor([[-2.]])
    """
    if not sigma > 0:
        raise ValueError(f"sigma: expected a number above 0, received {sigma}")
    if x.ndim != 2 or centres.ndim != 2 or x.shape[1] != centres.shape[1]:
        raise ValueError(
            f"x, centres: expected shapes (B, D) and (K, D), received {tuple(x.shape)} and {tuple(centres.shape)}"
        )
    t = t.view(-1, 1)
    variance = (1 - t) ** 2 * sigma**2 + t**2  # (B, 1)
    away = x[:, None] - (1 - t)[..., None] * centres  # (B, K, D)
    weights = (-away.square().sum(2) / (2 * variance)).softmax(1)[..., None]
    slope = (t - (1 - t) * sigma**2) / variance
    return (weights * (slope[..., None] * away - centres)).sum(1)


def straightness(path: Tensor) -> Estimate:
    r"""Return how far paths are from straight: the mean squared deviation of their velocity, as a share of its square.

    .. math:: S = \frac{\mathbb E \int_0^1 \| \dot x_t - (x_1 - x_0) \|^2\,dt}{\mathbb E \| x_1 - x_0 \|^2}

    After Liu et al. (2023), divided by the mean squared length, so that it has no unit: 0 is straight
    at an even pace.

    Arguments
        path: places at evenly spaced times, shape (times, B, …), with at least 3 times.

    >>> import torch
    >>> straightness(torch.linspace(0, 1, 5)[:, None, None] * torch.ones(5, 2, 3)).value
    0.0
    """
    if path.ndim < 3 or len(path) < 3:
        raise ValueError(f"path: expected shape (times, B, …) with at least 3 times, received {tuple(path.shape)}")
    path = path.flatten(2).double()
    chord = path[-1] - path[0]  # (B, D)
    velocity = path.diff(dim=0) * (len(path) - 1)
    bend = (velocity - chord).square().sum(2).mean(0)  # (B,)
    square = chord.square().sum(1)
    ratio = bend.mean() / square.mean()
    spread = (bend - ratio * square).std(unbiased=len(bend) > 1)
    error = spread / (len(bend) ** 0.5 * square.mean())  # of a ratio of means
    return Estimate(ratio.item(), error.item() if len(bend) > 1 else None)


def crossings(start: Tensor, end: Tensor) -> Estimate:
    """Return the share of pairs of straight lines in the plane that cross, lines from ``start`` to ``end``, (N, 2).

    >>> import torch
    >>> a, b = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    >>> crossings(a, b).value, crossings(a, b.flip(0)).value
    (1.0, 0.0)
    """
    if start.ndim != 2 or start.shape[1] != 2 or start.shape != end.shape or len(start) < 2:
        raise ValueError(
            f"start, end: expected one shape (N, 2) with N >= 2, received {tuple(start.shape)} and {tuple(end.shape)}"
        )

    def side(a: Tensor, b: Tensor, p: Tensor) -> Tensor:
        """On which side of the line from a to b does p lie? (N, N)"""
        u, v = (b - a)[:, None], p[None] - a[:, None]
        return (u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]).sign()

    apart = side(start, end, start) * side(start, end, end) < 0  # line i lies between the ends of line j
    meet = apart & apart.T
    pairs = len(start) * (len(start) - 1)
    return Estimate(meet.double().sum().item() / pairs)
