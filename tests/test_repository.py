"""``make repository``: the address is written wherever it is needed, and leaves no trace when it is taken away."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("nbformat")
from tools import setup_cell

ROOT = Path(__file__).resolve().parent.parent
URL = "https://example.org/somebody/book"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A copy of what the address is written into."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    (tmp_path / "book").mkdir()
    monkeypatch.setattr(setup_cell, "ROOT", tmp_path)
    monkeypatch.setattr(setup_cell, "ADDRESS", tmp_path / "book" / "repository.txt")
    return tmp_path


def content(house):
    return {p.relative_to(house): p.read_text(encoding="utf-8") for p in sorted(house.rglob("*")) if p.is_file()}


def test_there_and_back_leaves_no_trace(house):
    before = content(house)
    setup_cell.write(URL + "/")
    after = content(house)
    for path in before:
        cell = json.loads(after[path])["cells"]
        setup = ["".join(c["source"]) for c in cell if "setup" in c["metadata"].get("tags", [])]
        assert f'REPOSITORY = "{URL}"' in setup[0]
        assert after[path].count(URL) == 1
    setup_cell.write("")
    assert content(house) == before


def test_the_notebooks_here_are_as_the_tool_writes_them(house):
    before = content(house)
    setup_cell.write(setup_cell.address())
    assert content(house) == before


@pytest.mark.parametrize("url", ["example.org/book", "ftp://example.org", "javascript:alert(1)", 'https://x"; evil()'])
def test_what_is_no_address_is_refused(house, url):
    before = content(house)
    with pytest.raises(SystemExit, match="URL: expected an address that begins with https://"):
        setup_cell.write(url)
    assert content(house) == before


def test_the_buttons_follow_the_address(tmp_path, monkeypatch):
    import sys

    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    import repo_links

    class Config:
        html_theme_options: dict = {}

    monkeypatch.setattr(repo_links, "ADDRESS", tmp_path / "repository.txt")
    repo_links.configure(None, Config)
    assert Config.html_theme_options == {}
    (tmp_path / "repository.txt").write_text(URL + "\n")
    repo_links.configure(None, Config)
    options = Config.html_theme_options
    assert options["repository_url"] == URL and options["launch_buttons"]["colab_url"] and options["use_issues_button"]
