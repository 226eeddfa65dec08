"""The pages as readers get them: built with warnings as errors, around a stub of the one chapter, seen in Chromium."""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

yaml = pytest.importorskip("yaml")
pytest.importorskip("jupyter_book")
ROOT = Path(__file__).resolve().parent.parent
PAGES = ["index", "how_to_use", "paths", "map", "notation", "glossary", "claims", "references"]

# Rules that the theme breaks by itself, in places that no page of ours can reach, would stand here with the reason.
EXCEPTIONS: dict[str, str] = {}


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """Build the pages of ``book/`` with the book's own configuration, without executing anything."""
    source = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "book", source / "book")
    (source / "genkit").mkdir()
    shutil.copytree(ROOT / "genkit" / "records", source / "genkit" / "records")
    shutil.copy(ROOT / "_toc.yml", source)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    ours = (
        "roadmap",
        "claims",
        "paths",
        "choice",
        "look",
    )  # the other extensions are for chapters, and have tests of their own
    config["sphinx"]["local_extensions"] = {name: "book/_ext" for name in ours}
    (source / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    stub = {"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Stub {cite}`kingma2014`"}],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    for notebook in (ROOT / "notebooks").glob("*/*.ipynb"):
        target = source / notebook.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(stub), encoding="utf-8")
    program = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", program, "build", str(source), "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return source / "_build" / "html"


class Page(HTMLParser):
    """Collects a page's links, ids and images."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.ids, self.images, self.scripts = [], set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.update(attrs[k] for k in ("id", "name") if attrs.get(k))
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs)
        if tag == "script" and attrs.get("src"):
            self.scripts.append(attrs["src"])


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_dead(html, name):
    path = html / "book" / f"{name}.html"
    for link in Page(path).links:
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme in ("https", "http", "mailto"), link
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if parts.path.startswith("../_sources") or parts.path in ("#", ""):
            target = target if parts.path else path
        assert target.exists(), link
        if parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in Page(target).ids, link


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_says_what_it_shows(html, name):
    for image in Page(html / "book" / f"{name}.html").images:
        decoration = "logo__image" in (image.get("class") or "")  # the book's name stands beside it
        assert image.get("alt") or decoration, image


def test_the_plan_links_what_exists_and_marks_the_rest(html):
    text = (html / "book" / "index.html").read_text(encoding="utf-8")
    plan = text[text.index('class="roadmap') :]
    ready = re.findall(r'<li class="ready">.*?href="([^"]+)"', plan, flags=re.S)
    assert "../notebooks/models/vae.html" in ready
    assert {"claims.html", "notation.html", "glossary.html", "references.html"} <= set(ready)
    coming = re.findall(r'<li class="to-come">(.*?)</li>', plan, flags=re.S)
    assert len(ready) + len(coming) == 52 + 8
    assert all("to come" in item and "href" not in item for item in coming)


def test_the_claims_page_has_a_row_for_each_and_verdicts_from_the_record(html):
    text = (html / "book" / "claims.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr[^>]*class="[^"]*\b(tested|untested)\b[^"]*"[^>]*>(.*?)</tr>', text, flags=re.S)
    assert [re.search(r"C\d\d", row)[0] for _, row in rows] == [f"C{i:02}" for i in range(1, 31)]
    for state, row in rows:
        assert (state == "untested") == ("not tested yet" in row)
    record = ROOT / "genkit" / "records" / "vae.json"
    if record.exists():
        verdicts = json.loads(record.read_text(encoding="utf-8"))["results"].get("claims", {})
        assert {f"C{i:02}" for i, (state, _) in enumerate(rows, 1) if state == "tested"} >= set(verdicts)
        assert "../notebooks/models/vae.html" in rows[2][1]


def test_references_lead_to_their_papers(html):
    links = Page(html / "book" / "references.html").links
    assert "https://arxiv.org/abs/1312.6114" in links
    assert any(link.startswith("https://doi.org/10.") for link in links)


def test_only_the_landing_page_carries_its_scripts(html):
    assert any("taste.js" in s for s in Page(html / "book" / "index.html").scripts)
    assert not any("taste.js" in s for s in Page(html / "book" / "claims.html").scripts)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 390])
def test_pages_fit_the_screen_and_break_no_rule_of_access(html, browser, width, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    context.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    page = context.new_page()
    page.route("https://**", lambda route: route.abort())  # MathJax, which this build without vendoring would fetch
    for name in PAGES:
        page.goto((html / "book" / f"{name}.html").as_uri(), wait_until="load")
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the screen"
        found = [v for v in axe.run(page).response["violations"] if v["id"] not in EXCEPTIONS]
        assert not found, [(name, v["id"], v["nodes"][0]["html"][:200]) for v in found]
    context.close()
