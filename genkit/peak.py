"""How much memory a piece of work needs at once: counted, not sampled, so that it comes out the same everywhere."""

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class PeakMemory(TorchDispatchMode):
    """Count, inside the block, the bytes of all tensors that were made there and are still alive; keep the most.

    What was made before the block does not count. What an operation needs for itself, and gives back before
    it returns, is not seen.

    >>> with PeakMemory() as memory:
    ...     a = torch.zeros(1000)  # 4,000 bytes
    ...     b = a + 1
    ...     del a
    ...     c = b * 2
    >>> memory.most, memory.now
    (8000, 8000)
    """

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        for value in _tensors((args, kwargs)):
            self._note(value.untyped_storage(), counts=False)  # it was there before
        found = function(*args, **(kwargs or {}))
        for value in _tensors(found):
            self._note(value.untyped_storage(), counts=True)
        return found

    def _note(self, storage: torch.UntypedStorage, *, counts: bool) -> None:
        place, size = storage._cdata, storage.nbytes() if counts else 0
        if place in self.known:
            return
        self.known.add(place)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self.known.discard(place)
        self.now -= size


def _tensors(tree) -> list[torch.Tensor]:
    return [leaf for leaf in tree_iter(tree) if isinstance(leaf, torch.Tensor)]
