"""The landing page's own scripts, in Chromium: the live picture is the flow it says it is, and progress is shown."""

import json
import math
import re
import shutil
from pathlib import Path

import pytest
from browsing import reload

from tools.pdf import chromium

torch = pytest.importorskip("torch")
sync_api = pytest.importorskip("playwright.sync_api")
STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"
INDEX = STATIC.parent / "index.md"
pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine; .ci/run installs it")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the landing page's own HTML and its scripts, without the rest of the book."""
    folder = tmp_path_factory.mktemp("site")
    for path in STATIC.glob("*.*"):
        shutil.copy(path, folder)
    blocks = re.findall(
        r'^<div class="(?:taste|progress-card)".*?^</div>$', INDEX.read_text("utf-8"), flags=re.M | re.S
    )
    assert len(blocks) == 2
    head = '<meta charset="utf-8"><link rel="stylesheet" href="book.css"><link rel="stylesheet" href="landing.css">'
    scripts = "".join(f'<script defer src="{name}.js"></script>' for name in ("book", "taste", "landing"))
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en" data-theme="dark"><head>{head}{scripts}</head>'
        f'<body><article class="bd-article">{"".join(blocks)}<div class="roadmap">'
        '<a href="notebooks/models/vae.html">Variational autoencoders</a></div></article></body></html>',
        encoding="utf-8",
    )
    return folder / "index.html"


@pytest.fixture
def page(browser, site):
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1000, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(site.as_uri())
    yield page
    context.close()


def test_the_live_picture_moves_points_by_the_probability_flow(page):
    """Its velocity is f·x − g²/2·∇log p_t (Song et al. 2021, eq. 13), the score taken by autograd."""
    centres = torch.tensor([[1.0, 0.5], [-0.7, 0.2], [0.1, -1.2]], dtype=torch.float64)
    std = page.evaluate("bookTaste.STD")
    for t in (0.05, 0.3, 0.6, 0.9):
        a, s = math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)
        da, ds = -math.pi / 2 * s, math.pi / 2 * a
        x = torch.tensor([0.4, -0.3], dtype=torch.float64, requires_grad=True)
        log_p = (-((x - a * centres) ** 2).sum(1) / (2 * (a * a * std * std + s * s))).logsumexp(0)
        (score,) = torch.autograd.grad(log_p, x)
        f, g2 = da / a, 2 * s * ds - 2 * da / a * s * s
        expected = f * x.detach() - g2 / 2 * score
        found = page.evaluate("([t, c]) => bookTaste.velocity(0.4, -0.3, t, c)", [t, centres.tolist()])
        torch.testing.assert_close(torch.tensor(found, dtype=torch.float64), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", ["ring", "spiral", "smile"])
def test_noise_ends_where_the_data_are_and_on_all_of_them(page, shape):
    rows = page.evaluate("s => bookTaste.paths(bookTaste.normals(1500), bookTaste.SHAPES[s])", shape)
    centres = torch.tensor(page.evaluate("s => bookTaste.SHAPES[s]", shape), dtype=torch.float64)
    first, last = torch.tensor(rows[0]).double(), torch.tensor(rows[-1]).double()
    assert first.mean(0).abs().max() < 0.15
    assert (first.std(0) - 1).abs().max() < 0.1
    distance = torch.cdist(last, centres)
    assert (distance.min(1).values < 4.5 * page.evaluate("bookTaste.STD")).double().mean() > 0.98
    share = distance.argmin(1).bincount(minlength=len(centres)) / len(last)
    assert share.min() > 0.25 / len(centres), "no place of the data may be forgotten"


def test_the_slider_redraws_the_picture(page):
    read = "() => document.querySelector('.taste canvas').toDataURL()"
    end = page.evaluate(read)
    assert "places of the data" in page.get_attribute(".taste canvas", "aria-label")
    page.fill(".taste input", "1")
    assert page.inner_text(".taste output") == "t = 1.00"
    assert "cloud of noise" in page.get_attribute(".taste canvas", "aria-label")
    assert page.evaluate(read) != end


def test_a_click_puts_the_data_elsewhere(page):
    page.click(".taste canvas", position={"x": 40, "y": 60})
    assert "the one place" in page.get_attribute(".taste canvas", "aria-label")
    assert page.get_attribute("[data-shape=ring]", "aria-pressed") == "false"
    page.click(".taste canvas", position={"x": 120, "y": 60})
    assert "the 2 places" in page.get_attribute(".taste canvas", "aria-label")
    page.click("[data-shape=spiral]")
    assert "the 36 places" in page.get_attribute(".taste canvas", "aria-label")


def test_without_reduced_motion_the_picture_plays_by_itself(browser, site):
    page = browser.new_page()
    page.goto(site.as_uri())
    page.wait_for_function("document.querySelector('.taste output').textContent === 't = 0.00'", timeout=15000)
    page.close()


def test_the_live_picture_is_hidden_where_scripts_do_not_run(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.as_uri())
    assert not page.is_visible(".taste")
    context.close()


def test_paper_is_white(page):
    theme = "() => document.documentElement.dataset.theme"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(theme) == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(theme) == "dark"


PROGRESS = {
    "models/vae": {
        "quiz": {"1": {"choice": 2, "right": True}, "2": {"choice": 0, "right": False}},
        "questions": 7,
        "solved": {"kl": True, "elbo": True, "iwae": False},
        "exercises": 8,
    }
}
NONSENSE = [
    "", "{", "null", "[]", "3", "{}", '{"models/vae": null}', '{"models/vae": {"quiz": 3, "solved": []}}',
    '{"models/elsewhere": {"quiz": {"1": {"right": true}}}}', '{"<img src=x>": {"solved": {"a": true}}}',
]  # fmt: skip
STORE = "p => { localStorage.setItem('genkit-progress', p); dispatchEvent(new Event('pageshow')); }"


def landing(browser, site, stored: str | None):
    page = browser.new_context().new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(site.as_uri())
    if stored is not None:
        page.evaluate(STORE, stored)
    return page


def test_a_reader_sees_what_they_have_done(browser, site):
    page = landing(browser, site, json.dumps(PROGRESS))
    text = page.inner_text("#reader-progress")
    assert "Variational autoencoders" in text
    assert "Quiz: 1 of 7 right, 2 answered" in text
    assert "Exercises: 2 of 8 solved" in text
    bars = page.locator("#reader-progress meter")
    assert [(m.get_attribute("max"), m.evaluate("m => m.value")) for m in bars.all()] == [("7", 1), ("8", 2)]
    assert page.locator("#reader-progress a").get_attribute("href").endswith("notebooks/models/vae.html")


def test_nothing_done_or_nonsense_stored_leaves_the_invitation(browser, site):
    page = landing(browser, site, None)
    assert "no account" in page.inner_text("#reader-progress")
    for stored in NONSENSE:
        page.evaluate(STORE, json.dumps(PROGRESS))
        assert page.locator("#reader-progress meter").count() == 2
        page.evaluate(STORE, stored)
        assert page.locator("#reader-progress meter").count() == 0, stored
        assert "no account" in page.inner_text("#reader-progress"), stored


def test_progress_can_be_forgotten_but_not_by_one_slip(browser, site):
    page = landing(browser, site, json.dumps(PROGRESS))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("#reader-progress button")
    assert page.locator("#reader-progress meter").count() == 2
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#reader-progress button")
    assert page.locator("#reader-progress meter").count() == 0
    reload(page)
    assert "no account" in page.inner_text("#reader-progress")


def test_progress_appears_while_the_page_is_open(browser, site):
    page = landing(browser, site, None)
    other = page.context.new_page()
    other.goto(site.as_uri())
    other.evaluate("p => localStorage.setItem('genkit-progress', p)", json.dumps(PROGRESS))
    page.wait_for_selector("#reader-progress meter", timeout=5000)


def test_what_a_quiz_stores_is_what_the_landing_page_shows(browser, site):
    """The two scripts agree: a question answered and a tick set, by the very HTML that chapters display."""
    exercises = pytest.importorskip("genkit.exercises")
    chapter = "models/vae"
    name = exercises.CHAPTERS[chapter][0].name
    folder = site.parent / "notebooks" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vae.html").write_text(
        f'<!doctype html><meta charset="utf-8">{exercises.quiz(chapter).code}{exercises.solution(name).code}', "utf-8"
    )
    page = landing(browser, site, None)
    page.goto((folder / "vae.html").as_uri())
    page.check('[data-gk-question="1"] input[data-right="true"]')
    page.check(f'[data-gk-exercise="{name}"]')
    page.goto(site.as_uri())
    text = page.inner_text("#reader-progress")
    assert re.search(r"Quiz: 1 of \d+ right, 1 answered", text)
    assert re.search(r"Exercises: 1 of \d+ solved", text)
