"""Drag a point in a plane of codes and watch the decoder draw."""

import copy

import torch
from torch import Tensor, nn

from .explorer import Explorer, pack


def latent_explorer(
    model: nn.Module, *, codes: Tensor, labels: Tensor | None = None, classes: tuple[str, ...] = (),
    kind: str = "letter", extent: float = 3.0,
) -> Explorer:  # fmt: skip
    """Return an explorer for a VAE with two latent dimensions, Bernoulli pixels and an MLP decoder.

    Arguments
        model: the trained VAE.
        codes: mean codes of real pictures, shape (N, 2): the dots in the plane.
        labels: their classes, int64 of shape (N,), for a conditional model.
        classes: the names of the classes.
        kind: what a class is called.
        extent: the plane shows codes in [−extent, extent].

    Raises ``ValueError`` for a model of another kind, and for codes, labels or classes that do not suit it.

    >>> from genkit.distributions import bernoulli
    >>> from genkit.models.vae import mlp_vae
    >>> model = mlp_vae(shape=(1, 28, 28), pixels=bernoulli(), latent=2, hidden=(16,))
    >>> latent_explorer(model, codes=torch.randn(5, 2))
    [explorer: The decoder of the VAE, to play with]
    """
    if model.latent != 2 or model.pixels.per_pixel != 1:
        raise ValueError(
            f"model: expected 2 latent dimensions and 1 number for each pixel, received {model.latent} and "
            f"{model.pixels.per_pixel}"
        )
    if model.shape[0] != 1 or model.shape[1] != model.shape[2]:
        raise ValueError(f"model: expected square grey pictures, received the shape {tuple(model.shape)}")
    if len(classes) != model.classes:
        raise ValueError(
            f"classes: expected {model.classes} names, as many as the model knows, received {len(classes)}"
        )
    if codes.ndim != 2 or codes.shape[1] != 2:
        raise ValueError(f"codes: expected the shape (N, 2), received {tuple(codes.shape)}")
    if classes and (labels is None or len(labels) != len(codes)):
        raise ValueError(
            f"labels: expected one for each of the {len(codes)} codes, received {0 if labels is None else len(labels)}"
        )
    if classes and not 0 <= int(labels.min()) <= int(labels.max()) < len(classes):
        raise ValueError(
            f"labels: expected numbers of classes in [0, {len(classes)}), received {labels.unique().tolist()}"
        )
    labels = torch.zeros(len(codes), dtype=torch.int64) if labels is None else labels
    layers, weights = pack(model.decoder)
    state = {
        "layers": layers,
        "weights": weights,
        "side": model.shape[1],
        "classes": list(classes),
        "kind": kind,
        "points": [[round(a, 2), round(b, 2), c] for (a, b), c in zip(codes.tolist(), labels.tolist(), strict=True)],
        "extent": extent,
    }
    inputs = [{"z": [a, b], "c": i % max(1, len(classes))} for i, (a, b) in enumerate(((0, 0), (1.5, -0.5), (-2, 2.5)))]
    return Explorer(
        ("mlp.js", "steer.js", "latent.js"), state=state, probes=[(given, _answer(model, given)) for given in inputs],
        title="The decoder of the VAE, to play with",
        fallback="Here the decoder runs in the page, where scripts may run: a point to drag, and the letter it draws.",
    )  # fmt: skip


@torch.no_grad()
def _answer(model: nn.Module, inputs: dict) -> list[float]:
    """Decode with weights rounded as the page's are."""
    rounded = copy.deepcopy(model).half().float().eval()
    c = torch.tensor([inputs["c"]]) if model.classes else None
    picture = rounded.decode(torch.tensor([inputs["z"]], dtype=torch.float32), c).mean
    return [round(v, 6) for v in picture.flatten().tolist()]
