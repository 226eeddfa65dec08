"""Which chapters lean on which, and the roads: whole, without circles, and in an order in which they can be walked."""

import sys
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest
import yaml

pytest.importorskip("sphinx")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import paths  # noqa: E402
from roadmap import read_plan, read_toc  # noqa: E402

PLAN = [
    c.docname.removeprefix("notebooks/") for part in read_plan() for c in part.chapters if "notebooks/" in c.docname
]
ROADS = yaml.safe_load(paths.PATHS.read_text(encoding="utf-8"))["roads"]


def test_every_chapter_of_the_plan_says_what_it_leans_on():
    assert list(paths.leaning().nodes) == PLAN


def test_a_chapter_leans_only_on_earlier_ones():
    assert all(PLAN.index(before) < PLAN.index(after) for before, after in paths.leaning().edges)


def test_nothing_is_said_twice():
    graph = paths.leaning()
    assert set(nx.transitive_reduction(graph).edges) == set(graph.edges), "a chapter leans on what its needs lean on"


def test_a_circle_is_refused(tmp_path):
    (tmp_path / "p.yml").write_text("needs: {a: [b], b: [a]}")
    with pytest.raises(ValueError, match="no circles"):
        paths.leaning(tmp_path / "p.yml")


def test_columns_grow_along_the_lines_and_no_two_chapters_share_a_place():
    graph = paths.leaning()
    at = paths.places(graph)
    assert all(at[before][0] < at[after][0] for before, after in graph.edges)
    assert len(set(at.values())) == len(at)
    columns = {}
    for x, y in at.values():
        columns.setdefault(x, []).append(y)
    assert all(b - a == 1 for column in columns.values() for a, b in pairwise(sorted(column)))


@pytest.mark.parametrize("name", ROADS)
def test_a_road_meets_no_chapter_before_those_it_leans_on(name):
    graph, seen = paths.leaning(), []
    for stop in ROADS[name]["stops"]:
        for chapter in stop["chapters"]:
            assert chapter in graph and chapter not in seen
            missing = nx.ancestors(graph, chapter) - set(seen)
            assert not missing, f"{name}: {chapter} comes before {sorted(missing)}"
            seen.append(chapter)
        assert stop["aim"].endswith(".")


def test_the_roads_of_weeks_have_that_many():
    for name, weeks in (("six weeks", 6), ("twelve weeks", 12)):
        assert [stop["when"] for stop in ROADS[name]["stops"]] == list(range(1, weeks + 1))


def test_exercises_are_found_in_every_chapter_that_stands():
    ready = [c for c in PLAN if f"notebooks/{c}" in read_toc(ROOT / "_toc.yml")]
    for chapter in ready:
        tasks = paths.exercises(ROOT / "notebooks" / f"{chapter}.ipynb")
        assert 3 <= len(tasks) <= 10 and all(task.title.startswith("★") for task in tasks), chapter
        assert all(task.label.startswith("ex-") for task in tasks)
