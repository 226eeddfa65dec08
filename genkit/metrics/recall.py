"""Recall: how often a model knows what must come again."""

import torch
from torch import Tensor

from ..base import Estimate, Generative


@torch.no_grad()
def recalled(model: Generative, x: Tensor, c: Tensor, distance: Tensor) -> dict[int, Estimate]:
    """Return, for each distance, how often the likeliest next token is the right one where it is certain.

    Arguments
        model: one with ``given(x, c)``: log p of every token at every place, shape (B, T, V).
        x, c: windows that repeat themselves, int64 of shapes (N, T) and (N, 1).
        distance: at what distance each does, int64 of shape (N,), each below T.

    The standard error is over windows, since the letters of one window are missed together.
    """
    if int(distance.max()) >= x.shape[1]:
        raise ValueError(f"distance: expected numbers below {x.shape[1]}, received {int(distance.max())}")
    hit = torch.cat([model.given(a, b).argmax(-1) == a for a, b in zip(x.split(100), c.split(100), strict=True)])
    found = {}
    for n in distance.unique().tolist():
        found[n] = Estimate.mean(hit[distance == n][:, n:].float().mean(1), kind="exact")
    return found
