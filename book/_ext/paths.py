"""Draw which chapters lean on which, and lay out the roads through the book with their exercises.

Both come from ``book/paths.yml``. Titles come from the plan, exercises from the notebooks, and what can be read already
from ``_toc.yml``, so that nothing is written twice.
"""

import html
import json
import re
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import yaml
from docutils import nodes
from roadmap import PLAN, read_plan, read_toc
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parent.parent
PATHS = BOOK / "paths.yml"
COLUMN, ROW, BOX = (196, 40, (168, 30))  # pixels from column to column and row to row; the size of a chapter's box
EXERCISE = re.compile(r"^:::\{exercise\} *(?P<title>.+)\n:label: *(?P<label>\S+)", re.MULTILINE)


class Task(NamedTuple):
    """An exercise: its title, which begins with its stars, and the label by which it is found."""

    title: str
    label: str


def leaning(path: Path = PATHS) -> nx.DiGraph:
    """Return the graph of chapters, an edge from each to those that lean on it directly.

    Raises ``ValueError`` where chapters lean on each other in a circle.
    """
    needs = yaml.safe_load(path.read_text(encoding="utf-8"))["needs"]
    graph = nx.DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((need, chapter) for chapter, all_needs in needs.items() for need in all_needs)
    if not nx.is_directed_acyclic_graph(graph):
        raise ValueError(f"{path.name}: expected no circles, received {nx.find_cycle(graph)}")
    return graph


def places(graph: nx.DiGraph) -> dict[str, tuple[int, float]]:
    """Return (column, row) of each chapter: columns by how much must come before, rows so that lines are short."""
    columns = [list(column) for column in nx.topological_generations(graph)]
    row = {name: float(i) for column in columns for i, name in enumerate(column)}
    for _ in range(8):  # each chapter moves to the mean height of its neighbours (Sugiyama et al. 1981)
        for column in columns:
            wish = {name: _mean([row[n] for n in nx.all_neighbors(graph, name)], row[name]) for name in column}
            column.sort(key=wish.get)
            row |= {name: float(i) for i, name in enumerate(column)}
    tallest = max(len(column) for column in columns)
    return {
        name: (x, i + (tallest - len(column)) / 2) for x, column in enumerate(columns) for i, name in enumerate(column)
    }


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def exercises(notebook: Path) -> list[Task]:
    """Return the exercises of a notebook in their order, without the tests of what the reader knows already."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return [Task(*found.group("title", "label")) for text in texts for found in EXERCISE.finditer(text)]


class Prerequisites(SphinxDirective):
    """``:::{prerequisites}`` draws which chapters lean on which, and says it again as a table."""

    def run(self):
        known = Known(self)
        graph = leaning()
        at, builder = places(graph), self.env.app.builder
        lines, boxes = [], []
        for before, after in graph.edges:
            (x0, y0), (x1, y1) = at[before], at[after]
            a, b = (x0 * COLUMN + BOX[0], y0 * ROW + BOX[1] / 2), (x1 * COLUMN, y1 * ROW + BOX[1] / 2)
            bend = (b[0] - a[0]) / 2
            lines.append(
                f'<path class="path-line" data-from="{before}" data-to="{after}" d="M{a[0]:g} {a[1]:g}C{a[0] + bend:g} '
                f'{a[1]:g} {b[0] - bend:g} {b[1]:g} {b[0]:g} {b[1]:g}"/>'
            )
        for name, (x, y) in at.items():
            title, ready = html.escape(known.titles[name]), known.ready(name)
            box = (
                f'<rect width="{BOX[0]}" height="{BOX[1]}" rx="6"/><text x="{BOX[0] / 2:g}" y="{BOX[1] / 2 + 4:g}">'
                f"{title}</text>"
            )
            if ready and builder.format == "html":
                target = builder.get_relative_uri(self.env.docname, f"notebooks/{name}")
                box = f'<a href="{html.escape(target)}">{box}</a>'
            kind = "ready" if ready else "to-come"
            part = name.split("/")[0]
            boxes.append(
                f'<g class="path-box {kind} part-{part}" data-chapter="{name}" transform="translate({x * COLUMN} '
                f'{y * ROW:g})">{box}</g>'
            )
        width = max(x for x, _ in at.values()) * COLUMN + BOX[0]
        height = (max(y for _, y in at.values()) + 1) * ROW
        size = f'viewBox="-4 -4 {width + 8} {height + 8:g}" width="{width + 8}" height="{height + 8:g}"'
        picture = (
            '<div class="path-map" tabindex="0" role="region" aria-label="Which chapters lean on which, as the table '
            f'below says"><svg {size}>{"".join(lines)}{"".join(boxes)}</svg></div>'
        )
        fold = [
            nodes.raw("", part, format="html")
            for part in (f"{picture}<details><summary>As a table</summary>", "</details>")
        ]
        return [fold[0], self.table(known, graph), fold[1]]

    def table(self, known: "Known", graph: nx.DiGraph) -> nodes.Node:
        """Return a table of every chapter with what it leans on."""
        rows = [
            [known.link(name), known.links(list(graph.predecessors(name))) or [nodes.Text("nothing but Python")]]
            for name in known.titles
        ]
        return grid(("Chapter", "leans on"), (40, 60), [[[first], second] for first, second in rows], "leanings")


class Road(SphinxDirective):
    """``:::{road} six weeks`` lays out a road: when, which chapters, what for, and the exercises of each."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        known, name = Known(self), self.arguments[0]
        road = yaml.safe_load(PATHS.read_text(encoding="utf-8"))["roads"][name]
        rows = []
        for stop in road["stops"]:
            cells = [[nodes.Text(str(stop["when"]))], self.chapters(known, stop["chapters"]), [nodes.Text(stop["aim"])]]
            rows.append(cells)
        return [grid((road["unit"], "chapters, with their exercises", "what for"), (10, 55, 35), rows, "road")]

    def chapters(self, known: "Known", names: list[str]) -> list[nodes.Node]:
        """Return a paragraph for each chapter, its exercises after it."""
        out = []
        for name in names:
            line = nodes.paragraph("", "", nodes.strong("", "", known.link(name)))
            notebook = BOOK.parent / "notebooks" / f"{name}.ipynb"
            tasks = exercises(notebook) if known.ready(name) else []
            for i, task in enumerate(tasks):
                line += nodes.Text(" · " if i else ": ")
                line += known.task(task)
            out.append(line)
        return out


class Known:
    """What the page knows of chapters: titles, which are ready, and how to link to them."""

    def __init__(self, directive: SphinxDirective):
        self.env = directive.env
        toc = Path(self.env.srcdir, self.env.config.external_toc_path)
        for source in (PATHS, PLAN, toc):
            self.env.note_dependency(str(source))
        self.there = read_toc(toc) & set(self.env.found_docs)
        chapters = (chapter for part in read_plan() for chapter in part.chapters)
        self.titles = {
            c.docname.removeprefix("notebooks/"): c.title for c in chapters if c.docname.startswith("notebooks/")
        }
        for name in self.titles:
            if self.ready(name):
                self.env.note_dependency(str(BOOK.parent / "notebooks" / f"{name}.ipynb"))

    def ready(self, name: str) -> bool:
        """Tell whether a chapter can be read already."""
        return f"notebooks/{name}" in self.there

    def link(self, name: str) -> nodes.Node:
        """Return a link to a chapter, or its title where it is still to come."""
        if not self.ready(name):
            return nodes.inline("", f"{self.titles[name]} (to come)", classes=["to-come"])
        return self._to("doc", f"/notebooks/{name}", self.titles[name])

    def links(self, names: list[str]) -> list[nodes.Node]:
        """Return links to chapters with commas between."""
        out: list[nodes.Node] = []
        for i, name in enumerate(names):
            out += [nodes.Text(", ")] if i else []
            out.append(self.link(name))
        return out

    def task(self, task: Task) -> nodes.Node:
        """Return a link to an exercise."""
        return self._to("ref", task.label, task.title)

    def _to(self, kind: str, target: str, text: str) -> nodes.Node:
        ref = addnodes.pending_xref(
            "", refdomain="std", reftype=kind, reftarget=target, refexplicit=True, refwarn=True, refdoc=self.env.docname
        )
        ref += nodes.inline("", text)
        return ref


def grid(heads: tuple[str, ...], widths: tuple[int, ...], rows: list[list[list[nodes.Node]]], name: str) -> nodes.table:
    """Return a table; each cell is a list of paragraphs, or of pieces of one."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=w) for w in widths), cols=len(heads))
    group += nodes.thead("", _row([[nodes.Text(head)] for head in heads]))
    group += nodes.tbody("", *(_row(cells) for cells in rows))
    return nodes.table("", group, classes=[name, "colwidths-given"])


def _row(cells: list[list[nodes.Node]]) -> nodes.row:
    out = nodes.row()
    for cell in cells:
        whole = cell if isinstance(cell[0], nodes.paragraph) else [nodes.paragraph("", "", *cell)]
        out += nodes.entry("", *whole)
    return out


def setup(app):
    """Register the directives."""
    app.add_directive("prerequisites", Prerequisites)
    app.add_directive("road", Road)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
