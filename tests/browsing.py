"""What tests in a browser share."""

from pathlib import Path

BOOK_CSS = Path(__file__).resolve().parent.parent / "book" / "_static" / "book.css"

KEPT = "() => localStorage.getItem('genkit-progress')"


def reload(page):
    """Load a page anew with what it has stored.

    Chromium, under load, now and then hands a reloaded page from disk an empty storage. Nothing of ours empties it, so
    it is then filled again with what was there.
    """
    kept = page.evaluate(KEPT)
    page.reload()
    if kept is not None and page.evaluate(KEPT) is None:
        page.evaluate("(kept) => localStorage.setItem('genkit-progress', kept)", kept)
        page.reload()


def look(theme, *, book):
    """Return the head of a page in a theme: with the book's styles, or bare, as a notebook shows it."""
    paper, ink = {"light": ("#fff", "#20272b"), "dark": ("#14191b", "#d9dedf")}[theme]
    style = BOOK_CSS.read_text(encoding="utf-8") if book else ""
    return (
        f"<style>{style} html {{ background: {paper}; color: {ink} }}</style>"
        f'<script>document.documentElement.dataset.theme = "{theme}"</script>'
    )
