"""The exercises of the chapter on variational autoencoders."""

import math
from dataclasses import replace

import torch

from .choice import Choice
from .exercise import Exercise, Wrong, run_untouched

# the references ------------------------------------------------------------------------------------------------------


def kl(mu, sigma):
    """KL(N(mu, sigma²) ‖ N(0, 1)) in nats; mu and sigma have shape (B, D).

    Returns one number for each row, shape (B,).
    """
    per_dimension = 0.5 * (mu**2 + sigma**2 - 1) - sigma.log()  # hole
    return per_dimension.sum(1)  # hole


def reparameterise(mu, sigma):
    """A draw from N(mu, sigma²), shape (B, D), that passes gradients on."""
    return mu + sigma * torch.randn_like(mu)  # hole


def bits_per_dim(nats, dims):
    """Bits per dimension of an example whose log-probability is `nats`."""
    return -nats / (dims * math.log(2))  # hole


def elbo(log_likelihood, z, mu, sigma):
    """The ELBO by sampling alone, for k codes z of each of B pictures.

    log_likelihood is log p(x | z), shape (k, B); z has shape (k, B, D);
    mu and sigma have shape (B, D). Returns one number for each picture, shape (B,).
    """
    prior = torch.distributions.Normal(0.0, 1.0)
    posterior = torch.distributions.Normal(mu, sigma)
    log_prior = prior.log_prob(z).sum(-1)  # hole
    log_posterior = posterior.log_prob(z).sum(-1)  # hole
    return (log_likelihood + log_prior - log_posterior).mean(0)  # hole


def iwae(log_w):
    """The importance-weighted bound, shape (B,), from log-weights of shape (k, B)."""
    return log_w.logsumexp(0) - math.log(len(log_w))  # hole


def active_units(mu):
    """How many dimensions are active, an int; mu are mean codes, shape (N, D)."""
    return int((mu.var(0) > 0.01).sum())  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _posterior(b, d, seed):
    def make():
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(b, d, generator=generator), 0.2 + 2 * torch.rand(b, d, generator=generator)

    return make


def _narrow():
    """Codes so sure of themselves that a small number added inside a logarithm shows."""
    return torch.tensor([[0.5, -1.0, 0.0]]), torch.tensor([[1e-3, 2e-3, 1e-2]])


def _double(make):
    """The same trial in double precision."""
    return lambda: tuple(a.double() for a in make())


def _codes(k, b, d, seed):
    def make():
        mu, sigma = _posterior(b, d, seed)()
        generator = torch.Generator().manual_seed(seed + 1)
        z = mu + sigma * torch.randn(k, b, d, generator=generator)
        return -50 + 10 * torch.randn(k, b, generator=generator), z, mu, sigma

    return make


def _weights(k, b, seed, shift=0.0):
    return lambda: (shift + 4 * torch.randn(k, b, generator=torch.Generator().manual_seed(seed)),)


def _means(n, scales, seed):
    def make():
        generator = torch.Generator().manual_seed(seed)
        d = len(scales)
        return (torch.tensor(scales) * torch.randn(n, d, generator=generator) + torch.linspace(-2, 2, d),)

    return make


# tests of a draw: its value is random, so its moments and its gradients are looked at ---------------------------------


def _draw_has_the_right_shape(answer):
    for b, d in ((5, 3), (1, 2), (3, 1)):
        z = run_untouched(answer, (torch.zeros(b, d), torch.ones(b, d)))
        if z is None:
            raise Wrong("your function returns nothing: is the return line missing?")
        if not isinstance(z, torch.Tensor) or z.shape != (b, d):
            received = tuple(z.shape) if isinstance(z, torch.Tensor) else type(z).__name__
            raise Wrong(f"expected a tensor of shape {(b, d)}, one code for each row of mu, received {received}.")


def _draw_has_the_right_moments(answer):
    mu, sigma = torch.tensor([1.0, -2.0, 0.8]), torch.tensor([0.5, 3.0, 1.5])
    torch.manual_seed(0)
    z = answer(mu.repeat(20_000, 1), sigma.repeat(20_000, 1)).detach()
    again = answer(mu.repeat(20_000, 1), sigma.repeat(20_000, 1)).detach()
    mean, std = z.mean(0), z.std(0)
    if torch.equal(z, again):
        raise Wrong("two draws are the same: the noise must be new in every call.")
    if (std < 1e-3).any():
        raise Wrong("all rows got the same noise: draw one number for each entry, torch.randn_like(mu).")
    if torch.allclose(mean, sigma, atol=0.1) and torch.allclose(std, mu.abs(), atol=0.1):
        raise Wrong("mu and sigma have changed places: sigma stretches the noise, mu shifts it.")
    spreads = {
        "is sigma²: sigma is the standard deviation already, not the variance": sigma**2,
        "is the square root of sigma: sigma is the standard deviation already, not the variance": sigma.sqrt(),
        "is exp(sigma): sigma is the standard deviation itself, not its logarithm": sigma.exp(),
        "is exp(sigma/2): sigma is the standard deviation itself, not the logarithm of a variance": (sigma / 2).exp(),
        "is 1, whatever sigma": torch.ones(3),
    }
    for what, spread in spreads.items():
        if torch.allclose(std, spread, rtol=0.05):
            raise Wrong(f"the spread of the draws {what}.")
    noise = (z - mu) / sigma
    if not torch.allclose(noise.mean(0), torch.zeros(3), atol=0.05):
        raise Wrong("the draws are not centred on mu. Is the noise normal (randn), or uniform (rand)?")
    if not torch.allclose(std, sigma, rtol=0.03):
        raise Wrong("the spread of the draws is not sigma. Is the noise standard normal, torch.randn?")
    if not torch.allclose(noise.T.corrcoef(), torch.eye(3), atol=0.05):
        raise Wrong("the dimensions move together: each needs noise of its own, torch.randn_like(mu).")
    if not torch.allclose((noise**4).mean(0), torch.tensor(3.0), atol=0.3) or (noise**3).mean(0).abs().max() > 0.15:
        raise Wrong("mean and spread are right, but the noise is not normal: use torch.randn.")
    after = (noise[1:] * noise[:-1]).mean(0)
    if after.abs().max() > 0.05 or len(noise[:, 0].unique()) < 10_000:
        raise Wrong("rows share their noise: each row needs noise of its own, torch.randn_like(mu).")


def _draw_passes_gradients(answer):
    mu, sigma = (0.5 * torch.ones(4, 3)).requires_grad_(), (2 * torch.ones(4, 3)).requires_grad_()
    z = answer(mu, sigma)
    by_mu, by_sigma = torch.autograd.grad(z.sum(), (mu, sigma), allow_unused=True) if z.requires_grad else (None, None)
    if all(g is None or not g.any() for g in (by_mu, by_sigma)):  # torch.normal passes on a gradient of zeros
        raise Wrong(
            "no gradient passes: .sample() and torch.normal draw without one. Write the draw as an ordinary function "
            "of mu, sigma and noise."
        )
    if by_mu is None or by_sigma is None:
        raise Wrong(f"no gradient reaches {'mu' if by_mu is None else 'sigma'}.")
    if not torch.allclose(by_mu, torch.ones_like(by_mu)):
        raise Wrong("the derivative dz/dmu should be 1: mu is added, once.")
    if not torch.allclose(by_sigma, ((z - mu) / sigma).detach(), atol=1e-4):
        raise Wrong(
            "the derivative dz/dsigma should be the noise itself. Does the noise depend on sigma, or is a part cut off?"
        )


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "kl", 1, kl,
        [
            _posterior(3, 2, 0), _posterior(4, 4, 1), _posterior(1, 5, 2), _posterior(5, 1, 3), _narrow,
            _double(_posterior(2, 3, 4)),
        ],
        gradients=(0, 1),
        mistakes={
            "sign": (lambda mu, sigma: -kl(mu, sigma), "the sign is wrong: a KL divergence is never negative."),
            "sign of the logarithm": (
                lambda mu, sigma: (0.5 * (mu**2 + sigma**2 - 1) + sigma.log()).sum(1),
                "the logarithm has the wrong sign: a narrow posterior (small sigma) must be expensive.",
            ),
            "wrong way round": (
                lambda mu, sigma: (sigma.log() + (1 + mu**2) / (2 * sigma**2) - 0.5).sum(1),
                "this is KL(prior ‖ posterior). The other way round is wanted: the average is over the posterior.",
            ),
            "variance for deviation": (
                lambda mu, sigma: (0.5 * (mu**2 + sigma - 1 - sigma.log())).sum(1),
                "you took sigma for the variance: it is the standard deviation, so square it.",
            ),
            "log of the variance": (
                lambda mu, sigma: (0.5 * (mu**2 + sigma**2 - 1) - (sigma**2).log()).sum(1),
                "log sigma² is 2 log sigma: with the ½ in front of it, log sigma remains.",
            ),
            "half of the logarithm": (
                lambda mu, sigma: (0.5 * (mu**2 + sigma**2 - 1 - sigma.log())).sum(1),
                "the ½ does not belong to log sigma: ½ log sigma² is log sigma.",
            ),
            "sigma taken for a logarithm": (
                lambda mu, sigma: (0.5 * (mu**2 + sigma.exp() - 1 - sigma)).sum(1),
                "you took sigma for the logarithm of the variance: it is the standard deviation.",
            ),
            "sigma taken for log sigma": (
                lambda mu, sigma: (0.5 * (mu**2 + (2 * sigma).exp() - 1) - sigma).sum(1),
                "you took sigma for its logarithm: it is the standard deviation.",
            ),
            "no half": (
                lambda mu, sigma: (mu**2 + sigma**2 - 1 - 2 * sigma.log()).sum(1),
                "everything is twice too large: where is the ½?",
            ),
            "missing −1": (
                lambda mu, sigma: (0.5 * (mu**2 + sigma**2) - sigma.log()).sum(1),
                "for mu = 0 and sigma = 1 the divergence must be 0: the −1 is missing.",
            ),
            "mean not squared": (
                lambda mu, sigma: (0.5 * (mu + sigma**2 - 1) - sigma.log()).sum(1),
                "mu must be squared: a code is as dear to the left of 0 as to the right.",
            ),
            "spread forgotten": (
                lambda mu, sigma: (0.5 * mu**2).sum(1),
                "this is the price of the mean alone: a spread other than the prior's costs something too.",
            ),
            "mean over dimensions": (
                lambda mu, sigma: kl(mu, sigma) / mu.shape[1],
                "you average over the dimensions. Nats add up: use a sum.",
            ),
            "wrong axis": (
                lambda mu, sigma: (0.5 * (mu**2 + sigma**2 - 1) - sigma.log()).sum(0),
                "you summed over the pictures: sum over the dimensions, axis 1.",
            ),
            "one number": (
                lambda mu, sigma: kl(mu, sigma).sum(),
                "one number for each row is wanted: sum over the dimensions only.",
            ),
            "mean over pictures": (
                lambda mu, sigma: kl(mu, sigma).mean(),
                "one number for each row is wanted: leave averaging over the pictures to the trainer.",
            ),
            "not summed": (
                lambda mu, sigma: 0.5 * (mu**2 + sigma**2 - 1) - sigma.log(),
                "this is the divergence of each dimension: sum them.",
            ),
        },
    ),
    Exercise(
        "reparameterise", 1, reparameterise, [], exact=False,
        tests=(_draw_has_the_right_shape, _draw_has_the_right_moments, _draw_passes_gradients),
    ),
    Exercise(
        "bits_per_dim", 1, bits_per_dim,
        [lambda: (-64 * math.log(2), 64), lambda: (-90.0, 64), lambda: (torch.tensor([-100.0, -10.0]), 10)],
        mistakes={
            "sign": (lambda nats, dims: nats / (dims * math.log(2)), "a code length is positive: mind the sign."),
            "still nats": (lambda nats, dims: -nats / dims, "these are nats per dimension: one bit is log 2 nats."),
            "times log 2": (
                lambda nats, dims: -nats * math.log(2) / dims,
                "a nat is more than a bit, so there must be more bits than nats: divide by log 2.",
            ),
            "not per dimension": (lambda nats, dims: -nats / math.log(2), "these are bits of the whole example."),
            "log of ten": (
                lambda nats, dims: -nats / (dims * math.log10(2)),
                "use the natural logarithm of 2: a nat belongs to base e.",
            ),
            "eight bits": (
                lambda nats, dims: 8 - nats / (dims * math.log(2)),
                "the 8 belongs to densities of 256 levels scaled to [0, 1]; nats is a log-probability already.",
            ),
            "times the dimensions": (
                lambda nats, dims: -nats * dims / math.log(2),
                "bits for each dimension: divide by dims.",
            ),
        },
    ),
    Exercise(
        "elbo", 2, elbo,
        [
            _codes(3, 2, 4, 0), _codes(5, 5, 5, 1), _codes(1, 3, 2, 2), _codes(4, 1, 3, 3), _codes(6, 2, 1, 4),
            _double(_codes(2, 3, 4, 5)),
        ],
        gradients=(0, 1),
        mistakes={
            "sign": (lambda p, z, m, s: -elbo(p, z, m, s), "this is the loss: the bound itself has no minus."),
            "posterior added": (
                lambda p, z, m, s: (p + _log(z, 0 * m, 0 * s + 1) + _log(z, m, s)).mean(0),
                "log q is subtracted: codes that the posterior likes are drawn more often, and that is divided out.",
            ),
            "wrong way round": (
                lambda p, z, m, s: (p - _log(z, 0 * m, 0 * s + 1) + _log(z, m, s)).mean(0),
                "prior and posterior are swapped: the ELBO is log p(x|z) + log p(z) − log q(z|x).",
            ),
            "no posterior": (
                lambda p, z, m, s: (p + _log(z, 0 * m, 0 * s + 1)).mean(0),
                "log q(z|x) is missing: without it this is no bound.",
            ),
            "no prior": (
                lambda p, z, m, s: (p - _log(z, m, s)).mean(0),
                "log p(z) is missing: the price is measured against the prior.",
            ),
            "no price": (lambda p, z, m, s: p.mean(0), "this is the reconstruction alone: the code has its price."),
            "closed form": (
                lambda p, z, m, s: p.mean(0) - kl(m, s),
                "this uses the formula for the KL. Here it is to be had without one, from the codes z alone.",
            ),
            "prior at the mean": (
                lambda p, z, m, s: (p + _log(m, 0 * m, 0 * s + 1) - _log(z, m, s)).mean(0),
                "log p(z) is wanted at the codes z, not at mu.",
            ),
            "posterior at the mean": (
                lambda p, z, m, s: (p + _log(z, 0 * m, 0 * s + 1) - _log(m, m, s)).mean(0),
                "log q(z|x) is wanted at the codes z, not at mu.",
            ),
            "best code": (
                lambda p, z, m, s: (p + _log(z, 0 * m, 0 * s + 1) - _log(z, m, s)).max(0).values,
                "this is the best of the k codes: an expectation counts all of them.",
            ),
            "variance for deviation": (
                lambda p, z, m, s: (p + _log(z, 0 * m, 0 * s + 1) - _log(z, m, s.sqrt())).mean(0),
                "sigma is the standard deviation: Normal takes it as it is.",
            ),
            "squared deviation": (
                lambda p, z, m, s: (p + _log(z, 0 * m, 0 * s + 1) - _log(z, m, s**2)).mean(0),
                "sigma is the standard deviation, and so Normal wants it: do not square it.",
            ),
            "mean over dimensions": (
                lambda p, z, m, s: (p + (_log(z, 0 * m, 0 * s + 1) - _log(z, m, s)) / z.shape[-1]).mean(0),
                "you average the log-densities over the dimensions: they add up.",
            ),
            "sum over codes": (
                lambda p, z, m, s: elbo(p, z, m, s) * len(p),
                "you sum over the k codes: an expectation is an average.",
            ),
            "wrong axis": (
                lambda p, z, m, s: (p + _log(z, 0 * m, 0 * s + 1) - _log(z, m, s)).mean(1),
                "you average over the pictures: average over the codes, axis 0.",
            ),
            "inside the logarithm": (
                lambda p, z, m, s: iwae(p + _log(z, 0 * m, 0 * s + 1) - _log(z, m, s)),
                "this averages inside the logarithm: it is the importance-weighted bound, the next exercise.",
            ),
            "one number": (lambda p, z, m, s: elbo(p, z, m, s).mean(), "one number for each picture is wanted."),
        },
    ),
    Exercise(
        "iwae", 2, iwae,
        [
            _weights(4, 3, 0), _weights(6, 6, 1), _weights(1, 3, 2), _weights(5, 1, 5),
            _weights(50, 2, 3, -900.0), _weights(8, 2, 4, 300.0),
            lambda: (torch.tensor([[-2000.0, 3.0], [-90.0, -1500.0], [-95.0, 1.0]]),),
            _double(_weights(7, 2, 6)),
        ],
        gradients=(0,),
        mistakes={
            "mean of logs": (lambda w: w.mean(0), "that is the mean of the logarithms, the ELBO: put it inside."),
            "no log k": (lambda w: w.logsumexp(0), "a sum is not a mean: log k is missing."),
            "log k added": (lambda w: w.logsumexp(0) + math.log(len(w)), "dividing by k subtracts log k."),
            "divided by k": (lambda w: w.logsumexp(0) / len(w), "divide inside the logarithm: subtract log k."),
            "wrong axis": (
                lambda w: w.logsumexp(1) - math.log(w.shape[1]),
                "you average over the pictures: average over the codes, axis 0.",
            ),
            "k from the wrong axis": (
                lambda w: w.logsumexp(0) - math.log(w.shape[1]),
                "k is the number of codes, the length of axis 0.",
            ),
            "overflow": (
                lambda w: w.exp().mean(0).log(),
                "right on paper, but exp(−900) is 0 and exp(300) is infinite here: use logsumexp.",
            ),
            "largest weight": (lambda w: w.max(0).values, "this is the largest weight: all of them count."),
            "weighted mean of logs": (
                lambda w: (w.softmax(0) * w).sum(0),
                "this averages the logarithms, weighted: the logarithm of the mean weight is wanted.",
            ),
            "largest not added back": (
                lambda w: (w - w.max(0).values).exp().mean(0).log(),
                "you subtracted the largest log-weight before exp, and did not add it again after log.",
            ),
            "one number": (lambda w: iwae(w).mean(), "one number for each picture is wanted."),
            "over everything": (
                lambda w: w.flatten().logsumexp(0) - math.log(w.numel()),
                "this mixes the pictures: average over the codes of each picture.",
            ),
            "sign": (lambda w: -iwae(w), "this is the loss: the bound itself is wanted, so no minus."),
        },
    ),
    Exercise(
        "active_units", 2, active_units,
        [
            _means(500, [1.0, 0.01, 0.5, 0.02, 0.11], 0), _means(300, [0.01, 0.01], 1), _means(9, [1.0, 0.9, 0.7], 2),
            _means(400, [0.0, 0.05, 0.3, 0.3, 2.0, 0.0], 3), _means(400, [0.14, 0.14, 0.05], 4),
            _means(300, [1.0, 0.01, 1.0], 5), _double(_means(200, [0.01, 0.8], 6)), _means(50, [0.7], 7),
        ],
        mistakes={
            "deviation for variance": (
                lambda mu: int((mu.std(0) > 0.01).sum()),
                "you compare the standard deviation with 0.01: it is the variance that must exceed it.",
            ),
            "mean for variance": (
                lambda mu: int((mu.mean(0).abs() > 0.01).sum()),
                "a dimension whose mean code is the same for every picture says nothing, however large it is.",
            ),
            "second moment": (
                lambda mu: int(((mu**2).mean(0) > 0.01).sum()),
                "subtract the mean first: a constant code is not active.",
            ),
            "wrong axis": (
                lambda mu: int((mu.var(1) > 0.01).sum()),
                "you take the variance over the dimensions: take it over the pictures, axis 0.",
            ),
            "variance of everything": (
                lambda mu: int((mu.var() > 0.01).sum()),
                "this is one variance of all numbers together: take one for each dimension, over the pictures, axis 0.",
            ),
            "inactive": (lambda mu: int((mu.var(0) <= 0.01).sum()), "these are the silent ones."),
            "share": (lambda mu: (mu.var(0) > 0.01).float().mean().item(), "a count is wanted, not a share."),
            "all": (lambda mu: mu.shape[1], "this counts every dimension, used or not."),
            "mask": (lambda mu: mu.var(0) > 0.01, "this says which: count them, and return an int."),
            "a tensor": (lambda mu: (mu.var(0) > 0.01).sum(), "almost: return an int, not a tensor."),
        },
    ),
    Choice(
        "fault", 3, "fault", "price",
        {
            "collapse": "in a collapsed model the rate is near zero. Measure it: encode(x).kl_to_standard().",
            "noise": "without noise sigma would be near zero everywhere, and the rate far higher. Measure both.",
            "decoder": "a decoder that ignores half of the code leaves those dimensions silent. Count the active ones.",
            "data": "the reconstructions are good, so the data were fine. Look at the price.",
            "none": "compare its ELBO and its rate with those of the chapter's model.",
        },
        "that is not one of the suspects: collapse, noise, decoder, data, price, none.",
        "Many times the healthy model's rate, good reconstructions, a poor ELBO: the code was too cheap",
    ),
    Choice(
        "factor", 3, "factor", 16.0,
        {
            8.0: "close. In which axis of (B, D) does a mean instead of a sum divide by just that number?",
            100.0: "the batch has 100 pictures, but the reconstruction is averaged over them too.",
            64.0: "64 is the number of pixels; reconstruction and price would both be that much smaller.",
            1 / 16: "the other way round: how many times too cheap?",
        },
        "look for a mean where a sum belongs: the posterior has shape (B, D). What is D?",
        "The mean over the 16 dimensions instead of their sum",
        tolerance=0.01,
    ),
)  # fmt: skip


def suspect(steps: int = 400):
    """Train the chapter's model with a fault planted in its loss, and return it. About three seconds."""
    from .. import augment, recipes
    from ..training import fit

    recipe = recipes.variant("vae-digits", beta=1 / 16)
    model, data = recipe.build(), replace(recipe.dataset().train, c=None)
    config = replace(recipe.config(), steps=steps, ema=0.98)
    fit(model, data, config, augment=augment.shift, progress=False)  # to the end: an early best would hide the fault
    model.beta = 1.0  # the fault was in the training, and is not to be read off the model
    return model


def _log(z, mu, sigma):
    return torch.distributions.Normal(mu, sigma, validate_args=False).log_prob(z).sum(-1)
