"""The setup cell as Colab runs it: torch and its company are there, genkit is not; the address is a local clone."""

import os
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
from tools import setup_cell  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = "models/vae"
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "OMP_NUM_THREADS": "1", "GENKIT_UNWATCHED": "1", "MPLBACKEND": "agg"}


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A fresh environment that sees everything installed here but genkit."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(subprocess.check_output([python, "-c", ask], text=True).strip())
    here = Path(distribution("torch").locate_file(""))
    seen = folder / "seen"  # links, since a path to the folder itself would show its genkit too
    seen.mkdir()
    for path in here.iterdir():
        if not path.name.lower().startswith(("genkit", "__editable__", "pip", "setuptools", "_distutils", "distutils")):
            (seen / path.name).symlink_to(path)
    (own / "seen.pth").write_text(f"{seen}\n")
    return python


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A repository with the files as they are here, committed or not."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("clone") / "book"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as it is"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder.as_uri()


def run(python, code, folder):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GENKIT", "PYTEST"))} | QUIET
    environment["GENKIT_CACHE"] = str(folder / "cache")
    (folder / "cell.py").write_text(code, encoding="utf-8")
    return subprocess.run([python, "cell.py"], cwd=folder, env=environment, capture_output=True, text=True)


def test_without_genkit_and_without_an_address_one_line_says_what_to_do(colab, tmp_path):
    found = run(colab, setup_cell.cell(CHAPTER, ""), tmp_path)
    assert found.returncode == 1
    assert found.stderr == "genkit is missing: run `pip install -e .` in the book's folder\n"


@pytest.mark.parametrize("address", ["", "https://example.invalid/book"])
def test_the_other_package_of_that_name_is_recognised(colab, tmp_path, address):
    (tmp_path / "genkit").mkdir()
    (tmp_path / "genkit" / "__init__.py").write_text("raise_nothing = True\n")
    found = run(colab, setup_cell.cell(CHAPTER, address), tmp_path)
    assert found.returncode == 1
    assert found.stderr == "another genkit is installed: run `pip uninstall genkit` first\n"


def test_it_installs_genkit_from_the_address_and_the_chapter_runs(colab, clone, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks" / f"{CHAPTER}.ipynb", 4)
    setup, *rest = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    reach = subprocess.run([colab, "-m", "pip", "download", "-q", "--no-deps", "-d", tmp_path, "setuptools>=77"])
    if reach.returncode:
        pytest.skip("no package index within reach, from which pip takes what builds a package")
    found = run(colab, setup_cell.cell(CHAPTER, clone), tmp_path)
    assert found.returncode == 0, found.stderr
    where = run(colab, "import genkit; print(genkit.__file__)", tmp_path).stdout
    assert "site-packages" in where and str(ROOT) not in where
    # every cell in one process, where display() of IPython prints: what a kernel does, without a kernel
    cells = [f"exec(compile({code!r}, 'cell {i}', 'exec'), globals())" for i, code in enumerate([setup, *rest])]
    found = run(colab, "\n".join(cells), tmp_path)
    assert found.returncode == 0, found.stderr[-2000:]


def test_the_address_keeps_to_what_the_notebook_holds():
    assert setup_cell.cell(CHAPTER, "") == setup_cell.cell(CHAPTER, "x").replace('"x"', '""')
    assert sys.version_info >= (3, 11)
