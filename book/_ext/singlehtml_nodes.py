"""Let the one-page build, and so the PDF, see every extension's HTML visitors.

sphinx-exercise registers visitors for ``singlehtml``; Sphinx falls back on those for ``html`` only where a builder has
none.
"""


def merge(app):
    """Give ``singlehtml`` all of ``html``'s visitors, its own on top."""
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = {**handlers.get("html", {}), **handlers.get("singlehtml", {})}


def setup(app):
    """Connect the step."""
    app.connect("builder-inited", merge)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
