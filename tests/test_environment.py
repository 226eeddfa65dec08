"""Three lists of versions that say the same."""

import re
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).resolve().parent.parent


def pins(lines):
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in (line.split("==") for line in lines)}


@pytest.fixture(scope="module")
def constraints():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return pins(line for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["book"] + extras["test"] + extras["lab"] + extras["bench"]
    return {re.match(r"[\w.-]+", need)[0].lower(): need for need in wanted}


def test_conda_gets_the_same_versions(constraints, needs):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *pinned, editable = environment["dependencies"][-1]["pip"]
    assert editable == "--editable ." and environment["name"] == "genkit-book"
    assert pins(pinned).items() <= constraints.items()
    assert pins(pinned).keys() == needs.keys() - {"nflows", "normflows"}, "peers are timed, and needed by nobody"


def test_every_need_is_pinned_within_its_range(constraints, needs):
    specifiers = pytest.importorskip("packaging.requirements")
    for name, need in needs.items():
        assert specifiers.Requirement(need).specifier.contains(constraints[name]), need


def test_the_versions_at_hand_are_the_pinned_ones(constraints, needs):
    from importlib.metadata import version

    found = {name: version(name).split("+")[0] for name in needs}
    strange = {name: v for name, v in found.items() if v != constraints[name]}
    if strange:
        pytest.skip(f"this environment was made without constraints.txt: {strange}")


def test_nothing_installs_the_other_genkit(needs):
    assert "genkit" not in needs
    for path in (*ROOT.glob("*.md"), *ROOT.glob("book/*.md"), ROOT / "tools" / "setup_cell.py", *ROOT.glob("*.yml")):
        assert not re.search(r"pip install (?:-\S+ )*genkit\b(?!-)", path.read_text(encoding="utf-8")), path.name
