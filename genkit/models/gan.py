r"""Generative adversarial networks (Goodfellow et al. 2014): a generator draws, a critic tells drawings from data.

The generator turns noise :math:`z \sim \mathcal N(0, I)` into an example; nobody can say how probable it is.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..adversarial import between, steepness
from ..adversarial import game as losses
from ..base import Generative, Player, Terms, rows
from ..labels import one_hot
from ..names import unknown
from ..nn.critic import conv_critic, mlp_critic
from ..nn.generator import conv_generator, mlp_generator
from ..nn.style import StyleGenerator

GENERATORS = {"mlp": mlp_generator, "conv": conv_generator, "style": StyleGenerator}
CRITICS = {"mlp": mlp_critic, "conv": conv_critic}


class GAN(Generative):
    r"""A game of two players over examples of any shape, given a class or none.

    With logits r = D(x) on data and f = D(G(z)) on samples, the critic minimises

    .. math:: \ell_D(r, f) + \tfrac{\gamma_1}{2} \|\nabla D(x)\|^2 + \tfrac{\gamma_2}{2} \|\nabla D(G(z))\|^2
              + \lambda (\|\nabla D(\hat x)\| - 1)^2

    (the terms after the first: Mescheder et al. 2018, eq. 9 and 10; Gulrajani et al. 2017, eq. 3) and the generator
    :math:`\ell_G(r, f)`, where :func:`genkit.adversarial.game` gives both losses.

    Arguments
        generator: from noise of shape (B, latent), with classes + 1 more columns where there are classes, to examples.
        critic: from examples, and labels where there are classes, to logits of shape (B,).
        shape: of an example.
        latent: the size of z.
        game: the name of the losses.
        r1, r2: weights :math:`\gamma_1, \gamma_2` of the critic's squared slope at data and at samples.
        penalty: the weight :math:`\lambda` of the gradient penalty between them.
        noise: the deviation of noise on all that the critic sees, in the unit of the data.
        calm: critic steps over which noise, r1 and r2 fall to a hundredth, slowly at first; 0 keeps them. Where it is
            more than the steps of the training, some of them is left at the end.
        critic_steps: critic steps for each step of the generator.
        critic_lr: multiplies the critic's learning rate.
        momentum: Adam's first decay rate of both players.
        classes: of the condition c, int64 of shape (B,); 0 for an unconditional model.

    >>> from genkit.nn import mlp
    >>> from genkit.nn.critic import mlp_critic
    >>> model = GAN(mlp(4, 16, 2), mlp_critic(2, (16,)), shape=(2,), latent=4)
    >>> model.sample(3).shape
    torch.Size([3, 2])
    """

    likelihood = "none"

    def __init__(
        self, generator: nn.Module, critic: nn.Module, *, shape: tuple[int, ...], latent: int,
        game: str = "non_saturating", r1: float = 0.0, r2: float = 0.0, penalty: float = 0.0, noise: float = 0.0,
        calm: int = 0, critic_steps: int = 1, critic_lr: float = 1.0, momentum: float = 0.0, classes: int = 0,
    ):  # fmt: skip
        super().__init__()
        for name, value in (("latent", latent), ("critic_steps", critic_steps)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, received {value}")
        for name, value in (("r1", r1), ("r2", r2), ("penalty", penalty), ("noise", noise), ("calm", calm)):
            if value < 0:
                raise ValueError(f"{name}: expected a number >= 0, received {value}")
        if not critic_lr > 0:
            raise ValueError(f"critic_lr: expected a number above 0, received {critic_lr}")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum: expected a number in [0, 1), received {momentum}")
        self.game = losses(game)
        self.generator, self.critic = generator, critic
        self.shape, self.latent, self.classes = tuple(shape), latent, classes
        self.r1, self.r2, self.penalty, self.noise, self.calm = r1, r2, penalty, noise, calm
        self.critic_steps, self.critic_lr, self.momentum = critic_steps, critic_lr, momentum
        self.register_buffer("age", torch.zeros(()))  # critic steps so far

    def generate(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the examples G(z, c) for noise of shape (B, latent): shape (B, …)."""
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise ValueError(f"z: expected shape (B, {self.latent}), received {tuple(z.shape)}")
        if self.classes:
            z = torch.cat([z, one_hot(self._labels(c, len(z)), len(z), self.classes, z)], 1)
        elif c is not None:
            raise ValueError(f"c: expected None, since this model knows no classes, received shape {tuple(c.shape)}")
        return self.generator(z).view(-1, *self.shape)

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the critic's logits, shape (B,), for examples of shape (B, …): high for what it takes for real."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected shape (B, *{self.shape}), received {tuple(x.shape)}")
        return self.critic(x, self._labels(c, len(x))) if self.classes else self.critic(x)

    def critic_loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return what the critic minimises, shape (B,), the mean gap r − f, and its squared slope at data."""
        rest = self.unrest()
        with torch.no_grad():
            fake = self._seen(self.generate(self._noise(len(x)), c))
        real = self._seen(x)
        if self.r1:
            real.requires_grad_()
        if self.r2:
            fake.requires_grad_()
        r, f = self.judge(real, c), self.judge(fake, c)
        terms = {"loss": self.game.critic(r, f), "gap": (r - f).detach()}
        if self.r1:
            terms["slope"] = steepness(r, real)
            terms["loss"] = terms["loss"] + rest * self.r1 / 2 * terms["slope"]
        if self.r2:
            terms["loss"] = terms["loss"] + rest * self.r2 / 2 * steepness(f, fake)
        if self.penalty:
            mixed = between(real.detach(), fake.detach()).requires_grad_()
            slope = steepness(self.judge(mixed, c), mixed)
            terms["loss"] = terms["loss"] + self.penalty * ((slope + 1e-12).sqrt() - 1).square()
        if self.training:
            self.age += 1
        return terms

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return what the generator minimises, shape (B,)."""
        f = self.judge(self._seen(self.generate(self._noise(len(x)), c)), c)
        with torch.no_grad():
            r = self.judge(self._seen(x), c)
        return {"loss": self.game.generator(r, f)}

    def players(self) -> list[Player]:
        """Return the critic, which moves in every step, and the generator, which moves in every ``critic_steps``-th."""
        betas = self.momentum, 0.99 if self.momentum == 0 else 0.999
        judge = [p for p in self.critic.parameters() if p.requires_grad]
        maker = [p for p in self.generator.parameters() if p.requires_grad]
        return [
            Player("critic", judge, self.critic_loss, lr=self.critic_lr, betas=betas),
            Player("generator", maker, self.loss, every=self.critic_steps, betas=betas),
        ]

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None, *, z: Tensor | None = None) -> Iterator[Tensor]:
        """Yield n examples, in the one step a GAN needs, from noise z of shape (n, latent) where it is given.

        A class-conditional model draws classes evenly where c is None.
        """
        if self.classes and c is None:
            c = torch.randint(self.classes, (n,), device=self.device)
        yield self.generate(self._noise(n) if z is None else z, c)

    def unrest(self) -> float:
        """Return by how much noise, r1 and r2 are multiplied at this age: from 1 down to a hundredth."""
        if not self.calm:
            return 1.0
        done = min(1.0, self.age.item() / self.calm)
        return 0.01 ** (done * done)

    def _seen(self, x: Tensor) -> Tensor:
        """Return what the critic sees of x: with noise, where there is some."""
        return x + self.unrest() * self.noise * torch.randn_like(x) if self.noise else x.clone()

    def _noise(self, n: int) -> Tensor:
        return torch.randn(n, self.latent, device=self.device)

    def _labels(self, c: Tensor | None, n: int) -> Tensor:
        """Return int64 labels of shape (n,), or raise ``ValueError``."""
        if c is None or c.dtype != torch.int64 or c.ndim != 1 or not 0 <= int(c.min()) <= int(c.max()) < self.classes:
            what = "None" if c is None else f"{c.dtype} of shape {tuple(c.shape)} in [{c.min()}, {c.max()}]"
            raise ValueError(f"c: expected int64 labels in [0, {self.classes}) of shape ({n},), received {what}")
        return rows(c, n)


def build_gan(
    *, shape: tuple[int, ...], latent: int = 16, classes: int = 0, generator: str = "mlp", critic: str = "mlp",
    draw: dict | None = None, look: dict | None = None, **options,
) -> GAN:  # fmt: skip
    """Build a GAN from JSON.

    Arguments
        generator: ``"mlp"``, ``"conv"`` or ``"style"``, which ``draw`` gives further arguments.
        critic: ``"mlp"`` or ``"conv"``, which ``look`` gives further arguments.
        shape, latent, classes, options: those of :class:`GAN`.

    >>> build_gan(shape=[1, 8, 8], classes=10, critic="conv").sample(2, torch.tensor([3])).shape
    torch.Size([2, 1, 8, 8])
    """
    if generator not in GENERATORS:
        raise unknown("generator", generator, GENERATORS)
    if critic not in CRITICS:
        raise unknown("critic", critic, CRITICS)
    shape = tuple(shape)
    if len(shape) != 3 and (generator, critic) != ("mlp", "mlp"):
        raise ValueError(f"shape: expected (C, H, W) for {generator} and {critic}, received {shape}")
    maker = GENERATORS[generator](latent + (classes + 1 if classes else 0), shape, **(draw or {}))
    judge = CRITICS[critic](math.prod(shape) if critic == "mlp" else shape, classes=classes, **(look or {}))
    return GAN(maker, judge, shape=shape, latent=latent, classes=classes, **options)
