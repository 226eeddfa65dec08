r"""Autoregressive models: one place after the other, each given those before it.

.. math:: \log p(x) = \sum_{i=1}^{D} \log p(x_i \mid x_1, \dots, x_{i-1})

The chain rule of probability: exact, for any order of the places. A network whose output i sees only the inputs
before i gives all D terms at once.
"""

import math
from collections.abc import Generator, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Generative, Terms, rows
from ..distributions import Family, Pixels
from ..labels import hide, one_hot
from ..nn.causal import Dilated, PixelCNN
from ..nn.masked import MaskedMLP


class Autoregressive(Generative):
    """An exact distribution over images, signals or rows of numbers, place by place in reading order.

    Arguments
        network: ``network(x, context)`` from (B, *shape) in [−1, 1] to (B, *shape, pixels.per_pixel); what it says
            about a place must depend on the places before it alone.
        shape: of one example: (C, H, W), or (T,) for a signal.
        pixels: what is said about a place: ``bernoulli()``, ``categorical(levels)`` or
            ``discretised_logistic(levels)`` of :mod:`genkit.distributions`.
        classes: the number of classes of the condition c, int64 of shape (B,); 0 for an unconditional model.
        label_dropout: the probability with which ``loss`` hides an example's class, so that c = None works too.

    >>> from genkit.distributions import categorical
    >>> model = made(shape=(1, 4, 4), pixels=categorical(17), hidden=(32,))
    >>> x = model.sample(3)
    >>> model.log_prob(x).shape
    torch.Size([3])
    """

    likelihood = "exact"

    def __init__(
        self,
        network: nn.Module,
        *,
        shape: tuple[int, ...],
        pixels: Family,
        classes: int = 0,
        label_dropout: float = 0.1,
    ):
        super().__init__()
        self.network, self.shape, self.pixels = network, tuple(shape), pixels
        self.classes, self.label_dropout = classes, label_dropout

    def given(self, x: Tensor, c: Tensor | None = None) -> Pixels:
        """Return p(x_i | x_1 … x_{i−1}, c) for every place of x, shape (B, *shape), in [0, 1]."""
        if x.ndim != len(self.shape) + 1 or (len(self.shape) > 1 and tuple(x.shape[1:]) != self.shape):
            raise ValueError(f"x: expected the shape (B, *{self.shape}), received {tuple(x.shape)}")
        context = one_hot(c, len(x), self.classes, x) if self.classes else None
        return self.pixels.of(self.network(2 * x - 1, context))

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the exact log-probability of x, nats per example, shape (B,)."""
        return self.given(x, c).log_prob(x)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the negative log-probability in nats, shape (B,)."""
        return {"loss": -self.log_prob(x, hide(c, len(x), self.classes, self.label_dropout))}

    @torch.no_grad()
    def trajectory(
        self,
        n: int,
        c: Tensor | None = None,
        *,
        known: Tensor | None = None,
        places: int = 0,
        length: int | None = None,
    ) -> Iterator[Tensor]:
        """Yield n examples after every place that was drawn; places still to come are 0.

        Arguments
            known: examples of which the first ``places`` places are kept, n rows or one: a picture to complete, a
                signal to continue.
            places: how many places are known, in reading order.
            length: of a signal to draw, where it is to differ from the length in training.
        """
        shape = self.shape if length is None else (length,)
        total = math.prod(shape)
        if length is not None and len(self.shape) != 1:
            raise ValueError(f"length: expected None for images, received {length}")
        if not 0 <= places <= total or (places and known is None):
            raise ValueError(f"places: expected 0 … {total}, and known examples where above 0, received {places}")
        x = torch.zeros(n, total, device=self.device)
        if places:
            x[:, :places] = rows(known, n).flatten(1)[:, :places].to(x)
        stream = self._stream(n, c)
        for i in range(total):
            said = next(stream) if i == 0 else stream.send(x[:, :i])
            if i >= places:
                x[:, i] = said.sample().flatten()
                yield x.view(n, *shape).clone()
        if places == total:
            yield x.view(n, *shape)

    def _stream(self, n: int, c: Tensor | None) -> Generator[Pixels, Tensor, None]:
        """Yield p(x_i | x_1 … x_{i−1}) of n examples as rows of one place, for one i after the other; send the past."""
        context = one_hot(c, n, self.classes, torch.empty(0, device=self.device)) if self.classes else None
        past = torch.zeros(n, 0, device=self.device)
        if hasattr(self.network, "stream"):
            stream = self.network.stream(n, context)
            said = next(stream)
            while True:
                past = yield self.pixels.of(said[:, None])
                said = stream.send(2 * past[:, -1] - 1)
        while True:
            x = F.pad(past, (0, math.prod(self.shape) - past.shape[1])).view(n, *self.shape)
            said = self.network(2 * x - 1, context).flatten(1, -2)[:, past.shape[1]]
            past = yield self.pixels.of(said[:, None])


def made(
    *, shape: tuple[int, ...], pixels: Family, hidden: tuple[int, ...] = (1024,), dropout: float = 0.0, **options
) -> Autoregressive:
    """Return a masked multilayer perceptron, MADE (Germain et al. 2015); ``options`` go to :class:`Autoregressive`."""
    network = MaskedMLP(math.prod(shape), pixels.per_pixel, hidden=hidden, context=_context(options), dropout=dropout)
    return Autoregressive(Flat(network), shape=shape, pixels=pixels, **options)


def pixelcnn(
    *, shape: tuple[int, int, int], pixels: Family, width: int = 32, blocks: int = 4, dropout: float = 0.0, **options
) -> Autoregressive:
    """Return a gated PixelCNN (van den Oord et al. 2016b); ``options`` go to :class:`Autoregressive`."""
    network = PixelCNN(
        shape, pixels.per_pixel, width=width, blocks=blocks, context=_context(options), dropout=dropout
    )  # fmt: skip
    return Autoregressive(network, shape=shape, pixels=pixels, **options)


def dilated(
    *, shape: tuple[int], pixels: Family, width: int = 32, layers: int = 6, dropout: float = 0.0, **options
) -> Autoregressive:
    """Return dilated causal convolutions over a signal, as WaveNet's (van den Oord et al. 2016c)."""
    network = Dilated(pixels.per_pixel, width=width, layers=layers, context=_context(options), dropout=dropout)
    return Autoregressive(network, shape=shape, pixels=pixels, **options)


class Flat(nn.Module):
    """A network over flat rows, used on examples of any shape."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Return what the network says of the flattened examples, (B, *shape, per_place)."""
        return self.network(x.flatten(1), context).unflatten(1, x.shape[1:])


def forecast(
    model: Autoregressive, past: Tensor, horizon: int, *, quantiles: tuple[float, ...], draws: int = 200
) -> Tensor:
    """Return quantiles of what follows each past, shape (Q, N, horizon): draw many futures, and sort them.

    Arguments
        model: of signals.
        past: shape (N, T), in [0, 1].
        horizon: samples ahead, at least 1.
        quantiles: each in (0, 1).
        draws: futures drawn for each past.
    """
    if horizon < 1:
        raise ValueError(f"horizon: expected at least 1, received {horizon}")
    if not quantiles or not all(0 < q < 1 for q in quantiles):
        raise ValueError(f"quantiles: expected numbers in (0, 1), received {quantiles}")
    n, t = past.shape
    known = past.repeat_interleave(draws, 0)
    x = model.sample(n * draws, known=known, places=t, length=t + horizon)[:, t:]
    return x.view(n, draws, horizon).quantile(torch.tensor(quantiles), dim=1)


def _context(options: dict) -> int:
    return options["classes"] + 1 if options.get("classes") else 0
