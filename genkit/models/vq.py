r"""The vector-quantised autoencoder: pictures written in a small alphabet (van den Oord et al. 2017).

An encoder turns a picture into a few vectors. Each is replaced by the nearest of K vectors in a **codebook**; the
numbers of those are the picture's codes. A decoder turns codes into a distribution over pictures, and a second model,
the prior, learns which codes go together.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..base import Generative, Player, Terms, rows
from ..distributions import Family, Pixels
from ..labels import hide


def nearest(z: Tensor, vectors: Tensor) -> Tensor:
    r"""Return :math:`\arg\min_k \|z - e_k\|^2`, van den Oord et al. (2017), eq. 1: int64 of shape (…).

    Arguments
        z: shape (…, D).
        vectors: the codebook :math:`e`, shape (K, D).

    >>> nearest(torch.tensor([[0.9], [-3.0]]), torch.tensor([[0.0], [1.0]]))
    tensor([1, 0])
    """
    # ‖z − e‖² = ‖z‖² − 2 z·e + ‖e‖², and ‖z‖² is the same for every code
    return (vectors.square().sum(1) - 2 * z @ vectors.T).argmin(-1)


def straight_through(z: Tensor, e: Tensor) -> Tensor:
    """Return e, with a gradient that goes to z as if the two were one (Bengio et al. 2013): section 3.2 of the paper.

    >>> z = torch.tensor([0.3], requires_grad=True)
    >>> (2 * straight_through(z, torch.tensor([1.0]))).backward()
    >>> z.grad
    tensor([2.])
    """
    return z + (e - z).detach()


class Codebook(nn.Module):
    r"""K vectors of D numbers, and how they follow what is assigned to them.

    With ``decay`` they are moving averages of the encoder's outputs (appendix A.1 of the paper):

    .. math:: N_k \leftarrow \gamma N_k + (1 - \gamma)\, n_k, \qquad
              m_k \leftarrow \gamma m_k + (1 - \gamma) \sum_{i \to k} z_i, \qquad e_k = m_k / N_k

    Without it they are parameters that the codebook's own loss moves, the second term of eq. 3.

    Arguments
        size: K, at least 2.
        dim: D.
        decay: :math:`\gamma` in (0, 1), or None for gradients.
        revive: a code whose moving count falls below this is put where a random output of the encoder lies. 0: never.
    """

    def __init__(self, size: int, dim: int, *, decay: float | None = 0.98, revive: float = 0.1):
        super().__init__()
        if size < 2 or dim < 1:
            raise ValueError(f"size, dim: expected at least 2 and 1, received {size} and {dim}")
        if decay is not None and not 0 < decay < 1:
            raise ValueError(f"decay: expected None or a number in (0, 1), received {decay}")
        if revive < 0 or (revive and decay is None):
            raise ValueError(f"revive: expected 0 without a decay, and never less, received {revive}")
        self.size, self.dim, self.decay, self.revive = size, dim, decay, revive
        start = torch.empty(size, dim).uniform_(-1 / size, 1 / size)
        if decay is None:
            self.vectors = nn.Parameter(start)
        else:
            self.register_buffer("vectors", start)
            self.register_buffer("count", torch.ones(size))
            self.register_buffer("total", start.clone())

    @torch.no_grad()
    def follow(self, z: Tensor, codes: Tensor) -> None:
        """Move the averages towards a batch of outputs z, shape (N, D), with their codes, shape (N,)."""
        if self.decay is None:
            return
        n = z.new_zeros(self.size).index_add_(0, codes, torch.ones_like(z[:, 0]))
        total = torch.zeros_like(self.total).index_add_(0, codes, z)
        self.count.lerp_(n, 1 - self.decay)
        self.total.lerp_(total, 1 - self.decay)
        if self.revive:
            dead = self.count < self.revive
            fresh = z[torch.randint(len(z), (self.size,), device=z.device)]
            self.count[dead], self.total[dead] = 1.0, fresh[dead]
        self.vectors.copy_(self.total / self.count.clamp(min=1e-5)[:, None])


class VQ(Generative):
    r"""A vector-quantised autoencoder with an autoregressive prior over its codes, perhaps given a class.

    The loss of encoder and decoder is (eq. 3 of the paper), with ``sg`` for "no gradient",

    .. math:: -\log p_\theta(x \mid e_k) + \|\mathrm{sg}(z) - e_k\|^2 + \beta \|z - \mathrm{sg}(e_k)\|^2,

    its second term only where the codebook learns by gradients. In the last part of training the prior learns
    :math:`\log p(k \mid c)` of the codes k, while all else stands still. For the codes k that the encoder picks,

    .. math:: \log p(x \mid c) \ge \log p_\theta(x \mid e_k) + \log p(k \mid c),

    since the left side sums such terms over *all* codes: ``elbo`` returns the right side.

    Arguments
        encoder: from images (B, C, H, W) to (B, T, D): a vector for each of T places.
        decoder: from (B, T, D) to (B, C, H, W, pixels.per_pixel).
        codebook: its D is the encoder's.
        prior: a model of sequences with ``given`` and ``writer``, as a GPT has them: over ``codebook.size + classes +
            1`` tokens, with a context of at least T. The last tokens say the class, or that none is given.
        shape: (C, H, W) of an image.
        places: T.
        pixels: what the decoder says about a pixel: a family of :mod:`genkit.distributions`.
        commitment: β, 0.25 in the paper.
        classes: the number of classes of c, int64 of shape (B,); 0 for an unconditional model.
        label_dropout: how often the prior learns without the class, so that c = None works too.
        split: the part of training after which the prior learns.
    """

    likelihood = "bound"

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, codebook: Codebook, prior: Generative, *,
        shape: tuple[int, int, int], places: int, pixels: Family, commitment: float = 0.25, classes: int = 0,
        label_dropout: float = 0.1, split: float = 0.6, prior_lr: float = 1.0,
    ):  # fmt: skip
        super().__init__()
        if prior.vocabulary != codebook.size + classes + 1 or prior.context < places:
            raise ValueError(
                f"prior: expected {codebook.size + classes + 1} tokens and a context of at least {places}, received "
                f"{prior.vocabulary} and {prior.context}"
            )
        if commitment < 0:
            raise ValueError(f"commitment: expected a number >= 0, received {commitment}")
        if not 0 < split < 1:
            raise ValueError(f"split: expected a number in (0, 1), received {split}")
        self.encoder, self.decoder, self.codebook, self.prior = encoder, decoder, codebook, prior
        self.shape, self.places, self.pixels, self.commitment = tuple(shape), places, pixels, commitment
        self.classes, self.label_dropout, self.split, self.prior_lr = classes, label_dropout, split, prior_lr

    def vectors(self, x: Tensor) -> Tensor:
        """Return what the encoder says of images of shape (B, C, H, W), before the codebook: shape (B, T, D)."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected images of shape (B, *{self.shape}), received {tuple(x.shape)}")
        return self.encoder(x)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of images: int64 in 0 … K − 1, shape (B, T)."""
        return nearest(self.vectors(x), self.codebook.vectors)

    def decode(self, codes: Tensor) -> Pixels:
        """Return p(x | codes) for codes of shape (B, T): ``.mean``, ``.log_prob(x)`` and ``.sample()``."""
        if codes.is_floating_point() or codes.ndim != 2 or codes.shape[1] != self.places:
            raise ValueError(
                f"codes: expected int64 of shape (B, {self.places}), received {codes.dtype} {tuple(codes.shape)}"
            )
        return self._pixels(self.codebook.vectors[codes])

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the loss of encoder and decoder in nats per image, shape (B,), and its parts. The class plays no part.

        In training the codebook's averages follow the batch.
        """
        z = self.vectors(x)
        codes = nearest(z, self.codebook.vectors)
        e = self.codebook.vectors[codes]
        reconstruction = -self._pixels(straight_through(z, e)).log_prob(x)
        gap = (z - e.detach()).square().sum((1, 2))
        loss = reconstruction + self.commitment * gap
        if self.codebook.decay is None:
            loss = loss + (z.detach() - e).square().sum((1, 2))
        if self.training:
            self.codebook.follow(z.detach().flatten(0, 1), codes.flatten())
        return {"loss": loss, "reconstruction": reconstruction, "gap": gap}

    def prior_loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the prior's loss on the codes of images x, nats per code, shape (B,). No gradient reaches the rest."""
        with torch.no_grad():
            codes = self.encode(x)
        return {"loss": -self.log_prior(codes, hide(c, len(x), self.classes, self.label_dropout)) / self.places}

    def log_prior(self, codes: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the exact log-probability of codes of shape (B, T), given the class: nats, shape (B,)."""
        given = self.prior.given(codes, self._begin(c, len(codes)))[..., : self.codebook.size]
        return given.log_softmax(-1).gather(-1, codes[..., None])[..., 0].sum(1)

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return log p(x | codes) + log p(codes | c) for the codes of x: a bound on log p(x | c), nats, shape (B,)."""
        codes = self.encode(x)
        return self.decode(codes).log_prob(x) + self.log_prior(codes, c)

    @torch.no_grad()
    def sample_codes(self, n: int, c: Tensor | None = None, *, temperature: float = 1.0) -> Tensor:
        """Draw codes of n images from the prior, one place after the other: int64 of shape (n, T)."""
        if not temperature > 0:
            raise ValueError(f"temperature: expected a number above 0, received {temperature}")
        tokens, writer = self._begin(c, n), self.prior.writer()
        for _ in range(self.places):
            left = (writer(tokens)[:, : self.codebook.size] / temperature).softmax(-1)
            tokens = torch.cat([tokens, torch.multinomial(left, 1)], 1)
        return tokens[:, 1:]

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, mean: bool = False, temperature: float = 1.0
    ) -> Iterator[Tensor]:
        """Yield n images: codes from the prior, decoded; the decoder's mean instead of a draw where ``mean`` is set."""
        p = self.decode(self.sample_codes(n, c, temperature=temperature))
        yield p.mean if mean else p.sample()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the mean image of each image's codes, shape (B, C, H, W)."""
        return self.decode(self.encode(x)).mean

    def players(self) -> list[Player]:
        """Return encoder, decoder and codebook, which move first, and the prior, which moves when they stand still."""
        first = [p for part in (self.encoder, self.decoder, self.codebook) for p in part.parameters()]
        prior = self.prior.players()[0]
        return [
            Player("codes", [p for p in first if p.requires_grad], self.loss, span=(0.0, self.split)),
            replace(prior, name="prior", loss=self.prior_loss, span=(self.split, 1.0), lr=self.prior_lr),
        ]

    def _pixels(self, e: Tensor) -> Pixels:
        return self.pixels.of(self.decoder(e))

    def _begin(self, c: Tensor | None, n: int) -> Tensor:
        """Return the token that says the class, or the last one for none: int64 of shape (n, 1)."""
        c = torch.full((1,), self.classes, device=self.device) if c is None else c
        if c.dtype != torch.int64 or c.ndim != 1 or not 0 <= int(c.min()) <= int(c.max()) <= self.classes:
            raise ValueError(
                f"c: expected int64 labels in [0, {self.classes}) of shape (n,), received {c.dtype} {tuple(c.shape)}"
            )
        return (self.codebook.size + rows(c, n))[:, None]
