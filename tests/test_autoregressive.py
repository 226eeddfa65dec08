"""Autoregressive models: no look ahead, probabilities that sum to 1, draws from the very distribution."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.distributions import bernoulli, categorical, discretised_logistic
from genkit.models.autoregressive import dilated, forecast, made, pixelcnn
from genkit.models.ngram import NGram

BUILD = {
    "made": (lambda **k: made(shape=(1, 3, 4), hidden=(24,), **k), (1, 3, 4)),
    "deep made": (lambda **k: made(shape=(2, 2, 3), hidden=(24, 18), **k), (2, 2, 3)),
    "pixelcnn": (lambda **k: pixelcnn(shape=(1, 3, 4), width=6, blocks=2, **k), (1, 3, 4)),
    "dilated": (lambda **k: dilated(shape=(14,), width=6, layers=4, **k), (14,)),
}


@pytest.fixture(params=BUILD)
def built(request):
    torch.manual_seed(1)
    build, shape = BUILD[request.param]
    return build(pixels=discretised_logistic(5, 2)).eval(), shape


def seen(model, shape, context=None):
    """How much what is said about place i depends on place j, shape (D, D)."""
    x = torch.rand(1, *shape, requires_grad=True)
    said = model.network(2 * x - 1, context).flatten(1, -2)[0].sum(-1)
    return torch.stack([torch.autograd.grad(s, x, retain_graph=True)[0].flatten() for s in said])


def test_a_place_sees_all_before_it_and_nothing_else(built):
    model, shape = built
    found = seen(model, shape)
    assert (found.triu() == 0).all(), "exactly zero"
    places = math.prod(shape)
    assert (found.tril(-1) != 0).sum() == places * (places - 1) / 2


@given(size=st.integers(1, 7), hidden=st.lists(st.integers(1, 9), min_size=1, max_size=3), per_place=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_no_mask_of_any_size_lets_the_future_in(size, hidden, per_place):
    from genkit.nn.masked import MaskedMLP

    network = MaskedMLP(size, per_place, hidden=tuple(hidden))
    x = torch.rand(1, size, requires_grad=True)
    for i, said in enumerate(network(x)[0].sum(-1)):
        assert (torch.autograd.grad(said, x, retain_graph=True)[0][0, i:] == 0).all()


@given(height=st.integers(1, 5), width=st.integers(1, 5), blocks=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_no_picture_of_any_size_lets_the_future_in(height, width, blocks):
    model = pixelcnn(shape=(1, height, width), pixels=bernoulli(), width=4, blocks=blocks)
    assert (seen(model, (1, height, width)).triu() == 0).all()


@pytest.mark.parametrize("pixels", [bernoulli(), categorical(2), discretised_logistic(2)], ids=["coin", "any", "bell"])
def test_the_probabilities_of_all_pictures_sum_to_one(pixels):
    torch.manual_seed(0)
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=8)))
    for model in (
        made(shape=(1, 2, 4), pixels=pixels, hidden=(16,)),
        pixelcnn(shape=(1, 2, 4), pixels=pixels, width=4, blocks=1),
        dilated(shape=(8,), pixels=pixels, width=4, layers=2),
    ):
        with torch.no_grad():
            total = model.eval().log_prob(every.view(-1, *model.shape)).logsumexp(0)
        assert total.item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", BUILD)
def test_draws_follow_the_model(name):
    """Total variation between 20,000 draws of two levels and the exact probabilities of the first six places."""
    build, shape = BUILD[name]
    torch.manual_seed(3)
    model = build(pixels=categorical(2)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 2  # an untrained model says "a half" everywhere, which would prove little
        drawn = model.sample(20_000).flatten(1)[:, :6]
        found = (drawn @ (2.0 ** torch.arange(6))).long().bincount(minlength=64) / 20_000
        states = torch.arange(64)[:, None] // 2 ** torch.arange(6) % 2
        x = torch.zeros(64, math.prod(shape))
        x[:, :6] = states
        log_p = model.given(x.view(-1, *shape)).log_p.flatten(1, -2)[:, :6]
        exact = log_p.gather(-1, states[..., None]).sum((1, 2)).exp()
    assert exact.sum().item() == pytest.approx(1, abs=1e-5)
    assert exact.max() > 1.5 / 64
    assert (found - exact).abs().sum() / 2 < 0.03


def test_what_is_known_stays_and_the_rest_follows_it(built):
    model, shape = built
    known, places = torch.rand(3, *shape).mul(4).round() / 4, math.prod(shape) // 2
    steps = list(model.trajectory(3, known=known, places=places))
    assert len(steps) == math.prod(shape) - places
    assert torch.equal(steps[-1].flatten(1)[:, :places], known.flatten(1)[:, :places])
    assert steps[0].flatten(1)[:, places + 1 :].abs().sum() == 0, "places still to come are 0"
    whole = model.sample(3, known=known, places=math.prod(shape))
    assert torch.equal(whole, known)
    assert torch.equal(model.sample(2, known=known[:1], places=places).flatten(1)[:, :places],
                       known[:1].flatten(1)[:, :places].expand(2, -1))  # fmt: skip


def test_a_stream_says_what_one_pass_says():
    torch.manual_seed(0)
    model = dilated(shape=(40,), pixels=categorical(4), width=8, layers=4, classes=3).eval()
    x, context = 2 * torch.rand(5, 40) - 1, torch.eye(4)[[0, 1, 2, 3, 0]]
    stream = model.network.stream(5, context)
    said = [next(stream), *(stream.send(x[:, i]) for i in range(39))]
    torch.testing.assert_close(torch.stack(said, 1), model.network(x, context))


def test_a_signal_may_be_longer_than_in_training():
    model = dilated(shape=(8,), pixels=categorical(4), width=4, layers=2).eval()
    assert model.sample(2, length=30).shape == (2, 30)
    assert model.log_prob(torch.zeros(2, 30)).shape == (2,)
    assert len(seen(model, (30,))) == 30
    reach = model.network.reach
    far = seen(model, (30,))[-1].nonzero().min().item()
    assert 29 - far == reach


def test_a_class_is_heard_and_may_be_left_out():
    torch.manual_seed(0)
    for name, (build, shape) in BUILD.items():
        model = build(pixels=categorical(4), classes=3).eval()
        x = torch.zeros(2, *shape)
        told = [model.log_prob(x, torch.tensor([k])) for k in range(3)]
        assert not torch.allclose(told[0], told[1]), name
        assert not torch.allclose(told[0], model.log_prob(x)), name
        assert model.sample(2, torch.tensor([1])).shape == (2, *shape)
        model.label_dropout = 1.0
        torch.testing.assert_close(-model.loss(x, torch.tensor([0, 1]))["loss"], model.log_prob(x))


def test_training_recovers_a_known_distribution():
    """Two coins that always agree, and a third that is 1 in four of five: entropy log 2 + H(0.8)."""
    from genkit.data import Split
    from genkit.training import TrainConfig, fit

    g = torch.Generator().manual_seed(0)
    first = torch.bernoulli(torch.full((4000, 1), 0.5), generator=g)
    third = torch.bernoulli(torch.full((4000, 1), 0.8), generator=g)
    x = torch.cat([first, first, third], 1).view(-1, 1, 1, 3)
    model = made(shape=(1, 1, 3), pixels=bernoulli(), hidden=(32,))
    fit(model, Split(x), TrainConfig(steps=400, batch=100, lr=2e-2), progress=False)
    entropy = math.log(2) - 0.8 * math.log(0.8) - 0.2 * math.log(0.2)
    assert model.log_prob(x).mean().item() == pytest.approx(-entropy, abs=0.02)
    drawn = model.sample(2000).view(-1, 3)
    assert (drawn[:, 0] == drawn[:, 1]).float().mean() > 0.98


def test_a_forecast_has_the_quantiles_of_the_model():
    torch.manual_seed(0)
    model = dilated(shape=(10,), pixels=categorical(5), width=4, layers=2).eval()
    past = torch.rand(2, 6).mul(4).round() / 4
    low, middle, high = forecast(model, past, 3, quantiles=(0.1, 0.5, 0.9), draws=400)
    assert low.shape == (2, 3) and (low <= middle).all() and (middle <= high).all()
    with torch.no_grad():
        p = model.given(torch.cat([past, torch.zeros(2, 1)], 1)).log_p[:, -1].exp()
    exact = (p.cumsum(-1) >= 0.5).float().argmax(-1) / 4
    assert ((middle[:, 0] - exact).abs() <= 0.25).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.sample(0), "n: expected at least 1, received 0"),
        (lambda m: m.sample(2, places=3), "places: expected 0 … 12, and known examples where above 0, received 3"),
        (lambda m: m.sample(2, known=torch.zeros(1, 1, 3, 4), places=13), "received 13"),
        (lambda m: m.sample(2, length=20), "length: expected None for images, received 20"),
        (lambda m: m.log_prob(torch.zeros(2, 1, 4, 4)), r"x: expected the shape \(B, \*\(1, 3, 4\)\), received"),
        (lambda m: m.log_prob(torch.zeros(2, 1, 3, 4), torch.tensor([5])), r"c: expected int64 labels in \[0, 2\)"),
        (lambda m: m.log_prob(torch.zeros(2, 1, 3, 4), torch.tensor([0.5])), "c: expected int64 labels"),
        (lambda m: m.log_prob(torch.zeros(3, 1, 3, 4), torch.tensor([0, 1])), "c: expected 1 or 3 rows, received 2"),
        (lambda m: pixelcnn(shape=(3, 4, 4), pixels=bernoulli()), r"shape: expected \(1, H, W\), received \(3, 4, 4\)"),
        (lambda m: dilated(shape=(4,), pixels=bernoulli(), layers=0), "layers: expected at least 1, received 0"),
        (lambda m: made(shape=(4,), pixels=bernoulli(), hidden=()), "expected numbers of at least 1"),
        (lambda m: forecast(m, torch.zeros(1, 3), 0, quantiles=(0.5,)), "horizon: expected at least 1, received 0"),
        (lambda m: forecast(m, torch.zeros(1, 3), 2, quantiles=(1.0,)), r"quantiles: expected numbers in \(0, 1\)"),
    ],
)
def test_bad_input_is_named(call, message):
    model = made(shape=(1, 3, 4), pixels=categorical(3), hidden=(8,), classes=2)
    with pytest.raises(ValueError, match=message):
        call(model)


# n-grams


def slow_ngram(text, history, token, order, levels):
    """Witten–Bell by the book: count, and go one shorter."""
    if order == 0:
        return 1 / levels
    context = tuple(history[len(history) - (order - 1) :]) if order > 1 else ()
    shorter = slow_ngram(text, history, token, order - 1, levels)
    if len(history) < order - 1:
        return shorter
    after = [text[i + order - 1] for i in range(len(text) - order + 1) if tuple(text[i : i + order - 1]) == context]
    if not after:
        return shorter
    kinds = len(set(after))
    return (after.count(token) + kinds * shorter) / (len(after) + kinds)


@given(st.lists(st.integers(0, 3), min_size=5, max_size=30), st.integers(1, 4), st.lists(st.integers(0, 3), max_size=5))
@settings(max_examples=60, deadline=None)
def test_ngrams_agree_with_counting_by_hand(text, order, history):
    model = NGram(order, 4).fit(torch.tensor(text))
    found = model.next(torch.tensor(history, dtype=torch.int64))
    expected = [slow_ngram(text, history, token, order, 4) for token in range(4)]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    row = torch.tensor([[*history, 2]])
    assert model.log_prob(row)[0, -1].exp().item() == pytest.approx(expected[2], abs=1e-6)


def test_ngrams_draw_what_they_know():
    torch.manual_seed(0)
    model = NGram(3, 4).fit(torch.tensor([0, 1, 2, 3] * 200))
    drawn = model.sample(200, start=torch.tensor([0, 1]))
    steps = ((drawn[1:] - drawn[:-1]) % 4 == 1).float().mean()
    assert len(drawn) == 200 and steps > 0.95


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NGram(0, 4), "order: expected at least 1, received 0"),
        (lambda: NGram(40, 4), r"levels: expected levels \*\* order below 2 \*\* 63, received 4 \*\* 40"),
        (lambda: NGram(3, 4).fit(torch.tensor([1, 2])), r"tokens: expected shape \(T,\) with T >= 3, received \(2,\)"),
        (lambda: NGram(1, 4).fit(torch.tensor([1, 4])), r"tokens: expected numbers in \[0, 4\)"),
    ],
)
def test_ngrams_name_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
