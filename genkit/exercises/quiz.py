"""Quizzes: plain forms from JSON, answered at once, remembered by the reader's own browser.

A form of our own instead of a library's: it works by keyboard and screen reader, from ``file://``, without any other
host, keeps what was answered, and prints with its answers. Questions are plain text: mathematics is written in
Unicode (μ, σ², log p), which reads the same everywhere and asks for no typesetter.
"""

import html
import json
import zlib
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
        raise unknown("chapter", name, [p.name.removesuffix(".quiz.json") for p in FOLDER.glob("*.quiz.json")])
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def quiz(chapter: str) -> Html:
    """Show the quiz of a chapter such as ``models/vae``."""
    asked = questions(chapter)
    forms = "".join(question_form(chapter, i, question) for i, question in enumerate(asked, 1))
    answers = "".join(f"<li>{html.escape(answer_of(question))}</li>" for question in asked)
    code = (
        f'{style()}<div class="gk-quiz" data-gk-quiz="{html.escape(chapter)}">{forms}'
        f'<p class="gk-score" role="status"></p>'
        f'<details class="gk-answers"><summary>The answers</summary><ol>{answers}</ol></details></div>{script()}'
    )
    return Html(code, "\n".join(plain(i, question) for i, question in enumerate(asked, 1)))


def ticks(chapter: str, exercise: str, total: int) -> str:
    """Return a box that a reader ticks once an exercise is solved, and the script that remembers it.

    ``total`` is the number of the chapter's exercises.
    """
    name = html.escape(f"{chapter}/{exercise}")
    return (
        f'<label class="gk-tick"><input type="checkbox" autocomplete="off" data-gk-exercise="{html.escape(exercise)}" '
        f'data-gk-chapter="{html.escape(chapter)}" data-gk-total="{total}" name="{name}"> '
        f"I solved {html.escape(exercise)}</label>{script()}"
    )


@cache
def script() -> str:
    """Return the script that answers and remembers; a page may hold it many times, it works once."""
    return f"<script>{(FOLDER / 'progress.js').read_text(encoding='utf-8')}</script>"


@cache
def style() -> str:
    """Return what verdicts, solutions and quizzes look like where the book's own style sheet is not at hand."""
    return f"<style>{(FOLDER / 'exercises.css').read_text(encoding='utf-8')}</style>"


def identity(question: dict) -> str:
    """Return a name made of a question's words: another question has another one."""
    words = "\n".join([question["question"], *(option["text"] for option in question["options"])])
    return f"{zlib.crc32(words.encode()):08x}"


def question_form(chapter: str, number: int, question: dict) -> str:
    """Return the form of one question; ``chapter`` tells its buttons from those of others on the page."""
    options = []
    for i, option in enumerate(question["options"]):
        right = "true" if option["right"] else "false"
        options.append(
            f'<label class="gk-option"><input type="radio" autocomplete="off" name="{html.escape(chapter)}-{number}" '
            f'value="{i}" data-right="{right}"> <span>{html.escape(option["text"])}</span></label>'
            f'<p class="gk-feedback" data-for="{i}" hidden>{html.escape(option["feedback"])}</p>'
        )
    legend = f"{number}. {html.escape(question['question'])}"
    return (
        f'<fieldset class="gk-question" data-gk-question="{number}" data-gk-id="{identity(question)}">'
        f'<legend>{legend}</legend>{"".join(options)}<p class="gk-said" role="status"></p></fieldset>'
    )


def answer_of(question: dict) -> str:
    """Return the right answer of a question, with its explanation."""
    right = next(option for option in question["options"] if option["right"])
    return f"{right['text']}. {right['feedback']}"


def plain(number: int, question: dict) -> str:
    """Return a question as plain text."""
    options = "".join(f"\n   {letter}) {o['text']}" for letter, o in zip("abcdefgh", question["options"], strict=False))
    return f"{number}. {question['question']}{options}"
