"""Straight paths: their loss, their true velocity, their samplers, reflow and distillation."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import families, metrics, recipes
from genkit.data import load, toy
from genkit.metrics.paths import crossings, mixture_velocity, straightness
from genkit.models.flow_matching import FlowMatching, flow_matching, independent, last, logit_normal, optimal, uniform
from genkit.models.reflow import Reflow
from genkit.nn.field import Field
from genkit.records.flow_matching import CosineNoise, cosine_path
from genkit.training import TrainConfig, fit, train

SMALL = {"width": 32, "depth": 2}


class Known(torch.nn.Module):
    """A network that is a formula, with a parameter so that it has a device."""

    def __init__(self, rule):
        super().__init__()
        self.rule, self.none = rule, torch.nn.Parameter(torch.zeros(()))

    def forward(self, x, t, c=None):
        return self.rule(x, t, c) + self.none


def true_flow(kind="islands"):
    mixture = toy(kind)
    return FlowMatching(Known(lambda x, t, c: mixture_velocity(x, t, mixture.centres, mixture.sigma)), shape=(2,))


def shaken(model, seed=0):
    """Give every parameter a value, so that no gate is shut."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.3 * torch.randn(p.shape, generator=generator))
    return model


# the loss -------------------------------------------------------------------------------------------------------------


def test_the_loss_is_the_squared_error_of_the_velocity_on_a_straight_line():
    model = shaken(flow_matching(shape=(3,), size=SMALL))
    x = torch.randn(6, 3)
    torch.manual_seed(1)
    found = model.loss(x)["loss"]
    torch.manual_seed(1)
    eps, t = torch.randn(6, 3), torch.rand(6)
    at = torch.stack([(1 - u) * a + u * e for a, e, u in zip(x, eps, t, strict=True)])
    by_hand = ((model.network(at, t) - (eps - x)) ** 2).mean(1)
    torch.testing.assert_close(found, by_hand)


def test_a_velocity_that_points_from_the_data_to_the_noise_costs_nothing():
    x, eps, t = torch.randn(5, 2), torch.randn(5, 2), torch.rand(5)
    model = FlowMatching(Known(lambda *_: eps - x), shape=(2,))
    assert model.error(x, eps, t).abs().max() == 0
    wrong = FlowMatching(Known(lambda *_: x - eps), shape=(2,))  # the other way round
    torch.testing.assert_close(wrong.error(x, eps, t), 4 * (eps - x).square().mean(1))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 0.99), st.integers(0, 10_000))
def test_the_error_of_the_noise_is_that_of_the_velocity_with_another_weight(time, seed):
    """If x_t = (1−t)x + tε and ε̂ = x_t + (1−t)v, then ε̂ − ε = (1−t)(v − (ε − x)): one optimum, two weights."""
    torch.manual_seed(seed)
    x, eps, v = torch.randn(3, 4, 2, dtype=torch.double)
    x_t = (1 - time) * x + time * eps
    said = x_t + (1 - time) * v
    torch.testing.assert_close((said - eps).square(), (1 - time) ** 2 * (v - (eps - x)).square())


def test_every_parameter_learns_with_a_class_and_without():
    for classes, c in ((0, None), (3, torch.tensor([0, 1, 2, 1]))):
        model = shaken(flow_matching(shape=(1, 4, 4), classes=classes, label_dropout=0.5, size=SMALL))
        torch.manual_seed(0)
        sum(model.loss(torch.rand(4, 1, 4, 4), c)["loss"].sum() for _ in range(8)).backward()
        assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_labels_are_hidden_in_the_share_that_was_asked_for_and_never_in_sampling():
    model = flow_matching(shape=(2,), classes=4, label_dropout=0.25, size=SMALL)
    c = torch.zeros(4000, dtype=torch.int64)
    hidden = model.hide(c)
    assert set(hidden.tolist()) == {0, 4} and 0.2 < (hidden == 4).float().mean() < 0.3
    assert torch.equal(flow_matching(shape=(2,), classes=4, label_dropout=0.0, size=SMALL).hide(c), c)
    seen = []
    model.network = Known(lambda x, t, c: seen.append(c) or 0 * x)
    model.sample(3, torch.tensor([2]), steps=2)
    assert all(c.tolist() == [2, 2, 2] for c in seen)


def test_times_lie_where_they_should():
    torch.manual_seed(0)
    even, middle = uniform(20_000), logit_normal(20_000)
    assert even.min() >= 0 and even.max() < 1 and abs(even.std() - 1 / math.sqrt(12)) < 0.01
    odds = (middle / (1 - middle)).log()
    assert abs(odds.mean()) < 0.03 and abs(odds.std() - 1) < 0.03
    assert last(4).tolist() == [1, 1, 1, 1]


# couplings ------------------------------------------------------------------------------------------------------------


def test_the_optimal_coupling_is_the_best_of_all_orders():
    torch.manual_seed(0)
    for _ in range(5):
        x, eps = torch.randn(5, 3), torch.randn(5, 3)
        best = min(
            ((x - eps[list(order)]).square().sum().item() for order in itertools.permutations(range(5))),
        )
        paired = optimal(x, eps)
        assert (x - paired).square().sum().item() == pytest.approx(best, rel=1e-5)
        assert sorted(map(tuple, paired.tolist())) == sorted(map(tuple, eps.tolist()))


def test_the_optimal_coupling_stays_within_a_class():
    torch.manual_seed(1)
    x, eps, c = torch.randn(12, 2), torch.randn(12, 2), torch.arange(12) % 3
    paired = optimal(x, eps, c)
    for k in range(3):
        assert sorted(map(tuple, paired[c == k].tolist())) == sorted(map(tuple, eps[c == k].tolist()))
        torch.testing.assert_close(paired[c == k], optimal(x[c == k], eps[c == k]))
    assert independent(x, eps, c) is eps


# the true velocity ----------------------------------------------------------------------------------------------------


def test_the_true_velocity_is_that_of_the_score():
    """Tweedie: E[ε | x_t] = −t ∇ log p_t(x_t), with p_t by torch.distributions; then v = (E[ε] − x_t)/(1 − t)."""
    centres, sigma = torch.tensor([[-1.0, 0.5], [2.0, 0.0], [0.3, -2.0]], dtype=torch.double), 0.4
    x = torch.randn(7, 2, dtype=torch.double).requires_grad_()
    for time in (0.05, 0.5, 0.95):
        spread = math.sqrt(((1 - time) * sigma) ** 2 + time**2)
        parts = torch.distributions.Independent(torch.distributions.Normal((1 - time) * centres, spread), 1)
        even = torch.distributions.Categorical(torch.ones(3, dtype=torch.double))
        log_p = torch.distributions.MixtureSameFamily(even, parts).log_prob(x).sum()
        noise = -time * torch.autograd.grad(log_p, x)[0]
        expected = (noise - x) / (1 - time)
        found = mixture_velocity(x, torch.full((7,), time, dtype=torch.double), centres, sigma)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def test_following_the_true_velocity_gives_the_data_and_one_step_gives_their_mean():
    model, mixture = true_flow(), toy("islands")
    torch.manual_seed(0)
    start = torch.randn(1500, 2)
    real = mixture.sample(1500, torch.Generator().manual_seed(1))[0]
    many, one = model.sample(1500, start=start, steps=100), model.sample(1500, start=start, steps=1)
    assert metrics.sliced_wasserstein(many, real).value < 0.3 < metrics.sliced_wasserstein(one, real).value
    torch.testing.assert_close(one, mixture.centres.mean(0).expand(1500, 2), rtol=0, atol=1e-5)


def test_training_finds_the_true_velocity():
    """Seeded recovery: the error falls far below that of saying nothing, and the least loss is not zero."""
    mixture, data = toy("islands"), load("toy2d", kind="islands").train
    model = recipes.build("flow_matching", shape=[2], size={"width": 64, "depth": 2})
    torch.manual_seed(0)
    fit(model, replace(data, c=None), TrainConfig(steps=500, batch=256, lr=5e-3, ema=0.98), progress=False)
    x, eps, t = mixture.sample(2000, torch.Generator().manual_seed(5))[0], torch.randn(2000, 2), torch.rand(2000)
    x_t = (1 - t[:, None]) * x + t[:, None] * eps
    truth = mixture_velocity(x_t, t, mixture.centres, mixture.sigma)
    with torch.no_grad():
        error = (model.velocity(x_t, t) - truth).square().sum(1).mean() / truth.square().sum(1).mean()
        loss = model.error(x, eps, t).mean()
    least = (truth - (eps - x)).square().mean()
    assert error < 0.03
    assert least > 0.3 and loss == pytest.approx(least.item(), rel=0.1)


# sampling -------------------------------------------------------------------------------------------------------------


def ddim(noise_of, x, grid):
    """DDIM (Song et al. 2021, eq. 12 with σ = 0) along a grid of (alpha, sigma)."""
    for (a, s), (b, r) in itertools.pairwise(grid):
        eps = noise_of(x, a, s)
        clean = (x - s * eps) / a
        x = b * clean + r * eps
    return x


def test_ddim_on_a_velocity_network_is_euler():
    """On the straight path step for step; on the cosine path with the same steps, put elsewhere."""
    model = true_flow()
    start = torch.randn(9, 2, dtype=torch.double)

    def euler(path):
        x = start
        for now, then in itertools.pairwise(path):
            x = x + (then - now) * model.velocity(x, torch.full((9,), now, dtype=torch.double))
        return x

    def noise_of(x, a, s):  # x = a·data + s·ε, so x/(a+s) lies on the straight path at time s/(a+s)
        t = s / (a + s)
        place = x / (a + s)
        return place + (1 - t) * model.velocity(place, torch.full((9,), t, dtype=torch.double))

    straight = [0.98 * (8 - i) / 8 for i in range(9)]  # at t = 1 there is no signal for DDIM to divide by
    grid = [(1 - t, t) for t in straight]
    torch.testing.assert_close(ddim(noise_of, 1.0 * start, grid), euler(straight))
    angles = [0.49 * math.pi * (8 - i) / 8 for i in range(9)]
    cosine = [(math.cos(u), math.sin(u)) for u in angles]
    places = [s / (a + s) for a, s in cosine]
    scaled = start * sum(cosine[0])
    torch.testing.assert_close(ddim(noise_of, scaled, cosine), euler(places))


def test_the_rival_finds_the_one_point_that_a_perfect_guess_at_the_noise_leads_to():
    point = torch.tensor([0.3, -0.6])

    def noise(x, t, c):
        a, s = (f(math.pi / 2 * t)[:, None] for f in (torch.cos, torch.sin))
        return (x - a * point) / s

    model = CosineNoise(Known(noise), shape=(2,))
    torch.manual_seed(0)
    for steps in (1, 3, 10):
        torch.testing.assert_close(model.sample(5, steps=steps), point.expand(5, 2), rtol=0, atol=1e-4)
    x = point.expand(64, 2)
    assert model.loss(x)["loss"].max() < 1e-6
    assert cosine_path(4)[0] == 1 and cosine_path(4)[-1] == 0
    assert cosine_path(4)[2] == pytest.approx(0.5)


def test_sampling_takes_the_steps_it_was_asked_for_and_cuts_to_the_bounds():
    model = shaken(flow_matching(shape=(1, 4, 4), bounds=(0.0, 1.0), size=SMALL))
    found = list(model.trajectory(3, steps=7))
    assert len(found) == 7 and all(x.shape == (3, 1, 4, 4) and x.min() >= 0 and x.max() <= 1 for x in found)
    start = torch.randn(3, 1, 4, 4)
    torch.testing.assert_close(model.sample(3, start=start, steps=5), model.sample(3, start=start, steps=5))
    free = flow_matching(shape=(2,), size=SMALL)
    assert torch.equal(free.sample(3, start=torch.full((3, 2), 9.0), steps=2), torch.full((3, 2), 9.0))


def test_stretching_and_shrinking_undo_each_other():
    model = flow_matching(shape=(2,), bounds=(2.0, 6.0), size=SMALL)
    assert model.stretch(torch.tensor([[2.0, 6.0]])).tolist() == [[-1, 1]]
    x = 2 + 4 * torch.rand(5, 2)
    torch.testing.assert_close(model.shrink(model.stretch(x)), x)


def test_guidance_of_one_and_of_zero_are_the_two_voices():
    model = shaken(flow_matching(shape=(2,), classes=3, size=SMALL))
    start, c = torch.randn(4, 2), torch.tensor([0, 1, 2, 1])
    with_class, without = (model.sample(4, k, start=start, steps=3) for k in (c, None))
    torch.testing.assert_close(model.sample(4, c, start=start, steps=3, guidance=0.0), without)
    torch.testing.assert_close(model.sample(4, c, start=start, steps=3, guidance=1.0), with_class)
    pushed = model.sample(4, c, start=start, steps=1, guidance=2.0)
    one, none = (model.sample(4, k, start=start, steps=1) for k in (c, None))
    torch.testing.assert_close(pushed, 2 * one - none)


# how straight ---------------------------------------------------------------------------------------------------------


def test_straightness_of_an_arc_is_known():
    """A quarter of a circle at an even pace: |velocity|² = π²/4, chord² = 2, so S = π²/8 − 1."""
    t = torch.linspace(0, 1, 4001, dtype=torch.double)[:, None] * math.pi / 2
    arc = torch.cat([t.cos(), t.sin()], 1)[:, None].expand(-1, 3, 2)
    assert straightness(arc).value == pytest.approx(math.pi**2 / 8 - 1, abs=1e-4)
    line = torch.linspace(0, 1, 50)[:, None, None] * torch.randn(4, 2) + torch.randn(4, 2)
    assert straightness(line).value == pytest.approx(0, abs=1e-6)
    assert straightness(line[[0, 5, 40, 49]]).value > 0.1  # straight, but not at an even pace


def test_lines_that_cross_are_counted():
    start, end = torch.tensor([[0.0, 0], [1, 0], [5, 5]]), torch.tensor([[1.0, 1], [0, 1], [6, 6]])
    assert crossings(start, end).value == pytest.approx(1 / 3)
    assert crossings(start, start + torch.tensor([0.3, 0.1])).value == 0


# reflow ---------------------------------------------------------------------------------------------------------------


def test_a_reflow_learns_the_teachers_pairs_and_leaves_the_teacher_alone():
    teacher = true_flow()
    student = flow_matching(shape=(2,), size={"width": 64, "depth": 2})
    model = Reflow(teacher, student, pairs=1000, knobs={"steps": 40})
    model.student.load_state_dict = lambda state: None  # a formula's weights do not fit
    before = [p.clone() for p in teacher.parameters()]
    torch.manual_seed(0)
    data = replace(load("toy2d", kind="islands").train, c=None)
    fit(model, data, TrainConfig(steps=400, batch=256, lr=5e-3, ema=0.98), progress=False)
    torch.testing.assert_close(teacher.sample(1000, start=model.noise, steps=40), model.ends)
    assert all(torch.equal(a, b) for a, b in zip(before, teacher.parameters(), strict=True))
    start = torch.randn(400, 2)
    bends = {
        m: straightness(torch.stack([start, *m.trajectory(400, start=start, steps=30)])).value for m in (teacher, model)
    }
    assert bends[model] < 0.3 * bends[teacher]
    real = toy("islands").sample(400, torch.Generator().manual_seed(1))[0]
    far = {m: metrics.sliced_wasserstein(m.sample(400, start=start, steps=1), real).value for m in (teacher, model)}
    assert far[model] < 0.4 * far[teacher]


def test_the_two_stages_of_one_run_follow_each_other():
    model = recipes.build(
        "reflow", shape=[2], size=SMALL, times="last", pairs=50, split=0.5, knobs={"steps": 3}, classes=2,
    )  # fmt: skip
    assert [(p.name, p.span) for p in model.players()] == [("teacher model", (0.0, 0.5)), ("student", (0.5, 1.0))]
    data, seen = load("toy2d", kind="islands").train, []
    for step in train(model, data, TrainConfig(steps=6, batch=8, ema=0.9)):
        seen.append((set(step.terms) & {"teacher model/loss", "student/loss"}, bool(model.made)))
    assert [s for s, _ in seen] == 3 * [{"teacher model/loss"}] + 3 * [{"student/loss"}]
    assert [made for _, made in seen] == 3 * [False] + 3 * [True]
    copy = recipes.build(
        "reflow", shape=[2], size=SMALL, times="last", pairs=50, split=0.5, knobs={"steps": 3}, classes=2,
    )  # fmt: skip
    copy.load_state_dict(model.state_dict())
    assert copy.made and torch.equal(copy.ends, model.ends)


def test_the_student_starts_as_a_copy_and_the_pairs_have_all_classes():
    teacher = shaken(flow_matching(shape=(2,), classes=3, size=SMALL))
    model = Reflow(
        teacher, flow_matching(shape=(2,), classes=3, size=SMALL), pairs=9, knobs={"steps": 4, "guidance": 2.0}
    )
    model.make()
    start, c = torch.randn(4, 2), torch.tensor([0, 1, 2, 2])
    torch.testing.assert_close(model.sample(4, c, start=start, steps=3), teacher.sample(4, c, start=start, steps=3))
    expected = teacher.sample(9, torch.arange(9) % 3, start=model.noise, steps=4, guidance=2.0)
    torch.testing.assert_close(model.ends, expected)
    second = Reflow(model, flow_matching(shape=(2,), classes=3, times="last", size=SMALL), pairs=9, knobs={"steps": 2})
    second.make()
    torch.testing.assert_close(second.sample(4, c, start=start, steps=1), model.sample(4, c, start=start, steps=1))


def test_a_further_stage_has_the_same_pairs_and_starts_where_the_first_ended():
    teacher = shaken(flow_matching(shape=(2,), size=SMALL))
    model = Reflow(teacher, flow_matching(shape=(2,), size=SMALL), pairs=8, knobs={"steps": 2})
    model.make()
    shaken(model.student, seed=1)
    stage, x = model.again(flow_matching(shape=(2,), times="last", size=SMALL)), torch.randn(5, 2)
    assert stage.made and torch.equal(stage.noise, model.noise) and torch.equal(stage.ends, model.ends)
    torch.testing.assert_close(stage.velocity(x, torch.rand(5) * 0), model.velocity(x, torch.zeros(5)))
    torch.manual_seed(0)
    chosen = torch.randint(8, (5,))
    torch.manual_seed(0)
    at = stage.noise[chosen]
    expected = (stage.velocity(at, torch.ones(5)) - (at - stage.ends[chosen])).square().mean(1)
    torch.testing.assert_close(stage.loss(x)["loss"], expected)


# bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"times": "unifrom"}, "times: expected one of .*Did you mean 'uniform'"),
        ({"coupling": "best"}, "coupling: expected one of independent, optimal"),
        ({"label_dropout": 1.5}, r"label_dropout: expected a share in \[0, 1\], received 1.5"),
        ({"bounds": (1.0, 0.0)}, "bounds: expected a low below a high"),
        ({"network": "fild"}, "network: expected one of .*Did you mean 'field'"),
        ({"size": {"width": 0}}, "width: expected .*received 0"),
    ],
)
def test_arguments_that_make_no_model(change, words):
    with pytest.raises(ValueError, match=words):
        flow_matching(**{"shape": (2,), "size": SMALL} | change)


def test_conditions_and_steps_that_make_no_sense():
    plain, labelled = flow_matching(shape=(2,), size=SMALL), flow_matching(shape=(2,), classes=3, size=SMALL)
    for model, c, knobs, words in (
        (plain, None, {"guidance": 2.0}, "guidance: expected 1 with a model without classes, received 2.0"),
        (labelled, None, {"guidance": 2.0}, "guidance: expected 1 with no labels, received 2.0"),
        (plain, torch.tensor([1]), {}, "c: expected None"),
        (labelled, torch.tensor([7]), {}, r"c: expected int64 labels in \[0, 3\) .*in \[7, 7\]"),
        (labelled, torch.tensor([-1, 0]), {}, r"in \[-1, 0\]"),
        (labelled, torch.tensor([0.0]), {}, "c: expected int64 labels"),
        (labelled, torch.tensor([0, 1, 2]), {}, "c: expected 1 or 2 rows, received 3"),
        (plain, None, {"steps": 0}, "steps: expected at least 1, received 0"),
        (plain, None, {"method": "eular"}, "Did you mean 'euler'"),
        (plain, None, {"start": torch.zeros(3, 2)}, r"start: expected shape \(2, 2\), received \(3, 2\)"),
    ):
        with pytest.raises(ValueError, match=words):
            model.sample(2, c, **knobs)
    with pytest.raises(ValueError, match="n: expected at least 1, received 0"):
        plain.sample(0)
    with pytest.raises(ValueError, match=r"x: expected shape \(B, \*\(2,\)\), received \(4, 3\)"):
        plain.loss(torch.zeros(4, 3))
    with pytest.raises(ValueError, match=r"x: expected shape \(B, \*\(2,\)\)"):
        Field((2,), width=8)(torch.zeros(4, 3), torch.zeros(4))


def test_a_reflow_of_two_kinds_is_refused():
    a, b = flow_matching(shape=(2,), size=SMALL), flow_matching(shape=(3,), size=SMALL)
    for arguments, words in (((a, b), "student: expected shape"), ((a, a), None)):
        if words:
            with pytest.raises(ValueError, match=words):
                Reflow(*arguments)
    with pytest.raises(ValueError, match="pairs: expected at least 1, received 0"):
        Reflow(a, a, pairs=0)
    with pytest.raises(ValueError, match=r"split: expected a share in \[0, 1\), received 1"):
        Reflow(a, a, split=1)


def test_measures_refuse_what_they_cannot_read():
    for call, words in (
        (lambda: straightness(torch.zeros(2, 3, 2)), "path: expected"),
        (lambda: crossings(torch.zeros(3, 3), torch.zeros(3, 3)), "start, end: expected"),
        (lambda: mixture_velocity(torch.zeros(3, 2), torch.zeros(3), torch.zeros(1, 2), 0.0), "sigma: expected"),
        (lambda: mixture_velocity(torch.zeros(3, 2), torch.zeros(3), torch.zeros(1, 3), 1.0), "x, centres: expected"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_what_suits_a_readers_data():
    digits = load("digits")
    assert families.SUITS["flow_matching"](digits, False) == {
        "shape": [1, 8, 8], "bounds": [0.0, 1.0], "network": "unet",
    }  # fmt: skip
    points = families.flow_matching_arguments(load("toy2d"))
    assert points == {"shape": [2], "bounds": None, "network": "field"}
    with pytest.raises(ValueError, match="data: expected images or numbers"):
        families.flow_matching_arguments(digits, True)
    for network in ("unet", "dit"):
        model = recipes.build("flow_matching", shape=[1, 8, 8], network=network, classes=10, bounds=[0.0, 1.0])
        assert model.sample(2, torch.tensor([3]), steps=1).shape == (2, 1, 8, 8)
