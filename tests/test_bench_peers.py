"""Benchmarks beside diffusers, scikit-learn and torchmetrics: equal work gives equal answers, and both are timed."""

import math

import pytest
import torch

from genkit import bench
from genkit.bench import boltzmann, diffusion, frechet

# diffusers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["ddim", "ancestral", "dpm_solver"])
@pytest.mark.parametrize(("picture", "steps"), [("8×8", 10), ("8×8", 50), ("32×32", 5)])
def test_the_same_noise_becomes_the_same_pictures(sampler, picture, steps):
    pytest.importorskip("diffusers")
    drawn = {}
    for name, way in diffusion.ways(picture, sampler, steps, 3).items():
        torch.manual_seed(1)
        drawn[name] = way()
    torch.testing.assert_close(drawn["genkit"], drawn["diffusers"], atol=2e-5, rtol=0)
    inside = (drawn["genkit"] > 0) & (drawn["genkit"] < 1)
    assert drawn["genkit"].std() > 0.1 and inside.float().mean() > 0.3  # not agreed by clipping alone


def test_both_ask_the_network_equally_often_for_the_same_times():
    pytest.importorskip("diffusers")
    model = diffusion.build("8×8")
    asked = []
    model.net.register_forward_hook(lambda net, args, answer: asked.append((len(args[0]), round(args[1][0].item(), 6))))
    model.sample(2, sampler="ddim", steps=7)
    ours, asked[:] = list(asked), []
    diffusion._pipeline(model, "ddim", 7, 2)()
    assert ours == asked and len(asked) == 7


def test_sampling_is_timed_on_both_sides():
    pytest.importorskip("diffusers")
    found = bench.run("diffusion", cases=(("8×8", 2, 1),), samplers=("ddim", "dpm_solver"), rounds=2)
    assert {f"{s}, 8×8, 2 steps, batch 1, ratio to diffusers" for s in ("ddim", "dpm_solver")} <= set(found)
    assert positive(found) and len(found) == 10


def test_a_compiled_network_is_timed_beside_the_plain_one(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda net: net)  # the compiler takes a minute
    found = bench.run("diffusion", cases=(("8×8", 2, 1),), samplers=(), rounds=2, compiled=True)
    assert "compiled, 8×8, 2 steps, batch 1, ratio to not compiled" in found
    assert positive(found) and len(found) == 5


# scikit-learn ---------------------------------------------------------------------------------------------------------


def test_the_loop_that_can_be_paused_is_scikit_learns_fit():
    from sklearn.neural_network import BernoulliRBM

    x = torch.bernoulli(torch.full((60, 64), 0.4)).numpy()
    paused = boltzmann._library(5, 0.1, 20, 3, x)
    passes = boltzmann._passes(paused, x, 3)  # three batches make a pass
    whole = BernoulliRBM(5, learning_rate=0.1, batch_size=20, n_iter=4, random_state=3)
    whole.fit(x)
    start = BernoulliRBM(5, random_state=3, n_iter=0).fit(x).components_
    assert (paused.components_ == start).all()
    for _ in range(4):
        next(passes)
    # fit draws its start and its steps from one stream, the paused loop its steps from a fresh one: alike, not equal
    assert paused.components_.dtype == whole.components_.dtype == x.dtype
    moved, expected = (paused.components_ - start).std(), (whole.components_ - start).std()
    assert 0.5 < moved / expected < 2


def test_scikit_learns_machine_gives_the_same_free_energies_when_copied():
    x = torch.bernoulli(torch.full((60, 64), 0.4))
    library = boltzmann._library(5, 0.1, 20, 3, x.numpy())
    for _, _ in zip(range(5), boltzmann._passes(library, x.numpy(), 3), strict=False):
        pass
    copied = boltzmann.copied(library)
    theirs = -torch.tensor(library._free_energy(x.numpy()))
    torch.testing.assert_close(copied.log_unnormalised(x.view(-1, 1, 8, 8)).detach(), theirs, atol=1e-4, rtol=1e-5)


def test_learning_and_steps_are_timed_on_both_sides():
    found = bench.run(
        "boltzmann", seconds=0.15, seeds=2, rounds=2, sizes=((16, 10),), tried=((0.02, 50), (0.02, 100))
    )  # slow ones
    assert {"to its best less 1.0 nats, ratio to scikit-learn", "after 0.15 s, genkit, nats"} <= set(found)
    assert "200 steps, 16 units, batch 10, ratio to genkit's trainer" in found
    scores = [found.pop(name) for name in list(found) if name.endswith(", nats")]
    assert len(scores) == 4 and all(-40 < score < -17 for score in scores) and positive(found)


def test_a_race_is_won_at_the_first_mark_that_is_good_enough():
    runs = [boltzmann.Run(iter(()), float) for _ in range(3)]
    runs[0].curve = [(1.0, -30.0), (2.0, -20.0), (3.0, -19.0)]
    runs[1].curve = [(1.0, -30.0), (2.0, -25.0), (3.0, -20.0)]
    runs[2].curve = [(1.0, -24.0), (2.0, -26.0), (3.0, -27.0)]
    assert boltzmann._to(runs, -24.5) == (2.0, 1.0)
    assert boltzmann._to(runs, -20.0) == (2.0, 3.0)
    assert boltzmann._to(runs, -18.0) == (math.inf, math.inf)


# torchmetrics ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("examples", "features"), [(100, 3), (1000, 64), (1200, 200)])
def test_the_distances_are_the_same(examples, features):
    pytest.importorskip("torchmetrics")
    a, b = frechet.sets(examples, features)
    ours, theirs = (way() for way in frechet.ways(a, b).values())
    assert ours > 1 and ours == pytest.approx(theirs, rel=1e-8)


def test_distances_are_timed_on_both_sides():
    pytest.importorskip("torchmetrics")
    found = bench.run("frechet", sizes=((100, 8, 2),), rounds=2)
    assert "2 × 100 examples of 8 features, ratio to torchmetrics" in found
    assert positive(found) and len(found) == 5


def positive(found):
    return all(0 < value < math.inf for value in found.values())
