"""Choose two yardsticks, and see which models nobody beats in both."""

import math
from collections.abc import Mapping, Sequence

from .. import ranking
from .explorer import Explorer


def front_explorer(names: Sequence[str], yardsticks: Mapping[str, tuple[Sequence[float], str]]) -> Explorer:
    """Return an explorer of the Pareto front of any two of several yardsticks.

    Arguments
        names: of the models, at least 2.
        yardsticks: by its name, at least 2: a number for every model, NaN where it has none, and which end is best,
            ``"high"`` or ``"low"``. One whose numbers are all above 0 and differ more than tenfold is drawn on a
            logarithmic axis.

    Raises ``ValueError`` for fewer, and for lists that do not fit the names.
    """
    if len(names) < 2 or len(yardsticks) < 2:
        raise ValueError(f"names, yardsticks: expected 2 or more of each, received {len(names)} and {len(yardsticks)}")
    kept = []
    for name, (values, best) in yardsticks.items():
        if len(values) != len(names) or best not in ("high", "low"):
            raise ValueError(f"{name}: expected {len(names)} numbers and high or low, received {len(values)}, {best!r}")
        known = [float(v) for v in values if not math.isnan(v)]
        if len(known) < 2:
            raise ValueError(f"{name}: expected numbers of at least 2 models, received {len(known)}")
        spread = min(known) > 0 and max(known) > 10 * min(known)
        numbers = [None if math.isnan(v) else float(f"{v:.5g}") for v in values]
        kept.append({"name": name, "best": 1 if best == "high" else -1, "log": spread, "values": numbers})
    state = {"names": list(names), "yardsticks": kept}
    pairs = [(0, 1), (1, 0), (0, len(kept) - 1), (len(kept) - 1, len(kept) // 2), (1, 1)]
    return Explorer(
        ("front.js",), state=state, probes=[({"x": x, "y": y}, answer(state, x, y)) for x, y in pairs],
        title="The models that nobody beats, by two yardsticks of your choice",
        fallback="Here two yardsticks can be chosen, where scripts may run, to see which models nobody beats.",
    )  # fmt: skip


def answer(state: dict, x: int, y: int) -> list[float]:
    """Return what the page should: for every model 1 if nobody beats it, 0 if somebody does, −1 without a number."""
    columns = [state["yardsticks"][i] for i in (x, y)]
    there = [i for i in range(len(state["names"])) if all(c["values"][i] is not None for c in columns)]
    found = [-1.0] * len(state["names"])
    if there:
        first = ranking.front([[c["best"] * c["values"][i] for c in columns] for i in there])
        for i, on in zip(there, first.tolist(), strict=True):
            found[i] = float(on)
    return found
