"""The figures of the book, in one style: tensors in, matplotlib axes out.

Figures are made without pyplot, so nothing is left open and no global setting changes. Colours differ in lightness, and
lines in dash and marker, so that a figure reads in grey and to the colour-blind.
"""

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

INK, PAPER, RULE = "#22303c", "#fbfaf7", "#c9c4b8"
COLOURS = ("#1f4e79", "#d98324", "#3d8b7d", "#8e3b46", "#8a8f98")  # dark blue, ochre, green, wine, grey
DASHES = ("-", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2)), "-")
MARKERS = ("o", "s", "^", "D", "v")
STYLE = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e7e3da",
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 2.0,
    "font.family": "DejaVu Sans",
    "savefig.facecolor": PAPER,
}
WIDTH = 6.8  # inches: at 100 pixels an inch, the width of the book's text


def axes(width: float = WIDTH, height: float = 3.6) -> Axes:
    """Return empty axes of the given size in inches, in the book's style."""
    with mpl.rc_context(STYLE):
        return Figure(figsize=(width, height), layout="constrained").add_subplot()


def png(figure: Figure, buffer: io.BytesIO) -> int:
    """Write ``figure`` to ``buffer`` as PNG at two dots a pixel; return its width in pixels on the page."""
    figure.savefig(buffer, format="png", dpi=200)
    return round(figure.get_figwidth() * 100)


def compare(rows: Mapping[str, Tensor], *, cell: float = 0.56) -> Axes:
    """Show rows of images, each shape (N, C, H, W) in [0, 1], with their names on the left."""
    strips = {name: _strip(images) for name, images in rows.items()}
    columns = max(len(images) for images in rows.values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, (cell + 0.08) * len(rows) + 0.1), layout="constrained")
        panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for panel, (name, strip) in zip(panels, strips.items(), strict=True):
        _picture(panel, strip)
        panel.set_xlim(-0.5, columns * (strip.shape[1] + 1) / len(rows[name]) - 0.5)
        panel.text(-0.015, 0.5, name, ha="right", va="center", fontsize=11, color=INK, transform=panel.transAxes)
    return panels[0]


def grid(images: Tensor, *, columns: int = 10, cell: float = 0.5) -> Axes:
    """Show images, shape (N, C, H, W) in [0, 1], row by row."""
    parts = images.split(columns)
    blank = images.new_zeros(columns - len(parts[-1]), *images.shape[1:])
    strips = [_strip(part) for part in (*parts[:-1], torch.cat([parts[-1], blank]))]
    line = torch.zeros(1, *strips[0].shape[1:]) if images.shape[1] == 1 else torch.ones(1, *strips[0].shape[1:])
    canvas = torch.cat([piece for strip in strips for piece in (strip, line)][:-1])
    panel = axes(min(WIDTH, cell * columns), min(WIDTH, cell * columns) * canvas.shape[0] / canvas.shape[1])
    _picture(panel, canvas)
    return panel


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


def planes(panels: Mapping[str, Tensor], *, extent: float = 3.0, group: Tensor | None = None, columns: int = 4) -> Axes:
    """Draw pictures of the plane beside each other: points of shape (N, 2), or a density on a square grid, (S, S).

    ``group`` gives every point one of up to five colours, int64 of shape (N,). Row 0 of a grid lies at the bottom.
    """
    columns = min(columns, len(panels))
    lines = -(-len(panels) // columns)
    side = WIDTH / columns
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, (side + 0.25) * lines), layout="constrained")
        row = figure.subplots(lines, columns, squeeze=False).flatten()
    for panel in row[len(panels) :]:
        panel.axis("off")
    for panel, (name, what) in zip(row, panels.items(), strict=False):
        what = what.detach()
        if what.shape[-1] == 2:
            for k in range(1 if group is None else 5):
                some = what if group is None else what[group == k]
                panel.scatter(*some.T, s=2.5, color=COLOURS[k], linewidth=0, alpha=0.8)
        else:
            panel.imshow(what.numpy(), cmap="gray_r", vmin=0, origin="lower", extent=[-extent, extent, -extent, extent])
        panel.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])
        panel.set_title(name, fontsize=10)
        panel.grid(False)
    return row[0]


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


def matrices(panels: Mapping[str, Tensor], *, ylabel: str, xlabel: str) -> Axes:
    """Draw named matrices beside each other, 0 as paper and the largest number as ink; rows go down, columns right."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(panels)) + 0.4), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False)[0]
    for panel, (name, matrix) in zip(row, panels.items(), strict=True):
        panel.imshow(matrix.detach().numpy(), cmap="gray_r", vmin=0, interpolation="nearest")
        panel.set(xlabel=xlabel, ylabel=ylabel)
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    return row[0]


def looks(panels: Mapping[str, Tensor], letters: Sequence[str]) -> Axes:
    """Draw where heads look, each of shape (T, T): rows are the letters that look, columns those that are looked at."""
    rows = -(-len(panels) // 2)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, (WIDTH / 2 + 0.2) * rows), layout="constrained")
        flat = figure.subplots(rows, 2, squeeze=False).flatten()
    for panel, (name, weights) in zip(flat, panels.items(), strict=False):
        panel.imshow(weights.detach().numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        for side in (panel.xaxis, panel.yaxis):
            side.set_ticks(range(len(letters)), ["␣" if letter == " " else letter for letter in letters])
        panel.tick_params(labelsize=8, length=0)
        panel.set(xlabel="is looked at", ylabel="looks")
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    for panel in flat[len(panels) :]:
        panel.axis("off")
    return flat[0]


def fields(panels: Mapping[str, Tensor], *, extent: float, points: Tensor | None = None) -> Axes:
    """Draw named densities over [−extent, extent]² beside each other, each dark where it is high.

    A panel holds (side, side) numbers whose rows go up, as :func:`genkit.metrics.plane` orders them. ``points``, shape
    (N, 2), are drawn over the first.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(panels)) + 0.35), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for panel, (name, values) in zip(row, panels.items(), strict=True):
        corners = [-extent, extent, -extent, extent]
        panel.imshow(values.detach().numpy(), cmap="gray_r", origin="lower", extent=corners, vmin=0)
        panel.set_title(name, fontsize=11)
        panel.grid(False)
    if points is not None:
        row[0].scatter(*points.T, s=3, color=COLOURS[1], linewidth=0)
        row[0].set(xlim=(-extent, extent), ylim=(-extent, extent))
    return row[0]


def alignment(weights: Tensor, rows: Sequence[str], columns: Sequence[str], *, ylabel: str, xlabel: str) -> Axes:
    """Draw weights of attention, shape (R, C), as a grid named by what looks, down, and what is looked at, right."""
    if tuple(weights.shape) != (len(rows), len(columns)):
        raise ValueError(f"weights: expected shape {(len(rows), len(columns))}, received {tuple(weights.shape)}")
    panel = axes(WIDTH, 0.6 + WIDTH * len(rows) / max(len(columns), 1) * 0.9)
    panel.imshow(weights.detach().numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    panel.set_xticks(range(len(columns)), columns)
    panel.set_yticks(range(len(rows)), rows)
    panel.set(xlabel=xlabel, ylabel=ylabel)
    panel.grid(False)
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


@torch.no_grad()
def latent_map(model, *, side: int = 9, extent: float = 2.0, c: Tensor | None = None) -> Axes:
    """Decode a square of codes of a model with two latent dimensions, each picture at its code."""
    at = torch.linspace(-extent, extent, side)
    z = torch.stack(torch.meshgrid(at, -at, indexing="xy"), -1).flatten(0, 1)  # first row on top: the second code is +
    pictures = model.decode(z, c).mean  # (side², C, H, W)
    canvas = torch.cat([_strip(row, gap=0) for row in pictures.split(side)])
    panel = axes(5.4, 5.2)
    panel.imshow(canvas.numpy(), cmap="gray_r", vmin=0, vmax=1, extent=[-extent, extent, -extent, extent])
    panel.set(xlabel="first code", ylabel="second code")
    panel.grid(False)
    return panel


def _strip(images: Tensor, gap: int = 1) -> Tensor:
    """Put images side by side with a thin white line between them: (H, W) for one channel, (H, W, 3) for three."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images: expected shape (N, 1 or 3, H, W), received {tuple(images.shape)}")
    images = images.detach().cpu().clamp(0, 1)
    # grey pictures are shown as ink on paper: 0 is white, so a line of zeros is white
    line = images.new_zeros(images.shape[1], images.shape[2], gap) if images.shape[1] == 1 else None
    line = images.new_ones(3, images.shape[2], gap) if line is None else line
    joined = torch.cat([piece for image in images for piece in (image, line)], 2)
    joined = joined[:, :, : joined.shape[2] - gap]
    return joined[0] if len(joined) == 1 else joined.permute(1, 2, 0)


def _picture(panel: Axes, canvas: Tensor) -> None:
    panel.imshow(canvas.numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    panel.axis("off")


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
