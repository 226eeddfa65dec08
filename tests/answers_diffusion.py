"""Other right answers to the exercises on diffusion, and wrong ones with words of their hints."""

import torch
import torch.nn.functional as F

from genkit.sampling import guided


def wide(v):
    return v.view(-1, 1, 1, 1)


def loop(x, eps, kept):
    return torch.stack([k**0.5 * a + (1 - k) ** 0.5 * e for a, e, k in zip(x, eps, kept, strict=True)])


RIGHT = {
    "noised": {
        "a loop": loop,
        "einsum": lambda x, e, k: sum(torch.einsum("b,bchw->bchw", v**0.5, y) for v, y in ((k, x), (1 - k, e))),
        "angles": lambda x, e, k: wide(k.sqrt().acos()).cos() * x + wide(k.sqrt().acos()).sin() * e,
        "reshaped": lambda x, e, k: k.sqrt().reshape(-1, 1, 1, 1) * x + (1 - k).sqrt().reshape(-1, 1, 1, 1) * e,
    },
    "denoising_loss": {
        "mse": lambda n, x, e, t, a, s: F.mse_loss(n(a * x + s * e, t), e, reduction="none").mean(1),
        "sum over D": lambda n, x, e, t, a, s: ((e - n(s * e + a * x, t)) ** 2).sum(1) / x.shape[1],
        "norm squared": lambda n, x, e, t, a, s: (n(a * x + s * e, t) - e).norm(dim=1) ** 2 / x.shape[1],
        "dim -1": lambda n, x, e, t, a, s: torch.mean((n(a * x + s * e, t) - e).pow(2), dim=-1),
    },
    "clean_guess": {
        "two quotients": lambda x, e, a, s: x / a - s / a * e,
        "solved": lambda x, e, a, s: (s * e - x) / -a,
        "inverse": lambda x, e, a, s: torch.sub(x, s * e) * a.reciprocal(),
    },
    "ddim_step": {
        "one line": lambda x, e, a, s, b, r: b / a * x + (r - b * s / a) * e,
        "by the ratio": lambda x, e, a, s, b, r: b * (x / a + (r / b - s / a) * e),
        "genkit's formula": lambda x, e, a, s, b, r: b * ((x - s * e) / a) + (r**2).sqrt() * e,
    },
    "guide": {
        "genkit's": lambda n, x, t, c, w: guided(n, w)(x, t, c),
        "lerp": lambda n, x, t, c, w: torch.lerp(n(x, t, None), n(x, t, c), w),
        "two weights": lambda n, x, t, c, w: (1 - w) * n(x, t, None) + w * n(x, t, c),
        "from the other end": lambda n, x, t, c, w: n(x, t, c) + (w - 1) * (n(x, t, c) - n(x, t, None)),
    },
}  # fmt: skip

WRONG = {
    "noised": {
        "no roots": (lambda x, e, k: wide(k) * x + wide(1 - k) * e, "multiplied by square roots"),
        "squares": (lambda x, e, k: wide(k**2) * x + wide(1 - k**2).sqrt() * e, "One number"),
        "swapped": (lambda x, e, k: wide(1 - k).sqrt() * x + wide(k).sqrt() * e, "are exchanged"),
        "one minus the root": (lambda x, e, k: wide(k**0.5) * x + (1 - wide(k**0.5)) * e, "not 1 − √kept"),
        "noise alone": (lambda x, e, k: wide(1 - k).sqrt() * e, "One number"),
        "own noise": (lambda x, e, k: wide(k).sqrt() * x + wide(1 - k).sqrt() * torch.randn_like(x), "chance in it"),
        "minus": (lambda x, e, k: wide(k).sqrt() * x - wide(1 - k).sqrt() * e, "not subtracted"),
        "growing": (lambda x, e, k: x + wide(1 - k).sqrt() * e, "the signal shrinks"),
    },
    "denoising_loss": {
        "clean input": (lambda n, x, e, t, a, s: (n(x, t) - e).square().mean(1), "sees the noisy example"),
        "target x": (lambda n, x, e, t, a, s: (n(a * x + s * e, t) - x).square().mean(1), "guesses the noise"),
        "scaled": (lambda n, x, e, t, a, s: (n(a * x + s * e, t) - s * e).square().mean(1), "eps itself"),
        "sum": (lambda n, x, e, t, a, s: (n(a * x + s * e, t) - e).square().sum(1), "not their sum"),
        "scalar": (lambda n, x, e, t, a, s: F.mse_loss(n(a * x + s * e, t), e), "one number for each example"),
        "root": (lambda n, x, e, t, a, s: (n(a * x + s * e, t) - e).square().mean(1).sqrt(), "One number"),
        "half": (lambda n, x, e, t, a, s: (n(a * x + s * e, t) - e).square().mean(1) / 2, "the right ones times 0.5"),
        "swapped": (lambda n, x, e, t, a, s: (n(s * x + a * e, t) - e).square().mean(1), "alpha belongs to"),
    },
    "clean_guess": {
        "not divided": (lambda x, e, a, s: x - s * e, "divide by alpha"),
        "unscaled": (lambda x, e, a, s: (x - e) / a, "sigma times eps"),
        "plus": (lambda x, e, a, s: (x + s * e) / a, "so subtract it"),
        "exchanged": (lambda x, e, a, s: (x - a * e) / s, "are exchanged"),
        "multiplied": (lambda x, e, a, s: (x - s * e) * a, "Divide by alpha"),
        "clamped": (lambda x, e, a, s: ((x - s * e) / a).clamp(-1, 1), "One number"),
        "detached": (lambda x, e, a, s: ((x - s * e) / a).detach(), "no gradient reaches"),
    },
    "ddim_step": {
        "to the end": (lambda x, e, a, s, b, r: (x - s * e) / a, "jumps to time 0"),
        "no noise": (lambda x, e, a, s, b, r: b * (x - s * e) / a, "there is noise too"),
        "old noise": (lambda x, e, a, s, b, r: b * (x - s * e) / a + s * e, "sigma_s, not sigma_t"),
        "old signal": (lambda x, e, a, s, b, r: x - s * e + r * e, "alpha_s, not alpha_t"),
        "fresh": (lambda x, e, a, s, b, r: b * (x - s * e) / a + r * torch.randn_like(x), "no fresh noise"),
        "variances": (lambda x, e, a, s, b, r: b * (x - s * e) / a + r**2 * e, "One number"),
        "still": (lambda x, e, a, s, b, r: x, "One number"),
    },
    "guide": {
        "paper": (lambda n, x, t, c, w: n(x, t, c) * (1 + w) - w * n(x, t, None), "the paper's weight"),
        "backwards": (lambda n, x, t, c, w: (1 - w) * n(x, t, c) + w * n(x, t, None), "start there"),
        "added": (lambda n, x, t, c, w: n(x, t, None) + w * n(x, t, c), "the difference"),
        "plain": (lambda n, x, t, c, w: n(x, t, c), "W has no effect"),
        "without": (lambda n, x, t, c, w: n(x, t, None), "One number"),
        "the way alone": (lambda n, x, t, c, w: w * (n(x, t, c) - n(x, t, None)), "the way alone"),
        "label zero": (
            lambda n, x, t, c, w: n(x, t, 0 * c) + w * (n(x, t, c) - n(x, t, 0 * c)), "One number",
        ),
    },
}  # fmt: skip
