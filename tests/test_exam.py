"""The tests before and after a part: paired ideas, plain questions, and what the page does with the answers."""

import json
import re

import pytest
from browsing import reload

from genkit.exercises import exam
from genkit.exercises.exam import WHEN, ideas
from genkit.exercises.quiz import FOLDER, identity

PARTS = [path.name.split(".")[0] for path in sorted(FOLDER.glob("*.exam.json"))]
STORED = "() => JSON.parse(localStorage.getItem('genkit-exams'))"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_ten_ideas_each_asked_twice_in_other_words(part):
    pairs = ideas(part)
    assert len(pairs) == len({pair["idea"] for pair in pairs}) == 10
    asked = [pair[when] for pair in pairs for when in WHEN]
    assert len({identity(question) for question in asked}) == 20
    for pair in pairs:
        before, after = ({w for w in re.findall(r"\w+", pair[when]["question"].lower()) if len(w) > 4} for when in WHEN)
        assert len(before & after) <= len(before | after) / 3, "the same question in the same words"


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("part", PARTS)
def test_a_question_gives_nothing_away(part, when):
    asked = [pair[when] for pair in ideas(part)]
    places = [[o["right"] for o in q["options"]].index(True) for q in asked]
    assert all(sum(o["right"] for o in q["options"]) == 1 and 3 <= len(q["options"]) <= 5 for q in asked)
    assert all(places.count(place) >= 2 for place in range(3))
    longest = [max(range(len(q["options"])), key=lambda i, q=q: len(q["options"][i]["text"])) for q in asked]
    assert sum(a == b for a, b in zip(places, longest, strict=True)) <= 5
    for question in asked:
        texts = [o["text"] for o in question["options"]] + [o["feedback"] for o in question["options"]]
        assert len(set(texts)) == len(texts)
        assert all(len(o["feedback"]) > 40 and o["feedback"].endswith((".", "?")) for o in question["options"])
        assert not re.search(r"[$`<>]|\*\*", json.dumps(question, ensure_ascii=False))


def test_bad_names_are_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'learning'"):
        exam("lerning", "before")
    with pytest.raises(ValueError, match="before"):
        exam("learning", "befor")


def places(when):
    return [[o["right"] for o in pair[when]["options"]].index(True) for pair in ideas("learning")]


def give(page, when, wrong=()):
    """Answer all ten questions, those numbered in ``wrong`` with the option after the right one."""
    for number, right in enumerate(places(when), 1):
        choice = (right + 1) % 3 if number in wrong else right
        box = f'[data-gk-when="{when}"] [data-gk-question="{number}"] input'
        page.locator(box).nth(choice).check()


@pytest.fixture
def page(open_page):
    return open_page(exam("learning", "before").code + exam("learning", "after").code)


def score(page, when):
    return page.inner_text(f'[data-gk-when="{when}"] .gk-score')


def test_nothing_is_judged_before_the_last_answer(page):
    page.locator('[data-gk-when="before"] [data-gk-question="3"] input').first.check()
    assert score(page, "before").startswith("1 of 10 answered")
    assert page.locator("[data-state]").count() == 0
    assert page.locator(".gk-feedback:visible").count() == 0


def test_the_last_answer_brings_all_of_them(page):
    give(page, "before", wrong={2, 5, 7})
    assert score(page, "before") == "7 of 10 right."
    assert page.locator('[data-state="wrong"]').count() == 3
    assert page.inner_text('[data-gk-when="before"] [data-gk-question="2"] .gk-said').startswith("✗ Not so.")
    assert page.locator('[data-gk-when="before"] input:enabled').count() == 0, "an answer that was explained stays"


def test_the_second_test_says_what_was_learned(page):
    give(page, "before", wrong={1, 2, 3})
    give(page, "after", wrong={3, 4})
    assert score(page, "after") == "8 of 10 right. Before you began it was 7."
    lines = page.locator('[data-gk-when="after"] .gk-compared li').all_inner_texts()
    said = [line.split(": ")[1] for line in lines]
    assert said == ["learned", "learned", "still open", "known before, and lost", *["known before, and still"] * 6]
    assert [line.split(": ")[0] for line in lines] == [pair["idea"] for pair in ideas("learning")]


def test_answers_outlive_the_page_and_can_be_taken_back(page):
    give(page, "before", wrong={9})
    reload(page)
    assert score(page, "before") == "9 of 10 right."
    page.locator('[data-gk-when="before"] .gk-again').click()
    assert score(page, "before") == ""
    assert page.locator('[data-gk-when="before"] input:checked').count() == 0
    reload(page)
    assert score(page, "before") == ""


def test_the_second_test_alone_gives_its_own_score(page):
    give(page, "after")
    assert score(page, "after") == "10 of 10 right."
    assert page.locator(".gk-compared li").count() == 0


@pytest.mark.parametrize("stored", ["", "{", "null", "[]", '{"learning": 3}', '{"learning": {"before": [1, 2]}}'])
def test_nonsense_in_the_memory_does_no_harm(page, stored):
    page.evaluate(
        "(s) => { for (const k of ['genkit-exams', 'genkit-exam-marks']) localStorage.setItem(k, s); }", stored
    )
    reload(page)
    assert score(page, "before") == ""
    give(page, "after")
    assert score(page, "after") == "10 of 10 right."


def test_with_the_keyboard_options_are_read_before_one_is_chosen(page):
    first = page.locator('[data-gk-when="before"] [data-gk-question="1"] input').first
    first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.value") == "1"
    assert page.evaluate(STORED) is None
    page.keyboard.press("Space")
    assert score(page, "before").startswith("1 of 10")
