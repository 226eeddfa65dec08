"""Drag a point in a plane of codes and watch the decoder draw."""

import copy

import torch
from torch import Tensor, nn

from .explorer import Explorer, pack


def latent_explorer(
    model: nn.Module, *, codes: Tensor, labels: Tensor | None = None, classes: tuple[str, ...] = (), extent: float = 3.0
) -> Explorer:
    """Return an explorer for a VAE with two latent dimensions, Bernoulli pixels and an MLP decoder.

    Arguments
        model: the trained VAE.
        codes: mean codes of real pictures, shape (N, 2): the dots in the plane.
        labels: their classes, int64 of shape (N,), for a conditional model.
        classes: the names of the classes.
        extent: the plane shows codes in [−extent, extent].
    """
    if model.latent != 2 or model.pixels.per_pixel != 1:
        raise ValueError(
            f"model: expected 2 latent dimensions and Bernoulli pixels, received {model.latent} dimensions"
        )
    labels = torch.zeros(len(codes), dtype=torch.int64) if labels is None else labels
    layers, weights = pack(model.decoder)
    state = {
        "layers": layers,
        "weights": weights,
        "side": model.shape[1],
        "classes": list(classes),
        "points": [[round(a, 2), round(b, 2), c] for (a, b), c in zip(codes.tolist(), labels.tolist(), strict=True)],
        "extent": extent,
    }
    inputs = [{"z": [a, b], "c": i % max(1, len(classes))} for i, (a, b) in enumerate(((0, 0), (1.5, -0.5), (-2, 2.5)))]
    return Explorer(
        ("mlp.js", "latent.js"), state=state, probes=[(given, _answer(model, given)) for given in inputs],
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
