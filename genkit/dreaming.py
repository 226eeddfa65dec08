"""DeepDream and feature visualisation: gradient ascent on the pixels of a picture, to what a network answers loudly.

Nothing here trains a network. Its weights stay as they are, and a picture changes.
"""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Maps = dict[str, Tensor]
"""What layers answer to pictures: name of a layer to maps of shape (B, C, H, W)."""
Objective = Callable[[Tensor], Tensor]
"""From pictures, shape (B, 3, H, W), to what is to become large, one number for each: shape (B,)."""


def activations(network: nn.Module, x: Tensor, layers: Iterable[str]) -> Maps:
    """Return what the named layers of a network answer to pictures x, with gradients.

    Arguments
        network: any module; a layer is a submodule, found by its name or by the end of its dotted name.
        x: pictures, shape (B, 3, H, W).
        layers: names such as ``"layer3"``.

    Raises ``ValueError`` for a layer that the network does not have.

    >>> net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    >>> activations(net, torch.rand(1, 3, 8, 8), ["1"])["1"].shape
    torch.Size([1, 4, 8, 8])
    """
    found: Maps = {}
    modules = {name: _layer(network, name) for name in layers}

    def keep(name: str):
        return lambda module, inputs, output: found.__setitem__(name, output)

    hooks = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    try:
        network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def loudness(network: nn.Module, layer: str, channel: int | None = None) -> Objective:
    r"""Return what DeepDream makes large: the mean square of a layer's activations, or one channel's mean.

    .. math:: \frac{1}{C M} \sum_{c, i} F_{ci}(x)^2 \qquad\text{or}\qquad \frac1M \sum_i F_{ci}(x)

    Mordvintsev et al. (2015) climb the first, Simonyan et al. (2014) and Olah et al. (2017) the second.
    """

    def objective(x: Tensor) -> Tensor:
        maps = activations(network, x, [layer])[layer]
        if channel is None:
            return maps.square().mean((1, 2, 3))
        if not 0 <= channel < maps.shape[1]:
            raise ValueError(f"channel: expected 0 to {maps.shape[1] - 1} in {layer}, received {channel}")
        return maps[:, channel].mean((1, 2))

    return objective


def ascend(x: Tensor, objective: Objective, step: float) -> Tensor:
    r"""Return pictures after one step uphill, cut to [0, 1].

    .. math:: x \leftarrow x + \eta\, \frac{g}{\operatorname{mean}|g|}, \qquad g = \nabla_x f(x)

    Each picture's slope is divided by its own mean size, so that ``step`` is what a pixel moves on average, whatever
    the layer: 0.01 is one hundredth of the way from black to white.
    """
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(objective(x).sum(), x)
    size = slope.abs().mean((1, 2, 3), keepdim=True).clamp(min=1e-12)
    return (x + step * slope / size).detach().clamp(0, 1)


def octave_sides(side: int, octaves: int, ratio: float = 1.4, least: int = 16) -> list[int]:
    """Return the sides of a picture's octaves, the smallest first: each ``ratio`` times the one before, ``side`` last.

    Those below ``least`` pixels are left out.

    >>> octave_sides(128, 4, 2.0)
    [16, 32, 64, 128]
    """
    if octaves < 1:
        raise ValueError(f"octaves: expected at least 1, received {octaves}")
    if not ratio > 1:
        raise ValueError(f"ratio: expected a number above 1, received {ratio}")
    sides = [round(side / ratio**k) for k in reversed(range(octaves))]
    return [s for s in sides if s >= least] or [side]


def dream(
    objective: Objective, x: Tensor, *, steps: int = 12, step: float = 0.02, octaves: int = 4, ratio: float = 1.4,
    jitter: int = 4, smooth: float = 0.8, seed: int = 0,
) -> Tensor:  # fmt: skip
    """Change pictures so that ``objective`` grows, from coarse to fine; return them, in [0, 1].

    An octave is a size. The pictures are shrunk to the smallest, and climb; what they gained is enlarged and laid over
    the pictures at the next size, and so on (Mordvintsev et al. 2015). A structure of three pixels at an octave of a
    quarter of the size is one of twelve in the end.

    Arguments
        objective: such as :func:`loudness` of a layer.
        x: pictures to begin with, shape (B, 3, H, W), H = W.
        steps: uphill, at each octave.
        step: what a pixel moves in one, on average.
        octaves, ratio: see :func:`octave_sides`; 1 is none.
        jitter: pixels by which the picture is moved, at most, before each step and back after it.
        smooth: width in pixels of the blur through which each step is seen; 0 is none.
        seed: of the jitter.
    """
    if x.ndim != 4 or x.shape[2] != x.shape[3]:
        raise ValueError(f"x: expected square pictures of shape (B, 3, H, H), received {tuple(x.shape)}")
    if steps < 0:
        raise ValueError(f"steps: expected at least 0, received {steps}")
    if jitter < 0:
        raise ValueError(f"jitter: expected at least 0 pixels, received {jitter}")
    chance = torch.Generator().manual_seed(seed)
    seen = (lambda y: objective(blur(y, smooth))) if smooth else objective
    gained = torch.zeros_like(x)
    for side in octave_sides(x.shape[-1], octaves, ratio):
        base = resize(x, side)
        now = (base + resize(gained, side)).clamp(0, 1)
        for _ in range(steps):
            by = torch.randint(-jitter, jitter + 1, (2,), generator=chance).tolist()
            now = ascend(now.roll(by, (2, 3)), seen, step).roll((-by[0], -by[1]), (2, 3))
        gained = now - base
    return now


def resize(x: Tensor, side: int) -> Tensor:
    """Return square pictures of another size, without the patterns that leaving pixels out would make."""
    if x.shape[-1] == side:
        return x
    return F.interpolate(x, (side, side), mode="bilinear", align_corners=False, antialias=side < x.shape[-1])


def blur(x: Tensor, width: float) -> Tensor:
    """Return pictures seen through a bell of standard deviation ``width`` pixels; the edges are mirrored.

    >>> round(blur(torch.full((1, 3, 9, 9), 0.5), 1.0).max().item(), 6)
    0.5
    """
    reach = max(1, round(2.5 * width))
    bell = torch.exp(-((torch.arange(-reach, reach + 1) / width) ** 2) / 2)
    bell = (bell / bell.sum()).to(x).expand(x.shape[1], 1, -1)  # (C, 1, 2·reach + 1)
    padded = F.pad(x, (reach,) * 4, mode="reflect")
    rows = F.conv2d(padded, bell[:, :, None], groups=x.shape[1])
    return F.conv2d(rows, bell[..., None], groups=x.shape[1])


def _layer(network: nn.Module, name: str) -> nn.Module:
    found = [module for path, module in network.named_modules() if path == name or path.endswith(f".{name}")]
    if len(found) != 1:
        known = ", ".join(path for path, _ in network.named_modules() if path)
        raise ValueError(f"layers: expected the name of one module among {known}; received {name!r}")
    return found[0]
