"""Looking inside attention: the weights that a layer uses and does not return, computed anew from the same parts."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import SHARPNESS, Turn, norm, rotate


def attention(
    q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None = None, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    r"""Return what each query gathers, shape (…, T, d), and the weights by which it does so, shape (…, T, S).

    .. math:: A = \mathrm{softmax}\!\left(Q K^\top / \sqrt{d}\right), \qquad Y = A V

    (Vaswani et al. 2017, eq. 1). Each row of A sums to 1.

    Arguments
        q: queries, shape (…, T, d).
        k, v: keys and values, shape (…, S, d).
        mask: bool, broadcast to (…, T, S): True where a query may look; every query must be allowed one place.
        scale: what the products are multiplied by, 1 / √d by default.

    >>> q, k, v = torch.randn(3, 2, 5, 4)
    >>> y, weights = attention(q, k, v)
    >>> bool(torch.allclose(y, F.scaled_dot_product_attention(q, k, v), atol=1e-6)), weights.sum(-1).shape
    (True, torch.Size([2, 5]))
    """
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"k: expected {q.shape[-1]} channels, as many as q has, received {k.shape[-1]}")
    logits = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        if not mask.expand(torch.broadcast_shapes(mask.shape, logits.shape)).any(-1).all():
            raise ValueError("mask: expected a place to look at for every query, received a row without one")
        logits = logits.masked_fill(~mask, -math.inf)
    weights = logits.softmax(-1)
    return weights @ v, weights


def weights_of(layer: nn.Module, x: Tensor, *, causal: bool = True, turn: Turn | None = None) -> Tensor:
    """Return where each place of x looks in a layer of :class:`genkit.nn.attention.Attention`, shape (B, heads, T, T).

    Arguments
        x: what the layer is given, shape (B, T, width).
        causal, turn: as the layer is given them.
    """
    q, k, v = (h.unflatten(-1, (layer.heads, -1)).transpose(1, 2) for h in layer.qkv(x).chunk(3, -1))
    scale = None
    if layer.qk_norm:
        q, k = F.rms_norm(q, q.shape[-1:]), F.rms_norm(k, k.shape[-1:])
        scale = SHARPNESS * q.shape[-1] ** -0.5
    if turn is not None:
        q, k = rotate(q, turn), rotate(k, turn)
    mask = torch.ones(x.shape[1], x.shape[1], device=x.device).tril().bool() if causal else None
    return attention(q, k, v, mask=mask, scale=scale)[1]


@torch.no_grad()
def attention_weights(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return where every place looks, in every layer and head of a GPT: shape (layers, B, heads, T, T).

    Entry [l, b, h, i, j] is the weight that place i gives to place j; each row sums to 1, and those after i are 0.

    Arguments
        model: a :class:`genkit.models.gpt.GPT`.
        tokens: int64 of shape (B, T).
    """
    turn = (model.cos[: tokens.shape[1]], model.sin[: tokens.shape[1]]) if model.positions == "rotary" else None
    states = list(model.hidden(tokens))[:-1]
    layers = zip(model.blocks, states, strict=True)
    return torch.stack([weights_of(block.attention, norm(h), turn=turn) for block, h in layers])


def previous(tokens: Tensor) -> Tensor:
    """Return the place of the last earlier occurrence of each token, −1 where there is none, int64 of shape (B, T).

    >>> previous(torch.tensor([[3, 1, 3, 3]]))
    tensor([[-1, -1,  0,  2]])
    """
    same = (tokens[:, :, None] == tokens[:, None]).tril(-1)
    place = torch.arange(tokens.shape[1], device=tokens.device)
    return torch.where(same, place, -1).amax(-1)


def share(weights: Tensor, target: Tensor) -> Tensor:
    """Return the mean weight on one place for each query: from (…, B, heads, T, T), targets (B, T), to (…, heads).

    Queries whose target is below 0 are left out.

    >>> share(torch.eye(3).expand(1, 2, 3, 3), torch.tensor([[-1, 1, 1]]))
    tensor([0.5000, 0.5000])
    """
    counted = target >= 0
    index = target.clamp(min=0)[:, None, :, None].expand(*weights.shape[:-1], 1)
    found = weights.gather(-1, index)[..., 0] * counted[:, None]
    return found.sum((-1, -3)) / counted.sum()


def entropy(weights: Tensor) -> Tensor:
    r"""Return how spread out attention is, :math:`-\sum_j a_j \log a_j` in nats, from (…, S) to (…).

    0 is a look at one place, log S one at all alike.

    >>> entropy(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    tensor([0.0000, 0.6931])
    """
    return torch.special.entr(weights).sum(-1)
