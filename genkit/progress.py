"""How far a training run is: a bar where somebody watches, and one line that stays."""

import os

from tqdm.auto import tqdm as notebook_tqdm
from tqdm.std import tqdm as plain_tqdm


class Bar:
    """A progress bar where somebody watches, and one line of text that stays.

    A notebook that is run for the book, or tested, has nobody watching: there the bar is left out, since a page
    keeps every state it went through.
    """

    def __init__(self, steps: int, done: int, *, shown: bool):
        self.shown = shown
        watched = shown and not os.environ.get("GENKIT_UNWATCHED")
        kind = notebook_tqdm if _in_notebook() else plain_tqdm
        self.bar = kind(total=steps, initial=done, leave=False, disable=not watched)

    def update(self, step: int, history: dict[str, list[float]]) -> None:
        """Move the bar to ``step`` and show the latest loss and score of the history."""
        self.bar.update(step - self.bar.n)
        self.bar.set_postfix(_latest(history))

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def tell(self, history: dict[str, list[float]], seconds: float, best_step: int | None) -> None:
        """Print the line that stays."""
        if self.shown:
            steps = int(history["step"][-1]) if history else 0
            best = "" if best_step is None else f"; best on validation at step {best_step}"
            latest = ", ".join(f"{name} {value:.2f}" for name, value in _latest(history).items())
            print(f"{steps} steps in {seconds:.0f} s: {latest}{best}")


def _latest(history: dict[str, list[float]]) -> dict[str, float]:
    return {n.removeprefix("model/"): v[-1] for n, v in history.items() if n.endswith("/loss") or n == "score"}


def _in_notebook() -> bool:
    try:
        return get_ipython().__class__.__name__ == "ZMQInteractiveShell"  # defined by IPython alone
    except NameError:
        return False
