"""Noise becomes moons along bent paths or straight ones, in as many steps as one likes: to play with."""

from collections.abc import Callable

import torch
from torch import Tensor

from .explorer import Explorer

GRAINS, MANY = 150, 60


def straighten_explorer(
    centres: Tensor, sigma: float, *, velocity: Callable[[Tensor, Tensor], Tensor], extent: float = 3.0
) -> Explorer:
    """Return an explorer for the true velocity from noise to equal round Gaussians.

    Its straight paths lead to the same ends as the bent ones: what reflow would come to if it were perfect.

    Arguments
        centres: of the Gaussians, shape (K, 2).
        sigma: their standard deviation, above 0.
        velocity: ``velocity(x, t)``, the same field in torch, to which the page's answers are held.
        extent: the plane shows [−extent, extent] each way.

    >>> straighten_explorer(torch.zeros(1, 2), 1.0, velocity=lambda x, t: x * (2 * t - 1)[:, None])
    [explorer: Noise on its way to data, bent or straight, to play with]
    """
    if centres.ndim != 2 or centres.shape[1] != 2 or not len(centres):
        raise ValueError(f"centres: expected the shape (K, 2) with K >= 1, received {tuple(centres.shape)}")
    if not sigma > 0 or not extent > 0:
        raise ValueError(f"sigma, extent: expected numbers above 0, received {sigma} and {extent}")
    noise = torch.randn(GRAINS, 2, generator=torch.Generator().manual_seed(0)).clamp(-extent, extent)
    noise = (noise * 1000).round() / 1000
    state = {
        "centres": [[round(v, 6) for v in m] for m in centres.tolist()], "sigma": sigma, "extent": extent, "many": MANY,
        "noise": [[round(v, 3) for v in z] for z in noise.tolist()],
    }  # fmt: skip
    asked = [(0, 1, False), (1, 4, False), (2, 30, False), (3, 1, True), (4, 7, True)]
    probes = []
    for i, steps, straight in asked:
        z = noise[i].double()
        end = _walk(velocity, z, MANY if straight else steps)  # the end of a straight line is that of the bent one
        inputs = {"z": state["noise"][i], "steps": steps, "straight": straight}
        probes.append((inputs, [round(v, 6) for v in end.tolist()]))
    return Explorer(
        ("straighten.js",), state=state, probes=probes,
        title="Noise on its way to data, bent or straight, to play with",
        fallback="Here points walk from noise to data, where scripts may run: along bent paths, or straight ones.",
    )  # fmt: skip


@torch.no_grad()
def _walk(velocity: Callable[[Tensor, Tensor], Tensor], z: Tensor, steps: int) -> Tensor:
    x = z[None]
    for i in range(steps):
        x = x - velocity(x, torch.full((1,), 1 - i / steps, dtype=x.dtype)) / steps
    return x[0]
