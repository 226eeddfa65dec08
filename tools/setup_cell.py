"""The first code cell of every chapter, kept here once. ``make repository URL=…`` writes the address into all."""

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = ROOT / "book" / "repository.txt"
TAG = "setup"
CELL = """\
import importlib
import subprocess
import sys
from importlib.util import find_spec

REPOSITORY = "{address}"
if find_spec("genkit") is None and REPOSITORY:
    command = [sys.executable, "-m", "pip", "install", "-q", f"git+{{REPOSITORY}}"]
    subprocess.run(command, check=True)
    importlib.invalidate_caches()
if find_spec("genkit") is None:
    raise SystemExit("genkit is missing: run `pip install -e .` in the book's folder")
if find_spec("genkit.session") is None:
    raise SystemExit("another genkit is installed: run `pip uninstall genkit` first")
from genkit.session import start

start("{chapter}", seed=0)"""


def address() -> str:
    """Return the repository's address, or nothing."""
    return ADDRESS.read_text(encoding="utf-8").strip() if ADDRESS.exists() else ""


def cell(chapter: str, url: str | None = None) -> str:
    """Return the setup cell of a chapter such as ``models/vae``."""
    return CELL.format(address=address() if url is None else url, chapter=chapter)


def write(url: str) -> None:
    """Keep the address, or forget it where ``url`` is empty, and write it into every chapter's setup cell."""
    if url and not re.fullmatch(r"(https?|file)://[\w.~:/@%+-]+", url):
        raise SystemExit(f"URL: expected an address that begins with https://, received {url!r}")
    if url:
        ADDRESS.write_text(url.rstrip("/") + "\n", encoding="utf-8")
    else:
        ADDRESS.unlink(missing_ok=True)
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        notebook = nbformat.read(path, 4)
        for part in notebook.cells:
            if TAG in part.metadata.get("tags", []):
                part.source = cell(path.relative_to(ROOT / "notebooks").with_suffix("").as_posix())
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
