"""What tests in a browser share."""

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
