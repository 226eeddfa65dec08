"""Answers to the exercises on attention: right ones written differently, wrong ones that readers write."""

import math

import torch
import torch.nn.functional as F


def loop_attend(q, k, v):
    rows = []
    for query in q:
        products = torch.stack([(query * key).sum() for key in k]) / len(query) ** 0.5
        e = (products - products.max()).exp()
        rows.append(sum(a * value for a, value in zip(e / e.sum(), v, strict=True)))
    return torch.stack(rows)


def naive_softmax(q, k, v):
    e = (q @ k.T / q.shape[1] ** 0.5).exp()
    return e / e.sum(-1, keepdim=True) @ v


def loop_mask(n):
    mask = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n):
        mask[i, : i + 1] = True
    return mask


def complex_turn(x, place, speed):
    turned = torch.view_as_complex(x.contiguous()) * torch.polar(torch.ones_like(place), place * speed)
    return torch.view_as_real(turned)


def matrix_turn(x, place, speed):
    c, s = torch.cos(place * speed), torch.sin(place * speed)
    turn = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)  # (T, 2, 2)
    return (turn @ x[..., None])[..., 0]


def loop_spread(w):
    return torch.tensor([-sum(a * math.log(a) for a in row if a > 0) for row in w.tolist()])


RIGHT = {
    "attend": {
        "as a loop": loop_attend,
        "torch's own": lambda q, k, v: F.scaled_dot_product_attention(q[None], k[None], v[None])[0],
        "einsum": lambda q, k, v: torch.einsum(
            "ts,sd->td", F.softmax(torch.einsum("td,sd->ts", q, k) / math.sqrt(q.shape[1]), dim=1), v
        ),
        "scaled queries": lambda q, k, v: torch.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(0, 1), 1) @ v,
    },
    "may_look": {
        "as a loop": loop_mask,
        "by comparison": lambda n: torch.arange(n)[:, None] >= torch.arange(n),
        "not the future": lambda n: ~torch.triu(torch.ones(n, n, dtype=torch.bool), 1),
        "upper, turned": lambda n: torch.ones(n, n).triu().T == 1,
    },
    "split_heads": {
        "view": lambda x, h: x.view(x.shape[0], x.shape[1], h, x.shape[2] // h).transpose(1, 2),
        "chunks": lambda x, h: torch.stack(x.chunk(h, -1), 1),
        "permute": lambda x, h: x.reshape(*x.shape[:2], h, -1).permute(0, 2, 1, 3),
        "head by head": lambda x, h: torch.stack(
            [x[..., i * (x.shape[-1] // h) : (i + 1) * (x.shape[-1] // h)] for i in range(h)], dim=1
        ),
    },
    "turn_pair": {
        "complex numbers": complex_turn,
        "matrices": matrix_turn,
        "cat": lambda x, p, s: torch.cat(
            [
                (x[:, 0] * (p * s).cos() - x[:, 1] * (p * s).sin())[:, None],
                (x[:, 1] * (p * s).cos() + x[:, 0] * (p * s).sin())[:, None],
            ],
            1,
        ),
        "turned a quarter": lambda x, p, s: (
            x * (p * s).cos()[:, None] + torch.stack([-x[:, 1], x[:, 0]], 1) * (p * s).sin()[:, None]
        ),
    },
    "spread": {
        "as a loop": loop_spread,
        "xlogy": lambda w: -torch.xlogy(w, w).sum(1),
        "entr": lambda w: torch.special.entr(w).sum(-1),
        "torch's own": lambda w: torch.distributions.Categorical(probs=w).entropy(),
        "clamped": lambda w: -(w * w.clamp(min=1e-30).log()).sum(-1),
    },
}

WRONG = {
    "attend": {
        "forgotten root": (lambda q, k, v: F.softmax(q @ k.T, dim=-1) @ v, "The division by √d is mi"),
        "divided by d": (lambda q, k, v: F.softmax(q @ k.T / q.size(1), dim=1) @ v, "Divide by the square roo"),
        "other axis": (lambda q, k, v: F.softmax(q @ k.T / math.sqrt(q.size(1)), dim=0) @ v, "Each row, the weights"),
        "only weights": (lambda q, k, v: F.softmax(q @ k.T / math.sqrt(q.size(1)), dim=1), "These are the weights:"),
        "sigmoid": (lambda q, k, v: torch.sigmoid(q @ k.T / q.size(1) ** 0.5) @ v, "One number should be"),
        "hard": (lambda q, k, v: v[(q @ k.T).argmax(1)], "One number should be"),
        "queries averaged": (lambda q, k, v: F.softmax(k @ q.T / q.size(1) ** 0.5, 1).T @ v, "Each row, the weights"),
        "overflow": (naive_softmax, "Some of your numbers are"),
        "detached": (
            lambda q, k, v: F.softmax((q @ k.T).detach() / q.size(1) ** 0.5, -1) @ v,
            "The value is right, but no gradient reaches",
        ),
        "squared": (lambda q, k, v: F.softmax(q @ k.T / q.size(1) ** 2, -1) @ v, "One number should be"),
    },
    "may_look": {
        "without the diagonal": (lambda n: torch.arange(n)[:, None] > torch.arange(n), "A place may look at itse"),
        "upper": (lambda n: torch.triu(torch.ones(n, n)).bool(), "This looks ahead: rows"),
        "what to hide": (lambda n: torch.arange(n)[:, None] < torch.arange(n), "This is True where a pla"),
        "ones": (lambda n: torch.ones(n, n, dtype=torch.bool), "This lets every place lo"),
        "floats": (lambda n: torch.ones(n, n).tril(), "Expected a tensor of True"),
        "minus infinity": (lambda n: torch.full((n, n), -math.inf).triu(1), "Expected a tensor of True"),
        "a row": (lambda n: torch.ones(n).bool(), "Expected shape"),
        "too large": (lambda n: torch.ones(n + 1, n + 1).tril().bool(), "Expected shape"),
    },
    "split_heads": {
        "view at once": (lambda x, h: x.view(x.shape[0], h, x.shape[1], x.shape[2] // h), "The shape is right, and"),
        "no transpose": (lambda x, h: x.view(*x.shape[:2], h, -1), "The channels are cut; no"),
        "every second": (lambda x, h: torch.stack([x[..., i::h] for i in range(h)], 1), "Head 0 gets every second"),
        "cut in time": (lambda x, h: torch.stack(x.chunk(h, 1), 1) if x.shape[1] % h == 0 else x, "Expected shape"),
        "list": (lambda x, h: list(x.chunk(h, -1)), "Expected a tensor"),
        "heads at the front": (lambda x, h: torch.stack(x.chunk(h, -1)), "The batch comes first, t"),
        "all channels": (lambda x, h: torch.stack([x] * h, 1), "Every head gets all chan"),
        "reversed": (lambda x, h: torch.stack(x.chunk(h, -1)[::-1], 1), "One number should be"),
        "detached": (lambda x, h: torch.stack(x.detach().chunk(h, -1), 1), "The value is right, but no gradient"),
    },
    "turn_pair": {
        "the other way": (
            lambda x, p, s: torch.view_as_real(
                torch.view_as_complex(x.contiguous()) * torch.polar(torch.ones_like(p), -p * s)
            ),
            "This turns clockwise: th",
        ),
        "only the place": (lambda x, p, s: matrix_turn(x, p, 1), "The angle is the place t"),
        "only the speed": (lambda x, p, s: matrix_turn(x, torch.ones_like(p), s), "Every pair is turned by"),
        "in degrees": (lambda x, p, s: matrix_turn(x, torch.deg2rad(p), s), "Angles are in radians"),
        "added": (lambda x, p, s: x + (p * s)[:, None], "One number should be"),
        "a reflection": (lambda x, p, s: matrix_turn(x * torch.tensor([1.0, -1.0]), p, s), "This is a reflection, no"),
        "cosine alone": (lambda x, p, s: x * (p * s).cos()[:, None], "One number should be"),
        "cos, cos": (
            lambda x, p, s: torch.stack([x[:, 0] * (p * s).cos(), x[:, 1] * (p * s).sin()], -1),
            "This scales each channel",
        ),
        "rows": (lambda x, p, s: matrix_turn(x, p, s).T, "Expected shape"),
    },
    "spread": {
        "nan": (lambda w: -(w * torch.log(w)).sum(1), "A hidden place gives 0 ·"),
        "log2": (lambda w: -torch.xlogy(w, w).sum(1) / math.log(2), "These are bits: take the"),
        "negative": (lambda w: torch.xlogy(w, w).sum(1), "An entropy is never nega"),
        "average": (lambda w: -torch.xlogy(w, w).mean(1), "Add the places up: the w"),
        "one number": (lambda w: -torch.xlogy(w, w).sum(), "One number for each row"),
        "Gini": (lambda w: 1 - (w**2).sum(1), "This is the Gini impurit"),
        "count": (lambda w: (w > 0).sum(1).float().log(), "One number should be"),
        "small change": (lambda w: -(w * (w + 1e-2).log()).sum(1), "One number should be"),
        "exponential": (lambda w: torch.special.entr(w).sum(1).exp(), "This is the number of pl"),
    },
}
