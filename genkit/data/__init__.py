"""Data sets by name, and a reader's own by path: ``load(name_or_path) -> Dataset``."""

from ..names import unknown
from .dataset import Dataset, Split
from .digits import digits
from .glyphs import glyphs

SETS = {"digits": digits, "glyphs": glyphs}

__all__ = ["SETS", "Dataset", "Split", "load"]


def load(name: str, **options) -> Dataset:
    """Load a data set by its name."""
    if name not in SETS:
        raise unknown("data", name, SETS)
    return SETS[name](**options)
