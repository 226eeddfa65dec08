"""What tests in a browser share."""

from pathlib import Path

import pytest

BOOK_CSS = Path(__file__).resolve().parent.parent / "book" / "_static" / "book.css"

# Runs in a page before its own scripts: what `reload` noted in the window's name is what the page finds stored.
RESTORE = """
if (window.name.startsWith("kept:")) {
  const kept = JSON.parse(window.name.slice(5));
  window.name = "";
  for (const [key, value] of Object.entries(kept)) localStorage.setItem(key, value);
}
"""


def reload(page):
    """Load a page anew with what it has stored.

    Chromium, under load, now and then hands a reloaded page from disk an older storage, or an empty one. What was there
    therefore travels in the window's name, and is put back before the page's first script.
    """
    page.add_init_script(RESTORE)
    page.evaluate("() => { window.name = 'kept:' + JSON.stringify({...localStorage}); }")
    page.reload()
    assert page.evaluate("() => window.name") == ""


def look(theme, *, book):
    """Return the head of a page in a theme: with the book's styles, or bare, as a notebook shows it."""
    paper, ink = {"light": ("#fff", "#20272b"), "dark": ("#14191b", "#d9dedf")}[theme]
    style = BOOK_CSS.read_text(encoding="utf-8") if book else ""
    return (
        f"<style>{style} html {{ background: {paper}; color: {ink} }}</style>"
        f'<script>document.documentElement.dataset.theme = "{theme}"</script>'
    )


def in_every_look(test):
    """Run ``test`` on a wide and a narrow screen, light and dark, in the book and in a notebook."""
    for mark in (
        pytest.mark.parametrize("width", [1000, 320]),
        pytest.mark.parametrize("theme", ["light", "dark"]),
        pytest.mark.parametrize("book", [True, False], ids=["in the book", "in a notebook"]),
    ):
        test = mark(test)
    return test


def article(open_page, html, *, theme, width, book, **options):
    """Open what a chapter shows as part of an article: in a theme, at a width, with the book's styles or without."""
    body = f'<div class="bd-article">{html}</div>'
    return open_page(body, head=look(theme, book=book), viewport={"width": width, "height": 800}, **options)


def fits(page, violations):
    """Assert that nothing sticks out at the side, and that no rule of access is broken."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert violations(page) == []
