"""Leave out sphinx-thebe: Jupyter Book always loads it, twice, and its script lies on another host.

Nothing in this book runs by it: what can be played with runs in the page.
"""


def configure(app, pagename, templatename, context, doctree):
    """Drop its scripts from the page."""
    files = context.get("script_files", [])
    context["script_files"] = [file for file in files if not _is_thebe(file)]


def _is_thebe(file) -> bool:
    body = (getattr(file, "attributes", None) or {}).get("body") or ""
    return "thebe" in str(getattr(file, "filename", file)).lower() or "THEBE_JS_URL" in body


def setup(app):
    """Connect the step, after the extension added its scripts."""
    app.connect("html-page-context", configure, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
