"""Lines, points and bars over axes."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .style import COLOURS, DASHES, INK, MARKERS, RULE, STYLE, WIDTH, axes


def curve(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    band: Mapping[str, Sequence[float]] | None = None,
    log_x: bool = False,
) -> Axes:
    """Draw named lines over x; ``band`` gives the half-width of a shaded band around a line of that name."""
    panel = axes()
    for i, (name, y) in enumerate(lines.items()):
        marker = MARKERS[i % 5] if len(y) <= 20 else None
        panel.plot(x, y, color=COLOURS[i % 5], linestyle=DASHES[i % 5], marker=marker, label=name)
        if band and name in band:
            low, high = ([v + s * w for v, w in zip(y, band[name], strict=True)] for s in (-1, 1))
            panel.fill_between(x, low, high, color=COLOURS[i % 5], alpha=0.2, linewidth=0)
    panel.set(xlabel=xlabel, ylabel=ylabel)
    if log_x:
        panel.set_xscale("log")
        panel.set_xticks(list(x), [f"{v:g}" for v in x])
        panel.minorticks_off()
    if len(lines) > 1:
        panel.legend()
    return panel


def scatter(points: Mapping[str, Tensor], *, xlabel: str, ylabel: str) -> Axes:
    """Draw named sets of points, each shape (N, 2), on equal axes."""
    panel = axes(5.2, 4.6)
    for i, (name, xy) in enumerate(points.items()):
        panel.scatter(*xy.T, s=16, color=COLOURS[i % 5], marker=MARKERS[i % 5], alpha=0.65, linewidth=0, label=name)
    panel.set(xlabel=xlabel, ylabel=ylabel, aspect="equal")
    panel.legend(loc="upper left", markerscale=1.6)
    return panel


def histogram(
    values: Tensor,
    *,
    xlabel: str,
    name: str = "data",
    densities: Mapping[str, tuple[Tensor, Tensor]] | None = None,
) -> Axes:
    """Draw how ``values``, shape (N,), are spread, as areas that add up to 1, and named densities, each (xs, ys)."""
    panel = axes(height=3.2)
    panel.hist(values.tolist(), bins=30, density=True, color=COLOURS[0], alpha=0.35, label=name)
    for i, (line, (x, y)) in enumerate((densities or {}).items(), start=1):
        panel.plot(x.tolist(), y.tolist(), color=COLOURS[i % 5], linestyle=DASHES[(i - 1) % 5], label=line)
    panel.set(xlabel=xlabel, ylabel="density")
    if densities:
        panel.legend()
    return panel


def rate_distortion(rate: Sequence[float], distortion: Sequence[float], names: Sequence[str]) -> Axes:
    """Draw distortion against rate, a point for each name, with the lines on which the ELBO is constant."""
    panel = axes(height=4.2)
    panel.plot(rate, distortion, color=COLOURS[0], marker="o")
    panel.set(xlabel="rate: nats spent on the code", ylabel="distortion: nats left for the pixels")
    panel.margins(0.16, 0.12)
    x_range, y_range = panel.get_xlim(), panel.get_ylim()
    totals = range(10 * int((x_range[0] + y_range[0]) // 10), int(x_range[1] + y_range[1]) + 10, 10)
    for total in totals:
        panel.plot(x_range, [total - v for v in x_range], color=RULE, linewidth=1, zorder=0)
    panel.set(xlim=x_range, ylim=y_range)
    panel.grid(False)
    for x, y, name in zip(rate, distortion, names, strict=True):
        panel.annotate(name, (x, y), xytext=(7, 5), textcoords="offset points", fontsize=11, color=INK)
    panel.set_title("on each thin line the ELBO is the same; lower left is better", fontsize=11)
    return panel


def bars(values: Mapping[str, object], *, xlabel: str, mark: float | None = None) -> Axes:
    """Draw estimates as bars with their standard errors; ``mark`` draws a line, such as chance."""
    panel = axes(height=0.5 * len(values) + 0.9)
    names = list(values)
    errors = [v.stderr or 0.0 for v in values.values()]
    panel.barh(names, [v.value for v in values.values()], xerr=errors, color=COLOURS[0], ecolor=COLOURS[1], height=0.6)
    panel.invert_yaxis()
    panel.set(xlabel=xlabel)
    panel.grid(False, axis="y")
    if mark is not None:
        panel.axvline(mark, color=COLOURS[3], linestyle=DASHES[1])
    return panel


def paths(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    marks: Mapping[str, tuple[float, float]],
    xlabel: str,
    ylabel: str,
    log_y: bool = False,
) -> Axes:
    """Draw named paths through a plane, each (xs, ys), and named points in it."""
    panel = axes(height=4.4)
    for i, (name, (x, y)) in enumerate(lines.items()):
        panel.plot(x, y, color=COLOURS[i % 5], linestyle=DASHES[i % 5], marker=MARKERS[i % 5], label=name)
    for i, (name, (x, y)) in enumerate(marks.items()):
        panel.plot([x], [y], color=INK, marker="*", markersize=13, linestyle="none", zorder=5)
        above = (8, 7) if i % 3 < 2 else (8, -16)  # marks that lie close together keep their names apart
        panel.annotate(
            name, (x, y), xytext=above, textcoords="offset points", fontsize=11, color=INK, weight="bold", zorder=6
        )
    panel.set(xlabel=xlabel, ylabel=ylabel)
    panel.margins(0.1, 0.12)
    if log_y:
        panel.set_yscale("log")
        ticks = [v for v in (1.5, 2, 3, 4, 6, 8, 12, 16, 32) if panel.get_ylim()[0] <= v <= panel.get_ylim()[1]]
        panel.set_yticks(ticks, [f"{v:g}" for v in ticks])
        panel.minorticks_off()
    panel.legend()
    return panel


def surprises(texts: Mapping[str, tuple[str, Tensor]], *, height: float = 1.35) -> Axes:
    """Draw texts character by character, each with a bar of −log p in nats: (text, log p of each of its characters)."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height * len(texts) + 0.3), layout="constrained")
        panels = figure.subplots(len(texts), 1, squeeze=False, sharey=True)[:, 0]
    top = 1.05 * max(-log_p.min().item() for _, log_p in texts.values())
    for panel, (name, (text, log_p)) in zip(panels, texts.items(), strict=True):
        panel.bar(range(len(text)), (-log_p).tolist(), color=COLOURS[1], width=0.75)
        signs = [{" ": "·", "\n": "↵"}.get(character, character) for character in text]
        panel.set_xticks(range(len(text)), [s.replace("$", r"\$") for s in signs], family="monospace", fontsize=9)
        panel.tick_params(axis="x", length=0, pad=2)
        panel.set(xlim=(-0.6, len(text) - 0.4), ylim=(0, top), ylabel="−log p")
        panel.set_title(name, fontsize=11, loc="left")
        panel.grid(False, axis="x")
    return panels[0]
