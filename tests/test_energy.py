"""Energies: the walk against exact answers, the training signal, the buffer, and densities on a grid."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import metrics
from genkit.data import Split, toy
from genkit.models.energy import EnergyModel, langevin, mlp_energy
from genkit.training import TrainConfig, fit


def last(steps):
    *_, x = steps
    return x


def test_a_walk_without_noise_is_gradient_descent():
    x = torch.tensor([[1.0, -2.0]])
    found = last(langevin(lambda x: (3 * x**2).sum(1), x, steps=4, step=0.2, noise=0.0))
    torch.testing.assert_close(found, x * (1 - 0.5 * 0.04 * 6) ** 4)


def test_one_step_has_the_mean_and_spread_of_the_formula():
    torch.manual_seed(0)
    x = torch.full((40_000, 1), 2.0)
    found = last(langevin(lambda x: (x**2).sum(1), x, steps=1, step=0.5))
    assert found.mean().item() == pytest.approx(2 - 0.125 * 4, abs=0.01)
    assert found.std().item() == pytest.approx(0.5, abs=0.01)
    warm = last(langevin(lambda x: (x**2).sum(1), x, steps=1, step=0.5, noise=0.4))
    assert warm.std().item() == pytest.approx(0.2, abs=0.01)


@given(st.floats(0.5, 2.0), st.floats(0.1, 0.4))
@settings(max_examples=8, deadline=None)
def test_a_long_walk_on_a_bowl_has_the_variance_that_the_discrete_chain_must_have(k, step):
    """For E = k x²/2 the chain is x ← (1 − kε²/2) x + ε ξ, whose variance is 1 / (k (1 − kε²/4))."""
    torch.manual_seed(0)
    steps = int(8 / (k * step**2 / 2)) + 1
    found = last(langevin(lambda x: k * x.square().sum(1) / 2, torch.zeros(4000, 1), steps=steps, step=step))
    assert found.var().item() == pytest.approx(1 / (k * (1 - k * step**2 / 4)), rel=0.12)


def test_a_step_too_long_for_the_curvature_explodes():
    bowl = lambda x: 50 * x.square().sum(1)  # noqa: E731  curvature 100, so the limit is ε = 0.2
    tame = last(langevin(bowl, torch.ones(100, 1), steps=100, step=0.15))
    wild = last(langevin(bowl, torch.ones(100, 1), steps=100, step=0.25))
    assert tame.abs().max() < 2 and wild.abs().min() > 100


def test_the_walk_leaves_no_gradient_in_the_network_and_works_without_grad():
    model = mlp_energy(shape=(2,), hidden=(8,))
    with torch.no_grad():
        assert last(langevin(model.energy, torch.zeros(3, 2), steps=2, step=0.1)).shape == (3, 2)
    assert all(p.grad is None for p in model.parameters())
    assert not model.sample(4, steps=3).requires_grad


def test_the_energy_is_the_networks_plus_the_bowl():
    model = mlp_energy(shape=(2,), hidden=(8,), spread=3.0)
    x = torch.randn(5, 2)
    torch.testing.assert_close(model.energy(x), model.network(x)[:, 0] + (x**2).sum(1) / 18)


def test_the_gradient_is_that_of_the_likelihood():
    """With draws from the model itself, E[∇E(x)] − E[∇E(x')] is minus the gradient of log p, here by exact sums."""
    torch.manual_seed(0)
    model = mlp_energy(shape=(2,), hidden=(6,), spread=1.0).double()
    points, area = metrics.plane(6.0, 120)
    points = points.double()
    data = torch.randn(50, 2).double()
    log_z = (-model.energy(points)).logsumexp(0) + math.log(area)
    exact = torch.autograd.grad((model.energy(data) + log_z).mean(), model.network.parameters())
    p = (-model.energy(points)).softmax(0).detach()
    drawn = points[torch.multinomial(p, 100_000, replacement=True)]
    model._negatives = lambda n: drawn[torch.randint(len(drawn), (n,))]
    many = data.repeat(2000, 1)
    found = torch.autograd.grad(model.loss(many)["loss"].mean(), model.network.parameters())
    for a, b in zip(found, exact, strict=True):
        torch.testing.assert_close(a, b, atol=0.02, rtol=0.1)


def test_the_loss_names_its_parts_and_regularises():
    torch.manual_seed(0)
    model = mlp_energy(shape=(2,), hidden=(8,), regularise=0.5, steps=1).eval()
    drawn = torch.randn(6, 2)
    model._negatives = lambda n: drawn
    x = torch.randn(6, 2)
    terms = model.loss(x)
    a, b = model.energy(x), model.energy(drawn)
    torch.testing.assert_close(terms["gap"], a - b)
    torch.testing.assert_close(terms["loss"], a - b + 0.5 * (a**2 + b**2))
    terms["loss"].mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in list(model.parameters())[:-1])


def test_chains_go_on_where_they_stopped_in_training_alone():
    torch.manual_seed(0)
    model = mlp_energy(shape=(2,), hidden=(8,), chains=30, renewal=0.0, steps=2)
    before = model.chains.clone()
    model.eval().loss(torch.zeros(10, 2))
    assert torch.equal(model.chains, before)
    model.train().loss(torch.zeros(10, 2))
    moved = (model.chains != before).any(1).sum().item()
    assert 1 <= moved <= 10
    assert "chains" in model.state_dict()
    assert (model.chains - before).norm(dim=1).max() < 1, "a chain goes on from where it was"


def test_a_share_of_the_chains_begins_anew():
    torch.manual_seed(0)
    model = mlp_energy(shape=(2,), hidden=(8,), chains=10, renewal=0.25, steps=1, step=1e-4)
    model.chains.fill_(100.0)
    drawn = model.eval()._negatives(4000)
    assert (drawn < 50).all(1).float().mean().item() == pytest.approx(0.25, abs=0.03)
    always = mlp_energy(shape=(2,), hidden=(8,), steps=1, step=1e-4, spread=3.0)
    assert always._negatives(4000).std().item() == pytest.approx(3.0, rel=0.05)


def test_training_with_persistent_chains_recovers_a_known_density():
    """A correlated normal: the divergence on a grid falls below 0.05 nats, from above 0.5."""
    torch.manual_seed(0)
    root = torch.tensor([[1.0, 0.0], [0.8, 0.6]])
    x = torch.randn(2000, 2) @ root.T
    points, area = metrics.plane(5.0, 60)
    true = torch.distributions.MultivariateNormal(torch.zeros(2), root @ root.T).log_prob(points)
    model = mlp_energy(shape=(2,), hidden=(32,), chains=1000, steps=10, step=0.3)
    with torch.no_grad():
        before = metrics.grid_kl(true, -model.energy(points), area).value
    fit(model, Split(x), TrainConfig(steps=250, batch=200, lr=1e-2, ema=0.97), progress=False)
    with torch.no_grad():
        after = metrics.grid_kl(true, -model.energy(points), area).value
    assert before > 0.5 and after < 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.energy(torch.zeros(2, 3)), r"x: expected shape \(B, \*\(2,\)\), received \(2, 3\)"),
        (lambda m: m.loss(torch.zeros(2, 2), torch.tensor([0])), "c: expected None"),
        (lambda m: m.sample(2, torch.tensor([0])), "c: expected None"),
        (lambda m: m.sample(0), "n: expected at least 1, received 0"),
        (lambda m: m.sample(2, steps=0), "steps: expected at least 1, received 0"),
        (lambda m: m.sample(2, start=torch.zeros(3, 2)), r"start: expected shape \(2, 2\), received \(3, 2\)"),
        (lambda m: list(langevin(m.energy, torch.zeros(1, 2), steps=1, step=0.0)), "step: expected a number above 0"),
        (lambda m: list(langevin(m.energy, torch.zeros(1, 2), steps=1, step=1.0, noise=-1)), "noise: expected"),
        (lambda m: EnergyModel(m.network, shape=(2,), spread=0.0), "spread: expected a number above 0"),
        (lambda m: EnergyModel(m.network, shape=(2,), steps=0), "steps: expected at least 1"),
        (lambda m: EnergyModel(m.network, shape=(2,), chains=-1), "chains: expected at least 0"),
        (lambda m: EnergyModel(m.network, shape=(2,), renewal=1.5), r"renewal: expected a share in \[0, 1\]"),
        (lambda m: EnergyModel(m.network, shape=(2,), regularise=-1.0), "regularise: expected a number >= 0"),
        (lambda m: metrics.grid_kl(torch.zeros(3), torch.zeros(4), 1.0), "log_p, log_q: expected one shape"),
        (lambda m: metrics.plane(0.0), "extent, side: expected above 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(mlp_energy(shape=(2,), hidden=(4,)))


# the grid


def test_a_grid_holds_a_known_divergence():
    points, area = metrics.plane(8.0, 160)
    normal = lambda m, s: -((points - m) ** 2).sum(1) / (2 * s**2)  # noqa: E731  known up to a constant
    found = metrics.grid_kl(normal(0.0, 1.0), normal(torch.tensor([1.0, 0.0]), 2.0), area)
    exact = 2 * (math.log(2) + 1 / 8 - 0.5) + 1 / 8
    assert found.value == pytest.approx(exact, abs=1e-3) and found.kind == "exact"
    assert metrics.grid_kl(normal(0.0, 1.0), normal(0.0, 1.0) + 7, area).value == pytest.approx(0, abs=1e-9)


def test_a_density_of_zero_costs_nothing_where_the_truth_is_zero_and_everything_where_it_is_not():
    points, area = metrics.plane(4.0, 80)
    board = toy("checkerboard").log_prob(points)
    flat = torch.zeros(len(points))
    assert metrics.grid_kl(board, flat, area).value == pytest.approx(math.log(2), abs=1e-5)
    assert metrics.grid_kl(flat, board, area).value == math.inf


@pytest.mark.parametrize("kind", ["moons", "spirals", "checkerboard"])
def test_the_plane_holds_the_toy_densities(kind):
    points, area = metrics.plane(4.0, 100)
    assert (toy(kind).log_prob(points).double().exp().sum() * area).item() == pytest.approx(1, abs=2e-3)
    normal = metrics.normalised(toy(kind).log_prob(points) + 3, area)
    assert (normal.exp().sum() * area).item() == pytest.approx(1, abs=1e-4)
