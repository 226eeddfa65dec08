"""One idea: a name that is not known is answered with the nearest one that is."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(argument: str, received: object, known: Iterable[str]) -> ValueError:
    """Build the ``ValueError`` for a name that is none of ``known``.

    >>> raise unknown("data", "digit", ["digits", "glyphs"])
    Traceback (most recent call last):
        ...
    ValueError: data: expected one of digits, glyphs; received 'digit'. Did you mean 'digits'?
    """
    known = sorted(known)
    near = get_close_matches(str(received), known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return ValueError(f"{argument}: expected one of {', '.join(known)}; received {received!r}.{hint}")
