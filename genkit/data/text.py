"""Text as windows of characters: what ships with Python, Shakespeare, or a reader's own file."""

import hashlib
import sysconfig
from pathlib import Path

import torch
from torch import Tensor

from .bpe import BytePairs
from .dataset import Dataset, Split
from .download import File, fetch

CONTEXT = 64
ASCII = "\n" + "".join(map(chr, range(32, 127)))
"""The line feed and the 95 printable characters: one alphabet for what ships with any version of Python."""
SHAKESPEARE = File(
    "tinyshakespeare.txt",
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)


def text(
    written: str, *, name: str = "text", context: int = CONTEXT, alphabet: str | None = None, pairs: int | None = None
) -> Dataset:
    """Cut a text into windows of ``context + 1`` tokens: ``c`` is the first of each, ``x`` the rest.

    Nine tenths, in the order of the text, are to learn from, a twentieth each to choose by and to be judged on.
    Training windows begin at every token and are views of one tensor, so they cost no memory; held-out windows
    follow each other, so that no token is counted twice.

    Arguments
        written: the text.
        name: what the data set is called.
        context: tokens to predict in a window, at least 1.
        alphabet: the vocabulary; by default the characters of the text, sorted.
        pairs: tokens are byte pairs instead of characters, so many of them, learnt from the training part.

    ``encode`` turns a string into int64 tokens of shape (T,), ``decode`` such tokens into a string.

    >>> data = text("to be or not to be " * 20, context=8)
    >>> data.decode(data.train.c[0]) + data.decode(data.train.x[0]), data.levels
    ('to be or ', 7)
    """
    if context < 1:
        raise ValueError(f"context: expected at least 1, received {context}")
    if pairs is not None and alphabet is not None:
        raise ValueError(f"alphabet: expected None where tokens are byte pairs, received {alphabet!r}")
    vocabulary = list(alphabet) if alphabet else sorted(set(written))
    number = {character: i for i, character in enumerate(vocabulary)}
    held = len(written) // 20
    parts = (
        written[: len(written) - 2 * held],
        written[len(written) - 2 * held :][:held],
        written[len(written) - held :],
    )

    def encode(string: str) -> Tensor:
        strange = sorted(set(string) - number.keys())
        if strange:
            raise ValueError(f"text: expected only characters of the data, received {''.join(strange)!r}")
        return torch.tensor([number[character] for character in string], dtype=torch.int64)

    def decode(tokens: Tensor) -> str:
        return "".join(vocabulary[i] for i in tokens.flatten().tolist())

    levels = len(vocabulary)
    if pairs is not None:
        learnt = BytePairs(parts[0], vocabulary=pairs)
        encode, decode, levels = learnt.encode, learnt.decode, len(learnt)
    tokens = [encode(part) for part in parts]
    if min(map(len, tokens)) <= context:
        kind = "byte pairs" if pairs is not None else "characters"
        raise ValueError(
            f"data: expected more than {context} {kind} in every part of the text (20 · {context + 1} in all), "
            f"received {len(written)} in all"
        )
    windows = [part.unfold(0, context + 1, step) for part, step in zip(tokens, (1, context, context), strict=True)]
    splits = [Split(w[:, 1:], w[:, :1]) for w in windows]
    sha256 = hashlib.sha256(f"{context} {pairs or ''}\n{written}".encode()).hexdigest()
    return Dataset(
        name, *splits, shape=(context,), levels=levels, encode=encode, decode=decode, sha256=sha256
    )  # fmt: skip


def pydocs(context: int = CONTEXT, pairs: int | None = None) -> Dataset:
    """Load the language reference that ships with Python for its ``help()``: half a million characters.

    It differs between versions of Python, and so do the numbers learnt from it.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise ValueError(
            "data: expected Python's own documentation (pydoc_data); this Python ships without it"
        ) from None
    written = _ascii("\n\n".join(topics[name].strip() for name in sorted(topics)))
    return text(written, name="pydocs", context=context, alphabet=None if pairs else ASCII, pairs=pairs)


def stdlib(context: int = CONTEXT, limit: int = 2_000_000) -> Dataset:
    """Load the source code of Python's standard library, its first ``limit`` characters in the order of file names."""
    if limit < 1:
        raise ValueError(f"limit: expected at least 1, received {limit}")
    found, size = [], 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        found.append(path.read_text(encoding="utf-8"))
        size += len(found[-1])
        if size >= limit:
            break
    if not found:
        raise ValueError("data: expected the source of Python's standard library; this Python ships without it")
    return text(_ascii("\n".join(found))[:limit], name="stdlib", context=context, alphabet=ASCII)


def tiny_shakespeare(context: int = CONTEXT, pairs: int | None = None) -> Dataset:
    """Load 1,115,394 characters of Shakespeare's plays (Karpathy 2015), downloaded once."""
    return text(fetch(SHAKESPEARE).read_text(encoding="utf-8"), name="tiny_shakespeare", context=context, pairs=pairs)


def read_text(path: Path, context: int = CONTEXT) -> Dataset:
    """Load a reader's own text file, in UTF-8."""
    try:
        written = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"data: expected text in UTF-8, received {path} with the byte at {error.start} not of it"
        ) from None
    if not written.strip():
        raise ValueError(f"data: expected a text, received the empty file {path}")
    return text(written, name=path.stem, context=context)


def _ascii(written: str) -> str:
    """Leave out what is not in :data:`ASCII`: a handful of characters would only swell the vocabulary."""
    return "".join(filter(set(ASCII).__contains__, written.expandtabs(4)))
