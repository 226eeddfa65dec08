"""Answers to the exercises on normalising flows: right ones written differently, wrong ones that readers write."""

import math

import torch
from torch.distributions import LogNormal, Normal

from genkit.distributions import standard_normal_log_prob


def stretched_by_autograd(y, mu, sigma):
    """The slope of the way back, from autograd."""
    y = y if y.requires_grad else y.detach().requires_grad_()
    x = y.log()
    slope = torch.autograd.grad(x.sum(), y, create_graph=True)[0]
    return Normal(mu, sigma).log_prob(x) + slope.abs().log()


def uncouple_by_halves(z, network):
    k = z.shape[1] // 2
    out = z.clone()
    said = network(z[:, :k])
    out[:, k:] = (z[:, k:] - said[:, k:]) / torch.exp(said[:, :k])
    return out


def coupling_by_jacobian(x, network):
    def couple(one):
        a, b = one.chunk(2)
        s, t = network(a[None])[0].chunk(2)
        return torch.cat([a, b * s.exp() + t])

    rows = []
    for one in x:
        jacobian = torch.autograd.functional.jacobian(couple, one, create_graph=True)
        rows.append(standard_normal_log_prob(couple(one)) + torch.linalg.slogdet(jacobian).logabsdet)
    return torch.stack(rows)


def coupling_in_parts(x, network):
    k = x.shape[1] // 2
    a, b = x[:, :k], x[:, k:]
    said = network(a)
    s, t = said[:, :k], said[:, k:]
    moved = t + b * torch.exp(s)
    return Normal(0.0, 1.0).log_prob(a).sum(-1) + (Normal(0.0, 1.0).log_prob(moved) + s).sum(-1)


def uncouple_in_place(z, network):
    k = z.shape[1] // 2
    said = network(z[:, :k])
    z[:, k:] = (z[:, k:] - said[:, k:]) * (-said[:, :k]).exp()
    return z


RIGHT = {
    "stretched": {
        "torch's own": lambda y, m, s: LogNormal(m, s).log_prob(y),
        "by autograd": stretched_by_autograd,
        "the slope 1/y": lambda y, m, s: Normal(m, s).log_prob(y.log()) + (1 / y).log(),
        "the density first": lambda y, m, s: (Normal(m, s).log_prob(y.log()).exp() / y).log(),
        "in double precision": lambda y, m, s: LogNormal(m, s).log_prob(y.double()),
    },
    "uncouple": {
        "by slices": uncouple_by_halves,
        "divided": lambda z, n: torch.cat(
            [z[:, : z.shape[1] // 2], (z.chunk(2, 1)[1] - n(z.chunk(2, 1)[0]).chunk(2, 1)[1])
             / n(z.chunk(2, 1)[0]).chunk(2, 1)[0].exp()], dim=-1,
        ),
        "hstack": lambda z, n: (
            lambda a, b, s, t: torch.hstack([a, b * torch.exp(-s) - t * torch.exp(-s)])
        )(*z.chunk(2, 1), *n(z.chunk(2, 1)[0]).chunk(2, 1)),
    },
    "coupling_log_prob": {
        "by the Jacobian": coupling_by_jacobian,
        "in parts": coupling_in_parts,
        "scales' logarithms": lambda x, n: (
            lambda a, b, s, t: standard_normal_log_prob(torch.cat([a, b * s.exp() + t], 1)) + s.exp().prod(1).log()
        )(*x.chunk(2, 1), *n(x.chunk(2, 1)[0]).chunk(2, 1)),
    },
    "lu_log_det": {
        "slogdet of upper": lambda p, lo, u: torch.linalg.slogdet(u.double()).logabsdet,
        "a tensor": lambda p, lo, u: u.diagonal().abs().log().sum(),
        "lower's too": lambda p, lo, u: (lo.diagonal().log().sum() + u.diagonal().abs().log().sum()).item(),
        "squares": lambda p, lo, u: 0.5 * torch.diag(u).square().log().sum().item(),
        "a loop": lambda p, lo, u: sum(math.log(abs(u[i, i])) for i in range(len(u))),
        "slogdet of W": lambda p, lo, u: torch.linalg.slogdet((p @ lo @ u).double()).logabsdet.item(),
    },
    "uniform_bound": {
        "a loop": lambda p, k, d: sum(row - d * math.log(k) for row in p) / len(p),
        "plus a negative": lambda p, k, d: torch.mean(p, dim=0) + d * math.log(1 / k),
        "a power": lambda p, k, d: (p - math.log(k**d)).mean(0) if d < 100 else p.mean(0) - d * math.log(k),
    },
}  # fmt: skip


def _couple(x, n):
    a, b = x.chunk(2, 1)
    s, t = n(a).chunk(2, 1)
    return a, b, s, t


# wrong answer: (function, words of the hint it must get)
WRONG = {
    "stretched": {
        "torch's Gaussian of y": (lambda y, m, s: Normal(m, s).log_prob(y), ""),
        "torch's Gaussian of x": (lambda y, m, s: Normal(m, s).log_prob(y.log()), "the slope is missing"),
        "plus log y": (lambda y, m, s: Normal(m, s).log_prob(y.log()) + torch.log(y), "where exp stretches"),
        "right for sigma = 1": (lambda y, m, s: Normal(m, 1.0).log_prob(y.log()) - y.log(), ""),
        "right for mu = 0": (lambda y, m, s: Normal(0.0, s).log_prob(y.log()) - y.log(), ""),
        "decimal": (lambda y, m, s: Normal(m, s).log_prob(y.log10()) - y.log10(), ""),
        "a floor": (lambda y, m, s: LogNormal(m, s).log_prob(y.clamp(min=0.5)), ""),
        "the sum": (lambda y, m, s: LogNormal(m, s).log_prob(y).sum(), "shape"),
        "detached": (lambda y, m, s: LogNormal(m, s).log_prob(y.detach()), "no gradient reaches y"),
        "the slope cut off": (lambda y, m, s: Normal(m, s).log_prob(y.log()) - y.log().detach(), "its gradient"),
        "the density": (lambda y, m, s: LogNormal(m, s).log_prob(y).exp(), "its logarithm is wanted"),
    },
    "uncouple": {
        "the way there": (
            lambda z, n: (lambda a, b, s, t: torch.cat([a, b * s.exp() + t], 1))(*_couple(z, n)),
            "this is the coupling itself",
        ),
        "nothing": (lambda z, n: z, ""),
        "a moved too": (
            lambda z, n: (lambda a, b, s, t: (torch.cat([a, b], 1) - t.repeat(1, 2)) * (-s).exp().repeat(1, 2))(
                *_couple(z, n)
            ),
            "",
        ),
        "in place": (uncouple_in_place, "in place"),
        "softplus": (
            lambda z, n: (lambda a, b, s, t: torch.cat([a, (b - t) / torch.nn.functional.softplus(s)], 1))(
                *_couple(z, n)
            ),
            "",
        ),
        "rows first": (
            lambda z, n: (lambda a, b, s, t: torch.cat([a, (b - t) * (-s).exp()], 0))(*_couple(z, n)),
            "expected shape",
        ),
        "detached": (lambda z, n: uncouple_by_halves(z, n).detach(), "no gradient reaches z"),
        "the network cut off": (
            lambda z, n: (lambda a, b, s, t: torch.cat([a, (b - t.detach()) * (-s.detach()).exp()], 1))(*_couple(z, n)),
            "its gradient is not",
        ),
        "a step of clamping": (
            lambda z, n: (lambda a, b, s, t: torch.cat([a, (b - t) * (-s.clamp(-0.5, 0.5)).exp()], 1))(*_couple(z, n)),
            "",
        ),
    },
    "coupling_log_prob": {
        "Gaussian of z": (
            lambda x, n: coupling_in_parts(x, n) - _couple(x, n)[2].sum(1),
            "the log-determinant of the way there is missing",
        ),
        "subtracted": (lambda x, n: coupling_in_parts(x, n) - 2 * _couple(x, n)[2].sum(1), "the sign of the log-det"),
        "everything": (lambda x, n: coupling_in_parts(x, n).mean(), "over which axes"),
        "t counted": (lambda x, n: coupling_in_parts(x, n) + _couple(x, n)[3].sum(1), ""),
        "twice": (lambda x, n: coupling_in_parts(x, n) + _couple(x, n)[2].sum(1), ""),
        "absolute": (
            lambda x, n: coupling_in_parts(x, n) - _couple(x, n)[2].sum(1) + _couple(x, n)[2].abs().sum(1), "",
        ),
        "detached": (lambda x, n: coupling_in_parts(x, n).detach(), "no gradient reaches x"),
        "s cut off": (
            lambda x, n: coupling_in_parts(x, n) - _couple(x, n)[2].sum(1) + _couple(x, n)[2].sum(1).detach(),
            "its gradient is not",
        ),
        "per coordinate": (lambda x, n: coupling_in_parts(x, n) / x.shape[1], ""),
        "kept axis": (lambda x, n: coupling_in_parts(x, n)[:, None], "an axis too many"),
    },
    "lu_log_det": {
        "torch's det": (lambda p, lo, u: torch.det(p @ lo @ u).abs().log().item(), "right for small D"),
        "torch's logdet": (lambda p, lo, u: torch.logdet(p @ lo @ u).item(), ""),
        "of the product": (lambda p, lo, u: math.log(abs(torch.det(p @ lo @ u).item()) + 1e-30), ""),
        "decimal": (lambda p, lo, u: u.diagonal().abs().log10().sum().item(), ""),
        "the sign": (lambda p, lo, u: torch.linalg.slogdet(u)[0].item(), ""),
        "p too": (lambda p, lo, u: u.diagonal().abs().log().sum().item() + p.sum().item(), ""),
        "clamped": (lambda p, lo, u: u.diagonal().clamp(min=1e-6).log().sum().item(), ""),
        "the determinant": (lambda p, lo, u: u.diagonal().abs().prod().item(), ""),
        "a list": (lambda p, lo, u: [u.diagonal().abs().log().sum().item()], "received"),
    },
    "uniform_bound": {
        "the density's mean": (lambda p, k, d: torch.mean(p, 0), "this is a density"),
        "right for one draw": (lambda p, k, d: p[0] - d * math.log(k), ""),
        "17 levels": (lambda p, k, d: p.mean(0) - d * math.log(17), ""),
        "64 pixels": (lambda p, k, d: p.mean(0) - 64 * math.log(k), ""),
        "256 levels": (lambda p, k, d: p.mean(0) - d * math.log(256), ""),
        "median": (lambda p, k, d: p.median(0).values - d * math.log(k), ""),
        "detached": (lambda p, k, d: p.detach().mean(0) - d * math.log(k), "no gradient reaches log_p"),
        "kept axis": (lambda p, k, d: p.mean(0, keepdim=True) - d * math.log(k), "keepdim"),
        "a level's height": (lambda p, k, d: p.mean(0) - d / k, ""),
        "probabilities": (lambda p, k, d: (p.mean(0) - d * math.log(k)).exp(), ""),
    },
}  # fmt: skip
