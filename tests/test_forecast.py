"""Forecasts and made-up signals: what is known of them is found again."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import metrics
from genkit.data import load
from genkit.data.seasons import LEVELS, MEMORY, best_forecast, best_log_prob, noise_size, signal, simulate


@given(q=st.floats(0.05, 0.95), seed=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_the_pinball_loss_is_least_at_the_quantile(q, seed):
    y = torch.randn(1, 400, generator=torch.Generator().manual_seed(seed)).expand(2, -1)
    at = y[0].quantile(q)
    loss = {d: metrics.pinball((at + d).expand(1, *y.shape), y, (q,)).value for d in (-0.5, -0.1, 0.0, 0.1, 0.5)}
    assert loss[0.0] <= min(loss.values()) + 1e-4


def test_the_pinball_loss_of_the_median_is_half_the_absolute_error():
    g = torch.Generator().manual_seed(0)
    y, f = torch.randn(5, 7, generator=g), torch.randn(5, 7, generator=g)
    assert metrics.pinball(f[None], y, (0.5,)).value == pytest.approx((y - f).abs().mean().item() / 2, rel=1e-5)
    with pytest.raises(ValueError, match=r"forecast: expected the shape \(2, 5, 7\), received \(1, 5, 7\)"):
        metrics.pinball(f[None], y, (0.5, 0.9))


def test_a_linear_autoregression_finds_its_coefficients():
    g = torch.Generator().manual_seed(0)
    x = [torch.zeros(20), torch.zeros(20)]
    for _ in range(2000):
        x.append(0.1 + 0.6 * x[-1] - 0.3 * x[-2] + 0.5 * torch.randn(20, generator=g))
    rows = torch.stack(x, 1)
    model = metrics.LinearAR(2).fit(rows)
    torch.testing.assert_close(model.weights, torch.tensor([0.1, -0.3, 0.6]), atol=0.02, rtol=0)  # oldest first
    assert model.sigma == pytest.approx(0.5, abs=0.01)
    width = 0.01
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.25) - math.log(width)
    assert -model.log_prob(rows[:, 500:], width).mean().item() == pytest.approx(entropy, abs=0.02)
    torch.manual_seed(0)
    low, high = model.forecast(rows[:, :100], 50, quantiles=(0.1, 0.9), draws=400)
    inside = ((rows[:, 100:150] >= low) & (rows[:, 100:150] <= high)).float().mean()
    assert inside.item() == pytest.approx(0.8, abs=0.05)
    for bad, message in ((0, "order: expected at least 1"), (3, "rows: expected shape")):
        with pytest.raises(ValueError, match=message):
            metrics.LinearAR(bad).fit(torch.zeros(2, 3))


def test_the_series_is_what_it_says():
    hour = torch.arange(7 * 24)
    assert not torch.allclose(signal(hour[:24]), signal(hour[5 * 24 : 6 * 24])), "free days differ"
    torch.testing.assert_close(signal(hour), signal(hour + 3 * 168))
    g = torch.Generator().manual_seed(0)
    many = simulate(200, g, n=4000, start=0)
    hours = torch.arange(200)
    noise = many - signal(hours)
    torch.testing.assert_close(many.mean(0), signal(hours), atol=1.0, rtol=0)
    fresh = noise[:, 1:] - MEMORY * noise[:, :-1]
    torch.testing.assert_close(fresh.std(0), noise_size(hours)[1:], atol=0.4, rtol=0.05)


def test_windows_of_the_series_do_not_mix_parts():
    data = load("seasons", weeks=40, window=48)
    whole = 40 * 168
    ends = [int(s.factors["hour"][-1]) + 48 for s in (data.train, data.valid, data.test)]
    starts = [int(s.factors["hour"][0]) for s in (data.train, data.valid, data.test)]
    assert ends[0] <= starts[1] and ends[1] <= starts[2] and ends[2] <= whole
    assert data.train.x.min() >= 0 and data.train.x.max() <= 1
    again = load("seasons", weeks=40, window=48)
    assert again.sha256 == data.sha256 != load("seasons", weeks=40, window=48, seed=1).sha256
    with pytest.raises(ValueError, match="weeks: expected at least 25 for windows of 384 hours, received 3"):
        load("seasons", weeks=3)


def test_nobody_forecasts_the_series_better_than_its_maker():
    test = load("seasons").test
    x, hour = test.x, test.factors["hour"]
    past, truth = x[:, :-24], x[:, -24:]
    quantiles = (0.1, 0.5, 0.9)
    best = best_forecast(past, hour, 24, quantiles=quantiles)
    inside = ((truth >= best[0]) & (truth <= best[2])).float().mean().item()
    assert inside == pytest.approx(0.8, abs=0.05)
    torch.manual_seed(0)
    linear = metrics.LinearAR(168).fit(load("seasons").train.x[::32])
    other = linear.forecast(past, 24, quantiles=quantiles)
    assert metrics.pinball(best, truth, quantiles).value < metrics.pinball(other, truth, quantiles).value
    assert best_log_prob(x, hour)[:, 168:].mean() > linear.log_prob(x, 1 / (LEVELS - 1)).mean() + 0.2


def test_tones_have_the_pitch_and_kind_they_claim():
    data = load("tones", n=200, samples=2048)
    assert data.classes == ("flute", "string", "a", "i", "u") and data.train.x.shape == (160, 2048)
    assert (data.train.x * 255 - (data.train.x * 255).round()).abs().max() < 1e-4
    power = torch.fft.rfft(data.train.x - 0.5, n=32768).abs()
    pitch = data.train.factors["pitch"]
    flutes = data.train.c == 0
    found = power[flutes].argmax(1) * 4000 / 32768
    assert (1200 * (found / pitch[flutes]).log2().abs()).max() < 20, "within a fifth of a semitone"
    vowels = data.train.c == 3
    strongest = power[vowels][:, 500:].argmax(1).add(500) * 4000 / 32768  # above 61 Hz
    assert ((strongest - 270).abs() < 160).float().mean() > 0.8, "an i resounds low"
    assert load("tones", n=20).sha256 == load("tones", n=20).sha256
    few = load("tones", n=50, notes=3)
    assert len(few.train.factors["pitch"].unique()) == 3 and few.train.factors["pitch"].min() == 110
    with pytest.raises(ValueError, match="n, samples: expected at least 10 and 2, received 5 and 512"):
        load("tones", n=5)
    with pytest.raises(ValueError, match="notes: expected at least 1, received 0"):
        load("tones", notes=0)
