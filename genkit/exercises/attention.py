"""The exercises of the chapter on attention."""

import math

import torch

from .choice import Choice
from .exercise import Exercise, Wrong

# the references ------------------------------------------------------------------------------------------------------


def attend(q, k, v):
    """What each query gathers: softmax(q kᵀ / √d) v, shape (T, d).

    q has shape (T, d), k and v have shape (S, d): T queries look at S places.
    """
    weights = (q @ k.T / math.sqrt(q.shape[-1])).softmax(-1)  # hole
    return weights @ v  # hole


def may_look(size):
    """A (size, size) bool tensor: may place i look at j? Never later, itself yes."""
    return torch.ones(size, size).tril().bool()  # hole


def split_heads(x, heads):
    """Cut the channels into heads: from (B, T, W) to (B, heads, T, W / heads).

    Head 0 gets the first W / heads channels, head 1 the next, and so on.
    """
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)  # hole


def turn_pair(x, place, speed):
    """Turn pairs of channels x, shape (T, 2), anticlockwise by place · speed radians.

    place holds the place of each pair, shape (T,); speed is one number.
    """
    angle = place * speed
    return torch.stack(  # hole
        [  # hole
            x[:, 0] * angle.cos() - x[:, 1] * angle.sin(),  # hole
            x[:, 0] * angle.sin() + x[:, 1] * angle.cos(),  # hole
        ],  # hole
        -1,  # hole
    )  # hole


def spread(weights):
    """How spread out attention is: the entropy of each row, in nats, shape (T,).

    weights has shape (T, S); its rows sum to 1. A hidden place has weight 0.
    """
    logs = torch.where(weights > 0, weights, 1.0).log()  # hole
    return -(weights * logs).sum(-1)  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _looks(t, s, d, seed):
    def make():
        generator = _generator(seed)
        return tuple(1.5 * torch.randn(n, d, generator=generator) for n in (t, s, s))

    return make


def _large():
    """Products of some hundreds, whose exponentials overflow."""
    generator = _generator(7)
    return tuple(40 * torch.randn(4, 3, generator=generator) for _ in range(3))


def _channels(b, t, w, heads, seed):
    return lambda: (torch.randn(b, t, w, generator=_generator(seed)), heads)


def _pairs(t, speed, seed):
    def make():
        generator = _generator(seed)
        return torch.randn(t, 2, generator=generator), torch.randint(20, (t,), generator=generator).float(), speed

    return make


def _rows(t, s, seed, causal=False):
    def make():
        logits = 2 * torch.randn(t, s, generator=_generator(seed))
        hidden = torch.ones(t, s).triu(1).bool()
        return (logits.masked_fill(hidden, -math.inf).softmax(-1) if causal else logits.softmax(-1),)

    return make


def _is_bool(answer):
    mask = answer(3)
    if isinstance(mask, torch.Tensor) and mask.dtype != torch.bool:
        raise Wrong(f"expected a tensor of True and False (torch.bool), received one of {mask.dtype}.")


# the exercises --------------------------------------------------------------------------------------------------------

_S = torch.softmax

EXERCISES = (
    Exercise(
        "attend",
        1,
        attend,
        [_looks(3, 5, 4, 0), _looks(4, 4, 4, 1), _looks(1, 6, 2, 2), _looks(5, 1, 3, 3), _large],
        gradients=(0, 1, 2),
        mistakes={
            "no scale": (lambda q, k, v: _S(q @ k.T, -1) @ v, "the division by √d is missing."),
            "by d": (lambda q, k, v: _S(q @ k.T / q.shape[-1], -1) @ v, "divide by the square root of d, not by d."),
            "times": (lambda q, k, v: _S(q @ k.T * q.shape[-1] ** 0.5, -1) @ v, "you multiply by √d: divide."),
            "after": (
                lambda q, k, v: _S(q @ k.T, -1) / q.shape[-1] ** 0.5 @ v,
                "divide the products before the softmax: after it, the weights no longer sum to 1.",
            ),
            "wrong axis": (
                lambda q, k, v: _S(q @ k.T / q.shape[-1] ** 0.5, 0) @ v,
                "each row, the weights of one query, must sum to 1: softmax along the last axis.",
            ),
            "places": (
                lambda q, k, v: _S(q @ k.T / k.shape[0] ** 0.5, -1) @ v,
                "d is the number of channels, not of places.",
            ),
            "no softmax": (
                lambda q, k, v: q @ k.T / q.shape[-1] ** 0.5 @ v,
                "the softmax is missing: weights are positive and sum to 1.",
            ),
            "weights": (
                lambda q, k, v: _S(q @ k.T / q.shape[-1] ** 0.5, -1),
                "these are the weights: now average the values by them.",
            ),
            "keys": (lambda q, k, v: _S(q @ k.T / q.shape[-1] ** 0.5, -1) @ k, "you averaged the keys: v is wanted."),
            "linear": (
                lambda q, k, v: (q @ k.T / q.shape[-1] ** 0.5) @ v / k.shape[0],
                "the softmax is missing: weights are positive and sum to 1.",
            ),
            "mean": (
                lambda q, k, v: v.mean(0).expand(len(q), -1),
                "this is the plain mean of the values: weigh them by the products of queries and keys.",
            ),
        },
    ),
    Exercise(
        "may_look",
        1,
        may_look,
        [lambda: (3,), lambda: (1,), lambda: (6,), lambda: (2,)],
        tests=(_is_bool,),
        mistakes={
            "strict": (
                lambda n: torch.ones(n, n).tril(-1).bool(),
                "a place may look at itself: without that, the first has nothing to look at.",
            ),
            "future": (
                lambda n: torch.ones(n, n).triu().bool(),
                "this looks ahead: rows are those who look, columns what is looked at.",
            ),
            "hidden": (
                lambda n: torch.ones(n, n).triu(1).bool(),
                "this is True where a place may not look: turn it round.",
            ),
            "all": (lambda n: torch.ones(n, n).bool(), "this lets every place look at every other: the mask is open."),
            "itself": (lambda n: torch.eye(n).bool(), "this shows each place itself alone: earlier ones too."),
            "one ahead": (lambda n: torch.ones(n, n).tril(1).bool(), "this shows the next place too: one too far."),
            "previous": (
                lambda n: torch.ones(n, n).tril().triu(-1).bool(),
                "this shows the place itself and one before: all before it may be looked at.",
            ),
        },
    ),
    Exercise(
        "split_heads",
        2,
        split_heads,
        [_channels(2, 3, 8, 2, 0), _channels(1, 4, 8, 4, 1), _channels(2, 2, 4, 2, 2), _channels(3, 5, 6, 1, 3)],
        gradients=(0,),
        mistakes={
            "reshaped": (
                lambda x, h: x.reshape(x.shape[0], h, x.shape[1], -1),
                "the shape is right, and places and channels are mixed up: cut the channels first, then swap axes.",
            ),
            "not swapped": (
                lambda x, h: x.unflatten(-1, (h, -1)),
                "the channels are cut; now bring the heads before the places: (B, heads, T, W / heads).",
            ),
            "interleaved": (
                lambda x, h: x.unflatten(-1, (-1, h)).permute(0, 3, 1, 2),
                "head 0 gets every second channel here, or every fourth: it should get the first ones, side by side.",
            ),
            "heads first": (
                lambda x, h: x.unflatten(-1, (h, -1)).permute(2, 0, 1, 3),
                "the batch comes first, then the heads.",
            ),
            "turned": (
                lambda x, h: x.unflatten(-1, (h, -1)).permute(0, 2, 3, 1),
                "places before channels: (B, heads, T, W / heads).",
            ),
            "repeated": (
                lambda x, h: x[:, None].expand(-1, h, -1, -1),
                "every head gets all channels here: each should get its own W / heads.",
            ),
        },
    ),
    Exercise(
        "turn_pair",
        2,
        turn_pair,
        [_pairs(5, 0.3, 0), _pairs(4, 1.0, 1), _pairs(1, 0.01, 2), _pairs(2, 2.5, 3)],
        gradients=(0,),
        mistakes={
            "clockwise": (
                lambda x, p, s: turn_pair(x, -p, s),
                "this turns clockwise: the first channel is x₀ cos − x₁ sin.",
            ),
            "degrees": (lambda x, p, s: turn_pair(x, p * math.pi / 180, s), "angles are in radians."),
            "no speed": (lambda x, p, s: turn_pair(x, p, 1.0), "the angle is the place times the speed."),
            "no place": (
                lambda x, p, s: turn_pair(x, torch.ones_like(p), s),
                "every pair is turned by the same angle here: it should be its place times the speed.",
            ),
            "divided": (lambda x, p, s: turn_pair(x, p, 1 / s), "multiply the place by the speed: no division."),
            "sines swapped": (
                lambda x, p, s: turn_pair(x, math.pi / 2 - p * s, 1.0),
                "cosine and sine are swapped: at place 0 nothing turns.",
            ),
            "mirrored": (
                lambda x, p, s: torch.stack(
                    [
                        x[:, 0] * (p * s).cos() + x[:, 1] * (p * s).sin(),
                        x[:, 0] * (p * s).sin() - x[:, 1] * (p * s).cos(),
                    ],
                    -1,
                ),
                "this is a reflection, no turn: look at the signs.",
            ),
            "overwritten": (
                lambda x, p, s: torch.stack(
                    [
                        a := x[:, 0] * (p * s).cos() - x[:, 1] * (p * s).sin(),
                        a * (p * s).sin() + x[:, 1] * (p * s).cos(),
                    ],
                    -1,
                ),
                "the second channel uses the first one after it was turned: keep the old one.",
            ),
            "scaled": (
                lambda x, p, s: x * torch.stack([(p * s).cos(), (p * s).sin()], -1),
                "this scales each channel: a turn mixes the two.",
            ),
        },
    ),
    Exercise(
        "spread",
        2,
        spread,
        [_rows(4, 4, 0, causal=True), _rows(3, 5, 1), _rows(1, 7, 2), _rows(6, 6, 3, causal=True)],
        mistakes={
            "no care for zeros": (
                lambda w: -(w * w.log()).sum(-1),
                "a hidden place gives 0 · log 0, which is no number: it should count 0.",
            ),
            "sign": (lambda w: torch.xlogy(w, w).sum(-1), "an entropy is never negative: the sign is wrong."),
            "bits": (
                lambda w: -torch.xlogy(w, w).sum(-1) / math.log(2),
                "these are bits: take the natural logarithm for nats.",
            ),
            "mean": (lambda w: -torch.xlogy(w, w).mean(-1), "add the places up: the weights average already."),
            "columns": (lambda w: -torch.xlogy(w, w).sum(0), "this adds up over queries: add up each row, axis −1."),
            "of all": (lambda w: -torch.xlogy(w, w).sum(), "one number for each row is wanted, not one for all."),
            "perplexity": (
                lambda w: (-torch.xlogy(w, w).sum(-1)).exp(),
                "this is the number of places looked at, so to speak: its logarithm is the entropy.",
            ),
            "squares": (lambda w: 1 - w.square().sum(-1), "this is the Gini impurity: the entropy has a logarithm."),
            "no weights": (
                lambda w: -torch.where(w > 0, w, torch.ones_like(w)).log().sum(-1),
                "each logarithm must be weighed by its own weight.",
            ),
            "largest": (lambda w: -w.max(-1).values.log(), "this looks at the largest weight alone."),
        },
    ),
    Choice(
        "copier",
        3,
        "copier",
        "c",
        {
            "a": "a looks at the letter just before, whatever it is. That is half of the trick, and copies nothing.",
            "b": "b looks nine places back, always. Try it on the windows that repeat at another distance than ten.",
            "d": "d finds the same letter, earlier. The letter to be copied stands one place after that.",
            "none": "one does. Take the share of each head on the place after the last occurrence, window by window.",
        },
        "that is none of the answers: a, b, c, d, none.",
        "Its share on the place after the last occurrence is high at every distance; that of b at distance ten alone",
    ),
)


def unknown_heads():
    """Return windows of tokens that repeat themselves, int64 of shape (60, 40), and four heads' weights on them."""
    from ..data.recall import strings
    from ..nn.look import previous

    generator = _generator(5)
    tokens = strings(10 + torch.arange(60) % 5, 40, generator)
    place, last = torch.arange(40), previous(tokens)
    targets = {
        "a": (place - 1).clamp(min=0).expand(60, 40),
        "b": (place - 9).clamp(min=0).expand(60, 40),
        "c": torch.where(last < 0, 0, last + 1),
        "d": last.clamp(min=0),
    }
    hidden = torch.ones(40, 40).triu(1).bool()
    weights = {}
    for name, target in targets.items():
        logits = torch.randn(60, 40, 40, generator=generator)
        logits = logits.scatter_add(2, target[..., None], torch.full((60, 40, 1), 5.0))
        weights[name] = logits.masked_fill(hidden, -math.inf).softmax(-1)
    return tokens, weights
