"""Checkpoints: safetensors and JSON, written beside and renamed, so that a kill at any moment loses nothing.

A folder holds ``step-N/`` with ``model.safetensors`` (the weights to use), ``state.safetensors`` (what training needs
to go on), ``meta.json`` (how the model is built, its data, its history), and a file ``latest`` that names one of them.
"""

import json
import math
import os
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import files
from .base import Generative
from .training import Fit, Run

FORMAT = 1
Tensors = dict[str, Tensor]


@dataclass
class Saved:
    """A checkpoint as it lies on disk: its folder and what its ``meta.json`` says."""

    folder: Path
    meta: dict

    def weights(self) -> Tensors:
        """Return the weights to use. Raises ``ValueError`` where the file is not the one that was written."""
        return self._read("model.safetensors")

    def state(self) -> Tensors:
        """Return what training needs to go on: live weights, average, optimisers, early best."""
        return self._read("state.safetensors")

    def _read(self, name: str) -> Tensors:
        path = self.folder / name
        try:
            if files.sha256(path) != self.meta["sha256"][name]:
                raise ValueError(f"{path}: the file is damaged: its SHA-256 is not the one in meta.json")
            return load_file(path)
        except (OSError, SafetensorError, KeyError) as error:
            raise ValueError(
                f"{path}: expected a safetensors file, received one that cannot be read ({error})"
            ) from None


def read(folder: str | Path) -> Saved:
    """Find the latest checkpoint in ``folder``. Raises ``ValueError`` where there is none, or a foreign one."""
    folder = Path(folder)
    try:
        name = (folder / "latest").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError(
            f"{folder}: expected a folder written by `genkit train`, received one without checkpoint"
        ) from None
    if Path(name).name != name or not name.startswith("step-"):
        raise ValueError(f"{folder / 'latest'}: expected the name of a step, received {name[:40]!r}")
    try:
        meta = json.loads((folder / name / "meta.json").read_text(encoding="utf-8"))
        version = meta["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / name / 'meta.json'}: cannot be read ({error})") from None
    if version != FORMAT:
        raise ValueError(f"{folder}: expected checkpoint format {FORMAT}, received {version!r}")
    return Saved(folder / name, meta)


class Checkpoints:
    """Keeps one run in one folder.

    Arguments
        folder: where the checkpoints lie.
        about: JSON that says how to rebuild the model and what it was trained on. A run is taken up again only
            if this and the trainer's configuration are the same.
        resume: take up what lies in the folder; otherwise a folder that holds a checkpoint is refused.
    """

    def __init__(self, folder: str | Path, about: dict, *, resume: bool = False):
        self.folder, self.about, self.resume = Path(folder), json.loads(json.dumps(about)), resume
        if not resume and (self.folder / "latest").exists():
            raise ValueError(f"{self.folder}: holds a checkpoint already; go on with --resume, or name another folder")

    def save(self, run: Run, fit: Fit, best: Tensors | None) -> None:
        """Write ``step-N/`` beside, rename it, then let ``latest`` name it; the one before is removed last."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for rest in self.folder.glob(".step-*"):  # what a killed run was writing
            shutil.rmtree(rest, ignore_errors=True)
        name = f"step-{run.step}"
        beside = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.folder))
        try:
            use = best if best is not None else run.average.state_dict()
            _write(beside / "model.safetensors", use)
            _write(beside / "state.safetensors", _state(run, best))
            files.write_json(beside / "meta.json", self._meta(run, fit, beside))
            beside.chmod(0o755)
            shutil.rmtree(self.folder / name, ignore_errors=True)  # left by a run that was killed before `latest` moved
            beside.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        with files.atomic(self.folder / "latest") as temporary:
            temporary.write_text(name + "\n", encoding="utf-8")
        for old in self.folder.glob("step-*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)

    def restore(self, run: Run, fit: Fit) -> Tensors | None:
        """Put the run where its checkpoint left it; return the early best. Nothing happens where there is none."""
        if not self.resume or not (self.folder / "latest").exists():
            return None
        saved = read(self.folder)
        config = asdict(run.config)
        for name, now in {**self.about, "config": config}.items():
            if saved.meta.get(name) != now:
                raise ValueError(f"{name}: the checkpoint was made with {saved.meta.get(name)!r}, received {now!r}")
        try:
            best = _put_back(run, saved.state())
        except (KeyError, RuntimeError) as error:
            raise ValueError(
                f"{saved.folder}: the tensors do not fit the model ({str(error).splitlines()[0]})"
            ) from None
        run.step = saved.meta["step"]
        fit.history = {n: [math.nan if v is None else v for v in vs] for n, vs in saved.meta["history"].items()}
        fit.best_step, fit.best_score = saved.meta["best"]["step"], saved.meta["best"]["score"]
        fit.seconds = saved.meta["seconds"]
        return best

    def _meta(self, run: Run, fit: Fit, beside: Path) -> dict:
        return {
            "format": FORMAT,
            **self.about,
            "config": asdict(run.config),
            "step": run.step,
            "seconds": round(fit.seconds, 2),
            "best": {"step": fit.best_step, "score": fit.best_score},
            "history": {n: [None if math.isnan(v) else v for v in vs] for n, vs in fit.history.items()},
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "sha256": {n: files.sha256(beside / n) for n in ("model.safetensors", "state.safetensors")},
        }


def load_weights(model: Generative, saved: Saved) -> Generative:
    """Give ``model`` the saved weights, in evaluation mode. Raises ``ValueError`` where they do not fit."""
    try:
        model.load_state_dict(saved.weights())
    except RuntimeError as error:
        raise ValueError(f"{saved.folder}: the weights do not fit the model ({str(error).splitlines()[0]})") from None
    return model.eval()


def _state(run: Run, best: Tensors | None) -> Tensors:
    state = {f"live/{name}": value for name, value in run.model.state_dict().items()}
    if run.averaged is not None:
        state |= {f"average/{name}": value for name, value in run.averaged.state_dict().items()}
    if best is not None:
        state |= {f"best/{name}": value for name, value in best.items()}
    for player, movers in zip(run.players, run.optimisers, strict=True):
        for mover, optimiser in movers.items():
            for i, slots in optimiser.state_dict()["state"].items():
                state |= {f"{mover}/{player.name}/{i}/{slot}": value for slot, value in slots.items()}
    return state


def _put_back(run: Run, state: Tensors) -> Tensors | None:
    run.model.load_state_dict(_under("live/", state))
    if run.averaged is not None:
        run.averaged.load_state_dict(_under("average/", state))
    for player, movers in zip(run.players, run.optimisers, strict=True):
        for mover, optimiser in movers.items():
            slots: dict[int, Tensors] = {}
            for name, value in _under(f"{mover}/{player.name}/", state).items():
                i, slot = name.split("/")
                slots.setdefault(int(i), {})[slot] = value
            optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
    return _under("best/", state) or None


def _under(prefix: str, state: Tensors) -> Tensors:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _write(path: Path, tensors: Tensors) -> None:
    try:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, path)
    except SafetensorError as error:  # a full disk comes as this, and is no fault of the tensors
        raise OSError(f"{path.name} cannot be written: {error}") from None
    with open(path, "rb") as f:
        os.fsync(f.fileno())
