"""How diffusions are built from JSON, and what suits data that the book has no recipe for."""

import math

from .base import Generative
from .data import Dataset
from .models.diffusion import Diffusion
from .models.latent_diffusion import LatentDiffusion
from .names import unknown
from .nn.dit import DiT
from .nn.timed_mlp import TimedMLP
from .nn.unet import UNet


def build_diffusion(
    *, shape, network="unet", classes=0, width=32, grow=(1, 2, 2), blocks=1, patch=2, heads=4, depth=4,
    hidden=(128, 128), waves=16, dropout=0.0, **options,
) -> Diffusion:  # fmt: skip
    """Build a diffusion from JSON: ``network`` is unet, dit or mlp; the rest are its sizes and Diffusion's options."""
    shape = tuple(shape)
    known = {"classes": classes, "dropout": dropout}
    if network == "unet":
        net = UNet(shape[0], shape[0], width=width, grow=tuple(grow), blocks=blocks, **known)
    elif network == "dit":
        net = DiT(shape, patch=patch, width=width, heads=heads, depth=depth, **known)
    elif network == "mlp":
        net = TimedMLP(shape, hidden=tuple(hidden), waves=waves, **known)
    else:
        raise unknown("network", network, ("unet", "dit", "mlp"))
    return Diffusion(net, shape=shape, classes=classes, **options)


def build_latent_diffusion(*, codec, prior=None, classes=0, **options) -> Generative:
    """Build a latent diffusion from JSON: ``codec`` holds the arguments of a VAE, ``prior`` those of a diffusion."""
    from .families import build_vae  # which registers what is here

    codec = build_vae(**codec)
    known = {"network": "mlp", "hidden": (256, 256), "classes": classes, "unit": False}
    return LatentDiffusion(codec, build_diffusion(shape=(codec.latent,), **(known | (prior or {}))), **options)


def diffusion_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a diffusion that suits ``dataset``: a U-Net for images, a perceptron for numbers."""
    if not dataset.train.x.is_floating_point():
        raise ValueError(f"data: expected images or numbers for a diffusion, received {dataset.name!r}, of symbols")
    known = {"shape": list(dataset.shape), "levels": dataset.levels, "unit": dataset.levels is not None}
    if len(dataset.shape) == 3 and not any(side % 4 for side in dataset.shape[1:]):
        return {**known, "network": "unet"}
    return {**known, "network": "mlp", "hidden": [max(128, 2 * math.prod(dataset.shape))] * 2}


FAMILIES = {"diffusion": build_diffusion, "latent_diffusion": build_latent_diffusion}
SUITS = {"diffusion": diffusion_arguments}
