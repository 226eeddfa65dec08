"""Models whose likelihood and samples disagree: each is a distribution, and the price of noise is bounded."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genkit.models.blend import Blend, Coins, Copies

EVERY = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4))).view(-1, 1, 2, 2)


def copies(flip=0.1):
    return Copies(EVERY[[3, 3, 9]], flip)


@pytest.mark.parametrize("make", [lambda: Coins((1, 2, 2)), copies, lambda: Blend(copies(), Coins((1, 2, 2)), 0.3)])
def test_probabilities_of_all_pictures_sum_to_one_and_samples_follow_them(make):
    model = make()
    p = model.log_prob(EVERY).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    torch.manual_seed(0)
    drawn = model.sample(40_000)
    assert drawn.shape == (40_000, 1, 2, 2)
    number = (drawn.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    torch.testing.assert_close(number.bincount(minlength=16) / 40_000, p, atol=0.012, rtol=0)


@given(st.floats(0.001, 0.999), st.floats(0.01, 0.5))
def test_no_picture_loses_more_than_the_logarithm_of_the_share(share, flip):
    one = copies(flip)
    lost = one.log_prob(EVERY) - Blend(one, Coins((1, 2, 2)), share).log_prob(EVERY)
    assert (lost <= -math.log(share) + 1e-4).all()


def test_a_copyist_knows_its_pictures_and_hardly_any_other():
    model = copies(1e-3)
    log_p = model.log_prob(EVERY)
    assert log_p[3].item() == pytest.approx(math.log(2 / 3), abs=0.01)
    assert log_p[[k for k in range(16) if k not in (3, 9)]].max() < -6


def test_a_blend_leaves_its_parts_as_they_were():
    part = copies().eval()
    blend = Blend(part, Coins((1, 2, 2)), 0.5)
    blend.train(blend.training)  # what a metric does when it is done
    assert not part.training and blend.device == torch.device("cpu")


class Mute(Coins):
    likelihood = "none"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: copies(0.0), "flip: expected a number in"),
        (lambda: Copies(torch.full((2, 2), 0.5), 0.1), "x: expected pictures of zeros and ones"),
        (lambda: Copies(torch.zeros(0, 2), 0.1), "x: expected pictures of zeros and ones"),
        (lambda: Blend(copies(), copies(), 1.0), r"share: expected a number in \(0, 1\), received 1.0"),
        (lambda: Blend(copies(), Mute((1, 2, 2)), 0.5), "second: expected a model with an exact log_prob"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
