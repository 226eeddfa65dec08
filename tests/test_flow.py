"""Flows: what is done can be undone, determinants are determinants, and densities integrate to 1."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.data import Split, load
from genkit.data.toy2d import toy
from genkit.models.flow import ActNorm, Coupling, Dequantised, Flip, Logit, Mix, coupling_flow
from genkit.training import TrainConfig, fit

LAYERS = {
    "coupling": lambda d: Coupling(d, (16,)),
    "actnorm": ActNorm,
    "mix": Mix,
    "flip": lambda d: Flip(),
    "logit": lambda d: Logit(),
}


def shaken(layer):
    """A layer that is not the identity it starts as."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return layer.eval()


@pytest.mark.parametrize("name", LAYERS)
@given(size=st.integers(2, 9), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_a_layer_undoes_itself_and_knows_its_determinant(name, size, seed):
    torch.manual_seed(seed)
    layer = shaken(LAYERS[name](size))
    x = torch.rand(4, size) * 0.98 + 0.01
    z, log_det = layer(x)
    assert (layer.inverse(z) - x).abs().max() <= 1e-5 * max(1.0, z.abs().max().item())
    for i in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(lambda one: layer(one[None])[0][0], x[i])
        exact = torch.linalg.slogdet(jacobian.double()).logabsdet.item()
        assert log_det[i].item() == pytest.approx(exact, abs=1e-4)


@given(shape=st.sampled_from([(2,), (5,), (1, 3, 3)]), mix=st.booleans(), norm=st.booleans(), seed=st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_a_whole_flow_undoes_itself(shape, mix, norm, seed):
    torch.manual_seed(seed)
    flow = coupling_flow(shape=shape, layers=3, hidden=(16,), mix=mix, norm=norm).eval()
    for layer in flow.layers:
        if isinstance(layer, Coupling):
            torch.nn.init.normal_(layer.network[-1].weight, std=0.3)
    x = torch.randn(20, *shape)
    z, _ = flow(x)
    torch.testing.assert_close(flow.inverse(z), x, atol=1e-5, rtol=1e-5)
    assert sum(isinstance(layer, ActNorm) for layer in flow.layers) == (4 if norm else 0)
    steps = list(flow.trajectory(3))
    assert len(steps) == len(flow.layers) + 1 and steps[-1].shape == (3, *shape)


def test_a_class_reaches_every_coupling_and_may_be_left_out():
    torch.manual_seed(0)
    flow = coupling_flow(shape=(2,), layers=3, hidden=(16,), classes=3)
    for layer in flow.layers:
        if isinstance(layer, Coupling):
            torch.nn.init.normal_(layer.network[-1].weight, std=0.3)
    flow.eval()
    x, c = torch.randn(6, 2), torch.tensor([0, 1, 2, 0, 1, 2])
    given, blind = flow.log_prob(x, c), flow.log_prob(x)
    assert ((given - blind).abs() > 1e-4).all()
    torch.testing.assert_close(flow.log_prob(x[2:3], torch.tensor([2])), given[2:3])
    steps = list(flow.trajectory(6, c))
    context = flow.context(c, 6)
    z, _ = flow(steps[-1], context)
    torch.testing.assert_close(z, steps[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(flow.inverse(z, context), steps[-1], atol=1e-5, rtol=1e-5)
    flow.label_dropout = 1.0
    torch.testing.assert_close(flow.loss(x, c)["loss"], -blind)
    flow.label_dropout = 0.0
    torch.testing.assert_close(flow.loss(x, c)["loss"], -given)


def test_classes_are_learnt():
    data = load("toy2d", kind="islands")
    torch.manual_seed(0)
    flow = coupling_flow(shape=(2,), layers=4, hidden=(32,), classes=2)
    fit(flow, data.train, TrainConfig(steps=250, batch=256, lr=1e-2, clip=10.0, ema=0.97), progress=False)
    for c, side in ((0, -1), (1, 1)):
        assert (side * flow.sample(500, torch.tensor([c]))[:, 0] > 0).float().mean() > 0.98
        assert (flow.log_prob(data.test.x[data.test.c == c], torch.tensor([c])).mean()).item() > -1.2
    assert 0.35 < (flow.sample(500)[:, 0] > 0).float().mean().item() < 0.65


def test_a_class_reaches_the_flow_behind_the_noise():
    torch.manual_seed(0)
    flow = coupling_flow(shape=(1, 2, 2), layers=2, hidden=(16,), unit=True, classes=2)
    for layer in flow.layers:
        if isinstance(layer, Coupling):
            torch.nn.init.normal_(layer.network[-1].weight, std=0.5)
    model = Dequantised(flow, levels=64).eval()
    x, found = torch.rand(5, 1, 2, 2).mul(63).round() / 63, []
    for c in (None, torch.tensor([0]), torch.tensor([1])):
        torch.manual_seed(1)
        found.append((model.elbo(x, c), model.sample(5, c)))
    assert len({tuple(bound.tolist()) for bound, _ in found}) == 3
    assert len({tuple(drawn.flatten().tolist()) for _, drawn in found}) == 3
    flow.label_dropout = 1.0
    torch.manual_seed(0)
    hidden = model.loss(x, torch.ones(5, dtype=torch.int64))["loss"]
    torch.manual_seed(0)
    torch.rand(5)  # the draw that hid the classes
    torch.testing.assert_close(hidden, -model.elbo(x))


@pytest.fixture(scope="module")
def moons():
    torch.manual_seed(0)
    data = load("toy2d", kind="moons")
    flow = coupling_flow(shape=(2,), layers=8, hidden=(64, 64))
    config = TrainConfig(steps=1000, batch=256, lr=5e-3, warmup=30, clip=10.0, ema=0.99)
    fit(flow, Split(data.train.x), config, progress=False)
    return flow, data


def test_the_density_integrates_to_one(moons):
    flow, _ = moons
    side = 400
    at = (torch.arange(side) + 0.5) / side * 10 - 5
    grid = torch.cartesian_prod(at, at) + torch.tensor([0.5, 0.25])
    with torch.no_grad():
        total = flow.log_prob(grid).exp().sum().item() * (10 / side) ** 2
    assert total == pytest.approx(1, abs=0.01)


def test_training_comes_near_the_true_density(moons):
    flow, data = moons
    with torch.no_grad():
        found, true = flow.log_prob(data.test.x).mean().item(), toy("moons").log_prob(data.test.x).mean().item()
    bell = torch.distributions.MultivariateNormal(data.train.x.mean(0), data.train.x.T.cov())
    assert bell.log_prob(data.test.x).mean().item() + 0.5 < found < true + 0.02
    assert true - found < 0.15


def test_samples_follow_the_density(moons):
    flow, _ = moons
    torch.manual_seed(0)
    x = flow.sample(4000)
    edges = torch.linspace(-2, 3, 6)
    cell = torch.bucketize(x, edges)
    found = (cell[:, 0] * 7 + cell[:, 1]).bincount(minlength=49) / 4000
    at = (torch.arange(600) + 0.5) / 600 * 10 - 4.5
    grid = torch.cartesian_prod(at, at)
    with torch.no_grad():
        mass = flow.log_prob(grid).exp() * (10 / 600) ** 2
    place = torch.bucketize(grid, edges)
    exact = torch.zeros(49).index_add(0, place[:, 0] * 7 + place[:, 1], mass)
    assert (found - exact).abs().sum() / 2 < 0.04


@pytest.mark.parametrize("variational", [False, True])
def test_the_bound_on_discrete_data_is_below_the_exact_probabilities(variational):
    """Every picture of two pixels and three levels: the bounds sum to less than 1, and come near it when trained."""
    torch.manual_seed(0)
    every = torch.tensor(list(itertools.product([0.0, 0.5, 1.0], repeat=2)))
    p = torch.tensor([0.3, 0.05, 0.05, 0.05, 0.2, 0.05, 0.05, 0.05, 0.2])
    data = every[torch.multinomial(p, 3000, replacement=True)]
    noise = coupling_flow(shape=(2,), layers=2, hidden=(32,), context=2, mix=False) if variational else None
    flow = coupling_flow(shape=(2,), layers=6, hidden=(48,), unit=True)
    model = Dequantised(flow, levels=3, noise=noise)
    fit(model, Split(data), TrainConfig(steps=500, batch=200, lr=5e-3, warmup=20, clip=10.0), progress=False)
    torch.manual_seed(1)
    with torch.no_grad():
        bound = torch.stack([model.elbo(every) for _ in range(200)]).mean(0)
    assert bound.exp().sum() < 1
    gap = (p * (p.log() - bound)).sum().item()
    assert 0 <= gap < 0.4


def test_drawn_pictures_lie_on_the_levels():
    model = Dequantised(coupling_flow(shape=(1, 4, 4), layers=2, hidden=(16,), unit=True), levels=5)
    x = model.sample(10)
    assert x.shape == (10, 1, 4, 4) and x.min() >= 0 and x.max() <= 1
    torch.testing.assert_close((x * 4).round() / 4, x)
    assert model.likelihood == "bound" and not hasattr(model, "log_prob")


def test_the_first_batch_sets_actnorm_once():
    torch.manual_seed(0)
    layer, x = ActNorm(3), 5 + 2 * torch.randn(500, 3)
    z, _ = layer(x)
    torch.testing.assert_close(z.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(z.std(0), torch.ones(3), atol=1e-3, rtol=0)
    before = layer.log_s.clone()
    layer(x * 7)
    assert torch.equal(before, layer.log_s)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Coupling(1, (4,)), "size: expected at least 2 coordinates, received 1"),
        (lambda: Logit(0.5), r"alpha: expected a number in \(0, 0.5\), received 0.5"),
        (lambda: coupling_flow(shape=(2,), layers=0), "layers: expected at least 1, received 0"),
        (lambda: coupling_flow(shape=(2,)).log_prob(torch.zeros(3, 3)), r"x: expected the shape \(B, \*\(2,\)\)"),
        (lambda: Dequantised(coupling_flow(shape=(2,)), levels=1), "levels: expected at least 2, received 1"),
        (lambda: coupling_flow(shape=(2,)).sample(0), "n: expected at least 1"),
        (lambda: coupling_flow(shape=(2,)).inverse(torch.zeros(3, 3)), r"z: expected the shape \(B, 2\)"),
        (lambda: coupling_flow(shape=(2,), classes=2, context=3), "context: expected 0 for a flow with classes"),
        (lambda: coupling_flow(shape=(2,), classes=-1), "classes: expected at least 0, received -1"),
        (lambda: coupling_flow(shape=(2,), label_dropout=1.5), "label_dropout: expected a probability, received 1.5"),
        (lambda: coupling_flow(shape=(2,), classes=2).log_prob(torch.zeros(3, 2), torch.tensor([3])), "c: expected"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_gaussian_is_learnt_exactly():
    """Mean, scale and correlation are what ActNorm and Mix can do by themselves: the entropy is reached."""
    g = torch.Generator().manual_seed(0)
    a = torch.tensor([[1.0, 0.0], [0.8, 0.6]])
    x = torch.randn(4000, 2, generator=g) @ a.T * 3 + 1
    torch.manual_seed(0)
    flow = coupling_flow(shape=(2,), layers=2, hidden=(16,))
    fit(flow, Split(x), TrainConfig(steps=300, batch=500, lr=1e-2, clip=10.0), progress=False)
    entropy = 1 + math.log(2 * math.pi) + math.log(9 * 0.6)
    with torch.no_grad():
        assert -flow.log_prob(x).mean().item() == pytest.approx(entropy, abs=0.03)
