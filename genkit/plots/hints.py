"""Points in the plane of which few have labels, with what a model makes of every place."""

from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, linspace

from .style import COLOURS, INK, MARKERS, STYLE, WIDTH


def hints(panels: Mapping[str, Tensor | None], points: Tensor, labels: Tensor, *, extent: float = 3.0) -> Axes:
    """Draw the points once for each panel: small and grey where the label is -1, large where it is 0 or 1.

    A panel of shape (S, S) holds p(class 1) over [−extent, extent]², its rows going up: shown as grey, with a line at a
    half. One of None shows the points alone. ``points`` has shape (N, 2), ``labels`` is int64 of shape (N,).
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(panels)) + 0.35), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for panel, (name, values) in zip(row, panels.items(), strict=True):
        if values is not None:
            at = linspace(-extent, extent, values.shape[-1]).numpy()
            grey, corners = values.detach().double().numpy(), [-extent, extent, -extent, extent]
            panel.imshow(grey, cmap="gray_r", origin="lower", extent=corners, vmin=0, vmax=2.2)
            panel.contour(at, at, grey, levels=[0.5], colors=INK, linewidths=2)
        panel.scatter(*points[labels < 0].T, s=7, color=INK, alpha=0.55, linewidth=0)
        for k in (0, 1):
            some = points[labels == k]
            panel.scatter(*some.T, s=75, color=COLOURS[k], marker=MARKERS[k], edgecolor="white", linewidth=1, zorder=4)
        panel.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    return row[0]
