"""Samples as one picture file, without matplotlib."""

from pathlib import Path

import torch
from torch import Tensor

from . import files


def save_grid(x: Tensor, path: str | Path, *, columns: int = 8, border: int = 1, side: int = 512) -> None:
    """Save images of shape (N, C, H, W) in [0, 1] with C = 1 or 3 as a PNG grid, atomically.

    Small images are enlarged by a whole factor, so that the picture is about ``side`` pixels wide.
    """
    from PIL import Image

    path = Path(path)
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"x: expected images of shape (N, 1 or 3, H, W), received {tuple(x.shape)}")
    if path.suffix.lower() != ".png":
        raise ValueError(f"path: expected a name that ends in .png, received {path.name!r}")
    columns = min(columns, len(x))
    rows = -(-len(x) // columns)
    _, c, h, w = x.shape
    canvas = torch.ones(c, rows * (h + border) + border, columns * (w + border) + border)
    for i, image in enumerate(x.detach().cpu()):
        top, left = border + i // columns * (h + border), border + i % columns * (w + border)
        canvas[:, top : top + h, left : left + w] = image
    factor = max(1, side // canvas.shape[2])
    levels = (canvas * 255).round().byte().repeat_interleave(factor, 1).repeat_interleave(factor, 2)
    array = levels.permute(1, 2, 0).numpy()
    image = Image.fromarray(array[:, :, 0] if c == 1 else array)
    with files.atomic(path) as temporary:
        image.save(temporary, format="PNG")


def save_rows(rows: Tensor, path: str | Path) -> None:
    """Save signals or points, shape (N, T), as the rows of a ``.csv``."""
    import numpy as np

    path = Path(path)
    if path.suffix != ".csv":
        raise ValueError(f"out: expected a name that ends in .csv for rows of numbers, received {path.name!r}")
    with files.atomic(path) as temporary:
        np.savetxt(temporary, rows.cpu().numpy(), delimiter=",", fmt="%.6g")
