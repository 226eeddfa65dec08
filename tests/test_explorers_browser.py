"""Explorers in Chromium, from disk and without a kernel: what they draw is what torch draws."""

import pytest
import torch
from browsing import article, fits, in_every_look
from torch import nn

from genkit.distributions import bernoulli
from genkit.explorers import Explorer, flow_explorer, latent_explorer, party_explorer
from genkit.explorers.explorer import pack
from genkit.models.flow import coupling_flow
from genkit.models.vae import mlp_vae
from genkit.nn.machines import Network

CODES, LABELS, CLASSES = torch.randn(9, 2), torch.arange(9) % 3, ("A", "B", "<b>C</b>")


def artist(**options):
    """A small decoder that nobody trained, with weights large enough to draw black and white."""
    torch.manual_seed(0)
    options = {"shape": (1, 28, 28), "pixels": bernoulli(), "latent": 2, "hidden": (32, 16), "classes": 3, **options}
    model = mlp_vae(**options)
    for layer in model.decoder:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=3 / layer.in_features**0.5)
    return model


def letters():
    return latent_explorer(artist(), codes=CODES, labels=LABELS, classes=CLASSES)


def without_classes():
    return latent_explorer(artist(classes=0), codes=CODES)


def flow():
    torch.manual_seed(0)
    model = coupling_flow(shape=(2,), layers=8, hidden=(32, 32))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    return flow_explorer(model, points=torch.randn(20, 2))


def party():
    torch.manual_seed(0)
    upper = torch.randn(6, 6).triu(1)
    return party_explorer(Network(upper + upper.T, torch.randn(6)), ("Ada", "Ben", "Cem", "Dia", "Eve", "Fay"))


EXPLORERS = {"letters": letters, "without classes": without_classes, "flow": flow, "party": party}


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_page_answers_every_probe_as_torch_did(open_page, name):
    explorer = EXPLORERS[name]()
    page = open_page(explorer.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == len(explorer.probes) >= 3
    for (_, expected), received in zip(explorer.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU, nn.Tanh, nn.Sigmoid])
def test_every_activation_is_torchs(open_page, activation):
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(3, 5), activation(), nn.Linear(5, 2))
    layers, weights = pack(network)
    x = torch.tensor([[2.0, -1.0, 0.3]])
    with torch.no_grad():
        expected = network.half().float()(x)[0].tolist()
    state = {"layers": layers, "weights": weights, "side": 1, "classes": [], "kind": "", "points": [], "extent": 1}
    parts = ("mlp.js", "steer.js", "latent.js")
    explorer = Explorer(parts, state=state, probes=[({}, [])], title="t", fallback="f")
    code = explorer.html().replace(", run, render);", ", (s, { x }) => mlp(s.layers, s.weights, x), () => {});")
    page = open_page(code)
    found = page.eval_on_selector(".gk-explorer", "(e, x) => e.genkit.run({ x })", x[0].tolist())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def drawn(page) -> torch.Tensor:
    """The pixels on the canvas, 0 for white and 1 for ink."""
    grey = page.eval_on_selector(
        ".gk-explorer canvas",
        "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).filter((_, i) => i % 4 === 0)",
    )
    return 1 - torch.tensor(grey).view(28, 28) / 255


@torch.no_grad()
def torchs(z, c) -> torch.Tensor:
    """The picture of the very weights that were trained, before any rounding."""
    return artist().eval().decode(torch.tensor([z], dtype=torch.float32), torch.tensor([c])).mean[0, 0]


@torch.no_grad()
def torchs_rounded(z, c) -> torch.Tensor:
    return artist().half().float().eval().decode(torch.tensor([z]).float(), torch.tensor([c])).mean[0, 0]


def same(picture, z, c):
    expected = torchs_rounded(z, c)
    assert expected.std() > 0.2, "a picture of one grey would prove nothing"
    assert (picture - expected).abs().max() <= 1 / 255


def test_moving_a_slider_draws_what_torch_draws(open_page):
    page = open_page(letters().html())
    same(drawn(page), [0, 0], 0)
    first = drawn(page)
    page.get_by_label("code 1").fill("1.25")
    same(drawn(page), [1.25, 0], 0)
    page.get_by_label("code 2").fill("-2.5")
    same(drawn(page), [1.25, -2.5], 0)
    assert (drawn(page) - first).abs().max() > 0.5
    assert page.inner_text("output") == "z = (1.25, -2.50)"


def test_rounding_the_weights_does_not_show(open_page):
    page = open_page(letters().html())
    page.get_by_label("code 1").fill("0.7")
    assert (drawn(page) - torchs([0.7, 0], 0)).abs().max() < 0.03


def test_another_class_is_drawn_with_its_own_dots(open_page):
    page = open_page(letters().html())
    page.get_by_role("combobox").select_option("2")
    same(drawn(page), [0, 0], 2)
    dots = page.eval_on_selector_all(
        ".gk-dots circle", "cs => cs.map((c) => [+c.getAttribute('cx'), -c.getAttribute('cy')])"
    )
    torch.testing.assert_close(torch.tensor(dots), CODES[LABELS == 2], atol=0.006, rtol=0)
    assert "<b>C</b>" in page.inner_text("select")
    assert page.get_attribute("canvas", "aria-label") == "The letter <b>C</b> at code 0.00, 0.00"


def test_dragging_the_point_draws_on_the_way(open_page):
    page = open_page(letters().html())
    box = page.locator(".gk-pad").bounding_box()

    def at(a, b):
        return box["x"] + box["width"] * (a + 3) / 6, box["y"] + box["height"] * (3 - b) / 6

    page.mouse.move(*at(1, 1))
    assert page.inner_text("output") == "z = (0.00, 0.00)", "moving over the plane is not dragging"
    page.mouse.down()
    for point in ((1, 1), (-1.5, 2), (-9, 0)):
        page.mouse.move(*at(*point))
        z = page.eval_on_selector_all("input[type=range]", "s => s.map((one) => Number(one.value))")
        want = [max(-3, min(3, v)) for v in point]
        assert z == pytest.approx(want, abs=0.05)
        exact = page.eval_on_selector(".gk-handle", "h => [+h.getAttribute('cx'), -h.getAttribute('cy')]")
        same(drawn(page), exact, 0)
    page.mouse.up()
    page.mouse.move(*at(2, 2))
    assert page.inner_text("output").startswith("z = (-3.00"), "the point is let go"


def test_a_finger_moves_the_point_and_not_the_page(open_page):
    page = open_page(letters().html(), has_touch=True, viewport={"width": 390, "height": 800})
    box = page.locator(".gk-pad").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5)
    assert page.inner_text("output").startswith("z = (1.5")
    assert page.eval_on_selector(".gk-pad", "p => getComputedStyle(p).touchAction") == "none"


def test_the_keyboard_moves_the_point(open_page):
    page = open_page(letters().html())
    page.focus(".gk-pad")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    same(drawn(page), [0.18, 0.1], 0)
    assert page.inner_text("output") == "z = (0.18, 0.10)"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    assert page.inner_text("output") == "z = (0.00, 0.00)"
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    assert page.inner_text("output") == "z = (-3.00, 0.00)"


def test_arrow_keys_do_not_reach_the_page(open_page):
    page = open_page(
        letters().html() + "<script>window.keys = []; addEventListener('keydown', (e) => keys.push(e.key));</script>"
    )
    page.focus(".gk-pad")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    assert page.evaluate("keys") == ["a"]


def test_everything_can_be_reached_by_the_tabulator(open_page):
    page = open_page(letters().html())
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert reached == ["svg", "select", "input", "input", "button"]


def test_a_code_can_be_drawn_from_the_prior(open_page):
    page = open_page(letters().html())
    page.get_by_role("button").click()
    assert page.inner_text("output") != "z = (0.00, 0.00)"
    draws = page.evaluate(
        """() => Array.from({ length: 2000 }, () => { document.querySelector('.gk-controls button').click();
           return [...document.querySelectorAll('input[type=range]')].map((s) => Number(s.value)); })"""
    )
    draws = torch.tensor(draws)
    assert draws.mean(0).abs().max() < 0.1
    assert (draws.std(0) - 1).abs().max() < 0.07
    assert draws.T.corrcoef()[0, 1].abs() < 0.1


def test_two_explorers_on_a_page_do_not_meet(open_page):
    page = open_page(letters().html() + without_classes().html())
    assert page.locator(".gk-explorer[data-ready]").count() == 2
    page.get_by_label("code 1").nth(1).fill("2")
    assert [o.inner_text() for o in page.locator("output").all()] == ["z = (0.00, 0.00)", "z = (2.00, 0.00)"]


def test_it_starts_where_a_notebook_puts_html_into_a_living_page(open_page):
    """JupyterLab and Colab set innerHTML, then make every script anew so that it runs."""
    page = open_page('<div id="cell"></div>')
    page.evaluate(
        """(html) => {
          const cell = document.getElementById('cell');
          cell.innerHTML = html;
          for (const old of cell.querySelectorAll('script')) {
            const script = document.createElement('script');
            script.textContent = old.textContent;
            old.replaceWith(script);
          }
        }""",
        letters().html(),
    )
    page.get_by_label("code 1").fill("1")
    same(drawn(page), [1, 0], 0)


def test_without_scripts_it_says_what_would_be_there(open_page):
    page = open_page(letters().html(), java_script_enabled=False)
    assert "the decoder runs in the page" in page.inner_text(".gk-explorer")


@in_every_look
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = article(open_page, letters().html(), theme=theme, width=width, book=book)
    fits(page, violations)
    size = page.locator("canvas").bounding_box()
    assert size["width"] == size["height"] == 196, "every pixel is seven screen pixels wide: crisp"
