"""A chapter's record: its experiments over seeds, run once, kept with the machine and the date, held against the page.

``genkit record CHAPTER`` writes ``genkit/records/NAME.json``, inside the package, so that Colab has it too. No record
is typed by hand, and a test fails when the code that made one has changed since.
"""

import datetime
import hashlib
import importlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from . import __version__, files, recipes, records
from .names import unknown
from .scale import scale
from .source import source_hash

RESULTS = Path(records.__file__).parent


@dataclass(frozen=True)
class Expected:
    """What a number came to over seeds: their mean, their standard deviation, the mean's standard error.

    >>> Expected.over([1.0, 2.0, 3.0])
    Expected(2.00 ± 0.58, 3 seeds)
    """

    mean: float
    deviation: float
    seeds: int

    @classmethod
    def over(cls, values: list[float]) -> "Expected":
        """Summarise the values of at least two seeds."""
        if len(values) < 2:
            raise ValueError(f"values: expected at least 2 seeds, received {len(values)}")
        return cls(statistics.fmean(values), statistics.stdev(values), len(values))

    @property
    def stderr(self) -> float:
        """The standard error of the mean."""
        return self.deviation / self.seeds**0.5

    def admits(self, value: float, *, slack: float) -> bool:
        """Tell whether one more seed may well give ``value``: within four deviations and ``slack`` of the mean.

        The slack allows for other machines and other versions of torch, whose roundings make other seeds of the same.
        """
        return abs(value - self.mean) <= 4 * self.deviation + slack

    def __format__(self, spec: str) -> str:
        spec = spec or ".2f"
        return f"{self.mean:{spec}} ± {self.stderr:{spec}}"

    def __repr__(self) -> str:
        return f"Expected({self:.2f}, {self.seeds} seeds)"


def recorded(chapter: str) -> dict:
    """Return the results in a chapter's record. Raises ``ValueError`` where there is none."""
    return _read(chapter)["results"]


def summary(runs: list[dict[str, float]]) -> dict[str, Expected]:
    """Summarise every number of a list of runs, one run a seed.

    >>> summary([{"elbo": -90.0}, {"elbo": -92.0}])
    {'elbo': Expected(-91.00 ± 1.00, 2 seeds)}
    """
    return {name: Expected.over([run[name] for run in runs]) for name in runs[0]}


def write(chapter: str, *, full: bool = False, tell: Callable[[str], None] = print) -> Path:
    """Run a chapter's experiments and write its record, atomically. Returns the record's path."""
    module = _module(chapter)
    start = time.perf_counter()
    results = module.run(tell)
    if full:
        results["full"] = module.run_full(tell)
    elif _path(chapter).exists() and "full" in recorded(chapter):
        results["full"] = recorded(chapter)["full"]
    record = {
        "chapter": chapter,
        "hash": fingerprint(chapter),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - start),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} of {os.cpu_count()} threads",
        "versions": {"genkit": __version__, "python": platform.python_version(), "torch": torch.__version__},
        "scale": scale(),
        "results": results,
    }
    files.write_json(_path(chapter), record)
    return _path(chapter)


def fingerprint(chapter: str) -> str:
    """Return the hash of the code that makes a chapter's record."""
    module = _module(chapter)
    parts = {
        "experiments": Path(module.__file__).read_text(encoding="utf-8"),
        "sources": source_hash(*module.SOURCES),
        "recipes": [asdict(recipes.get(name)) for name in module.RECIPES],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def stale(chapter: str) -> bool:
    """Tell whether the code that makes a chapter's record has changed since the record was made."""
    return _read(chapter)["hash"] != fingerprint(chapter)


def _read(chapter: str) -> dict:
    path = _path(chapter)
    if not path.exists():
        raise ValueError(f"chapter: expected one with a record, received {chapter!r}; make it: genkit record {chapter}")
    return json.loads(path.read_text(encoding="utf-8"))


def _path(chapter: str) -> Path:
    if chapter not in records.CHAPTERS:
        raise unknown("chapter", chapter, records.CHAPTERS)
    return RESULTS / f"{records.CHAPTERS[chapter]}.json"


def _module(chapter: str):
    _path(chapter)
    return importlib.import_module(f"genkit.records.{records.CHAPTERS[chapter]}")
