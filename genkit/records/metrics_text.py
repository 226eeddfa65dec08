"""The text half of the chapter on metrics: texts spoiled by degrees, and the spread that a fault is held against."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ..data.text import pydocs
from ..metrics.rouge import rouge_l, rouge_n
from ..metrics.text import distinct, repeated, self_bleu
from ..models.ngram import NGram
from ..spoiling import looped, replaced, shuffled, thinned

CLEAN, DRAWS, TEXTS, SHARES = 20, 3, 60, (0.1, 0.3, 1.0)
"""Clean sets, spoiled sets of each kind, texts in a set, and the shares of them that are spoiled."""


def spread(runs: list[dict[str, float]]) -> dict[str, tuple[float, float]]:
    """Return mean and deviation of every number over runs; a deviation of at least a part in a thousand."""
    found = {}
    for name in runs[0]:
        values = torch.tensor([run[name] for run in runs], dtype=torch.float64)
        mean = values.mean().item()
        found[name] = mean, max(values.std().item(), 1e-3 * abs(mean), 1e-6)
    return found


def scores(usual: dict[str, tuple[float, float]], runs: list[dict[str, float]]) -> dict[str, float]:
    """Return by how many deviations of clean sets the mean of some runs leaves the mean of clean sets."""
    return {
        name: round((sum(run[name] for run in runs) / len(runs) - mean) / deviation, 2)
        for name, (mean, deviation) in usual.items()
    }


@dataclass(frozen=True)
class Library:
    """Texts as words: to learn from, and real ones; and a counting model of the characters."""

    train: list[list[str]]
    real: list[list[str]]
    model: NGram
    encode: Callable[[str], Tensor]


def library(order: int = 5) -> Library:
    """Cut Python's documentation into texts of 30 words, and count its characters."""
    data = pydocs(context=200)
    tokens = torch.cat([data.train.c[:, 0], data.train.x[-1]])
    parts = [data.decode(tokens)] + [
        data.decode(torch.cat([torch.cat([c, x]) for c, x in zip(part.c, part.x[:, :-1], strict=True)]))
        for part in (data.valid, data.test)
    ]
    cut = [[words[i : i + 30] for i in range(0, len(words) - 30, 30)] for words in (part.split() for part in parts)]
    model = NGram(order=order, levels=data.levels)
    return Library(cut[0], cut[1] + cut[2], model.fit(data.encode(" ".join(parts[0].split()))), data.encode)


def read(
    lib: Library, texts: list[list[str]], g: Generator, change: Callable = lambda texts: texts
) -> dict[str, float]:
    """Return what the metrics of text say of texts after a change; ROUGE compares with the texts as they were."""
    made = change(texts)
    log_p = [lib.model.log_prob(lib.encode(" ".join(text))[None])[0, 1:] for text in made]
    summary = change(thinned(texts, 0.1, g))
    return {
        "perplexity": torch.cat(log_p).neg().mean().exp().item(),
        "distinct-2": distinct(made, 2).value,
        "repeated 3-grams": repeated(made, 3).value,
        "self-BLEU": self_bleu(made, 3).value,
        "ROUGE-1": rouge_n(summary, texts, 1).value,
        "ROUGE-L": rouge_l(summary, texts).value,
    }


TEXT_FAULTS: dict[str, Callable] = {
    "words shuffled": lambda lib, share, g: lambda texts: shuffled(texts, share, g),
    "said over and over": lambda lib, share, g: lambda texts: looped(texts, share, g),
    "copied": lambda lib, share, g: lambda texts: replaced(texts, share, g, lib.train),
    "one text for all": lambda lib, share, g: lambda texts: replaced(texts, share, g, lib.real[:1]),
}


def text_matrix(lib: Library, seed: int, draws: int = DRAWS) -> dict[str, list[dict[str, float]]]:
    """Return the z-score of every metric of text on every fault, by the share of texts that have it."""
    g = Generator().manual_seed(seed)

    def some() -> list[list[str]]:
        return [lib.real[i] for i in torch.randperm(len(lib.real), generator=g)[:TEXTS]]

    usual = spread([read(lib, some(), g) for _ in range(CLEAN)])
    return {
        fault: [scores(usual, [read(lib, some(), g, make(lib, share, g)) for _ in range(draws)]) for share in SHARES]
        for fault, make in TEXT_FAULTS.items()
    }
