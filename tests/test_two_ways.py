"""The explorer of two borders: both fits are the libraries', and in Chromium they follow every point that moves."""

import pytest
import torch
from browsing import look
from sklearn.linear_model import LogisticRegression

from genkit.explorers import two_ways_explorer
from genkit.explorers.two_ways import FLOOR, RIDGE, answer, gaussians, logistic
from genkit.models.gaussian import GaussianClasses


def points(seed=0, n=10, gap=1.2):
    g = torch.Generator().manual_seed(seed)
    c = torch.arange(2).repeat_interleave(n)
    x = 0.6 * torch.randn(2 * n, 2, generator=g) + gap * (2 * c - 1)[:, None] * torch.tensor([0.8, 0.4])
    return x, c


def scenes():
    wide, c = points(1, gap=0.4)
    return {"two clouds": points(), "they overlap": (wide, c), "<b>few</b>": (points(2)[0][8:12], points(2)[1][8:12])}


def ways():
    return two_ways_explorer(scenes())


# in Python ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gap", [0.2, 2.0])
def test_the_line_is_scikit_learns_logistic_regression(seed, gap):
    x, c = points(seed, gap=gap)
    oracle = LogisticRegression(C=1 / RIDGE, tol=1e-10, max_iter=10_000).fit(x.double().numpy(), c.numpy())
    expected = torch.tensor([*oracle.intercept_, *oracle.coef_[0]])
    torch.testing.assert_close(logistic(x.double(), c), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shared", [False, True])
def test_the_gaussians_are_the_packages(shared):
    x, c = points()
    model = GaussianClasses(shape=(2,), classes=2, shared=shared, floor=FLOOR).fit(x, c)
    shares, means, covs = gaussians(x.double(), c, shared=shared)
    for ours, theirs in ((shares, model.log_share.exp()), (means, model.mean), (covs, model.cov)):
        torch.testing.assert_close(ours, theirs)
    data = [[*p, k] for p, k in zip(x.tolist(), c.tolist(), strict=True)]
    found = answer({"points": data, "shared": shared, "at": [0.3, 0.1], "seed": 3, "draws": 2})
    at = torch.tensor([[0.3, 0.1]])
    assert found[-8] == pytest.approx(model.posterior(at).exp()[0, 1].item(), abs=1e-5)
    assert found[-7] == pytest.approx(model.log_prob(at).item(), abs=1e-5)
    assert len(found) == 3 + 12 + 3 + 6


def test_draws_of_the_page_have_the_classes_means_and_shares():
    x, c = points()
    keep = torch.cat([torch.arange(10), torch.arange(10, 15)])
    data = [[*p, k] for p, k in zip(x[keep].tolist(), c[keep].tolist(), strict=True)]
    found = torch.tensor(answer({"points": data, "shared": False, "at": [0, 0], "seed": 1, "draws": 3000})[18:])
    kinds = found.view(-1, 3)
    assert kinds[:, 0].mean() == pytest.approx(1 / 3, abs=0.03)
    for k in (0, 1):
        own = kinds[kinds[:, 0] == k][:, 1:]
        torch.testing.assert_close(own.mean(0), x[keep][c[keep] == k].mean(0), atol=0.06, rtol=0)


X, C = points()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: two_ways_explorer({}), "scenes: expected at least one"),
        (lambda: two_ways_explorer({"a": (X, C[:3])}), "scenes: expected at most 40 points and labels"),
        (lambda: two_ways_explorer({"a": (X[:, :1], C)}), "scenes: expected at most 40"),
        (lambda: two_ways_explorer({"a": (X.repeat(3, 1), C.repeat(3))}), "scenes: expected at most 40"),
        (lambda: two_ways_explorer({"a": (X[:11], C[:11])}), r"two points at least .* received \[10, 1\]"),
        (lambda: two_ways_explorer({"a": (X, C * 2)}), "class 0 and of class 1"),
        (lambda: two_ways_explorer({"a": (X, C)}, extent=0.0), "extent: expected a number above 0"),
    ],
)
def test_what_it_cannot_show_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# in Chromium ----------------------------------------------------------------------------------------------------------


def border(page, kind):
    return page.get_attribute(f".gk-border{kind}", "d")


def test_the_page_answers_every_probe_as_torch_did(open_page):
    explorer = ways()
    page = open_page(explorer.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == 6
    for (_, expected), received in zip(explorer.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)


def test_the_borders_lie_where_the_two_classes_are_equally_probable(open_page):
    page = open_page(ways().html())
    x, c = points()
    model = GaussianClasses(shape=(2,), classes=2, floor=FLOOR).fit(x, c)
    w = logistic(x.double(), c)
    for kind, odds in (
        (":not(.gk-dashed)", lambda at: model.posterior(at)[:, 1] - model.posterior(at)[:, 0]),
        (".gk-dashed", lambda at: at @ w[1:].float() + w[0].float()),
    ):
        path = border(page, kind).replace("M", " ").replace("L", " ").split()
        at = torch.tensor([float(v) for v in path]).view(-1, 2) * torch.tensor([1.0, -1.0])
        near = (
            at[at.norm(dim=1) < 1.5]
            if kind != ".gk-dashed"
            else at[0] + torch.linspace(0, 1, 9)[:, None] * (at[1] - at[0])
        )
        assert len(at) == 2 if kind == ".gk-dashed" else len(near) > 20
        assert odds(near).abs().max() < 0.2, kind


def test_dragging_a_point_moves_both_borders(open_page):
    page = open_page(ways().html())
    before, box = (border(page, ":not(.gk-dashed)"), border(page, ".gk-dashed")), page.locator(".gk-pad").bounding_box()
    x = round(points()[0][0, 0].item(), 3), round(points()[0][0, 1].item(), 3)

    def at(a, b):
        return box["x"] + box["width"] * (a + 3) / 6, box["y"] + box["height"] * (3 - b) / 6

    page.mouse.move(*at(*x))
    page.mouse.down()
    page.mouse.move(*at(2.5, 2.5))
    page.mouse.up()
    assert "(2.5" in page.inner_text("output")
    assert border(page, ":not(.gk-dashed)") != before[0] and border(page, ".gk-dashed") != before[1]
    page.mouse.click(*at(-2.9, 2.9))  # far from every point: one is chosen, none is moved
    assert "(−2.9" not in page.inner_text("output")


def test_the_controls_do_what_they_say(open_page):
    page = open_page(ways().html())
    curve, said = border(page, ":not(.gk-dashed)"), page.inner_text("output")
    page.get_by_label("one shape for both").check()
    assert border(page, ":not(.gk-dashed)") != curve and border(page, ".gk-dashed")
    page.get_by_label("one shape for both").uncheck()
    assert border(page, ":not(.gk-dashed)") == curve
    drawn = page.inner_html(".gk-drawn")
    assert drawn.count("<circle") + drawn.count("<rect") == 60
    page.get_by_role("button", name="new draws").click()
    assert page.inner_html(".gk-drawn") != drawn
    page.get_by_role("button", name="switch its class").click()
    assert "square point" in page.inner_text("output") and page.inner_text("output") != said
    page.get_by_role("button", name="add a point").click()
    assert "of 21" in page.inner_text("output")
    page.get_by_role("button", name="take it away").click()
    assert "of 20" in page.inner_text("output")
    page.locator("input[type=range]").fill("3")
    assert page.locator("input[type=range]").get_attribute("aria-valuetext").startswith("point 3 of 20")
    page.get_by_role("combobox").select_option("<b>few</b>")
    assert "of 4" in page.inner_text("output")
    assert page.get_by_role("button", name="take it away").is_disabled(), "a Gaussian needs two points"
    for _ in range(40):
        if page.get_by_role("button", name="add a point").is_enabled():
            page.get_by_role("button", name="add a point").click()
    assert "of 40" in page.inner_text("output")


def test_the_keyboard_chooses_and_moves_points(open_page):
    page = open_page(ways().html())
    page.focus(".gk-pad")
    slider = page.locator("input[type=range]")
    x, y = (round(v, 3) for v in points()[0][1].tolist())
    page.keyboard.press("PageDown")
    assert slider.input_value() == "2"
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    place = f"({x + 0.08:.2f}, {y + 0.1:.2f})".replace("-", "−")
    assert place in page.inner_text("output")
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    assert slider.input_value() == "20"
    assert slider.get_attribute("aria-valuetext").startswith("point 20 of 20, square")


def test_without_scripts_it_says_what_would_be_there(open_page):
    page = open_page(ways().html(), java_script_enabled=False)
    assert "points can be dragged" in page.inner_text(".gk-explorer")


@pytest.mark.parametrize("book", [True, False], ids=["in the book", "in a notebook"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = open_page(
        f'<div class="bd-article">{ways().html()}</div>',
        head=look(theme, book=book),
        viewport={"width": width, "height": 800},
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert reached == ["svg", "select", "input", "input", *["button"] * 4]
