"""Games of two players: losses against hand sums, slopes against known ones, who moves when, and what is refused."""

import copy
import json
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.adversarial import GAMES, between, game, gradient_penalty, slope, steepness
from genkit.data import Split
from genkit.models.gan import GAN, build_gan
from genkit.nn.critic import Critic, Neighbours, Ripples, conv_critic, mlp_critic
from genkit.nn.generator import Spread, mlp_generator
from genkit.nn.style import Modulated, StyleGenerator, mix
from genkit.record import recorded
from genkit.training import TrainConfig, fit, train

# the losses ------------------------------------------------------------------------------------------------------

logits = st.floats(-8, 8).map(lambda v: torch.tensor([v], dtype=torch.float64))


@given(logits, logits)
@settings(max_examples=30, deadline=None)
def test_the_losses_are_those_of_the_papers(r, f):
    def log_sigmoid(v):
        return math.log(1 / (1 + math.exp(-v)))

    a, b = r.item(), f.item()
    binary = -log_sigmoid(a) - log_sigmoid(-b)
    expected = {
        "minimax": (binary, log_sigmoid(-b)),
        "non_saturating": (binary, -log_sigmoid(b)),
        "least_squares": (((a - 1) ** 2 + b**2) / 2, (b - 1) ** 2 / 2),
        "wasserstein": (b - a, -b),
        "relativistic": (-log_sigmoid(a - b), -log_sigmoid(b - a)),
    }
    assert set(expected) == set(GAMES)
    for name, (critic, generator) in expected.items():
        assert game(name).critic(r, f).item() == pytest.approx(critic, abs=1e-6), name
        assert game(name).generator(r, f).item() == pytest.approx(generator, abs=1e-6), name


@pytest.mark.parametrize("name", GAMES)
def test_the_critic_wants_data_above_samples_and_the_generator_the_reverse(name):
    """The critic falls as r rises at what it should say; the generator's loss falls as f rises, always."""
    one, minus = torch.tensor([0.4]), torch.tensor([-0.4])
    r, f = one.clone().requires_grad_(), minus.clone().requires_grad_()
    up, down = torch.autograd.grad(game(name).critic(r, f).sum() + 0 * (r + f).sum(), (r, f))
    assert up < 0 or name == "least_squares"
    assert down > 0 or name == "least_squares"
    f = torch.linspace(-6, 0.9, 30).requires_grad_()
    (push,) = torch.autograd.grad(game(name).generator(torch.zeros(30), f).sum(), f)
    assert (push < 0).all()


def test_the_saturating_push_dies_where_the_critic_is_sure_and_the_other_does_not():
    f = torch.tensor([-8.0], requires_grad=True)
    weak = torch.autograd.grad(game("minimax").generator(f, f).sum(), f)[0].abs()
    strong = torch.autograd.grad(game("non_saturating").generator(f, f).sum(), f)[0].abs()
    torch.testing.assert_close(weak, torch.sigmoid(torch.tensor([-8.0])))
    torch.testing.assert_close(strong, torch.sigmoid(torch.tensor([8.0])))


def test_slopes_are_those_of_known_functions_and_can_be_learnt_from():
    x = torch.randn(5, 3)
    torch.testing.assert_close(slope(lambda x: 2 * x[:, 0] - x[:, 2], x), torch.full((5,), 5.0))
    torch.testing.assert_close(slope(lambda x: x.square().sum(1), x), 4 * x.square().sum(1))
    weight = torch.tensor([3.0], requires_grad=True)
    slope(lambda x: weight * x[:, 0], x).mean().backward()
    assert weight.grad.item() == pytest.approx(6.0)
    with torch.no_grad():
        assert slope(lambda x: x.sum(1), x).tolist() == pytest.approx([3.0] * 5)
    y = x.clone().requires_grad_()
    torch.testing.assert_close(steepness(y.pow(3).sum(1), y), (3 * x**2).square().sum(1))


def test_the_penalty_is_zero_for_a_slope_of_one_and_looks_between():
    real, fake = torch.zeros(400, 2), torch.ones(400, 2)
    torch.testing.assert_close(gradient_penalty(lambda x: x[:, 0], real, fake), torch.zeros(400))
    torch.testing.assert_close(gradient_penalty(lambda x: 3 * x[:, 0], real, fake), torch.full((400,), 4.0))
    torch.manual_seed(0)
    mixed = between(real, fake)
    torch.testing.assert_close(mixed[:, 0], mixed[:, 1])
    assert mixed.min() >= 0 and mixed.max() <= 1 and mixed[:, 0].std() == pytest.approx(12**-0.5, abs=0.03)


# the game --------------------------------------------------------------------------------------------------------


def small(**options):
    torch.manual_seed(0)
    options = {"shape": (2,), "latent": 3, "draw": {"hidden": (8,)}, "look": {"hidden": (8,)}, **options}
    return build_gan(**options)


def test_the_critics_loss_is_the_games_plus_what_keeps_it_smooth():
    model, x = small(game="relativistic", r1=0.4, r2=0.6, penalty=2.0).eval(), torch.randn(7, 2)
    torch.manual_seed(1)
    found = model.critic_loss(x)
    torch.manual_seed(1)
    fake = model.generate(torch.randn(7, 3)).detach()
    r, f = model.judge(x), model.judge(fake)
    steep = gradient_penalty(model.judge, x, fake)
    expected = F.softplus(f - r) + 0.2 * slope(model.judge, x) + 0.3 * slope(model.judge, fake) + 2 * steep
    torch.testing.assert_close(found["loss"], expected)
    torch.testing.assert_close(found["slope"], slope(model.judge, x))
    torch.testing.assert_close(found["gap"], r - f)


def test_the_generators_loss_moves_the_generator_through_the_critic():
    model, x = small(), torch.randn(7, 2)
    torch.manual_seed(1)
    found = model.loss(x)["loss"]
    torch.manual_seed(1)
    torch.testing.assert_close(found, F.softplus(-model.judge(model.generate(torch.randn(7, 3)))))
    found.mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.generator.parameters())


def test_each_player_moves_its_own_weights_and_the_generator_when_it_is_its_turn():
    model = small(critic_steps=3)
    before, moved = copy.deepcopy(model.state_dict()), []
    for _ in train(model, Split(torch.randn(50, 2)), TrainConfig(steps=4, batch=10, cosine=False)):
        now = copy.deepcopy(model.state_dict())
        moved.append({k.split(".")[0] for k in now if not torch.equal(now[k], before[k])} - {"age"})
        before = now
    assert moved == [{"critic", "generator"}, {"critic"}, {"critic"}, {"critic", "generator"}]
    critic, generator = model.players()
    ids = [{id(p) for p in player.params} for player in (critic, generator)]
    assert not ids[0] & ids[1] and len(ids[0] | ids[1]) == len(list(model.parameters()))


def test_noise_and_slopes_calm_down_with_age():
    model = small(noise=0.5, r1=1.0, calm=10)
    torch.manual_seed(0)
    young = (model._seen(torch.zeros(4000, 2))).std().item()
    model.age += 10 / 2**0.5
    middle = (model._seen(torch.zeros(4000, 2))).std().item()
    model.age += 50
    assert (young, middle) == pytest.approx((0.5, 0.05), rel=0.05) and model.unrest() == pytest.approx(0.01)
    age = model.age.item()
    model.eval().critic_loss(torch.zeros(3, 2))
    assert model.age == age, "looking does not age"
    model.train().critic_loss(torch.zeros(3, 2))
    assert model.age == age + 1 and "age" in model.state_dict()


def test_a_game_finds_a_known_gaussian():
    torch.manual_seed(0)
    x = torch.randn(2000, 2) * torch.tensor([1.0, 0.3]) + torch.tensor([2.0, -1.0])
    model = small(game="relativistic", r1=0.1, r2=0.1, momentum=0.5)
    fit(model, Split(x), TrainConfig(steps=500, batch=64, lr=5e-3, ema=0.98, clip=None), progress=False)
    drawn = model.sample(4000)
    assert (drawn.mean(0) - x.mean(0)).abs().max() < 0.2
    assert (drawn.std(0) / x.std(0) - 1).abs().max() < 0.35


def test_classes_reach_both_players():
    model = small(classes=3)
    z = torch.randn(6, 3)
    a, b = model.generate(z, torch.zeros(6, dtype=torch.int64)), model.generate(z, torch.ones(6, dtype=torch.int64))
    assert not torch.allclose(a, b)
    c = torch.tensor([0, 1, 2, 0, 1, 2])
    assert not torch.allclose(model.judge(a, c), model.judge(a, c.flip(0)))
    torch.testing.assert_close(model.judge(a, torch.tensor([1])), model.judge(a, torch.ones(6, dtype=torch.int64)))
    assert model.sample(5).shape == model.sample(5, torch.tensor([2])).shape == (5, 2)
    fixed = model.sample(6, c, z=z)
    torch.testing.assert_close(fixed, model.generate(z, c).detach())


@pytest.mark.parametrize("generator", ["mlp", "conv", "style"])
@pytest.mark.parametrize("critic", ["mlp", "conv"])
def test_every_pair_of_networks_plays_with_images(generator, critic):
    model = build_gan(
        shape=(1, 8, 8), latent=4, generator=generator, critic=critic, classes=2, game="wasserstein", penalty=1.0
    )
    c = torch.tensor([0, 1, 1])
    x = model.sample(3, c)
    assert x.shape == (3, 1, 8, 8) and x.min() >= 0 and x.max() <= 1
    for player in model.players():
        terms = player.loss(x, c)
        assert terms["loss"].shape == (3,)
        gradients = torch.autograd.grad(terms["loss"].mean(), player.params, allow_unused=True)
        assert all(g is not None for g in gradients)


# the networks ----------------------------------------------------------------------------------------------------


def test_a_projection_critic_adds_how_well_the_class_suits():
    torch.manual_seed(0)
    critic, x, c = mlp_critic(4, (6,), classes=3), torch.randn(5, 4), torch.tensor([0, 1, 2, 1, 0])
    h = critic.body(x)
    torch.testing.assert_close(critic(x, c), critic.head(h)[:, 0] + (critic.suits.weight[c] * h).sum(1))


def test_neighbours_count_who_is_close_and_forget_oneself():
    layer = Neighbours(3, kernels=2, size=2)
    h = torch.randn(1, 3).repeat(5, 1)
    torch.testing.assert_close(layer(h)[:, 3:], torch.full((5, 2), 4.0))
    far = torch.tensor([[0.0, 0, 0], [1e4, -3e4, 2e4]])
    torch.testing.assert_close(layer(far)[:, 3:], torch.zeros(2, 2))
    two = torch.randn(2, 3)
    m = layer.project(two).view(2, 2, 2)
    torch.testing.assert_close(layer(two)[0, 3:], (-(m[0] - m[1]).abs().sum(1)).exp())


def test_a_spectral_critic_is_nowhere_steeper_than_one():
    torch.manual_seed(0)
    critic = mlp_critic(3, (32, 32), spectral=True)
    for _ in range(50):
        critic(torch.randn(8, 3))  # each look in training sharpens the estimate of the largest singular value
    assert slope(critic.eval(), 5 * torch.randn(500, 3)).max() <= 1.02
    assert slope(mlp_critic(3, (32, 32)), torch.randn(500, 3)).max() < 1, "an untrained one is flat by its start"
    for name, p in critic.named_parameters():
        if "original" in name:
            p.data *= 10
    critic.train()
    for _ in range(50):
        critic(torch.randn(8, 3))
    assert slope(critic.eval(), 5 * torch.randn(500, 3)).max() <= 1.02


def test_ripples_are_sines_and_cosines_that_stay():
    layer, x = Ripples(2, 5, frequency=4.0), torch.randn(3, 2)
    turns = x @ layer.directions
    torch.testing.assert_close(layer(x), torch.cat([x, turns.sin(), turns.cos()], 1))
    assert "directions" in layer.state_dict() and not list(layer.parameters())


def test_a_spread_generator_begins_as_a_wide_cloud():
    torch.manual_seed(0)
    layer = Spread(4, 2, (16,), spread=3.0)
    x = layer(torch.randn(4000, 4)).detach()
    assert x.std(0).tolist() == pytest.approx([3.0, 3.0], rel=0.2)
    heap = mlp_generator(4, (2,), (16,))(torch.randn(4000, 4)).detach()
    assert heap.std(0).max() < 1


def test_modulation_scales_the_weights_and_brings_the_outputs_back():
    """Equation 1 and 3 on the weights themselves, one example at a time."""
    torch.manual_seed(0)
    layer, x, w = Modulated(3, 4, 5), torch.randn(2, 3, 6, 6), torch.randn(2, 5)
    found = layer(x, w)
    for i in range(2):
        weight = layer.weight * layer.scales(w)[i][None, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        torch.testing.assert_close(found[i : i + 1], F.conv2d(x[i : i + 1], weight, layer.bias, padding=1))
    plain = Modulated(3, 2, 5, kernel=1, demodulate=False)
    weight = plain.weight * plain.scales(w)[0][None, :, None, None]
    torch.testing.assert_close(plain(x, w)[:1], F.conv2d(x[:1], weight, plain.bias))


def test_styles_begin_as_large_as_the_noise_so_that_the_first_pictures_differ():
    """A generator whose first pictures are all alike begins collapsed."""
    for seed in range(3):
        torch.manual_seed(seed)
        generator = StyleGenerator(16, (1, 28, 28), width=32).eval()
        w = generator.styles(torch.randn(500, 16))
        for layer in (*generator.layers, generator.paint):
            assert (layer.scales(w[:, 0]) - 1).square().mean().sqrt().item() == pytest.approx(1.0, abs=0.4)
        drawn = generator.draw(w[:100]).logit()
        across, within = drawn.std(0).mean(), drawn.std((1, 2, 3)).mean()
        assert across > 0.6 * within


def test_styles_mix_by_layer():
    torch.manual_seed(0)
    generator = StyleGenerator(6, (1, 8, 8), width=8, style=8).eval()
    a, b = (generator.styles(torch.randn(3, 6)) for _ in range(2))
    assert torch.equal(mix(a, b, 0), b) and torch.equal(mix(a, b, 5), a)
    half = mix(a, b, 2)
    assert torch.equal(half[:, :2], a[:, :2]) and torch.equal(half[:, 2:], b[:, 2:])
    pictures = [generator.draw(w) for w in (a, half, b)]
    assert not torch.allclose(pictures[0], pictures[1]) and not torch.allclose(pictures[1], pictures[2])
    z = torch.randn(3, 6)
    torch.testing.assert_close(generator(z), generator.draw(generator.styles(z)))
    generator.train()
    assert not torch.allclose(generator(z), generator(z)), "in training, some examples take styles from others"
    generator.mixing = 0.0
    torch.testing.assert_close(generator(z), generator(z))


def test_in_every_seed_of_the_record_every_mode_is_covered_within_a_minute():
    mended = recorded("models/gans")["mended"]
    for name, modes, near in (("gan-ring", 8, 0.8), ("gan-grid", 25, 0.5)):
        assert len(mended[name]) == 5
        for run in mended[name]:
            assert run["covered"] == modes and run["near"] >= near and run["seconds"] <= 60


# what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: small(game="minmax"), "game: expected one of .*; received 'minmax'. Did you mean 'minimax'"),
        (lambda: small(generator="mpl"), "generator: expected one of conv, mlp, style; received 'mpl'"),
        (lambda: small(critic="mpl"), "critic: expected one of conv, mlp"),
        (lambda: build_gan(shape=(2,), generator="style"), r"shape: expected \(C, H, W\)"),
        (
            lambda: small(classes=3).judge(torch.zeros(2, 2), torch.tensor([0, 3])),
            r"c: expected int64 labels in \[0, 3\)",
        ),
        (lambda: small(classes=3).sample(2, torch.tensor([-1, 0])), r"c: expected int64 labels in \[0, 3\)"),
        (lambda: small(classes=3).sample(2, torch.tensor([0.5, 0])), "received torch.float32"),
        (lambda: small(classes=3).critic_loss(torch.zeros(2, 2)), "c: expected int64 labels .* received None"),
        (lambda: small(classes=3).sample(3, torch.tensor([0, 1])), "c: expected 1 or 3 rows, received 2"),
        (lambda: small().sample(2, torch.tensor([0, 1])), "c: expected None, since this model knows no classes"),
        (lambda: small(look={"neighbours": True}).critic_loss(torch.zeros(1, 2)), "x: expected a batch of at least 2"),
        (lambda: small().judge(torch.zeros(2, 3)), r"x: expected shape \(B, \*\(2,\)\), received \(2, 3\)"),
        (lambda: small().generate(torch.zeros(2, 4)), r"z: expected shape \(B, 3\), received \(2, 4\)"),
        (lambda: small(r1=-1.0), "r1: expected a number >= 0, received -1.0"),
        (lambda: small(critic_steps=0), "critic_steps: expected at least 1, received 0"),
        (lambda: small(momentum=1.0), r"momentum: expected a number in \[0, 1\)"),
        (lambda: small(critic_lr=0.0), "critic_lr: expected a number above 0"),
        (lambda: Spread(1, 2, (4,), spread=1.0), "latent: expected at least 2, received 1"),
        (lambda: Ripples(2, 0, frequency=1.0), "waves, frequency: expected"),
        (lambda: conv_critic((1, 6, 8)), "H and W divisible by 4, received"),
        (lambda: StyleGenerator(4, (1, 8, 8), mixing=2.0), "mixing: expected a probability"),
        (lambda: StyleGenerator(4, (1, 8, 8), width=8).draw(torch.zeros(2, 4, 32)), r"w: expected shape \(B, 5"),
        (lambda: mix(torch.zeros(1, 5, 2), torch.zeros(1, 5, 2), 6), r"cut: expected a number of layers in \[0, 5\]"),
        (lambda: between(torch.zeros(2, 2), torch.zeros(3, 2)), "fake: expected the shape of real"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_gan_is_json():
    arguments = {"shape": [1, 8, 8], "latent": 4, "critic": "mlp", "draw": {"hidden": [8]}, "look": {"hidden": [8]}}
    rebuilt = build_gan(**json.loads(json.dumps(arguments)))
    assert rebuilt.sample(2).shape == (2, 1, 8, 8)
    assert isinstance(rebuilt.critic, Critic) and isinstance(rebuilt, GAN)


def test_data_of_a_readers_own_get_a_gan_that_suits_them():
    from genkit import recipes
    from genkit.data import load

    digits, ring = load("digits"), load("toy2d")
    model = recipes.suited("gan", "digits", digits, conditional=True).build()
    assert model.sample(2, torch.tensor([3])).shape == (2, 1, 8, 8) and model.classes == 10
    assert recipes.suited("gan", "toy2d", ring).build().sample(2).shape == (2, 2)
    for source, options in (("pydocs", {}), ("digits", {"binarise": True})):
        with pytest.raises(ValueError, match="data: expected images or points for a GAN"):
            recipes.suited("gan", source, load(source), **options)
