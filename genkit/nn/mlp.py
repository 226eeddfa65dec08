"""The multilayer perceptron."""

from collections.abc import Callable
from itertools import pairwise

from torch import nn


def mlp(*widths: int, activation: Callable[[], nn.Module] = nn.SiLU, dropout: float = 0.0) -> nn.Sequential:
    """Return linear layers of the given widths with an activation between them, and none after the last.

    Arguments
        widths: sizes of input, hidden layers and output; at least two, each at least 1.
        activation: makes the module that follows every hidden layer.
        dropout: the probability in [0, 1) with which a hidden unit is silenced in training.

    >>> mlp(4, 8, 2)
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): SiLU()
      (2): Linear(in_features=8, out_features=2, bias=True)
    )
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths: expected at least two sizes of at least 1, received {widths}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout: expected 0 <= dropout < 1, received {dropout}")
    layers: list[nn.Module] = []
    for size_in, size_out in pairwise(widths[:-1]):
        layers += [nn.Linear(size_in, size_out), activation()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
