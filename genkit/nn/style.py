r"""A small style-based generator (Karras et al. 2019, 2020): noise becomes a style, and styles steer every layer.

A mapping network turns noise z into a style w. A learnt constant picture goes through convolutions, and w tells each of
them how much to listen to each of its inputs. So different layers can follow different styles.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .critic import leaky


class Modulated(nn.Module):
    r"""A convolution whose weights a style scales: Karras et al. (2020), eq. 1 and 3.

    .. math:: w'_{oik} = s_i\, w_{oik}, \qquad
              w''_{oik} = w'_{oik} \Big/ \sqrt{\textstyle\sum_{i,k} {w'_{oik}}^2 + \epsilon}

    Here the inputs are scaled by :math:`s` and the outputs divided, which comes to the same.

    Arguments
        inputs, outputs: channels.
        style: the size of w; :math:`s = A w + b`. At first b = 1, and A is such that s strays from 1 as w does from 0.
        kernel: the side of the kernel, odd.
        demodulate: whether outputs are brought back to the size of the inputs (the second equation).
    """

    def __init__(self, inputs: int, outputs: int, style: int, *, kernel: int = 3, demodulate: bool = True):
        super().__init__()
        self.scales = nn.Linear(style, inputs)
        nn.init.normal_(self.scales.weight, std=style**-0.5)
        nn.init.ones_(self.scales.bias)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) / (inputs * kernel**2) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.demodulate = demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        s = self.scales(w)  # (B, inputs)
        y = F.conv2d(x * s[:, :, None, None], self.weight, padding=self.weight.shape[-1] // 2)
        if self.demodulate:
            square = s.square() @ self.weight.square().sum((2, 3)).T  # (B, outputs)
            y = y * (square + 1e-8).rsqrt()[:, :, None, None]
        return y + self.bias[:, None, None]


class StyleGenerator(nn.Module):
    """From noise to images in [0, 1] whose sides divide by 4.

    Two convolutions at a quarter of the side, one at half, one at the full side, and one of a single pixel that makes
    the image: five layers, each with a style. The first two decide what is large, the last three what is fine. Styles
    begin as large as the noise, so that the first pictures differ and not only the last.

    Arguments
        latent: the size of the noise (with the columns of a class where there is one).
        shape: (C, H, W).
        width: channels at the quarter side; half of it, and a quarter, follow.
        style: the size of w.
        mixing: the probability with which an example of a training batch takes its later styles from another one
            (Karras et al. 2019, section 3.1), so that layers learn to be independent.

    >>> generator = StyleGenerator(8, (1, 28, 28), width=8, style=8)
    >>> w = generator.styles(torch.randn(2, 8))
    >>> w.shape, generator.draw(w).shape
    (torch.Size([2, 5, 8]), torch.Size([2, 1, 28, 28]))
    """

    LAYERS = 5

    def __init__(
        self, latent: int, shape: tuple[int, int, int], *, width: int = 48, style: int = 32, mixing: float = 0.5
    ):
        super().__init__()
        c, h, w = shape
        if h % 4 or w % 4 or width % 4:
            raise ValueError(f"shape, width: expected H, W and width divisible by 4, received {shape} and {width}")
        if not 0 <= mixing <= 1:
            raise ValueError(f"mixing: expected a probability in [0, 1], received {mixing}")
        self.mapping = nn.Sequential(nn.Linear(latent, style), leaky(), nn.Linear(style, style), leaky())
        for linear in self.mapping[::2]:
            nn.init.kaiming_normal_(linear.weight, a=0.2)
            nn.init.zeros_(linear.bias)
        self.start = nn.Parameter(torch.randn(width, h // 4, w // 4))
        sizes = [(width, width), (width, width), (width, width // 2), (width // 2, width // 4)]
        self.layers = nn.ModuleList(Modulated(i, o, style) for i, o in sizes)
        self.paint = Modulated(width // 4, c, style, kernel=1, demodulate=False)
        self.mixing = mixing

    def styles(self, z: Tensor) -> Tensor:
        """Return the styles of noise z, shape (B, latent), one for each layer and all alike: shape (B, 5, style)."""
        w = self.mapping(z)
        return w[:, None].expand(-1, self.LAYERS, -1)

    def draw(self, w: Tensor) -> Tensor:
        """Return the images of styles of shape (B, 5, style), which may differ from layer to layer."""
        if w.ndim != 3 or w.shape[1] != self.LAYERS:
            raise ValueError(f"w: expected shape (B, {self.LAYERS}, style), received {tuple(w.shape)}")
        x = self.start.expand(len(w), -1, -1, -1)
        for i, layer in enumerate(self.layers):
            if i >= 2:  # twice the side before the third and the fourth layer
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.leaky_relu(layer(x, w[:, i]), 0.2)
        return self.paint(x, w[:, -1]).sigmoid()

    def forward(self, z: Tensor) -> Tensor:
        w = self.styles(z)
        if self.training and self.mixing:
            cut = torch.randint(1, self.LAYERS, (len(z), 1), device=z.device)
            kept = torch.rand(len(z), 1, device=z.device) >= self.mixing
            own = kept | (torch.arange(self.LAYERS, device=z.device) < cut)  # (B, 5)
            w = torch.where(own[..., None], w, w.roll(1, 0))
        return self.draw(w)


def mix(coarse: Tensor, fine: Tensor, cut: int) -> Tensor:
    """Return styles whose first ``cut`` layers follow ``coarse`` and whose others follow ``fine``; shapes (B, L, W).

    >>> mix(torch.zeros(1, 3, 1), torch.ones(1, 3, 1), 1).flatten()
    tensor([0., 1., 1.])
    """
    if not 0 <= cut <= coarse.shape[1]:
        raise ValueError(f"cut: expected a number of layers in [0, {coarse.shape[1]}], received {cut}")
    return torch.cat([coarse[:, :cut], fine[:, cut:]], 1)
