"""A reader's own data: a folder of pictures, arrays in ``.npz`` or ``.npy``, a table in ``.csv``."""

import csv
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .columns import column_codec
from .dataset import Dataset, digest
from .splits import shuffled

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
LABELS = ("label", "class", "target")


def read_pictures(folder: Path, size: int | None = None, seed: int = 0) -> Dataset:
    """Load a folder of pictures; folders in it are classes. Grey where all are grey, else RGB.

    Arguments
        folder: with pictures of one size, or of any size where ``size`` is given.
        size: crop each picture to its middle square and bring that to ``size`` × ``size`` pixels.
        seed: of the split.

    A picture that cannot be read is an error that names it, not a gap in the data.
    """
    if size is not None and size < 1:
        raise ValueError(f"size: expected at least 1, received {size}")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and not p.name.startswith("."))
    if not paths:
        raise ValueError(f"data: expected pictures ({' '.join(PICTURES)}) in {folder}, received none")
    kinds = sorted({p.relative_to(folder).parts[0] if p.parent != folder else "" for p in paths})
    if "" in kinds and len(kinds) > 1:
        raise ValueError(f"data: expected all pictures in {folder} itself, or all in folders of classes, received both")
    pictures = [_picture(path, size) for path in paths]
    shapes = {p.shape[:2]: path for p, path in zip(pictures, paths, strict=True)}
    if len(shapes) > 1:
        ((h, w), one), ((h2, w2), other) = list(shapes.items())[:2]
        raise ValueError(
            f"data: expected pictures of one size, received {w} × {h} ({one.name}) and {w2} × {h2} ({other.name}); "
            f"a size, as in size=32 or --size 32, crops and resizes them"
        )
    if any(p.ndim == 3 for p in pictures):
        pictures = [p if p.ndim == 3 else np.repeat(p[:, :, None], 3, axis=2) for p in pictures]
    x = torch.from_numpy(np.stack(pictures)).to(torch.float32) / 255
    x = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous()
    c = torch.tensor([kinds.index(p.relative_to(folder).parts[0]) for p in paths]) if len(kinds) > 1 else None
    return _dataset(folder.name, x, c, seed, levels=256, classes=tuple(kinds) if len(kinds) > 1 else None)


def read_arrays(path: Path, seed: int = 0) -> Dataset:
    """Load ``x``, and labels ``c`` or ``y`` where there are any, from an ``.npz``; or ``x`` from an ``.npy``.

    ``x`` holds bytes or numbers in [0, 1] of shape (N, H, W) or (N, C, H, W), or any numbers of shape (N, D).
    """
    try:
        content = np.load(path, allow_pickle=False)  # arrays of objects are pickles: refused
        arrays = {"x": content} if isinstance(content, np.ndarray) else {key: content[key] for key in content.files}
    except (ValueError, OSError, EOFError, KeyError, NotImplementedError) as error:
        raise ValueError(f"data: expected arrays of numbers, received {path}: {error}") from None
    except Exception as error:  # zipfile and zlib have errors of their own for a damaged file
        raise ValueError(f"data: expected a whole {path.suffix} file, received {path}: {error}") from None
    if "x" not in arrays:
        raise ValueError(f"data: expected an array x in {path}, received {', '.join(sorted(arrays)) or 'none'}")
    x, c = arrays["x"], arrays.get("c", arrays.get("y"))
    if x.dtype.kind not in "uif" or x.ndim not in (2, 3, 4):
        raise ValueError(
            f"data: expected x of numbers with 2, 3 or 4 axes, received {x.dtype} of shape {x.shape} in {path}"
        )
    picture, bytes_ = x.ndim > 2, x.dtype == np.uint8
    x = torch.from_numpy(x.astype(np.float32))
    _finite(x.flatten(1), path)
    if picture:
        x = x / 255 if bytes_ else x
        if ((x < 0) | (x > 1)).any():
            raise ValueError(
                f"data: expected pictures of bytes or of numbers in [0, 1], received numbers in "
                f"[{x.min():.3g}, {x.max():.3g}] in {path}"
            )
        x = x[:, None] if x.ndim == 3 else x
    if c is not None:
        if c.dtype.kind not in "ui" or c.shape != (len(x),) or (len(c) and c.min() < 0):
            raise ValueError(
                f"data: expected {len(x)} labels 0, 1, 2, …, received {c.dtype} of shape {c.shape} in {path}"
            )
        c = torch.from_numpy(c.astype(np.int64))
    classes = None if c is None or not len(c) else tuple(str(i) for i in range(int(c.max()) + 1))
    return _dataset(path.stem, x, c, seed, levels=256 if picture else None, classes=classes)


def read_table(path: Path, seed: int = 0) -> Dataset:
    """Load a ``.csv`` of numbers with a line of names; a column ``label``, ``class`` or ``target`` holds the classes.

    ``encode`` turns a dictionary from names to numbers into a row of shape (D,), ``decode`` turns a row back.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as f:
            names, *rows = [row for row in csv.reader(f) if row] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"data: expected a table in UTF-8, received {path}: {error}") from None
    names = [name.strip() for name in names]
    if not rows:
        raise ValueError(
            f"data: expected a line of names and lines of numbers, received {path} with {len(rows)} lines of numbers"
        )
    label = next((i for i, name in enumerate(names) if name.lower() in LABELS), None)
    columns = [i for i in range(len(names)) if i != label]
    x = torch.tensor([[_number(row, i, names, path, n) for i in columns] for n, row in enumerate(rows, start=2)])
    named = [names[i] for i in columns]
    kinds = sorted({row[label].strip() for row in rows}) if label is not None else None
    c = None if kinds is None else torch.tensor([kinds.index(row[label].strip()) for row in rows])
    encode, decode = column_codec(named)
    return _dataset(path.stem, x, c, seed, classes=tuple(kinds) if kinds else None, encode=encode, decode=decode)


def _dataset(name: str, x: Tensor, c: Tensor | None, seed: int, **known) -> Dataset:
    splits = shuffled(x, c, seed=seed)
    return Dataset(name, *splits, shape=tuple(x.shape[1:]), sha256=digest(*splits), **known)


def _picture(path: Path, size: int | None) -> np.ndarray:
    """Read one picture as bytes: (H, W) where it is grey, else (H, W, 3)."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                picture = file.convert("L" if file.mode in ("1", "L", "LA", "I;16") else "RGB")
    except Exception as error:  # Pillow raises many kinds for a broken picture
        raise ValueError(f"data: expected a picture, received {path}: {error}") from None
    return np.asarray(picture if size is None else ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS))


def _number(row: list[str], column: int, names: list[str], path: Path, line: int) -> float:
    if len(row) != len(names):
        raise ValueError(f"data: expected {len(names)} columns, received {len(row)} in line {line} of {path}")
    try:
        value = float(row[column])
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ValueError(
            f"data: expected a finite number in column {names[column]!r}, received {row[column]!r} "
            f"in line {line} of {path}"
        )
    return value


def _finite(rows: Tensor, path: Path) -> None:
    broken = (~rows.isfinite()).nonzero()
    if len(broken):
        raise ValueError(f"data: expected finite numbers, received NaN or infinity in example {broken[0, 0]} of {path}")
