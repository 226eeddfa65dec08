"""Watch a small GPT write, and change the rules while it does."""

import torch
from torch import Tensor, nn

from .. import decoding
from .explorer import Explorer
from .gpt import pack_gpt

PROBED = (
    {}, {"temperature": 0.5}, {"temperature": 1.7, "top_k": 3}, {"top_p": 0.8}, {"min_p": 0.03},
    {"repetition_penalty": 1.5}, {"repetition_penalty": 1.2, "temperature": 0.8, "top_k": 20, "top_p": 0.9},
    {"temperature": 0},
)  # fmt: skip


def decoding_explorer(model: nn.Module, *, alphabet: str, prompt: str, learnt: str) -> Explorer:
    """Return an explorer in which a GPT over characters writes in the page.

    Arguments
        model: a GPT with rotary positions, normalised queries and keys, and squared ReLU.
        alphabet: its characters, in the order of its tokens.
        prompt: what its text begins with, at most 48 characters of the alphabet.
        learnt: a sentence on what the model learnt from.

    Raises ``ValueError`` for an alphabet or a prompt that does not suit the model, and for a model of another kind.
    """
    if len(alphabet) != model.vocabulary or len(set(alphabet)) != len(alphabet):
        raise ValueError(f"alphabet: expected {model.vocabulary} different characters, received {alphabet!r}")
    if not 1 <= len(prompt) <= 48 or set(prompt) - set(alphabet):
        raise ValueError(f"prompt: expected 1 to 48 characters of the alphabet, received {prompt!r}")
    state, rounded = pack_gpt(model)
    tokens = torch.tensor([alphabet.index(c) for c in prompt])
    longer = tokens.repeat(-(-(model.context + 9) // len(tokens)))[: model.context + 9]  # beyond the window
    inputs = [{"tokens": tokens.tolist(), "rules": rules} for rules in PROBED]
    inputs.append({"tokens": longer.tolist(), "rules": {"temperature": 1.2, "min_p": 0.02}})
    return Explorer(
        ("gpt.js", "random.js", "decoding.js"),
        state=state | {"alphabet": alphabet, "prompt": prompt, "learnt": learnt},
        probes=[(given, _answer(rounded, given["tokens"], given["rules"])) for given in inputs],
        title="A small GPT that writes, to play with",
        fallback="Here a small GPT writes in the page, where scripts may run: rules to change, and what they leave.",
    )


@torch.no_grad()
def _answer(model: nn.Module, tokens: list[int], rules: dict[str, float]) -> list[float]:
    """Return the logits of the next token, and the probabilities that rules leave."""
    given = torch.tensor([tokens])
    logits: Tensor = model.next(given)
    left = decoding.apply(logits.double(), given, decoding.rules(**rules)).softmax(-1)
    return [round(v, 6) for v in torch.cat([logits.double(), left], 1)[0].tolist()]
