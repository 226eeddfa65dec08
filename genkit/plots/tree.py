"""A tree as an indented list with lines: it stays readable on a narrow page, however many leaves it has."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from .style import COLOURS, INK, RULE, axes


def tree(root: str, branches: Mapping[str, Mapping], *, notes: Mapping[str, str] | None = None) -> Axes:
    """Draw nested names below ``root``: a name with names below it is a branch, another a leaf.

    ``notes`` are written behind the leaves that they name.

    >>> [text.get_text() for text in tree("living things", {"plants": {"fern": {}}, "stone": {}}).texts]
    ['living things', 'plants', 'fern', 'stone']
    """
    rows = [(0, root, None, True), *_rows(branches, 1, 0)]
    lines = len(rows)
    panel = axes(4.8, 0.27 * lines + 0.2)
    for i, (depth, name, parent, inner) in enumerate(rows):
        left = 0.45 * depth
        if parent is not None:
            start = 0.45 * (depth - 1) + 0.12
            panel.plot([start, start, left - 0.08], [parent + 0.35, i, i], color=RULE, linewidth=1.4, zorder=1)
        if not inner:
            panel.plot(left + 0.06, i, marker="o", markersize=6, color=COLOURS[0])
        text = panel.text(left + (0 if inner else 0.2), i, name, va="center", fontsize=12, color=INK)
        text.set_fontweight("bold" if inner else "normal")
        if not inner and notes and name in notes:
            panel.text(3.1, i, notes[name], va="center", fontsize=10.5, color=COLOURS[3])
    panel.set(xlim=(-0.1, 4.9), ylim=(lines - 0.4, -0.6))
    panel.axis("off")
    return panel


def _rows(branches: Mapping[str, Mapping], depth: int, parent: int) -> list[tuple[int, str, int, bool]]:
    """Return depth, name, the parent's row and whether it is a branch, in the order of drawing."""
    found: list[tuple[int, str, int, bool]] = []
    for name, below in branches.items():
        here = parent + len(found) + 1
        found.append((depth, name, parent, bool(below)))
        found += _rows(below, depth + 1, here)
    return found
