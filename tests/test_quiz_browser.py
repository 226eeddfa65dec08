"""Quizzes, ticks and solutions in Chromium: by mouse and keyboard, remembered, on paper, and without any script."""

import json

import pytest
from browsing import look, reload

from genkit.exercises import CHAPTERS, EXERCISES, check, quiz, solution
from genkit.exercises.quiz import identity, questions

CHAPTER = "models/vae"
ASKED = questions("vae")
RIGHT = [[o["right"] for o in q["options"]].index(True) for q in ASKED]
STORED = "() => JSON.parse(localStorage.getItem('genkit-progress'))"


@pytest.fixture
def page(open_page):
    return open_page(quiz(CHAPTER).code + "".join(solution(e.name).code for e in CHAPTERS[CHAPTER]))


def options(page, number):
    return page.locator(f'[data-gk-question="{number}"] input')


def said(page, number):
    return page.inner_text(f'[data-gk-question="{number}"] .gk-said')


@pytest.mark.parametrize("number", range(1, len(ASKED) + 1))
def test_every_option_gets_its_own_feedback(page, number):
    for i, option in enumerate(ASKED[number - 1]["options"]):
        options(page, number).nth(i).check()
        mark = "✓ Right. " if option["right"] else "✗ Not so. "
        assert said(page, number) == mark + option["feedback"]
        assert page.locator(".gk-feedback:visible").count() == 0


def test_a_label_is_as_good_as_its_button(page):
    page.get_by_text(ASKED[0]["options"][RIGHT[0]]["text"], exact=True).first.click()
    assert said(page, 1).startswith("✓ Right.")


def test_the_score_counts_right_answers(page):
    assert page.inner_text(".gk-score") == ""
    options(page, 1).nth(RIGHT[0]).check()
    options(page, 2).nth((RIGHT[1] + 1) % len(ASKED[1]["options"])).check()
    assert page.inner_text(".gk-score") == f"1 of {len(ASKED)} right so far."
    options(page, 2).nth(RIGHT[1]).check()
    assert page.inner_text(".gk-score") == f"2 of {len(ASKED)} right so far."


def test_answers_and_ticks_are_remembered(page):
    options(page, 1).nth(RIGHT[0]).check()
    options(page, 3).nth((RIGHT[2] + 1) % len(ASKED[2]["options"])).check()
    page.get_by_label("I solved kl").check()
    page.get_by_label("I solved elbo").check()
    page.get_by_label("I solved elbo").uncheck()
    assert page.evaluate(STORED) == {
        CHAPTER: {
            "quiz": {
                identity(ASKED[0]): {"choice": RIGHT[0], "right": True},
                identity(ASKED[2]): {"choice": (RIGHT[2] + 1) % len(ASKED[2]["options"]), "right": False},
            },
            "questions": len(ASKED),
            "solved": {"kl": True, "elbo": False},
            "exercises": len(CHAPTERS[CHAPTER]),
        }
    }
    reload(page)
    assert said(page, 1).startswith("✓ Right.")
    assert said(page, 3).startswith("✗ Not so.")
    assert said(page, 2) == ""
    assert options(page, 1).nth(RIGHT[0]).is_checked()
    assert page.get_by_label("I solved kl").is_checked()
    assert not page.get_by_label("I solved elbo").is_checked()
    assert page.inner_text(".gk-score") == f"1 of {len(ASKED)} right so far."


def test_an_answer_to_a_question_that_has_changed_is_forgotten(page):
    stored = {CHAPTER: {"quiz": {"00000000": {"choice": 1, "right": True}}, "questions": 7, "solved": {"kl": True}},
              "models/other": {"quiz": {"11111111": {"choice": 0, "right": True}}}}  # fmt: skip
    page.evaluate("(s) => localStorage.setItem('genkit-progress', s)", json.dumps(stored))
    reload(page)
    assert page.inner_text(".gk-score") == ""
    found = page.evaluate(STORED)
    assert found[CHAPTER]["quiz"] == {}
    assert found[CHAPTER]["solved"] == {"kl": True}
    assert found["models/other"] == stored["models/other"]


NONSENSE = [
    "", "{", "null", "3", "[]", '"text"', '{"models/vae": null}', '{"models/vae": 7}',
    '{"models/vae": {"quiz": [], "solved": "x"}}',
    json.dumps({CHAPTER: {"quiz": {identity(ASKED[0]): {"choice": '9"] *', "right": True}}, "solved": {"kl": "yes"}}}),
    json.dumps({CHAPTER: {"quiz": {identity(ASKED[0]): None}}}),
]  # fmt: skip


@pytest.mark.parametrize("stored", NONSENSE)
def test_nonsense_in_the_memory_does_no_harm(page, stored):
    page.evaluate("(s) => localStorage.setItem('genkit-progress', s)", stored)
    reload(page)
    assert page.inner_text(".gk-score") == ""
    assert not page.get_by_label("I solved kl").is_checked()
    options(page, 1).nth(RIGHT[0]).check()
    page.get_by_label("I solved kl").check()
    assert said(page, 1).startswith("✓ Right.")
    reload(page)
    assert said(page, 1).startswith("✓ Right.")
    assert page.get_by_label("I solved kl").is_checked()


def test_where_nothing_may_be_stored_it_still_answers(open_page):
    forbid = """<script>Object.defineProperty(window, "localStorage",
      { get() { throw new DOMException("no", "SecurityError"); } });</script>"""
    page = open_page(quiz(CHAPTER).code + solution("kl").code, head=forbid)
    options(page, 1).nth(RIGHT[0]).check()
    page.get_by_label("I solved kl").check()
    assert said(page, 1).startswith("✓ Right.")


def test_with_the_keyboard_options_are_read_before_one_is_chosen(page):
    options(page, 1).first.focus()
    count = len(ASKED[0]["options"])
    for step in range(1, count + 2):
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.value") == str(step % count)
    assert said(page, 1) == ""
    assert page.evaluate(STORED) is None
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert said(page, 1) != ""
    assert page.locator('[data-gk-question="1"] input:checked').get_attribute("value") == "0"


def test_a_question_is_a_group_named_by_its_words(page):
    for number, question in enumerate(ASKED, 1):
        group = page.get_by_role("group", name=f"{number}. {question['question']}")
        assert group.get_by_role("radio").count() == len(question["options"])
        assert group.get_by_role("status").count() == 1


def test_the_answers_are_not_on_the_screen_but_on_paper(page):
    answers = page.locator(".gk-answers li")
    assert not page.locator(".gk-answers").is_visible()
    page.emulate_media(media="print")
    assert answers.count() == len(ASKED)
    for item, question, i in zip(answers.all(), ASKED, RIGHT, strict=True):
        assert item.is_visible()
        assert item.bounding_box()["height"] > 10, "folded answers would not be printed"
        assert item.inner_text().startswith(question["options"][i]["text"])


def test_without_scripts_the_answers_can_be_unfolded(open_page):
    page = open_page(quiz(CHAPTER).code, java_script_enabled=False)
    assert page.locator(".gk-answers").is_visible()
    assert page.get_by_text("The answers").is_visible()


def test_a_solution_unfolds(page):
    code = page.locator(".gk-solution pre").first
    assert not code.is_visible()
    page.locator(".gk-solution summary").first.click()
    assert code.is_visible()
    assert code.inner_text() == EXERCISES["kl"].code
    page.locator(".gk-solution summary").first.press("Enter")
    assert not code.is_visible()


def test_it_starts_where_a_notebook_puts_html_into_a_living_page_twice(open_page):
    """JupyterLab sets innerHTML, then makes every script anew; a cell run again shows a quiz again."""
    page = open_page('<div id="cell"></div>')
    put = """(html) => {
      const cell = document.getElementById('cell');
      cell.innerHTML = html;
      for (const old of cell.querySelectorAll('script')) {
        const script = document.createElement('script');
        script.textContent = old.textContent;
        old.replaceWith(script);
      }
    }"""
    for _ in range(2):
        page.evaluate(put, quiz(CHAPTER).code)
        options(page, 1).nth(RIGHT[0]).check()
        assert said(page, 1).startswith("✓ Right.")
    page.evaluate(put, quiz(CHAPTER).code)
    assert said(page, 1).startswith("✓ Right."), "what was answered is known"


@pytest.mark.parametrize("book", [True, False], ids=["in the book", "in a notebook"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    verdicts = [
        check("kl", EXERCISES["kl"].reference),
        check("kl", lambda m, s: 0),
        check("kl", None),
        check("fault", ...),
    ]
    shown = "".join(v._repr_mimebundle_()["text/html"] for v in verdicts)
    page = open_page(
        f'<div class="bd-article">{shown}{solution("kl").code}{quiz(CHAPTER).code}</div>',
        head=look(theme, book=book),
        viewport={"width": width, "height": 800},
    )
    page.locator(".gk-solution summary").click()
    for number in (1, 2):
        options(page, number).first.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
