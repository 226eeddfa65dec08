"""Forecasts, and what they are held against: the pinball loss, persistence, a linear autoregression."""

import torch
from torch import Tensor

from ..base import Estimate


def pinball(forecast: Tensor, truth: Tensor, quantiles: tuple[float, ...], *, unit: str = "") -> Estimate:
    r"""Return the mean pinball loss of quantile forecasts, smallest for the true quantiles (Koenker & Bassett 1978).

    .. math:: \ell_q(y, \hat y) = \max\big(q (y - \hat y),\; (q - 1)(y - \hat y)\big)

    Arguments
        forecast: shape (Q, N, T).
        truth: what came, shape (N, T); the standard error is over the N.
        quantiles: which quantiles were forecast.

    >>> pinball(torch.zeros(1, 2, 1), torch.tensor([[1.0], [-1.0]]), (0.9,))
    Estimate(0.50 ± 0.40, exact)
    """
    if forecast.shape != (len(quantiles), *truth.shape):
        raise ValueError(
            f"forecast: expected the shape {(len(quantiles), *truth.shape)}, received {tuple(forecast.shape)}"
        )
    q, error = torch.tensor(quantiles).view(-1, 1, 1), truth - forecast
    return Estimate.mean(torch.maximum(q * error, (q - 1) * error).mean((0, 2)), kind="exact", unit=unit)


class LinearAR:
    r"""A linear autoregression with Gaussian noise, by least squares (Yule 1927).

    .. math:: x_t = a_0 + \sum_{i=1}^{p} a_i x_{t-i} + \sigma \varepsilon_t
    """

    def __init__(self, order: int):
        if order < 1:
            raise ValueError(f"order: expected at least 1, received {order}")
        self.order = order

    def fit(self, rows: Tensor) -> "LinearAR":
        """Fit to series of shape (N, T) with T above the order."""
        if rows.ndim != 2 or rows.shape[1] <= self.order:
            raise ValueError(f"rows: expected shape (N, T) with T > {self.order}, received {tuple(rows.shape)}")
        windows = rows.unfold(1, self.order + 1, 1).reshape(-1, self.order + 1).double()
        past, now = torch.cat([torch.ones(len(windows), 1), windows[:, :-1]], 1), windows[:, -1:]
        self.weights = torch.linalg.lstsq(past, now).solution[:, 0].float()
        self.sigma = (now - past @ self.weights.double()[:, None]).std().item()
        return self

    def mean(self, rows: Tensor) -> Tensor:
        """Return the expected next value after each row, shape (N,)."""
        return self.weights[0] + rows[:, -self.order :] @ self.weights[1:]

    def log_prob(self, rows: Tensor, width: float) -> Tensor:
        """Return log p of every value from the order-th on, as levels of ``width``, shape (N, T − order)."""
        windows = rows.unfold(1, self.order + 1, 1)
        mean = self.weights[0] + windows[..., :-1] @ self.weights[1:]
        bell = torch.distributions.Normal(mean, self.sigma)
        upper, lower = bell.cdf(windows[..., -1] + width / 2), bell.cdf(windows[..., -1] - width / 2)
        return (upper - lower).clamp(min=1e-12).log()

    def forecast(self, past: Tensor, horizon: int, *, quantiles: tuple[float, ...], draws: int = 200) -> Tensor:
        """Return quantiles of what follows each past of shape (N, T), by drawing futures: shape (Q, N, horizon)."""
        rows = past.repeat_interleave(draws, 0)
        for _ in range(horizon):
            rows = torch.cat([rows, (self.mean(rows) + self.sigma * torch.randn(len(rows)))[:, None]], 1)
        futures = rows[:, past.shape[1] :].view(len(past), draws, horizon)
        return futures.quantile(torch.tensor(quantiles), dim=1)
