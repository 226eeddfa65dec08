"""Print the one-page book to a PDF with a Chromium that is already on the machine."""

import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

FOOTER = '<div style="font-size:8px;width:100%;text-align:center"><span class="pageNumber"></span></div>'


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def write(page: Path, target: Path) -> Path:
    """Print ``page`` to ``target`` as A4 with page numbers, once its mathematics is set."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        tab = browser.new_page()
        tab.goto(page.as_uri(), wait_until="load")
        tab.evaluate("window.MathJax?.startup?.promise")
        tab.emulate_media(media="print", color_scheme="light")
        tab.pdf(
            path=target, format="A4", print_background=True, display_header_footer=True,
            header_template="<span></span>", footer_template=FOOTER,
            margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
        )  # fmt: skip
        browser.close()
    return target
