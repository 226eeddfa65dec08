"""The rules of the house: who imports whom, how long a file may grow, and what no file may hold."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "genkit"
MODULES = {p.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): p for p in PACKAGE.rglob("*.py")}
GROUND = {"names", "files", "cache", "scale"}  # small things that know of no tensor: everybody may use them
# nobody below imports these
HANDS = {
    "exercises", "recipe", "recipes", "named", "named_text", "named_gans", "named_self_supervised",
    "families", "families_diffusion", "source",
    "cli", "bench", "classifiers", "shipped", "record", "records", "__main__",
    "points", "family_plans", "family_plane", "family_tree", "bake_off", "bake_off_plans",
    "named_semi",
}  # fmt: skip
ALLOWED = {
    "base": set(), "distributions": set(), "sampling": set(), "adversarial": set(), "decoding": set(),
    "augment": set(), "data": set(), "leaks": set(),
    "schedules": set(), "samplers": {"schedules"},
    "nn": {"distributions"}, "labels": {"base"},
    "tokens": {"base", "decoding"},
    "models": {
        "base", "distributions", "nn", "labels", "sampling", "samplers", "schedules", "adversarial", "decoding",
        "tokens",
    },
    "randomness": set(), "progress": set(),
    "training": {"base", "randomness", "progress"},
    "checkpoint": {"base", "training"},
    "metrics": {"base", "nn"},
    "growth": set(),
    "clustering": set(), "association": set(), "detectors": set(),
    "maze": set(), "maze_env": {"maze", "reinforcement"}, "planning": set(), "reinforcement": {"base"},
    "backprop": set(), "optimisers": {"backprop"},
    "plots": set(), "pictures": set(),
    "explorers": {
        "nn", "decoding", "sampling", "samplers", "schedules", "maze", "maze_env", "planning", "reinforcement",
        "clustering",
        "backprop", "optimisers",
        "metrics", "ranking",
    },
    "probe": set(), "spread": set(), "peak": set(), "picture_forms": set(), "ranking": set(),
    "dreaming": set(), "style_transfer": {"dreaming", "models"},
    "show": {"base", "plots"}, "spoiling": set(), "judging": {"base", "metrics", "show"},
    "session": {"show", "__init__"},
}  # fmt: skip


def imports(module):
    """Return what a module of genkit imports of genkit, and of others, as dotted names."""
    package = module.split(".")[:-1]
    ours, others = set(), set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            others |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            others.add(node.module)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            named = {".".join([*base, alias.name]) for alias in node.names}
            known = {name for name in named if name in MODULES or f"{name}.__init__" in MODULES}
            ours |= known or {".".join(base) or "__init__"}
    return ours, others


def top(module):
    return module.split(".")[0]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_lies_below_it(module):
    ours, _ = imports(module)
    used = {top(name) for name in ours} - {top(module)} - GROUND
    if top(module) in GROUND:
        assert used == set()
    elif top(module) not in HANDS | {"__init__"}:
        assert used <= ALLOWED[top(module)], f"{module} imports {sorted(used - ALLOWED[top(module)])}"
        assert not used & HANDS
    if top(module) == "models":
        assert not {name for name in ours if top(name) == "models"}, "families never import each other"


def test_matplotlib_is_imported_in_plots_alone():
    users = {module for module in MODULES if any(top(name) == "matplotlib" for name in imports(module)[1])}
    assert {top(module) for module in users} == {"plots"}


def test_no_pickle_no_eval_no_shell():
    banned = {
        "pickle", "torch.load", "torch.save", "joblib", "dill", "cloudpickle", "shelve", "marshal",
        "os.system", "yaml.load", "numpy.load",
    }  # fmt: skip
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = imports(module)[1] | {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        assert not used & (banned | {"exec", "eval"}), module
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            if ast.unparse(call.func) in ("np.load", "numpy.load"):
                assert any(k.arg == "allow_pickle" and k.value.value is False for k in call.keywords), module
            assert not any(k.arg == "shell" for k in call.keywords), module


def code_lines(path):
    """Count the lines that hold code: no blanks, comments or docstrings."""
    source = path.read_text(encoding="utf-8")
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def test_no_file_is_longer_than_a_reader_takes_in():
    long = {m: n for m, p in MODULES.items() if top(m) != "exercises" and (n := code_lines(p)) > 250}
    assert long == {}
    assert not [m for m in MODULES if m.split(".")[-1] in ("utils", "helpers", "misc", "common")]


def test_every_module_and_public_function_says_what_it_is():
    silent = []
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
        silent += [module] if ast.get_docstring(tree) is None and module != "__main__" else []
        silent += [f"{module}.{n.name}" for n in public if ast.get_docstring(n) is None]
    assert silent == []


def python(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def test_importing_genkit_has_no_effect_and_brings_no_heavy_company():
    heavy = "{'matplotlib', 'sklearn', 'scipy', 'PIL', 'pooch', 'requests', 'IPython', 'tqdm', 'gymnasium', 'mlxtend'}"
    assert python(f"import sys, genkit; print(sorted({heavy} & set(sys.modules)))") == "[]"
    same = "import torch; torch.manual_seed(3); a = torch.get_rng_state(); import genkit.recipes, genkit.metrics"
    assert python(f"{same}; print(torch.equal(a, torch.get_rng_state()), torch.get_default_device())") == "True cpu"


def test_importing_genkit_takes_little_longer_than_importing_torch():
    """Best of five each, one after the other; 1.3 is the limit, and there is nothing in it that could take longer."""
    time = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    seconds = {name: [] for name in ("torch", "genkit")}
    for _ in range(5):
        for name, found in seconds.items():
            found.append(float(python(time.format(name))))
    assert min(seconds["genkit"]) <= 1.3 * min(seconds["torch"])


def tracked():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in found.split("\0") if name and (ROOT / name).exists()]


def test_no_tracked_file_names_a_machine_or_holds_data():
    path_of_somebody = r"(?<![\w.])/(?:home|Users|root|work|mnt|opt)/[\w.-]+/"
    machine = re.compile(rf"{path_of_somebody}|artifactory|pypi\.internal|index-url\s*=", re.I)
    for path in tracked():
        assert path.stat().st_size <= 2_000_000, f"{path.name} is too large to commit"
        assert path.suffix not in {".pkl", ".pt", ".pth", ".npy", ".npz", ".gz", ".zip"}, path.name
        if path.suffix not in {".safetensors", ".png", ".ico", ".svg", ".woff2"} and path.name != Path(__file__).name:
            found = machine.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.name}: {found[0]!r}"


def test_weights_are_small_and_what_their_cards_say():
    import json

    from genkit.files import sha256

    weights = sorted((PACKAGE / "weights").glob("*.safetensors"))
    assert weights and sum(p.stat().st_size for p in weights) <= 20e6
    for path in weights:
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert card["sha256"] == sha256(path) and path.stat().st_size <= 2e6
