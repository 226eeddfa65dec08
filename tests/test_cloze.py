"""Gaps and who fills them; strings and how far they are off."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import metrics
from genkit.models.neighbours import Neighbours
from genkit.models.ngram import NGram


def test_one_gap_lies_in_the_middle_half_and_shares_are_shares():
    tokens = torch.zeros(500, 40, dtype=torch.int64)
    one = metrics.gaps(tokens, 0)
    assert (one.sum(1) == 1).all() and not one[:, :10].any() and not one[:, 30:].any()
    assert metrics.gaps(tokens, 0.3).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(metrics.gaps(tokens, 0.3), metrics.gaps(tokens, 0.3))


def test_a_cloze_counts_hidden_tokens_alone_and_shows_none_of_them():
    tokens = torch.arange(40).view(4, 10) % 7
    hidden = metrics.gaps(tokens, 0.4)

    def cheat(seen, where):
        assert (seen[where] == 9).all() and torch.equal(seen[~where], tokens[~where])
        return tokens[where]

    assert metrics.cloze(cheat, tokens, hidden, mask=9).value == 1
    assert metrics.cloze(lambda seen, where: seen[where], tokens, hidden, mask=9).value == 0


def test_those_who_count_fill_as_by_hand():
    text = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 2, 2, 0])
    tokens, hidden = torch.tensor([[0, 1, 2, 0, 1]] * 2), torch.tensor([[False, False, True, False, False]] * 2)
    for fill in (
        metrics.from_the_left(NGram(3, 4).fit(text)), metrics.from_both_sides(Neighbours(2, 4).fit(text)),
        metrics.by_network(lambda seen: torch.eye(4)[torch.tensor([[0, 1, 2, 0, 1]] * 2)]),
    ):  # fmt: skip
        assert metrics.cloze(fill, tokens, hidden, mask=3).value == 1


def test_the_left_side_sees_nothing_of_the_right():
    text = torch.randint(3, (300,), generator=torch.Generator().manual_seed(0))
    fill, hidden = metrics.from_the_left(NGram(3, 4).fit(text)), torch.zeros(1, 9, dtype=torch.bool)
    hidden[0, 4] = True
    seen = torch.randint(3, (20, 9)).masked_fill(hidden, 3)
    other = seen.clone()
    other[:, 5:] = (other[:, 5:] + 1) % 3
    assert torch.equal(fill(seen, hidden.expand(20, -1)), fill(other, hidden.expand(20, -1)))


def by_definition(a, b):
    table = {(0, j): j for j in range(len(b) + 1)} | {(i, 0): i for i in range(len(a) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            table[i, j] = min(
                table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
            )  # fmt: skip
    return table[len(a), len(b)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(1, 3), max_size=6), min_size=1, max_size=4))
def test_edit_distances_are_their_definition(rows):
    tokens = torch.tensor([row + [0] * (6 - len(row)) for row in rows])
    found = metrics.edit_distances(tokens, tokens)
    assert found.tolist() == [[by_definition(a, b) for b in rows] for a in rows]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.gaps(torch.zeros(1, 8), 1), r"share: expected a number in \[0, 1\), received 1"),
        (lambda: metrics.exact_match(["a"], ["a", "b"]), "written: expected 2 strings, received 1"),
        (lambda: metrics.cloze(None, torch.zeros(1, 8), torch.zeros(1, 8).bool(), mask=1), "hidden: expected shape"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
