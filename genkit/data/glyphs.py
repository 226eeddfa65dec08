"""Letters of 28 × 28 pixels, drawn from the fonts that matplotlib ships, with the factors that made each one."""

import importlib.util
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from .dataset import Dataset, Split, digest

FONTS = {
    "DejaVuSans": (0, 0), "DejaVuSans-Bold": (1, 0), "DejaVuSans-Oblique": (0, 1), "DejaVuSans-BoldOblique": (1, 1),
    "DejaVuSerif": (0, 0), "DejaVuSerif-Bold": (1, 0), "DejaVuSerif-Italic": (0, 1), "DejaVuSerif-BoldItalic": (1, 1),
    "DejaVuSansMono": (0, 0), "DejaVuSansMono-Bold": (1, 0), "STIXGeneral": (0, 0), "STIXGeneralBol": (1, 0),
    "STIXGeneralItalic": (0, 1), "STIXGeneralBolIta": (1, 1), "cmr10": (0, 0), "cmb10": (1, 0), "cmss10": (0, 0),
    "cmtt10": (0, 0),
}  # fmt: skip
"""Each font with whether it is bold and whether it leans."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIDE, FINE = 28, 4  # drawn four times as large, then averaged: the edges are smooth


def glyphs(letters: str = LETTERS, draws: int = 8, seed: int = 0) -> Dataset:
    """Draw ``draws`` versions of each letter in each font; a tenth each is held out for validation and test.

    Arguments
        letters: which of A–Z, without repeats.
        draws: versions of each letter in each font, at least 1.
        seed: of the jitter in weight, slant, size and angle, and of the split.

    ``factors`` of each split hold, with shape (N,): ``letter`` and ``font`` (int64), ``bold`` and ``italic`` of the
    font (0 or 1), ``weight`` (pixels added to a stroke), ``slant`` (sideways per upwards), ``size`` (height of the
    letters in pixels) and ``angle`` (degrees, anticlockwise).
    """
    if not letters or len(set(letters)) != len(letters) or not set(letters) <= set(LETTERS):
        raise ValueError(f"letters: expected different ones of A–Z, received {letters!r}")
    if draws < 1:
        raise ValueError(f"draws: expected at least 1, received {draws}")
    return _glyphs(letters, draws, seed)


@lru_cache(maxsize=4)
def _glyphs(letters: str, draws: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    each = torch.cartesian_prod(torch.arange(len(letters)), torch.arange(len(FONTS)), torch.arange(draws))
    n = len(each)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    style = torch.tensor(list(FONTS.values()))
    factors = {
        "letter": each[:, 0], "font": each[:, 1], "bold": style[each[:, 1], 0], "italic": style[each[:, 1], 1],
        "weight": uniform(0.0, 0.75), "slant": uniform(-0.15, 0.15),
        "size": uniform(18.0, 21.0), "angle": uniform(-4.0, 4.0),
    }  # fmt: skip
    pictures = torch.stack(
        [_draw(letters, {name: values[i].item() for name, values in factors.items()}) for i in range(n)]
    )
    order = torch.randperm(n, generator=generator)
    bounds = (0, n - 2 * (n // 10), n - n // 10, n)
    parts = [order[a:b] for a, b in pairwise(bounds)]
    splits = [
        Split(pictures[part], factors["letter"][part], {name: values[part] for name, values in factors.items()})
        for part in parts
    ]
    return Dataset(
        "glyphs", *splits, shape=(1, SIDE, SIDE), levels=256, classes=tuple(letters), sha256=digest(*splits)
    )  # fmt: skip


def _draw(letters: str, factor: dict[str, float]) -> Tensor:
    """Draw one letter: upright at four times the size, then slanted and turned about its middle, then averaged."""
    from PIL import Image, ImageDraw

    big, letter = SIDE * FINE, letters[int(factor["letter"])]
    font = _font(list(FONTS)[int(factor["font"])], round(factor["size"] * FINE))
    canvas = Image.new("L", (big, big), 0)
    stroke = round(factor["weight"] * FINE / 2)
    left, top, right, bottom = font.getbbox(letter, stroke_width=stroke)
    corner = ((big - left - right) / 2, (big - top - bottom) / 2)
    ImageDraw.Draw(canvas).text(corner, letter, fill=255, font=font, stroke_width=stroke)
    angle = torch.deg2rad(torch.tensor(factor["angle"]))
    cos, sin, slant, middle = angle.cos().item(), angle.sin().item(), factor["slant"], big / 2
    # Pillow wants the way back, from a pixel of the result to one of the drawing
    a, b, d, e = cos + slant * sin, -sin + slant * cos, sin, cos
    way_back = (a, b, middle - (a + b) * middle, d, e, middle - (d + e) * middle)
    canvas = canvas.transform(canvas.size, Image.Transform.AFFINE, way_back, resample=Image.Resampling.BILINEAR)
    small = canvas.resize((SIDE, SIDE), Image.Resampling.BOX)
    return torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).view(1, SIDE, SIDE) / 255


@lru_cache(maxsize=256)
def _font(name: str, size: int):
    from PIL import ImageFont

    # matplotlib's folder is found without importing matplotlib, which takes half a second
    package = importlib.util.find_spec("matplotlib").submodule_search_locations[0]
    font = ImageFont.truetype(str(Path(package) / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"), size)
    # fonts disagree on what a size is: scale it, so that a capital H is as high as `size` says
    height = font.getbbox("H")[3] - font.getbbox("H")[1]
    return ImageFont.truetype(font.path, round(size * size / height))
