"""Other right answers to the exercises on what networks see, and wrong ones with words of their hints."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from genkit import metrics
from genkit.dreaming import ascend, octave_sides
from genkit.style_transfer import gram, style_distance


def looped_gram(maps):
    b, c = maps.shape[:2]
    rows = [[(maps[:, i] * maps[:, j]).mean((1, 2)) for j in range(c)] for i in range(c)]
    return torch.stack([torch.stack(row, 1) for row in rows], 1).view(b, c, c)


def by_backward(x, f, step):
    at = x.clone().requires_grad_(True)
    f(at).sum().backward()
    return (x + step * at.grad / at.grad.abs().mean(dim=(1, 2, 3), keepdim=True)).clamp(0.0, 1.0)


def one_by_one(x, f, step):
    """The pictures of a batch do not know of each other, but f weighs them by their rows: the batch stays whole."""
    at = x.clone().requires_grad_()
    (g,) = torch.autograd.grad(f(at).sum(), at)
    rows = [(p + step * s / s.abs().mean()).clamp(0, 1) for p, s in zip(x, g, strict=True)]
    return torch.stack(rows)


def gap_by_norms(maps, goals):
    found = []
    for m, a in zip(maps, goals, strict=True):
        g = torch.einsum("bchw,bdhw->bcd", m, m) / (m.shape[2] * m.shape[3])
        found.append((torch.linalg.matrix_norm(g - a) / torch.linalg.matrix_norm(a)) ** 2)
    return sum(found) / len(found)


def by_numpy(x, pixels):
    power = np.abs(np.fft.fft2(x.numpy() - x.numpy().mean())) ** 2
    down, across = (np.fft.fftfreq(n) for n in x.shape)
    return float(power[np.hypot(down[:, None], across[None]) > 1 / pixels].sum() / power.sum())


def slope(x, f):
    at = x.detach().requires_grad_()
    return torch.autograd.grad(f(at).sum(), at)[0]


def size(x, f):
    return slope(x, f).abs().mean((1, 2, 3), keepdim=True)


def rms(x, f):
    return slope(x, f).square().mean((1, 2, 3), keepdim=True).sqrt()


def channels(x, f):
    return slope(x, f).abs().mean((2, 3), keepdim=True)


def gaps(maps, goals):
    return [(gram(m) - a).square().sum((1, 2)) / a.square().sum((1, 2)) for m, a in zip(maps, goals, strict=True)]


RIGHT = {
    "gram_matrix": {
        "a loop": looped_gram,
        "einsum": lambda m: torch.einsum("bchw,bdhw->bcd", m, m) / (m.shape[2] * m.shape[3]),
        "genkit's": gram,
        "bmm": lambda m: torch.bmm(m.flatten(2), m.flatten(2).mT).div(m[0, 0].numel()),
        "products, then the mean": lambda m: (m[:, :, None] * m[:, None]).mean((-2, -1)),
    },
    "sides": {
        "reversed range": lambda s, n, r: torch.tensor([round(s / r**k) for k in reversed(range(n))]),
        "genkit's": lambda s, n, r: torch.tensor(octave_sides(s, n, r, least=1)),
        "negative powers": lambda s, n, r: torch.tensor([round(s * r ** (k - n + 1)) for k in range(n)]),
        "tensor": lambda s, n, r: (s / r ** torch.arange(n - 1, -1, -1)).round().long(),
    },
    "uphill": {
        "backward": by_backward,
        "one by one": one_by_one,
        "genkit's": ascend,
        "minimum and maximum": lambda x, f, s: torch.minimum(
            torch.maximum(x + s * slope(x, f) / size(x, f), torch.tensor(0.0)),
            torch.tensor(1.0),
        ),
    },
    "style_gap": {
        "norms": gap_by_norms,
        "genkit's": lambda m, a: style_distance(dict(enumerate(m)), dict(enumerate(a))),
        "a sum": lambda m, a: sum(gaps(m, a)) / len(m),
    },
    "short_share": {
        "numpy": by_numpy,
        "genkit's": lambda x, p: metrics.shorter_waves(x[None, None], p),
        "one minus the long": lambda x, p: 1 - long_waves(x, p),
        "a tensor": lambda x, p: torch.tensor(by_numpy(x, p)),
    },
}  # fmt: skip


def long_waves(x, pixels):
    power = torch.fft.fft2(x - x.mean()).abs() ** 2
    down, across = torch.meshgrid(torch.fft.fftfreq(x.shape[0]), torch.fft.fftfreq(x.shape[1]), indexing="ij")
    return (power[(down**2 + across**2).sqrt() <= 1 / pixels].sum() / power.sum()).item()


WRONG = {
    "gram_matrix": {
        "summed": (lambda m: torch.einsum("bchw,bdhw->bcd", m, m), "the sum over places"),
        "places": (lambda m: torch.einsum("bcm,bcn->bmn", m.flatten(2), m.flatten(2)), "Expected shape"),
        "covariance": (lambda m: torch.stack([torch.cov(x.flatten(1), correction=0).view(m.shape[1], -1) for x in m]),
                       "took the mean off"),
        "over the batch": (lambda m: torch.einsum("bchw,bdhw->cd", m, m) / m[0, 0].numel(), "Expected shape"),
        "absolute": (lambda m: gram(m.abs()), "One number"),
        "no gradient": (lambda m: gram(m.detach()), "no gradient reaches maps"),
        "in place": (lambda m: gram(m.sub_(0.1)), "changes its input"),
        "height alone": (lambda m: torch.einsum("bchw,bdhw->bcd", m, m) / m.shape[2], ""),
    },
    "sides": {
        "descending": (lambda s, n, r: torch.tensor(octave_sides(s, n, r, least=1)[::-1]), "largest comes first"),
        "a list": (lambda s, n, r: octave_sides(s, n, r, least=1), "Expected a tensor"),
        "rounded up": (lambda s, n, r: torch.tensor([math.ceil(s / r**k) for k in reversed(range(n))]), "should be"),
        "halves": (lambda s, n, r: torch.tensor([round(s / 2**k) for k in reversed(range(n))]), "should be"),
        "one more": (lambda s, n, r: torch.tensor(octave_sides(s, n + 1, r, least=1)), "Expected shape"),
        "linspace": (lambda s, n, r: torch.linspace(s / r ** (n - 1), s, n).round().long(), "should be"),
    },
    "uphill": {
        "descent": (lambda x, f, s: (x - s * slope(x, f) / size(x, f)).clamp(0, 1),
                    "downhill"),
        "raw": (lambda x, f, s: (x + s * slope(x, f)).clamp(0, 1), "a thousandfold"),
        "root mean square": (
            lambda x, f, s: (x + s * slope(x, f) / rms(x, f)).clamp(0, 1),
            "One number",
        ),
        "uncut": (lambda x, f, s: x + s * slope(x, f) / size(x, f), "end at 0 and 1"),
        "sigmoid": (lambda x, f, s: torch.sigmoid(ascend(x, f, s)), "One number"),
        "attached": (lambda x, f, s: attached(x, f, s), "detach the result"),
        "channels": (
            lambda x, f, s: (x + s * slope(x, f) / channels(x, f)).clamp(0, 1), "One number",
        ),
        "first picture": (lambda x, f, s: ascend(x[:1], f, s), "Expected shape"),
    },
    "style_gap": {
        "plain": (lambda m, a: sum((gram(x) - y).square().sum((1, 2)) for x, y in zip(m, a, strict=True)) / len(m),
                  "loudest layer"),
        "total": (lambda m, a: sum(gaps(m, a)), "mean over layers"),
        "a number": (lambda m, a: sum(gaps(m, a)).mean() / len(m), "Expected shape"),
        "last layer": (lambda m, a: gaps(m, a)[-1], "One number"),
        "worst layer": (lambda m, a: torch.stack(gaps(m, a)).amax(0), "One number"),
        "one ratio": (
            lambda m, a: sum((gram(x) - y).square().sum((1, 2)) for x, y in zip(m, a, strict=True))
            / sum(y.square().sum((1, 2)) for y in a), "One number",
        ),
        "mean for sum": (
            lambda m, a: torch.stack([F.mse_loss(gram(x), y, reduction="none").mean((1, 2))
                                      for x, y in zip(m, a, strict=True)]).mean(0), "One number",
        ),
    },
    "short_share": {
        "long ones": (lambda x, p: long_waves(x, p), "long waves"),
        "with the mean": (lambda x, p: with_mean(x, p), "frequency 0"),
        "along one axis": (
            lambda x, p: (torch.fft.fft2(x - x.mean()).abs() ** 2)[torch.fft.fftfreq(len(x)).abs() > 1 / p].sum().item()
            / (torch.fft.fft2(x - x.mean()).abs() ** 2).sum().item(), "Expected",
        ),
        "differences": (lambda x, p: ((x[1:] - x[:-1]) ** 2).mean().item(), "Expected"),
        "a list": (lambda x, p: [by_numpy(x, p)], "Expected"),
        "always": (lambda x, p: 0.5, "Expected"),
        "all": (lambda x, p: 1.0, "compare it with 1 / pixels"),
    },
}  # fmt: skip


def attached(x, f, step):
    at = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(at).sum(), at)
    return (at + step * g / g.abs().mean((1, 2, 3), keepdim=True)).clamp(0, 1)


def with_mean(x, pixels):
    power = torch.fft.fft2(x).abs() ** 2
    down, across = (torch.fft.fftfreq(n) for n in x.shape)
    return (power[torch.hypot(down[:, None], across) > 1 / pixels].sum() / power.sum()).item()
