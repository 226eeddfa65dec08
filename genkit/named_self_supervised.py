"""The named models that make their own labels, and the one that is given them."""

from .recipe import Recipe
from .training import TrainConfig

ALIKE = "BCDEFGOPQR"
"""Ten letters that look alike."""
_LETTERS = {"letters": ALIKE, "draws": 20}
_VIEWS = {"shift": 2.0, "turn": 10.0, "zoom": 0.15, "slant": 0.4, "weight": 1.0}
_TRAINING = TrainConfig(steps=200, batch=128, lr=3e-3, weight_decay=1e-2, warmup=20)
_SHAPE = {"shape": [1, 28, 28]}

SELF_SUPERVISED = (
    Recipe(
        "masked-glyphs", "masked_autoencoder", "glyphs",
        TrainConfig(steps=300, batch=128, lr=3e-3, weight_decay=1e-2, warmup=20), arguments=_SHAPE, options=_LETTERS,
    ),
    Recipe(
        "contrastive-glyphs", "contrastive", "glyphs", _TRAINING, arguments={**_SHAPE, "views": _VIEWS},
        options=_LETTERS,
    ),
    Recipe(
        "labelled-glyphs", "labelled", "glyphs", _TRAINING,
        arguments={**_SHAPE, "classes": len(ALIKE), "views": _VIEWS}, options=_LETTERS, conditional=True,
    ),
)  # fmt: skip
