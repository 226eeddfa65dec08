r"""Naive Bayes over words: each class draws every word of a message on its own (Maron 1961; Sahami et al. 1998).

.. math:: p(x, y) = p(y) \prod_t p(w_t \mid y)

Word 0 ends a message, so that its length has a probability too, and the model can write: it draws until it draws 0.
"""

import math

import torch
from torch import Tensor

from ..base import Generative, Terms, rows

END = 0


class WordBayes(Generative):
    r"""A list of word frequencies for each class, taken by counting.

    .. math:: p(w \mid y) = \frac{n(w, y) + \alpha}{n(y) + \alpha V}

    Arguments
        vocabulary: V, the number of words, the end of a message among them; at least 2.
        classes: how many, at least 1.
        alpha: added to every count, above 0, so that no word is impossible (Laplace's rule of succession for 1).

    Messages are int64 of shape (N, T): words, then 0 to the end of the row; every row ends in a 0 at least.

    >>> x, c = torch.tensor([[1, 1, 0], [1, 2, 0], [2, 2, 0]]), torch.tensor([1, 1, 0])
    >>> model = WordBayes(vocabulary=3, classes=2).fit(x, c)
    >>> model.posterior(torch.tensor([[1, 0, 0]])).exp().round(decimals=2)
    tensor([[0.1600, 0.8400]])
    """

    likelihood = "exact"

    def __init__(self, *, vocabulary: int, classes: int, alpha: float = 1.0):
        super().__init__()
        if vocabulary < 2:
            raise ValueError(f"vocabulary: expected at least 2, received {vocabulary}")
        if classes < 1:
            raise ValueError(f"classes: expected at least 1, received {classes}")
        if not alpha > 0:
            raise ValueError(f"alpha: expected a number above 0, received {alpha}")
        self.vocabulary, self.classes, self.alpha = vocabulary, classes, alpha
        self.register_buffer("log_share", torch.full((classes,), -math.log(classes)))
        self.register_buffer("log_word", torch.full((classes, vocabulary), -math.log(vocabulary)))

    @property
    def device(self) -> torch.device:
        """The device that holds the frequencies: there are no parameters."""
        return self.log_word.device

    def fit(self, x: Tensor, c: Tensor) -> "WordBayes":
        """Count the words of messages of shape (N, T) with labels, int64 of shape (N,)."""
        if (
            c.dtype != torch.int64
            or tuple(c.shape) != (len(x),)
            or not 0 <= int(c.min()) <= int(c.max()) < self.classes
        ):
            raise ValueError(f"c: expected int64 labels in [0, {self.classes}) of shape ({len(x)},), received others")
        count = torch.zeros(self.classes, self.vocabulary).index_add(0, c, bags(x, self.vocabulary)) + self.alpha
        share = c.bincount(minlength=self.classes)
        if (share == 0).any():
            raise ValueError(f"c: expected messages of every class, received none of {int(share.argmin())}")
        self.log_word, self.log_share = (count / count.sum(1, keepdim=True)).log(), (share / len(x)).log()
        return self

    def log_joint(self, x: Tensor) -> Tensor:
        """Return log p(y) + log p(x | y) for every class: nats, shape (N, classes)."""
        return self.log_share + bags(x, self.vocabulary) @ self.log_word.T

    def posterior(self, x: Tensor) -> Tensor:
        """Return log p(y | x) by Bayes' rule, shape (N, classes)."""
        return self.log_joint(x).log_softmax(1)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return log p(x | c), or log p(x) where c is None, of each message in nats, shape (N,)."""
        if c is None:
            return self.log_joint(x).logsumexp(1)
        return (self.log_joint(x) - self.log_share).gather(1, rows(c, len(x))[:, None])[:, 0]

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return −log p(x | c), or −log p(x). There is no gradient to follow: :meth:`fit` counts."""
        return {"loss": -self.log_prob(x, c)}

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, length: int = 40):
        """Yield the messages after every word, int64 of shape (n, length); the last place is an end in any case."""
        if length < 1:
            raise ValueError(f"length: expected at least 1, received {length}")
        c = torch.multinomial(self.log_share.exp(), n, replacement=True) if c is None else rows(c, n)
        x = torch.full((n, length), END, device=self.device)
        going = torch.ones(n, dtype=torch.bool, device=self.device)
        yield x.clone()
        for t in range(length - 1):
            word = torch.multinomial(self.log_word[c].exp(), 1)[:, 0]
            x[:, t] = torch.where(going, word, END)
            going &= word != END
            yield x.clone()


def bags(x: Tensor, vocabulary: int) -> Tensor:
    """Return how often each word stands in each message, one end included: float, shape (N, vocabulary).

    >>> bags(torch.tensor([[2, 1, 2, 0, 0]]), 4)
    tensor([[1., 1., 2., 0.]])
    """
    if x.ndim != 2 or x.dtype != torch.int64 or not 0 <= int(x.min()) <= int(x.max()) < vocabulary:
        raise ValueError(f"x: expected int64 words in [0, {vocabulary}) of shape (N, T), received {tuple(x.shape)}")
    ended = (x == END).long().cumsum(1)
    if not (ended[:, -1:] > 0).all() or ((ended > 0) & (x != END)).any():
        raise ValueError("x: expected messages that end in 0, with nothing behind it, received others")
    counted = (ended - (x == END).long() == 0).float()  # each word and the first end
    return torch.zeros(len(x), vocabulary).scatter_add(1, x, counted)
