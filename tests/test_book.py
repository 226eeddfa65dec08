"""The built chapters as readers get them: from file://, in Chromium, at desk and phone, in light and dark."""

import json
import struct
import sys
from pathlib import Path

import pytest
from browsing import reload

from tools.pdf import chromium

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
PAGES = sorted(
    p
    for p in HTML.rglob("*.html")
    if "_static" not in p.parts and p != HTML / "index.html"  # which only leads on
)
CHAPTERS = sorted((HTML / "notebooks").rglob("*.html"))
# Rules that the theme itself breaks on chapter pages, with the reason; none of them is in what we write.
THEMES_OWN: dict[str, str] = {}

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine; .ci/run installs it"),
    pytest.mark.skipif(not CHAPTERS, reason="the book is not built; make book builds it"),
]


def name(path):
    return path.relative_to(HTML).with_suffix("").as_posix()


@pytest.fixture
def visit(browser):
    """Open a page and collect what it complains of and what it asks other hosts for."""
    contexts = []

    def visit(path, *, width=1300, dark=False):
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.outside = [], []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: page.outside.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        theme = "dark" if dark else "light"
        page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
        page.evaluate("window.MathJax?.startup?.promise")
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_asks_no_other_host_and_complains_of_nothing(visit, path):
    page = visit(path)
    page.wait_for_timeout(300)
    assert page.outside == [] and page.complaints == []


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_mathematics_is_set(visit, path):
    page = visit(path)
    assert page.locator("mjx-container").count() >= 5
    assert page.locator("mjx-merror").count() == 0


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_every_picture_says_what_it_shows(visit, path):
    alts = visit(path).eval_on_selector_all("article img", "all => all.map((i) => i.alt)")
    assert len(alts) >= 5 and all(len(alt) >= 20 for alt in alts)


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_the_run_left_no_trace_of_a_failure_or_a_bar(visit, path):
    text = visit(path).inner_text("article")
    assert "Traceback" not in text and "it/s" not in text and "Warning" not in text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1300, 390])
@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_a_chapter_fits_and_breaks_no_rule_of_access(visit, path, width, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(path, width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(page).response["violations"]
    ours = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found if v["id"] not in THEMES_OWN]
    assert ours == []


# explorers ----------------------------------------


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_an_explorer_computes_what_torch_does(visit, path):
    page = visit(path)
    found = page.locator(".gk-explorer").count()
    if path.stem == "vae":
        assert found == 1
    elif not found:
        pytest.skip("this chapter has no explorer")
    assert page.locator(".gk-explorer[data-ready]").count() == found
    worst = page.evaluate("""() => [...document.querySelectorAll(".gk-explorer")].flatMap((e) =>
        e.genkit.probes.map(({ inputs, outputs }) => {
            const found = e.genkit.run(inputs);
            return found.length === outputs.length ? Math.max(...found.map((v, i) => Math.abs(v - outputs[i]))) : 1;
        }))""")
    assert len(worst) >= 3 and max(worst) < 1e-4


@pytest.fixture
def latent(visit):
    return visit(HTML / "notebooks" / "models" / "vae.html")


def picture(page):
    code = """() => { const c = document.querySelector(".gk-explorer canvas");
                      return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]; }"""
    return page.evaluate(code)[::4]


def decoded(page, z, c):
    return page.evaluate("(inputs) => document.querySelector('.gk-explorer').genkit.run(inputs)", {"z": z, "c": c})


def test_moving_a_slider_draws_what_torch_decodes(latent):
    probes = latent.evaluate("document.querySelector('.gk-explorer').genkit.probes")
    probe = probes[1]
    latent.select_option(".gk-explorer select", str(probe["inputs"]["c"]))
    for k in (0, 1):
        latent.locator(".gk-explorer input[type=range]").nth(k).fill(str(probe["inputs"]["z"][k]))
    drawn = picture(latent)
    assert max(abs(1 - v / 255 - p) for v, p in zip(drawn, probe["outputs"], strict=True)) <= 1 / 255
    assert "z = (1.50, -0.50)" in latent.inner_text(".gk-explorer output")


def test_dragging_in_the_plane_moves_the_code(latent):
    pad = latent.locator(".gk-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    latent.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    latent.mouse.down()
    latent.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    latent.mouse.up()
    z = [float(latent.locator(".gk-explorer input[type=range]").nth(k).input_value()) for k in (0, 1)]
    assert z == pytest.approx([1.5, 1.5], abs=0.06)
    expected = decoded(latent, z, 0)
    assert max(abs(1 - v / 255 - p) for v, p in zip(picture(latent), expected, strict=True)) < 0.03


def test_arrow_keys_move_the_code_and_do_not_turn_the_page(latent):
    before, where = picture(latent), latent.url
    latent.focus(".gk-pad")
    for _ in range(12):
        latent.keyboard.press("ArrowRight")
    assert latent.url == where and picture(latent) != before
    assert float(latent.locator(".gk-explorer input[type=range]").nth(0).input_value()) == pytest.approx(1.2)


# what a reader has done is remembered ----------------------------------------


def test_a_quiz_answers_and_the_landing_page_remembers(latent):
    quiz = latent.locator("[data-gk-quiz]")
    first = quiz.locator("[data-gk-question='1']")
    first.locator("input[data-right=false]").first.check()
    assert first.get_attribute("data-state") == "wrong" and "✗" in first.inner_text()
    first.locator("input[data-right=true]").check()
    assert first.get_attribute("data-state") == "right" and "✓" in first.inner_text()
    latent.locator("[data-gk-exercise=kl]").check()
    reload(latent)
    assert latent.locator("[data-gk-question='1']").get_attribute("data-state") == "right"
    assert latent.locator("[data-gk-exercise=kl]").is_checked()
    kept = json.loads(latent.evaluate("localStorage.getItem('genkit-progress')"))["models/vae"]
    assert [q["right"] for q in kept["quiz"].values()] == [True]
    assert kept["solved"] == {"kl": True} and kept["exercises"] >= 4
    latent.goto((HTML / "book" / "index.html").as_uri())
    latent.wait_for_timeout(300)
    assert "Variational autoencoders" in latent.inner_text("#reader-progress")


# what the pages are made of ----------------------------------------


def test_without_npm_mathematics_comes_from_python(tmp_path, monkeypatch):
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    import vendor_assets

    def no_npm(*args, **kwargs):
        raise FileNotFoundError("npm")

    monkeypatch.setattr(vendor_assets.subprocess, "run", no_npm)
    config = type("Config", (), {"html_static_path": [], "nb_ipywidgets_js": None, "mathjax_path": None})()
    vendor_assets.configure(type("App", (), {"confdir": tmp_path})(), config)
    served = Path(config.html_static_path[0]) / config.mathjax_path
    assert served.stat().st_size > 100_000 and config.nb_ipywidgets_js == {}


def test_a_package_that_was_not_pinned_is_refused(tmp_path, monkeypatch):
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    import vendor_assets

    def other_package(command, *, cwd, **kwargs):
        (Path(cwd) / "mathjax-3.2.2.tgz").write_bytes(struct.pack("<Q", 0))

    monkeypatch.setattr(vendor_assets.subprocess, "run", other_package)
    with pytest.raises(vendor_assets.ExtensionError, match="not the one that was pinned"):
        vendor_assets.fetch(tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()
