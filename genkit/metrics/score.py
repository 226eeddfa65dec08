"""The score of a noised mixture of Gaussians, which is known, and how far a network's is from it."""

import torch
from torch import Tensor

from ..base import Estimate


def mixture_score(x: Tensor, centres: Tensor, spread: float, alpha: Tensor | float, sigma: Tensor | float) -> Tensor:
    r"""Return :math:`\nabla_x \log p_t(x)`, shape (B, D), of equal round Gaussians seen through noise.

    Noise moves each centre to :math:`\alpha m_k` and widens it to :math:`v = \alpha^2 s^2 + \sigma^2`. So

    .. math:: \nabla_x \log p_t(x) = \frac1v \sum_k w_k(x)\, (\alpha m_k - x), \qquad
              w(x) = \mathrm{softmax}_k\Big(-\frac{\|x - \alpha m_k\|^2}{2v}\Big)

    Arguments
        x: noisy points, shape (B, D).
        centres: :math:`m_k`, shape (K, D).
        spread: s, the standard deviation of each Gaussian.
        alpha, sigma: how much signal and noise there is: numbers, or of shape (B, 1).

    >>> mixture_score(torch.tensor([[1.0]]), torch.zeros(1, 1), 1.0, 0.6, 0.8)
    tensor([[-1.]])
    """
    if x.ndim != 2 or centres.ndim != 2 or x.shape[1] != centres.shape[1]:
        raise ValueError(
            f"x, centres: expected shapes (B, D) and (K, D), received {tuple(x.shape)} and {tuple(centres.shape)}"
        )
    alpha, sigma = (torch.as_tensor(v).to(x).expand(len(x), 1) for v in (alpha, sigma))
    variance = (alpha * spread) ** 2 + sigma**2  # (B, 1)
    towards = alpha[..., None] * centres.to(x) - x[:, None]  # (B, K, D)
    weight = (-towards.square().sum(-1) / (2 * variance)).softmax(1)  # (B, K)
    return (weight[..., None] * towards).sum(1) / variance


def score_error(found: Tensor, true: Tensor) -> Estimate:
    r"""Return :math:`\mathbb E\|\hat s - s\|^2 / \mathbb E\|s\|^2` of two scores, both of shape (N, D).

    0 is perfect, and 1 is what a network gets that says zero everywhere. The standard error is that of a ratio, by
    the delta method.

    >>> score_error(torch.zeros(4, 2), torch.ones(4, 2)).value
    1.0
    """
    if found.shape != true.shape or found.ndim != 2:
        raise ValueError(f"found: expected the shape of true {tuple(true.shape)}, received {tuple(found.shape)}")
    off, size = ((v.double()).square().sum(1) for v in (found - true, true))
    ratio = off.mean() / size.mean()
    spread = (off - ratio * size).std() / len(off) ** 0.5 / size.mean()
    return Estimate(ratio.item(), spread.item())
