"""How much of a codebook is used."""

import torch
from torch import Tensor

from ..base import Estimate


def code_perplexity(codes: Tensor, size: int) -> Estimate:
    r"""Return the perplexity of the codes' frequencies: how many codes are in use, weighed by how often.

    .. math:: \exp\Big(-\sum_k f_k \log f_k\Big)

    1 where one code does everything, ``size`` where all are used alike.

    Arguments
        codes: int64 in 0 … size − 1, any shape.
        size: how many codes there are.

    >>> code_perplexity(torch.tensor([0, 1, 0, 1]), 8).value
    2.0
    """
    share = _shares(codes, size)
    entropy = -torch.where(share > 0, share * share.log(), 0.0).sum()
    return Estimate(round(entropy.exp().item(), 12), unit="codes")


def codes_used(codes: Tensor, size: int) -> Estimate:
    """Return the share of codes that occur at all, in (0, 1].

    >>> codes_used(torch.tensor([0, 1, 0, 1]), 8).value
    0.25
    """
    return Estimate((_shares(codes, size) > 0).double().mean().item())


def _shares(codes: Tensor, size: int) -> Tensor:
    if codes.numel() == 0 or codes.is_floating_point() or codes.min() < 0 or codes.max() >= size:
        raise ValueError(f"codes: expected some int64 in [0, {size}), received {codes.dtype} {tuple(codes.shape)}")
    count = codes.flatten().bincount(minlength=size).double()
    return count / count.sum()
