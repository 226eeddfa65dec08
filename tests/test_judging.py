"""Metrics of quality and diversity: independent oracles, identities, and what they are bound to say of known cases."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, mannwhitneyu

from genkit import metrics
from genkit.base import Estimate
from genkit.metrics import manifold


def clouds(n=160, m=140, d=6, shift=0.4, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=g), torch.randn(m, d, generator=g) * 1.2 + shift


# the Inception score --------------------------------------------------------------------------------------------------


def test_the_inception_score_is_torchmetrics():
    inception = pytest.importorskip("torchmetrics.image.inception").InceptionScore
    logits = torch.randn(120, 7, generator=torch.Generator().manual_seed(1)) * 2
    theirs = inception(feature=torch.nn.Identity(), splits=1)
    theirs.features = [logits]
    assert metrics.inception_score(logits.softmax(1)).value == pytest.approx(theirs.compute()[0].item(), abs=1e-4)


def test_the_inception_score_lies_between_one_and_the_number_of_classes():
    assert metrics.inception_score(torch.full((9, 5), 0.2)).value == pytest.approx(1)
    assert metrics.inception_score(torch.eye(5).repeat(3, 1)).value == pytest.approx(5)
    assert metrics.inception_score(torch.eye(5)[:1].repeat(8, 1)).value == pytest.approx(1), "sure, but all alike"


def test_its_jackknife_is_the_one_that_leaves_rows_out():
    p = torch.randn(12, 4, generator=torch.Generator().manual_seed(2)).softmax(1)
    left = [metrics.inception_score(p[torch.arange(12) != i]).value for i in range(12)]
    spread = math.sqrt(11 / 12 * sum((v - sum(left) / 12) ** 2 for v in left))
    assert metrics.inception_score(p).stderr == pytest.approx(spread, rel=1e-6)


@pytest.mark.parametrize("p", [torch.rand(5, 3), torch.randn(5, 3), torch.ones(3), torch.ones(1, 1)])
def test_no_probabilities_no_score(p):
    with pytest.raises(ValueError, match="p: expected"):
        metrics.inception_score(p)


# kernels --------------------------------------------------------------------------------------------------------------


def test_kid_is_torchmetrics():
    kernel = pytest.importorskip("torchmetrics.image.kid").KernelInceptionDistance
    a, b = clouds(120, 120)
    theirs = kernel(feature=torch.nn.Identity(), subsets=1, subset_size=120)
    theirs.real_features, theirs.fake_features = [a], [b]
    assert metrics.kid(a, b).value == pytest.approx(theirs.compute()[0].item(), rel=1e-4)


def test_mmd_by_its_definition_pair_by_pair():
    a, b = (x.double() for x in clouds(5, 4, 2))
    k = metrics.gaussian_kernel(0.7)
    one = lambda x, y: math.exp(-float((x - y) @ (x - y)) / (2 * 0.7**2))  # noqa: E731
    value = sum(one(a[i], a[j]) for i in range(5) for j in range(5) if i != j) / 20
    value += sum(one(b[i], b[j]) for i in range(4) for j in range(4) if i != j) / 12
    value -= 2 * sum(one(x, y) for x in a for y in b) / 20
    assert metrics.mmd(a, b, k).value == pytest.approx(value)


def test_mmd_has_no_bias_and_an_honest_error():
    g = torch.Generator().manual_seed(0)
    found = [metrics.kid(torch.randn(60, 3, generator=g), torch.randn(50, 3, generator=g)) for _ in range(200)]
    values = torch.tensor([e.value for e in found])
    assert abs(values.mean()) < 4 * values.std() / 200**0.5
    claimed = torch.tensor([e.stderr for e in found]).mean()
    assert 0.6 < claimed / values.std() < 1.8


def test_mmd_is_symmetric_and_blind_to_order():
    a, b = clouds()
    g = torch.Generator().manual_seed(3)
    shuffled = a[torch.randperm(len(a), generator=g)]
    found = metrics.kid(a, b)
    for other in (metrics.kid(b, a), metrics.kid(shuffled, b)):
        assert other.value == pytest.approx(found.value) and other.stderr == pytest.approx(found.stderr)


# balls ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_precision_recall_density_coverage_are_prdcs(k, seed):
    prdc = pytest.importorskip("prdc")
    real, samples = clouds(seed=seed)
    theirs = prdc.compute_prdc(real.double().numpy(), samples.double().numpy(), nearest_k=k)
    for name in ("precision", "recall", "density", "coverage"):
        assert getattr(manifold, name)(real, samples, k=k).value == pytest.approx(theirs[name], abs=1e-9), name


@pytest.mark.parametrize("k", [1, 2, 4])
def test_coverage_of_the_true_distribution_is_what_counting_says(k):
    g, n = torch.Generator().manual_seed(0), 60
    found = [manifold.coverage(*torch.randn(2, n, 3, generator=g), k=k).value for _ in range(150)]
    missed = math.prod((n - 1 - i) / (2 * n - 1 - i) for i in range(k))
    assert np.mean(found) == pytest.approx(1 - missed, abs=5 * np.std(found) / 150**0.5)


def test_copies_are_precise_and_a_lost_mode_shows_in_recall_alone():
    g = torch.Generator().manual_seed(0)
    real = torch.cat([torch.randn(100, 2, generator=g), torch.randn(100, 2, generator=g) + 20])
    half = torch.randn(200, 2, generator=g)
    assert manifold.precision(real, half).value > 0.9 and manifold.density(real, half).value > 0.8
    assert manifold.recall(real, half).value < 0.6 and manifold.coverage(real, half).value < 0.6


def test_one_far_real_point_fools_precision_and_not_density():
    g = torch.Generator().manual_seed(0)
    real = torch.cat([torch.randn(200, 2, generator=g), torch.tensor([[100.0, 0.0]])])
    lost = torch.rand(200, 2, generator=g) * 40 + torch.tensor([30.0, -20.0])  # nowhere near the data
    assert manifold.precision(real, lost, k=3).value > 0.9
    assert manifold.density(real, lost, k=3).value < 0.4


@pytest.mark.parametrize("name", ["precision", "recall", "density", "coverage"])
def test_balls_refuse_what_they_cannot_take(name):
    measure = getattr(manifold, name)
    with pytest.raises(ValueError, match="k: expected a whole number in"):
        measure(torch.zeros(5, 2), torch.zeros(9, 2), k=5)
    with pytest.raises(ValueError, match="dimensions"):
        measure(torch.zeros(9, 3), torch.zeros(9, 2))


# the limit of the Fréchet distance ------------------------------------------------------------------------------------


def test_the_limit_takes_the_bias_away():
    g = torch.Generator().manual_seed(0)
    real, errors, plain = torch.randn(20_000, 8, generator=g), [], []
    for _ in range(12):
        samples = torch.randn(400, 8, generator=g)
        plain.append(metrics.frechet(real, samples))
        errors.append(metrics.frechet_limit(real, samples).value)
    assert np.mean(plain) > 0.04, "400 samples seem that far from their own distribution"
    assert abs(np.mean(errors)) < 0.35 * np.mean(plain)


def test_the_limit_of_a_shift_is_the_shift():
    g = torch.Generator().manual_seed(1)
    real, samples = torch.randn(8000, 4, generator=g), torch.randn(2000, 4, generator=g) + 1
    found = metrics.frechet_limit(real, samples)
    assert found.value == pytest.approx(4, abs=0.2)
    assert 0 < found.stderr < 0.1


# copying --------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_rank_test_is_scipys(seed):
    g = torch.Generator().manual_seed(seed)
    train, test, samples = (torch.randint(0, 6, (n, 1), generator=g).double() for n in (7, 20, 25))
    a, b = metrics.nearest(samples, train), metrics.nearest(test, train)
    found = metrics.copy_score(train, test, samples).value
    theirs = mannwhitneyu(a.numpy(), b.numpy(), method="asymptotic", use_continuity=False)
    if len(torch.cat([a, b]).unique()) == 1:
        assert found == 0
    else:
        sign = 1 if theirs.statistic > len(a) * len(b) / 2 else -1
        z = abs(metrics_z(theirs.pvalue))
        assert found == pytest.approx(sign * z, abs=1e-6)


def metrics_z(p):
    from scipy.stats import norm

    return norm.isf(min(1.0, p) / 2)


@pytest.mark.parametrize("cells", [1, 5])
def test_fresh_samples_score_as_a_standard_normal_number(cells):
    g, scores = torch.Generator().manual_seed(0), []
    for _ in range(120):
        train, test, fresh = torch.randn(3, 150, 3, generator=g)
        scores.append(metrics.copy_score(train, test, fresh, cells=cells).value)
    assert abs(np.mean(scores)) < 0.35 and 0.75 < np.std(scores) < 1.3


def test_copies_are_caught_and_vague_samples_score_above():
    g = torch.Generator().manual_seed(0)
    train, test, fresh = torch.randn(3, 300, 4, generator=g)
    copies = train + 0.05 * torch.randn(300, 4, generator=g)
    assert metrics.copy_score(train, test, copies).value < -10
    assert metrics.copy_score(train, test, 3 * fresh).value > 3
    some = torch.cat([copies[:90], fresh[:210]])
    assert metrics.copy_score(train, test, some).value < -3, "three in ten are copies"


def test_copies_in_one_cell_and_vagueness_in_another_cancel_in_the_mean_and_not_in_the_cells():
    g = torch.Generator().manual_seed(0)
    train, test = (torch.cat([torch.randn(200, 2, generator=g) + shift for shift in (-20, 20)]) for _ in range(2))
    mixed = torch.cat([train[:200] + 0.05, 20 + 2 * torch.randn(200, 2, generator=g)])  # copies, and vague ones
    z, count = metrics.copy_scores(train, test, mixed, cells=2)
    assert z.min() < -3 < 3 < z.max() and count.tolist() == [200, 200]
    assert abs(metrics.copy_score(train, test, mixed, cells=2).value) < z.abs().max()


def test_a_cell_without_examples_says_so():
    g = torch.Generator().manual_seed(0)
    train = torch.cat([torch.randn(50, 2, generator=g) + shift for shift in (-20, 20)])
    z, _ = metrics.copy_scores(train, train[:50] + 1, train[:50] + 0.5, cells=2)
    assert z.isnan().sum() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cells": 0}, "cells: expected"), ({"cells": 99}, "cells: expected"),
        ({"samples": torch.zeros(5, 3)}, "dimensions"), ({"samples": torch.zeros(1, 2)}, "2 or more"),
    ],
)  # fmt: skip
def test_the_copying_test_names_bad_input(change, words):
    given_ = {"train": torch.randn(9, 2), "test": torch.randn(9, 2), "samples": torch.randn(9, 2)} | change
    with pytest.raises(ValueError, match=words):
        metrics.copy_score(**given_)


# text -----------------------------------------------------------------------------------------------------------------

TEXTS = ["the cat sat on the mat today", "a quick brown fox", "one two three four five", "nothing shared here at all"]
REFERENCES = ["the cat lay on a mat", "the quick brown dog jumps", "five four three two one", "completely different"]


def test_rouge_is_googles():
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rouge1", "rouge2", "rougeL"])
    theirs = [scorer.score(r, t) for t, r in zip(TEXTS, REFERENCES, strict=True)]
    ours, refs = ([t.split() for t in texts] for texts in (TEXTS, REFERENCES))
    for name, found in (
        ("rouge1", metrics.rouge_n(ours, refs)), ("rouge2", metrics.rouge_n(ours, refs, 2)),
        ("rougeL", metrics.rouge_l(ours, refs)),
    ):  # fmt: skip
        assert found.value == pytest.approx(np.mean([s[name].fmeasure for s in theirs])), name


def test_rouge_of_a_text_with_itself_is_one_and_of_strangers_zero():
    words = [t.split() for t in TEXTS]
    assert metrics.rouge_n(words, words, 2).value == metrics.rouge_l(words, words).value == 1
    assert metrics.rouge_l(words[:2], [["x"], ["y"]]).value == 0
    assert metrics.rouge_n([["a"], []], [["b"], []]).value == 0


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
@settings(deadline=None)
def test_the_longest_common_subsequence_is_the_one_found_by_trying_all(a, b):
    from itertools import combinations

    from genkit.metrics.rouge import _common

    def inside(part):
        it = iter(b)
        return all(c in it for c in part)

    best = next(n for n in range(len(a), -1, -1) if any(inside(p) for p in combinations(a, n)))
    assert _common(a, b) == best == _common(b, a)


def test_bleu_agrees_with_sacrebleu():
    sacrebleu = pytest.importorskip("sacrebleu")
    texts = ["the cat sat on the mat with a hat", "a quick brown fox jumps over it"]
    others = ["the cat sat on a mat with the hat", "the quick brown fox jumps over him"]
    for text, other in zip(texts, others, strict=True):
        theirs = sacrebleu.sentence_bleu(
            text, [other], smooth_method="none", tokenize="none", use_effective_order=False
        ).score
        assert 100 * metrics.bleu(text.split(), [other.split()]) == pytest.approx(theirs, abs=1e-6)


# votes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (3, 7), (50, 100), (499, 500)])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_wilsons_interval_is_scipys(right, n, level):
    theirs = binomtest(right, n).proportion_ci(level, method="wilson")
    assert metrics.wilson(right, n, level=level) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("half", [0.2, 0.1, 0.05, 0.03])
def test_the_votes_needed_are_enough_and_no_fewer_would_be(half):
    n = metrics.votes_needed(half)
    width = lambda k: (lambda low, high: (high - low) / 2)(*metrics.wilson(round(k / 2), k))  # noqa: E731
    assert width(n) <= half < width(n - 1)


def test_judges_who_guess_are_covered_as_often_as_promised():
    g = torch.Generator().manual_seed(0)
    inside = 0
    for right in torch.binomial(torch.full((2000,), 80.0), torch.tensor(0.6), generator=g).int().tolist():
        low, high = metrics.wilson(right, 80)
        inside += low <= 0.6 <= high
    assert inside / 2000 == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    "call", [lambda: metrics.wilson(3, 2), lambda: metrics.wilson(0, 0), lambda: metrics.votes_needed(0.7)]
)
def test_impossible_votes_are_refused(call):
    with pytest.raises(ValueError, match="expected"):
        call()


# what is no set of points ---------------------------------------------------------------------------------------------

TWO_SETS = {
    "precision": manifold.precision, "recall": lambda a, b: manifold.recall(b, a), "density": manifold.density,
    "coverage": manifold.coverage, "kid": metrics.kid,
    "mmd": lambda a, b: metrics.mmd(a, b, metrics.gaussian_kernel(1.0)), "limit": metrics.frechet_limit,
}  # fmt: skip


@pytest.mark.parametrize("name", TWO_SETS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_none_is_refused_and_not_counted(name, bad):
    a, b = clouds(80, 80, 3)
    a[3, 1] = bad
    for pair in ((a, b), (b, a)):
        with pytest.raises(ValueError, match=r"(real|samples|a|b): expected finite numbers, received 1 that are not"):
            TWO_SETS[name](*pair)


@pytest.mark.parametrize("name", [n for n in TWO_SETS if n != "limit"])
@pytest.mark.parametrize("bad", [torch.ones(80), torch.tensor(1.0), [[1.0]], None, np.ones((9, 3))])
def test_what_is_no_tensor_of_examples_is_named(name, bad):
    with pytest.raises(ValueError, match=r"expected a tensor of shape \(N, …\), received"):
        TWO_SETS[name](bad, clouds()[0])


@pytest.mark.parametrize("name", TWO_SETS)
def test_whole_numbers_are_numbers_and_an_order_is_none(name):
    a, b = ((10 * x).round() for x in clouds(90, 80, 3))
    found = TWO_SETS[name](a, b)
    assert isinstance(found, Estimate) and found.stderr >= 0 and found.kind == "estimate"
    assert TWO_SETS[name](a.long(), b.long()) == found
    assert TWO_SETS[name](a.flip(0), b).value == pytest.approx(found.value, rel=1e-9)


def test_a_set_is_no_distance_from_itself():
    a, _ = clouds(60, 60, 3)
    assert metrics.frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert manifold.precision(a, a).value == manifold.recall(a, a).value == manifold.coverage(a, a).value == 1
    assert metrics.frechet(a, a + 1) == pytest.approx(metrics.frechet(a + 1, a), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: manifold.precision(a, a[:0]), "real, samples: expected 2 or more of each, received 60 and 0"),
        (lambda a: manifold.precision(a, a, k=2.5), "k: expected a whole number"),
        (lambda a: metrics.frechet_limit(a, a, smallest=0.04), "smallest: expected a share that leaves more than 3"),
    ],
)
def test_too_little_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(clouds(60, 60, 3)[0])
