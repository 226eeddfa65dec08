"""Two classes of points in the plane, with what a model says of every place."""

from collections.abc import Mapping

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .style import COLOURS, INK, MARKERS, STYLE, WIDTH


def borders(panels: Mapping[str, Tensor], points: Tensor, labels: Tensor, *, extent: float = 3.0) -> Axes:
    """Draw points of two classes beside each other, once for each panel, with the border that the panel's model draws.

    A panel of shape (S, S) holds p(class 1) over [−extent, extent]², its rows going up: shown as grey, with a line at a
    half. One of shape (2, S, S) holds p(x, y) for both classes: shown as contours, with a line where they are equal.
    ``points`` has shape (N, 2), ``labels`` holds 0 and 1, int64 of shape (N,).
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(panels)) + 0.35), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for panel, (name, values) in zip(row, panels.items(), strict=True):
        values = values.detach().double()
        at = torch.linspace(-extent, extent, values.shape[-1]).numpy()
        if values.ndim == 2:
            corners = [-extent, extent, -extent, extent]
            panel.imshow(values.numpy(), cmap="gray_r", origin="lower", extent=corners, vmin=0, vmax=2.2)
            panel.contour(at, at, values.numpy(), levels=[0.5], colors=INK, linewidths=2)
        else:
            for k in (0, 1):
                top = values[k].max().item()
                levels = [top * share for share in (0.011, 0.135, 0.607)]  # three, two, one standard deviations
                panel.contour(at, at, values[k].numpy(), levels=levels, colors=COLOURS[k], linewidths=1.2)
            odds = (values[1].clamp(min=1e-300) / values[0].clamp(min=1e-300)).log()
            panel.contour(at, at, odds.numpy(), levels=[0.0], colors=INK, linewidths=2)
        for k in (0, 1):
            some = points[labels == k]
            panel.scatter(*some.T, s=9, color=COLOURS[k], marker=MARKERS[k], linewidth=0, alpha=0.75)
        panel.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    return row[0]
