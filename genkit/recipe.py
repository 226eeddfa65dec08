"""What a named model of the book is: how it is built, what it learns from, and its budget."""

from dataclasses import dataclass, field

import torch

from .base import Generative
from .data import Dataset, load
from .families import build
from .randomness import randomness_of
from .scale import scale
from .training import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """A named model: family and arguments, data, and training at quick and at full scale.

    ``arguments``, ``options`` and the configurations are JSON: a checkpoint keeps them and nothing else.
    """

    name: str
    family: str
    data: str
    quick: TrainConfig
    full: TrainConfig | None = None
    arguments: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    augment: str | None = None
    conditional: bool = False

    def config(self) -> TrainConfig:
        """Return the training configuration of the present scale."""
        return self.full if self.full and scale() == "full" else self.quick

    def dataset(self) -> Dataset:
        """Load the data this model learns from."""
        return load(self.data, **self.options)

    def build(self, seed: int = 0) -> Generative:
        """Build the untrained model; its first weights are a function of ``seed``."""
        with randomness_of(seed, -2, 0, torch.device("cpu")):
            return build(self.family, **self.arguments)
