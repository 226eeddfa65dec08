"""Translations held against the truth: errors, overlaps and colours that are counted another way."""

import numpy as np
import pytest
import torch
from skimage.exposure import match_histograms
from sklearn.metrics import jaccard_score

from genkit import metrics


def classes(seed, n=6):
    return torch.randint(4, (n, 5, 7), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("k", range(4))
def test_the_overlap_is_that_of_scikit_learn(k):
    a, b = classes(0), classes(1)
    expected = jaccard_score((b == k).flatten().numpy(), (a == k).flatten().numpy())
    assert metrics.iou(a, b, k).value == pytest.approx(expected)
    assert metrics.iou(b, b, k).value == 1 and metrics.iou(b, b, k).stderr == pytest.approx(0)


def test_the_overlaps_standard_error_is_that_of_many_draws():
    truth = torch.rand(2000, 6, 6, generator=torch.Generator().manual_seed(0)) < 0.4
    found = truth ^ (torch.rand(truth.shape, generator=torch.Generator().manual_seed(1)) < 0.2)
    parts = [metrics.iou(f.long(), t.long(), 1) for f, t in zip(found.split(50), truth.split(50), strict=True)]
    spread = torch.tensor([p.value for p in parts]).std().item()
    assert sum(p.stderr for p in parts) / len(parts) == pytest.approx(spread, rel=0.3)
    assert metrics.iou(classes(0, 1), classes(1, 1), 0).stderr is None


def test_histograms_are_matched_as_scikit_image_matches_them():
    g = torch.Generator().manual_seed(0)
    source, reference = torch.rand(1, 3, 16, 16, generator=g), torch.rand(1, 3, 16, 16, generator=g) ** 3
    found = metrics.histogram_matched(source, reference)
    expected = match_histograms(source[0].numpy(), reference[0].numpy(), channel_axis=0)
    assert np.abs(found[0].numpy() - expected).max() < 0.02
    assert torch.equal(found.flatten(2).sort().values, reference.flatten(2).sort().values)
    assert torch.equal(found[0, 0].flatten().argsort(), source[0, 0].flatten().argsort())


def test_equal_pixels_stay_equal_and_a_set_matched_with_itself_stays():
    source = torch.tensor([0.0, 0.5, 0.5, 1.0]).view(1, 1, 2, 2)
    found = metrics.histogram_matched(source, torch.rand(3, 1, 4, 4))
    assert found[0, 0, 0, 1] == found[0, 0, 1, 0]
    distinct = torch.rand(2, 3, 5, 5)
    assert torch.equal(metrics.histogram_matched(distinct, distinct), distinct)


def test_the_error_of_pixels_is_the_mean_absolute_difference():
    a, b = torch.rand(5, 3, 4, 4), torch.rand(5, 3, 4, 4)
    assert metrics.pixel_error(a, b).value == pytest.approx(np.abs(a.numpy() - b.numpy()).mean(), rel=1e-5)
    assert metrics.pixel_error(a, a).value == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.pixel_error(torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 5)),
            "x: expected the shape of truth",
        ),
        (lambda: metrics.iou(classes(0), classes(0)[:3], 1), "found: expected the shape of truth"),
        (lambda: metrics.iou(classes(0), classes(1), 9), "k: expected a class that occurs, received 9"),
        (
            lambda: metrics.histogram_matched(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)),
            "source, reference: expected",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
