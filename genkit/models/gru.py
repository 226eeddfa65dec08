r"""A gated recurrent network over tokens: a smaller relative of the LSTM (Cho et al. 2014).

.. math:: h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}

The gate z says, number by number, what of the state is kept and what is written anew.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from ..tokens import TokenModel


class GRU(TokenModel):
    """One layer of gated recurrent units over tokens: what is known of the past stands in ``hidden`` numbers.

    Arguments
        vocabulary: the number of tokens V.
        context: the most tokens that a prediction is asked to see.
        width: of the embedding, which is tied: tokens are written as they are read.
        hidden: numbers in the state.

    >>> import torch
    >>> GRU(vocabulary=5, context=8, width=8, hidden=12).sample(3, torch.tensor([[1]]), length=4).shape
    torch.Size([3, 4])
    """

    def __init__(self, *, vocabulary: int, context: int, width: int = 64, hidden: int = 128):
        super().__init__()
        sizes = {"vocabulary": vocabulary, "context": context, "width": width, "hidden": hidden}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        self.vocabulary, self.context = vocabulary, context
        self.embed = nn.Embedding(vocabulary + 1, width)  # the last row is the begin token's
        self.network = nn.GRU(width, hidden, batch_first=True)
        self.out = nn.Linear(hidden, width, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of what follows every token, from (B, T) to (B, T, V)."""
        h, _ = self.network(self.embed(tokens))
        return F.linear(self.out(h), self.embed.weight[: self.vocabulary])
