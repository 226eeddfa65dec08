"""What a chapter on labels draws: fits through points, classes taken for each other, ROC curves, residuals."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .style import COLOURS, DASHES, INK, MARKERS, RULE, STYLE, WIDTH, axes


def _row(panels: Mapping, height: float, **options) -> list[Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        return list(figure.subplots(1, len(panels), squeeze=False, **options)[0])


def fits(
    panels: Mapping[str, tuple[Tensor, Tensor]],
    points: Mapping[str, tuple[Tensor, Tensor]],
    *,
    xlabel: str,
    ylabel: str,
    ylim: tuple[float, float] | None = None,
) -> Axes:
    """Draw named fits (xs, ys) beside each other, each over the same named sets of points (xs, ys), shapes (N,)."""
    row = _row(panels, 3.0, sharey=True)
    for panel, (name, (x, y)) in zip(row, panels.items(), strict=True):
        for i, (kind, (px, py)) in enumerate(points.items()):
            size, alpha = (26, 1.0) if i == 0 else (14, 0.6)
            panel.scatter(px, py, s=size, color=COLOURS[i], marker=MARKERS[i], linewidth=0, alpha=alpha, label=kind)
        panel.plot(x, y, color=INK)
        panel.set(xlabel=xlabel, ylim=ylim)
        panel.set_title(name, fontsize=11)
    row[0].set_ylabel(ylabel)
    if len(points) > 1:
        row[0].legend(loc="upper left", fontsize=9, handletextpad=0.2, borderaxespad=0.1)
    return row[0]


def confusions(panels: Mapping[str, Tensor], names: Mapping[str, Sequence[str]]) -> Axes:
    """Draw counts of classes taken for each other, each shape (K, K): the truth down, what was said to the right.

    Grey is the share of its row. Zeros are left out where there are many classes.
    """
    row = _row(panels, WIDTH / max(2, len(panels)) + 0.35, width_ratios=[len(m) + 3 for m in panels.values()])
    for panel, (name, counts) in zip(row, panels.items(), strict=True):
        share = counts / counts.sum(1, keepdim=True).clamp(min=1)
        panel.imshow(share.numpy(), cmap="gray_r", vmin=0, vmax=1.15, interpolation="nearest")
        for i, line in enumerate(counts.tolist()):
            for j, count in enumerate(line):
                ink = "white" if share[i, j] > 0.5 else INK
                word = str(count) if count or len(counts) < 5 else ""
                panel.text(j, i, word, ha="center", va="center", fontsize=10, color=ink)
        ticks = range(len(counts))
        panel.set_xticks(ticks, names[name])
        panel.set_yticks(ticks, names[name])
        panel.tick_params(length=0)
        panel.set(xlabel="said", ylabel="truth")
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    return row[0]


def roc(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    marks: Mapping[str, tuple[float, float]] | None = None,
    *,
    xlabel: str = "false alarms: share of the others",
    ylabel: str = "hits: share of what is sought",
) -> Axes:
    """Draw named ROC curves, each (false alarms, hits), over the diagonal of guessing, and named points on them."""
    panel = axes(5.2, 4.6)
    panel.plot([0, 1], [0, 1], color=RULE, linewidth=1.5)
    for i, (name, (x, y)) in enumerate(lines.items()):
        panel.plot(x, y, color=COLOURS[i % 5], linestyle=DASHES[i % 5], label=name)
    for name, (x, y) in (marks or {}).items():
        panel.plot([x], [y], color=INK, marker="o", markersize=8, linestyle="none", zorder=5, label=name)
    panel.set(xlabel=xlabel, ylabel=ylabel, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    panel.legend(loc="lower right")
    return panel


def residuals(panels: Mapping[str, tuple[Tensor, Tensor]], *, xlabel: str, ylabel: str) -> Axes:
    """Draw what is left of the truth over something known, (xs, truth − prediction) a panel, shapes (N,), N ≥ 6.

    The squares are the mean of what is left in each sixth of the xs: where nothing is left to learn, they lie at zero.
    """
    row = _row(panels, 3.2, sharey=True)
    for panel, (name, (x, left)) in zip(row, panels.items(), strict=True):
        panel.axhline(0, color=INK, linewidth=1)
        panel.scatter(x, left, s=14, color=COLOURS[0], linewidth=0, alpha=0.5)
        parts = x.argsort().chunk(6)
        xs, ys = ([v[part].mean().item() for part in parts] for v in (x, left))
        panel.plot(xs, ys, color=COLOURS[1], marker="s", linestyle=DASHES[1])
        panel.set(xlabel=xlabel)
        panel.set_title(name, fontsize=11)
    row[0].set_ylabel(ylabel)
    return row[0]


def dumbbells(rows: Mapping[str, Mapping[str, tuple[float, float]]], *, xlabel: str, mark: float | None = None) -> Axes:
    """Draw named numbers (value, error) on one line a row, joined; ``mark`` draws a line, such as chance."""
    panel = axes(height=0.5 * len(rows) + 1.2)
    for y, (_, numbers) in enumerate(rows.items()):
        values = [value for value, _ in numbers.values()]
        panel.plot([min(values), max(values)], [y, y], color=RULE, linewidth=4, zorder=1)
        for i, (name, (value, error)) in enumerate(numbers.items()):
            panel.errorbar(
                value, y, xerr=error, color=COLOURS[i], marker=MARKERS[i], markersize=8, linestyle="none",
                label=name if y == 0 else None, zorder=3 - i,
            )  # fmt: skip
    panel.set_yticks(range(len(rows)), list(rows))
    panel.invert_yaxis()
    panel.set(xlabel=xlabel)
    panel.margins(0.06, 0.12)
    panel.grid(False, axis="y")
    if mark is not None:
        panel.axvline(mark, color=COLOURS[3], linestyle=DASHES[1], zorder=0)
    panel.figure.legend(*panel.get_legend_handles_labels(), loc="outside upper right", ncols=len(MARKERS))
    return panel
