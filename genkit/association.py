r"""Association rules: which things are found together more often than chance would put them.

A rule "who has A also has b" is judged by three numbers, all frequencies over baskets (Agrawal et al. 1993; lift: Brin
et al. 1997):

.. math:: \text{support} = P(A, b), \quad \text{confidence} = P(b \mid A), \quad
          \text{lift} = \frac{P(b \mid A)}{P(b)}
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rule:
    """Who has all of ``asked``, a sorted tuple of names, also has ``promised``; with the numbers that were counted.

    ``count`` is in how many baskets all of it was found, ``chance`` the probability of that many or more if what is
    promised did not depend on what is asked.
    """

    asked: tuple[str, ...]
    promised: str
    support: float
    confidence: float
    lift: float
    count: int
    chance: float

    @property
    def name(self) -> tuple[tuple[str, ...], str]:
        """What the rule says, without its numbers."""
        return self.asked, self.promised

    def __str__(self) -> str:
        return f"{' and '.join(self.asked)} → {self.promised}"


def judge(x: Tensor, items: Sequence[str], asked: Iterable[str], promised: str) -> Rule:
    """Count one rule in baskets x, 0 or 1 of shape (N, items).

    Where nobody has what is asked, confidence and lift are 0. Raises ``ValueError`` for items that are not known.

    >>> x = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    >>> rule = judge(x, ("tea", "milk"), ("tea",), "milk")
    >>> rule.support, rule.confidence, rule.lift, round(rule.chance, 4)
    (0.5, 1.0, 2.0, 0.1667)
    """
    asked = tuple(sorted(asked))
    for item in (*asked, promised):
        if item not in items:
            raise ValueError(f"items: expected one of {len(items)} known ones, received {item!r}")
    if not asked or promised in asked:
        raise ValueError(f"asked: expected items other than what is promised, received {asked}")
    column = {item: i for i, item in enumerate(items)}
    has, gets = x[:, [column[item] for item in asked]].bool().all(1), x[:, column[promised]].bool()
    both, one, other, n = ((v.sum().item()) for v in (has & gets, has, gets, torch.ones(len(x))))
    confidence = both / one if one else 0.0
    lift = confidence * n / other if other else 0.0
    return Rule(asked, promised, both / n, confidence, lift, both, tail(both, int(n), one, other))


def tail(both: int, n: int, one: int, other: int) -> float:
    """Return the probability of ``both`` or more common baskets by chance: Fisher's exact test, one-sided.

    ``one`` of n baskets have what is asked, and ``other`` have what is promised, wherever they are.

    >>> round(tail(2, 4, 2, 2), 4)  # 1 of the 6 ways to choose 2 of 4
    0.1667
    """
    from scipy.stats import hypergeom

    return float(hypergeom.sf(both - 1, n, one, other))


def mine(
    x: Tensor, items: Sequence[str], *, support: float, confidence: float = 0.0, lift: float = 0.0, asked: int = 2
) -> list[Rule]:
    """Find all rules that promise one item and reach three thresholds, by mlxtend's FP-growth, highest lift first.

    Arguments
        x: baskets, 0 or 1 of shape (N, items).
        items: the names of the columns.
        support, confidence, lift: the least that is let through; support in (0, 1].
        asked: how many items a rule may ask for at most.
    """
    if not 0 < support <= 1:
        raise ValueError(f"support: expected a number in (0, 1], received {support}")
    if x.ndim != 2 or x.shape[1] != len(items):
        raise ValueError(f"x: expected shape (N, {len(items)}), received {tuple(x.shape)}")
    if asked < 1:
        raise ValueError(f"asked: expected at least 1, received {asked}")
    import pandas
    from mlxtend.frequent_patterns import association_rules, fpgrowth

    table = pandas.DataFrame(x.bool().numpy(), columns=list(items))
    frequent = fpgrowth(table, min_support=support, use_colnames=True, max_len=asked + 1)
    if frequent.empty or frequent["itemsets"].map(len).max() < 2:
        return []
    found = association_rules(frequent, metric="confidence", min_threshold=confidence)
    found = found[(found["lift"] >= lift) & (found["consequents"].map(len) == 1)]
    singles = x.sum(0).tolist()
    rules = []
    for row in found.itertuples():
        (promised,) = row.consequents
        both, one = round(row.support * len(x)), round(row._3 * len(x))  # mlxtend's "antecedent support"
        other = int(singles[list(items).index(promised)])
        chance = tail(both, len(x), one, other)
        rules.append(
            Rule(tuple(sorted(row.antecedents)), promised, row.support, row.confidence, row.lift, both, chance)
        )
    return sorted(rules, key=lambda rule: (-rule.lift, rule.name))


def shortest(rules: Iterable[Rule]) -> list[Rule]:
    """Leave out every rule that asks for more than another one does which promises the same.

    >>> long = Rule(("milk", "tea"), "lemons", 0.1, 0.6, 3.0, 10, 0.01)
    >>> [str(rule) for rule in shortest([long, Rule(("tea",), "lemons", 0.2, 0.6, 3.0, 20, 0.001)])]
    ['tea → lemons']
    """
    rules = list(rules)
    return [
        rule for rule in rules if not any(set(o.asked) < set(rule.asked) and o.promised == rule.promised for o in rules)
    ]
