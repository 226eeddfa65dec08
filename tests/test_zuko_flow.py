"""zuko's flows behind the book's protocol: what is done can be undone, and densities are densities, class by class."""

import pytest
import torch

from genkit import families
from genkit.data import Split, load, toy
from genkit.models.flow import Coupling
from genkit.models.zuko_flow import continuous_flow, spline_flow
from genkit.training import TrainConfig, fit

KINDS = {"spline": spline_flow, "continuous": continuous_flow}


def shaken(kind, classes=0, seed=0):
    """A small flow that is not the near-identity it starts as."""
    torch.manual_seed(seed)
    flow = KINDS[kind](shape=(2,), hidden=(16,), classes=classes)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return flow.eval()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("classes", [0, 3])
def test_the_way_back_undoes_the_way_there(kind, classes):
    flow, c = shaken(kind, classes), torch.tensor([0, 1, 2, 1, 0]) if classes else None
    x = torch.randn(5, 2)
    with torch.no_grad():
        z, _ = flow(x, c)
        assert (flow.inverse(z, c) - x).abs().max() <= 1e-5
        assert (z - x).abs().max() > 0.05, "an identity would prove nothing"


@pytest.mark.parametrize("classes", [0, 3])
def test_the_log_determinant_is_that_of_autograds_jacobian(kind, classes):
    flow, c = shaken(kind, classes), torch.tensor([2]) if classes else None
    for x in torch.randn(4, 1, 2):
        jacobian = torch.autograd.functional.jacobian(lambda one: flow(one[None], c)[0][0], x[0])
        exact = torch.linalg.slogdet(jacobian.double()).logabsdet.item()
        assert flow(x, c)[1].item() == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("classes", [0, 3])
def test_the_density_is_zukos_own(kind, classes):
    flow, c, x = shaken(kind, classes), torch.tensor([0, 2, 1, 2]) if classes else None, torch.randn(4, 2)
    context = torch.eye(4)[c] if classes else None  # the last column is for "no class given"
    with torch.no_grad():
        torch.testing.assert_close(flow.log_prob(x, c), flow.flow(context).log_prob(x), atol=1e-5, rtol=1e-5)
        if classes:
            torch.testing.assert_close(flow.log_prob(x), flow.flow(torch.eye(4)[[3]].expand(4, 4)).log_prob(x))
            assert (flow.log_prob(x, c) - flow.log_prob(x)).abs().max() > 1e-3


@pytest.mark.parametrize("c", [None, 1])
def test_the_density_integrates_to_one(kind, c):
    flow, side, half = shaken(kind, classes=2), 150, 9.0
    at = (torch.arange(side) + 0.5) / side * 2 * half - half
    with torch.no_grad():
        p = flow.log_prob(torch.cartesian_prod(at, at), None if c is None else torch.tensor([c])).exp()
    assert p.sum().item() * (2 * half / side) ** 2 == pytest.approx(1, abs=0.01)


def test_the_trajectory_ends_where_the_inverse_leads(kind):
    flow = shaken(kind, classes=2)
    c = torch.tensor([0, 1, 1])
    torch.manual_seed(1)
    steps = list(flow.trajectory(3, c))
    assert all(step.shape == (3, 2) and not step.requires_grad for step in steps)
    with torch.no_grad():
        torch.testing.assert_close(steps[-1], flow.inverse(steps[0], c), atol=2e-5, rtol=1e-4)
    torch.manual_seed(1)
    torch.testing.assert_close(flow.sample(3, c), steps[-1])
    assert flow.sample(4, torch.tensor([1])).shape == flow.sample(4).shape == (4, 2)


def test_every_weight_learns(kind):
    flow = shaken(kind, classes=2).train()
    flow.loss(torch.randn(6, 2), torch.tensor([0, 1, 0, 1, 1, 0]))["loss"].sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in flow.parameters() if p.requires_grad)


def test_classes_are_learnt_and_can_be_left_out(kind):
    data = load("toy2d", kind="islands")
    torch.manual_seed(0)
    flow = KINDS[kind](shape=(2,), hidden=(32, 32), classes=2, label_dropout=0.3)
    steps, lr = (250, 1e-2) if kind == "spline" else (80, 3e-2)
    fit(flow, data.train, TrainConfig(steps=steps, batch=200, lr=lr, warmup=10, clip=10.0, ema=0.95), progress=False)
    left, right = flow.sample(300, torch.tensor([0])), flow.sample(300, torch.tensor([1]))
    assert (left[:, 0] < 0).float().mean() > 0.97 and (right[:, 0] > 0).float().mean() > 0.97
    both = (flow.sample(400)[:, 0] > 0).float().mean().item()
    assert 0.35 < both < 0.65
    with torch.no_grad():
        given, blind = flow.log_prob(data.test.x, data.test.c).mean(), flow.log_prob(data.test.x).mean()
    assert given > blind + 0.4, "a label is worth log 2 nats here"


def test_a_spline_learns_the_star():
    data = load("toy2d", kind="star")
    torch.manual_seed(0)
    flow = spline_flow(shape=(2,))
    fit(flow, Split(data.train.x), TrainConfig(steps=400, batch=256, lr=5e-3, ema=0.98), progress=False)
    with torch.no_grad():
        found, true = flow.log_prob(data.test.x).mean().item(), toy("star").log_prob(data.test.x).mean().item()
        assert (flow.inverse(flow(data.test.x)[0]) - data.test.x).abs().max() <= 1e-5
    assert true - 0.1 < found < true + 0.03


def test_our_coupling_is_zukos():
    """An independent oracle for the layer written by hand: the same network inside zuko's own transforms."""
    from zuko.transforms import CouplingTransform, DependentTransform, MonotonicAffineTransform

    torch.manual_seed(0)
    ours = Coupling(5, (16,)).eval()
    torch.nn.init.normal_(ours.network[-1].weight, std=0.5)

    def meta(a):
        v, shift = ours.network(a).chunk(2, -1)
        log_s = ours.LIMIT * torch.tanh(v / ours.LIMIT)
        theirs = MonotonicAffineTransform(shift, log_s, slope=1e-300)  # a limit so far off that it does not bend
        theirs.log_scale, theirs.scale = log_s, log_s.exp()
        return DependentTransform(theirs, 1)

    theirs = CouplingTransform(meta, torch.arange(5) < ours.kept)
    x = torch.randn(20, 5)
    with torch.no_grad():
        z, log_det = ours(x)
        y, ladj = theirs.call_and_ladj(x)
        torch.testing.assert_close(z, y)
        torch.testing.assert_close(log_det, ladj)
        torch.testing.assert_close(ours.inverse(z), theirs.inv(y))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spline_flow(shape=(2,), layers=0), "layers: expected at least 1, received 0"),
        (lambda: spline_flow(shape=(2,), bins=1), "bins: expected at least 2, received 1"),
        (lambda: spline_flow(shape=(1,)), r"shape: expected at least 2 coordinates, received \(1,\)"),
        (lambda: spline_flow(shape=(2,), classes=-1), "classes: expected at least 0, received -1"),
        (lambda: continuous_flow(shape=(2,), tolerance=0.0), r"tolerance: expected a number in \(0, 1\), received 0.0"),
        (lambda: spline_flow(shape=(2,), label_dropout=2.0), "label_dropout: expected a probability, received 2.0"),
        (lambda: spline_flow(shape=(2,)).log_prob(torch.zeros(3, 3)), r"x: expected the shape \(B, \*\(2,\)\)"),
        (lambda: spline_flow(shape=(2,), classes=2).sample(3, torch.tensor([3])), "c: expected int64 labels"),
        (lambda: spline_flow(shape=(2,), classes=2).sample(3, torch.tensor([0, 1])), "c: expected 1 or 3 rows"),
        (lambda: families.build("zuko_flow", kind="splines", shape=[2]), "Did you mean 'spline'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
