"""What ``check`` shows: a mark, the exercise's name, and a hint."""

import html

from .quiz import style

MARKS = {"right": ("✓", "right"), "wrong": ("✗", "not yet"), "open": ("…", "not tried yet")}


class Verdict:
    """The outcome of a check, displayed by notebooks as one line."""

    def __init__(self, name: str, status: str, hint: str = ""):
        self.name, self.status, self.hint = name, status, hint[:1].upper() + hint[1:]

    def __bool__(self) -> bool:
        return self.status == "right"

    def __repr__(self) -> str:
        mark, word = MARKS[self.status]
        return f"{mark} {self.name}: {word}" + (f". {self.hint}" if self.hint else "")

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        mark, word = MARKS[self.status]
        hint = f" {html.escape(self.hint)}" if self.hint else ""
        name = html.escape(self.name)
        code = f'{style()}<p class="gk-verdict gk-{self.status}" role="status"><b>{mark} {name}: {word}.</b>{hint}</p>'
        return {"text/html": code, "text/plain": repr(self)}
