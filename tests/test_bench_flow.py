"""The flow beside its peers: with the same weights all four give the same numbers, and those are what is timed."""

import math

import pytest
import torch

from genkit import bench
from genkit.bench.flow import KINDS, Size, agree, random_flow
from genkit.bench.flow_peers import PEERS, genkit
from genkit.models.flow import Coupling, Mix, coupling_flow

pytestmark = pytest.mark.filterwarnings(  # what nflows and normflows call
    "ignore:torch.triangular_solve is deprecated", "ignore:torch.lu is deprecated"
)
TINY = Size(dimensions=5, couplings=3, hidden=(16, 8), batch=50)


@pytest.fixture(params=PEERS)
def name(request):
    pytest.importorskip(request.param)
    return request.param


def both(name, kind):
    torch.manual_seed(3)
    model = random_flow(TINY, kind)
    return genkit(model), PEERS[name](model), torch.randn(TINY.batch, TINY.dimensions)


@pytest.mark.parametrize("kind", KINDS)
def test_a_peer_with_our_weights_gives_our_densities_and_samples(name, kind):
    ours, theirs, x = both(name, kind)
    density = ours.log_prob(x)
    torch.testing.assert_close(theirs.log_prob(x), density, atol=1e-5, rtol=1e-5)
    drawn = []
    for library in (ours, theirs):
        torch.manual_seed(4)
        drawn.append(library.sample(40).detach())
    torch.testing.assert_close(*drawn, atol=1e-5, rtol=1e-5)
    assert drawn[0].shape == (40, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_peer_learns_as_many_numbers(name, kind):
    """But for entries of our two squares outside their triangles, and for nflows' bias of a mixing."""
    ours, theirs, _ = both(name, kind)
    count = {lib: sum(p.numel() for p in lib.module.parameters() if p.requires_grad) for lib in (ours, theirs)}
    mixings, d = TINY.couplings * KINDS[kind]["mix"], TINY.dimensions
    outside = mixings * d * (d + 1)
    extra = {"zuko": -outside, "nflows": mixings * d - outside, "normflows": 0}[name]
    assert count[theirs] == count[ours] + extra


@pytest.mark.parametrize("kind", KINDS)
def test_unequal_work_is_not_timed(name, kind):
    ours, theirs, x = both(name, kind)
    agree(ours, theirs, x, name)
    with torch.no_grad():
        next(p for p in theirs.module.parameters() if p.shape == (TINY.hidden[0], 3)).mul_(1.02)
    with pytest.raises(ValueError, match=f"{name}: expected genkit's densities within 0.0001, received a gap"):
        agree(ours, theirs, x, name)


def test_samples_are_compared_too(name):
    ours, theirs, x = both(name, "flips")
    shifted = type(theirs)(theirs.log_prob, lambda n: theirs.sample(n) + 0.01, theirs.module)
    with pytest.raises(ValueError, match=f"{name}: expected genkit's samples"):
        agree(ours, shifted, x, name)


def test_in_the_random_flow_every_layer_does_something():
    torch.manual_seed(0)
    x = torch.randn(20, 5)
    for layer in random_flow(TINY, "mixes").layers:
        z, log_det = layer(x)
        assert (z - x).abs().max() > 1e-2 and log_det.abs().max() > 1e-3
        assert not isinstance(layer, Coupling) or log_det.std() > 1e-3


def test_a_mixing_with_a_permutation_is_refused(name):
    torch.manual_seed(0)
    model = coupling_flow(shape=(5,), layers=1)
    assert not torch.equal(next(layer for layer in model.layers if isinstance(layer, Mix)).p, torch.eye(5))
    with pytest.raises(ValueError, match="p: expected the identity"):
        PEERS[name](model)


def test_every_operation_gets_its_ratios():
    for library in PEERS:
        pytest.importorskip(library)
    found = bench.run("flow", rounds=2, sizes=(TINY,), calls=1)
    promised = {
        f"D = 5, {kind}, {what}, {number}"
        for kind in ("flips", "mixes")
        for what in ("log_prob", "sample", "training step")
        for peer in ("zuko", "nflows", "normflows", "the fastest peer")
        for number in (
            f"ratio to {peer}", f"ratio to {peer}, lower quartile", f"ratio to {peer}, upper quartile",
            f"{peer}, ms", "genkit, ms",
        )
    }  # fmt: skip
    assert set(found) == promised
    assert all(math.isfinite(value) and value > 0 for value in found.values())
    for start in ("D = 5, flips, log_prob", "D = 5, mixes, sample"):
        assert found[f"{start}, ratio to the fastest peer"] == max(found[f"{start}, ratio to {p}"] for p in PEERS)


def test_the_compiled_flow_stands_beside_the_peers_where_no_gradient_is_asked(monkeypatch):
    for library in PEERS:
        pytest.importorskip(library)
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda way: compiled.append(way.__name__) or way)  # a compiler takes long
    found = bench.run("flow", rounds=2, sizes=(TINY,), kinds=("flips",), calls=1, compiled=True)
    rows = {name.split(", ")[2] for name in found if name.endswith("ratio to genkit compiled")}
    assert rows == {"log_prob", "sample"} and compiled == ["log_prob", "inverse"]


def test_bad_input_gets_one_line():
    with pytest.raises(ValueError, match=r"kinds: expected one of flips, mixes; received 'flip'\. Did you mean"):
        bench.run("flow", kinds=("flip",))
    with pytest.raises(ValueError, match="calls: expected at least 1"):
        bench.run("flow", calls=0)
    with pytest.raises(ValueError, match="peers: expected none for the benchmark 'flow'"):
        bench.run("flow", peers=("zuko",))
