r"""Models of black-and-white pictures whose likelihood and whose samples say opposite things.

After Theis, van den Oord and Bethge (2016), section 3: a mixture that is nearly all noise keeps nearly all of its
log-likelihood, and a model that hands out its training pictures has perfect samples and a hopeless one.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..base import Generative, Terms


class Coins(Generative):
    """A fair coin for every pixel: all pictures of a shape are equally likely.

    >>> Coins((1, 2, 2)).log_prob(torch.zeros(1, 1, 2, 2)).exp()
    tensor([0.0625])
    """

    likelihood = "exact"

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.shape = tuple(shape)
        self.register_buffer("place", torch.empty(0))

    @property
    def device(self) -> torch.device:
        """The device on which it draws."""
        return self.place.device

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return −D log 2 for every picture, shape (B,)."""
        return x.new_full((len(x),), -math.prod(self.shape) * math.log(2))

    def trajectory(self, n: int, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yield pictures of noise, shape (n, *shape)."""
        yield torch.bernoulli(torch.full((n, *self.shape), 0.5, device=self.device))


class Copies(Generative):
    r"""A training picture, with every pixel flipped by a small chance.

    .. math:: p(x) = \frac1N \sum_{n=1}^N f^{\,d(x, x_n)}\, (1 - f)^{D - d(x, x_n)}

    with d the number of pixels in which two pictures differ: a kernel density estimate for black and white.

    Arguments
        x: training pictures of zeros and ones, shape (N, …).
        flip: f, in (0, 0.5].

    >>> Copies(torch.ones(1, 2), flip=0.5).log_prob(torch.zeros(1, 2)).exp()
    tensor([0.2500])
    """

    likelihood = "exact"

    def __init__(self, x: Tensor, flip: float):
        super().__init__()
        if not 0 < flip <= 0.5:
            raise ValueError(f"flip: expected a number in (0, 0.5], received {flip}")
        if len(x) == 0 or not ((x == 0) | (x == 1)).all():
            raise ValueError("x: expected pictures of zeros and ones, at least one, received others")
        self.flip = flip
        self.register_buffer("x", x)

    @property
    def device(self) -> torch.device:
        """The device that holds the pictures."""
        return self.x.device

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return log p(x) in nats, shape (B,)."""
        differ = torch.cdist(x.flatten(1).double(), self.x.flatten(1).double(), p=1)  # (B, N)
        pixels = self.x[0].numel()
        log_p = differ * math.log(self.flip) + (pixels - differ) * math.log1p(-self.flip)
        return (log_p.logsumexp(1) - math.log(len(self.x))).to(x)

    def trajectory(self, n: int, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yield pictures, shape (n, …)."""
        chosen = self.x[torch.randint(len(self.x), (n,), device=self.device)]
        yield (chosen - torch.bernoulli(torch.full_like(chosen, self.flip))).abs()


class Blend(Generative):
    r"""With probability ``share`` the first model, otherwise the second: :math:`p = s\,p_1 + (1 - s)\,p_2`.

    Since :math:`p \ge s\,p_1`, no picture loses more than :math:`\log 1/s` nats against the first model alone.

    Arguments
        first, second: models with an exact ``log_prob``.
        share: s in (0, 1).

    >>> one = Copies(torch.ones(1, 2), flip=0.1)
    >>> round(Blend(one, Coins((2,)), share=0.5).log_prob(torch.ones(1, 2)).exp().item(), 4)  # ½ 0.81 + ½ 0.25
    0.53
    """

    likelihood = "exact"

    def __init__(self, first: Generative, second: Generative, share: float):
        super().__init__()
        if not 0 < share < 1:
            raise ValueError(f"share: expected a number in (0, 1), received {share}")
        for name, model in (("first", first), ("second", second)):
            if model.likelihood != "exact":
                raise ValueError(f"{name}: expected a model with an exact log_prob, received {model.likelihood!r}")
        self.models, self.share = nn.ModuleList([first, second]), share
        self.train(first.training)  # a part that is ready for use stays so

    @property
    def device(self) -> torch.device:
        """The device of the first model."""
        return self.models[0].device

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return log p(x) in nats, shape (B,)."""
        first, second = (model.log_prob(x, c) for model in self.models)
        return torch.logaddexp(first + math.log(self.share), second + math.log1p(-self.share))

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return minus the log-likelihood."""
        return {"loss": -self.log_prob(x, c)}

    def trajectory(self, n: int, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yield examples, shape (n, …): each is the first model's with probability ``share``."""
        first, second = (model.sample(n, c) for model in self.models)
        mine = torch.rand(n, device=first.device) < self.share
        yield torch.where(mine.view(-1, *[1] * (first.ndim - 1)), first, second.to(first))
