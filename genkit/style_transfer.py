"""Neural style transfer: a picture that keeps one picture's content and takes on another's style."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from .dreaming import activations
from .models.seeing import LAYERS


def gram(maps: Tensor) -> Tensor:
    r"""Return which channels answer together: shape (B, C, C), from maps of shape (B, C, H, W).

    .. math:: G_{cd} = \frac1M \sum_i F_{ci} F_{di}

    Gatys et al. (2016), eq. 3, divided by the number M of places, so that pictures of different sizes compare. Where
    things stand is summed out.

    >>> gram(torch.ones(1, 2, 3, 3))
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    if maps.ndim != 4:
        raise ValueError(f"maps: expected shape (B, C, H, W), received {tuple(maps.shape)}")
    flat = maps.flatten(2)  # (B, C, M)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style_distance(maps: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
    r"""Return how far the Gram matrices of maps are from those of a style, shape (B,); 0 is the same, no upper end.

    .. math:: \frac1L \sum_l \frac{\lVert G^l - A^l \rVert^2}{\lVert A^l \rVert^2}

    Gatys et al. (2016), eq. 4 and 5, with :math:`\lVert A^l \rVert^2` in the place of :math:`4 C_l^2`: each layer
    counts alike, and 1 is as far as a picture to which no channel answers.

    Arguments
        maps: layers' answers, (B, C, H, W) each.
        target: Gram matrices of the same layers by name, (1 or B, C, C) each.
    """
    if not target or not target.keys() <= maps.keys():
        raise ValueError(f"target: expected Gram matrices of some of {sorted(maps)}, received {sorted(target)}")
    gaps = [
        (gram(maps[name]) - goal).square().sum((1, 2)) / goal.square().sum((1, 2)).clamp(min=1e-12)
        for name, goal in target.items()
    ]
    return torch.stack(gaps).mean(0)


def content_distance(maps: Tensor, target: Tensor) -> Tensor:
    r"""Return how far maps are from those of a content, place by place, shape (B,).

    .. math:: \frac{\lVert F - P \rVert^2}{\lVert P \rVert^2}

    Gatys et al. (2016), eq. 1, relative: 0 is the same, 1 as far as a picture to which no channel answers.
    """
    if maps.shape[1:] != target.shape[1:]:
        raise ValueError(f"maps: expected shape (B, *{tuple(target.shape[1:])}), received {tuple(maps.shape)}")
    return (maps - target).square().sum((1, 2, 3)) / target.square().sum((1, 2, 3)).clamp(min=1e-12)


def transfer(
    network: nn.Module, start: Tensor, style: Tensor, *, content: Tensor | None = None, weight: float | Tensor = 1.0,
    content_layer: str = "layer3", style_layers: tuple[str, ...] = LAYERS, steps: int = 100, lr: float = 0.05,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:  # fmt: skip
    r"""Change pictures until they have one picture's content and another's style; yield them after every step.

    .. math:: \min_x\; \mathrm{content}(x) + w\, \mathrm{style}(x)

    Gatys et al. (2016), eq. 7, with w = β / α, by Adam on the pixels. Without a content it is the texture synthesis of
    Gatys et al. (2015).

    Arguments
        network: what both distances are measured with; its weights stay.
        start: pictures to begin with, shape (B, 3, H, W) in [0, 1], such as :func:`roughened` content, or noise.
        style: a picture for all, or one for each, shape (1 or B, 3, H', W').
        content: likewise, shape (1 or B, 3, H, W); None for none.
        weight: w, of the style; one for all, or one for each picture, shape (B,).
        content_layer, style_layers: where the distances are measured.
        steps, lr: of Adam; a pixel moves by about ``lr`` in a step.

    Yields x in [0, 1], and the content and the style distance before the step, (B,) each; without a content the first
    is 0.
    """
    weight = torch.as_tensor(weight)
    if (weight < 0).any() or weight.ndim > 1 or (weight.ndim and len(weight) != len(start)):
        raise ValueError(f"weight: expected one number >= 0, or one for each of {len(start)}, received {weight}")
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, received {steps}")
    with torch.no_grad():
        goals = {name: gram(maps) for name, maps in activations(network, style, style_layers).items()}
        kept = None if content is None else activations(network, content, [content_layer])[content_layer]
    x = start.clone().requires_grad_()
    mover = torch.optim.Adam([x], lr=lr)
    wanted = dict.fromkeys((*style_layers, *([] if kept is None else [content_layer])))
    for _ in range(steps):
        maps = activations(network, x, wanted)
        far = style_distance(maps, goals)
        lost = torch.zeros_like(far) if kept is None else content_distance(maps[content_layer], kept)
        (x.grad,) = torch.autograd.grad((lost + weight * far).sum(), x)
        mover.step()
        with torch.no_grad():
            x.clamp_(0, 1)
        yield x.detach().clone(), lost.detach(), far.detach()


def roughened(x: Tensor, share: float = 0.3, seed: int = 0) -> Tensor:
    """Return pictures mixed with noise, (1 − share) x + share u: where nothing happens, a style finds nothing to hold.

    >>> roughened(torch.zeros(1, 3, 8, 8), share=0.3).max() <= 0.3
    tensor(True)
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected a number in [0, 1], received {share}")
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed))
    return torch.lerp(x, noise, share)


def random_phase(x: Tensor, seed: int = 0) -> Tensor:
    """Return pictures with the spectrum and the colours of x, and otherwise chance: the texture model before networks.

    Each wave keeps its strength, and is moved by a random phase, the same for the three colours (Galerne et al. 2011).
    """
    waves = torch.fft.fft2(x - x.mean((2, 3), keepdim=True))
    noise = torch.randn(len(x), 1, *x.shape[2:], generator=torch.Generator().manual_seed(seed))
    phase = torch.fft.fft2(noise)
    moved = torch.fft.ifft2(waves * phase / phase.abs().clamp(min=1e-12)).real
    return (moved + x.mean((2, 3), keepdim=True)).clamp(0, 1)


def shuffled_pixels(x: Tensor, seed: int = 0) -> Tensor:
    """Return pictures whose pixels have changed places: every colour is kept, nothing else is."""
    order = torch.randperm(x.shape[2] * x.shape[3], generator=torch.Generator().manual_seed(seed))
    return x.flatten(2)[:, :, order].view_as(x)
