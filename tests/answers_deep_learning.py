"""Other right answers to the exercises on deep networks, and wrong ones with words of their hints."""

import math

import torch
import torch.nn.functional as F


def loop_neuron(x, w, b):
    sums = [sum(float(v) * float(u) for v, u in zip(row, w, strict=True)) + b for row in x]
    return torch.tensor([1 / (1 + math.exp(-s)) for s in sums])


def by_autograd(which):
    def slope(h, w, b, upstream):
        leaves = [t.clone().requires_grad_() for t in (h, w)]
        (F.relu(leaves[0] @ leaves[1] + b) * upstream).sum().backward()
        return leaves[which].grad

    return slope


def outer(h, w, b, u):
    total = torch.zeros_like(w)
    for row, above in zip(h, u, strict=True):
        total += torch.outer(row, above * (row @ w + b > 0))
    return total


def moments(g, m, s, t, rate):
    m, s = m.lerp(g, 0.1), s.lerp(g * g, 0.001)
    return -rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (s.sqrt() + 1e-8 * math.sqrt(1 - 0.999**t))


def unfolded(x, w):
    k = len(w)
    patches = F.unfold(x[None, None], k)[0]
    return (w.flatten() @ patches).view(x.shape[0] - k + 1, -1)


def windows(x, w):
    k = len(w)
    return torch.einsum("abij,ij->ab", x.unfold(0, k, 1).unfold(1, k, 1), w)


def delta(h, w, b, u):
    return u * (h @ w + b > 0)


def torch_adam(g, m, s, t, rate):
    p = torch.zeros_like(g).requires_grad_()
    mover = torch.optim.Adam([p], lr=rate)
    p.grad = g.clone()
    mover.state[p] = {"step": torch.tensor(float(t - 1)), "exp_avg": m.clone(), "exp_avg_sq": s.clone()}
    mover.step()
    return p.detach()


RIGHT = {
    "neuron": {
        "a loop": loop_neuron,
        "written out": lambda x, w, b: 1 / (1 + torch.exp(-(x * w).sum(1) - b)),
        "linear": lambda x, w, b: F.linear(x, w[None])[:, 0].add(b).sigmoid(),
        "by tanh": lambda x, w, b: 0.5 + 0.5 * torch.tanh((x @ w + b) / 2),
    },
    "layer_weights": {
        "autograd": by_autograd(1),
        "one example after another": outer,
        "einsum": lambda h, w, b, u: torch.einsum("ni,no->io", h, torch.where(h @ w + b > 0, u, 0.0)),
        "by the output": lambda h, w, b, u: h.mT @ (u * F.relu(h @ w + b).sign()),
    },
    "layer_inputs": {
        "autograd": by_autograd(0),
        "einsum": lambda h, w, b, u: torch.einsum("no,io->ni", u * (h @ w + b > 0), w),
        "by heaviside": lambda h, w, b, u: (u * torch.heaviside(h @ w + b, torch.tensor(0.0))) @ w.mT,
        "linear": lambda h, w, b, u: F.linear(torch.where(h @ w + b > 0, u, 0.0), w),
    },
    "adam_step": {
        "lerp": moments,
        "torch's": torch_adam,
        "written in one": lambda g, m, s, t, r: (
            -r * ((0.9 * m + g / 10) / (1 - 0.9**t)) / (((0.999 * s + g * g / 1000) / (1 - 0.999**t)) ** 0.5 + 1e-8)
        ),
    },
    "convolve": {
        "conv2d": lambda x, w: F.conv2d(x[None, None], w[None, None])[0, 0],
        "unfold": unfolded,
        "windows": windows,
        "a loop over places": lambda x, w: torch.tensor(
            [
                [(x[i : i + len(w), j : j + len(w)] * w).sum().item() for j in range(x.shape[1] - len(w) + 1)]
                for i in range(x.shape[0] - len(w) + 1)
            ]
        ),
    },
}

WRONG = {
    "neuron": {
        "kept dimension": (lambda x, w, b: torch.sigmoid(x @ w[:, None] + b), "keepdim"),
        "all in one": (lambda x, w, b: torch.sigmoid((x @ w + b).sum()), "over which axes"),
        "logarithm": (lambda x, w, b: F.logsigmoid(x @ w + b), "one number should be"),
        "a list": (lambda x, w, b: (x @ w + b).sigmoid().tolist(), "received list"),
        "bias twice": (lambda x, w, b: (x @ w + 2 * b).sigmoid(), "one number should be"),
        "relu instead": (lambda x, w, b: torch.clamp(x @ w + b, min=0), "a sigmoid one"),
        "mean": (lambda x, w, b: ((x * w).mean(1) + b).sigmoid(), "one number should be"),
        "nothing": (lambda x, w, b: None, "return line"),
    },
    "layer_weights": {
        "unbent": (lambda h, w, b, u: torch.einsum("ni,no->io", h, u), "nothing passes"),
        "in the inputs": (lambda h, w, b, u: delta(h, w, b, u) @ w.mT, "the one in w"),
        "averaged": (lambda h, w, b, u: torch.einsum("ni,no->nio", h, delta(h, w, b, u)).mean(0), "mean is already"),
        "per example": (lambda h, w, b, u: torch.einsum("ni,no->nio", h, delta(h, w, b, u)), "expected shape"),
        "a step": (lambda h, w, b, u: w - h.T @ delta(h, w, b, u), "one number should be"),
        "downhill": (lambda h, w, b, u: -h.T @ delta(h, w, b, u), "one number should be"),
        "squares": (lambda h, w, b, u: (h.T**2) @ delta(h, w, b, u), "one number should be"),
        "in place": (lambda h, w, b, u: h.T @ u.mul_(h @ w + b > 0), "in place"),
    },
    "layer_inputs": {
        "unbent": (lambda h, w, b, u: torch.einsum("no,io->ni", u, w), "nothing passes"),
        "in the weights": (lambda h, w, b, u: h.mT @ delta(h, w, b, u), "the one in h"),
        "not transposed": (lambda h, w, b, u: delta(h, w, b, u), ""),
        "downhill": (lambda h, w, b, u: -delta(h, w, b, u) @ w.T, "times -1"),
        "summed": (lambda h, w, b, u: (delta(h, w, b, u) @ w.T).sum(0), "over which axes"),
        "halved": (lambda h, w, b, u: delta(h, w, b, u) @ w.T / 2, "times 0.5"),
        "input bent too": (lambda h, w, b, u: (delta(h, w, b, u) @ w.T) * (h > 0), "one number should be"),
        "in place": (lambda h, w, b, u: u.mul_(h @ w + b > 0) @ w.T, "in place"),
    },
    "adam_step": {
        "not corrected": (
            lambda g, m, s, t, r: -r * (0.9 * m + 0.1 * g) / ((0.999 * s + 0.001 * g * g).sqrt() + 1e-8), "too small",
        ),
        "rates exchanged": (
            lambda g, m, s, t, r: (
                -r * ((0.999 * m + 0.001 * g) / (1 - 0.999**t))
                / (((0.9 * s + 0.1 * g * g) / (1 - 0.9**t)).sqrt() + 1e-8)
            ), "one number should be",
        ),
        "signs": (lambda g, m, s, t, r: -r * g.sign(), "one number should be"),
        "no rate": (lambda g, m, s, t, r: torch_adam(g, m, s, t, 1.0), "one number should be"),
        "positive": (lambda g, m, s, t, r: -torch_adam(g, m, s, t, r), "uphill"),
        "the new weight": (lambda g, m, s, t, r: 1 + torch_adam(g, m, s, t, r), "one number should be"),
        "squared mean": (
            lambda g, m, s, t, r: (
                -r * ((0.9 * m + 0.1 * g) / (1 - 0.9**t)) / ((0.9 * m + 0.1 * g).abs() / (1 - 0.9**t) + 1e-8)
            ), "one number should be",
        ),
        "in place": (lambda g, m, s, t, r: (m.mul_(0.9).add_(0.1 * g), torch_adam(g, m, s, t, r))[1], "in place"),
    },
    "convolve": {
        "upside down": (lambda x, w: windows(x, torch.rot90(w, 2)), "half a circle"),
        "with an edge": (
            lambda x, w: F.conv2d(F.pad(x, (1, 1, 1, 1))[None, None], w[None, None])[0, 0], "expected shape",
        ),
        "stride": (lambda x, w: F.conv2d(x[None, None], w[None, None], stride=2)[0, 0], ""),
        "averaged": (lambda x, w: windows(x, w) / w.numel(), "do not average"),
        "one axis left": (lambda x, w: F.conv2d(x[None, None], w[None, None])[0], "keepdim"),
        "first row only": (lambda x, w: windows(x, torch.cat([w[:1], 0 * w[1:]])), "one number should be"),
        "flipped once": (lambda x, w: windows(x, w.flip(0)), "one number should be"),
        "in place": (lambda x, w: windows(x.mul_(2), w) / 2, "in place"),
    },
}  # fmt: skip
