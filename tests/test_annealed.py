"""Annealed importance sampling: right where the sum can be done, and honest about its error."""

import math

import pytest
import torch
from torch import nn

from genkit import metrics
from genkit.metrics import ais, log_partition
from genkit.models.boltzmann import RBM, Boltzmann
from genkit.models.dbn import DBN
from genkit.nn.machines import states


def shaken(model, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += scale * torch.randn(parameter.shape, generator=generator)
    return model


def machines():
    torch.manual_seed(0)
    return {
        "restricted": shaken(RBM(shape=(10,), hidden=8), 0.6),
        "more hidden": shaken(RBM(shape=(8,), hidden=30), 0.4),
        "labels": shaken(RBM(shape=(8,), hidden=6, classes=3), 0.6),
        "Gaussian": shaken(RBM(shape=(3,), hidden=6, sigma=0.7), 0.5),
        "general": shaken(Boltzmann(shape=(6,), hidden=4), 0.6),
    }


@pytest.mark.parametrize("name", machines())
def test_log_z_lies_within_three_standard_errors_of_the_sum_in_nine_of_ten_seeds(name):
    model = machines()[name]
    exact = model.machine.log_partition().item()
    within, errors = 0, []
    for seed in range(10):
        torch.manual_seed(seed)
        found = log_partition(model.machine, chains=200, rungs=100)
        within += abs(found.value - exact) <= 3 * found.stderr
        errors.append(found.stderr)
    assert within >= 9
    assert max(errors) < 0.2, "an error bar that admits everything says nothing"


def test_the_mean_log_probability_lies_within_its_error_and_the_error_is_not_too_large():
    model, x = machines()["restricted"], states(10)[::37]
    exact = model.log_prob(x).mean().item()
    assert metrics.log_prob(model, x).value == pytest.approx(exact, abs=1e-5)
    off = []
    for seed in range(40):
        torch.manual_seed(seed)
        found = ais(model, x, chains=100, rungs=50)
        off.append((found.value - exact) / found.stderr)
        assert found.kind == "estimate" and found.unit == "nats"
    off = torch.tensor(off)
    assert (off[:10].abs() <= 3).sum() >= 9
    assert (off.abs() <= 2).float().mean() > 0.8, "two errors hold about nineteen of twenty"
    assert 0.5 < off.std() < 1.6, "the error is neither boasted nor hidden"


def test_rungs_and_rates_make_it_sharper():
    torch.manual_seed(0)
    model = shaken(RBM(shape=(12,), hidden=8), 0.5)
    with torch.no_grad():
        model.visible_bias -= 3
    x = model.sample(300, steps=50)
    errors = {}
    for name, rungs, rates in (("coarse", 5, None), ("fine", 200, None), ("rates", 5, model.rates(x))):
        torch.manual_seed(1)
        errors[name] = log_partition(model.machine, rungs=rungs, rates=rates).stderr
    assert errors["fine"] < errors["coarse"] / 2 and errors["rates"] < errors["coarse"]


def test_independent_units_need_no_annealing():
    torch.manual_seed(0)
    model = RBM(shape=(6,), hidden=4)
    with torch.no_grad():
        model.weight.zero_(), model.visible_bias.normal_()
    exact = torch.nn.functional.softplus(model.visible_bias).sum().item() + 4 * math.log(2)
    found = log_partition(model.machine, rates=model.visible_bias.detach().sigmoid(), rungs=1, chains=2)
    assert found.value == pytest.approx(exact, abs=1e-5) and found.stderr == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", machines())
def test_a_ladder_begins_where_the_sum_is_known_and_ends_at_the_machine(name):
    machine = machines()[name].machine
    rates = None if name == "general" else torch.linspace(0.1, 0.9, machine.weight.shape[0])
    for given in (None, rates):
        start = machine.tempered(0.0, given)
        torch.testing.assert_close(start.log_partition(), machine.log_partition_at_zero(given), atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(machine.tempered(1.0, given).log_partition(), machine.log_partition())
    torch.manual_seed(0)
    if name not in ("Gaussian", "general"):
        assert (start.step(machine.blank(20_000)).mean(0) - rates).abs().max() < 0.02


def test_a_belief_networks_bound_is_estimated():
    torch.manual_seed(0)
    model = shaken(DBN([RBM(shape=(4,), hidden=3), RBM(shape=(3,), hidden=3)]), 0.8)
    x = states(4)
    bound = metrics.iwae(model, x, k=2000)
    found = ais(model, x)
    assert found.value == pytest.approx(bound.value, abs=3 * found.stderr + 0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: log_partition(m.machine, chains=1), "chains: expected at least 2, received 1"),
        (lambda m: log_partition(m.machine, rungs=0), "rungs: expected at least 1, received 0"),
        (lambda m: ais(nn.Linear(2, 2), torch.zeros(1, 2)), "model: expected a Boltzmann machine .* received Linear"),
        (lambda m: ais(m, torch.zeros(2, 3)), "x: expected the shape"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(machines()["restricted"])
