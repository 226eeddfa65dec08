"""What work costs on any machine: floating-point operations, and bytes that a step keeps for its way back."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ..base import Generative

_ATEN = torch.ops.aten
FORMULAS = {
    # torch 2.13 knows these two on a GPU only, and counts nothing for attention on a processor
    _ATEN._scaled_dot_product_flash_attention_for_cpu: flop_registry[_ATEN._scaled_dot_product_flash_attention],
    _ATEN._scaled_dot_product_flash_attention_for_cpu_backward: flop_registry[
        _ATEN._scaled_dot_product_flash_attention_backward
    ],
    **flop_registry,
}


class Operations(TorchDispatchMode):
    """Counts floating-point operations while it is entered, by torch's own formulas: ``count`` holds their sum.

    Products of matrices, convolutions and attention are counted, a multiplication and an addition as two; what is done
    to each number by itself is not, and causal attention counts as if it looked at everything. Torch's own
    ``FlopCounterMode`` follows modules too, and for that stops where a loss asks for a gradient of its own.
    """

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operation, and count it if there is a formula for it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        formula = FORMULAS.get(func._overloadpacket)
        if formula is not None:
            self.count += formula(*args, **kwargs, out_val=out)
        return out


def operations(work: Callable[[], object]) -> int:
    """Return the floating-point operations of ``work()``, which is run once.

    >>> a, b = torch.ones(2, 3), torch.ones(3, 5)
    >>> operations(lambda: a @ b)  # 2 · 2 · 3 · 5
    60
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "TF32 acceleration")
        # a recurrent network is one operation without a formula in oneDNN, and products of matrices otherwise
        with torch.backends.mkldnn.flags(enabled=False), Operations() as found:
            work()
    return int(found.count)


def kept_bytes(model: Generative, x: Tensor, c: Tensor | None = None) -> int:
    """Return the bytes that autograd keeps between loss and gradient, of the player that keeps most.

    Memory that several operations keep counts once, and parameters, which are there anyway, do not: it is what a step
    needs on top of the model, its gradients and the optimiser's averages.

    >>> from genkit.families import build
    >>> model = build("flow", shape=[2], layers=1, hidden=[8])
    >>> few, many = (kept_bytes(model, torch.zeros(n, 2)) for n in (100, 300))
    >>> round(many / few, 1)
    3.0
    """
    return max(_kept(lambda player=player: player.loss(x, c)["loss"].mean(), model) for player in model.players())


def _kept(loss: Callable[[], Tensor], model: Generative) -> int:
    known = {p.untyped_storage().data_ptr() for p in model.parameters()}
    found: dict[int, tuple[int, Tensor]] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            found[storage.data_ptr()] = storage.nbytes(), tensor  # held, so that its address is not given away again
        return tensor

    model.train()
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        loss()
    return sum(size for size, _ in found.values())
