"""Leaks and the honest way beside each: on labels by lot an honest score is a half, and a leak's is not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, root_mean_squared_error
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genkit.data import load
from genkit.leaks import FOLDS, best_of, folds, loudest, scaled, selected, twice
from genkit.metrics.errors import confusion, rmse
from genkit.records import supervised as lab


class Folds:
    """Our folds, in the form in which scikit-learn takes them."""

    def __init__(self, place):
        self.place = place

    def split(self, x, y=None, groups=None):
        for k in range(int(self.place.max()) + 1):
            yield (self.place != k).nonzero()[:, 0].numpy(), (self.place == k).nonzero()[:, 0].numpy()

    def get_n_splits(self, *_):
        return int(self.place.max()) + 1


def learnable(n=90, d=6, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    return x, (x[:, 1] + 0.5 * torch.randn(n, generator=g) > 0).long()


def mean(score, seeds=30):
    return sum(score(seed) for seed in range(seeds)) / seeds


@given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_folds_hold_every_row_out_once_and_are_of_one_size(n, k, seed):
    k = min(k, n)
    sizes = folds(n, k, seed).bincount(minlength=k)
    assert sizes.sum() == n and sizes.max() - sizes.min() <= 1 and len(sizes) == k
    with pytest.raises(ValueError, match=f"k: expected 2 … {n} folds, received {n + 1}"):
        folds(n, n + 1)


def test_folds_are_dealt_by_lot():
    assert not torch.equal(folds(40, 4, 0), folds(40, 4, 1)) and torch.equal(folds(40, 4, 1), folds(40, 4, 1))
    assert folds(400, 4)[:100].bincount().min() > 10, "not in blocks"


def test_honest_scores_are_scikit_learns_cross_validation():
    x, y = learnable()
    cv = Folds(folds(len(x), seed=3))
    chosen = cross_val_score(LogisticRegression(max_iter=1000), x.numpy(), y.numpy(), cv=cv)
    sizes = cv.place.bincount().double()
    expected = (torch.tensor(chosen) * sizes).sum() / len(x)
    assert selected(x, y, keep=6, early=False, seed=3) == pytest.approx(expected.item()), "all columns are kept"
    assert selected(x, y, keep=6, early=True, seed=3) == pytest.approx(expected.item()), "nothing to choose, no leak"
    nearest = cross_val_score(make_pipeline(StandardScaler(), KNeighborsClassifier(1)), x.numpy(), y.numpy(), cv=cv)
    assert scaled(x, y, early=False, seed=3) == pytest.approx(((torch.tensor(nearest) * sizes).sum() / len(x)).item())


def test_the_loudest_columns_are_those_that_tell_the_classes_apart():
    x, y = learnable(400)
    assert loudest(x, y, 1).tolist() == [1]
    assert loudest(x * torch.tensor([1e6, 1, 1, 1, 1, 1.0]), y, 1).tolist() == [1], "in their own deviations"


def test_on_labels_by_lot_honest_scores_are_a_half_and_choosing_early_is_not():
    honest = mean(lambda seed: selected(*lab.lot(seed, columns=1000), early=False, seed=seed))
    leaking = mean(lambda seed: selected(*lab.lot(seed, columns=1000), early=True, seed=seed))
    assert honest == pytest.approx(0.5, abs=0.06) and leaking > 0.85


def test_visits_that_part_teach_a_memory_and_visits_together_do_not():
    def coins(seed):
        x, y = learnable(100, seed=seed)
        return x, y[torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))]

    assert mean(lambda seed: twice(*coins(seed), apart=False, seed=seed)) == pytest.approx(0.5, abs=0.05)
    share = mean(lambda seed: twice(*coins(seed), apart=True, noise=1e-3, seed=seed))
    # the twin is in the training part unless it fell into the same fold: 1 − 39/199 of the time; else a coin decides
    assert share == pytest.approx(1 - 0.5 * 39 / 199, abs=0.03)
    assert mean(lambda seed: twice(*coins(seed), apart=True, noise=30.0, seed=seed)) < 0.6, "strangers are no twins"


def test_scaling_by_all_rows_uses_the_held_out_rows_and_gains_nothing_here():
    x, y = learnable(60)
    x = torch.cat([x, x[:3] * 50])
    y = torch.cat([y, y[:3]])
    found = {early: [scaled(x, y, early=early, seed=s) for s in range(8)] for early in (True, False)}
    assert found[True] != found[False], "the two are not the same computation"


def test_the_best_of_many_guessers_is_luck_that_does_not_last():
    scores = {k: [best_of(k, seed=s) for s in range(40)] for k in (1, 10, 1000)}
    best = {k: sum(b for b, _ in v) / 40 for k, v in scores.items()}
    assert best[1] == pytest.approx(0.5, abs=0.03) and best[1] < best[10] < best[1000]
    assert best[1000] == pytest.approx(0.5 + 3.24 * 0.05, abs=0.01), "the largest of 1,000 bells lies 3.24 σ out"
    assert sum(f for _, f in scores[1000]) / 40 == pytest.approx(0.5, abs=0.03)
    with pytest.raises(ValueError, match="tries: expected at least 1, received 0"):
        best_of(0)


# the two measures -----------------------------------------------------------------------------------------------------


def test_rmse_is_scikit_learns_and_its_error_is_what_repetition_shows():
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(300, generator=g), torch.randn(300, generator=g)
    assert rmse(a, b).value == pytest.approx(root_mean_squared_error(b, a), rel=1e-6)
    again = torch.randn(4000, 300, generator=g).square().mean(1).sqrt()
    stated = rmse(torch.randn(300, generator=g), torch.zeros(300)).stderr
    assert stated == pytest.approx(again.std().item(), rel=0.15)
    assert rmse(a, a).value == 0 and rmse(a, a).stderr == 0
    with pytest.raises(ValueError, match=r"guess: expected as many numbers as truth.* received \(3, 1\) and \(3,\)"):
        rmse(torch.zeros(3, 1), torch.zeros(3))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_confusion_is_scikit_learns(pairs):
    said, truth = (torch.tensor(v) for v in zip(*pairs, strict=True))
    assert confusion(said, truth, 4).tolist() == confusion_matrix(truth, said, labels=range(4)).tolist()


def test_confusion_refuses_labels_that_are_none():
    with pytest.raises(ValueError, match="truth: expected labels in 0 … 1, received 0 … 2"):
        confusion(torch.tensor([0, 1]), torch.tensor([0, 2]), 2)
    with pytest.raises(ValueError, match="chosen: expected as many labels"):
        confusion(torch.tensor([0]), torch.tensor([0, 1]), 2)


# the chapter's experiments --------------------------------------------------------------------------------------------


def test_one_against_the_rest_is_scikit_learns_area():
    from sklearn.metrics import roc_auc_score

    data = load("digits", split="random")
    log_p = lab.scores(lab.logistic(data.train.x, data.train.c), data.test.x)
    expected = roc_auc_score(data.test.c, log_p.exp(), multi_class="ovr", average="macro")
    assert lab.one_against_rest(log_p, data.test.c).mean().item() == pytest.approx(expected, abs=1e-5)


def test_a_wide_random_network_interpolates_and_a_tree_deep_enough_too():
    assert lab.wide(400, 0)["train"] == 0 < lab.wide(40, 0)["train"]
    assert lab.grown(30, 0)["train"] == 0 < lab.grown(2, 0)["train"]
    assert FOLDS == 5


def test_stopping_is_chosen_on_validation_and_leaves_chance_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    found, curves = lab.stopping(0, steps=60)
    assert torch.equal(before, torch.get_rng_state())
    step = int(found["step"])
    assert curves["valid"][step] == min(curves["valid"]) and found["stopped"] == pytest.approx(
        curves["test"][step], abs=1e-3
    )
    assert curves["train"][-1] < curves["train"][0]
