"""Other right answers to the exercises on energies and discrete codes, and wrong ones with words of their hints."""

import math

import torch
import torch.nn.functional as F
from torch.distributions import Categorical

from genkit.models.vq import nearest, straight_through


def loop_nearest(z, codebook):
    found = []
    for row in z:
        distances = [((row - code) ** 2).sum().item() for code in codebook]
        found.append(distances.index(min(distances)))
    return torch.tensor(found)


class Jump(torch.autograd.Function):
    """The jump as a function with a gradient of its own."""

    @staticmethod
    def forward(ctx, z, e):
        return e.clone()

    @staticmethod
    def backward(ctx, g):
        return g, None


def counted(codes, size):
    seen = codes.flatten().tolist()
    return math.exp(-sum(seen.count(k) / len(seen) * math.log(seen.count(k) / len(seen)) for k in set(seen)))


def by_backward(x, energy, step, noise):
    at = x.clone().requires_grad_(True)
    energy(at).sum().backward()
    return x - 0.5 * step * step * at.grad + step * noise


def gradient(x, energy):
    at = x.detach().requires_grad_()
    return torch.autograd.grad(energy(at).sum(), at)[0]


RIGHT = {
    "nearest_code": {
        "a loop": loop_nearest,
        "cdist": lambda z, e: torch.cdist(z, e).argmin(dim=1),
        "the square written out": lambda z, e: (e.pow(2).sum(1) - 2 * z @ e.T).argmin(1),
        "genkit's": nearest,
        "min of squares": lambda z, e: ((z.unsqueeze(1) - e.unsqueeze(0)) ** 2).sum(-1).min(1).indices,
    },
    "jump": {
        "genkit's": straight_through,
        "from the other end": lambda z, e: e.detach() + z - z.detach(),
        "a function of its own": Jump.apply,
        "detached codes first": lambda z, e: z - z.detach() + e.detach(),
    },
    "commitment": {
        "mse": lambda z, e, b: b * F.mse_loss(z, e.detach(), reduction="none").sum(1),
        "norm squared": lambda z, e, b: b * torch.linalg.vector_norm(z - e.detach(), dim=1) ** 2,
        "einsum": lambda z, e, b: b * torch.einsum("bd,bd->b", z - e.detach(), z - e.detach()),
        "data": lambda z, e, b: (b * (e.data - z) ** 2).sum(dim=-1),
    },
    "used_codes": {
        "counted": counted,
        "torch's entropy": lambda c, k: Categorical(c.flatten().bincount(minlength=k).float()).entropy().exp().item(),
        "a tensor": lambda c, k: Categorical(probs=c.flatten().bincount(minlength=k).double()).entropy().exp(),
        "xlogy": lambda c, k: (
            -torch.special.xlogy(*(2 * [c.flatten().bincount(minlength=k) / c.numel()])).sum()
        ).exp().item(),
        "product": lambda c, k: math.prod(
            (n / c.numel()) ** (-n / c.numel()) for n in c.flatten().bincount().tolist() if n
        ),
    },
    "langevin_step": {
        "backward": by_backward,
        "a half in front": lambda x, f, s, n: x + s * n - 0.5 * s * s * gradient(x, f),
        "factored": lambda x, f, s, n: x + s * (n - s / 2 * gradient(x, f)),
        "functional": lambda x, f, s, n: (
            x - s**2 / 2 * torch.func.grad(lambda y: f(y).sum())(x) + s * n
        ),
    },
    "contrast": {
        "means one by one": lambda f, x, y, a: (
            f(x).mean() - f(y).mean() + a * f(x).pow(2).mean() + a * f(y).square().mean()
        ),
        "together": lambda f, x, y, a: (
            (f(torch.cat([x, y])) * torch.tensor([1.0, -1.0]).repeat_interleave(len(x))).sum() / len(x)
            + 2 * a * (f(torch.cat([x, y])) ** 2).mean()
        ),
        "sum over length": lambda f, x, y, a: (
            sum(u - v + a * (u * u + v * v) for u, v in zip(f(x), f(y), strict=True)) / len(x)
        ),
    },
}  # fmt: skip

WRONG = {
    "nearest_code": {
        "farthest": (lambda z, e: torch.cdist(z, e).argmax(1), "This is the farthest"),
        "largest product": (lambda z, e: torch.matmul(z, e.t()).argmax(-1), "favours long codes"),
        "distance": (lambda z, e: torch.cdist(z, e).amin(1), "This is the distance"),
        "other axis": (lambda z, e: torch.cdist(z, e).argmin(0), "nearest vector of each code"),
        "vector": (lambda z, e: e[nearest(z, e)], "the code itself"),
        "first": (lambda z, e: torch.zeros(len(z), dtype=torch.int64), "One number"),
        "column": (lambda z, e: nearest(z, e)[:, None], "Expected shape"),
        "one hot": (lambda z, e: F.one_hot(nearest(z, e), len(e)), "Expected shape"),
        "plus one": (lambda z, e: nearest(z, e) + 1, "off by the same"),
        "a list": (lambda z, e: nearest(z, e).tolist(), "Expected a tensor"),
    },
    "jump": {
        "e": (lambda z, e: e.detach(), "no gradient reaches z"),
        "e with its gradient": (lambda z, e: e, "a gradient reaches the codes"),
        "z": (lambda z, e: z, "The value must be the code's"),
        "no stop": (lambda z, e: z + (e - z), "a gradient reaches the codes"),
        "wrong stop": (lambda z, e: z.detach() + (e - z.detach()), "a gradient reaches the codes"),
        "halfway": (lambda z, e: z + 0.5 * (e - z).detach(), "halfway is neither"),
        "twice the gradient": (lambda z, e: 2 * z + (e - 2 * z).detach(), "its gradient is not"),
    },
    "commitment": {
        "no stop": (lambda z, e, b: b * (z - e).square().sum(1), "a gradient reaches the codes"),
        "wrong stop": (lambda z, e, b: b * (z.detach() - e).square().sum(1), "a gradient reaches the codes"),
        "both stopped": (lambda z, e, b: b * (z - e).detach().square().sum(1), "no gradient reaches z"),
        "mean": (lambda z, e, b: b * F.mse_loss(z, e.detach(), reduction="none").mean(1), "no mean"),
        "no beta": (lambda z, e, b: ((z - e.detach()) ** 2).sum(1), "Multiply by beta"),
        "a number": (lambda z, e, b: (b * (z - e.detach()) ** 2).sum(), "one number for each row"),
        "kept": (lambda z, e, b: b * (z - e.detach()).square().sum(1, keepdim=True), "Expected shape"),
    },
    "used_codes": {
        "entropy": (lambda c, k: math.log(counted(c, k)), "its exponential"),
        "how many": (lambda c, k: torch.unique(c).numel() * 1.0, "counts the codes that occur"),
        "share": (lambda c, k: counted(c, k) / k, "do not divide by the size"),
        "bits": (lambda c, k: math.log2(counted(c, k)), "Expected"),
        "largest": (lambda c, k: 1 / (c.flatten().bincount().max() / c.numel()).item(), "Expected"),
        "simpson": (lambda c, k: 1 / ((c.flatten().bincount() / c.numel()) ** 2).sum().item(), "Expected"),
        "a list": (lambda c, k: [counted(c, k)], "Expected"),
    },
    "langevin_step": {
        "uphill": (lambda x, f, s, n: x + s**2 / 2 * gradient(x, f) + s * n, "walks uphill"),
        "no half": (lambda x, f, s, n: x - s**2 * gradient(x, f) + s * n, "step² / 2"),
        "noise alone": (lambda x, f, s, n: x + s * n, "One number"),
        "noise unscaled": (lambda x, f, s, n: x - s**2 / 2 * gradient(x, f) + n, "the noise is multiplied by step"),
        "own noise": (
            lambda x, f, s, n: x - s**2 / 2 * gradient(x, f) + s * torch.randn_like(x), "chance in it",
        ),
        "energy for slope": (lambda x, f, s, n: x - s**2 / 2 * f(x)[:, None] + s * n, "One number"),
        "minus noise": (lambda x, f, s, n: x - s**2 / 2 * gradient(x, f) - s * n, "One number"),
        "mean": (
            lambda x, f, s, n: x - s**2 / 2 * gradient(x, lambda y: f(y) / len(y)) + s * n, "One number",
        ),
    },
    "contrast": {
        "swapped": (lambda f, x, y, a: f(y).mean() - f(x).mean() + a * (f(x) ** 2 + f(y) ** 2).mean(), "swap them"),
        "gap squared": (lambda f, x, y, a: (f(x) - f(y)).mean() + a * ((f(x) - f(y)) ** 2).mean(), "each energy on"),
        "no squares": (lambda f, x, y, a: f(x).mean() - f(y).mean(), "are missing"),
        "detached draws": (
            lambda f, x, y, a: (f(x) - f(y).detach() + a * (f(x) ** 2 + f(y).detach() ** 2)).mean(),
            "no gradient reaches drawn",
        ),
        "rows": (lambda f, x, y, a: f(x) - f(y) + a * (f(x) ** 2 + f(y) ** 2), "take the mean"),
        "absolute": (lambda f, x, y, a: (f(x) - f(y) + a * (f(x).abs() + f(y).abs())).mean(), "One number"),
        "exponential": (lambda f, x, y, a: (f(x).exp() - f(y).exp()).mean(), "One number"),
    },
}  # fmt: skip
