"""The explorer of spoiled digits: seven metrics in the page are the package's, and every slider does what it says."""

import pytest
import torch
from browsing import article, fits, in_every_look

from genkit.data import load
from genkit.explorers import spoil_explorer
from genkit.explorers.spoil import NAMES


@pytest.fixture(scope="module")
def digits():
    data = load("digits", split="random")
    parts = (data.train, data.valid, data.test)
    return torch.cat([p.x for p in parts]), torch.cat([p.c for p in parts])


@pytest.fixture(scope="module")
def spoil(digits):
    return spoil_explorer(*digits)


def table(page):
    rows = page.locator(".gk-judges tbody tr")
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows.all()}


def put(page, label, value):
    page.get_by_role("slider", name=label).fill(str(value))


def test_clean_digits_are_within_three_deviations(spoil):
    (inputs, answer), *_ = spoil.probes
    assert inputs["copies"] == inputs["dropped"] == 0
    for value, (mean, deviation) in zip(answer[:7], spoil.state["clean"], strict=True):
        assert abs(value - mean) < 3 * deviation


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": 90}, "n: expected a square number"),
        ({"n": 900}, "n: expected"),
        ({"features": 1}, "features: expected 2"),
    ],
)
def test_what_it_cannot_show_is_refused(digits, change, words):
    with pytest.raises(ValueError, match=words):
        spoil_explorer(*digits, **change)
    with pytest.raises(ValueError, match="sixteenths"):
        spoil_explorer(digits[0] * 0.9, digits[1])
    with pytest.raises(ValueError, match="x, c: expected digits"):
        spoil_explorer(digits[0], digits[1] * 0)


def test_the_page_answers_every_probe_as_torch_did(open_page, spoil):
    page = open_page(spoil.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == 7
    for (_, expected), received in zip(spoil.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=2e-4, rtol=1e-4)


def test_every_slider_is_noticed_by_whom_it_should_be(open_page, spoil):
    page = open_page(spoil.html())
    assert "Nobody should notice" in page.inner_text("output") and list(table(page)) == list(NAMES)
    for label, value, who, who_not in (
        ("blur", 0.8, "recall", "precision"),
        ("noise", 0.3, "copying z", "precision"),
        ("classes gone", 6, "coverage", "precision"),
        ("copies", 60, "copying z", "Fréchet distance"),
    ):
        before = page.locator("canvas").screenshot()
        put(page, label, value)
        assert page.locator("canvas").screenshot() != before
        said = page.inner_text("output")
        assert who in said and who_not not in said, (label, said)
        assert table(page)[who][2].endswith("yes") and table(page)[who_not][2].endswith("no")
        page.get_by_role("button", name="make them good again").click()
        assert "Nobody should notice" in page.inner_text("output")


def test_new_noise_is_other_noise_and_copies_are_named(open_page, spoil):
    page = open_page(spoil.html())
    put(page, "noise", 0.3)
    before = table(page)["density"][0], table(page)["copying z"][0]
    page.get_by_role("button", name="new noise").click()
    assert (table(page)["density"][0], table(page)["copying z"][0]) != before
    put(page, "copies", 25)
    assert "25 copies of training digits" in page.get_attribute("canvas", "aria-label")


def test_the_keyboard_moves_every_slider(open_page, spoil):
    page = open_page(spoil.html())
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
        if reached[-1] == "input":
            page.keyboard.press("ArrowRight")
    assert reached == ["input"] * 4 + ["button"] * 2
    assert [i.input_value() for i in page.locator("input").all()] == ["0.05", "0.02", "1", "5"]


def test_without_scripts_it_says_what_would_be_there(open_page, spoil):
    page = open_page(spoil.html(), java_script_enabled=False)
    assert "digits can be spoiled" in page.inner_text(".gk-explorer")


@in_every_look
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, spoil, theme, width, book):
    fits(article(open_page, spoil.html(), theme=theme, width=width, book=book), violations)
