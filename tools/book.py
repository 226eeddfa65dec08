"""Build the book: ``python -m tools.book build | preview | pdf | solutions | repository | clean``.

A chapter is executed by nbval, so that one run is both its test and its page; what came out is kept in the cache that
the book is then made from. A chapter whose code and package have not changed is not executed again.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
HTML = ROOT / "_build" / "html" / "book" / "index.html"


def execute(only: str | None = None) -> None:
    """Execute the chapters that are not in the cache, two at a time, with one thread each. Exit where a cell fails."""
    import exec_cache

    todo = exec_cache.missing(ROOT)
    if only:
        wanted = ROOT / "notebooks" / f"{only}.ipynb"
        if not wanted.exists():
            known = ", ".join(
                p.relative_to(ROOT / "notebooks").with_suffix("").as_posix() for p in exec_cache.chapters()
            )
            raise SystemExit(f"CHAPTER: expected one of {known}; received {only!r}")
        todo = [path for path in todo if path == wanted]
    if not todo:
        print("every chapter is in the cache: nothing to execute")
        return
    print(f"executing {len(todo)} of {len(exec_cache.chapters())} chapters", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300",
               "-n", str(min(2, len(todo))), "--dist", "loadfile", "-p", "no:cacheprovider", "-p", "tools.feed_cache",
               "--override-ini", "testpaths=", *map(str, todo)]  # fmt: skip
    environment = os.environ | ONE_THREAD | {"GENKIT_UNWATCHED": "1", "MPLBACKEND": "agg"}
    if subprocess.run(command, cwd=ROOT, env=environment).returncode:
        raise SystemExit("a chapter failed: see the cell above")


def html(builder: str = "html", unexecuted: str = "fail") -> None:
    """Build the pages from the cache; warnings are errors."""
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()",
               "build", ".", "-W", "-n", "--keep-going", "--builder", builder]  # fmt: skip
    environment = os.environ | ONE_THREAD | {"BOOK_UNEXECUTED": unexecuted}
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if found.returncode:
        print(found.stdout[-8000:], found.stderr[-8000:], sep="\n")
        raise SystemExit("the book did not build: see above")


def build(only: str | None = None) -> None:
    """Execute what changed, build the pages, say which file to open."""
    start = time.perf_counter()
    execute(only)
    html(unexecuted="show" if only else "fail")
    print(f"built in {time.perf_counter() - start:.0f} s. Open {HTML}")


def preview() -> None:
    """Build the pages without executing anything."""
    html(unexecuted="show")
    print(f"Open {HTML}")


def pdf() -> None:
    """Print the book to a PDF with Chromium; say so where there is none."""
    from tools.pdf import chromium, write

    if chromium() is None:
        print("make pdf: skipped, since no Chromium was found")
        return
    html(builder="singlehtml", unexecuted="show")
    folder = ROOT / "_build" / "singlehtml"
    page = folder / "print.html"  # Sphinx writes the page into book/, with paths as seen from the folder above
    shutil.copy(folder / "book" / "index.html", page)
    print(f"Open {write(page, ROOT / '_build' / 'book.pdf')}")


def solutions() -> None:
    """Write the instructor's copy of every notebook to ``solutions/`` and run it."""
    from genkit.exercises.notebooks import write_solutions

    target = ROOT / "solutions"
    shutil.rmtree(target, ignore_errors=True)
    paths = write_solutions(ROOT / "notebooks", target)
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300",
               "-n", str(min(2, len(paths))), "--dist", "loadfile", "-p", "no:cacheprovider",
               "--override-ini", "testpaths=", *map(str, paths)]  # fmt: skip
    environment = os.environ | ONE_THREAD | {"GENKIT_UNWATCHED": "1", "GENKIT_STRICT": "1", "MPLBACKEND": "agg"}
    if subprocess.run(command, cwd=ROOT, env=environment).returncode:
        raise SystemExit("a solution does not run: see the cell above")
    print(f"{len(paths)} notebooks with their solutions in {target}")


def clean() -> None:
    """Remove everything that was built; the environment stays."""
    for name in ("_build", "solutions", ".pytest_cache", ".ruff_cache", ".hypothesis"):
        shutil.rmtree(ROOT / name, ignore_errors=True)


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m tools.book", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("build", "execute", "preview", "pdf", "solutions", "repository", "clean"))
    parser.add_argument("argument", nargs="?", help="build: one chapter, such as models/vae; repository: its address")
    options = parser.parse_args()
    if options.command == "repository":
        from tools.setup_cell import write

        write(options.argument or "")
    elif options.command in ("build", "execute"):
        globals()[options.command](options.argument or None)
    else:
        globals()[options.command]()


if __name__ == "__main__":
    main()
