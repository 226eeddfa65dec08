"""What the chapter on copying builds upon: its samples with copies, its suspect, and the doubles it counts."""

import pytest
import torch

from genkit.exercises.memorisation import deduplicated, suspect
from genkit.metrics import copy_score, nearest, nudged
from genkit.records import memorisation as lab


def test_a_blend_holds_its_share_of_copies():
    torch.manual_seed(0)
    train, fresh = torch.randn(50, 3), 100 + torch.randn(40, 3)
    for share in (0.0, 0.25, 1.0):
        near = nearest(lab.blend(train, fresh, share), train) < 1
        assert near.double().mean() == share


def test_training_digits_of_another_seed_are_others_and_of_the_same_the_same():
    assert lab.some(50, 0).equal(lab.some(50, 0)) and not lab.some(50, 0).equal(lab.some(50, 1))
    assert lab.some(100, 0)[:50].equal(lab.some(50, 0))
    assert len(lab.some(50, 3).flatten(1).unique(dim=0)) == 50


def test_the_pool_holds_every_digit_once_and_the_test_digits_are_not_learnt_from():
    assert len(lab.pool()) == 1797
    assert nearest(lab.digits().test.x, lab.digits().train.x).min() > 0


def test_the_suspect_copies_one_class_that_only_a_forgiving_distance_tells():
    samples, kinds = suspect()
    train, test = lab.digits().train, lab.digits().test
    assert abs(copy_score(train.x, test.x, samples).value) < 8
    scores = {}
    for k in range(10):
        mine, real = train.x[train.c == k], test.x[test.c == k]
        scores[k] = copy_score(nudged(mine), real, samples[kinds == k]).value
        assert copy_score(mine, real, samples[kinds == k]).value > -3
    assert min(scores, key=scores.get) == 6 and scores[6] < -6
    assert min(v for k, v in scores.items() if k != 6) > -3


def test_two_models_in_the_plane_one_of_which_copies():
    x, test, fresh = lab.moons(4)
    torch.manual_seed(0)
    assert copy_score(x, test, lab.mixture(x, len(x))(1000)).value < -10
    assert copy_score(x, test, lab.mixture(x, 1)(1000)).value > 10
    assert abs(copy_score(x, test, fresh).value) < 3.5


@pytest.mark.parametrize("limit", [0.1, 0.5, 2.0])
def test_what_is_kept_has_no_duplicates_and_leaves_none_out_without_reason(limit):
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(1))
    kept = deduplicated(x, limit)
    apart = torch.cdist(x, x[kept])
    assert (apart[kept] + 9 * torch.eye(len(kept)) >= limit).all()
    assert (apart.min(1).values < max(limit, 1e-9)).all()
    assert kept.equal(kept.sort().values) and kept[0] == 0


def test_the_network_learns():
    x = lab.some(50, 0)
    before = lab.surprise(lab.network(0), x)
    assert lab.surprise(lab.learner(x, 0, steps=60).model, x) < 0.9 * before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: copy_score(torch.full_like(x, torch.nan), x, x), "train: expected finite numbers"),
        (lambda x: copy_score(x, x, x[:, 0]), "samples: expected a tensor of shape"),
        (lambda x: nearest(x, x[:0]), "to: expected rows of 3 dimensions"),
        (lambda x: nearest(x, x.tolist()), "to: expected a tensor of shape"),
        (lambda x: nearest(x, x[:, :2]), "to: expected rows of 3 dimensions"),
    ],
)
def test_what_is_no_set_of_numbers_gets_one_line(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(9, 3))


def test_whole_numbers_have_distances_too():
    x = torch.tensor([[0, 0], [3, 4]])
    assert nearest(x, x[:1]).tolist() == [0.0, 5.0]
