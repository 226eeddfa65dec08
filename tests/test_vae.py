"""The variational autoencoder: its bounds against exact answers, its shapes, its knobs."""

import math

import pytest
import torch
from torch import nn

from genkit.distributions import bernoulli, categorical, discretised_logistic
from genkit.models.vae import VAE, conv_vae, mlp_vae

SHAPE = (1, 4, 4)
PIXELS = {"bernoulli": bernoulli(), "categorical": categorical(5), "logistic": discretised_logistic(5, 2)}


def small(pixels="categorical", **options):
    torch.manual_seed(0)
    return mlp_vae(shape=SHAPE, pixels=PIXELS[pixels], latent=3, hidden=(16,), **options)


def images(n=6):
    torch.manual_seed(1)
    return torch.randint(2, (n, *SHAPE)).float()


@pytest.mark.parametrize(
    "make", [small, lambda pixels: conv_vae(shape=SHAPE, pixels=PIXELS[pixels], latent=3, width=4)]
)
@pytest.mark.parametrize("pixels", PIXELS)
def test_shapes_and_a_gradient_for_every_parameter(make, pixels):
    model, x = make(pixels), images()
    terms = model.loss(x)
    assert {name: tuple(t.shape) for name, t in terms.items()} == {"loss": (6,), "reconstruction": (6,), "kl": (6,)}
    terms["loss"].mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert model.sample(5).shape == model.sample(5, mean=True).shape == (5, *SHAPE)
    assert model.reconstruct(x).shape == x.shape
    assert model.log_weights(x, k=7).shape == (7, 6)
    assert not model.sample(2).requires_grad


def test_both_bounds_lie_below_the_exact_log_probability_and_iwae_reaches_it():
    # one latent dimension, one pixel: the integral over z can be done on a grid
    torch.manual_seed(0)
    encoder, decoder = nn.Linear(1, 2), nn.Linear(1, 1)
    with torch.no_grad():  # the encoder answers N(0.5, 1) to every image: a poor guess, wide enough to cover the truth
        encoder.weight.zero_(), encoder.bias.copy_(torch.tensor([0.5, 0.0]))
        decoder.weight.fill_(3.0), decoder.bias.fill_(0.5)
    model = VAE(encoder, decoder, shape=(1, 1, 1), latent=1, pixels=bernoulli())
    z = torch.linspace(-12, 12, 20_001)[:, None]
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).squeeze(-1)
    x = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    with torch.no_grad():
        exact = torch.stack([(model.decode(z).log_prob(one[None]) + prior).logsumexp(0) for one in x])
        exact = exact + math.log(24 / 20_000)
        assert exact.exp().sum() == pytest.approx(1.0, abs=1e-4)
        elbo = torch.stack([model.elbo(x) for _ in range(3000)]).mean(0)
        iwae = torch.stack([model.iwae(x, k=500) for _ in range(100)]).mean(0)
    assert (elbo < exact - 0.1).all()
    torch.testing.assert_close(iwae, exact, atol=0.01, rtol=0)


def test_elbo_is_the_mean_log_weight():
    model, x = small(), images(2)
    with torch.no_grad():
        log_w = model.log_weights(x, k=20_000)
        elbo = torch.stack([model.elbo(x) for _ in range(3000)])
    spread = (log_w.var(0) / len(log_w) + elbo.var(0) / len(elbo)).sqrt()
    assert ((log_w.mean(0) - elbo.mean(0)).abs() < 5 * spread).all()


def test_one_importance_sample_is_the_elbo_in_expectation_and_more_are_tighter():
    model, x = small(), images(2)
    with torch.no_grad():
        bounds = [torch.stack([model.iwae(x, k=k) for _ in range(800)]).mean() for k in (1, 5, 50)]
    assert bounds[0] < bounds[1] < bounds[2]


def test_beta_weighs_the_kl_term_of_the_loss_and_never_the_bound():
    torch.manual_seed(0)
    model = small(beta=4.0)
    terms = model.loss(images())
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + 4 * terms["kl"])
    torch.manual_seed(5)
    bound = model.elbo(images())
    model.beta = 1.0
    torch.manual_seed(5)
    torch.testing.assert_close(model.elbo(images()), bound)


def test_free_bits_take_the_price_from_a_dimension_that_carries_less():
    model, x = small(free_bits=50.0), images()
    terms = model.loss(x)
    torch.testing.assert_close(terms["loss"] - terms["reconstruction"], torch.full((6,), 3 * 50.0))
    gradient = torch.autograd.grad((terms["loss"] - terms["reconstruction"]).mean(), model.encoder[0].weight)[0]
    assert (gradient == 0).all()


def test_a_class_changes_the_picture_and_none_is_allowed():
    model, c = small(classes=4), torch.tensor([2])
    z = torch.randn(1, 3)
    assert not torch.allclose(model.decode(z, c).mean, model.decode(z, torch.tensor([1])).mean)
    assert model.sample(5, c).shape == model.sample(5).shape == (5, *SHAPE)
    assert model.log_weights(images(), torch.arange(6) % 4, k=3).shape == (3, 6)


def test_the_class_is_dropped_in_the_loss_alone():
    model, x, c = small(classes=4, label_dropout=1.0), images(), torch.arange(6) % 4
    torch.manual_seed(9)
    dropped = model.loss(x, c)["reconstruction"]
    torch.manual_seed(9)
    torch.rand(6)  # the coin tosses of the dropout
    torch.testing.assert_close(dropped, model.loss(x)["reconstruction"])
    torch.manual_seed(9)
    with_class = model.elbo(x, c)
    torch.manual_seed(9)
    assert not torch.allclose(with_class, model.elbo(x))


def test_log_weights_keep_each_image_with_its_class():
    model, x, c = small(classes=4).eval(), images(3), torch.tensor([0, 1, 2])
    with torch.no_grad():
        together = model.log_weights(x, c, k=20_000).mean(0)
        alone = torch.cat([model.log_weights(x[i : i + 1], c[i : i + 1], k=20_000).mean(0) for i in range(3)])
        swapped = model.log_weights(x, c.flip(0), k=20_000).mean(0)
    torch.testing.assert_close(together, alone, atol=0.05, rtol=0)
    assert (swapped - alone)[[0, 2]].abs().max() > 0.1


def test_it_learns_a_known_distribution():
    # two patterns, three times to one: the model's samples must show them in that share
    torch.manual_seed(0)
    patterns = torch.stack([torch.zeros(SHAPE), torch.ones(SHAPE)])
    model = mlp_vae(shape=SHAPE, pixels=bernoulli(), latent=1, hidden=(32,))
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(800):
        x = patterns[(torch.rand(64) < 0.25).long()]
        optimiser.zero_grad()
        model.loss(x)["loss"].mean().backward()
        optimiser.step()
    bright = model.sample(4000).flatten(1).mean(1)
    # a decoder is continuous, so some codes between the two patterns must give something between them
    assert ((bright < 0.2) | (bright > 0.8)).float().mean() > 0.85
    assert bright.mean().item() == pytest.approx(0.25, abs=0.05)
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    x = patterns[[0, 0, 0, 1]].repeat(50, 1, 1, 1)
    assert (
        entropy - 0.02 < -model.iwae(x, k=200).mean().item() < entropy + 0.4
    )  # independent pixels need 16 times as much


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: small(beta=-1), "beta: expected a number >= 0, received -1"),
        (
            lambda: VAE(nn.Identity(), nn.Identity(), shape=SHAPE, latent=0, pixels=bernoulli()),
            "latent: expected at least 1, received 0",
        ),
        (lambda: small().encode(torch.zeros(2, 1, 5, 5)), "x: expected images of shape"),
        (lambda: small().log_weights(images(), k=0), "k: expected at least 1, received 0"),
        (lambda: small(classes=4).sample(3, torch.tensor([0, 1])), "c: expected 1 or 3 rows, received 2"),
        (lambda: small(dropout=1.0), "dropout: expected 0 <= dropout < 1"),
        (lambda: conv_vae(shape=(1, 5, 5), pixels=bernoulli()), "divisible by 4"),
        (lambda: conv_vae(shape=SHAPE, pixels=bernoulli(), classes=3), "classes: expected 0"),
        (lambda: small().sample(0), "n: expected at least 1, received 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
