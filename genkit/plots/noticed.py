"""Who notices what: a grid of z-scores."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes

from .style import INK, PAPER, RULE, WIDTH, axes


def noticed(scores: Mapping[str, Mapping[str, float]], *, limit: float = 3.0) -> Axes:
    """Draw z-scores of metrics, across, on faults, down: dark and with their number where they pass ``limit``.

    What does not pass it stays empty. A sign says in which direction the metric moved.
    """
    if not scores or len({tuple(row) for row in scores.values()}) != 1:
        raise ValueError(
            f"scores: expected rows of the same metrics, received {[list(row) for row in scores.values()]}"
        )
    faults, names = list(scores), list(next(iter(scores.values())))
    panel = axes(WIDTH, 0.4 * len(faults) + 1.5)
    for i, fault in enumerate(faults):
        for j, name in enumerate(names):
            z = scores[fault][name]
            passed = abs(z) > limit
            depth = min(1.0, 0.3 + 0.7 * math.log(abs(z) / limit) / math.log(30)) if passed else 0.0
            shade = tuple(
                (1 - depth) * p + depth * q for p, q in zip((0.98, 0.98, 0.97), (0.13, 0.19, 0.24), strict=True)
            )
            panel.add_patch(_square(j, i, shade))
            if passed:
                text = f"{'−' if z < 0 else '+'}{abs(z):.0f}"
                panel.text(j, i, text, ha="center", va="center", fontsize=9, color=PAPER if depth > 0.45 else INK)
    panel.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(faults) - 0.5, -0.5))
    panel.set_xticks(range(len(names)), names, rotation=45, ha="left", rotation_mode="anchor", fontsize=10)
    panel.set_yticks(range(len(faults)), faults, fontsize=10)
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.grid(False)
    return panel


def _square(x: float, y: float, shade: tuple[float, ...]):
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=shade, edgecolor=RULE, linewidth=0.7)
