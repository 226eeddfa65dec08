"""Stubs in the readers' notebooks, solutions in the instructor's: ``python -m genkit.exercises.notebooks stubs``.

A cell whose metadata hold ``"exercise": NAME`` is the stub of that exercise, and nothing else.
"""

import json
import os
import sys
from pathlib import Path

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
        cell["source"] = getattr(EXERCISES[name], kind).splitlines(keepends=True)
    after = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if target == source and after == before:
        return False
    temporary = target.with_name(f".{target.name}.new")
    temporary.write_text(after, encoding="utf-8")
    os.replace(temporary, target)
    return True


if __name__ == "__main__":
    if sys.argv[1:2] != ["stubs"]:
        raise SystemExit("usage: python -m genkit.exercises.notebooks stubs [FOLDER]")
    for changed in write_stubs(Path((sys.argv[2:] or ["notebooks"])[0])):
        print(changed)
