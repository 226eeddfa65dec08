"""Guidance, times, and walks along a field of velocities, against what is known and against torchdiffeq."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.sampling import guided, solve, times


def field(x, t, c=None):
    """A turning flow with a known end."""
    return torch.stack([-x[:, 1], x[:, 0]], 1) * (1 + t[:, None])


def last(walk):
    *_, x = walk
    return x


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_times_are_even_and_end_where_they_should(steps, start, end):
    path = times(steps, start, end)
    assert len(path) == steps + 1 and path[0] == start and path[-1] == end
    gaps = [b - a for a, b in pairwise(path)]
    assert max(gaps) - min(gaps) < 1e-12


@pytest.mark.parametrize("steps", [0, -3])
def test_fewer_than_one_step_is_refused(steps):
    with pytest.raises(ValueError, match=f"steps: expected at least 1, received {steps}"):
        times(steps)


@pytest.mark.parametrize("w", [0.0, 0.5, 1.0, 3.0])
def test_guidance_is_a_line_through_both_answers(w):
    def net(x, t, c=None):
        return x.sin() if c is None else x.cos() * c[:, None]

    x, t, c = torch.randn(5, 3), torch.rand(5), torch.arange(5)
    torch.testing.assert_close(guided(net, w)(x, t, c), (1 - w) * net(x, t) + w * net(x, t, c))


def test_no_guidance_is_the_network_itself_and_asks_it_once():
    def net(x, t, c=None):
        return x

    assert guided(net, 1.0) is net
    with pytest.raises(ValueError, match=r"guidance: expected 1 .* received 2.0"):
        guided(net, 2.0)(torch.zeros(1), torch.zeros(1))


def turned(x, angle):
    c, s = math.cos(angle), math.sin(angle)
    return x @ torch.tensor([[c, s], [-s, c]], dtype=x.dtype)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2)])
def test_the_error_falls_as_fast_as_the_methods_order_says(method, order):
    x = torch.randn(4, 2, dtype=torch.float64)
    end = turned(x, 1.5)  # ∫ (1 + t) dt over [0, 1]
    errors = [
        (last(solve(field, x, times(n, 0.0, 1.0), method=method)) - end).norm().item() for n in (20, 40, 80)
    ]  # fmt: skip
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.15)


def test_a_walk_back_returns():
    x = torch.randn(6, 2, dtype=torch.float64)
    there = last(solve(field, x, times(200, 0.0, 1.0), method="heun"))
    torch.testing.assert_close(last(solve(field, there, times(200), method="heun")), x, atol=1e-4, rtol=0)


def test_it_agrees_with_torchdiffeq():
    odeint = pytest.importorskip("torchdiffeq").odeint
    x, path = torch.randn(5, 2, dtype=torch.float64), times(30, 0.0, 1.0)

    def func(t, x):
        return field(x, t.expand(len(x)))

    at = torch.tensor(path, dtype=torch.float64)
    for ours, theirs in (("euler", "euler"), ("heun", "heun2")):
        walk = torch.stack([x, *solve(field, x, path, method=ours)])
        torch.testing.assert_close(walk, odeint(func, x, at, method=theirs), atol=1e-6, rtol=0)
    exact = odeint(func, x, at, method="dopri5", rtol=1e-9, atol=1e-9)[-1]
    torch.testing.assert_close(last(solve(field, x, times(2000, 0.0, 1.0), method="heun")), exact, atol=1e-6, rtol=0)


def test_the_condition_reaches_the_velocity():
    walk = solve(lambda x, t, c: c[:, None] + 0 * x, torch.zeros(3, 1), times(10, 0.0, 1.0), torch.tensor([0, 1, 2]))
    torch.testing.assert_close(last(walk)[:, 0], torch.tensor([0.0, 1.0, 2.0]))


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match=r"method: expected one of euler, heun; received 'huen'. Did you mean 'heun'"):
        next(solve(field, torch.zeros(1, 2), times(1), method="huen"))
