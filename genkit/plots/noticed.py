"""Who notices what: a grid of z-scores."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes

from .cells import cells, fill
from .style import WIDTH


def noticed(scores: Mapping[str, Mapping[str, float]], *, limit: float = 3.0) -> Axes:
    """Draw z-scores of metrics, across, on faults, down: dark and with their number where they pass ``limit``.

    What does not pass it stays empty. A sign says in which direction the metric moved.
    """
    if not scores or len({tuple(row) for row in scores.values()}) != 1:
        raise ValueError(
            f"scores: expected rows of the same metrics, received {[list(row) for row in scores.values()]}"
        )
    faults, names = list(scores), list(next(iter(scores.values())))
    panel = cells(names, faults, width=WIDTH, height=0.4 * len(faults) + 1.5)
    for i, fault in enumerate(faults):
        for j, name in enumerate(names):
            z = scores[fault][name]
            if abs(z) <= limit:
                fill(panel, j, i, depth=0.0)
                continue
            depth = min(1.0, 0.3 + 0.7 * math.log(abs(z) / limit) / math.log(30))
            fill(panel, j, i, depth=depth, text=f"{'−' if z < 0 else '+'}{abs(z):.0f}")
    return panel
