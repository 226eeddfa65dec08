"""The families of models: how each is built from JSON, and what suits data that the book has no recipe for."""

import math
from collections.abc import Callable

from . import distributions, families_diffusion
from .base import Generative
from .data import Dataset
from .models.autoencoder import Autoencoder, mlp_autoencoder
from .models.autoregressive import dilated, made, pixelcnn
from .models.boltzmann import RBM, Boltzmann
from .models.contrastive import contrastive
from .models.dbn import DBN
from .models.encoders import Masked, Translator
from .models.energy import EnergyModel, mlp_energy
from .models.flow import Dequantised, coupling_flow
from .models.flow_matching import flow_matching
from .models.gan import build_gan
from .models.gpt import GPT
from .models.labelled import Labelled
from .models.masked_autoencoder import MaskedAutoencoder
from .models.recurrent import Recurrent
from .models.reflow import Reflow
from .models.seeing import Seer
from .models.semi_vae import SemiVAE, mlp_semi_vae
from .models.translation import CycleGAN, Painter, Pix2Pix, patch_critic
from .models.vae import conv_vae, mlp_vae
from .models.vq import VQ, Codebook
from .models.zuko_flow import continuous_flow, spline_flow
from .names import unknown
from .nn.patches import patch_decoder, patch_encoder

PIXELS = {
    "bernoulli": lambda levels, components: distributions.bernoulli(),
    "categorical": lambda levels, components: distributions.categorical(levels),
    "discretised_logistic": distributions.discretised_logistic,
}
NETWORKS = {"mlp": mlp_vae, "conv": conv_vae}
ZUKO = {"spline": spline_flow, "continuous": continuous_flow}
CAUSAL = {"made": made, "pixelcnn": pixelcnn, "dilated": dilated}
ENCODERS = {"masked": Masked, "translator": Translator}


def build_vae(*, network="mlp", **arguments) -> Generative:
    """Build a VAE from JSON: names for the pixel distribution and the network, numbers for the rest."""
    return _build(NETWORKS, network, **arguments)


def build_semi_vae(**arguments) -> SemiVAE:
    """Build a semi-supervised VAE from JSON, as a VAE is built; ``classes`` is among its arguments."""
    return _build({"mlp": mlp_semi_vae}, "mlp", **arguments)


def build_autoregressive(*, network="pixelcnn", **arguments) -> Generative:
    """Build an autoregressive model from JSON, as a VAE is built."""
    return _build(CAUSAL, network, **arguments)


def _build(networks, network, *, shape, pixels, levels=256, components=1, **options) -> Generative:
    if pixels not in PIXELS:
        raise unknown("pixels", pixels, PIXELS)
    if network not in networks:
        raise unknown("network", network, networks)
    if "hidden" in options:
        options["hidden"] = tuple(options["hidden"])
    return networks[network](shape=tuple(shape), pixels=PIXELS[pixels](levels, components), **options)


def vae_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a VAE that suits ``dataset``: bells over its levels, or coins for ``binary`` pixels."""
    if dataset.levels is None or len(dataset.shape) != 3:
        raise ValueError(f"data: expected images for a VAE, received {dataset.name!r} of shape {dataset.shape}")
    shape = {"shape": list(dataset.shape), "levels": dataset.levels}
    if binary or dataset.levels == 2:
        return {**shape, "pixels": "bernoulli", **BINARY}
    return {**shape, "pixels": "discretised_logistic", **GREY}


def autoregressive_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of an autoregressive model that suits ``dataset``: grey images, colour ones, or signals."""
    if dataset.levels is None or len(dataset.shape) not in (1, 3) or not dataset.train.x.is_floating_point():
        raise ValueError(
            f"data: expected images or signals for an autoregressive model, received {dataset.name!r} "
            f"of shape {dataset.shape}"
        )
    pixels = {"pixels": "bernoulli"} if binary else {"pixels": "discretised_logistic", "components": 3}
    known = {"shape": list(dataset.shape), "levels": dataset.levels, **pixels, "dropout": 0.1}
    if len(dataset.shape) == 1:
        return {**known, "network": "dilated", "layers": 7}
    return {**known, "network": "pixelcnn"} if dataset.shape[0] == 1 else {**known, "network": "made"}


def build_flow(*, shape, hidden=(128, 128), levels=None, noise_layers=0, **options) -> Generative:
    """Build a coupling flow from JSON: over numbers, or over discrete ``levels`` with uniform or learnt noise."""
    shape = tuple(shape)
    flow = coupling_flow(shape=shape, hidden=tuple(hidden), unit=levels is not None, **options)
    if levels is None:
        return flow
    noise = None
    if noise_layers:
        noise = coupling_flow(shape=shape, layers=noise_layers, hidden=(128,), mix=False, context=math.prod(shape))
    return Dequantised(flow, levels=levels, noise=noise)


def build_zuko_flow(*, kind="spline", shape, hidden=(64, 64), **options) -> Generative:
    """Build a flow of the library zuko from JSON: ``kind`` is spline or continuous."""
    if kind not in ZUKO:
        raise unknown("kind", kind, ZUKO)
    return ZUKO[kind](shape=tuple(shape), hidden=tuple(hidden), **options)


def flow_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a flow that suits ``dataset``: a bound for grey levels, an exact density for numbers."""
    if binary or not dataset.train.x.is_floating_point() or math.prod(dataset.shape) < 2:
        raise ValueError(
            f"data: expected at least two numbers or pixels, neither text nor binarised, for a flow, received "
            f"{dataset.name!r} of shape {dataset.shape}"
        )
    return {"shape": list(dataset.shape), "levels": dataset.levels, "layers": 8, "mix": dataset.levels is None}


def build_encoders(*, network="masked", **arguments) -> Generative:
    """Build a masked model or a translator from JSON."""
    if network not in ENCODERS:
        raise unknown("network", network, ENCODERS)
    return ENCODERS[network](**arguments)


def gpt_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a model of tokens that suits ``dataset``: windows of text."""
    if binary or dataset.train.x.is_floating_point() or len(dataset.shape) != 1 or dataset.levels is None:
        raise ValueError(f"data: expected text for a GPT, received {dataset.name!r} of shape {dataset.shape}")
    return {"vocabulary": dataset.levels, "context": max(1, _places(dataset) - 1)}


def encoders_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a masked model that suits ``dataset``, as :func:`gpt_arguments` does."""
    return {"network": "masked", **gpt_arguments(dataset, binary), "context": _places(dataset)}


def _places(dataset: Dataset) -> int:
    return dataset.shape[0] + (0 if dataset.train.c is None else dataset.train.c.shape[1])


def build_energy(*, shape, hidden=(128, 128), **options) -> EnergyModel:
    """Build an energy-based model over numbers from JSON."""
    return mlp_energy(shape=tuple(shape), hidden=tuple(hidden), **options)


def build_vq(
    *, shape, pixels, levels=256, components=1, patch=4, codes=64, dim=8, decay=0.98, revive=0.1, width=48, depth=2,
    dropout=0.0, prior=None, classes=0, **options,
) -> VQ:  # fmt: skip
    """Build a vector-quantised autoencoder from JSON; ``prior`` holds the arguments of the GPT over its codes."""
    if pixels not in PIXELS:
        raise unknown("pixels", pixels, PIXELS)
    family, shape = PIXELS[pixels](levels, components), tuple(shape)
    size = {"patch": patch, "width": width, "depth": depth, "dropout": dropout}
    encoder = patch_encoder(shape, dim, **size)
    decoder = patch_decoder(dim, shape, family.per_pixel, **size)
    places = (shape[1] // patch) * (shape[2] // patch)
    book = Codebook(codes, dim, decay=decay, revive=revive)
    over = GPT(vocabulary=codes + classes + 1, context=places, **({"width": 64, "layers": 2} | (prior or {})))
    return VQ(encoder, decoder, book, over, shape=shape, places=places, pixels=family, classes=classes, **options)


def vq_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a vector-quantised autoencoder that suits ``dataset``: images whose sides divide."""
    if dataset.levels is None or len(dataset.shape) != 3:
        raise ValueError(f"data: expected images for a VQ, received {dataset.name!r} of shape {dataset.shape}")
    sides = dataset.shape[1:]
    patch = next((p for p in (2, 4, 8) if not any(s % p for s in sides) and math.prod(sides) <= 64 * p * p), None)
    if patch is None:
        raise ValueError(f"data: expected sides that 2, 4 or 8 divides, with few patches, received {dataset.shape}")
    known = {"shape": list(dataset.shape), "levels": dataset.levels, "patch": patch}
    if binary or dataset.levels == 2:
        return {**known, "pixels": "bernoulli"}
    return {**known, "pixels": "discretised_logistic", "components": 3}


def build_autoencoder(*, shape, hidden=(256,), **options) -> Autoencoder:
    """Build a plain autoencoder from JSON."""
    return mlp_autoencoder(shape=tuple(shape), hidden=tuple(hidden), **options)


MACHINES = {"restricted": RBM, "general": Boltzmann}


def build_boltzmann(*, shape, machine="restricted", **options) -> Generative:
    """Build a Boltzmann machine from JSON: ``"restricted"`` or ``"general"``."""
    if machine not in MACHINES:
        raise unknown("machine", machine, MACHINES)
    return MACHINES[machine](shape=tuple(shape), **options)


def build_dbn(*, shape, hidden, classes=0, **options) -> Generative:
    """Build a deep belief network from JSON: ``hidden`` lists the sizes of its hidden layers, from below."""
    below, layers = tuple(shape), []
    for i, size in enumerate(hidden):
        last = i == len(hidden) - 1
        layers.append(RBM(shape=below, hidden=size, classes=classes if last else 0, **options))
        below = (size,)
    return DBN(layers)


def boltzmann_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a restricted Boltzmann machine that suits ``dataset``, of black-and-white images."""
    if len(dataset.shape) != 3 or not (binary or dataset.levels == 2):
        raise ValueError(
            f"data: expected images in black and white, or --binarise, for a Boltzmann machine, received "
            f"{dataset.name!r} of shape {dataset.shape} with {dataset.levels} levels"
        )
    return {"shape": list(dataset.shape), "hidden": 200, "k": 5, "chains": 100}


def dbn_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a deep belief network of two layers, as those of a restricted machine."""
    return {**boltzmann_arguments(dataset, binary), "hidden": [200, 200]}


def build_reflow(*, times="uniform", pairs=2000, split=0.5, knobs=None, **arguments) -> Reflow:
    """Build a teacher and a student of one size from JSON; ``times`` are the student's, "last" for distillation."""
    teacher, student = flow_matching(**arguments), flow_matching(**arguments | {"times": times})
    return Reflow(teacher, student, pairs=pairs, split=split, knobs=knobs)


def flow_matching_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of flow matching that suit ``dataset``: a U-Net for images, a plain network for numbers."""
    if binary or not dataset.train.x.is_floating_point():
        raise ValueError(f"data: expected images or numbers for flow matching, received {dataset.name!r}")
    known = {"shape": list(dataset.shape), "bounds": None if dataset.levels is None else [0.0, 1.0]}
    fits = len(dataset.shape) == 3 and not any(side % 4 for side in dataset.shape[1:])
    return {**known, "network": "unet" if fits else "field"}


def build_translation(
    *, kind="pix2pix", width=32, grow=(1,), keep=False, critic=24, halvings=2, **options
) -> Generative:  # fmt: skip
    """Build a translator of colour pictures from JSON: ``"pix2pix"`` or ``"cyclegan"``.

    ``critic`` is the critics' width; 0 leaves pix2pix with the L1 norm alone.
    """

    def painter() -> Painter:
        return Painter(width=width, grow=tuple(grow), keep=keep)

    if kind == "pix2pix":
        return Pix2Pix(painter(), patch_critic(6, width=critic, halvings=halvings) if critic else None, **options)
    if kind != "cyclegan":
        raise unknown("kind", kind, ("pix2pix", "cyclegan"))
    critics = [patch_critic(3, width=critic, halvings=halvings) for _ in range(2)]
    return CycleGAN(painter(), painter(), *critics, **options)


def gan_arguments(dataset: Dataset, binary: bool = False) -> dict:
    """Return the arguments of a GAN that suits ``dataset``: points, or images whose sides divide by 4."""
    images = len(dataset.shape) == 3 and dataset.levels is not None
    if binary or not (images or (len(dataset.shape) == 1 and dataset.levels is None)):
        raise ValueError(
            f"data: expected images or points for a GAN, received {dataset.name!r} of shape {dataset.shape}"
        )
    known = {"shape": list(dataset.shape), "game": "relativistic", "momentum": 0.5, "r1": 0.2, "r2": 0.2}
    if not images:
        return known
    if dataset.shape[1] % 4 or dataset.shape[2] % 4:
        raise ValueError(f"data: expected images whose sides divide by 4 for a GAN, received {dataset.shape}")
    return {**known, "latent": 32, "generator": "conv", "critic": "conv"}


GREY = {"components": 3, "latent": 16, "hidden": [512], "dropout": 0.2}
BINARY = {"latent": 50, "hidden": [512, 512]}
FAMILIES: dict[str, Callable[..., Generative]] = {
    "vae": build_vae,
    "autoencoder": build_autoencoder,
    "autoregressive": build_autoregressive,
    "flow": build_flow,
    "gpt": GPT,
    "recurrent": Recurrent,
    "zuko_flow": build_zuko_flow,
    "energy": build_energy,
    "vq": build_vq,
    "encoders": build_encoders,
    "boltzmann": build_boltzmann,
    "dbn": build_dbn,
    "seeing": Seer,
    "semi_vae": build_semi_vae,
    "masked_autoencoder": MaskedAutoencoder,
    "contrastive": contrastive,
    "labelled": Labelled,
    "flow_matching": flow_matching,
    "reflow": build_reflow,
    **families_diffusion.FAMILIES,
    "translation": build_translation,
    "gan": build_gan,
}
SUITS: dict[str, Callable[[Dataset, bool], dict]] = {
    "vae": vae_arguments, "autoregressive": autoregressive_arguments, "flow": flow_arguments,
    "gpt": gpt_arguments, "recurrent": gpt_arguments,
    "flow_matching": flow_matching_arguments, "reflow": flow_matching_arguments,
    "vq": vq_arguments, "encoders": encoders_arguments, "boltzmann": boltzmann_arguments, "dbn": dbn_arguments,
    **families_diffusion.SUITS,
    "gan": gan_arguments,
}  # fmt: skip


def build(family: str, **arguments) -> Generative:
    """Build a model of a family from JSON arguments, as a checkpoint keeps them."""
    if family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    try:
        return FAMILIES[family](**arguments)
    except TypeError as error:
        raise ValueError(f"arguments: expected those of {family}; {error}") from None
