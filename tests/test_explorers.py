"""Explorers ship what they say: rounded weights, torch's own answers, and HTML that nothing escapes from."""

import base64
import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from genkit.distributions import bernoulli, categorical
from genkit.explorers import Explorer, latent_explorer
from genkit.explorers.explorer import pack
from genkit.models.vae import conv_vae, mlp_vae

CODES, LABELS = torch.randn(6, 2), torch.tensor([0, 1, 2, 0, 1, 2])


def model(**options):
    torch.manual_seed(0)
    return mlp_vae(
        **{"shape": (1, 28, 28), "pixels": bernoulli(), "latent": 2, "hidden": (16,), "classes": 3, **options}
    )


def letters(**options):
    return latent_explorer(model(), **{"codes": CODES, "labels": LABELS, "classes": ("A", "B", "C"), **options})


def test_the_weights_come_back_as_float16_matrix_then_bias():
    network = nn.Sequential(nn.Linear(2, 3), nn.SiLU(), nn.Dropout(0.5), nn.Linear(3, 1), nn.Sigmoid())
    layers, weights = pack(network)
    assert [(one["inputs"], one["outputs"], one["activation"]) for one in layers] == [(2, 3, "silu"), (3, 1, "sigmoid")]
    numbers = torch.tensor(np.frombuffer(weights, "<f2").astype("f4"))
    expected = [network[0].weight, network[0].bias, network[3].weight, network[3].bias]
    torch.testing.assert_close(numbers, torch.cat([p.flatten() for p in expected]).detach().half().float())


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Linear(2, 2), nn.GELU()),
        nn.Sequential(nn.Linear(2, 2, bias=False)),
        nn.Sequential(nn.SiLU(), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.SiLU(), nn.Tanh()),
        nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)),
        nn.Sequential(),
        nn.Linear(2, 2),
    ],
    ids=[
        "another activation",
        "no bias",
        "activation first",
        "two activations",
        "another layer",
        "empty",
        "no sequence",
    ],
)
def test_a_network_that_the_page_could_not_run_is_refused(network):
    with pytest.raises(ValueError, match="network: expected"):
        pack(network)


@pytest.mark.parametrize("weight", [1e6, float("nan")])
def test_weights_that_float16_cannot_hold_are_refused(weight):
    network = nn.Sequential(nn.Linear(2, 2))
    nn.init.constant_(network[0].weight, weight)
    with pytest.raises(ValueError, match="network: expected finite weights"):
        pack(network)


def test_probes_are_torchs_answers_with_the_weights_that_are_shipped():
    rounded = model().half().float().eval()
    for inputs, outputs in letters().probes:
        with torch.no_grad():
            mean = rounded.decode(torch.tensor([inputs["z"]], dtype=torch.float32), torch.tensor([inputs["c"]])).mean
        torch.testing.assert_close(torch.tensor(outputs), mean.flatten(), atol=1e-6, rtol=0)
    assert {inputs["c"] for inputs, _ in letters().probes} == {0, 1, 2}


def test_the_model_itself_stays_as_it_was():
    artist = model(dropout=0.3).train()
    before = {k: v.clone() for k, v in artist.state_dict().items()}
    latent_explorer(artist, codes=CODES, labels=LABELS, classes=("A", "B", "C"))
    assert artist.training
    assert all(torch.equal(v, before[k]) for k, v in artist.state_dict().items())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"classes": ("A", "B")}, "classes: expected 3 names"),
        ({"codes": torch.zeros(6, 3)}, r"codes: expected the shape \(N, 2\)"),
        ({"labels": None}, "labels: expected one for each of the 6"),
        ({"labels": LABELS[:4]}, "labels: expected one for each of the 6 codes, received 4"),
        ({"labels": LABELS + 1}, "labels: expected numbers of classes"),
    ],
)
def test_what_does_not_suit_the_model_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        letters(**wrong)


@pytest.mark.parametrize(
    "unfit",
    [
        lambda: model(latent=3, classes=0),
        lambda: model(pixels=categorical(4), classes=0),
        lambda: model(shape=(3, 8, 8), classes=0),
        lambda: conv_vae(shape=(1, 28, 28), pixels=bernoulli(), latent=2),
    ],
    ids=["three dimensions", "levels", "colours", "convolutions"],
)
def test_a_model_of_another_kind_is_refused(unfit):
    with pytest.raises(ValueError, match="expected"):
        latent_explorer(unfit(), codes=CODES)


def test_no_text_can_end_the_script_or_the_attribute():
    evil = '</script><script>alert(1)</script><!-- "><b>'
    code = letters(classes=(evil, "B", "C"), kind=evil).html()
    assert code.count("</script>") == 1
    assert "<!--" not in code
    shown = Explorer(("mlp.js", "latent.js"), state={}, probes=[({}, [])], title=evil, fallback=evil).html()
    assert shown.count("</script>") == 1
    assert evil not in shown.split("<script>")[0]


def test_state_is_json_and_numbers_that_are_none_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        Explorer(("mlp.js",), state={"a": float("nan")}, probes=[({}, [])], title="t", fallback="f").html()
    with pytest.raises(ValueError, match="probes"):
        Explorer(("mlp.js",), state={}, probes=[], title="t", fallback="f")
    code = letters().html()
    state = json.loads(re.search(r"^start\((\{.*?\}), \[\{\"inputs\"", code, flags=re.M)[1])
    assert len(base64.b64decode(state["weights"]["base64"])) == 2 * sum(p.numel() for p in model().decoder.parameters())


def test_without_a_page_it_is_a_line_of_text_and_asks_no_other_host():
    bundle = letters()._repr_mimebundle_()
    assert bundle["text/plain"] == "[explorer: The decoder of the VAE, to play with]"
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)|import\s|fetch\(|eval\(", bundle["text/html"])
