"""Small classifiers of the book's own: their features measure distances between sets of images.

The weights ship with the package. ``python -m genkit.classifiers NAME`` trains them again.
"""

import json
from functools import cache
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

from .. import files
from ..names import unknown

WEIGHTS = Path(__file__).parent.parent / "weights"
KINDS = {"digits": ((1, 8, 8), 10), "glyphs": ((1, 28, 28), 26), "mnist": ((1, 28, 28), 10)}
"""Each kind of image with its shape and number of classes."""


class Classifier(nn.Module):
    """Two convolutions, a layer of ``width`` features, and a linear map to class logits.

    Arguments
        shape: (C, H, W) of an image, H and W divisible by 4.
        classes: how many.
        width: features, at most 64, so that a few hundred images suffice for their covariance.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, width: int = 48):
        super().__init__()
        c, h, w = shape
        self.body = nn.Sequential(
            nn.Conv2d(c, 24, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(48 * (h // 4) * (w // 4), width), nn.SiLU(),
        )  # fmt: skip
        self.head = nn.Linear(width, classes)

    def features(self, x: Tensor) -> Tensor:
        """Return the features of images of shape (B, C, H, W): shape (B, width)."""
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        """Return class logits, shape (B, classes)."""
        return self.head(self.features(x))


@cache
def classifier(kind: str) -> Classifier:
    """Return the shipped classifier for ``"digits"``, ``"glyphs"`` or ``"mnist"``, ready to use.

    Raises ``ValueError`` for another kind, or where the weights are not those that were shipped.
    """
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    path, about = WEIGHTS / f"classifier-{kind}.safetensors", card(kind)
    if files.sha256(path) != about["sha256"]:
        raise ValueError(f"{path.name}: the file is damaged: its SHA-256 is not the one in its card")
    model = Classifier(*KINDS[kind])
    model.load_state_dict(load_file(path))
    return model.eval().requires_grad_(False)


def card(kind: str) -> dict:
    """Return what is known of a shipped classifier: how it was made, and its accuracy on held-out data."""
    return json.loads((WEIGHTS / f"classifier-{kind}.json").read_text(encoding="utf-8"))
