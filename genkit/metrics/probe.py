"""What can be read from one place of a layer: linear probes, and the direction of the edge that lies there."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base import Estimate


def probe(train: Tensor, labels: Tensor, test: Tensor, truth: Tensor) -> Estimate:
    """Return the held-out accuracy of a linear classifier of features, scikit-learn's linear discriminant.

    Arguments
        train, test: features, shapes (N, D) and (M, D).
        labels, truth: their classes, int64 of shapes (N,) and (M,).

    >>> x, y = torch.arange(20.0)[:, None], (torch.arange(20) >= 10).long()
    >>> probe(x, y, x, y).value
    1.0
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    if len(train) != len(labels) or len(test) != len(truth):
        sizes = (len(train), len(labels), len(test), len(truth))
        raise ValueError(f"labels: expected one for each row of features, received {sizes}")
    judge = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3).fit(train.numpy(), labels.numpy())
    return Estimate.mean(torch.tensor(judge.predict(test.numpy()) == truth.numpy()).double())


def edges(x: Tensor, window: int = 5) -> tuple[Tensor, Tensor]:
    r"""Return the direction in [0, π) in which an edge runs at every pixel, and how clear it is, both (B, H, W).

    The direction is across the main axis of the structure tensor, :math:`\sum g g^\top` of the grey's slopes g in a
    window; clarity is 0 where slopes point everywhere and 1 where they share one axis (Bigün & Granlund 1987), times
    the root of their mean square.

    Arguments
        x: grey pictures, shape (B, 1, H, W).
        window: pixels across, odd.

    >>> stripes = torch.arange(8.0).remainder(2).expand(1, 1, 8, 8)  # upright
    >>> round(edges(stripes.repeat_interleave(2, -1))[0][0, 4, 8].item(), 3) == round(torch.pi / 2, 3)
    True
    """
    if x.ndim != 4 or x.shape[1] != 1:
        raise ValueError(f"x: expected grey pictures of shape (B, 1, H, W), received {tuple(x.shape)}")
    if window % 2 == 0:
        raise ValueError(f"window: expected an odd number of pixels, received {window}")
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    g = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), torch.stack([sobel, sobel.T])[:, None])
    products = torch.stack([g[:, 0] ** 2, g[:, 1] ** 2, g[:, 0] * g[:, 1]], 1)
    xx, yy, xy = F.avg_pool2d(products, window, stride=1, padding=window // 2).unbind(1)
    across = 0.5 * torch.atan2(2 * xy, xx - yy)
    size = (xx + yy).clamp(min=1e-12)
    clear = torch.hypot(xx - yy, 2 * xy) / size * size.sqrt()
    return (across + torch.pi / 2) % torch.pi, clear
