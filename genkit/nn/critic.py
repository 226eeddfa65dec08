"""Networks that judge: a number for every example, perhaps given its class, perhaps with an eye on its whole batch."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


def leaky() -> nn.Module:
    """Return the activation of critics: it lets a fifth of what is negative through, so that no unit falls silent."""
    return nn.LeakyReLU(0.2)


class Ripples(nn.Module):
    r"""Append waves of the inputs, :math:`(x, \sin Bx, \cos Bx)`, so that a small network can be sharp.

    Tancik et al. (2020), eq. 5; the entries of B are normal with deviation ``frequency``, in radians per unit of x, and
    stay as they were drawn.

    >>> Ripples(2, 8, frequency=5.0)(torch.zeros(3, 2)).shape
    torch.Size([3, 18])
    """

    def __init__(self, inputs: int, waves: int, *, frequency: float):
        super().__init__()
        if waves < 1 or not frequency > 0:
            raise ValueError(f"waves, frequency: expected at least 1 and above 0, received {waves} and {frequency}")
        self.register_buffer("directions", frequency * torch.randn(inputs, waves))

    def forward(self, x: Tensor) -> Tensor:
        turns = x @ self.directions
        return torch.cat([x, turns.sin(), turns.cos()], 1)


class Neighbours(nn.Module):
    r"""Mini-batch discrimination: append to every row how close its batch is (Salimans et al. 2016, section 3.2).

    .. math:: M_i = h_i T \in \mathbb R^{B \times C}, \qquad
              o(h_i)_b = \sum_{j \ne i} \exp\big(-\|M_{i,b} - M_{j,b}\|_{L_1}\big)

    Samples that are all alike are close to each other, and a critic that sees it can say so.

    Arguments
        inputs: the size of a row.
        kernels: B, numbers that are appended.
        size: C, of the vector that a kernel compares.

    Raises ``ValueError`` for a batch of one, which has no neighbours.
    """

    def __init__(self, inputs: int, kernels: int = 16, size: int = 4):
        super().__init__()
        self.kernels = kernels
        self.project = nn.Linear(inputs, kernels * size, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        if len(h) < 2:
            raise ValueError(f"x: expected a batch of at least 2 for its statistics, received {len(h)}")
        m = self.project(h).unflatten(1, (self.kernels, -1))  # (N, B, C)
        apart = (m[:, None] - m[None]).abs().sum(-1)  # (N, N, B)
        return torch.cat([h, (-apart).exp().sum(1) - 1], 1)  # everybody is its own neighbour: take one off


class Critic(nn.Module):
    r"""A judge of examples x of shape (B, …), given a class or none: logits of shape (B,).

    .. math:: D(x, c) = w^\top \phi(x) + b + e_c^\top \phi(x)

    The last term belongs to class-conditional critics (Miyato & Koyama 2018, eq. 4): does x suit its class?

    Arguments
        body: :math:`\phi`, from examples to (B, width).
        width: its outputs.
        classes: how many; 0 for a critic that takes none.
    """

    def __init__(self, body: nn.Module, width: int, classes: int = 0):
        super().__init__()
        self.body, self.head = body, nn.Linear(width, 1)
        self.suits = nn.Embedding(classes, width) if classes else None
        if classes:
            nn.init.normal_(self.suits.weight, std=1 / math.sqrt(width))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        h = self.body(x)
        logit = self.head(h).squeeze(1)
        return logit if self.suits is None else logit + (self.suits(c) * h).sum(1)


def mlp_critic(
    inputs: int, hidden: tuple[int, ...] = (128, 128), *, classes: int = 0, waves: int = 0, frequency: float = 3.0,
    neighbours: bool = False, spectral: bool = False,
) -> Critic:  # fmt: skip
    """Return a critic of flattened examples.

    Arguments
        hidden: sizes of the hidden layers.
        waves: how many :class:`Ripples` to look through, of deviation ``frequency``.
        neighbours: whether it sees how close the batch is.
        spectral: whether every matrix is divided by its largest singular value (Miyato et al. 2018, eq. 8), so that the
            critic's slope is at most 1 (in each layer; ripples and neighbours apart).
    """
    layers: list[nn.Module] = [nn.Flatten()]
    if waves:
        layers.append(Ripples(inputs, waves, frequency=frequency))
        inputs += 2 * waves
    for width in hidden:
        layers += [nn.Linear(inputs, width), leaky()]
        inputs = width
    return _critic(layers, inputs, classes, neighbours, spectral)


def conv_critic(
    shape: tuple[int, int, int], *, width: int = 24, classes: int = 0, neighbours: bool = False, spectral: bool = False,
) -> Critic:  # fmt: skip
    """Return a critic of images whose sides divide by 4; the other arguments are those of :func:`mlp_critic`."""
    c, h, w = shape
    if h % 4 or w % 4:
        raise ValueError(f"shape: expected (C, H, W) with H and W divisible by 4, received {tuple(shape)}")
    layers = [
        nn.Conv2d(c, width, 3, padding=1), leaky(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), leaky(),
        nn.Conv2d(2 * width, 3 * width, 4, stride=2, padding=1), leaky(),
        nn.Flatten(), nn.Linear(3 * width * h // 4 * (w // 4), 4 * width), leaky(),
    ]  # fmt: skip
    return _critic(layers, 4 * width, classes, neighbours, spectral)


def _critic(layers: list[nn.Module], width: int, classes: int, neighbours: bool, spectral: bool) -> Critic:
    if neighbours:
        layers.append(Neighbours(width))
        width += layers[-1].kernels
    critic = Critic(nn.Sequential(*layers), width, classes)
    if spectral:
        _each(critic, spectral_norm)
    return critic


def _each(network: nn.Module, change: Callable[[nn.Module], nn.Module]) -> None:
    for module in list(network.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d):
            change(module)
