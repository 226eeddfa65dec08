"""The exercises of the chapter on what networks see."""

import torch

from .choice import Choice
from .exercise import Exercise, Wrong

# the references ------------------------------------------------------------------------------------------------------


def gram_matrix(maps):
    """Which channels answer together: the mean over places of their products.

    maps has shape (B, C, H, W). Returns shape (B, C, C).
    """
    flat = maps.flatten(2)  # (B, C, H·W)
    return flat @ flat.transpose(1, 2) / flat.shape[2]  # hole


def sides(side, octaves, ratio):
    """The sides of a picture's octaves, smallest first, int64 of shape (octaves,).

    Each is ratio times the one before, rounded in the end, and the last is side.
    """
    found = [round(side / ratio**k) for k in range(octaves)]  # hole
    return torch.tensor(found[::-1])  # hole


def uphill(x, f, step):
    """Pictures x, shape (B, C, H, W), after one step uphill on f, cut to [0, 1].

    f(x) has shape (B,). In each picture a pixel moves by step on average.
    """
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(x).sum(), x)  # hole
    size = slope.abs().mean((1, 2, 3), keepdim=True)  # hole
    return (x + step * slope / size).detach().clamp(0, 1)  # hole


def style_gap(maps, goals):
    """How far maps are from a style: the mean of |G - A|² / |A|², shape (B,).

    maps lists the layers' answers, (B, C, H, W) each, goals the style's Gram
    matrices A, (B, C, C) each. G is a mean over places.
    """
    gaps = []
    for answer, goal in zip(maps, goals, strict=True):  # hole
        flat = answer.flatten(2)  # hole
        found = flat @ flat.transpose(1, 2) / flat.shape[2]  # hole
        gaps.append((found - goal).square().sum((1, 2)) / goal.square().sum((1, 2)))  # hole
    return torch.stack(gaps).mean(0)


def short_share(x, pixels):
    """The share of a grey picture's variance in waves shorter than so many pixels.

    x has shape (H, W); the result is a number. The mean grey does not count.
    """
    waves = torch.fft.fft2(x)
    down, across = (torch.fft.fftfreq(n) for n in x.shape)  # cycles a pixel
    frequency = torch.hypot(down[:, None], across)  # (H, W)
    power = waves.abs().square()  # hole
    power[0, 0] = 0  # hole
    return (power[frequency > 1 / pixels].sum() / power.sum()).item()  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _maps(*shape, seed=0):
    return lambda: (torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) + 0.3,)


def _hill(x):
    return (torch.linspace(-1, 2, x[0].numel()).view(x[0].shape) * x).sum((1, 2, 3))


def _bowl(x):
    return -(x - 0.7).square().sum((1, 2, 3)) * torch.arange(1, len(x) + 1)


def _climb(f, *shape, step=0.05, seed=0):
    return lambda: (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)), f, step)


def _styles(seed, *shapes):
    def make():
        g = torch.Generator().manual_seed(seed)
        maps = [torch.randn(*shape, generator=g) for shape in shapes]
        goals = [gram_matrix(torch.randn(*shape, generator=g) * (3 * i + 1)) for i, shape in enumerate(shapes)]
        return maps, goals

    return make


def _grey(seed, height, width, pixels):
    return lambda: (torch.rand(height, width, generator=torch.Generator().manual_seed(seed)) + 0.5, pixels)


def _slope(x, f):
    x = x.detach().requires_grad_()
    return x.detach(), torch.autograd.grad(f(x).sum(), x)[0]


def _steps(rule):
    """Return a wrong step: ``rule`` of pictures, their slope and the step's length."""

    def wrong(x, f, step):
        return rule(*_slope(x, f), step)

    return wrong


def _each(g):
    return g.abs().mean((1, 2, 3), keepdim=True)


def _gaps(rule, end=lambda gaps: torch.stack(gaps).mean(0)):
    """Return a wrong distance: ``rule`` of a Gram matrix and its goal for each layer, then ``end`` of all."""
    return lambda maps, goals: end([rule(gram_matrix(m), a) for m, a in zip(maps, goals, strict=True)])


def _squares(g):
    return g.square().sum((1, 2))


def _share(x, pixels, *, kept=lambda f, p: f > 1 / p, power=lambda w: w.abs() ** 2, mean=False):
    down, across = (torch.fft.fftfreq(n) for n in x.shape)
    frequency = torch.hypot(down[:, None], across)
    strength = power(torch.fft.fft2(x if mean else x - x.mean()))
    return (strength[kept(frequency, pixels)].sum() / strength.sum()).item()


def _leaves_autograd_alone(answer):
    x = torch.full((1, 3, 4, 4), 0.5)
    try:
        found = answer(x, _bowl, 0.1)
    except Exception:  # the trials say what is wrong
        return
    if isinstance(found, torch.Tensor) and found.requires_grad:
        raise Wrong("detach the result: the next step would drag along the graph of this one.")


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "gram_matrix", 1, gram_matrix,
        [_maps(2, 3, 4, 5), _maps(1, 1, 3, 3, seed=1), _maps(3, 5, 2, 2, seed=2), _maps(1, 4, 6, 1, seed=3)],
        gradients=(0,),
        mistakes={
            "sum": (
                lambda m: m.flatten(2) @ m.flatten(2).transpose(1, 2),
                "this is the sum over places: divide by their number, so that pictures of two sizes compare.",
            ),
            "places": (
                lambda m: m.flatten(2).transpose(1, 2) @ m.flatten(2) / m.shape[1],
                "this multiplies places and adds up channels: a Gram matrix has a row and a column for each channel.",
            ),
            "covariance": (
                lambda m: gram_matrix(m - m.mean((2, 3), keepdim=True)),
                "you took the mean off first: that is a covariance. How loud a channel is on average belongs to style.",
            ),
            "channels too": (
                lambda m: gram_matrix(m) / m.shape[1], "divide by the number of places alone, not by that of channels.",
            ),
            "outer product of means": (
                lambda m: m.mean((2, 3))[:, :, None] * m.mean((2, 3))[:, None],
                "multiply first, place by place, and then average: the product of two means knows nothing of together.",
            ),
            "cosine": (
                lambda m: torch.nn.functional.normalize(m.flatten(2), dim=2)
                @ torch.nn.functional.normalize(m.flatten(2), dim=2).transpose(1, 2),
                "each channel was scaled to length one: how loudly it answers is part of the style.",
            ),
            "root": (
                lambda m: m.flatten(2) @ m.flatten(2).transpose(1, 2) / (m.shape[2] * m.shape[3]) ** 0.5,
                "divide by the number of places, not by its root: that is for attention.",
            ),
        },
    ),
    Exercise(
        "sides", 1, sides,
        [lambda: (128, 4, 2.0), lambda: (100, 3, 1.4), lambda: (96, 1, 1.5), lambda: (160, 6, 1.25)],
        mistakes={
            "largest first": (
                lambda s, n, r: torch.tensor([round(s / r**k) for k in range(n)]),
                "the largest comes first here: dreaming begins with the smallest.",
            ),
            "growing": (
                lambda s, n, r: torch.tensor([round(s * r**k) for k in range(n)]),
                "these grow beyond the picture: the last side is the picture's own.",
            ),
            "one too few": (
                lambda s, n, r: torch.tensor([round(s / r**k) for k in range(n, 0, -1)]),
                "the last side must be the picture's own: count the powers from 0.",
            ),
            "even steps": (
                lambda s, n, r: torch.tensor([round(s / r ** (n - 1) * (1 + k * (r - 1))) for k in range(n)]),
                "each side is ratio times the one before: these grow by the same number of pixels.",
            ),
            "cut off": (
                lambda s, n, r: torch.tensor([int(s / r**k) for k in reversed(range(n))]),
                "round to the nearest: int() cuts off.",
            ),
            "rounded on the way": (
                lambda s, n, r: torch.tensor(_rounding(s, n, r)),
                "round in the end, not on the way: small errors would grow from octave to octave.",
            ),
            "not whole": (
                lambda s, n, r: torch.tensor([s / r**k for k in reversed(range(n))]),
                "a side is a whole number of pixels: round it.",
            ),
        },
    ),
    Exercise(
        "uphill", 2, uphill,
        [
            _climb(_hill, 2, 3, 4, 4), _climb(_bowl, 3, 1, 5, 5, step=0.2, seed=1), _climb(_bowl, 1, 3, 3, 4, seed=2),
            _climb(_hill, 1, 1, 2, 2, step=0.5, seed=3), _climb(_bowl, 4, 3, 4, 4, step=0.01, seed=4),
        ],
        tests=(_leaves_autograd_alone,),
        mistakes={
            "downhill": (
                _steps(lambda x, g, s: (x - s * g / _each(g)).clamp(0, 1)),
                "this walks downhill, as training does with weights: here f is to grow.",
            ),
            "no scale": (
                _steps(lambda x, g, s: (x + s * g).clamp(0, 1)),
                "divide the slope by the mean of its absolute values: slopes differ a thousandfold between layers.",
            ),
            "batch": (
                _steps(lambda x, g, s: (x + s * g / g.abs().mean()).clamp(0, 1)),
                "each picture has a scale of its own: average over its channels and pixels, not over the batch.",
            ),
            "not cut": (
                _steps(lambda x, g, s: x + s * g / _each(g)), "colours end at 0 and 1: cut the result to [0, 1].",
            ),
            "sign": (
                _steps(lambda x, g, s: (x + s * g.sign()).clamp(0, 1)),
                "the sign alone moves every pixel by as much: keep the slope's proportions.",
            ),
            "length": (
                _steps(lambda x, g, s: (x + s * g / g.square().sum((1, 2, 3), keepdim=True).sqrt()).clamp(0, 1)),
                "this divides by the slope's length: the larger the picture, the less each pixel moves.",
            ),
            "largest": (
                _steps(lambda x, g, s: (x + s * g / g.abs().amax((1, 2, 3), keepdim=True)).clamp(0, 1)),
                "divide by the mean of the absolute values, not by the largest.",
            ),
            "mean of signed": (
                _steps(lambda x, g, s: (x + s * g / g.mean((1, 2, 3), keepdim=True)).clamp(0, 1)),
                "slopes of both signs cancel in a mean: take absolute values first.",
            ),
            "the slope": (_steps(lambda x, g, s: g), "this is the slope: add a step of it to x."),
        },
    ),
    Exercise(
        "style_gap", 2, style_gap,
        [
            _styles(0, (2, 3, 4, 4), (2, 5, 2, 2)), _styles(1, (1, 2, 3, 3)),
            _styles(2, (3, 4, 5, 5), (3, 4, 3, 3), (3, 6, 2, 2)), _styles(3, (1, 3, 6, 2), (1, 2, 2, 2)),
        ],
        mistakes={
            "absolute distance": (
                _gaps(lambda g, a: _squares(g - a)),
                "divide each layer's gap by the size of its goal: else the loudest layer is all that counts.",
            ),
            "sum of layers": (
                _gaps(lambda g, a: _squares(g - a) / _squares(a), lambda gaps: torch.stack(gaps).sum(0)),
                "take the mean over layers, not the sum.",
            ),
            "own size": (
                _gaps(lambda g, a: _squares(g - a) / _squares(g)),
                "divide by the goal's size, not by your own: a picture could grow louder and seem nearer.",
            ),
            "root": (
                _gaps(lambda g, a: (_squares(g - a) / _squares(a)).sqrt()), "this is the root: leave the squares.",
            ),
            "absolute values": (
                _gaps(lambda g, a: (g - a).abs().sum((1, 2)) / a.abs().sum((1, 2))),
                "take squares, not absolute values.",
            ),
            "no difference": (
                _gaps(lambda g, a: _squares(g) / _squares(a)), "subtract the goal before you square.",
            ),
            "diagonal": (
                _gaps(lambda g, a: (g - a).diagonal(dim1=1, dim2=2).square().sum(1) / _squares(a)),
                "the diagonal says how loud each channel is; which of them answer together stands off it.",
            ),
            "sums over places": (
                lambda maps, goals: torch.stack([
                    _squares(gram_matrix(m) * m[0, 0].numel() - a) / _squares(a)
                    for m, a in zip(maps, goals, strict=True)
                ]).mean(0),
                "divide the products by the number of places: the goals are means.",
            ),
        },
    ),
    Exercise(
        "short_share", 2, short_share,
        [
            _grey(0, 16, 16, 4.0), _grey(1, 12, 20, 8.0), _grey(2, 9, 7, 3.0), _grey(3, 16, 16, 2.5),
            _grey(4, 32, 8, 16.0),
        ],
        mistakes={
            "long": (
                lambda x, p: _share(x, p, kept=lambda f, p: f <= 1 / p),
                "these are the long waves: a short wave has a high frequency, above 1 / pixels.",
            ),
            "mean counts": (
                lambda x, p: _share(x, p, mean=True),
                "the mean grey sits at frequency 0 and is no wave: leave it out of the sum.",
            ),
            "amplitude": (
                lambda x, p: _share(x, p, power=lambda w: w.abs()), "variance is the square of the waves' strengths.",
            ),
            "real part": (
                lambda x, p: _share(x, p, power=lambda w: w.real**2),
                "a wave has two parts, real and imaginary: take abs() before you square.",
            ),
            "pixels for frequency": (
                lambda x, p: _share(x, p, kept=lambda f, p: f < p),
                "a frequency counts cycles a pixel: compare it with 1 / pixels, not with pixels.",
            ),
            "half": (
                lambda x, p: _share(x, p, kept=lambda f, p: f > 0.5 / p),
                "a wave is as long as one over its frequency: compare with 1 / pixels.",
            ),
            "percent": (lambda x, p: 100 * _share(x, p), "this is in percent: a share between 0 and 1 is wanted."),
            "count": (
                lambda x, p: _share(x, p, power=lambda w: torch.ones_like(w.real)),
                "this counts frequencies: weigh each by its power.",
            ),
        },
    ),
    Choice(
        "unrestrained", 3, "unrestrained", "b",
        {
            "a": "few of its waves are short: it was held back by octaves, jitter and blur.",
            "c": "its waves are short, and yet layer4 answers hardly louder: that is plain noise.",
            "d": "layer4 of this network is hardly louder for it: another network dreamt it.",
            "none": "two of them are loud at layer4: one of these two is far richer in short waves.",
        },
        "that is none of the answers: a, b, c, d, none.",
        "Only a and b make layer4 far louder; and of b's change a large share lies in waves shorter than four pixels",
    ),
)  # fmt: skip


def suspects(network, x):
    """Return four changed copies of pictures x by name: one was dreamt at layer4 of the network without restraint."""
    from ..dreaming import dream, loudness
    from ..records.seeing_networks import noise_like, untrained

    bare = {"steps": 24, "octaves": 1, "jitter": 0, "smooth": 0.0}
    found = {"a": dream(loudness(network, "layer4"), x), "b": dream(loudness(network, "layer4"), x, **bare)}
    found["c"] = noise_like(x, found["b"], seed=5)
    found["d"] = dream(loudness(untrained(7), "layer4"), x, **bare)
    return found


def _rounding(side, octaves, ratio):
    found = [side]
    for _ in range(octaves - 1):
        found.append(round(found[-1] / ratio))
    return found[::-1]
