"""A self-test: ten answers in, and where to start reading out."""

from collections.abc import Callable, Mapping

from ..show import Html, Markdown, table
from .verdict import MARKS


def start_at(answers: Mapping[str, Callable], sections: Mapping[str, str]) -> tuple[Html, Markdown]:
    """Return a table of verdicts, and a sentence that names the section to start with.

    Arguments
        answers: a reader's function for each exercise.
        sections: the section that teaches each exercise, in reading order.

    >>> start_at({"slope": lambda f, x: x}, {"slope": "Gradients"})[1]
    **0 of 1** are solved. Start with **Gradients**.
    """
    from . import check

    if set(answers) != set(sections):
        raise ValueError(f"answers: expected one for each of {sorted(sections)}, received {sorted(answers)}")
    verdicts = {name: check(name, answers[name]) for name in sections}
    columns = {"exercise": list(verdicts), "answer": [" ".join(MARKS[v.status]) for v in verdicts.values()]}
    columns["is taught in"] = list(sections.values())
    open_ones = list(dict.fromkeys(sections[name] for name, verdict in verdicts.items() if not verdict))
    solved = sum(map(bool, verdicts.values()))
    said = f"**{solved} of {len(verdicts)}** are solved. "
    said += f"Start with **{open_ones[0]}**." if open_ones else ""
    if not open_ones:
        said = "All is solved: you can go on to the next chapter."
    elif len(open_ones) > 1:
        said = said[:-1] + f", then {', '.join(open_ones[1:])}."
    return table(columns, caption="Your answers, and where each is taught."), Markdown(said, said)
