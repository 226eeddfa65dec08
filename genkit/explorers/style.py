"""Two pictures lend their styles to a third: a style-based generator that runs in the page."""

import copy

import torch
from torch import Tensor, nn

from .explorer import Explorer


def style_explorer(generator: nn.Module, *, shape: tuple[int, int, int], noises: Tensor) -> Explorer:
    """Return an explorer for a :class:`~genkit.nn.style.StyleGenerator`.

    Arguments
        generator: the trained generator.
        shape: (C, H, W) of an image, of one colour or three.
        noises: shape (N, latent), N >= 2: what can be chosen from, besides what the page draws by itself.

    Raises ``ValueError`` for shapes that do not suit, and for weights that float16 cannot hold.

    >>> from genkit.nn.style import StyleGenerator
    >>> style_explorer(StyleGenerator(4, (1, 8, 8), width=8), shape=(1, 8, 8), noises=torch.randn(2, 4))
    [explorer: Mixing the styles of two pictures, to play with]
    """
    first = generator.mapping[0].in_features
    if noises.ndim != 2 or noises.shape[1] != first or len(noises) < 2:
        raise ValueError(f"noises: expected shape (N, {first}) with N >= 2, received {tuple(noises.shape)}")
    c, h, w = shape
    made = generator.paint.weight.shape[0], 4 * generator.start.shape[1], 4 * generator.start.shape[2]
    if made != (c, h, w) or c not in (1, 3):
        raise ValueError(f"shape: expected {made}, of one colour or three, received {tuple(shape)}")
    linear = [layer for layer in generator.mapping if isinstance(layer, nn.Linear)]
    convolutions = [*generator.layers, generator.paint]
    parts = [v for layer in linear for v in (layer.weight, layer.bias)] + [generator.start]
    for layer in convolutions:
        parts += [layer.scales.weight, layer.scales.bias, layer.weight, layer.bias]
    packed = torch.cat([part.detach().flatten() for part in parts]).to(torch.float16)
    if not packed.isfinite().all():
        raise ValueError("generator: expected finite weights below 65504 in size, received larger ones or NaN")
    state = {
        "weights": packed.numpy().astype("<f2").tobytes(),
        "shape": [c, h, w],
        "mapping": [[layer.in_features, layer.out_features] for layer in linear],
        "channels": [[v.weight.shape[1], v.weight.shape[0], v.weight.shape[2]] for v in convolutions],
        "noises": [[round(v, 3) for v in row] for row in noises.tolist()],
    }
    given = [
        {"coarse": state["noises"][i], "fine": state["noises"][j], "cut": cut}
        for i, j, cut in ((0, 1, 0), (0, 1, 2), (1, 0, 4), (1, 1, 5))
    ]
    rounded = copy.deepcopy(generator).half().double().eval()
    return Explorer(
        ("style.js",), state=state, probes=[(inputs, _answer(rounded, inputs)) for inputs in given],
        title="Mixing the styles of two pictures, to play with",
        fallback="Here a generator runs in the page, where scripts may run: choose two pictures and mix their styles.",
    )  # fmt: skip


@torch.no_grad()
def _answer(generator: nn.Module, inputs: dict) -> list[float]:
    """Draw with weights rounded as the page's are."""
    coarse, fine = (generator.styles(torch.tensor([inputs[k]], dtype=torch.float64)) for k in ("coarse", "fine"))
    cut = inputs["cut"]
    picture = generator.draw(torch.cat([coarse[:, :cut], fine[:, cut:]], 1))
    return [round(v, 6) for v in picture.flatten().tolist()]
