"""People as judges: pairs of a real and a made picture, the choices of a reader, and what they are worth."""

import base64
import io
import time

import torch
from torch import Tensor

from .base import Estimate
from .metrics import two_way, wilson
from .show import Markdown, say

WIDE = 168
"""How wide a picture is shown, in pixels: a multiple of 8, of 14 and of 28."""


class TwoWay:
    """A two-way choice: which of two pictures is the real one?

    ``left`` and ``right`` have shape (N, C, H, W); on which side the real one stands is drawn from ``seed``. In
    JupyterLab and Colab :meth:`play` shows the pairs one by one with two buttons. On a page without a kernel draw
    ``left`` above ``right``, and write the choices down: :meth:`score` takes them as letters.

    Arguments
        real, made: pictures in [0, 1], both of shape (N, C, H, W), C 1 or 3, N at least 1.
        seed: of the sides.

    >>> game = TwoWay(torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2))
    >>> len(game), game.left.shape
    (3, torch.Size([3, 1, 2, 2]))
    """

    def __init__(self, real: Tensor, made: Tensor, *, seed: int = 0):
        if real.shape != made.shape or real.ndim != 4 or not len(real) or real.shape[1] not in (1, 3):
            raise ValueError(
                f"real, made: expected pictures of one shape (N, C, H, W), received {tuple(real.shape)} and "
                f"{tuple(made.shape)}"
            )
        self._real_left = torch.rand(len(real), generator=torch.Generator().manual_seed(seed)) < 0.5
        side = self._real_left.view(-1, 1, 1, 1)
        self.left, self.right = torch.where(side, real, made), torch.where(side, made, real)
        self.choices = ""

    def __len__(self) -> int:
        return len(self.left)

    def found(self, choices: str) -> int:
        """Return how often the real one was found; choices such as ``"LRRL"`` have a letter for each pair.

        Raises ``ValueError`` for letters other than L and R, none at all, and more of them than pairs.
        """
        letters = choices.upper().replace(" ", "") if isinstance(choices, str) else ""
        if not 0 < len(letters) <= len(self) or set(letters) - {"L", "R"}:
            raise ValueError(f"choices: expected 1 … {len(self)} letters L or R, received {choices!r}")
        return sum((letter == "L") == side for letter, side in zip(letters, self._real_left.tolist(), strict=False))

    def score(self, choices: str) -> Estimate:
        """Return the share of pairs in which the real one was found: a half is what guessing reaches."""
        return two_way(self.found(choices), len(choices.replace(" ", "")))

    def verdict(self, choices: str) -> Markdown:
        """Say the share in a sentence, with Wilson's interval at 95 %, and whether it differs from guessing."""
        right, n = self.found(choices), len(choices.replace(" ", ""))
        low, high = wilson(right, n)
        word = (
            "that is more than guessing"
            if low > 0.5
            else "that is less than guessing"
            if high < 0.5
            else "guessing would explain it as well"
        )
        return say(
            f"The real one was found in **{right} of {n}** pairs, {right / n:.0%}. By Wilson's interval at 95% the "
            f"true share lies in {low:.0%} … {high:.0%}: {word}."
        )

    def play(self, *, pause: float = 0.4):
        """Return a widget that shows the pairs one by one, keeps what is chosen in ``choices``, and says the result.

        Both buttons are reached by Tab and pressed by Enter or Space. A press within ``pause`` seconds of the one
        before does not count: the second half of a double click would judge a pair that nobody has looked at.
        """
        import ipywidgets as widgets

        self.choices, pressed = "", float("-inf")
        sides = ("left", "right")
        pictures = [widgets.HTML() for _ in sides]  # an Image has no text in its place for those who cannot see it
        buttons = [widgets.Button(description=f"{s} is real", layout={"width": f"{WIDE + 2}px"}) for s in sides]
        told = widgets.HTML()

        def turn() -> None:
            i = len(self.choices)
            if i < len(self):
                for picture, side, x in zip(pictures, sides, (self.left, self.right), strict=True):
                    picture.value = _picture(x[i], f"pair {i + 1}, {side}")
                told.value = f"pair {i + 1} of {len(self)}"
            else:
                for button in buttons:
                    button.disabled = True
                told.value = self.verdict(self.choices).plain.replace("**", "")

        def choose(letter: str) -> None:
            nonlocal pressed
            now = time.monotonic()
            if len(self.choices) < len(self) and now - pressed >= pause:
                self.choices += letter
                turn()
            pressed = now

        for button, letter in zip(buttons, "LR", strict=True):
            button.on_click(lambda _, letter=letter: choose(letter))
        turn()
        columns = [widgets.VBox([p, b]) for p, b in zip(pictures, buttons, strict=True)]
        return widgets.VBox([widgets.HBox(columns), told])


def _picture(x: Tensor, alt: str) -> str:
    """Return an element with a picture in [0, 1], shape (C, H, W); none of its pixels is stretched."""
    code = base64.b64encode(_png(x)).decode()
    style = f"width: {WIDE}px; max-width: none; border: 1px solid gray; box-sizing: content-box"
    return f'<img alt="{alt}" style="{style}" src="data:image/png;base64,{code}">'


def _png(x: Tensor) -> bytes:
    """Return a picture in [0, 1], shape (C, H, W), as PNG, dark on light where it is grey, ``WIDE`` pixels wide."""
    from PIL import Image

    levels = (255 * (1 - x if len(x) == 1 else x).clamp(0, 1)).round().byte()
    picture = Image.fromarray(levels[0].numpy() if len(x) == 1 else levels.permute(1, 2, 0).contiguous().numpy())
    buffer = io.BytesIO()
    picture.resize((WIDE, round(WIDE * x.shape[1] / x.shape[2])), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()
