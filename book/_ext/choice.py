"""Say which model suits which job, by the record of the bake-off: nothing of the measured part is typed.

``book/map.yml`` says what a job asks for, and in which chapter a contestant is at home.
"""

import json
import math
import statistics
from pathlib import Path

import yaml
from docutils import nodes
from paths import Known, grid
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parent.parent
MAP = BOOK / "map.yml"
RECORD = BOOK.parent / "genkit" / "records" / "bake_off.json"
LIMIT = 3.0  # standard errors of a difference that tell two apart


def numbers(results: dict, by: str, budget: str = "race") -> dict[str, tuple[float, float]]:
    """Return the mean over seeds of a yardstick and its standard error, for every contestant that has one.

    ``budget`` is ``"race"``, the longest, or ``"sprint"``, the shortest.
    """
    if budget not in ("race", "sprint"):
        raise ValueError(f"budget: expected race or sprint, received {budget!r}")
    found = {}
    pick = max if budget == "race" else min
    for name, runs in results["races"][pick(results["races"], key=float)].items():
        if by in results["sizes"][name]:
            found[name] = (results["sizes"][name][by], 0.0)
        elif all(by in run for run in runs):
            values = [run[by] for run in runs]
            found[name] = (statistics.fmean(values), _error(values))
    return found


def _error(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf  # one seed tells nothing


def field(results: dict, among: str | None, budget: str = "race") -> set[str]:
    """Return who may be chosen: all; those with an exact likelihood, with any; the better half by Fréchet ratio."""
    names, kinds = set(results["kinds"]), results["kinds"]
    if among == "exact":
        return {name for name in names if kinds[name] == "exact"}
    if among == "likelihood":
        return {name for name in names if kinds[name] in ("exact", "bound")}
    if among == "better half":
        ratio = {name: value for name, (value, _) in numbers(results, "frechet", budget).items()}
        return set(sorted(ratio, key=ratio.get)[: (len(ratio) + 1) // 2])
    if among is not None:
        raise ValueError(f"among: expected exact, likelihood or better half, received {among!r}")
    return names


def choose(results: dict, job: dict) -> tuple[list[str], dict[str, tuple[float, float]]]:
    """Return who does a job best, with those whom the seeds do not tell apart from the best, and all numbers."""
    if job["best"] not in ("high", "low"):
        raise ValueError(f"best: expected high or low, received {job['best']!r}")
    budget = job.get("budget", "race")
    candidates = field(results, job.get("among"), budget)
    found = {name: value for name, value in numbers(results, job["by"], budget).items() if name in candidates}
    if not found:
        raise ValueError(f"by: expected a yardstick of the record, received {job['by']!r}, which none of these has")
    sign = 1 if job["best"] == "low" else -1
    order = sorted(found, key=lambda name: sign * found[name][0])
    value, error = found[order[0]]
    even = [n for n in order[1:] if abs(found[n][0] - value) <= LIMIT * math.hypot(error, found[n][1])]
    return [order[0], *even], {name: found[name] for name in order}


def _short(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Guide(SphinxDirective):
    """``:::{guide}`` becomes the table of jobs: what is asked for, the best, and the two that come next."""

    def run(self):
        about, results, known = _read(self)
        rows = []
        for job in about["jobs"]:
            best, found = choose(results, job)
            first = [known.link(about["contestants"][best[0]])] if best[0] in about["contestants"] else []
            value = [nodes.strong("", best[0]), nodes.Text(f": {_short(found[best[0]][0])} {job['unit']} (")]
            shown = list(found)[1:3]
            others = [f"{n}, {_short(found[n][0])}{' (even)' if n in best else ''}" for n in shown]
            if more := [n for n in best[1:] if n not in shown]:
                others.append(f"{len(more)} more even")
            rows.append([[nodes.Text(job["need"])], [*value, *first, nodes.Text(")")], [nodes.Text("; ".join(others))]])
        return [grid(("What you need", "best in the bake-off", "next"), (36, 34, 30), rows, "guide")]


class Elsewhere(SphinxDirective):
    """``:::{elsewhere}`` becomes the table of jobs that the bake-off cannot judge, with the chapter that can."""

    def run(self):
        about, _, known = _read(self)
        rows = [
            [[nodes.Text(job["need"])], [known.link(job["chapter"])], [nodes.Text(job["why"])]]
            for job in about["others"]
        ]
        return [grid(("What you need", "chapter", "why"), (32, 26, 42), rows, "guide")]


class Contest(SphinxDirective):
    """``:::{contest}`` becomes the measured table: every contestant by the yardsticks that the jobs ask for."""

    HEADS = {
        "frechet": "Fréchet ratio", "precision": "precision", "recall": "recall", "bits": "bits a pixel",
        "a second": "a second", "drawing, MB": "MB to draw", "parameters": "parameters",
    }  # fmt: skip

    def run(self):
        about, results, known = _read(self)
        columns = {by: numbers(results, by) for by in self.HEADS}
        order = sorted(columns["frechet"], key=lambda name: columns["frechet"][name][0])
        rows = []
        for name in order:
            cells = [[known.link(about["contestants"][name]), nodes.Text(f": {name}")]]
            for by, found in columns.items():
                said = _short(found[name][0]) if name in found else "none"
                kind = results["kinds"][name]
                cells.append([nodes.Text(f"{said}, {kind}" if by == "bits" and name in found else said)])
            rows.append(cells)
        return [grid(("Model", *self.HEADS.values()), (24, *[11] * len(self.HEADS)), rows, "contest")]


def _read(directive: SphinxDirective) -> tuple[dict, dict, Known]:
    for source in (MAP, RECORD):
        directive.env.note_dependency(str(source))
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    return yaml.safe_load(MAP.read_text(encoding="utf-8")), record["results"], Known(directive)


def setup(app):
    """Register the directives."""
    for name, directive in (("guide", Guide), ("elsewhere", Elsewhere), ("contest", Contest)):
        app.add_directive(name, directive)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
