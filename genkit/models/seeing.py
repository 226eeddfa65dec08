"""A small convolutional classifier to look into: six layers that can be asked one by one, for pictures of any size.

It is no distribution over pictures: it has a loss, which is all that the trainer asks for, and nothing to draw from.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player, Terms

LAYERS = ("layer1", "layer2", "layer3", "layer4", "layer5", "layer6")


class Seer(nn.Module):
    r"""Six convolutions, each normalised and cut off at 0 (ReLU), with means of 2 × 2 places after two of them.

    .. math:: p_\theta(y \mid x) = \mathrm{softmax}\Big(W\, \frac{1}{M} \sum_i F^6_{\cdot i}(x) + b\Big)

    :math:`F^6_{\cdot i}` are the channels of the sixth layer at place i of M: a mean over places, so that a picture may
    have any size. The layers are modules called ``layer1`` to ``layer6``; a place of theirs sees 3, 5, 10, 14, 24 and
    32 pixels across. The shape is that of Simonyan & Zisserman (2015), in small, with means in place of maxima, as
    Gatys et al. (2016) use it.

    Arguments
        classes: how many.
        width: channels of the first two layers; the next pairs have twice and four times as many.

    >>> Seer(classes=10)(torch.rand(2, 3, 48, 48)).shape
    torch.Size([2, 10])
    """

    likelihood = "none"

    def __init__(self, classes: int, width: int = 16):
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes: expected at least 2, received {classes}")
        if width < 1:
            raise ValueError(f"width: expected at least 1, received {width}")
        parts, before = OrderedDict(), 3
        for i, name in enumerate(LAYERS):
            after = width * 2 ** (i // 2)
            filters = nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect", bias=False)
            nn.init.kaiming_normal_(filters.weight)  # He et al. (2015): untrained answers are as large as the input
            parts[name] = nn.Sequential(filters, nn.BatchNorm2d(after), nn.ReLU())
            if i in (1, 3):
                parts[f"mean{name[-1]}"] = nn.AvgPool2d(2)
            before = after
        self.body = nn.Sequential(parts)
        self.head = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return class logits, shape (B, classes), of pictures of shape (B, 3, H, W) in [0, 1]; H and W at least 8."""
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < 8:
            raise ValueError(
                f"x: expected pictures of shape (B, 3, H, W) of 8 pixels and more, received {tuple(x.shape)}"
            )
        return self.head(self.body(2 * x - 1).mean((2, 3)))

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the cross-entropy of the classes in nats, shape (B,), and how often the classifier is right."""
        if c is None:
            raise ValueError("c: expected the class of every picture, received None: a classifier learns from labels")
        logits = self(x)
        return {"loss": F.cross_entropy(logits, c, reduction="none"), "right": (logits.argmax(1) == c).float()}

    def players(self) -> list[Player]:
        """Return who moves in a step of training."""
        return [Player("model", list(self.parameters()), self.loss)]

    @property
    def device(self) -> torch.device:
        """The device that holds the parameters."""
        return next(self.parameters()).device


def receptive_field(layer: str) -> int:
    """Return how many pixels across one place of a layer sees.

    >>> [receptive_field(name) for name in LAYERS]
    [3, 5, 10, 14, 24, 32]
    """
    if layer not in LAYERS:
        raise ValueError(f"layer: expected one of {', '.join(LAYERS)}; received {layer!r}")
    field, jump = 1, 1
    for i in range(LAYERS.index(layer) + 1):
        field += 2 * jump
        if i in (1, 3) and i < LAYERS.index(layer):
            field, jump = field + jump, 2 * jump
    return field
