r"""GPT: a decoder-only transformer over tokens (Radford et al. 2018).

.. math:: \log p(x_1, \dots, x_T \mid c) = \sum_{t=1}^{T} \log p(x_t \mid c, x_1, \dots, x_{t-1})

The chain rule again, with one network for all T terms: causal attention lets output t see the tokens before t alone.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player
from ..names import unknown
from ..nn.attention import Block, Cache, Turn, angles, norm
from ..tokens import TokenModel

POSITIONS = ("rotary", "learned", "none")


class GPT(TokenModel):
    """A transformer that looks back only: an exact distribution over sequences of tokens.

    Arguments
        vocabulary: the number of tokens V.
        context: the most tokens that a prediction sees.
        width, heads, layers: of the transformer.
        positions: ``"rotary"`` (Su et al. 2024), ``"learned"`` (one vector a place) or ``"none"``.
        activation, qk_norm, zero_init, dropout: as in :class:`genkit.nn.attention.Block`.

    >>> model = GPT(vocabulary=5, context=8, width=16, heads=2, layers=2)
    >>> [model.window(length) for length in (1, 8, 9, 12, 13)]  # the first token that is seen after so many
    [0, 0, 4, 4, 8]
    >>> model.sample(3, torch.tensor([[1]]), length=4).shape
    torch.Size([3, 4])
    """

    def __init__(
        self, *, vocabulary: int, context: int, width: int = 128, heads: int = 4, layers: int = 4,
        positions: str = "rotary", activation: str = "relu2", qk_norm: bool = True, zero_init: bool = True,
        dropout: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        for name, value in (("vocabulary", vocabulary), ("context", context), ("layers", layers)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        if positions not in POSITIONS:
            raise unknown("positions", positions, POSITIONS)
        self.vocabulary, self.context, self.positions = vocabulary, context, positions
        self.embed = nn.Embedding(vocabulary + 1, width)  # the last row is the begin token's
        nn.init.normal_(self.embed.weight, std=width**-0.5)
        self.place = None
        if positions == "learned":
            self.place = nn.Parameter(torch.randn(context, width) * 0.02)
        elif positions == "rotary":
            cos, sin = angles(torch.arange(context), width // heads)
            self.register_buffer("cos", cos, persistent=False)
            self.register_buffer("sin", sin, persistent=False)
        self.blocks = nn.ModuleList(
            Block(width, heads, activation=activation, qk_norm=qk_norm, zero_init=zero_init, dropout=dropout)
            for _ in range(layers)
        )

    def hidden(self, tokens: Tensor, caches: list[Cache] | None = None, start: int = 0) -> Iterator[Tensor]:
        """Yield what every place holds before the first block and after each, shape (B, T, width).

        Arguments
            tokens: int64 of shape (B, T).
            caches: one for each block, holding what it computed for the ``start`` tokens before these.
        """
        stop = start + tokens.shape[1]
        h = F.embedding(tokens, self.embed.weight)
        turn: Turn | None = None
        if self.place is not None:
            h = h + self.place[start:stop]
        elif self.positions == "rotary":
            turn = self.cos[start:stop], self.sin[start:stop]
        yield h
        for i, block in enumerate(self.blocks):
            h = block(h, causal=True, turn=turn, cache=caches[i] if caches else None)
            yield h

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of what follows every token, from (B, T) to (B, T, V)."""
        if tokens.ndim != 2 or not 1 <= tokens.shape[1] <= self.context:
            raise ValueError(
                f"tokens: expected shape (B, T), T from 1 to {self.context}, received {tuple(tokens.shape)}"
            )
        return self._logits(tokens)

    def _logits(self, tokens: Tensor, caches: list[Cache] | None = None, start: int = 0) -> Tensor:
        *_, h = self.hidden(tokens, caches, start)
        return F.linear(
            norm(h), self.embed.weight[: self.vocabulary]
        )  # tied by use: tokens are read as they are written

    def writer(self) -> "Writer":
        """Return a cached ``next``, for :func:`genkit.decoding.write`."""
        return Writer(self)

    def players(self) -> list[Player]:
        """Return one player, whose matrices are those of the blocks."""
        matrices = [p for block in self.blocks for p in block.matrices()]
        return [Player("model", [p for p in self.parameters() if p.requires_grad], self.loss, matrices=matrices)]


class Writer:
    """The logits of the next token, with the keys and values of earlier tokens kept: the same numbers, less work.

    Called with tokens that go on where the last ones stopped, it computes the new ones alone; with any others, or
    where the window moves, it begins anew.
    """

    def __init__(self, model: GPT):
        self.model, self.seen, self.start = model, None, 0
        self.caches: list[Cache] = []

    @torch.no_grad()
    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the logits of the next token, from (B, T) to (B, V)."""
        model = self.model
        if self.seen is None and tokens.shape[-1] > model.context:
            raise ValueError(f"prompt: expected at most {model.context} tokens, received {tokens.shape[-1]}")
        if not self._goes_on(tokens):
            model.check("tokens", tokens)
            self.start, self.caches = model.window(tokens.shape[1]), [Cache() for _ in model.blocks]
            logits = model._logits(tokens[:, self.start :], self.caches)
        else:
            logits = model._logits(tokens[:, -1:], self.caches, tokens.shape[1] - 1 - self.start)
        self.seen = tokens
        return logits[:, -1]

    def _goes_on(self, tokens: Tensor) -> bool:
        seen = self.seen
        return (
            seen is not None
            and tokens.shape == (seen.shape[0], seen.shape[1] + 1)
            and self.start == self.model.window(tokens.shape[1])
            and torch.equal(tokens[:, :-1], seen)
        )
