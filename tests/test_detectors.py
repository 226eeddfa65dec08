"""Odd ones out: each score is what it says, all find what is plainly odd, and none changes what it was given."""

import pytest
import torch

from genkit.detectors import DETECTORS, by_a_gaussian, from_the_mean, from_the_plane
from genkit.metrics import auroc, pca_error


def cloud(n=200, d=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=g)
    return torch.randn(n, d, generator=g) @ mix


@pytest.mark.parametrize("name", DETECTORS)
def test_it_finds_what_lies_far_outside(name):
    train, fresh = cloud(400)[:200], cloud(400)[200:]
    kept = train.clone()
    g = torch.Generator().manual_seed(9)
    odd = fresh[:50] + 12 * torch.nn.functional.normalize(torch.randn(50, 4, generator=g), dim=1)
    score = DETECTORS[name](train)
    found = auroc(score(fresh), score(odd))
    assert score(odd).shape == (50,) and found.value > 0.85 and torch.equal(kept, train)
    assert auroc(score(fresh[:100]), score(fresh[100:])).value == pytest.approx(0.5, abs=0.12)


def test_a_gaussian_knows_the_shape_of_the_cloud_and_the_mean_does_not():
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 0.2])
    along, across = torch.tensor([[6.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert from_the_mean(x)(along) > from_the_mean(x)(across) and by_a_gaussian(x)(along) < by_a_gaussian(x)(across)


def test_a_gaussians_score_falls_as_its_log_density_rises():
    x, new = cloud(), cloud(20, seed=1).double()
    from sklearn.covariance import LedoitWolf

    fitted = LedoitWolf().fit(x.double().numpy())
    mean, cov = torch.tensor(fitted.location_), torch.tensor(fitted.covariance_)
    bell = torch.distributions.MultivariateNormal(mean, cov)
    difference = by_a_gaussian(x)(new) + 2 * bell.log_prob(new)
    torch.testing.assert_close(difference, difference[:1].expand(20))


def test_the_plane_is_that_of_the_books_own_score_of_pictures():
    x, new = torch.rand(60, 1, 6, 6), torch.rand(9, 1, 6, 6)
    ours = from_the_plane(x.flatten(1), 5)(new.flatten(1))
    torch.testing.assert_close(ours, pca_error(x.double(), 5)(new.double()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", DETECTORS)
def test_bad_input_is_named(name):
    with pytest.raises(ValueError, match=r"x: expected shape \(N, D\) with N >= 3, received \(2, 4\)"):
        DETECTORS[name](cloud(2))
