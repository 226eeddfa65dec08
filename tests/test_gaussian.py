"""Gaussians by class and naive Bayes over words: scikit-learn's and torch's numbers, exact margins, honest samples."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from torch.distributions import MultivariateNormal

from genkit.data import load
from genkit.metrics.calibration import calibration_error, log_loss
from genkit.models.gaussian import GaussianClasses, ledoit_wolf
from genkit.models.naive_bayes import WordBayes, bags
from genkit.record import Expected, recorded


def clouds(n=90, d=4, classes=3, seed=0):
    """Three skewed clouds of unequal shares, float64."""
    g = torch.Generator().manual_seed(seed)
    c = torch.cat([torch.arange(classes).repeat(10), torch.randint(classes, (n - 10 * classes,), generator=g) // 2])
    mix = torch.randn(classes, d, d, generator=g, dtype=torch.float64)
    x = (mix[c] @ torch.randn(n, d, 1, generator=g, dtype=torch.float64))[:, :, 0]
    return x + 2 * torch.randn(classes, d, generator=g, dtype=torch.float64)[c], c


def fitted(seed=0, **options):
    x, c = clouds(seed=seed)
    return GaussianClasses(shape=(4,), classes=3, **options).fit(x, c), x, c


# against libraries ----------------------------------------------------------------------------------------------------


def test_independent_coordinates_are_scikit_learns_gaussian_naive_bayes():
    smoothing = 1e-3
    x, c = clouds()
    oracle = GaussianNB(var_smoothing=smoothing).fit(x, c)
    model = GaussianClasses(shape=(4,), classes=3, diagonal=True, floor=smoothing * x.var(0, correction=0).max().item())
    new = clouds(seed=1)[0]
    expected = torch.tensor(oracle.predict_joint_log_proba(new))
    torch.testing.assert_close(model.fit(x, c).log_joint(new), expected)


@pytest.mark.parametrize("shrink", [0.0, 0.3, 1.0])
def test_a_shared_covariance_is_scikit_learns_linear_discriminant(shrink):
    model, x, c = fitted(shared=True, shrink=shrink)
    oracle = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrink).fit(x, c)
    new = clouds(seed=1)[0]
    torch.testing.assert_close(model.posterior(new).exp(), torch.tensor(oracle.predict_proba(new)))


def test_covariances_of_their_own_are_scikit_learns_quadratic_discriminant():
    model, x, c = fitted()
    oracle = QuadraticDiscriminantAnalysis(store_covariance=True).fit(x, c)
    for ours, theirs, k in zip(model.cov, oracle.covariance_, range(3), strict=True):
        n = int((c == k).sum())
        ratio = torch.tensor(theirs) / ours  # versions divide by n, as the most likely covariance does, or by n − 1
        torch.testing.assert_close(ratio, ratio.flatten()[0].expand(4, 4))
        assert min(abs(ratio[0, 0] - 1), abs(ratio[0, 0] - n / (n - 1))) < 1e-6


@pytest.mark.parametrize("n", [2, 5, 40, 2000])
def test_the_pull_is_scikit_learns_ledoit_wolf(n):
    x = clouds(n=max(n, 20), classes=1)[0][:n]
    x = x - x.mean(0)
    assert ledoit_wolf(x) == pytest.approx(covariance.ledoit_wolf_shrinkage(x, assume_centered=True), abs=1e-9)
    assert ledoit_wolf(torch.zeros(3, 2)) == 1.0


@pytest.mark.parametrize("options", [{}, {"diagonal": True}, {"shared": True}, {"shrink": None}, {"floor": 0.5}])
def test_densities_are_torchs_and_add_up_over_the_classes(options):
    model, x, c = fitted(**options)
    normals = [MultivariateNormal(m, s) for m, s in zip(model.mean, model.cov, strict=True)]
    each = torch.stack([n.log_prob(x) for n in normals], 1)
    torch.testing.assert_close(model.log_prob(x, c), each.gather(1, c[:, None])[:, 0])
    share = c.bincount() / len(c)
    torch.testing.assert_close(model.log_prob(x), (each.exp() @ share.double()).log())
    torch.testing.assert_close(model.loss(x, c)["loss"], -model.log_prob(x, c))
    torch.testing.assert_close(model.log_prob(x, torch.tensor([2])), each[:, 2])


def test_counts_of_words_are_scikit_learns_multinomial_naive_bayes():
    data = load("messages", n=200)
    model = WordBayes(vocabulary=data.levels, classes=2, alpha=0.7).fit(data.train.x, data.train.c)
    oracle = MultinomialNB(alpha=0.7).fit(bags(data.train.x, data.levels), data.train.c)
    torch.testing.assert_close(model.log_word.double(), torch.tensor(oracle.feature_log_prob_), atol=1e-5, rtol=0)
    expected = torch.tensor(oracle.predict_log_proba(bags(data.test.x, data.levels)))
    torch.testing.assert_close(model.posterior(data.test.x).double(), expected, atol=1e-4, rtol=1e-4)
    each = (bags(data.test.x, data.levels) * model.log_word[data.test.c]).sum(1)
    torch.testing.assert_close(model.log_prob(data.test.x, data.test.c), each)
    torch.testing.assert_close(model.loss(data.test.x, data.test.c)["loss"], -each)


# what they must be ----------------------------------------------------------------------------------------------------


def test_a_margin_is_the_integral_over_what_nobody_has_seen():
    x, c = clouds(d=2)
    model = GaussianClasses(shape=(2,), classes=3).fit(x, c)
    at = torch.linspace(-60, 60, 20_001).double()
    line = torch.stack([torch.full_like(at, 0.7), at], 1)
    summed = torch.trapezoid(model.log_joint(line).exp(), at, dim=0)
    seen = model.log_joint(torch.tensor([[0.7, 999.0]]).double(), torch.tensor([True, False]))[0]
    torch.testing.assert_close(seen.exp(), summed)


@given(seed=st.integers(0, 20), places=st.lists(st.booleans(), min_size=4, max_size=4).filter(lambda p: 0 < sum(p) < 4))
@settings(max_examples=20, deadline=None)
def test_filling_is_what_bayes_rule_says(seed, places):
    """The expected value maximises the joint density over the unknown, and the draws have the conditional moments."""
    model, x, _ = fitted(seed=seed, shrink=0.2)
    known, c = torch.tensor(places), torch.tensor([1])
    best = model.fill(x[:6], known, c, mean=True).requires_grad_()
    (slope,) = torch.autograd.grad(model.log_prob(best, c).sum(), best)
    assert slope[:, ~known].abs().max() < 1e-6, "no step into the unknown makes it likelier"
    torch.testing.assert_close(best[:, known], x[:6, known])


def test_drawn_fillings_spread_as_the_conditional_gaussian():
    model, x, _ = fitted()
    known, one = torch.tensor([True, False, False, True]), x[:1].expand(40_000, -1)
    torch.manual_seed(0)
    drawn = model.fill(one, known, torch.tensor([0]))
    precision = torch.linalg.inv(model.cov[0])[1:3, 1:3]
    torch.testing.assert_close(torch.cov(drawn[:, 1:3].T), torch.linalg.inv(precision), rtol=0.05, atol=0.02)
    middle = model.fill(x[:1], known, torch.tensor([0]), mean=True)[0]
    torch.testing.assert_close(drawn.mean(0), middle, atol=0.05, rtol=0)
    # without a class: the classes are drawn as often as the known part makes them likely
    mixed = model.fill(one, known)
    torch.testing.assert_close(mixed.mean(0), model.fill(x[:1], known, mean=True)[0], atol=0.1, rtol=0)


def test_samples_have_the_means_and_covariances_of_their_class():
    model, _, c = fitted()
    torch.manual_seed(0)
    for k in range(3):
        drawn = model.sample(40_000, torch.tensor([k])).double()
        torch.testing.assert_close(drawn.mean(0), model.mean[k], atol=0.05, rtol=0.02)
        torch.testing.assert_close(torch.cov(drawn.T), model.cov[k], atol=0.1, rtol=0.05)
    drawn = model.sample(20_000)
    assert drawn.dtype == torch.float32
    torch.testing.assert_close(drawn.double().mean(0), (c.bincount() / len(c)).double() @ model.mean, atol=0.1, rtol=0)


def test_a_known_model_is_recovered_from_its_samples():
    truth, _, c = fitted()
    torch.manual_seed(1)
    labels = c.repeat(400)
    again = GaussianClasses(shape=(4,), classes=3).fit(truth.sample(len(labels), labels), labels)
    torch.testing.assert_close(again.mean, truth.mean, atol=0.12, rtol=0)
    torch.testing.assert_close(again.cov, truth.cov, atol=0.2, rtol=0.06)


def test_other_shares_move_the_posterior_by_their_odds_and_nothing_else():
    model, x, c = fitted()
    share = torch.tensor([6.0, 3.0, 1.0])
    moved = model.with_share(share)
    torch.testing.assert_close(moved.log_prob(x, c), model.log_prob(x, c))
    odds = moved.posterior(x) - model.posterior(x)
    old = (c.bincount() / len(c)).log()
    expected = (share / 10).log() - old
    torch.testing.assert_close(odds - odds[:, :1], (expected - expected[0]).double().expand_as(odds), atol=1e-5, rtol=0)
    assert moved.log_share.exp().tolist() == pytest.approx([0.6, 0.3, 0.1])
    assert not torch.equal(model.log_share, moved.log_share)


def test_one_covariance_for_all_gives_straight_borders():
    model, x, _ = fitted(shared=True)
    a, b = x[0], x[40]
    t = torch.linspace(0, 1, 5).double()[:, None]
    log_odds = model.posterior(a + t * (b - a))
    difference = log_odds[:, 0] - log_odds[:, 1]
    torch.testing.assert_close(difference.diff(), difference.diff()[0].expand(4))
    curved = fitted()[0].posterior(a + t * (b - a))
    assert (curved[:, 0] - curved[:, 1]).diff().std() > 1e-3


@given(scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_without_shrinkage_the_units_do_not_matter(scale, shift):
    x, c = clouds()
    moved = x * torch.tensor([scale, 1, 1, 1]) + shift
    a, b = (GaussianClasses(shape=(4,), classes=3).fit(y, c).posterior(y) for y in (x, moved))
    torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def test_a_written_message_is_one_that_can_be_read_again():
    data = load("messages", n=400)
    model = WordBayes(vocabulary=data.levels, classes=2).fit(data.train.x, data.train.c)
    torch.manual_seed(0)
    drawn = model.sample(3000, torch.tensor([1]), length=60)
    assert drawn.shape == (3000, 60) and torch.isfinite(model.log_prob(drawn)).all()
    share = bags(drawn, data.levels).sum(0)
    torch.testing.assert_close(share / share.sum(), model.log_word[1].exp(), atol=4e-3, rtol=0.0)
    assert len(list(model.trajectory(2, length=7))) == 7
    assert (model.sample(50, length=1) == 0).all()
    steps = list(model.trajectory(1, torch.tensor([0]), length=9))
    assert all(torch.equal(a[:, :t], b[:, :t]) for t, (a, b) in enumerate(pairwise(steps)))


def test_the_probabilities_of_all_messages_add_up_to_one():
    """Of two words, an end: lengths 0 … 11, and a tail that the end's probability gives."""
    x, c = torch.tensor([[1, 2, 0], [2, 0, 0]]), torch.tensor([0, 0])
    model = WordBayes(vocabulary=3, classes=1).fit(x, c)
    total = 0.0
    for length in range(12):
        words = torch.cartesian_prod(*[torch.tensor([1, 2])] * length).view(-1, length) if length else torch.empty(1, 0)
        rows = torch.cat([words.long(), torch.zeros(len(words), 1, dtype=torch.int64)], 1)
        total += model.log_prob(rows).exp().sum().item()
    assert total + (1 - model.log_word[0, 0].exp().item()) ** 12 == pytest.approx(1, abs=1e-5)


# calibration ----------------------------------------------------------------------------------------------------------


def test_calibration_is_small_for_kept_promises_and_large_for_broken_ones():
    g = torch.Generator().manual_seed(0)
    p = 0.5 + 0.5 * torch.rand(20_000, generator=g)
    labels = (torch.rand(20_000, generator=g) > p).long()
    log_p = torch.stack([p, 1 - p], 1).log()
    assert calibration_error(log_p, labels) < 0.01
    sure = (9 * log_p).log_softmax(1)
    assert calibration_error(sure, labels) > 0.15
    assert log_loss(sure, labels).value > log_loss(log_p, labels).value
    entropy = -(p * p.log() + (1 - p) * (1 - p).log()).mean().item()
    assert log_loss(log_p, labels).value == pytest.approx(entropy, abs=0.01)
    assert calibration_error(torch.tensor([[0.0, -math.inf]]), torch.tensor([0])) == 0


# what is refused ------------------------------------------------------------------------------------------------------

X, C = torch.zeros(4, 2), torch.tensor([0, 1, 0, 1])
PLAIN = {"shape": (2,), "classes": 2}
WORDS = {"vocabulary": 3, "classes": 2}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: GaussianClasses(shape=(2,), classes=0), "classes: expected at least 1, received 0"),
        (lambda: GaussianClasses(**PLAIN, shrink=1.5), "shrink: expected a number in .0, 1. or None, received 1.5"),
        (lambda: GaussianClasses(**PLAIN, floor=-1.0), "floor: expected at least 0"),
        (lambda: GaussianClasses(**PLAIN).fit(X, C), "x: expected covariances that are not singular"),
        (lambda: GaussianClasses(**PLAIN).fit(X[:, :1], C), r"x: expected shape \(N, 2\), received \(4, 1\)"),
        (lambda: GaussianClasses(**PLAIN).fit(X, C.float()), "c: expected int64 labels in"),
        (lambda: GaussianClasses(**PLAIN).fit(X, C + 1), "c: expected int64 labels in"),
        (lambda: GaussianClasses(**PLAIN).fit(X, C * 0), "examples of every class, received none of 1"),
        (lambda: GaussianClasses(**PLAIN).with_share(torch.ones(3)), "share: expected 2 positive numbers"),
        (lambda: GaussianClasses(**PLAIN).with_share(torch.tensor([1.0, 0.0])), "share: expected 2 positive"),
        (lambda: GaussianClasses(**PLAIN).posterior(X, torch.ones(2)), "known: expected bool of shape"),
        (lambda: GaussianClasses(**PLAIN).sample(0), "n: expected at least 1"),
        (lambda: ledoit_wolf(torch.zeros(3)), r"x: expected shape \(N, D\)"),
        (lambda: WordBayes(vocabulary=1, classes=2), "vocabulary: expected at least 2"),
        (lambda: WordBayes(vocabulary=3, classes=0), "classes: expected at least 1"),
        (lambda: WordBayes(**WORDS, alpha=0.0), "alpha: expected a number above 0"),
        (lambda: WordBayes(**WORDS).fit(torch.zeros(2, 2).long(), torch.zeros(2)), "c: expected int64 labels"),
        (lambda: WordBayes(**WORDS).fit(torch.zeros(2, 2).long(), torch.tensor([0, 0])), "received none of 1"),
        (lambda: WordBayes(**WORDS).posterior(torch.tensor([[1, 2]])), "messages that end in 0"),
        (lambda: WordBayes(**WORDS).posterior(torch.tensor([[0, 2, 0]])), "nothing behind it"),
        (lambda: WordBayes(**WORDS).posterior(torch.tensor([[3, 0]])), r"x: expected int64 words in \[0, 3\)"),
        (lambda: WordBayes(**WORDS).sample(1, length=0), "length: expected at least 1"),
        (lambda: calibration_error(torch.zeros(2, 3), torch.zeros(3).long()), "log_p: expected shape"),
        (lambda: log_loss(torch.zeros(3), torch.zeros(3).long()), "log_p: expected shape"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# the record -----------------------------------------------------------------------------------------------------------


def test_the_record_says_which_way_wins_and_settles_the_claim():
    found = recorded("foundations/discriminative_vs_generative")
    race = found["labels"]["digits"]
    assert all(len(race[n]) >= 10 for n in ("10", "50", "500"))

    def ahead(n, kind):
        return Expected.over([run[kind] - run["logistic regression"] for run in race[n]])

    own, naive = ahead("500", "Gaussians of their own shape"), ahead("500", "naive Bayes")
    assert own.mean > 4 * own.stderr and naive.mean < -4 * naive.stderr
    assert len(found["seeds"]) >= 3 and found["claims"]["C09"].startswith("No.")


# the messages ---------------------------------------------------------------------------------------------------------


def test_messages_are_different_read_back_and_the_same_on_every_machine():
    data = load("messages")
    splits = (data.train, data.valid, data.test)
    texts = [data.decode(row) for split in splits for row in split.x]
    assert len(texts) == len(set(texts)) == 3000
    assert all(torch.equal(data.encode(data.decode(row)), row) for row in data.train.x[:200])
    assert sum(int(s.c.sum()) for s in splits) == 1200 and data.classes == ("wanted", "spam")
    assert load("messages").sha256 == data.sha256 != load("messages", seed=1).sha256
    assert all(int(row[-1]) == 0 for row in data.train.x)
    words = {data.decode(torch.tensor([i])) for i in range(1, data.levels)}
    assert 150 < len(words) == data.levels - 1 and not any("{" in word for word in words)


def test_hardly_a_word_of_a_message_is_proof():
    """Most words are used by both kinds, and most words of a message are such words."""
    data = load("messages")
    present = (bags(data.train.x, data.levels) > 0).float()
    by_class = torch.stack([present[data.train.c == k].sum(0) for k in (0, 1)])
    shared = (by_class > 0).all(0)
    assert shared.float().mean() > 0.4
    for kind in (0, 1):
        seen = present[data.train.c == kind]
        assert seen[:, shared].sum() / seen.sum() > 0.8


@pytest.mark.parametrize(
    ("options", "words"),
    [({"n": 9}, "n: expected 10 … 20,000, received 9"), ({"share": 1.0}, "share: expected a number in")],
)
def test_what_is_no_set_of_messages(options, words):
    with pytest.raises(ValueError, match=words):
        load("messages", **options)


def test_an_unknown_word_is_named():
    data = load("messages", n=50)
    with pytest.raises(ValueError, match="known words, received .'genkit'"):
        data.encode("hello genkit")
