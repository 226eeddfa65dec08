"""The data that come with the book: the same on every machine, held-out parts apart, densities that are densities."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from genkit.data import SETS, WHAT, describe, load, text, toy
from genkit.data.splits import shuffled
from genkit.data.text import _ascii
from genkit.data.toy2d import TOYS, toy2d

DIGITS = "0548e5df745e800d4e1c176e1cd9619036d016e18705011f73d263d69f719f99"
RANDOM_DIGITS = "da72657800bd8e30462d384891a74a8f305493c579e8b3f23d30ebfa44c22b80"
ROWS = st.integers(10, 300)


def rows_of(split):
    return {tuple(row) for row in split.x.flatten(1).tolist()}


def test_digits_are_the_published_ones_in_the_order_of_the_file():
    data = load("digits")
    assert data.sha256 == DIGITS
    assert [len(s) for s in (data.train, data.valid, data.test)] == [1000, 350, 447]
    images, labels = load_digits(return_X_y=True)
    assert torch.equal(data.test.x[0].flatten() * 16, torch.tensor(images[1350], dtype=torch.float32))
    assert data.test.c.tolist() == labels[1350:].tolist()
    assert (data.train.x * 16).unique().tolist() == list(range(17)) and data.levels == 17


def test_the_random_split_mixes_the_same_digits_and_keeps_the_classes_shares():
    published, random = load("digits"), load("digits", split="random")
    assert random.sha256 == RANDOM_DIGITS
    assert torch.equal(*(torch.cat([d.train.x, d.valid.x, d.test.x]).sum(0) for d in (published, random)))
    for split in (random.train, random.valid, random.test):
        share = split.c.bincount(minlength=10) / len(split)
        assert share.min() > 0.08 and share.max() < 0.12
    assert not torch.equal(random.train.x, load("digits", split="random", seed=1).train.x)
    with pytest.raises(ValueError, match="split: expected one of published, random; received 'randm'. Did you mean"):
        load("digits", split="randm")


def test_glyphs_know_the_factors_that_made_them():
    data = load("glyphs", letters="IO", draws=2)
    parts = (data.train, data.valid, data.test)
    assert [len(s) for s in parts] == [58, 7, 7] and data.shape == (1, 28, 28)
    assert all(s.x.min() >= 0 and s.x.max() <= 1 for s in parts)
    assert torch.equal(data.train.c, data.train.factors["letter"])
    # a bold font puts more ink on the paper, and an O is wider than an I
    ink, bold, letter = data.train.x.flatten(1).sum(1), data.train.factors["bold"], data.train.c
    for k in (0, 1):
        assert ink[(bold == 1) & (letter == k)].mean() > ink[(bold == 0) & (letter == k)].mean()
    columns = (data.train.x.amax(2) > 0.5).flatten(1).sum(1).float()
    assert columns[letter == 1].mean() > 1.5 * columns[letter == 0].mean()
    assert load("glyphs", letters="IO", draws=2).sha256 == data.sha256
    for bad in ("", "AA", "a"):
        with pytest.raises(ValueError, match="letters: expected different ones of A–Z"):
            load("glyphs", letters=bad)


@given(n=ROWS, seed=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_parts_share_no_example_and_lose_none(n, seed):
    x = torch.arange(n)[:, None]
    train, valid, test = shuffled(x, x[:, 0], seed=seed)
    assert sorted(torch.cat([train.x, valid.x, test.x]).flatten().tolist()) == list(range(n))
    assert len(valid) == len(test) == n // 10 and torch.equal(train.x[:, 0], train.c)


def test_too_few_examples_to_hold_any_out():
    with pytest.raises(ValueError, match="data: expected at least 10 examples, to hold some out, received 9"):
        shuffled(torch.zeros(9, 2))


@pytest.mark.parametrize("kind", TOYS)
def test_a_toy_density_integrates_to_one(kind):
    # a fine grid around each bell (σ as small as 0.02) would be slow; importance sampling from wider bells is not
    g = torch.Generator().manual_seed(0)
    density = toy(kind)
    if kind == "checkerboard":
        x = torch.rand(200_000, 2, generator=g) * 10 - 5
        assert (density.log_prob(x).exp() * 100).mean().item() == pytest.approx(1, abs=0.02)
        return
    wide = type(density)(density.centres, density.sigma * 1.5, density.parts)
    x, _ = wide.sample(100_000, g)
    weight = (density.log_prob(x) - wide.log_prob(x)).exp()
    assert weight.mean().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("kind", TOYS)
def test_points_of_a_toy_come_from_its_density(kind):
    """The mean log-density of samples is minus the entropy, which is known, or bounded, for separate parts."""
    data = toy2d(kind, n=20_000)
    found = toy(kind).log_prob(data.train.x)
    bell = 1 + math.log(2 * math.pi)  # entropy of a round Gaussian of σ = 1 in the plane
    known = {
        "ring": -(bell + 2 * math.log(0.02) + math.log(8)),
        "grid25": -(bell + 2 * math.log(0.05) + math.log(25)),
        "checkerboard": -math.log(32),
        "islands": -(bell + 2 * math.log(0.4) + math.log(2)),
    }
    assert found.isfinite().all()
    if kind in known:
        assert found.mean().item() == pytest.approx(known[kind], abs=0.03)
    assert data.train.c.unique().tolist() == list(range(len(data.classes)))


def test_a_toy_log_density_agrees_with_torchs_own_mixture():
    density = toy("moons")
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.ones(len(density.centres))),
        torch.distributions.MultivariateNormal(density.centres, density.sigma**2 * torch.eye(2)),
    )
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(density.log_prob(x), mixture.log_prob(x), rtol=1e-4, atol=1e-4)


def test_the_star_has_five_rays_and_each_is_a_part():
    density = toy("star")
    angle = math.pi / 2 + 2 * math.pi / 5 * torch.arange(5)
    on, between = (torch.stack([a.cos(), a.sin()], 1) for a in (angle, angle + math.pi / 5))
    assert (density.log_prob(2.0 * on).exp() > 0.05).all() and (density.log_prob(1.4 * between).exp() < 0.01).all()
    inside = density.log_prob(0.5 * between).exp()
    assert inside.max() < 1.02 * inside.min(), "evenly filled"
    nearest = torch.cdist(2.0 * on, density.centres).argmin(1)
    assert sorted(density.parts[nearest].tolist()) == [0, 1, 2, 3, 4]
    shares = density.parts.bincount() / len(density.parts)
    assert (shares - 0.2).abs().max() < 0.02


def test_toys_are_seeded_and_known_by_name():
    assert toy2d("spirals", n=50).sha256 == toy2d("spirals", n=50).sha256 != toy2d("spirals", n=50, seed=1).sha256
    with pytest.raises(ValueError, match="Did you mean 'moons'"):
        load("toy2d", kind="moon")
    with pytest.raises(ValueError, match="at least 10 examples"):
        toy2d("ring", n=0)


@given(st.text(min_size=1, max_size=40).map(lambda s: s * 400), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_windows_are_the_text_moved_by_one(written, context):
    data = text(written, context=context)
    w = torch.cat([data.train.c, data.train.x], dim=1)
    assert data.decode(w[3]) == written[3 : 3 + context + 1]
    assert data.decode(data.encode(written[:50])) == written[:50]
    # what one window predicts last, the next one is given, and the parts do not meet
    held = len(written) // 20
    assert len(data.train) == len(written) - 2 * held - context
    heldout = torch.cat([data.valid.c[:1, 0], data.valid.x.flatten()])
    assert data.decode(heldout) == written[len(written) - 2 * held :][: len(heldout)]


def test_training_windows_share_one_memory():
    data = text("abcdefghij" * 1000, context=100)
    assert data.train.x.untyped_storage().nbytes() < 10_000 * 8 * 1.1
    assert data.train.x.untyped_storage().data_ptr() == data.train.c.untyped_storage().data_ptr()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("short",), "data: expected more than 64 characters in every part of the text .* received 5 in all"),
        (("",), "received 0 in all"),
        (("x" * 1279,), "received 1279 in all"),
    ],
)
def test_a_text_shorter_than_its_context(arguments, message):
    with pytest.raises(ValueError, match=message):
        text(*arguments)


def test_a_text_refuses_what_it_does_not_know():
    data = text("abc " * 400)
    with pytest.raises(ValueError, match="text: expected only characters of the data, received 'XZ'"):
        data.encode("aXbZ")
    with pytest.raises(ValueError, match="context: expected at least 1, received 0"):
        text("abc", context=0)


@pytest.mark.parametrize("name", ["pydocs", "stdlib"])
def test_text_that_ships_with_python(name):
    data = load(name, context=32)
    assert data.levels <= 128 and len(data.train) > 200_000
    whole = data.decode(torch.cat([data.train.c[::33], data.train.x[::33]], dim=1))
    assert {"pydocs": "statement", "stdlib": "import os"}[name] in whole
    assert _ascii("naïve…") == "nave"


def test_a_checkpoint_tells_one_context_from_another():
    assert text("abc " * 400, context=8).sha256 != text("abc " * 400, context=9).sha256


def test_every_set_is_listed():
    assert SETS.keys() == WHAT.keys() == {row["name"] for row in describe()}
    row = describe("digits")[0]
    assert row["what"].startswith("examples 1,000 + 350 + 447, shape [1, 8, 8], levels 17, classes 10, sha256 ")


def test_unknown_names_options_and_paths(tmp_path):
    for source, message in {
        "digit": "data: expected one of .* received 'digit'. Did you mean 'digits'",
        "nowhere/digits": "data: expected a file or folder, received nowhere/digits, which does not exist",
        "table.csv": "which does not exist",
    }.items():
        with pytest.raises(ValueError, match=message):
            load(source)
    with pytest.raises(ValueError, match="options: expected one of seed, split; received 'sed'. Did you mean 'seed'"):
        load("digits", sed=1)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "what.xyz").write_text("x")
    with pytest.raises(ValueError, match="received the empty file"):
        load(tmp_path / "empty.csv")
    with pytest.raises(ValueError, match="expected a file that ends in .npz, .npy, .csv"):
        load(tmp_path / "what.xyz")
