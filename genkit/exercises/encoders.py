"""The exercises of the chapter on encoders and translators."""

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def teacher_forced(x, begin):
    """What the decoder reads, shape (B, T), when it is to write x; begin is a token."""
    first = torch.full((len(x), 1), begin)
    return torch.cat([first, x[:, :-1]], 1)  # hole


def source_mask(c, pad):
    """Where attention may look: bool (B, 1, 1, S), for sources c, shape (B, S)."""
    return (c != pad)[:, None, None]  # hole


def disguised(tokens, chosen, luck, other, mask):
    """What a masked model is shown: all arguments but mask have shape (B, T).

    luck holds numbers in [0, 1): below 0.8 show mask, below 0.9 show other.
    """
    seen = torch.where(luck < 0.8, mask, torch.where(luck < 0.9, other, tokens))  # hole
    return torch.where(chosen, seen, tokens)  # hole


def pseudo_likelihood(log_p, x, mask):
    """The pseudo-log-likelihood of tokens x, shape (T,): a number, in nats.

    log_p(tokens) returns log p of every token at every place, shape (T, V).
    """
    total = 0.0  # hole
    for t in range(len(x)):  # hole
        seen = x.clone()  # hole
        seen[t] = mask  # hole
        total += log_p(seen)[t, x[t]].item()  # hole
    return total  # hole


def exact_share(written, wanted, end):
    """The share of rows of written, (B, T), that equal wanted up to its end token."""
    right = 0  # hole
    for row, truth in zip(written.tolist(), wanted.tolist(), strict=True):  # hole
        stop = truth.index(end) + 1  # hole
        right += row[:stop] == truth[:stop]  # hole
    return right / len(wanted)  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _tokens(b, t, begin, seed):
    return lambda: (torch.randint(2, 9, (b, t), generator=torch.Generator().manual_seed(seed)), begin)


def _sources(rows, pad):
    return lambda: (torch.tensor(rows), pad)


def _hidden(b, t, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        tokens, other = torch.randint(20, (2, b, t), generator=g)
        return tokens, torch.rand(b, t, generator=g) < 0.5, torch.rand(b, t, generator=g), other, 20

    return make


def _language(t, v, seed):
    """A made-up masked model: what it says of a place depends on all tokens that it is shown."""

    def make():
        g = torch.Generator().manual_seed(seed)
        table, x = torch.randn(t, v + 1, t, v, generator=g), torch.randint(v, (t,), generator=g)

        def log_p(tokens):
            return sum(table[i, token] for i, token in enumerate(tokens.tolist())).log_softmax(-1)

        return log_p, x, v

    return make


def _strings(written, wanted):
    return lambda: (torch.tensor(written), torch.tensor(wanted), 1)


def _walk(log_p, x, mask, change):
    total = 0.0
    for t in range(len(x)):
        total += log_p(change(x.clone(), t, mask))[t, x[t]].item()
    return total


def _set(x, where, token):
    x[where] = token
    return x


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "teacher_forced",
        1,
        teacher_forced,
        [_tokens(2, 4, 9, 0), _tokens(1, 6, 0, 1), _tokens(3, 1, 9, 2), _tokens(4, 4, 30, 3)],
        mistakes={
            "not shifted": (lambda x, b: x, "the decoder is shown the very tokens it should write: it only copies."),
            "too long": (
                lambda x, b: torch.cat([torch.full((len(x), 1), b), x], 1),
                "one token too many: nothing is predicted after the last one, so it need not be read.",
            ),
            "the other way": (
                lambda x, b: torch.cat([x[:, 1:], torch.full((len(x), 1), b)], 1),
                "shifted the wrong way: place t now shows token t + 1. The begin token comes first.",
            ),
            "rolled": (
                lambda x, b: x.roll(1, 1),
                "the last token has come round to the front: put the begin token there.",
            ),
            "overwritten": (
                lambda x, b: torch.cat([torch.full((len(x), 1), b), x[:, 1:]], 1),
                "the first token is replaced, and the rest has not moved: place t still shows token t.",
            ),
            "first dropped": (lambda x, b: x[:, 1:], "the first token is gone, and nothing begins the row."),
            "last dropped": (lambda x, b: x[:, :-1], "right so far; the begin token has to come before it."),
            "all begin": (
                lambda x, b: torch.full_like(x, b),
                "the decoder must see the tokens before, too.",
            ),
            "two places": (
                lambda x, b: torch.cat([torch.full((len(x), 2), b), x], 1)[:, : x.shape[1]],
                "shifted by two: the token just before is never seen.",
            ),
        },
    ),
    Exercise(
        "source_mask",
        1,
        source_mask,
        [
            _sources([[4, 5, 6, 0], [7, 0, 0, 0]], 0),
            _sources([[2, 2, 3]], 0),
            _sources([[9, 1, 9], [9, 9, 4]], 9),
            _sources([[0, 3, 0, 5], [3, 3, 3, 3], [1, 0, 2, 3]], 3),
        ],
        mistakes={
            "padding": (lambda c, p: (c == p)[:, None, None], "True where one may look: this shows the padding alone."),
            "flat": (
                lambda c, p: c != p,
                "right, but of shape (B, S): axes for heads and places are missing.",
            ),
            "per place": (
                lambda c, p: (c != p)[:, None, :, None],
                "the axes are turned: the last one is that of the places one looks at.",
            ),
            "after the batch": (lambda c, p: (c != p)[None, None], "the batch must stay the first axis."),
            "square": (
                lambda c, p: ((c != p)[:, :, None] & (c != p)[:, None])[:, None],
                "a place that may look at nothing gets NaN from the softmax: mask what is looked at alone.",
            ),
            "all": (
                lambda c, p: torch.ones_like(c, dtype=torch.bool)[:, None, None],
                "padding is looked at here.",
            ),
            "zero": (
                lambda c, p: (c != 0)[:, None, None],
                "padding is not always token 0: compare with pad.",
            ),
            "as numbers": (
                lambda c, p: torch.zeros(c.shape).masked_fill(c == p, -torch.inf)[:, None, None],
                "this is what one adds to the logits: a bool mask is wanted.",
            ),
            "one axis": (lambda c, p: (c != p)[:, None], "one axis is missing: (B, 1, 1, S)."),
            "larger": (lambda c, p: (c > p)[:, None, None], "tokens below pad are text too: compare with !=."),
        },
    ),
    Exercise(
        "disguised",
        2,
        disguised,
        [_hidden(3, 8, 0), _hidden(1, 40, 1), _hidden(10, 10, 2)],
        mistakes={
            "always masked": (
                lambda x, c, u, o, m: torch.where(c, m, x),
                "every chosen token is shown as the mask: two in ten should not be.",
            ),
            "all places": (
                lambda x, c, u, o, m: torch.where(u < 0.8, m, torch.where(u < 0.9, o, x)),
                "tokens that were not chosen are disguised too.",
            ),
            "not chosen": (
                lambda x, c, u, o, m: torch.where(c, x, torch.where(u < 0.8, m, torch.where(u < 0.9, o, x))),
                "the wrong ones: chosen tokens are left as they are, the others disguised.",
            ),
            "no random": (
                lambda x, c, u, o, m: torch.where(c & (u < 0.8), m, x),
                "where luck lies from 0.8 to 0.9, another token should be shown.",
            ),
            "none as is": (
                lambda x, c, u, o, m: torch.where(c, torch.where(u < 0.8, m, o), x),
                "one chosen token in ten should be shown as it is.",
            ),
            "swapped": (
                lambda x, c, u, o, m: torch.where(c, torch.where(u < 0.8, o, torch.where(u < 0.9, m, x)), x),
                "mask and other are swapped: the mask is for luck below 0.8.",
            ),
            "other first": (
                lambda x, c, u, o, m: torch.where(c, torch.where(u < 0.1, o, torch.where(u < 0.9, m, x)), x),
                "the shares are right, the order is not: below 0.8 the mask, then up to 0.9 another token.",
            ),
            "overwritten": (
                lambda x, c, u, o, m: torch.where(c & (u < 0.9), o, torch.where(c & (u < 0.8), m, x)),
                "luck below 0.8 is also below 0.9: the second rule has overwritten the first.",
            ),
            "half": (
                lambda x, c, u, o, m: torch.where(c, torch.where(u < 0.5, m, torch.where(u < 0.9, o, x)), x),
                "the mask is for luck below 0.8, not 0.5.",
            ),
        },
    ),
    Exercise(
        "pseudo_likelihood",
        2,
        pseudo_likelihood,
        [_language(4, 3, 0), _language(1, 5, 1), _language(6, 2, 2), _language(3, 4, 3)],
        mistakes={
            "nothing hidden": (
                lambda f, x, m: sum(f(x)[t, x[t]].item() for t in range(len(x))),
                "the token stands there to be seen: hide it before you ask.",
            ),
            "all hidden": (
                lambda f, x, m: _walk(f, x, m, lambda s, t, k: torch.full_like(s, k)),
                "all tokens are hidden: only the one that is asked for should be.",
            ),
            "left only": (
                lambda f, x, m: _walk(f, x, m, lambda s, t, k: _set(s, slice(t, None), k)),
                "you hid the tokens to the right as well: that is a chain rule. Here both sides are seen.",
            ),
            "stays hidden": (
                lambda f, x, m: _walk(f, x, m, lambda s, t, k: _set(s, slice(0, t + 1), k)),
                "earlier gaps stay open: hide each token in a fresh copy of x.",
            ),
            "mean": (
                lambda f, x, m: pseudo_likelihood(f, x, m) / len(x),
                "the sum over all tokens is wanted, not the mean.",
            ),
            "sign": (lambda f, x, m: -pseudo_likelihood(f, x, m), "this is a loss: a log-likelihood is negative."),
            "one place on": (
                lambda f, x, m: _walk(f, x, m, lambda s, t, k: _set(s, (t + 1) % len(s), k)),
                "you hid the neighbour, not the token that is asked for.",
            ),
            "probability": (
                lambda f, x, m: sum(f(_set(x.clone(), t, m))[t, x[t]].exp().item() for t in range(len(x))),
                "you added up probabilities: add up their logarithms.",
            ),
            "likeliest": (
                lambda f, x, m: sum(f(_set(x.clone(), t, m))[t].max().item() for t in range(len(x))),
                "this is log p of the likeliest token: that of the token in x is wanted.",
            ),
        },
    ),
    Exercise(
        "exact_share",
        2,
        exact_share,
        [
            _strings([[5, 6, 1, 0], [5, 6, 1, 0], [4, 1, 0, 0]], [[5, 6, 1, 0], [5, 7, 1, 0], [4, 1, 0, 0]]),
            _strings([[5, 1, 9, 9], [5, 1, 0, 0], [2, 3, 4, 1]], [[5, 1, 0, 0], [5, 6, 1, 0], [2, 3, 4, 1]]),
            _strings([[3, 4, 1], [3, 1, 1], [1, 0, 0], [2, 2, 2]], [[3, 4, 1], [3, 4, 1], [1, 0, 0], [2, 2, 1]]),
            _strings([[3, 4, 1, 0], [5, 6, 7, 2]], [[4, 3, 1, 0], [6, 5, 3, 1]]),
        ],
        mistakes={
            "tokens": (
                lambda a, b, e: (a == b).float().mean().item(),
                "this is the share of right tokens: a row is right only as a whole.",
            ),
            "padding too": (
                lambda a, b, e: (a == b).all(1).float().mean().item(),
                "what was written after the end counts for nothing: compare up to it.",
            ),
            "without the end": (
                lambda a, b, e: (
                    sum(r[: t.index(e)] == t[: t.index(e)] for r, t in zip(a.tolist(), b.tolist(), strict=True))
                    / len(b)
                ),
                "a row that goes on where it should end is wrong: the end token belongs to it.",
            ),
            "number": (
                lambda a, b, e: sum(
                    r[: t.index(e) + 1] == t[: t.index(e) + 1] for r, t in zip(a.tolist(), b.tolist(), strict=True)
                ),
                "this is how many: divide by the number of rows.",
            ),
            "wrong ones": (
                lambda a, b, e: 1 - exact_share(a, b, e),
                "this is the share that is wrong.",
            ),
            "first token": (
                lambda a, b, e: (a[:, 0] == b[:, 0]).float().mean().item(),
                "this compares the first tokens alone.",
            ),
            "any": (
                lambda a, b, e: (a == b).any(1).float().mean().item(),
                "one right token makes no right row.",
            ),
            "as sets": (
                lambda a, b, e: sum(set(r) == set(t) for r, t in zip(a.tolist(), b.tolist(), strict=True)) / len(b),
                "the order of the tokens counts.",
            ),
            "same length": (
                lambda a, b, e: ((a == e).int().argmax(1) == (b == e).int().argmax(1)).float().mean().item(),
                "this compares where the rows end, and not what they say.",
            ),
        },
    ),
    Choice(
        "padding_leak",
        3,
        "padding_leak",
        "b",
        {
            "a": "its answers stay the same, however much padding follows. Add padding to the others' sources too.",
            "c": "this one is honest: no padding moves its log-probabilities. Try another.",
            "none": "one does: give each the same source with and without zeros behind it, and compare log_prob.",
        },
        "that is none of the answers: a, b, c, none.",
        "Zeros behind a source change b's log_prob and no other's: its decoder looks at padding that its encoder hides",
    ),
)


def translators():
    """Return three small untrained translators; one of them lets padding change what it says."""
    from ..models.encoders import Translator

    class Forgetful(Translator):
        def encode(self, c):
            h, mask = super().encode(c)
            return h, torch.ones_like(mask)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        shape = {"vocabulary": 12, "source": 16, "target": 8, "width": 16, "heads": 2, "layers": 1}
        models = {"a": Translator(**shape), "b": Forgetful(**shape), "c": Translator(**shape, places=False)}
        for model in models.values():
            for name, p in model.named_parameters():
                if "project" in name or "down" in name:
                    torch.nn.init.normal_(p, std=0.3)
            model.eval()
    return models
