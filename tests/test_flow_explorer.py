"""The explorer of flows: what it refuses, what it ships, and in Chromium that it kneads as torch does."""

import copy

import pytest
import torch
from browsing import article, fits, in_every_look

from genkit.explorers import flow_explorer
from genkit.explorers.explorer import pack
from genkit.models.flow import Coupling, Flow, Logit, coupling_flow

POINTS = torch.randn(11, 2, generator=torch.Generator().manual_seed(0))


def clay(**options):
    """A small flow that nobody trained, whose layers all do something."""
    torch.manual_seed(0)
    flow = coupling_flow(**{"shape": (2,), "layers": 3, "hidden": (12, 8), **options}).eval()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return flow


def rounded():
    """The flow with its networks as the page has them."""
    flow = copy.deepcopy(clay()).double()
    for layer in flow.layers:
        if isinstance(layer, Coupling):
            layer.network.half().double()
    return flow


@torch.no_grad()
def torchs(x):
    flow, x = rounded(), torch.tensor([x], dtype=torch.float64)
    return flow(x)[0][0].tolist(), flow.log_prob(x).item()


def page_of(open_page, **options):
    return open_page(flow_explorer(clay(), points=POINTS).html(), **options)


def test_neighbouring_linear_layers_are_one_step():
    state = flow_explorer(clay(), points=POINTS).state
    assert [step["kind"] for step in state["steps"]] == ["mix", "couple"] * 3 + ["mix"]
    assert [step["at"] for step in state["steps"] if "at" in step] == [0, 146, 292]
    couplings = [layer for layer in clay().layers if isinstance(layer, Coupling)]
    assert state["weights"] == b"".join(pack(layer.network)[1] for layer in couplings)
    without = flow_explorer(clay(mix=False, norm=False), points=POINTS).state
    assert [step["kind"] for step in without["steps"]] == ["mix", "couple"] * 3


def test_probes_are_torchs_answers():
    explorer, last = flow_explorer(clay(), points=POINTS), 7
    assert [given["step"] for given, _ in explorer.probes] == [0, 1, 3, 5, 7]
    for given, (a, b, z1, z2, log_p) in explorer.probes:
        z, expected = torchs(given["x"])
        assert [z1, z2] == pytest.approx(z, abs=1e-5) and log_p == pytest.approx(expected, abs=1e-5)
        if given["step"] in (0, last):
            assert [a, b] == pytest.approx(z if given["step"] == 0 else given["x"], abs=1e-5)


def test_the_model_itself_stays_as_it_was():
    flow = clay().train()
    before = {k: v.clone() for k, v in flow.state_dict().items()}
    flow_explorer(flow, points=POINTS)
    assert flow.training and all(torch.equal(v, before[k]) for k, v in flow.state_dict().items())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: flow_explorer(clay(shape=(3,)), points=POINTS), "model: expected points of the plane"),
        (lambda: flow_explorer(clay(classes=2), points=POINTS), "and 2 classes"),
        (lambda: flow_explorer(Flow([Logit()], shape=(2,)), points=POINTS), "linear layers, received Logit"),
        (lambda: flow_explorer(clay(), points=torch.zeros(3, 3)), r"points: expected the shape \(N, 2\)"),
        (lambda: flow_explorer(clay(), points=torch.zeros(0, 2)), "points: expected the shape"),
        (lambda: flow_explorer(clay(), points=POINTS, extent=0), "extent: expected a number above 0, received 0"),
    ],
)
def test_what_it_cannot_show_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def place(page):
    return page.eval_on_selector(".gk-handle", "h => [+h.getAttribute('cx'), -h.getAttribute('cy')]")


def grains(page):
    found = page.eval_on_selector_all(
        ".gk-clay circle", "cs => cs.map((c) => [+c.getAttribute('cx'), -c.getAttribute('cy')])"
    )
    return torch.tensor(found, dtype=torch.float64)


@torch.no_grad()
def test_every_step_kneads_the_clay_as_torch_does(open_page):
    page, flow = page_of(open_page), rounded()
    page.get_by_role("slider").fill("0")
    z = grains(page)
    assert len(z) == 600 and (z.std(0) - 1).abs().max() < 0.1
    ends = [9, 8, 6, 5, 3, 2, 0]  # layers of the flow that are left after 1, 2, … steps: normalise and mix are one
    for step, left in enumerate(ends, 1):
        page.get_by_role("slider").fill(str(step))
        x = z
        for layer in list(flow.layers)[left:][::-1]:
            x = layer.inverse(x)
        assert (grains(page) - x).abs().max() < 2e-3, f"step {step}"
        words = "straight up or down" if step % 2 == 0 else "turned, stretched and moved"
        assert words in page.inner_text(".gk-now")
    assert (grains(page) - z).abs().max() > 0.5
    page.get_by_role("slider").fill("0")
    assert torch.equal(grains(page), z), "and back"


def test_dragging_a_point_reads_its_latent_and_its_log_density(open_page):
    page = page_of(open_page)
    box = page.locator(".gk-pad").bounding_box()
    half = 3.3

    def drag(a, b):
        page.mouse.move(
            box["x"] + box["width"] * (a + half) / 2 / half, box["y"] + box["height"] * (half - b) / 2 / half
        )
        page.mouse.down()
        page.mouse.up()

    drag(0.8, -0.5)
    x = place(page)
    assert x == pytest.approx([0.8, -0.5], abs=0.05)
    z, log_p = torchs(x)
    pair = "({:.2f}, {:.2f})".format
    said = f"x = {pair(*x)}, z = {pair(*z)}, log p(x) = {log_p:.2f} nats".replace("-", "−")
    assert page.inner_text("output") == said
    page.get_by_role("slider").fill("0")
    assert place(page) == pytest.approx(z, abs=1e-3), "on the ball the point stands at its latent"
    drag(0.3, 0.4)
    z = place(page)
    assert f"z = {pair(*z)}".replace("-", "−") in page.inner_text("output")
    page.get_by_role("slider").fill("7")
    assert torchs(place(page))[0] == pytest.approx(z, abs=1e-3)


def test_the_keyboard_moves_the_point_where_it_stands(open_page):
    page = page_of(open_page)
    page.focus(".gk-pad")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert place(page) == pytest.approx([0.18, 0.1], abs=1e-6)
    page.get_by_role("slider").fill("3")
    before = place(page)
    page.focus(".gk-pad")
    page.keyboard.press("ArrowDown")
    assert place(page) == pytest.approx([before[0], before[1] - 0.1], abs=1e-5)
    page.keyboard.press("Home")
    assert place(page) == pytest.approx([0, 0], abs=1e-5)


def test_the_button_plays_from_the_ball_to_the_star(open_page):
    page = page_of(open_page)
    page.get_by_role("button").click()
    assert page.get_by_role("slider").input_value() == "0"
    page.wait_for_function("document.querySelector('input[type=range]').value === '7'", timeout=20_000)
    assert page.inner_text(".gk-now").startswith("Step 7 of 7")


def test_far_off_it_says_how_improbable_without_a_row_of_digits(open_page):
    page = page_of(open_page)
    page.focus(".gk-pad")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
    assert len(page.inner_text("output")) < 90


def test_without_scripts_it_says_what_would_be_there(open_page):
    page = page_of(open_page, java_script_enabled=False)
    assert "the flow runs in the page" in page.inner_text(".gk-explorer")


@in_every_look
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    html = flow_explorer(clay(), points=POINTS).html()
    page = article(open_page, html, theme=theme, width=width, book=book)
    fits(page, violations)
    page.keyboard.press("Tab")
    reached = [page.evaluate("document.activeElement.tagName.toLowerCase()")]
    for _ in range(2):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert reached == ["svg", "input", "button"]
