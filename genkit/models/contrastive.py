r"""Contrastive learning: two views of one picture shall be known as such among many others (Chen et al. 2020, SimCLR).

The label of a view is which of the other views in the batch comes from the same picture. It is no distribution over
pictures: it has a loss, which is all that the trainer asks for, and features.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player, Terms
from ..names import unknown
from ..nn import mlp
from ..nn.strided import features_of, strided_encoder
from ..nn.views import Views


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.2) -> Tensor:
    r"""Return the normalised temperature-scaled cross-entropy of each picture, shape (B,), in nats.

    .. math:: \ell_{ij} = -\log \frac{e^{s_{ij} / \tau}}{\sum_{k \ne i} e^{s_{ik} / \tau}}

    Chen et al. (2020), eq. 1, for the 2B views; :math:`s` is the cosine of the angle between two of them. A picture's
    loss is the mean of those of its two views.

    Arguments
        a, b: projections of the first and the second view of each picture, shape (B, D) each, B at least 2.
        temperature: above 0.

    >>> z = torch.eye(4)  # each view equal to its partner and at a right angle to the others
    >>> nt_xent(z, z, temperature=0.01).abs()
    tensor([0., 0., 0., 0.])
    """
    if a.shape != b.shape or a.ndim != 2 or len(a) < 2:
        raise ValueError(f"a, b: expected one shape (B, D), B at least 2, received {tuple(a.shape)}, {tuple(b.shape)}")
    if not temperature > 0:
        raise ValueError(f"temperature: expected a number above 0, received {temperature}")
    n = len(a)
    z = F.normalize(torch.cat([a, b]), dim=1)  # (2B, D)
    logits = z @ z.T / temperature  # (2B, 2B)
    logits = logits.masked_fill(torch.eye(2 * n, dtype=torch.bool, device=z.device), -torch.inf)
    log_p = logits.log_softmax(1)
    partner = torch.arange(2 * n, device=z.device).roll(n)
    return -log_p[torch.arange(2 * n, device=z.device), partner].view(2, n).mean(0)


def attract(a: Tensor, b: Tensor) -> Tensor:
    """Return 1 minus the cosine of the angle between two views, shape (B,): agreement alone, without others to avoid.

    >>> attract(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
    tensor([1.])
    """
    return 1 - F.cosine_similarity(a, b, dim=1)


LOSSES = ("nt_xent", "attract", "siamese")


class Contrastive(nn.Module):
    r"""An encoder f, a head g, and two views of each picture whose projections :math:`g(f(x))` shall agree.

    Arguments
        encoder: a network from (B, C, H, W) to (B, F).
        head: a network from (B, F) to (B, D). It is used in training alone (Chen et al. 2020, section 4.2).
        views: draws a view of each picture.
        temperature: of ``nt_xent``, above 0.
        objective: ``"nt_xent"``; ``"attract"``, agreement without negatives, which collapses; or ``"siamese"``, which
            lets a predictor guess the other view's projection and holds that one still (Chen & He 2021, eq. 4).
        predictor: a network from (B, D) to (B, D), for ``"siamese"``.
    """

    likelihood = "none"

    def __init__(
        self, encoder: nn.Module, head: nn.Module, views: nn.Module, *, temperature: float = 0.2,
        objective: str = "nt_xent", predictor: nn.Module | None = None,
    ):  # fmt: skip
        super().__init__()
        if objective not in LOSSES:
            raise unknown("objective", objective, LOSSES)
        if not temperature > 0:
            raise ValueError(f"temperature: expected a number above 0, received {temperature}")
        if (predictor is None) == (objective == "siamese"):
            raise ValueError(f"predictor: expected one for siamese and for nothing else, received {predictor}")
        self.encoder, self.head, self.views, self.predictor = encoder, head, views, predictor
        self.temperature, self.objective = temperature, objective

    def features(self, x: Tensor) -> Tensor:
        """Return what the encoder says of pictures of shape (B, C, H, W): shape (B, F)."""
        return self.encoder(x)

    def project(self, x: Tensor) -> Tensor:
        """Return the projections in which views are compared, shape (B, D)."""
        return self.head(self.encoder(x))

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the loss of two new views of each picture, shape (B,), and the cosine of the two. A class is ignored.

        Where negatives are used, ``right`` is how often a view's partner is the nearest of all others.
        """
        a, b = self.project(torch.cat([self.views(x), self.views(x)])).chunk(2)
        cosine = F.cosine_similarity(a, b, dim=1).detach()
        if self.objective == "nt_xent":
            return {"loss": nt_xent(a, b, self.temperature), "cosine": cosine, "right": found(a, b)}
        if self.objective == "attract":
            return {"loss": attract(a, b), "cosine": cosine}
        guessed = [attract(self.predictor(p), z.detach()) for p, z in ((a, b), (b, a))]
        return {"loss": sum(guessed) / 2, "cosine": cosine}

    def players(self) -> list[Player]:
        """Return who moves in a step of training."""
        return [Player("model", list(self.parameters()), self.loss)]

    @property
    def device(self) -> torch.device:
        """The device that holds the parameters."""
        return next(self.parameters()).device


@torch.no_grad()
def found(a: Tensor, b: Tensor) -> Tensor:
    """Return, for each first view, whether its partner is the nearest of all other views: 0 or 1, shape (B,)."""
    z = F.normalize(torch.cat([a, b]), dim=1)
    near = z[: len(a)] @ z.T
    near[torch.arange(len(a)), torch.arange(len(a))] = -torch.inf
    return (near.argmax(1) == torch.arange(len(a), device=z.device) + len(a)).float()


def contrastive(
    *, shape: tuple[int, int, int], width: int = 16, hidden: int = 128, dim: int = 64, views: dict | None = None,
    temperature: float = 0.2, objective: str = "nt_xent",
) -> Contrastive:  # fmt: skip
    """Return a small contrastive learner; ``views`` holds the limits of :class:`genkit.nn.views.Views`.

    >>> contrastive(shape=(1, 28, 28)).features(torch.rand(2, 1, 28, 28)).shape
    torch.Size([2, 1024])
    """
    encoder = strided_encoder(tuple(shape), width=width)
    head = mlp(features_of(tuple(shape), width=width), hidden, dim, activation=nn.ReLU)
    predictor = mlp(dim, hidden, dim, activation=nn.ReLU) if objective == "siamese" else None
    return Contrastive(
        encoder, head, Views(**(views or {})), temperature=temperature, objective=objective, predictor=predictor
    )
