"""Are stated probabilities kept? Of all that is called 80 % sure, 80 % should be right."""

import torch
from torch import Tensor

from ..base import Estimate


def calibration_error(log_p: Tensor, labels: Tensor, *, bins: int = 10) -> float:
    r"""Return the expected calibration error of predictions log p(y | x), shape (N, classes), in [0, 1].

    .. math:: \sum_b \tfrac{n_b}{N}\, \big|\text{accuracy}_b - \text{confidence}_b\big|

    Guo et al. (2017), eq. 3: predictions are sorted into ``bins`` equal intervals of confidence, the probability of the
    class that is chosen.

    >>> log_p = torch.tensor([[0.75, 0.25]]).log().repeat(4, 1)
    >>> round(calibration_error(log_p, torch.tensor([0, 0, 0, 1])), 6)  # three of four right, as it says
    0.0
    >>> round(calibration_error(log_p, torch.tensor([0, 1, 1, 1])), 6)
    0.5
    """
    _check(log_p, labels)
    sure, chosen = log_p.double().exp().max(1)
    place = (sure * bins).long().clamp(max=bins - 1)
    gap = torch.zeros(bins, dtype=torch.float64).index_add(0, place, (chosen == labels).double() - sure)
    return (gap.abs().sum() / len(labels)).item()


def log_loss(log_p: Tensor, labels: Tensor) -> Estimate:
    """Return the mean of −log p(y | x) at the true label: nats, lower is better. Sure and wrong costs much."""
    _check(log_p, labels)
    return Estimate.mean(-log_p.gather(1, labels[:, None])[:, 0], unit="nats")


def _check(log_p: Tensor, labels: Tensor) -> None:
    if log_p.ndim != 2 or tuple(labels.shape) != (len(log_p),):
        raise ValueError(
            f"log_p: expected shape (N, classes) and N labels, received {tuple(log_p.shape)} and {tuple(labels.shape)}"
        )
