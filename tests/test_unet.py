"""Networks that are told a time: the waves, the U-Net, the transformer over patches, the perceptron."""

import math

import pytest
import torch

from genkit.nn.dit import DiT
from genkit.nn.timed_mlp import TimedMLP
from genkit.nn.times import TimeAndClass, waves
from genkit.nn.unet import Residual, UNet


def unet(**options):
    return UNet(1, 1, **{"width": 8, "grow": (1, 2), "classes": 3, **options})


def dit(**options):
    return DiT((1, 8, 8), **{"patch": 2, "width": 16, "heads": 2, "depth": 2, "classes": 3, **options})


def perceptron(**options):
    return TimedMLP((1, 8, 8), **{"hidden": (32,), "classes": 3, **options})


NETWORKS = {"unet": unet, "dit": dit, "mlp": perceptron}


def awake(net):
    """Give every zero of the first weights a value: an untrained network would answer zero to everything."""
    torch.manual_seed(0)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return net.eval()


# time -----------------------------------------------------------------------------------------------------------------


def test_waves_are_sines_and_cosines_whose_speeds_are_in_geometric_progression():
    t = torch.tensor([0.0, 0.3, 1.0])
    w = waves(t, 6, slowest=1.0, fastest=4.0)
    for k, speed in enumerate((1.0, 2.0, 4.0)):
        torch.testing.assert_close(w[:, k], (2 * math.pi * speed * t).sin(), atol=1e-5, rtol=0)
        torch.testing.assert_close(w[:, 3 + k], (2 * math.pi * speed * t).cos(), atol=1e-5, rtol=0)


def test_waves_tell_any_two_of_a_thousand_times_apart_and_close_ones_look_alike():
    w = waves(torch.linspace(0, 1, 1000), 32)
    apart = torch.cdist(w, w) + 99 * torch.eye(1000)
    assert apart.min() > 0.05
    assert apart[500, 501] < apart[500, 700]


@pytest.mark.parametrize("size", [1, 0, 3])
def test_waves_come_in_pairs(size):
    with pytest.raises(ValueError, match=f"size: expected an even number of at least 2, received {size}"):
        waves(torch.zeros(1), size)


def test_no_class_has_a_row_of_its_own_that_no_class_shares():
    embed = TimeAndClass(8, 3)
    t = torch.full((4,), 0.4)
    some, none = embed(t, torch.arange(4)), embed(t)
    torch.testing.assert_close(some[3], none[0])
    assert (torch.cdist(some, some) + torch.eye(4)).min() > 1e-3


@pytest.mark.parametrize(
    "c",
    [torch.tensor([0, 4]), torch.tensor([-1, 0]), torch.rand(2), torch.tensor([1]), torch.zeros(2, 1).long()],
)
def test_labels_out_of_range_are_named(c):
    with pytest.raises(ValueError, match=r"c: expected int64 labels in \[0, 3\)"):
        TimeAndClass(8, 3)(torch.zeros(2), c)


def test_labels_where_none_are_wanted_are_refused():
    with pytest.raises(ValueError, match="built without classes"):
        TimeAndClass(8)(torch.zeros(2), torch.zeros(2).long())
    with pytest.raises(ValueError, match=r"times of shape \(B,\)"):
        TimeAndClass(8)(torch.zeros(2, 1))


# every network --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=NETWORKS)
def build(request):
    return NETWORKS[request.param]


def ask(net, x, t=None, c=None):
    return net(x, torch.full((len(x),), 0.5) if t is None else t, c)


def test_the_answer_has_the_shape_of_the_question(build):
    for b in (1, 5):
        x = torch.rand(b, 1, 8, 8)
        assert ask(build(), x).shape == x.shape
        assert ask(build(), x, c=torch.zeros(b).long()).shape == x.shape
        assert ask(build(classes=0), x).shape == x.shape


def test_time_and_class_and_picture_all_matter(build):
    net, x = awake(build()), torch.rand(2, 1, 8, 8)
    base = ask(net, x, c=torch.tensor([1, 1]))
    for other in (
        ask(net, x, torch.tensor([0.9, 0.9]), torch.tensor([1, 1])),
        ask(net, x, c=torch.tensor([2, 2])),
        ask(net, x),
        ask(net, x + 0.1, c=torch.tensor([1, 1])),
    ):
        assert (other - base).abs().flatten(1).amax(1).min() > 1e-4


def test_rows_do_not_meet(build):
    net, x = awake(build()), torch.rand(4, 1, 8, 8)
    t, c = torch.rand(4), torch.tensor([0, 1, 2, 3])
    together = net(x, t, c)
    alone = torch.cat([net(x[i : i + 1], t[i : i + 1], c[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_every_pixel_sees_every_pixel(build):
    net, x = awake(build(classes=0)), torch.rand(1, 1, 8, 8, requires_grad=True)
    corner = ask(net, x)[0, 0, 0, 0]
    (seen,) = torch.autograd.grad(corner, x)
    assert (seen.abs() > 0).all()


def test_a_gradient_reaches_every_parameter(build):
    net = awake(build())
    net(torch.rand(6, 1, 8, 8), torch.rand(6), torch.tensor([0, 1, 2, 3, 0, 1])).square().sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


def test_wrong_shapes_are_named(build):
    with pytest.raises(ValueError, match="x: expected"):
        ask(build(), torch.rand(2, 1, 7, 8))


def test_untrained_image_networks_answer_zero():
    x = torch.rand(2, 1, 8, 8)
    assert ask(unet(), x).abs().max() == 0 and ask(dit(), x).abs().max() == 0


# the U-Net ------------------------------------------------------------------------------------------------------------


def test_an_untrained_block_changes_nothing():
    x = torch.rand(2, 8, 4, 4)
    assert torch.equal(Residual(8, 8, 6)(x, torch.rand(2, 6)), x)


@pytest.mark.parametrize("grow", [(1,), (1, 2), (2, 1, 3)])
@pytest.mark.parametrize("blocks", [1, 2])
def test_unets_of_all_sizes(grow, blocks):
    net = UNet(3, 2, width=4, grow=grow, blocks=blocks)
    assert net(torch.rand(2, 3, 12, 8), torch.rand(2)).shape == (2, 2, 12, 8)


def test_a_unet_without_time_refuses_one():
    net = UNet(1, 1, width=4, timed=False)
    assert net(torch.rand(1, 1, 8, 8)).shape == (1, 1, 8, 8)
    with pytest.raises(ValueError, match="t: expected None"):
        net(torch.rand(1, 1, 8, 8), torch.rand(1))
    with pytest.raises(ValueError, match="t: expected times"):
        unet()(torch.rand(1, 1, 8, 8))
    with pytest.raises(ValueError, match="classes: expected 0"):
        UNet(1, 1, timed=False, classes=2)


def test_bridges_carry_what_was_seen_at_each_size_to_the_way_up():
    net = awake(UNet(1, 1, width=8, grow=(1, 2, 2)))
    down, up = [], []
    for stage in net.down:
        stage[-1].register_forward_hook(lambda m, args, out: down.append(out))
    for stage in net.up:
        stage[0].register_forward_pre_hook(lambda m, args: up.append(args[0]))
    net(torch.rand(1, 1, 8, 8), torch.rand(1))
    assert [len(h[0, 0]) for h in up] == [2, 4, 8]
    for seen, joined in zip(reversed(down), up, strict=True):
        assert torch.equal(joined[:, -seen.shape[1] :], seen)


# the transformer ------------------------------------------------------------------------------------------------------


def test_patches_come_back_where_they_were():
    net = DiT((1, 4, 4), patch=2, width=8, heads=2, depth=1)
    with torch.no_grad():
        net.leave.bias.copy_(torch.arange(4.0))
    answer = net(torch.rand(1, 1, 4, 4), torch.rand(1))
    assert torch.equal(answer[0, 0], torch.tensor([[0.0, 1.0], [2.0, 3.0]]).repeat(2, 2))


def test_places_are_told_apart():
    net, x = awake(dit(classes=0)), torch.zeros(1, 1, 8, 8)
    said = ask(net, x)
    assert (said[..., :2, :2] - said[..., 4:6, 4:6]).abs().max() > 1e-3


def test_a_patch_must_divide_the_sides():
    with pytest.raises(ValueError, match="patch: expected a divisor of the sides 8 and 6, received 4"):
        DiT((1, 8, 6), patch=4)
