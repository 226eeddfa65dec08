"""A recurrent language model: what a transformer is measured against (Hochreiter & Schmidhuber 1997)."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player
from ..names import unknown
from ..tokens import TokenModel

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(TokenModel):
    r"""A recurrent network over tokens: all that it knows of the past passes through its state.

    Arguments
        vocabulary: the number of tokens V.
        context: the most tokens that a prediction is asked to see.
        width: of the embedding, which is tied: tokens are written as they are read.
        hidden: units of the state.
        layers: one above the other.
        cell: ``"lstm"``, or ``"gru"``, its smaller relative (Cho et al. 2014), whose gate z says, number by number,
            what of the state is kept and what is written anew: :math:`h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}`.
        spread: the standard deviation of the embedding's first numbers; by default 1 / √width.
        normalised: give what is read from the state one length before it is compared with the tokens.

    >>> import torch
    >>> Recurrent(vocabulary=5, context=8, width=8, hidden=12).sample(3, torch.tensor([[1]]), length=4).shape
    torch.Size([3, 4])
    """

    def __init__(
        self, *, vocabulary: int, context: int, width: int = 128, hidden: int = 256, layers: int = 2,
        cell: str = "lstm", spread: float | None = None, normalised: bool = True,
    ):  # fmt: skip
        super().__init__()
        sizes = {"vocabulary": vocabulary, "context": context, "width": width, "hidden": hidden, "layers": layers}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        if cell not in CELLS:
            raise unknown("cell", cell, CELLS)
        self.vocabulary, self.context, self.normalised = vocabulary, context, normalised
        self.embed = nn.Embedding(vocabulary + 1, width)  # the last row is the begin token's
        nn.init.normal_(self.embed.weight, std=width**-0.5 if spread is None else spread)
        self.network = CELLS[cell](width, hidden, layers, batch_first=True)
        self.out = nn.Linear(hidden, width)

    def players(self) -> list[Player]:
        """Return one player, whose matrices are those of the recurrence."""
        matrices = [p for name, p in self.network.named_parameters() if name.startswith("weight")]
        return [Player("model", list(self.parameters()), self.loss, matrices=matrices)]

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of what follows every token, from (B, T) to (B, T, V)."""
        h, _ = self.network(self.embed(tokens))
        h = self.out(h)
        if self.normalised:
            h = F.layer_norm(h, h.shape[-1:])
        return F.linear(h, self.embed.weight[: self.vocabulary])
