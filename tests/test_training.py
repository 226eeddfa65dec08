"""The trainer: schedules, spans, randomness, the early best, and what it does when a loss breaks."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genkit.base import Generative, Player
from genkit.data import Split
from genkit.randomness import Order, number_of
from genkit.training import Run, TrainConfig, fit, learning_rate, train


class Bell(Generative):
    """A Gaussian with a learned mean, so that the answer is known; its loss draws noise, as a VAE's does."""

    likelihood = "exact"

    def __init__(self, noise=0.0, start=0.0):
        super().__init__()
        self.mean, self.noise = nn.Parameter(torch.full((2,), start)), noise

    def loss(self, x, c=None):
        return {"loss": (x + self.noise * torch.randn_like(x) - self.mean).square().sum(1)}

    def log_prob(self, x, c=None):
        return -(x - self.mean).square().sum(1)

    def trajectory(self, n, c=None):
        yield self.mean.detach() + torch.randn(n, 2)


class Duel(Generative):
    """Two players that pull one number each; a third parameter is frozen."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        self.frozen = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.moves = []

    def _loss(self, name):
        def loss(x, c=None):
            self.moves.append(name)
            return {"loss": (self.a + self.b + self.frozen - 1).square()}

        return loss

    def players(self):
        return [
            Player("first", [self.a], self._loss("first"), span=(0.0, 0.5)),
            Player("second", [self.b], self._loss("second"), every=2, span=(0.5, 1.0), lr=0.1),
        ]


POINTS = Split(torch.randn(37, 2, generator=torch.Generator().manual_seed(0)) + torch.tensor([3.0, -1.0]))


def test_it_finds_a_mean_that_is_known():
    model = Bell()
    fit(model, POINTS, TrainConfig(steps=400, batch=37, lr=0.05, clip=None), progress=False)
    torch.testing.assert_close(model.mean.detach(), POINTS.x.mean(0), atol=0.02, rtol=0)
    assert not model.training and model.mean.requires_grad


@given(n=st.integers(1, 40), batch=st.integers(1, 60), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_every_epoch_holds_every_example_once(n, batch, seed):
    order = Order(n, batch, seed)
    stream = torch.cat([order.batch(i) for i in range(math.ceil(2 * n / batch))])
    for epoch in (stream[:n], stream[n : 2 * n]):
        assert sorted(epoch.tolist()) == list(range(n))
    assert torch.equal(Order(n, batch, seed).batch(1), order.batch(1))


def test_a_run_is_a_function_of_its_seed_and_not_of_what_a_reader_draws_inside_the_loop():
    def final(seed, meddle):
        torch.manual_seed(99)
        model = Bell(noise=1.0)
        for _ in train(model, POINTS, TrainConfig(steps=20, batch=8, seed=seed)):
            if meddle:
                torch.randn(5)
        return model.mean.detach()

    assert torch.equal(final(0, False), final(0, True))
    assert not torch.equal(final(0, False), final(1, False))


def test_the_global_random_state_is_put_back_before_every_yield():
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)
    steps = train(Bell(noise=1.0), POINTS, TrainConfig(steps=3))
    next(steps)
    assert torch.equal(torch.randn(3), expected)


def test_seeds_do_not_collide():
    numbers = {number_of(seed, step, rank) for seed in range(20) for step in range(50) for rank in range(3)}
    assert len(numbers) == 3000 and all(0 <= n < 2**63 for n in numbers)


@pytest.mark.parametrize(("warmup", "cosine"), [(0, True), (10, True), (10, False)])
def test_learning_rate_warms_up_and_falls(warmup, cosine):
    player = Player("p", [], lambda x, c: {}, lr=2.0)
    config = TrainConfig(steps=100, lr=0.5, warmup=warmup, cosine=cosine)
    rates = [learning_rate(player, i, config) for i in range(100)]
    assert rates[warmup] == pytest.approx(1.0)
    assert rates[: warmup + 1] == sorted(rates[: warmup + 1])
    assert rates[-1] == pytest.approx(0.0, abs=1e-3) if cosine else rates[-1] == 1.0


def test_players_move_in_their_spans_and_turns_alone():
    model = Duel()
    list(train(model, POINTS, TrainConfig(steps=20, batch=4, clip=None)))
    assert model.moves == ["first"] * 10 + ["second"] * 5
    assert model.frozen.item() == 0


def test_a_players_gradient_does_not_reach_its_opponent():
    model = Duel()
    run = Run(model, TrainConfig(steps=10))
    run.advance(POINTS.x, None)
    assert model.a.grad is not None and model.b.grad is None


def test_a_frozen_parameter_belongs_to_nobody():
    model = Bell()
    model.extra = nn.Parameter(torch.ones(1), requires_grad=False)
    assert [p.shape for p in model.players()[0].params] == [(2,)]


def test_the_average_is_the_exponential_moving_average():
    model, expected = Bell(), None
    for step in train(model, POINTS, TrainConfig(steps=10, batch=8, ema=0.8, lr=0.1)):
        now = model.mean.detach().clone()
        expected = now if expected is None else 0.8 * expected + 0.2 * now
        torch.testing.assert_close(step.average.mean, expected)


class Plane(Generative):
    """A matrix and a vector: one for Muon, one for AdamW."""

    def __init__(self):
        super().__init__()
        self.matrix, self.vector = nn.Parameter(torch.zeros(6, 2)), nn.Parameter(torch.zeros(6))

    def loss(self, x, c=None):
        wanted = x @ torch.tensor([[1.0, 2, 3, 4, 5, 6], [3, 1, 4, 1, 5, 9]]) + 1
        return {"loss": (x @ self.matrix.T + self.vector - wanted).square().sum(1)}

    def players(self):
        return [Player("model", list(self.parameters()), self.loss, matrices=[self.matrix])]


def test_muon_moves_a_matrix_equally_in_all_its_directions_and_adamw_the_rest():
    model = Plane()
    config = TrainConfig(steps=1, batch=37, lr=0.1, optimiser="muon", clip=None)
    next(train(model, POINTS, config))
    stretch = torch.linalg.svdvals(model.matrix.detach()) / (0.1 * 0.2 * 6**0.5)  # the size of AdamW's step
    assert stretch.min() > 0.5 and stretch.max() < 1.5
    torch.testing.assert_close(model.vector.detach().abs(), torch.full((6,), 0.1), rtol=1e-3, atol=0)


def test_muon_learns_and_without_matrices_it_is_adamw():
    model = Plane()
    before = model.loss(POINTS.x)["loss"].mean()
    fit(model, POINTS, TrainConfig(steps=600, batch=37, lr=0.2, optimiser="muon", clip=None), progress=False)
    assert model.loss(POINTS.x)["loss"].mean() < before / 100
    one, other = Bell(), Bell()
    for model, optimiser in ((one, "muon"), (other, "adamw")):
        fit(model, POINTS, TrainConfig(steps=20, optimiser=optimiser), progress=False)
    assert torch.equal(one.mean, other.mean)


def test_a_loss_that_breaks_names_step_and_player():
    model = Bell()
    data = Split(torch.full((4, 2), torch.nan))
    with pytest.raises(FloatingPointError, match=r"step 0: the loss of model is nan.*smaller lr"):
        list(train(model, data, TrainConfig(steps=3)))
    assert model.mean.isfinite().all()  # the weights are those before the broken step


def test_the_best_on_validation_is_returned():
    model, seen = Bell(), []

    def select(average):
        seen.append(average.mean.detach().clone())
        return -((len(seen) - 3) ** 2)  # the third look is the best

    found = fit(model, POINTS, TrainConfig(steps=50, batch=8, lr=0.1), select=select, every=10, progress=False)
    assert found.best_step == 30 and len(seen) == 5
    torch.testing.assert_close(model.mean.detach(), seen[2])


def test_history_holds_the_means_of_the_terms():
    losses = [s.terms["model/loss"].item() for s in train(Bell(), POINTS, TrainConfig(steps=6, batch=8))]
    history = fit(Bell(), POINTS, TrainConfig(steps=6, batch=8), every=3, progress=False).history
    assert history["step"] == [3, 6]
    assert history["model/loss"] == pytest.approx([sum(losses[:3]) / 3, sum(losses[3:]) / 3])


def test_history_has_a_gap_where_a_player_sat_out():
    history = fit(Duel(), POINTS, TrainConfig(steps=20, batch=4), every=10, progress=False).history
    assert not math.isnan(history["first/loss"][0]) and math.isnan(history["first/loss"][1])
    assert math.isnan(history["second/loss"][0]) and not math.isnan(history["second/loss"][1])


def test_clipping_bounds_the_gradient():
    model = Bell(start=1000.0)
    run = Run(model, TrainConfig(clip=0.5))
    run.advance(POINTS.x, None)
    assert model.mean.grad.norm().item() == pytest.approx(0.5, rel=1e-3)


def test_bf16_trains():
    model = Bell()
    fit(model, POINTS, TrainConfig(steps=200, batch=37, lr=0.05, precision="bf16"), progress=False)
    torch.testing.assert_close(model.mean.detach(), POINTS.x.mean(0), atol=0.1, rtol=0)


def test_augmentation_is_seen_by_the_model():
    model = Bell()
    config = TrainConfig(steps=200, batch=37, lr=0.5, clip=None)
    fit(model, POINTS, config, augment=lambda x, c: (x + 10, c), progress=False)
    torch.testing.assert_close(model.mean.detach(), POINTS.x.mean(0) + 10, atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps: expected at least 1, received 0"),
        ({"batch": 0}, "batch: expected at least 1"),
        ({"lr": 0.0}, "lr: expected a number above 0"),
        ({"lr": math.nan}, "lr: expected a number above 0"),
        ({"ema": 1.0}, "ema: expected None or a number in"),
        ({"clip": 0.0}, "clip: expected None or a number above 0"),
        ({"precision": "fp8"}, "precision: expected one of bf16, float32"),
    ],
)
def test_a_bad_configuration_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**change)


def test_nothing_to_train_on_is_said():
    with pytest.raises(ValueError, match="data: expected at least one example"):
        next(train(Bell(), Split(torch.empty(0, 2))))


def test_one_line_stays_of_the_bar(capsys, monkeypatch):
    monkeypatch.setenv("GENKIT_UNWATCHED", "1")
    fit(Bell(), POINTS, TrainConfig(steps=20, batch=8))
    out, err = capsys.readouterr()
    assert out.startswith("20 steps in ") and out.count("\n") == 1 and err == ""
