"""How text compares with text: perplexity, repetition, and variety.

A text is a sequence of tokens of any kind: a string is one of characters, ``text.split()`` one of words, a row of a
tensor one of numbers. A set of texts is a list of them, or a tensor of shape (N, T).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ..base import Estimate

Texts = Sequence[Sequence] | Tensor


def perplexity(log_p: Tensor) -> Estimate:
    r"""Return the perplexity of texts, :math:`\exp(-\frac1{NT} \sum \log p)`: among how many tokens a guess is split.

    (Jelinek et al. 1977). Its standard error is that of the mean over texts, carried through the exponential.

    Arguments
        log_p: log p of every token given those before it, in nats, shape (N, T): N texts of T tokens.

    >>> perplexity(torch.full((3, 5), 0.25).log())
    Estimate(4.00 ± 0.00, exact)
    """
    if log_p.ndim != 2 or len(log_p) < 2 or log_p.shape[1] < 1:
        raise ValueError(f"log_p: expected shape (N, T) with N >= 2 and T >= 1, received {tuple(log_p.shape)}")
    if not (log_p <= 0).all():
        raise ValueError(f"log_p: expected logarithms of probabilities, 0 at most, received {log_p.max().item():.4g}")
    nats = Estimate.mean(-log_p.double().mean(1))
    value = math.exp(nats.value) if nats.value < 700 else math.inf
    return Estimate(value, value * nats.stderr if math.isfinite(value) else math.inf, kind="exact")


@torch.no_grad()
def continued(model: Callable[[Tensor], Tensor], prompts: Tensor, texts: Tensor) -> Tensor:
    """Return log p of every token of texts that follow prompts, in nats, shape (N, T).

    Arguments
        model: from tokens of shape (N, t) to logits of the next one, (N, V), as ``GPT.next`` and ``GPT.writer()`` are.
        prompts: int64 of shape (N, P), P ≥ 1.
        texts: int64 of shape (N, T).

    >>> continued(lambda tokens: torch.zeros(len(tokens), 4), torch.tensor([[0]]), torch.tensor([[1, 2]])).exp()
    tensor([[0.2500, 0.2500]])
    """
    if prompts.ndim != 2 or texts.ndim != 2 or len(prompts) != len(texts) or 0 in (*prompts.shape, *texts.shape):
        raise ValueError(
            f"prompts, texts: expected shapes (N, P) and (N, T), received {tuple(prompts.shape)} and "
            f"{tuple(texts.shape)}"
        )
    both, start = torch.cat([prompts, texts], 1), prompts.shape[1]
    found = [model(both[:, :t]).log_softmax(-1).gather(1, both[:, t : t + 1]) for t in range(start, both.shape[1])]
    return torch.cat(found, 1)


def repeated(texts: Texts, n: int) -> Estimate:
    r"""Return the share of n-grams that stood in the same text before: 0 for none, near 1 for a loop.

    .. math:: 1 - \frac{\text{different n-grams of a text}}{\text{n-grams of a text}}, \text{ on average over texts}

    (Welleck et al. 2020, sec. 6, seq-rep-n).

    >>> repeated(["abababab", "abcdefgh"], 2)
    Estimate(0.36 ± 0.36, estimate)
    """
    shares = [1 - len(set(grams)) / len(grams) for grams in _all_grams(texts, n)]
    return Estimate.mean(torch.tensor(shares, dtype=torch.float64))


def distinct(texts: Texts, n: int) -> Estimate:
    """Return distinct-n: different n-grams of all texts together, by all n-grams (Li et al. 2016, sec. 5.2).

    It falls as texts get more or longer, so compare sets of one size. The standard error is the jackknife's.

    >>> distinct(["abab", "abcd"], 2)
    Estimate(0.67 ± 0.17, estimate)
    """
    grams = _all_grams(texts, n)
    kinds = [set(found) for found in grams]
    owners = Counter(gram for found in kinds for gram in found)
    total, different = sum(map(len, grams)), len(owners)
    without = torch.tensor(
        [
            (different - sum(owners[g] == 1 for g in own)) / (total - len(g))
            for own, g in zip(kinds, grams, strict=True)
        ],
        dtype=torch.float64,
    )
    size = len(grams)
    stderr = math.sqrt((size - 1) / size * (without - without.mean()).square().sum().item())
    return Estimate(different / total, stderr)


def bleu(text: Sequence, references: Texts, n: int = 4, *, smooth: float = 0.1) -> float:
    r"""Return BLEU: how far a text is made of n-grams that its references have, from 0 to 1.

    .. math:: \min\!\big(1, e^{1 - r/c}\big) \exp\Big(\frac1n \sum_{k=1}^{n} \log p_k\Big)

    where :math:`p_k` is the share of the text's k-grams that are found in a reference, each counted at most as often as
    in the reference that has it most often; c is the text's length and r that of the reference nearest in length
    (Papineni et al. 2002, sec. 2).

    Arguments
        smooth: stands in for a count of zero (Chen & Cherry 2014, method 1); 0 makes BLEU 0 there.

    >>> round(bleu("the the the the".split(), ["the cat is on the mat".split()], 1), 4)  # 2 of 4, and too short
    0.3033
    """
    rows = _rows([text, *references], n)
    most = [_most(rows[1:], k) for k in range(1, n + 1)]
    allowed = [{gram: best for gram, (best, _, _) in table.items()} for table in most]
    return _bleu(rows[0], [len(row) for row in rows[1:]], allowed, smooth)


def self_bleu(texts: Texts, n: int = 4, *, smooth: float = 0.1) -> Estimate:
    """Return the mean BLEU of each text with all the others as references (Zhu et al. 2018, sec. 2.2).

    1 for texts that are all the same; the lower, the more the texts differ from one another. The standard error is that
    of a mean over texts, as if they were independent.

    >>> self_bleu(["to be or not", "to be or not", "that is it now"], 1).value > 0.7
    True
    """
    rows = _rows(texts, n)
    most, lengths = [_most(rows, k) for k in range(1, n + 1)], [len(row) for row in rows]
    scores = []
    for i, row in enumerate(rows):
        # how often a reference has a k-gram: the best of all texts, or the second best where this text is the best
        allowed = [{g: second if owner == i else best for g, (best, second, owner) in table.items()} for table in most]
        scores.append(_bleu(row, lengths[:i] + lengths[i + 1 :], allowed, smooth))
    return Estimate.mean(torch.tensor(scores, dtype=torch.float64))


def _bleu(row: tuple, lengths: list[int], allowed: list[dict], smooth: float) -> float:
    logs = []
    for k, table in enumerate(allowed, start=1):
        counts = Counter(_grams(row, k))
        hits = sum(min(count, table.get(gram, 0)) for gram, count in counts.items()) or smooth
        if hits == 0:
            return 0.0
        logs.append(math.log(hits / (len(row) - k + 1)))
    nearest = min(lengths, key=lambda length: (abs(length - len(row)), length))
    return min(1.0, math.exp(1 - nearest / len(row))) * math.exp(sum(logs) / len(logs))


def _most(rows: Sequence[tuple], n: int) -> dict:
    """Return for every n-gram its highest count in a text, the next highest in another, and whose the highest is."""
    table: dict = {}
    for i, row in enumerate(rows):
        for gram, count in Counter(_grams(row, n)).items():
            best, second, owner = table.get(gram, (0, 0, -1))
            table[gram] = (count, best, i) if count > best else (best, max(second, count), owner)
    return table


def _grams(row: Sequence, n: int) -> Iterator[tuple]:
    return zip(*(row[i:] for i in range(n)), strict=False)


def _all_grams(texts: Texts, n: int) -> list[list[tuple]]:
    return [list(_grams(row, n)) for row in _rows(texts, n)]


def _rows(texts: Texts, n: int) -> list[tuple]:
    if isinstance(texts, str):
        raise ValueError("texts: expected a list of texts, received one string")
    if isinstance(texts, Tensor):
        if texts.ndim != 2:
            raise ValueError(f"texts: expected shape (N, T), received {tuple(texts.shape)}")
        texts = texts.tolist()
    if n < 1:
        raise ValueError(f"n: expected at least 1, received {n}")
    rows = [tuple(row.tolist() if isinstance(row, Tensor) else row) for row in texts]
    if len(rows) < 2:
        raise ValueError(f"texts: expected at least 2, received {len(rows)}")
    if min(map(len, rows)) < n:
        raise ValueError(f"texts: expected at least {n} tokens in each, received one of {min(map(len, rows))}")
    return rows
