"""k-means: its two steps are the library's, neither ever raises the inertia, and a bad start is a bad end."""

import itertools
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from genkit.clustering import assign, at_random, best_of, distances, inertia, kmeans, move, spread_out


def blobs(seed=0, n=40, k=4, d=2, spread=0.5):
    g = torch.Generator().manual_seed(seed)
    middles = 6 * torch.rand(k, d, generator=g)
    return (middles[:, None] + spread * torch.randn(k, n // k, d, generator=g)).flatten(0, 1).double()


CASES = st.tuples(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 4))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("start", [at_random, spread_out])
def test_from_the_same_centres_it_ends_where_scikit_learn_does(seed, start):
    x = blobs(seed, n=200, k=5, d=3, spread=1.5)
    centres = start(x, 6, random.Random(seed).random)
    *_, last = kmeans(x, centres)
    theirs = KMeans(6, init=centres.numpy(), n_init=1, tol=0, max_iter=300).fit(x.numpy())
    torch.testing.assert_close(last.centres, torch.tensor(theirs.cluster_centers_))
    assert last.labels.tolist() == theirs.labels_.tolist()
    assert last.inertia == pytest.approx(theirs.inertia_, rel=1e-8)


@given(CASES)
@settings(max_examples=60, deadline=None)
def test_no_step_raises_the_inertia_and_the_end_is_a_fixed_point(case):
    seed, k, d = case
    x = blobs(seed, n=30, k=3, d=d, spread=2.0)
    centres = at_random(x, k, random.Random(seed).random)
    story = list(kmeans(x, centres))
    for a, b in itertools.pairwise(story):
        moved = inertia(x, a.labels, b.centres)
        assert b.inertia <= moved + 1e-9 and moved <= a.inertia + 1e-9
    last = story[-1]
    torch.testing.assert_close(move(x, last.labels, last.centres), last.centres)
    assert torch.equal(assign(x, last.centres), last.labels)


@given(CASES)
@settings(max_examples=40, deadline=None)
def test_assigning_takes_the_nearest_of_all(case):
    seed, k, d = case
    x, centres = blobs(seed, n=12, k=2, d=d), blobs(seed + 1, n=k, k=1, d=d)
    by_hand = [min(range(k), key=lambda j: float(((p - centres[j]) ** 2).sum())) for p in x]
    assert assign(x, centres).tolist() == by_hand
    torch.testing.assert_close(distances(x, centres), torch.cdist(x, centres).square())


def test_the_best_end_of_all_is_found_on_a_line_by_brute_force():
    x = torch.tensor([[0.0], [1.0], [5.0], [6.0], [20.0]]).double()
    costs = []
    for labels in itertools.product(range(2), repeat=5):
        labels = torch.tensor(labels)
        costs.append(inertia(x, labels, move(x, labels, x[:2])))
    best = best_of(x, 2, random.Random(0).random, starts=10)
    assert best.inertia == pytest.approx(min(costs)) and best.labels[4] != best.labels[0]


def test_a_bad_start_is_a_bad_end_and_a_spread_out_one_is_not():
    middles = torch.tensor([[0.0, 0], [0, 4], [30, 0], [30, 4]]).double()
    x = (middles[:, None] + 0.3 * torch.randn(4, 25, 2, generator=torch.Generator().manual_seed(0))).flatten(0, 1)
    *_, stuck = kmeans(x, torch.tensor([[0.0, 0], [0, 4], [0, 5], [30, 2]]).double())
    ends = [list(kmeans(x, spread_out(x, 4, random.Random(s).random)))[-1].inertia for s in range(20)]
    assert stuck.inertia > 10 * min(ends) and sum(end < 1.01 * min(ends) for end in ends) >= 14


def test_spread_out_starts_are_drawn_by_their_squared_distance():
    x = torch.tensor([[0.0], [1.0], [3.0]])
    chance, counts = random.Random(0), [0, 0]
    for _ in range(4000):
        first, second = spread_out(x, 2, chance.random).flatten().tolist()
        if first == 0.0:
            counts[second == 3.0] += 1
    assert counts[1] / sum(counts) == pytest.approx(9 / 10, abs=0.025)
    starts = {tuple(sorted(spread_out(x, 3, random.Random(s).random).flatten().tolist())) for s in range(20)}
    assert starts == {(0.0, 1.0, 3.0)}, "no point twice"


def test_random_starts_are_different_points_and_all_likely():
    x = torch.arange(5.0)[:, None]
    seen = torch.zeros(5)
    chance = random.Random(1)
    for _ in range(3000):
        start = at_random(x, 2, chance.random).flatten()
        assert start[0] != start[1]
        seen[start.long()] += 1
    assert ((seen / seen.sum()) - 0.2).abs().max() < 0.02


def test_a_centre_without_points_stays_where_it_is():
    x, centres = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.5], [99.0]])
    *_, last = kmeans(x, centres)
    assert last.centres.flatten().tolist() == [0.5, 99.0]


def test_the_centres_that_were_given_stay_as_they_were():
    x = blobs()
    centres = at_random(x, 3, random.Random(0).random)
    kept, points = centres.clone(), x.clone()
    list(kmeans(x, centres))
    assert torch.equal(kept, centres) and torch.equal(points, x)


X = torch.zeros(4, 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: assign(X, torch.zeros(3, 5)), r"x, centres: expected shapes .* received \(4, 2\) and \(3, 5\)"),
        (lambda: assign(X[0], torch.zeros(3, 2)), "x, centres: expected shapes"),
        (lambda: move(X, torch.zeros(3).long(), X[:2]), r"labels: expected shape \(4,\)"),
        (lambda: move(X, torch.full((4,), 2), X[:2]), "labels: expected numbers from 0 to 1"),
        (lambda: at_random(X, 5, random.random), "k: expected 1 … 4"),
        (lambda: spread_out(X, 0, random.random), "k: expected 1 … 4, .* received 0"),
        (lambda: list(kmeans(X, X[:1], most=0)), "most: expected at least 1"),
        (lambda: best_of(X, 2, random.random, starts=0), "starts: expected at least 1"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
