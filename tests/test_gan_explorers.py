"""The recorded game and the mixer of styles: what they refuse, and in Chromium that they answer as torch does."""

import pytest
import torch
from browsing import look
from torch import nn

from genkit.explorers import Frame, game_explorer, style_explorer
from genkit.metrics.modes import modes_covered, near_modes
from genkit.nn.style import StyleGenerator, mix

CENTRES = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])


def frames(n, keep, seed=0):
    generator = torch.Generator().manual_seed(seed)
    made = []
    for i in range(n):
        k = torch.randint(keep, (60,), generator=generator)
        points = CENTRES[k] + 0.1 * torch.randn(60, 2, generator=generator)
        made.append(Frame(10 * i, points, torch.randn(12, 12, generator=generator)))
    return made


def recorded():
    return {"goes well": frames(5, 3), "collapses <b>": frames(4, 1, 1)}


def game(**change):
    known = {"centres": CENTRES, "sigma": 0.1, "data": torch.randn(20, 2), "extent": 2.0}
    return game_explorer(change.pop("runs", recorded()), **known | change)


def generator(shape=(1, 28, 28), **options):
    torch.manual_seed(0)
    made = StyleGenerator(6, shape, **{"width": 8, "style": 8} | options)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made


def mixer(shape=(1, 28, 28)):
    return style_explorer(generator(shape), shape=shape, noises=torch.randn(5, 6))


EXPLORERS = {"game": game, "mixer": mixer, "mixer in colour": lambda: mixer((3, 8, 8))}

# in Python -------------------------------------------------------------------------------------------------------


def test_probes_of_the_game_are_the_metrics_own():
    runs = list(recorded().values())
    for given, (covered, near, _) in game().probes:
        points = runs[given["run"]][given["frame"]].points.half().float()
        assert covered == modes_covered(points, CENTRES, 0.1)
        assert near == pytest.approx(near_modes(points, CENTRES, 0.1).value, abs=1e-6)


def test_the_critics_opinion_is_read_at_the_middle_of_a_square():
    ramp = torch.arange(12.0).repeat(12, 1)  # grows to the right
    explorer = game(runs={"one": [Frame(0, torch.zeros(9, 2), ramp)]})
    (_, first), *_ = explorer.probes
    assert first[2] == pytest.approx(0.0, abs=1e-3), "the middle of the plane has the mean opinion"
    right = [out[2] for given, out in explorer.probes if given["x"][0] > 0.5]
    left = [out[2] for given, out in explorer.probes if given["x"][0] < -0.5]
    assert min(right) > 0.3 and max(left) < -1.4


def test_probes_of_the_mixer_are_pictures_of_mixed_styles():
    explorer, made = mixer(), generator().half().double().eval()
    for given, outputs in explorer.probes:
        a, b = (made.styles(torch.tensor([given[k]], dtype=torch.float64)) for k in ("coarse", "fine"))
        expected = made.draw(mix(a, b, given["cut"])).flatten()
        torch.testing.assert_close(torch.tensor(outputs).double(), expected.detach(), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: game(runs={}), "runs: expected at least one"),
        (lambda: game(runs={"a": []}), "runs: expected at least one, each with a frame"),
        (lambda: game(runs={"a": frames(1, 1), "b": [Frame(0, torch.zeros(3, 2), torch.zeros(12, 12))]}), "all alike"),
        (lambda: game(runs={"a": [Frame(0, torch.zeros(3, 3), torch.zeros(4, 4))]}), "expected frames"),
        (lambda: game(extent=0.0), "extent, sigma: expected numbers above 0"),
        (lambda: style_explorer(generator(), shape=(1, 28, 28), noises=torch.randn(3, 5)), r"expected shape \(N, 6\)"),
        (lambda: style_explorer(generator(), shape=(1, 28, 28), noises=torch.randn(1, 6)), "with N >= 2"),
        (lambda: style_explorer(generator(), shape=(1, 8, 8), noises=torch.randn(3, 6)), r"expected \(1, 28, 28\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_pages_weights_are_few():
    made = StyleGenerator(16, (1, 28, 28))
    assert len(style_explorer(made, shape=(1, 28, 28), noises=torch.randn(8, 16)).html()) < 300_000


# in Chromium -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_page_answers_every_probe_as_torch_did(open_page, name):
    explorer = EXPLORERS[name]()
    page = open_page(explorer.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == len(explorer.probes) >= 4
    for (_, expected), received in zip(explorer.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)


def places(page):
    found = page.eval_on_selector_all(
        ".gk-forged circle", "cs => cs.map((c) => [+c.getAttribute('cx'), -c.getAttribute('cy')])"
    )
    return torch.tensor(found)


def test_time_and_game_can_be_chosen(open_page):
    page, runs = open_page(game().html()), list(recorded().values())
    torch.testing.assert_close(places(page), runs[0][4].points, atol=2e-3, rtol=0)
    assert "Step 40: 3 of 3 modes" in page.inner_text(".gk-now")
    page.get_by_role("slider").fill("1")
    torch.testing.assert_close(places(page), runs[0][1].points, atol=2e-3, rtol=0)
    before = page.get_attribute(".gk-pad image", "href")
    page.get_by_role("combobox").select_option("1")
    torch.testing.assert_close(places(page), runs[1][1].points, atol=2e-3, rtol=0)
    assert "Step 10: 1 of 3 modes" in page.inner_text(".gk-now")
    assert page.get_attribute(".gk-pad image", "href") != before
    assert page.get_by_role("slider").get_attribute("max") == "3"


def test_the_game_plays_from_the_start_and_stops_at_the_end(open_page):
    page = open_page(game().html())
    page.get_by_role("button").click()
    assert page.get_by_role("slider").input_value() == "0"
    page.wait_for_function("document.querySelector('input[type=range]').value === '4'", timeout=20_000)
    page.wait_for_timeout(500)
    assert "Step 40" in page.inner_text(".gk-now")


def test_the_critic_is_asked_by_arrow_keys_and_by_pointer(open_page):
    page = open_page(game().html())
    page.focus(".gk-pad")
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    asked = page.eval_on_selector(".gk-asked", "h => [+h.getAttribute('cx'), -h.getAttribute('cy')]")
    assert asked == pytest.approx([0.1, 0.12], abs=1e-6)
    assert "The critic at (0.10, 0.12)" in page.inner_text("output")
    box = page.locator(".gk-pad").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    assert "The critic at (1.00, 1.00)" in page.inner_text("output").replace("0.99", "1.00").replace("1.01", "1.00")
    page.keyboard.press("Home")
    assert "(0.00, 0.00)" in page.inner_text("output")


def pixels(page, i):
    return page.evaluate(
        "(i) => { const c = document.querySelectorAll('canvas')[i];"
        " const all = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return Array.from(all).filter((_, k) => k % 4 === 0); }",
        i,
    )


def test_sliders_choose_pictures_and_the_cut(open_page):
    page = open_page(mixer().html())
    coarse, mixed, fine = (pixels(page, i) for i in range(3))
    assert coarse != fine and mixed != coarse
    cut = page.get_by_label("cut")
    cut.fill("5")
    assert pixels(page, 1) == coarse and "5 of 5 layers follow" in page.inner_text("output")
    cut.fill("0")
    assert pixels(page, 1) == fine
    page.get_by_label("coarse").last.fill("4")
    assert pixels(page, 0) != coarse and pixels(page, 2) == fine
    page.get_by_label("fine").last.fill("4")
    assert pixels(page, 2) == pixels(page, 0)
    page.get_by_role("button").click()
    assert pixels(page, 2) != pixels(page, 0)


def test_the_picture_is_ink_on_paper_as_torch_draws_it(open_page):
    explorer = mixer()
    page = open_page(explorer.html())
    page.get_by_label("cut").fill("0")
    expected = 255 * (1 - torch.tensor(explorer.probes[0][1]))
    assert (torch.tensor(pixels(page, 1)) - expected).abs().max() <= 1


@pytest.mark.parametrize("name", ["game", "mixer"])
def test_without_scripts_it_says_what_would_be_there(open_page, name):
    page = open_page(EXPLORERS[name]().html(), java_script_enabled=False)
    assert "where scripts may run" in page.inner_text(".gk-explorer")


@pytest.mark.parametrize("name", ["game", "mixer"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, name):
    body = f'<div class="bd-article">{EXPLORERS[name]().html()}</div>'
    page = open_page(body, head=look(theme, book=True), viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert (
        reached == {"game": ["svg", "select", "input", "button"], "mixer": ["input", "input", "input", "button"]}[name]
    )
