"""A step of a Boltzmann machine by its own formula: the gradient of autograd, and learning that can be checked."""

import math

import pytest
import torch

from genkit.models.boltzmann import RBM
from genkit.nn.machines import Pair, states
from genkit.nn.phases import learn, step

BARS = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]]).repeat(50, 1)


def machine(visible=4, hidden=3, seed=0):
    torch.manual_seed(seed)
    model = RBM(shape=(visible,), hidden=hidden)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p))
    return model


def run(model, x, **options):
    for _ in learn(model, x, **options):
        pass
    return model


def test_a_step_is_the_gradient_of_the_free_energies():
    model, seen, chains, rate = machine(), BARS[:2], torch.eye(3), 0.3
    live = [p.detach().clone() for p in (model.weight, model.visible_bias, model.hidden_bias)]
    sides = torch.tensor([rate / 2] * 2 + [-rate / 3] * 3)
    torch.manual_seed(1)
    dreamt = torch.bernoulli(Pair(*live).mean_visible(chains))
    torch.manual_seed(1)
    step(*live, seen, chains, sides)
    loss = -model.log_unnormalised(seen).mean() + model.log_unnormalised(dreamt).mean()
    loss.backward()
    for moved, p in zip(live, (model.weight, model.visible_bias, model.hidden_bias), strict=True):
        torch.testing.assert_close(moved, (p - rate * p.grad).detach(), atol=1e-6, rtol=1e-5)


def test_chains_that_stand_still_visit_states_as_often_as_the_machine_says():
    m = machine()
    live = [m.weight.detach(), m.visible_bias.detach(), m.hidden_bias.detach()]
    generator, chains = torch.Generator().manual_seed(0), torch.zeros(20_000, 3)
    for _ in range(60):
        chains = step(*live, torch.zeros(0, 4), chains, torch.zeros(20_000), generator)
    whole = Pair(*live)
    hidden = Pair(live[0].T, live[2], live[1])  # the same machine, seen from the other side
    exact = (hidden.log_unnormalised(states(3)) - whole.log_partition()).exp()
    found = (chains @ torch.tensor([4.0, 2, 1])).long().bincount(minlength=8) / 20_000
    assert (found - exact).abs().max() < 0.015


def test_two_bars_are_learnt_and_the_mean_is_better_than_the_last():
    def scores(averaged):
        torch.manual_seed(0)
        machines = [RBM(shape=(4,), hidden=2) for _ in range(3)]
        walked = [run(m, BARS, steps=3000, averaged=averaged, seed=i) for i, m in enumerate(machines)]
        return [m.log_prob(BARS).mean().item() for m in walked]

    best, mean = -math.log(2), scores(averaged=True)  # two pictures, equally frequent
    assert all(best - 0.7 < score <= best for score in mean)
    assert sum(mean) > sum(scores(averaged=False)) + 0.5


def test_all_chance_is_a_function_of_the_seed():
    def weights(seed):
        torch.manual_seed(0)
        model = RBM(shape=(4,), hidden=2)
        before = torch.random.get_rng_state()
        run(model, BARS, steps=50, seed=seed)
        assert torch.equal(torch.random.get_rng_state(), before)
        return model.weight.detach()

    one, again, other = weights(1), weights(1), weights(2)
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_it_says_how_far_it_is():
    model = RBM(shape=(4,), hidden=2)
    assert list(learn(model, BARS, steps=25, every=10)) == [10, 20, 25]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: expected at least 1, received 0"),
        ({"steps": 1, "every": 0}, "every: expected at least 1"),
        ({"steps": 1, "batch": 101}, "batch: expected 1 … 100"),
        ({"steps": 1, "lr": 0.0}, "lr: expected a number above 0"),
    ],
)
def test_bad_input_gets_one_line(options, message):
    with pytest.raises(ValueError, match=message):
        next(learn(RBM(shape=(4,), hidden=2), BARS, **options))


def test_other_machines_and_other_data_are_refused():
    with pytest.raises(ValueError, match="model: expected units of 0 and 1"):
        next(learn(RBM(shape=(4,), hidden=2, sigma=1.0), BARS, steps=1))
    with pytest.raises(ValueError, match="model: expected units of 0 and 1"):
        next(learn(RBM(shape=(4,), hidden=2, classes=3), BARS, steps=1))
    with pytest.raises(ValueError, match=r"x: expected numbers in \[0, 1\] of shape \(N, 4\)"):
        next(learn(RBM(shape=(4,), hidden=2), BARS - 0.5, steps=1))
    with pytest.raises(ValueError, match=r"x: expected numbers in \[0, 1\] of shape \(N, 4\)"):
        next(learn(RBM(shape=(4,), hidden=2), BARS[:, :3], steps=1))
