"""ROUGE: how much of a reference's wording a summary shares (Lin 2004)."""

from collections import Counter
from collections.abc import Sequence

import torch

from ..base import Estimate


def rouge_n(texts: Sequence[Sequence], references: Sequence[Sequence], n: int = 1) -> Estimate:
    r"""Return ROUGE-N as an F-score: n-grams that a text and its reference share, averaged over the pairs.

    With m shared n-grams (each as often as it stands in both), precision m / |text| and recall m / |reference|, it is
    their harmonic mean; 0 where nothing is shared. Lin (2004), section 2.

    Arguments
        texts, references: as many sequences of tokens of each, two at least.
        n: at least 1.

    >>> rouge_n(["the cat sat".split(), "a b".split()], ["the cat ran".split(), "a b".split()]).value
    0.8333333333333333
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1, received {n}")
    scores = []
    for text, reference in _pairs(texts, references):
        ours, theirs = (Counter(zip(*(s[i:] for i in range(n)), strict=False)) for s in (text, reference))
        scores.append(_f_score((ours & theirs).total(), ours.total(), theirs.total()))
    return Estimate.mean(torch.tensor(scores, dtype=torch.float64))


def rouge_l(texts: Sequence[Sequence], references: Sequence[Sequence]) -> Estimate:
    """Return ROUGE-L as an F-score: the longest common subsequence of a text and its reference, over their lengths.

    Lin (2004), section 3, averaged over the pairs. Words may be left out in between, but not change their order.

    >>> rouge_l(["the cat sat on".split(), "a b".split()], ["the dog sat on".split(), "b a".split()]).value
    0.625
    """
    scores = [_f_score(_common(a, b), len(a), len(b)) for a, b in _pairs(texts, references)]
    return Estimate.mean(torch.tensor(scores, dtype=torch.float64))


def _common(a: Sequence, b: Sequence) -> int:
    """Return the length of the longest common subsequence, row by row of the usual table."""
    row = [0] * (len(b) + 1)
    for item in a:
        above = row
        row = [0]
        for j, other in enumerate(b):
            row.append(above[j] + 1 if item == other else max(above[j + 1], row[j]))
    return row[-1]


def _f_score(shared: int, ours: int, theirs: int) -> float:
    return 2 * shared / (ours + theirs) if shared else 0.0


def _pairs(texts: Sequence[Sequence], references: Sequence[Sequence]):
    if len(texts) != len(references) or len(texts) < 2:
        raise ValueError(
            f"texts, references: expected as many of both, two at least, received {len(texts)} and {len(references)}"
        )
    return zip(texts, references, strict=True)
