"""Everything ``make test`` does, in order; the first thing that fails ends it.

Style; units and doctests; the chapters, by nbval, which also feeds the book's cache; the book from that cache, with
warnings as errors; the tests of notebooks and built pages.
"""

import os
import subprocess
import sys
import time

from tools.book import ONE_THREAD, ROOT, execute, html

BUILT = "tests/test_book.py"  # what is tested once the book is built


def step(name: str, *command: str) -> None:
    """Run one command; exit with its status where it fails."""
    print(f"\n== {name}", flush=True)
    status = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=os.environ | ONE_THREAD).returncode
    if status:
        raise SystemExit(status)


def main() -> None:
    """Run all steps and say how long they took."""
    start = time.perf_counter()
    step("style", "ruff", "check", ".")
    step("format", "ruff", "format", "--check", "genkit", "tests", "tools", "book/_ext")
    parallel = ("-q", "-n", "2", "--dist", "loadfile", "-rs")
    step("units", "pytest", *parallel, "--doctest-modules", "tests", "genkit", f"--ignore={BUILT}")
    print("\n== chapters", flush=True)
    execute()
    print("\n== book", flush=True)
    html()
    step("pages", "pytest", *parallel, BUILT)
    print(f"\nmake test: all passed in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
