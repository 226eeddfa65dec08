"""Data sets by name, and a reader's own by path: ``load(name_or_path) -> Dataset``."""

import inspect
from collections.abc import Callable
from pathlib import Path

from ..names import unknown
from .avatars import avatars
from .baskets import baskets
from .binary_digits import binary_digits
from .cifar10 import cifar10
from .dataset import Dataset, Split
from .digits import digits
from .exam import exam
from .few_labels import few_labels
from .glyphs import glyphs
from .houses import houses
from .idx import PARTS, fashion_mnist, find, mnist, read_idx_file, read_idx_folder
from .locales import locales
from .messages import messages
from .own import read_arrays, read_pictures, read_table
from .recall import recall
from .scenes import scenes
from .seasons import seasons
from .tables import breast_cancer, diabetes, iris, wine
from .text import pydocs, read_text, stdlib, text, tiny_shakespeare
from .textures import textures
from .tones import tones
from .toy2d import toy, toy2d

SETS: dict[str, Callable[..., Dataset]] = {
    f.__name__: f
    for f in (
        toy2d, digits, binary_digits, few_labels, iris, wine, breast_cancer, diabetes, houses, exam, baskets, glyphs,
        scenes, avatars, textures, seasons, tones, recall, locales, messages, pydocs, stdlib, mnist, fashion_mnist,
        cifar10, tiny_shakespeare,
    )
}  # fmt: skip
WHAT = {
    "toy2d": "points of the plane whose density is known; made here",
    "digits": "1,797 handwritten digits, 8 × 8, 17 grey levels; ships with scikit-learn",
    "binary_digits": "the digits in black and white: ink above a half is 1",
    "few_labels": "the digits with a few labels; −1 where the label is hidden",
    "iris": "150 irises of three species, by four lengths; ships with scikit-learn",
    "wine": "178 wines of three growers, by 13 measurements; ships with scikit-learn",
    "breast_cancer": "569 tumours, malignant or benign, by 30 measurements; ships with scikit-learn",
    "diabetes": "442 patients by ten measurements, and how far their disease went; ships with scikit-learn",
    "houses": "houses of five columns, what they are worth and what was paid; made here",
    "exam": "short answers to an exam question, graded 0 to 4 by two markers; made here",
    "baskets": "shopping baskets of 50 kinds of item, in which ten rules are planted; made here",
    "glyphs": "letters A–Z, 28 × 28, with the factors that made them; drawn here from matplotlib's fonts",
    "scenes": "two coloured shapes with captions, by day and by night; towns from above and their maps; drawn here",
    "avatars": "faces whose identity, expression, turn and skin tone are known, 32 × 32; drawn here",
    "textures": "ten kinds of coloured pattern, 32 × 32, from bricks to zigzags; made here",
    "seasons": "an hourly series with a daily and a weekly season and known noise; made here",
    "tones": "notes and vowel-like sounds, 512 samples at 4,000 a second; made here",
    "recall": "random strings that repeat themselves at known distances, 27 letters; made here",
    "locales": "dates and numbers, written in one of four locales' ways and in another's; made here with Babel",
    "messages": "short messages, wanted and spam, of some 200 words; made here",
    "pydocs": "Python's language reference, half a million characters; ships with Python",
    "stdlib": "source code of Python's standard library, two million characters; ships with Python",
    "mnist": "70,000 handwritten digits, 28 × 28, 256 grey levels; 12 MB to download",
    "fashion_mnist": "70,000 clothes, 28 × 28, 256 grey levels; 31 MB to download",
    "cifar10": "60,000 colour pictures of ten kinds, 32 × 32; 170 MB to download",
    "tiny_shakespeare": "a million characters of Shakespeare's plays; 1 MB to download",
}
READERS: dict[str, Callable[..., Dataset]] = {
    ".npz": read_arrays, ".npy": read_arrays, ".csv": read_table, ".txt": read_text, ".md": read_text,
    ".gz": read_idx_file, ".idx3-ubyte": read_idx_file,
}  # fmt: skip

__all__ = ["SETS", "Dataset", "Split", "describe", "load", "text", "toy"]


def load(source: str | Path, **options) -> Dataset:
    """Load a data set by its name, or a reader's own by its path.

    A path leads to a folder of pictures, a folder of MNIST's IDX files or one such file, an ``.npz`` or ``.npy``, a
    ``.csv``, or a text. ``options`` are those of the function that loads it, such as ``split`` of ``digits``.

    >>> load("digits").shape
    (1, 8, 8)
    """
    function, arguments = _loader(source)
    known = inspect.signature(function).parameters
    for name in options:
        if name not in known:
            raise unknown("options", name, set(known) - {"path", "folder"})
    return function(*arguments, **options)


def describe(source: str | None = None) -> list[dict]:
    """Return a row for every named set, or load one, named or a reader's own, and say what it holds."""
    if source is None:
        return [{"name": name, "what": what} for name, what in WHAT.items()]
    data = load(source)
    sizes = " + ".join(f"{len(split):,}" for split in (data.train, data.valid, data.test))
    facts = {"examples": sizes, "shape": list(data.shape), "levels": data.levels}
    facts |= {"classes": data.classes and len(data.classes), "sha256": data.sha256}
    what = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    return [{"name": data.name, "what": what, **facts}]


def _loader(source: str | Path) -> tuple[Callable[..., Dataset], tuple[Path, ...]]:
    if str(source) in SETS:
        return SETS[str(source)], ()
    path = Path(source)
    if path.is_dir():
        return (read_idx_folder if any(find(path, part) for part in PARTS) else read_pictures), (path,)
    if not path.exists():
        if len(path.parts) > 1 or path.suffix:
            raise ValueError(f"data: expected a file or folder, received {source!s}, which does not exist")
        raise unknown("data", source, SETS)
    if path.stat().st_size == 0:
        raise ValueError(f"data: expected a file with data, received the empty file {path}")
    if path.name.removesuffix(".gz").endswith("-ubyte"):
        return read_idx_file, (path,)
    if path.suffix not in READERS:
        raise ValueError(f"data: expected a file that ends in {', '.join(READERS)}; received {path.name}")
    return READERS[path.suffix], (path,)
