"""Pictures in rows and grids."""

from collections.abc import Mapping

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .style import INK, STYLE, WIDTH, axes


def compare(rows: Mapping[str, Tensor], *, cell: float = 0.56) -> Axes:
    """Show rows of images, each shape (N, C, H, W) in [0, 1], with their names on the left."""
    strips = {name: _strip(images) for name, images in rows.items()}
    columns = max(len(images) for images in rows.values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, (cell + 0.08) * len(rows) + 0.1), layout="constrained")
        panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for panel, (name, strip) in zip(panels, strips.items(), strict=True):
        _picture(panel, strip)
        panel.set_xlim(-0.5, columns * (strip.shape[1] + 1) / len(rows[name]) - 0.5)
        panel.set_anchor("W")  # where pictures leave width over, centred ones would push long names off the page
        beside = {"xycoords": "axes fraction", "xytext": (-5, 0), "textcoords": "offset points"}
        panel.annotate(name, (0, 0.5), ha="right", va="center", fontsize=11, color=INK, **beside)
    return panels[0]


def grid(images: Tensor, *, columns: int = 10, cell: float = 0.5) -> Axes:
    """Show images, shape (N, C, H, W) in [0, 1], row by row."""
    parts = images.split(columns)
    blank = images.new_zeros(columns - len(parts[-1]), *images.shape[1:])
    strips = [_strip(part) for part in (*parts[:-1], torch.cat([parts[-1], blank]))]
    line = torch.zeros(1, *strips[0].shape[1:]) if images.shape[1] == 1 else torch.ones(1, *strips[0].shape[1:])
    canvas = torch.cat([piece for strip in strips for piece in (strip, line)][:-1])
    panel = axes(min(WIDTH, cell * columns), min(WIDTH, cell * columns) * canvas.shape[0] / canvas.shape[1])
    _picture(panel, canvas)
    return panel


@torch.no_grad()
def latent_map(model, *, side: int = 9, extent: float = 2.0, c: Tensor | None = None) -> Axes:
    """Decode a square of codes of a model with two latent dimensions, each picture at its code."""
    at = torch.linspace(-extent, extent, side)
    z = torch.stack(torch.meshgrid(at, -at, indexing="xy"), -1).flatten(0, 1)  # first row on top: the second code is +
    pictures = model.decode(z, c).mean  # (side², C, H, W)
    canvas = torch.cat([_strip(row, gap=0) for row in pictures.split(side)])
    panel = axes(5.4, 5.2)
    panel.imshow(canvas.numpy(), cmap="gray_r", vmin=0, vmax=1, extent=[-extent, extent, -extent, extent])
    panel.set(xlabel="first code", ylabel="second code")
    panel.grid(False)
    return panel


def _strip(images: Tensor, gap: int = 1) -> Tensor:
    """Put images side by side with a thin white line between them: (H, W) for one channel, (H, W, 3) for three."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images: expected shape (N, 1 or 3, H, W), received {tuple(images.shape)}")
    images = images.detach().cpu().clamp(0, 1)
    # grey pictures are shown as ink on paper: 0 is white, so a line of zeros is white
    line = images.new_zeros(images.shape[1], images.shape[2], gap) if images.shape[1] == 1 else None
    line = images.new_ones(3, images.shape[2], gap) if line is None else line
    joined = torch.cat([piece for image in images for piece in (image, line)], 2)
    joined = joined[:, :, : joined.shape[2] - gap]
    return joined[0] if len(joined) == 1 else joined.permute(1, 2, 0)


def _picture(panel: Axes, canvas: Tensor) -> None:
    panel.imshow(canvas.numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    panel.axis("off")
