"""Stubs in the readers' notebooks, solutions in the instructor's: ``python -m genkit.exercises stubs | solutions``.

A cell whose metadata hold ``"exercise": NAME`` is the stub of that exercise, and nothing else.
"""

import json
from pathlib import Path

from ..files import atomic
from ..names import unknown
from . import EXERCISES


def write_stubs(folder: Path) -> list[Path]:
    """Write every stub into the notebooks below ``folder``; return those that changed."""
    return [path for path in _notebooks(folder) if _rewrite(path, path, "stub")]


def write_solutions(folder: Path, target: Path) -> list[Path]:
    """Copy the notebooks below ``folder`` to ``target``, each stub replaced by its solution; return the copies."""
    copies = []
    for path in _notebooks(folder):
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        _rewrite(path, copy, "code")
        copies.append(copy)
    return copies


def exercise_cells(notebook: dict) -> dict[str, dict]:
    """Return the cells of a notebook that are exercises, by name."""
    return {c["metadata"]["exercise"]: c for c in notebook["cells"] if "exercise" in c["metadata"]}


def _notebooks(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def _rewrite(source: Path, target: Path, kind: str) -> bool:
    before = source.read_text(encoding="utf-8")
    notebook = json.loads(before)
    for name, cell in exercise_cells(notebook).items():
        if name not in EXERCISES:
            raise unknown(f"exercise in {source}", name, EXERCISES)
        cell["source"] = getattr(EXERCISES[name], kind).splitlines(keepends=True)
    after = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if target == source and after == before:
        return False
    with atomic(target) as temporary:
        temporary.write_text(after, encoding="utf-8")
    return True
