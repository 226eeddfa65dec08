"""The command: what it writes, what it says, and how it leaves."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from genkit import cli, recipes
from genkit.pictures import save_grid

TRAIN = ["train", "vae", "--data", "digits", "--steps", "20", "--json"]


def run(*arguments, capsys):
    status = cli.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vae")
    assert cli.main([*TRAIN, "--out", str(folder)]) == 0
    return folder


def test_train_sample_evaluate(model, tmp_path, capsys):
    picture = tmp_path / "grid.png"
    status, out, _ = run("sample", model, "-n", 10, "--out", picture, "--json", capsys=capsys)
    assert status == 0 and json.loads(out) == {"out": str(picture), "n": 10, "step": 20}
    assert Image.open(picture).size[0] > 200
    status, out, err = run("evaluate", model, "-k", 5, "--limit", 50, "--json", capsys=capsys)
    found = json.loads(out)
    assert status == 0 and found["iwae"]["kind"] == "bound" and found["independent pixels"]["kind"] == "exact"
    assert found["elbo"]["value"] < 0 < found["elbo"]["stderr"] and "elbo" in err


def test_a_model_of_text_writes_text(tmp_path, capsys):
    """A reader's own file, whole: train, kill and take up, write after a prompt, measure per character."""
    source, folder, out = tmp_path / "verse.txt", tmp_path / "model", tmp_path / "wrote.txt"
    source.write_text("to be or not to be, that is the question. " * 120, encoding="utf-8")
    train = ("train", "gpt", "--data", source, "--steps", 3, "--batch", 4, "--out", folder)
    assert run(*train, capsys=capsys)[0] == 0
    assert run(*train, "--resume", capsys=capsys)[0] == 0
    wrote = ("sample", folder, "-n", 2, "--prompt", "to be", "--length", 7, "--temperature", 0.5, "--out", out)
    status, text, _ = run(*wrote, "--json", capsys=capsys)
    assert status == 0 and json.loads(text) == {"out": str(out), "n": 2, "step": 3}
    texts = out.read_text(encoding="utf-8").rstrip("\n").split("\n-----\n")
    assert [len(t) for t in texts] == [12, 12] and all(t.startswith("to be") for t in texts)
    status, text, _ = run("evaluate", folder, "--json", capsys=capsys)
    found = json.loads(text)
    assert status == 0 and found["per character"]["unit"] == "bits/character"
    assert found["per character"]["value"] == pytest.approx(-found["log_prob"]["value"] / 64 / np.log(2))
    for bad, said in (("", "--prompt: expected at least one character"), ("#", "expected only characters of the data")):
        status, _, err = run("sample", folder, "--prompt", bad, "--out", out, capsys=capsys)
        assert status == 2 and said in err
    status, _, err = run("sample", folder, "--top-p", 1.5, "--out", out, capsys=capsys)
    assert status == 2 and "top_p: expected a number in (0, 1], received 1.5" in err


def test_json_is_one_object_on_stdout_and_words_go_to_stderr(tmp_path, capsys):
    status, out, err = run(*TRAIN, "--out", tmp_path / "m", capsys=capsys)
    assert status == 0 and out.count("\n") == 1
    assert json.loads(out)["config"]["steps"] == 20 and "saved in" in err


def test_without_json_stdout_is_silent(tmp_path, capsys):
    _, out, _ = run(*TRAIN[:-1], "--out", tmp_path / "m", capsys=capsys)
    assert out == ""


def test_the_same_seed_samples_the_same_picture(model, tmp_path, capsys):
    pictures = [tmp_path / f"{i}.png" for i in range(3)]
    for path, seed in zip(pictures, (1, 1, 2), strict=True):
        run("sample", model, "--out", path, "--seed", seed, capsys=capsys)
    first, again, other = (path.read_bytes() for path in pictures)
    assert first == again != other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "vea", "--out", "NEW"], "Did you mean 'vae'?"),
        (["train", "vae", "--data", "digit", "--out", "NEW"], "Did you mean 'digits'?"),
        (["train", "vae", "--steps", "0", "--out", "NEW"], "steps: expected at least 1, received 0"),
        (["train", "vae", "--lr", "-1", "--out", "NEW"], "lr: expected a number above 0"),
        ([*TRAIN, "--out", "MODEL"], "go on with --resume"),
        (["sample", "NEW"], "received one without checkpoint"),
        (["sample", "MODEL", "-n", "0"], "n: expected at least 1"),
        (["sample", "MODEL", "--out", "x.jpg"], "expected a name that ends in .png"),
        (["evaluate", "MODEL", "-k", "0"], "k: expected at least 1"),
        (["record", "models/vea"], "Did you mean 'models/vae'?"),
        (["bench", "steps"], "Did you mean 'step'?"),
        (["bench", "families", "--scale", "large"], "scale: expected one of full, quick"),
        (["bench", "step", "--seconds", "3"], "seconds: expected none for the benchmark 'step'"),
    ],
)
def test_bad_input_gets_one_line_and_status_2(arguments, message, model, tmp_path, capsys):
    places = {"NEW": tmp_path / "new", "MODEL": model}
    before = sorted(model.rglob("*"))
    status, out, err = run(*(places.get(a, a) for a in arguments), capsys=capsys)
    assert status == 2 and out == ""
    assert err.strip().splitlines()[-1].startswith("genkit: ") and message in err
    assert "Traceback" not in err and sorted(model.rglob("*")) == before


def test_a_benchmark_gets_what_was_asked_for_and_nothing_else(monkeypatch, capsys):
    asked = []

    def families(data=None, scale="quick", seconds=None):
        asked.append((data, scale, seconds))
        return {"flow, frechet": 2.5}

    monkeypatch.setattr("genkit.bench.families.families", families)
    status, out, err = run("bench", "families", "--scale", "full", "--data", "d", "--seconds", "4", capsys=capsys)
    assert status == 0 and out == "" and err.split() == ["2.5", "flow,", "frechet"]
    status, out, _ = run("bench", "families", "--json", capsys=capsys)
    assert asked == [("d", "full", 4.0), (None, "quick", None)] and json.loads(out) == {"flow, frechet": 2.5}


def test_a_full_disk_gets_one_line_and_status_1(tmp_path):
    code = (
        "import resource, sys; from genkit import cli; import genkit.recipes, genkit.metrics;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"sys.exit(cli.main({[*TRAIN, '--out', str(tmp_path / 'm')]!r}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 1 and "Traceback" not in found.stderr
    assert found.stderr.strip().splitlines()[-1].startswith("genkit: ")
    assert not (tmp_path / "m" / "latest").exists() and not list((tmp_path / "m").glob("*step*"))


def test_help_needs_no_torch():
    code = (
        "import sys; from genkit import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_two_processes_equal_one_that_averages_their_halves(tmp_path):
    # two ranks by torchrun, against the same steps done by hand: half-batches under the ranks' seeds, mean gradient
    folder = tmp_path / "two"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "genkit"]
    found = subprocess.run(
        [*command, "train", "vae", "--steps", "3", "--lr", "1e-3", "--out", str(folder)],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=300,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-2000:]
    torch.testing.assert_close(_weights(folder), _by_hand(steps=3), atol=2e-5, rtol=1e-3)


def _weights(folder):
    from genkit import checkpoint

    state = checkpoint.read(folder).state()
    return {name.removeprefix("live/"): v for name, v in state.items() if name.startswith("live/")}


def _by_hand(steps):
    from dataclasses import replace

    from genkit.augment import shift
    from genkit.randomness import Order, randomness_of
    from genkit.training import learning_rate

    recipe = recipes.get("vae-digits")
    config = replace(recipe.config(), steps=steps, lr=1e-3)
    data, model = recipe.dataset().train, recipe.build(0).train()
    (player,) = model.players()
    optimiser = torch.optim.AdamW(player.params, weight_decay=0.0, fused=True)
    order = Order(len(data), config.batch, 0)
    for i in range(steps):
        halves = []
        for rank, rows in enumerate(order.batch(i).chunk(2)):
            with randomness_of(0, i, rank, model.device):
                x, _ = shift(data.x[rows])
                halves.append(torch.autograd.grad(model.loss(x)["loss"].mean(), player.params))
        for p, a, b in zip(player.params, *halves, strict=True):
            p.grad = (a + b) / 2
        torch.nn.utils.clip_grad_norm_(player.params, config.clip)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(player, i, config)
        optimiser.step()
    return model.state_dict()


def test_a_grid_holds_every_picture(tmp_path):
    x = torch.rand(5, 1, 4, 4).round()
    save_grid(x, tmp_path / "g.png", columns=3, side=1)
    grid = torch.from_numpy(np.asarray(Image.open(tmp_path / "g.png")).copy()).view(2 * 5 + 1, 3 * 5 + 1) / 255
    for i in range(5):
        row, column = 1 + i // 3 * 5, 1 + i % 3 * 5
        assert torch.equal(grid[row : row + 4, column : column + 4], x[i, 0])


def test_a_grid_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected images of shape"):
        save_grid(torch.rand(3, 2, 4, 4), tmp_path / "g.png")


def test_signals_are_saved_as_rows_and_refused_as_a_picture(tmp_path, capsys):
    train = ["train", "autoregressive", "--data", "seasons", "--steps", "2", "--batch", "4"]
    assert cli.main([*train, "--out", str(tmp_path / "m")]) == 0
    status, _, _ = run("sample", tmp_path / "m", "-n", 3, "--out", tmp_path / "s.csv", capsys=capsys)
    rows = np.loadtxt(tmp_path / "s.csv", delimiter=",")
    assert status == 0 and rows.shape == (3, 384) and rows.min() >= 0 and rows.max() <= 1
    status, _, err = run("sample", tmp_path / "m", "-n", 1, "--out", tmp_path / "s.png", capsys=capsys)
    assert status == 2 and "expected a name that ends in .csv" in err and not (tmp_path / "s.png").exists()


def test_data_that_do_not_suit_a_family(tmp_path, capsys):
    for data in ("toy2d", "pydocs"):
        status, _, err = run("train", "autoregressive", "--data", data, "--out", tmp_path / "m", capsys=capsys)
        assert status == 2 and "data: expected images or signals for an autoregressive model" in err


@pytest.mark.parametrize(("data", "kind"), [("digits", "elbo"), ("toy2d", "log_prob")])
def test_a_flow_over_levels_and_one_over_numbers(data, kind, tmp_path, capsys):
    train = ["train", "flow", "--data", data, "--steps", "3", "--batch", "20"]
    assert cli.main([*train, "--out", str(tmp_path / "m")]) == 0
    status, out, _ = run("evaluate", tmp_path / "m", "--limit", 20, "--json", capsys=capsys)
    assert status == 0 and kind in json.loads(out)
    name = tmp_path / {"digits": "s.png", "toy2d": "s.csv"}[data]
    assert run("sample", tmp_path / "m", "-n", 3, "--out", name, capsys=capsys)[0] == 0 and name.exists()
    status, _, err = run("train", "flow", "--data", "pydocs", "--out", tmp_path / "n", capsys=capsys)
    assert status == 2 and "neither text nor binarised" in err


def test_a_machine_of_coins_is_trained_measured_by_annealing_and_sampled(tmp_path, capsys):
    train = ["train", "boltzmann", "--data", "binary_digits", "--steps", "4", "--batch", "20"]
    assert cli.main([*train, "--out", str(tmp_path / "m")]) == 0
    status, out, _ = run("evaluate", tmp_path / "m", "--limit", 20, "--json", capsys=capsys)
    assert status == 0 and json.loads(out)["ais"]["kind"] == "estimate"
    assert run("sample", tmp_path / "m", "-n", 3, "--out", tmp_path / "s.png", capsys=capsys)[0] == 0
    status, _, err = run("train", "dbn", "--data", "digits", "--out", tmp_path / "n", capsys=capsys)
    assert status == 2 and "data: expected images in black and white, or --binarise" in err
