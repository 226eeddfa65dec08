"""Decoding: every rule against a slow and obvious definition, with ties, −∞, and numbers at the edge."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import decoding

# few different values, so that ties are common; −∞ is a token that is already forbidden
LOGIT = st.sampled_from([-3.0, -1.0, 0.0, 0.5, 0.5, 2.0, 4.0, -math.inf])
ROW = st.lists(LOGIT, min_size=1, max_size=8).filter(lambda row: max(row) > -math.inf)
SEEN = st.lists(st.integers(0, 7), max_size=6)
FEW = settings(max_examples=150, deadline=None)


def kept(row, function, *knobs):
    """Which places a rule leaves; those it leaves must have the logits they had."""
    out = function(torch.tensor([row]), *knobs)[0].tolist()
    places = {i for i, value in enumerate(out) if value > -math.inf}
    assert all(out[i] == row[i] for i in places)
    return places


def likeliest_first(row):
    return sorted(range(len(row)), key=lambda i: (-row[i], i))


def probabilities(row):
    top = max(row)
    weights = [math.exp(v - top) for v in row]
    return [w / sum(weights) for w in weights]


@given(ROW, st.integers(1, 12))
@FEW
def test_top_k(row, k):
    expected = {i for i in likeliest_first(row)[:k] if row[i] > -math.inf}
    assert kept(row, decoding.top_k, k) == expected


@given(ROW, st.sampled_from([1e-9, 0.1, 0.3, 0.5, 0.9, 0.99, 1.0]))
@FEW
def test_top_p(row, p):
    mass, expected = 0.0, set()
    for i in likeliest_first(row):
        if mass < p - 1e-12 and row[i] > -math.inf:
            expected.add(i)
        mass += probabilities(row)[i]
    found = kept(row, decoding.top_p, p)
    if found != expected:  # sums in another order may fall on the other side of p, by rounding alone
        edge = [sum(probabilities(row)[i] for i in likeliest_first(row)[:n]) for n in range(len(row) + 1)]
        assert min(abs(e - p) for e in edge) < 1e-6
    assert likeliest_first(row)[0] in found
    assert found == set(likeliest_first(row)[: len(found)]), "the likeliest, without a gap"


@given(ROW, st.sampled_from([1e-9, 0.1, 0.25, 0.9, 1.0]))
@FEW
def test_min_p(row, p):
    best = max(probabilities(row))
    expected = {i for i, q in enumerate(probabilities(row)) if q > 0 and q >= p * best * (1 - 1e-6)}
    assert kept(row, decoding.min_p, p) == expected


@given(ROW, st.sampled_from([0.0, 0.1, 0.7, 1.0, 3.0]))
@FEW
def test_temperature(row, t):
    out = decoding.temperature(torch.tensor([row]), t)[0].tolist()
    if t == 0:
        assert [i for i, v in enumerate(out) if v > -math.inf] == [likeliest_first(row)[0]]
    else:
        assert out == pytest.approx([v / t for v in row])


@given(ROW, SEEN, st.sampled_from([0.5, 1.0, 1.3, 10.0]))
@FEW
def test_penalties(row, seen, penalty):
    seen = [token for token in seen if token < len(row)]
    tokens = torch.tensor([seen], dtype=torch.int64).view(1, -1)
    logits = torch.tensor([row])
    by_hand = {
        "repetition_penalty": [(v / penalty if v > 0 else v * penalty) if i in seen else v for i, v in enumerate(row)],
        "presence_penalty": [v - penalty * (i in seen) for i, v in enumerate(row)],
        "frequency_penalty": [v - penalty * seen.count(i) for i, v in enumerate(row)],
    }
    for name, expected in by_hand.items():
        assert decoding.RULES[name](logits, tokens, penalty)[0].tolist() == pytest.approx(
            expected, rel=1e-5, abs=1e-5
        ), name
    assert logits[0].tolist() == row, "the logits given stay as they were"


@given(ROW, SEEN)
@FEW
def test_rules_are_applied_in_the_customary_order(row, seen):
    seen = [token for token in seen if token < len(row)] or [0]
    logits, tokens = torch.tensor([row]), torch.tensor([seen])
    steps = decoding.rules(top_p=0.8, temperature=0.7, frequency_penalty=0.4, top_k=3)
    expected = decoding.frequency_penalty(logits, tokens, 0.4)
    for function, value in ((decoding.temperature, 0.7), (decoding.top_k, 3), (decoding.top_p, 0.8)):
        expected = function(expected, value)
    assert torch.equal(decoding.apply(logits, tokens, steps), expected)


TABLE = torch.tensor([[0.1, 2.0, 0.3, -1.0], [1.0, 0.0, 0.5, 2.0], [0.0, 3.0, 0.0, 0.0], [2.0, 1.9, 0.0, -2.0]])


def chain(tokens):
    """A language of four tokens in which the next depends on the last alone."""
    return TABLE[tokens[:, -1]]


def exact(length, start=0):
    """log p of every text of a length, by going through them all."""
    log_p = TABLE.log_softmax(-1)
    found = {}
    for text in itertools.product(range(4), repeat=length):
        steps = zip([start, *text], text, strict=False)
        found[text] = sum(log_p[a, b].item() for a, b in steps)
    return found


def test_greedy_takes_the_likeliest_and_reports_its_log_probability():
    written = decoding.write(chain, torch.tensor([0]), 4, greedy=True)
    assert written.tokens.tolist() == [1, 3, 0, 1]
    assert written.log_probs.sum().item() == pytest.approx(exact(4)[1, 3, 0, 1], abs=1e-5)
    torch.testing.assert_close(written.chosen, written.log_probs)


def test_draws_follow_the_rules():
    g = torch.Generator().manual_seed(0)
    steps = decoding.rules(temperature=1.5, top_k=3)
    n = 4000
    first = torch.tensor([decoding.write(chain, torch.tensor([0]), 1, steps, generator=g).tokens[0] for _ in range(n)])
    expected = decoding.apply(TABLE[:1], torch.tensor([[0]]), steps).softmax(-1)[0]
    torch.testing.assert_close(first.bincount(minlength=4) / n, expected, atol=0.03, rtol=0)
    assert (first != 3).all(), "the fourth was cut off"


def test_a_drawn_token_has_two_probabilities():
    written = decoding.write(chain, torch.tensor([0]), 5, decoding.rules(top_k=1))
    assert written.chosen.tolist() == [0.0] * 5, "nothing else was left"
    assert (written.log_probs < 0).all()


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_a_wide_beam_finds_the_most_probable_text(length):
    every = exact(length)
    best = max(every, key=every.get)
    found = decoding.beam_search(chain, torch.tensor([0]), length, beams=4**length)
    assert tuple(found.tokens.tolist()) == best
    assert found.log_probs.sum().item() == pytest.approx(every[best], abs=1e-5)
    narrow = decoding.beam_search(chain, torch.tensor([0]), length, beams=1)
    assert narrow.tokens.tolist() == decoding.write(chain, torch.tensor([0]), length, greedy=True).tokens.tolist()
    assert narrow.log_probs.sum() <= found.log_probs.sum() + 1e-6


def test_a_beam_may_end_early():
    found = decoding.beam_search(chain, torch.tensor([0]), 5, beams=8, end=3)
    every = {t: p for n in range(1, 6) for t, p in exact(n).items() if 3 not in t[:-1] and (t[-1] == 3 or n == 5)}
    assert tuple(found.tokens.tolist()) == max(every, key=every.get)
    mean = decoding.beam_search(chain, torch.tensor([0]), 5, beams=64, end=3, alpha=1.0)
    assert tuple(mean.tokens.tolist()) == max(every, key=lambda t: every[t] / len(t))


def test_writing_stops_where_it_is_told():
    def decode(tokens):
        return "".join("abcd"[i] for i in tokens.tolist())

    written = decoding.write(chain, torch.tensor([0]), 50, greedy=True, stop=decoding.stop_at(["da"], decode))
    assert decode(written.tokens) == "bda"
    with pytest.raises(ValueError, match="strings: expected at least one, none of them empty"):
        decoding.stop_at([""], decode)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decoding.temperature(TABLE, -0.1), "temperature: expected a finite number >= 0, received -0.1"),
        (lambda: decoding.temperature(TABLE, math.nan), "temperature: expected a finite number"),
        (lambda: decoding.top_k(TABLE, 0), "top_k: expected at least 1, received 0"),
        (lambda: decoding.top_p(TABLE, 0.0), r"top_p: expected a number in \(0, 1\], received 0.0"),
        (lambda: decoding.top_p(TABLE, 1.1), r"top_p: expected a number in \(0, 1\]"),
        (lambda: decoding.min_p(TABLE, 0.0), r"min_p: expected a number in \(0, 1\]"),
        (lambda: decoding.repetition_penalty(TABLE, torch.zeros(4, 1, dtype=int), 0.0), "expected a number above 0"),
        (lambda: decoding.presence_penalty(TABLE, torch.zeros(4, 1, dtype=int), math.inf), "expected a finite number"),
        (lambda: decoding.rules(top_q=0.5), "rules: expected one of .* received 'top_q'. Did you mean 'top_"),
        (lambda: decoding.write(chain, torch.tensor([], dtype=int), 3), "prompt: expected at least one token"),
        (lambda: decoding.write(chain, torch.tensor([0]), 0), "length: expected at least 1, received 0"),
        (lambda: decoding.beam_search(chain, torch.tensor([0]), 3, beams=0), "received 3 and 0"),
        (lambda: decoding.apply(torch.full((1, 3), -math.inf), torch.tensor([[0]]), []), "at least one token"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
