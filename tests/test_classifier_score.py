"""Samples as a textbook: a classifier taught by samples alone, and the bootstrap of a difference."""

import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.svm import SVC

from genkit.metrics.classifier_score import gap, taught


def blobs(n, seed):
    x, c = make_blobs(n, centers=[[0, 0], [3, 0], [0, 3]], cluster_std=0.7, random_state=seed)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(c)


def test_a_good_textbook_teaches_and_a_wrong_one_misleads():
    (x, c), (test_x, test_c) = blobs(300, 0), blobs(300, 1)
    good = taught(x, c, test_x, test_c)
    assert good.dtype == torch.bool and good.shape == (300,) and good.float().mean() > 0.95
    assert taught(x, (c + 1) % 3, test_x, test_c).float().mean() < 0.05
    noise = taught(torch.randn(300, 2), c, test_x, test_c).float().mean()
    assert 0.1 < noise < 0.7


def test_a_textbook_that_leaves_out_a_class_costs_that_class():
    (x, c), (test_x, test_c) = blobs(300, 0), blobs(300, 1)
    right = taught(x[c < 2], c[c < 2], test_x, test_c)
    assert not right[test_c == 2].any() and right[test_c < 2].float().mean() > 0.95


def test_it_is_scikit_learns_machine_and_pictures_are_flattened():
    (x, c), (test_x, test_c) = blobs(60, 0), blobs(40, 1)
    expected = SVC(C=10.0).fit(x.numpy(), c.numpy()).predict(test_x.numpy()) == test_c.numpy()
    assert taught(x, c, test_x, test_c).tolist() == expected.tolist()
    assert taught(x[:, None, None], c, test_x[:, None, None], test_c).tolist() == expected.tolist()


def test_the_gap_is_the_difference_and_pairing_makes_it_sure():
    generator = torch.Generator().manual_seed(0)
    base = torch.rand(400, generator=generator) < 0.7
    better = base | (torch.rand(400, generator=generator) < 0.1)
    found = gap(better, base)
    assert found.value == pytest.approx((better.double().mean() - base.double().mean()).item())
    exact = (better.double() - base.double()).std(unbiased=False).item() / 20
    assert found.stderr == pytest.approx(exact, rel=0.1)
    shuffled = base[torch.randperm(400, generator=generator)]
    assert gap(better, shuffled).stderr > 2 * found.stderr
    assert gap(base, base) == gap(better, better) and gap(base, base).stderr == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, c: taught(x, c[:3], x, c), "c: expected 8 labels, of two classes at least, received 3"),
        (lambda x, c: taught(x, torch.zeros(8, dtype=torch.int64), x, c), "of two classes at least"),
        (lambda x, c: gap(c > 0, c[:3] > 0), r"right: expected the shape of reference \(3,\), received \(8,\)"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(8, 2), torch.arange(8) % 2)
