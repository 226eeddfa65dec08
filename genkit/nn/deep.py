"""A deep network with equal layers, and two ways to keep its signals and gradients alive: shortcuts, normalisation."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Deep(nn.Module):
    r"""A stack of equal layers between an input and an output layer.

    .. math:: h^{l} = f(W_l h^{l-1} + b_l), \quad\text{or with shortcuts}\quad h^{l} = h^{l-1} + f(W_l h^{l-1} + b_l)

    (He et al. 2016). With ``normalised``, each layer first brings what it gets to mean 0 and deviation 1 over the units
    of each example (Ba et al. 2016). Weights are drawn from :math:`N(0, \text{gain}^2 / \text{width})`, biases are 0.

    Arguments
        inputs, outputs: numbers that go in and come out.
        width: units of every layer.
        depth: equal layers, at least 1.
        f: the activation, a function of tensors.
        gain: √2 suits ReLU (He et al. 2015), 1 suits tanh and sigmoid.
        shortcut: add what a layer gets to what it says.
        normalised: normalise what a layer gets.

    >>> Deep(64, 10, depth=4)(torch.zeros(3, 64)).shape
    torch.Size([3, 10])
    """

    def __init__(
        self, inputs: int, outputs: int, *, width: int = 32, depth: int = 16,
        f: Callable[[Tensor], Tensor] = torch.relu, gain: float = 2**0.5, shortcut: bool = False,
        normalised: bool = False,
    ):  # fmt: skip
        super().__init__()
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, received {depth}")
        if width < 1:
            raise ValueError(f"width: expected at least 1, received {width}")
        self.f, self.shortcut = f, shortcut
        self.first, self.last = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) if normalised else nn.Identity() for _ in range(depth))
        for layer, size in [(self.first, gain), *((one, gain) for one in self.layers), (self.last, 1.0)]:
            nn.init.normal_(layer.weight, std=size / layer.in_features**0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, shape (B, outputs), of x of shape (B, inputs)."""
        h = self.f(self.first(x))
        for layer, norm in zip(self.layers, self.norms, strict=True):
            said = self.f(layer(norm(h)))
            h = h + said if self.shortcut else said
        return self.last(h)


def gradient_sizes(model: Deep, loss: Tensor) -> list[float]:
    """Return the root mean square of the loss's gradient in the weights of each equal layer, first to last."""
    found = torch.autograd.grad(loss, [layer.weight for layer in model.layers])
    return [g.square().mean().sqrt().item() for g in found]
