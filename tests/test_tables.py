"""scikit-learn's small tables: whole, in three parts that look alike, in their own units and by their own names."""

import pytest
import torch
from sklearn import datasets

from genkit.data import describe, load

SIZES = {"iris": (150, 4, 3), "wine": (178, 13, 3), "breast_cancer": (569, 30, 2), "diabetes": (442, 10, None)}


def parts(data):
    return data.train, data.valid, data.test


def raw(name):
    options = {"scaled": False} if name == "diabetes" else {}
    return getattr(datasets, f"load_{name}")(**options)


@pytest.mark.parametrize("name", SIZES)
def test_the_parts_hold_every_row_of_the_table_once_with_its_own_label(name):
    data, table = load(name), raw(name)
    found = torch.cat([torch.cat([s.x, s.c[:, None].float()], 1) for s in parts(data)])
    expected = torch.tensor(table.data, dtype=torch.float32)
    expected = torch.cat([expected, torch.tensor(table.target, dtype=torch.float32)[:, None]], 1)
    assert sorted(found.tolist()) == sorted(expected.tolist())
    n, d, k = SIZES[name]
    assert (len(found), data.shape) == (n, (d,)) and (data.classes and len(data.classes)) == k
    assert data.train.x.dtype == torch.float32 and data.train.c.dtype == (torch.int64 if k else torch.float32)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_no_row_stands_in_two_parts_and_one_in_five_is_held_out_twice(name, seed):
    data = load(name, seed=seed)
    rows = [{tuple(row) for row in s.x.tolist()} for s in parts(data)]
    assert not rows[0] & rows[1] and not rows[0] & rows[2] and not rows[1] & rows[2]
    total = sum(len(s) for s in parts(data))
    assert [round(len(s) / total, 1) for s in parts(data)] == [0.6, 0.2, 0.2]


def test_the_twins_among_the_irises_stay_together_in_every_split():
    for seed in range(30):
        data = load("iris", seed=seed)
        twins = torch.tensor([5.8, 2.7, 5.1, 1.9])
        assert sorted(int((s.x == twins).all(1).sum()) for s in parts(data)) == [0, 0, 2]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_every_class_has_the_same_share_in_every_part(name):
    data = load(name, seed=3)
    whole = torch.cat([s.c for s in parts(data)]).bincount() / sum(len(s) for s in parts(data))
    for s in parts(data):
        assert (s.c.bincount() / len(s) - whole).abs().max() < 0.04


def test_a_number_to_predict_is_spread_alike_in_every_part():
    for seed in range(5):
        data = load("diabetes", seed=seed)
        tenths = torch.cat([s.c for s in parts(data)]).quantile(torch.tensor([0.1, 0.5, 0.9]))
        for s in parts(data):
            below = [(s.c < t).double().mean().item() for t in tenths]
            assert below == pytest.approx([0.1, 0.5, 0.9], abs=0.04)
    assert data.train.c.min() >= 25 and data.train.c.max() <= 346


def test_columns_are_known_by_name_and_in_their_own_units():
    data = load("diabetes")
    age = data.train.factors["age"]
    assert torch.equal(age, data.train.x[:, 0]) and age.min() >= 19 and age.max() <= 79, "years, not standardised"
    assert list(load("wine").test.factors) == raw("wine").feature_names
    assert load("breast_cancer").classes == ("malignant", "benign")


def test_a_row_is_written_and_read_by_names():
    data = load("iris")
    row = data.decode(data.test.x[0])
    assert list(row) == raw("iris").feature_names and torch.equal(data.encode(row), data.test.x[0])
    assert torch.equal(data.encode(dict(reversed(row.items()))), data.test.x[0]), "names decide, not their order"
    with pytest.raises(ValueError, match=r"row: expected sepal length .* received petal"):
        data.encode({"petal": 1.0})


def test_splits_are_seeded_and_described():
    assert load("wine").sha256 == load("wine").sha256 != load("wine", seed=1).sha256
    assert describe("diabetes")[0]["examples"] == "266 + 88 + 88"
