"""The exercises of the chapter on GPT."""

import math

import torch

from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def next_token_loss(logits, w):
    """The mean loss in nats: logits[:, t], (B, T, V), are about what follows w[:, t].

    w holds the tokens, shape (B, T + 1).
    """
    log_p = logits.log_softmax(-1)  # hole
    return -log_p.gather(-1, w[:, 1:, None]).mean()  # hole


def bits_per_character(log_p, text):
    """Bits per character of a text; log_p holds log p of its tokens, in nats."""
    return -log_p.sum().item() / math.log(2) / len(text)  # hole


def parameters(layers, width, vocabulary):
    """How many numbers a GPT learns, an int: no biases, and norms learn nothing."""
    attention = 4 * width**2  # hole
    network = 2 * 4 * width**2  # hole
    return layers * (attention + network) + (vocabulary + 1) * width  # hole


def merge(tokens, a, b, new):
    """Tokens, shape (T,), with each a that b follows, and that b, replaced by new."""
    out = []
    for token in tokens.tolist():  # hole
        if out and out[-1] == a and token == b:  # hole
            out[-1] = new  # hole
        else:  # hole
            out.append(token)  # hole
    return torch.tensor(out)


def newest(q, k, v, keys, values):
    """What the newest place gathers, shape (d,), from its q, k and v, each shape (d,).

    keys and values, shape (T, d), are kept from the places before it.
    """
    keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])  # hole
    weights = (keys @ q / math.sqrt(len(q))).softmax(0)  # hole
    return weights @ values  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _random(seed):
    return torch.Generator().manual_seed(seed)


def _logits(b, t, v, seed):
    def make():
        generator = _random(seed)
        return 2 * torch.randn(b, t, v, generator=generator), torch.randint(v, (b, t + 1), generator=generator)

    return make


def _text(text, tokens, seed):
    return lambda: ((0.05 + 0.9 * torch.rand(tokens, generator=_random(seed))).log(), text)


def _tokens(values, a, b, new):
    return lambda: (torch.tensor(values), a, b, new)


def _places(t, d, seed):
    def make():
        generator = _random(seed)
        q, k, v = 2 * torch.randn(3, d, generator=generator)
        keys, values = torch.randn(2, t, d, generator=generator)
        return q, k, v, keys, values

    return make


def _attend(q, keys, values, scale=None):
    scale = 1 / math.sqrt(len(q)) if scale is None else scale
    return (scale * keys @ q).softmax(0) @ values


def _all(q, k, v, keys, values):
    return torch.cat([keys, k[None]]), torch.cat([values, v[None]])


def _greedy_any_pair(tokens, a, b, new):
    """Replace pairs wherever they begin, overlapping ones too."""
    t = tokens.tolist()
    return torch.tensor([new if t[i : i + 2] == [a, b] else x for i, x in enumerate(t)])


def _swapped(tokens, a, b, new):
    return merge(tokens, b, a, new)


def _once(tokens, a, b, new):
    t = tokens.tolist()
    for i in range(len(t) - 1):
        if t[i : i + 2] == [a, b]:
            return torch.tensor([*t[:i], new, *t[i + 2 :]])
    return tokens


def _from_the_right(tokens, a, b, new):
    return merge(tokens.flip(0), b, a, new).flip(0)


def _keeps_second(tokens, a, b, new):
    t = tokens.tolist()
    out = []
    for i, x in enumerate(t):
        out.append(new if t[i : i + 2] == [a, b] else x)
    return torch.tensor(out)


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "next_token_loss",
        1,
        next_token_loss,
        [_logits(2, 3, 5, 0), _logits(1, 4, 3, 1), _logits(3, 1, 4, 2), _logits(4, 6, 7, 3)],
        gradients=(0,),
        mistakes={
            "not shifted": (
                lambda s, w: -s.log_softmax(-1).gather(-1, w[:, :-1, None]).mean(),
                "you ask for the token that was read, not for the one that follows it: shift w by one.",
            ),
            "sign": (
                lambda s, w: s.log_softmax(-1).gather(-1, w[:, 1:, None]).mean(),
                "a loss falls as the probability rises: the sign is missing.",
            ),
            "sum": (
                lambda s, w: -s.log_softmax(-1).gather(-1, w[:, 1:, None]).sum(),
                "average over the tokens instead of adding them up.",
            ),
            "sum over places": (
                lambda s, w: -s.log_softmax(-1).gather(-1, w[:, 1:, None]).sum(1).mean(),
                "average over the places too: nats per token are wanted.",
            ),
            "logits": (
                lambda s, w: -s.gather(-1, w[:, 1:, None]).mean(),
                "logits are no log-probabilities yet: subtract their logsumexp (log_softmax does).",
            ),
            "probabilities": (
                lambda s, w: -s.softmax(-1).gather(-1, w[:, 1:, None]).mean(),
                "these are probabilities: their logarithm is wanted.",
            ),
            "bits": (
                lambda s, w: -s.log_softmax(-1).gather(-1, w[:, 1:, None]).mean() / math.log(2),
                "these are bits: nats are wanted.",
            ),
            "wrong axis": (
                lambda s, w: -s.log_softmax(1).gather(-1, w[:, 1:, None]).mean(),
                "probabilities sum to 1 over the vocabulary, the last axis.",
            ),
            "most probable": (
                lambda s, w: -s.log_softmax(-1).amax(-1).mean(),
                "this is the loss of the likeliest token, not of the one that came.",
            ),
        },
    ),
    Exercise(
        "bits_per_character",
        1,
        bits_per_character,
        [_text("to be or not", 5, 0), _text("a", 1, 1), _text("never mind", 3, 2), _text("abcdefgh" * 4, 32, 3)],
        mistakes={
            "per token": (
                lambda p, s: -p.mean().item() / math.log(2),
                "these are bits per token: divide by the characters of the text.",
            ),
            "nats": (lambda p, s: -p.sum().item() / len(s), "these are nats: divide by log 2."),
            "sign": (lambda p, s: p.sum().item() / math.log(2) / len(s), "bits are positive: the sign is wrong."),
            "times": (lambda p, s: -p.sum().item() * math.log(2) / len(s), "divide by log 2 instead of multiplying."),
            "both": (
                lambda p, s: -p.mean().item() / math.log(2) / len(s),
                "add the tokens up before you divide by the characters: you have averaged twice.",
            ),
            "whole text": (
                lambda p, s: -p.sum().item() / math.log(2),
                "this is the whole text: divide by its characters.",
            ),
            "perplexity": (lambda p, s: math.exp(-p.mean().item()), "this is the perplexity of a token."),
        },
    ),
    Exercise(
        "parameters",
        2,
        parameters,
        [lambda: (4, 128, 96), lambda: (1, 8, 3), lambda: (12, 768, 50257), lambda: (2, 64, 256)],
        mistakes={
            "no begin token": (
                lambda n, d, v: 12 * n * d * d + v * d,
                "the begin token has a row in the table too: V + 1 rows.",
            ),
            "untied": (
                lambda n, d, v: 12 * n * d * d + (v + 1) * d + v * d,
                "tokens are written with the table that they are read with: count it once.",
            ),
            "no output projection": (
                lambda n, d, v: 11 * n * d * d + (v + 1) * d,
                "attention has a fourth matrix, which projects what was gathered.",
            ),
            "biases": (
                lambda n, d, v: n * (12 * d * d + 9 * d) + (v + 1) * d,
                "there are no biases here.",
            ),
            "narrow network": (
                lambda n, d, v: 6 * n * d * d + (v + 1) * d,
                "the network at every place is four times as wide inside: 4 d² up and 4 d² down.",
            ),
            "half a network": (
                lambda n, d, v: 8 * n * d * d + (v + 1) * d,
                "the network at every place has two matrices, one up and one down.",
            ),
            "no table": (lambda n, d, v: 12 * n * d * d, "you left out the table of embeddings."),
            "norms": (
                lambda n, d, v: n * (12 * d * d + 4 * d) + (v + 1) * d,
                "the norms of this chapter have no scales to learn.",
            ),
        },
    ),
    Exercise(
        "merge",
        2,
        merge,
        [
            _tokens([1, 2, 3, 1, 2], 1, 2, 9),
            _tokens([5, 5, 5, 5, 5], 5, 5, 7),
            _tokens([1, 2], 2, 1, 4),
            _tokens([3], 3, 3, 8),
            _tokens([1, 1, 2, 2, 1, 2, 1], 1, 2, 6),
            _tokens([1, 2, 2, 9, 2], 9, 2, 3),
            _tokens([4, 4, 4, 1, 4, 4], 4, 4, 2),
        ],
        mistakes={
            "keeps the second": (_keeps_second, "the b that was merged is still there: it goes with its a."),
            "swapped": (_swapped, "you merge b followed by a: the order counts."),
            "once": (_once, "every such pair is to be merged, not the first one alone."),
            "from the right": (_from_the_right, "of a a a, the first two are merged: go from the left."),
            "nothing": (lambda t, a, b, new: t.clone(), "nothing was merged."),
            "every a": (
                lambda t, a, b, new: torch.where(t == a, new, t),
                "an a alone stays: only an a that is followed by b is merged.",
            ),
            "drops others": (
                lambda t, a, b, new: torch.tensor([new] * int(((t[:-1] == a) & (t[1:] == b)).sum()), dtype=torch.int64),
                "tokens that are not merged must stay.",
            ),
        },
    ),
    Exercise(
        "newest",
        3,
        newest,
        [_places(4, 3, 0), _places(1, 5, 1), _places(7, 2, 2), _places(3, 8, 3)],
        gradients=(0, 1, 2),
        mistakes={
            "forgets itself": (
                lambda q, k, v, ks, vs: _attend(q, ks, vs),
                "the newest place sees itself too: add its key and value to those that were kept.",
            ),
            "no scale": (
                lambda q, k, v, ks, vs: _attend(q, *_all(q, k, v, ks, vs), scale=1.0),
                "divide the products by the square root of d.",
            ),
            "scale d": (
                lambda q, k, v, ks, vs: _attend(q, *_all(q, k, v, ks, vs), scale=1 / len(q)),
                "divide by the square root of d, not by d.",
            ),
            "scale T": (
                lambda q, k, v, ks, vs: _attend(q, *_all(q, k, v, ks, vs), scale=(len(ks) + 1) ** -0.5),
                "divide by the square root of d, the size of a key, not of the number of places.",
            ),
            "key as value": (
                lambda q, k, v, ks, vs: _attend(q, _all(q, k, v, ks, vs)[0], _all(q, k, v, ks, vs)[0]),
                "weights come from keys; what is averaged are values.",
            ),
            "in front": (
                lambda q, k, v, ks, vs: _attend(q, torch.cat([ks, k[None]]), torch.cat([v[None], vs])),
                "key and value of a place must stand at the same row.",
            ),
            "no softmax": (
                lambda q, k, v, ks, vs: (torch.cat([ks, k[None]]) @ q / len(q) ** 0.5) @ torch.cat([vs, v[None]]),
                "the weights must be positive and sum to 1: take the softmax.",
            ),
            "plain mean": (
                lambda q, k, v, ks, vs: torch.cat([vs, v[None]]).mean(0),
                "all places count the same here: weigh them by how well key and query agree.",
            ),
        },
    ),
)
