"""How a set of features fills its space: what tells a collapsed network from a healthy one without any label."""

import torch
import torch.nn.functional as F
from torch import Tensor


def effective_rank(z: Tensor) -> float:
    r"""Return in how many directions features of shape (N, D) vary: the exponential of an entropy, 1 to min(N − 1, D).

    .. math:: \exp\Big(-\sum_i p_i \log p_i\Big), \qquad p_i = \frac{\sigma_i}{\sum_j \sigma_j}

    Roy & Vetterli (2007), of the singular values :math:`\sigma` of the centred features.

    >>> round(effective_rank(torch.cat([torch.eye(3), -torch.eye(3)])), 3)
    3.0
    """
    _check(z)
    sigma = torch.linalg.svdvals((z - z.mean(0)).double())
    if sigma.sum() == 0:
        return 1.0
    p = sigma / sigma.sum()
    return torch.special.entr(p).sum().exp().item()


def evenness(z: Tensor) -> float:
    r"""Return :math:`\sqrt D` times the mean standard deviation of a dimension of unit vectors; z has shape (N, D).

    Vectors spread evenly over the sphere give about 1, vectors that all point one way 0 (Chen & He 2021, section 4.1).

    >>> evenness(torch.ones(5, 3))
    0.0
    """
    _check(z)
    return (F.normalize(z.double(), dim=1).std(0, correction=0).mean() * z.shape[1] ** 0.5).item()


def _check(z: Tensor) -> None:
    if z.ndim != 2 or len(z) < 2:
        raise ValueError(f"z: expected features of shape (N, D), N at least 2, received {tuple(z.shape)}")
