"""A small world of two coloured shapes, 32 × 32 pixels: exact captions, and every scene by day and by night.

The same name loads a town seen from above and its map (:mod:`genkit.data.towns`).
"""

from functools import lru_cache

import torch
from torch import Tensor

from ..names import unknown
from .dataset import Dataset, Split, digest
from .drawing import Canvas, box, cross, ellipse, segment, triangle
from .towns import towns

SIDE = 32
COLOURS = {
    "red": (0.84, 0.13, 0.14), "pink": (0.97, 0.60, 0.76), "yellow": (0.97, 0.86, 0.25),
    "green": (0.10, 0.52, 0.24), "blue": (0.14, 0.30, 0.80), "purple": (0.55, 0.22, 0.66),
}  # fmt: skip
SHAPES = ("circle", "square", "triangle", "cross")
RELATIONS = ("left of", "right of", "above", "below")
WORDS = ("a", *COLOURS, *SHAPES, *RELATIONS)
"""The words of the captions; a word's number is its place here."""
VIEWS = ("plain", "day", "night", "satellite", "map")
TOWN = ("satellite", "map")
_AWAY = {"left of": (-1.0, 0.0), "right of": (1.0, 0.0), "above": (0.0, -1.0), "below": (0.0, 1.0)}


def caption(factors: dict[str, Tensor], row: int) -> str:
    """Return the caption of one scene, from the factors that made it.

    >>> one = {"colour": torch.tensor([[0, 4]]), "shape": torch.tensor([[0, 1]]), "relation": torch.tensor([0])}
    >>> caption(one, 0)
    'a red circle left of a blue square'
    """
    return decode(_tokens({name: factors[name][row : row + 1] for name in ("colour", "shape", "relation")})[0])


def encode(text: str) -> Tensor:
    """Return the words of a caption as numbers, int64 of shape (7,). Raises ``ValueError`` for any other sentence."""
    words = text.replace(" of ", "_of ").split()
    words = [word.replace("_", " ") for word in words]
    kinds = (("a",), tuple(COLOURS), SHAPES, RELATIONS, ("a",), tuple(COLOURS), SHAPES)
    if len(words) != len(kinds):
        raise ValueError(f"text: expected a sentence such as 'a red circle left of a blue square', received {text!r}")
    for word, kind in zip(words, kinds, strict=True):
        if word not in kind:
            raise unknown("text", word, kind)
    return torch.tensor([WORDS.index(word) for word in words])


def decode(tokens: Tensor) -> str:
    """Return the sentence of a caption's numbers, shape (7,)."""
    return " ".join(WORDS[int(token)] for token in tokens)


def scenes(view: str = "plain", given: str | None = None, paired: bool = True, n: int = 3000, seed: int = 0) -> Dataset:
    """Draw n scenes; eight tenths are to learn from, a tenth each to choose by and to be judged on.

    Arguments
        view: what x shows: ``"plain"`` (two shapes on grey), ``"day"``, ``"night"``, ``"satellite"`` or ``"map"``.
        given: what c shows of the same scenes, such as ``"day"``; None for captions (or, of towns, for nothing).
        paired: with False, x and c of the *training* part come from disjoint halves of the scenes, shuffled apart.
            Those of the other parts stay pairs, so that a translation can be held against the truth.
        n: scenes, at least 10.
        seed: of the scenes and of the split.

    x and pictures in c have shape (N, 3, 32, 32); captions are int64 of shape (N, 7), numbers of ``WORDS``, made by
    ``encode`` and read by ``decode``. ``factors`` hold ``shape`` and ``colour``, int64 of shape (N, 2), the first
    named thing first, ``relation``, int64 of shape (N,), ``place``, both middles in pixels, shape (N, 2, 2), ``cloud``,
    its middle and whether there is one, shape (N, 3), and ``light``, the place of sun or moon, shape (N, 2). Towns have
    ``classes``: int64 of shape (N, 32, 32), what stands at every pixel.

    Night shows what day does not (stars, lit windows, the glow of a lamp) and hides what day shows (the cloud).
    """
    for name, value in (("view", view), ("given", given)):
        if value is not None and value not in VIEWS:
            raise unknown(name, value, VIEWS)
    if n < 10:
        raise ValueError(f"n: expected at least 10, received {n}")
    if given is not None and (view in TOWN) != (given in TOWN):
        raise ValueError(f"given: expected another view of what {view!r} shows, received {given!r}")
    if given is None and not paired:
        raise ValueError("paired: expected True where no view is given, received False")
    return _scenes(view, given, paired, n, seed)


@lru_cache(maxsize=4)
def _scenes(view: str, given: str | None, paired: bool, n: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    if view in TOWN:
        views, factors = towns(n, generator)
    else:
        factors = _draw_factors(n, generator)
        views = {name: draw(factors, name) for name in {view, given} - {None}}
    x = views[view]
    c = views[given] if given else (None if view in TOWN else _tokens(factors))
    held = n // 10
    order = torch.randperm(n, generator=generator)
    splits = []
    for i, rows in enumerate(order.split([n - 2 * held, held, held])):
        theirs = rows
        if i == 0 and not paired:
            rows, theirs = rows.chunk(2)
            rows = rows[: len(theirs)]
        kept = None if c is None else c[theirs]
        splits.append(Split(x[rows], kept, {name: values[rows] for name, values in factors.items()}))
    words = view not in TOWN and given is None
    return Dataset(
        "scenes", *splits, shape=(3, SIDE, SIDE), levels=256, encode=encode if words else None,
        decode=decode if words else None, sha256=digest(*splits),
    )  # fmt: skip


def _draw_factors(n: int, generator: torch.Generator) -> dict[str, Tensor]:
    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=generator)

    def choose(k: int, *shape: int) -> Tensor:
        return torch.randint(k, (n, *shape), generator=generator)

    relation, radius = choose(len(RELATIONS)), uniform(4.2, 5.4, 2)
    away = torch.tensor(list(_AWAY.values()))[relation]  # (n, 2)
    aside = away.flip(1).abs() * uniform(-2.0, 2.0, 1)
    apart = away * (radius.sum(1, keepdim=True) + uniform(1.0, 4.0, 1)) + aside  # from the second to the first
    room = radius.amax(1, keepdim=True) + 1 + apart.abs() / 2
    middle = room + (SIDE - 2 * room) * torch.rand(n, 2, generator=generator)
    place = torch.stack([middle + apart / 2, middle - apart / 2], 1)
    return {
        "shape": choose(len(SHAPES), 2), "colour": choose(len(COLOURS), 2), "relation": relation, "place": place,
        "radius": radius, "horizon": uniform(19.0, 26.0),
        "light": torch.stack([uniform(3.0, 29.0), uniform(3.0, 8.0)], 1),
        "cloud": torch.stack([uniform(4.0, 28.0), uniform(4.0, 14.0), (uniform(0, 1) < 0.7).float()], 1),
        "lamp": uniform(3.0, 29.0), "stars": uniform(0.0, 1.0, 10, 2), "haze": uniform(-0.05, 0.05),
    }  # fmt: skip


def draw(factors: dict[str, Tensor], view: str) -> Tensor:
    """Draw scenes plain, by day or by night, shape (N, 3, 32, 32), from the factors that :func:`scenes` lists."""
    n = len(factors["relation"])
    canvas = Canvas(n, SIDE)
    f = {name: values.reshape(n, -1, 1, 1) for name, values in factors.items()}
    if view == "plain":
        canvas.rgb += 0.93
    else:
        (_day if view == "day" else _night)(canvas, f)
    for i in (1, 0):
        _thing(canvas, f, factors, i, view)
    return canvas.rgb.clamp(0, 1)


def _thing(canvas: Canvas, f: dict[str, Tensor], factors: dict[str, Tensor], i: int, view: str) -> None:
    x, y, r = f["place"][:, 2 * i], f["place"][:, 2 * i + 1], f["radius"][:, i]
    at = (canvas.x, canvas.y, x, y)
    kinds = torch.stack([ellipse(*at, r, r), box(*at, 0.88 * r, 0.88 * r), triangle(*at, r), cross(*at, r)])
    distance = kinds[factors["shape"][:, i], torch.arange(len(x))]
    colour = torch.tensor(list(COLOURS.values()))[factors["colour"][:, i]]
    if view == "night":
        colour = 0.5 * colour + torch.tensor((0.01, 0.02, 0.07))
    canvas.paint(distance, colour)
    if view != "plain":
        window = (0.88, 0.95, 0.98) if view == "day" else (1.0, 0.88, 0.45)
        canvas.paint(box(canvas.x, canvas.y, x, y + 0.1 * r, 1.3, 1.3), window)


def _day(canvas: Canvas, f: dict[str, Tensor]) -> None:
    x, y, horizon, haze = canvas.x, canvas.y, f["horizon"][:, 0], f["haze"][:, 0]
    ones = torch.ones_like(horizon)
    canvas.cover((ones + 0 * x + 0 * y), (0.42, 0.68, 0.95))
    canvas.cover((y / 36 + haze).clamp(0, 1) + 0 * x, (0.86, 0.93, 0.98))
    canvas.paint(ellipse(x, y, f["light"][:, 0], f["light"][:, 1], 2.9, 2.9), (1.0, 0.90, 0.30))
    cx, cy, there = (f["cloud"][:, k] for k in range(3))
    for dx, dy, a, b in ((-2.6, 0.5, 2.6, 1.5), (2.5, 0.6, 2.5, 1.4), (0.0, -0.4, 2.8, 2.1)):
        canvas.paint(ellipse(x, y, cx + dx, cy + dy, a, b), (1.0, 1.0, 1.0), 0.95 * there)
    canvas.paint(horizon - y + 0 * x, (0.66, 0.78, 0.45))
    canvas.cover(((y - horizon) / 20).clamp(0, 0.5) + 0 * x, (0.45, 0.62, 0.30))
    _lamp(canvas, f, (0.38, 0.36, 0.36), (0.80, 0.80, 0.78))


def _night(canvas: Canvas, f: dict[str, Tensor]) -> None:
    x, y, horizon, haze = canvas.x, canvas.y, f["horizon"][:, 0], f["haze"][:, 0]
    canvas.cover(torch.ones_like(horizon) + 0 * x + 0 * y, (0.03, 0.05, 0.16))
    canvas.cover((y / 50 + haze).clamp(0, 1) + 0 * x, (0.20, 0.22, 0.42))
    for k in range(f["stars"].shape[1] // 2):
        sx, sy = (f["stars"][:, 2 * k + j] * 32 for j in (0, 1))
        near = ((x - sx.floor() - 0.5).abs() < 0.5) & ((y - sy.floor() - 0.5).abs() < 0.5)
        canvas.cover(0.75 * near.float(), (1.0, 1.0, 0.92))
    mx, my = f["light"][:, 0], f["light"][:, 1]
    moon = torch.maximum(ellipse(x, y, mx, my, 2.9, 2.9), -ellipse(x, y, mx + 1.7, my - 0.9, 2.5, 2.5))
    canvas.paint(moon, (0.95, 0.95, 0.82))
    canvas.paint(horizon - y + 0 * x, (0.07, 0.11, 0.13))
    glow = ((x - f["lamp"][:, 0]).square() + (y - horizon + 5).square()).sqrt()
    canvas.cover(0.55 * torch.exp(-(glow / 4.5).square()), (1.0, 0.80, 0.42))
    _lamp(canvas, f, (0.10, 0.10, 0.12), (1.0, 0.95, 0.70))


def _lamp(canvas: Canvas, f: dict[str, Tensor], pole: tuple, bulb: tuple) -> None:
    x, foot = f["lamp"][:, 0], f["horizon"][:, 0] + 2
    canvas.paint(segment(canvas.x, canvas.y, x, foot - 6, x, foot, 0.5), pole)
    canvas.paint(ellipse(canvas.x, canvas.y, x, foot - 7, 1.5, 1.5), bulb)


def _tokens(factors: dict[str, Tensor]) -> Tensor:
    colour, shape, a = factors["colour"] + 1, factors["shape"] + 1 + len(COLOURS), torch.zeros_like(factors["relation"])
    relation = factors["relation"] + 1 + len(COLOURS) + len(SHAPES)
    return torch.stack([a, colour[:, 0], shape[:, 0], relation, a, colour[:, 1], shape[:, 1]], 1)
