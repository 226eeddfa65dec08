"""Modes counted, and parts of the data that samples never reach found without knowing any."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.data import toy
from genkit.metrics.modes import collapse, modes_covered, near_modes


def ring(n, seed, keep=8):
    """n points of the ring, of its first ``keep`` modes alone."""
    mixture = toy("ring")
    x, c = mixture.sample(16 * n, torch.Generator().manual_seed(seed))
    return x[c < keep][:n]


def test_true_samples_cover_all_and_lie_as_near_as_a_gaussian_does():
    for kind, k in (("ring", 8), ("grid25", 25)):
        m = toy(kind)
        x, _ = m.sample(20_000, torch.Generator().manual_seed(0))
        assert modes_covered(x, m.centres, m.sigma) == k
        share = near_modes(x, m.centres, m.sigma)
        assert share.value == pytest.approx(1 - math.exp(-4.5), abs=4 * share.stderr)
        assert near_modes(x, m.centres, m.sigma, radius=1.0).value == pytest.approx(1 - math.exp(-0.5), abs=0.02)


@given(st.integers(1, 8))
@settings(max_examples=8, deadline=None)
def test_as_many_modes_are_covered_as_there_are_in_the_sample(keep):
    assert modes_covered(ring(800, 1, keep), toy("ring").centres, 0.02) == keep


def test_a_mode_with_a_stray_sample_is_not_covered_and_samples_between_count_for_none():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    x = torch.cat([torch.zeros(99, 2), centres[1:]])
    assert modes_covered(x, centres, 1.0) == 1 and modes_covered(x, centres, 1.0, least=0.01) == 2
    between = torch.tensor([[5.0, 0.0]]).repeat(50, 1)
    assert modes_covered(between, centres, 1.0) == 0 and near_modes(between, centres, 1.0).value == 0


def test_the_share_that_is_deserted_is_the_share_that_was_dropped():
    real, test = ring(2000, 2), ring(2000, 3)
    for keep in (2, 4, 6):
        found = collapse(ring(2000, 4, keep), real, test)
        assert found.alarm and found.deserted.value == pytest.approx(1 - keep / 8, abs=0.04)
    whole = collapse(ring(2000, 4), real, test)
    assert not whole.alarm and whole.deserted.value < 0.002


def test_samples_that_are_spoiled_but_everywhere_raise_no_alarm():
    """A third of the samples strewn over the plane: bad, and no collapse."""
    x = ring(2000, 5)
    x[::3] = 6 * torch.rand(len(x[::3]), 2, generator=torch.Generator().manual_seed(0)) - 3
    assert not collapse(x, ring(2000, 6), ring(1000, 7)).alarm


def test_alarms_for_true_samples_are_as_rare_as_is_stated():
    """With few neighbours and a small tolerance alarms happen, and stay below the bound, in 2 and in 30 dimensions."""
    for dims in (2, 30):
        generator = torch.Generator().manual_seed(dims)
        found = [
            collapse(*(torch.randn(n, dims, generator=generator) for n in (60, 60, 40)), k=4, tolerance=0.1)
            for _ in range(300)
        ]
        exact = math.comb(60, 4) / math.comb(120, 4)
        mean = torch.tensor([f.deserted.value for f in found])
        assert mean.mean().item() == pytest.approx(exact, abs=4 * mean.std().item() / 300**0.5)
        assert found[0].rate == pytest.approx(exact / 0.1)
        assert sum(f.alarm for f in found) / 300 <= found[0].rate
    assert collapse(ring(500, 0), ring(500, 1), ring(300, 2)).rate < 1e-4


def test_pictures_will_do_as_well():
    x = torch.rand(90, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert not collapse(x[:30], x[30:60], x[60:], k=5, tolerance=0.3).alarm
    assert collapse(x[:1].repeat(30, 1, 1, 1), x[30:60], x[60:], k=5, tolerance=0.3).alarm


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: near_modes(x, torch.zeros(2, 3), 1.0), "x, centres: expected shapes"),
        (lambda x: near_modes(x[:1], torch.zeros(2, 2), 1.0), "N >= 2"),
        (lambda x: near_modes(x, torch.zeros(2, 2), 0.0), "sigma, radius: expected numbers above 0"),
        (lambda x: modes_covered(x, torch.zeros(2, 2), 1.0, least=0.0), r"least: expected a share in \(0, 1\]"),
        (lambda x: collapse(x, x[:, :1], x), "samples, real, test: expected"),
        (lambda x: collapse(x, x, x, k=30), r"k: expected a number in \[1, 20\], received 30"),
        (lambda x: collapse(x, x, x, tolerance=0.0), r"tolerance: expected a share in \(0, 1\)"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(20, 2))
