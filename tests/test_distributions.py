"""Distributions over codes and pixels: they sum to 1, agree with libraries, and refuse nonsense."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.distributions import (
    Gaussian,
    bernoulli,
    categorical,
    discretised_logistic,
    level_index,
    standard_normal_log_prob,
)

FAMILIES = {
    "categorical": (categorical(5), 5),
    "one bell": (discretised_logistic(5), 5),
    "three bells": (discretised_logistic(5, 3), 5),
    "bernoulli": (bernoulli(), 2),
}


@pytest.mark.parametrize("name", FAMILIES)
@given(scale=st.floats(0.1, 30), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_probabilities_of_all_levels_sum_to_one(name, scale, seed):
    family, levels = FAMILIES[name]
    params = scale * torch.randn(1, 1, 1, 1, family.per_pixel, generator=torch.Generator().manual_seed(seed))
    every = torch.linspace(0, 1, levels)[:, None, None, None]
    log_p = family.of(params.expand(levels, -1, -1, -1, -1)).log_prob(every)
    torch.testing.assert_close(log_p.logsumexp(0), torch.tensor(0.0), atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", FAMILIES)
def test_mean_is_the_expectation_and_samples_follow_it(name):
    family, levels = FAMILIES[name]
    torch.manual_seed(0)
    params = torch.randn(1, 1, 2, 2, family.per_pixel)
    p = family.of(params)
    draws = family.of(params.expand(20_000, -1, -1, -1, -1)).sample()
    torch.testing.assert_close(draws.mean(0), p.mean[0], atol=0.015, rtol=0)
    assert set((draws * (levels - 1)).unique().tolist()) <= set(range(levels))


@pytest.mark.parametrize("components", [1, 3])
def test_the_seen_level_alone_agrees_with_all_levels(components):
    family = discretised_logistic(17, components)
    torch.manual_seed(1)
    p = family.of(3 * torch.randn(6, 1, 4, 4, family.per_pixel))
    x = torch.randint(17, (6, 1, 4, 4)) / 16
    expected = p.log_p().gather(-1, level_index(x, 17).unsqueeze(-1)).flatten(1).sum(1)
    torch.testing.assert_close(p.log_prob(x), expected, atol=2e-4, rtol=1e-5)


def test_narrow_bells_have_finite_gradients():
    family = discretised_logistic(256)
    params = torch.tensor([0.0, 5.0, -50.0]).expand(256, 1, 1, 1, 3).clone().requires_grad_()
    log_p = family.of(params).log_prob(torch.linspace(0, 1, 256)[:, None, None, None])
    log_p.sum().backward()
    assert log_p.isfinite().all() and params.grad.isfinite().all()


def test_bernoulli_of_grey_is_the_expected_log_probability_of_coin_tosses():
    torch.manual_seed(2)
    logits, x = torch.randn(1, 1, 1, 1, 1), torch.tensor(0.3).expand(1, 1, 1, 1)
    p = bernoulli().of(logits)
    expected = 0.3 * p.log_prob(torch.ones_like(x)) + 0.7 * p.log_prob(torch.zeros_like(x))
    torch.testing.assert_close(p.log_prob(x), expected)


def test_gaussian_agrees_with_torch():
    torch.manual_seed(3)
    q = Gaussian(torch.randn(7, 3), torch.rand(7, 3) + 0.1)
    oracle, unit = torch.distributions.Normal(q.mean, q.std), torch.distributions.Normal(0.0, 1.0)
    z = torch.randn(7, 3)
    torch.testing.assert_close(q.log_prob(z), oracle.log_prob(z).sum(-1))
    torch.testing.assert_close(q.kl_to_standard(), torch.distributions.kl_divergence(oracle, unit))
    torch.testing.assert_close(standard_normal_log_prob(z), unit.log_prob(z).sum(-1))


def test_rsample_has_the_stated_moments_and_a_gradient():
    torch.manual_seed(4)
    mean, std = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]])
    z = Gaussian(mean.expand(40_000, 2), std.expand(40_000, 2)).rsample()
    torch.testing.assert_close(z.mean(0), mean[0], atol=0.06, rtol=0)
    torch.testing.assert_close(z.std(0), std[0], rtol=0.02, atol=0)
    mean.requires_grad_(), std.requires_grad_()
    Gaussian(mean, std).rsample().sum().backward()
    assert (mean.grad == 1).all() and std.grad.abs().gt(0).all()


@pytest.mark.parametrize("make", [categorical, discretised_logistic])
def test_fewer_than_two_levels_is_refused(make):
    with pytest.raises(ValueError, match="levels: expected at least 2, received 1"):
        make(1)


def test_no_bells_is_refused():
    with pytest.raises(ValueError, match="components: expected at least 1, received 0"):
        discretised_logistic(17, 0)
