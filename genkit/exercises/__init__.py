"""Exercises that answer at once: ``check("kl", kl)``, ``solution("kl")``, ``quiz("models/vae")``."""

import html
import os
from collections.abc import Callable

import torch

from ..names import unknown
from ..show import Html
from . import (
    attention,
    autoregressive,
    bake_off,
    boltzmann,
    decoding,
    deep_learning,
    diffusion,
    discriminative_vs_generative,
    encoders,
    energy_and_discrete,
    family_tree,
    flow_matching,
    flows,
    gans,
    gpt,
    latent_space,
    learning_a_distribution,
    memorisation,
    metrics,
    primer,
    reinforcement,
    seeing_networks,
    self_supervised,
    semi_supervised,
    supervised,
    translation,
    unsupervised,
    vae,
)
from .choice import Choice
from .exam import exam
from .exercise import Exercise, Wrong
from .quiz import quiz, style, ticks
from .verdict import Verdict

CHAPTERS = {
    "learning/primer": primer.EXERCISES,
    "learning/supervised": supervised.EXERCISES,
    "learning/unsupervised": unsupervised.EXERCISES,
    "learning/semi_supervised": semi_supervised.EXERCISES,
    "learning/reinforcement": reinforcement.EXERCISES,
    "learning/self_supervised": self_supervised.EXERCISES,
    "learning/deep_learning": deep_learning.EXERCISES,
    "foundations/discriminative_vs_generative": discriminative_vs_generative.EXERCISES,
    "foundations/learning_a_distribution": learning_a_distribution.EXERCISES,
    "foundations/family_tree": family_tree.EXERCISES,
    "foundations/latent_space": latent_space.EXERCISES,
    "models/vae": vae.EXERCISES,
    "models/autoregressive": autoregressive.EXERCISES,
    "models/attention": attention.EXERCISES,
    "models/gpt": gpt.EXERCISES,
    "models/encoders_and_translators": encoders.EXERCISES,
    "models/decoding": decoding.EXERCISES,
    "models/flows": flows.EXERCISES,
    "models/gans": gans.EXERCISES,
    "models/image_translation": translation.EXERCISES,
    "models/diffusion": diffusion.EXERCISES,
    "models/flow_matching": flow_matching.EXERCISES,
    "models/boltzmann": boltzmann.EXERCISES,
    "models/energy_and_discrete": energy_and_discrete.EXERCISES,
    "models/seeing_networks": seeing_networks.EXERCISES,
    "evaluation/metrics": metrics.EXERCISES,
    "evaluation/bake_off": bake_off.EXERCISES,
    "evaluation/memorisation": memorisation.EXERCISES,
}
EXERCISES: dict[str, Exercise | Choice] = {e.name: e for chapter in CHAPTERS.values() for e in chapter}

__all__ = ["CHAPTERS", "EXERCISES", "Choice", "Exercise", "Verdict", "check", "exam", "quiz", "solution", "stub"]


def check(name: str, answer: Callable | object) -> Verdict:
    """Judge an answer and show ✓, ✗ with a hint, or … where nothing was tried yet.

    It never raises for what the answer does, and leaves the random state as it was. With ``GENKIT_STRICT=1`` it raises
    ``AssertionError`` for any but a right answer: that is how the solutions are tested. An unknown ``name`` raises
    ``ValueError``.

    >>> check("bits_per_dim", lambda nats, dims: -nats / dims)
    ✗ bits_per_dim: not yet. These are nats per dimension: one bit is log 2 nats.
    """
    exercise = _get(name)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            verdict = Verdict(name, "right", exercise.judge(answer) or "")
    except NotImplementedError:
        verdict = Verdict(name, "open")
    except Wrong as wrong:
        verdict = Verdict(name, "wrong", str(wrong))
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())[:200]
        verdict = Verdict(name, "wrong", f"your code stopped with {type(error).__name__}: {text}")
    if os.environ.get("GENKIT_STRICT", "0") not in ("", "0") and not verdict:
        raise AssertionError(repr(verdict))
    return verdict


def solution(name: str) -> Html:
    """Show the reference's own code, folded away, and a box to tick once the exercise is solved."""
    exercise = _get(name)
    chapter, total = next((c, len(those)) for c, those in CHAPTERS.items() if any(e is exercise for e in those))
    code = (
        f'{style()}<details class="gk-solution"><summary>A solution of {html.escape(name)}</summary>'
        f'<pre tabindex="0"><code>{html.escape(exercise.code)}</code></pre></details>{ticks(chapter, name, total)}'
    )
    return Html(code, f"solution of {name}: print(genkit.exercises.EXERCISES[{name!r}].code) shows it")


def stub(name: str) -> str:
    """Return what a reader starts from: the reference without its holes.

    >>> print(stub("iwae"))
    def iwae(log_w):
        \"\"\"The importance-weighted bound, shape (B,), from log-weights of shape (k, B).\"\"\"
        raise NotImplementedError("your lines here")
    """
    return _get(name).stub


def _get(name: str) -> Exercise | Choice:
    if name not in EXERCISES:
        raise unknown("exercise", name, EXERCISES)
    return EXERCISES[name]
