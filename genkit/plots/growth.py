"""How cost grows with size: measured points and fitted lines, on logarithmic axes."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import COLOURS, DASHES, INK, MARKERS, STYLE, WIDTH

WORK = {"fit": "step", "draw": "draw", "judge": "judge"}
NAMES = {"side": "side of the image", "length": "tokens", "batch": "batch", "examples": "training examples"}
COLUMNS = 2


def plot_growth(
    curves: Sequence[Mapping], *, xlabel: str | None = None, ylabel: str = "milliseconds", share: bool = True
) -> Axes:
    """Draw curves of :func:`genkit.bench.growth.measure`, a panel for each family, in the order in which they come.

    Points are what was measured, lines ``overhead + scale · n ** exponent``. Above each panel stands the exponent of
    what grows, with its standard error.

    Arguments
        curves: at most five of each family, all over the same kind of size. A work has its colour in all panels, as
            long as no family comes twice with one work.
        xlabel: what the size is, by default what the curves say.
        share: one range of both axes for all panels, so that heights compare.
    """
    kinds = {row["what"] for row in curves}
    if len(kinds) != 1:
        raise ValueError(f"curves: expected those that grow with one thing, received {sorted(kinds) or 'none'}")
    families = {row["family"]: [r for r in curves if r["family"] == row["family"]] for row in curves}
    columns = min(COLUMNS, len(families))
    lines = -(-len(families) // columns)
    most = max(len(rows) for rows in families.values())
    with mpl.rc_context(STYLE):
        size = (WIDTH, lines * (1.75 + 0.24 * most) + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(lines, columns, squeeze=False, sharex=share, sharey=share)
    panels = grid.flatten()
    for panel, (family, rows) in zip(panels, families.items(), strict=False):
        alike = len({row["work"] for row in rows}) < len(rows)
        for i, row in enumerate(rows):
            _curve(panel, row, i if alike else list(WORK).index(row["work"]))
        panel.set(xscale="log", yscale="log")
        _ticks(panel, [n for r in (curves if share else rows) for n in r["n"]])
        panel.legend(
            title=family.replace("_", " "), title_fontproperties={"weight": "bold", "size": 12}, alignment="left",
            loc="lower left", bbox_to_anchor=(-0.02, 1.0), frameon=False, borderaxespad=0.0, borderpad=0.1,
            handlelength=2.2, labelspacing=0.2,
        )  # fmt: skip
        panel.get_legend().get_title().set_color(INK)
    for panel in panels[len(families) :]:
        panel.set_visible(False)
    for i, panel in enumerate(panels[: len(families)]):
        if i + columns >= len(families):  # the lowest of its column
            panel.tick_params(labelbottom=True)
    figure.supxlabel(xlabel or NAMES[kinds.pop()], fontsize=12, color=INK)
    figure.supylabel(ylabel, fontsize=12, color=INK)
    return panels[0]


def _curve(panel: Axes, row: Mapping, i: int) -> None:
    low, high = min(row["n"]), max(row["n"])
    at = [low * (high / low) ** (j / 60) for j in range(61)]
    fitted = [1e3 * (row["overhead"] + row["scale"] * n ** row["exponent"]) for n in at]
    panel.plot(at, fitted, color=COLOURS[i % 5], linestyle=DASHES[i % 5], zorder=2)
    measured = [1e3 * s for s in row["seconds"]]
    panel.plot(row["n"], measured, color=COLOURS[i % 5], marker=MARKERS[i % 5], linestyle="none", zorder=3)
    exponent = f"{row['exponent']:.2f} ± {row['stderr']:.2f}".replace("-", "−")
    panel.plot(
        [], [], color=COLOURS[i % 5], marker=MARKERS[i % 5], linestyle=DASHES[i % 5],
        label=f"{WORK[row['work']]}: exponent {exponent}",
    )  # fmt: skip


def _ticks(panel: Axes, sizes: Sequence[int]) -> None:
    """Mark sizes that lie far enough apart for their numbers: each a fifth of the axis above the last."""
    span = max(sizes) / min(sizes)
    ticks: list[int] = []
    for n in sorted(set(sizes)):
        if not ticks or n >= ticks[-1] * max(1.6, span**0.2):
            ticks.append(n)
    panel.set_xticks(ticks, [f"{n:,}" for n in ticks])
    panel.yaxis.set_major_formatter("{x:,g}")
    panel.minorticks_off()
