"""A grid of squares, named above and at the left: empty, or the darker the more there is to see."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from .style import INK, PAPER, RULE, axes

LIGHT, DARK = (0.98, 0.98, 0.97), (0.13, 0.19, 0.24)


def cells(columns: Sequence[str], rows: Sequence[str], *, width: float, height: float) -> Axes:
    """Return axes with a square for every column and row, the first row on top."""
    panel = axes(width, height)
    panel.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    panel.set_xticks(range(len(columns)), columns, rotation=45, ha="left", rotation_mode="anchor", fontsize=10)
    panel.set_yticks(range(len(rows)), rows, fontsize=10)
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.grid(False)
    return panel


def fill(panel: Axes, column: int, row: int, *, depth: float, text: str = "") -> None:
    """Fill one square: ``depth`` 0 is paper, 1 is ink. The text stands out from it."""
    shade = tuple((1 - depth) * light + depth * dark for light, dark in zip(LIGHT, DARK, strict=True))
    panel.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=shade, edgecolor=RULE, linewidth=0.7))
    colour = PAPER if depth > 0.45 else INK
    panel.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
