r"""Attention: every place asks, every place answers, and each takes a weighted mean of the answers.

.. math:: \mathrm{attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}}\right) V

(Vaswani et al. 2017, eq. 1). One block of a transformer, in the three shapes in which it is used: looking back only,
looking both ways, and looking at another sequence as well.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..names import unknown

Turn = tuple[Tensor, Tensor]
"""The cosines and sines of the rotary angles of some places, each of shape (T, d / 2)."""

SHARPNESS = 2.0
"""Logits of normalised queries and keys lie within ± SHARPNESS · √d: at 1, heads could hardly choose one place."""

ACTIVATIONS = {"relu2": lambda h: F.relu(h).square(), "gelu": F.gelu}


def angles(places: Tensor, d: int, base: float = 10_000.0) -> Turn:
    """Return the cosines and sines by which rotary positions turn pairs of channels (Su et al. 2024, eq. 15).

    Arguments
        places: positions, shape (T,).
        d: channels of a head, even.
        base: the slowest pair turns by about 1 / base radians from one place to the next.
    """
    if d % 2:
        raise ValueError(f"d: expected an even number of channels, received {d}")
    speed = base ** (-torch.arange(0, d, 2, device=places.device) / d)
    angle = places[:, None] * speed
    return angle.cos(), angle.sin()


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Turn channel pairs (i, i + d/2) of queries or keys, shape (B, H, T, d), by the angles of their places.

    The product of a query and a key then depends on how far apart they are, and not on where.

    >>> q, k = torch.randn(2, 1, 1, 1, 8)
    >>> products = [(rotate(q, angles(torch.tensor([i]), 8)) * rotate(k, angles(torch.tensor([i + 3]), 8))).sum()
    ...             for i in (0, 50)]
    >>> torch.allclose(*products, atol=1e-5)
    True
    """
    a, b = x.chunk(2, -1)
    cos, sin = turn
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Attention(nn.Module):
    """Heads of attention side by side, over the same sequence or over another one.

    Arguments
        width: channels.
        heads: a divisor of ``width``.
        qk_norm: give queries and keys one length (Henry et al. 2020), so that no logit outgrows ``SHARPNESS`` · √d.
        zero_init: start the projection at zero, so that an untrained block changes nothing.
    """

    def __init__(self, width: int, heads: int, *, qk_norm: bool = True, zero_init: bool = True):
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"heads: expected a divisor of the width {width}, received {heads}")
        self.heads, self.qk_norm = heads, qk_norm
        self.qkv = _linear(width, 3 * width)
        self.project = _linear(width, width, zero=zero_init)

    def forward(
        self, x: Tensor, *, causal: bool = False, turn: Turn | None = None, mask: Tensor | None = None,
        other: Tensor | None = None, cache: "Cache | None" = None,
    ) -> Tensor:  # fmt: skip
        """Return what each place of x, shape (B, T, width), gathers.

        Arguments
            causal: a place sees itself and those before it alone.
            turn: rotary angles of the places of x.
            mask: bool, broadcast to (B, heads, T, S): True where a place may look.
            other: look at this sequence, shape (B, S, width), instead of at x.
            cache: the keys and values of places before those of x; those of x are added to it.
        """
        d = x.shape[-1]
        if other is None:
            q, k, v = (_heads(h, self.heads) for h in self.qkv(x).split(d, -1))
        else:
            q = _heads(F.linear(x, self.qkv.weight[:d]), self.heads)
            k, v = (_heads(h, self.heads) for h in F.linear(other, self.qkv.weight[d:]).split(d, -1))
        if self.qk_norm:
            q, k = F.rms_norm(q, q.shape[-1:]), F.rms_norm(k, k.shape[-1:])
        if turn is not None:
            q, k = rotate(q, turn), rotate(k, turn)
        if cache is not None:
            k, v = cache.add(k, v)
            causal = causal and x.shape[1] > 1  # a single newest place may see everything that is kept
        scale = SHARPNESS * q.shape[-1] ** -0.5 if self.qk_norm else None
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=scale)
        return self.project(y.transpose(1, 2).flatten(2))


class Cache:
    """The keys and values that one layer has computed, each of shape (B, heads, T, d)."""

    def __init__(self):
        self.k: Tensor | None = None
        self.v: Tensor | None = None

    def add(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append those of new places and return all. Several new places need an empty cache, for the causal mask."""
        if self.k is not None:
            if k.shape[2] > 1:
                raise ValueError(f"x: expected one new place where a cache holds others, received {k.shape[2]}")
            k, v = torch.cat([self.k, k], 2), torch.cat([self.v, v], 2)
        self.k, self.v = k, v
        return k, v


class Block(nn.Module):
    """One layer of a transformer: attention, then a small network at every place, each added to what was there.

    Normalisation comes before each part (Xiong et al. 2020).

    Arguments
        width, heads, qk_norm, zero_init: as in :class:`Attention`.
        activation: ``"relu2"``, the square of ReLU (So et al. 2021), or ``"gelu"``.
        cross: look at another sequence too, between the two parts.
        dropout: of what each part adds.
    """

    def __init__(
        self, width: int, heads: int, *, activation: str = "relu2", qk_norm: bool = True, zero_init: bool = True,
        cross: bool = False, dropout: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        if activation not in ACTIVATIONS:
            raise unknown("activation", activation, ACTIVATIONS)
        self.attention = Attention(width, heads, qk_norm=qk_norm, zero_init=zero_init)
        self.cross = Attention(width, heads, qk_norm=qk_norm, zero_init=zero_init) if cross else None
        self.up, self.down = _linear(width, 4 * width), _linear(4 * width, width, zero=zero_init)
        self.activation, self.dropout = ACTIVATIONS[activation], nn.Dropout(dropout)

    def forward(
        self, x: Tensor, *, causal: bool = False, turn: Turn | None = None, mask: Tensor | None = None,
        other: Tensor | None = None, other_mask: Tensor | None = None, cache: Cache | None = None,
    ) -> Tensor:  # fmt: skip
        """Return the sequence after this layer, shape (B, T, width). ``other`` is seen through ``other_mask``."""
        x = x + self.dropout(self.attention(norm(x), causal=causal, turn=turn, mask=mask, cache=cache))
        if self.cross is not None:
            x = x + self.dropout(self.cross(norm(x), mask=other_mask, other=other))
        return x + self.dropout(self.down(self.activation(self.up(norm(x)))))

    def matrices(self) -> list[nn.Parameter]:
        """Return the weights that multiply hidden states: all of them."""
        return [p for p in self.parameters() if p.requires_grad]


def norm(x: Tensor) -> Tensor:
    """Give every place mean 0 and variance 1 over its channels, without learned scales (Ba et al. 2016, eq. 4)."""
    return F.layer_norm(x, x.shape[-1:])


def _heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _linear(inputs: int, outputs: int, *, zero: bool = False) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    if zero:
        nn.init.zeros_(layer.weight)
    else:
        nn.init.normal_(layer.weight, std=inputs**-0.5 * 0.5)
    return layer
