"""Byte pairs: nothing is lost, and the merges are those of the definition."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.data import load
from genkit.data.bpe import WORDS, BytePairs
from genkit.data.text import text

SAMPLE = "the cat sat on the mat; the rat — não — ate 12 oats. " * 3 + "that is that, and that was that\n\n"


@pytest.fixture(scope="module")
def pairs():
    return BytePairs(SAMPLE, vocabulary=300)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_unicode_comes_back(pairs, written):
    assert pairs.decode(pairs.encode(written)) == written


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_expression_leaves_no_character_out(written):
    assert "".join(re.findall(WORDS, written)) == written


def slow_merges(written, count):
    """Merge the most frequent pair, again and again; of equally frequent ones the pair whose tokens are oldest."""
    bytes_to_print = {chr(b): b for b in [*range(33, 127), *range(161, 173), *range(174, 256)]}
    rest = [b for b in range(256) if b not in bytes_to_print.values()]
    bytes_to_print |= {chr(256 + i): b for i, b in enumerate(rest)}
    printed = {b: c for c, b in bytes_to_print.items()}
    number = {c: i for i, c in enumerate(sorted(bytes_to_print))}
    words = Counter(tuple(printed[b] for b in word.encode()) for word in re.findall(WORDS, written))
    merges = []
    for _ in range(count):
        found = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                found[pair] += n
        best = min(found, key=lambda pair: (-found[pair], number[pair[0]], number[pair[1]]))
        merges.append(best)
        number.setdefault("".join(best), len(number))
        words = Counter({tuple(merged(word, best)): n for word, n in words.items()})
    return merges


def merged(word, pair):
    out = []
    for piece in word:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


def test_merges_are_the_most_frequent_pairs(pairs):
    assert pairs.merges() == slow_merges(SAMPLE, len(pairs) - 256)


def test_text_in_byte_pairs_is_a_data_set_like_that_of_characters():
    data = text(SAMPLE * 20, context=8, pairs=280)
    assert data.levels == 280 and data.train.x.max() < 280
    assert data.decode(data.encode("the cat — não")) == "the cat — não"
    whole = data.decode(data.test.x)
    assert whole[:40] in SAMPLE * 2
    assert load("pydocs", pairs=512).levels == 512


def test_merges_are_learnt_from_the_training_part_alone():
    """What only the held-out part repeats is not merged."""
    data = text("abcd " * 500 + "zqzq" * 20, context=8, pairs=270)
    assert len(data.encode("zqzqzqzq")) == 8 and len(data.encode("abcdabcd")) < 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BytePairs("text", vocabulary=255), "vocabulary: expected at least the 256 bytes, received 255"),
        (lambda: BytePairs("text \ud800", vocabulary=256), "text: expected Unicode, received half a surrogate"),
        (lambda: BytePairs("a", vocabulary=256).encode("\udfff"), "text: expected Unicode"),
        (lambda: text(SAMPLE * 20, context=8, pairs=280, alphabet="abc"), "alphabet: expected None"),
    ],
)  # fmt: skip
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
