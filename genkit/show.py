"""What a cell shows: a figure with its alternative text, a computed sentence, a table of estimates.

All of it is plain HTML or Markdown, so it reads the same in the book, in JupyterLab and in Colab.
"""

import base64
import html
import io
import re
import struct
import wave as wavefile
from collections.abc import Mapping, Sequence

from .base import Estimate


class Html:
    """A piece of HTML with a plain-text version, displayed by notebooks."""

    def __init__(self, code: str, plain: str):
        self.code, self.plain = code, plain

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.code, "text/plain": self.plain}

    def __repr__(self) -> str:
        return self.plain


class Markdown(Html):
    """A sentence in Markdown."""

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": self.code, "text/plain": self.plain}


def say(sentence: str) -> Markdown:
    """Show a sentence that the cell computed. Markdown may be used.

    >>> say(f"Two and two make **{2 + 2}**.")
    Two and two make **4**.
    """
    sentence = _minus(sentence)
    return Markdown(sentence, sentence)


def show(axes, *, alt: str) -> Html:
    """Show the figure of some matplotlib axes as a picture whose alternative text is ``alt``.

    Raises ``ValueError`` for an ``alt`` that says nothing: a reader who cannot see the figure needs it.
    """
    if len(alt.strip()) < 20:
        raise ValueError(f"alt: expected a sentence that says what the figure shows, received {alt!r}")
    from .plots import png

    figure = getattr(axes, "figure", axes)
    buffer = io.BytesIO()
    width = png(figure, buffer)
    data = base64.b64encode(buffer.getvalue()).decode()
    picture = f'<img class="gk-figure" src="data:image/png;base64,{data}" width="{width}" alt="{html.escape(alt)}">'
    return Html(picture, f"[figure: {alt}]")


def sound(wave: Sequence[float], *, rate: int, label: str) -> Html:
    """Show a player for a sound: samples in [0, 1], silence at a half, ``rate`` of them a second.

    >>> sound([0.5, 0.9, 0.5, 0.1], rate=4000, label="a short click")
    [sound: a short click]
    """
    if rate < 1:
        raise ValueError(f"rate: expected at least 1, received {rate}")
    pressure = [max(-1.0, min(1.0, 2 * float(v) - 1)) for v in wave]
    buffer = io.BytesIO()
    with wavefile.open(buffer, "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(pressure)}h", *(round(32767 * v) for v in pressure)))
    data = base64.b64encode(buffer.getvalue()).decode()
    name = html.escape(label)
    code = (
        f'<figure class="gk-sound"><figcaption>{name}</figcaption>'
        f'<audio controls preload="metadata" aria-label="{name}" src="data:audio/wav;base64,{data}"></audio></figure>'
    )
    return Html(code, f"[sound: {label}]")


def table(columns: Mapping[str, Sequence], *, caption: str) -> Html:
    """Show columns of names, numbers and estimates as a table; numbers get two decimals.

    >>> table({"model": ["VAE"], "nats": [Estimate(-90.123, 0.5)]}, caption="Held out.")
    Held out.
    model | nats
    VAE | −90.12 ± 0.50
    """
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"columns: expected columns of one length, received {lengths}")
    caption = _minus(caption)
    body = [[_cell(value) for value in row] for row in zip(*columns.values(), strict=True)]
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    lines = []
    for first, *rest in body:
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
        lines.append(f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>')
    code = (
        f'<div class="gk-table" tabindex="0" role="region" aria-label="{html.escape(caption)}"><table class="table">'
        f"<caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )
    return Html(code, "\n".join([caption, " | ".join(columns), *(" | ".join(row) for row in body)]))


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, Estimate):
        value = Estimate(value.value, value.stderr)  # the unit stands in the heading
    return _minus(f"{value:.2f}")


def _minus(text: str) -> str:
    """Write negative numbers with a minus sign, as print does: a hyphen is shorter, and breaks at the end of a line."""
    return re.sub(r"(?<![\w−-])-(?=\d)", "−", text)
