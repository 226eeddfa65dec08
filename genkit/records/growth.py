"""How the cost of each family grows: curves for the record of a chapter that compares the families."""

from collections.abc import Callable, Iterable

from ..bench import growth

ROUNDS = 3


def measure(tell: Callable[[str], None], cases: Iterable[growth.Case] = growth.CASES) -> dict:
    """Measure the curves of :func:`genkit.bench.growth.measure`: about two minutes on one thread.

    Returns ``curves``, which a chapter draws with :func:`genkit.plots.plot_growth`, and ``folklore``: by the name of a
    curve, whether its seconds grow ``"slower"`` or ``"faster"`` than the textbook says, or ``"as said"``.
    """
    curves = growth.measure(tell, rounds=ROUNDS, cases=cases)
    return {"curves": curves, "folklore": {growth.name_of(row): growth.against_theory(row) for row in curves}}
