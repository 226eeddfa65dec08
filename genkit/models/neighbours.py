"""The counting model of gaps: which token stood most often between the same neighbours."""

import torch
from torch import Tensor


class Neighbours:
    """Fill in a gap with the token that was most frequent between the same ``reach`` tokens on either side.

    Neighbours that were never seen are asked again with one fewer on both sides, down to none.

    Arguments
        reach: tokens on each side, at least 0.
        levels: the size of the vocabulary; levels to the power of 2 · reach + 1 must fit in 63 bits.

    >>> model = Neighbours(reach=1, levels=3).fit(torch.tensor([0, 1, 0, 1, 0, 2, 2]))
    >>> model.likeliest(torch.tensor([[0], [1]]), torch.tensor([[0], [1]]))
    tensor([1, 0])
    """

    def __init__(self, reach: int, levels: int):
        if reach < 0:
            raise ValueError(f"reach: expected at least 0, received {reach}")
        if levels < 1 or levels ** (2 * reach + 1) >= 2**63:
            raise ValueError(f"levels: expected levels ** {2 * reach + 1} below 2 ** 63, received {levels}")
        self.reach, self.levels = reach, levels
        self.tables: list[tuple[Tensor, Tensor]] = []

    def fit(self, tokens: Tensor) -> "Neighbours":
        """Count the gaps of tokens, int64 of shape (T,)."""
        if tokens.ndim != 1 or len(tokens) < 2 * self.reach + 1:
            raise ValueError(f"tokens: expected shape (T,) with T > {2 * self.reach}, received {tuple(tokens.shape)}")
        self.tables = []
        for k in range(self.reach + 1):
            windows = tokens.unfold(0, 2 * k + 1, 1)
            keys = self._key(windows[:, :k], windows[:, k + 1 :]) * self.levels + windows[:, k]
            keys, counts = keys.unique(return_counts=True)
            order = (-counts).argsort(stable=True)  # the most frequent first, so that it is the one that is found
            order = order[(keys[order] // self.levels).argsort(stable=True)]
            around, first = (keys[order] // self.levels).unique_consecutive(return_counts=True)
            self.tables.append((around, keys[order][first.cumsum(0) - first] % self.levels))
        return self

    def likeliest(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the most frequent token between neighbours, each of shape (N, reach) in reading order: shape (N,)."""
        found = torch.zeros(len(left), dtype=torch.int64)
        for k, (keys, tokens) in enumerate(self.tables):
            wanted = self._key(left[:, left.shape[1] - k :], right[:, :k])
            place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
            found = torch.where(keys[place] == wanted, tokens[place], found)
        return found

    def _key(self, left: Tensor, right: Tensor) -> Tensor:
        number = torch.zeros(len(left), dtype=torch.int64)
        for digit in torch.cat([left, right], 1).unbind(1):
            number = number * self.levels + digit
        return number
