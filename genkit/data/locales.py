"""Dates and numbers as they are written in four places of the world: a small translation whose answers are known.

Babel writes them by the Unicode consortium's locale data, so every pair is right, and new ones can always be drawn.
"""

import datetime
import itertools
import random
from collections.abc import Sequence
from decimal import Decimal

import torch
from torch import Tensor

from .dataset import Dataset, Split, digest

LOCALES = {"en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES"}
"""Each tag and the locale that it stands for."""
KINDS = ("date", "number")
PAD, END = 0, 1
"""What fills a row up, and what ends a text: tokens that stand for no character."""
FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
DIGITS = 7  # before the decimal point, at most

Value = datetime.date | Decimal


def written(value: Value, tag: str) -> str:
    """Write a date or a number as the locale of ``tag`` does.

    >>> import datetime, decimal
    >>> [written(datetime.date(2031, 3, 5), tag) for tag in ("en", "de", "es")]
    ['March 5, 2031', '5. März 2031', '5 de marzo de 2031']
    >>> [written(decimal.Decimal("-1234.5"), tag) for tag in ("en", "de")]
    ['-1,234.5', '-1.234,5']
    """
    from babel.dates import format_date
    from babel.numbers import format_decimal

    if tag not in LOCALES:
        raise ValueError(f"tag: expected one of {', '.join(LOCALES)}, received {tag!r}")
    if isinstance(value, datetime.date):
        return format_date(value, format="long", locale=LOCALES[tag])
    return format_decimal(value, locale=LOCALES[tag])


def source_text(value: Value, source: str, target: str) -> str:
    """Write what a translator reads: from which locale, to which, and the text.

    >>> import decimal
    >>> source_text(decimal.Decimal("0.5"), "de", "fr")
    'de>fr 0,5'
    """
    return f"{source}>{target} {written(value, source)}"


def draw(kind: str, chance: random.Random, *, digits: tuple[int, int] = (1, DIGITS)) -> Value:
    """Draw a day of the years 1900 to 2099, or a number of up to two decimals, a quarter of them negative.

    Arguments
        digits: the fewest and the most digits before the decimal point.
    """
    if kind == "date":
        return datetime.date.fromordinal(chance.randint(FIRST.toordinal(), LAST.toordinal()))
    if kind != "number":
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, received {kind!r}")
    size, decimals = chance.randint(*digits), chance.choice((0, 1, 2))
    whole = chance.randint(10 ** (size - 1) if size > 1 else 0, 10**size - 1)
    value = Decimal(whole * 10**decimals + chance.randrange(10**decimals)).scaleb(-decimals)
    return -value if chance.random() < 0.25 else value


def locales(train: int = 12_000, held: int = 1_000, seed: int = 0, pad: str = "right") -> Dataset:
    """Draw dates and numbers and write each in two locales.

    Arguments
        train, held: pairs to learn from, and to be judged on; half as many as the latter to choose by.
        seed: of the draws.
        pad: the side on which sources are filled up: ``"right"``, or ``"left"`` for a model that writes on from them.

    c holds sources such as ``"en>de March 5, 2031"``, int64 of shape (N, S), filled up with the token 0. x holds
    targets such as ``"5. März 2031"``, the token 1 that ends them, then zeros: int64 of shape (N, T). Every date and
    number is in one split alone, in one direction. ``factors`` are the index of ``kind`` in KINDS, and those of the
    ``source`` and ``target`` locale in LOCALES.

    ``encode`` turns a string into int64 tokens of shape (T,) without end; ``decode`` such tokens, up to their end and
    without what fills them up, into a string.
    """
    for name, number in (("train", train), ("held", held)):
        if number < 2:
            raise ValueError(f"{name}: expected at least 2, received {number}")
    if pad not in ("left", "right"):
        raise ValueError(f"pad: expected 'left' or 'right', received {pad!r}")
    chance, values = random.Random(seed), {}
    while len(values) < train + held + held // 2:
        value = draw(chance.choice(KINDS), chance)
        values.setdefault(value + 0 if isinstance(value, Decimal) else value)  # + 0: minus zero is zero
    pairs = [(value, *chance.sample(list(LOCALES), 2)) for value in values]
    sources = [source_text(*pair) for pair in pairs]
    targets = [written(value, target) for value, _, target in pairs]
    vocabulary = sorted(set("".join(sources + targets)))
    number = {character: i for i, character in enumerate(vocabulary, start=2)}

    def encode(string: str) -> Tensor:
        strange = sorted(set(string) - number.keys())
        if strange:
            raise ValueError(f"text: expected only characters of the data, received {''.join(strange)!r}")
        return torch.tensor([number[character] for character in string], dtype=torch.int64)

    def decode(tokens: Tensor) -> str:
        text = ""
        for token in tokens.flatten().tolist():
            if token == END:
                break
            text += vocabulary[token - 2] if token != PAD else ""
        return text

    c = filled([encode(text) for text in sources], left=pad == "left")
    x = filled([torch.cat([encode(text), torch.tensor([END])]) for text in targets])
    factors = {
        "kind": torch.tensor([int(isinstance(value, Decimal)) for value, *_ in pairs]),
        "source": torch.tensor([list(LOCALES).index(source) for _, source, _ in pairs]),
        "target": torch.tensor([list(LOCALES).index(target) for *_, target in pairs]),
    }
    edges = (0, train, train + held // 2, len(pairs))
    splits = [
        Split(x[a:b], c[a:b], {name: f[a:b] for name, f in factors.items()}) for a, b in itertools.pairwise(edges)
    ]
    return Dataset(
        "locales", *splits, shape=(x.shape[1],), levels=len(vocabulary) + 2, encode=encode, decode=decode,
        sha256=digest(*splits),
    )  # fmt: skip


def filled(rows: Sequence[Tensor], *, width: int | None = None, left: bool = False) -> Tensor:
    """Fill rows of tokens up to one length with the token 0: int64 of shape (N, width).

    >>> filled([torch.tensor([5, 6]), torch.tensor([7])])
    tensor([[5, 6],
            [7, 0]])
    """
    longest = max(len(row) for row in rows)
    width = longest if width is None else width
    if width < longest:
        raise ValueError(f"width: expected at least {longest}, the longest row, received {width}")
    out = torch.full((len(rows), width), PAD, dtype=torch.int64)
    for i, row in enumerate(rows):
        out[i, width - len(row) if left else 0 :][: len(row)] = row
    return out
