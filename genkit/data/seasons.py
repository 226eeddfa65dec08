"""An hourly series with known seasons and known noise, so that the best possible forecast is known too."""

import math

import torch
from torch import Tensor

from .dataset import Dataset, Split, digest

DAY, WEEK, LEVELS = 24, 168, 256
MEMORY, NOISE = 0.7, 9.0  # of the noise: how much of it stays for the next hour, and its size in levels at noon


def signal(hour: Tensor) -> Tensor:
    """Return the expected value, in levels, of hours since a Monday's midnight: two peaks on five days, one on two."""
    day, free = 2 * math.pi * (hour % DAY) / DAY, (hour % WEEK) >= 5 * DAY
    work = 110 - 45 * torch.cos(day) - 30 * torch.cos(2 * day)
    rest = 95 - 40 * torch.cos(day - 0.8)
    return torch.where(free, rest, work)


def noise_size(hour: Tensor) -> Tensor:
    """Return the standard deviation, in levels, of the new noise of an hour: quiet at night, loud at noon."""
    return NOISE * (0.6 - 0.4 * torch.cos(2 * math.pi * (hour % DAY) / DAY))


def simulate(
    hours: int, generator: torch.Generator, *, n: int = 1, start: int | Tensor = 0, noise: Tensor | None = None
) -> Tensor:
    """Draw n series of ``hours`` hours in levels, shape (n, hours); ``noise``, shape (n,), is that of the hour before.

    Where ``start`` is a tensor of shape (n,), every series begins at an hour of its own.
    """
    hour = torch.as_tensor(start).expand(n)[:, None] + torch.arange(hours)
    expected, size = signal(hour), noise_size(hour)  # (n, hours)
    noise = torch.zeros(n) if noise is None else noise
    out = []
    for t in range(hours):
        noise = MEMORY * noise + size[:, t] * torch.randn(n, generator=generator)
        out.append(expected[:, t] + noise)
    return torch.stack(out, 1).clamp(0, LEVELS - 1)


def best_forecast(
    past: Tensor, hour: Tensor, horizon: int, *, quantiles: tuple[float, ...], draws: int = 200, seed: int = 0
) -> Tensor:
    """Return the quantiles that one forecasts who knows how the series is made, shape (Q, N, horizon).

    Arguments
        past: what came before, in [0, 1], shape (N, T).
        hour: the hour at which each past begins, shape (N,).
    """
    now = hour + past.shape[1]
    noise = past[:, -1] * (LEVELS - 1) - signal(now - 1)
    generator = torch.Generator().manual_seed(seed)
    n = len(past) * draws
    start, noise = now.repeat_interleave(draws), noise.repeat_interleave(draws)
    futures = simulate(horizon, generator, n=n, start=start, noise=noise) / (LEVELS - 1)
    return futures.view(len(past), draws, horizon).quantile(torch.tensor(quantiles), dim=1)


def best_log_prob(x: Tensor, hour: Tensor) -> Tensor:
    """Return log p of every value but the first, for one who knows how the series is made: nats, shape (N, T − 1)."""
    hours = hour[:, None] + torch.arange(x.shape[1])
    noise = x * (LEVELS - 1) - signal(hours)
    bell = torch.distributions.Normal(MEMORY * noise[:, :-1], noise_size(hours)[:, 1:])
    return (bell.cdf(noise[:, 1:] + 0.5) - bell.cdf(noise[:, 1:] - 0.5)).clamp(min=1e-12).log()


def seasons(weeks: int = 120, window: int = 384, seed: int = 0) -> Dataset:
    """Draw an hourly series, like the demand for electricity, and cut it into windows.

    Arguments
        weeks: of the series; eight tenths are to learn from, in order, a tenth each to choose by and to be judged on.
        window: hours in an example.
        seed: of the noise.

    x holds numbers in [0, 1] on 256 levels, shape (N, window); windows of training begin every six hours, held-out ones
    every 24. ``factors["hour"]`` is the hour, counted from a Monday's midnight, at which a window begins.
    """
    shortest = 10 * (window + DAY)
    if window < 2 or weeks * WEEK < shortest:
        least = math.ceil(shortest / WEEK)
        raise ValueError(f"weeks: expected at least {least} for windows of {window} hours, received {weeks}")
    series = simulate(weeks * WEEK, torch.Generator().manual_seed(seed))[0].round() / (LEVELS - 1)
    held = weeks * WEEK // 10
    edges = (0, weeks * WEEK - 2 * held, weeks * WEEK - held, weeks * WEEK)
    splits = []
    for i, step in enumerate((6, DAY, DAY)):
        windows = series[edges[i] : edges[i + 1]].unfold(0, window, step)
        splits.append(Split(windows, None, {"hour": edges[i] + step * torch.arange(len(windows))}))
    return Dataset("seasons", *splits, shape=(window,), levels=LEVELS, sha256=digest(*splits))
