"""Answers to the exercises on decoding: right ones written differently, wrong ones that readers write."""

import itertools
from collections import Counter

import torch
import torch.nn.functional as F

from genkit import decoding, metrics


def walked_nucleus(p, mass):
    kept, total = [False] * len(p), 0.0
    for i in sorted(range(len(p)), key=lambda i: -p[i]):
        if total >= mass:
            break
        kept[i] = True
        total += p[i].item()
    return torch.tensor(kept)


def least_mass(p, mass):
    ordered, _ = p.sort(descending=True)
    needed = int((ordered.cumsum(0) < mass).sum()) + 1
    return p >= ordered[needed - 1]


def walked_penalty(logits, seen, penalty):
    return torch.stack(
        [
            (v / penalty if v > 0 else v * penalty) if i in set(seen.tolist()) else v
            for i, v in enumerate(logits.unbind())
        ]
    )


def counted(texts, n):
    counts = Counter()
    for text in texts:
        counts.update(zip(*(text[i:] for i in range(n)), strict=False))
    return len(counts) / sum(counts.values())


def all_pairs(scores, log_p, beams):
    pairs = itertools.product(range(len(scores)), range(log_p.shape[1]))
    best = sorted(pairs, key=lambda at: -(scores[at[0]] + log_p[at]).item())
    return torch.tensor(best[:beams])


def unravelled(scores, log_p, beams):
    best = (scores.unsqueeze(1) + log_p).view(-1).argsort(descending=True)[:beams]
    return torch.stack(torch.unravel_index(best, log_p.shape), dim=-1)


RIGHT = {
    "tempered": {
        "torch's function": lambda z, t: F.softmax(z / t, dim=1),
        "by hand": lambda z, t: (z / t).exp() / (z / t).exp().sum(-1, keepdim=True),
        "power": lambda z, t: F.normalize(z.softmax(-1) ** (1 / t), p=1, dim=-1),
        "genkit's": lambda z, t: decoding.temperature(z, t).softmax(-1),
    },
    "above_share": {
        "genkit's": lambda p, s: decoding.min_p(p.log()[None], s)[0] > -torch.inf,
        "by ratio": lambda p, s: p / p.max() >= s,
        "numbers": lambda p, s: (p >= s * p.max()).long(),
        "a list": lambda p, s: torch.tensor([v >= s * max(p) for v in p]),
    },
    "nucleus": {
        "as a loop": walked_nucleus,
        "by the least": least_mass,
        "genkit's": lambda p, m: decoding.top_p(p.log()[None], m)[0] > -torch.inf,
    },
    "penalised": {
        "as a loop": walked_penalty,
        "genkit's": lambda z, s, r: decoding.repetition_penalty(z[None], s[None], r)[0],
        "by a mask": lambda z, s, r: torch.where(torch.isin(torch.arange(len(z)), s), torch.minimum(z / r, z * r), z),
    },
    "distinct_n": {
        "genkit's": lambda texts, n: metrics.distinct(texts, n).value,
        "a counter": counted,
        "a tensor": lambda texts, n: torch.tensor(counted(texts, n)),
    },
    "beam_step": {
        "all pairs": all_pairs,
        "unravelled": unravelled,
        "one expression": lambda s, p, b: torch.stack(
            [*torch.unravel_index((s[:, None] + p).flatten().topk(b).indices, p.shape)], 1
        ),
    },
}

WRONG = {
    "tempered": {
        "multiplied": (lambda z, t: torch.softmax(t * z, -1), "A low temperature must make the li"),
        "after": (lambda z, t: F.softmax(z, -1) / t, "You divided probabilities: divide"),
        "logits": (lambda z, t: z / t, "These are still logits: a softmax"),
        "wrong axis": (lambda z, t: (z / t).softmax(dim=0), "Each row must add up to 1: softmax"),
        "logs": (lambda z, t: F.log_softmax(z / t, -1), "These are log-probabilities: proba"),
        "forgotten": (lambda z, t: F.softmax(z, -1), "These are the probabilities at tem"),
        "sharpest": (lambda z, t: F.one_hot(z.argmax(-1), z.shape[-1]).float(), "One number should be 0.8440 and is"),
        "shifted": (lambda z, t: (z - t).softmax(-1), "These are the probabilities at tem"),
        "no gradient": (lambda z, t: (z.detach() / t).softmax(-1), "The value is right, but no gradien"),
    },
    "above_share": {
        "absolute": (lambda p, s: p > s - 1e-9, "The bar is relative: a share of th"),
        "strict": (lambda p, s: p > s * max(p), "A token at the bar is kept: else a"),
        "of the mean": (lambda p, s: p >= s * p.mean(), "The share is of the largest probab"),
        "the cut": (lambda p, s: ~(p >= s * p.max()), "This is what is cut: say what is k"),
        "everything": (lambda p, s: torch.ones(len(p), dtype=torch.bool), "The share is of the largest, not o"),
        "best alone": (lambda p, s: p == p.max(), "One number should be 1.0000 and is"),
        "kept ones": (lambda p, s: p[p >= s * p.max()], "Expected shape (4,), received (2,)"),
        "masked": (lambda p, s: p * (p >= s * p.max()), "A mask is wanted: True or False fo"),
    },
    "nucleus": {
        "one too few": (
            lambda p, m: (lambda o: torch.zeros(len(p)).bool().scatter(0, o, p[o].cumsum(0) <= m))(
                p.argsort(descending=True)
            ),
            "Together they fall short of the ma",
        ),
        "sorted order": (
            lambda p, m: (lambda v: v.cumsum(0) - v < m)(p.sort(descending=True).values),
            "The mask is in the order of the so",
        ),
        "each alone": (lambda p, m: p >= m, "The mass is that of all kept token"),
        "vocabulary order": (lambda p, m: p.cumsum(0) - p < m, "You add up in the order of the voc"),
        "complement": (lambda p, m: ~walked_nucleus(p, m), "This is what is cut: say what is k"),
        "one too many": (
            lambda p, m: (lambda o: torch.zeros(len(p)).bool().scatter(0, o, p[o].cumsum(0) - p[o] - p[o].roll(1) < m))(
                p.argsort(descending=True)
            ),
            "One number should be 0.0000 and is",
        ),
        "renormalised": (
            lambda p, m: p * walked_nucleus(p, m) / p[walked_nucleus(p, m)].sum(),
            "One number should be 1.0000 and is",
        ),
        "half of them": (lambda p, m: p >= p.median(), "One number should be 0.0000 and is"),
    },
    "penalised": {
        "divided": (
            lambda z, s, r: torch.where(torch.isin(torch.arange(len(z)), s), z / r, z),
            "Dividing a negative logit makes it",
        ),
        "multiplied": (
            lambda z, s, r: torch.where(torch.isin(torch.arange(len(z)), s), z * r, z),
            "A positive logit grows by this",
        ),
        "everyone": (lambda z, s, r: torch.minimum(z / r, z * r), "All tokens are changed: only those"),
        "subtracted": (
            lambda z, s, r: z - r * torch.isin(torch.arange(len(z)), s),
            "This subtracts, as a presence pena",
        ),
        "rewarded": (
            lambda z, s, r: torch.where(torch.isin(torch.arange(len(z)), s), torch.maximum(z / r, z * r), z),
            "This rewards what was seen: positi",
        ),
        "by counts": (
            lambda z, s, r: z - r * torch.bincount(s, minlength=len(z)),
            "One number should be -1.5000 and i",
        ),
        "forbidden": (
            lambda z, s, r: z.masked_fill(torch.isin(torch.arange(len(z)), s), -1e9),
            "A penalty makes a token less proba",
        ),
        "in place": (
            lambda z, s, r: z.index_copy_(0, s, torch.minimum(z / r, z * r)[s]),
            "Your function changes its input in",
        ),
    },
    "distinct_n": {
        "averaged": (
            lambda texts, n: sum(counted([t], n) for t in texts) / len(texts),
            "This is the mean over texts: an n-",
        ),
        "joined": (lambda texts, n: counted(["".join(texts)], n), "Joined texts have n-grams that sta"),
        "joined by spaces": (lambda texts, n: counted([" ".join(texts)], n), "Expected 0.6666666666666666, recei"),
        "complement": (lambda texts, n: 1 - counted(texts, n), "This is the share that repeats: th"),
        "words": (lambda texts, n: counted([t.split() for t in texts], 1), "Expected 0.6666666666666666, recei"),
        "of single characters": (lambda texts, n: counted(texts, 1), "Expected 0.6666666666666666, recei"),
        "counted": (
            lambda texts, n: len({t[i : i + n] for t in texts for i in range(len(t) - n + 1)}),
            "This counts different n-grams: div",
        ),
        "with stumps": (
            lambda texts, n: (lambda g: len(set(g)) / len(g))([t[i : i + n] for t in texts for i in range(len(t))]),
            "Expected 0.6666666666666666, recei",
        ),
    },
    "beam_step": {
        "without scores": (lambda s, p, b: all_pairs(0 * s, p, b), "The beginnings differ in probabili"),
        "swapped": (lambda s, p, b: all_pairs(s, p, b).flip(1), "The columns are swapped: first the"),
        "worst first": (lambda s, p, b: all_pairs(s, p, b).flip(0), "The best comes first."),
        "best of each": (
            lambda s, p, b: torch.stack([torch.arange(len(s)), p.argmax(1)], 1),
            "Beginnings compete: two of the bes",
        ),
        "product": (
            lambda s, p, b: unravelled(torch.zeros_like(s), s[:, None] * p, b),
            "Log-probabilities of successive to",
        ),
        "tokens alone": (lambda s, p, b: all_pairs(s, p, b)[:, 1], "Expected shape (3, 2), received (3"),
        "a list": (lambda s, p, b: all_pairs(s, p, b).tolist(), "Expected a tensor of shape (3, 2),"),
        "flat": (lambda s, p, b: (s[:, None] + p).flatten().topk(b).indices, "Expected shape (3, 2), received (3"),
    },
}
