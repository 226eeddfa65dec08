"""The explorer of k-means: every half step is the package's, centres go where they are dragged, and all by keyboard."""

import random
from itertools import pairwise

import pytest
import torch
from browsing import look
from sklearn.cluster import KMeans

from genkit.clustering import at_random, kmeans
from genkit.explorers import kmeans_explorer
from genkit.explorers.kmeans import answer
from genkit.explorers.party import random as numbers


def blobs(seed=0, spread=0.25):
    g = torch.Generator().manual_seed(seed)
    middles = torch.tensor([[-2.0, -1.5], [2.0, -1.8], [0.2, 2.0], [1.8, 1.2]])
    return (middles[:, None] + spread * torch.randn(4, 10, 2, generator=g)).flatten(0, 1).clamp(-2.9, 2.9)


def explorer():
    return kmeans_explorer({"four groups": blobs(), "<b>loose</b>": blobs(1, 0.5)})


# in Python ------------------------------------------------------------------------------------------------------------


def test_a_probe_is_the_packages_own_life_of_k_means():
    for given, found in explorer().probes:
        x, chance = torch.tensor(given["points"], dtype=torch.float64), numbers(given["seed"])
        if given["start"] != "anywhere":
            continue
        story = list(kmeans(x, at_random(x, given["k"], lambda c=chance: next(c))))
        for i, stage in enumerate(story[: given["rounds"] + 1]):
            assert found[2 * i] == pytest.approx(stage.inertia, abs=1e-5)
        assert len(found) == 1 + 2 * given["rounds"] + 2 * given["k"] + len(x)
        assert all(a >= b - 1e-9 for a, b in pairwise(found[: 2 * given["rounds"] + 1]))


def test_the_best_known_end_is_no_worse_than_scikit_learns():
    for scene in explorer().state["scenes"].values():
        for k in (1, 2, 4, 6):
            theirs = KMeans(k, n_init=20, random_state=0).fit(scene["points"]).inertia_
            assert scene["best"][k - 1] <= 1.02 * theirs + 1e-3
        assert scene["best"] == sorted(scene["best"], reverse=True)


def test_an_answer_depends_on_its_seed_alone():
    given = explorer().probes[1][0]
    random.seed(3)
    assert answer(given) == answer(given) != answer({**given, "seed": given["seed"] + 1})


X = blobs()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kmeans_explorer({}), "scenes: expected at least one"),
        (lambda: kmeans_explorer({"a": X[:7]}), r"scenes: expected 8 … 150 points of the plane, received \(7, 2\)"),
        (lambda: kmeans_explorer({"a": X[:, :1]}), "scenes: expected 8 … 150 points"),
        (lambda: kmeans_explorer({"a": 9 * X}), "scenes: expected points within 3"),
        (lambda: kmeans_explorer({"a": X}, k=9), "k: expected 1 … 8, received 9"),
        (lambda: kmeans_explorer({"a": X}, extent=0), "extent: expected a number above 0"),
    ],
)
def test_what_it_cannot_show_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# in Chromium ----------------------------------------------------------------------------------------------------------


def said(page):
    return page.inner_text("output")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_the_page_answers_every_probe_as_torch_did(open_page):
    shown = explorer()
    page = open_page(shown.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == 6
    for (_, expected), received in zip(shown.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)


def test_assign_and_move_by_turns_until_nothing_changes(open_page):
    page = open_page(explorer().html())
    assert button(page, "move").is_disabled() and page.locator(".gk-free").count() == 40
    button(page, "assign").click()
    assert button(page, "assign").is_disabled() and page.locator(".gk-free").count() == 0
    numbers_shown = [float(said(page).split("Inertia ")[1].split(",")[0])]
    for _ in range(40):
        if "Nothing changes" in said(page):
            break
        button(page, "move" if button(page, "assign").is_disabled() else "assign").click()
        numbers_shown.append(float(said(page).split("Inertia ")[1].split(",")[0]))
    assert "Nothing changes" in said(page) and all(a >= b for a, b in pairwise(numbers_shown))
    assert all(button(page, name).is_disabled() for name in ("assign", "move", "run"))
    x, chance = torch.tensor(explorer().state["scenes"]["four groups"]["points"]).double(), numbers(1)
    *_, last = kmeans(x, at_random(x, 4, lambda: next(chance)))
    assert numbers_shown[-1] == pytest.approx(last.inertia, abs=0.006)


def test_a_dragged_centre_starts_anew_and_may_get_stuck(open_page):
    page = open_page(explorer().html())
    page.locator("input[type=range]").fill("2")
    box = page.locator(".gk-pad").bounding_box()

    def at(x, y):
        return box["x"] + box["width"] * (x + 3) / 6, box["y"] + box["height"] * (3 - y) / 6

    def head(k):
        circle = page.locator(".gk-head").nth(k)
        return float(circle.get_attribute("cx")), -float(circle.get_attribute("cy"))

    button(page, "assign").click()
    for k, goal in ((0, (-2.9, 2.9)), (1, (2.5, -2.5))):
        page.mouse.move(*at(*head(k)))
        page.mouse.down()
        page.mouse.move(*at(*goal), steps=4)
        page.mouse.up()
        assert head(k) == pytest.approx(goal, abs=0.05)
    assert page.locator(".gk-free").count() == 40 and "placed by hand" in page.get_attribute(".gk-pad", "aria-label")
    page.mouse.click(*at(-2.9, -2.9))  # far from both: one is chosen, none is moved
    assert head(0) == pytest.approx((-2.9, 2.9), abs=0.05)


def test_the_controls_do_what_they_say(open_page):
    page = open_page(explorer().html())
    heads = page.eval_on_selector_all(".gk-head", "all => all.map((c) => c.getAttribute('cx'))")
    button(page, "new start").click()
    assert page.eval_on_selector_all(".gk-head", "all => all.map((c) => c.getAttribute('cx'))") != heads
    page.get_by_role("slider").fill("8")
    assert page.locator(".gk-head").count() == page.locator(".gk-cell").count() == 8
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "8 centres"
    page.get_by_role("combobox").nth(1).select_option("spread out")
    assert "spread out" in page.get_attribute(".gk-pad", "aria-label")
    page.get_by_role("combobox").nth(0).select_option("<b>loose</b>")
    assert page.locator(".gk-free").count() == 40 and page.locator(".gk-explorer b").count() == 0
    page.get_by_role("slider").fill("1")
    for name in ("assign", "move", "assign"):
        button(page, name).click()
    assert "This is the best end known" in said(page), "one centre ends in the middle, wherever it starts"


def test_it_runs_and_stops(open_page):
    page = open_page(explorer().html())
    button(page, "run").click()
    page.wait_for_function("() => document.querySelector('output').innerText.includes('Inertia')")
    button(page, "stop").click()
    before = said(page)
    page.wait_for_timeout(700)
    assert said(page) == before
    button(page, "run").click()
    page.wait_for_function(
        "() => document.querySelector('output').innerText.includes('Nothing changes')", timeout=20_000
    )
    assert button(page, "run").is_disabled()


def test_the_keyboard_does_all_of_it(open_page):
    page = open_page(explorer().html())
    page.focus(".gk-pad")
    label = lambda: page.get_attribute(".gk-pad", "aria-label")  # noqa: E731
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert "Centres moved" in label()
    page.keyboard.press("PageDown")
    assert "Centre 2 at" in label()
    before = label()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    assert label() != before and "placed by hand" in label()
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    assert "Centre 4 at" in label()


def test_the_cells_cover_the_plane_once_and_hold_their_own_points(open_page):
    page = open_page(explorer().html())
    for k in (1, 4, 8):
        page.get_by_role("slider").fill(str(k))
        shapes = page.eval_on_selector_all(".gk-cell", "all => all.map((c) => c.getAttribute('d'))")
        heads = page.eval_on_selector_all(
            ".gk-head", "all => all.map((c) => [+c.getAttribute('cx'), +c.getAttribute('cy')])"
        )
        area, heads = 0.0, torch.tensor(heads)
        for k_th, shape in enumerate(shapes):
            v = torch.tensor([float(n) for n in shape.replace("M", " ").replace("L", " ").replace("Z", "").split()])
            x, y = v.view(-1, 2).T
            middle = torch.stack([x.mean(), y.mean()])
            assert (heads - middle).norm(dim=1).argmin() == k_th, "a cell is what lies nearest to its own centre"
            area += abs((x * y.roll(-1) - y * x.roll(-1)).sum().item()) / 2
        assert area == pytest.approx(36, abs=0.1), k


def test_a_finger_drags_and_does_not_move_the_page(open_page):
    page = open_page(explorer().html(), has_touch=True, viewport={"width": 390, "height": 800})
    assert page.eval_on_selector(".gk-pad", "p => getComputedStyle(p).touchAction") == "none"


def test_without_scripts_it_says_what_would_be_there(open_page):
    page = open_page(explorer().html(), java_script_enabled=False)
    assert "place the centres" in page.inner_text(".gk-explorer")


@pytest.mark.parametrize("book", [True, False], ids=["in the book", "in a notebook"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = open_page(
        f'<div class="bd-article">{explorer().html()}</div>',
        head=look(theme, book=book),
        viewport={"width": width, "height": 800},
    )
    button(page, "assign").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.get_by_role("combobox").nth(0).select_option("<b>loose</b>")
    page.locator(".gk-pad").focus()
    reached = []
    for _ in range(7):
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
        page.keyboard.press("Tab")
    assert reached[:5] == ["svg", "select", "input", "select", "button"]
