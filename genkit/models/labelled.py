"""The same small encoder taught by labels: what features made without labels are measured against."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player, Terms
from ..nn.strided import features_of, strided_encoder
from ..nn.views import Views


class Labelled(nn.Module):
    """A convolutional classifier that learns from labels, with views of the pictures as its augmentation.

    Arguments
        shape: (C, H, W) of a picture.
        classes: how many.
        width: channels of the encoder's first layer.
        views: the limits of :class:`genkit.nn.views.Views`; None leaves pictures as they are.

    >>> Labelled(shape=(1, 28, 28), classes=10)(torch.rand(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    likelihood = "none"

    def __init__(
        self, *, shape: tuple[int, int, int], classes: int, width: int = 16, views: dict | None = None
    ):  # fmt: skip
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes: expected at least 2, received {classes}")
        self.encoder = strided_encoder(tuple(shape), width=width)
        self.head = nn.Linear(features_of(tuple(shape), width=width), classes)
        self.views = nn.Identity() if views is None else Views(**views)

    def features(self, x: Tensor) -> Tensor:
        """Return what the encoder says of pictures of shape (B, C, H, W): shape (B, features)."""
        return self.encoder(x)

    def forward(self, x: Tensor) -> Tensor:
        """Return class logits, shape (B, classes)."""
        return self.head(self.encoder(x))

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the cross-entropy of the classes in nats, shape (B,), and how often the classifier is right."""
        if c is None:
            raise ValueError("c: expected the class of every picture, received None: a classifier learns from labels")
        logits = self(self.views(x))
        return {"loss": F.cross_entropy(logits, c, reduction="none"), "right": (logits.argmax(1) == c).float()}

    def players(self) -> list[Player]:
        """Return who moves in a step of training."""
        return [Player("model", list(self.parameters()), self.loss)]

    @property
    def device(self) -> torch.device:
        """The device that holds the parameters."""
        return next(self.parameters()).device
