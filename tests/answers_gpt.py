"""Answers to the exercises on GPT: right ones written differently, wrong ones that readers write."""

import math

import torch
import torch.nn.functional as F


def merged_in_place(tokens, a, b, new):
    t, i = tokens.tolist(), 0
    while i < len(t) - 1:
        if t[i] == a and t[i + 1] == b:
            t[i : i + 2] = [new]
        i += 1
    return torch.tensor(t)


def merged_again_and_again(tokens, a, b, new):
    """Merge what a merge has made, where new equals a: each pair is looked at twice."""
    t, i = tokens.tolist(), 0
    while i < len(t) - 1:
        if t[i] == a and t[i + 1] == b:
            t[i : i + 2] = [new, new]
        i += 1
    return torch.tensor(t)


def by_text(tokens, a, b, new):
    """Write each token as a character, and let Python replace the pair, which it does from the left."""
    written = "".join(map(chr, tokens)).replace(chr(a) + chr(b), chr(new))
    return torch.tensor([ord(letter) for letter in written])


def loop_newest(q, k, v, keys, values):
    pairs = [*zip(keys, values, strict=True), (k, v)]
    weights = torch.stack([(q * key).sum() / len(q) ** 0.5 for key, _ in pairs]).exp()
    return sum(w * value for w, (_, value) in zip(weights / weights.sum(), pairs, strict=True))


def by_torch(q, k, v, keys, values):
    keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])
    return F.scaled_dot_product_attention(q[None, None], keys[None], values[None])[0, 0]


RIGHT = {
    "next_token_loss": {
        "torch's function": lambda s, w: F.cross_entropy(s.flatten(0, 1), w[:, 1:].flatten()),
        "transposed": lambda s, w: F.cross_entropy(s.transpose(1, 2), w[:, 1:]),
        "logsumexp": lambda s, w: (s.logsumexp(-1) - s.gather(-1, w[:, 1:, None])[..., 0]).mean(),
    },
    "bits_per_character": {
        "log2": lambda p, s: -(p / math.log(2)).sum() / len(s),
        "by the mean": lambda p, s: -p.mean().item() * len(p) / len(s) / math.log(2),
        "by base two": lambda p, s: -p.exp().log2().sum().item() / len(s),
    },
    "parameters": {
        "matrix by matrix": lambda n, d, v: n * (3 * d * d + d * d + d * 4 * d + 4 * d * d) + v * d + d,
        "twelve": lambda n, d, v: d * (12 * n * d + v + 1),
    },
    "merge": {"in place": merged_in_place, "by its text": by_text},
    "newest": {"as a loop": loop_newest, "torch's function": by_torch},
}

WRONG = {
    "next_token_loss": {
        "shifted the other way": (lambda s, w: F.cross_entropy(s.flatten(0, 1), w[:, :-1].flatten()), "shift w by one"),
        "summed": (lambda s, w: F.cross_entropy(s.flatten(0, 1), w[:, 1:].flatten(), reduction="sum"), "average"),
        "per example": (
            lambda s, w: F.cross_entropy(s.transpose(1, 2), w[:, 1:], reduction="none").mean(1), "expected",
        ),
        "detached": (lambda s, w: F.cross_entropy(s.detach().flatten(0, 1), w[:, 1:].flatten()), "gradient"),
        "exp": (lambda s, w: F.cross_entropy(s.flatten(0, 1), w[:, 1:].flatten()).exp(), "should be"),
        "negative": (lambda s, w: -F.cross_entropy(s.flatten(0, 1), w[:, 1:].flatten()), "sign"),
    },
    "bits_per_character": {
        "per byte of nothing": (lambda p, s: -p.sum().item() / math.log(2) / len(p), "per token"),
        "nats": (lambda p, s: -(p.sum() / len(s)).item(), "divide by log 2"),
        "decimal": (lambda p, s: -p.sum().item() / math.log(10) / len(s), "expected"),
        "sign": (lambda p, s: p.sum().item() / len(s) / math.log(2), "sign"),
        "total": (lambda p, s: -p.sum().item() / math.log(2), "whole text"),
        "words": (lambda p, s: -p.sum().item() / math.log(2) / max(1, len(s.split())), "expected"),
    },
    "parameters": {
        "without the table": (lambda n, d, v: n * 12 * d * d, "table"),
        "tied forgotten": (lambda n, d, v: n * 12 * d * d + 2 * v * d + d, "count it once"),
        "three matrices": (lambda n, d, v: n * 11 * d * d + v * d + d, "fourth"),
        "no begin": (lambda n, d, v: n * 12 * d * d + v * d, "begin token"),
        "biases": (lambda n, d, v: n * (12 * d * d + 9 * d) + v * d + d, "no biases"),
        "float": (lambda n, d, v: float(n * 12 * d * d + v * d + d), "expected"),
        "one layer": (lambda n, d, v: 12 * d * d + v * d + d, "expected"),
    },
    "merge": {
        "second kept": (
            lambda t, a, b, new: torch.tensor(
                [new if t[i : i + 2].tolist() == [a, b] else int(t[i]) for i in range(len(t))]
            ),
            "still there",
        ),
        "doubled": (merged_again_and_again, "expected shape"),
        "first only": (
            lambda t, a, b, new: torch.tensor(
                next(
                    ([*t[:i].tolist(), new, *t[i + 2 :].tolist()] for i in range(len(t) - 1)
                     if t[i] == a and t[i + 1] == b), t.tolist(),
                )
            ),
            "every such pair",
        ),
        "reversed": (lambda t, a, b, new: merged_in_place(t, b, a, new), "order counts"),
        "all a": (lambda t, a, b, new: torch.where(t == a, torch.tensor(new), t), "followed by b"),
        "list": (lambda t, a, b, new: merged_in_place(t, a, b, new).tolist(), "expected a tensor"),
    },
    "newest": {
        "only the past": (
            lambda q, k, v, ks, vs: F.scaled_dot_product_attention(q[None, None], ks[None], vs[None])[0, 0],
            "sees itself",
        ),
        "unscaled": (
            lambda q, k, v, ks, vs: (torch.cat([ks, k[None]]) @ q).softmax(0) @ torch.cat([vs, v[None]]),
            "square root",
        ),
        "by d": (
            lambda q, k, v, ks, vs: (torch.cat([ks, k[None]]) @ q / len(q)).softmax(0) @ torch.cat([vs, v[None]]),
            "not by d",
        ),
        "mean": (lambda q, k, v, ks, vs: torch.cat([vs, v[None]]).mean(0), "weigh"),
        "itself alone": (lambda q, k, v, ks, vs: v, "should"),
        "value weights": (
            lambda q, k, v, ks, vs: _softmax(torch.cat([vs, v[None]]), q) @ torch.cat([vs, v[None]]), "should",
        ),
        "cut off": (lambda q, k, v, ks, vs: loop_newest(q, k.detach(), v, ks, vs), "gradient"),
    },
}  # fmt: skip


def _softmax(rows, q):
    return (rows @ q / math.sqrt(len(q))).softmax(0)
