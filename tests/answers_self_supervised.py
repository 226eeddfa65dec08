"""Other right answers to the exercises on labels made from the data, and wrong ones with words of their hints."""

import math

import torch
import torch.nn.functional as F

from genkit.models.contrastive import attract, nt_xent
from genkit.spread import effective_rank


def rows_by_slices(x, n):
    columns = [x[k : len(x) - n + k] for k in range(n + 1)]
    return torch.stack(columns, 1)


def by_index(x, n):
    start = torch.arange(len(x) - n)[:, None]
    return x[start + torch.arange(n + 1)]


def looped_error(g, x, h):
    return torch.stack([(g[i][h[i]] - x[i][h[i]]).pow(2).mean() for i in range(len(g))])


def looped_contrast(z, partner, t):
    losses = []
    for i in range(len(z)):
        s = [torch.cosine_similarity(z[i], z[k], dim=0) / t for k in range(len(z))]
        below = sum(s[k].exp() for k in range(len(z)) if k != i)
        losses.append(-(s[int(partner[i])].exp() / below).log())
    return torch.stack(losses)


def by_logsumexp(z, partner, t):
    u = z / z.norm(dim=1, keepdim=True)
    s = u @ u.T / t
    rest = s + torch.diag(torch.full((len(z),), -torch.inf))
    return rest.logsumexp(1) - s.gather(1, partner[:, None]).squeeze(1)


def by_eigenvalues(z):
    centred = (z - z.mean(0)).double()
    gram = centred @ centred.T if len(z) < z.shape[1] else centred.T @ centred
    sigma = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    p = sigma / sigma.sum()
    return math.exp(-sum(v * math.log(v) for v in p.tolist() if v > 1e-9))


def by_lengths(p, q, a, b):
    a, b = a.detach(), b.detach()
    u, v, c, d = (F.normalize(t, dim=1) for t in (p, q, a, b))
    return 1 - ((u * d).sum(1) + (v * c).sum(1)) / 2


RIGHT = {
    "next_tokens": {
        "unfold": lambda x, n: x.unfold(0, n + 1, 1),
        "slices": rows_by_slices,
        "an index": by_index,
    },
    "masked_error": {
        "a loop": looped_error,
        "where": lambda g, x, h: torch.where(h[..., None], (g - x) ** 2, 0).sum((1, 2)) / (h.sum(1) * g.shape[2]),
        "einsum": lambda g, x, h: torch.einsum("btp,bt->b", (g - x) ** 2, h.float()) / h.sum(1) / g.shape[2],
    },
    "view_loss": {"a loop": looped_contrast, "logsumexp": by_logsumexp},
    "directions": {
        "genkit's": effective_rank,
        "eigenvalues": by_eigenvalues,
        "torch.distributions": lambda z: torch.distributions.Categorical(
            probs=torch.linalg.svdvals(z.double() - z.double().mean(0))
        ).entropy().exp(),
    },
    "siamese": {
        "genkit's": lambda p, q, a, b: (attract(p, b.detach()) + attract(q, a.detach())) / 2,
        "lengths": by_lengths,
        "no_grad": lambda p, q, a, b: without_grad(p, q, a, b),
    },
}  # fmt: skip


def without_grad(p, q, a, b):
    with torch.no_grad():
        a, b = a.clone(), b.clone()
    return 1 - 0.5 * (torch.cosine_similarity(p, b) + torch.cosine_similarity(q, a))


def halves(z, partner, t):
    first, second = z.chunk(2)
    return nt_xent(first, second, t)


WRONG = {
    "next_tokens": {
        "last lost": (lambda x, n: rows_by_slices(x, n)[:-1], "one row is missing"),
        "questions": (lambda x, n: torch.stack([x[i : i + n] for i in range(len(x) - n)]), "questions alone"),
        "answers": (lambda x, n: x[n:], "shape"),
        "a list": (lambda x, n: [x[i : i + n + 1] for i in range(len(x) - n)], "Expected a tensor"),
        "turned": (lambda x, n: x.unfold(0, n + 1, 1).T, ""),
        "shifted by two": (lambda x, n: torch.cat([x.unfold(0, n, 1)[:-1], x.roll(-1)[n:, None]], 1), ""),
        "blocks": (lambda x, n: x[: len(x) // (n + 1) * (n + 1)].view(-1, n + 1), "do not overlap"),
    },
    "masked_error": {
        "everything": (lambda g, x, h: F.mse_loss(g, x, reduction="none").mean((1, 2)), "seen count here too"),
        "turned round": (lambda g, x, h: ((g - x) ** 2).mean(2).mul(~h).sum(1) / (~h).sum(1), "patches that were seen"),
        "one number": (lambda g, x, h: (g - x)[h].square().mean(), "shape"),
        "root": (lambda g, x, h: looped_error(g, x, h).sqrt(), "One number"),
        "share of all": (lambda g, x, h: ((g - x).square().mean(2) * h).mean(1), "number of hidden patches"),
        "no gradient": (lambda g, x, h: looped_error(g.detach(), x, h), "no gradient reaches guess"),
        "in place": (lambda g, x, h: looped_error(g.sub_(0.1), x, h), "changes its input"),
    },
    "view_loss": {
        "with itself": (lambda z, p, t: F.cross_entropy(F.normalize(z) @ F.normalize(z).T / t, p, reduction="none"),
                        "always nearest to itself"),
        "dot products": (lambda z, p, t: F.cross_entropy((z @ z.T / t).fill_diagonal_(-torch.inf), p, reduction="none"),
                         "length 1"),
        "halves": (halves, "shape"),
        "averaged": (lambda z, p, t: looped_contrast(z, p, t).mean(), "one number each"),
        "zero on the diagonal": (
            lambda z, p, t: F.cross_entropy((F.normalize(z) @ F.normalize(z).T / t).fill_diagonal_(0), p,
                                            reduction="none"), "One number"),
        "distance": (lambda z, p, t: (F.normalize(z) - F.normalize(z)[p]).square().sum(1) / t, "One number"),
        "no gradient": (lambda z, p, t: looped_contrast(z.detach(), p, t), "no gradient reaches z"),
        "base two": (lambda z, p, t: looped_contrast(z, p, t) / math.log(2), "times"),
    },
    "directions": {
        "uncentred": (lambda z: effective_rank(torch.cat([z, -z])), "take the mean off"),
        "variance": (lambda z: by_squares(z).item(), "shares of the variance"),
        "log": (lambda z: math.log(effective_rank(z)), "this is the entropy"),
        "rank": (lambda z: int(torch.linalg.matrix_rank(z - z.mean(0))), "not exactly empty"),
        "a list": (lambda z: [effective_rank(z)], "xpected"),
        "dimensions": (lambda z: z.shape[1], ""),
        "rows": (lambda z: effective_rank(z.T), ""),
    },
    "siamese": {
        "gradient everywhere": (lambda p, q, a, b: (attract(p, b) + attract(q, a)) / 2, "hold what a guess"),
        "own": (lambda p, q, a, b: (attract(p, a.detach()) + attract(q, b.detach())) / 2, "its own projection"),
        "half": (lambda p, q, a, b: attract(p, b.detach()), "one way is missing"),
        "guesses held": (lambda p, q, a, b: (attract(p.detach(), b.detach()) + attract(q.detach(), a.detach())) / 2,
                         "no gradient reaches guess_a"),
        "negative cosine": (lambda p, q, a, b: -(1 - attract(p, b.detach()) + 1 - attract(q, a.detach())) / 2,
                            "off by the same"),
        "both": (lambda p, q, a, b: attract(p, b.detach()) + attract(q, a.detach()), "halve it"),
        "one number": (lambda p, q, a, b: ((attract(p, b.detach()) + attract(q, a.detach())) / 2).mean(), "shape"),
    },
}  # fmt: skip


def by_squares(z):
    p = torch.linalg.svdvals((z - z.mean(0)).double()).square()
    p = p / p.sum()
    return torch.special.entr(p).sum().exp()
