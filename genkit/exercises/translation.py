"""The exercises of the chapter on image translation."""

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def way_home(c, there, back):
    """How far each picture is from itself after the way there and back.

    c has shape (B, C, H, W); the mean absolute difference, shape (B,).
    """
    home = back(there(c))  # hole
    return (home - c).abs().mean((1, 2, 3))  # hole


def overlap(found, truth, k):
    """Intersection over union of class k, one number for all pictures together.

    found and truth hold classes, int64 of shape (N, H, W).
    """
    a, b = found == k, truth == k
    return ((a & b).sum() / (a | b).sum()).item()  # hole


def patch(kernels, strides):
    """The side, in pixels, of the square that one output of a stack sees.

    kernels and strides are lists, one number for each layer, the first layer first.
    """
    side = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):  # hole
        side = (side - 1) * stride + kernel  # hole
    return side


def paired_loss(drawn, x, logits, weight):
    """What pix2pix's generator minimises, for each picture, shape (B,).

    drawn and x have shape (B, C, H, W), logits (B, places): the critic's, of the
    drawn pictures. -log sigmoid of the logits, plus weight times the L1 norm; both
    are means, over places and over pixels.
    """
    fool = -torch.nn.functional.logsigmoid(logits).mean(1)  # hole
    return fool + weight * (drawn - x).abs().mean((1, 2, 3))  # hole


def recall_old(buffer, fresh, use_old, places):
    """What a critic is shown, and the buffer afterwards: two tensors.

    buffer has shape (K, ...), fresh (B, ...). Picture i is shown fresh where
    use_old[i] is False. Where it is True, the buffer's picture at places[i] is
    shown, and fresh[i] takes its place. Pictures come one after another.
    """
    buffer, shown = buffer.clone(), fresh.clone()
    for i in range(len(fresh)):
        if use_old[i]:
            shown[i] = buffer[places[i]]  # hole
            buffer[places[i]] = fresh[i]  # hole
    return torch.cat([shown, buffer])


# what they are tried on -----------------------------------------------------------------------------------------------


def _nets(b, c, h, w, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        tint = torch.rand(c, generator=g).view(-1, 1, 1)
        return torch.rand(b, c, h, w, generator=g), lambda y: (y * tint).sqrt(), lambda y: y**2 / (tint + 0.3)

    return make


def _classes(n, side, seed, k=1):
    def make():
        g = torch.Generator().manual_seed(seed)
        return *(torch.randint(4, (n, side, side + 1), generator=g) for _ in range(2)), k

    return make


def _drawn(b, side, places, seed, weight):
    def make():
        g = torch.Generator().manual_seed(seed)
        drawn, x = (torch.rand(b, 3, side, side + 1, generator=g) for _ in range(2))
        return drawn, x, 3 * torch.randn(b, places, generator=g), weight

    return make


def _shown(b, k, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        buffer, fresh = torch.rand(k, 2, 3, generator=g), torch.rand(b, 2, 3, generator=g)
        return buffer, fresh, torch.rand(b, generator=g) < 0.6, torch.randint(k, (b,), generator=g)

    return make


def _fool(logits):
    return -torch.nn.functional.logsigmoid(logits).mean(1)


def _norm(drawn, x):
    return (drawn - x).abs().mean((1, 2, 3))


def _fresh_only(buffer, fresh, use_old, places):
    return torch.cat([fresh, buffer])


def _never_replaced(buffer, fresh, use_old, places):
    shown = torch.where(use_old[:, None, None], buffer[places], fresh)
    return torch.cat([shown, buffer])


def _shown_after(buffer, fresh, use_old, places):
    buffer, shown = buffer.clone(), fresh.clone()
    for i in range(len(fresh)):
        if use_old[i]:
            buffer[places[i]] = fresh[i]
            shown[i] = buffer[places[i]]
    return torch.cat([shown, buffer])


def _turned_round(buffer, fresh, use_old, places):
    return recall_old(buffer, fresh, ~use_old, places)


def _at_i(buffer, fresh, use_old, places):
    return recall_old(buffer, fresh, use_old, torch.arange(len(fresh)) % len(buffer))


EXERCISES = (
    Exercise(
        "way_home", 1, way_home,
        [_nets(3, 3, 4, 4, 0), _nets(2, 1, 3, 5, 1), _nets(1, 3, 2, 2, 2), _nets(5, 2, 4, 3, 3)],
        gradients=(0,),
        mistakes={
            "there only": (
                lambda c, there, back: (there(c) - c).abs().mean((1, 2, 3)),
                "this is the way there alone: a translation should differ from its source.",
            ),
            "wrong order": (
                lambda c, there, back: (there(back(c)) - c).abs().mean((1, 2, 3)),
                "c is on the near side: first there, then back.",
            ),
            "squares": (
                lambda c, there, back: (back(there(c)) - c).square().mean((1, 2, 3)),
                "the L1 norm takes absolute values, not squares.",
            ),
            "sum": (
                lambda c, there, back: (back(there(c)) - c).abs().sum((1, 2, 3)),
                "take the mean over pixels and channels, so that the weight means the same at every size.",
            ),
            "one number": (
                lambda c, there, back: (back(there(c)) - c).abs().mean(),
                "one number for each picture is wanted: the trainer takes the mean.",
            ),
            "signed": (
                lambda c, there, back: (back(there(c)) - c).mean((1, 2, 3)),
                "without absolute values, too bright here and too dark there cancel.",
            ),
            "cut off": (
                lambda c, there, back: (back(there(c).mean((2, 3), keepdim=True)) - c).abs().mean((1, 2, 3)),
                "the whole translation goes back, not its mean colour.",
            ),
        },
    ),
    Exercise(
        "overlap", 1, overlap, [_classes(3, 5, 0), _classes(1, 8, 1, 2), _classes(4, 4, 2, 3), _classes(6, 3, 3, 0)],
        mistakes={
            "accuracy": (
                lambda f, t, k: ((f == k) == (t == k)).float().mean(),
                "this counts the pixels that neither has: a map without any road would score well.",
            ),
            "precision": (
                lambda f, t, k: ((f == k) & (t == k)).sum() / (f == k).sum(),
                "divided by the found pixels alone, this is precision: one found pixel could score 1.",
            ),
            "recall": (
                lambda f, t, k: ((f == k) & (t == k)).sum() / (t == k).sum(),
                "divided by the true pixels alone, this is recall: all of the map painted as road would score 1.",
            ),
            "dice": (
                lambda f, t, k: 2 * ((f == k) & (t == k)).sum() / ((f == k).sum() + (t == k).sum()),
                "this is the Dice score: it counts the intersection twice.",
            ),
            "sum of areas": (
                lambda f, t, k: ((f == k) & (t == k)).sum() / ((f == k).sum() + (t == k).sum()),
                "pixels of both are counted twice below: the union counts them once.",
            ),
            "upside down": (
                lambda f, t, k: ((f == k) | (t == k)).sum() / ((f == k) & (t == k)).sum(),
                "it is the intersection over the union.",
            ),
            "all classes": (
                lambda f, t, k: (f == t).float().mean(), "this is the accuracy over all classes: k is asked for.",
            ),
            "by picture": (
                lambda f, t, k: (
                    ((f == k) & (t == k)).flatten(1).sum(1) / ((f == k) | (t == k)).flatten(1).sum(1)
                ).mean(),
                "count over all pictures together: a picture without the class would divide by 0.",
            ),
        },
    ),
    Exercise(
        "patch", 2, patch,
        [
            lambda: ([4, 4, 3], [2, 2, 1]), lambda: ([4, 3], [2, 1]), lambda: ([1, 1], [1, 1]),
            lambda: ([4, 4, 4, 4, 4], [2, 2, 2, 1, 1]), lambda: ([3], [1]), lambda: ([3, 5, 2], [1, 3, 2]),
        ],
        mistakes={
            "from the front": (
                lambda kernels, strides: _walk(kernels, strides, lambda s, k, t: (s - 1) * t + k),
                "you walk from the first layer on: begin with one output, and go back towards the picture.",
            ),
            "no strides": (
                lambda kernels, strides: 1 + sum(k - 1 for k in kernels),
                "a stride of 2 makes every layer behind it see twice as far.",
            ),
            "sides multiplied": (
                lambda kernels, strides: _walk(kernels[::-1], strides[::-1], lambda s, k, t: s * t + k),
                "s neighbouring outputs are s − 1 steps apart, not s.",
            ),
            "no last kernel": (
                lambda kernels, strides: _walk(kernels[::-1], strides[::-1], lambda s, k, t: (s - 1) * t + k - 1),
                "s outputs need (s − 1) steps and one whole kernel.",
            ),
            "product of kernels": (
                lambda kernels, strides: _walk(kernels, strides, lambda s, k, t: s * k),
                "kernels overlap: their sides do not multiply.",
            ),
            "product of strides": (
                lambda kernels, strides: _walk(kernels, strides, lambda s, k, t: s * t),
                "this is how far two neighbouring outputs are apart, in pixels.",
            ),
        },
    ),
    Exercise(
        "paired_loss", 2, paired_loss,
        [_drawn(3, 4, 5, 0, 10.0), _drawn(1, 3, 1, 1, 1.0), _drawn(4, 2, 7, 2, 100.0), _drawn(5, 4, 5, 3, 0.0)],
        gradients=(0, 2),
        mistakes={
            "critic's side": (
                lambda d, x, s, w: torch.nn.functional.softplus(s).mean(1) + w * _norm(d, x),
                "this is what the critic minimises: the generator wants its pictures taken for real.",
            ),
            "saturating": (
                lambda d, x, s, w: -torch.nn.functional.softplus(s).mean(1) + w * _norm(d, x),
                "log(1 − sigmoid) fades where the critic is sure: −log sigmoid does not.",
            ),
            "sign": (
                lambda d, x, s, w: torch.nn.functional.logsigmoid(s).mean(1) + w * _norm(d, x),
                "the sign is wrong: a high logit must cost little.",
            ),
            "norm only": (lambda d, x, s, w: w * _norm(d, x), "the critic's part is missing."),
            "critic only": (lambda d, x, s, w: _fool(s), "the L1 norm is missing."),
            "weight on the critic": (
                lambda d, x, s, w: w * _fool(s) + _norm(d, x), "the weight belongs to the L1 norm.",
            ),
            "squares": (
                lambda d, x, s, w: _fool(s) + w * (d - x).square().mean((1, 2, 3)),
                "the L1 norm takes absolute values: squares blur more.",
            ),
            "sum over places": (
                lambda d, x, s, w: _fool(s) * s.shape[1] + w * _norm(d, x), "take the mean over the places.",
            ),
            "sum over pixels": (
                lambda d, x, s, w: _fool(s) + w * (d - x).abs().sum((1, 2, 3)), "take the mean over the pixels.",
            ),
            "one number": (
                lambda d, x, s, w: (_fool(s) + w * _norm(d, x)).mean(), "one number for each picture is wanted.",
            ),
        },
    ),
    Exercise(
        "recall_old", 2, recall_old,
        [_shown(4, 3, 0), _shown(1, 2, 1), _shown(6, 2, 2), _shown(5, 5, 3), _shown(3, 7, 4)],
        mistakes={
            "fresh only": (_fresh_only, "nothing old is shown and nothing is kept: the buffer does no work."),
            "never replaced": (_never_replaced, "the buffer stays as it was: the fresh one takes the old one's place."),
            "shown after": (_shown_after, "you replace first, and then show what you have just put there."),
            "turned round": (_turned_round, "you show the old one where use_old is False."),
            "at i": (_at_i, "the place in the buffer is places[i], not i."),
        },
    ),
    Choice(
        "smuggler", 3, "smuggler", "b",
        {
            "a": "its way home stays short under noise, longer only by what dividing by its darkening does.",
            "c": "it loses the colours, and its way home says so: that is honest.",
            "none": "measure the way home once as it is, and once with a little noise on the translation.",
        },
        "that is none of the answers: a, b, c, none.",
        "Its way home is perfect, and a noise that no eye sees breaks it: the colours travel in faint differences",
    ),
)  # fmt: skip


def translators():
    """Return three translators of day into night, none of them trained: names to pairs of functions, there and back."""

    def grey(c):
        return 0.35 * c.mean(1, keepdim=True).expand_as(c)

    def uncover(y):
        level = y.mean(1, keepdim=True)
        return level / 0.35 + (y - level) / 0.004

    return {
        "a": (lambda c: 0.35 * c, lambda y: y / 0.35),
        "b": (lambda c: grey(c) + 0.004 * (c - c.mean(1, keepdim=True)), uncover),
        "c": (grey, lambda y: y / 0.35),
    }


def _walk(kernels, strides, step):
    side = 1
    for kernel, stride in zip(kernels, strides, strict=True):
        side = step(side, kernel, stride)
    return side
