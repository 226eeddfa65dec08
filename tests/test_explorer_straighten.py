"""The explorer of straight and bent paths: its field is torch's, its controls do what they say."""

import re

import pytest
import torch
from browsing import look

from genkit.data import toy
from genkit.explorers import straighten_explorer
from genkit.metrics.paths import mixture_velocity


def explorer(every=20):
    moons = toy("moons")
    centres = ((moons.centres[::every] * 1000).round() / 1000).double()
    return straighten_explorer(centres, 0.1, velocity=lambda x, t: mixture_velocity(x, t, centres, 0.1))


def off(page):
    return float(re.search(r"lie (\d+\.\d+) from", page.inner_text("output"))[1])


def test_the_page_answers_every_probe_as_torch_did(open_page):
    one = explorer()
    page = open_page(one.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == len(one.probes) >= 3
    for (_, expected), received in zip(one.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)


def test_every_control_does_what_it_says(open_page):
    page = open_page(explorer().html())
    assert off(page) > 0.5, "one step on bent paths lands far from many"
    ends = "cs => cs.map((c) => [+c.getAttribute('cx'), -c.getAttribute('cy')])"
    one = torch.tensor(page.eval_on_selector_all(".gk-clay circle", ends))
    assert one.std(0).max() < 0.01, "they all land on the mean"
    page.get_by_role("slider", name="steps").fill("30")
    assert off(page) < 0.1
    page.get_by_role("slider", name="steps").fill("1")
    page.get_by_role("checkbox").check()
    assert off(page) == 0.0
    page.get_by_role("slider", name="time").fill("1")
    start = torch.tensor(page.eval_on_selector_all(".gk-clay circle", ends))
    assert 0.7 < start.std() < 1.3
    assert "noise" in page.inner_text(".gk-now")
    page.get_by_role("button").click()
    page.wait_for_function("document.querySelectorAll('input[type=range]')[1].value === '0'", timeout=8000)
    assert "where the walk ends" in page.inner_text(".gk-now")


def test_the_keyboard_reaches_every_control(open_page):
    page = open_page(explorer().html())
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.type"))
    assert reached == ["range", "range", "checkbox", "button"]
    page.get_by_role("slider", name="steps").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider", name="steps").input_value() == "2"


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 320)])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width):
    page = open_page(
        f'<div class="bd-article">{explorer().html()}</div>', head=look(theme, book=True),
        viewport={"width": width, "height": 800},
    )  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((torch.zeros(3), 0.1), "centres: expected the shape"),
        ((torch.zeros(3, 2), 0.0), "sigma, extent: expected numbers above 0"),
    ],
)
def test_what_is_no_field_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        straighten_explorer(*arguments, velocity=lambda x, t: x)
