"""Choose a letter, and see where each head of a small transformer looks; it reads what the reader types."""

import copy

import torch
from torch import Tensor, nn

from ..nn.attention import SHARPNESS
from ..nn.look import attention_weights
from .explorer import Explorer

LONGEST = 40


def attention_explorer(model: nn.Module, *, alphabet: str, text: str, head: tuple[int, int] = (0, 0)) -> Explorer:
    """Return an explorer of the attention of a GPT over letters, whose weights it ships as float16.

    Arguments
        model: a :class:`genkit.models.gpt.GPT` with rotary positions, normalised queries and keys, and squared ReLU.
        alphabet: its vocabulary, a lower-case letter or a space for each token.
        text: what stands in the field at first, at most 40 letters of the alphabet.
        head: layer and head that are shown at first, counted from 0.

    Raises ``ValueError`` for a model of another kind, and for a text that does not suit it.

    >>> from genkit.models.gpt import GPT
    >>> attention_explorer(GPT(vocabulary=3, context=40, width=8, heads=2, layers=2), alphabet="ab ", text="ab ab")
    [explorer: Where a small transformer looks]
    """
    block = model.blocks[0]
    probe = torch.tensor([-1.0, 2.0])
    if model.positions != "rotary" or not block.attention.qk_norm or block.activation(probe).tolist() != [0.0, 4.0]:
        raise ValueError("model: expected a GPT with rotary positions, qk_norm and relu2, received one of another kind")
    if len(alphabet) != model.vocabulary or len(set(alphabet)) != len(alphabet):
        raise ValueError(f"alphabet: expected {model.vocabulary} different letters, received {alphabet!r}")
    if set(alphabet) - set("abcdefghijklmnopqrstuvwxyz "):
        raise ValueError(f"alphabet: expected lower-case letters and a space, received {alphabet!r}")
    if not 1 <= len(text) <= min(LONGEST, model.context) or set(text) - set(alphabet):
        raise ValueError(
            f"text: expected 1 to {min(LONGEST, model.context)} letters of the alphabet, received {text!r}"
        )
    heads, layers = block.attention.heads, len(model.blocks)
    if not (0 <= head[0] < layers and 0 <= head[1] < heads):
        raise ValueError(f"head: expected a layer below {layers} and a head below {heads}, received {head}")
    state = {
        "weights": pack_gpt(model), "alphabet": alphabet, "width": model.embed.embedding_dim, "heads": heads,
        "layers": layers, "sharpness": SHARPNESS, "text": text, "longest": min(LONGEST, model.context),
        "head": head[0] * heads + head[1],
    }  # fmt: skip
    rounded = copy.deepcopy(model).cpu().eval()
    for weight in rounded.parameters():  # and not the angles of the places, which the page computes anew
        weight.data = weight.data.half().float()
    texts = [text, text[: len(text) // 2] or text, alphabet[:12][::-1]]
    return Explorer(
        ("attention.js",), state=state, probes=[({"text": t}, answer(rounded, alphabet, t)) for t in texts],
        title="Where a small transformer looks",
        fallback="Here a small transformer reads a text in the page, where scripts may run, and each letter shows "
        "which others it looks at.",
    )  # fmt: skip


def pack_gpt(model: nn.Module) -> bytes:
    """Return the weights of a GPT as float16: tokens first, then each block's, matrix by matrix."""
    parts = [model.embed.weight]
    for block in model.blocks:
        layer = block.attention
        parts += [layer.qkv.weight, layer.project.weight, block.up.weight, block.down.weight]
    packed = torch.cat([p.detach().flatten() for p in parts]).cpu().to(torch.float16)
    if not packed.isfinite().all():
        raise ValueError("model: expected finite weights below 65504 in size, received larger ones or NaN")
    return packed.numpy().astype("<f2").tobytes()


@torch.no_grad()
def answer(model: nn.Module, alphabet: str, text: str) -> list[float]:
    """Return torch's answer: the weights of all heads, row by row up to the query, then all probabilities."""
    tokens: Tensor = torch.tensor([[alphabet.index(letter) for letter in text]])
    weights = attention_weights(model, tokens)[:, 0]
    t = len(text)
    seen = torch.ones(t, t).tril().bool().flatten()
    kept = weights.flatten(2)[..., seen].flatten()
    return [round(v, 6) for v in torch.cat([kept, model(tokens)[0].softmax(-1).flatten()]).tolist()]
