"""How soon the Fréchet distance of two sets of features is known: genkit's against that of torchmetrics."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..metrics.images import frechet as distance
from .turns import beside, clock, flat, peer

SIZES = ((1_000, 64, 20), (10_000, 64, 5), (1_000, 512, 1), (10_000, 512, 1))
"""Examples in each of the two sets, features of an example, and how often the distance is taken in a turn."""


def frechet(sizes: tuple[tuple[int, int, int], ...] = SIZES, rounds: int = 9) -> dict[str, float]:
    r"""Time the distance of two sets of features in double precision.

    Equal on both sides: the features, given as they are (the network of torchmetrics hands on what it gets), their
    precision, and the answer, but for rounding. Both need the trace of :math:`(\Sigma_a \Sigma_b)^{1/2}`: torchmetrics
    takes the eigenvalues of :math:`\Sigma_a \Sigma_b`, which is not symmetric, genkit those of the symmetric
    :math:`\Sigma_a^{1/2} \Sigma_b \Sigma_a^{1/2}`, which cost less for many features.
    """
    found: dict[str, float] = {}
    for examples, features, often in sizes:
        both = {name: _often(way, often) for name, way in ways(*sets(examples, features)).items()}
        found |= flat(beside(both, rounds, clock=clock()), f"{often} × {examples:,} examples of {features} features")
    return found


def ways(a: Tensor, b: Tensor) -> dict[str, Callable[[], float]]:
    """Return both ways to the distance of two sets of features, shapes (N, F) and (M, F)."""
    kind = peer("torchmetrics.image.fid").FrechetInceptionDistance

    def theirs() -> float:
        metric = kind(feature=Handed(a.shape[1])).set_dtype(torch.float64)
        metric.update(a, real=True)
        metric.update(b, real=False)
        return metric.compute().item()

    return {"genkit": lambda: distance(a, b), "torchmetrics": theirs}


def sets(examples: int, features: int) -> tuple[Tensor, Tensor]:
    """Return two sets of correlated features, each of shape (examples, features), float64, the same in every call."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2, examples, features, generator=generator, dtype=torch.float64)
    mixing = torch.randn(2, features, features, generator=generator, dtype=torch.float64) / features**0.5
    a, b = noise @ mixing
    return a, b + 0.1


def _often(way: Callable[[], float], often: int) -> Callable[[], list[float]]:
    return lambda: [way() for _ in range(often)]


class Handed(nn.Module):
    """A network that hands on the features it gets."""

    def __init__(self, features: int):
        super().__init__()
        self.num_features = features

    def forward(self, x: Tensor) -> Tensor:
        """Return x."""
        return x
