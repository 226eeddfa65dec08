"""What networks see: textures that are what their names say, a classifier to look into, dreams, styles, spectra."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genkit import cli, metrics, recipes, record
from genkit.base import Generative
from genkit.data import load
from genkit.data.textures import KINDS, landscape, texture
from genkit.dreaming import activations, ascend, blur, dream, loudness, octave_sides, resize
from genkit.exercises import check
from genkit.exercises.seeing_networks import suspects
from genkit.models.seeing import LAYERS, Seer, receptive_field
from genkit.style_transfer import (
    content_distance,
    gram,
    random_phase,
    roughened,
    shuffled_pixels,
    style_distance,
    transfer,
)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Seer(classes=10, width=4).eval()


@pytest.fixture(scope="module")
def picture():
    return landscape(48)


# textures --------------------------------------------------------------------------------------------------------


def test_textures_are_balanced_kinds_on_256_levels_and_the_same_every_time():
    data = load("textures", n=200, side=16)
    assert [len(s) for s in (data.train, data.valid, data.test)] == [160, 20, 20] and data.shape == (3, 16, 16)
    c = torch.cat([s.c for s in (data.train, data.valid, data.test)])
    assert c.bincount().tolist() == [20] * 10 and data.classes == KINDS
    x = data.train.x
    assert x.min() >= 0 and x.max() <= 1
    torch.testing.assert_close((x * 255).round() / 255, x)
    again, other = load("textures", n=200, side=16), load("textures", n=200, side=16, seed=1)
    assert again.sha256 == data.sha256 != other.sha256


def test_colours_say_little_of_the_kind_and_shapes_much():
    """A linear classifier of the mean colour is near chance, whatever the kind."""
    from sklearn.linear_model import LogisticRegression

    data = load("textures")
    mean = [s.x.mean((2, 3)).numpy() for s in (data.train, data.test)]
    told = LogisticRegression(max_iter=500).fit(mean[0], data.train.c).score(mean[1], data.test.c)
    assert told < 0.3


def test_stripes_lie_in_one_direction_and_checks_in_two():
    """The spectrum of stripes is one line through the middle; turned by a right angle it hardly overlaps itself."""

    def overlap(kind):
        grey = texture(kind, 64, seed=3).mean(1)[0]
        power = torch.fft.fft2(grey - grey.mean()).abs()[1:, 1:]
        return torch.cosine_similarity(power.flatten(), power.rot90(1).flatten(), dim=0).item()

    assert overlap("stripes") < 0.3 < 0.45 < overlap("checks")


def test_a_texture_may_have_any_size_and_bad_ones_are_named():
    assert texture("dots", 40).shape == (1, 3, 40, 40) and landscape(33).shape == (1, 3, 33, 33)
    assert not torch.equal(landscape(32, seed=0), landscape(32, seed=1))
    for call, message in (
        (lambda: texture("dot"), "kind: expected one of .*Did you mean 'dots'"),
        (lambda: texture("dots", 7), "side: expected at least 8 pixels, received 7"),
        (lambda: landscape(3), "side: expected at least 8"),
        (lambda: load("textures", n=9), "n: expected at least 10, received 9"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# the classifier -------------------------------------------------------------------------------------------------


def test_a_layer_sees_as_many_pixels_as_it_says():
    """The pixels that move one place of a layer, found by gradients, are those of the receptive field."""
    torch.manual_seed(0)
    net = Seer(classes=3, width=2).eval()
    for module in net.modules():  # no answer cut off, or the gradient might miss some
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0)
    for name in LAYERS:
        x = torch.full((1, 3, 80, 80), 0.75, requires_grad=True)
        maps = activations(net, x, [name])[name]
        middle = maps.shape[2] // 2
        (slope,) = torch.autograd.grad(maps[0, 0, middle, middle], x)
        assert (slope[0].sum((0, 1)) != 0).sum() == receptive_field(name), name
    with pytest.raises(ValueError, match="layer: expected one of layer1"):
        receptive_field("layer7")


def test_it_is_a_classifier_and_no_distribution(network):
    assert not isinstance(network, Generative)
    assert not any(hasattr(network, name) for name in ("sample", "log_prob", "elbo", "encode", "decode"))
    x, c = torch.rand(5, 3, 32, 32), torch.tensor([0, 1, 2, 3, 4])
    terms = network.loss(x, c)
    torch.testing.assert_close(terms["loss"], -network(x).log_softmax(1)[torch.arange(5), c])
    with pytest.raises(ValueError, match="c: expected the class"):
        network.loss(x)
    for bad in (torch.rand(2, 1, 32, 32), torch.rand(3, 32, 32), torch.rand(1, 3, 4, 32)):
        with pytest.raises(ValueError, match="x: expected pictures"):
            network(bad)
    with pytest.raises(ValueError, match="classes: expected at least 2"):
        Seer(classes=1)


def test_sixty_steps_teach_it_something():
    recipe = recipes.get("seeing-textures")
    data = load("textures", n=1000)
    model = recipes.train(recipe, dataset=data, steps=60, batch=16, progress=False).model
    with torch.no_grad():
        assert metrics.accuracy(model(data.test.x), data.test.c).value > 0.2


def test_the_command_line_does_not_ask_it_for_samples(tmp_path, monkeypatch, capsys):
    recipe = recipes.get("seeing-textures")
    monkeypatch.setattr(cli, "_restore", lambda path: (recipe.build(), {"family": "seeing", "step": 1}))
    assert cli.main(["sample", str(tmp_path)]) == 2
    assert "expected one that draws, received seeing" in capsys.readouterr().err


# dreams ------------------------------------------------------------------------------------------------------------


def test_activations_are_what_the_layers_answer_and_no_hook_stays(network, picture):
    found = activations(network, picture, ["layer1", "layer4"])
    first = network.body.layer1(2 * picture - 1)
    torch.testing.assert_close(found["layer1"], first)
    assert found["layer4"].shape == (1, 8, 24, 24)
    assert not any(m._forward_hooks for m in network.modules())
    with pytest.raises(ValueError, match="layers: expected the name of one module"):
        activations(network, picture, ["layer9"])
    with pytest.raises(ValueError, match="received 'layer9'"):
        activations(network, picture, ["layer1", "layer9"])
    with pytest.raises(ValueError, match="x: expected pictures"):
        activations(network, picture[:, :1], ["layer1"])
    assert not any(m._forward_hooks for m in network.modules()), "not even after an error"


def test_loudness_is_a_mean_square_or_a_channels_mean(network, picture):
    maps = activations(network, picture, ["layer2"])["layer2"]
    torch.testing.assert_close(loudness(network, "layer2")(picture), (maps**2).mean()[None])
    torch.testing.assert_close(loudness(network, "layer2", 3)(picture), maps[0, 3].mean()[None])
    for channel in (-1, 4):
        with pytest.raises(ValueError, match="channel: expected 0 to 3 in layer2"):
            loudness(network, "layer2", channel)(picture)


def test_a_step_uphill_on_a_known_slope():
    """f = Σ a x has the slope a everywhere: a pixel moves by η a / mean |a|, and by no more than to 1."""
    a = torch.tensor([1.0, -3.0]).view(1, 1, 1, 2)
    x = torch.tensor([[0.5, 0.5], [0.99, 0.2]]).view(2, 1, 1, 2)
    found = ascend(x, lambda y: (a * y).sum((1, 2, 3)), 0.1)
    torch.testing.assert_close(found, torch.tensor([[0.55, 0.35], [1.0, 0.05]]).view(2, 1, 1, 2))
    flat = ascend(x, lambda y: 0 * y.sum((1, 2, 3)), 0.1)
    torch.testing.assert_close(flat, x)


@pytest.mark.parametrize("layer", LAYERS)
def test_dreaming_raises_what_it_climbs_and_leaves_the_network_alone(network, picture, layer):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    f = loudness(network, layer)
    found = dream(f, picture, steps=6, step=0.02, octaves=2)
    noise = (picture + (found - picture).std() * torch.randn_like(picture)).clamp(0, 1)
    with torch.no_grad():
        assert f(found) > 1.3 * f(picture) and f(found) > f(noise)
    assert found.shape == picture.shape and found.min() >= 0 and found.max() <= 1
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


def test_a_dream_is_a_function_of_its_start_and_its_seed(network, picture):
    f = loudness(network, "layer3")
    one, same, other = (dream(f, picture, steps=3, seed=s) for s in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert torch.equal(dream(f, picture, steps=0, octaves=1), picture)
    still = [dream(f, picture, steps=3, octaves=1, jitter=0, seed=s) for s in (0, 1)]
    assert torch.equal(*still), "without jitter there is no chance in it"


def test_pictures_of_a_batch_dream_alone(network):
    x = torch.cat([landscape(40, seed=s) for s in (0, 1)])
    f = loudness(network, "layer2")
    together = dream(f, x, steps=2, octaves=2)
    torch.testing.assert_close(together[1:], dream(f, x[1:], steps=2, octaves=2), atol=1e-5, rtol=1e-4)


def test_octaves_are_sizes():
    assert octave_sides(128, 4, 2.0) == [16, 32, 64, 128]
    assert octave_sides(100, 1) == [100] and octave_sides(8, 5) == [8]
    assert octave_sides(128, 9, 2.0) == [16, 32, 64, 128], "none smaller than 16 pixels"
    seen = []
    dream(
        lambda y: seen.append(y.shape[-1]) or y.mean((1, 2, 3)), torch.rand(1, 3, 64, 64), steps=2, octaves=3, ratio=2.0
    )
    assert seen == [16, 16, 32, 32, 64, 64]


def test_jitter_shows_the_network_a_moved_picture_and_moves_it_back():
    x, seen = torch.rand(1, 3, 32, 32), []
    found = dream(lambda y: seen.append(y.detach()) or 0 * y.sum((1, 2, 3)), x, steps=4, octaves=1, jitter=5, smooth=0)
    torch.testing.assert_close(found, x)
    assert any(not torch.equal(s, x) for s in seen)
    assert all(any(torch.equal(s, x.roll((i, j), (2, 3))) for i in range(-5, 6) for j in range(-5, 6)) for s in seen)


def test_what_an_octave_gains_is_enlarged():
    """With an objective that is the mean, each of two octaves adds ``steps · step`` everywhere."""
    x = torch.full((1, 3, 32, 32), 0.2)
    found = dream(lambda y: y.sum((1, 2, 3)), x, steps=3, step=0.05, octaves=2, ratio=2.0, smooth=0)
    torch.testing.assert_close(found, torch.full_like(x, 0.2 + 2 * 3 * 0.05))


def test_a_blur_is_a_bell_and_keeps_the_mean():
    x = torch.zeros(1, 3, 41, 41)
    x[:, :, 20, 20] = 1.0
    y = blur(x, 2.0)
    torch.testing.assert_close(y.sum((2, 3)), torch.ones(1, 3))
    at = torch.arange(41) - 20.0
    spread = (y[0, 0].sum(0) * at**2).sum().sqrt()
    assert abs(spread - 2.0) < 0.1
    wide = torch.rand(2, 3, 16, 16)
    assert resize(wide, 16) is wide and resize(wide, 7).shape == (2, 3, 7, 7)
    torch.testing.assert_close(resize(wide, 8).mean(), wide.mean(), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, x: dream(f, x[0]), "x: expected square pictures"),
        (lambda f, x: dream(f, x[..., :20]), "x: expected square pictures"),
        (lambda f, x: dream(f, x, steps=-1), "steps: expected at least 0, received -1"),
        (lambda f, x: dream(f, x, jitter=-1), "jitter: expected at least 0 pixels, received -1"),
        (lambda f, x: dream(f, x, octaves=0), "octaves: expected at least 1, received 0"),
        (lambda f, x: dream(f, x, ratio=1.0), "ratio: expected a number above 1, received 1.0"),
    ],
)
def test_bad_dreams_are_named(network, picture, call, message):
    with pytest.raises(ValueError, match=message):
        call(loudness(network, "layer1"), picture)


# styles ------------------------------------------------------------------------------------------------------------


def test_the_gram_matrix_of_known_maps():
    maps = torch.tensor([[1.0, 2.0], [3.0, -1.0]]).view(1, 2, 1, 2)  # two channels at two places
    torch.testing.assert_close(gram(maps), torch.tensor([[[2.5, 0.5], [0.5, 5.0]]]))
    with pytest.raises(ValueError, match=r"maps: expected shape \(B, C, H, W\)"):
        gram(maps[0])


@given(seed=st.integers(0, 1000), c=st.integers(1, 5), side=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_gram_matrix_does_not_know_where_things_are(seed, c, side):
    g = torch.Generator().manual_seed(seed)
    maps = torch.randn(2, c, side, side, generator=g)
    order = torch.randperm(side * side, generator=g)
    found = gram(maps)
    torch.testing.assert_close(gram(maps.flatten(2)[:, :, order].view_as(maps)), found)
    torch.testing.assert_close(gram(maps.repeat(1, 1, 2, 3)), found)  # nor how large the picture is
    torch.testing.assert_close(found, found.transpose(1, 2))
    assert torch.linalg.eigvalsh(found).min() > -1e-4
    torch.testing.assert_close(gram(2 * maps), 4 * found)


def test_distances_are_0_from_oneself_and_1_from_nothing(network, picture):
    maps = activations(network, picture, LAYERS)
    goals = {name: gram(m) for name, m in maps.items()}
    silence = {name: torch.zeros_like(m) for name, m in maps.items()}
    assert style_distance(maps, goals).item() == 0
    torch.testing.assert_close(style_distance(silence, goals), torch.ones(1))
    assert content_distance(maps["layer2"], maps["layer2"]).item() == 0
    torch.testing.assert_close(content_distance(silence["layer2"], maps["layer2"]), torch.ones(1))
    moved = {name: m.roll(5, 3) for name, m in maps.items()}
    assert style_distance(moved, goals).item() < 1e-9 and content_distance(moved["layer2"], maps["layer2"]) > 0.1
    with pytest.raises(ValueError, match="target: expected Gram matrices of some of"):
        style_distance(maps, {"layer7": goals["layer1"]})
    with pytest.raises(ValueError, match="target"):
        style_distance(maps, {})
    with pytest.raises(ValueError, match="maps: expected shape"):
        content_distance(maps["layer2"], maps["layer3"])


def test_transfer_goes_from_content_to_style_as_the_weight_grows(network, picture):
    style, weights = texture("dots", 48, seed=1), torch.tensor([0.0, 1.0, 100.0])
    start = roughened(picture, 0.3).expand(3, -1, -1, -1)
    before = {name: p.clone() for name, p in network.state_dict().items()}
    *_, (x, content, far) = transfer(network, start, style, content=picture, weight=weights, steps=25)
    assert content[0] < content[1] < content[2] and far[0] > far[1] > far[2]
    assert x.min() >= 0 and x.max() <= 1
    assert all(torch.equal(before[name], p) for name, p in network.state_dict().items())
    alone = [y for y in transfer(network, start[:1], style, content=picture, weight=1.0, steps=3)]
    assert len(alone) == 3 and alone[0][0].shape == (1, 3, 48, 48)


def test_a_texture_from_noise_comes_nearer_to_the_style(network):
    style = texture("checks", 40, seed=2)
    steps = list(transfer(network, torch.rand(1, 3, 32, 32), style, steps=30))
    assert steps[-1][2] < steps[0][2] / 2 and steps[0][1].item() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": -1.0}, "weight: expected one number >= 0"),
        ({"weight": torch.ones(3)}, "weight: expected one number >= 0, or one for each of 1"),
        ({"steps": 0}, "steps: expected at least 1, received 0"),
        ({"style_layers": ("layer0",)}, "layers: expected the name of one module"),
    ],
)
def test_bad_transfers_are_named(network, picture, changes, message):
    with pytest.raises(ValueError, match=message):
        next(transfer(network, picture, picture, **changes))
    with pytest.raises(ValueError, match="share: expected a number in"):
        roughened(picture, 1.5)


def test_the_baselines_keep_what_they_promise():
    x = texture("weave", 32, seed=4)
    y = shuffled_pixels(x)
    assert torch.equal(y.flatten(2).sort(2).values, x.flatten(2).sort(2).values) and not torch.equal(x, y)
    soft = 0.5 + 0.2 * (x - x.mean((2, 3), keepdim=True))  # far from 0 and 1, so that nothing is cut off
    power, moved = (torch.fft.fft2(z).abs() for z in (soft, random_phase(soft)))
    torch.testing.assert_close(moved, power, atol=1e-2, rtol=1e-3)
    mixed = roughened(torch.ones(1, 3, 9, 9), 0.25)
    assert mixed.min() >= 0.75 and mixed.max() <= 1


# spectra -----------------------------------------------------------------------------------------------------------


@given(k=st.integers(1, 15), pixels=st.sampled_from([3.0, 4.0, 8.0, 16.0]))
@settings(max_examples=30, deadline=None)
def test_a_single_wave_is_short_or_not(k, pixels):
    wave = torch.sin(2 * math.pi * k * torch.arange(32) / 32).expand(1, 3, 32, 32)
    found = metrics.shorter_waves(wave, pixels)
    assert found == pytest.approx(1.0 if 32 / k < pixels else 0.0, abs=1e-4)


def test_shares_of_noise_and_of_nothing():
    noise = torch.randn(20, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    below = math.pi * 0.25**2  # the disc of long waves in the square of all
    assert metrics.shorter_waves(noise) == pytest.approx(1 - below, abs=0.01)
    assert metrics.shorter_waves(torch.full((1, 3, 8, 8), 0.3)) == 0
    with pytest.raises(ValueError, match="x: expected shape"):
        metrics.shorter_waves(noise[0])
    with pytest.raises(ValueError, match="pixels: expected at least 2"):
        metrics.shorter_waves(noise, 1.0)


# the chapter -------------------------------------------------------------------------------------------------------


def test_two_numbers_find_the_picture_without_restraint():
    """Each decoy of the exercise fails one of them; a network of a minute's training will do."""
    recipe, data = recipes.get("seeing-textures"), load("textures", n=1000)
    model = recipes.train(recipe, dataset=data, steps=60, progress=False).model
    x = landscape(64)
    pictures = suspects(model, x)
    f = loudness(model, "layer4")
    with torch.no_grad():
        gain = {name: (f(y) / f(x)).item() for name, y in pictures.items()}
    short = {name: metrics.shorter_waves(y - x) for name, y in pictures.items()}
    assert min(gain["a"], gain["b"]) > 1.1 * max(gain["c"], gain["d"]), gain
    assert short["b"] > 2 * short["a"], short
    assert check("unrestrained", "b") and not check("unrestrained", "c")


def test_the_record_holds_what_the_issue_asks_for():
    found = record.recorded("models/seeing_networks")
    for name in ("seeds", "gains", "dreamers"):
        assert len(found[name]) >= 3
    for name in ("octaves", "cures", "textures", "sweep", "likelihood"):
        assert all(len(runs) >= 3 for runs in found[name].values())
    assert min(run["accuracy"] for run in found["seeds"]) > 0.85
    assert found["claims"]["C08"].startswith("No.")
