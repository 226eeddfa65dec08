"""The experiments of the chapter on deep networks that are about pictures: shifts, filters, and what layers know."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.digits import digits
from ..data.signs import signs
from ..metrics.detection import accuracy
from ..metrics.probe import edges, probe
from ..models.eye import FIELDS, STRIDES, Eye
from ..nn.mlp import mlp
from ..training import TrainConfig, fit

SHIFTS = (0, 1, 2, 3, 4)
CANVAS = 16
DIRECTIONS = 8
LAYERS = ("pixels", "layer 1", "layer 2", "layer 3", "layer 4")


# letters on patterned grounds -----------------------------------------------------------------------------------------


def eye(seed: int = 0, *, steps: int = 500, progress: bool = False) -> Eye:
    """Train the chapter's network to name letter and ground."""
    torch.manual_seed(seed)
    model = Eye((10, 10), width=16)
    config = TrainConfig(steps=steps, batch=64, lr=7e-3, weight_decay=0.3, seed=seed)
    return fit(model, signs(6000).train, config, progress=progress).model


def waves(model: Eye) -> dict[str, float]:
    r"""Return the share of the first filters' power in waves over 4 pixels long, and how far those have one direction.

    The power of a wave is what a grating of its length and direction arouses, at its best phase. One direction is
    :math:`|\sum P e^{2i\theta}| / \sum P`: 0 for a round filter, near 1 for an edge or a bar. Means over filters.
    """
    power = torch.fft.fft2(model.layers[0][0].weight.detach()[:, 0], s=(32, 32)).abs().square()
    v, u = torch.meshgrid(torch.fft.fftfreq(32), torch.fft.fftfreq(32), indexing="ij")
    slow = (u.hypot(v) < 0.25) & (u.hypot(v) > 0)
    axis = torch.polar(torch.ones_like(u), 2 * torch.atan2(v, u))[slow]
    one = (power[:, slow] * axis).sum(1).abs() / power[:, slow].sum(1)
    long = power[:, slow].sum(1) / (power.sum((1, 2)) - power[:, 0, 0])
    return {"long waves": round(long.mean().item(), 4), "one direction": round(one.mean().item(), 4)}


def blank(seed: int = 0) -> Eye:
    """Return the same network untrained; its normalisation has seen the pictures."""
    torch.manual_seed(seed)
    model = Eye((10, 10), width=16)
    with torch.no_grad():
        for _ in range(30):
            model.train().maps(signs(6000).train.x[:500])
    return model.eval()


@torch.no_grad()
def columns(model: Eye, x: Tensor, seed: int) -> tuple[list[Tensor], Tensor, Tensor]:
    """Look at four places of every picture: what pixels and layers say there, (N, 4, D); the edge there."""
    at = torch.randint(8, 20, (len(x), 4, 2), generator=torch.Generator().manual_seed(seed))
    n, (i, j) = torch.arange(len(x))[:, None], at.unbind(2)
    pixels = F.unfold(x, 5, padding=2).unflatten(2, x.shape[2:])
    found = zip([pixels, *model.maps(x)], (1, *STRIDES), strict=True)
    direction, clear = edges(x)
    turned = torch.floor(direction[n, i, j] / torch.pi * DIRECTIONS + 0.5).long() % DIRECTIONS
    return [maps[n, :, i // s, j // s] for maps, s in found], turned, clear[n, i, j]


def probes(model: Eye, seed: int = 0) -> dict[str, float]:
    """Return how well a linear classifier reads edge, letter and ground from a single place of each layer."""
    data, found = signs(6000), {}
    train, train_c = data.train.x[:2000], data.train.c[:2000]
    test, test_c = torch.cat([data.valid.x, data.test.x]), torch.cat([data.valid.c, data.test.c])
    (a, turn_a, clear_a), (b, turn_b, clear_b) = columns(model, train, seed), columns(model, test, seed + 100)
    sharp = clear_a.median()
    for name, f, g in zip(LAYERS, a, b, strict=True):
        some, others = clear_a > sharp, clear_b > sharp  # where there is an edge
        found[f"edge, {name}"] = probe(f[some], turn_a[some], g[others], turn_b[others]).value
        for k, what in enumerate(("letter", "ground")):
            labels = train_c[:, k].repeat_interleave(4), test_c[:, k].repeat_interleave(4)
            found[f"{what}, {name}"] = probe(f.flatten(0, 1), labels[0], g.flatten(0, 1), labels[1]).value
    with torch.no_grad():
        for what, logits, y in zip(("letter", "ground"), model(data.test.x), data.test.c.T, strict=True):
            found[f"{what}, whole network"] = accuracy(logits, y).value
    return {name: round(value, 4) for name, value in found.items()}


@torch.no_grad()
def loudest(model: Eye, layer: int, channel: int, x: Tensor, n: int = 8) -> tuple[Tensor, Tensor]:
    """Return the patches to which a channel answers most, one a picture, (n, 1, S, S), and where, (n, 3).

    Where is picture, row, column. Only places that see nothing beyond the picture's edge take part.
    """
    field, stride = FIELDS[layer], STRIDES[layer]
    maps = model.maps(x)[layer][:, channel]
    corner = torch.arange(maps.shape[1]) * stride + stride // 2 - field // 2  # of what each place sees
    inside = ((corner >= 0) & (corner + field <= x.shape[2])).nonzero()[:, 0]
    maps = maps[:, inside][:, :, inside]
    rows = maps.flatten(1).max(1).values.argsort(descending=True)[:n]
    places = maps[rows].flatten(1).argmax(1)
    i, j = corner[inside[places // len(inside)]], corner[inside[places % len(inside)]]
    patches = [one[:, a : a + field, b : b + field] for one, a, b in zip(x[rows], i.tolist(), j.tolist(), strict=True)]
    return torch.stack(patches), torch.stack([rows, i, j], 1)


# a digit that moves ---------------------------------------------------------------------------------------------------


def placed(x: Tensor, down: int | Tensor, right: int | Tensor) -> Tensor:
    """Put digits of 8 × 8 on a canvas of 16 × 16, so far from its middle."""
    canvas = torch.zeros(len(x), 1, CANVAS, CANVAS)
    down, right = (torch.as_tensor(v).expand(len(x)) for v in (down, right))
    for a in down.unique().tolist():
        for b in right.unique().tolist():
            own = (down == a) & (right == b)
            canvas[own, :, 4 + a : 12 + a, 4 + b : 12 + b] = x[own]
    return canvas


def dense() -> nn.Sequential:
    """Return a network of one hidden layer for the canvas."""
    return nn.Sequential(nn.Flatten(), mlp(CANVAS**2, 18, 10, activation=nn.ReLU))


def convolutional() -> nn.Sequential:
    """Return a network of three convolutions and a maximum over places, with about as many parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 14, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(14, 10),
    )  # fmt: skip


def learnt(build, x: Tensor, c: Tensor, seed: int, *, steps: int = 300, wander: int = 0) -> nn.Sequential:
    """Train a network on digits in the middle of the canvas, or that wander by as many pixels each way."""
    torch.manual_seed(seed)
    model = build()
    mover = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        rows = torch.randint(len(x), (100,))
        down, right = torch.randint(-wander, wander + 1, (2, 100))
        mover.zero_grad()
        F.cross_entropy(model(placed(x[rows], down, right)), c[rows]).backward()
        mover.step()
    return model.eval()


@torch.no_grad()
def by_shift(model: nn.Sequential, x: Tensor, c: Tensor) -> list[float]:
    """Return the accuracy on digits shifted by 0 to 4 pixels, the mean over the four sides."""
    found = []
    for s in SHIFTS:
        sides = ((s, 0), (-s, 0), (0, s), (0, -s))
        found.append(sum(accuracy(model(placed(x, a, b)), c).value for a, b in sides) / 4)
    return found


def shifted(seed: int) -> dict[str, float]:
    """Train both networks on digits in the middle, and on digits that wander; test both on digits that moved."""
    data, found = digits(split="random", seed=seed), {}
    for name, build, wander in (
        ("dense", dense, 0), ("convolutional", convolutional, 0), ("dense, wandering", dense, 4),
    ):  # fmt: skip
        model = learnt(build, data.train.x, data.train.c, seed, wander=wander)
        for s, value in zip(SHIFTS, by_shift(model, data.test.x, data.test.c), strict=True):
            found[f"{name}, {s}"] = round(value, 4)
    return found
