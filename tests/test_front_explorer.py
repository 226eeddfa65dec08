"""The explorer of the front: the page finds whom nobody beats, as the package does, and says who beats the others."""

import math

import pytest
from browsing import article, fits, in_every_look

from genkit.explorers import front_explorer

NAMES = ("swift", "fine", "middling", "twin", "<b>mute</b>")
YARDSTICKS = {
    "quality": ([1.0, 9.0, 3.0, 3.0, 5.0], "high"),
    "seconds": ([0.01, 5.0, 0.5, 0.5, 0.2], "low"),
    "bits": ([3.0, 2.0, 2.5, 2.4, math.nan], "low"),
}


@pytest.fixture(scope="module")
def front():
    return front_explorer(NAMES, YARDSTICKS)


def choose(page, x, y):
    for label, value in (("to the right", x), ("upwards", y)):
        page.get_by_label(label).select_option(str(value))


def test_the_page_answers_every_probe_as_torch_did(open_page, front):
    page = open_page(front.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == len(front.probes) >= 4
    for (_, expected), received in zip(front.probes, found, strict=True):
        assert received == expected
    assert front.probes[0][1] == [1.0, 1.0, 0.0, 0.0, 1.0], "the mute one beats the two in the middle"


def test_other_yardsticks_give_another_front(open_page, front):
    page = open_page(front.html())
    assert page.inner_text("output") == "Nobody beats: swift, fine, <b>mute</b>."
    choose(page, 0, 2)
    assert page.inner_text("output") == "Nobody beats: fine." and "mute" in page.inner_text(".gk-learnt")
    assert page.locator(".gk-point").count() == 4 and page.locator(".gk-first").count() == 1
    choose(page, 1, 2)
    assert page.inner_text("output") == "Nobody beats: swift, fine, twin."


def test_better_lies_to_the_right_and_above(open_page, front):
    page = open_page(front.html())
    place = {i: page.locator(f'[data-model="{i}"]').bounding_box() for i in range(3)}
    assert place[1]["x"] > place[2]["x"] > place[0]["x"] and place[1]["y"] > place[2]["y"] > place[0]["y"]


def test_a_point_says_who_beats_it_by_touch_and_by_keyboard(open_page, front):
    page = open_page(front.html())
    page.locator('[data-model="3"]').click()
    assert "twin: quality 3, seconds 0.5. Beaten by <b>mute</b>." in page.inner_text("output")
    assert page.locator(".gk-over").count() == 1
    page.keyboard.press("Shift+Tab")
    assert page.inner_text("output").startswith("middling")
    assert page.evaluate("document.activeElement.dataset.model") == "2"
    assert "nobody beats it" in page.locator('[data-model="1"]').get_attribute("aria-label")


@pytest.mark.parametrize(
    ("names", "yardsticks", "words"),
    [
        (NAMES[:1], YARDSTICKS, "names, yardsticks: expected 2 or more"),
        (NAMES, {"quality": YARDSTICKS["quality"]}, "names, yardsticks: expected 2 or more"),
        (NAMES[:3], YARDSTICKS, "quality: expected 3 numbers"),
        (NAMES, {**YARDSTICKS, "worth": ([1.0] * 5, "most")}, "worth: expected 5 numbers and high or low"),
        (NAMES, {**YARDSTICKS, "worth": ([math.nan] * 5, "low")}, "worth: expected numbers of at least 2"),
    ],
)
def test_what_it_cannot_show_is_refused(names, yardsticks, words):
    with pytest.raises(ValueError, match=words):
        front_explorer(names, yardsticks)


@in_every_look
def test_it_fits_and_can_be_read(open_page, front, violations, theme, width, book):
    fits(article(open_page, front.html(), theme=theme, width=width, book=book), violations)
