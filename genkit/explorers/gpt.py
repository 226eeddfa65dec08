"""A GPT made small enough for a page: every row of every matrix as whole numbers from −127 to 127 and one scale."""

import base64
import copy

import torch
from torch import Tensor, nn

from ..nn.attention import ACTIVATIONS, SHARPNESS


def pack_gpt(model: nn.Module) -> tuple[dict, nn.Module]:
    """Return what ``gpt.js`` needs of a GPT, and a copy of the model whose weights are exactly those.

    The state holds ``gpt`` (its sizes), ``numbers`` (int8 in base64: the embedding, then the matrices of each block in
    the order of use, row by row) and ``scales`` (float16, one for each row).

    Raises ``ValueError`` for a GPT of another kind than ``gpt.js`` runs: rotary positions, normalised queries and keys,
    squared ReLU.
    """
    if getattr(model, "positions", None) != "rotary":
        raise ValueError("model: expected a GPT with rotary positions, received another")
    for block in model.blocks:
        if block.activation is not ACTIVATIONS["relu2"] or not block.attention.qk_norm or block.cross is not None:
            raise ValueError("model: expected blocks with qk_norm and relu2, and no cross-attention, received others")
    rounded = copy.deepcopy(model).float().cpu().eval()
    numbers, scales = [], []
    for matrix in _matrices(rounded):
        whole, scale = quantise(matrix.detach())
        matrix.data = whole * scale
        numbers.append(whole.flatten())
        scales.append(scale.flatten())
    sizes = {
        "vocabulary": model.vocabulary, "context": model.context, "width": model.embed.weight.shape[1],
        "heads": model.blocks[0].attention.heads, "layers": len(model.blocks), "sharpness": SHARPNESS,
    }  # fmt: skip
    data = torch.cat(numbers).to(torch.int8).numpy().tobytes()
    packed = torch.cat(scales).half().numpy().astype("<f2").tobytes()
    return {"gpt": sizes, "numbers": base64.b64encode(data).decode(), "scales": packed}, rounded


def quantise(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return whole numbers from −127 to 127, and a scale for each row, a float16, that give nearly the matrix.

    >>> whole, scale = quantise(torch.tensor([[0.5, -1.0]]))
    >>> whole * scale
    tensor([[ 0.5039, -0.9999]])
    """
    scale = (matrix.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-14).half().float()
    if not scale.isfinite().all():
        raise ValueError("model: expected finite weights that float16 can scale, received larger ones or NaN")
    return (matrix / scale).round().clamp(-127, 127), scale


def _matrices(model: nn.Module) -> list[nn.Parameter]:
    found = [model.embed.weight]
    for block in model.blocks:
        found += [block.attention.qkv.weight, block.attention.project.weight, block.up.weight, block.down.weight]
    return found
