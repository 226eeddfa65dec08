"""An exercise whose answer is a word or a number that the reader finds by measuring."""

from dataclasses import dataclass

from .exercise import Wrong, as_number

TODO = "..."


@dataclass(frozen=True)
class Choice:
    """A question with one right answer and feedback for each wrong one.

    Arguments
        name: what ``check`` and ``solution`` know it by.
        stars: 1 to 3.
        variable: the variable that holds the answer in the notebook.
        right: the answer: a word or a number.
        wrong: feedback for answers that suggest themselves.
        other: feedback for any other answer.
        why: how one finds out; the comment above the answer in the solution.
        tolerance: how far a number may be off, relative to the right one.
    """

    name: str
    stars: int
    variable: str
    right: str | float
    wrong: dict[str | float, str]
    other: str
    why: str
    tolerance: float = 0.0

    def judge(self, answer: object) -> str:
        """Return the reason for the right answer; raise :class:`Wrong` with feedback for another."""
        if answer is ... or answer is None:
            raise NotImplementedError
        if isinstance(self.right, str):
            if not isinstance(answer, str):
                raise Wrong(f"expected a word in quotes, received {type(answer).__name__}.")
            answer = answer.strip().lower()
        else:
            number = as_number(answer)
            if number is None:
                raise Wrong(f"expected a number, received {type(answer).__name__}.")
            answer = number
        if self._is(answer, self.right):
            return f"{self.why}."
        raise Wrong(next((text for value, text in self.wrong.items() if self._is(answer, value)), self.other))

    def _is(self, answer: str | float, value: str | float) -> bool:
        if isinstance(value, str):
            return answer == value
        return abs(answer - value) <= self.tolerance * abs(value)

    @property
    def code(self) -> str:
        """The line that answers, with the reason above it."""
        return f"# {self.why}\n{self.variable} = {self.right!r}"

    @property
    def stub(self) -> str:
        """The line to be filled in."""
        return f"{self.variable} = {TODO}"
