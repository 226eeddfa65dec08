"""A recurrent language model: what a transformer is measured against (Hochreiter & Schmidhuber 1997)."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player
from ..names import unknown
from ..tokens import TokenModel

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(TokenModel):
    """A recurrent network over tokens: all that it knows of the past passes through its state.

    Arguments
        vocabulary: the number of tokens V.
        context: the most tokens that a prediction is asked to see.
        width: of the embedding, which is tied: tokens are written as they are read.
        hidden: units of the state.
        layers: one above the other.
        cell: ``"lstm"`` or ``"gru"`` (Cho et al. 2014).

    >>> import torch
    >>> Recurrent(vocabulary=5, context=8, width=8, hidden=12).sample(3, torch.tensor([[1]]), length=4).shape
    torch.Size([3, 4])
    """

    def __init__(
        self, *, vocabulary: int, context: int, width: int = 128, hidden: int = 256, layers: int = 2, cell: str = "lstm"
    ):  # fmt: skip
        super().__init__()
        for name, value in (("vocabulary", vocabulary), ("context", context), ("layers", layers)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        if cell not in CELLS:
            raise unknown("cell", cell, CELLS)
        self.vocabulary, self.context = vocabulary, context
        self.embed = nn.Embedding(vocabulary + 1, width)  # the last row is the begin token's
        nn.init.normal_(self.embed.weight, std=width**-0.5)
        self.network = CELLS[cell](width, hidden, layers, batch_first=True)
        self.out = nn.Linear(hidden, width)

    def players(self) -> list[Player]:
        """Return one player, whose matrices are those of the recurrence."""
        matrices = [p for name, p in self.network.named_parameters() if name.startswith("weight")]
        return [Player("model", list(self.parameters()), self.loss, matrices=matrices)]

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of what follows every token, from (B, T) to (B, T, V)."""
        h, _ = self.network(self.embed(tokens))
        h = F.layer_norm(self.out(h), self.out.weight.shape[:1])
        return F.linear(h, self.embed.weight[: self.vocabulary])
