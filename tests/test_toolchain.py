"""The road from notebooks to pages: what runs again, what does not, and what a failing cell does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbval")
pytest.importorskip("jupyter_cache")
ROOT = Path(__file__).resolve().parent.parent
NOTHING = "every chapter is in the cache: nothing to execute"


def cell(kind, source):
    rest = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": f"c{abs(hash(source))}"[:8], "metadata": {}, "source": source, **rest}


def write(path, *cells):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = {"cells": [cell(*c) for c in cells], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def house(tmp_path):
    """A copy of the tools with two small chapters and a package of one file."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "book" / "_ext", tmp_path / "book" / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "genkit").mkdir()
    (tmp_path / "genkit" / "one.py").write_text("x = 1\n")
    chapters = "".join(f"  - file: notebooks/{name}\n" for name in ("part/first", "part/second", "part/third"))
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: index\nparts:\n- chapters:\n{chapters}")
    for name in ("first", "second"):  # the third is a chapter to come
        path = tmp_path / "notebooks" / "part" / f"{name}.ipynb"
        write(path, ("markdown", f"# {name}"), ("code", f"x = {len(name)}\nx"), ("code", "print(x + 1)"))
    return tmp_path


def run(house, *arguments):
    environment = os.environ | {"PYTHONPATH": str(house)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "tools.book", *arguments]
    found = subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True)
    return found.returncode, found.stdout + found.stderr


def test_what_runs_again_and_what_does_not(house):
    status, said = run(house, "execute")
    assert status == 0 and "executing 2 of 2 chapters" in said and "4 passed" in said
    assert "part/first: 2 of 2 cells" in said, "progress names the chapter"
    assert run(house, "execute") == (0, NOTHING + "\n")

    first = house / "notebooks" / "part" / "first.ipynb"
    first.write_text(first.read_text().replace("# first", "# The first, reworded"))
    assert run(house, "execute") == (0, NOTHING + "\n"), "prose alone executes nothing"

    first.write_text(first.read_text().replace("x + 1", "x + 2"))
    status, said = run(house, "execute")
    assert "executing 1 of 2" in said, "code does"

    (house / "genkit" / "one.py").write_text("x = 2\n")
    status, said = run(house, "execute", "part/second")
    assert "executing 1 of 2" in said and "second: 2 of 2" in said, "so does the package, for one chapter if so asked"
    status, said = run(house, "execute")
    assert "executing 1 of 2" in said
    assert run(house, "execute") == (0, NOTHING + "\n")


def test_the_outputs_of_the_test_are_what_the_book_shows(house):
    run(house, "execute")
    sys_path = "import sys; sys.path.insert(0, 'book/_ext'); import exec_cache; from pathlib import Path; "
    code = (
        "from jupyter_cache import get_cache; import nbformat; cache = get_cache(str(exec_cache.folder(Path.cwd()))); "
        "nb = cache.merge_match_into_notebook(nbformat.read('notebooks/part/first.ipynb', 4))[1]; "
        "print([o.get('text', o.get('data', {}).get('text/plain')) for c in nb.cells[1:] for o in c.outputs])"
    )
    command = [sys.executable, "-c", sys_path + code]
    found = subprocess.run(command, cwd=house, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['5', '6\\n']"


def test_a_failing_cell_fails_every_time_and_is_named(house):
    second = house / "notebooks" / "part" / "second.ipynb"
    write(second, ("markdown", "# second"), ("code", "x = 1"), ("code", "assert x == 2, 'two were expected'"))
    for _ in range(2):
        status, said = run(house, "execute")
        assert status == 1
        assert "second.ipynb" in said and "assert x == 2" in said and "two were expected" in said
        assert "Cell 1" in said, "cells are counted"
    write(second, ("markdown", "# second"), ("code", "x = 2"), ("code", "assert x == 2, 'two were expected'"))
    status, said = run(house, "execute")
    assert status == 0 and "executing 1 of 2" in said, "what passed was kept"


def test_a_chapter_that_nobody_wrote(house):
    status, said = run(house, "execute", "part/thrid")
    assert status == 1 and said == "CHAPTER: expected one of part/first, part/second; received 'part/thrid'\n"


def test_a_widget_would_lose_its_state_and_is_refused(house):
    shown = (
        "from IPython.display import display\n"
        "display({'application/vnd.jupyter.widget-view+json': {'model_id': '1'}}, raw=True)"
    )
    write(house / "notebooks" / "part" / "second.ipynb", ("markdown", "# second"), ("code", shown))
    status, said = run(house, "execute")
    assert status == 1 and "shows a widget, whose state would be lost in the book" in said
