"""The self-test sends a reader to what is not yet known, and nowhere else."""

import json
from pathlib import Path

import pytest

from genkit.exercises import EXERCISES
from genkit.exercises.primer import SECTIONS
from genkit.exercises.selftest import start_at


def answers(known):
    def nothing(*arguments):
        raise NotImplementedError

    return {name: EXERCISES[name].reference if name in known else nothing for name in SECTIONS}


def test_every_exercise_of_the_primer_names_its_section():
    path = Path(__file__).resolve().parent.parent / "notebooks" / "learning" / "primer.ipynb"
    lines = [
        line for c in json.loads(path.read_text(encoding="utf-8"))["cells"] for line in "".join(c["source"]).split("\n")
    ]
    headings = [line[3:] for line in lines if line.startswith("## ")]
    sections = list(dict.fromkeys(SECTIONS.values()))
    assert [h for h in headings if h in sections] == sections


def test_who_knows_all_may_go_on():
    assert "next chapter" in repr(start_at(answers(SECTIONS), SECTIONS)[1])


def test_who_knows_nothing_starts_at_the_first_section():
    table, advice = start_at(answers(()), SECTIONS)
    assert repr(advice).startswith("**0 of 10** are solved. Start with **Tensors and shapes**, then Broadcasting")
    assert repr(table).count("not tried yet") == 10


def test_a_wrong_answer_counts_as_open():
    wrong = answers(set(SECTIONS) - {"draw"}) | {"draw": lambda p, u: u * 0}
    assert repr(start_at(wrong, SECTIONS)[1]) == "**9 of 10** are solved. Start with **Drawing**."


def test_an_answer_too_few_is_named():
    with pytest.raises(ValueError, match="answers: expected one for each of"):
        start_at({}, SECTIONS)
