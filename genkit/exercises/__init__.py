"""Exercises that answer at once: ``check("kl", kl)``, ``solution("kl")``, ``quiz("models/vae")``."""

import html
import os
from collections.abc import Callable

from ..names import unknown
from ..show import Html
from . import vae
from .choice import Choice
from .exercise import Exercise, Wrong
from .quiz import quiz, ticks
from .verdict import Verdict

CHAPTERS = {"models/vae": vae.EXERCISES}
EXERCISES: dict[str, Exercise | Choice] = {e.name: e for chapter in CHAPTERS.values() for e in chapter}

__all__ = ["CHAPTERS", "EXERCISES", "Choice", "Exercise", "Verdict", "check", "quiz", "solution"]


def check(name: str, answer: Callable | object) -> Verdict:
    """Judge an answer and show ✓, ✗ with a hint, or … where nothing was tried yet.

    It never raises for what the answer does. With ``GENKIT_STRICT=1`` it raises ``AssertionError`` for any but a right
    answer: that is how the solutions are tested. An unknown ``name`` raises ``ValueError``.
    """
    exercise = _get(name)
    try:
        exercise.judge(answer)
        verdict = Verdict(name, "right")
    except NotImplementedError:
        verdict = Verdict(name, "open")
    except Wrong as wrong:
        verdict = Verdict(name, "wrong", str(wrong))
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        verdict = Verdict(name, "wrong", f"your code stopped with {type(error).__name__}: {text}")
    if os.environ.get("GENKIT_STRICT") and not verdict:
        raise AssertionError(repr(verdict))
    return verdict


def solution(name: str) -> Html:
    """Show the reference's own code, folded away, and a box to tick once the exercise is solved."""
    exercise = _get(name)
    chapter = next(chapter for chapter, exercises in CHAPTERS.items() if exercise in exercises)
    code = (
        f'<details class="gk-solution"><summary>A solution of {html.escape(name)}</summary>'
        f"<pre><code>{html.escape(exercise.code)}</code></pre></details>{ticks(chapter, name)}"
    )
    return Html(code, f"solution of {name}: print(genkit.exercises.EXERCISES[{name!r}].code) shows it")


def _get(name: str) -> Exercise | Choice:
    if name not in EXERCISES:
        raise unknown("exercise", name, EXERCISES)
    return EXERCISES[name]
