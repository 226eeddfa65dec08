"""Diffusion: what the network is asked for, the two equations, guidance, labels, filling in, codes, likelihood."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genkit import families, metrics, recipes
from genkit.data import load, toy
from genkit.distributions import categorical
from genkit.models.diffusion import TARGETS, Diffusion
from genkit.models.latent_diffusion import LatentDiffusion
from genkit.models.vae import mlp_vae
from genkit.nn.timed_mlp import TimedMLP
from genkit.record import recorded
from genkit.records import diffusion as lab
from genkit.schedules import SCHEDULES
from genkit.training import TrainConfig, fit

SHAPE = (1, 4, 4)


def model(**options):
    torch.manual_seed(0)
    net = TimedMLP(options.get("shape", SHAPE), hidden=(32,), classes=options.get("classes", 3))
    return Diffusion(net, **{"shape": SHAPE, "classes": 3, **options})


class Said(nn.Module):
    """A network that says what it was told to say."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.unused = answer, nn.Parameter(torch.zeros(1))

    def forward(self, x, t, c=None):
        return self.answer


@pytest.fixture(params=TARGETS)
def predict(request):
    return request.param


# what the network is asked for ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(TARGETS)), st.sampled_from(sorted(SCHEDULES)), st.floats(0.05, 0.95), st.floats(0.2, 3.0),
)  # fmt: skip
def test_a_right_answer_tells_both_parts_whatever_was_asked(predict, schedule, t, spread):
    torch.manual_seed(0)
    x, noise, t = torch.randn(5, 1, 4, 4), torch.randn(5, 1, 4, 4), torch.full((5,), t)
    m = model(predict=predict, schedule=schedule, spread=spread)
    alpha, sigma = (f(t).view(-1, 1, 1, 1) for f in (m.schedule.alpha, m.schedule.sigma))
    a, b = TARGETS[predict](alpha, sigma, spread)
    m.net = Said(a * x + b * noise)
    clean, rest = m.guess(alpha * x + sigma * noise, t)
    torch.testing.assert_close(clean, x, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(rest, noise, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(m.error(x, noise, t), torch.zeros(5))


def test_edm_with_a_spread_of_one_is_the_velocity_turned_around():
    t = torch.rand(20)
    m = model()
    alpha, sigma = m.schedule.alpha(t), m.schedule.sigma(t)
    for edm, velocity in zip(TARGETS["edm"](alpha, sigma, 1.0), TARGETS["velocity"](alpha, sigma, 1.0), strict=True):
        torch.testing.assert_close(edm, -velocity)


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_edm_sees_and_is_asked_for_numbers_of_one_size_at_every_time(spread):
    m = model(predict="edm", spread=spread, unit=False)
    x, noise = spread * torch.randn(4000, 1, 4, 4), torch.randn(4000, 1, 4, 4)
    for time in (0.05, 0.5, 0.95):
        t = torch.full((4000,), time)
        alpha, sigma = (f(t).view(-1, 1, 1, 1) for f in (m.schedule.alpha, m.schedule.sigma))
        a, b = TARGETS["edm"](alpha, sigma, spread)
        assert (a * x + b * noise).std().item() == pytest.approx(1, abs=0.02)
        seen = []
        m.net.register_forward_pre_hook(lambda net, args, seen=seen: seen.append(args[0]))
        m.guess(alpha * x + sigma * noise, t)
        assert seen[-1].std().item() == pytest.approx(1, abs=0.02)


def test_the_edm_formulas_are_those_of_the_paper():
    """Karras et al. (2022), table 1: D(y; s) = c_skip y + c_out F(c_in y), with y = x / α and s = σ / α."""
    spread, t = 0.7, torch.tensor([0.2, 0.6])
    m = model(predict="edm", spread=spread, unit=False)
    x = torch.randn(2, 1, 4, 4)
    alpha, sigma = (f(t).view(-1, 1, 1, 1) for f in (m.schedule.alpha, m.schedule.sigma))
    s, y = sigma / alpha, x / alpha
    c_in, c_skip = 1 / (s**2 + spread**2).sqrt(), spread**2 / (s**2 + spread**2)
    c_out = s * spread / (s**2 + spread**2).sqrt()
    torch.testing.assert_close(m.guess(x, t)[0], c_skip * y + c_out * m.net(c_in * y, t), atol=1e-5, rtol=1e-4)


def test_the_loss_is_the_squared_error_of_the_noise(predict):
    m = model(predict="noise", unit=False, classes=0)
    x, noise, t = torch.randn(6, 1, 4, 4), torch.randn(6, 1, 4, 4), torch.rand(6)
    mixed = torch.stack(
        [m.schedule.alpha(t[i]) * x[i] + m.schedule.sigma(t[i]) * noise[i] for i in range(6)]
    )  # fmt: skip
    expected = torch.stack([((m.net(mixed, t)[i] - noise[i]) ** 2).mean() for i in range(6)])
    torch.testing.assert_close(m.error(x, noise, t), expected)


def test_times_of_a_batch_are_spread_over_all_noise_levels():
    m, asked = model(), []
    m.net.register_forward_pre_hook(lambda net, args: asked.append(args[1]))
    for _ in range(20):
        m.loss(torch.rand(10, *SHAPE))
    for t in asked:
        torch.testing.assert_close(t.sort().values.diff(), torch.full((9,), 0.1), atol=1e-5, rtol=0)
    assert torch.stack(asked).std(0).min() > 0.1, "and new in every step"


# classes and guidance -------------------------------------------------------------------------------------------------


def test_labels_are_hidden_one_by_one_in_the_loss_alone():
    m, asked = model(label_dropout=0.3), []
    m.net.register_forward_pre_hook(lambda net, args: asked.append(args[2]))
    c = torch.arange(2000) % 3
    m.eval()  # dropping labels belongs to the loss, not to a mode
    m.loss(torch.rand(2000, *SHAPE), c)
    assert (asked[-1] == 3).float().mean().item() == pytest.approx(0.3, abs=0.04)
    assert (asked[-1][asked[-1] < 3] == c[asked[-1] < 3]).all()
    m.sample(4, torch.tensor([1]), steps=2)
    assert (asked[-1] == 1).all()


def test_guidance_goes_through_both_guesses():
    m, x, t, c = model(unit=False), torch.randn(4, *SHAPE), torch.full((4,), 0.4), torch.arange(4) % 3
    k, u, w = m.guess(x, t, c), m.guess(x, t), m.guess(x, t, c, guidance=2.5)
    for with_, without, pushed in zip(k, u, w, strict=True):
        torch.testing.assert_close(pushed, without + 2.5 * (with_ - without), atol=1e-4, rtol=1e-4)
    torch.manual_seed(1)
    plain = m.sample(4, c, steps=3)
    torch.manual_seed(1)
    assert not torch.equal(m.sample(4, c, steps=3, guidance=3.0), plain)


@pytest.mark.parametrize("sampler", ["ancestral", "ddim", "heun", "dpm_solver"])
@pytest.mark.parametrize("n", [1, 5])
def test_samples_are_pictures_of_the_datas_levels(sampler, n):
    m = model(levels=17)
    *_, before, x = m.trajectory(n, torch.tensor([2]), sampler=sampler, steps=4)
    assert x.shape == before.shape == (n, *SHAPE)
    assert x.min() >= 0 and x.max() <= 1 and torch.equal(16 * x, (16 * x).round())
    assert not torch.equal(16 * before, (16 * before).round())
    assert len(list(m.trajectory(n, sampler=sampler, steps=7))) == 7


def test_the_same_noise_gives_the_same_picture_where_there_is_no_chance():
    m, noise = model(), torch.randn(3, *SHAPE)
    once, again = (m.sample(3, sampler="ddim", steps=5, start=noise) for _ in range(2))
    assert torch.equal(once, again)
    assert not torch.equal(m.sample(3, steps=5, start=noise), m.sample(3, steps=5, start=noise))


# bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"predict": "nois"}, r"predict: expected one of .*received 'nois'. Did you mean 'noise'"),
        ({"schedule": "cosin"}, "schedule: expected one of cosine, linear; received 'cosin'"),
        ({"spread": 0.0}, "spread: expected a number above 0, received 0.0"),
        ({"label_dropout": 1.5}, r"label_dropout: expected a number in \[0, 1\], received 1.5"),
    ],
)
def test_a_model_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        model(**options)


@pytest.mark.parametrize("c", [torch.tensor([3]), torch.tensor([-1]), torch.tensor([0.5]), torch.tensor([[1]])])
def test_labels_out_of_range_are_named(c):
    for ask in (lambda: model().sample(1, c), lambda: model().loss(torch.rand(1, *SHAPE), c)):
        with pytest.raises(ValueError, match=r"c: expected int64 labels in \[0, 3\)"):
            ask()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: model(classes=0).sample(1, torch.tensor([0])), "c: expected None, since this model was built without"),
        (lambda: model().sample(1, guidance=2.0), "guidance: expected 1 where there is no class, received 2.0"),
        (lambda: model(classes=0).sample(1, guidance=0.5), "guidance: expected 1 where there is no class"),
        (lambda: model().sample(1, steps=0), "steps: expected at least 1, received 0"),
        (lambda: model().sample(1, sampler="dim"), "sampler: expected one of .*Did you mean 'ddim'"),
        (lambda: model().sample(0), "n: expected at least 1, received 0"),
        (lambda: model().sample(2, torch.tensor([0, 1, 2])), "c: expected 1 or 2 rows, received 3"),
        (lambda: model().loss(torch.rand(2, 1, 5, 4)), r"x: expected examples of shape \(B, \*\(1, 4, 4\)\)"),
        (
            lambda: model().inpaint(torch.rand(2, 1, 5, 4), torch.ones(1, 1, 4, 4).bool()),
            r"known: expected examples of shape \(B, \*\(1, 4, 4\)\), received \(2, 1, 5, 4\)",
        ),
        (
            lambda: model().inpaint(torch.rand(2, *SHAPE), torch.ones(4, 3).bool()),
            r"mask: expected bool of shape \(2, 1, 4, 4\).*received torch.bool of shape \(4, 3\)",
        ),
    ],
)
def test_what_cannot_be_asked_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


# learning -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plane():
    """A diffusion of two islands, trained for two seconds."""
    torch.manual_seed(0)
    m = families.build("diffusion", shape=[2], network="mlp", hidden=[96, 96], unit=False, classes=2, label_dropout=0.5)
    data = load("toy2d", kind="islands")
    fit(m, data.train, TrainConfig(steps=1000, batch=512, lr=5e-3, ema=0.99, warmup=30), progress=False)
    return m


def test_it_learns_the_score_which_is_known(plane):
    islands, x0 = toy("islands"), load("toy2d", kind="islands").test.x
    torch.manual_seed(0)
    for time, most in ((0.1, 0.1), (0.3, 0.03), (0.6, 0.02)):
        t = torch.full((len(x0),), time)
        alpha, sigma = plane.schedule.alpha(t)[:, None], plane.schedule.sigma(t)[:, None]
        x = alpha * x0 + sigma * torch.randn_like(x0)
        true = metrics.mixture_score(x, islands.centres, islands.sigma, alpha, sigma)
        with torch.no_grad():
            assert metrics.score_error(plane.score(x, t), true).value < most


def test_samples_are_shared_between_the_islands_and_a_label_picks_one(plane):
    torch.manual_seed(0)
    for sampler, steps in (("ancestral", 60), ("ddim", 60), ("heun", 20), ("dpm_solver", 20)):
        x = plane.sample(1500, sampler=sampler, steps=steps)
        right = x[:, 0] > 0
        assert right.float().mean().item() == pytest.approx(0.5, abs=0.07)
        assert x[right].mean(0)[0].item() == pytest.approx(2.0, abs=0.12)
        assert x[right].std(0).mean().item() == pytest.approx(0.4, abs=0.06)
        assert (plane.sample(300, torch.tensor([1]), sampler=sampler, steps=steps)[:, 0] > 0).float().mean() > 0.98


def test_the_flow_tells_how_probable_a_point_is(plane):
    x = load("toy2d", kind="islands").test.x[:300]
    true = toy("islands").log_prob(x).mean().item()
    found = metrics.flow_log_prob(plane.velocity, x, steps=60)
    assert found.value == pytest.approx(true, abs=0.12) and found.unit == "nats"
    guessed = metrics.flow_log_prob(plane.velocity, x, steps=60, probes=8)
    assert guessed.value == pytest.approx(found.value, abs=0.06)


def test_filling_in_asks_what_goes_with_what_is_known(plane):
    known = torch.tensor([[2.0, 0.3]]).expand(500, 2)
    torch.manual_seed(0)
    x = plane.inpaint(known, torch.tensor([[False, True]]), steps=40, again=3)
    assert torch.allclose(x[:, 1], known[:, 1]) and (x[:, 0] > 0).float().mean().item() == pytest.approx(0.5, abs=0.08)


# the likelihood, where it is known to the last digit ------------------------------------------------------------------


def test_of_a_gaussian_the_flow_knows_the_density():
    m = model(shape=(2,), classes=0, unit=False)
    spread = 0.6

    def velocity(x, t, c=None):
        alpha, sigma = m.schedule.alpha(t)[:, None], m.schedule.sigma(t)[:, None]
        clean = alpha * spread**2 / ((alpha * spread) ** 2 + sigma**2) * x
        a, s = (r[:, None] for r in m.schedule.rates(t))
        return a * clean + s * (x - alpha * clean) / sigma

    x = spread * torch.randn(40, 2, dtype=torch.float64)
    true = -x.square().sum(1) / (2 * spread**2) - 2 * math.log(spread) - math.log(2 * math.pi)
    for options, within in (({"steps": 60}, 5e-3), ({"steps": 240}, 1e-3), ({"steps": 60, "probes": 1}, 5e-3)):
        found = metrics.flow_log_probs(velocity, x, **options)
        torch.testing.assert_close(found, true, atol=within, rtol=0)


def test_probes_are_right_on_average():
    mix = torch.tensor([[0.5, -2.0], [1.0, 0.25]])

    def velocity(x, t, c=None):
        return x @ mix.T

    x = torch.randn(2000, 2)
    exact = metrics.flow_log_probs(velocity, x, steps=4)
    guessed = metrics.flow_log_probs(velocity, x, steps=4, probes=1)
    assert (exact - guessed).std() > 0.05
    assert (exact - guessed).mean().abs() < 4 * (exact - guessed).std() / 2000**0.5


@pytest.mark.parametrize(("steps", "probes"), [(0, 0), (5, -1)])
def test_the_flow_needs_steps(steps, probes):
    with pytest.raises(ValueError, match="steps, probes: expected at least 1 and 0"):
        metrics.flow_log_prob(lambda x, t, c: x, torch.zeros(2, 2), steps=steps, probes=probes)


# the known score ------------------------------------------------------------------------------------------------------


def test_the_score_of_a_noised_mixture_is_the_gradient_of_its_log_density():
    ring, alpha, sigma = toy("ring"), 0.8, 0.6
    x = torch.randn(30, 2, dtype=torch.float64, requires_grad=True)
    wide = (alpha * ring.sigma) ** 2 + sigma**2
    log_p = (-((x[:, None] - alpha * ring.centres) ** 2).sum(-1) / (2 * wide)).logsumexp(1)
    expected = torch.autograd.grad(log_p.sum(), x)[0]
    found = metrics.mixture_score(x.detach(), ring.centres, ring.sigma, alpha, sigma)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_scores_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="x, centres: expected shapes"):
        metrics.mixture_score(torch.zeros(2, 3), torch.zeros(4, 2), 1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="found: expected the shape of true"):
        metrics.score_error(torch.zeros(3, 2), torch.zeros(2, 2))


# codes ----------------------------------------------------------------------------------------------------------------


def latent(**options):
    codec = mlp_vae(shape=(1, 8, 8), pixels=categorical(17), latent=4, hidden=(32,))
    prior = Diffusion(TimedMLP((4,), hidden=(32,), classes=3), shape=(4,), unit=False, classes=3)
    return LatentDiffusion(codec, prior, **options)


def test_latent_diffusion_draws_pictures_of_codes():
    m, c = latent(), torch.tensor([0, 2])
    assert m.sample(2, c, steps=3).shape == (2, 1, 8, 8)
    assert len(list(m.trajectory(2, c, steps=5, sampler="ddim", guidance=2.0))) == 5


def test_the_prior_moves_no_weight_of_the_autoencoder():
    m = latent()
    m.loss(torch.rand(5, 1, 8, 8), torch.arange(5) % 3)["loss"].sum().backward()
    assert all(p.grad is None for p in m.codec.parameters())
    assert all(p.grad is not None for p in m.prior.parameters())
    codec, prior = m.players()
    assert codec.span == (0.0, 0.5) and prior.span == (0.5, 1.0)
    assert not {id(p) for p in codec.params} & {id(p) for p in prior.params}


def test_codes_of_another_size_are_refused():
    codec = mlp_vae(shape=(1, 8, 8), pixels=categorical(17), latent=5, hidden=(8,))
    prior = Diffusion(TimedMLP((4,), hidden=(8,)), shape=(4,), unit=False)
    with pytest.raises(ValueError, match=r"prior: expected codes of shape \(5,\), received \(4,\)"):
        LatentDiffusion(codec, prior)
    with pytest.raises(ValueError, match=r"split: expected a number in \(0, 1\)"):
        latent(split=1.0)


# recipes and builders -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["unet", "dit", "mlp"])
def test_every_network_is_built_from_json(network):
    m = families.build("diffusion", shape=[1, 8, 8], network=network, width=8, classes=2, depth=1, heads=2)
    assert m.sample(2, torch.tensor([1]), steps=2).shape == (2, 1, 8, 8)
    with pytest.raises(ValueError, match="network: expected one of .*received 'unt'. Did you mean 'unet'"):
        families.build("diffusion", shape=[1, 8, 8], network="unt")


def test_what_suits_a_readers_own_data():
    digits = load("digits")
    recipe = recipes.suited("diffusion", "digits", digits, conditional=True)
    assert recipe.arguments["network"] == "unet" and recipe.build().sample(1, steps=1).shape == (1, 1, 8, 8)
    points = load("toy2d", kind="moons")
    assert recipes.suited("diffusion", "toy2d", points).build().sample(3, steps=2).shape == (3, 2)
    with pytest.raises(ValueError, match="data: expected images or numbers for a diffusion"):
        recipes.suited("diffusion", "pydocs", load("pydocs"))


def test_the_bound_for_grey_levels_is_below_and_near_the_truth():
    """One pixel, four levels, of known probabilities: the noised pixel's flow is known, so the bound is too."""
    m = model(shape=(1, 1, 1), classes=0)
    p, grey = torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.linspace(-1, 1, 4)

    def velocity(x, t, c=None):
        alpha, sigma = (f(t).view(-1, 1, 1, 1) for f in (m.schedule.alpha, m.schedule.sigma))
        weight = (p.log() - (x[..., None] - alpha[..., None] * grey).square() / (2 * sigma[..., None] ** 2)).softmax(-1)
        clean = (weight * grey).sum(-1)
        a, s = (r.view(-1, 1, 1, 1) for r in m.schedule.rates(t))
        return a * clean + s * (x - alpha * clean) / sigma

    time = torch.tensor([0.05])
    mix = m.schedule.alpha(time).item(), m.schedule.sigma(time).item()
    x = torch.arange(4).repeat_interleave((p * 500).long())[:, None, None, None] / 3
    found = metrics.flow_bound(velocity, mix, x, levels=4, first=0.05, steps=200, probes=1)
    truth = (p * p.log()).sum().item()
    assert found.value == pytest.approx(truth, abs=0.05) and found.kind == "bound"
    time = torch.tensor([0.3])  # the levels can hardly be told apart: reading them off has its price
    mix = m.schedule.alpha(time).item(), m.schedule.sigma(time).item()
    loose = metrics.flow_bound(velocity, mix, x, levels=4, first=0.3, steps=200, probes=1)
    assert truth - 0.3 < loose.value < truth + 0.03


# the record ----------------------------------------------------------------------------------------------------------


def test_the_record_holds_what_was_asked_for():
    found = recorded("models/diffusion")
    assert len(found["seeds"]) >= 3
    assert found["needed"]["sde_dpm_solver"] <= 15, "within a tenth of 250 ancestral steps"
    assert found["lessons"]["not below"] > -lab.MARGIN, "draws teach as well as real digits"


def test_the_fewest_steps_within_a_tenth_are_found():
    tried = {str(k): [{"ratio": r}, {"ratio": r + 0.2}] for k, r in ((5, 3.0), (8, 2.1), (10, 1.9))}
    assert lab.needed(tried, 2.0) == 8 and lab.needed(tried, 1.0) is None


def test_lessons_of_several_seeds_are_paired_with_the_real_ones():
    real = torch.tensor([True, True, True, False] * 25)
    assert lab.together([real, real], real) == {"gap": 0.0, "error": 0.0, "not below": 0.0}
    worse = real & (torch.arange(100) >= 2)  # one seed of two loses two of a hundred
    found = lab.together([worse, real], real)
    assert found["gap"] == -1.0 and found["error"] == pytest.approx(0.70, abs=0.02)
    assert found["not below"] == pytest.approx(-1.0 - 1.96 * found["error"], abs=0.02)


def test_a_class_is_read_from_what_is_known_alone():
    data = load("digits", split="random")
    x, c, mask = data.test.x, data.test.c, lab.left_half(data.test.x)
    read = lab.class_of(x, mask, data)
    assert (read == c).float().mean() > 0.85
    assert torch.equal(read, lab.class_of(torch.where(mask, x, torch.rand_like(x)), mask, data))
