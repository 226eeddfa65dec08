"""The explorer of a small network: its training in the page is torch's, number by number, and every control works."""

import pytest
import torch
import torch.nn.functional as F
from browsing import look

from genkit.data.shapes import SHAPES, shapes
from genkit.explorers import neuron_explorer
from genkit.explorers.neuron import answer, born


def sets():
    found = {}
    for kind in SHAPES:
        data = shapes(kind, 100, turns=1.25)
        found[kind] = data.train.x, data.train.c
    return found


def neuron():
    return neuron_explorer(sets())


GIVEN = {"layers": 2, "units": 5, "bend": "tanh", "move": "Adam", "rate": 0.03, "start": 1, "at": [0.5, 0.2]}


# in Python ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", ["plain descent", "Adam"])
def test_the_answer_is_autograds_and_torchs_optimisers(move):
    state = neuron().state
    given = GIVEN | {"set": "rings", "steps": 15, "move": move}
    params = [t.clone().requires_grad_() for pair in born(state, given) for t in pair]
    data = torch.tensor(state["sets"]["rings"], dtype=torch.float64)
    kind = {"plain descent": torch.optim.SGD, "Adam": torch.optim.Adam}[move]
    mover = kind(params, lr=0.03)

    def logits(x):
        h = torch.tanh(torch.tanh(x @ params[0] + params[1]) @ params[2] + params[3])
        return h @ params[4] + params[5]

    for _ in range(15):
        mover.zero_grad()
        F.binary_cross_entropy_with_logits(logits(data[:, :2]), data[:, 2:]).backward()
        mover.step()
    found = answer(state, given)
    with torch.no_grad():
        loss = F.binary_cross_entropy_with_logits(logits(data[:, :2]), data[:, 2:]).item()
        p = logits(torch.tensor([[0.5, 0.2]], dtype=torch.float64)).sigmoid().item()
    assert found[0] == pytest.approx(loss, abs=1e-5) and found[2] == pytest.approx(p, abs=1e-5)
    theirs = torch.cat([t.detach().flatten() for t in params])
    torch.testing.assert_close(torch.tensor(found[3 + 10 :], dtype=torch.float64), theirs, atol=1e-5, rtol=0)


X, C = torch.randn(8, 2), torch.arange(8) % 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: neuron_explorer({}), "sets: expected at least one"),
        (lambda: neuron_explorer({"a": (X, C[:3])}), "sets: expected at most 160 points and labels"),
        (lambda: neuron_explorer({"a": (X[:, :1], C)}), "sets: expected at most 160"),
        (lambda: neuron_explorer({"a": (X.repeat(30, 1), C.repeat(30))}), "sets: expected at most 160"),
        (lambda: neuron_explorer({"a": (X, C * 0)}), r"class 0 and of class 1, received \[0\]"),
        (lambda: neuron_explorer({"a": (X, C)}, extent=0.0), "extent: expected a number above 0"),
        (lambda: neuron_explorer({"a": (X, C)}, starts=0), "starts: expected at least 1"),
    ],
)
def test_what_it_cannot_show_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# in Chromium ----------------------------------------------------------------------------------------------------------


def test_the_page_answers_every_probe_as_torch_did(open_page):
    explorer = neuron()
    page = open_page(explorer.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == 6
    for (_, expected), received in zip(explorer.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)


def said(page):
    return page.inner_text("output")


def test_training_lowers_the_loss_and_repaints_everything(open_page):
    page = open_page(neuron().html())
    ground, curve = page.get_attribute(".gk-pad image", "href"), page.get_attribute(".gk-trace", "points")
    assert said(page).startswith("Step 0:")
    page.get_by_role("button", name="one step").click()
    assert said(page).startswith("Step 1:")
    page.get_by_role("button", name="train").click()
    page.wait_for_function("/Step [0-9]{3}/.test(document.querySelector('output').textContent)")
    page.get_by_role("button", name="stop").click()
    stopped = said(page)
    assert page.get_attribute(".gk-pad image", "href") != ground and page.get_attribute(".gk-trace", "points") != curve
    page.wait_for_timeout(200)
    assert said(page) == stopped and page.get_by_role("button", name="train").is_visible()
    losses = [float(p.split(",")[1]) for p in page.get_attribute(".gk-trace", "points").split()]
    assert losses[-1] > losses[0] + 10, "lower on the page is a larger y"
    page.get_by_role("button", name="start again").click()
    assert said(page).startswith("Step 0:") and page.get_attribute(".gk-pad image", "href") == ground
    page.get_by_role("button", name="other weights").click()
    assert page.get_attribute(".gk-pad image", "href") != ground


def test_a_single_neuron_fails_on_xor_and_hidden_units_mend_it(open_page):
    page = open_page(neuron().html())
    page.locator("input[type=range]").nth(1).fill("6")
    right = {}
    for layers in ("0", "1"):
        page.locator("input[type=range]").nth(0).fill(layers)
        for _ in range(120):
            page.evaluate("[...document.querySelectorAll('button')].find((b) => b.textContent === 'one step').click()")
        right[layers] = int(said(page).split(" % right")[0].split()[-1])
    assert right["0"] < 80 < right["1"]


def test_every_control_does_what_it_says(open_page):
    page = open_page(neuron().html())
    sliders = page.locator("input[type=range]")
    assert page.locator(".gk-layer canvas").count() == 4
    sliders.nth(0).fill("3")
    sliders.nth(1).fill("8")
    assert page.locator(".gk-layer canvas").count() == 24 and page.locator(".gk-layer").count() == 3
    sliders.nth(0).fill("0")
    assert page.locator(".gk-layer canvas").count() == 0
    assert "No hidden units" in page.get_attribute(".gk-eyes", "aria-label")
    sliders.nth(0).fill("2")
    selects = page.get_by_role("combobox")
    for name, option in ((0, "spirals"), (1, "sigmoid"), (1, "tanh")):
        before = page.get_attribute(".gk-pad image", "href"), page.inner_html(".gk-two")
        selects.nth(name).select_option(option)
        after = page.get_attribute(".gk-pad image", "href"), page.inner_html(".gk-two")
        assert (before[1] != after[1]) if name == 0 else (before[0] != after[0])
    page.get_by_role("button", name="one step").click()
    plain = said(page)
    page.get_by_role("button", name="start again").click()
    selects.nth(2).select_option("Adam")
    page.get_by_role("button", name="one step").click()
    assert said(page) != plain
    sliders.nth(2).fill("4")
    assert sliders.nth(2).get_attribute("aria-valuetext") == "10"
    assert said(page).startswith("Step 1:"), "a new rate is no new start"


def test_the_keyboard_moves_the_place_that_is_asked_about(open_page):
    page = open_page(neuron().html())
    page.focus(".gk-pad")
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert "At (0.08, 0.10)" in said(page) and "At (0.08" in page.get_attribute(".gk-pad", "aria-label")
    page.keyboard.press("Home")
    assert "At (0.00, 0.00)" in said(page)
    box = page.locator(".gk-pad").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75)
    assert "At (1.5" in said(page) and ", −1.5" in said(page)


def test_numbers_that_explode_are_told(open_page):
    page = open_page(neuron().html())
    sliders = page.locator("input[type=range]")
    sliders.nth(0).fill("3")
    sliders.nth(1).fill("8")
    sliders.nth(2).fill("4")
    for _ in range(80):
        page.evaluate("[...document.querySelectorAll('button')].find((b) => b.textContent === 'one step').click()")
    assert "dashed" in page.eval_on_selector_all(
        ".gk-layer canvas", "all => all.map((c) => getComputedStyle(c).borderStyle).join(' ')"
    ) or "smaller rate" in said(page)


def test_without_scripts_it_says_what_would_be_there(open_page):
    page = open_page(neuron().html(), java_script_enabled=False)
    assert "small network" in page.inner_text(".gk-explorer")


@pytest.mark.parametrize("book", [True, False], ids=["in the book", "in a notebook"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = open_page(
        f'<div class="bd-article">{neuron().html()}</div>',
        head=look(theme, book=book),
        viewport={"width": width, "height": 800},
    )
    page.locator("input[type=range]").nth(0).fill("3")
    page.locator("input[type=range]").nth(1).fill("8")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.focus(".gk-pad")
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert reached == ["select", "input", "input", "select", "select", "input", *["button"] * 4]
