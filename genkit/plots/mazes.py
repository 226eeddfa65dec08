"""Mazes seen from above: walls, values as shades, policies as arrows, ways as lines."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from .style import COLOURS, DASHES, INK, PAPER, STYLE, WIDTH

SHADES = LinearSegmentedColormap.from_list("shades", [PAPER, COLOURS[1]])
SIGNS = {"S": "S", "G": "G", "X": "✕", "c": "¢"}
ALONG = ((0, -0.28), (0.28, 0), (0, 0.28), (-0.28, 0))  # up, right, down, left, in a picture whose rows go down


def mazes(
    panels: Mapping[str, Sequence[str]],
    *,
    values: Mapping[str, np.ndarray] | None = None,
    policies: Mapping[str, np.ndarray] | None = None,
    ways: Mapping[str, Sequence[int]] | None = None,
    extremes: tuple[float, float] | None = None,
    columns: int = 2,
) -> Axes:
    """Draw named mazes beside each other.

    Arguments
        panels: name to the maze's lines of letters.
        values: a number for every square, shape (S,): the higher, the darker.
        policies: probabilities of up, right, down, left, shape (S, 4): an arrow for each above a fifth, and none on
            squares where all four are equal.
        ways: the squares that a robot went over, one after the other.
        extremes: the values that are drawn as paper and as the darkest shade; else the lowest and the highest.
        columns: of panels.
    """
    values, policies, ways = values or {}, policies or {}, ways or {}
    columns = min(columns, len(panels))
    lines = -(-len(panels) // columns)
    height, width = len(next(iter(panels.values()))), len(next(iter(panels.values()))[0])
    side = min(WIDTH / columns, 4.2)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(side * columns, (side * height / width + 0.35) * lines), layout="constrained")
        flat = figure.subplots(lines, columns, squeeze=False).flatten()
    for panel in flat[len(panels) :]:
        panel.axis("off")
    for panel, (name, rows) in zip(flat, panels.items(), strict=False):
        _squares(panel, rows, values.get(name), extremes, crowded=name in policies)
        _arrows(panel, rows, policies.get(name))
        if name in ways:
            y, x = np.divmod(np.array(ways[name]), width)
            panel.plot(x, y, color=COLOURS[0], linestyle=DASHES[0], linewidth=2.2, alpha=0.85)
            panel.plot(
                x[-1], y[-1], color=COLOURS[0], marker="o", markersize=13, markerfacecolor="none", markeredgewidth=2
            )
        panel.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    return flat[0]


def _squares(
    panel: Axes, rows: Sequence[str], values: np.ndarray | None, extremes: tuple | None, *, crowded: bool
) -> None:
    letters = np.array([list(row) for row in rows])
    wall, end = letters == "#", np.isin(letters, ["G", "X", "c"])
    if values is not None:
        shown = np.ma.masked_array(np.asarray(values, dtype=float).reshape(letters.shape), wall | end)
        low, high = extremes or (shown.min(), shown.max())
        panel.imshow(shown, cmap=SHADES, vmin=low, vmax=max(high, low + 1e-9))
    for (i, j), letter in np.ndenumerate(letters):
        if letter == "#":
            panel.add_patch(mpl.patches.Rectangle((j - 0.5, i - 0.5), 1, 1, color="#5b6670", linewidth=0))
        elif letter in SIGNS:
            aside, size = (0.3, 7) if crowded and letter == "S" else (0.0, 10)
            options = {"ha": "center", "va": "center", "color": INK, "fontsize": size, "weight": "bold"}
            panel.text(j - aside, i - aside, SIGNS[letter], **options)
    panel.set_xticks(np.arange(-0.5, letters.shape[1]), minor=True)
    panel.set_yticks(np.arange(-0.5, letters.shape[0]), minor=True)
    panel.grid(True, which="minor", linewidth=0.6)
    panel.tick_params(which="both", length=0)


def _arrows(panel: Axes, rows: Sequence[str], policy: np.ndarray | None) -> None:
    if policy is None:
        return
    letters = "".join(rows)
    for s, chances in enumerate(policy):
        if letters[s] not in ".S" or np.ptp(chances) < 1e-9:
            continue
        y, x = divmod(s, len(rows[0]))
        whole = float((chances > 0.2).sum() == 1)  # one arrow runs through the square, several from its middle
        reach, style = (
            1.0 + 0.5 * (1 - whole),
            {"arrowstyle": "->", "color": INK, "lw": 1.2, "shrinkA": 0, "shrinkB": 0},
        )
        for (dx, dy), chance in zip(ALONG, chances, strict=True):
            if chance > 0.2:
                ends = {"xy": (x + reach * dx, y + reach * dy), "xytext": (x - whole * dx, y - whole * dy)}
                panel.annotate("", **ends, arrowprops=style | {"mutation_scale": 6 + 4 * whole})
