r"""What every model of sequences of tokens has in common: the chain rule, prefixes, and drawing one after the other.

.. math:: \log p(x_1, \dots, x_T \mid c) = \sum_{t=1}^{T} \log p(x_t \mid c, x_1, \dots, x_{t-1})
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from . import decoding
from .base import Generative, Terms, rows


class TokenModel(Generative):
    """An exact distribution over sequences of tokens, given those before them.

    A family writes ``forward``, from tokens (B, T) to the logits of what follows each, (B, T, V), and sets
    ``vocabulary`` and ``context``.

    Windows of T + 1 tokens w are learned from as c = w[:, :1], x = w[:, 1:]. Where c is None, a begin token stands in,
    the number V, which can never be written, so that the probabilities of all strings of a length sum to 1.
    """

    likelihood = "exact"
    vocabulary: int
    context: int

    def given(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return log p(· | c, x_1 … x_{t−1}) for every t, shape (B, T, V)."""
        c = self.prefix(len(x), c)
        self.check("x", x)
        return self(torch.cat([c, x[:, :-1]], 1))[:, c.shape[1] - 1 :].log_softmax(-1)

    def log_probs(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return log p(x_t | c, x_1 … x_{t−1}) in nats, shape (B, T)."""
        return self.given(x, c).gather(-1, x[..., None])[..., 0]

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the exact log-probability of x after c, nats per sequence, shape (B,)."""
        return self.log_probs(x, c).sum(1)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the negative log-probability, nats per token: the mean over x, shape (B,)."""
        return {"loss": -self.log_probs(x, c).mean(1)}

    def next(self, tokens: Tensor) -> Tensor:
        """Return the logits of the next token, from (B, T) to (B, V), computed anew from all that is in the window.

        Beyond the context the window moves on by half a context at a time, so that a cache can follow it.
        """
        self.check("tokens", tokens)
        return self(tokens[:, self.window(tokens.shape[1]) :])[:, -1]

    def window(self, length: int) -> int:
        """Return the first token that the prediction after ``length`` tokens sees."""
        step = max(1, self.context // 2)
        return max(0, -(-(length - self.context) // step) * step)

    def writer(self) -> decoding.Model:
        """Return a ``next`` for :func:`genkit.decoding.write`; a family with a cache returns a faster one."""
        return self.next

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, length: int | None = None, **rules) -> Iterator[Tensor]:
        """Yield n sequences after every token, shape (n, t); what stood in c is not repeated.

        Arguments
            c: int64 of shape (n, P) or (1, P): what comes before, at most ``context`` tokens; None begins anew.
            length: tokens to write; ``context`` by default.
            rules: those of :func:`genkit.decoding.rules`, such as ``temperature=0.8, top_p=0.95``.
        """
        length = self.context if length is None else length
        if length < 1:
            raise ValueError(f"length: expected at least 1, received {length}")
        prefix = self.prefix(n, rows(c, n))
        tokens, steps, writer = prefix, decoding.rules(**rules), self.writer()
        for _ in range(length):
            left = decoding.apply(writer(tokens), tokens.clamp(max=self.vocabulary - 1), steps).softmax(-1)
            tokens = torch.cat([tokens, torch.multinomial(left, 1)], 1)
            yield tokens[:, prefix.shape[1] :]

    def prefix(self, n: int, c: Tensor | None) -> Tensor:
        """Return what stands before n sequences: c, once it is found to be tokens, or the begin token."""
        if c is None:
            return torch.full((n, 1), self.vocabulary, device=self.device)
        if c.ndim != 2 or len(c) != n or not 1 <= c.shape[1] <= self.context:
            raise ValueError(f"c: expected shape ({n}, P), P from 1 to {self.context}, received {tuple(c.shape)}")
        self.check("c", c)
        return c

    def check(self, name: str, tokens: Tensor) -> None:
        """Raise ``ValueError`` where ``tokens`` are not; the begin token passes under the name ``"tokens"`` alone."""
        if tokens.is_floating_point() or tokens.ndim != 2 or tokens.shape[1] < 1:
            raise ValueError(f"{name}: expected int64 of shape (B, T), received {tokens.dtype} {tuple(tokens.shape)}")
        low, high = tokens.min().item(), tokens.max().item()
        if low < 0 or high > self.vocabulary - (name != "tokens"):
            raise ValueError(f"{name}: expected tokens from 0 to {self.vocabulary - 1}, received {low} to {high}")
