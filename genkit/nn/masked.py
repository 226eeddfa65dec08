"""Networks in which output i sees nothing of input i or later: the parts of autoregressive models."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MaskedLinear(nn.Linear):
    """A linear layer some of whose weights are held at zero: MADE's building block (Germain et al. 2015, eq. 9).

    Arguments
        mask: which weights live, shape (outputs, inputs), 0 or 1.
    """

    def __init__(self, mask: Tensor):
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.to(torch.float32), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return x W' + b, shape (B, outputs), with the masked weights left out."""
        return F.linear(x, self.weight * self.mask, self.bias)


class MaskedMLP(nn.Module):
    """MADE: a multilayer perceptron whose output i depends on inputs before i alone (Germain et al. 2015).

    A hidden unit numbered m may look at the inputs before m, and at hidden units with numbers up to m; output i looks
    at hidden units numbered up to i. The context is seen by all.

    Arguments
        size: the number D of inputs and of places in the output.
        per_place: numbers to say about each place.
        hidden: sizes of the hidden layers.
        context: width of the context that comes with each example; 0 for none.
        dropout: the probability in [0, 1) with which a hidden unit is silenced in training.
    """

    def __init__(
        self, size: int, per_place: int, *, hidden: tuple[int, ...] = (512,), context: int = 0, dropout: float = 0.0
    ):
        super().__init__()
        if size < 1 or not hidden or min(hidden) < 1:
            raise ValueError(f"size, hidden: expected numbers of at least 1, received {size} and {hidden}")
        self.size, self.per_place = size, per_place
        number = torch.arange(size)
        layers: list[nn.Module] = []
        for layer, width in enumerate(hidden):
            # a unit numbered m may look at inputs 0 … m − 1; unit 0 hears the context alone
            unit = torch.arange(width) * size // width
            seen = unit[:, None] > number if layer == 0 else unit[:, None] >= number
            layers.append(MaskedLinear(seen))
            # the first place is told nothing but biases: from small ones it would take long to learn from
            nn.init.uniform_(layers[-1].bias, -1, 1)
            number = unit
        self.hidden = nn.ModuleList(layers)
        places = torch.arange(size).repeat_interleave(per_place)
        self.last = MaskedLinear(places[:, None] >= number)
        self.context = nn.ModuleList([nn.Linear(context, width, bias=False) for width in hidden]) if context else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Return numbers about every place, (B, D, per_place), from inputs of shape (B, D)."""
        h = x
        for i, layer in enumerate(self.hidden):
            h = layer(h)
            if context is not None:
                h = h + self.context[i](context)
            h = self.dropout(F.silu(h))
        return self.last(h).unflatten(1, (self.size, self.per_place))
