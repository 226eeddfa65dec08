"""The explorer of diffusion in Chromium: every step in the page is torch's, and every control does what it says."""

import pytest
import torch
from browsing import look
from torch import nn

from genkit.explorers import denoise_explorer
from genkit.explorers.denoise import normals
from genkit.models.diffusion import Diffusion
from genkit.nn.timed_mlp import TimedMLP


def model(**options):
    """A small diffusion that nobody trained, with weights large enough for black and white."""
    torch.manual_seed(0)
    net = TimedMLP((1, 8, 8), hidden=(24, 24), classes=10)
    for layer in net.network:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=1.6 / layer.in_features**0.5)
    return Diffusion(net, **{"shape": (1, 8, 8), "classes": 10, **options})


def explorer():
    return denoise_explorer(model())


def test_the_page_answers_every_probe_as_torch_did(open_page):
    made = explorer()
    page = open_page(made.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == len(made.probes) >= 10
    for (inputs, expected), received in zip(made.probes, found, strict=True):
        assert torch.tensor(expected).std() > 0.2
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0, msg=str(inputs))


def test_the_pages_noise_is_normal_and_its_own_for_every_seed():
    draws = normals(7)
    x = torch.tensor([next(draws) for _ in range(20_000)])
    assert abs(x.mean()) < 0.03 and abs(x.std() - 1) < 0.02 and abs((x**4).mean() - 3) < 0.2
    assert abs(torch.corrcoef(torch.stack([x[:-1], x[1:]]))[0, 1]) < 0.03
    assert next(normals(1)) != next(normals(2))


def drawn(page, which=0):
    grey = page.eval_on_selector_all(
        ".gk-explorer canvas",
        "(all, i) => Array.from(all[i].getContext('2d').getImageData(0, 0, 8, 8).data).filter((_, k) => k % 4 === 0)",
        which,
    )
    return 1 - torch.tensor(grey).view(8, 8) / 255


def ran(page, **change):
    inputs = {"seed": 1, "sampler": "DDIM", "steps": 20, "step": 20, "guidance": 2, "c": 3} | change
    found = torch.tensor(page.eval_on_selector(".gk-explorer", "(e, i) => e.genkit.run(i)", inputs))
    return ((found + 1) / 2).clamp(0, 1).view(2, 8, 8)


def same(page, **change):
    for which, expected in enumerate(ran(page, **change)):
        assert (drawn(page, which) - expected).abs().max() <= 1 / 255


def test_every_control_changes_what_is_drawn(open_page):
    page = open_page(explorer().html())
    page.set_default_timeout(5000)
    same(page)
    change, before = {}, drawn(page)
    box = [page.get_by_role("combobox").nth(k) for k in range(2)]
    slider = [page.get_by_role("slider").nth(k) for k in range(3)]
    for act, more in (
        (lambda: box[0].select_option("7"), {"c": 7}),
        (lambda: box[1].select_option("DPM-Solver++"), {"sampler": "DPM-Solver++"}),
        (lambda: slider[1].fill("12"), {"steps": 12, "step": 12}),
        (lambda: box[1].select_option("SDE-DPM-Solver++"), {"sampler": "SDE-DPM-Solver++"}),
        (lambda: slider[2].fill("2.5"), {"guidance": 2.5}),
        (lambda: page.get_by_text("other noise").click(), {"seed": 2}),
        (lambda: box[1].select_option("ancestral"), {"sampler": "ancestral"}),
        (lambda: slider[0].fill("5"), {"step": 5}),
        (lambda: box[0].select_option("10"), {"c": 10}),
    ):
        act()
        change |= more
        same(page, **change)
        assert (drawn(page) - before).abs().max() > 0.02, more
        before = drawn(page)
    said = page.inner_text("output")
    assert said.startswith("no digit asked for, ancestral: step 5 of 12, t = 0.58")


def test_the_button_walks_from_noise_to_the_picture(open_page):
    page = open_page(explorer().html())
    page.get_by_text("from noise to picture").click()
    assert "step 0 of 20" in page.inner_text("output")
    page.wait_for_function("document.querySelector('.gk-explorer output').textContent.includes('step 20 of 20')")
    same(page)


def test_without_scripts_it_says_what_would_be_there(open_page):
    page = open_page(explorer().html(), java_script_enabled=False)
    assert "a small diffusion runs in the page" in page.inner_text(".gk-explorer")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width):
    body = f'<div class="bd-article">{explorer().html()}</div>'
    page = open_page(body, head=look(theme, book=True), viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert reached == ["select", "select", "input", "input", "input", "button", "button"]


@pytest.mark.parametrize("options", [{"schedule": "linear"}, {"predict": "noise"}, {"unit": False}])
def test_other_diffusions_are_refused(options):
    with pytest.raises(ValueError, match="model: expected pictures with classes, the cosine schedule"):
        denoise_explorer(model(**options))


def test_another_network_is_refused():
    other = model()
    other.net = nn.Identity()
    with pytest.raises(ValueError, match="network is a TimedMLP, received Identity"):
        denoise_explorer(other)
