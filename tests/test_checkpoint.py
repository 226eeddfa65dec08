"""Checkpoints: a run that is taken up again ends bit for bit where it would have; damage is said in one line."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from genkit import checkpoint, recipes
from genkit.base import Generative, Player
from genkit.checkpoint import Checkpoints
from genkit.data import Split
from genkit.training import Fit, Run, TrainConfig, fit, train

ARGUMENTS = {"shape": [1, 4, 4], "pixels": "bernoulli", "latent": 2, "hidden": [16], "dropout": 0.1}
DATA = Split((torch.rand(50, 1, 4, 4, generator=torch.Generator().manual_seed(0)) > 0.5).float())
CONFIG = TrainConfig(steps=60, batch=16, ema=0.9, warmup=5)
ABOUT = {"family": "vae", "arguments": ARGUMENTS}


def trained(folder, config=CONFIG, *, resume=False, about=ABOUT, stop_after=None, save_every=20):
    torch.manual_seed(0)
    model = recipes.build("vae", **ARGUMENTS)
    keeper = Checkpoints(folder, about, resume=resume)
    if stop_after:
        real = keeper.save

        def save(run, *rest):
            real(run, *rest)
            if run.step >= stop_after:
                raise KeyboardInterrupt

        keeper.save = save

    def select(model):
        return model.elbo(DATA.x).mean().item()

    return fit(
        model, DATA, config, select=select, every=10, keeper=keeper, save_every=save_every, progress=False
    )  # fmt: skip


def contents(folder):
    saved = checkpoint.read(folder)
    meta = {name: value for name, value in saved.meta.items() if name != "seconds"}
    return saved.weights(), saved.state(), meta


def assert_same(a, b):
    for one, other in zip(contents(a)[:2], contents(b)[:2], strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert contents(a)[2]["history"] == contents(b)[2]["history"]
    assert contents(a)[2]["best"] == contents(b)[2]["best"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    trained(folder)
    return folder


@pytest.mark.parametrize("stop", [20, 40])
def test_a_run_taken_up_again_ends_bit_identical(tmp_path, undisturbed, stop):
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, stop_after=stop)
    assert checkpoint.read(tmp_path).meta["step"] == stop
    trained(tmp_path, resume=True)
    assert_same(tmp_path, undisturbed)


class Plane(Generative):
    """A model with a matrix, which Muon moves, and a vector."""

    def __init__(self):
        super().__init__()
        self.matrix, self.vector = nn.Parameter(torch.zeros(3, 16)), nn.Parameter(torch.zeros(3))

    def loss(self, x, c=None):
        return {"loss": (x.flatten(1) @ self.matrix.T + self.vector - x.flatten(1)[:, :3]).square().sum(1)}

    def players(self):
        return [Player("model", list(self.parameters()), self.loss, matrices=[self.matrix])]


def test_muons_momentum_is_kept_too(tmp_path):
    config = TrainConfig(steps=20, batch=16, optimiser="muon")

    def go_on(folder, steps):
        model = Plane()
        keeper = Checkpoints(folder, {"family": "plane"}, resume=True)
        run = Run(model, config)
        keeper.restore(run, Fit(model))
        for step in train(model, DATA, config, run=run):
            if step.i + 1 == steps:
                break
        keeper.save(run, Fit(model), None)
        return model

    go_on(tmp_path / "halves", 10)
    assert torch.equal(go_on(tmp_path / "halves", 20).matrix, go_on(tmp_path / "whole", 20).matrix)


def test_the_weights_to_use_are_those_of_the_early_best(tmp_path):
    result = trained(tmp_path)
    model = checkpoint.load_weights(recipes.build("vae", **ARGUMENTS), checkpoint.read(tmp_path))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), result.model.parameters(), strict=True))
    assert not model.training


def test_one_step_folder_is_left_and_only_safetensors_and_json_in_it(undisturbed):
    names = sorted(p.relative_to(undisturbed).as_posix() for p in undisturbed.rglob("*"))
    inside = [f"step-60/{name}" for name in ("meta.json", "model.safetensors", "state.safetensors")]
    assert names == ["latest", "step-60", *inside]


SCRIPT = """
import sys, time
sys.path.insert(0, {tests!r})
from test_checkpoint import trained
from genkit import checkpoint, files
slow = checkpoint._write
def dawdle(path, tensors):  # so that a kill falls into the writing of a checkpoint, too
    slow(path, tensors)
    time.sleep(0.02)
checkpoint._write = dawdle
print("ready", flush=True)
trained({folder!r}, resume=True, save_every=10)
print("done", flush=True)
"""


def test_kill_9_at_any_moment_loses_nothing(tmp_path, undisturbed):
    tests = str(Path(__file__).parent)
    chance, kills = random.Random(0), 0
    for attempt in range(30):
        code = SCRIPT.format(tests=tests, folder=str(tmp_path))
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        if attempt < 5:
            time.sleep(chance.uniform(0.02, 0.3))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        elif process.stdout.read() == "done\n":
            break
        if (tmp_path / "latest").exists():
            contents(tmp_path)  # whatever is named is whole
    assert kills >= 3
    for one, other in zip(contents(tmp_path)[:2], contents(undisturbed)[:2], strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert not list(tmp_path.glob(".step-*"))


def test_a_run_does_not_overwrite_another(tmp_path, undisturbed):
    with pytest.raises(ValueError, match="holds a checkpoint already; go on with --resume"):
        Checkpoints(undisturbed, ABOUT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"about": ABOUT | {"family": "gan"}}, "family: the checkpoint was made with 'vae', received 'gan'"),
        ({"config": TrainConfig(steps=60, batch=8)}, "config: the checkpoint was made with"),
    ],
)
def test_a_run_of_another_kind_is_not_taken_up(undisturbed, change, message):
    before = contents(undisturbed)
    with pytest.raises(ValueError, match=message):
        trained(undisturbed, resume=True, **change)
    assert contents(undisturbed)[2] == before[2]


class Evil:
    def __reduce__(self):
        return (os.abort, ())


def truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def tamper(folder):
    path = folder / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


def swap_in_a_pickle(folder):
    raw = pickle.dumps(Evil())
    (folder / "model.safetensors").write_bytes(raw)
    meta = json.loads((folder / "meta.json").read_text())
    meta["sha256"]["model.safetensors"] = __import__("hashlib").sha256(raw).hexdigest()
    (folder / "meta.json").write_text(json.dumps(meta))


def break_json(folder):
    (folder / "meta.json").write_text("{")


def other_format(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"format": 99}))


def point_outside(folder):
    (folder.parent / "latest").write_text("../../etc")


def lose_latest(folder):
    (folder.parent / "latest").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncate, "the file is damaged"),
        (tamper, "the file is damaged"),
        (swap_in_a_pickle, "expected a safetensors file"),
        (break_json, "cannot be read"),
        (other_format, "expected checkpoint format 1, received 99"),
        (point_outside, "expected the name of a step"),
        (lose_latest, "received one without checkpoint"),
    ],
)
def test_a_spoiled_checkpoint_is_refused_in_one_line(tmp_path, undisturbed, spoil, message):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(undisturbed, folder)
    spoil(folder / "step-60")
    with pytest.raises(ValueError, match=message) as error:
        checkpoint.read(folder).weights()
    assert "\n" not in str(error.value)


def test_weights_of_another_model_are_refused(undisturbed):
    other = recipes.build("vae", **(ARGUMENTS | {"latent": 3}))
    with pytest.raises(ValueError, match="the weights do not fit the model"):
        checkpoint.load_weights(other, checkpoint.read(undisturbed))


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    def full(path, tensors):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    real, calls = checkpoint._write, []

    def write(path, tensors):
        calls.append(path)
        (real if len(calls) <= 2 else full)(path, tensors)

    monkeypatch.setattr(checkpoint, "_write", write)
    with pytest.raises(OSError, match="No space left"):
        trained(tmp_path)
    assert checkpoint.read(tmp_path).meta["step"] == 20
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "step-20"]
    assert load_file(tmp_path / "step-20" / "model.safetensors")
