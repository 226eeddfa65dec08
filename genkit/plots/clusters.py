"""Groups of points, maps of examples, and a solid that is squeezed flat."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

from .style import COLOURS, DASHES, INK, MARKERS, PAPER, RULE, STYLE, WIDTH

KINDS = (*COLOURS[:4], "#6b5b95", "#7a6a1f", "#a0522d", "#4c6a78")
MARKS = (*MARKERS, "P", "X", "*")
TEN = (*KINDS[:4], *KINDS[5:7], "#1b1b1b", "#6b5b95", "#2f6f3e", "#555b63")  # dark enough for small letters


def _row(count: int, height: float | None = None, columns: int = 4) -> tuple[Figure, list[Axes]]:
    columns = min(columns, count)
    lines = -(-count // columns)
    with mpl.rc_context(STYLE):
        side = WIDTH / max(2, columns)
        figure = Figure(figsize=(WIDTH, (height or side + 0.3) * lines), layout="constrained")
        panels = list(figure.subplots(lines, columns, squeeze=False).flatten())
    for spare in panels[count:]:
        spare.axis("off")
    return figure, panels[:count]


def clusters(
    panels: Mapping[str, tuple[Tensor, Tensor | None, Tensor | None]], *, extent: float = 3.0, columns: int = 4
) -> Axes:
    """Draw groups of points beside each other: points (N, 2), labels below 8 or None, centres (K, 2) or None.

    Each group has a colour and a mark of its own. Where there are centres, the part of the plane that is nearest to
    each is shaded, and a numbered disc stands on it.
    """
    _, row = _row(len(panels), columns=columns)
    at = torch.linspace(-extent, extent, 241)
    grid = torch.cartesian_prod(at, at).flip(1).double()
    for panel, (name, (x, labels, centres)) in zip(row, panels.items(), strict=True):
        if centres is not None:
            kind = torch.cdist(grid, centres.double()).argmin(1).view(len(at), len(at)).numpy()
            shades = ListedColormap(KINDS[: len(centres)])
            corners = [-extent, extent, -extent, extent]
            panel.imshow(kind, cmap=shades, origin="lower", extent=corners, alpha=0.16, vmin=0, vmax=len(centres) - 1)
            for k in range(len(centres)):  # a thin line where two parts meet
                panel.contour(at.numpy(), at.numpy(), kind == k, levels=[0.5], colors=[INK], linewidths=0.5)
            for k, (a, b) in enumerate(centres.tolist(), start=1):
                panel.scatter([a], [b], s=110, color=PAPER, edgecolor=INK, linewidth=1.2, zorder=4)
                panel.text(a, b, str(k), ha="center", va="center_baseline", fontsize=8, weight="bold", zorder=5)
        for k in range(1 if labels is None else int(labels.max()) + 1):
            some = x if labels is None else x[labels == k]
            colour = RULE if labels is None else KINDS[k]
            edge = {"edgecolor": INK, "linewidth": 0.3} if labels is None else {"linewidth": 0}
            panel.scatter(*some.T.tolist(), s=12, color=colour, marker=MARKS[k], alpha=0.9, zorder=3, **edge)
        panel.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])
        panel.set_title(name, fontsize=10)
        panel.grid(False)
    return row[0]


def labelled_maps(panels: Mapping[str, Tensor], labels: Tensor) -> Axes:
    """Draw maps of the same examples beside each other, shape (N, 2) each, every example as the figure of its label.

    ``labels`` holds 0 … 9, shape (N,).
    """
    _, row = _row(len(panels), height=WIDTH / len(panels) + 0.3)
    for panel, (name, z) in zip(row, panels.items(), strict=True):
        z = z.detach().double()
        z = (z - z.mean(0)) / (z - z.mean(0)).abs().amax(0)
        for (a, b), k in zip(z.tolist(), labels.tolist(), strict=True):
            panel.text(a, b, str(k), ha="center", va="center", fontsize=6.5, color=TEN[k], weight="bold")
        panel.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), xticks=[], yticks=[])
        panel.set_title(name, fontsize=10)
        panel.grid(False)
    return row[0]


def squeezed(panels: Mapping[str, Tensor], original: Tensor, *, half: float = 0.5) -> Axes:
    """Draw solids of points beside each other, shape (N, 3), seen from above and aside, in the frame of a cube.

    The darker a point, the farther it lies from where it was in ``original``; ``half`` is half the cube's edge.
    """
    _, row = _row(len(panels), height=WIDTH / len(panels) + 0.35)
    right, up = torch.tensor([0.84, 0.54, 0.0]), torch.tensor([-0.2, 0.31, 0.93])  # where we stand
    corners = torch.cartesian_prod(*[torch.tensor([-half, half])] * 3)
    pairs = [(a, b) for a in corners for b in corners if (a != b).sum() == 1 and (a - b).sum() > 0]
    farthest = max((p - original).norm(dim=1).max().item() for p in panels.values())
    for panel, (name, points) in zip(row, panels.items(), strict=True):
        for a, b in pairs:
            panel.plot([a @ right, b @ right], [a @ up, b @ up], color=INK, linewidth=0.7, alpha=0.5, zorder=1)
        moved = (points - original).norm(dim=1) / max(farthest, 1e-9)
        shown = {"c": (0.25 + 0.75 * moved).tolist(), "cmap": "Blues", "vmin": 0, "vmax": 1}
        panel.scatter((points @ right).tolist(), (points @ up).tolist(), s=9, linewidth=0, zorder=2, **shown)
        panel.set(aspect="equal", xticks=[], yticks=[], xlim=(-0.8, 0.8), ylim=(-0.8, 0.8))
        panel.set_title(name, fontsize=11)
        panel.grid(False)
        panel.spines[["left", "bottom"]].set_visible(False)
    return row[0]


def criteria(
    x: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[float]]], *, xlabel: str, mark: float | None = None
) -> Axes:
    """Draw named lines in panels beside each other, each with a scale of its own; ``mark`` draws an upright line."""
    _, row = _row(len(panels), height=2.7)
    for panel, (name, lines) in zip(row, panels.items(), strict=True):
        for i, (line, y) in enumerate(lines.items()):
            shown = [(a, b) for a, b in zip(x, y, strict=True) if b is not None]
            a, b = zip(*shown, strict=True)
            panel.plot(a, b, color=COLOURS[i], linestyle=DASHES[i], marker=MARKERS[i], markersize=3, label=line)
        if mark is not None:
            panel.axvline(mark, color=COLOURS[3], linestyle=DASHES[2], linewidth=1.4)
        panel.set(xlabel=xlabel)
        panel.set_title(name, fontsize=11)
        panel.tick_params(labelsize=9)
        if len(lines) > 1:
            panel.legend(fontsize=9)
    return row[0]
