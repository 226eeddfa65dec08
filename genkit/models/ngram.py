r"""The oldest language model: count which token follows which few (Shannon 1948).

Longer contexts say more and are rarer. Witten and Bell (1991) trust a context by how often it was seen against how many
different tokens followed it, and leave the rest to the context that is one token shorter:

.. math:: p_k(w \mid h) = \frac{n(h, w) + t(h)\, p_{k-1}(w \mid h')}{n(h) + t(h)}
"""

import torch
from torch import Tensor


class NGram:
    """Interpolated n-grams over tokens 0 … levels − 1.

    Arguments
        order: tokens in an n-gram: order − 1 tokens of context, at least 1.
        levels: the size of the vocabulary; levels to the power of order must fit in 63 bits.

    >>> model = NGram(order=2, levels=2).fit(torch.tensor([0, 1, 0, 1, 0, 1, 0]))
    >>> model.log_prob(torch.tensor([[0, 1, 0]])).exp()[0, 1:]  # after 0 comes 1, after 1 comes 0, most of the time
    tensor([0.8611, 0.8889])
    """

    def __init__(self, order: int, levels: int):
        if order < 1:
            raise ValueError(f"order: expected at least 1, received {order}")
        if levels < 1 or levels**order >= 2**63:
            raise ValueError(f"levels: expected levels ** order below 2 ** 63, received {levels} ** {order}")
        self.order, self.levels = order, levels
        self.tables: list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]] = []

    def fit(self, tokens: Tensor) -> "NGram":
        """Count the n-grams of tokens, int64 of shape (T,)."""
        if tokens.ndim != 1 or len(tokens) < self.order:
            raise ValueError(f"tokens: expected shape (T,) with T >= {self.order}, received {tuple(tokens.shape)}")
        if not 0 <= int(tokens.min()) <= int(tokens.max()) < self.levels:
            raise ValueError(f"tokens: expected numbers in [0, {self.levels}), received others")
        self.tables = []
        for k in range(1, self.order + 1):
            grams, counts = _number(tokens.unfold(0, k, 1), self.levels).unique(return_counts=True)
            contexts, kinds = (grams // self.levels).unique(return_counts=True)  # kinds: different tokens that followed
            place = torch.searchsorted(contexts, grams // self.levels)
            totals = torch.zeros(len(contexts)).index_add(0, place, counts.float())
            self.tables.append((grams, counts.float(), contexts, totals, kinds.float()))
        return self

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Return log p of every token given those before it in its row, in nats, shape (N, T) as tokens."""
        p = torch.full(tokens.shape, 1 / self.levels)
        for k, (grams, counts, contexts, totals, kinds) in enumerate(self.tables, start=1):
            if tokens.shape[1] < k:
                break
            number = _number(tokens.unfold(1, k, 1), self.levels)  # (N, T − k + 1)
            n = _look_up(grams, counts, number)
            total, t = (_look_up(contexts, values, number // self.levels) for values in (totals, kinds))
            seen = total > 0
            p[:, k - 1 :] = torch.where(seen, (n + t * p[:, k - 1 :]) / (total + t).clamp(min=1), p[:, k - 1 :])
        return p.log()

    def next(self, context: Tensor) -> Tensor:
        """Return p of every token after a context of shape (T,): shape (levels,), sum 1."""
        context = context[len(context) - min(len(context), self.order - 1) :]
        rows = torch.cat([context.repeat(self.levels, 1), torch.arange(self.levels)[:, None]], 1)
        return self.log_prob(rows)[:, -1].exp()

    def sample(self, length: int, *, start: Tensor | None = None) -> Tensor:
        """Draw ``length`` tokens after ``start``, shape (T,): shape (length,)."""
        tokens = torch.empty(0, dtype=torch.int64) if start is None else start
        for _ in range(length):
            tokens = torch.cat([tokens, torch.multinomial(self.next(tokens), 1)])
        return tokens[len(tokens) - length :]


def _number(grams: Tensor, levels: int) -> Tensor:
    """Read the last axis as digits of a number in base ``levels``."""
    number = torch.zeros(grams.shape[:-1], dtype=torch.int64)
    for digit in grams.unbind(-1):
        number = number * levels + digit
    return number


def _look_up(keys: Tensor, values: Tensor, wanted: Tensor) -> Tensor:
    """Return the value of every wanted key, or 0 where it is none of the sorted keys."""
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == wanted, values[place], 0.0)
