"""Translators: losses term by term, players who keep to their own weights, a buffer that remembers, bad input named."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from genkit.data import Split
from genkit.families import build
from genkit.models.translation import (
    CycleGAN,
    ImageBuffer,
    Painter,
    Pix2Pix,
    patch_critic,
    patch_side,
)
from genkit.training import TrainConfig, fit, train

SHAPE = (3, 8, 8)


def pictures(n=4, seed=0):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed))


def shaken(net):
    """Give a network weights that are nowhere zero: its last convolution starts at 0."""
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.add_(0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(i)))
    return net


def cyclegan(**options):
    torch.manual_seed(0)
    nets = [shaken(Painter(width=8, grow=(1,))) for _ in range(2)]
    nets += [patch_critic(width=8, halvings=1) for _ in range(2)]
    return CycleGAN(*nets, shape=SHAPE, **options)


def pix2pix(critic=True, **options):
    torch.manual_seed(0)
    net = shaken(Painter(width=8, grow=(1,)))
    return Pix2Pix(net, patch_critic(6, width=8, halvings=1) if critic else None, **options)


# the networks --------------------------------------------------------------------------------------------------------


def test_an_untrained_painter_keeps_the_source_or_paints_grey():
    c = pictures().clamp(0.02, 0.98)
    torch.testing.assert_close(Painter(width=8, keep=True)(c), c)
    torch.testing.assert_close(Painter(width=8)(c), torch.full_like(c, 0.5))


@pytest.mark.parametrize("halvings", [0, 1, 2])
def test_a_patch_is_as_large_as_it_is_said_to_be(halvings):
    """The gradient of one logit reaches a square of patch_side pixels. Normalisation, which sees all, is taken out."""
    torch.manual_seed(0)
    critic = patch_critic(1, width=4, halvings=halvings)
    critic = nn.Sequential(*(m for m in critic if not isinstance(m, nn.GroupNorm)))
    x = torch.rand(1, 1, 64, 64, requires_grad=True)
    logits = critic(x)[0]
    side = int(len(logits) ** 0.5)
    (gradient,) = torch.autograd.grad(logits[side * (side // 2) + side // 2], x)
    seen = gradient[0, 0].abs() > 0
    assert seen.any(0).sum() == seen.any(1).sum() == patch_side(halvings)


# pix2pix -------------------------------------------------------------------------------------------------------------


def test_the_generators_loss_is_the_papers():
    model, x, c = pix2pix(l1=7.0), pictures(seed=1), pictures(seed=2)
    drawn = model.generator(c)
    logits = model.critic(torch.cat([c, drawn], 1))
    expected = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits), reduction="none").mean(1)
    expected = expected + 7.0 * torch.stack([F.l1_loss(a, b) for a, b in zip(drawn, x, strict=True)])
    torch.testing.assert_close(model.loss(x, c)["loss"], expected)


def test_the_critics_loss_is_that_of_a_classifier_of_pairs():
    model, x, c = pix2pix(), pictures(seed=1), pictures(seed=2)
    real, fake = (model.critic(torch.cat([c, y], 1)) for y in (x, model.generator(c)))
    logits, labels = torch.cat([real, fake], 1), torch.cat([torch.ones_like(real), torch.zeros_like(fake)], 1)
    expected = 2 * F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(1)
    torch.testing.assert_close(model.critic_loss(x, c)["loss"], expected)
    swapped = model.critic_loss(x, c.roll(1, 0))["loss"]
    assert not torch.allclose(swapped, expected), "the critic looks at the source too"


def test_without_a_critic_one_plays_alone():
    model = pix2pix(critic=False, l1=1.0)
    assert [p.name for p in model.players()] == ["generator"]
    x, c = pictures(seed=1), pictures(seed=2)
    torch.testing.assert_close(model.loss(x, c)["loss"], model.loss(x, c)["l1"])


# cyclegan ------------------------------------------------------------------------------------------------------------


def test_both_generators_loss_is_the_papers_sum():
    model, x, c = cyclegan(cycle=3.0, identity=2.0), pictures(seed=1), pictures(seed=2)
    to_x, to_c = model.there(c), model.back(x)

    def norm(a, b):
        return (a - b).abs().mean((1, 2, 3))

    expected = ((model.critic_x(to_x) - 1) ** 2 / 2).mean(1) + ((model.critic_c(to_c) - 1) ** 2 / 2).mean(1)
    expected = expected + 3 * norm(model.back(to_x), c) + 3 * norm(model.there(to_c), x)
    expected = expected + 2 * norm(model.there(x), x) + 2 * norm(model.back(c), c)
    torch.testing.assert_close(model.loss(x, c)["loss"], expected)
    bare = cyclegan(cycle=0.0, identity=0.0).loss(x, c)
    assert set(bare) == {"loss", "fool"} and torch.equal(bare["loss"], bare["fool"])


def test_noise_spoils_the_way_back_alone():
    x, c = pictures(seed=1), pictures(seed=2)
    plain, noisy = (cyclegan(identity=0.0, noise=noise).loss(x, c) for noise in (0.0, 0.5))
    assert torch.equal(plain["fool"], noisy["fool"]) and not torch.allclose(plain["cycle"], noisy["cycle"])


def test_each_player_moves_its_own_weights_alone():
    model = cyclegan(buffer=2)
    nets = {"generators": (model.there, model.back), "critic of x": (model.critic_x,), "critic of c": (model.critic_c,)}
    owned = [id(p) for player in model.players() for p in player.params]
    assert len(owned) == len(set(owned)) == len(list(model.parameters()))
    for player in model.players():
        assert {id(p) for net in nets[player.name] for p in net.parameters()} == {id(p) for p in player.params}
        terms = player.loss(pictures(seed=1), pictures(seed=2))
        gradients = torch.autograd.grad(terms["loss"].mean(), player.params, allow_unused=True)
        assert all(g is not None and g.abs().sum() > 0 for g in gradients), player.name


def test_a_critic_learns_from_its_own_side():
    model = cyclegan(buffer=0)
    x, c = pictures(seed=1), pictures(seed=2)
    _, of_x, of_c = model.players()
    fake = model.there(c)
    expected = (((model.critic_x(x) - 1) ** 2 + model.critic_x(fake) ** 2) / 2).mean(1)
    torch.testing.assert_close(of_x.loss(x, c)["loss"], expected)
    expected = (((model.critic_c(c) - 1) ** 2 + model.critic_c(model.back(x)) ** 2) / 2).mean(1)
    torch.testing.assert_close(of_c.loss(x, c)["loss"], expected)


def test_samples_go_both_ways_and_one_source_may_be_repeated():
    model, c = cyclegan(), pictures(1)
    torch.testing.assert_close(model.sample(3, c), model.there(c).expand(3, -1, -1, -1))
    torch.testing.assert_close(model.sample(1, c, direction="back"), model.back(c))
    assert not model.sample(1, c).requires_grad


# the buffer ----------------------------------------------------------------------------------------------------------


def test_a_buffer_fills_first_and_then_gives_back_old_ones():
    buffer = ImageBuffer(4, (1, 1, 1))
    first = torch.arange(4.0).view(4, 1, 1, 1)
    assert torch.equal(buffer.exchange(first), first) and int(buffer.filled) == 4
    torch.manual_seed(0)
    seen, kept = [], []
    for k in range(100):
        fresh = torch.arange(4.0).view(4, 1, 1, 1) + 10 * (k + 1)
        before = buffer.images.flatten().tolist()
        out = buffer.exchange(fresh)
        seen.append((out != fresh).float().mean().item())
        everything = set(before) | set(fresh.flatten().tolist())
        assert set(out.flatten().tolist()) | set(buffer.images.flatten().tolist()) <= everything
        kept.append(buffer.images.min().item())
    assert 0.4 < sum(seen) / len(seen) < 0.6, "half of what the critic sees is old"
    assert kept[-1] > 100, "nothing stays for ever"


def test_no_buffer_and_no_gradient():
    fresh = pictures()
    none = ImageBuffer(0, SHAPE)
    assert torch.equal(none.exchange(fresh), fresh) and none.exchange(fresh) is not fresh
    assert not ImageBuffer(2, SHAPE).exchange(fresh.requires_grad_())[2:].is_leaf


def test_buffers_are_saved_with_the_model():
    model = cyclegan(buffer=3)
    data = Split(pictures(20, 1), pictures(20, 2))
    list(train(model, data, TrainConfig(steps=2, batch=4)))
    other = cyclegan(buffer=3)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.old_x.images, model.old_x.images) and int(other.old_c.filled) == 3


# training ------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_run():
    data = Split(pictures(20, 1), pictures(20, 2))
    runs = []
    for _ in range(2):
        model = cyclegan(buffer=3)
        for _ in train(model, data, TrainConfig(steps=4, batch=4, seed=3)):
            torch.rand(1)  # what a reader draws changes nothing
        runs.append(model.state_dict())
    assert all(torch.equal(runs[0][k], runs[1][k]) for k in runs[0])


def test_pairs_teach_an_inversion():
    c = pictures(64, 3)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sigmoid())
    model = Pix2Pix(net, patch_critic(6, width=8, halvings=1))
    fit(model, Split(1 - c, c), TrainConfig(steps=200, batch=16, lr=5e-2), progress=False)
    fresh = pictures(16, 4)
    assert (model.sample(16, fresh) - (1 - fresh)).abs().mean() < 0.1 < (fresh - (1 - fresh)).abs().mean()


def test_without_pairs_two_tints_are_told_apart():
    """Dark pictures become bright ones and keep their places: no pair is ever shown."""
    dark, bright = 0.1 + 0.3 * pictures(64, 5), 0.6 + 0.3 * pictures(64, 6)
    torch.manual_seed(0)
    nets = [Painter(width=8, grow=(1,), keep=True) for _ in range(2)]
    model = CycleGAN(*nets, *(patch_critic(width=8, halvings=1) for _ in range(2)), shape=SHAPE, identity=0.0)
    fit(model, Split(bright, dark), TrainConfig(steps=250, batch=16, lr=5e-3, ema=0.95), progress=False)
    there = model.sample(64, dark)
    assert abs(there.mean() - bright.mean()) < 0.15
    assert torch.corrcoef(torch.stack([there.flatten(), dark.flatten()]))[0, 1] > 0.3


# bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cyclegan().sample(2), r"c: expected source pictures of shape \(n, C, H, W\) .* received None"),
        (lambda: pix2pix().sample(2), "c: expected source pictures"),
        (
            lambda: pix2pix().sample(2, torch.zeros(2)),
            r"c: expected source pictures .* received float32 of shape \(2,\)",
        ),
        (lambda: pix2pix().sample(2, torch.zeros(2, 3, 8, 8).long()), "received int64 of shape"),
        (lambda: pix2pix().sample(3, pictures(2)), "c: expected 1 or 3 rows, received 2"),
        (lambda: pix2pix().sample(0, pictures(2)), "n: expected at least 1, received 0"),
        (
            lambda: cyclegan().sample(4, pictures(), direction="bakc"),
            "direction: expected one of .* Did you mean 'back'",
        ),
        (
            lambda: cyclegan().loss(pictures(3), pictures(4)),
            r"x: expected the shape of c \(4, 3, 8, 8\), received \(3,",
        ),
        (lambda: cyclegan().loss(pictures()), "c: expected source pictures"),
        (lambda: cyclegan(cycle=-1.0), "cycle: expected 0 or more, received -1.0"),
        (lambda: cyclegan(noise=-0.1), "noise: expected 0 or more, received -0.1"),
        (lambda: cyclegan(buffer=-1), "buffer: expected 0 or more, received -1"),
        (lambda: pix2pix(l1=-2.0), "l1: expected 0 or more, received -2.0"),
        (lambda: cyclegan(game="leastsquares"), "game: expected one of .* Did you mean 'least_squares'"),
        (lambda: build("translation", kind="cycle"), "kind: expected one of .* Did you mean 'cyclegan'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
