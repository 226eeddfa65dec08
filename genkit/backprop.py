r"""Back-propagation by hand: a network as a list of weights, and the gradient of its loss without autograd.

Weights may carry leading axes: stacks of networks, of several seeds, say, then go through the same lines together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from .names import unknown

Weights = list[tuple[Tensor, Tensor]]
"""A matrix, shape (…, inputs, outputs), and a bias, shape (…, 1, outputs), for each layer."""


@dataclass(frozen=True)
class Activation:
    """A bend for every unit, and its slope **as a function of the bend's own output**, which is what is kept."""

    name: str
    f: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    gain: float = 1.0
    """Weights are drawn with deviation gain / √inputs, so that layers neither swell nor fade (He et al. 2015)."""


ACTIVATIONS: dict[str, Activation] = {
    a.name: a
    for a in (
        Activation("ReLU", torch.relu, lambda h: (h > 0).to(h), gain=2**0.5),
        Activation("tanh", torch.tanh, lambda h: 1 - h * h),
        Activation("sigmoid", torch.sigmoid, lambda h: h * (1 - h)),
        Activation("leaky ReLU", lambda a: torch.where(a > 0, a, 0.1 * a), lambda h: 0.1 + 0.9 * (h > 0).to(h),
                   gain=(2 / 1.01) ** 0.5),
        Activation("none", lambda a: a, torch.ones_like),
    )
}  # fmt: skip
RELU, TANH, SIGMOID, LEAKY, NONE = ACTIVATIONS.values()


def activation(name: str) -> Activation:
    """Return an activation by its name.

    >>> activation("sigmoid").f(torch.tensor(0.0))
    tensor(0.5000)
    """
    if name not in ACTIVATIONS:
        raise unknown("name", name, ACTIVATIONS)
    return ACTIVATIONS[name]


Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From logits a, shape (…, N, K), and targets y to the loss of each example, (…, N), and its slope in a, (…, N, K)."""


def cross_entropy(a: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return :math:`-\log p(y)` in nats, :math:`p(1) = \sigma(a)`, and its slope :math:`\sigma(a) - y`."""
    return (torch.nn.functional.softplus(a) - y * a).sum(-1), torch.sigmoid(a) - y


def squared_error(a: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return :math:`(\sigma(a) - y)^2`, whose slope in a fades where the answer is sure, be it right or wrong."""
    p = torch.sigmoid(a)
    return (p - y).square().sum(-1), 2 * (p - y) * p * (1 - p)


def hinge(a: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return :math:`\max(0, 1 - (2y - 1)\,a)`: an answer that is right by a margin of 1 costs nothing."""
    side = 2 * y - 1
    return (1 - side * a).clamp(min=0).sum(-1), -side * (side * a < 1)


def softmax_cross_entropy(a: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return :math:`-\sum_k y_k \log \mathrm{softmax}(a)_k` in nats, y one-hot; the slope is softmax(a) − y."""
    return -(y * a.log_softmax(-1)).sum(-1), a.softmax(-1) - y


def initial(
    widths: Sequence[int],
    act: Activation = RELU,
    *,
    seed: int = 0,
    stack: Sequence[int] = (),
    gain: float | None = None,
) -> Weights:
    r"""Draw weights from :math:`N(0, \text{gain}^2 / \text{inputs})` (He et al. 2015, eq. 10, for ReLU); biases are 0.

    Arguments
        widths: sizes of input, hidden layers and output, at least two, each at least 1.
        act: decides the gain of all layers but the last, whose gain is 1.
        seed: of the draw, which touches no global state.
        stack: leading axes: networks side by side.
        gain: another gain, for all layers but the last.

    >>> [tuple(w.shape) for w, _ in initial((2, 8, 1), stack=(5,))]
    [(5, 2, 8), (5, 8, 1)]
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths: expected at least two sizes of at least 1, received {tuple(widths)}")
    g, weights = torch.Generator().manual_seed(seed), []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        size = 1.0 if i == len(widths) - 2 else (act.gain if gain is None else gain)
        w = size / inputs**0.5 * torch.randn(*stack, inputs, outputs, generator=g)
        weights.append((w, torch.zeros(*stack, 1, outputs)))
    return weights


def forward(weights: Weights, x: Tensor, act: Activation = RELU) -> list[Tensor]:
    """Return what every layer says of x, shape (…, N, inputs): x itself, the hidden layers, the logits."""
    outputs = [x]
    for i, (w, b) in enumerate(weights):
        a = outputs[-1] @ w + b
        outputs.append(act.f(a) if i < len(weights) - 1 else a)
    return outputs


def backprop(
    weights: Weights, x: Tensor, y: Tensor, act: Activation = RELU, loss: Loss = cross_entropy
) -> tuple[Tensor, Weights]:
    r"""Return the mean loss, shape (…), and its gradient with respect to every matrix and bias; change nothing.

    .. math:: \delta^L = \partial L / \partial a^L, \qquad
        \delta^{l-1} = (\delta^l W_l^\top) \odot f'(a^{l-1}), \qquad
        \partial L / \partial W_l = (h^{l-1})^\top \delta^l, \qquad \partial L / \partial b_l = \sum_n \delta^l_n

    Rumelhart, Hinton & Williams (1986). Rows are examples: x has shape (…, N, inputs), y shape (…, N, outputs).

    >>> weights = initial((2, 3, 1))
    >>> loss, gradients = backprop(weights, torch.ones(4, 2), torch.ones(4, 1))
    >>> [tuple(w.shape) for w, _ in gradients]
    [(2, 3), (3, 1)]
    """
    if y.shape[-2:] != (x.shape[-2], weights[-1][1].shape[-1]):
        raise ValueError(f"y: expected (…, {x.shape[-2]}, {weights[-1][1].shape[-1]}), received {tuple(y.shape)}")
    *hidden, logits = forward(weights, x, act)
    each, delta = loss(logits, y)
    delta = delta / x.shape[-2]  # of the mean over examples
    gradients = []
    for (w, _), h in zip(reversed(weights), reversed(hidden), strict=True):
        gradients.append((h.mT @ delta, delta.sum(-2, keepdim=True)))
        delta = (delta @ w.mT) * act.slope(h)  # one layer further back; of no use behind the first
    return each.mean(-1), gradients[::-1]


def by_differences(
    weights: Weights, x: Tensor, y: Tensor, act: Activation = RELU, loss: Loss = cross_entropy, *, h: float = 1e-6
) -> Weights:
    """Return the same gradient by moving every weight up and down by h, in double precision: two passes a weight."""
    doubles = [(w.double().clone(), b.double().clone()) for w, b in weights]

    def value() -> Tensor:
        return loss(forward(doubles, x.double(), act)[-1], y.double())[0].mean(-1)

    found = []
    for pair in doubles:
        slopes = tuple(torch.zeros_like(t) for t in pair)
        for t, s in zip(pair, slopes, strict=True):
            for place in torch.cartesian_prod(*map(torch.arange, t.shape)).view(-1, t.ndim).tolist():
                at = tuple(place)
                before = t[at].item()
                t[at] = before + h
                high = value()
                t[at] = before - h
                s[at] = (high - value()) / (2 * h)
                t[at] = before
        found.append(slopes)
    return found
