"""The first and the last cell of a chapter: what it runs on, and what the run took."""

import datetime
import html
import os
import platform
import sys
import time
from importlib.metadata import version

import torch

from . import __version__
from .scale import scale
from .show import Html

LIBRARIES = ("torch", "numpy", "matplotlib", "scikit-learn")
_running: dict[str, object] = {}


def start(chapter: str, *, seed: int = 0) -> Html:
    """Begin a chapter: seed torch, start the clock, and show versions, device, scale and seed."""
    torch.manual_seed(seed)
    _running.update(chapter=chapter, start=time.perf_counter(), seed=seed)
    facts = {"genkit": __version__, "torch": torch.__version__, "device": device(), "scale": scale(), "seed": seed}
    return _line("This page runs on", facts)


def foot() -> Html:
    """End a chapter: show date, versions, device, seconds and peak memory of the run that made the page."""
    if "start" not in _running:
        raise RuntimeError("foot: expected a chapter that began with its setup cell")
    seconds = time.perf_counter() - _running["start"]
    facts = {"date": datetime.datetime.now(datetime.UTC).date().isoformat(), "Python": platform.python_version()}
    facts |= {name: version(name) for name in LIBRARIES}
    facts |= {
        "device": device(),
        "scale": scale(),
        "time": f"{seconds:.0f} s",
        "peak memory": f"{peak_memory():.0f} MB",
    }
    return _line("Made by a run of", facts)


def device() -> str:
    """Name the device: the processor with its threads, and a GPU where there is one.

    At quick scale chapters use the processor: their models are too small to gain from a GPU.
    """
    name = f"CPU, {torch.get_num_threads()} of {os.cpu_count()} threads"
    return f"{name}; {torch.cuda.get_device_name()}" if torch.cuda.is_available() else name


def peak_memory() -> float:
    """Return the most memory this process has held, in MB; NaN where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def _line(lead: str, facts: dict[str, object]) -> Html:
    items = "".join(f"<span><b>{html.escape(str(k))}</b> {html.escape(str(v))}</span> " for k, v in facts.items())
    plain = f"{lead}: " + ", ".join(f"{k} {v}" for k, v in facts.items())
    return Html(f'<p class="gk-run">{lead}: {items}</p>', plain)
