r"""Pictures written in the ways that different families read: grey levels, points, coins, words.

A family of real numbers learns a density of points that lie evenly within the cell of their level, and

.. math:: \log P(x) \ge \mathbb E_u \log p(x + u) + \log(\text{volume of a cell})

(Theis et al. 2016, eq. 6), so that its likelihood is one of the grey levels, too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .names import unknown

REACH = 3.0
"""Points lie in [−REACH, REACH]: about as wide as a standard normal."""


@dataclass(frozen=True)
class Form:
    """A way to write pictures of so many grey levels.

    Arguments
        name: what it is called.
        write: ``write(x, levels)``, from pictures (N, C, H, W) in [0, 1]; what is random in it is drawn anew each time.
        read: ``read(v, levels, shape)``, back to pictures whose pixels lie on a level.
        log_cell: ``log_cell(levels)``, the logarithm of the width of a level; None where probabilities of what is
            written are none of the grey levels.
    """

    name: str
    write: Callable[[Tensor, int], Tensor]
    read: Callable[[Tensor, int, tuple[int, ...]], Tensor]
    log_cell: Callable[[int], float] | None


def on_levels(x: Tensor, levels: int) -> Tensor:
    """Return pictures whose pixels are put on the nearest of so many levels in [0, 1].

    >>> on_levels(torch.tensor([-0.3, 0.4, 0.9]), 3).tolist()
    [0.0, 0.5, 1.0]
    """
    return (x * (levels - 1)).round().clamp(0, levels - 1) / (levels - 1)


def _point(x: Tensor, levels: int) -> Tensor:
    level = (x * (levels - 1)).round()
    return ((level + torch.rand_like(x)) / levels * 2 - 1) * REACH


def _from_point(v: Tensor, levels: int, shape: tuple[int, ...]) -> Tensor:
    level = ((v / REACH + 1) / 2 * levels).floor().clamp(0, levels - 1)
    return level.view(-1, *shape) / (levels - 1)


def _word(x: Tensor, levels: int) -> Tensor:
    return (x.flatten(1) * (levels - 1)).round().long()


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("grey", lambda x, levels: x, lambda v, levels, shape: on_levels(v, levels), lambda levels: 0.0),
        Form("points", _point, _from_point, lambda levels: math.log(2 * REACH / levels)),
        Form("coins", lambda x, levels: torch.bernoulli(x), lambda v, levels, shape: on_levels(v, levels), None),
        Form("words", _word, lambda v, levels, shape: v.view(-1, *shape) / (levels - 1), lambda levels: 0.0),
    )
}
"""Grey levels as they are; points within the cell of their level; a coin for every pixel; a word for every level."""


def form(name: str) -> Form:
    """Return a way to write pictures by its name."""
    if name not in FORMS:
        raise unknown("form", name, FORMS)
    return FORMS[name]
