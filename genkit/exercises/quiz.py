"""Quizzes: plain forms from JSON, answered at once, remembered by the reader's own browser.

A form of our own instead of a library's: it works by keyboard and screen reader, from ``file://``, without any other
host, keeps what was answered, and prints with its answers.
"""

import html
import json
from functools import cache
from pathlib import Path

from ..names import unknown
from ..show import Html

FOLDER = Path(__file__).parent


@cache
def questions(chapter: str) -> tuple[dict, ...]:
    """Return a chapter's questions: ``{"question", "options": [{"text", "right", "feedback"}, …]}``."""
    name = chapter.split("/")[-1]
    path = FOLDER / f"{name}.quiz.json"
    if not path.exists():
        raise unknown("chapter", chapter, [p.name.removesuffix(".quiz.json") for p in FOLDER.glob("*.quiz.json")])
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def quiz(chapter: str) -> Html:
    """Show the quiz of a chapter such as ``models/vae``."""
    asked = questions(chapter)
    forms = "".join(_question(chapter, i, question) for i, question in enumerate(asked, 1))
    answers = "".join(f"<li>{html.escape(_right(question)['text'])}</li>" for question in asked)
    code = (
        f'<div class="gk-quiz" data-gk-quiz="{html.escape(chapter)}" data-gk-total="{len(asked)}">{forms}'
        f'<p class="gk-score" role="status"></p>'
        f'<details class="gk-answers"><summary>All answers</summary><ol>{answers}</ol></details></div>{script()}'
    )
    plain = "\n".join(f"{i}. {question['question']}" for i, question in enumerate(asked, 1))
    return Html(code, plain)


def ticks(chapter: str, exercise: str) -> str:
    """Return a box that a reader ticks once an exercise is solved, and the script that remembers it."""
    name = html.escape(f"{chapter}/{exercise}")
    return (
        f'<label class="gk-tick"><input type="checkbox" data-gk-exercise="{html.escape(exercise)}" '
        f'data-gk-chapter="{html.escape(chapter)}" name="{name}"> I solved {html.escape(exercise)}</label>{script()}'
    )


@cache
def script() -> str:
    """Return the script that answers and remembers; a page may hold it many times, it works once."""
    return f"<script>{(FOLDER / 'progress.js').read_text(encoding='utf-8')}</script>"


def _question(chapter: str, number: int, question: dict) -> str:
    options = []
    for i, option in enumerate(question["options"]):
        right = "true" if option.get("right") else "false"
        options.append(
            f'<label class="gk-option"><input type="radio" name="{html.escape(chapter)}-{number}" value="{i}" '
            f'data-right="{right}"> <span>{html.escape(option["text"])}</span></label>'
            f'<p class="gk-feedback" data-for="{i}" hidden>{html.escape(option["feedback"])}</p>'
        )
    legend = f"{number}. {html.escape(question['question'])}"
    return (
        f'<fieldset class="gk-question" data-gk-question="{number}"><legend>{legend}</legend>'
        f'{"".join(options)}<p class="gk-said" role="status"></p></fieldset>'
    )


def _right(question: dict) -> dict:
    return next(option for option in question["options"] if option.get("right"))
