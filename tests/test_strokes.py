"""Stroke width and lean of pictures: bars whose width and slope are known, and the letters of the book."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import metrics
from genkit.data import load


def bar(width, slope=0.0, side=120):
    """A long soft-edged bar of a width, leaning by ``slope`` pixels sideways per pixel upwards."""
    v, u = torch.meshgrid(torch.arange(side) - side / 2, torch.arange(side) - side / 2, indexing="ij")
    away = (u + slope * v).abs() / math.hypot(1, slope)
    inside = (width / 2 + 0.5 - away).clamp(0, 1)
    return (inside * (v.abs() < side / 2 - 12)).view(1, 1, side, side)


@given(st.floats(3, 12))
@settings(max_examples=20, deadline=None)
def test_a_bar_is_as_wide_as_it_was_drawn(width):
    assert metrics.stroke_width(bar(width)).item() == pytest.approx(width, rel=0.15)


@given(st.floats(-0.6, 0.6))
@settings(max_examples=20, deadline=None)
def test_a_bar_leans_as_it_was_drawn(slope):
    assert metrics.lean(bar(6, slope)).item() == pytest.approx(slope, abs=0.03)


def test_a_mirrored_picture_leans_the_other_way_and_a_turned_one_is_as_thick():
    x = load("glyphs", letters="KR", draws=2).train.x
    torch.testing.assert_close(metrics.lean(x.flip(-1)), -metrics.lean(x), atol=1e-4, rtol=0)
    torch.testing.assert_close(metrics.stroke_width(x.transpose(-1, -2)), metrics.stroke_width(x))


def test_neither_depends_on_where_the_letter_stands_or_how_dark_it_is():
    x = load("glyphs", letters="AS", draws=1).train.x
    for measure in (metrics.lean, metrics.stroke_width):
        torch.testing.assert_close(measure(x.roll((1, 2), (2, 3))), measure(x), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(measure(0.5 * x), measure(x), atol=1e-4, rtol=1e-4)


def test_bold_fonts_are_thicker_and_italic_ones_lean():
    train = load("glyphs", letters="EKR", draws=4).train
    for name, measure in (("bold", metrics.stroke_width), ("italic", metrics.lean)):
        value, has = measure(train.x), train.factors[name] == 1
        for k in range(3):
            assert value[has & (train.c == k)].mean() > value[~has & (train.c == k)].mean() + 0.1


@pytest.mark.parametrize("measure", [metrics.lean, metrics.stroke_width])
def test_what_is_no_picture_is_refused(measure):
    with pytest.raises(ValueError, match="grey pictures of shape"):
        measure(torch.rand(2, 3, 8, 8))
    with pytest.raises(ValueError, match="with ink"):
        measure(torch.zeros(2, 1, 8, 8))
