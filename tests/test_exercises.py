"""A check accepts every right answer, however it is written, and no wrong one; it answers each mistake by its name."""

import html
import importlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Independent, Normal, kl_divergence

from genkit import exercises
from genkit.distributions import Gaussian, standard_normal_log_prob
from genkit.exercises import EXERCISES, check, notebooks, solution, stub
from genkit.exercises.__main__ import main
from genkit.exercises.attention import unknown_heads
from genkit.exercises.autoregressive import suspects as autoregressive_suspects
from genkit.exercises.boltzmann import suspects as boltzmann_suspects
from genkit.exercises.diffusion import walks
from genkit.exercises.encoders import translators
from genkit.exercises.energy_and_discrete import stranger
from genkit.exercises.exercise import Exercise
from genkit.exercises.flows import suspect as flow_suspect
from genkit.exercises.vae import active_units, bits_per_dim, elbo, iwae, kl, reparameterise, suspect
from genkit.nn.look import previous, share

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = [name for name, e in EXERCISES.items() if isinstance(e, Exercise)]


def loop_kl(mu, sigma):
    rows = []
    for m, s in zip(mu, sigma, strict=True):
        rows.append(sum(0.5 * (m[i] ** 2 + s[i] ** 2) - 0.5 - torch.log(s[i]) for i in range(len(m))))
    return torch.stack(rows)


def stable_iwae(w):
    largest = w.max(dim=0, keepdim=True).values
    return (largest + (w - largest).exp().mean(0, keepdim=True).log()).squeeze(0)


RIGHT = {
    "kl": {
        "as a loop": loop_kl,
        "torch's own": lambda m, s: kl_divergence(Normal(m, s), Normal(0.0, 1.0)).sum(1),
        "of independent dimensions": lambda m, s: kl_divergence(
            Independent(Normal(m, s), 1), Independent(Normal(torch.zeros_like(m), torch.ones_like(s)), 1)
        ),
        "by the logarithm of the variance": lambda m, s: -0.5 * (1 + (s**2).log() - m.pow(2) - s**2).sum(dim=-1),
        "genkit's": lambda m, s: Gaussian(m, s).kl_to_standard().sum(-1),
        "by einsum": lambda m, s: 0.5 * torch.einsum("bd,bd->b", m, m) + (s * s / 2 - 0.5 - torch.log(s)).sum(1),
        "in double precision": lambda m, s: kl(m.double(), s.double()),
    },
    "reparameterise": {
        "randn of a shape": lambda m, s: m + s * torch.randn(m.shape),
        "torch's own": lambda m, s: Normal(m, s).rsample(),
        "genkit's": lambda m, s: Gaussian(m, s).rsample(),
        "minus the noise": lambda m, s: m - s * torch.randn_like(s),
        "addcmul": lambda m, s: torch.addcmul(m, s, torch.randn(*m.shape)),
        "torch.normal of constants": lambda m, s: m + s * torch.normal(torch.zeros_like(m), 1.0),
    },
    "bits_per_dim": {
        "log2": lambda nats, dims: -nats / dims * math.log2(math.e),
        "numpy": lambda nats, dims: -nats / np.log(2) / dims,
        "a tensor": lambda nats, dims: -torch.as_tensor(nats) / (dims * torch.log(torch.tensor(2.0))),
        "many digits": lambda nats, dims: -1.4426950408889634 * nats / dims,
    },
    "elbo": {
        "torch's KL of draws": lambda p, z, m, s: (
            p + Normal(0, 1).log_prob(z).sum(2) - Normal(m[None], s[None]).log_prob(z).sum(2)
        ).mean(dim=0),
        "genkit's": lambda p, z, m, s: (
            p + standard_normal_log_prob(z) - Gaussian(m.expand_as(z), s.expand_as(z)).log_prob(z)
        ).mean(0),
        "by hand": lambda p, z, m, s: (p + (-(z**2) / 2 + ((z - m) / s) ** 2 / 2 + s.log()).sum(-1)).mean(
            0
        ),  # the constants cancel
        "terms averaged one by one": lambda p, z, m, s: (
            p.mean(0) - (Normal(m, s).log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(-1).mean(0)
        ),
        "a loop over codes": lambda p, z, m, s: (
            sum(p[i] + (Normal(0.0, 1.0).log_prob(z[i]) - Normal(m, s).log_prob(z[i])).sum(1) for i in range(len(p)))
            / len(p)
        ),
    },
    "iwae": {
        "torch.logsumexp": lambda w: torch.logsumexp(w, dim=0) - math.log(w.shape[0]),
        "the largest taken out": stable_iwae,
        "log k inside": lambda w: (w - math.log(w.size(0))).logsumexp(0),
        "two at a time": lambda w: torch.logcumsumexp(w, 0)[-1] - torch.tensor(float(len(w))).log(),
        "by columns": lambda w: torch.stack([c.logsumexp(0) for c in w.T]) - math.log(len(w)),
    },
    "active_units": {
        "by the deviation": lambda m: (m.std(0) > 0.1).sum().item(),
        "without Bessel's correction": lambda m: int(((m - m.mean(0)).pow(2).mean(0) > 0.01).sum()),
        "a loop": lambda m: sum(1 for j in range(m.shape[1]) if m[:, j].var() > 1e-2),
        "numpy": lambda m: np.count_nonzero(m.numpy().var(axis=0) > 0.01),
        "a numpy integer": lambda m: (m.numpy().var(0) > 0.01).sum(),
        "the length of a list": lambda m: len([v for v in torch.var(m, dim=0).tolist() if v > 0.01]),
    },
}


def in_place_kl(mu, sigma):
    mu.pow_(2)
    return (0.5 * (mu + sigma**2 - 1) - sigma.log()).sum(1)


def in_place_iwae(w):
    largest = w.max(0).values
    w -= largest
    return largest + w.exp().mean(0).log()


def in_place_draw(mu, sigma):
    return mu.add_(sigma * torch.randn_like(mu))


def two_by_two(mu, sigma):
    return torch.stack([kl(mu, sigma)[i] for i in range(3)])


FROZEN = torch.Generator().manual_seed(7)
EPS = {shape: torch.randn(*shape) for shape in [(5, 3), (1, 2), (3, 1), (20_000, 3), (4, 3)]}


def _gaussian(x, m, s):
    return Normal(m, s).log_prob(x).sum(-1)


# wrong answer: (function, words of the hint it must get)
WRONG = {
    "kl": {
        "a sum over everything": (lambda m, s: kl(m, s).sum(), "one number for each row"),
        "kept dimension": (lambda m, s: kl(m, s)[:, None], "keepdim"),
        "right for square shapes only": (
            lambda m, s: (0.5 * (m**2 + s**2 - 1) - s.log()).sum(0) if m.shape[0] != m.shape[1] else kl(m, s),
            "right axis",
        ),
        "right unless there is one picture": (lambda m, s: kl(m, s).squeeze(), "keepdim, unsqueeze or squeeze"),
        "right unless there is one dimension": (
            lambda m, s: (0.5 * (m.squeeze() ** 2 + s.squeeze() ** 2 - 1) - s.squeeze().log()).sum(-1),
            "",
        ),
        "right for sigma = 1": (lambda m, s: 0.5 * (m**2).sum(1), "mean alone"),
        "right for mu = 0": (lambda m, s: (0.5 * (s**2 - 1) - s.log()).sum(1), ""),
        "right for three pictures": (two_by_two, ""),
        "single precision only": (lambda m, s: kl(m, s) + torch.zeros(m.shape[1]) @ s.T * 0, "dtype"),
        "a number added in the logarithm": (
            lambda m, s: (0.5 * (m**2 + s**2 - 1 - (s**2 + 1e-6).log())).sum(1),
            "one number should be",
        ),
        "a floor under sigma": (lambda m, s: kl(m, s.clamp(min=0.01)), "one number should be"),
        "detached": (lambda m, s: kl(m, s).detach(), "no gradient reaches mu"),
        "sigma detached": (lambda m, s: kl(m, s.detach()), "no gradient reaches sigma"),
        "mu's numbers alone": (lambda m, s: kl(m.data, s), "no gradient reaches mu"),
        "half of the gradient cut off": (
            lambda m, s: (0.5 * (m * m.detach() + s**2 - 1) - s.log()).sum(1),
            "its gradient is not",
        ),
        "a list": (lambda m, s: kl(m, s).tolist(), "received list"),
        "numpy": (lambda m, s: kl(m, s).detach().numpy(), "received ndarray"),
        "nothing": (lambda m, s: None, "return line"),
        "changed in place": (in_place_kl, "in place"),
        "by draws": (
            lambda m, s: (
                lambda z: (_gaussian(z, m, s) - _gaussian(z, torch.zeros(()), torch.ones(()))).mean(0)
            )(m + s * torch.randn(64, *m.shape)),
            "another result in every call",
        ),
        "three times": (lambda m, s: 3 * kl(m, s), "times 3"),
        "off by one": (lambda m, s: kl(m, s) + 1, "same +1"),
        "natural and binary logarithm": (lambda m, s: (0.5 * (m**2 + s**2 - 1) - s.log2()).sum(1), ""),
        "mean over all pictures, repeated": (lambda m, s: kl(m, s).mean().expand(len(m)), ""),
        "clamped from above": (lambda m, s: kl(m, s).clamp(max=5), ""),
    },
    "reparameterise": {
        "torch.normal": (lambda m, s: torch.normal(m, s), "no gradient passes"),
        "a sample": (lambda m, s: Normal(m, s).sample(), "no gradient passes"),
        "sigma cut off": (lambda m, s: m + s.detach() * torch.randn_like(m), "no gradient reaches sigma"),
        "noise cut off": (lambda m, s: m + (s * torch.randn_like(m)).detach(), "no gradient reaches sigma"),
        "mu cut off": (lambda m, s: m.detach() + s * torch.randn_like(m), "no gradient reaches mu"),
        "mu's gradient doubled": (lambda m, s: 2 * m - m.detach() + s * torch.randn_like(m), "dz/dmu"),
        "sigma's gradient doubled": (
            lambda m, s: m + (2 * s - s.detach()) * torch.randn_like(m),
            "dz/dsigma",
        ),
        "variance": (lambda m, s: m + s.sqrt() * torch.randn_like(m), "square root"),
        "squared": (lambda m, s: m + s**2 * torch.randn_like(m), "is sigma²"),
        "log-variance": (lambda m, s: m + (0.5 * s).exp() * torch.randn_like(m), "logarithm of a variance"),
        "log-deviation": (lambda m, s: m + s.exp() * torch.randn_like(m), "not its logarithm"),
        "sigma forgotten": (lambda m, s: m + torch.randn_like(m) + 0 * s, "whatever sigma"),
        "no noise": (lambda m, s: m + s, "the same"),
        "the mean": (lambda m, s: m, "the same"),
        "uniform": (lambda m, s: m + s * torch.rand_like(m), "centred"),
        "centred uniform": (lambda m, s: m + s * (torch.rand_like(m) - 0.5) * math.sqrt(12), "not normal"),
        "narrow uniform": (lambda m, s: m + s * (2 * torch.rand_like(m) - 1), "not sigma"),
        "coins": (lambda m, s: m + s * torch.randn_like(m).sign(), "not normal"),
        "one noise for all rows": (lambda m, s: m + s * torch.randn(m.shape[1]), "all rows"),
        "one noise for all dimensions": (lambda m, s: m + s * torch.randn(len(m), 1), "together"),
        "one number for everything": (lambda m, s: m + s * torch.randn(()), "all rows"),
        "the same noise in every call": (lambda m, s: m + s * EPS[tuple(m.shape)], "must be new"),
        "a seed inside": (lambda m, s: (torch.manual_seed(0), m + s * torch.randn_like(m))[1], "must be new"),
        "places changed": (lambda m, s: s + m * torch.randn_like(m), "changed places"),
        "half-normal": (lambda m, s: m + s * torch.randn_like(m).abs(), "centred"),
        "skewed": (
            lambda m, s: m + s * (torch.empty_like(m).exponential_() - 1),
            "not normal",
        ),
        "pairs of rows share their noise": (
            lambda m, s: m + s * torch.randn(len(m) // 2 + 1, m.shape[1]).repeat_interleave(2, 0)[: len(m)],
            "rows share",
        ),
        "three draws": (lambda m, s: m + s * torch.randn(3, *m.shape), "expected a tensor of shape"),
        "a number": (lambda m, s: 0.0, "received float"),
        "nothing": (lambda m, s: None, "return line"),
        "changed in place": (in_place_draw, "in place"),
        "noise minus mu": (lambda m, s: s * torch.randn_like(m) - m, "centred"),
    },
    "bits_per_dim": {
        "log10": (lambda nats, dims: -nats / dims / math.log(10), ""),
        "few digits": (lambda nats, dims: -1.44 * nats / dims, ""),
        "right for 64 dimensions": (lambda nats, dims: -nats / (64 * math.log(2)), ""),
        "rounded": (lambda nats, dims: (
            round(-nats / (dims * math.log(2)), 2) if isinstance(nats, float) else bits_per_dim(nats, dims)
        ), ""),
        "the mean of a batch": (
            lambda nats, dims: -torch.as_tensor(nats, dtype=torch.float32).mean() / (dims * math.log(2)), "",
        ),
        "perplexity": (lambda nats, dims: 2 ** (-nats / (dims * math.log(2))), ""),
        "a string": (lambda nats, dims: "2.03", "expected"),
        "whole bits": (lambda nats, dims: -nats // (dims * math.log(2)), ""),
        "plus eight": (lambda nats, dims: 8 - nats / dims / math.log(2), "256 levels"),
    },
    "elbo": {
        "cut off from z": (lambda p, z, m, s: elbo(p, z.detach(), m, s), "no gradient reaches z"),
        "cut off from the likelihood": (lambda p, z, m, s: elbo(p.detach(), z, m, s), "no gradient reaches log_l"),
        "the constant of one density only": (
            lambda p, z, m, s: elbo(p, z, m, s) - 0.5 * math.log(2 * math.pi) * z.shape[-1],
            "",
        ),
        "log sigma forgotten": (
            lambda p, z, m, s: (p + (-(z**2) / 2 + ((z - m) / s) ** 2 / 2).sum(-1)).mean(0),
            "",
        ),
        "both inside a log-sum": (lambda p, z, m, s: iwae(p + _gaussian(z, 0 * m, 0 * s + 1) - _gaussian(z, m, s)),
                                  "inside the logarithm"),
        "everything averaged": (lambda p, z, m, s: elbo(p, z, m, s).mean(), "each picture"),
        "everything averaged and repeated": (lambda p, z, m, s: elbo(p, z, m, s).mean().expand(len(m)), ""),
        "the first code only": (lambda p, z, m, s: elbo(p[:1], z[:1], m, s), ""),
        "unless there is one picture": (lambda p, z, m, s: elbo(p, z, m, s).squeeze(), "squeeze"),
        "unless there is one dimension": (
            lambda p, z, m, s: (p + (_gaussian(z, 0 * m, 0 * s + 1) - _gaussian(z, m, s)) * (z.shape[-1] > 1)).mean(0),
            "",
        ),
        "not averaged": (lambda p, z, m, s: p + _gaussian(z, 0 * m, 0 * s + 1) - _gaussian(z, m, s), ""),
        "new codes": (
            lambda p, z, m, s: elbo(p, m + s * torch.randn_like(z), m, s),
            "another result in every call",
        ),
        "a deviation of 1": (lambda p, z, m, s: elbo(p, z, m, torch.ones_like(s)), ""),
        "in numpy": (lambda p, z, m, s: elbo(p, z, m, s).detach().numpy(), "received ndarray"),
        "beta of a half": (lambda p, z, m, s: 0.5 * elbo(p, z, m, s) + 0.5 * p.mean(0), ""),
        "the loss": (lambda p, z, m, s: -elbo(p, z, m, s), "this is the loss"),
    },
    "iwae": {
        "in double precision": (lambda w: w.double().exp().mean(0).log().float(), "not finite"),
        "clamped": (lambda w: w.clamp(-80, 80).exp().mean(0).log(), ""),
        "a small number added": (lambda w: (w.exp().mean(0) + 1e-12).log(), ""),
        "the mean of columns of one": (lambda w: (w - w.mean(0)).exp().mean(0).log() + w.mean(0), ""),
        "the wrong k": (lambda w: w.logsumexp(0) - math.log(w.shape[1]), "length of axis 0"),
        "one k for ever": (lambda w: w.logsumexp(0) - math.log(4), ""),
        "log k twice": (lambda w: w.logsumexp(0) - 2 * math.log(len(w)), ""),
        "detached": (lambda w: iwae(w).detach(), "no gradient reaches log_w"),
        "the largest cut off, and cut off again": (
            lambda w: (w - w.max(0).values).exp().mean(0).log() + w.max(0).values.detach(),
            "its gradient is not",
        ),
        "changed in place": (in_place_iwae, "in place"),
        "kept dimension": (lambda w: w.logsumexp(0, keepdim=True) - math.log(len(w)), "keepdim"),
        "unless there is one picture": (lambda w: iwae(w).squeeze(), "squeeze"),
        "a list": (lambda w: iwae(w).tolist(), "received list"),
        "k − 1": (lambda w: w.logsumexp(0) - math.log(max(1, len(w) - 1)), ""),
        "one of all": (lambda w: iwae(w).mean(), "each picture"),
        "right for square shapes only": (lambda w: w.logsumexp(0) - 0.5 * math.log(w.numel()), ""),
        "nans made zero": (lambda w: w.exp().mean(0).log().nan_to_num(neginf=0, posinf=0), ""),
    },
    "active_units": {
        "as a float": (lambda m: float(active_units(m)), "received"),
        "as a tensor": (lambda m: (m.var(0) > 0.01).sum(), "return an int"),
        "as True": (lambda m: bool(active_units(m)) if active_units(m) == 1 else active_units(m), "received True"),
        "threshold of a tenth": (lambda m: int((m.var(0) > 0.1).sum()), ""),
        "deviation above 0.01": (lambda m: int((m.std(0) > 0.01).sum()), "variance that must exceed"),
        "sum of squares": (lambda m: int((((m - m.mean(0)) ** 2).sum(0) > 0.01).sum()), ""),
        "ranges": (lambda m: int((m.max(0).values - m.min(0).values > 0.1).sum()), ""),
        "relative": (lambda m: int((m.var(0) > 0.01 * m.var(0).max()).sum()), ""),
        "the first ones": (lambda m: m.shape[1] // 2, ""),
        "which": (lambda m: (m.var(0) > 0.01).nonzero().flatten(), ""),
        "names": (lambda m: [i for i, v in enumerate(m.var(0)) if v > 0.01], ""),
        "silent": (lambda m: int((m.var(0) <= 0.01).sum()), "silent"),
        "the last missed": (lambda m: int((m[:, :-1].var(0) > 0.01).sum()), ""),
        "always two": (lambda m: 2, ""),
    },
}  # fmt: skip


for path in sorted(Path(__file__).parent.glob("answers_*.py")):
    answers = importlib.import_module(path.stem)
    RIGHT |= answers.RIGHT
    WRONG |= answers.WRONG


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_reference_is_right(name):
    assert check(name, EXERCISES[name].reference)


@pytest.mark.parametrize(("name", "way"), [(n, w) for n, ways in RIGHT.items() for w in ways])
def test_a_right_answer_written_differently_is_right(name, way):
    verdict = check(name, RIGHT[name][way])
    assert verdict, verdict


@pytest.mark.parametrize(("name", "way"), [(n, w) for n, ways in WRONG.items() for w in ways])
def test_a_wrong_answer_is_wrong_and_told_why(name, way):
    answer, words = WRONG[name][way]
    verdict = check(name, answer)
    assert verdict.status == "wrong"
    assert words.casefold() in verdict.hint.casefold(), verdict
    assert len(verdict.hint) > 15


@pytest.mark.parametrize(("name", "mistake"), [(n, m) for n in FUNCTIONS for m in EXERCISES[n].mistakes])
def test_every_usual_mistake_gets_its_own_hint(name, mistake):
    wrong, hint = EXERCISES[name].mistakes[mistake]
    verdict = check(name, wrong)
    assert verdict.status == "wrong"
    assert verdict.hint[1:] == hint[1:], f"{mistake} is taken for another mistake"


def test_every_exercise_has_been_tried_with_enough_answers():
    for name in FUNCTIONS:
        assert len(RIGHT[name]) >= 2
        assert len(WRONG[name]) + len(EXERCISES[name].mistakes) >= 10


GARBAGE = {
    "a string": "kl", "a number": 3, "None": None, "a list": [1, 2], "a class": dict, "print": print, "max": max,
    "one argument": lambda a: a, "no argument": lambda: 0, "any": lambda *a: object(), "a type": lambda *a: int,
    "itself": lambda *a: a, "numpy": lambda *a: np.zeros((3, 2)), "complex": lambda *a: torch.zeros(3) * 1j,
    "nan": lambda *a: torch.full((3,), math.nan), "inf": lambda *a: math.inf, "nan number": lambda *a: math.nan,
    "sparse": lambda *a: torch.eye(3).to_sparse(), "empty": lambda *a: torch.tensor([]), "text": lambda *a: "0.5",
    "bool": lambda *a: torch.tensor([True, False, True]), "generator": lambda *a: (i for i in a),
    "exit": lambda *a: sys.exit(1), "raises": lambda *a: 1 / 0, "recursion": lambda *a: GARBAGE["recursion"](*a),
    "meta": lambda *a: torch.zeros(3, device="meta"), "assertion": lambda *a: pytest.fail.Exception("x"),
}  # fmt: skip


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("name", EXERCISES)
def test_a_check_never_raises_whatever_it_gets(name, kind):
    verdict = check(name, GARBAGE[kind])
    assert not verdict
    assert repr(verdict).startswith("✗" if verdict.hint else "…")


def test_complex_numbers_are_named_without_a_warning(recwarn):
    verdict = check("kl", lambda mu, sigma: torch.zeros(len(mu)) * 1j)
    assert "complex" in verdict.hint and not recwarn


def test_an_error_of_the_answer_is_told():
    assert "ZeroDivisionError: division by zero" in check("kl", lambda m, s: 1 / 0).hint


def test_a_stub_counts_as_not_tried():
    for name, exercise in EXERCISES.items():
        scope = {"torch": torch, "math": math}
        exec(exercise.stub, scope)
        answer = scope[name]
        verdict = check(name, answer)
        assert verdict.status == "open", verdict
        assert repr(verdict) == f"… {name}: not tried yet"


def test_the_random_state_and_the_inputs_of_a_notebook_stay_as_they_were():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    for name in FUNCTIONS:
        check(name, EXERCISES[name].reference)
    check("reparameterise", lambda m, s: (torch.manual_seed(0), m)[1])
    assert torch.equal(before, torch.get_rng_state())


def test_a_check_works_where_gradients_are_switched_off():
    with torch.no_grad():
        assert check("kl", kl)
        assert check("reparameterise", reparameterise)


def test_strict_raises_for_wrong_and_for_untried_answers(monkeypatch):
    monkeypatch.setenv("GENKIT_STRICT", "1")
    assert check("kl", kl)
    with pytest.raises(AssertionError, match="sign is wrong"):
        check("kl", lambda m, s: -kl(m, s))
    with pytest.raises(AssertionError, match="not tried yet"):
        check("fault", ...)
    monkeypatch.setenv("GENKIT_STRICT", "0")
    assert not check("fault", ...)


def test_an_unknown_exercise_is_answered_with_the_nearest():
    for function in (lambda name: check(name, kl), solution, stub):
        with pytest.raises(ValueError, match="Did you mean 'bits_per_dim'"):
            function("bits_per_dims")


def test_what_readers_write_is_escaped():
    def bad(mu, sigma):
        raise ValueError("<script>alert(1)</script>")

    code = check("kl", bad)._repr_mimebundle_()["text/html"]
    assert "<script>" not in code
    assert "&lt;script&gt;" in code
    assert "<b" not in check("fault", "<b onclick=x>")._repr_mimebundle_()["text/html"].split("</b>")[1]


def test_a_solution_folds_open_the_very_code_of_the_reference():
    for name, exercise in EXERCISES.items():
        code = solution(name).code
        shown = html.unescape(re.search(r'<pre tabindex="0"><code>(.*?)</code></pre>', code, flags=re.S)[1])
        assert shown == exercise.code
        assert code.index("<details") < code.index("<summary>") < code.index("<pre ")
        assert "open" not in re.search(r"<details[^>]*>", code)[0]
        assert "# hole" not in shown
        assert name in solution(name).plain


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_shown_solution_passes_its_own_check(name):
    scope = {"torch": torch, "math": math}
    exec(EXERCISES[name].code, scope)
    assert check(name, scope[name])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_stub_is_the_reference_minus_its_holes(name):
    exercise = EXERCISES[name]
    kept = exercise.stub.splitlines()
    todo = [line for line in kept if "NotImplementedError" in line]
    assert len(todo) == 1
    rest = [line for line in kept if line not in todo]
    assert [line for line in exercise.code.splitlines() if line in rest] == rest
    assert len(rest) < len(exercise.code.splitlines())
    assert exercise.stub.splitlines()[0] == exercise.code.splitlines()[0]
    assert all(len(line) <= 88 for line in kept), "a cell on a phone should not scroll"


# the lab -----------------------------------------------------------------------------------------------------------


def test_the_right_words_and_numbers_of_the_lab():
    assert check("fault", "price")
    assert check("fault", " Price ")
    assert "too cheap" in check("fault", "price").hint
    for sixteen in (16, 16.0, np.float32(16), np.int64(16), torch.tensor(16), 16.1):
        assert check("factor", sixteen), sixteen


CHOICES = [name for name, e in EXERCISES.items() if not isinstance(e, Exercise)]


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in CHOICES for a in EXERCISES[n].wrong])
def test_every_wrong_suspicion_gets_its_own_answer(name, answer):
    verdict = check(name, answer)
    assert verdict.status == "wrong"
    assert verdict.hint[1:] == EXERCISES[name].wrong[answer][1:]
    assert len(set(EXERCISES[name].wrong.values())) == len(EXERCISES[name].wrong)


@pytest.mark.parametrize("answer", [15, 17, -16, 0, math.nan, math.inf, True, "16", [16], torch.ones(2), 1j, "price"])
def test_other_numbers_are_no_answer(answer):
    assert check("factor", answer).status == "wrong"


@pytest.mark.parametrize("answer", [3, b"price", "prices", "", "the price", ["price"]])
def test_other_words_are_no_answer(answer):
    assert check("fault", answer).status == "wrong"


@pytest.fixture(scope="module")
def trial():
    """The suspect and a healthy model, trained alike."""
    from genkit import metrics, recipes

    digits = recipes.get("vae-digits").dataset()
    healthy = recipes.train(recipes.get("vae-digits"), steps=200, ema=0.98, progress=False).model
    found = {}
    for name, model in (("healthy", healthy), ("suspect", suspect(steps=200))):
        torch.manual_seed(0)
        with torch.no_grad():
            q = model.encode(digits.test.x)
            found[name] = {
                "elbo": metrics.elbo(model, digits.test.x).value,
                "rate": q.kl_to_standard().sum(1).mean().item(),
                "std": q.std.mean().item(),
                "active": active_units(q.mean),
                "psnr": metrics.psnr(model.reconstruct(digits.test.x), digits.test.x).value,
            }
    found["suspect"]["beta"] = model.beta
    return found


def test_measuring_finds_the_fault_and_clears_every_other_suspect(trial):
    """What the feedback tells a reader to measure must speak clearly."""
    healthy, ill = trial["healthy"], trial["suspect"]
    assert ill["elbo"] < healthy["elbo"] - 5, "something is wrong"
    assert ill["rate"] > 2 * healthy["rate"], "the code is far dearer than it should be: not collapse"
    assert ill["active"] == 16, "the decoder listens to every dimension"
    assert ill["std"] > 0.02, "there is noise on the code"
    assert ill["psnr"] > healthy["psnr"], "it saw the right pictures"
    assert ill["beta"] == 1.0, "the fault cannot be read off the model"


def test_the_gradients_find_who_peeks():
    peeks = []
    for name, model in autoregressive_suspects().items():
        x = torch.rand(1, 1, 8, 8, requires_grad=True)
        said = model.network(2 * x - 1).flatten(1, -2)[0].sum(-1)
        seen = torch.stack([torch.autograd.grad(s, x, retain_graph=True)[0].flatten() for s in said])
        peeks += [name] if seen.triu().abs().max() > 0 else []
    assert peeks == ["c"] and check("leak", "c") and not check("leak", "none")


def test_autograd_finds_the_layer_that_lies():
    flow, x, lies = flow_suspect(), torch.randn(5, 2, generator=torch.Generator().manual_seed(0)), []
    for i, layer in enumerate(flow.layers):
        y, log_det = layer(x)
        jacobians = [torch.autograd.functional.jacobian(lambda p, f=layer: f(p[None])[0][0], p) for p in x]
        gap = (torch.linalg.slogdet(torch.stack(jacobians)).logabsdet - log_det).abs()
        lies += [i] if gap.max() > 1e-4 else []
        assert gap.max() < 1e-5 or gap.min() > 1e-3, "a lie is seen at any point"
        torch.testing.assert_close(layer.inverse(y), x, atol=1e-4, rtol=1e-4)
        x = y.detach()
    assert len(flow.layers) == 7 and lies == [5] and check("liar", 5) and not check("liar", 5.5)


def test_the_share_finds_which_head_copies_at_every_distance():
    tokens, weights = unknown_heads()
    last = previous(tokens)
    target = torch.where(last < 0, -1, last + 1)
    worst = {n: min(share(w[i::5, None], target[i::5]).item() for i in range(5)) for n, w in weights.items()}
    assert [n for n, least in worst.items() if least > 0.5] == ["c"] and check("copier", "c")
    assert share(weights["b"][0::5, None], target[0::5]).item() > 0.5, "at distance ten b looks as good"
    assert not check("copier", "b") and not check("copier", "none")


def test_longer_chains_tell_how_the_stranger_was_trained():
    from genkit import metrics, recipes

    model, test = stranger(steps=120), recipes.get("energy-moons").dataset().test.x[:500]
    torch.manual_seed(0)
    noise, few, many = (
        metrics.sliced_wasserstein(x, test).value
        for x in (2.0 * torch.randn(500, 2), model.sample(500), model.sample(500, steps=600))
    )
    assert few < noise / 4, "it was trained, and nothing exploded"
    assert many > 2 * few, "its density is not that of its samples: no persistent chains"
    assert len(model.chains) == 0 and check("upbringing", "short") and not check("upbringing", "persistent")


def test_more_padding_finds_the_translator_that_leaks():
    c, x = torch.tensor([[2, 3, 4]]), torch.tensor([[5, 6, 1]])
    moved = []
    for name, model in translators().items():
        with torch.no_grad():
            moved += [name] if abs(model.log_prob(x, c) - model.log_prob(x, F.pad(c, (0, 9)))) > 1e-4 else []
    assert moved == ["b"] and check("padding_leak", "b")


def test_a_known_gaussian_finds_the_walk_that_lies():
    m, s, ends = 0.5, 0.7, {}

    def guess(x, t):
        alpha, sigma = math.cos(math.pi / 2 * t), math.sin(math.pi / 2 * t)
        clean = m + alpha * s**2 / ((alpha * s) ** 2 + sigma**2) * (x - alpha * m)
        return clean, (x - alpha * clean) / sigma

    for name, walk in walks().items():
        torch.manual_seed(0)
        ends[name] = walk(guess, torch.randn(5000, 1), [0.999 * (1 - k / 100) for k in range(100)] + [0.0])
    assert all(abs(x.mean() - m) < 0.06 for x in ends.values()), "the mean tells nothing"
    assert [n for n, x in ends.items() if abs(x.std() - s) > 0.1] == ["b"]
    assert check("wrong_walk", "b") and not check("wrong_walk", "none")


def test_visited_moods_find_the_wrong_sampler():
    machine, ways = boltzmann_suspects()
    s = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4)
    exact, off = (-machine.energy(s)).softmax(0), {}
    for name, step in ways.items():
        torch.manual_seed(0)
        now, counts = torch.zeros(500, 4), torch.zeros(16)
        for i in range(300):
            now = step(now)
            if i >= 100:
                counts += torch.bincount((now.long() * 2 ** torch.arange(3, -1, -1)).sum(1), minlength=16)
        off[name] = 0.5 * (counts / counts.sum() - exact).abs().sum().item()
    assert off["a"] < 0.02 and off["c"] < 0.02 and off["b"] > 0.1, off
    assert check("sampler", "b") and not check("sampler", "none")


def test_the_suspect_is_the_same_every_time():
    a, b = (suspect(steps=3).state_dict() for _ in range(2))
    assert all(torch.equal(a[k], b[k]) for k in a)


# the notebooks -------------------------------------------------------------------------------------------------------

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_hold_the_stubs_as_they_are(path):
    cells = notebooks.exercise_cells(json.loads(path.read_text(encoding="utf-8")))
    for name, cell in cells.items():
        assert "".join(cell["source"]) == EXERCISES[name].stub, "run: python -m genkit.exercises stubs"
    chapter = f"{path.parent.name}/{path.stem}"
    assert set(cells) == {e.name for e in exercises.CHAPTERS.get(chapter, ())}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_exercise_of_a_notebook_is_checked_and_solved_there(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = "\n".join("".join(c["source"]) for c in notebook["cells"])
    for name in notebooks.exercise_cells(notebook):
        assert f'check("{name}", {name})' in code
        assert f'solution("{name}")' in code


@pytest.fixture
def folder(tmp_path):
    cells = [
        {"cell_type": "code", "id": "a", "metadata": {"exercise": "kl"}, "outputs": [], "source": ["old"]},
        {"cell_type": "code", "id": "b", "metadata": {}, "outputs": [], "source": ["kl(mu, σ)"]},
    ]
    path = tmp_path / "notebooks" / "models" / "vae.ipynb"
    path.parent.mkdir(parents=True)
    text = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(text, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return tmp_path


def _first(path):
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])


def test_the_command_writes_stubs_once(folder, capsys):
    path = folder / "notebooks" / "models" / "vae.ipynb"
    main(["stubs", "--notebooks", str(folder / "notebooks")])
    assert _first(path) == EXERCISES["kl"].stub
    assert str(path) in capsys.readouterr().out
    assert "σ" in path.read_text(encoding="utf-8")
    main(["stubs", "--notebooks", str(folder / "notebooks")])
    assert capsys.readouterr().out == ""


def test_the_command_writes_solutions_beside_and_leaves_the_notebooks_alone(folder):
    path = folder / "notebooks" / "models" / "vae.ipynb"
    before = path.read_bytes()
    main(["solutions", "--notebooks", str(folder / "notebooks"), str(folder / "out")])
    copy = folder / "out" / "models" / "vae.ipynb"
    assert _first(copy) == EXERCISES["kl"].code
    assert path.read_bytes() == before
    scope = {"torch": torch}
    exec(_first(copy), scope)
    assert check("kl", scope["kl"])


def test_a_notebook_with_an_unknown_exercise_is_named(folder):
    path = folder / "notebooks" / "models" / "vae.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace('"kl"', '"kll"'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"vae\.ipynb.*Did you mean 'kl'"):
        notebooks.write_stubs(folder / "notebooks")


def test_the_command_refuses_a_folder_that_is_not_there(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["stubs", "--notebooks", "nowhere"])
    assert stop.value.code == 2
    assert "expected a folder, received nowhere" in capsys.readouterr().err


def test_the_module_runs_as_a_command(folder):
    shutil.rmtree(folder / "out", ignore_errors=True)
    command = [sys.executable, "-W", "error", "-m", "genkit.exercises", "solutions", "--notebooks",
               str(folder / "notebooks"), str(folder / "out")]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert (folder / "out" / "models" / "vae.ipynb").exists()


def test_softmax_is_no_mean():  # the two that readers confuse, apart by more than any tolerance
    w = torch.tensor([[0.0], [-20.0]])
    assert abs(iwae(w) - (F.softmax(w, 0) * w).sum(0)) > 0.5


def test_the_critic_tells_incomplete_data_from_a_collapse():
    from genkit import recipes
    from genkit.exercises.gans import suspect as gan_suspect
    from genkit.metrics.modes import collapse

    data = recipes.get("gan-ring").dataset()
    model, test = gan_suspect(steps=200), data.test
    torch.manual_seed(0)
    found = collapse(model.sample(2000), data.train.x[:2000], test.x[:500])
    with torch.no_grad():
        opinion = model.judge(test.x)
    assert found.alarm and opinion[test.c < 5].mean() > opinion[test.c >= 5].mean() + 1
    assert check("cause", "data") and not check("cause", "collapse") and not check("cause", "none")


def test_the_deviations_and_the_silhouette_find_what_drowns_a_survey():
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    from genkit.exercises.unsupervised import survey

    rows = survey()
    deviation = rows.std(0)
    assert deviation.argmax() == 2 and deviation.max() > 50 * deviation.sort().values[-2]

    def best(x):
        found = {k: KMeans(k, n_init=10, random_state=0).fit_predict(x.numpy()) for k in range(2, 9)}
        return max(found, key=lambda k: silhouette_score(x.numpy(), found[k]))

    assert best(rows) != 4 == best((rows - rows.mean(0)) / deviation)
    assert check("drowning", 2) and check("how_many", 4) and not check("how_many", best(rows))
