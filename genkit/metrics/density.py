"""Densities of the plane, compared where a grid can hold them."""

import torch
from torch import Tensor

from ..base import Estimate


def plane(extent: float = 4.0, side: int = 200) -> tuple[Tensor, float]:
    """Return the middles of side² squares that cover [−extent, extent]², shape (side², 2), and the area of one.

    Rows run from low to high in the second coordinate: ``values.view(side, side)`` is a picture with its origin below.

    >>> points, area = plane(1.0, 2)
    >>> points.tolist(), area
    ([[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]], 1.0)
    """
    if not extent > 0 or side < 2:
        raise ValueError(f"extent, side: expected above 0 and at least 2, received {extent} and {side}")
    width = 2 * extent / side
    line = (torch.arange(side) + 0.5) * width - extent
    return torch.cartesian_prod(line, line).flip(1), width**2


def normalised(log_q: Tensor, area: float) -> Tensor:
    r"""Return a log-density that sums to 1 over the grid, :math:`\log q_i - \log \sum_j q_j \cdot \text{area}`."""
    return log_q - log_q.logsumexp(0) - torch.tensor(area).log()


def grid_kl(log_p: Tensor, log_q: Tensor, area: float) -> Estimate:
    r"""Return :math:`D_\mathrm{KL}(p \,\|\, q)` in nats of two log-densities on a grid, each known up to a constant.

    .. math:: \sum_i p_i\,(\log p_i - \log q_i) \cdot \text{area}

    Both have shape (N,), one number for each of N squares of that area; −∞ is a density of 0.

    >>> grid_kl(torch.tensor([0.0, 0.0]), torch.tensor([5.0, 5.0]), 1.0)
    Estimate(0.00 nats, exact)
    """
    if log_p.ndim != 1 or log_p.shape != log_q.shape:
        raise ValueError(
            f"log_p, log_q: expected one shape (N,), received {tuple(log_p.shape)} and {tuple(log_q.shape)}"
        )
    log_p, log_q = (normalised(v.double(), area) for v in (log_p, log_q))
    p = log_p.exp() * area
    terms = torch.where(p > 0, p * (log_p - log_q), 0.0)
    return Estimate(terms.sum().item(), kind="exact", unit="nats")
