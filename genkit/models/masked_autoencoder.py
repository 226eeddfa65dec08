r"""The masked autoencoder: hide patches of a picture and guess them from the rest (Pathak et al. 2016; He et al. 2022).

The label of a hidden patch is the patch itself, so any heap of pictures will do. It is no distribution over pictures:
it has a loss, which is all that the trainer asks for, and a guess, the mean of what might stand there.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import Player, Terms
from ..nn.patches import patch_decoder
from ..nn.strided import features_of, strided_encoder

GREY = 0.5
"""What a hidden patch is painted with: neither paper nor ink."""


def to_patches(x: Tensor, patch: int) -> Tensor:
    """Cut pictures, shape (B, C, H, W), into squares of ``patch`` pixels: (B, T, C · patch²), in reading order.

    >>> to_patches(torch.arange(16.0).view(1, 1, 4, 4), 2)[0, 1]
    tensor([2., 3., 6., 7.])
    """
    if patch < 1 or x.ndim != 4 or x.shape[2] % patch or x.shape[3] % patch:
        raise ValueError(f"x: expected shape (B, C, H, W), H and W divisible by {patch}, received {tuple(x.shape)}")
    return F.unfold(x, patch, stride=patch).transpose(1, 2)


def hide(rows: int, places: int, ratio: float, device: torch.device | None = None) -> Tensor:
    """Choose the hidden places of each row by chance: bool, shape (rows, places), True where hidden.

    Every row hides as many: round(ratio · places), at least one and never all.

    >>> hide(5, 16, 0.75).sum(1)
    tensor([12, 12, 12, 12, 12])
    """
    if not 0 < ratio < 1:
        raise ValueError(f"ratio: expected a share in (0, 1), received {ratio}")
    if places < 2:
        raise ValueError(f"places: expected at least 2, received {places}")
    many = min(max(round(ratio * places), 1), places - 1)
    return torch.rand(rows, places, device=device).argsort(1) < many


class MaskedAutoencoder(nn.Module):
    r"""An encoder that sees a picture with gaps, and a decoder that guesses what stands in them.

    .. math:: L(x) = \frac{1}{|H|\,P} \sum_{t \in H} \lVert x_t - \hat x_t(x_{\bar H}) \rVert^2

    (He et al. 2022, section 3): :math:`H` are the hidden patches, :math:`P` the numbers in a patch. Patches that were
    seen do not count: to copy them teaches nothing. As in Pathak et al. (2016) the encoder is convolutional, and the
    gaps are painted over.

    Arguments
        shape: (C, H, W) of a picture, H and W divisible by ``patch``.
        patch: pixels across a patch.
        ratio: share of the patches that is hidden, in (0, 1).
        width: channels of the encoder's first layer.
        code: numbers between encoder and decoder.
        narrow: channels of the decoder.

    >>> model = MaskedAutoencoder(shape=(1, 28, 28), patch=7)
    >>> model.features(torch.rand(2, 1, 28, 28)).shape
    torch.Size([2, 1024])
    """

    likelihood = "none"

    def __init__(
        self, *, shape: tuple[int, int, int], patch: int = 7, ratio: float = 0.5, width: int = 16, code: int = 128,
        narrow: int = 32,
    ):  # fmt: skip
        super().__init__()
        if not 0 < ratio < 1:
            raise ValueError(f"ratio: expected a share in (0, 1), received {ratio}")
        draw = patch_decoder(narrow, tuple(shape), 1, patch=patch, width=narrow, depth=1)
        self.shape, self.patch, self.ratio = tuple(shape), patch, ratio
        self.places = (shape[1] // patch) * (shape[2] // patch)
        self.encoder = strided_encoder(self.shape, width=width)
        self.decoder = nn.Sequential(
            nn.Linear(features_of(self.shape, width=width), code), nn.ReLU(),
            nn.Linear(code, self.places * narrow), nn.ReLU(), nn.Unflatten(1, (self.places, narrow)), draw,
        )  # fmt: skip

    def features(self, x: Tensor) -> Tensor:
        """Return what the encoder says of pictures of shape (B, C, H, W): shape (B, features)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected pictures of shape (B, *{self.shape}), received {tuple(x.shape)}")
        return self.encoder(x)

    def guess(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Return the decoder's picture, shape (B, C, H, W), from the patches of x that are not ``hidden``, (B, T)."""
        return self.decoder(self.features(self.covered(x, hidden))).squeeze(-1)

    def covered(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Return pictures whose hidden patches are painted over."""
        return torch.where(self.pixels(hidden), GREY, x)

    @torch.no_grad()
    def filled(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Return pictures whose hidden patches are guessed, and whose other patches are as they were."""
        return torch.where(self.pixels(hidden), self.guess(x, hidden).clamp(0, 1), x)

    def pixels(self, hidden: Tensor) -> Tensor:
        """Return which pixels belong to hidden patches, bool of shape (B, 1, H, W)."""
        if hidden.ndim != 2 or hidden.shape[1] != self.places or hidden.dtype != torch.bool:
            raise ValueError(
                f"hidden: expected bool of shape (B, {self.places}), received {hidden.dtype} of shape "
                f"{tuple(hidden.shape)}"
            )
        grid = hidden.unflatten(1, (self.shape[1] // self.patch, -1))
        return grid.repeat_interleave(self.patch, 1).repeat_interleave(self.patch, 2)[:, None]

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the mean squared error of a pixel of the hidden patches, shape (B,). A class is ignored."""
        hidden = hide(len(x), self.places, self.ratio, x.device)
        error = to_patches(self.guess(x, hidden) - x, self.patch).square().mean(2)  # (B, T)
        return {"loss": (error * hidden).sum(1) / hidden.sum(1)}

    def players(self) -> list[Player]:
        """Return who moves in a step of training."""
        return [Player("model", list(self.parameters()), self.loss)]

    @property
    def device(self) -> torch.device:
        """The device that holds the parameters."""
        return next(self.parameters()).device
