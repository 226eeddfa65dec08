"""Vector quantisation: the nearest code, the gradient that jumps it, codebooks that follow, bounds that are bounds."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import metrics
from genkit.data import Split
from genkit.families import build_vq
from genkit.models.vq import VQ, Codebook, nearest, straight_through
from genkit.training import TrainConfig, fit, train

SMALL = {
    "shape": [1, 4, 4], "pixels": "categorical", "levels": 3, "patch": 2, "codes": 3, "dim": 2, "width": 8, "depth": 1,
    "prior": {"width": 16, "heads": 2, "layers": 1, "zero_init": False},
}  # fmt: skip


def small(**change):
    torch.manual_seed(0)
    return build_vq(**(SMALL | change))


def pictures(n, levels=3, side=4):
    return torch.randint(levels, (n, 1, side, side)) / (levels - 1)


@given(st.integers(1, 4), st.integers(2, 6), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_nearest_code_is_that_of_cdist(batch, size, dim, seed):
    g = torch.Generator().manual_seed(seed)
    z, vectors = torch.randn(batch, 5, dim, generator=g), torch.randn(size, dim, generator=g)
    assert torch.equal(nearest(z, vectors), torch.cdist(z.view(-1, dim), vectors).argmin(1).view(batch, 5))


def test_the_value_is_the_codes_and_the_gradient_the_encoders():
    z, e = torch.randn(3, 2, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    y = straight_through(z, e)
    torch.testing.assert_close(y, e)
    (y**2).sum().backward()
    torch.testing.assert_close(z.grad, 2 * e)
    assert e.grad is None


def test_a_codebook_of_averages_settles_on_what_it_is_given():
    torch.manual_seed(0)
    book = Codebook(2, 1, decay=0.9, revive=0.0)
    z = torch.tensor([[1.0], [2.0], [-4.0], [-4.0]])
    for _ in range(200):
        book.follow(z, torch.tensor([0, 0, 1, 1]))
    torch.testing.assert_close(book.vectors, torch.tensor([[1.5], [-4.0]]))
    torch.testing.assert_close(book.count, torch.tensor([2.0, 2.0]))


def test_one_step_of_the_average_is_the_papers():
    book = Codebook(2, 1, decay=0.75, revive=0.0)
    count, total = book.count.clone(), book.total.clone()
    book.follow(torch.tensor([[3.0], [5.0]]), torch.tensor([0, 0]))
    torch.testing.assert_close(book.count, 0.75 * count + 0.25 * torch.tensor([2.0, 0.0]))
    torch.testing.assert_close(book.total, 0.75 * total + 0.25 * torch.tensor([[8.0], [0.0]]))
    torch.testing.assert_close(book.vectors, book.total / book.count[:, None])


def test_a_dead_code_is_put_among_the_living():
    torch.manual_seed(0)
    z = 10 + torch.randn(50, 2)
    kept, revived = (Codebook(4, 2, decay=0.5, revive=r) for r in (0.0, 0.1))
    for _ in range(8):
        for book in (kept, revived):
            book.follow(z, nearest(z, book.vectors))
    assert metrics.codes_used(nearest(z, kept.vectors), 4).value == 0.25
    assert metrics.codes_used(nearest(z, revived.vectors), 4).value == 1.0
    assert all((z - v).square().sum(1).min() < 4 for v in revived.vectors)


def test_a_codebook_moves_in_training_alone_or_by_gradients():
    x = pictures(8)
    model = small()
    before = model.codebook.vectors.clone()
    model.eval().loss(x)
    assert torch.equal(model.codebook.vectors, before)
    model.train().loss(x)
    assert not torch.equal(model.codebook.vectors, before)
    learnt = small(decay=None, revive=0.0)
    learnt.loss(x)["loss"].sum().backward()
    used = learnt.encode(x).unique()
    assert learnt.codebook.vectors.grad[used].abs().sum() > 0
    assert "codebook.vectors" in dict(learnt.named_parameters())


def test_the_loss_is_the_papers_eq_3():
    x = pictures(5)
    for decay in (None, 0.9):
        model = small(decay=decay, revive=0.0, commitment=0.7).eval()
        z = model.vectors(x)
        e = model.codebook.vectors[nearest(z, model.codebook.vectors)]
        gap = ((z - e) ** 2).flatten(1).sum(1)
        terms = model.loss(x)
        expected = -model.decode(model.encode(x)).log_prob(x) + (0.7 + (decay is None)) * gap
        torch.testing.assert_close(terms["loss"], expected)
        torch.testing.assert_close(terms["gap"], gap)


def test_the_codebook_is_moved_by_its_own_term_alone():
    x, model = pictures(5), small(decay=None, revive=0.0, commitment=0.7)
    found = torch.autograd.grad(model.loss(x)["loss"].sum(), model.codebook.vectors)[0]
    z = model.vectors(x).detach()
    own = (z - model.codebook.vectors[nearest(z, model.codebook.vectors)]).square().sum()
    torch.testing.assert_close(found, torch.autograd.grad(own, model.codebook.vectors)[0])


def test_gradients_reach_the_encoder_through_the_codes():
    model = small(commitment=0.0)
    model.loss(pictures(6))["loss"].sum().backward()
    reached = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert {n for n, _ in model.named_parameters() if n.startswith(("encoder", "decoder"))} <= reached
    assert not any(n.startswith("prior") for n in reached)


def test_the_probabilities_of_all_codes_sum_to_one_with_a_class_and_without():
    model = small(classes=2).eval()
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    with torch.no_grad():
        totals = [model.log_prior(every, c).logsumexp(0).item() for c in (None, torch.tensor([0]), torch.tensor([1]))]
        told = [model.log_prior(every[:5], torch.tensor([k])) for k in (0, 1)]
    assert totals == pytest.approx([0, 0, 0], abs=1e-5)
    assert not torch.allclose(*told)


def test_the_bound_is_below_the_exact_probability_and_the_exact_ones_sum_to_one():
    """One picture of 2 × 2 black or white pixels, one place, three codes: every sum can be written out."""
    model = small(shape=[1, 2, 2], pixels="bernoulli", levels=2, commitment=0.0).eval()
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4))).view(-1, 1, 2, 2)
    codes = torch.arange(3)[:, None]
    with torch.no_grad():
        joint = (
            torch.stack([model.decode(k.expand(16, 1)).log_prob(every) for k in codes])
            + model.log_prior(codes)[:, None]
        )
        exact, bound = joint.logsumexp(0), model.elbo(every)
    assert exact.logsumexp(0).item() == pytest.approx(0, abs=1e-5)
    assert (bound < exact).all()
    chosen = joint.gather(0, model.encode(every).T)[0]
    torch.testing.assert_close(bound, chosen)


def test_drawn_codes_follow_the_prior():
    model = small(classes=2).eval()
    with torch.no_grad():
        for p in model.prior.parameters():
            p *= 1.5
        drawn = model.sample_codes(20_000, torch.tensor([1]))
        every = torch.tensor(list(itertools.product(range(3), repeat=4)))
        exact = model.log_prior(every, torch.tensor([1])).exp()
    found = (drawn @ 3 ** torch.arange(4).flip(0)).bincount(minlength=81) / 20_000
    assert exact.max() > 2 / 81
    assert (found - exact).abs().sum() / 2 < 0.05
    cold = model.sample_codes(500, torch.tensor([1]), temperature=0.01)
    assert len(cold.unique(dim=0)) <= 2


def test_a_sample_is_a_picture_on_the_levels_and_a_mean_is_not():
    model = small().eval()
    x = model.sample(6)
    assert x.shape == (6, 1, 4, 4)
    torch.testing.assert_close((2 * x).round(), 2 * x)
    mean = model.sample(6, mean=True)
    assert not torch.allclose((2 * mean).round(), 2 * mean)
    assert model.reconstruct(x).shape == x.shape


def test_the_prior_learns_when_the_codes_stand_still():
    model = small(split=0.5)
    x = pictures(64)
    states = []
    for _ in train(model, Split(x), TrainConfig(steps=6, batch=16, clip=None)):
        states.append({name: value.clone() for name, value in model.state_dict().items()})
    moved = [{n for n in states[0] if not torch.equal(states[i][n], states[i + 1][n])} for i in range(len(states) - 1)]
    assert all(n.startswith(("encoder", "decoder", "codebook")) for n in moved[0] | moved[1]) and moved[0]
    assert all(n.startswith("prior") for n in moved[3] | moved[4]) and moved[4]


def test_training_recovers_codes_that_go_together():
    """Pictures of four patches, dark or light, whose left half and right half always agree: two free bits each."""
    torch.manual_seed(0)
    left = torch.randint(2, (600, 2))
    x = left[:, [0, 0, 1, 1]].view(-1, 1, 2, 2).float().repeat_interleave(2, 2).repeat_interleave(2, 3)
    model = small(pixels="bernoulli", levels=2, codes=4)
    fit(model, Split(x), TrainConfig(steps=300, batch=64, lr=1e-2), progress=False)
    assert model.elbo(x).mean().item() == pytest.approx(-2 * math.log(2), abs=0.2)
    drawn = model.sample(300)
    assert (drawn[:, 0, 0, 0] == drawn[:, 0, 0, 3]).float().mean() > 0.95
    spent = -model.log_prior(model.encode(x)).mean().item()
    assert spent == pytest.approx(2 * math.log(2), abs=0.2) and spent < 4 * math.log(4) / 2


def test_usage_counts():
    codes = torch.tensor([[0, 0], [1, 2]])
    entropy = 0.5 * math.log(2) + 0.5 * math.log(4)
    assert metrics.code_perplexity(codes, 5).value == pytest.approx(math.exp(entropy))
    assert metrics.codes_used(codes, 5).value == pytest.approx(0.6)
    assert metrics.code_perplexity(torch.arange(7), 7).value == pytest.approx(7)
    assert metrics.code_perplexity(torch.zeros(9, dtype=torch.int64), 7).value == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.encode(torch.zeros(2, 1, 2, 2)), r"x: expected images of shape \(B, \*\(1, 4, 4\)\)"),
        (lambda m: m.decode(torch.zeros(2, 3).long()), r"codes: expected int64 of shape \(B, 4\)"),
        (lambda m: m.decode(torch.zeros(2, 4)), r"codes: expected int64 of shape \(B, 4\), received torch.float32"),
        (lambda m: m.sample(2, torch.tensor([3])), r"c: expected int64 labels in \[0, 2\)"),
        (lambda m: m.sample(3, torch.tensor([0, 1])), "c: expected 1 or 3 rows, received 2"),
        (lambda m: m.sample(2, temperature=0.0), "temperature: expected a number above 0"),
        (lambda m: m.sample(0), "n: expected at least 1|c: expected"),
        (lambda m: Codebook(1, 2), "size, dim: expected at least 2 and 1"),
        (lambda m: Codebook(4, 2, decay=1.0), r"decay: expected None or a number in \(0, 1\)"),
        (lambda m: Codebook(4, 2, decay=None, revive=0.1), "revive: expected 0 without a decay"),
        (lambda m: small(commitment=-1.0), "commitment: expected a number >= 0"),
        (lambda m: small(split=1.0), r"split: expected a number in \(0, 1\)"),
        (lambda m: small(patch=3), "expected .* divisible by 3"),
        (lambda m: small(pixels="bernouli"), "Did you mean 'bernoulli'"),
        (lambda m: VQ(m.encoder, m.decoder, Codebook(9, 2), m.prior, shape=(1, 4, 4), places=4, pixels=m.pixels),
         "prior: expected 10 tokens and a context of at least 4, received 6 and 4"),
        (lambda m: metrics.code_perplexity(torch.tensor([4]), 4), r"codes: expected some int64 in \[0, 4\)"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(small(classes=2))
