"""The exercises of the chapter on labels made from the data."""

import torch
import torch.nn.functional as F

from .exercise import Exercise, Wrong, agree

# the references ------------------------------------------------------------------------------------------------------


def next_tokens(tokens, context):
    """Questions and answers cut from a text: int64 of shape (T − context, context + 1).

    tokens has shape (T,). Each row holds context tokens in order and then the token
    that follows them; rows begin at every place of the text.
    """
    rows = len(tokens) - context  # hole
    return torch.stack([tokens[i : i + context + 1] for i in range(rows)])  # hole


def masked_error(guess, truth, hidden):
    """The mean squared error of a number in the hidden patches, shape (B,).

    guess and truth hold T patches of P numbers, shape (B, T, P); hidden is bool of
    shape (B, T), True where the patch was not seen. Rows may hide different numbers.
    """
    error = (guess - truth).square().mean(2)  # (B, T)  # hole
    return (error * hidden).sum(1) / hidden.sum(1)  # hole


def view_loss(z, partner, temperature):
    """The contrastive loss of each view, in nats, shape (N,).

    z holds the projections of N views, shape (N, D), of any length; partner, int64 of
    shape (N,), says which row is the other view of the same picture. A view is
    compared with all others but itself.
    """
    z = z / z.norm(dim=1, keepdim=True)  # hole
    logits = z @ z.T / temperature  # hole
    logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf)  # hole
    return -logits.log_softmax(1)[torch.arange(len(z)), partner]  # hole


def directions(z):
    """In how many directions features vary: the exponential of an entropy, a number.

    z has shape (N, D). The entropy is that of the singular values of the centred
    features, divided by their sum.
    """
    sigma = torch.linalg.svdvals(z - z.mean(0))  # hole
    p = sigma / sigma.sum()  # hole
    return torch.special.entr(p).sum().exp().item()  # hole


def siamese(guess_a, guess_b, a, b):
    """Learning without negatives: 1 minus a cosine, mean of both ways, shape (B,).

    a and b are projections of two views, guess_a and guess_b what the predictor made
    of them; all have shape (B, D). guess_a is compared with b, guess_b with a. No
    gradient may flow into what a guess is compared with.
    """
    first = 1 - torch.cosine_similarity(guess_a, b.detach(), dim=1)  # hole
    second = 1 - torch.cosine_similarity(guess_b, a.detach(), dim=1)  # hole
    return (first + second) / 2  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _text(seed, length, context):
    return lambda: (torch.randint(30, (length,), generator=torch.Generator().manual_seed(seed)), context)


def _patches(seed, b, t, p, hidden):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(b, t, p, generator=g), torch.rand(b, t, p, generator=g), torch.tensor(hidden)

    return make


def _pairs(seed, n, d, temperature, order=None):
    def make():
        z = 3 * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
        partner = torch.arange(n).roll(n // 2) if order is None else torch.tensor(order)
        return z, partner, temperature

    return make


def _cloud(seed, n, d, shrink=1.0, shift=2.0):
    def make():
        z = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
        return (z * shrink ** torch.arange(d) + shift,)

    return make


def _four(seed, b, d):
    return lambda: tuple(torch.randn(4, b, d, generator=torch.Generator().manual_seed(seed)).unbind())


def _logits(z, temperature):
    z = F.normalize(z, dim=1)
    return z @ z.T / temperature


def _others(logits, keep=None):
    kept = torch.eye(len(logits), dtype=torch.bool) if keep is None else keep
    return logits.masked_fill(kept, -torch.inf)


def _entropy(p):
    return torch.special.entr(p).sum()


def _values(z):
    return torch.linalg.svdvals(z - z.mean(0))


def _holds_targets_still(answer):
    four = [v.requires_grad_() for v in _four(5, 3, 4)()]
    try:
        loss = answer(*four)
        slopes = torch.autograd.grad(loss.sum(), four[2:], allow_unused=True)
    except Exception:  # the trials say what is wrong
        return
    if agree(loss, siamese(*four)) and any(g is not None and g.abs().max() > 0 for g in slopes):
        raise Wrong("a gradient flows into a or b: hold what a guess is compared with still, or all features collapse.")


def _cos(u, v):
    return 1 - F.cosine_similarity(u, v, dim=1)


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "next_tokens", 1, next_tokens,
        [_text(0, 9, 3), _text(1, 5, 4), _text(2, 12, 1), _text(3, 20, 6)],
        mistakes={
            "one too few": (
                lambda x, n: x.unfold(0, n + 1, 1)[:-1],
                "the last token of the text is an answer too: one row is missing at the end.",
            ),
            "no answers": (
                lambda x, n: x.unfold(0, n, 1)[:-1],
                "the rows hold the questions alone: add the token that follows, so that a row has context + 1 tokens.",
            ),
            "jumps": (
                lambda x, n: x.unfold(0, n + 1, n + 1),
                "the rows do not overlap here: begin one at every place of the text.",
            ),
            "answer first": (
                lambda x, n: x.unfold(0, n + 1, 1).roll(1, 1), "the token that follows stands first: it comes last.",
            ),
            "backwards": (
                lambda x, n: x.unfold(0, n + 1, 1).flip(1), "the tokens are in reverse order: keep that of the text.",
            ),
        },
    ),
    Exercise(
        "masked_error", 1, masked_error,
        [
            _patches(0, 2, 4, 3, [[True, False, True, False], [False, True, True, True]]),
            _patches(1, 1, 3, 5, [[False, True, False]]),
            _patches(2, 3, 4, 2, [[True, True, False, False], [True, False, False, False], [True, True, True, True]]),
        ],
        gradients=(0,),
        mistakes={
            "all patches": (
                lambda g, x, h: (g - x).square().mean((1, 2)),
                "patches that were seen count here too: to copy them teaches nothing.",
            ),
            "seen patches": (
                lambda g, x, h: ((g - x).square().mean(2) * ~h).sum(1) / (~h).sum(1),
                "these are the patches that were seen: hidden is True where the patch was not.",
            ),
            "divided by all": (
                lambda g, x, h: ((g - x).square().mean(2) * h).mean(1),
                "divide by the number of hidden patches of the row, not by that of all patches.",
            ),
            "summed": (
                lambda g, x, h: ((g - x).square().mean(2) * h).sum(1),
                "this is a sum over hidden patches: divide by their number.",
            ),
            "numbers summed": (
                lambda g, x, h: ((g - x).square().sum(2) * h).sum(1) / h.sum(1),
                "this adds up the numbers of a patch: take their mean.",
            ),
            "absolute": (
                lambda g, x, h: ((g - x).abs().mean(2) * h).sum(1) / h.sum(1),
                "these are absolute errors: square them.",
            ),
        },
    ),
    Exercise(
        "view_loss", 2, view_loss,
        [
            _pairs(0, 6, 4, 0.5), _pairs(1, 4, 3, 0.2), _pairs(2, 8, 5, 1.0),
            _pairs(3, 6, 2, 0.3, order=[1, 0, 3, 2, 5, 4]),
        ],
        gradients=(0,),
        mistakes={
            "itself": (
                lambda z, p, t: F.cross_entropy(_logits(z, t), p, reduction="none"),
                "a view is compared with itself as well, and is always nearest to itself: leave the diagonal out.",
            ),
            "not normalised": (
                lambda z, p, t: F.cross_entropy(_others(z @ z.T / t), p, reduction="none"),
                "bring every projection to length 1 first: the cosine counts, not how long a vector is.",
            ),
            "times temperature": (
                lambda z, p, t: F.cross_entropy(_others(_logits(z, 1.0) * t), p, reduction="none"),
                "divide by the temperature: a low one makes the comparison sharper.",
            ),
            "no temperature": (
                lambda z, p, t: F.cross_entropy(_others(_logits(z, 1.0)), p, reduction="none"),
                "the temperature is missing: divide the cosines by it.",
            ),
            "mean": (
                lambda z, p, t: view_loss(z, p, t).mean(), "this is the mean over views: one number each is wanted.",
            ),
            "the probability": (
                lambda z, p, t: _others(_logits(z, t)).softmax(1)[torch.arange(len(z)), p],
                "this is the probability of the partner: the loss is minus its logarithm.",
            ),
            "no partner below": (
                lambda z, p, t: -(
                    _logits(z, t)[torch.arange(len(z)), p]
                    - _others(_others(_logits(z, t)), F.one_hot(p, len(z)).bool()).logsumexp(1)
                ),
                "the partner belongs to the sum below the line too: else the loss may fall under 0.",
            ),
            "sign": (
                lambda z, p, t: -view_loss(z, p, t), "the sign is turned round: a loss is large where it is wrong.",
            ),
        },
    ),
    Exercise(
        "directions", 2, directions,
        [_cloud(0, 40, 5), _cloud(1, 30, 8, shrink=0.5), _cloud(2, 10, 20), _cloud(3, 25, 3, shrink=0.1, shift=0.0)],
        mistakes={
            "not centred": (
                lambda z: (_entropy(torch.linalg.svdvals(z) / torch.linalg.svdvals(z).sum()).exp()).item(),
                "take the mean off first: where features lie is no direction in which they vary.",
            ),
            "squares": (
                lambda z: (_entropy(_values(z) ** 2 / (_values(z) ** 2).sum()).exp()).item(),
                "these are shares of the variance: take the singular values themselves, not their squares.",
            ),
            "entropy": (
                lambda z: (_entropy(_values(z) / _values(z).sum())).item(),
                "this is the entropy in nats: its exponential counts directions.",
            ),
            "full rank": (
                lambda z: (torch.linalg.matrix_rank(z - z.mean(0))).item(),
                "this counts every direction that is not exactly empty: weigh each by its singular value.",
            ),
            "participation": (
                lambda z: (_values(z).square().sum() ** 2 / _values(z).pow(4).sum()).item(),
                "this is the participation ratio, a relative: the exponential of an entropy is wanted.",
            ),
            "bits": (
                lambda z: ((_entropy(_values(z) / _values(z).sum()) / torch.tensor(2.0).log()).exp()).item(),
                "the entropy is in bits and the exponential in nats: use one unit for both.",
            ),
        },
    ),
    Exercise(
        "siamese", 3, siamese,
        [_four(0, 4, 3), _four(1, 1, 5), _four(2, 6, 2)],
        gradients=(0, 1),
        tests=(_holds_targets_still,),
        mistakes={
            "own projection": (
                lambda p, q, a, b: (_cos(p, a.detach()) + _cos(q, b.detach())) / 2,
                "each guess is compared with its own projection: it is to tell that of the *other* view.",
            ),
            "one way": (
                lambda p, q, a, b: _cos(p, b.detach()), "one way is missing: guess_b is compared with a as well.",
            ),
            "no predictor": (
                lambda p, q, a, b: _cos(a, b.detach()), "the guesses do not occur: compare them, not the projections.",
            ),
            "sum": (
                lambda p, q, a, b: _cos(p, b.detach()) + _cos(q, a.detach()), "this is the sum of both ways: halve it.",
            ),
            "cosine": (
                lambda p, q, a, b: 1 - siamese(p, q, a, b),
                "this grows as the guesses become right: a loss is 1 minus the cosine.",
            ),
            "product": (
                lambda p, q, a, b: 1 - ((p * b).sum(1) + (q * a).sum(1)) / 2,
                "divide by the lengths of the vectors: the cosine counts.",
            ),
        },
    ),
)  # fmt: skip
