"""A test before a part and one after it: ten ideas, each asked twice in other words, to show what was learned.

Nothing is judged until the last question is answered; then every answer is explained. The test after the part sets its
score beside the one before, idea by idea. All of it stays in the reader's own browser.
"""

import html
import json
from functools import cache

from ..names import unknown
from ..show import Html
from .quiz import FOLDER, answer_of, plain, question_form, script, style

WHEN = ("before", "after")


@cache
def ideas(part: str) -> tuple[dict, ...]:
    """Return a part's ideas: ``{"idea", "before": question, "after": question}``; questions are those of a quiz."""
    path = FOLDER / f"{part}.exam.json"
    if not path.exists():
        raise unknown("part", part, [p.name.removesuffix(".exam.json") for p in FOLDER.glob("*.exam.json")])
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def exam(part: str, when: str) -> Html:
    """Show the test of a part such as ``learning``, ``when`` it begins (``"before"``) or ends (``"after"``)."""
    if when not in WHEN:
        raise unknown("when", when, WHEN)
    asked = [pair[when] for pair in ideas(part)]
    name = f"{part}-{when}"
    forms = "".join(question_form(name, i, question) for i, question in enumerate(asked, 1))
    named = html.escape(json.dumps([pair["idea"] for pair in ideas(part)], ensure_ascii=False))
    answers = "".join(f"<li>{html.escape(answer_of(question))}</li>" for question in asked)
    code = (
        f'{style()}<div class="gk-quiz gk-exam" data-gk-exam="{html.escape(part)}" data-gk-when="{when}" '
        f'data-gk-ideas="{named}">{forms}<p class="gk-score" role="status"></p><div class="gk-compared"></div>'
        f'<p><button type="button" class="gk-again" hidden>Take it again</button></p>'
        f'<details class="gk-answers"><summary>The answers</summary><ol>{answers}</ol></details></div>'
        f"{script()}{_script()}"
    )
    return Html(code, "\n".join(plain(i, question) for i, question in enumerate(asked, 1)))


@cache
def _script() -> str:
    return f"<script>{(FOLDER / 'exam.js').read_text(encoding='utf-8')}</script>"
