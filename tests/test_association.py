"""Rules from baskets: every number is the definition's, the miner misses none, and planted rules come back."""

import itertools

import pytest
import torch
from scipy.stats import fisher_exact

from genkit.association import Rule, judge, mine, shortest, tail
from genkit.data import load
from genkit.data.baskets import FOLLOWS, ITEMS, RATES, RULES, fill

PLANTED = {(tuple(sorted(asked)), promised) for asked, promised in RULES}


def few(seed=0, n=120, items=6):
    g = torch.Generator().manual_seed(seed)
    return (torch.rand(n, items, generator=g) < 0.4).float(), tuple("abcdef"[:items])


@pytest.fixture(scope="module")
def data():
    return load("baskets")


# the rules ------------------------------------------------------------------------------------------------------------


def test_one_rule_counted_by_hand():
    x = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]]).float()
    rule = judge(x, ("a", "b", "c"), ("b", "a"), "c")
    assert rule.asked == ("a", "b") and str(rule) == "a and b → c" and rule.name == (("a", "b"), "c")
    assert (rule.support, rule.confidence, rule.lift, rule.count) == (1 / 6, 1 / 2, (1 / 2) / (4 / 6), 1)


@pytest.mark.parametrize("seed", range(3))
def test_the_miner_finds_every_rule_that_brute_force_finds_with_the_same_numbers(seed):
    x, items = few(seed)
    expected = {}
    for size in (1, 2):
        for asked in itertools.combinations(items, size):
            for promised in set(items) - set(asked):
                rule = judge(x, items, asked, promised)
                if rule.support > 0.079 and rule.confidence > 0.395 and rule.lift > 0.895:
                    expected[rule.name] = rule
    found = mine(x, items, support=0.079, confidence=0.395, lift=0.895)
    assert {rule.name for rule in found} == set(expected) and len(found) > 5
    for rule in found:
        for name in ("support", "confidence", "lift", "count", "chance"):
            assert getattr(rule, name) == pytest.approx(getattr(expected[rule.name], name)), (str(rule), name)
    assert [rule.lift for rule in found] == sorted((rule.lift for rule in found), reverse=True)


@pytest.mark.parametrize(("both", "n", "one", "other"), [(3, 20, 5, 8), (0, 20, 5, 8), (5, 20, 5, 8), (2, 50, 20, 4)])
def test_the_tail_is_fishers_exact_test(both, n, one, other):
    table = [[both, one - both], [other - both, n - one - other + both]]
    assert tail(both, n, one, other) == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_lift_is_the_same_both_ways_and_confidence_is_not():
    x, items = few(1)
    x[:, 1] = ((x[:, 1] + x[:, 0]) > 0).float()
    there, back = judge(x, items, ("a",), "b"), judge(x, items, ("b",), "a")
    assert there.lift == pytest.approx(back.lift) and there.support == back.support
    assert there.confidence == 1 > back.confidence + 0.2


def test_what_nobody_has_supports_nothing():
    x = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    rule = judge(x, ("a", "b"), ("a",), "b")
    assert (rule.support, rule.confidence, rule.lift, rule.chance) == (0, 0, 0, 1)
    assert mine(x, ("a", "b"), support=0.5) == [] and mine(torch.zeros(3, 2), ("a", "b"), support=0.5) == []


def test_the_shortest_rules_of_each_promise_stay():
    def rule(asked, promised):
        return Rule(tuple(asked), promised, 0.1, 0.5, 2.0, 10, 0.1)

    kept = shortest([rule("ab", "c"), rule("a", "c"), rule("ab", "d"), rule("bx", "c"), rule("c", "a")])
    assert [r.name for r in kept] == [(("a",), "c"), (("a", "b"), "d"), (("b", "x"), "c"), (("c",), "a")]


X, NAMES = few()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mine(X, NAMES, support=0.0), r"support: expected a number in \(0, 1\]"),
        (lambda: mine(X, NAMES[:3], support=0.1), r"x: expected shape \(N, 3\)"),
        (lambda: mine(X, NAMES, support=0.1, asked=0), "asked: expected at least 1"),
        (lambda: judge(X, NAMES, ("z",), "a"), "items: expected one of 6 known ones, received 'z'"),
        (lambda: judge(X, NAMES, ("a",), "a"), "asked: expected items other than"),
        (lambda: judge(X, NAMES, (), "a"), "asked: expected items other than"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# the baskets ----------------------------------------------------------------------------------------------------------


def test_baskets_are_what_their_makers_say(data):
    assert [len(s) for s in (data.train, data.valid, data.test)] == [4000, 800, 3200]
    assert data.shape == (len(ITEMS),) == (50,) and data.levels == 2 and set(data.train.x.unique().tolist()) == {0, 1}
    assert data.sha256 == load("baskets").sha256 != load("baskets", seed=1).sha256
    x = torch.cat([data.train.x, data.valid.x, data.test.x])
    untouched = [item for item in ITEMS if item not in {promised for _, promised in RULES}]
    for item in untouched:
        assert x[:, ITEMS.index(item)].mean().item() == pytest.approx(RATES[item], abs=0.02)
    text = "bread, milk"
    assert data.decode(data.encode(" milk,bread ")) == text and data.encode("").sum() == 0
    with pytest.raises(ValueError, match="text: expected known items between commas, received unicorn"):
        data.encode("bread, unicorn")
    with pytest.raises(ValueError, match="n: expected at least 10, received 9"):
        load("baskets", n=9)


def test_a_rule_fires_only_where_all_it_asks_for_is_there():
    x, fired = fill(20_000, torch.Generator().manual_seed(0))
    for k, (asked, promised) in enumerate(RULES):
        ready = x[:, [ITEMS.index(item) for item in asked]].all(1)
        assert not (fired[:, k] & ~ready).any() and x[fired[:, k], ITEMS.index(promised)].all()
        assert fired[ready, k].float().mean().item() == pytest.approx(FOLLOWS, abs=0.06)


def test_the_lift_of_a_planted_rule_is_the_one_that_follows_from_the_coins():
    x, _ = fill(60_000, torch.Generator().manual_seed(1))
    for asked, promised in RULES:
        share = torch.tensor([RATES[item] for item in asked]).prod().item()
        own = RATES[promised]
        given = own + (1 - own) * FOLLOWS
        expected = given / (own + (1 - own) * FOLLOWS * share)
        rule = judge(x, ITEMS, asked, promised)
        assert rule.confidence == pytest.approx(given, abs=0.03) and rule.lift == pytest.approx(expected, rel=0.06)
    assert judge(x, ITEMS, ("milk",), "soap").lift == pytest.approx(1, abs=0.06), "nothing ties these"


@pytest.mark.parametrize("seed", range(5))
def test_planted_rules_come_back_and_hardly_another(seed):
    x = load("baskets", seed=seed).train.x
    found = {rule.name for rule in shortest(mine(x, ITEMS, support=0.01, confidence=0.5, lift=3.0))}
    assert len(found & PLANTED) >= 9 and len(found - PLANTED) <= 1
