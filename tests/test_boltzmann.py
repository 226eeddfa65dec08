"""Boltzmann machines: sums against brute force, sampling against exact probabilities, learning against gradients."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import checkpoint, recipes
from genkit.data import Split, load
from genkit.models.boltzmann import RBM, Boltzmann
from genkit.models.dbn import DBN
from genkit.nn.machines import Network, Pair, states
from genkit.training import TrainConfig, fit


def shaken(model, scale=1.0, seed=0):
    """A machine far from the independent units that it starts as."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += scale * torch.randn(parameter.shape, generator=generator)
    return model


def rbm(visible=4, hidden=3, scale=1.0, **options):
    torch.manual_seed(0)
    return shaken(RBM(shape=(visible,), hidden=hidden, **options), scale)


def general(visible=3, hidden=2, scale=1.0, **options):
    torch.manual_seed(0)
    return shaken(Boltzmann(shape=(visible,), hidden=hidden, **options), scale)


def frequencies(x, n):
    """How often each of the 2ⁿ states is among the rows of x, counted in binary."""
    code = (x.flatten(1).long() * 2 ** torch.arange(n - 1, -1, -1)).sum(1)
    return torch.bincount(code, minlength=2**n) / len(x)


# energies and sums -----------------------------------------------------------------------------------------------


def test_states_are_counted_in_binary_and_all_there():
    assert states(3).tolist()[:3] == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert len(states(15).unique(dim=0)) == 2**15, "more than one part"
    assert states(0).shape == (1, 0)
    with pytest.raises(ValueError, match=r"units: expected 0 … 20 .*, received 21: estimate with metrics.ais"):
        states(21)


@given(n=st.integers(1, 5), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_an_energy_counts_each_link_once_and_a_pull_is_an_energy_difference(n, seed):
    g = torch.Generator().manual_seed(seed)
    upper = torch.randn(n, n, generator=g).triu(1)
    machine = Network(upper + upper.T, torch.randn(n, generator=g))
    s = states(n)
    for state, energy, pull in zip(s, machine.energy(s), machine.pull(s), strict=True):
        by_hand = -sum(upper[i, j] * state[i] * state[j] for i in range(n) for j in range(i + 1, n))
        assert energy.item() == pytest.approx(float(by_hand - state @ machine.bias), abs=1e-5)
        for i in range(n):
            off, on = state.clone(), state.clone()
            off[i], on[i] = 0, 1
            difference = machine.energy(off[None]) - machine.energy(on[None])
            torch.testing.assert_close(pull[i], difference[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(machine.log_partition(), (-machine.energy(s)).exp().sum().log())


@given(d=st.integers(1, 5), h=st.integers(1, 5), labels=st.integers(0, 3), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_free_energy_and_partition_are_the_sums_by_brute_force(d, h, labels, seed):
    g = torch.Generator().manual_seed(seed)
    label = (torch.randn(labels, h, generator=g), torch.randn(labels, generator=g)) if labels else None
    pair = Pair(torch.randn(d, h, generator=g), torch.randn(d, generator=g), torch.randn(h, generator=g), None, label)
    v, hidden = states(d), states(h)
    both = -pair.energy(v.repeat_interleave(2**h, 0), hidden.repeat(2**d, 1)).view(2**d, 2**h)
    if labels:
        with_label = both[:, None] + (hidden @ label[0].T + label[1]).T[None]  # (V, K, H)
        for k in range(labels):
            c = torch.full((2**d,), k)
            torch.testing.assert_close(pair.log_unnormalised(v, c), with_label[:, k].logsumexp(1))
            torch.testing.assert_close(pair.log_partition(torch.tensor([k])), with_label[:, k].logsumexp((0, 1)))
        both = with_label.flatten(1)
    torch.testing.assert_close(pair.log_unnormalised(v), both.logsumexp(1))
    torch.testing.assert_close(pair.log_partition(), both.logsumexp((0, 1)))


@pytest.mark.parametrize("sizes", [(4, 3), (3, 4), (13, 15), (15, 13)])
def test_probabilities_of_all_that_can_be_seen_sum_to_one(sizes):
    model = rbm(*sizes, scale=0.5)
    assert model.likelihood == "exact"
    with torch.no_grad():
        assert model.log_prob(states(sizes[0])).exp().sum().item() == pytest.approx(1, abs=1e-4)
        machine = general(4, 3)
        assert machine.log_prob(states(4)).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_scikit_learn_finds_the_same_energies_and_hidden_units():
    from sklearn.neural_network import BernoulliRBM

    model = rbm(6, 5)
    other = BernoulliRBM(5)
    other.components_ = model.weight.detach().numpy().T
    other.intercept_hidden_, other.intercept_visible_ = (
        b.detach().numpy() for b in (model.hidden_bias, model.visible_bias)
    )
    x = states(6)
    with torch.no_grad():
        np.testing.assert_allclose(-model.log_unnormalised(x), other._free_energy(x.numpy()), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(model.machine.pull(x).sigmoid(), other.transform(x.numpy()), rtol=1e-5, atol=1e-6)


def test_a_general_machine_without_inner_links_is_a_restricted_one():
    one, two = rbm(3, 2), general(3, 2)
    weight = torch.zeros(5, 5)
    weight[:3, 3:] = one.weight.detach()
    with torch.no_grad():
        two.links.copy_(weight[tuple(two.pairs)])
        two.bias.copy_(torch.cat([one.visible_bias, one.hidden_bias]))
        torch.testing.assert_close(one.log_prob(states(3)), two.log_prob(states(3)))


def test_a_gaussian_machine_is_a_density():
    model = rbm(2, 3, sigma=0.5)
    line = torch.linspace(-9, 9, 361)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        assert (model.log_prob(grid).exp().sum() * (18 / 360) ** 2).item() == pytest.approx(1, abs=1e-3)
        drawn = model.sample(4000, steps=200)
        mean = (model.log_prob(grid).exp()[:, None] * grid).sum(0) * (18 / 360) ** 2
    assert (drawn.mean(0) - mean).abs().max() < 5 * drawn.std(0).max() / 4000**0.5
    alone = rbm(2, 1, scale=0.0, sigma=0.5)
    with torch.no_grad():
        alone.weight.zero_()
        expected = torch.distributions.Normal(0.0, 0.5).log_prob(grid).sum(1)
        torch.testing.assert_close(alone.log_prob(grid), expected)


def test_labels_follow_bayes():
    model = rbm(4, 3, classes=3)
    x, each = states(4), torch.arange(3)
    with torch.no_grad():
        sums = torch.stack([model.machine.log_partition(k[None]) for k in each]) - model.machine.log_partition()
        assert sums.exp().sum().item() == pytest.approx(1, abs=1e-5)
        joint = torch.stack([model.log_prob(x, k[None]) + sums[k] for k in each], 1)
        torch.testing.assert_close(joint.logsumexp(1), model.log_prob(x))
        torch.testing.assert_close(joint.log_softmax(1), model.log_class(x))
        for k in each:
            assert model.log_prob(x, k[None]).exp().sum().item() == pytest.approx(1, abs=1e-5)
        mixed = torch.arange(16) % 3
        torch.testing.assert_close(model.log_prob(x, mixed), (joint - sums).gather(1, mixed[:, None])[:, 0])


# sampling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [rbm, general, lambda: rbm(4, 3, classes=3)], ids=["pair", "network", "labels"])
def test_a_step_keeps_the_exact_distribution(make):
    """Exact draws, one step each: a wrong conditional moves their frequencies."""
    model = make()
    n = math.prod(model.shape)
    machine = model.machine
    if isinstance(machine, Network):
        n = len(machine.bias)
    log_p = machine.log_unnormalised(states(n)).detach().log_softmax(0)
    torch.manual_seed(1)
    drawn = states(n)[torch.multinomial(log_p.exp(), 40_000, replacement=True)]
    with torch.no_grad():
        moved = machine.step(drawn)
    assert (moved != drawn).any(1).float().mean() > 0.3
    spread = (log_p.exp() * (1 - log_p.exp()) / 40_000).sqrt()
    assert ((frequencies(moved, n) - log_p.exp()).abs() < 5 * spread).all()


@pytest.mark.parametrize(("temperature", "steps"), [(1.0, 60), (3.0, 60)])
@pytest.mark.parametrize("make", [rbm, general])
def test_chains_visit_states_as_often_as_they_are_probable(make, temperature, steps):
    model = make(scale=0.7)
    n = model.shape[0]
    machine = model.machine.tempered(1 / temperature)
    if make is rbm:
        p = machine.log_unnormalised(states(n)).detach().softmax(0)
    else:
        p = machine.log_unnormalised(states(5)).detach().softmax(0).view(2**n, -1).sum(1)
    torch.manual_seed(2)
    found = frequencies(model.sample(20_000, steps=steps, temperature=temperature), n)
    assert ((found - p).abs() < 5 * (p * (1 - p) / 20_000).sqrt() + 1e-3).all()


def test_a_cold_machine_ends_where_no_unit_would_change_and_a_warm_one_goes_on():
    model = general(5, 0, scale=1.5)
    torch.manual_seed(0)
    content = {}
    for temperature in (1e-4, 3.0):
        s = model.sample(2000, steps=50, temperature=temperature)
        content[temperature] = ((model.machine.pull(s) > 0) == (s > 0)).all(1).float().mean().item()
    assert content[1e-4] == 1 and content[3.0] < 0.8


def test_what_is_known_is_kept_and_the_rest_follows_the_exact_conditional():
    model = RBM(shape=(5,), hidden=2)
    with torch.no_grad():  # the first hidden unit links the first and the fourth pixel, the other the second and fifth
        model.weight.copy_(torch.tensor([[3.0, 0], [0, 3], [0, 0], [3, 0], [0, 3]]))
        model.visible_bias.fill_(-1.5), model.hidden_bias.fill_(-2.0)
        joint = model.log_prob(states(5)).exp().view(8, 4)
    given = joint / joint.sum(1, keepdim=True)
    k = (given - joint.sum(0)).abs().amax(1).argmax()
    assert (given[k] - joint.sum(0)).abs().max() > 0.1, "what is known matters"
    known, mask = torch.zeros(1, 5), torch.tensor([[True, True, True, False, False]])
    known[0, :3] = states(3)[k]
    torch.manual_seed(3)
    found = model.sample(20_000, known=known, mask=mask, steps=60)
    assert (found[:, :3] == known[:, :3]).all()
    assert ((frequencies(found[:, 3:], 2) - given[k]).abs() < 0.02).all()
    shown = model.sample(7, known=known, mask=mask, steps=3, mean=True)
    assert (shown[:, :3] == known[:, :3]).all() and ((shown[:, 3:] > 0) & (shown[:, 3:] < 1)).all()


def test_a_label_is_held_fixed():
    model = rbm(4, 3, classes=3)
    torch.manual_seed(0)
    for k in range(3):
        found = frequencies(model.sample(20_000, torch.tensor([k]), steps=60), 4)
        with torch.no_grad():
            p = model.log_prob(states(4), torch.tensor([k])).exp()
        assert ((found - p).abs() < 0.02).all()


def test_shapes_and_every_steps_yield():
    model = shaken(RBM(shape=(1, 4, 4), hidden=3, classes=2), 0.3)
    assert model.sample(5, steps=2).shape == model.sample(5, torch.tensor([1]), steps=2).shape == (5, 1, 4, 4)
    seen = list(model.trajectory(3, steps=4))
    assert len(seen) == 4 and all(x.shape == (3, 1, 4, 4) and not x.requires_grad for x in seen)
    start = torch.ones(1, 1, 4, 4)
    assert model.sample(3, steps=1, start=start).shape == (3, 1, 4, 4)
    assert model.reconstruct(torch.ones(2, 1, 4, 4)).shape == (2, 1, 4, 4)


# learning --------------------------------------------------------------------------------------------------------


def gradients(model, loss):
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


def test_the_gradient_is_hiltons_difference_of_products():
    """⟨v h⟩ at the data minus ⟨v h⟩ at the sample, by outer products: no autograd in it."""
    model = rbm(5, 3)
    x = states(5)[[3, 9, 17, 30]]
    torch.manual_seed(4)
    loss = model.loss(x)["loss"]
    found = torch.autograd.grad(loss, [model.weight, model.visible_bias, model.hidden_bias])
    torch.manual_seed(4)
    with torch.no_grad():
        h0 = (x @ model.weight + model.hidden_bias).sigmoid()
        v = torch.bernoulli((torch.bernoulli(h0) @ model.weight.T + model.visible_bias).sigmoid())
        h1 = (v @ model.weight + model.hidden_bias).sigmoid()
        by_hand = [-(x.T @ h0 - v.T @ h1) / 4, -(x - v).mean(0), -(h0 - h1).mean(0)]
    for a, b in zip(found, by_hand, strict=True):
        torch.testing.assert_close(a, b)


def test_long_chains_give_the_exact_gradient_and_one_step_does_not():
    model = rbm(4, 3, scale=1.5)
    x = states(4)[[0, 15, 15, 5]]
    exact = gradients(model, -model.log_prob(x).mean())
    torch.manual_seed(0)
    found = {}
    for k in (1, 100):
        model.k = k
        many = torch.stack([gradients(model, model.loss(x.repeat(100, 1))["loss"]) for _ in range(30)])
        found[k] = (many.mean(0) - exact) / (many.std(0) / 30**0.5 + 1e-4)
    assert found[100].abs().max() < 5 < found[1].abs().max()


def test_a_general_machine_learns_by_exact_correlations():
    model = general(3, 2)
    x = states(3)[[1, 6, 6]]
    found = torch.autograd.grad(model.loss(x)["loss"].mean(), [model.links, model.bias])
    s = states(5)
    with torch.no_grad():
        log_p = model.machine.log_unnormalised(s).log_softmax(0)
        held = []
        for row in x:
            fits = (s[:, :3] == row).all(1)
            q = torch.where(fits, log_p, -torch.inf).softmax(0)
            held.append(torch.einsum("n,ni,nj->ij", q, s, s))
        data, machine = torch.stack(held).mean(0), torch.einsum("n,ni,nj->ij", log_p.exp(), s, s)
        difference = -(data - machine)
    torch.testing.assert_close(found[0], difference[tuple(model.pairs)], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[1], difference.diagonal(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RBM(shape=(4,), hidden=4, k=5),
        lambda: RBM(shape=(4,), hidden=4, chains=200, k=3),
        lambda: Boltzmann(shape=(4,), hidden=2),
        lambda: Boltzmann(shape=(4,), hidden=2, sweeps=3, chains=200),
    ],
    ids=["CD", "PCD", "exact", "sampled"],
)
def test_it_learns_a_known_distribution(make):
    """Two bits equal, two bits opposite, one pair three times as often: a distribution with links."""
    torch.manual_seed(0)
    patterns = torch.tensor([[1.0, 1, 0, 1], [0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0]])
    x = patterns.repeat_interleave(torch.tensor([3, 3, 1, 1]), 0).repeat(25, 1)
    model = fit(make(), Split(x), TrainConfig(steps=600, batch=100, lr=0.05, clip=None), progress=False).model
    entropy = -(0.75 * math.log(0.375) + 0.25 * math.log(0.125))
    with torch.no_grad():
        assert entropy - 0.01 < -model.log_prob(x).mean().item() < entropy + 0.3


def test_persistent_chains_are_buffers_that_go_on():
    model = rbm(4, 3, chains=7)
    before = model.chains.clone()
    x = states(4)[:5]
    torch.manual_seed(0)
    model.loss(x)
    assert not torch.equal(before, model.chains) and "chains" in model.state_dict()
    torch.manual_seed(0)
    assert torch.equal(model.chains, model.machine.step(before).detach())
    assert rbm(4, 3).chains.shape == (0, 4)


def test_persistent_chains_resume_where_a_run_was_stopped(tmp_path):
    recipe = recipes.variant("boltzmann-binary_digits-exact", k=1, chains=20)
    straight = recipes.train(recipe, steps=40, progress=False, keeper=checkpoint.Checkpoints(tmp_path / "a", {}))
    keeper = checkpoint.Checkpoints(tmp_path / "b", {})

    class Stop(Exception):
        pass

    def stopping(model):
        raise Stop

    data = recipe.dataset().train
    config = TrainConfig(steps=40, batch=100, lr=0.06, clip=None)
    half = recipe.build()
    calls = []

    def once(model):
        calls.append(1)
        if len(calls) == 2:
            raise Stop
        return 0.0

    with pytest.raises(Stop):
        fit(half, Split(data.x), config, keeper=keeper, save_every=20, every=20, progress=False, select=once)
    again = recipe.build()
    fit(again, Split(data.x), config, keeper=keeper, every=20, progress=False)
    whole = recipe.build()
    fit(whole, Split(data.x), config, every=20, progress=False)
    assert torch.equal(again.chains, whole.chains) and torch.equal(again.weight, whole.weight)
    assert straight.model.likelihood == "exact"


def test_labels_train_and_are_read_off():
    torch.manual_seed(0)
    x = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]]).repeat(50, 1)
    c = torch.tensor([0, 1]).repeat(50)
    model = RBM(shape=(4,), hidden=3, classes=2, k=5)
    fit(model, Split(x, c), TrainConfig(steps=300, batch=50, lr=0.05, clip=None), progress=False)
    assert (model.log_class(x).argmax(1) == c).all()
    drawn = model.sample(200, torch.tensor([1]), steps=50)
    assert drawn.mean(0)[:2].max() < 0.3 and drawn.mean(0)[2:].min() > 0.7
    assert model.loss(x)["loss"].isfinite(), "a missing label is summed out"


def test_a_chain_that_starts_at_an_example_starts_at_its_label():
    """An unlikely label keeps the hidden unit off, and so the visible ones; without it they would be on."""
    model = RBM(shape=(2,), hidden=1, classes=2)
    with torch.no_grad():
        model.label_weight.copy_(torch.tensor([[50.0], [-50.0]]))
        model.weight.fill_(50.0), model.visible_bias.fill_(-20.0)
    samples = model.loss(torch.zeros(8, 2), torch.ones(8, dtype=torch.int64))["samples"]
    torch.testing.assert_close(samples, -model.log_unnormalised(torch.zeros(1, 2))[0])


# the belief network ----------------------------------------------------------------------------------------------


def network(**options):
    torch.manual_seed(0)
    return shaken(DBN([RBM(shape=(3,), hidden=2), RBM(shape=(2,), hidden=2, **options)]), 0.8)


def exact_dbn(model, x):
    """log p(x) of a network of two layers, by summing over the units between."""
    h = states(2)
    below, top = model.layers
    logits = h @ below.weight.T + below.visible_bias
    log_p = -torch.nn.functional.binary_cross_entropy_with_logits(
        logits.expand(len(x), -1, -1), x[:, None].expand(-1, 4, -1), reduction="none"
    ).sum(-1)
    return (log_p + top.log_prob(h)).logsumexp(1)


@torch.no_grad()
def test_the_bound_of_a_belief_network_lies_below_the_sum_and_reaches_it():
    model, x = network(), states(3)
    exact = exact_dbn(model, x)
    assert exact.exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert model.likelihood == "bound"
    torch.manual_seed(1)
    elbo = model.log_weights(x, k=5000).mean(0)
    assert (elbo < exact + 0.02).all() and (elbo < exact - 0.005).any()
    torch.testing.assert_close(model.log_weights(x, k=20_000).logsumexp(0) - math.log(20_000), exact, atol=0.03, rtol=0)
    torch.testing.assert_close(
        model.log_unnormalised(x, k=20_000) - model.machine.log_partition(), exact, atol=0.03, rtol=0
    )
    assert model.elbo(x).shape == (8,)


@torch.no_grad()
def test_samples_of_a_belief_network_follow_its_probabilities():
    model = network()
    torch.manual_seed(2)
    p = exact_dbn(model, states(3)).exp()
    assert ((frequencies(model.sample(20_000, steps=30), 3) - p).abs() < 0.02).all()
    assert model.sample(3, steps=2, mean=True).shape == (3, 3)


def test_layers_are_learned_one_after_the_other_in_one_run():
    torch.manual_seed(0)
    model = DBN([RBM(shape=(1, 2, 2), hidden=3), RBM(shape=(3,), hidden=2, classes=2)])
    x, c = torch.randint(2, (50, 1, 2, 2)).float(), torch.arange(50) % 2
    config = TrainConfig(steps=20, batch=10, lr=0.05, cosine=False)
    seen = []
    from genkit.training import train

    for step in train(model, Split(x, c), config):
        seen.append((model.layers[0].weight.detach().clone(), model.layers[1].weight.detach().clone(), step.terms))
    assert torch.equal(seen[9][0], seen[19][0]) and not torch.equal(seen[8][0], seen[9][0])
    assert torch.equal(seen[0][1], seen[9][1]) and not torch.equal(seen[9][1], seen[10][1])
    assert {name.split("/")[0] for name in seen[0][2]} == {"layer 1"}
    assert {name.split("/")[0] for name in seen[19][2]} == {"layer 2"}
    assert model.sample(4, torch.tensor([1]), steps=3).shape == (4, 1, 2, 2)
    assert model.elbo(x, c).shape == (50,)


# the rest --------------------------------------------------------------------------------------------------------


def test_the_digits_in_black_and_white():
    grey, black = load("digits"), load("binary_digits")
    assert black.levels == 2 and black.shape == grey.shape and black.sha256 != grey.sha256
    assert torch.equal(black.test.x, (grey.test.x > 0.5).float()) and torch.equal(black.test.c, grey.test.c)


@pytest.mark.parametrize(
    "name",
    [
        "boltzmann-binary_digits",
        "boltzmann-binary_digits-exact",
        "boltzmann-binary_digits-conditional",
        "dbn-binary_digits",
    ],
)
def test_the_recipes_say_what_they_can_say(name):
    kind = {"boltzmann-binary_digits-exact": "exact"}.get(name, "none")
    assert recipes.get(name).build().likelihood == kind


def test_what_suits_a_readers_own_data():
    black = recipes.suited("boltzmann", "binary_digits", load("binary_digits"), conditional=True)
    assert black.build().classes == 10
    assert recipes.suited("dbn", "digits", load("digits"), binarise=True).build().shape == (1, 8, 8)
    with pytest.raises(ValueError, match="data: expected images in black and white, or --binarise"):
        recipes.suited("boltzmann", "digits", load("digits"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RBM(shape=(4,), hidden=0), "hidden: expected at least 1, received 0"),
        (lambda: RBM(shape=(4,), hidden=2, k=0), "k: expected at least 1, received 0"),
        (lambda: RBM(shape=(4,), hidden=2, chains=-1), "chains: expected at least 0, received -1"),
        (lambda: RBM(shape=(4,), hidden=2, sigma=0.0), "sigma: expected None or a number above 0, received 0.0"),
        (lambda: rbm().log_prob(torch.zeros(2, 5)), r"x: expected the shape \(B, \*\(4,\)\), received \(2, 5\)"),
        (lambda: rbm().log_prob(torch.full((1, 4), 16.0)), "x: expected numbers in \\[0, 1\\], received 16 … 16"),
        (lambda: rbm(21, 21).log_prob(torch.zeros(1, 21)), "units: expected 0 … 20 .*, received 21"),
        (lambda: rbm(2, 21, sigma=1.0).log_prob(torch.zeros(1, 2)), "units: expected 0 … 20 .*, received 21"),
        (lambda: rbm().log_prob(torch.zeros(1, 4), torch.tensor([0])), "c: expected None for a machine without"),
        (
            lambda: rbm(classes=2).log_prob(torch.zeros(1, 4), torch.tensor([2])),
            r"c: expected int64 labels in \[0, 2",
        ),
        (lambda: rbm(classes=2).sample(3, torch.tensor([0, 1])), "c: expected 1 or 3 rows, received 2"),
        (lambda: rbm().log_class(torch.zeros(1, 4)), "classes: expected a machine with a label unit"),
        (lambda: rbm().sample(2, steps=0), "steps: expected at least 1, received 0"),
        (lambda: rbm().sample(2, temperature=0.0), "temperature: expected above 0"),
        (lambda: rbm(sigma=1.0).sample(2, temperature=2.0), "temperature: expected above 0, and 1 for Gaussian"),
        (lambda: rbm().sample(2, known=torch.zeros(1, 4)), "known, mask: expected both or neither"),
        (lambda: rbm().sample(0), "n: expected at least 1, received 0"),
        (lambda: Boltzmann(shape=(30,)), "sweeps: expected at least 1 for more than 20 units, received 0 for 30"),
        (lambda: Boltzmann(shape=(3,), hidden=-1), "hidden: expected at least 0, received -1"),
        (lambda: general().log_prob(torch.zeros(1, 2)), "x: expected the shape"),
        (lambda: general().sample(2, torch.tensor([0])), "c: expected None, since a general machine"),
        (lambda: general().sample(2, temperature=-1.0), "temperature: expected a number above 0, received -1.0"),
        (lambda: DBN([RBM(shape=(3,), hidden=2)]), "layers: expected at least 2, received 1"),
        (lambda: DBN([RBM(shape=(3,), hidden=2), RBM(shape=(3,), hidden=2)]), r"layers: expected one of shape \(2,\)"),
        (lambda: DBN([RBM(shape=(3,), hidden=2, sigma=1.0), RBM(shape=(2,), hidden=2)]), "received Gaussian"),
        (lambda: network().log_weights(states(3), k=0), "k: expected at least 1, received 0"),
        (lambda: network().elbo(torch.zeros(1, 4)), "x: expected the shape"),
        (lambda: recipes.build("boltzmann", shape=[3], hidden=2, machine="deep"), "machine: expected one of general"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_record_holds_what_the_issue_asks_for():
    from genkit.record import recorded, summary

    record = recorded("models/boltzmann")
    seeds = summary(record["seeds"])
    assert len(record["seeds"]) >= 3
    for units in (16, 200):
        assert seeds[f"RBM, {units}"].mean > seeds[f"scikit-learn, {units}"].mean
    assert sum(abs(r["estimate"] - r["exact"]) <= 3 * r["stderr"] for r in record["ais"]) >= 9
    assert set(record["claims"]) == {"C07", "C25"}
    lines = {
        name: summary([{"nats": run["log-likelihood"][-1]} for run in runs]) for name, runs in record["bars"].items()
    }
    assert lines["PCD"]["nats"].mean > lines["CD-1"]["nats"].mean + 1
