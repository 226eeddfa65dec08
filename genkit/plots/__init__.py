"""The figures of the book, in one style: tensors in, matplotlib axes out.

Figures are made without pyplot, so nothing is left open and no global setting changes. Colours differ in lightness, and
lines in dash and marker, so that a figure reads in grey and to the colour-blind."""

from .clusters import clusters, criteria, labelled_maps, squeezed
from .curves import bars, curve, histogram, paths, rate_distortion, scatter, surprises
from .decisions import borders
from .growth import plot_growth
from .hints import hints
from .labels import confusions, dumbbells, fits, residuals, roc
from .maps import alignment, fields, looks, matrices, network, planes
from .mazes import mazes
from .noticed import noticed
from .pictures import compare, grid, latent_map
from .ranked import agreements, frontier, places, ranked
from .style import axes, png
from .tree import tree
from .ways import ways

__all__ = [
    "agreements", "alignment", "axes", "bars", "borders", "clusters", "compare", "confusions", "criteria", "curve",
    "dumbbells", "fields", "fits", "frontier", "grid", "hints", "histogram", "labelled_maps", "latent_map", "looks",
    "matrices", "mazes", "network", "noticed", "paths", "places", "planes", "plot_growth", "png", "ranked",
    "rate_distortion", "residuals", "roc", "scatter", "squeezed", "surprises", "tree", "ways",
]  # fmt: skip
