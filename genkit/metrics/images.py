"""Pictures against pictures: error, sharpness, and distance between sets by the features of a classifier."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base import Estimate


def psnr(x: Tensor, reference: Tensor) -> Estimate:
    r"""Return the mean peak signal-to-noise ratio of images in [0, 1], :math:`-10 \log_{10} \mathrm{MSE}`, in dB.

    Both have shape (N, C, H, W). Raises ``ValueError`` where an image equals its reference: the ratio is infinite.
    """
    if x.shape != reference.shape:
        raise ValueError(f"x: expected the shape of reference {tuple(reference.shape)}, received {tuple(x.shape)}")
    error = (x - reference).square().flatten(1).mean(1)
    if (error == 0).any():
        raise ValueError("x: expected images that differ from their reference, received one that equals it")
    return Estimate.mean(-10 * error.log10(), unit="dB")


def laplacian_energy(x: Tensor) -> Tensor:
    r"""Return the energy of the Laplacian of each image, shape (N,).

    It is the mean square of :math:`4x_{ij} - x_{i-1,j} - x_{i+1,j} - x_{i,j-1} - x_{i,j+1}` over the pixels.

    Images have shape (N, C, H, W); black surrounds them. Blur lowers this energy, grain raises it.
    """
    kernel = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]], device=x.device)
    filtered = F.conv2d(x.flatten(0, 1).unsqueeze(1), kernel.expand(1, 1, 3, 3), padding=1)
    return filtered.square().flatten(1).mean(1).unflatten(0, x.shape[:2]).mean(1)


def sharpness(x: Tensor, real: Tensor) -> Estimate:
    """Return the Laplacian energy of ``x`` over that of ``real``: 1 is as sharp as the data, less is blurred.

    The standard error is that of a ratio of two means, by the delta method.
    """
    a, b = laplacian_energy(x).double(), laplacian_energy(real).double()
    ratio = a.mean() / b.mean()
    relative = a.var() / (len(a) * a.mean() ** 2) + b.var() / (len(b) * b.mean() ** 2)
    return Estimate(ratio.item(), (ratio * relative.sqrt()).item())


def frechet(a: Tensor, b: Tensor) -> float:
    r"""Return the Fréchet distance between two sets of features, shapes (N, F) and (M, F), taken as Gaussians.

    .. math:: \|\mu_a - \mu_b\|^2 + \mathrm{tr}\big(\Sigma_a + \Sigma_b - 2(\Sigma_a \Sigma_b)^{1/2}\big)

    Heusel et al. (2017), eq. 6. On features of the Inception network it is called FID; ours are our own classifiers'.

    >>> a = torch.randn(500, 3)
    >>> round(frechet(a, a + 2), 3)  # a shift by 2 in three dimensions
    12.0
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"a, b: expected shapes (N, F) and (M, F), received {tuple(a.shape)} and {tuple(b.shape)}")
    if min(len(a), len(b)) <= a.shape[1]:
        raise ValueError(f"a, b: expected more than {a.shape[1]} examples each, received {len(a)} and {len(b)}")
    a, b = a.double(), b.double()
    cov_a, cov_b = torch.cov(a.T).view(a.shape[1], -1), torch.cov(b.T).view(a.shape[1], -1)
    # tr (Σa Σb)^½ = tr (Σa^½ Σb Σa^½)^½, and that matrix is symmetric: its eigenvalues are real
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    return ((a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross).item()


def frechet_distance(real: Tensor, samples: Tensor, features, *, resamples: int = 100, seed: int = 0) -> Estimate:
    """Return the Fréchet distance of two sets of images on ``features(images)``, with its bootstrap standard error.

    The bootstrap draws ``real`` anew, with replacement (Efron 1979); a resample has fewer different images, which
    raises the distance, so the value is that of the sets as they are.
    """
    with torch.no_grad():
        a, b = features(real), features(samples)
    generator = torch.Generator().manual_seed(seed)
    draws = [a[torch.randint(len(a), (len(a),), generator=generator)] for _ in range(resamples)]
    spread = torch.tensor([frechet(draw, b) for draw in draws]).std().item()
    return Estimate(frechet(a, b), spread)


def frechet_ratio(train: Tensor, test: Tensor, samples: Tensor, features, *, resamples: int = 100) -> Estimate:
    """Return the Fréchet distance of samples from the test images over that of the training images: 1 is the floor."""
    floor = frechet_distance(test, train, features, resamples=2).value
    found = frechet_distance(test, samples, features, resamples=resamples)
    return Estimate(found.value / floor, found.stderr / floor)
