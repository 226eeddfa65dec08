"""Small changes to a training batch that leave its meaning alone. Each is a function of (x, c)."""

import torch
import torch.nn.functional as F
from torch import Tensor

Augmented = tuple[Tensor, Tensor | None]


def binarise(x: Tensor, c: Tensor | None = None) -> Augmented:
    """Toss a coin for every pixel of ``x`` in [0, 1]: dynamic binarisation, new in every step.

    Salakhutdinov & Murray (2008), section 6.

    >>> binarise(torch.tensor([[0.0, 1.0]]))[0]
    tensor([[0., 1.]])
    """
    return torch.bernoulli(x), c


def shift(x: Tensor, c: Tensor | None = None, *, probability: float = 0.2) -> Augmented:
    """Move images of shape (B, C, H, W) by one pixel, in each axis with ``probability`` · 2/3; black comes in.

    >>> x = torch.rand(4, 1, 8, 8)
    >>> shift(x, probability=0.0)[0].equal(x)
    True
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability: expected a number in [0, 1], received {probability}")
    b, _, h, w = x.shape
    step = torch.randint(-1, 2, (2, b), device=x.device) * (torch.rand(2, b, device=x.device) < probability)
    row = torch.arange(h, device=x.device) + 1 + step[0, :, None]  # (B, H), into the padded image
    column = torch.arange(w, device=x.device) + 1 + step[1, :, None]  # (B, W)
    padded = F.pad(x, (1, 1, 1, 1))
    image = torch.arange(b, device=x.device)[:, None, None]
    return padded[image, :, row[:, :, None], column[:, None, :]].permute(0, 3, 1, 2), c
