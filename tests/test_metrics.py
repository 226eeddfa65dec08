"""Metrics against closed forms and libraries; standard errors against what repetition shows."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from sklearn.metrics import roc_auc_score
from torch import nn

from genkit import metrics
from genkit.base import Generative
from genkit.data import load
from genkit.distributions import Gaussian
from genkit.nn import classifier
from genkit.nn.classifier import KINDS, card


class Linear(Generative):
    """z ~ N(0, 1), x ~ N(2z, 1): everything is known. Its encoder is a little wrong on purpose."""

    likelihood = "bound"

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.3))

    def _parts(self, x, k):
        q = Gaussian((0.4 * x + self.shift).repeat(k, 1), torch.full((k * len(x), 1), 0.6))
        z = q.rsample()
        joint = Gaussian(2 * z, torch.ones_like(z)).log_prob(x.repeat(k, 1)) + Gaussian(0 * z, 0 * z + 1).log_prob(z)
        return (joint - q.log_prob(z)).unflatten(0, (k, len(x)))

    def log_weights(self, x, c=None, k=1):
        return self._parts(x, k)

    def elbo(self, x, c=None):
        return self._parts(x, 1)[0]


X = math.sqrt(5) * torch.randn(400, 1, generator=torch.Generator().manual_seed(0))
TRUTH = Gaussian(torch.zeros(400, 1), torch.full((400, 1), math.sqrt(5))).log_prob(X).mean().item()


def test_bounds_of_a_model_whose_log_probability_is_known():
    torch.manual_seed(0)
    elbo, iwae = metrics.elbo(Linear(), X, samples=200), metrics.iwae(Linear(), X, k=2000)
    gap = 0.5 * (5 * (0.36 + 0.3**2) - 1) - math.log(0.6 * math.sqrt(5))  # KL to the posterior N(0.4 x, 0.2)
    assert elbo.value == pytest.approx(TRUTH - gap, abs=0.02)
    assert iwae.value == pytest.approx(TRUTH, abs=0.01)
    assert elbo.kind == iwae.kind == "bound" and elbo.unit == "nats"


@pytest.mark.parametrize("rows", [7, 100, 100_000])
def test_iwae_does_not_depend_on_how_it_is_cut(rows):
    torch.manual_seed(0)
    assert metrics.iwae(Linear(), X[:50], k=500, rows_at_once=rows).value == pytest.approx(
        Gaussian(torch.zeros(50, 1), torch.full((50, 1), math.sqrt(5))).log_prob(X[:50]).mean().item(), abs=0.03
    )


def test_a_measurement_leaves_training_mode_as_it_was():
    model = Linear().train()
    metrics.elbo(model, X)
    assert model.training


def test_a_model_without_bound_is_refused():
    with pytest.raises(ValueError, match="expected one with a lower bound, received likelihood 'none'"):
        metrics.elbo(Generative(), X)
    with pytest.raises(ValueError, match="expected one with an exact log_prob"):
        metrics.log_prob(Linear(), X)


def test_bits_per_dim():
    assert metrics.bits_per_dim(-10 * math.log(2), 5).value == pytest.approx(2)
    found = metrics.bits_per_dim(metrics.elbo(Linear(), X), 1)
    assert found.value > 0 and found.unit == "bits/dim" and found.kind == "bound"


# baselines ------------------------------------------------------------


def every_image(levels, pixels):
    grid = torch.cartesian_prod(*[torch.arange(levels)] * pixels)
    return (grid / (levels - 1)).view(-1, 1, 1, pixels).float()


@pytest.mark.parametrize("make", [lambda: metrics.IndependentPixels(4), lambda: metrics.MixtureOfPixels(2, 4)])
def test_probabilities_of_all_images_sum_to_one(make):
    torch.manual_seed(0)
    model = make().fit(torch.randint(4, (60, 1, 1, 3)) / 3)
    assert model.log_prob(every_image(4, 3)).exp().sum().item() == pytest.approx(1.0, abs=1e-4)


def test_the_pca_bound_lies_below_the_probability_of_the_cell():
    # one pixel: the probability of a level is the integral of the density over it
    torch.manual_seed(0)
    x = torch.randint(4, (300, 1, 1, 2)) / 3
    model = metrics.ProbabilisticPCA(1, 4).fit(x)
    u = torch.linspace(-0.5, 0.5, 101)[:-1] + 0.005
    for image in every_image(4, 2)[::5]:
        points = image.flatten() * 3 + torch.cartesian_prod(u, u)
        exact = math.log(np.exp(model.pca.score_samples(points.numpy())).mean())
        assert model.log_prob_bound(image[None], samples=3000).item() <= exact + 0.02


def test_baselines_on_digits():
    data = load("digits")
    independent = metrics.IndependentPixels(17).fit(data.train.x)
    found = independent.evaluate(data.test.x)
    assert found.value == pytest.approx(-106.47, abs=0.02) and found.kind == "exact"
    counts = torch.stack([(data.train.x[:, 0, 3, 3] * 16).round() == k for k in range(17)]).sum(1)
    assert torch.allclose(independent.log_p[0, 3, 3].exp(), (counts + 1) / 1017)


# images ------------------------------------------------------------


def test_psnr_of_a_known_error():
    x = torch.rand(5, 1, 4, 4)
    assert metrics.psnr(x + 0.1, x).value == pytest.approx(20.0, abs=1e-4)
    with pytest.raises(ValueError, match="one that equals it"):
        metrics.psnr(x, x)
    with pytest.raises(ValueError, match="expected the shape of reference"):
        metrics.psnr(x[:2], x)


def test_sharpness_falls_with_blur_and_rises_with_grain():
    real = load("glyphs", letters="AB", draws=2).train.x
    blurred = torch.nn.functional.avg_pool2d(real, 3, stride=1, padding=1)
    assert metrics.sharpness(real, real).value == pytest.approx(1.0)
    assert (
        metrics.sharpness(blurred, real).value < 0.4 < 1.5 < metrics.sharpness(torch.bernoulli(real * 0.5), real).value
    )


def test_laplacian_of_a_single_dot():
    dot = torch.zeros(1, 1, 5, 5)
    dot[0, 0, 2, 2] = 1
    assert metrics.laplacian_energy(dot).item() == pytest.approx((16 + 4) / 25)


def frechet_oracle(a, b):
    a, b = a.double().numpy(), b.double().numpy()
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = linalg.sqrtm(cov_a @ cov_b).real
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root)


@given(seed=st.integers(0, 10_000), d=st.integers(2, 8))
@settings(max_examples=25, deadline=None)
def test_frechet_agrees_with_a_matrix_square_root_and_is_a_distance(seed, d):
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(60, d, generator=g) @ torch.randn(d, d, generator=g)
    b = torch.randn(80, d, generator=g) + 1
    assert metrics.frechet(a, b) == pytest.approx(frechet_oracle(a, b), rel=1e-6, abs=1e-6)
    assert metrics.frechet(a, b) == pytest.approx(metrics.frechet(b, a), rel=1e-6)
    assert abs(metrics.frechet(a, a)) < 1e-6 * d * (1 + a.var().item())


def test_frechet_needs_more_examples_than_features():
    with pytest.raises(ValueError, match="expected more than 5 examples"):
        metrics.frechet(torch.randn(5, 5), torch.randn(50, 5))


def test_frechet_ratio_of_real_images_is_one():
    data = load("digits", split="random")
    features = classifier("digits").features
    assert metrics.frechet_ratio(data.train.x, data.test.x, data.train.x, features, resamples=5).value == 1.0
    worse = metrics.frechet_ratio(data.train.x, data.test.x, torch.rand(500, 1, 8, 8), features, resamples=5)
    assert worse.value > 10


@given(seed=st.integers(0, 1000), n=st.integers(2, 30), m=st.integers(2, 30), ties=st.booleans())
@settings(max_examples=30, deadline=None)
def test_auroc_agrees_with_scikit_learn(seed, n, m, ties):
    g = torch.Generator().manual_seed(seed)
    a, b = torch.randn(n, generator=g), torch.randn(m, generator=g) + 0.5
    a, b = (a.round(), b.round()) if ties else (a, b)
    expected = roc_auc_score([0] * n + [1] * m, torch.cat([a, b]).numpy())
    assert metrics.auroc(a, b).value == pytest.approx(expected)


def test_aurocs_standard_error_is_the_spread_over_repetitions():
    g = torch.Generator().manual_seed(0)
    runs = [metrics.auroc(torch.randn(80, generator=g), torch.randn(60, generator=g) + 0.7) for _ in range(400)]
    spread = torch.tensor([r.value for r in runs]).std().item()
    assert np.mean([r.stderr for r in runs]) == pytest.approx(spread, rel=0.12)


def test_auroc_refuses_what_it_cannot_rank():
    with pytest.raises(ValueError, match="odd: expected numbers, received NaN"):
        metrics.auroc(torch.zeros(3), torch.tensor([1.0, math.nan]))


def test_two_samples_are_told_apart_only_where_they_differ():
    torch.manual_seed(0)
    same = metrics.two_sample_auroc(*(torch.randn(n, 3) for n in (300, 300, 200, 200)))
    other = metrics.two_sample_auroc(
        torch.randn(300, 3) + 1, torch.randn(300, 3), torch.randn(200, 3) + 1, torch.randn(200, 3)
    )
    assert abs(same.value - 0.5) < 4 * same.stderr and other.value > 0.75


@given(shift=st.floats(-5, 5), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_sliced_wasserstein_of_a_shift(shift, seed):
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(200, 3, generator=g)
    found = metrics.sliced_wasserstein(a, a + shift * torch.tensor([1.0, 0, 0]), projections=3000)
    assert found.value == pytest.approx(abs(shift) / 3**0.5, abs=4 * found.stderr + 1e-6)


def test_sliced_wasserstein_of_sets_of_two_sizes():
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(300, 2, generator=g), torch.randn(500, 2, generator=g)
    assert metrics.sliced_wasserstein(a, b).value < 0.25
    assert metrics.sliced_wasserstein(a, a).value == 0.0
    with pytest.raises(ValueError, match="expected 2 dimensions"):
        metrics.sliced_wasserstein(a, torch.randn(5, 3))


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "mnist"])
def test_a_shipped_classifier_reads_what_its_card_says(kind):
    from genkit.classifiers import recipe_hash

    about = card(kind)
    data = load(kind, **({"split": "random"} if kind == "digits" else {}))
    found = metrics.accuracy(classifier(kind)(data.test.x), data.test.c)
    assert found.value == pytest.approx(about["held-out accuracy"], abs=0.003) and found.value > 0.97
    assert about["data"]["sha256"] == data.sha256, "the data have changed: train it again"
    assert about["recipe"] == recipe_hash(), f"the recipe has changed: {about['made by']}"
    assert classifier(kind).features(data.test.x[:2]).shape[1] <= 64


@pytest.mark.parametrize("bad", [torch.ones(3), torch.ones(3, dtype=torch.float64), torch.ones(3) * 1j])
def test_labels_that_are_no_whole_numbers_are_named(bad):
    from genkit.metrics.errors import confusion

    for pair, name in (((bad, torch.ones(3).long()), "chosen"), ((torch.ones(3).long(), bad), "truth")):
        with pytest.raises(ValueError, match=f"{name}: expected whole numbers, received torch."):
            confusion(*pair, 2)
