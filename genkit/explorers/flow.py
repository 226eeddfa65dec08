"""A ball of clay becomes a star, layer by layer, and back: a coupling flow of the plane, to play with."""

import copy

import torch
from torch import Tensor, nn

from .explorer import Explorer, pack

CLAY = 600


def flow_explorer(model: nn.Module, *, points: Tensor, extent: float = 3.3) -> Explorer:
    """Return an explorer for a coupling flow of the plane without classes.

    Arguments
        model: the trained flow. Its layers are couplings, with a ``network`` and a ``LIMIT``, and linear maps;
            neighbouring linear maps are shown as one step.
        points: real points, shape (N, 2): the dots behind the clay.
        extent: the plane shows [−extent, extent] each way.

    Raises ``ValueError`` for a model or points of another kind.

    >>> from genkit.models.flow import coupling_flow
    >>> flow_explorer(coupling_flow(shape=(2,), layers=2, hidden=(8,)), points=torch.randn(9, 2))
    [explorer: A flow of the plane, layer by layer, to play with]
    """
    if tuple(model.shape) != (2,) or model.classes:
        raise ValueError(
            f"model: expected points of the plane without classes, received the shape {tuple(model.shape)} "
            f"and {model.classes} classes"
        )
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"points: expected the shape (N, 2) with N >= 1, received {tuple(points.shape)}")
    if not extent > 0:
        raise ValueError(f"extent: expected a number above 0, received {extent}")
    rounded, steps, weights = _rounded(model)
    generator = torch.Generator().manual_seed(0)
    state = {
        "steps": steps,
        "weights": weights,
        "clay": [[round(v, 3) for v in z] for z in torch.randn(CLAY, 2, generator=generator).tolist()],
        "points": [[round(v, 2) for v in x] for x in points.tolist()],
        "extent": extent,
    }
    last = len(steps)
    places = points[:: max(1, len(points) // 5)][:5].tolist()  # real points: far off, densities overflow
    share = [i / max(1, len(places) - 1) for i in range(len(places))]
    inputs = [{"x": [round(v, 2) for v in x], "step": int(last * f)} for x, f in zip(places, share, strict=True)]
    return Explorer(
        ("mlp.js", "steer.js", "flow.js"), state=state,
        probes=[(given, _answer(rounded, steps, given)) for given in inputs],
        title="A flow of the plane, layer by layer, to play with",
        fallback="Here the flow runs in the page, where scripts may run: a ball of points that becomes a star.",
    )  # fmt: skip


@torch.no_grad()
def _rounded(model: nn.Module) -> tuple[nn.Module, list[dict], bytes]:
    """Return the flow with networks rounded as the page's are, its steps from the data to the Gaussian, the weights."""
    rounded = copy.deepcopy(model).double().eval()
    steps: list[dict] = []
    packed, at = b"", 0
    for i, layer in enumerate(rounded.layers):
        if hasattr(layer, "network"):
            layers, weights = pack(layer.network)
            layer.network.half().double()
            steps.append({"kind": "couple", "layers": layers, "at": at, "limit": layer.LIMIT, "layer": i + 1})
            packed, at = packed + weights, at + len(weights) // 2
            continue
        matrix, shift = _linear(layer)
        if steps and steps[-1]["kind"] == "mix":
            before = torch.tensor(steps[-1]["matrix"]).double(), torch.tensor(steps[-1]["shift"]).double()
            matrix, shift = matrix @ before[0], matrix @ before[1] + shift
            steps.pop()
        steps.append({"kind": "mix", "matrix": matrix.tolist(), "shift": shift.tolist(), "layer": i + 1})
    return rounded, steps, packed


def _linear(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Return A and b of a layer x → A x + b, found by asking it; refuse a layer that is none."""
    asked = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.3, 0.7]], dtype=torch.float64)
    (shift, *ends), _ = layer(asked)
    matrix = torch.stack([end - shift for end in ends[:2]], 1)
    if not torch.allclose(matrix @ asked[3] + shift, ends[2], equal_nan=False):
        raise ValueError(f"model: expected couplings and linear layers, received {type(layer).__name__}")
    return matrix, shift


@torch.no_grad()
def _answer(model: nn.Module, steps: list[dict], inputs: dict) -> list[float]:
    """Return where x stands after so many steps from the ball, its latent, and its log-density."""
    x = torch.tensor([inputs["x"]], dtype=torch.float64)
    z, _ = model(x)
    left = len(steps) - inputs["step"]
    place = x
    for layer in model.layers[: steps[left - 1]["layer"] if left else 0]:
        place, _ = layer(place)
    return [round(v, 6) for v in (*place[0].tolist(), *z[0].tolist(), model.log_prob(x).item())]
