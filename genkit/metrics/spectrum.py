"""Which waves a picture is made of: fine ones are what one calls noise, long ones what one calls shapes."""

import torch
from torch import Tensor


def shorter_waves(x: Tensor, pixels: float = 4.0) -> float:
    r"""Return the share of pictures' variance in waves shorter than so many pixels, in [0, 1].

    .. math:: \sum_{|k| > 1 / \lambda} |\hat x_k|^2 \Big/ \sum_{k \ne 0} |\hat x_k|^2

    The hat is the discrete Fourier transform, k a frequency in cycles a pixel. Mean colours do not count.

    Arguments
        x: pictures, or changes of pictures, shape (B, C, H, W).
        pixels: the wavelength λ, at least 2.

    >>> shorter_waves(torch.tensor([0.0, 1.0]).repeat(1, 1, 8, 4))
    1.0
    """
    if x.ndim != 4:
        raise ValueError(f"x: expected shape (B, C, H, W), received {tuple(x.shape)}")
    if pixels < 2:
        raise ValueError(f"pixels: expected at least 2, received {pixels}")
    power = torch.fft.fft2(x - x.mean((2, 3), keepdim=True)).abs().square().sum((0, 1))  # (H, W)
    down, across = (torch.fft.fftfreq(n) for n in x.shape[2:])
    short = torch.hypot(down[:, None], across) > 1 / pixels
    return (power[short].sum() / power.sum().clamp(min=1e-12)).item()
