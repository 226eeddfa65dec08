"""The anatomy of a chapter: every notebook keeps to it, and says nothing that its run has not computed."""

import ast
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from genkit.exercises import EXERCISES
from genkit.exercises.exercise import Exercise
from genkit.exercises.notebooks import exercise_cells
from genkit.exercises.quiz import questions

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.rglob("*.ipynb"))
LONGEST, LONGEST_IDEA = 15, 25


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.relative_to(FOLDER).with_suffix("").as_posix())
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def text(cell):
    return "".join(cell["source"])


def code(cells):
    return [cell for cell in cells if cell["cell_type"] == "code"]


def prose(cells):
    return [cell for cell in cells if cell["cell_type"] == "markdown"]


def calls(cell, name):
    """Return the calls of a function in a cell."""
    nodes = ast.walk(ast.parse(text(cell)))
    return [n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func).split(".")[-1] == name]


def test_every_notebook_is_in_the_table_of_contents_and_the_other_way_round():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [entry["file"] for part in toc["parts"] for entry in part["chapters"] if "file" in entry]
    chapters = sorted(name for name in listed if name.startswith("notebooks/"))
    assert chapters == [p.relative_to(ROOT).with_suffix("").as_posix() for p in NOTEBOOKS]


def test_it_is_stripped(path, cells):
    for cell in code(cells):
        assert cell["outputs"] == [] and cell["execution_count"] is None
    keys = set(json.loads(path.read_text(encoding="utf-8"))["metadata"])
    assert keys <= {"kernelspec", "language_info"}, "no metadata of somebody's editor"


def test_it_begins_with_a_title_and_a_promise_and_what_one_needs(cells):
    first = text(cells[0])
    assert first.startswith("# ") and cells[0]["cell_type"] == "markdown"
    opening = "\n".join(text(c) for c in cells[:3])
    for word in ("**After this chapter you can**", "**You need**", "**Time**"):
        assert word in opening, f"the opening does not say {word!r}"


def test_the_setup_cell_is_everybodys(path, cells):
    from tools.setup_cell import cell

    setup = [c for c in cells if "setup" in c["metadata"].get("tags", [])]
    assert [text(c) for c in setup] == [cell(path.relative_to(FOLDER).with_suffix("").as_posix())]
    assert setup[0] is code(cells)[0]


def test_cells_do_one_thing(cells):
    for cell in code(cells):
        if "setup" in cell["metadata"].get("tags", []):
            continue
        lines = [line for line in text(cell).splitlines() if line.strip() and not line.strip().startswith("#")]
        idea = any(isinstance(n, ast.FunctionDef) for n in ast.parse(text(cell)).body)
        assert len(lines) <= (LONGEST_IDEA if idea else LONGEST), text(cell)


def test_cells_pick_no_device_hide_no_warning_and_fetch_nothing(cells):
    banned = r"\.cuda\(|\.to\(['\"]cuda|torch\.device|warnings\.|urllib|requests|wget|curl|!pip|%pip|http://"
    for cell in code(cells):
        if "setup" not in cell["metadata"].get("tags", []):
            assert not re.search(banned, text(cell)), text(cell)


def test_it_asserts_what_it_relies_on(cells):
    held = sum(isinstance(n, ast.Assert) for c in code(cells) for n in ast.walk(ast.parse(text(c))))
    held += sum(len(calls(c, "assert_close")) + len(calls(c, "expect")) for c in code(cells))
    assert held >= 8


def test_it_proves_its_idea_equal_to_the_packages(cells):
    assert any(calls(cell, "assert_close") for cell in code(cells))


def test_its_exercises_are_the_packages_stubs_each_checked_and_solved(path, cells):
    found = exercise_cells({"cells": cells})
    chapter = [name for name, exercise in EXERCISES.items() if name in found]
    assert len(found) >= 3 and set(chapter) == set(found)
    for name, cell in found.items():
        assert text(cell) == EXERCISES[name].stub, f"{name}: run python -m genkit.exercises stubs"
    for function in ("check", "solution"):
        named = [n.args[0].value for c in code(cells) for n in calls(c, function)]
        assert sorted(named) == sorted(found), f"every exercise has its {function}"
    stars = re.findall(r"★+", "\n".join(text(c) for c in prose(cells)))
    assert {"★", "★★★"} <= set(stars)
    assert any(isinstance(EXERCISES[name], Exercise) for name in found)


def test_its_quiz_names_misconceptions(path, cells):
    chapter = path.relative_to(FOLDER).with_suffix("").as_posix()
    assert sum(len(calls(c, "quiz")) for c in code(cells)) == 1
    asked = questions(chapter)
    assert 4 <= len(asked) <= 8
    for question in asked:
        right = [option for option in question["options"] if option["right"]]
        assert len(right) == 1 and len(question["options"]) >= 3
        assert all(len(option["feedback"]) >= 20 for option in question["options"])


def test_it_ends_with_what_to_remember_and_its_run(cells):
    headings = [line for c in prose(cells) for line in text(c).splitlines() if line.startswith("## ")]
    assert "remember" in headings[-1].lower() or "remember" in " ".join(headings[-3:]).lower()
    assert calls(code(cells)[-1], "foot")


def test_figures_have_alternative_text(cells):
    for cell in code(cells):
        for call in calls(cell, "figure"):
            named = {k.arg for k in call.keywords}
            assert "alt" in named or len(call.args) >= 2, text(cell)


def test_prose_states_no_figure_that_the_run_would_compute(cells):
    """No typed result: numbers with decimals and percentages belong to cells that display a computed sentence."""
    for cell in prose(cells):
        said = (
            r"section \d+\.\d+",  # of a paper
            r"\$\$.*?\$\$|\$[^$]*\$",  # constants of the mathematics
            r"`[^`]*`|\{[^}]*\}`[^`]*`|\(https?:[^)]*\)",
        )
        plain = re.sub("|".join(said), "", text(cell), flags=re.S)
        found = re.findall(r"(?<![\w.])[−-]?\d+\.\d+(?![\w.])|\d+ ?%", plain)
        assert not found, f"{found} in: {text(cell)[:200]}"


def test_computed_sentences_hold_no_formula(cells):
    """The book shows the Markdown of an output without its mathematics: dollar signs would stand there as they are."""
    spoken = [node for cell in code(cells) for call in calls(cell, "say") for node in ast.walk(call)]
    texts = [n.value for n in spoken if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert [t for t in texts if "$" in t] == []


def test_prose_is_plain_markdown_and_its_citations_are_real(cells):
    keys = set(re.findall(r"@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text(encoding="utf-8")))
    for cell in prose(cells):
        assert "```{" not in text(cell), "directives by colon fences, which read well where they are not known"
        roles = set(re.findall(r"\{(\w[\w:]*)\}`", text(cell)))
        assert roles <= {"cite", "cite:t", "cite:p"}, roles
        for named in re.findall(r"\{cite(?::\w)?\}`([^`]+)`", text(cell)):
            assert {key.strip() for key in named.split(",")} <= keys


def test_titles_nest():
    for path in NOTEBOOKS:
        levels = [
            len(line) - len(line.lstrip("#"))
            for cell in prose(json.loads(path.read_text(encoding="utf-8"))["cells"])
            for line in text(cell).splitlines()
            if re.match(r"#+ ", line)
        ]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels))
