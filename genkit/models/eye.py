"""A small convolutional network that names two things of a picture, and whose layers all have equally many channels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player, Terms

FIELDS = (5, 10, 20, 28)
"""How many pixels across one place of each layer sees."""
STRIDES = (1, 2, 4, 4)
"""How many pixels lie between two neighbouring places of each layer."""


class Eye(nn.Module):
    r"""Four convolutions, each normalised and cut off at 0 (ReLU), with maxima of 2 × 2 places after the first two.

    .. math:: p_\theta(y^j \mid x) = \mathrm{softmax}\big(W^j F^4(x) + b^j\big)

    for every label :math:`y^j` of a picture, from the same maps :math:`F^4`. Every layer has the same number of
    channels, so that what can be read from one layer may be compared with what can be read from another.

    Arguments
        classes: how many classes each label has, such as (10, 10).
        width: channels of every layer.
        side: pixels of the picture's side, divisible by 4.

    >>> Eye(classes=(10, 10))(torch.rand(2, 1, 28, 28))[0].shape
    torch.Size([2, 10])
    """

    likelihood = "none"

    def __init__(self, classes: tuple[int, ...], width: int = 16, side: int = 28):
        super().__init__()
        if not classes or min(classes) < 2:
            raise ValueError(f"classes: expected at least one number of 2 or more, received {classes}")
        if side % 4:
            raise ValueError(f"side: expected a number divisible by 4, received {side}")
        sizes = ((1, 5), (width, 3), (width, 3), (width, 3))
        options = {"padding_mode": "reflect", "bias": False}
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, width, k, padding=k // 2, **options), nn.BatchNorm2d(width), nn.ReLU())
            for inputs, k in sizes
        )
        with torch.no_grad():
            for layer in self.layers:  # the normalisation undoes the size, so what is learnt soon outweighs the draw
                layer[0].weight.mul_(0.1)
        self.heads = nn.ModuleList(nn.Linear(width * (side // 4) ** 2, n) for n in classes)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return what the four layers say of pictures of shape (B, 1, side, side), each (B, width, places, places)."""
        found, h = [], 2 * x - 1
        for i, layer in enumerate(self.layers):
            h = layer(h)
            found.append(h)
            h = F.max_pool2d(h, 2) if i < 2 else h
        return found

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of every label, shape (B, classes) each."""
        h = self.maps(x)[-1].flatten(1)
        return tuple(head(h) for head in self.heads)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the cross-entropies of all labels, added up, in nats, shape (B,); c has shape (B, labels)."""
        if c is None or c.shape[1:] != (len(self.heads),):
            seen = None if c is None else tuple(c.shape)
            raise ValueError(f"c: expected shape (B, {len(self.heads)}), a class for each label, received {seen}")
        each = [F.cross_entropy(a, y, reduction="none") for a, y in zip(self(x), c.T, strict=True)]
        return {"loss": torch.stack(each).sum(0)}

    def players(self) -> list[Player]:
        """Return who moves in a step of training."""
        return [Player("model", list(self.parameters()), self.loss)]

    @property
    def device(self) -> torch.device:
        """The device that holds the parameters."""
        return next(self.parameters()).device
