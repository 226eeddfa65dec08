"""Quizzes hold what they promise: one right answer each, feedback on every option, and plain text."""

import json
import re
import sys
from pathlib import Path

import pytest

from genkit.exercises import CHAPTERS, quiz, solution
from genkit.exercises.quiz import FOLDER, identity, questions

ROOT = Path(__file__).resolve().parent.parent
QUIZZES = sorted(FOLDER.glob("*.quiz.json"))
EVERY = [(path.name.split(".")[0], q) for path in QUIZZES for q in questions(path.name.split(".")[0])]


def test_every_chapter_with_exercises_has_a_quiz():
    assert {c.split("/")[-1] for c in CHAPTERS} == {p.name.split(".")[0] for p in QUIZZES}


@pytest.mark.parametrize("path", QUIZZES, ids=lambda p: p.name)
def test_a_quiz_has_four_to_eight_questions_and_gives_nothing_away(path):
    asked = json.loads(path.read_text(encoding="utf-8"))
    assert 4 <= len(asked) <= 8
    places = [[o["right"] for o in q["options"]].index(True) for q in asked]
    assert len(set(places)) >= 3, "the right answer stands in few places"
    longest = [max(range(len(q["options"])), key=lambda i, q=q: len(q["options"][i]["text"])) for q in asked]
    told = sum(a == b for a, b in zip(places, longest, strict=True))
    assert told <= len(asked) / 2, "the longest answer is too often the right one"


@pytest.mark.parametrize(("chapter", "question"), EVERY)
def test_a_question_has_one_right_answer_and_feedback_on_every_option(chapter, question):
    assert set(question) == {"question", "options"}
    options = question["options"]
    assert 3 <= len(options) <= 5
    assert [type(o["right"]) for o in options] == [bool] * len(options)
    assert sum(o["right"] for o in options) == 1
    texts, feedback = [o["text"] for o in options], [o["feedback"] for o in options]
    assert len(set(texts)) == len(texts)
    assert len(set(feedback)) == len(feedback)
    for option in options:
        assert set(option) == {"text", "right", "feedback"}
        assert len(option["feedback"]) > 40, "feedback explains"
        assert option["feedback"].endswith((".", "?"))
        assert not re.search(r"[$`]|\\[a-z(\[]|\*\*", json.dumps(option, ensure_ascii=False)), "plain text, no markup"
    assert not re.search(r"[$`]|\\[a-z(\[]", question["question"])


def test_a_changed_question_is_another_question():
    first = questions("vae")[0]
    assert identity(first) == identity(json.loads(json.dumps(first)))
    changed = first | {"options": first["options"][::-1]}
    assert identity(changed) != identity(first) != identity(first | {"question": "What?"})
    assert len({identity(q) for _, q in EVERY}) == len(EVERY)


def test_an_unknown_chapter_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'vae'"):
        quiz("models/vea")


def test_what_stands_in_the_questions_is_escaped(monkeypatch):
    evil = '<img src=x onerror=alert(1)>"'
    asked = ({"question": evil, "options": [{"text": evil, "right": True, "feedback": evil}]},)
    monkeypatch.setattr(sys.modules[quiz.__module__], "questions", lambda chapter: asked)
    assert "<img" not in quiz(evil).code
    assert 'onerror=alert(1)>"' not in quiz(evil).code


def test_it_asks_no_other_host_and_needs_no_typesetter():
    for code in (quiz("models/vae").code, solution("kl").code):
        assert not re.findall(r"https?:|//cdn|MathJax|@import|src=|import\s*\(", code)


def test_as_plain_text_it_can_be_answered_with_a_pencil():
    text = quiz("models/vae").plain
    for question in questions("vae"):
        assert question["question"] in text
        for option in question["options"]:
            assert f") {option['text']}" in text
            assert option["feedback"] not in text


def test_the_files_that_a_page_needs_are_shipped():
    import tomllib

    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    package = ROOT / "genkit"
    found = {path for pattern in shipped["genkit"] for path in package.glob(pattern)}
    needed = [
        p for f in ("exercises", "explorers") for s in ("js", "css", "json") for p in (package / f).glob(f"*.{s}")
    ]
    assert set(needed) <= found
