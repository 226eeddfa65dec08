"""Schedules and samplers: identities, Gaussians whose every step is known, and diffusers as an independent hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.samplers import SAMPLERS, ancestral, ddim, dpm_solver, heun, inpaint, sde_dpm_solver
from genkit.sampling import times
from genkit.schedules import LAST, SCHEDULES, schedule

THEIRS = {"cosine": "squaredcos_cap_v2", "linear": "linear"}


def last(walk):
    *_, x = walk
    return x


@pytest.fixture(params=SCHEDULES)
def path_of(request):
    return schedule(request.param)


# schedules ------------------------------------------------------------------------------------------------------------


def test_the_variance_is_kept_and_noise_only_grows(path_of):
    t = torch.linspace(0, 1, 500, dtype=torch.float64)
    alpha, sigma = path_of.alpha(t), path_of.sigma(t)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(t))
    assert alpha[0] == 1 and sigma[0] == 0 and alpha[-1] < 0.01
    held = t <= LAST
    assert (alpha[held].diff() < 0).all() and (sigma[held].diff() > 0).all()


def test_half_the_log_of_the_signal_to_noise_ratio(path_of):
    t = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)
    torch.testing.assert_close(path_of.half_log_snr(t), (path_of.alpha(t) / path_of.sigma(t)).log())


def test_rates_are_derivatives(path_of):
    t = torch.linspace(0.02, 0.98, 40, dtype=torch.float64, requires_grad=True)
    for found, value in zip(path_of.rates(t.detach()), (path_of.alpha(t), path_of.sigma(t)), strict=True):
        torch.testing.assert_close(found, torch.autograd.grad(value.sum(), t)[0], rtol=1e-6, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, 1.0), st.sampled_from(sorted(SCHEDULES)))
def test_single_precision_is_good_enough_everywhere(t, name):
    one, two = (torch.tensor([t], dtype=d) for d in (torch.float32, torch.float64))
    two = one.double()
    for part in ("alpha", "sigma"):
        f = getattr(schedule(name), part)
        assert f(one).dtype == torch.float32
        torch.testing.assert_close(f(one).double(), f(two), atol=1e-6, rtol=1e-6)


def test_they_are_the_schedules_that_everybody_uses():
    diffusers = pytest.importorskip("diffusers")
    n = torch.arange(998)
    for ours, theirs in THEIRS.items():
        kept = diffusers.DDPMScheduler(beta_schedule=theirs).alphas_cumprod
        torch.testing.assert_close(schedule(ours).alpha((n + 1) / 1000), kept[:998].sqrt(), atol=1e-5, rtol=0)


def test_an_unknown_schedule_is_named():
    with pytest.raises(ValueError, match="schedule: expected one of cosine, linear; received 'cosin'"):
        schedule("cosin")


# a Gaussian, of which everything is known -----------------------------------------------------------------------------

MEAN, SPREAD = 0.7, 0.5


def gaussian(name):
    """The best guesses there are, for x₀ ~ N(MEAN, SPREAD²)."""
    path = schedule(name)

    def denoise(x, t, c=None):
        alpha, sigma = path.alpha(t)[:, None], path.sigma(t)[:, None]
        total = (alpha * SPREAD) ** 2 + sigma**2
        clean = MEAN + alpha * SPREAD**2 / total * (x - alpha * MEAN)
        return clean, (x - alpha * clean) / sigma

    return denoise


def start(name, n, seed=0, steps=100):
    t = torch.tensor(LAST, dtype=torch.float64)
    alpha, sigma = schedule(name).alpha(t), schedule(name).sigma(t)
    torch.manual_seed(seed)
    noise = torch.randn(n, 1, dtype=torch.float64)
    return alpha * MEAN + ((alpha * SPREAD) ** 2 + sigma**2).sqrt() * noise, noise, times(steps, LAST)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("sampler", "steps", "within"), [(ddim, 400, 0.02), (heun, 99, 0.02), (dpm_solver, 99, 0.01)])
def test_samplers_without_chance_end_where_the_flow_ends(name, sampler, steps, within):
    x, noise, path = start(name, 200, steps=steps)
    end = last(sampler(gaussian(name), schedule(name), x, path))
    assert (end - (MEAN + SPREAD * noise)).abs().max() < within


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("eta", [0.5, 1.0, None])
def test_samplers_with_chance_draw_from_the_right_gaussian(name, eta):
    x, noise, path = start(name, 20_000, steps=150)
    sampler, knobs = (sde_dpm_solver, {}) if eta is None else (ddim, {"eta": eta})
    end = last(sampler(gaussian(name), schedule(name), x, path, **knobs))
    assert end.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert end.std().item() == pytest.approx(SPREAD, abs=0.035)  # a little too narrow, as long as steps are few
    if eta != 0.5:  # where it began is forgotten
        assert abs(torch.corrcoef(torch.stack([end[:, 0], noise[:, 0]]))[0, 1]) < 0.6


def test_higher_order_pays_in_fewer_steps():
    errors = {}
    for name, sampler in (("ddim", ddim), ("heun", heun), ("dpm", dpm_solver)):
        x, noise, path = start("cosine", 300, steps=20)
        end = last(sampler(gaussian("cosine"), schedule("cosine"), x, path))
        errors[name] = (end - MEAN - SPREAD * noise).abs().mean()
    assert errors["dpm"] < errors["ddim"] / 3 and errors["heun"] < errors["ddim"] / 3


def test_with_chance_too_higher_order_pays_in_fewer_steps():
    wrong = {}
    for name, sampler in (("first", ancestral), ("second", sde_dpm_solver)):
        x, _, path = start("cosine", 40_000, steps=15)
        torch.manual_seed(1)
        wrong[name] = abs(last(sampler(gaussian("cosine"), schedule("cosine"), x, path)).std().item() - SPREAD)
    assert wrong["second"] < wrong["first"] / 2


def test_the_first_step_of_the_sde_solver_is_ancestral(path_of):
    x, found = torch.randn(6, 2, dtype=torch.float64), []
    for sampler in (ancestral, sde_dpm_solver):
        torch.manual_seed(3)
        found.append(next(sampler(denoise_with(path_of), path_of, x, [0.8, 0.5, 0.0])))
    torch.testing.assert_close(*found)


def test_the_ancestral_step_is_the_posterior_of_the_forward_process(path_of):
    """Ho et al. (2020), eq. 7, written as in the paper, against the member η = 1 of DDIM's family."""
    t, s = 0.6, 0.4
    x, clean = torch.randn(50_000, 1, dtype=torch.float64) * 0 + 0.3, 0.8
    (at, st_), (as_, ss) = (
        (path_of.alpha(torch.tensor(v).double()), path_of.sigma(torch.tensor(v).double())) for v in (t, s)
    )
    kept = at / as_
    beta = 1 - kept**2
    mean = as_ * beta / st_**2 * clean + kept * ss**2 / st_**2 * x[0]
    std = (ss**2 / st_**2 * beta).sqrt()
    torch.manual_seed(0)
    y = next(ancestral(lambda x, t, c: (0 * x + clean, (x - at * clean) / st_), path_of, x, [t, s]))
    assert y.mean().item() == pytest.approx(mean.item(), abs=4 * std.item() / 50_000**0.5)
    assert y.std().item() == pytest.approx(std.item(), rel=0.02)


@pytest.mark.parametrize("name", SAMPLERS)
def test_one_step_is_the_guess_itself(name):
    x = torch.randn(4, 2)
    found = list(SAMPLERS[name](lambda x, t, c: (x.sin(), x.cos()), schedule("cosine"), x, [0.9, 0.0]))
    assert len(found) == 1
    torch.testing.assert_close(found[0], x.sin())


def test_how_often_each_asks():
    for name, cost in {"ddim": 10, "ancestral": 10, "dpm_solver": 10, "heun": 19, "sde_dpm_solver": 10}.items():
        asked = []

        def denoise(x, t, c, asked=asked):
            asked.append(t[0].item())
            return 0 * x, x

        assert len(list(SAMPLERS[name](denoise, schedule("cosine"), torch.randn(2, 2), times(10, LAST)))) == 10
        assert len(asked) == cost and min(asked) > 0, "at time 0 there is nothing to ask"


@pytest.mark.parametrize("eta", [-0.1, 1.5])
def test_eta_out_of_range_is_named(eta):
    with pytest.raises(ValueError, match=r"eta: expected a number in \[0, 1\]"):
        next(ddim(gaussian("cosine"), schedule("cosine"), torch.zeros(1, 1), [0.5, 0.0], eta=eta))


# diffusers ------------------------------------------------------------------------------------------------------------


def network(x):
    """A stand-in for a network: the same answers for both hands."""
    return 0.8 * x + 0.3 * (2 * x).sin()


def denoise_with(path):
    def denoise(x, t, c=None):
        noise = network(x)
        return (x - path.sigma(t)[:, None] * noise) / path.alpha(t)[:, None], noise

    return denoise


def doubled(scheduler, name):
    """Give a scheduler its own path in double precision: rounding grows over 250 steps."""
    kept = schedule(name).alpha(torch.arange(1, 1001, dtype=torch.float64) / 1000)
    torch.testing.assert_close(kept[:998].float(), scheduler.alphas_cumprod[:998].sqrt(), atol=1e-5, rtol=0)
    scheduler.alphas_cumprod = kept**2


def theirs(scheduler, x):
    for n in scheduler.timesteps:
        x = scheduler.step(network(x), n, x).prev_sample
    return x


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("kind", "ours"), [("DDPMScheduler", ancestral), ("DDIMScheduler", ddim)])
@pytest.mark.parametrize("steps", [10, 50, 250])
def test_ddpm_and_ddim_step_as_those_of_diffusers(name, kind, ours, steps):
    diffusers = pytest.importorskip("diffusers")
    scheduler = getattr(diffusers, kind)(beta_schedule=THEIRS[name], clip_sample=False)
    doubled(scheduler, name)
    scheduler.set_timesteps(steps)
    path = [(n + 1) / 1000 for n in scheduler.timesteps.tolist()] + [0.0]
    torch.manual_seed(1)
    x = torch.randn(16, 3, dtype=torch.float64) * 0.5
    torch.manual_seed(2)
    expected = theirs(scheduler, x)
    torch.manual_seed(2)
    found = last(ours(denoise_with(schedule(name)), schedule(name), x, path))
    size = expected.abs().max()
    torch.testing.assert_close(found / size, expected / size, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [5, 12, 20, 40])
def test_dpm_solver_steps_as_that_of_diffusers(name, steps):
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DPMSolverMultistepScheduler(beta_schedule=THEIRS[name], final_sigmas_type="zero")
    doubled(scheduler, name)
    n = torch.linspace(979, 19, steps).round().long().tolist()
    scheduler.set_timesteps(timesteps=n)
    torch.manual_seed(1)
    x = torch.randn(16, 3, dtype=torch.float64) * 0.5
    expected = theirs(scheduler, x)
    path = [(k + 1) / 1000 for k in n] + [0.0]
    found = last(dpm_solver(denoise_with(schedule(name)), schedule(name), x, path))
    size = expected.abs().max()
    torch.testing.assert_close(found / size, expected / size, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [5, 12, 20, 40])
def test_the_sde_solver_steps_as_that_of_diffusers_with_the_same_noise(name, steps):
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DPMSolverMultistepScheduler(
        beta_schedule=THEIRS[name], final_sigmas_type="zero", algorithm_type="sde-dpmsolver++", solver_order=2
    )
    doubled(scheduler, name)
    n = torch.linspace(979, 19, steps).round().long().tolist()
    scheduler.set_timesteps(timesteps=n)
    torch.manual_seed(1)
    x, *noises = torch.randn(steps + 1, 16, 3, dtype=torch.float64)
    expected, path, fresh = x, [(k + 1) / 1000 for k in n] + [0.0], iter(noises)
    for k, noise in zip(scheduler.timesteps, noises, strict=True):
        expected = scheduler.step(network(expected), k, expected, variance_noise=noise).prev_sample
    found = last(sde_dpm_solver(denoise_with(schedule(name)), schedule(name), x, path, draw=lambda x: next(fresh)))
    assert len(list(fresh)) == 1, "the last step draws nothing"
    size = expected.abs().max()
    torch.testing.assert_close(found / size, expected / size, atol=1e-5, rtol=0)


# filling in -----------------------------------------------------------------------------------------------------------


def test_what_is_known_stays_and_the_rest_follows_from_it():
    """Two numbers that are equal, up to a little: knowing one tells the other."""
    path, rho = schedule("cosine"), 0.95
    cov = torch.tensor([[1.0, rho], [rho, 1.0]])

    def denoise(x, t, c=None):
        alpha, sigma = path.alpha(t)[0], path.sigma(t)[0]
        clean = x @ (alpha * cov @ torch.linalg.inv(alpha**2 * cov + sigma**2 * torch.eye(2))).T
        return clean, (x - alpha * clean) / sigma

    torch.manual_seed(0)
    known = torch.full((4000, 2), 1.2)
    mask = torch.tensor([[True, False]])
    once = last(inpaint(denoise, path, known, mask, times(50, LAST)))
    for knobs in ({"again": 10}, {"again": 10, "jump": 4}):
        often = last(inpaint(denoise, path, known, mask, times(50, LAST), **knobs))
        assert (often[:, 0] - 1.2).abs().max() < 1e-6
        assert often[:, 1].mean().item() == pytest.approx(rho * 1.2, abs=0.08)
        assert often[:, 1].std().item() == pytest.approx((1 - rho**2) ** 0.5, abs=0.08)
        assert abs(once[:, 1].mean() - rho * 1.2) > 2 * abs(often[:, 1].mean() - rho * 1.2), "the parts at odds"


def test_how_often_filling_in_asks_where_it_jumps_back():
    path, asked = schedule("cosine"), []

    def denoise(x, t, c):
        asked.append(round(t[0].item(), 3))
        return 0 * x, x

    mask = torch.tensor([[True, False]])
    walked = list(inpaint(denoise, path, torch.zeros(2, 2), mask, [0.9, 0.6, 0.4, 0.2, 0.0], again=3, jump=2))
    assert asked == [0.9, 0.6] * 3 + [0.4, 0.2] and len(walked) == 2


def test_with_everything_known_nothing_changes_and_with_nothing_it_is_ancestral():
    path, x = schedule("cosine"), torch.randn(5, 2)
    everything = last(inpaint(denoise_with(path), path, x, torch.ones(5, 2).bool(), times(5, LAST)))
    torch.testing.assert_close(everything, x)


@pytest.mark.parametrize(
    "mask", [torch.ones(2, 3).bool(), torch.ones(4, 2), torch.ones(2).bool(), torch.ones(1, 1, 1).bool()]
)
def test_a_mask_of_the_wrong_shape_is_named(mask):
    with pytest.raises(ValueError, match=r"mask: expected bool of shape \(4, 2\)"):
        next(inpaint(denoise_with(schedule("cosine")), schedule("cosine"), torch.zeros(4, 2), mask, [0.5, 0.0]))


@pytest.mark.parametrize("name", ["again", "jump"])
def test_again_and_jump_are_at_least_one(name):
    mask = torch.ones(4, 2).bool()
    with pytest.raises(ValueError, match=f"{name}: expected at least 1, received 0"):
        next(inpaint(network, schedule("cosine"), torch.zeros(4, 2), mask, [0.5, 0.0], **{name: 0}))
