"""Densities of the plane, matrices, and networks."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .style import COLOURS, INK, PAPER, STYLE, WIDTH, axes


def planes(panels: Mapping[str, Tensor], *, extent: float = 3.0, group: Tensor | None = None, columns: int = 4) -> Axes:
    """Draw pictures of the plane beside each other: points of shape (N, 2), or a density on a square grid, (S, S).

    ``group`` gives every point one of up to five colours, int64 of shape (N,). Row 0 of a grid lies at the bottom.
    """
    columns = min(columns, len(panels))
    lines = -(-len(panels) // columns)
    side = WIDTH / columns
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, (side + 0.25) * lines), layout="constrained")
        row = figure.subplots(lines, columns, squeeze=False).flatten()
    for panel in row[len(panels) :]:
        panel.axis("off")
    for panel, (name, what) in zip(row, panels.items(), strict=False):
        what = what.detach()
        if what.shape[-1] == 2:
            for k in range(1 if group is None else 5):
                some = what if group is None else what[group == k]
                panel.scatter(*some.T, s=2.5, color=COLOURS[k], linewidth=0, alpha=0.8)
        else:
            panel.imshow(what.numpy(), cmap="gray_r", vmin=0, origin="lower", extent=[-extent, extent, -extent, extent])
        panel.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])
        panel.set_title(name, fontsize=10)
        panel.grid(False)
    return row[0]


def matrices(panels: Mapping[str, Tensor], *, ylabel: str, xlabel: str) -> Axes:
    """Draw named matrices beside each other, 0 as paper and the largest number as ink; rows go down, columns right."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(panels)) + 0.4), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False)[0]
    for panel, (name, matrix) in zip(row, panels.items(), strict=True):
        panel.imshow(matrix.detach().numpy(), cmap="gray_r", vmin=0, interpolation="nearest")
        panel.set(xlabel=xlabel, ylabel=ylabel)
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    return row[0]


def looks(panels: Mapping[str, Tensor], letters: Sequence[str]) -> Axes:
    """Draw where heads look, each of shape (T, T): rows are the letters that look, columns those that are looked at."""
    rows = -(-len(panels) // 2)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, (WIDTH / 2 + 0.2) * rows), layout="constrained")
        flat = figure.subplots(rows, 2, squeeze=False).flatten()
    for panel, (name, weights) in zip(flat, panels.items(), strict=False):
        panel.imshow(weights.detach().numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        for side in (panel.xaxis, panel.yaxis):
            side.set_ticks(range(len(letters)), ["␣" if letter == " " else letter for letter in letters])
        panel.tick_params(labelsize=8, length=0)
        panel.set(xlabel="is looked at", ylabel="looks")
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    for panel in flat[len(panels) :]:
        panel.axis("off")
    return flat[0]


def fields(panels: Mapping[str, Tensor], *, extent: float, points: Tensor | None = None) -> Axes:
    """Draw named densities over [−extent, extent]² beside each other, each dark where it is high.

    A panel holds (side, side) numbers whose rows go up, as :func:`genkit.metrics.plane` orders them. ``points``, shape
    (N, 2), are drawn over the first.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(panels)) + 0.35), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for panel, (name, values) in zip(row, panels.items(), strict=True):
        corners = [-extent, extent, -extent, extent]
        panel.imshow(values.detach().numpy(), cmap="gray_r", origin="lower", extent=corners, vmin=0)
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    if points is not None:
        row[0].scatter(*points.T, s=3, color=COLOURS[1], linewidth=0)
        row[0].set(xlim=(-extent, extent), ylim=(-extent, extent))
    return row[0]


def alignment(weights: Tensor, rows: Sequence[str], columns: Sequence[str], *, ylabel: str, xlabel: str) -> Axes:
    """Draw weights of attention, shape (R, C), as a grid named by what looks, down, and what is looked at, right."""
    if tuple(weights.shape) != (len(rows), len(columns)):
        raise ValueError(f"weights: expected shape {(len(rows), len(columns))}, received {tuple(weights.shape)}")
    panel = axes(WIDTH, 0.6 + WIDTH * len(rows) / max(len(columns), 1) * 0.9)
    panel.imshow(weights.detach().numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    panel.set_xticks(range(len(columns)), columns)
    panel.set_yticks(range(len(rows)), rows)
    panel.set(xlabel=xlabel, ylabel=ylabel)
    panel.grid(False)
    return panel


def network(weight: Tensor, names: Sequence[str], *, on: Tensor, size: float = 3.4) -> Axes:
    """Draw units on a circle with their links: solid above 0, dashed below; units that are ``on`` are filled.

    ``weight`` has shape (n, n), ``on`` shape (n,).
    """
    panel, n = axes(size + 0.6, size), len(names)
    angle = 2 * torch.pi * torch.arange(n) / n
    at = torch.stack([angle.sin(), angle.cos()], 1).tolist()
    for i, (x, y) in enumerate(at):
        for j in range(i):
            link = float(weight[i, j])
            line, colour = ("-", COLOURS[2]) if link > 0 else ((0, (3, 2)), COLOURS[3])
            panel.plot([x, at[j][0]], [y, at[j][1]], color=colour, linestyle=line, linewidth=1.6 * abs(link), zorder=1)
        fill = COLOURS[1] if on[i] else PAPER
        panel.scatter(x, y, s=700, color=fill, edgecolor=INK, linewidth=1.5, zorder=2)
        panel.text(1.42 * x, 1.32 * y, names[i], ha="center", va="center", color=INK, fontsize=12)
    panel.set(xlim=(-1.75, 1.75), ylim=(-1.55, 1.55), aspect="equal")
    panel.axis("off")
    return panel
