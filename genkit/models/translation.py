r"""Pictures into pictures: pix2pix with known pairs (Isola et al. 2017), CycleGAN without (Zhu et al. 2017).

In both, the source picture is the condition c and the translation is x: a generator G turns c into x.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..adversarial import game as game_of
from ..base import Generative, Player, Terms, rows
from ..names import unknown
from ..nn.unet import UNet

DIRECTIONS = ("there", "back")
GAIN = 2.0  # logits of black and white lie far apart, and a network that starts at 0 goes there by small steps


class Painter(nn.Module):
    r"""A generator: a U-Net on squares of 2 × 2 pixels, which is four times as fast as on single ones.

    With ``keep`` it returns :math:`\sigma(\mathrm{logit}(c) + f(c))`, and so, untrained, the source itself; without,
    :math:`\sigma(f(c))`. Pictures have shape (B, 3, H, W) in [0, 1]; the sides divide by ``2 · 2^{len(grow) − 1}``.
    """

    def __init__(self, *, width: int = 32, grow: tuple[int, ...] = (1, 2), keep: bool = False):
        super().__init__()
        self.keep = keep
        self.net = UNet(12, 12, width=width, grow=tuple(grow), timed=False)

    def forward(self, c: Tensor) -> Tensor:
        h = GAIN * F.pixel_shuffle(self.net(F.pixel_unshuffle(2 * c - 1, 2)), 2)
        return torch.sigmoid(h + c.clamp(0.01, 0.99).logit() if self.keep else h)


def patch_critic(inputs: int = 3, *, width: int = 32, halvings: int = 2) -> nn.Sequential:
    """Return a critic that judges patches: from (B, inputs, H, W) to a logit for each of them, (B, places).

    It is Isola et al.'s PatchGAN (section 2.2.2 there): each logit sees a patch of :func:`patch_side` pixels, and no
    more. With 0 ``halvings`` it sees single pixels.
    """
    layers: list[nn.Module] = []
    before = inputs
    for k in range(max(1, halvings)):
        after = min(4, 2**k) * width
        layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1) if halvings else nn.Conv2d(before, after, 1))
        layers += [nn.GroupNorm(4, after)] if k else []
        layers += [nn.LeakyReLU(0.2)]
        before = after
    last = nn.Conv2d(before, 1, 3, padding=1) if halvings else nn.Conv2d(before, 1, 1)
    return nn.Sequential(*layers, last, nn.Flatten())


def patch_side(halvings: int) -> int:
    """Return the side, in pixels, of the patch that one logit of a critic sees.

    >>> [patch_side(k) for k in range(4)]
    [1, 8, 18, 38]
    """
    side = 3 if halvings else 1
    for _ in range(halvings):
        side = 2 * side + 2  # a convolution of 4 × 4 whose steps are 2
    return side


class ImageBuffer(nn.Module):
    """Pictures made earlier, so that a critic does not forget what the generator used to do (Shrivastava et al. 2017).

    Arguments
        size: how many are kept; 0 for none.
        shape: of a picture, (C, H, W).

    >>> buffer = ImageBuffer(2, (1, 1, 1))
    >>> buffer.exchange(torch.ones(2, 1, 1, 1)).flatten().tolist(), int(buffer.filled)
    ([1.0, 1.0], 2)
    """

    def __init__(self, size: int, shape: tuple[int, ...]):
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.tensor(0))

    def exchange(self, fresh: Tensor) -> Tensor:
        """Return as many pictures as came: the fresh one or, with probability ½, an old one whose place it takes.

        While there is room, fresh pictures are kept and returned.
        """
        size, out = len(self.images), fresh.clone()
        if size == 0:
            return out
        old = (torch.rand(len(fresh)) < 0.5).tolist()
        places = torch.randint(size, (len(fresh),)).tolist()
        for i, picture in enumerate(fresh.detach()):
            if int(self.filled) < size:
                self.images[int(self.filled)] = picture
                self.filled += 1
            elif old[i]:
                out[i] = self.images[places[i]]
                self.images[places[i]] = picture
        return out


class Pix2Pix(Generative):
    r"""A generator with a patch critic of pairs (Isola et al. 2017, eq. 4).

    .. math:: \min_G \max_D\; \mathcal L_\mathrm{GAN}(G, D) + \lambda\, \mathbb E\, \|x - G(c)\|_1

    The critic sees source and translation together; the norm is a mean over pixels and channels. There is no other
    noise than that of the sources: one source has one translation.

    Arguments
        generator: from sources, (B, C, H, W), to translations, (B, C', H, W), both in [0, 1].
        critic: from source and translation, joined along channels, to logits (B, places); None for the L1 norm alone.
        l1: its weight, λ.
        game: a name of :data:`genkit.adversarial.GAMES`.

    >>> model = Pix2Pix(Painter(width=8), patch_critic(6, width=8))
    >>> model.sample(2, torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 3, 32, 32])
    """

    def __init__(
        self, generator: nn.Module, critic: nn.Module | None, *, l1: float = 100.0, game: str = "non_saturating"
    ):
        super().__init__()
        _positive("l1", l1)
        self.generator, self.critic, self.l1, self.game = generator, critic, l1, game_of(game)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the generator's terms: ``l1``, ``fool`` where there is a critic, and their weighted sum, ``loss``."""
        _pictures(x, c)
        drawn = self.generator(c)
        terms = {"l1": (drawn - x).abs().flatten(1).mean(1)}  # (B,)
        loss = self.l1 * terms["l1"]
        if self.critic is not None:
            fake = self.critic(torch.cat([c, drawn], 1))
            terms["fool"] = self.game.generator(torch.zeros_like(fake), fake).mean(1)
            loss = loss + terms["fool"]
        return {"loss": loss, **terms}

    def critic_loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the critic's loss on true pairs and on pairs with a drawn half."""
        _pictures(x, c)
        with torch.no_grad():
            drawn = self.generator(c)
        real, fake = (self.critic(torch.cat([c, y], 1)) for y in (x, drawn))
        return {"loss": self.game.critic(real, fake).mean(1), "told": (real > fake).float().mean(1)}

    def players(self) -> list[Player]:
        """Return the generator and, where there is one, the critic."""
        both = [Player("generator", list(self.generator.parameters()), self.loss, betas=(0.5, 0.999))]
        if self.critic is not None:
            both.append(Player("critic", list(self.critic.parameters()), self.critic_loss, betas=(0.5, 0.999)))
        return both

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yield the translations of n sources, or of one that is repeated."""
        yield self.generator(rows(_sources(c), n))


class CycleGAN(Generative):
    r"""Two generators that undo each other, and a critic for each side (Zhu et al. 2017, eq. 3).

    .. math:: \mathcal L = \mathcal L_\mathrm{GAN}(G, D_x) + \mathcal L_\mathrm{GAN}(F, D_c)
        + \lambda \big(\mathbb E\|F(G(c)) - c\|_1 + \mathbb E\|G(F(x)) - x\|_1\big)
        + \mu \big(\mathbb E\|G(x) - x\|_1 + \mathbb E\|F(c) - c\|_1\big)

    G leads there, from c to x, and F back. The rows of x and c need not belong together: draw them from disjoint
    parts of the data. The norms are means over pixels and channels.

    Arguments
        there, back: the generators G and F.
        critic_x, critic_c: from pictures to logits, (B, places).
        shape: of a picture on either side, (C, H, W).
        cycle, identity: the weights λ and μ; 0 leaves a term out.
        buffer: pictures that each critic's buffer keeps; 0 for none.
        noise: standard deviation of what is added to a translation before it is translated back, in training only, so
            that a message hidden in faint differences does not arrive (as Bashkirova et al. 2019 do).
        game: a name of :data:`genkit.adversarial.GAMES`.

    >>> nets = Painter(width=8), Painter(width=8), patch_critic(width=8), patch_critic(width=8)
    >>> model = CycleGAN(*nets, shape=(3, 32, 32))
    >>> model.sample(2, torch.rand(2, 3, 32, 32), direction="back").shape
    torch.Size([2, 3, 32, 32])
    >>> [player.name for player in model.players()]
    ['generators', 'critic of x', 'critic of c']
    """

    def __init__(
        self, there: nn.Module, back: nn.Module, critic_x: nn.Module, critic_c: nn.Module, *,
        shape: tuple[int, int, int], cycle: float = 10.0, identity: float = 5.0, buffer: int = 50, noise: float = 0.0,
        game: str = "least_squares",
    ):  # fmt: skip
        super().__init__()
        for name, value in (("cycle", cycle), ("identity", identity), ("buffer", buffer), ("noise", noise)):
            _positive(name, value)
        self.there, self.back, self.critic_x, self.critic_c = there, back, critic_x, critic_c
        self.cycle, self.identity, self.noise, self.game = cycle, identity, noise, game_of(game)
        self.old_x, self.old_c = ImageBuffer(buffer, shape), ImageBuffer(buffer, shape)

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return both generators' terms: ``fool``, ``cycle`` and ``identity``, and their weighted sum, ``loss``."""
        _pictures(x, c)
        to_x, to_c = self.there(c), self.back(x)
        judged = self.critic_x(to_x), self.critic_c(to_c)
        terms = {"fool": sum(self.game.generator(torch.zeros_like(f), f).mean(1) for f in judged)}
        loss = terms["fool"]
        if self.cycle:
            seen_x, seen_c = (
                (y + self.noise * torch.randn_like(y) for y in (to_x, to_c)) if self.noise else (to_x, to_c)
            )
            terms["cycle"] = _l1(self.back(seen_x), c) + _l1(self.there(seen_c), x)
            loss = loss + self.cycle * terms["cycle"]
        if self.identity:
            terms["identity"] = _l1(self.there(x), x) + _l1(self.back(c), c)
            loss = loss + self.identity * terms["identity"]
        return {"loss": loss, **terms}

    def critic_loss(self, critic: nn.Module, real: Tensor, drawn: Tensor) -> Terms:
        """Return a critic's loss on real pictures and on drawn ones, new and old."""
        r, f = critic(real), critic(drawn)
        return {"loss": self.game.critic(r, f).mean(1), "told": (r > f).float().mean(1)}

    def players(self) -> list[Player]:
        """Return both generators, who move together, and the two critics."""

        def player(name: str, nets: list[nn.Module], loss: Callable[[Tensor, Tensor | None], Terms]) -> Player:
            return Player(name, [p for net in nets for p in net.parameters()], loss, betas=(0.5, 0.999))

        def of_x(x: Tensor, c: Tensor | None) -> Terms:
            return self.critic_loss(self.critic_x, x, self.old_x.exchange(_still(self.there, c)))

        def of_c(x: Tensor, c: Tensor | None) -> Terms:
            return self.critic_loss(self.critic_c, c, self.old_c.exchange(_still(self.back, x)))

        return [
            player("generators", [self.there, self.back], self.loss),
            player("critic of x", [self.critic_x], of_x),
            player("critic of c", [self.critic_c], of_c),
        ]

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, direction: str = "there") -> Iterator[Tensor]:
        """Yield the translations of n sources: ``"there"``, from c to x, or ``"back"``, from x to c."""
        if direction not in DIRECTIONS:
            raise unknown("direction", direction, DIRECTIONS)
        net = self.there if direction == "there" else self.back
        yield net(rows(_sources(c), n))


def _l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().flatten(1).mean(1)  # (B,)


@torch.no_grad()
def _still(net: nn.Module, source: Tensor) -> Tensor:
    return net(source)


def _positive(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name}: expected 0 or more, received {value}")


def _sources(c: Tensor | None) -> Tensor:
    if c is None or c.ndim != 4 or not c.is_floating_point():
        received = "None" if c is None else f"{str(c.dtype).removeprefix('torch.')} of shape {tuple(c.shape)}"
        raise ValueError(f"c: expected source pictures of shape (n, C, H, W) in [0, 1], received {received}")
    return c


def _pictures(x: Tensor, c: Tensor | None) -> None:
    if x.shape != _sources(c).shape:
        raise ValueError(f"x: expected the shape of c {tuple(c.shape)}, received {tuple(x.shape)}")
