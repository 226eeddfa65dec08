"""Make the built book self-contained: MathJax, RequireJS and the widget manager from npm, at build time.

Each package is pinned by version and by npm's own sha512. Where npm is missing, or there is no network, mathematics
comes from the Python package sphinx-mathjax-offline instead, and the book still asks no other host for anything.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util import logging

log = logging.getLogger(__name__)
PACKAGES = {
    "mathjax@3.2.2": (
        "sha512-Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        {
            "es5/tex-mml-chtml.js": "mathjax/tex-mml-chtml.js",
            "es5/output/chtml/fonts/woff-v2/": "mathjax/output/chtml/fonts/woff-v2/",
        },
    ),
    "requirejs@2.3.7": (
        "sha512-DouTG8T1WanGok6Qjg2SXuCMzszOo0eHeH9hDZ5Y4x8Je+9JB38HdTLT4/VA8OaUhBa0JPVHJ0pyBkM1z+pDsw==",
        {"require.js": "require.js"},
    ),
    "@jupyter-widgets/html-manager@1.0.14": (
        "sha512-wglgQQ+VMj+MBKkTttdeoMtOah/H2A1w5GU1OAVXmDQqZYTK6C+oHZjQMxcNezIpiqUjC1YHKOo5XdP3ENvBng==",
        {"dist/embed-amd.js": "html-manager/embed-amd.js"},
    ),
}


def fetch(target: Path) -> Path:
    """Fill ``target`` with what the packages are needed for, and return it; a package that is there stays.

    Raises ``ExtensionError`` where a package is not the one that was pinned, ``OSError`` or ``SubprocessError`` where
    npm cannot be used.
    """
    for spec, (integrity, wanted) in PACKAGES.items():
        mark = target.parent / "done" / spec.replace("/", "+")
        if mark.exists() and mark.read_text(encoding="utf-8") == integrity:
            continue
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", spec], cwd=folder, check=True, capture_output=True, timeout=300)
            (archive,) = Path(folder).glob("*.tgz")
            digest = hashlib.sha512(archive.read_bytes()).digest()
            if integrity != "sha512-" + base64.b64encode(digest).decode():
                raise ExtensionError(f"{spec}: the package that npm gave is not the one that was pinned")
            _unpack(archive, wanted, target)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(integrity, encoding="utf-8")
    return target


def _unpack(archive: Path, wanted: dict[str, str], target: Path) -> None:
    """Write the wanted files, and those below wanted folders (their names end in a slash)."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            name = member.name.split("/", 1)[-1]
            for source, place in wanted.items():
                below = source.endswith("/") and name.startswith(source)
                if member.isfile() and (name == source or below):
                    path = target / (place + name.removeprefix(source) if below else place)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(tar.extractfile(member).read())


def configure(app, config):
    """Serve the vendored files from ``_static/vendor``."""
    static = Path(app.confdir) / "_build" / "vendor" / "static"
    vendor = static / "vendor"
    try:
        fetch(vendor)
        config.nb_ipywidgets_js = {"vendor/require.js": {}, "vendor/html-manager/embed-amd.js": {}}
    except (OSError, subprocess.SubprocessError) as error:
        log.info("npm cannot be used (%s): mathematics from sphinx-mathjax-offline, no widgets", type(error).__name__)
        try:  # its module's name has hyphens, so it cannot be imported, only found
            source = distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax")
        except PackageNotFoundError:
            raise ExtensionError("neither npm nor the package sphinx-mathjax-offline is there") from None
        shutil.copytree(source, vendor / "mathjax", dirs_exist_ok=True)
        config.nb_ipywidgets_js = {}
    config.html_static_path.append(str(static))
    config.mathjax_path = "vendor/mathjax/tex-mml-chtml.js"


def setup(app):
    """Connect the step."""
    app.connect("config-inited", configure, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
