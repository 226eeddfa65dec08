"""A recurrent language model: what a transformer is measured against (Hochreiter & Schmidhuber 1997)."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..tokens import TokenModel


class Recurrent(TokenModel):
    """A long short-term memory over tokens: all that it knows of the past passes through its state.

    Arguments
        vocabulary: the number of tokens V.
        context: the most tokens that a prediction is asked to see.
        width: of the embedding, which is tied: tokens are written as they are read.
        hidden: units of the state.
        layers: one above the other.

    >>> import torch
    >>> Recurrent(vocabulary=5, context=8, width=8, hidden=12).sample(3, torch.tensor([[1]]), length=4).shape
    torch.Size([3, 4])
    """

    def __init__(self, *, vocabulary: int, context: int, width: int = 128, hidden: int = 256, layers: int = 2):
        super().__init__()
        for name, value in (("vocabulary", vocabulary), ("context", context), ("layers", layers)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        self.vocabulary, self.context = vocabulary, context
        self.embed = nn.Embedding(vocabulary + 1, width)  # the last row is the begin token's
        nn.init.normal_(self.embed.weight, std=width**-0.5)
        self.network = nn.LSTM(width, hidden, layers, batch_first=True)
        self.out = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of what follows every token, from (B, T) to (B, T, V)."""
        h, _ = self.network(self.embed(tokens))
        h = F.layer_norm(self.out(h), self.out.weight.shape[:1])
        return F.linear(h, self.embed.weight[: self.vocabulary])
