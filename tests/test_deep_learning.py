"""The parts of the chapter on deep networks: the deep stack, the eye, its data, its probes, and its experiments."""

import pytest
import torch
import torch.nn.functional as F

from genkit.backprop import forward
from genkit.data.signs import LETTERS, signs
from genkit.data.textures import KINDS
from genkit.metrics.probe import edges, probe
from genkit.models.eye import FIELDS, STRIDES, Eye
from genkit.nn.deep import Deep, gradient_sizes
from genkit.record import recorded, summary
from genkit.records import deep_learning as lab
from genkit.records import deep_sight as sight

# the deep stack -------------------------------------------------------------------------------------------------------


def test_a_deep_network_is_its_formula():
    torch.manual_seed(0)
    x = torch.randn(5, 3)
    for shortcut in (False, True):
        model = Deep(3, 2, width=4, depth=2, f=torch.tanh, shortcut=shortcut)
        h = torch.tanh(model.first(x))
        for layer in model.layers:
            h = torch.tanh(h @ layer.weight.T + layer.bias) + (h if shortcut else 0)
        torch.testing.assert_close(model(x), model.last(h))
    model = Deep(3, 2, width=4, depth=1, normalised=True)
    h = torch.relu(model.first(x))
    level = (h - h.mean(1, keepdim=True)) / (h.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(model(x), model.last(torch.relu(model.layers[0](level))))


def test_sigmoids_lose_the_gradient_and_each_remedy_keeps_it():
    x, y, kept = torch.rand(60, 64), torch.arange(60) % 10, {}
    for name, options in lab.DEEP.items():
        torch.manual_seed(1)
        model = Deep(64, 10, depth=20, **options)
        sizes = gradient_sizes(model, F.cross_entropy(model(x), y))
        kept[name] = sizes[0] / sizes[-1]
        assert len(sizes) == 20
    assert kept.pop("sigmoid") < 1e-8 and min(kept.values()) > 1e-3


# the eye --------------------------------------------------------------------------------------------------------------


def test_a_place_of_a_layer_sees_as_many_pixels_as_is_said():
    torch.manual_seed(0)
    model = Eye((3,), width=8).eval()
    for layer, (field, stride) in enumerate(zip(FIELDS, STRIDES, strict=True)):
        reach = torch.zeros(28, 28, dtype=torch.bool)
        side = 28 // stride
        at = side // 2
        for seed in range(6):
            x = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed)).requires_grad_()
            (g,) = torch.autograd.grad(model.maps(x)[layer][0, :, at, at].sum(), x)
            reach |= g[0, 0] != 0
        rows = reach.any(1).nonzero()
        assert model.maps(torch.zeros(1, 1, 28, 28))[layer].shape[2] == side
        assert field - stride <= rows.max() - rows.min() + 1 <= field


def test_the_loss_of_the_eye_adds_up_its_labels():
    model = Eye((3, 4)).eval()
    x, c = torch.rand(5, 1, 28, 28), torch.tensor([[0, 3], [1, 2], [2, 1], [0, 0], [1, 1]])
    a, b = model(x)
    expected = F.cross_entropy(a, c[:, 0], reduction="none") + F.cross_entropy(b, c[:, 1], reduction="none")
    torch.testing.assert_close(model.loss(x, c)["loss"], expected)
    (player,) = model.players()
    assert len(player.params) == len(list(model.parameters()))


def test_signs_hold_a_letter_and_a_ground_that_know_nothing_of_each_other():
    data = signs(2000)
    x, c = data.train.x, data.train.c
    assert x.shape == (1600, 1, 28, 28) and x.min() >= 0 and x.max() <= 1
    assert data.classes == (*LETTERS, *KINDS) and c.max(0).values.tolist() == [9, 9]
    counts = torch.zeros(10, 10).index_put((c[:, 0], c[:, 1]), torch.ones(len(c)), accumulate=True)
    expected = counts.sum(1, keepdim=True) * counts.sum(0) / len(c)
    assert ((counts - expected).square() / expected).sum() < 130, "81 degrees of freedom"
    assert 0.4 < (x.flatten(1).mean(1) > 0.5).float().mean() < 0.6, "dark and light alike"
    assert torch.equal(signs(2000).test.x, data.test.x)


# probes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 170])
def test_edges_have_the_direction_in_which_they_run(degrees):
    angle = torch.tensor(degrees * torch.pi / 180)
    v, u = torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij")
    x = torch.sigmoid(-(u - 10) * angle.sin() + (v - 10) * angle.cos())[None, None]
    direction, clear = edges(x)
    off = (direction[0, 10, 10] - angle + torch.pi / 2) % torch.pi - torch.pi / 2
    assert off.abs() < 0.02 and clear[0, 10, 10] > 2 * clear[0, 1, [1, 18]].min()
    turned, _ = edges(1 - x)
    torch.testing.assert_close(turned[0, 10, 10], direction[0, 10, 10], atol=1e-3, rtol=0)


def test_a_probe_finds_what_is_there_and_nothing_else():
    g = torch.Generator().manual_seed(0)
    y = torch.randint(3, (600,), generator=g)
    x = torch.eye(3)[y] + 0.3 * torch.randn(600, 3, generator=g)
    assert probe(x[:400], y[:400], x[400:], y[400:]).value > 0.85
    shuffled = y[torch.randperm(600, generator=g)]
    assert probe(x[:400], shuffled[:400], x[400:], shuffled[400:]).value < 0.5


def test_the_loudest_patches_arouse_the_channel_as_much_as_the_pictures_did():
    model, x = sight.blank(0), signs(6000).test.x[:40]
    for layer in (0, 1):
        patches, where = sight.loudest(model, layer, 3, x, n=4)
        assert patches.shape == (4, 1, FIELDS[layer], FIELDS[layer])
        for patch, (row, i, j) in zip(patches, where.tolist(), strict=True):
            assert torch.equal(x[row, :, i : i + FIELDS[layer], j : j + FIELDS[layer]], patch)
    maps = model.maps(x)[0][:, 3, 2:-2, 2:-2]
    rows, where = maps.flatten(1).max(1).values.argsort(descending=True)[:4], sight.loudest(model, 0, 3, x, n=4)[1]
    assert rows.tolist() == where[:, 0].tolist()
    one = maps[where[0, 0]].argmax().item()
    assert where[0, 1:].tolist() == [one // 24, one % 24]


def test_waves_tell_a_grating_from_a_spot_and_noise():
    model = Eye((2,), width=2)
    v, u = torch.meshgrid(torch.arange(5.0) - 2, torch.arange(5.0) - 2, indexing="ij")
    with torch.no_grad():
        model.layers[0][0].weight[:, 0] = torch.tanh(u)
    edge = sight.waves(model)
    with torch.no_grad():
        model.layers[0][0].weight[:, 0] = torch.exp(-(u**2 + v**2)) - 0.1
    spot = sight.waves(model)
    assert edge["one direction"] > 0.55 > 0.2 > spot["one direction"]
    with torch.no_grad():
        model.layers[0][0].weight[:, 0] = (u + v) % 2 - 0.5
    assert sight.waves(model)["long waves"] < 0.2 < edge["long waves"]


# the experiments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folds", [1, 2, 3, 5])
def test_both_networks_are_the_saw(folds):
    x = torch.linspace(0, 1, 2**7 + 1)[:, None]
    saw = lab.saw(x, folds)
    assert (saw.diff(dim=0).sign().diff(dim=0).abs() > 1).sum() + 1 == 2**folds, "as many slopes as it should have"
    for weights in (lab.folded(folds), lab.spread(folds)):
        torch.testing.assert_close(forward(weights, x)[-1], saw)
    assert lab.folded(folds)[0][0].shape[-1] * folds == 2 * folds
    assert lab.spread(folds)[0][0].shape[-1] == 2**folds


def test_widths_spend_the_same_budget():
    for depth in lab.DEPTHS:
        w = lab.width_for(depth, lab.BUDGET)
        model = [torch.nn.Linear(a, b) for a, b in zip([2, *[w] * depth], [*[w] * depth, 1], strict=True)]
        count = sum(p.numel() for layer in model for p in layer.parameters())
        assert count == lab.parameters(depth, w) and abs(count - lab.BUDGET) < 0.2 * lab.BUDGET


def test_both_networks_for_moved_digits_have_about_as_many_parameters():
    a, b = (sum(p.numel() for p in f().parameters()) for f in (sight.dense, sight.convolutional))
    assert abs(a - b) < 0.05 * a


def test_digits_lie_where_they_are_placed():
    x = torch.rand(3, 1, 8, 8)
    assert torch.equal(sight.placed(x, 2, -3)[:, :, 6:14, 1:9], x)
    many = sight.placed(x, torch.tensor([0, 4, -4]), torch.tensor([1, -4, 4]))
    assert torch.equal(many[1, :, 8:16, 0:8], x[1]) and torch.equal(many[2, :, 0:8, 8:16], x[2])
    torch.testing.assert_close(many.sum((1, 2, 3)), x.sum((1, 2, 3)))


def test_dead_units_are_counted():
    weights = [(torch.eye(3), torch.tensor([[0.0, -9.0, 0.0]])), (torch.ones(3, 1), torch.zeros(1, 1))]
    assert lab.dead(weights, torch.tensor([[1.0, 1.0, -1.0], [1.0, 1.0, 2.0]])) == pytest.approx([1 / 3])


def test_counting_silent_units_finds_the_layer_to_blame():
    from genkit.backprop import backprop
    from genkit.exercises import check
    from genkit.exercises.deep_learning import patient

    weights, x, y = patient()
    shares = lab.dead(weights, x)
    assert shares[0] < 0.5 and shares.index(1.0) == 1 and check("dead_layer", 2) and not check("dead_layer", 3)
    assert all(g.abs().max() == 0 for g, _ in backprop(weights, x, y)[1])


def test_backward_moves_gradients_and_the_step_moves_weights():
    found = lab.who_moves(3)
    assert found["backward: weights"] == found["step: gradients"] == 0
    assert found["backward: gradients"] > 0
    assert found["step: weights"] == pytest.approx(0.1 * found["backward: gradients"], rel=1e-2)


def test_the_record_holds_what_the_chapter_says():
    record = recorded("learning/deep_learning")
    assert len(record["seeds"]) == len(record["probes"]) == len(record["shift"]) == len(record["deep"]) == 3
    assert record["claims"]["C19"].startswith("No.")
    shift = summary(record["shift"])
    assert shift["convolutional, 4"].mean > shift["dense, 4"].mean + 0.5
    depth = {d: summary(record["depth"][f"spirals, {d}"]["runs"])["accuracy"].mean for d in lab.DEPTHS}
    assert depth[2] > depth[1] and depth[2] > depth[8], "depth helps, and not without end"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Deep(2, 1, depth=0), "depth: expected at least 1"),
        (lambda: Deep(2, 1, width=0), "width: expected at least 1"),
        (lambda: Eye(()), "classes: expected at least one"),
        (lambda: Eye((1,)), "classes: expected at least one number of 2"),
        (lambda: Eye((2,), side=30), "side: expected a number divisible by 4"),
        (lambda: Eye((2,)).loss(torch.rand(2, 1, 28, 28)), "c: expected shape"),
        (lambda: Eye((2, 2)).loss(torch.rand(2, 1, 28, 28), torch.zeros(2, 1).long()), "c: expected shape"),
        (lambda: signs(5), "n: expected at least 10"),
        (lambda: edges(torch.rand(1, 3, 8, 8)), "x: expected grey pictures"),
        (lambda: edges(torch.rand(1, 1, 8, 8), window=4), "window: expected an odd"),
        (lambda: probe(torch.rand(4, 2), torch.zeros(3), torch.rand(2, 2), torch.zeros(2)), "labels: expected one"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
