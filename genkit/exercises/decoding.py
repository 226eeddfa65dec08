"""The exercises of the chapter on decoding."""

import torch

from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def tempered(logits, t):
    """Probabilities after a temperature t > 0, from logits; both of shape (B, V)."""
    return (logits / t).softmax(-1)  # hole


def above_share(p, share):
    """The mask of min-p: which tokens of probabilities p are kept, bool, shape (V,)."""
    return p >= share * p.max()  # hole


def nucleus(p, mass):
    """The mask of top-p: which tokens of probabilities p are kept, bool, shape (V,).

    The fewest that together have probability mass, the likeliest first.
    """
    order = p.argsort(descending=True)
    before = p[order].cumsum(0) - p[order]  # hole
    kept = torch.zeros(len(p), dtype=torch.bool)  # hole
    kept[order[before < mass]] = True  # hole
    return kept  # hole


def penalised(logits, seen, penalty):
    """Logits, shape (V,), after a repetition penalty.

    seen lists the tokens written so far, int64 of shape (T,).
    """
    changed = torch.where(logits > 0, logits / penalty, logits * penalty)  # hole
    left = logits.clone()  # hole
    left[seen] = changed[seen]  # hole
    return left  # hole


def distinct_n(texts, n):
    """Different n-grams of all texts, by all their n-grams; texts are strings."""
    grams = [text[i : i + n] for text in texts for i in range(len(text) - n + 1)]  # hole
    return len(set(grams)) / len(grams)  # hole


def beam_step(scores, log_p, beams):
    """The best extensions of B beginnings: rows (beginning, token), best first.

    scores holds log p of each beginning, shape (B,); log_p that of each next token
    after it, (B, V). Returns int64 of shape (beams, 2).
    """
    total = scores[:, None] + log_p  # hole
    best = total.flatten().topk(beams).indices  # hole
    return torch.stack([best // log_p.shape[1], best % log_p.shape[1]], 1)  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _logits(b, v, t, seed):
    return lambda: (2 * torch.randn(b, v, generator=torch.Generator().manual_seed(seed)), t)


def _masses(values, mass):
    return lambda: (torch.tensor(values), mass)


def _seen(values, seen, penalty):
    return lambda: (torch.tensor(values), torch.tensor(seen), penalty)


def _beams(b, v, beams, seed):
    def make():
        generator = torch.Generator().manual_seed(seed)
        logits = 2 * torch.randn(b, v, generator=generator)
        return -8 * torch.rand(b, generator=generator), logits.log_softmax(-1), beams

    return make


def _sorted_mask(p, mass):
    ordered = p.sort(descending=True).values
    return ordered.cumsum(0) - ordered < mass


def _mask(p, mass, before, descending=True, below=torch.lt):
    order = p.argsort(descending=descending)
    total = p[order].cumsum(0)
    kept = torch.zeros(len(p), dtype=torch.bool)
    kept[order[below(total - p[order] if before else total, mass)]] = True
    return kept


def _each_time(logits, seen, penalty):
    left = logits.clone()
    for token in seen.tolist():
        left[token] = left[token] / penalty if left[token] > 0 else left[token] * penalty
    return left


def _at(logits, seen, changed):
    left = logits.clone()
    left[seen] = changed[seen]
    return left


def _grams(text, n):
    return [text[i : i + n] for i in range(len(text) - n + 1)]


def _rows(total, beams, width, largest=True):
    best = total.flatten().topk(beams, largest=largest).indices
    return torch.stack([best // width, best % width], 1)


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "tempered", 1, tempered,
        [_logits(2, 5, 0.5, 0), _logits(1, 4, 2.0, 1), _logits(3, 3, 1.0, 2), _logits(2, 6, 0.1, 3)],
        gradients=(0,),
        mistakes={
            "times": (
                lambda z, t: (z * t).softmax(-1),
                "a low temperature must make the likely likelier: divide by t, do not multiply.",
            ),
            "probabilities": (
                lambda z, t: z.softmax(-1) / t,
                "you divided probabilities: divide the logits, before the softmax.",
            ),
            "twice": (
                lambda z, t: (z.softmax(-1) / t).softmax(-1),
                "the softmax is taken twice: divide the logits, then take it once.",
            ),
            "power": (
                lambda z, t: z.softmax(-1) ** (1 / t),
                "p to the power 1/t is right up to a factor: they no longer add up to 1.",
            ),
            "power t": (lambda z, t: z.softmax(-1) ** t, "the power is 1/t, and the sum must be 1 again."),
            "log": (lambda z, t: (z / t).log_softmax(-1), "these are log-probabilities: probabilities are wanted."),
            "logits": (lambda z, t: z / t, "these are still logits: a softmax makes probabilities of them."),
            "axis": (lambda z, t: (z / t).softmax(0), "each row must add up to 1: softmax over the last axis."),
            "nothing": (lambda z, t: z.softmax(-1), "these are the probabilities at temperature 1."),
            "square": (lambda z, t: (z / t**2).softmax(-1), "divide by t once."),
        },
    ),
    Exercise(
        "above_share", 1, above_share,
        [
            _masses([0.5, 0.3, 0.15, 0.05], 0.4), _masses([0.05, 0.62, 0.3, 0.03], 0.1),
            _masses([0.2, 0.1, 0.4, 0.3], 0.6), _masses([0.26, 0.25, 0.25, 0.24], 0.9), _masses([0.01, 0.99], 1.0),
        ],
        mistakes={
            "absolute": (
                lambda p, s: p >= s,
                "the bar is relative: a share of the probability of the likeliest token.",
            ),
            "mean": (lambda p, s: p >= s * p.mean(), "the share is of the largest probability, not of the mean."),
            "below": (lambda p, s: p < s * p.max(), "this is what is cut: say what is kept."),
            "strictly": (lambda p, s: p > s * p.max(), "a token at the bar is kept: else a share of 1 keeps none."),
            "cut, with the bar": (lambda p, s: p <= s * p.max(), "this is what is cut: say what is kept."),
            "difference": (lambda p, s: p >= p.max() - s, "a share of the largest: multiply, do not subtract."),
            "probabilities": (
                lambda p, s: torch.where(p >= s * p.max(), p, 0.0),
                "a mask is wanted: True or False for each token.",
            ),
            "top-p": (lambda p, s: _mask(p, s, before=True), "this is top-p: min-p looks at one token at a time."),
            "smallest": (lambda p, s: p >= s * p.min(), "the share is of the largest, not of the smallest."),
        },
    ),
    Exercise(
        "nucleus", 2, nucleus,
        [
            _masses([0.5, 0.3, 0.15, 0.05], 0.6), _masses([0.05, 0.3, 0.5, 0.15], 0.9), _masses([0.1, 0.7, 0.2], 0.5),
            _masses([0.21, 0.19, 0.22, 0.2, 0.18], 0.5), _masses([0.02, 0.01, 0.07, 0.9], 0.95),
            _masses([0.125, 0.5, 0.125, 0.25], 0.75),
        ],
        mistakes={
            "crossing": (
                lambda p, m: _mask(p, m, before=False),
                "together they fall short of the mass: the token that crosses the line is kept too.",
            ),
            "one too many": (
                lambda p, m: _mask(p, m, before=True, below=torch.le),
                "where those kept have exactly the mass, they are enough: you keep one more.",
            ),
            "at most the mass": (
                lambda p, m: _mask(p, m, before=False, below=torch.le),
                "together they fall short of the mass: the token that crosses the line is kept too.",
            ),
            "sorted": (
                _sorted_mask,
                "the mask is in the order of the sorted tokens: bring it back to the order of p.",
            ),
            "threshold": (lambda p, m: p >= m, "the mass is that of all kept tokens together, not of each."),
            "unlikeliest": (
                lambda p, m: _mask(p, m, before=True, descending=False),
                "you begin with the unlikeliest: begin with the likeliest.",
            ),
            "unsorted": (
                lambda p, m: p.cumsum(0) - p < m,
                "you add up in the order of the vocabulary: the likeliest come first.",
            ),
            "cut": (lambda p, m: ~_mask(p, m, before=True), "this is what is cut: say what is kept."),
            "min-p": (lambda p, m: p >= (1 - m) * p.max(), "this compares each with the likeliest, as min-p does."),
            "probabilities": (
                lambda p, m: torch.where(_mask(p, m, before=True), p, 0.0),
                "a mask is wanted: True or False for each token.",
            ),
            "places": (
                lambda p, m: p.argsort(descending=True).argsort() < m * len(p),
                "a share of the tokens is not a share of the probability.",
            ),
        },
    ),
    Exercise(
        "penalised", 2, penalised,
        [
            _seen([2.0, -1.0, 0.5, -3.0], [0, 1], 1.5), _seen([1.0, -2.0, 3.0], [2, 2, 2], 1.2),
            _seen([0.5, -0.5, 4.0, 1.0, -1.5], [4, 0, 4, 1], 2.0), _seen([-1.0, -2.0], [1], 1.1),
        ],
        mistakes={
            "divide": (
                lambda z, s, r: _at(z, s, z / r),
                "dividing a negative logit makes it larger: multiply those.",
            ),
            "multiply": (lambda z, s, r: _at(z, s, z * r), "a positive logit grows by this: divide those."),
            "swapped": (
                lambda z, s, r: _at(z, s, torch.where(z > 0, z * r, z / r)),
                "this rewards what was seen: positive logits are divided, negative ones multiplied.",
            ),
            "all": (
                lambda z, s, r: torch.where(z > 0, z / r, z * r),
                "all tokens are changed: only those that were seen pay.",
            ),
            "each time": (_each_time, "a token seen twice pays twice: this penalty asks only whether it was seen."),
            "subtract": (lambda z, s, r: _at(z, s, z - r), "this subtracts, as a presence penalty does."),
            "unseen": (
                lambda z, s, r: _at(torch.where(z > 0, z / r, z * r), s, z),
                "you changed the tokens that were not seen.",
            ),
            "probabilities": (
                lambda z, s, r: _at(z.softmax(-1), s, z.softmax(-1) / r),
                "the penalty works on logits, not on probabilities.",
            ),
            "nothing": (lambda z, s, r: z.clone(), "nothing has changed."),
            "forbidden": (
                lambda z, s, r: _at(z, s, torch.full_like(z, -1e9)),
                "a penalty makes a token less probable: it does not forbid it.",
            ),
        },
    ),
    Exercise(
        "distinct_n", 2, distinct_n,
        [
            lambda: (["abab", "abcd"], 2), lambda: (["to be or not to be", "that is"], 3), lambda: (["aaa", "aa"], 1),
            lambda: (["abc", "abc", "xyabc"], 3), lambda: (["a cat", "a hat", "a mat"], 1),
        ],
        mistakes={
            "each": (
                lambda texts, n: sum(len(set(_grams(t, n))) / len(_grams(t, n)) for t in texts) / len(texts),
                "this is the mean over texts: an n-gram that two texts share counts once for all.",
            ),
            "sets apart": (
                lambda texts, n: sum(len(set(_grams(t, n))) for t in texts) / sum(len(_grams(t, n)) for t in texts),
                "an n-gram that two texts share is counted in each: make one set of all.",
            ),
            "joined": (
                lambda texts, n: len(set(_grams("".join(texts), n))) / len(_grams("".join(texts), n)),
                "joined texts have n-grams that stand in none of them.",
            ),
            "repeated": (
                lambda texts, n: 1 - distinct_n(texts, n),
                "this is the share that repeats: the share that differs is wanted.",
            ),
            "by characters": (
                lambda texts, n: len({g for t in texts for g in _grams(t, n)}) / sum(map(len, texts)),
                "a text of T characters has T − n + 1 n-grams, not T.",
            ),
            "count": (
                lambda texts, n: float(len({g for t in texts for g in _grams(t, n)})),
                "this counts different n-grams: divide by all of them.",
            ),
            "one short": (
                lambda texts, n: distinct_n([t[:-1] for t in texts], n),
                "the last n-gram of each text is missing: range ends before its end.",
            ),
            "blocks": (
                lambda texts, n: len({t[i : i + n] for t in texts for i in range(0, len(t) - n + 1, n)})
                / sum(len(range(0, len(t) - n + 1, n)) for t in texts),
                "n-grams overlap: one begins at every character.",
            ),
        },
    ),
    Exercise(
        "beam_step", 3, beam_step,
        [_beams(3, 5, 3, 0), _beams(2, 4, 5, 1), _beams(1, 6, 2, 2), _beams(4, 3, 1, 3), _beams(3, 8, 4, 4)],
        mistakes={
            "no scores": (
                lambda s, p, b: _rows(p, b, p.shape[1]),
                "the beginnings differ in probability too: add their scores.",
            ),
            "times": (
                lambda s, p, b: _rows(s[:, None] * p, b, p.shape[1]),
                "log-probabilities of successive tokens add up: no product.",
            ),
            "minus": (lambda s, p, b: _rows(p - s[:, None], b, p.shape[1]), "the score is added, not subtracted."),
            "worst": (
                lambda s, p, b: _rows(s[:, None] + p, b, p.shape[1], largest=False),
                "these are the worst: log-probabilities nearer to 0 are better.",
            ),
            "columns": (
                lambda s, p, b: _rows(s[:, None] + p, b, p.shape[1]).flip(1),
                "the columns are swapped: first the beginning, then the token.",
            ),
            "by beginnings": (
                lambda s, p, b: _rows(s[:, None] + p, b, p.shape[0]),
                "a flat index is beginning · V + token: divide by V, not by B.",
            ),
            "each its own": (
                lambda s, p, b: torch.stack([torch.arange(len(s)), p.argmax(1)], 1),
                "beginnings compete: two of the best may come from the same one.",
            ),
            "probabilities": (
                lambda s, p, b: _rows(s[:, None] + p.exp(), b, p.shape[1]),
                "add log-probabilities to log-probabilities, not probabilities.",
            ),
            "unordered": (
                lambda s, p, b: _rows(s[:, None] + p, b, p.shape[1]).flip(0),
                "the best comes first.",
            ),
        },
    ),
)  # fmt: skip
