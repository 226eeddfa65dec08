"""Give every page the book's look, and the landing page its own scripts.

Scripts are classic ones, not modules: browsers refuse a module that is read from ``file://``.
"""

from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "_static"
LANDING = "book/index"


def configure(app, config):
    """Serve ``book/_static`` and set logo and icon, unless the configuration already does."""
    if str(STATIC) not in config.html_static_path:
        config.html_static_path.append(str(STATIC))
    config.html_favicon = config.html_favicon or str(STATIC / "favicon.svg")
    config.html_logo = config.html_logo or str(STATIC / "logo.svg")
    config.html_theme_options.setdefault("logo", {}).setdefault("text", config.html_title or config.project)
    config.html_theme_options["logo"].setdefault("alt_text", "")


def finish(app, pagename, templatename, context, doctree):
    """Add what only the landing page needs, and take out roles of docutils that break the rules for roles."""
    body = context.get("body", "")
    if "citation-list" in body:  # a list of entries whose role is deprecated, and that a list may not hold
        body = body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
        context["body"] = body.replace(' role="doc-biblioentry"', "")
    if pagename == LANDING:
        app.add_css_file("landing.css")
        app.add_js_file("taste.js", loading_method="defer")
        app.add_js_file("landing.js", loading_method="defer")


def setup(app):
    """Connect both steps."""
    app.add_css_file("book.css", priority=900)
    app.add_js_file("book.js")
    app.connect("config-inited", configure)
    app.connect("html-page-context", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
