r"""The plainest generative model with classes: a share for each class, and a Gaussian for what belongs to it.

.. math:: p(x, y) = p(y)\, p(x \mid y), \qquad p(x \mid y) = \mathcal N(x;\, \mu_y, \Sigma_y)

Bishop (2006), section 4.2. Nothing is trained by gradients: counting and averaging give the most likely parameters.
Naive Bayes has diagonal covariances; Fisher's linear discriminant (1936) shares one covariance among the classes.
"""

import copy
import math

import torch
from torch import Tensor

from ..base import Generative, Terms, rows


class GaussianClasses(Generative):
    r"""A Gaussian for each class, fitted by averages, its covariances pulled towards a sphere.

    .. math:: \Sigma = (1 - \alpha)\, S + \alpha\, \tfrac{\operatorname{tr} S}{D}\, I + \text{floor} \cdot I

    with S the covariance of the class (Ledoit & Wolf 2004, eq. 14, choose α). Densities are those of numbers, not of
    grey levels: they compare with one another, and not with probabilities of discrete pixels.

    Arguments
        shape: of an example; D is the product of its sides.
        classes: how many, at least 1. One class is a single Gaussian.
        diagonal: coordinates are independent given the class ("naive").
        shared: one covariance for all classes, the mean of theirs weighted by their shares.
        shrink: α in [0, 1]; None estimates it from the data.
        floor: variance that is added to every coordinate, at least 0, in squared units of x.

    >>> x, c = torch.tensor([[0.0], [2.0], [10.0], [12.0]]), torch.tensor([0, 0, 1, 1])
    >>> model = GaussianClasses(shape=(1,), classes=2).fit(x, c)
    >>> model.posterior(torch.tensor([[5.0], [6.0], [9.0]])).exp()[:, 1].round(decimals=3)
    tensor([0.0000, 0.5000, 1.0000])
    """

    likelihood = "exact"

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        classes: int,
        diagonal: bool = False,
        shared: bool = False,
        shrink: float | None = 0.0,
        floor: float = 0.0,
    ):
        super().__init__()
        if classes < 1:
            raise ValueError(f"classes: expected at least 1, received {classes}")
        if shrink is not None and not 0 <= shrink <= 1:
            raise ValueError(f"shrink: expected a number in [0, 1] or None, received {shrink}")
        if floor < 0:
            raise ValueError(f"floor: expected at least 0, received {floor}")
        self.shape, self.classes, self.diagonal, self.shared = tuple(shape), classes, diagonal, shared
        self.shrink, self.floor, d = shrink, floor, math.prod(shape)
        self.register_buffer("log_share", torch.full((classes,), -math.log(classes)).double())  # log p(y)
        self.register_buffer("mean", torch.zeros(classes, d).double())
        self.register_buffer("cov", torch.eye(d).double().repeat(classes, 1, 1))

    @property
    def device(self) -> torch.device:
        """The device that holds the averages: there are no parameters."""
        return self.mean.device

    def fit(self, x: Tensor, c: Tensor) -> "GaussianClasses":
        """Take shares, means and covariances from examples of shape (N, *shape) with labels, int64 of shape (N,).

        Raises ``ValueError`` where a class has no example, and where a covariance is singular.
        """
        x = self._flat(x)
        count = _counted(c, len(x), self.classes)
        mean = torch.stack([x[c == k].mean(0) for k in range(self.classes)])
        away = x - mean[c]
        covs = []
        for group in [away] if self.shared else [away[c == k] for k in range(self.classes)]:
            s = group.T @ group / len(group)  # (D, D)
            if self.diagonal:
                s = s.diagonal().diag()
            alpha = ledoit_wolf(group) if self.shrink is None else self.shrink
            round_ = (alpha * s.trace() / len(s) + self.floor) * torch.eye(len(s)).to(s)
            covs.append((1 - alpha) * s + round_)
        cov = torch.stack(covs).expand(self.classes, -1, -1).clone()
        if torch.linalg.cholesky_ex(cov).info.any():
            raise ValueError("x: expected covariances that are not singular; more examples, shrink or floor mend it")
        self.log_share, self.mean, self.cov = (count / len(x)).log(), mean, cov
        return self

    def with_share(self, share: Tensor) -> "GaussianClasses":
        """Return a copy that expects other shares of the classes: p(y), shape (classes,), of any positive sum."""
        if share.shape != self.log_share.shape or not (share > 0).all():
            raise ValueError(f"share: expected {self.classes} positive numbers, received {share.tolist()}")
        other = copy.deepcopy(self)
        other.log_share = share.double().log() - share.double().sum().log()
        return other

    def log_joint(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        """Return log p(y) + log p(x | y) for every class, shape (B, classes).

        ``known``, bool of the shape of an example, leaves out the coordinates that nobody has seen: a Gaussian's margin
        is the Gaussian of the rest.
        """
        at = self._places(known)
        return (self.log_share + self._log_normal(self._flat(x)[:, at], at)).to(x)

    def posterior(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        """Return log p(y | x) by Bayes' rule, shape (B, classes); ``known`` as in :meth:`log_joint`."""
        return self.log_joint(x, known).log_softmax(1)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the log-density log p(x | c), or log p(x) summed over classes where c is None: nats, shape (B,)."""
        if c is None:
            return self.log_joint(x).logsumexp(1)
        each = self.log_joint(x) - self.log_share.to(x)
        return each.gather(1, rows(c, len(x))[:, None])[:, 0]

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return −log p(x | c), or −log p(x). It has no gradient to follow: :meth:`fit` has found its minimum."""
        return {"loss": -self.log_prob(x, c)}

    @torch.no_grad()
    def trajectory(self, n: int, c: Tensor | None = None):
        """Yield n draws from p(x | c), or from p(x) where c is None: a class first, then its Gaussian."""
        c = torch.multinomial(self.log_share.exp(), n, replacement=True) if c is None else rows(c, n)
        eps = torch.randn(n, self.mean.shape[1], dtype=torch.float64, device=self.device)
        x = self.mean[c] + (torch.linalg.cholesky(self.cov)[c] @ eps[:, :, None])[:, :, 0]
        yield x.float().view(n, *self.shape)

    @torch.no_grad()
    def fill(self, x: Tensor, known: Tensor, c: Tensor | None = None, *, mean: bool = False) -> Tensor:
        r"""Return x with its unknown coordinates drawn given the known ones, or their expected values for ``mean``.

        .. math:: \mathbb E[x_u \mid x_k, y] = \mu_u + \Sigma_{uk} \Sigma_{kk}^{-1} (x_k - \mu_k), \qquad
                  \operatorname{Cov} = \Sigma_{uu} - \Sigma_{uk} \Sigma_{kk}^{-1} \Sigma_{ku}

        Bishop (2006), eqs. 2.81 and 2.82. Without c the class is drawn from p(y | x_k), or averaged over for ``mean``.
        """
        k, u = self._places(known), self._places(~known)
        flat, filled = self._flat(x), self._flat(x).clone()
        slope = torch.linalg.solve(self.cov[:, k][:, :, k], self.cov[:, k][:, :, u]).mT  # (classes, U, K)
        away = flat[:, None, k] - self.mean[:, k]  # (B, classes, K)
        guess = self.mean[:, u] + torch.einsum("yuk,byk->byu", slope, away)  # (B, classes, U)
        p = self.posterior(x, known).exp().double()  # (B, classes)
        if mean and c is None:
            filled[:, u] = (p[:, :, None] * guess).sum(1)
            return filled.to(x).view_as(x)
        c = torch.multinomial(p, 1)[:, 0] if c is None else rows(c, len(x))
        filled[:, u] = guess[torch.arange(len(x)), c]
        if not mean:
            left = self.cov[:, u][:, :, u] - slope @ self.cov[:, k][:, :, u]
            eps = torch.randn(len(x), int(u.sum()), 1, dtype=torch.float64, device=self.device)
            filled[:, u] += (torch.linalg.cholesky(left)[c] @ eps)[:, :, 0]
        return filled.to(x).view_as(x)

    def _log_normal(self, x: Tensor, at: Tensor) -> Tensor:
        """Return log N(x; μ, Σ) of the coordinates ``at`` for every class, shape (B, classes)."""
        factor = torch.linalg.cholesky(self.cov[:, at][:, :, at])  # (classes, d, d)
        away = (x[:, None] - self.mean[:, at]).permute(1, 2, 0)  # (classes, d, B)
        z = torch.linalg.solve_triangular(factor, away, upper=False)
        log_det = factor.diagonal(dim1=1, dim2=2).log().sum(1)
        return (-0.5 * z.square().sum(1) - log_det[:, None]).T - 0.5 * int(at.sum()) * math.log(2 * math.pi)

    def _flat(self, x: Tensor) -> Tensor:
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x: expected shape (N, {', '.join(map(str, self.shape))}), received {tuple(x.shape)}")
        return x.flatten(1).double()

    def _places(self, known: Tensor | None) -> Tensor:
        if known is None:
            return torch.ones(self.mean.shape[1], dtype=torch.bool, device=self.device)
        if known.dtype != torch.bool or tuple(known.shape) != self.shape:
            raise ValueError(
                f"known: expected bool of shape {self.shape}, received {known.dtype}, {tuple(known.shape)}"
            )
        return known.flatten()


def ledoit_wolf(x: Tensor) -> float:
    r"""Return how far to pull the covariance of centred rows x, shape (N, D), towards a sphere: α in [0, 1].

    .. math:: \alpha = \min\!\left(1,\ \frac{\frac1{N^2} \sum_n \|x_n x_n^\top - S\|^2}{\|S - m I\|^2}\right),
              \qquad m = \tfrac{\operatorname{tr} S}{D}

    Ledoit & Wolf (2004), lemmas 3.2 to 3.4. Few rows, or a nearly spherical cloud: α near 1. 1 where x is all zero.

    >>> torch.manual_seed(0)  # doctest: +ELLIPSIS
    <torch...>
    >>> x = torch.randn(1000, 5, dtype=torch.float64) * torch.tensor([1.0, 1, 1, 1, 9])
    >>> ledoit_wolf(x) < 0.01 < ledoit_wolf(x[:9])
    True
    """
    if x.ndim != 2 or not len(x):
        raise ValueError(f"x: expected shape (N, D) with N >= 1, received {tuple(x.shape)}")
    x = x.double()
    s = x.T @ x / len(x)
    spread = (s - s.trace() / len(s) * torch.eye(len(s)).to(s)).square().sum()
    noise = (x.square().sum(1).square().mean() - s.square().sum()) / len(x)
    return 1.0 if spread == 0 else min(1.0, (noise / spread).item())


def _counted(c: Tensor, n: int, classes: int) -> Tensor:
    if c.dtype != torch.int64 or tuple(c.shape) != (n,) or not 0 <= int(c.min()) <= int(c.max()) < classes:
        raise ValueError(
            f"c: expected int64 labels in [0, {classes}) of shape ({n},), received {c.dtype}, {tuple(c.shape)}"
        )
    count = c.bincount(minlength=classes)
    if (count == 0).any():
        raise ValueError(f"c: expected examples of every class, received none of {int(count.argmin())}")
    return count.double()
