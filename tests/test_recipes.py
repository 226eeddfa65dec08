"""Recipes: every one builds, is JSON, and is trained once per machine; records say when they are stale."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from genkit import recipes, record, source
from genkit.record import Expected
from genkit.training import TrainConfig


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_builds_from_json_and_its_first_weights_follow_the_seed(name):
    recipe = recipes.get(name)
    rebuilt = recipes.build(recipe.family, **json.loads(json.dumps(recipe.arguments)))
    one, same, other = (recipe.build(seed).state_dict() for seed in (0, 0, 1))
    assert {k: v.shape for k, v in rebuilt.state_dict().items()} == {k: v.shape for k, v in one.items()}
    assert all(torch.equal(one[k], same[k]) for k in one)
    assert any(not torch.equal(one[k], other[k]) for k in one)
    assert json.dumps(asdict(recipe))


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    monkeypatch.setenv("GENKIT_CACHE", str(tmp_path))
    recipe = replace(recipes.get("vae-digits"), name="tiny", quick=TrainConfig(steps=5, batch=20))
    monkeypatch.setitem(recipes.RECIPES, "tiny", recipe)
    return recipe


def test_a_model_is_trained_once_and_found_again(tiny, monkeypatch, tmp_path):
    first = recipes.trained("tiny")
    monkeypatch.setattr(recipes, "train", lambda *a, **k: pytest.fail("trained again"))
    again = recipes.trained("tiny")
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), again.model.parameters(), strict=True))
    assert again.history == first.history


def test_a_damaged_cache_is_made_anew(tiny, tmp_path):
    first = recipes.trained("tiny")
    (path,) = tmp_path.rglob("model.safetensors")
    path.write_bytes(b"damaged")
    again = recipes.trained("tiny")
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), again.model.parameters(), strict=True))


def test_the_cache_key_covers_arguments_training_scale_and_seed(tiny, monkeypatch):
    key = recipes.recipe_hash(tiny)
    assert key == recipes.recipe_hash(tiny)
    changed = [
        recipes.recipe_hash(tiny, seed=1),
        recipes.recipe_hash(replace(tiny, arguments=tiny.arguments | {"latent": 3})),
        recipes.recipe_hash(replace(tiny, quick=TrainConfig(steps=6, batch=20))),
    ]
    monkeypatch.setenv("GENKIT_SCALE", "full")
    changed.append(recipes.recipe_hash(tiny))
    assert len({key, *changed}) == 5


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("dbn-binary_digits", "models.boltzmann"), ("vq-digits", "models.gpt"), ("vq-digits", "nn.patches"),
        ("flow-star-spline", "models.zuko_flow"),
    ],
)  # fmt: skip
def test_a_cached_model_is_made_anew_when_a_part_of_it_changes(name, part, monkeypatch):
    recipe = recipes.get(name)
    before = recipes.recipe_hash(recipe)
    plain = source.source_hash
    monkeypatch.setattr(recipes, "source_hash", lambda *names: "changed" if part in names else plain(*names))
    assert recipes.recipe_hash(recipe) != before


def test_the_source_hash_follows_imports_and_ignores_comments(tmp_path, monkeypatch):
    package = tmp_path / "genkit"
    package.mkdir()
    (package / "a.py").write_text('"""Doc."""\nfrom .b import f\n\n\ndef g():\n    return f()  # why\n')
    (package / "b.py").write_text("def f():\n    return 1\n")
    monkeypatch.setattr(source, "__file__", str(package / "recipes.py"))

    def found():
        source.source_hash.cache_clear()
        return source.source_hash("a")

    before = found()
    (package / "a.py").write_text('"""Another."""\nfrom .b import f\n\n\ndef g():\n    return f()\n')
    assert found() == before
    (package / "b.py").write_text("def f():\n    return 2\n")
    assert found() != before
    source.source_hash.cache_clear()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: recipes.get("vae-digit"), "Did you mean 'vae-digits'?"),
        (lambda: recipes.build("vae", shape=[1, 4, 4], pixels="bernouli"), "Did you mean 'bernoulli'?"),
        (lambda: recipes.build("vae", shape=[1, 4, 4], pixels="bernoulli", size=3), "expected those of vae"),
        (lambda: recipes.build("vae", shape=[1, 4, 4], pixels="bernoulli", network="cnn"), "network: expected one of"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("chapter", record.records.CHAPTERS)
def test_no_record_is_stale(chapter):
    assert not record.stale(chapter), f"the code behind {chapter} has changed: genkit record {chapter}"


def test_the_record_holds_what_the_issue_asks_for():
    seeds = record.recorded("models/vae")["seeds"]
    assert len(seeds) >= 3
    assert Expected.over([run["elbo"] for run in seeds]).mean > -94
    assert Expected.over([run["iwae"] for run in seeds]).mean > -91
    assert max(run["seconds"] for run in seeds) < 60


def test_the_record_of_flows_holds_what_the_issue_asks_for():
    found = record.recorded("models/flows")
    for key, least in (("uniform", -96), ("variational", -94)):
        assert len(found[key]) >= 3
        assert Expected.over([run["elbo"] for run in found[key]]).mean > least
        assert max(run["seconds"] for run in found[key]) < 60
    assert found["claims"]["C04"]


def test_expected_admits_what_lies_near():
    expected = Expected.over([1.0, 2.0, 3.0])
    assert expected.mean == 2.0 and expected.deviation == 1.0 and expected.stderr == pytest.approx(3**-0.5)
    assert expected.admits(6.0, slack=0.0) and not expected.admits(6.1, slack=0.0) and expected.admits(6.1, slack=0.2)
    with pytest.raises(ValueError, match="at least 2 seeds"):
        Expected.over([1.0])


def test_an_unknown_chapter_is_named():
    with pytest.raises(ValueError, match="Did you mean 'models/vae'"):
        record.recorded("models/vea")
