"""What can be read off a picture of a letter without any model: how thick its strokes are, and how far it leans."""

import torch
import torch.nn.functional as F
from torch import Tensor


def stroke_width(x: Tensor) -> Tensor:
    r"""Return the mean width of the strokes of light pictures on black, in pixels: shape (N,).

    .. math:: w = 2 \sum_{ij} x_{ij} \Big/ \sum_{ij} \lVert \nabla x_{ij} \rVert

    The sum above is the area of the ink. The one below is the length of its outline, as total variation (Rudin, Osher &
    Fatemi 1992); a long stroke has two sides. Pictures have shape (N, 1, H, W), in [0, 1].

    >>> bar = torch.zeros(1, 1, 40, 40)
    >>> bar[..., 2:38, 10:13] = 1  # three pixels wide
    >>> round(stroke_width(bar).item(), 1)
    2.8
    """
    _pictures(x)
    padded = F.pad(x, (1, 1, 1, 1))
    here = padded[..., :-1, :-1]
    slopes = (padded[..., 1:, :-1] - here).square() + (padded[..., :-1, 1:] - here).square()
    return 2 * x.flatten(1).sum(1) / slopes.sqrt().flatten(1).sum(1)


def lean(x: Tensor) -> Tensor:
    r"""Return how far pictures lean to the right, in pixels sideways per pixel upwards: shape (N,).

    .. math:: s = \mathrm{cov}(u, v) / \mathrm{var}(v)

    It is the slope of the line that best tells the place to the right u from the height v, over the ink. A letter that
    is not symmetric has a lean of its own when upright, so differences between pictures of one letter are what counts.
    Pictures have shape (N, 1, H, W), in [0, 1].

    >>> x = torch.eye(9).flip(0).view(1, 1, 9, 9)  # the diagonal /
    >>> lean(x)
    tensor([1.])
    """
    _pictures(x)
    height, width = x.shape[-2:]
    v, u = torch.meshgrid(-torch.arange(height, dtype=x.dtype), torch.arange(width, dtype=x.dtype), indexing="ij")
    ink = x.flatten(1)
    share = ink / ink.sum(1, keepdim=True)
    u = u.flatten() - (share @ u.flatten())[:, None]  # (N, H·W), about the middle of the ink
    v = v.flatten() - (share @ v.flatten())[:, None]
    return (share * u * v).sum(1) / (share * v * v).sum(1)


def _pictures(x: Tensor) -> None:
    if x.ndim != 4 or x.shape[1] != 1:
        raise ValueError(f"x: expected grey pictures of shape (N, 1, H, W), received {tuple(x.shape)}")
    if not (x.flatten(1).sum(1) > 0).all():
        raise ValueError("x: expected pictures with ink, received an empty one")
