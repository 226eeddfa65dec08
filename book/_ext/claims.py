"""Show the claims that the book tests, each with the verdict that a chapter's record holds.

``book/claims.yml`` says what is claimed and where it is tested. A verdict is the sentence that a chapter's record
(``genkit/records/*.json``, written by ``genkit record``) holds under ``claims``, made of that run's own numbers. Where
no record holds one, the claim is marked as not tested yet.
"""

import json
import re
from pathlib import Path

import yaml
from docutils import nodes
from roadmap import PLAN, read_plan, read_toc
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parent.parent
CLAIMS = BOOK / "claims.yml"
RECORDS = BOOK.parent / "genkit" / "records"
UNTESTED = "not tested yet"


def read_verdicts(chapters: list[str], claim: str, records: Path = RECORDS) -> dict[str, str]:
    """Return the verdicts on one claim, by chapter, of those chapters whose record holds one."""
    verdicts = {}
    for path in sorted(records.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        text = record["results"].get("claims", {}).get(claim)
        if text and record["chapter"] in chapters:
            verdicts[record["chapter"]] = re.sub(r"(?<!\w)-(?=\d)", "−", text)
    return verdicts


class Claims(SphinxDirective):
    """``:::{claims}`` becomes the table of claims."""

    def run(self):
        toc = Path(self.env.srcdir, self.config.external_toc_path)
        ready = read_toc(toc) & set(self.env.found_docs)
        titles = {c.docname: c.title for part in read_plan() for c in part.chapters}
        for source in (CLAIMS, PLAN, toc, *RECORDS.glob("*.json")):
            self.env.note_dependency(str(source))
        group = nodes.tgroup("", *(nodes.colspec(colwidth=w) for w in (7, 53, 40)), cols=3)
        group += nodes.thead("", row("Id", "Often said, and what settles it", "Verdict"))
        body = nodes.tbody()
        for name, claim in yaml.safe_load(CLAIMS.read_text(encoding="utf-8")).items():
            said = nodes.paragraph("", f"“{claim['said']}”", classes=["claim-said"])
            how = nodes.paragraph("", f"Measured: {claim['by']}. Chapter: ", classes=["claim-by"])
            for i, chapter in enumerate(claim["in"]):
                how += nodes.Text(", " if i else "")
                how += self.link(f"notebooks/{chapter}", titles[f"notebooks/{chapter}"], ready)
            how += nodes.Text(".")
            verdicts = read_verdicts(claim["in"], name)
            texts = [nodes.paragraph("", text) for text in verdicts.values()]
            state = "tested" if texts else "untested"
            texts = texts or [nodes.paragraph("", UNTESTED)]
            line = row(nodes.paragraph("", name), [said, how], texts)
            line["classes"] += [state]
            line["ids"].append(name.lower())
            body += line
        group += body
        table = nodes.table("", group, classes=["claims", "colwidths-given"])
        return [table]

    def link(self, docname: str, title: str, ready: set[str]) -> nodes.Node:
        """Return a link to a chapter, or its bare title where it is still to come."""
        if docname not in ready:
            return nodes.inline("", f"{title} (to come)")
        ref = addnodes.pending_xref("", refdomain="std", reftype="doc", reftarget=f"/{docname}", refexplicit=True)
        ref["refdoc"] = self.env.docname
        ref += nodes.inline("", title)
        return ref


def row(*cells) -> nodes.row:
    """Return a table row of strings, nodes or lists of nodes."""
    out = nodes.row()
    for cell in cells:
        cell = nodes.paragraph("", cell) if isinstance(cell, str) else cell
        out += nodes.entry("", *(cell if isinstance(cell, list) else [cell]))
    return out


def setup(app):
    """Register the directive."""
    app.add_directive("claims", Claims)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
