"""Dates and numbers in four places of the world: right pairs, splits that share nothing, rows that come back."""

import datetime
import itertools
import random
from decimal import Decimal

import pytest
import torch

from genkit.data import load
from genkit.data.locales import DIGITS, END, KINDS, LOCALES, PAD, draw, filled, source_text, written


@pytest.fixture(scope="module")
def data():
    return load("locales", train=1500, held=200)


def texts(data, split):
    return [(data.decode(c), data.decode(x)) for c, x in zip(split.c, split.x, strict=True)]


MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "de": [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
}


def by_hand(value, tag):
    if isinstance(value, datetime.date):
        month = MONTHS[tag][value.month - 1]
        form = {"en": "{m} {d}, {y}", "de": "{d}. {m} {y}", "fr": "{d} {m} {y}", "es": "{d} de {m} de {y}"}[tag]
        return form.format(d=value.day, m=month, y=value.year)
    group, point = {"en": ",.", "de": ".,", "fr": "\u202f,", "es": ".,"}[tag]
    plain = f"{value:,f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return plain.replace(",", "g").replace(".", point).replace("g", group)


def test_babel_writes_what_one_writes_by_hand():
    chance = random.Random(1)
    for kind, _ in itertools.product(KINDS, range(150)):
        value = draw(kind, chance)
        for tag in LOCALES:
            assert written(value, tag) == by_hand(value, tag)


def test_splits_share_no_date_and_no_number(data):
    def values(split):
        return {(written_as[3:5], target) for written_as, target in texts(data, split)}

    def neutral(split):  # every pair read back into English, whatever its direction
        found = set()
        for source, target in texts(data, split):
            tags = {source[:2]: source[6:], source[3:5]: target}
            found |= {(tag, text) for tag, text in tags.items()}
        return found

    train, valid, test = (values(s) for s in (data.train, data.valid, data.test))
    assert not train & test and not train & valid and not valid & test
    assert not neutral(data.train) & neutral(data.test)
    assert (len(data.train), len(data.valid), len(data.test)) == (1500, 100, 200)


def test_rows_are_tokens_that_end_and_are_filled_up(data):
    for split in (data.train, data.test):
        assert split.x.dtype == split.c.dtype == torch.int64
        assert ((split.x == END).sum(1) == 1).all() and not (split.c == END).any()
        after = (split.x == END).cumsum(1) > 0
        assert torch.equal(split.x == PAD, after & (split.x != END))
        assert split.x.max() < data.levels
    assert data.shape == (data.train.x.shape[1],)


def test_encode_and_decode_undo_each_other(data):
    for string in ("en>de March 5, 2031", "fr>es -1\u202f234,5"):
        assert data.decode(data.encode(string)) == string
    ended = torch.cat([data.encode("5"), torch.tensor([END]), data.encode("6")])
    assert data.decode(ended) == "5"
    with pytest.raises(ValueError, match="text: expected only characters of the data, received '☃'"):
        data.encode("☃")


def test_factors_name_kind_and_direction(data):
    tags = list(LOCALES)
    f = data.test.factors
    for i, (source, target) in enumerate(texts(data, data.test)):
        assert source.startswith(f"{tags[f['source'][i]]}>{tags[f['target'][i]]} ")
        assert (f["kind"][i] == 1) == (target.strip("-")[-1].isdigit() and not any(ch.isalpha() for ch in target))
    assert (f["source"] != f["target"]).all() and f["kind"].float().mean().item() == pytest.approx(0.5, abs=0.12)


def test_the_same_seed_gives_the_same_data_and_the_side_of_padding_changes_no_text(data):
    again, other = load("locales", train=1500, held=200), load("locales", train=1500, held=200, seed=1)
    left = load("locales", train=1500, held=200, pad="left")
    assert data.sha256 == again.sha256 != other.sha256
    assert texts(data, data.test) == texts(left, left.test)
    assert (left.test.c[:, -1] != PAD).all() and (left.test.c[:, 0] == PAD).any()


def test_numbers_have_the_digits_that_were_asked_for():
    chance = random.Random(0)
    for _ in range(200):
        value = draw("number", chance, digits=(DIGITS + 1, DIGITS + 2))
        assert 10**DIGITS <= abs(value) < 10 ** (DIGITS + 2)
        assert source_text(value, "en", "de").startswith("en>de ")


def test_no_number_is_minus_zero():
    assert "-0" not in {
        target for _, target in texts(load("locales", train=3000, held=50), load("locales", train=3000, held=50).train)
    }
    assert written(Decimal("-0.5"), "de") == "-0,5"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: load("locales", train=1), "train: expected at least 2, received 1"),
        (lambda: load("locales", pad="top"), "pad: expected 'left' or 'right', received 'top'"),
        (lambda: written(Decimal(1), "xx"), "tag: expected one of en, de, fr, es, received 'xx'"),
        (lambda: draw("word", random.Random(0)), "kind: expected one of date, number, received 'word'"),
        (lambda: filled([torch.tensor([1, 2])], width=1), "width: expected at least 2"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
