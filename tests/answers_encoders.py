"""Answers to the exercises on encoders and translators: right ones written differently, wrong ones readers write."""

import torch
import torch.nn.functional as F

from genkit.exercises.encoders import disguised, exact_share, pseudo_likelihood, source_mask, teacher_forced


def loop_forced(x, begin):
    out = torch.empty_like(x)
    for t in range(x.shape[1]):
        out[:, t] = begin if t == 0 else x[:, t - 1]
    return out


def rolled_forced(x, begin):
    out = x.roll(1, 1)
    out[:, 0] = begin
    return out


def loop_disguised(tokens, chosen, luck, other, mask):
    seen = tokens.clone()
    for b in range(tokens.shape[0]):
        for t in range(tokens.shape[1]):
            if chosen[b, t] and luck[b, t] < 0.8:
                seen[b, t] = mask
            elif chosen[b, t] and luck[b, t] < 0.9:
                seen[b, t] = other[b, t]
    return seen


def stacked_pseudo(log_p, x, mask):
    rows = x.repeat(len(x), 1)
    rows.fill_diagonal_(mask)
    return float(sum(log_p(row)[t, x[t]] for t, row in enumerate(rows)))


def masked_share(written, wanted, end):
    after = (wanted == end).cumsum(1) - (wanted == end).long() > 0
    return ((written == wanted) | after).all(1).float().mean()


RIGHT = {
    "teacher_forced": {
        "as a loop": loop_forced,
        "rolled": rolled_forced,
        "padded": lambda x, b: F.pad(x, (1, 0), value=b)[:, :-1],
    },
    "source_mask": {
        "as views": lambda c, p: c.ne(p).view(len(c), 1, 1, -1),
        "by not": lambda c, p: ~(c == p).unsqueeze(1).unsqueeze(1),
        "as a loop": lambda c, p: torch.tensor([[[[t != p for t in row]]] for row in c.tolist()]),
    },
    "disguised": {
        "as a loop": loop_disguised,
        "by masks": lambda x, c, u, o, m: x.masked_fill(c & (u < 0.8), m).where(~(c & (u >= 0.8) & (u < 0.9)), o),
    },
    "pseudo_likelihood": {
        "stacked": stacked_pseudo,
        "a tensor": lambda f, x, m: torch.tensor(stacked_pseudo(f, x, m)),
        "by scatter": lambda f, x, m: sum(
            f(x.scatter(0, torch.tensor([t]), m))[t][x[t]].item() for t in range(len(x))
        ),
    },
    "exact_share": {
        "masked": masked_share,
        "as a float": lambda a, b, e: float(masked_share(a, b, e)),
        "by lists": lambda a, b, e: sum(
            all(r[i] == t[i] for i in range(t.index(e) + 1)) for r, t in zip(a.tolist(), b.tolist(), strict=True)
        ) / len(a),
    },
}  # fmt: skip
WRONG = {
    "teacher_forced": {
        "in place": (lambda x, b: x.__setitem__((slice(None), 0), b) or x, "in place"),
        "begin last": (lambda x, b: torch.cat([x[:, :-1], torch.full((len(x), 1), b)], 1), ""),
        "begin of zeros": (lambda x, b: torch.cat([torch.zeros(len(x), 1).long(), x[:, :-1]], 1), ""),
        "wrong axis": (lambda x, b: torch.cat([torch.full((1, x.shape[1]), b), x[:-1]]), ""),
        "backwards": (lambda x, b: teacher_forced(x.flip(1), b), ""),
    },
    "source_mask": {
        "lengths": (lambda c, p: (c != p).sum(1), ""),
        "as floats of the wrong sign": (lambda c, p: (c == p).float()[:, None, None], ""),
        "after the first": (lambda c, p: ((c == p).cumsum(1) == 0)[:, None, None], ""),
        "turned": (lambda c, p: source_mask(c, p).transpose(-1, -2), "axes"),
        "causal": (lambda c, p: torch.ones(c.shape[1], c.shape[1]).tril().bool()[None, None], ""),
    },
    "disguised": {
        "fresh luck": (lambda x, c, u, o, m: disguised(x, c, torch.rand(u.shape), o, m), "chance"),
        "in place": (lambda x, c, u, o, m: x.masked_fill_(c, m), "in place"),
        "zero for the mask": (lambda x, c, u, o, m: disguised(x, c, u, o, 0), ""),
        "what was asked": (lambda x, c, u, o, m: x.masked_fill(~c, -100), ""),
        "one row": (lambda x, c, u, o, m: disguised(x, c, u, o, m)[:1], ""),
    },
    "pseudo_likelihood": {
        "last": (lambda f, x, m: f(x)[-1, x[-1]].item(), ""),
        "each": (lambda f, x, m: torch.tensor([f(x)[t, x[t]].item() for t in range(len(x))]), "expected"),
        "in place": (lambda f, x, m: x.fill_(m).sum().item(), "in place"),
        "product": (lambda f, x, m: float(torch.tensor(pseudo_likelihood(f, x, m)).exp()), ""),
        "bits": (lambda f, x, m: pseudo_likelihood(f, x, m) / 0.6931471805599453, ""),
    },
    "exact_share": {
        "percent": (lambda a, b, e: 100 * exact_share(a, b, e), ""),
        "none": (lambda a, b, e: 0.0, ""),
        "all": (lambda a, b, e: 1.0, ""),
        "up to its own end": (
            lambda a, b, e: sum(
                r[: r.index(e)] == t[: len(r[: r.index(e)])] if e in r else False
                for r, t in zip(a.tolist(), b.tolist(), strict=True)
            ) / len(a),
            "",
        ),
        "a row": (lambda a, b, e: (a == b).all(1), "expected"),
    },
}  # fmt: skip
