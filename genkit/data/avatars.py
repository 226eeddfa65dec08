"""Procedural faces of 32 × 32 pixels: who it is, the expression, the turn of the head and the skin tone are known."""

from functools import lru_cache

import torch
from torch import Tensor

from ..names import unknown
from .dataset import Dataset, Split, digest
from .drawing import Canvas, box, ellipse, segment

SIDE = 32
EXPRESSIONS = ("neutral", "happy", "sad", "surprised", "angry")
HAIR = ("short", "long", "curly", "none")
TONES = (
    (0.98, 0.87, 0.78), (0.94, 0.77, 0.63), (0.84, 0.64, 0.47), (0.69, 0.49, 0.34), (0.52, 0.35, 0.24),
    (0.36, 0.24, 0.17),
)  # fmt: skip
"""Six tones of skin, from light to deep."""
_HAIR = (
    (0.10, 0.09, 0.10), (0.26, 0.16, 0.10), (0.48, 0.30, 0.16), (0.86, 0.70, 0.36), (0.70, 0.30, 0.14),
    (0.66, 0.66, 0.68),
)  # fmt: skip
_EYES = ((0.24, 0.14, 0.08), (0.16, 0.36, 0.66), (0.20, 0.46, 0.28))
_SHIRTS = ((0.20, 0.36, 0.58), (0.66, 0.26, 0.24), (0.25, 0.48, 0.38), (0.84, 0.66, 0.26), (0.45, 0.34, 0.56))
TURN = 1.05  # radians that a pose of 1 turns the head: about 60 degrees
# mouth: half-width, bend (corners up), opening; brows: lift, slope (inner ends down)
_FACE = {
    "neutral": (1.0, 0.0, 0.0, 0.0, 0.0), "happy": (1.25, 1.0, 0.35, 0.1, 0.0), "sad": (0.9, -0.9, 0.0, 0.1, -0.7),
    "surprised": (0.6, 0.0, 1.3, 0.9, 0.0), "angry": (1.0, -0.5, 0.0, -0.4, 0.8),
}  # fmt: skip


def avatars(
    people: int = 500, each: int = 6, turned: bool = False, split: str = "people", seed: int = 0
) -> Dataset:  # fmt: skip
    """Draw faces: ``each`` pictures of each of so many people, with expressions and turns of the head of their own.

    Arguments
        people: how many, at least 10.
        each: pictures of each, at least 1.
        turned: with True, x holds faces from the front and c the same faces turned to the right, by 0.4 to 1 of
            ``TURN`` (a face that looks left is one that looks right in a mirror). With False, x holds faces at any
            turn, and c is who it is, int64 of shape (N,).
        split: ``"people"``: nobody is in two parts (eight tenths of the people are to learn from); ``"pictures"``: a
            tenth of all pictures each is held out, of people who are known.
        seed: of the people, their pictures and the split.

    Pictures have shape (N, 3, 32, 32). ``factors`` hold, each of shape (N,): ``identity``, ``expression``, ``tone``
    and ``hair`` (int64, places in EXPRESSIONS, TONES, HAIR), ``hair_colour``, ``eyes``, ``shirt`` (int64), ``glasses``
    and ``beard`` (0 or 1), ``pose`` (of c where faces are turned, else of x; from −1, to the left of the picture, to
    1), and the measures of a face (float, in pixels).
    """
    if people < 10 or each < 1:
        raise ValueError(f"people, each: expected at least 10 and 1, received {people} and {each}")
    if split not in ("people", "pictures"):
        raise unknown("split", split, ("people", "pictures"))
    return _avatars(people, each, turned, split, seed)


@lru_cache(maxsize=4)
def _avatars(people: int, each: int, turned: bool, split: str, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    who = torch.arange(people).repeat_interleave(each)
    factors = {name: values[who] for name, values in persons(people, generator).items()}
    n = people * each
    factors["identity"] = who
    factors["expression"] = torch.randint(len(EXPRESSIONS), (n,), generator=generator)
    pose = 2 * torch.rand(n, generator=generator) - 1
    factors["pose"] = 0.4 + 0.6 * pose.abs() if turned else pose
    aside = draw(factors)
    x, c = (draw(factors | {"pose": 0 * pose}), aside) if turned else (aside, who)
    if split == "people":
        place = torch.randperm(people, generator=generator)[who]  # a person's place in a mixed row
        order, units = place.argsort(stable=True), people
    else:
        order, units = torch.randperm(n, generator=generator), n
    held = units // 10 * (n // units)
    splits = [
        Split(x[rows], c[rows], {name: values[rows] for name, values in factors.items()})
        for rows in order.split([n - 2 * held, held, held])
    ]
    return Dataset("avatars", *splits, shape=(3, SIDE, SIDE), levels=256, sha256=digest(*splits))


def persons(n: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Draw what makes n people who they are; each trait is independent of the others. Shapes (n,)."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    def choose(k: int) -> Tensor:
        return torch.randint(k, (n,), generator=generator)

    return {
        "tone": choose(len(TONES)), "hair": choose(len(HAIR)), "hair_colour": choose(len(_HAIR)),
        "eyes": choose(len(_EYES)), "shirt": choose(len(_SHIRTS)), "glasses": (uniform(0, 1) < 0.25).long(),
        "beard": (uniform(0, 1) < 0.25).long(), "width": uniform(7.2, 8.8), "height": uniform(9.0, 10.4),
        "eye_distance": uniform(0.36, 0.50), "eye_size": uniform(1.15, 1.65), "brow": uniform(0.35, 0.75),
        "nose": uniform(1.4, 2.8), "mouth": uniform(1.9, 3.0), "fringe": uniform(-0.72, -0.42),
    }  # fmt: skip


class _Head:
    """A head as an egg: a place on it is an angle from the nose and a height, and a turn moves it."""

    def __init__(self, canvas: Canvas, f: dict[str, Tensor]):
        self.w, self.h, self.turn = f["width"], f["height"], f["pose"] * TURN
        self.cx, self.cy = torch.tensor(16.0), torch.tensor(15.5)
        self.v = (canvas.y - self.cy) / self.h + 0 * canvas.x
        round_ = (1 - self.v.square()).clamp(min=1e-4).sqrt() * self.w
        self.angle = ((canvas.x - self.cx) / round_).clamp(-1, 1).asin() - self.turn  # from the nose, for every pixel

    def at(self, angle, v, out: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
        """Return where a place of the head is seen, and by how much it is narrowed (0: on the far side)."""
        angle = angle + self.turn
        round_ = (1 - torch.as_tensor(v) ** 2) ** 0.5 * self.w * out
        return self.cx + round_ * angle.sin(), self.cy + self.h * v, angle.cos().clamp(min=0)


def draw(factors: dict[str, Tensor]) -> Tensor:
    """Draw faces, shape (N, 3, 32, 32), from the factors that :func:`avatars` lists.

    A face may be drawn again with one factor changed, and all others kept:

    >>> people = persons(10, torch.Generator().manual_seed(0))
    >>> zero = torch.zeros(10, dtype=torch.int64)
    >>> front = draw(people | {"identity": zero, "expression": zero, "pose": torch.zeros(10)})
    >>> happy = draw(people | {"identity": zero, "expression": zero + 1, "pose": torch.zeros(10)})
    >>> bool((front - happy).abs().amax(1)[:, :8].max() < 1e-6)  # a smile leaves the hair as it was
    True
    """
    n = len(factors["tone"])
    canvas = Canvas(n, SIDE)
    canvas.rgb += torch.tensor((0.90, 0.93, 0.95)).view(1, 3, 1, 1)
    f = {name: values.float().view(n, 1, 1) for name, values in factors.items()}
    skin = torch.tensor(TONES)[factors["tone"]]
    hair = torch.tensor(_HAIR)[factors["hair_colour"]]
    head = _Head(canvas, f)
    x, y, cx, cy = canvas.x, canvas.y, head.cx, head.cy
    is_ = {name: (f["hair"] == i).float() for i, name in enumerate(HAIR)}
    behind = -1.6 * head.turn.sin()  # the back of the head shows on the side that is turned to us
    canvas.paint(ellipse(x, y, cx + behind, cy + 4, head.w + 1.6, 12.5), hair * 0.85, is_["long"])
    for dx, dy in ((-5, -4), (5, -4), (0, -7), (-7, 0), (7, 0)):
        canvas.paint(ellipse(x, y, cx + behind + dx, cy + dy, 4.3, 4.3), hair * 0.92, is_["curly"])
    canvas.paint(ellipse(x, y, cx, 33.0, 11.5, 6.5), torch.tensor(_SHIRTS)[factors["shirt"]])
    canvas.paint(box(x, y, cx, 26.0, 3.0, 3.0), skin * 0.86)
    canvas.paint(ellipse(x, y, cx + behind, cy - 1, head.w + 0.2, head.h - 0.6), hair, 1 - is_["none"])
    for side in (-1.0, 1.0):
        ex, ey, _ = head.at(side * torch.tensor(1.5), 0.08)
        seen = ((side * 1.5 + head.turn).cos() > -0.35).float()
        canvas.paint(ellipse(x, y, ex, ey, 1.3, 2.0), skin * 0.92, seen)
    egg = ellipse(x, y, cx, cy, head.w, head.h)
    canvas.paint(egg, skin)
    canvas.paint(egg, skin * 0.86, (0.5 * (head.angle.abs() - 0.7)).clamp(0, 1))  # cheeks turn away from the light
    _hair(canvas, f, head, egg, hair, is_)
    _features(canvas, f, head, factors, skin, hair)
    return canvas.rgb.clamp(0, 1)


def _hair(canvas: Canvas, f: dict[str, Tensor], head: _Head, egg: Tensor, hair: Tensor, is_: dict) -> None:
    away = head.angle.abs()
    top = (head.v - f["fringe"] - 0.12 * torch.cos(2 * head.angle)) * head.h
    sides = torch.maximum((1.05 - away) * 5, (head.v - 2 * is_["long"]) * head.h)
    line = torch.minimum(top, sides)
    canvas.paint(torch.maximum(egg, line), hair, 1 - is_["none"])
    chin = torch.maximum((0.30 - head.v) * head.h, (away - 1.15) * 6)
    lips = ((head.v - 0.52) / 0.13).square() + (head.angle / 0.34).square()
    shaved = torch.maximum(chin, (1 - lips) * 2)
    canvas.paint(torch.maximum(egg, shaved), hair * 0.9, 0.9 * f["beard"])


def _features(canvas: Canvas, f: dict[str, Tensor], head: _Head, factors, skin: Tensor, hair: Tensor) -> None:
    x, y = canvas.x, canvas.y
    face = torch.tensor([_FACE[name] for name in EXPRESSIONS])[factors["expression"]]
    wide, bend, open_, lift, slope = (face[:, k].view(-1, 1, 1) for k in range(5))
    eyes = torch.tensor(_EYES)[factors["eyes"]]
    for side in (-1.0, 1.0):
        ex, ey, near = head.at(side * f["eye_distance"], -0.10)
        seen, size = (near > 0.12).float(), f["eye_size"] * (1 + 0.25 * lift.clamp(min=0))
        canvas.paint(ellipse(x, y, ex, ey, size * near.clamp(min=0.15) * 1.15, size), (0.98, 0.98, 0.97), seen)
        canvas.paint(ellipse(x, y, ex, ey, 0.85 * near.clamp(min=0.2), 0.95), eyes, seen)
        inner, outer = (head.at(side * (f["eye_distance"] + d), -0.10)[0] for d in (-0.19, 0.19))
        by = ey - f["eye_size"] - 1.2 - 0.9 * lift
        tilt = 0.9 * slope
        canvas.paint(segment(x, y, inner, by + tilt, outer, by - tilt, f["brow"]), hair * 0.75, seen)
        rim = ellipse(x, y, ex, ey, (2.3 * near).clamp(min=0.5), 2.4).abs() - 0.42
        canvas.paint(rim, (0.13, 0.13, 0.16), f["glasses"] * seen)
    left, right = (head.at(s * f["eye_distance"] * 0.5, -0.10)[0] for s in (-1.0, 1.0))
    canvas.paint(segment(x, y, left, head.cy - 1.2, right, head.cy - 1.2, 0.4), (0.13, 0.13, 0.16), f["glasses"])
    root, _, _ = head.at(torch.tensor(0.0), -0.02)
    tip, ny, _ = head.at(torch.tensor(0.0), 0.22, out=1.16)  # the tip stands out of the face
    canvas.paint(ellipse(x, y, 0.6 * tip + 0.4 * root, ny, 0.55 * f["nose"], 0.45 * f["nose"]), skin * 0.74, 0.9)
    canvas.paint(segment(x, y, root, ny - 2.6, tip, ny, 0.4), skin * 0.80, 0.8)
    half = f["mouth"] * wide / 8
    mx, my, near = head.at(torch.tensor(0.0), 0.52)
    ends = [head.at(s * half, 0.52)[0] for s in (-1.0, 1.0)]
    lip, dip = 0.35 * skin + 0.65 * torch.tensor((0.68, 0.18, 0.20)), 0.9 * bend
    hole = ellipse(x, y, mx, my + 0.3, (f["mouth"] * wide * near).clamp(min=0.4), 0.2 + 1.5 * open_)
    canvas.paint(hole, (0.35, 0.10, 0.12), (open_ > 0).float())
    for end in ends:
        canvas.paint(segment(x, y, mx, my + dip, end, my - dip, 0.5), lip, 1 - (open_ > 1).float())
