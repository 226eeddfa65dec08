"""Two ways of one piece of work, timed in turns: what counts is their ratio, round by round."""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Ratio:
    """How much time one way takes for each second of another: the median over rounds, and its spread.

    Arguments
        value: the median of the rounds' ratios; below 1 the first way is the faster.
        low, high: the quartiles of the rounds' ratios.
        ours, theirs: median seconds of the two.

    >>> Ratio(0.5, 0.4, 0.6, ours=1.0, theirs=2.0)
    Ratio(0.50, half of the rounds in 0.40 … 0.60)
    """

    value: float
    low: float
    high: float
    ours: float
    theirs: float

    @classmethod
    def over(cls, ours: list[float], theirs: list[float]) -> "Ratio":
        """Summarise the seconds of at least two rounds, in the order in which the rounds were run."""
        if len(ours) != len(theirs) or len(ours) < 2:
            raise ValueError(f"ours, theirs: expected the same rounds, at least 2, received {len(ours)}, {len(theirs)}")
        low, middle, high = statistics.quantiles([a / b for a, b in zip(ours, theirs, strict=True)], method="inclusive")
        return cls(middle, low, high, statistics.median(ours), statistics.median(theirs))

    def __repr__(self) -> str:
        return f"Ratio({self.value:.2f}, half of the rounds in {self.low:.2f} … {self.high:.2f})"


def clock() -> Callable[[], float]:
    """Return the clock for work that only computes: of one thread the processor's, which others on it do not slow.

    Several threads need the wall's: the processor's adds up theirs.
    """
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def seconds(
    ways: dict[str, Callable[[], object]], rounds: int = 9, warm: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:  # fmt: skip
    """Return the seconds of every way, round by round: all take turns within a round, since a machine's speed drifts.

    Every second round runs in the opposite order, so that no way always follows the same one. The first ``warm``
    rounds are not counted: they fill caches and compile. ``clock`` tells the seconds.
    """
    if rounds < 2 or not ways:
        raise ValueError(f"rounds, ways: expected at least 2 rounds of at least 1 way, received {rounds}, {len(ways)}")
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(-warm, rounds):
        for name in list(ways) if turn % 2 else reversed(ways):
            start = clock()
            ways[name]()
            if turn >= 0:
                found[name].append(clock() - start)
    return found


def beside(
    ways: dict[str, Callable[[], object]], rounds: int = 9, warm: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Ratio]:  # fmt: skip
    """Time the first of several ways against each of the others. Returns a ratio for each of those, by name."""
    ours, *others = ways
    found = seconds(ways, rounds, warm, clock)
    return {name: Ratio.over(found[ours], found[name]) for name in others}


def flat(ratios: dict[str, Ratio], what: str = "") -> dict[str, float]:
    """Return ratios as the numbers that a benchmark reports: ratio, quartiles, milliseconds of both."""
    start = f"{what}, " if what else ""
    found: dict[str, float] = {}
    for name, ratio in ratios.items():
        found[f"{start}ratio to {name}"] = ratio.value
        found[f"{start}ratio to {name}, lower quartile"] = ratio.low
        found[f"{start}ratio to {name}, upper quartile"] = ratio.high
        found[f"{start}genkit, ms"] = 1e3 * ratio.ours
        found[f"{start}{name}, ms"] = 1e3 * ratio.theirs
    return found


def aloud(line: str) -> None:
    """Tell one line of a benchmark that takes minutes, on stderr: stdout is for the result."""
    print(line, file=sys.stderr, flush=True)


def peer(name: str):
    """Return a library that is timed against genkit and that genkit does not need otherwise."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise ValueError(f"{name}: expected it to be installed, for it is timed here: pip install {name}") from None
