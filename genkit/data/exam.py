"""Answers to one exam question, graded by two markers: the book's own, so that no pupil's words are in it.

The question: *Why do we see phases of the moon?* The scheme gives a mark for each of four ideas and takes one for each
of two errors, 0 to 4 in all. Each marker slips by a mark now and then, independently of the other.

These answers are far more alike than pupils': each idea is said in a few ways, nobody misspells, and all sentences are
whole. What they share with real ones is that words alone do not tell: the same words say an idea and deny it.
"""

import random

import torch

from .dataset import Dataset, Split, digest
from .wording import word_codec

TOP = 4
IDEAS: tuple[tuple[str, ...], ...] = (
    (
        "the moon has no light of its own .", "the moon only reflects the light of the sun .",
        "what we see is sunlight that the moon sends back .", "it does not shine by itself .",
    ),
    (
        "one half of the moon is always lit .", "the side towards the sun is bright .",
        "the sun lights one half , the other half is dark .", "half of it lies in the light at any time .",
    ),
    (
        "the moon goes around the earth .", "it circles the earth once a month .",
        "in a month the moon makes one round about us .", "the earth is circled by the moon .",
    ),
    (
        "we look at the lit half from different sides .", "from the earth we see more or less of the bright half .",
        "so the angle at which we see the lit side changes .", "at new moon the dark half faces us .",
    ),
)  # fmt: skip
ERRORS: tuple[tuple[str, ...], ...] = (
    (
        "the shadow of the earth covers the moon .", "the earth stands in the light and casts a shadow on it .",
        "the phases are made by the shadow of the earth .",
    ),
    (
        "the moon shines by itself , now more and now less .", "the moon makes light of its own .",
        "clouds cover a part of the moon .",
    ),
)  # fmt: skip
EMPTY: tuple[str, ...] = (  # they gain nothing and lose nothing, and some of them sound like an idea or an error
    "the shadow of the earth has nothing to do with it .", "the moon is smaller than the earth .",
    "the moon is beautiful at night .", "the sun is a star .", "we learned this at school .",
    "the full moon is bright .", "the earth goes around the sun once a year .", "clouds may hide the moon .",
    "it is a question of light and dark .", "a month has about thirty days .",
)  # fmt: skip
SLIP = 0.15
"""How often a marker is off by one."""


def vocabulary() -> tuple[str, ...]:
    """Return the end of an answer, then every word of all sentences in the order of the alphabet."""
    every = [sentence for group in (*IDEAS, *ERRORS, EMPTY) for sentence in group]
    return ("", *sorted({word for sentence in every for word in sentence.split()}))


def answer(chance: random.Random) -> tuple[str, int]:
    """Return an answer of somebody who knows some of it, and the mark that the scheme gives.

    >>> answer(random.Random(3))[1]
    0
    """
    able, said, mark = chance.random(), [], 0
    for group, likely, worth in ((IDEAS, able, 1), (ERRORS, 0.5 * (1 - able), -1)):
        for ways in group:
            if chance.random() < likely:
                said, mark = [*said, chance.choice(ways)], mark + worth
    said += chance.sample(EMPTY, chance.randint(0 if said else 1, 3))
    chance.shuffle(said)
    return " ".join(said), min(max(mark, 0), TOP)


def exam(n: int = 1200, seed: int = 0) -> Dataset:
    """Write n different answers; three fifths to learn from, one to choose by, one to be judged on.

    Arguments
        n: answers, 10 to 20,000.
        seed: of the answers, of the markers' slips, and of the order.

    x is int64 of shape (N, T): numbers of words, then 0; c is the first marker's grade, 0 to 4. The factors are
    ``scheme``, the mark without slips, and ``second``, the second marker's grade. ``encode`` takes a text of known
    words to such a row, and ``decode`` a row to its text.
    """
    if not 10 <= n <= 20_000:
        raise ValueError(f"n: expected 10 … 20,000, received {n}")
    chance, found = random.Random(seed), {}
    while len(found) < n:
        found.setdefault(*answer(chance))
    words = vocabulary()
    length = max(len(text.split()) for text in found) + 1
    encode, decode = word_codec(words, length)
    x, scheme = torch.stack([encode(text) for text in found]), torch.tensor(list(found.values()))
    first, second = (_marked(scheme, chance) for _ in range(2))
    held = n // 5
    parts = [
        Split(x[i], first[i], {"scheme": scheme[i], "second": second[i]})
        for i in torch.arange(n).split([n - 2 * held, held, held])
    ]
    return Dataset(
        "exam", *parts, shape=(length,), levels=len(words), classes=tuple("01234"), encode=encode, decode=decode,
        sha256=digest(*parts),
    )  # fmt: skip


def _marked(scheme: torch.Tensor, chance: random.Random) -> torch.Tensor:
    """Return one marker's grades: off by one, up or down, now and then."""
    slips = [chance.choice((-1, 1)) if chance.random() < SLIP else 0 for _ in scheme]
    return (scheme + torch.tensor(slips)).clamp(0, TOP)
