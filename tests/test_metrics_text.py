"""Text metrics against slow definitions written otherwise, cases worked by hand, and what must hold for any texts."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import metrics
from genkit.models.gpt import GPT
from genkit.models.ngram import NGram

TEXTS = st.lists(st.text("abc", min_size=4, max_size=9), min_size=2, max_size=5)
FEW = settings(max_examples=100, deadline=None)


def grams(text, n):
    return [text[i : i + n] for i in range(len(text) - n + 1)]


def slow_bleu(text, references, n, smooth=0.1):
    """Papineni's definition, word for word: clip each k-gram's count by its largest count in any one reference."""
    precisions = []
    for k in range(1, n + 1):
        hits = 0
        for gram in set(grams(text, k)):
            most = max(grams(r, k).count(gram) for r in references)
            hits += min(grams(text, k).count(gram), most)
        precisions.append((hits or smooth) / len(grams(text, k)))
    c = len(text)
    r = sorted((abs(len(ref) - c), len(ref)) for ref in references)[0][1]
    return (1 if c > r else math.exp(1 - r / c)) * math.prod(precisions) ** (1 / n)


@given(TEXTS, st.integers(1, 4))
@FEW
def test_self_bleu_is_the_mean_bleu_against_all_others(texts, n):
    expected = [slow_bleu(t, texts[:i] + texts[i + 1 :], n) for i, t in enumerate(texts)]
    assert metrics.self_bleu(texts, n).value == pytest.approx(sum(expected) / len(expected))
    assert metrics.bleu(texts[0], texts[1:], n) == pytest.approx(expected[0])


def test_bleu_of_the_papers_own_examples():
    """Papineni et al. 2002, section 2.1: seven times 'the' has clipped unigram precision 2/7, bigram precision 0."""
    references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]
    assert metrics.bleu(["the"] * 7, references, 1) == pytest.approx(2 / 7)
    assert metrics.bleu(["the"] * 7, references, 2, smooth=0) == 0
    short = metrics.bleu(["the", "cat", "is", "on", "the"], references, 4)
    assert short == pytest.approx(math.exp(1 - 6 / 5)), "all its n-grams are there, and it is too short"


def test_bleu_worked_by_hand():
    """'abcd' against 'abce': 3 of 4 letters, 2 of 3 pairs, 1 of 2 triples, and none of 1: 0.1 in place of 0."""
    assert metrics.bleu("abcd", ["abce"]) == pytest.approx((3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** 0.25)
    assert metrics.bleu("abcd", ["abce"], smooth=0) == 0
    assert metrics.bleu("aab", ["ab", "ba", "aaa"], 1) == pytest.approx(1.0), "two a's in one, a b in another"


@given(TEXTS, st.integers(1, 4))
@FEW
def test_repetition_and_variety_by_counting(texts, n):
    shares = [sum(g in grams(t, n)[:i] for i, g in enumerate(grams(t, n))) / len(grams(t, n)) for t in texts]
    assert metrics.repeated(texts, n).value == pytest.approx(sum(shares) / len(shares))
    everything = [g for t in texts for g in grams(t, n)]
    assert metrics.distinct(texts, n).value == pytest.approx(len(set(everything)) / len(everything))


@given(TEXTS, st.integers(1, 3))
@FEW
def test_the_jackknife_leaves_one_text_out(texts, n):
    left = []
    for i in range(len(texts)):
        rest = [g for j, t in enumerate(texts) if j != i for g in grams(t, n)]
        left.append(len(set(rest)) / len(rest))
    mean = sum(left) / len(left)
    expected = math.sqrt((len(left) - 1) / len(left) * sum((v - mean) ** 2 for v in left))
    assert metrics.distinct(texts, n).stderr == pytest.approx(expected, abs=1e-9)


@given(TEXTS, st.integers(1, 4), st.randoms())
@FEW
def test_names_of_tokens_and_order_of_texts_do_not_matter(texts, n, random):
    shuffled = random.sample(texts, len(texts))
    numbers = [[{"a": 7, "b": 0, "c": 3}[letter] for letter in t] for t in texts]
    for metric in (metrics.repeated, metrics.distinct, metrics.self_bleu):
        first = metric(texts, n).value
        assert 0 <= first <= 1 + 1e-12
        assert metric(shuffled, n).value == pytest.approx(first)
        assert metric(numbers, n).value == pytest.approx(first)


def test_extremes():
    same = ["abcdef"] * 4
    assert metrics.self_bleu(same).value == pytest.approx(1)
    assert metrics.distinct(same, 2).value == 5 / 20
    assert metrics.repeated(same, 2).value == 0, "each text on its own repeats nothing"
    assert metrics.repeated(["a" * 500] * 2, 4).value == pytest.approx(1 - 1 / 497)
    apart = torch.arange(12).view(3, 4)
    assert metrics.distinct(apart, 1).value == 1 and metrics.self_bleu(apart, smooth=0).value == 0


def test_perplexity_of_a_fair_die_and_its_error():
    assert metrics.perplexity(torch.full((3, 7), 1 / 6).log()).value == pytest.approx(6)
    generator = torch.Generator().manual_seed(0)
    draws = -4 * torch.rand(4000, 50, 5, generator=generator)  # log p uniform in (−4, 0)
    found = [metrics.perplexity(draws[:, :, i]) for i in range(5)]
    assert all(abs(f.value - math.exp(2)) < 4 * f.stderr for f in found)
    many = torch.tensor([metrics.perplexity(part).value for part in draws[:, :, 0].split(20)])
    assert metrics.perplexity(draws[:20, :, 0]).stderr == pytest.approx(many.std().item(), rel=0.5)
    assert metrics.perplexity(torch.tensor([[-math.inf], [0.0]])).value == math.inf


def test_what_follows_a_prompt_has_the_probability_that_the_model_gives_it():
    torch.manual_seed(0)
    model = GPT(vocabulary=7, context=12, width=16, heads=2, layers=2, zero_init=False)
    tokens = torch.randint(7, (3, 12))
    found = metrics.continued(model.next, tokens[:, :4], tokens[:, 4:])
    torch.testing.assert_close(found, model.log_probs(tokens[:, 4:], tokens[:, :4]).detach())
    long = torch.randint(7, (2, 40))  # beyond the context: the window moves, with a cache and without
    slow = metrics.continued(model.next, long[:, :3], long[:, 3:])
    torch.testing.assert_close(metrics.continued(model.writer(), long[:, :3], long[:, 3:]), slow)


def test_another_kind_of_model_can_judge():
    torch.manual_seed(0)
    tokens = torch.randint(3, (4, 30))
    counted = NGram(3, 3).fit(torch.randint(3, (400,)))
    found = metrics.continued(
        lambda t: torch.stack([counted.next(row) for row in t]).log(), tokens[:, :5], tokens[:, 5:]
    )
    torch.testing.assert_close(found, counted.log_prob(tokens)[:, 5:])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.perplexity(torch.zeros(3)), r"log_p: expected shape \(N, T\)"),
        (lambda: metrics.perplexity(torch.zeros(1, 3)), "log_p: expected shape"),
        (lambda: metrics.perplexity(torch.full((2, 2), 0.5)), "log_p: expected logarithms of probabilities"),
        (lambda: metrics.perplexity(torch.full((2, 2), math.nan)), "log_p: expected logarithms"),
        (lambda: metrics.continued(lambda t: t, torch.zeros(1, 0).long(), torch.zeros(1, 2).long()), "prompts, texts"),
        (lambda: metrics.continued(lambda t: t, torch.zeros(1, 1).long(), torch.zeros(2, 2).long()), "prompts, texts"),
    ],
)
def test_bad_log_probabilities_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    ("metric", "bad", "words"),
    [
        *itertools.product(
            [metrics.repeated, metrics.distinct, metrics.self_bleu],
            ["abc", ["abc"], []],
            ["texts: expected"],
        ),
        (metrics.repeated, torch.zeros(3), r"texts: expected shape \(N, T\)"),
        (metrics.distinct, ["abc", "a"], "texts: expected at least 2 tokens"),
    ],
)
def test_bad_texts_are_named(metric, bad, words):
    with pytest.raises(ValueError, match=words):
        metric(bad, 2)
    with pytest.raises(ValueError, match="n: expected"):
        metric(["abc", "abd"], 0)
