"""What several test modules share: a Chromium, pages opened from disk in it, and the rules of accessibility."""

import pytest

from tools.pdf import QUIET, chromium


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; skips where there is none."""
    if chromium() is None:
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Return a function that opens HTML as a page from disk; an error in it, or a request to another host, fails."""
    contexts = []

    def open_page(body, *, head="", **options):
        path = tmp_path / "page.html"
        path.write_text(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
            f"<body><main><h1>A page</h1>{body}</main></body></html>",
            encoding="utf-8",
        )
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"error in the page: {error}"))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else pytest.fail(f"asks for {r.url}"))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def violations():
    """Return a function that lists the rules of axe-core which a page breaks, each with an element."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    return lambda page: [(v["id"], v["nodes"][0]["html"][:200]) for v in axe.run(page).response["violations"]]
