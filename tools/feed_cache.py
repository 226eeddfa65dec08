"""A pytest plugin: tell how nbval gets on, and keep the outputs of every chapter that passed for the book.

The outputs are those of the one run that tested the chapter. Widgets' state and displays that change in place are not
among them, so a chapter that shows such a thing is refused.
"""

import copy
import json
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"
_outputs: dict = {}
_progress: dict[str, list] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what each cell showed; None for one that failed, or that shows what the page would lose."""
    report = yield
    if type(item).__name__ == "IPyNbCell" and call.when == "call":
        shown = copy.deepcopy(item.test_outputs)
        if report.passed and any(WIDGET in output.get("data", {}) for output in shown):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: shows a widget, whose state would be lost in the book; use an explorer"
        _outputs.setdefault(item.parent, {})[item.cell_num] = shown if report.passed else None
    return report


def pytest_runtest_logreport(report):
    """Print a line when a chapter is a quarter further, and its seconds when it is done."""
    name = report.nodeid.split("::")[0]
    if report.when != "call" or not name.endswith(".ipynb") or hasattr(sys, "_xdist_worker"):
        return
    if name not in _progress:
        cells = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
        _progress[name] = [0, sum(c["cell_type"] == "code" for c in cells), time.perf_counter() - report.duration]
    entry = _progress[name]
    entry[0] += 1
    done, cells, start = entry
    if done == cells or done * 4 // cells > (done - 1) * 4 // cells:
        chapter = name.removeprefix("notebooks/").removesuffix(".ipynb")
        print(f"\n{chapter}: {done} of {cells} cells, {time.perf_counter() - start:.0f} s", end="", flush=True)


def pytest_sessionfinish(session):
    """Put every chapter that passed whole into the cache. With xdist this runs in the worker that ran the chapter."""
    if not _outputs:
        return
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    import exec_cache

    cache = get_cache(str(exec_cache.folder(ROOT)))
    for file, outputs in _outputs.items():
        notebook = copy.deepcopy(file.nb)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if len(outputs) != len(code) or any(shown is None for shown in outputs.values()):
            continue
        for i, cell in enumerate(code):
            cell.outputs, cell.execution_count = outputs[i], i + 1
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = i + 1
        cache.cache_notebook_bundle(CacheBundleIn(notebook, str(file.path)), check_validity=False, overwrite=True)
