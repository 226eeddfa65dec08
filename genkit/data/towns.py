"""A town of 32 × 32 pixels, seen from above and as a map: what stands where is known, and trees stand over roads."""

import torch
from torch import Tensor

from .drawing import Canvas, box, ellipse, segment

SIDE = 32
CLASSES = {
    "ground": (0.94, 0.92, 0.86), "park": (0.66, 0.85, 0.60), "water": (0.58, 0.76, 0.92),
    "building": (0.62, 0.55, 0.52), "road": (1.0, 0.78, 0.30),
}  # fmt: skip
"""The five things of a map, with the colours in which it draws them."""
_FROM_ABOVE = torch.tensor(
    [(0.62, 0.57, 0.42), (0.30, 0.46, 0.22), (0.14, 0.26, 0.38), (0.55, 0.54, 0.54), (0.50, 0.50, 0.51)]
)


def read_map(x: Tensor) -> Tensor:
    """Return the class of every pixel of maps, shape (N, 3, H, W), by the nearest colour: int64, shape (N, H, W).

    >>> read_map(torch.tensor([[0.58, 0.76, 0.92]]).view(1, 3, 1, 1)).item(), list(CLASSES)[2]
    (2, 'water')
    """
    if x.ndim != 4 or x.shape[1] != 3:
        raise ValueError(f"x: expected maps of shape (N, 3, H, W), received {tuple(x.shape)}")
    palette = torch.tensor(list(CLASSES.values()), device=x.device)
    return (x[:, None] - palette[:, :, None, None]).square().sum(2).argmin(1)


def towns(n: int, generator: torch.Generator) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Draw n towns; return both views, each of shape (n, 3, 32, 32), and the factors: ``classes`` of every pixel."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *(shape or (1, 1)), generator=generator)

    canvas = Canvas(n, SIDE)
    x, y = canvas.x, canvas.y
    classes = torch.zeros(n, SIDE, SIDE, dtype=torch.int64)

    def put(distance: Tensor, name: str) -> None:
        classes[(distance < 0).expand_as(classes)] = list(CLASSES).index(name)

    put(box(x, y, uniform(4, 28), uniform(4, 28), uniform(3, 6), uniform(3, 6)), "park")
    # a river, straight or bent, in half of the towns; a pond in the others
    middle, bend, turn = uniform(4, 28), uniform(-0.5, 0.5), uniform(0, 6.3)
    along, across = (
        torch.where(uniform(0, 1) < 0.5, p, q) for p, q in ((x + 0 * y, y + 0 * x), (y + 0 * x, x + 0 * y))
    )
    river = (across - middle - bend * (along - 16) - 2 * torch.sin(along / 5 + turn)).abs() - 2.2
    pond = ellipse(x, y, uniform(4, 28), uniform(4, 28), uniform(2.5, 4.5), uniform(2.5, 4.5))
    put(torch.where(uniform(0, 1) < 0.5, river, pond), "water")
    roofs = uniform(0, 1, 7, 1, 1)
    shadow = torch.zeros(n, SIDE, SIDE)
    height = torch.zeros(n, SIDE, SIDE)
    for k in range(7):
        cx, cy, a, b = uniform(1, 31), uniform(1, 31), uniform(1.2, 2.6), uniform(1.2, 2.6)
        house = box(x, y, cx, cy, a, b)
        dry = ~((house < 0) & (classes == 2)).flatten(1).any(1)[:, None, None]
        put(torch.where(dry, house, 99.0), "building")
        height = torch.where((house < 0) & dry, roofs[:, k], height)
        shadow = torch.where((box(x, y, cx + 1.2, cy + 1.2, a, b) < 0) & dry, 1.0, shadow)
    # two or three roads from edge to edge, one or two pixels wide; they cross the river on bridges
    for k in range(3):
        a, b, down = uniform(2, 30), uniform(2, 30), uniform(0, 1) < 0.5
        x0, y0 = torch.where(down, a, -1.0), torch.where(down, -1.0, a)
        x1, y1 = torch.where(down, b, 33.0), torch.where(down, 33.0, b)
        there = (uniform(0, 1) < 0.5) if k == 2 else torch.ones(n, 1, 1, dtype=torch.bool)
        put(torch.where(there, segment(x, y, x0, y0, x1, y1, 0.5 + 0.35 * k % 1), 99.0), "road")
    map_ = torch.tensor(list(CLASSES.values()))[classes].permute(0, 3, 1, 2).contiguous()
    return {"map": map_, "satellite": _above(canvas, classes, height, shadow, generator)}, {"classes": classes}


def _above(canvas: Canvas, classes: Tensor, roof: Tensor, shadow: Tensor, generator: torch.Generator) -> Tensor:
    """Draw what a camera sees: mottled ground, grey and red roofs, their shadows, trees, cars' glints and noise."""
    n = len(classes)

    def rand(*shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=generator)

    rough = torch.nn.functional.interpolate(rand(1, 9, 9) - 0.5, (SIDE, SIDE), mode="bicubic", align_corners=True)
    canvas.rgb = _FROM_ABOVE[classes].permute(0, 3, 1, 2).contiguous()
    house = classes == 3
    canvas.cover((house & (roof > 0.6)).float(), (0.58, 0.33, 0.27))  # the others are as grey as the roads
    canvas.cover(0.55 * (shadow.bool() & ~house).float(), (0.08, 0.09, 0.13))
    wood = (classes == 1).flatten(1).float() * 6 + (classes == 4).flatten(1).float() * 2 + 0.6
    wood[(classes == 2).flatten(1)] = 0.0  # no tree stands in the water
    spots = torch.multinomial(wood, 22, generator=generator)  # where trees stand
    for k in range(22):
        cx, cy = spots[:, k, None, None] % SIDE + rand(1, 1), spots[:, k, None, None] // SIDE + rand(1, 1)
        r = 0.9 + 0.9 * rand(1, 1)
        canvas.paint(ellipse(canvas.x, canvas.y, cx + 0.5, cy + 0.5, r, r), (0.07, 0.11, 0.07), 0.6)
        green = torch.stack([0.12 + 0.1 * rand(), 0.26 + 0.14 * rand(), 0.10 + 0.05 * rand()], 1)
        canvas.paint(ellipse(canvas.x, canvas.y, cx, cy, r, r), green)
    grain = 0.05 * torch.randn(n, 1, SIDE, SIDE, generator=generator)
    return (canvas.rgb + 0.14 * rough + grain).clamp(0, 1)
