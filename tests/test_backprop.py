"""Back-propagation by hand is autograd's gradient, its optimisers are torch's, and both leave what they get alone."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.backprop import (
    ACTIVATIONS,
    LEAKY,
    NONE,
    RELU,
    SIGMOID,
    TANH,
    activation,
    backprop,
    by_differences,
    cross_entropy,
    forward,
    hinge,
    initial,
    softmax_cross_entropy,
    squared_error,
)
from genkit.data.shapes import SHAPES, shapes
from genkit.optimisers import adam, descend, momentum, sgd, update

LOSSES = {"cross-entropy": cross_entropy, "squared error": squared_error, "hinge": hinge}


def problem(widths, seed=0, n=7, act=RELU, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    weights = [(w.to(dtype), torch.randn(b.shape, generator=g).to(dtype)) for w, b in initial(widths, act, seed=seed)]
    x = torch.randn(n, widths[0], generator=g).to(dtype)
    return weights, x, torch.randint(2, (n, widths[-1]), generator=g).to(dtype)


def by_autograd(weights, x, y, act, loss):
    """The gradient of the mean loss, written with torch's own functions."""
    own = {"ReLU": F.relu, "tanh": torch.tanh, "sigmoid": F.sigmoid, "none": lambda a: a}
    own["leaky ReLU"] = lambda a: F.leaky_relu(a, 0.1)
    leaves = [tuple(t.clone().requires_grad_() for t in pair) for pair in weights]
    h = x
    for i, (w, b) in enumerate(leaves):
        a = F.linear(h, w.mT, b[0])
        h = own[act.name](a) if i < len(leaves) - 1 else a
    value = {
        "cross-entropy": lambda: F.binary_cross_entropy_with_logits(h, y, reduction="none").sum(1).mean(),
        "squared error": lambda: (h.sigmoid() - y).square().sum(1).mean(),
        "hinge": lambda: F.relu(1 - (2 * y - 1) * h).sum(1).mean(),
        "softmax": lambda: F.cross_entropy(h, y / y.sum(1, keepdim=True)),
    }[loss]()
    value.backward()
    return value.detach(), [tuple(t.grad for t in pair) for pair in leaves]


def close(found, expected, **options):
    for pair, other in zip(found, expected, strict=True):
        for a, b in zip(pair, other, strict=True):
            torch.testing.assert_close(a, b, **options)


@pytest.mark.parametrize("act", ACTIVATIONS.values(), ids=ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("widths", [(2, 1), (2, 5, 1), (3, 4, 6, 5, 2)])
def test_the_gradient_is_autograds(act, loss, widths):
    weights, x, y = problem(widths, act=act)
    value, found = backprop(weights, x, y, act, LOSSES[loss])
    expected, slopes = by_autograd(weights, x, y, act, loss)
    torch.testing.assert_close(value, expected)
    close(found, slopes, atol=1e-10, rtol=1e-8)


def test_in_single_precision_it_agrees_to_a_millionth():
    weights, x, y = problem((2, 8, 8, 8, 1), act=TANH, dtype=torch.float32)
    _, found = backprop(weights, x, y, TANH)
    close(found, by_autograd(weights, x, y, TANH, "cross-entropy")[1], atol=1e-6, rtol=0)


def test_softmax_cross_entropy_with_one_hot_labels():
    weights, x, _ = problem((4, 6, 3), act=SIGMOID)
    y = F.one_hot(torch.arange(7) % 3, 3).double()
    value, found = backprop(weights, x, y, SIGMOID, softmax_cross_entropy)
    expected, slopes = by_autograd(weights, x, y, SIGMOID, "softmax")
    torch.testing.assert_close(value, expected)
    close(found, slopes)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 5))
def test_moving_every_weight_a_little_finds_the_same_slopes(seed, depth, width):
    weights, x, y = problem((2, *[width] * depth, 1), seed, n=4, act=TANH)
    close(backprop(weights, x, y, TANH)[1], by_differences(weights, x, y, TANH), atol=1e-8, rtol=1e-5)


def test_a_stack_of_networks_is_its_networks_one_by_one():
    weights = initial((2, 4, 1), TANH, stack=(3, 2))
    _, x, y = problem((2, 4, 1), dtype=torch.float32)
    value, found = backprop(weights, x, y, TANH)
    assert value.shape == (3, 2)
    one = [(w[2, 1], b[2, 1]) for w, b in weights]
    alone, slopes = backprop(one, x, y, TANH)
    torch.testing.assert_close(value[2, 1], alone)
    close([(w[2, 1], b[2, 1]) for w, b in found], slopes)


def test_it_changes_nothing_and_asks_no_autograd():
    weights, x, y = problem((2, 3, 1))
    before = [tuple(t.clone() for t in pair) for pair in weights]
    with torch.inference_mode():
        backprop(weights, x, y)
        by_differences(weights, x, y)
    close(weights, before, atol=0, rtol=0)


def test_slopes_are_those_of_the_functions():
    a = torch.linspace(-3, 3, 50, dtype=torch.float64, requires_grad=True)
    for act in ACTIVATIONS.values():
        h = act.f(a)
        (expected,) = torch.autograd.grad(h.sum(), a)
        torch.testing.assert_close(act.slope(h.detach()), expected)


def test_he_weights_keep_signals_as_large_as_they_were():
    x = torch.randn(500, 256, generator=torch.Generator().manual_seed(1))
    for act in (RELU, LEAKY):
        *_, last, _ = forward(initial((256, *[256] * 10, 1), act), x, act)
        assert 0.5 < last.square().mean() < 2, act.name
    *_, last, _ = forward(initial((256, *[256] * 10, 1), RELU, gain=1.0), x, RELU)
    assert last.square().mean() < 0.01
    w = initial((400, 300, 1), NONE, seed=3)[0][0]
    assert w.std().item() == pytest.approx(0.05, rel=0.02)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (sgd, lambda p: torch.optim.SGD(p, lr=0.03)),
        (momentum, lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.9)),
        (adam, lambda p: torch.optim.Adam(p, lr=0.03)),
    ],
)
def test_optimisers_are_torchs(ours, theirs):
    weights, x, y = problem((2, 5, 5, 1), act=TANH)
    params = [t.clone().requires_grad_() for pair in weights for t in pair]
    mover = theirs(params)
    for moved, value in descend(weights, x, y, steps=30, rate=0.03, optimiser=ours, act=TANH):
        h = torch.tanh(torch.tanh(x @ params[0] + params[1]) @ params[2] + params[3]) @ params[4] + params[5]
        mover.zero_grad()
        expected = F.binary_cross_entropy_with_logits(h, y)
        expected.backward()
        mover.step()
        torch.testing.assert_close(value, expected.detach())
        close(moved, list(zip(params[::2], params[1::2], strict=True)), atol=1e-9, rtol=1e-7)


def test_every_network_of_a_stack_has_its_own_rate():
    weights, x, y = initial((2, 3, 1), stack=(2,)), *problem((2, 3, 1), dtype=torch.float32)[1:]
    rate = torch.tensor([0.0, 0.1]).view(-1, 1, 1)
    *_, (moved, _) = descend(weights, x, y, steps=3, rate=rate)
    assert torch.equal(moved[0][0][0], weights[0][0][0]) and not torch.equal(moved[0][0][1], weights[0][0][1])


def test_adams_first_step_is_the_rate_however_steep():
    step, memory = adam(torch.tensor([1e-3, -5.0, 400.0]), None, 0.01)
    torch.testing.assert_close(step, torch.tensor([-0.01, 0.01, -0.01]), atol=1e-6, rtol=0)
    assert memory[2] == 1


def test_update_alone_makes_new_weights():
    weights, x, y = problem((2, 3, 1))
    before = [tuple(t.clone() for t in pair) for pair in weights]
    moved, _ = update(weights, backprop(weights, x, y)[1], None, sgd, 0.1)
    close(weights, before, atol=0, rtol=0)
    assert not torch.equal(moved[0][0], weights[0][0])


def test_gradients_vanish_through_sigmoids_and_not_through_he():
    x, y = torch.randn(50, 16, generator=torch.Generator().manual_seed(0)), torch.ones(50, 1)
    sizes = {}
    for act in (SIGMOID, RELU):
        _, g = backprop(initial((16, *[16] * 12, 1), act), x, y, act)
        sizes[act.name] = (g[0][0].norm() / g[-2][0].norm()).item()
    assert sizes["sigmoid"] < 1e-5 and sizes["ReLU"] > 0.05


@pytest.mark.parametrize("kind", SHAPES)
def test_shapes_hold_both_kinds_within_the_plane(kind):
    data = shapes(kind, 400)
    x, c = data.train.x, data.train.c
    assert x.abs().max() < 3.3 and 0.4 < c.float().mean() < 0.6
    assert torch.equal(shapes(kind, 400).train.x, x) and not torch.equal(shapes(kind, 400, seed=1).train.x, x)
    clean = shapes(kind, 400, noise=0.0)
    apart = torch.cdist(clean.train.x[clean.train.c == 0], clean.train.x[clean.train.c == 1])
    assert apart.min() > 0.2, "without noise the kinds do not touch"


def test_xor_is_opposite_quarters():
    data = shapes("xor", 400, noise=0.1)
    x, c = data.train.x, data.train.c
    same = (x[:, 0] * x[:, 1] > 0).long()
    assert torch.equal(same, c) or torch.equal(1 - same, c)


W, X, Y = problem((2, 3, 1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: initial((3,)), "widths: expected at least two"),
        (lambda: initial((3, 0, 1)), "widths: expected at least two sizes of at least 1"),
        (lambda: activation("ReLu"), "Did you mean 'ReLU'"),
        (lambda: backprop(W, X, Y[:, 0]), "y: expected"),
        (lambda: backprop(W, X, Y[:3]), "y: expected"),
        (lambda: next(descend(W, X, Y, steps=0, rate=0.1)), "steps: expected at least 1"),
        (lambda: shapes("ring"), "Did you mean 'rings'"),
        (lambda: shapes("xor", 21), "n: expected an even number"),
        (lambda: shapes("xor", noise=-1.0), "noise: expected at least 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
