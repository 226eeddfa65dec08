"""Paths of points through the plane."""

from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .style import COLOURS, STYLE, WIDTH


def ways(panels: Mapping[str, Tensor], *, extent: float = 3.0) -> Axes:
    """Draw paths beside each other, of shape (times, N, 2): a circle where they begin, a dot where they end."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(panels)) + 0.35), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for panel, (name, path) in zip(row, panels.items(), strict=True):
        if path.ndim != 3 or path.shape[2] != 2:
            raise ValueError(f"panels: expected paths of shape (times, N, 2), received {tuple(path.shape)}")
        path = path.detach().cpu()
        panel.plot(path[..., 0].numpy(), path[..., 1].numpy(), color=COLOURS[0], linewidth=0.7, alpha=0.55)
        panel.scatter(*path[0].T, s=9, facecolor="none", edgecolor=COLOURS[4], linewidth=0.8, zorder=2)
        panel.scatter(*path[-1].T, s=8, color=COLOURS[1], linewidth=0, zorder=3)
        panel.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])
        panel.set_title(name, fontsize=11)
        panel.grid(False)
        panel.spines[["left", "bottom"]].set_visible(False)
    return row[0]
