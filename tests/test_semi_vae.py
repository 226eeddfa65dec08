"""The semi-supervised VAE: its bounds against exact sums and integrals, its labels, known and unknown, its recovery."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genkit import metrics
from genkit.data import Split, load
from genkit.data.few_labels import hide_all_but
from genkit.distributions import bernoulli, categorical
from genkit.models.semi_vae import SemiVAE, mlp_semi_vae
from genkit.training import TrainConfig, fit

SHAPE, K = (1, 4, 4), 3


def small(seed=0, **options):
    torch.manual_seed(seed)
    return mlp_semi_vae(shape=SHAPE, pixels=bernoulli(), classes=K, latent=2, hidden=(16,), **options)


def images(n=6, seed=1):
    return torch.randint(2, (n, *SHAPE), generator=torch.Generator().manual_seed(seed)).float()


def by_seed(function, *arguments, seed=3):
    torch.manual_seed(seed)
    return function(*arguments)


def test_shapes_and_a_gradient_for_every_parameter():
    model, x, c = small(), images(), torch.tensor([0, -1, 2, -1, 1, -1])
    terms = model.loss(x, c)
    assert {name: tuple(t.shape) for name, t in terms.items()} == {"loss": (6,), "bound": (6,), "naming": (6,)}
    terms["loss"].mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert model.sample(5).shape == model.sample(5, torch.tensor([1]), mean=True).shape == (5, *SHAPE)
    assert model.reconstruct(x).shape == model.reconstruct(x, c).shape == x.shape
    assert model.joint_bounds(x).shape == (6, K) and model.log_weights(x, c, k=7).shape == (7, 6)
    torch.testing.assert_close(model.classify(x).sum(1), torch.ones(6))


def test_the_unknown_label_is_summed_out_exactly():
    """The bound written out class by class, with loops: eq. 7 of the paper."""
    model, x = small(), images()
    joint = by_seed(model.joint_bounds, x)
    q = model.classify(x)
    by_hand = [sum(q[i, k] * (joint[i, k] - q[i, k].log()) for k in range(K)) for i in range(len(x))]
    torch.testing.assert_close(by_seed(model.bound, x), torch.stack(by_hand))
    for k in range(K):
        labels = torch.full((len(x),), k)
        torch.testing.assert_close(by_seed(model.bound, x, labels), joint[:, k])
        given = by_seed(model.elbo, x, labels)  # of log p(x | y) = log p(x, y) − log p(y)
        torch.testing.assert_close(given, joint[:, k] + math.log(K))
    torch.testing.assert_close(by_seed(model.elbo, x), by_seed(model.bound, x))
    best = joint.logsumexp(1)  # what the best belief, the softmax of the bounds, would reach
    assert (by_seed(model.bound, x) <= best + 1e-5).all()


def test_the_joint_bound_of_a_class_is_the_papers():
    model, x = small(), images()
    joint = by_seed(model.joint_bounds, x)
    torch.manual_seed(3)
    eps = torch.randn(K * len(x), 2).unflatten(0, (K, len(x)))
    for k in range(K):
        c = torch.full((len(x),), k)
        q = model.encode(x, c)
        log_p = model.decode(q.mean + q.std * eps[k], c).log_prob(x)
        kl = torch.distributions.kl_divergence(torch.distributions.Normal(*q), torch.distributions.Normal(0.0, 1.0))
        torch.testing.assert_close(joint[:, k], log_p - kl.sum(1) - math.log(K))


def one_pixel():
    """A model of one pixel, one latent number and two classes, whose probabilities a grid of codes gives exactly."""
    torch.manual_seed(0)
    classifier, encoder, decoder = nn.Linear(1, 2), nn.Linear(3, 2), nn.Linear(3, 1)
    with torch.no_grad():
        encoder.weight.zero_(), encoder.bias.copy_(torch.tensor([0.4, 0.0]))
        decoder.weight.copy_(torch.tensor([[2.0, -1.5, 1.5]])), decoder.bias.fill_(0.2)
        classifier.weight.fill_(0.0), classifier.bias.copy_(torch.tensor([0.5, -0.5]))
    model = SemiVAE(
        classifier, encoder, decoder, shape=(1, 1, 1), classes=2, latent=1, pixels=bernoulli(), alpha=1.0
    )  # fmt: skip
    z = torch.linspace(-10, 10, 10_001)[:, None]
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z[:, 0])
    x = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    with torch.no_grad():
        given = [
            torch.stack([(model.decode(z, torch.tensor([k])).log_prob(v[None]) + prior).logsumexp(0) for v in x])
            for k in (0, 1)
        ]
    return model, x, torch.stack(given, 1) + math.log(20 / 10_000)  # log p(x | y), shape (2 pictures, 2 classes)


def test_bounds_lie_below_the_exact_probabilities_and_importance_weights_reach_them():
    model, x, given = one_pixel()
    torch.testing.assert_close(given.exp().sum(0), torch.ones(2), atol=1e-3, rtol=0)  # both grey levels: all there is
    log_p = given.logsumexp(1) - math.log(2)
    with torch.no_grad():
        whole = torch.stack([model.elbo(x) for _ in range(1000)]).mean(0)
        first = torch.stack([model.elbo(x, torch.zeros(2, dtype=torch.int64)) for _ in range(1000)]).mean(0)
        tight = torch.stack([model.log_weights(x, k=500).logsumexp(0) - math.log(500) for _ in range(50)]).mean(0)
        second = torch.stack(
            [model.log_weights(x, torch.ones(2, dtype=torch.int64), k=500).logsumexp(0) for _ in range(50)]
        ).mean(0) - math.log(500)
    assert (whole < log_p - 0.05).all() and (first < given[:, 0] - 0.02).all()
    torch.testing.assert_close(tight, log_p, atol=0.02, rtol=0)
    torch.testing.assert_close(second, given[:, 1], atol=0.02, rtol=0)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_no_belief_lifts_the_bound_above_the_estimate_by_importance_sampling(seed):
    model, x = small(seed), images(4, seed)
    with torch.no_grad():
        bound = torch.stack([model.elbo(x) for _ in range(100)])
        log_p = model.log_weights(x, k=1000).logsumexp(0) - math.log(1000)
    assert (bound.mean(0) - 4 * bound.std(0) / 10 < log_p + 0.02).all()


def test_the_packages_metrics_read_it():
    model, x = small(), images(20)
    torch.manual_seed(0)
    assert metrics.elbo(model, x).value < metrics.iwae(model, x, k=200).value


def test_an_unknown_label_teaches_no_label():
    model, x = small(alpha=7.0), images()
    hidden = torch.full((6,), -1)
    terms = model.loss(x, hidden)
    assert (terms["naming"] == 0).all()
    assert all((g == 0).all() for g in torch.autograd.grad(terms["naming"].sum(), list(model.classifier.parameters())))
    none, unknown = by_seed(model.loss, x), by_seed(model.loss, x, hidden)
    torch.testing.assert_close(none, unknown)
    labels = torch.arange(6) % K
    mixed = torch.where(torch.arange(6) < 3, labels, -1)
    together, alone = by_seed(model.loss, x, mixed)["loss"], by_seed(model.loss, x, labels)["loss"]
    torch.testing.assert_close(together[:3], alone[:3])
    torch.testing.assert_close(together[3:], unknown["loss"][3:])


def test_alpha_weighs_the_classifiers_term_and_never_the_bound():
    model, x, c = small(alpha=5.0), images(), torch.arange(6) % K
    terms = by_seed(model.loss, x, c)
    torch.testing.assert_close(terms["loss"], terms["bound"] + 5 * terms["naming"])
    torch.testing.assert_close(terms["naming"], -model.log_classify(x).gather(1, c[:, None])[:, 0])
    model.alpha = 0.0
    torch.testing.assert_close(-by_seed(model.bound, x, c), terms["bound"])


def test_the_bound_alone_would_not_teach_the_classifier_from_labels():
    """Why the paper adds its third term: where all labels are known, q(y | x) stands nowhere in the bound."""
    model, x, c = small(), images(), torch.arange(6) % K
    found = torch.autograd.grad(model.bound(x, c).sum(), list(model.classifier.parameters()), allow_unused=True)
    assert all(g is None or (g == 0).all() for g in found)
    found = torch.autograd.grad(model.bound(x).sum(), list(model.classifier.parameters()))
    assert any(g.abs().sum() > 0 for g in found)


def patterns(n, seed):
    """Three striped pictures, one in twenty of whose pixels flips: three classes that anybody could cluster."""
    g = torch.Generator().manual_seed(seed)
    stripes = torch.stack([torch.eye(4)[k].expand(4, 4) + torch.eye(4)[3].expand(4, 4) for k in range(3)])[:, None]
    c = torch.randint(3, (n,), generator=g)
    flip = torch.rand(n, *SHAPE, generator=g) < 0.05
    return torch.where(flip, 1 - stripes[c], stripes[c]), c, stripes


def test_it_recovers_three_patterns_from_one_label_each():
    x, c, stripes = patterns(300, 0)
    few = hide_all_but(c, 3)
    known = few != -1
    assert known.sum() == 3
    rows = Split(torch.cat([x, x[known].repeat(30, 1, 1, 1)]), torch.cat([few, few[known].repeat(30)]))
    torch.manual_seed(0)
    model = mlp_semi_vae(shape=SHAPE, pixels=bernoulli(), classes=3, latent=1, hidden=(32,), alpha=10.0)
    fit(model, rows, TrainConfig(steps=200, batch=100, lr=1e-2, clip=20.0), progress=False)
    new, truth, _ = patterns(500, 1)
    assert metrics.accuracy(model.classify(new), truth).value > 0.97
    torch.manual_seed(0)
    for k in range(3):  # its draws are nearer to the stripes that were asked for than to any other
        far = (model.sample(200, torch.tensor([k])).mean(0) - stripes).square().flatten(1).sum(1)
        assert far.argmin() == k


def test_a_code_can_be_kept_while_the_class_changes():
    model, z = small(), torch.randn(K, 2)
    drawn = model.sample(K, torch.arange(K), z=z, mean=True)
    torch.testing.assert_close(drawn, model.decode(z, torch.arange(K)).mean)
    with torch.no_grad():
        assert model.sample(400).shape == (400, *SHAPE)


def test_few_labels_are_as_many_of_each_class_and_true():
    hidden, shown = load("few_labels", labels=50, seed=4), load("digits", split="random", seed=4)
    known = hidden.train.c != -1
    assert torch.equal(hidden.train.c[known].bincount(), torch.full((10,), 5))
    assert torch.equal(hidden.train.c[known], shown.train.c[known])
    assert torch.equal(hidden.train.x, shown.train.x) and torch.equal(hidden.test.c, shown.test.c)
    assert not torch.equal(hide_all_but(shown.train.c, 10, 0), hide_all_but(shown.train.c, 10, 1))
    assert torch.equal(hidden.train.c, load("few_labels", labels=50, seed=4).train.c)
    assert (hidden.valid.c == -1).all() and torch.equal(hidden.valid.x, shown.valid.x)
    repeated = load("few_labels", labels=50, seed=4, share=0.25).train
    often = repeated.c != -1
    assert 0.25 <= often.double().mean() < 0.27 and (~often).sum() == 950
    assert len(torch.cat([repeated.x.flatten(1), hidden.train.x.flatten(1)]).unique(dim=0)) == 1000
    assert len(load("few_labels", labels=500, share=0.2).train) == 1000, "they are more than a fifth already"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: small(alpha=-1.0), "alpha: expected a number >= 0, received -1"),
        (
            lambda: mlp_semi_vae(shape=SHAPE, pixels=categorical(3), classes=1),
            "classes, latent: expected at least 2 and 1",
        ),
        (lambda: mlp_semi_vae(shape=SHAPE, pixels=bernoulli(), classes=2, latent=0), "received 2 and 0"),
        (
            lambda: SemiVAE(*3 * [nn.Identity()], shape=SHAPE, classes=1, latent=1, pixels=bernoulli()),
            "classes: expected at least 2, received 1",
        ),
        (
            lambda: SemiVAE(*3 * [nn.Identity()], shape=SHAPE, classes=2, latent=0, pixels=bernoulli()),
            "latent: expected at least 1, received 0",
        ),
        (lambda: small().classify(torch.zeros(2, 1, 5, 5)), "x: expected images of shape"),
        (lambda: small().loss(images(), torch.full((6,), K)), r"c: expected int64 labels in \[0, 3\), or -1"),
        (lambda: small().loss(images(), torch.full((6,), -2)), "or -1 for unknown"),
        (lambda: small().loss(images(), torch.zeros(6)), "received torch.float32"),
        (lambda: small().loss(images(), torch.tensor([0, 1])), "c: expected 1 or 6 rows, received 2"),
        (lambda: small().sample(2, z=torch.zeros(3, 2)), r"z: expected shape \(2, 2\), received \(3, 2\)"),
        (lambda: small().log_weights(images(), k=0), "k: expected at least 1, received 0"),
        (lambda: load("few_labels", labels=15), "labels: expected a multiple of 10 up to"),
        (lambda: load("few_labels", share=1.0), "share: expected a number in"),
        (lambda: load("few_labels", labels=0), "labels: expected a multiple of 10 up to"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
