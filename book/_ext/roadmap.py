"""Show the whole plan of the book: chapters that exist as links, chapters to come as plain text.

The plan is ``book/chapters.yml``. What exists is asked of ``_toc.yml``, so the two cannot drift apart
and there is never a dead link.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

PLAN = Path(__file__).resolve().parent.parent / "chapters.yml"


@dataclass(frozen=True)
class Chapter:
    """One chapter of the plan."""

    docname: str
    title: str
    promise: str


@dataclass(frozen=True)
class Part:
    """One part of the plan, with its chapters in reading order."""

    title: str
    about: str
    chapters: tuple[Chapter, ...]


def read_plan(path: Path = PLAN) -> list[Part]:
    """Return the parts that ``chapters.yml`` describes."""
    parts = []
    for part in yaml.safe_load(path.read_text(encoding="utf-8")):
        folder = f"notebooks/{part['folder']}" if part["folder"] else "book"
        chapters = tuple(Chapter(f"{folder}/{topic}", *words) for topic, words in part["chapters"].items())
        parts.append(Part(part["part"], part["about"], chapters))
    return parts


def read_toc(path: Path) -> set[str]:
    """Return the names of all documents that ``_toc.yml`` mentions, without their suffixes."""
    found = set()

    def walk(node):
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            found.update(str(node[key]) for key in ("file", "root") if key in node)
            for item in node.values():
                walk(item)

    walk(yaml.safe_load(path.read_text(encoding="utf-8")))
    return {name.removesuffix(".md").removesuffix(".ipynb") for name in found}


class Roadmap(SphinxDirective):
    """``:::{roadmap}`` becomes the table of contents of the whole book."""

    def run(self):
        toc = Path(self.env.srcdir, self.config.external_toc_path)
        for source in (PLAN, toc):
            self.env.note_dependency(str(source))
        ready = read_toc(toc) & set(self.env.found_docs)
        parts = read_plan()
        out = nodes.container(classes=["roadmap"])
        for number, part in enumerate(parts, 1):
            label = f"Part {number} · {part.title}" if part.chapters[0].docname.startswith("notebooks/") else part.title
            section = nodes.container(classes=["roadmap-part"])
            section += nodes.paragraph("", label, classes=["roadmap-title"])
            section += nodes.paragraph("", part.about, classes=["roadmap-about"])
            section += nodes.bullet_list("", *(self.item(c, c.docname in ready) for c in part.chapters))
            out += section
        return [out]

    def item(self, chapter: Chapter, ready: bool) -> nodes.list_item:
        """Return one line of the plan: a link where the chapter is ready, a mark where it is to come."""
        line = nodes.paragraph(classes=["roadmap-line"])
        if ready:
            link = addnodes.pending_xref(
                "", refdomain="std", reftype="doc", reftarget=f"/{chapter.docname}", refexplicit=True, refwarn=True
            )
            link["refdoc"] = self.env.docname
            link += nodes.inline("", chapter.title)
            line += link
        else:
            line += nodes.inline("", chapter.title, classes=["roadmap-name"])
            line += nodes.Text(" ")
            line += nodes.inline("", "to come", classes=["roadmap-mark"])
        promise = nodes.paragraph("", chapter.promise, classes=["roadmap-promise"])
        return nodes.list_item("", line, promise, classes=["ready" if ready else "to-come"])


def setup(app):
    """Register the directive."""
    app.add_directive("roadmap", Roadmap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
