"""Who is where: a grid of ranks, places before and after, and points that nobody beats."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from torch import Tensor

from .cells import cells, fill
from .style import COLOURS, INK, PAPER, RULE, WIDTH, axes

PLACES = (
    (9, -3, "left"), (-9, -3, "right"), (0, 9, "center"), (0, -15, "center"), (9, 9, "left"), (-9, 9, "right"),
    (9, -15, "left"), (-9, -15, "right"), (0, 22, "center"), (0, -28, "center"), (22, 18, "left"), (-22, 18, "right"),
    (22, -24, "left"), (-22, -24, "right"),
)  # fmt: skip
"""Where a name may stand beside its point, in points of type, the best place first."""


def ranked(ranks: Mapping[str, Sequence[float]], names: Sequence[str]) -> Axes:
    """Draw ranks as a grid: names down, yardsticks across, dark for the first; NaN stays empty.

    ``ranks`` holds for every yardstick the ranks of all names, 1 for the best.
    """
    for yardstick, found in ranks.items():
        if len(found) != len(names):
            raise ValueError(f"ranks: expected {len(names)} for {yardstick!r}, received {len(found)}")
    panel = cells(list(ranks), names, width=WIDTH, height=0.33 * len(names) + 1.3)
    for j, found in enumerate(ranks.values()):
        found = [float(rank) for rank in found]
        places = sum(not math.isnan(rank) for rank in found)
        for i, rank in enumerate(found):
            if not math.isnan(rank):
                depth = 0.85 * (1 - (rank - 1) / max(1, places - 1)) ** 2
                fill(panel, j, i, depth=depth, text=f"{rank:g}")
    return panel


def agreements(matrix: Tensor, names: Sequence[str]) -> Axes:
    """Draw numbers in [−1, 1], shape (N, N), how far each of N yardsticks agrees with each: dark where it does."""
    if tuple(matrix.shape) != (len(names), len(names)):
        raise ValueError(f"matrix: expected shape {(len(names), len(names))}, received {tuple(matrix.shape)}")
    panel = cells(names, names, width=5.6, height=5.2)
    for i, row in enumerate(matrix.tolist()):
        for j, value in enumerate(row):
            if not math.isnan(value):
                text = f"{round(value, 1) + 0.0:.1f}".replace("-", "−") if i != j else ""  # no −0.0
                fill(panel, j, i, depth=0.85 * max(0.0, value), text=text)
    return panel


def places(ranks: Mapping[str, Sequence[float]], names: Sequence[str], *, marked: Sequence[str] = ()) -> Axes:
    """Draw how the places of names change from one list of ranks to the next; those ``marked`` stand out."""
    panel = axes(WIDTH, 0.3 * len(names) + 0.9)
    heads = list(ranks)
    for i, name in enumerate(names):
        y = [float(found[i]) for found in ranks.values()]
        strong = name in marked
        colour = COLOURS[list(marked).index(name) % 5] if strong else RULE
        panel.plot(range(len(heads)), y, color=colour, linewidth=2.6 if strong else 1.4, zorder=3 if strong else 2)
        for x, side, text in ((0, "right", f"{name}  "), (len(heads) - 1, "left", f"  {name}")):
            weight = "bold" if strong else "normal"
            panel.text(x, y[x], text, ha=side, va="center", fontsize=9.5, color=INK, weight=weight)
    panel.set(xlim=(-0.75, len(heads) - 0.25), ylim=(len(names) + 0.6, 0.4))
    panel.set_xticks(range(len(heads)), heads)
    panel.xaxis.tick_top()
    panel.set_yticks([])
    panel.tick_params(length=0)
    panel.grid(False)
    for side in panel.spines.values():
        side.set_visible(False)
    return panel


def frontier(
    points: Mapping[str, tuple[float, float]], unbeaten: Sequence[bool], *, xlabel: str, ylabel: str
) -> Axes:  # fmt: skip
    """Draw named points on logarithmic axes: full and joined where nobody beats them, hollow where somebody does."""
    panel = axes(WIDTH, 5.6)
    panel.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    best = sorted(point for point, first in zip(points.values(), unbeaten, strict=True) if first)
    panel.plot(*zip(*best, strict=True), color=COLOURS[0], linewidth=1.2, zorder=1)
    for point, first in zip(points.values(), unbeaten, strict=True):
        panel.scatter(*point, s=42, facecolor=COLOURS[0] if first else PAPER, edgecolor=COLOURS[0], zorder=3)
    panel.margins(0.14, 0.12)
    _names(panel, points)
    return panel


def _names(panel: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write names beside points, each in the first of several places where it covers no other name and no point."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(panel.figure)
    panel.figure.draw_without_rendering()
    renderer = panel.figure.canvas.get_renderer()
    at = {name: panel.transData.transform(point) for name, point in points.items()}
    taken = []
    for name, point in points.items():
        for dx, dy, side in PLACES:
            text = panel.annotate(
                name, point, xytext=(dx, dy), textcoords="offset points", ha=side, fontsize=9.5, color=INK
            )
            box = text.get_window_extent(renderer)
            free = not any(box.overlaps(other) for other in taken)
            if free and not any(box.contains(*p) for other, p in at.items() if other != name):
                break
            text.remove()
        else:
            text = panel.annotate(name, point, xytext=(9, -3), textcoords="offset points", fontsize=9.5, color=INK)
            box = text.get_window_extent(renderer)
        taken.append(box)
