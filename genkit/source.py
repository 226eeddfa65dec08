"""A hash of the source that a result depends on, so that nothing stale is taken for new."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path


@cache
def source_hash(*modules: str) -> str:
    """Return a hash of these modules of genkit and of all that they import, docstrings and comments left out."""
    root, seen, queue = Path(__file__).parent, {}, list(modules)
    while queue:
        name = queue.pop()
        path = root / (name.replace(".", "/") + ".py")
        path = path if path.exists() else root / name.replace(".", "/") / "__init__.py"
        if name in seen or not path.exists():
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        seen[name] = ast.unparse(_without_docstrings(tree))
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
                queue += [".".join(base), *(".".join([*base, alias.name]) for alias in node.names)]
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
