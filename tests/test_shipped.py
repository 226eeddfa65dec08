"""Models that are shipped trained: they are what their cards say, and what the source still makes."""

import pytest
import torch

from genkit import recipes, shipped
from genkit.nn.classifier import WEIGHTS

NAMES = sorted(p.stem for p in WEIGHTS.glob("*.json") if p.stem in recipes.RECIPES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_draws_and_its_source_is_that_of_today(name):
    model = shipped.shipped(name)
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    recipe, data = recipes.get(name), recipes.get(name).dataset()
    x = model.sample(3, data.test.c[:3] if recipe.conditional else None)
    assert x.shape == (3, *data.shape) and x.isfinite().all()
    assert shipped.card(name)["recipe"] == shipped.made_of(name), f"stale: python -m genkit.shipped {name}"


def test_some_model_is_shipped():
    assert "gan-glyphs-style" in NAMES


def test_a_model_that_is_not_shipped_or_damaged_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="expected a model that is shipped, received 'gan-ring'"):
        shipped.shipped("gan-ring")
    for suffix in ("safetensors", "json"):
        name = f"gan-glyphs-style.{suffix}"
        (tmp_path / name).write_bytes((WEIGHTS / name).read_bytes() + b" " * (suffix == "safetensors"))
    monkeypatch.setattr(shipped, "WEIGHTS", tmp_path)
    with pytest.raises(ValueError, match="the file is damaged"):
        shipped.shipped("gan-glyphs-style")


def test_shipping_writes_weights_that_can_be_read_again(tmp_path, monkeypatch):
    from dataclasses import replace

    from genkit.training import TrainConfig

    tiny = replace(recipes.get("gan-ring-plain"), name="tiny", quick=TrainConfig(steps=3, batch=10))
    monkeypatch.setitem(recipes.RECIPES, "tiny", tiny)
    monkeypatch.setattr(shipped, "WEIGHTS", tmp_path)
    card = shipped.ship("tiny")
    assert card["recipe"] == shipped.made_of("tiny") and card["kind"] == "tiny"
    trained = recipes.train(tiny, progress=False).model
    for a, b in zip(shipped.shipped("tiny").parameters(), trained.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
