"""Quick or full: the one switch between a laptop's minute and a GPU's hour."""

import os
from typing import TypeVar

from .names import unknown

T = TypeVar("T")


def scale() -> str:
    """Return ``"quick"`` (the default, made for one CPU thread) or ``"full"``, from ``GENKIT_SCALE``.

    Raises ``ValueError`` for any other value of the variable.
    """
    name = os.environ.get("GENKIT_SCALE", "quick")
    if name not in ("quick", "full"):
        raise unknown("GENKIT_SCALE", name, ("quick", "full"))
    return name


def budget(*, quick: T, full: T) -> T:
    """Return the value that belongs to the present scale.

    >>> budget(quick=300, full=30_000)
    300
    """
    return quick if scale() == "quick" else full
