"""Copies one by one: the count, what the rank test is to be expected to say, and pictures moved by a pixel."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.metrics import copy_score, nearest
from genkit.metrics.replicas import expected_score, nearest_few, nudged, replica_share


def plane(n, seed):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def test_a_model_that_draws_as_the_data_are_drawn_comes_to_the_level():
    train, test, fresh = plane(200, 0), plane(4000, 1), plane(4000, 2)
    for level in (0.01, 0.1, 0.3):
        found = replica_share(train, test, fresh, level=level)
        assert abs(found.value - level) < 5 * found.stderr + 0.01


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_copies_are_counted(share):
    train, test, fresh = plane(300, 0), plane(1000, 1), plane(1000, 2)
    copies = round(1000 * share)
    mixed = torch.cat([train.repeat(4, 1)[:copies], fresh[copies:]])
    assert abs(replica_share(train, test, mixed).value - (share + 0.01 * (1 - share))) < 0.02


def test_the_limit_is_the_test_examples_own():
    train, samples = torch.zeros(1, 1), torch.tensor([[0.5], [1.5], [2.5], [9.0]])
    test = torch.arange(1.0, 12.0)[:, None]  # the tenth part of eleven equal steps: 2
    assert replica_share(train, test, samples, level=0.1).value == 0.5


@settings(max_examples=12, deadline=None)
@given(st.floats(0, 1), st.integers(50, 400), st.integers(50, 400), st.integers(0, 9))
def test_the_score_of_exact_copies_is_the_expected_one(share, m, n, seed):
    train, test, fresh = plane(300, seed), plane(n, seed + 100), plane(m, seed + 200)
    copies = round(m * share)
    mixed = torch.cat([train.repeat(2, 1)[:copies], fresh[copies:]])
    found = copy_score(train, test, mixed).value
    # copies tie at distance 0: the deviation is corrected for ties, and z is larger for it, never smaller
    assert found <= expected_score(copies / m, m, n) + 4.5
    near = mixed.clone()
    near[:copies] += 1e-4 * plane(copies, 7)  # no ties
    assert abs(copy_score(train, test, near).value - expected_score(copies / m, m, n)) < 4.5


def test_more_samples_do_not_help_beyond_the_test_set():
    scores = [expected_score(0.05, m, 447) for m in (100, 1000, 10_000, 10**7)]
    assert scores == sorted(scores, reverse=True) and scores[-1] > -0.05 * (3 * 447) ** 0.5 - 1e-9
    assert expected_score(0.2, 70, 90) == expected_score(0.2, 90, 70) == 2 * expected_score(0.1, 70, 90)
    assert expected_score(0.0, 5, 5) == 0


def test_nudged_holds_every_shift_and_the_picture_itself():
    x = torch.rand(3, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    moved = nudged(x)
    assert moved.shape == (27, 2, 5, 6)
    assert nearest(x, moved).max() < 0.01
    right = torch.zeros_like(x)
    right[..., 1:] = x[..., :-1]
    down = torch.zeros_like(x)
    down[..., 1:, :] = x[..., :-1, :]
    for shifted in (right, down):
        assert nearest(shifted, moved).max() < 0.01 < nearest(shifted, x).min()
    assert nudged(x, 0).equal(x)
    assert nudged(x, 2).shape[0] == 75


def test_the_nearest_few_by_counting():
    """Two samples and two test examples: of the two nearest, both are samples in one of six orders."""
    train, test = torch.zeros(1, 1), torch.tensor([[3.0], [4.0]])
    assert nearest_few(train, test, torch.tensor([[1.0], [2.0]]), few=2) == pytest.approx(1 / 6)
    assert nearest_few(train, test, torch.tensor([[1.0], [3.5]]), few=2) == pytest.approx(5 / 6)
    assert nearest_few(train, test, torch.tensor([[3.0], [4.0]]), few=1) == pytest.approx(1.0)  # a tie is not counted
    assert nearest_few(train, test, torch.tensor([[8.0], [9.0]]), few=4) == pytest.approx(1.0)


def test_the_nearest_few_see_what_the_ranks_do_not_and_seldom_cry_wolf():
    train, caught, alarms = plane(300, 0), 0, 0
    for seed in range(30):
        test, fresh = plane(400, seed + 1), plane(400, seed + 50)
        mixed = torch.cat([train[:25], fresh[25:]])
        caught += nearest_few(train, test, mixed) < 0.00135 and copy_score(train, test, mixed).value > -3
        alarms += nearest_few(train, test, fresh) < 0.01
    assert caught > 20 and alarms <= 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: replica_share(plane(9, 0), plane(9, 1), plane(9, 2), level=0.0), "level: expected a share"),
        (lambda: replica_share(plane(9, 0), plane(9, 1), plane(9, 2), level=0.7), "received 0.7"),
        (lambda: replica_share(plane(9, 0), torch.zeros(9, 3), plane(9, 2)), "dimensions"),
        (lambda: expected_score(1.5, 9, 9), "share: expected"),
        (lambda: expected_score(0.5, 0, 9), "samples, test: expected"),
        (lambda: nearest_few(plane(9, 0), plane(9, 1), plane(9, 2), few=19), r"few: expected a number in \[1, 18\]"),
        (lambda: nudged(torch.zeros(3, 4)), "x: expected images"),
        (lambda: nudged(torch.zeros(1, 1, 2, 2), -1), "by: expected"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
