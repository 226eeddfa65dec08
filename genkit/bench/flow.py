"""The coupling flow of genkit beside zuko's, nflows' and normflows', with the same weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..models.flow import ActNorm, Coupling, Flow, Mix, coupling_flow
from ..names import unknown
from .flow_peers import PEERS, Library, genkit
from .turns import Ratio, flat, seconds

Ways = dict[str, Callable[[], object]]
"""What is done in a turn, by the name of the library that does it."""
KINDS: dict[str, dict[str, bool]] = {"flips": {"mix": False, "norm": False}, "mixes": {"mix": True, "norm": True}}
"""What lies between couplings: the order turned round (RealNVP), or a normalisation and a linear mixing (Glow)."""
TOLERANCE = 1e-4
"""How far two libraries may differ: a density in nats for each coordinate, the rest as a part of its largest number."""


@dataclass(frozen=True)
class Size:
    """How large a flow is, and how many points it gets at once."""

    dimensions: int
    couplings: int
    hidden: tuple[int, ...]
    batch: int


SIZES = (Size(2, 8, (64, 64), 1000), Size(64, 12, (128, 128), 256))


def flow(
    rounds: int = 15, sizes: Sequence[Size] = SIZES, kinds: Sequence[str] = tuple(KINDS), calls: int = 4,
    compiled: bool = False,
) -> dict[str, float]:  # fmt: skip
    """Time densities, samples and training steps (forward and backward) of the same flow in four libraries.

    Arguments
        rounds: in each of them all libraries take their turn.
        sizes, kinds: what flows there are; a kind is one of :data:`KINDS`.
        calls: so many calls of a library make its turn.
        compiled: add densities and samples of genkit's flow behind ``torch.compile``; it needs a C++ compiler.

    What is equal: weights, layers and their order, the network of a coupling (the same linear layers and SiLU in one
    ``Sequential``), the arithmetic of its scale and shift, the batch, the threads, float32. The proof is that all
    give the same densities, samples and gradients (:func:`agree`), which is looked at before anything is timed.

    What is not: nflows and normflows reckon determinants in sampling too, zuko makes its transforms anew in every
    call, normflows inverts a mixing in float64, nflows adds a bias to it. That is how they are built. Mixings are
    W = L U with a positive diagonal, since nflows knows no other; so peers are spared the permutation that genkit
    multiplies with. Nothing is kept from call to call, though nflows could keep a mixing's inverse in ``eval``.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise unknown("kinds", kind, KINDS)
    if calls < 1:
        raise ValueError(f"calls: expected at least 1, received {calls}")
    found: dict[str, float] = {}
    for size in sizes:
        for kind in kinds:
            model = random_flow(size, kind)
            libraries = {"genkit": genkit(model)} | {name: build(model) for name, build in PEERS.items()}
            for name in PEERS:
                agree(libraries["genkit"], libraries[name], torch.randn(size.batch, size.dimensions), name)
            for what, ways in operations(libraries, size, calls, _compiled(model) if compiled else {}).items():
                found |= _compare(ways, rounds, f"D = {size.dimensions}, {kind}, {what}")
    return found


def random_flow(size: Size, kind: str) -> Flow:
    """Return a flow in which every layer does something, and a mixing does it without permutation and signs."""
    model = coupling_flow(shape=(size.dimensions,), layers=size.couplings, hidden=size.hidden, **KINDS[kind])
    with torch.no_grad():
        for layer in model.layers:
            if isinstance(layer, Coupling):
                nn.init.normal_(layer.network[-1].weight, std=0.3 * size.hidden[-1] ** -0.5)
                nn.init.normal_(layer.network[-1].bias, std=0.1)
            if isinstance(layer, ActNorm):
                layer.ready.fill_(True)
                nn.init.normal_(layer.shift, std=0.1)
            if isinstance(layer, Mix):
                layer.p.copy_(torch.eye(size.dimensions))
                layer.sign.fill_(1.0)
                for triangle in (layer.lower, layer.upper):
                    nn.init.normal_(triangle, std=0.3 * size.dimensions**-0.5)
            if isinstance(layer, ActNorm | Mix):
                nn.init.normal_(layer.log_s, std=0.1)
    return model


def agree(ours: Library, theirs: Library, x: Tensor, name: str) -> None:
    """Raise unless both give the same densities and their gradients at x, and the same samples of the same noise."""
    (density, slope, drawn), others = _answers(ours, x), _answers(theirs, x)
    units = {"densities": x.shape[1], "gradients": slope.abs().max().item(), "samples": drawn.abs().max().item()}
    for (what, unit), one, other in zip(units.items(), (density, slope, drawn), others, strict=True):
        gap = (one - other).abs().max().item() / unit
        if not gap <= TOLERANCE:
            raise ValueError(f"{name}: expected genkit's {what} within {TOLERANCE}, received a gap of {gap:.2g}")


def operations(libraries: dict[str, Library], size: Size, calls: int, compiled: dict[str, Library]) -> dict[str, Ways]:
    """Return, for each operation, the way in which every library does it ``calls`` times."""
    x = torch.randn(size.batch, size.dimensions)

    def ways(one: Callable[[Library], object], among: dict[str, Library]) -> Ways:
        return {name: lambda lib=lib: [one(lib) for _ in range(calls)] for name, lib in among.items()}

    return {
        "log_prob": ways(lambda lib: _density(lib, x), libraries | compiled),
        "sample": ways(lambda lib: _draw(lib, size.batch), libraries | compiled),
        "training step": ways(lambda lib: _step(lib, x), libraries),
    }


@torch.no_grad()
def _density(library: Library, x: Tensor) -> Tensor:
    return library.log_prob(x)


@torch.no_grad()
def _draw(library: Library, n: int) -> Tensor:
    return library.sample(n)


def _step(library: Library, x: Tensor) -> None:
    """Reckon the gradient of the loss; what an optimiser does with it is no work of the flow's."""
    library.module.zero_grad(set_to_none=True)
    (-library.log_prob(x).mean()).backward()


def _answers(library: Library, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x = x.clone().requires_grad_()
    density = library.log_prob(x)
    torch.manual_seed(0)
    return density, torch.autograd.grad(density.sum(), x)[0], _draw(library, len(x))


def _compiled(model: Flow) -> dict[str, Library]:
    there, back = torch.compile(model.log_prob), torch.compile(model.inverse)
    return {"genkit compiled": Library(there, lambda n: back(torch.randn(n, *model.shape)), model)}


def _compare(ways: Ways, rounds: int, what: str) -> dict[str, float]:
    """Return genkit's ratio to each of the others, and to the peer that is the fastest at this."""
    found = seconds(ways, rounds, warm=2)
    ratios = {name: Ratio.over(found["genkit"], found[name]) for name in ways if name != "genkit"}
    fastest = max(PEERS, key=lambda name: ratios[name].value)
    return flat(ratios | {"the fastest peer": ratios[fastest]}, what)
