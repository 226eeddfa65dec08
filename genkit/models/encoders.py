r"""Two more shapes of the transformer's block: one that fills in gaps, and one that translates.

A masked model (Devlin et al. 2019) looks both ways and learns to restore tokens that were hidden from it. It gives
each token a distribution given *all others*; these do not multiply to a probability of the whole.

A translator (Vaswani et al. 2017; Raffel et al. 2020) reads a source c both ways and writes a target x from left to
right, looking at what it has written and, by cross-attention, at the source:

.. math:: \log p(x \mid c) = \sum_{t=1}^{T} \log p(x_t \mid x_1, \dots, x_{t-1}, c)
"""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import decoding
from ..base import Generative, Player, Terms, rows
from ..nn.attention import SHARPNESS, Attention, Block, angles, norm

NOTHING = -100
"""Stands in a target where a masked model is not asked."""
SHARE, AS_MASK, AS_OTHER = 0.15, 0.8, 0.1
"""The share of tokens that are chosen; of these, what is shown as the mask, and as any token (Devlin et al. 2019)."""


class Stack(nn.Module):
    """Embeddings, then blocks one after the other.

    Arguments
        rows: embeddings: the vocabulary and what else may stand at a place.
        context: the most places.
        width, heads, layers, dropout: of the blocks.
        cross: each block looks at another sequence too.
        places: learn a vector for every place (Devlin et al. 2019), beside the rotary positions of attention.
    """

    def __init__(
        self, rows: int, context: int, *, width: int, heads: int, layers: int, dropout: float = 0.0,
        cross: bool = False, places: bool = False,
    ):  # fmt: skip
        super().__init__()
        for name, value in (("vocabulary", rows - 1), ("context", context), ("layers", layers)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        self.context = context
        self.embed = nn.Embedding(rows, width)
        nn.init.normal_(self.embed.weight, std=width**-0.5)
        self.place = nn.Parameter(torch.randn(context, width) * width**-0.5) if places else None
        self.blocks = nn.ModuleList(Block(width, heads, cross=cross, dropout=dropout) for _ in range(layers))
        cos, sin = angles(torch.arange(context), width // heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(
        self, tokens: Tensor, *, real: Tensor | None = None, causal: bool = False, other: Tensor | None = None,
        other_mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Return what every place holds after the last block, from (B, T) to (B, T, width).

        Arguments
            real: bool of shape (B, T): False where a row is filled up and nobody may look.
            causal: a place sees itself and those before it alone.
            other, other_mask: what ``cross`` looks at, shape (B, S, width), and where it may look.
        """
        length = tokens.shape[1]
        if length > self.context:
            raise ValueError(f"tokens: expected at most {self.context} places, received {length}")
        h = F.embedding(tokens, self.embed.weight)
        if self.place is not None:
            # a place is counted from the first real token, so that it does not matter how a row was filled up
            at = torch.arange(length) if real is None else (real.cumsum(1) - 1).clamp(min=0)
            h = h + self.place[at]
        mask, turn = None if real is None else real[:, None, None], (self.cos[:length], self.sin[:length])
        for block in self.blocks:
            h = block(h, causal=causal, turn=turn, mask=mask, other=other, other_mask=other_mask)
        return h

    def logits(self, h: Tensor, vocabulary: int) -> Tensor:
        """Return the logits of the first ``vocabulary`` tokens: tokens are written by the vectors they are read by."""
        return F.linear(norm(h), self.embed.weight[:vocabulary])


def hide(tokens: Tensor, vocabulary: int, share: float = SHARE) -> tuple[Tensor, Tensor]:
    """Choose tokens at random and hide most of them: what the model sees, and what it is asked (Devlin et al. 2019).

    Of the chosen tokens eight tenths are shown as the mask, one tenth as any token, one tenth as they are. A row in
    which chance chooses none is asked about one.

    Arguments
        tokens: int64 of shape (B, T).
        vocabulary: V; the mask is token V.
        share: of the tokens that are chosen, in (0, 1].

    Returns two tensors of shape (B, T); the second holds the tokens asked for, and ``NOTHING`` elsewhere.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share: expected a number in (0, 1], received {share}")
    luck = torch.rand(tokens.shape, device=tokens.device)
    chosen = luck < luck.amin(1, keepdim=True).clamp(min=share).nextafter(luck.new_tensor(2.0))
    kind = torch.rand(tokens.shape, device=tokens.device)
    seen = torch.where(chosen & (kind < AS_MASK), vocabulary, tokens)
    other = torch.randint(vocabulary, tokens.shape, device=tokens.device)
    seen = torch.where(chosen & (kind >= AS_MASK) & (kind < AS_MASK + AS_OTHER), other, seen)
    return seen, tokens.masked_fill(~chosen, NOTHING)


class Masked(Generative):
    """Encoder-only: it restores hidden tokens from those on both sides, and has no probability of a whole text.

    Arguments
        vocabulary: the number of tokens V; token V is the mask.
        context: the most places, those of a prefix c included.
        width, heads, layers, dropout: of the blocks.
        share: of tokens that are hidden in training.

    >>> model = Masked(vocabulary=5, context=8, width=16, heads=2, layers=1)
    >>> model(torch.tensor([[0, 5, 2]])).shape
    torch.Size([1, 3, 5])
    """

    likelihood = "none"

    def __init__(
        self, *, vocabulary: int, context: int, width: int = 96, heads: int = 4, layers: int = 3,
        dropout: float = 0.0, share: float = SHARE,
    ):  # fmt: skip
        super().__init__()
        self.vocabulary, self.context, self.share = vocabulary, context, share
        self.stack = Stack(vocabulary + 1, context, width=width, heads=heads, layers=layers, dropout=dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of what stands at every place, from (B, T) to (B, T, V); token V hides a place."""
        _check("tokens", tokens, self.vocabulary + 1)
        return self.stack.logits(self.stack(tokens), self.vocabulary)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return minus the mean log-probability of the hidden tokens, nats per token, shape (B,); c is never hidden."""
        seen, asked = hide(x, self.vocabulary, self.share)
        log_p = self(_join(c, seen))[:, -x.shape[1] :].log_softmax(-1)
        given = log_p.gather(-1, asked.clamp(min=0)[..., None])[..., 0]
        chosen = asked != NOTHING
        return {"loss": -(given * chosen).sum(1) / chosen.sum(1)}

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, length: int | None = None, sweeps: int = 10, temperature: float = 1.0
    ) -> Iterator[Tensor]:
        """Yield n texts after every sweep of Gibbs sampling, shape (n, length) (Wang & Cho 2019).

        The first sweep fills in a text that is all masks, in a random order; each later sweep hides every place once
        and draws it anew, given all others. No distribution is known to which these draws belong.

        Arguments
            c: int64 of shape (n, P) or (1, P): tokens before, which stay.
            length: tokens to write; what is left of the context by default.
            sweeps: at least 1.
            temperature: divides the logits.
        """
        c = rows(c, n)
        length = self.context - (0 if c is None else c.shape[1]) if length is None else length
        for name, value in (("length", length), ("sweeps", sweeps)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        x = torch.full((n, length), self.vocabulary, device=self.device)
        for _ in range(sweeps):
            for t in torch.randperm(length).tolist():
                x[:, t] = self.vocabulary
                logits = decoding.temperature(self(_join(c, x))[:, t - length], temperature)
                x[:, t] = torch.multinomial(logits.softmax(-1), 1)[:, 0]
            yield x.clone()

    def players(self) -> list[Player]:
        """Return one player, whose matrices are those of the blocks."""
        return _one_player(self, self.stack)


def pseudo_log_probs(model: Masked, x: Tensor, c: Tensor | None = None) -> Tensor:
    r"""Return log p(x_t | all other tokens) for every t, nats, shape (B, T): one pass for each place.

    .. math:: \mathrm{PLL}(x) = \sum_t \log p(x_t \mid x_1, \dots, x_{t-1}, x_{t+1}, \dots, x_T)

    (Besag 1975; Salazar et al. 2020, eq. 1). Its sum over t is no log-probability: over all strings, its exponential
    need not sum to 1.
    """
    found = []
    for t in range(x.shape[1]):
        seen = x.clone()
        seen[:, t] = model.vocabulary
        log_p = model(_join(c, seen))[:, t - x.shape[1]].log_softmax(-1)
        found.append(log_p.gather(-1, x[:, t : t + 1]))
    return torch.cat(found, 1)


def pseudo_log_prob(model: Masked, x: Tensor, c: Tensor | None = None) -> Tensor:
    """Return the pseudo-log-likelihood, the sum of :func:`pseudo_log_probs` over a text, nats, shape (B,)."""
    return pseudo_log_probs(model, x, c).sum(1)


class Translator(Generative):
    """Encoder–decoder: an exact distribution over targets, given a source.

    Sources and targets are rows filled up with the token ``pad``, which nobody looks at and which is never written. A
    target ends with the token ``end``; after it comes ``pad`` alone. The probabilities of all targets of up to T
    tokens, and of all beginnings of T tokens that have not ended, sum to 1.

    Arguments
        vocabulary: the number of tokens V, ``pad`` and ``end`` among them.
        source, target: the most places of each.
        width, heads, layers, dropout: of the blocks; ``layers`` in the encoder, as many in the decoder.
        places: a vector for every place, beside rotary positions.
        pad, end: tokens, different ones.

    >>> model = Translator(vocabulary=7, source=8, target=6, width=16, heads=2, layers=1)
    >>> model.sample(3, torch.tensor([[2, 3, 4]])).shape[0]
    3
    """

    likelihood = "exact"

    def __init__(
        self, *, vocabulary: int, source: int, target: int, width: int = 64, heads: int = 4, layers: int = 2,
        dropout: float = 0.0, places: bool = True, pad: int = 0, end: int = 1,
    ):  # fmt: skip
        super().__init__()
        for name, token in (("pad", pad), ("end", end)):
            if not 0 <= token < vocabulary:
                raise ValueError(f"{name}: expected a token from 0 to {vocabulary - 1}, received {token}")
        if pad == end:
            raise ValueError(f"end: expected another token than pad, received {end} for both")
        self.vocabulary, self.target, self.pad, self.end = vocabulary, target, pad, end
        shape = {"width": width, "heads": heads, "layers": layers, "dropout": dropout, "places": places}
        self.encoder = Stack(vocabulary, source, **shape)
        self.decoder = Stack(vocabulary + 1, target, cross=True, **shape)  # the last embedding begins a target

    def encode(self, c: Tensor) -> tuple[Tensor, Tensor]:
        """Read sources, (B, S): return what each place holds, (B, S, width), and where to look, (B, 1, 1, S)."""
        _check("c", c, self.vocabulary)
        real = self.real(c)
        if not real.any(1).all():
            raise ValueError("c: expected at least one token in every source, received one that is all padding")
        return self.encoder(c, real=real), real[:, None, None]

    def real(self, c: Tensor) -> Tensor:
        """Return where a source is a token and not padding, bool of shape (B, S)."""
        return c != self.pad

    def shifted(self, x: Tensor) -> Tensor:
        """Return what the decoder reads when it is to write x: the begin token, then x without its last token."""
        begin = torch.full((len(x), 1), self.vocabulary, device=x.device)
        return torch.cat([begin, x[:, :-1]], 1)

    def forward(self, seen: Tensor, memory: tuple[Tensor, Tensor]) -> Tensor:
        """Return the logits of what follows every token, (B, T, V), given what :meth:`encode` made of the source."""
        other, mask = memory
        h = self.decoder(seen, causal=True, other=other, other_mask=mask)
        logits = self.decoder.logits(h, self.vocabulary)
        never = torch.arange(self.vocabulary, device=logits.device) == self.pad
        return logits.masked_fill(never, -math.inf)

    def log_probs(self, x: Tensor, c: Tensor) -> Tensor:
        """Return log p(x_t | x_1 … x_{t−1}, c) in nats, shape (B, T), and 0 for padding."""
        _check("x", x, self.vocabulary)
        self._need(c)
        over = ((x == self.end).cumsum(1) - (x == self.end).long()) > 0  # after the end
        if not torch.equal(over, x == self.pad):
            raise ValueError(f"x: expected {self.pad} after the token {self.end} that ends a row, and nowhere else")
        log_p = self(self.shifted(x), self.encode(c)).log_softmax(-1)
        return log_p.gather(-1, x[..., None])[..., 0].masked_fill(over, 0.0)

    def log_prob(self, x: Tensor, c: Tensor) -> Tensor:
        """Return the exact log-probability of targets given sources, nats per target, shape (B,)."""
        return self.log_probs(x, c).sum(1)

    def loss(self, x: Tensor, c: Tensor) -> Terms:
        """Return the negative log-probability, nats per token of each target, shape (B,)."""
        return {"loss": -self.log_prob(x, c) / (x != self.pad).sum(1)}

    @torch.no_grad()
    def writer(self, c: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the logits of the next token as a function of those so far, for :mod:`genkit.decoding`.

        A target begins with the token V, ``vocabulary``. One source serves any number of beginnings.
        """
        h, mask = self.encode(c)

        @torch.no_grad()
        def following(tokens: Tensor) -> Tensor:
            n = len(tokens)
            return self(tokens, (rows(h, n), rows(mask, n)))[:, -1]

        return following

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, **rules) -> Iterator[Tensor]:
        """Yield n targets after every token, shape (n, t), until all have ended or are full.

        Arguments
            c: sources, int64 of shape (n, S) or (1, S).
            rules: those of :func:`genkit.decoding.rules`; ``temperature=0`` takes the likeliest token every time.
        """
        self._need(c)
        following, steps = self.writer(rows(c, n)), decoding.rules(**rules)
        tokens = torch.full((n, 1), self.vocabulary, device=self.device)
        ended = torch.zeros(n, 1, dtype=torch.bool, device=self.device)
        while tokens.shape[1] <= self.target and not ended.all():
            so_far = tokens.clamp(max=self.vocabulary - 1)
            left = decoding.apply(following(tokens), so_far, steps).softmax(-1)
            token = torch.multinomial(left, 1).masked_fill(ended, self.pad)
            ended = ended | (token == self.end)
            tokens = torch.cat([tokens, token], 1)
            yield tokens[:, 1:]

    def players(self) -> list[Player]:
        """Return one player, whose matrices are those of all blocks."""
        return _one_player(self, self.encoder, self.decoder)

    def _need(self, c: Tensor | None) -> None:
        if c is None:
            raise ValueError("c: expected sources, received None")


@torch.no_grad()
def alignment(model: Translator, x: Tensor, c: Tensor) -> Tensor:
    """Return where each block's heads look in the source while every token of x is written.

    Shape (layers, B, heads, T, S); every row sums to 1 over the source, and is 0 at padding.
    """
    found, kept = [], []

    def keep(module: Attention, arguments: tuple, keywords: dict, out: Tensor) -> None:
        kept.append((module, arguments[0], keywords["other"], keywords["mask"]))

    hooks = [block.cross.register_forward_hook(keep, with_kwargs=True) for block in model.decoder.blocks]
    try:
        model.log_probs(x, c)
    finally:
        for hook in hooks:
            hook.remove()
    for module, h, other, mask in kept:
        d = h.shape[-1]
        q, k = (
            F.linear(part, module.qkv.weight[i * d : (i + 1) * d]).unflatten(-1, (module.heads, -1)).transpose(1, 2)
            for i, part in enumerate((h, other))
        )
        scale = q.shape[-1] ** -0.5
        if module.qk_norm:
            q, k, scale = F.rms_norm(q, q.shape[-1:]), F.rms_norm(k, k.shape[-1:]), scale * SHARPNESS
        found.append((scale * q @ k.transpose(-1, -2)).masked_fill(~mask, -math.inf).softmax(-1))
    return torch.stack(found)


def _one_player(model: Generative, *stacks: Stack) -> list[Player]:
    matrices = [p for stack in stacks for block in stack.blocks for p in block.matrices()]
    return [Player("model", [p for p in model.parameters() if p.requires_grad], model.loss, matrices=matrices)]


def _join(c: Tensor | None, x: Tensor) -> Tensor:
    return x if c is None else torch.cat([c, x], 1)


def _check(name: str, tokens: Tensor, levels: int) -> None:
    if tokens.is_floating_point() or tokens.ndim != 2 or tokens.shape[1] < 1:
        raise ValueError(f"{name}: expected int64 of shape (B, T), received {tokens.dtype} {tuple(tokens.shape)}")
    low, high = tokens.min().item(), tokens.max().item()
    if low < 0 or high >= levels:
        raise ValueError(f"{name}: expected tokens from 0 to {levels - 1}, received {low} to {high}")
