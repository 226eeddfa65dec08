"""Points in the plane whose density is known: rings and grids of Gaussians, moons, spirals, a checkerboard, a star."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..names import unknown
from .dataset import Dataset, digest
from .splits import shuffled


@dataclass(frozen=True)
class Mixture:
    r"""Equal round Gaussians, :math:`p(x) = \frac1K \sum_k N(x; m_k, \sigma^2 I)`.

    Moons and spirals are mixtures too: of 400 Gaussians along each arm, so close that no eye tells them from a curve,
    which makes their density exact. The star is filled with them.

    Arguments
        centres: the means, shape (K, 2).
        sigma: the standard deviation of each.
        parts: which part of the picture a centre belongs to (a mode, an arm), int64 of shape (K,).
    """

    centres: Tensor
    sigma: float
    parts: Tensor

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw n points, shape (n, 2), and the part each came from, shape (n,)."""
        k = torch.randint(len(self.centres), (n,), generator=generator)
        return self.centres[k] + self.sigma * torch.randn(n, 2, generator=generator), self.parts[k]

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the exact log-density of points of shape (B, 2) in nats, shape (B,)."""
        centres = self.centres.to(x)
        square = ((x[:, None] - centres) / self.sigma).square().sum(-1)
        constant = math.log(2 * math.pi * self.sigma**2 * len(centres))
        return torch.logsumexp(-square / 2, dim=1) - constant


@dataclass(frozen=True)
class Checkerboard:
    """Points spread evenly over every other square of a board of 4 × 4 squares that covers [−4, 4]²."""

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw n points, shape (n, 2), and the number of each one's square, shape (n,)."""
        k = torch.randint(8, (n,), generator=generator)
        row = k // 2
        column = 2 * (k % 2) + row % 2
        corner = torch.stack([column, row], dim=1) * 2.0 - 4
        return corner + 2 * torch.rand(n, 2, generator=generator), k

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log-density of points of shape (B, 2) in nats, shape (B,): −ln 32, or −∞ off the squares."""
        square = torch.floor((x + 4) / 2)
        inside = ((square >= 0) & (square < 4)).all(1) & (square.sum(1) % 2 == 0)
        return torch.where(inside, -math.log(32.0), -math.inf).to(x)


def _ring(modes: int = 8, radius: float = 2.0) -> Mixture:
    angle = 2 * math.pi * torch.arange(modes) / modes
    return Mixture(radius * torch.stack([angle.cos(), angle.sin()], dim=1), 0.02, torch.arange(modes))


def _grid25() -> Mixture:
    line = torch.arange(5) * 2.0 - 4
    return Mixture(torch.cartesian_prod(line, line), 0.05, torch.arange(25))


def _moons(each: int = 400) -> Mixture:
    t = math.pi * (torch.arange(each) + 0.5) / each
    upper, lower = torch.stack([t.cos(), t.sin()], dim=1), torch.stack([1 - t.cos(), 0.5 - t.sin()], dim=1)
    return Mixture(torch.cat([upper, lower]), 0.1, torch.arange(2).repeat_interleave(each))


def _spirals(each: int = 400, turns: float = 1.5) -> Mixture:
    t = ((torch.arange(each) + 0.5) / each).sqrt()  # as many points to a length of the arm outside as inside
    angle = 2 * math.pi * turns * t
    arm = 3 * t[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    return Mixture(torch.cat([arm, -arm]), 0.1, torch.arange(2).repeat_interleave(each))


def _star(tip: float = 2.4, notch: float = 1.0, spacing: float = 0.12) -> Mixture:
    line = torch.arange(-24, 25) * spacing
    at = torch.cartesian_prod(line, line)
    turn = (torch.atan2(at[:, 1], at[:, 0]) / (2 * math.pi) - 0.15) % 1 * 5  # in rays; one points straight up
    angle = 2 * math.pi / 5 * (turn % 1 - 0.5).abs()  # from the middle of the ray
    x, y = at.norm(dim=1) * angle.cos(), at.norm(dim=1) * angle.sin()
    corner = notch * math.cos(math.pi / 5), notch * math.sin(math.pi / 5)
    inside = (tip - x) * corner[1] >= (tip - corner[0]) * y  # on this side of the edge from the tip to the notch
    return Mixture(at[inside], 0.1, turn.long()[inside])


def _islands() -> Mixture:
    return Mixture(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]), 0.4, torch.arange(2))


TOYS: dict[str, Mixture | Checkerboard] = {
    "ring": _ring(), "grid25": _grid25(), "moons": _moons(), "spirals": _spirals(), "checkerboard": Checkerboard(),
    "star": _star(), "islands": _islands(),
}  # fmt: skip


def toy(kind: str) -> Mixture | Checkerboard:
    """Return a density of the plane by its name.

    >>> toy("ring").log_prob(torch.tensor([[2.0, 0.0]])).exp().round().item()  # 1 / (8 · 2π · 0.02²)
    50.0
    """
    if kind not in TOYS:
        raise unknown("kind", kind, TOYS)
    return TOYS[kind]


def toy2d(kind: str = "ring", n: int = 10_000, seed: int = 0) -> Dataset:
    """Draw ``n`` points of a density of the plane; ``toy(kind).log_prob`` is its exact log-density.

    Arguments
        kind: ring (8 Gaussians, radius 2, σ 0.02), grid25 (spacing 2, σ 0.05), moons, spirals, checkerboard, star (of
            five rays, filled) or islands (2 Gaussians, 4 apart, σ 0.4).
        n: how many points, at least 10.
        seed: of the points and of the split.
    """
    x, c = toy(kind).sample(n, torch.Generator().manual_seed(seed)) if n > 0 else (torch.empty(0, 2), None)
    splits = shuffled(x, c, seed=seed)
    parts = tuple(str(k) for k in range(int(c.max()) + 1))
    return Dataset(f"toy2d-{kind}", *splits, shape=(2,), classes=parts, sha256=digest(*splits))
