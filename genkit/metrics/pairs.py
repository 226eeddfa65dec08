"""Translations held against the truth: error of pixels, overlap of classes, and a baseline that knows only colours."""

import torch
from torch import Tensor

from ..base import Estimate


def pixel_error(x: Tensor, truth: Tensor) -> Estimate:
    """Return the mean absolute difference of pictures in [0, 1] from the true ones, both of shape (N, C, H, W).

    >>> pixel_error(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.25))
    Estimate(0.25 ± 0.00, estimate)
    """
    if x.shape != truth.shape:
        raise ValueError(f"x: expected the shape of truth {tuple(truth.shape)}, received {tuple(x.shape)}")
    return Estimate.mean((x - truth).abs().flatten(1).mean(1))


def iou(found: Tensor, truth: Tensor, k: int) -> Estimate:
    r"""Return the intersection over union of class ``k`` over all pixels, from classes of shape (N, H, W), int64.

    .. math:: \mathrm{IoU} = \frac{|\text{found} \cap \text{true}|}{|\text{found} \cup \text{true}|}

    1 is perfect, 0 no pixel in common. The standard error is that of a ratio over pictures, by the delta method.

    >>> iou(torch.tensor([[[1, 1, 0]], [[0, 0, 0]]]), torch.tensor([[[0, 1, 1]], [[0, 0, 0]]]), 1).value
    0.3333333333333333
    """
    if found.shape != truth.shape:
        raise ValueError(f"found: expected the shape of truth {tuple(truth.shape)}, received {tuple(found.shape)}")
    a, b = (found == k).flatten(1), (truth == k).flatten(1)
    both, either = (a & b).sum(1).double(), (a | b).sum(1).double()
    if either.sum() == 0:
        raise ValueError(f"k: expected a class that occurs, received {k}")
    ratio = both.sum() / either.sum()
    if len(both) < 2:
        return Estimate(ratio.item())
    spread = (both - ratio * either).std() * len(both) ** 0.5 / either.sum()
    return Estimate(ratio.item(), spread.item())


def histogram_matched(source: Tensor, reference: Tensor) -> Tensor:
    """Return the source pictures with the colours of the reference pictures: in each channel, rank for rank.

    The darkest red of all sources becomes the darkest red of all references, and so on up: the best that a curve for
    each channel can do to make the histograms agree. Shapes (N, C, H, W) and (M, C, H, W).

    >>> source, reference = torch.tensor([0.1, 0.9]), torch.tensor([5.0, 2.0])
    >>> histogram_matched(source.view(2, 1, 1, 1), reference.view(2, 1, 1, 1)).flatten()
    tensor([2., 5.])
    """
    if source.ndim != 4 or reference.ndim != 4 or source.shape[1] != reference.shape[1]:
        shapes = f"{tuple(source.shape)} and {tuple(reference.shape)}"
        raise ValueError(f"source, reference: expected shapes (N, C, H, W) and (M, C, H, W), received {shapes}")
    out = torch.empty_like(source)
    for channel in range(source.shape[1]):
        values, order = source[:, channel].flatten(), reference[:, channel].flatten().sort().values
        place = torch.searchsorted(values.sort().values, values)  # equal pixels stay equal
        out[:, channel] = order[place * len(order) // len(values)].view_as(out[:, channel])
    return out
