"""Other right answers to the exercises on image translation, and wrong ones with words of their hints."""

import torch
import torch.nn.functional as F

from genkit.metrics import iou


def loop_home(c, there, back):
    return torch.stack([F.l1_loss(back(there(one[None])), one[None]) for one in c])


def counted(found, truth, k):
    pairs = list(zip(found.flatten().tolist(), truth.flatten().tolist(), strict=True))
    return sum(a == k and b == k for a, b in pairs) / sum(a == k or b == k for a, b in pairs)


def walked(kernels, strides):
    """From the front: jumps grow with the strides, and each layer adds its kernel less one."""
    side, jump = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        side += (kernel - 1) * jump
        jump *= stride
    return side


def recursive(kernels, strides):
    if not kernels:
        return 1
    return (recursive(kernels[1:], strides[1:]) - 1) * strides[0] + kernels[0]


def swapped(buffer, fresh, use_old, places):
    kept, out = list(buffer), []
    for picture, old, place in zip(fresh, use_old.tolist(), places.tolist(), strict=True):
        if old:
            picture, kept[place] = kept[place], picture
        out.append(picture)
    return torch.stack(out + kept)


def indexed(buffer, fresh, use_old, places):
    both = torch.cat([fresh, buffer])
    for i in use_old.nonzero().flatten().tolist():
        j = len(fresh) + int(places[i])
        both[[i, j]] = both[[j, i]]
    return both


def at_once(buffer, fresh, use_old, places):
    """Replaces all at once: wrong where two take one place."""
    shown = torch.where(use_old[:, None, None], buffer[places], fresh)
    kept = buffer.clone()
    kept[places[use_old]] = fresh[use_old]
    return torch.cat([shown, kept])


RIGHT = {
    "way_home": {
        "a loop": loop_home,
        "flattened": lambda c, f, g: torch.abs(c - g(f(c))).flatten(1).mean(dim=1),
        "torch's own": lambda c, f, g: F.l1_loss(g(f(c)), c, reduction="none").mean(dim=[1, 2, 3]),
        "a norm": lambda c, f, g: torch.linalg.vector_norm(g(f(c)) - c, ord=1, dim=(1, 2, 3)) / c[0].numel(),
    },
    "overlap": {
        "counted": counted,
        "genkit's": lambda a, b, k: iou(a, b, k).value,
        "by areas": lambda a, b, k: (
            (n := ((a == k) * (b == k)).sum().item()) / ((a == k).sum().item() + (b == k).sum().item() - n)
        ),
        "logical": lambda a, b, k: (
            torch.logical_and(a == k, b == k).sum() / torch.logical_or(a == k, b == k).sum()
        ).item(),
    },
    "patch": {"from the front with jumps": walked, "recursive": recursive},
    "paired_loss": {
        "cross-entropy": lambda d, x, s, w: (
            F.binary_cross_entropy_with_logits(s, torch.ones_like(s), reduction="none").mean(1)
            + w * F.l1_loss(d, x, reduction="none").flatten(1).mean(1)
        ),
        "softplus": lambda d, x, s, w: F.softplus(-s).mean(1) + w * (d - x).abs().flatten(1).mean(1),
        "logaddexp": lambda d, x, s, w: (
            torch.logaddexp(torch.zeros_like(s), -s).mean(-1) + w * torch.abs(x - d).mean(dim=(1, 2, 3))
        ),
    },
    "recall_old": {"swapped in a list": swapped, "swapped in one tensor": indexed},
}

WRONG = {
    "way_home": {
        "mean of a channel": (lambda c, f, g: (g(f(c)) - c)[:, 0].abs().mean((1, 2)), ""),
        "root of squares": (lambda c, f, g: (g(f(c)) - c).square().mean((1, 2, 3)).sqrt(), "number"),
        "kept": (lambda c, f, g: (g(f(c)) - c).abs().mean((1, 2, 3), keepdim=True), "shape"),
        "no gradient": (lambda c, f, g: (g(f(c)) - c).abs().mean((1, 2, 3)).detach(), "no gradient reaches c"),
        "half a gradient": (
            lambda c, f, g: (g(f(c)) - c.detach()).abs().mean((1, 2, 3)), "its gradient is not",
        ),
        "twice": (lambda c, f, g: 2 * (g(f(c)) - c).abs().mean((1, 2, 3)), "times 2"),
    },
    "overlap": {
        "minus": (lambda a, b, k: 1 - counted(a, b, k), "expected"),
        "percent": (lambda a, b, k: 100 * counted(a, b, k), "expected"),
        "another class": (lambda a, b, k: counted(a, b, 0 if k else 1), "expected"),
        "a count": (lambda a, b, k: ((a == k) & (b == k)).sum().item(), "expected"),
        "a list": (lambda a, b, k: [counted(a, b, k)], "expected"),
    },
    "patch": {
        "one too many": (lambda k, s: walked(k, s) + 1, "expected"),
        "area": (lambda k, s: walked(k, s) ** 2, "expected"),
        "a float": (lambda k, s: float(walked(k, s)), "expected"),
        "largest kernel": (lambda k, s: max(k), "expected"),
        "nothing": (lambda k, s: None, "returns nothing"),
    },
    "paired_loss": {
        "least squares": (lambda d, x, s, w: (s - 1).square().mean(1) + w * (d - x).abs().mean((1, 2, 3)), "number"),
        "no sigmoid": (lambda d, x, s, w: -s.mean(1) + w * (d - x).abs().mean((1, 2, 3)), "number"),
        "logits cut off": (
            lambda d, x, s, w: F.softplus(-s.detach()).mean(1) + w * (d - x).abs().mean((1, 2, 3)),
            "no gradient reaches logits",
        ),
        "drawing cut off": (
            lambda d, x, s, w: F.softplus(-s).mean(1) + w * (d.detach() - x).abs().mean((1, 2, 3)),
            "no gradient reaches drawn",
        ),
        "sigmoid only": (lambda d, x, s, w: -s.sigmoid().mean(1) + w * (d - x).abs().mean((1, 2, 3)), "number"),
    },
    "recall_old": {
        "all at once": (at_once, "number"),
        "buffer first": (lambda b, f, u, p: swapped(b, f, u, p).roll(len(b), 0), "number"),
        "shown only": (lambda b, f, u, p: swapped(b, f, u, p)[: len(f)], "shape"),
        "old always": (lambda b, f, u, p: swapped(b, f, torch.ones_like(u), p), "number"),
        "in place": (lambda b, f, u, p: torch.cat([f, b.mul_(1.5)]), "changes its input"),
        "half of each": (lambda b, f, u, p: torch.cat([(f + b[p]) / 2, b]), "number"),
    },
}  # fmt: skip
