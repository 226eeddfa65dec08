"""Where executed chapters are kept, and which chapters are in there.

The notebook cache knows a chapter by its code cells alone, so an edit in ``genkit/`` would keep stale output. Each
state of the package and of the libraries that make the output has a cache folder of its own.
"""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARIES = ("torch", "numpy", "matplotlib", "scikit-learn")
SUFFIXES = {".py", ".js", ".json", ".safetensors"}


def folder(root: Path = ROOT) -> Path:
    """Return the cache folder of the present state of the package."""
    found = hashlib.sha256()
    for path in sorted((root / "genkit").rglob("*")):
        if path.suffix in SUFFIXES:
            found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    found.update(" ".join(f"{name}=={version(name)}" for name in LIBRARIES).encode())
    found.update(os.environ.get("GENKIT_SCALE", "quick").encode())
    return root / "_build" / ".jupyter_cache" / found.hexdigest()[:16]


def chapters(root: Path = ROOT) -> list[Path]:
    """Return the notebooks of ``_toc.yml``, in its order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    names = [entry["file"] for part in toc.get("parts", []) for entry in part["chapters"]]
    return [path for name in names if (path := root / f"{name}.ipynb").exists()]


def missing(root: Path = ROOT) -> list[Path]:
    """Return the chapters that have not been executed in the present state of the package."""
    cache = get_cache(str(folder(root)))
    return [path for path in chapters(root) if not _cached(cache, path)]


def _cached(cache, path: Path) -> bool:
    try:
        cache.match_cache_notebook(nbformat.read(path, 4))
    except KeyError:
        return False
    return True


def configure(app, config):
    """Point MyST-NB at the cache; with ``BOOK_UNEXECUTED=show`` leave chapters that are not in it without output."""
    config.nb_execution_cache_path = str(folder())
    if os.environ.get("BOOK_UNEXECUTED") == "show":
        names = [path.relative_to(ROOT).as_posix() for path in missing()]
        config.nb_execution_excludepatterns = [*config.nb_execution_excludepatterns, *names]


def setup(app):
    """Connect the step, before MyST-NB reads its configuration."""
    app.connect("config-inited", configure, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
