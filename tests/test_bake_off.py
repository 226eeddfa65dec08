"""The bake-off: every contestant through one interface, memory that is counted, ranks, and what the record says."""

import math
from dataclasses import replace

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from genkit import bench, metrics, ranking
from genkit.bake_off import Judge, baked, copies, enter, memory, one_gaussian, speed
from genkit.bake_off_plans import PLANS
from genkit.data import Dataset, Split, load
from genkit.families import FAMILIES
from genkit.peak import PeakMemory
from genkit.picture_forms import FORMS, form, on_levels
from genkit.record import recorded
from genkit.records import bake_off as lab


@pytest.fixture(scope="module")
def digits():
    return load("digits", split="random")


def on_the_levels(x, levels):
    return torch.equal(x, on_levels(x, levels)) and x.min() >= 0 and x.max() <= 1


@pytest.mark.parametrize("name", PLANS)
def test_every_contestant_learns_draws_and_answers_through_one_interface(name, digits):
    contestant = baked(name, digits, seed=1, budget=3 / PLANS[name].config.steps)
    x = contestant.sample(3)
    assert x.shape == (3, 1, 8, 8) and on_the_levels(x, 17)
    said = contestant.likelihood(digits.test.x[:4], draws=3)
    assert said is None or (math.isfinite(said.value) and said.kind in ("exact", "bound"))
    assert contestant.seconds > 0 and PLANS[name].family in FAMILIES


@pytest.mark.parametrize("name", ["flow", "GPT", "spline flow", "Boltzmann machine", "GAN"])
def test_a_race_is_a_function_of_its_seed(name, digits):
    runs = [baked(name, digits, seed=seed, budget=4 / PLANS[name].config.steps) for seed in (5, 5, 6)]
    weights = [torch.cat([p.flatten() for p in run.model.parameters()]) for run in runs]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("name", ["grey", "points", "words"])
def test_what_is_written_can_be_read(name, digits):
    x = digits.test.x[:50]
    assert torch.equal(form(name).read(form(name).write(x, 17), 17, (1, 8, 8)), x)


def test_coins_show_the_grey_level_on_average():
    torch.manual_seed(0)
    x = torch.full((1, 1, 8, 8), 0.25).expand(500, 1, 8, 8)
    tossed = FORMS["coins"].write(x, 17)
    assert set(tossed.unique().tolist()) == {0.0, 1.0} and abs(tossed.mean() - 0.25) < 0.01


def test_a_uniform_density_of_points_is_a_uniform_probability_of_levels():
    """Over [−R, R]^D the density is (2R)^−D; every level has the same share, so P = levels^−D."""
    cell, width = FORMS["points"].log_cell(17), 6.0
    assert 64 * (cell - math.log(width)) == pytest.approx(-64 * math.log(17))


def test_the_likelihood_of_a_density_is_one_of_the_levels(digits):
    """A model whose bound is known: every pixel even over [−R, R]."""
    contestant = enter("spline flow", digits)

    class Even(nn.Module):
        likelihood = "exact"
        device = torch.device("cpu")

        def log_prob(self, x):
            return torch.full((len(x),), -64 * math.log(6.0))

    contestant.model = Even()
    said = contestant.likelihood(digits.test.x[:5])
    assert said.kind == "bound" and said.value == pytest.approx(-64 * math.log(17), rel=1e-6)


def test_an_exact_likelihood_adds_up_to_one():
    """All 3^4 pictures of 2 × 2 pixels and 3 levels, by the contestant that writes words."""
    every = torch.cartesian_prod(*[torch.arange(3.0)] * 4).view(-1, 1, 2, 2) / 2
    data = Dataset("tiny", *[Split(every)] * 3, shape=(1, 2, 2), levels=3)
    contestant = enter("GPT", data)
    each = [contestant.likelihood(every[i : i + 1].repeat(2, 1, 1, 1)).value for i in range(81)]
    assert sum(math.exp(v) for v in each) == pytest.approx(1, abs=1e-4)


def test_plans_fit_other_pictures_and_large_ones_get_more(digits):
    x = torch.randint(256, (6, 1, 28, 28)) / 255
    data = Dataset("large", *[Split(x)] * 3, shape=(1, 28, 28), levels=256)
    for name in ("VAE", "GPT", "latent diffusion", "flow matching", "GAN", "belief network"):
        contestant = enter(name, data)
        assert contestant.model.loss(contestant.write(x)[0])["loss"].isfinite().all()
        assert sum(p.numel() for p in contestant.model.parameters()) > sum(
            p.numel() for p in enter(name, digits).model.parameters()
        )
    with pytest.raises(ValueError, match="data: expected pictures with grey levels"):
        enter("VAE", load("toy2d"))
    with pytest.raises(ValueError, match="Did you mean 'VAE'"):
        enter("VAEs", data)


def test_nobody_is_judged_by_more_pictures_than_the_others(digits):
    judge = Judge(digits, lab.seen)
    real = judge(torch.cat([digits.valid.x, digits.valid.x[:100]]))
    own = judge(copies(digits, 1000))
    noise = judge(torch.rand(1000, 1, 8, 8))
    assert real["copying z"] > -3 > -10 > own["copying z"]
    assert noise["frechet"] > 20 * own["frechet"] and noise["coverage"] < 0.3 < 0.9 < own["coverage"]
    assert judge(copies(digits, 1000)) == own


def test_the_training_digits_are_as_good_as_themselves(digits):
    judge = Judge(digits, lab.seen)
    order = torch.randperm(len(digits.train.x))
    assert judge(digits.train.x[order])["frechet"] == pytest.approx(1, abs=1e-4)


def test_one_gaussian_has_the_mean_and_the_covariance_of_the_data(digits):
    x, y = digits.train.x.flatten(1), one_gaussian(replace(digits, levels=10**6), 20000).flatten(1)
    inner = (x.mean(0) > 0.3) & (x.mean(0) < 0.7) & (x.std(0) < 0.35)  # the others are cut off at 0 and 1
    assert inner.sum() > 5 and (x.mean(0) - y.mean(0))[inner].abs().max() < 0.05
    assert torch.equal(one_gaussian(digits, 5, seed=1), one_gaussian(digits, 5, seed=1))


def test_speed_draws_what_it_times(digits):
    drawn, rates = speed(enter("flow", digits), 7)
    assert drawn.shape == (7, 1, 8, 8) and rates["a second"] > 0 < rates["one, ms"]


# memory ---------------------------------------------------------------------------------------------------------------


def test_memory_counts_what_lives_at_once_and_not_what_is_gone():
    with PeakMemory() as memory:
        a = torch.zeros(1000)
        b = a * 2
        del a
        c = b.view(10, 100)  # the same memory, seen otherwise
        d = c + 1
    assert memory.most == 8000 == memory.now and d.shape == (10, 100)


def test_adam_keeps_four_times_the_weights():
    with PeakMemory() as memory:
        net = nn.Linear(1000, 1000)
        optimiser = torch.optim.AdamW(net.parameters(), fused=True)
        for _ in range(2):
            net(torch.randn(4, 1000)).sum().backward()
            optimiser.step()
            optimiser.zero_grad()
    assert memory.most / (4 * 1_001_000) == pytest.approx(4, rel=0.02)


def test_what_was_there_before_does_not_count():
    x = torch.zeros(1000)
    with PeakMemory() as memory:
        x += 1
    assert memory.most == 0


def test_a_larger_batch_needs_more_memory_for_training_and_none_more_for_weights(digits):
    small = memory("flow", digits, n=10)
    large = memory("flow", digits, n=1000)
    assert large["drawing, MB"] > small["drawing, MB"] and large["training, MB"] == small["training, MB"]
    weights = sum(t.numel() * t.element_size() for t in enter("flow", digits).model.parameters()) / 1e6
    assert small["training, MB"] > 3.9 * weights and small["drawing, MB"] > weights


# ranks ----------------------------------------------------------------------------------------------------------------

numbers = st.lists(st.integers(-4, 4).map(float), min_size=2, max_size=9)


@given(numbers)
def test_ranks_are_scipys(values):
    assert ranking.ranks(values, best="low").tolist() == scipy.stats.rankdata(values).tolist()
    mirrored = ranking.ranks([-v for v in values], best="high")
    assert mirrored.tolist() == scipy.stats.rankdata(values).tolist()


@given(numbers)
def test_ranks_add_up_and_the_missing_have_none(values):
    found = ranking.ranks([*values, math.nan])
    assert found[-1].isnan() and found[:-1].sum() == len(values) * (len(values) + 1) / 2


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=8))
def test_whoever_is_off_the_front_is_beaten_by_somebody_on_it(points):
    first = ranking.front(points)
    assert first.any()
    best = [p for p, on in zip(points, first, strict=True) if on]
    for point, on in zip(points, first, strict=True):
        beaten = any(q != point and all(b >= a for a, b in zip(point, q, strict=True)) for q in best)
        assert beaten != bool(on)


def test_agreement_is_kendalls_and_needs_two():
    a, b = [1.0, 2.0, 2.0, 4.0, math.nan], [2.0, 1.0, 3.0, 4.0, 5.0]
    assert ranking.agreement(a, b) == pytest.approx(scipy.stats.kendalltau(a[:4], b[:4]).statistic)
    assert ranking.agreement(a, a) == pytest.approx(1) and math.isnan(ranking.agreement([1.0, math.nan], [1.0, 2.0]))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=5), st.integers(1, 3))
def test_the_best_of_tries_is_the_mean_over_all_ways_to_try(values, tries):
    every = torch.cartesian_prod(*[torch.tensor(values, dtype=torch.double)] * tries).view(-1, tries)
    assert ranking.best_of(values, tries) == pytest.approx(every.max(1).values.mean().item(), abs=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ranking.ranks([[1.0]]), "values: expected shape"),
        (lambda: ranking.ranks([1.0], best="most"), "best: expected 'high' or 'low'"),
        (lambda: ranking.agreement([1.0], [1.0, 2.0]), "a, b: expected one shape"),
        (lambda: ranking.front([[math.nan]]), "points: expected numbers"),
        (lambda: ranking.best_of([], 1), "values, tries: expected at least 1"),
        (lambda: form("grays"), "Did you mean 'grey'"),
    ],
)
def test_bad_input_gets_one_line(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# the benchmark, and the record ----------------------------------------------------------------------------------------


def test_the_benchmark_measures_families_for_so_many_seconds():
    found = bench.run("families", seconds=0.05, seeds=2, only=("flow", "GAN"))
    assert found["flow, bits"] > 0 and "GAN, bits" not in found
    assert all(math.isfinite(value) for value in found.values())
    assert found["flow, frechet, ±"] >= 0 and found["flow, steps"] >= 1
    with pytest.raises(ValueError, match="scale"):
        bench.run("families", scale="huge")


def test_the_record_ranks_by_its_own_numbers():
    record = recorded("evaluation/bake_off")
    rows = lab.table(record, lab.BUDGETS[-1])
    places = lab.ranking(rows)
    best = min(rows, key=lambda name: rows[name]["frechet"])
    assert places["frechet"][list(PLANS).index(best)] == 1
    assert places["bits"].isnan().tolist() == [record["kinds"][name] == "none" for name in PLANS]
    assert {"C02", "C03", "C04", "C06"} <= set(record["claims"])


def test_every_family_that_draws_pictures_from_nothing_takes_part():
    """The others need a label, a picture or a text, draw nothing, or were never taught to draw."""
    absent = set(FAMILIES) - {plan.family for plan in PLANS.values()}
    assert absent == {
        "autoencoder", "encoders", "seeing", "semi_vae", "masked_autoencoder", "contrastive", "labelled", "translation",
    }  # fmt: skip


def test_the_judges_agree_with_the_metrics(digits):
    torch.manual_seed(0)
    x = torch.rand(1000, 1, 8, 8)
    said = Judge(digits, lab.seen)(x)
    features = [lab.seen(part)[0] for part in (digits.test.x, x, digits.train.x)]
    assert said["frechet"] == pytest.approx(
        metrics.frechet(features[0], features[1]) / metrics.frechet(features[0], features[2])
    )
    assert said["sharpness"] == metrics.sharpness(x, digits.test.x).value
