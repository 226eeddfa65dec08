"""The family tree, asked and not told: what a model can do is found out by trying it.

A model hangs on the branch that its answers to three questions lead to: can one draw from it? Does it say how probable
a thing is? Exactly, or approximately? (After Goodfellow 2016, "NIPS 2016 tutorial".) Nothing here names a family.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .base import Generative
from .data import Dataset, Split
from .families import FAMILIES, SUITS, build
from .family_plane import plan
from .family_plans import PLANS
from .named import RECIPES
from .points import written
from .recipe import Recipe

NOT_GENERATIVE = "draws nothing"
TRACTABLE = "explicit, tractable"
APPROXIMATE = "explicit, approximate"
IMPLICIT = "implicit"
BRANCHES = (TRACTABLE, APPROXIMATE, IMPLICIT, NOT_GENERATIVE)


def says(model: nn.Module) -> str:
    """Return what a model says of how probable a thing is: the strongest of its answers, or ``"nothing"``.

    ``"exact"`` and ``"bound"`` are its own word (``likelihood``). Where it promises neither, it is looked for what an
    estimate can be made of: ``"up to a constant"``, an energy whose sum over all states is missing; ``"by a flow"``, a
    velocity whose divergence can be followed.

    >>> from genkit.models.gan import build_gan
    >>> says(build_gan(shape=[2]))
    'nothing'
    """
    if model.likelihood in ("exact", "bound"):
        return model.likelihood
    if hasattr(model, "log_unnormalised") or hasattr(model, "energy"):
        return "up to a constant"
    return "by a flow" if hasattr(model, "velocity") else "nothing"


def branch(model: nn.Module) -> str:
    """Return the branch of the tree on which a model hangs: one of ``BRANCHES``.

    >>> from genkit.models.flow import coupling_flow
    >>> branch(coupling_flow(shape=(2,)))
    'explicit, tractable'
    """
    if not hasattr(model, "sample"):
        return NOT_GENERATIVE
    answer = says(model)
    if answer == "exact":
        return TRACTABLE
    return IMPLICIT if answer == "nothing" else APPROXIMATE


class Passes:
    """Count, inside the block, how often the busiest layer of a model is called.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    >>> with Passes(net) as passes:
    ...     _ = net(net(torch.zeros(1, 2)))
    >>> passes.most
    2
    """

    def __init__(self, model: nn.Module):
        self.model, self.calls, self.hooks = model, {}, []

    def __enter__(self) -> "Passes":
        for name, part in self.model.named_modules():
            if not any(True for _ in part.parameters(recurse=False)):
                continue  # an activation may be shared by many layers
            self.hooks.append(part.register_forward_hook(lambda *_, name=name: self._note(name)))
        return self

    def __exit__(self, *_) -> None:
        for hook in self.hooks:
            hook.remove()

    def _note(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1

    @property
    def most(self) -> int:
        """How often the busiest part was called; 0 where no part was."""
        return max(self.calls.values(), default=0)


def passes(model: Generative, c: Tensor | None = None) -> int | None:
    """Return how often the busiest network runs to draw one example; for a model of no networks, its steps."""
    if not hasattr(model, "sample"):
        return None
    with Passes(model) as counted:
        steps = sum(1 for _ in model.trajectory(1, c))
    return counted.most or steps


@torch.no_grad()
def code_size(model: nn.Module, x: Tensor) -> int | None:
    """Return how many numbers stand for one example of x inside the model; None where it has no code for x.

    It is asked for ``encode``; of a map to a Gaussian, which returns points and log-determinants, the points count.
    """
    if hasattr(model, "encode"):
        needed = [p for p in inspect.signature(model.encode).parameters.values() if p.default is p.empty]
        first = torch.zeros(len(x), dtype=torch.int64)  # a code may be that of a picture and its class
        code = model.encode(x, first) if len(needed) > 1 else model.encode(x)
        return (code if isinstance(code, Tensor) else code.mean)[0].numel()
    if hasattr(model, "inverse"):
        return model(x)[0][0].numel()
    return None


@torch.no_grad()
def noise_size(model: Generative, c: Tensor | None = None) -> int | None:
    """Return how many numbers of noise a sample starts from: those drawn at once, before any network has run.

    None where there are none, as where an example or a code is written place by place, or where nothing is drawn.
    """
    if not hasattr(model, "sample"):
        return None
    with Passes(model) as counted, Noise(lambda: counted.most == 0) as noise:
        next(iter(model.trajectory(1, c)))
    return noise.first


class Noise(torch.overrides.TorchFunctionMode):
    """Watch, inside the block, how many numbers the first source of noise returns while ``listening()`` is true."""

    SOURCES = ("randn", "randn_like", "bernoulli")

    def __init__(self, listening: Callable[[], bool]):
        super().__init__()
        self.listening, self.first = listening, None

    def __torch_function__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        if self.first is None and getattr(function, "__name__", "") in self.SOURCES and self.listening():
            self.first = found.numel()
        return found


def _tiny(shape: tuple[int, ...], levels: int | None, name: str) -> Dataset:
    """Return a made-up data set of a kind: eight random examples, which is all that a question about kinds needs."""
    generator = torch.Generator().manual_seed(0)
    if name == "text":
        x = torch.randint(levels, (8, *shape), generator=generator)
    elif levels is None:
        x = torch.randn(8, *shape, generator=generator)
    else:
        x = torch.randint(levels, (8, *shape), generator=generator) / (levels - 1)
    return Dataset(name, *[Split(x)] * 3, shape=shape, levels=levels)


KINDS: dict[str, Callable[[], Dataset]] = {
    "points": lambda: written("numbers"),
    "grey pictures": lambda: _tiny((1, 8, 8), 17, "grey pictures"),
    "black-and-white pictures": lambda: _tiny((1, 8, 8), 2, "black-and-white pictures"),
    "colour pictures": lambda: _tiny((3, 8, 8), 256, "colour pictures"),
    "signals": lambda: _tiny((64,), 256, "signals"),
    "text": lambda: _tiny((16,), 27, "text"),
}
"""A tiny data set of every kind that a family may take."""


def takes(family: str) -> list[str]:
    """Return which kinds of data a family takes: tried on its ``SUITS``; without one, the sets of its models."""
    if family not in SUITS:
        return list(dict.fromkeys(recipe.data for recipe in recipes_of(family))) or ["points"] * (family in PLANS)
    return [name for name, make in KINDS.items() if _suits(family, make())]


def _suits(family: str, data: Dataset) -> bool:
    try:
        SUITS[family](data, False)
    except ValueError:
        return False
    return True


def recipes_of(family: str) -> list[Recipe]:
    """Return the book's named models of a family, in the order of the book."""
    return [recipe for recipe in RECIPES.values() if recipe.family == family]


@dataclass(frozen=True)
class Row:
    """What a family answered.

    Arguments
        family: its name in the register.
        branch: of ``BRANCHES``; None where no model could be built to be asked.
        takes: the kinds of data it takes as they are.
        form: the form in which it takes a point of the plane, or None.
        says: what it says of how probable a thing is.
        told: what it can be told before it draws.
        passes: of the busiest network for one sample.
        size: how many numbers an example has.
        code: how many numbers stand for an example inside the model.
        noise: how many numbers of noise a sample starts from.
        asked: the named model that was asked, or where it came from.
    """

    family: str
    branch: str | None = None
    takes: tuple[str, ...] = ()
    form: str | None = None
    says: str = ""
    told: str = ""
    passes: int | None = None
    size: int | None = None
    code: int | None = None
    noise: int | None = None
    asked: str = ""

    @property
    def latent(self) -> int | None:
        """The size of its code, or else of the noise from which a sample starts."""
        return self.noise if self.code is None else self.code


def ask(family: str, *, plane: bool = True) -> Row:
    """Ask an untrained model of a family: its model of points, or its largest named one.

    Arguments
        family: its name in the register.
        plane: ask the model of points where there is one; otherwise the book's model with the largest examples.

    >>> row = ask("flow")
    >>> row.branch, row.says, row.size, row.latent, row.passes
    ('explicit, tractable', 'exact', 2, 2, 1)
    """
    on_plane = plan(family)
    known = {"takes": tuple(takes(family)), "form": on_plane and on_plane.form}
    arguments, asked = _arguments(family, plane)
    if arguments is None:
        return Row(family, **known)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build(family, **arguments).eval()
        x = _batch(arguments)
        c = _needed(model, x)
        drawn = {"passes": passes(model, c), "noise": noise_size(model, c), "told": told(family, arguments, x)}
        size = None if x is None else x[0].numel()
        code = None if x is None else code_size(model, x)
    return Row(family, branch(model), says=says(model), size=size, code=code, asked=asked, **known, **drawn)


def ask_all(*, plane: bool = True) -> list[Row]:
    """Ask every family of the register, in the order of the branches."""
    rows = [ask(family, plane=plane) for family in FAMILIES]
    order = {name: i for i, name in enumerate((*BRANCHES, None))}
    return sorted(rows, key=lambda row: order[row.branch])


def told(family: str, arguments: dict, x: Tensor | None) -> str:
    """Return what a model can be told before it draws: a class, a beginning, a picture, or nothing. It is tried."""
    tries: dict[str, tuple[dict, Tensor]] = {"a class": ({"classes": 3}, torch.tensor([1]))}
    if x is not None:
        tries["a beginning"] = ({}, x[:1, :1])
        tries["a picture"] = ({}, x[:1])
    if x is None or x.is_floating_point():
        tries.pop("a beginning", None)
    for name, (more, c) in tries.items():
        try:
            next(iter(build(family, **arguments | more).trajectory(1, c)))
        except (ValueError, AttributeError, RuntimeError):
            continue
        if more or _needed(build(family, **arguments), x) is not None or name == "a beginning":
            return name
    return "nothing"


def _arguments(family: str, plane: bool) -> tuple[dict | None, str]:
    """Return the arguments of a model to be asked, and where they come from."""
    chosen = plan(family)
    if plane and chosen is not None:
        return chosen.arguments, f"points as {chosen.form}"
    named = recipes_of(family)
    if named:
        largest = max(named, key=lambda recipe: math.prod(_shape(recipe.arguments) or (0,)))
        bare = {name: v for name, v in largest.arguments.items() if name != "classes"}
        return bare if _builds(family, bare) else largest.arguments, largest.name
    for name, make in KINDS.items():
        if family in SUITS and name in takes(family):
            return SUITS[family](make(), False), f"suggested for {name}"
    return (None, "") if chosen is None else (chosen.arguments, f"points as {chosen.form}")


def _builds(family: str, arguments: dict) -> bool:
    """Tell whether these arguments are enough for a model: some families cannot do without classes."""
    try:
        build(family, **arguments)
    except ValueError:
        return False
    return True


def _shape(arguments: dict) -> tuple[int, ...] | None:
    """Return the shape of an example that a model of these arguments takes, or None where they do not say."""
    if "vocabulary" in arguments:
        return (arguments.get("context", 8),)
    found = arguments.get("shape", arguments.get("codec", {}).get("shape"))
    return None if found is None else tuple(found)


def _batch(arguments: dict) -> Tensor | None:
    """Return two examples that a model of these arguments takes, or None where the arguments do not say."""
    shape = _shape(arguments)
    if shape is None:
        return None
    if "vocabulary" in arguments:
        return torch.randint(arguments["vocabulary"], (2, *shape))
    levels = 2 if arguments.get("pixels") == "bernoulli" else arguments.get("levels") or 2
    return torch.randint(levels, (2, *shape)) / (levels - 1)


def _needed(model: nn.Module, x: Tensor | None) -> Tensor | None:
    """Return what a model must be told to draw at all: None, or an example to start from."""
    try:
        next(iter(model.trajectory(1, None)))
    except (ValueError, TypeError, RuntimeError):
        return None if x is None else x[:1]
    except AttributeError:
        return None
    return None


def grown(rows: list[Row]) -> dict[str, dict]:
    """Return the tree as nested dictionaries: branch, then what is said of the density, then the families."""
    tree: dict[str, dict] = {}
    for row in rows:
        if row.branch is None:
            continue
        at = tree.setdefault(row.branch, {})
        if row.branch == APPROXIMATE:
            at = at.setdefault(row.says, {})
        at[row.family] = {}
    return tree
