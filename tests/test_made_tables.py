"""Houses and exam answers that the book makes: their truths are what their modules say, and so is their noise."""

import random

import pytest
import torch

from genkit.data import load
from genkit.data.exam import EMPTY, ERRORS, IDEAS, SLIP, TOP, answer
from genkit.data.houses import COLUMNS, NOISE, worth


def parts(data):
    return data.train, data.valid, data.test


def whole(data, pick):
    return torch.cat([pick(s) for s in parts(data)])


# houses ---------------------------------------------------------------------------------------------------------------


def test_what_is_paid_is_the_worth_and_noise_of_the_stated_size():
    data = load("houses", n=20_000)
    off = whole(data, lambda s: (s.c / s.factors["worth"]).log())
    assert off.mean().abs() < 4 * NOISE / len(off) ** 0.5
    assert off.std().item() == pytest.approx(NOISE, rel=0.02)
    x = whole(data, lambda s: s.x)
    assert torch.corrcoef(torch.cat([x, off[:, None]], 1).T)[-1, :-1].abs().max() < 0.03, "noise knows of no column"


def test_the_worth_is_a_function_of_the_columns_alone_and_goes_the_ways_that_are_said():
    data = load("houses")
    torch.testing.assert_close(data.test.factors["worth"], worth(data.test.x))
    house = {"area": 100.0, "rooms": 4.0, "age": 20.0, "garden": 100.0, "distance": 5.0}

    def value(**change):
        return worth(data.encode(house | change)[None]).item()

    assert value(area=120.0) > value() and value(rooms=5.0) > value() and value(garden=200.0) > value()
    assert value(distance=10.0) < value()
    assert value(age=60.0) < value(age=40.0) < value(age=0.0) and value(age=110.0) > value(age=60.0)
    assert value(area=200.0) / value(area=100.0) == pytest.approx(2**0.85, rel=1e-4)


def test_houses_look_like_houses_and_keep_their_parts_apart():
    data = load("houses")
    assert [len(s) for s in parts(data)] == [800, 100, 100] and data.classes is None
    x = whole(data, lambda s: s.x)
    assert ((x[:, 0] >= 30) & (x[:, 0] <= 300)).all() and (x[:, 1] >= 1).all() and (x >= 0).all()
    assert len(x.unique(dim=0)) > 990
    row = data.decode(data.test.x[0])
    assert tuple(row) == COLUMNS and torch.equal(data.encode(row), data.test.x[0])
    assert torch.equal(data.test.factors["age"], data.test.x[:, 2])
    assert load("houses", seed=1).sha256 != data.sha256 == load("houses").sha256
    with pytest.raises(ValueError, match=r"n: expected 10 … 100,000, received 9"):
        load("houses", n=9)
    with pytest.raises(ValueError, match="row: expected area, rooms, age, garden, distance; received area"):
        data.encode({"area": 1.0})


# exam answers ---------------------------------------------------------------------------------------------------------


def count(text, groups):
    return sum(any(way in text for way in ways) for ways in groups)


def test_the_scheme_is_ideas_less_errors():
    chance = random.Random(5)
    for _ in range(500):
        text, mark = answer(chance)
        assert mark == min(max(count(text, IDEAS) - count(text, ERRORS), 0), TOP)
    sentences = [s for group in (*IDEAS, *ERRORS, EMPTY) for s in group]
    assert not [a for a in sentences for b in sentences if a != b and a in b], "or counting would count twice"


def test_the_parts_hold_different_answers_whose_scheme_the_text_tells():
    data = load("exam", n=500)
    assert [len(s) for s in parts(data)] == [300, 100, 100]
    texts = [data.decode(row) for row in whole(data, lambda s: s.x)]
    assert len(set(texts)) == 500
    told = [min(max(count(t, IDEAS) - count(t, ERRORS), 0), TOP) for t in texts]
    assert whole(data, lambda s: s.factors["scheme"]).tolist() == told
    assert data.classes == tuple("01234") and whole(data, lambda s: s.c).unique().tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(data.encode(texts[-1]), data.test.x[-1])


def test_markers_slip_as_often_as_is_said_by_one_and_each_alone():
    data = load("exam", n=6000)
    scheme, first, second = (
        whole(data, pick) for pick in (lambda s: s.factors["scheme"], lambda s: s.c, lambda s: s.factors["second"])
    )
    middle = (scheme > 0) & (scheme < TOP)  # at the ends half of the slips are clipped
    slips = [(m - scheme)[middle] for m in (first, second)]
    for s in slips:
        assert s.abs().max() == 1 and (s != 0).double().mean().item() == pytest.approx(SLIP, abs=0.02)
    both = ((slips[0] != 0) & (slips[1] != 0)).double().mean().item()
    assert both == pytest.approx(SLIP**2, abs=0.01), "independently of each other"


def test_exam_is_seeded_and_refuses_what_it_does_not_know():
    data = load("exam", n=100)
    assert data.sha256 == load("exam", n=100).sha256 != load("exam", n=100, seed=1).sha256
    with pytest.raises(ValueError, match="known words, received .*cheese"):
        data.encode("the moon is made of cheese .")
    with pytest.raises(ValueError, match="n: expected 10 … 20,000, received 5"):
        load("exam", n=5)
