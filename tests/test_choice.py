"""Which model for which job: the advice follows from the record, and every contestant and chapter is known."""

import json
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("sphinx")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import choice  # noqa: E402
from roadmap import read_plan  # noqa: E402

from genkit.bake_off_plans import PLANS  # noqa: E402

ABOUT = yaml.safe_load(choice.MAP.read_text(encoding="utf-8"))
RECORD = json.loads(choice.RECORD.read_text(encoding="utf-8"))["results"]
MADE_UP = {
    "races": {
        "1": {"a": [{"q": 5.0}, {"q": 7.0}], "b": [{"q": 1.0}, {"q": 1.0}], "c": [{"q": 9.0}, {"q": 9.0}]},
        "9": {
            "a": [{"q": 1.0, "frechet": 2.0, "bits": 3.0}, {"q": 3.0, "frechet": 2.0, "bits": 3.0}],
            "b": [{"q": 4.0, "frechet": 1.0}, {"q": 4.0, "frechet": 1.0}],
            "c": [{"q": 2.1, "frechet": 9.0, "bits": 1.0}, {"q": 2.1, "frechet": 9.0, "bits": 1.0}],
        },
    },
    "kinds": {"a": "exact", "b": "none", "c": "estimate"},
    "sizes": {"a": {"size": 10}, "b": {"size": 30}, "c": {"size": 20}},
}


def test_numbers_are_means_with_standard_errors_and_sizes_have_none():
    assert choice.numbers(MADE_UP, "q") == {"a": (2.0, 1.0), "b": (4.0, 0.0), "c": (2.1, 0.0)}
    assert choice.numbers(MADE_UP, "q", "sprint")["a"] == (6.0, 1.0)
    assert choice.numbers(MADE_UP, "size")["b"] == (30, 0.0) and set(choice.numbers(MADE_UP, "bits")) == {"a", "c"}


def test_the_field_is_narrowed_first():
    assert choice.field(MADE_UP, None) == {"a", "b", "c"} and choice.field(MADE_UP, "exact") == {"a"}
    assert choice.field(MADE_UP, "likelihood") == {"a"}, "an estimate is no likelihood"
    assert choice.field(MADE_UP, "better half") == {"a", "b"}
    with pytest.raises(ValueError, match="among: expected"):
        choice.field(MADE_UP, "the best")


def test_a_slip_in_the_map_is_no_answer():
    for job, said in (
        ({"by": "q", "best": "lowest"}, "best: expected high or low"),
        ({"by": "quality", "best": "low"}, "by: expected a yardstick"),
        ({"by": "q", "best": "low", "budget": "marathon"}, "budget: expected race or sprint"),
    ):
        with pytest.raises(ValueError, match=said):
            choice.choose(MADE_UP, job)


def test_the_races_are_known_by_their_length_not_by_their_place():
    turned = MADE_UP | {"races": dict(reversed(MADE_UP["races"].items()))}
    assert choice.numbers(turned, "q") == choice.numbers(MADE_UP, "q")
    assert choice.numbers(turned, "q", "sprint") == choice.numbers(MADE_UP, "q", "sprint")


def test_of_one_seed_nobody_is_told_apart():
    one = MADE_UP | {"races": {"9": {name: runs[:1] for name, runs in MADE_UP["races"]["9"].items()}}}
    assert choice.choose(one, {"by": "q", "best": "low"})[0] == ["a", "c", "b"]


def test_the_best_is_chosen_at_the_right_end_with_its_equals():
    best, found = choice.choose(MADE_UP, {"by": "q", "best": "low"})
    assert best == ["a", "c", "b"] and list(found) == ["a", "c", "b"], "2.0 ± 1.0 is not told from 4.0"
    assert choice.choose(MADE_UP, {"by": "q", "best": "high"})[0] == ["b", "a"]
    assert choice.choose(MADE_UP, {"by": "size", "best": "low", "among": "better half"})[0] == ["a"]
    assert choice.choose(MADE_UP, {"by": "q", "best": "low", "budget": "sprint"})[0] == ["b"]


def test_every_contestant_has_a_chapter_that_the_plan_knows():
    chapters = {c.docname.removeprefix("notebooks/") for part in read_plan() for c in part.chapters}
    assert set(ABOUT["contestants"]) == set(PLANS) == set(RECORD["kinds"])
    assert set(ABOUT["contestants"].values()) | {job["chapter"] for job in ABOUT["others"]} <= chapters


@pytest.mark.parametrize("job", ABOUT["jobs"], ids=lambda job: job["need"])
def test_every_job_is_answered_by_the_record(job):
    best, found = choice.choose(RECORD, job)
    values = [value for value, _ in found.values()]
    assert len(found) >= 3 and best[0] == next(iter(found))
    assert values == sorted(values, reverse=job["best"] == "high")
    assert all(value == value for value in values)
