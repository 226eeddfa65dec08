"""A model in a page: a little JavaScript, the model's weights, and the answers torch gave, to hold it to."""

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

FOLDER = Path(__file__).parent
ACTIVATIONS = {nn.SiLU: "silu", nn.ReLU: "relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}


class Explorer:
    """Something to play with that works in the static page, in JupyterLab and in Colab, and asks no other host.

    Arguments
        parts: names of the JavaScript files in this folder, in order. The last one defines ``run(state, inputs)``,
            which is pure, and ``render(state, element)``.
        state: JSON that both get; ``bytes`` become typed arrays.
        probes: pairs of inputs and of what torch answered to them, computed with the very weights that are shipped.
        title: what it is, for those who do not see it.
        fallback: what to read where no script runs.
    """

    def __init__(
        self,
        parts: Sequence[str],
        *,
        state: dict,
        probes: Sequence[tuple[dict, list[float]]],
        title: str,
        fallback: str,
    ):
        if not probes:
            raise ValueError("probes: expected at least one pair of inputs and outputs, received none")
        self.parts, self.state, self.probes, self.title, self.fallback = parts, state, list(probes), title, fallback

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"[explorer: {self.title}]"

    def html(self) -> str:
        """Return the element with its script."""
        state = {
            k: {"base64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for k, v in self.state.items()
        }
        code = "\n".join((FOLDER / part).read_text(encoding="utf-8") for part in ("start.js", *self.parts))
        style = (FOLDER / "explorer.css").read_text(encoding="utf-8")
        return (
            f"<style>{style}</style>\n"
            f'<div class="gk-explorer" role="group" aria-label="{html.escape(self.title)}">'
            f"<p>{html.escape(self.fallback)}</p></div>\n"
            f"<script>(() => {{\n{_safe(code)}\n"
            f"start({_json(state)}, {_json([{'inputs': i, 'outputs': o} for i, o in self.probes])}, run, render);\n"
            "})();</script>"
        )


def pack(network: nn.Sequential) -> tuple[list[dict], bytes]:
    """Return the layers of a network of linear layers and activations, and its weights as float16, matrix then bias.

    Dropout is left out. Raises ``ValueError`` for any other layer, and for weights too large for float16.

    >>> layers, weights = pack(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))
    >>> layers[0], len(weights)
    ({'inputs': 2, 'outputs': 3, 'activation': 'relu'}, 26)
    """
    layers: list[dict] = []
    weights: list[Tensor] = []
    for module in network.children():
        if isinstance(module, nn.Linear) and module.bias is not None:
            layers.append({"inputs": module.in_features, "outputs": module.out_features, "activation": "none"})
            weights += [module.weight.detach().flatten(), module.bias.detach()]
        elif type(module) in ACTIVATIONS and layers and layers[-1]["activation"] == "none":
            layers[-1]["activation"] = ACTIVATIONS[type(module)]
        elif not isinstance(module, nn.Dropout):
            raise ValueError(
                f"network: expected linear layers with a bias, each with at most one of {sorted(ACTIVATIONS.values())} "
                f"after it, received {module}"
            )
    if not layers:
        raise ValueError(f"network: expected a sequence of linear layers, received {type(network).__name__}")
    packed = torch.cat(weights).cpu().to(torch.float16)
    if not packed.isfinite().all():
        raise ValueError("network: expected finite weights below 65504 in size, received larger ones or NaN")
    return layers, packed.numpy().astype("<f2").tobytes()


def _json(value: object) -> str:
    return _safe(json.dumps(value, allow_nan=False, separators=(",", ":")))


def _safe(code: str) -> str:
    """Keep a string inside a script from ending it."""
    return code.replace("</", "<\\/").replace("<!--", "<\\!--")
