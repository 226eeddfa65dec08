"""Chance that repeats itself: every draw of a run is a function of its seed, its step and its process."""

import contextlib
import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor


class Order:
    """Which examples make up a batch: permutation after permutation, each a function of (seed, epoch).

    >>> order = Order(examples=5, batch=2, seed=0)
    >>> sorted(torch.cat([order.batch(i) for i in range(5)]).tolist())  # two epochs: every example twice
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """

    def __init__(self, examples: int, batch: int, seed: int):
        self.examples, self.size, self.seed = examples, batch, seed
        self._epochs: dict[int, Tensor] = {}

    def batch(self, step: int) -> Tensor:
        """Return the indices of the examples of this step, shape (batch,); a batch may reach into the next epoch."""
        parts, at, need = [], step * self.size, self.size
        while need:
            epoch, place = divmod(at, self.examples)
            parts.append(self._permutation(epoch)[place : place + need])
            at, need = at + len(parts[-1]), need - len(parts[-1])
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch not in self._epochs:
            generator = torch.Generator().manual_seed(number_of(self.seed, "epoch", epoch))
            self._epochs = {epoch: torch.randperm(self.examples, generator=generator)}
        return self._epochs[epoch]


def number_of(*parts: object) -> int:
    """Return a number of 63 bits that depends on all ``parts``: unlike sums of seeds, no two runs share a stream."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()) >> 1


@contextlib.contextmanager
def randomness_of(seed: int, step: int, rank: int, device: torch.device) -> Iterator[None]:
    """Seed torch from (seed, step, rank) inside the block, and put the global random state back after it."""
    with torch.random.fork_rng([device] if device.type == "cuda" else [], device_type="cuda"):
        torch.manual_seed(number_of(seed, step, rank))
        yield
