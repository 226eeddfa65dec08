"""The one look of the book: colours that read in grey, dashes and marks that tell lines apart, a size."""

import io

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
