"""The experiments of the chapter on encoders and translators."""

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from .. import metrics, recipes
from ..data import Dataset, Split
from ..data.locales import DIGITS, KINDS, LOCALES, draw, filled, source_text, written
from ..models.encoders import Masked, Translator, pseudo_log_prob
from ..models.gpt import GPT
from ..models.neighbours import Neighbours
from ..models.ngram import NGram
from ..training import Fit, TrainConfig, fit

SOURCES = (
    "training", "augment", "models.encoders", "models.gpt", "models.ngram", "models.neighbours", "metrics.cloze",
    "metrics.strings", "data.locales", "data.text",
)  # fmt: skip
RECIPES = ("translator-locales", "gpt-locales", "masked-pydocs")
SEEDS = (0, 1, 2)
LONGER = 1000  # steps of the masked model: more than three times as many as on the page
SHARES = (0.0, 0.15, 0.3, 0.5)
WINDOWS = 1000
ORDER, REACH = 6, 3
MASK = 96
LETTERS, LENGTH, STAY = 3, 5, 0.95
"""A language of which everything is known: a first letter, each of three as likely, that every other repeats or not."""
TINY = TrainConfig(steps=200, batch=64, lr=0.02, warmup=10, optimiser="muon")
CAUSAL = TrainConfig(steps=300, batch=16, lr=1.5e-2, warmup=20, optimiser="muon")


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about eight minutes on one thread."""
    results: dict = {
        "translator": [], "decoder only": [], "leaky": [], "masked": [], "masked, longer": [],
        "counted": {}, "tiny": [], "writing": [],
    }  # fmt: skip
    pairs = recipes.get("translator-locales").dataset()
    results["baselines"] = by_rote(pairs)
    tell(f"baselines: {results['baselines']}")
    windows, text = cloze_text()
    results["counted"] = {
        "from the left": curve(metrics.from_the_left(NGram(ORDER, MASK + 1).fit(text)), windows),
        "from both sides": curve(metrics.from_both_sides(Neighbours(REACH, MASK + 1).fit(text)), windows),
    }
    tell(f"counted: {results['counted']}")
    for seed in SEEDS:
        for key, name in (("translator", "translator-locales"), ("decoder only", "gpt-locales")):
            found = recipes.train(recipes.get(name), seed=seed, progress=False)
            results[key].append({**translated(found, recipes.get(name).dataset()), "seconds": round(found.seconds, 1)})
            tell(f"{key}, seed {seed}: {results[key][-1]}")
        results["leaky"].append(leaky(seed, pairs))
        tell(f"leaky, seed {seed}: {results['leaky'][-1]}")
        for key, steps in (
            ("masked", 300), ("masked, longer", LONGER),
        ):  # fmt: skip
            found = recipes.train(recipes.get("masked-pydocs"), seed=seed, steps=steps, progress=False)
            results[key].append({**curve(metrics.by_network(found.model), windows), "seconds": round(found.seconds, 1)})
            tell(f"{key}, seed {seed}: {results[key][-1]}")
            if key == "masked, longer":
                results["writing"].append(writing(found.model, seed, text, windows))
                tell(f"writing, seed {seed}: {results['writing'][-1]}")
        results["tiny"].append(tiny(seed))
        tell(f"tiny, seed {seed}: {results['tiny'][-1]}")
    results["claims"] = {"C12": bert(results), "C16": transformers(results)}
    return results


def translations(model, source: Tensor, dataset: Dataset) -> list[str]:
    """Translate sources greedily, by a translator or by a GPT that writes on from them."""
    knobs = {"length": dataset.shape[0]} if isinstance(model, GPT) else {}
    return [dataset.decode(row) for c in source.split(250) for row in model.sample(len(c), c, temperature=0, **knobs)]


def target_nats(model, split: Split) -> Tensor:
    """Return log p of targets up to their end, nats, shape (N,)."""
    with torch.no_grad():
        return model.log_probs(split.x, split.c).masked_fill(split.x == 0, 0.0).sum(1)


def translated(found: Fit, data: Dataset) -> dict[str, float]:
    """Measure a model on pairs that it has not seen: all, by kind, and on numbers longer than it was taught."""
    test = data.test
    wrote, wanted = translations(found.model, test.c, data), [data.decode(x) for x in test.x]
    right = torch.tensor([a == b for a, b in zip(wrote, wanted, strict=True)]).float()
    rows = {"nats": target_nats(found.model, test).mean().item(), "exact": right.mean().item()}
    rows |= {kind: right[test.factors["kind"] == i].mean().item() for i, kind in enumerate(KINDS)}
    for i, tag in enumerate(LOCALES):
        rows[f"into {tag}"] = right[test.factors["target"] == i].mean().item()
    source, truth = longer_numbers(data, left=isinstance(found.model, GPT))
    again = translations(found.model, source, data)
    rows["longer numbers"] = sum(a == b for a, b in zip(again, truth, strict=True)) / len(truth)
    rows["parameters"] = sum(p.numel() for p in found.model.parameters())
    return {name: round(value, 4) for name, value in rows.items()}


def longer_numbers(data: Dataset, n: int = 200, *, left: bool = False) -> tuple[Tensor, list[str]]:
    """Draw numbers with one digit more than any in training: sources and their translations."""
    chance, pairs = random.Random(1), []
    while len(pairs) < n:
        value, (a, b) = draw("number", chance, digits=(DIGITS + 1, DIGITS + 1)), chance.sample(list(LOCALES), 2)
        pairs.append((data.encode(source_text(value, a, b)), written(value, b)))
    sources, width = [s for s, _ in pairs], data.train.c.shape[1]
    return filled(sources, width=width, left=left), [text for _, text in pairs]


def by_rote(data: Dataset) -> dict[str, float]:
    """Translate without learning: copy the source, or answer as for the training source that is nearest in edits."""
    test, train = data.test, data.train
    wanted = [data.decode(x) for x in test.x]
    copied = [data.decode(c)[6:] for c in test.c]
    nearest = list(wanted)
    for a, b in itertools.permutations(range(len(LOCALES)), 2):
        mine, theirs = ((s.factors["source"] == a) & (s.factors["target"] == b) for s in (test, train))
        near = metrics.edit_distances(test.c[mine], train.c[theirs]).argmin(1)
        for i, x in zip(mine.nonzero()[:, 0].tolist(), train.x[theirs][near], strict=True):
            nearest[i] = data.decode(x)
    found = {"copied": copied, "nearest training source": nearest}
    return {name: round(metrics.exact_match(texts, wanted).value, 4) for name, texts in found.items()}


class Leaky(Translator):
    """A translator that takes padding for text."""

    def real(self, c: Tensor) -> Tensor:
        """Return that all is real."""
        return torch.ones_like(c, dtype=torch.bool)


def leaky(seed: int, data: Dataset) -> dict[str, float]:
    """Train with padding that leaks; translate sources filled up as in training, and each as it is, without padding."""
    recipe = recipes.get("translator-locales")
    torch.manual_seed(seed)
    model = Leaky(**{k: v for k, v in recipe.arguments.items() if k != "network"})
    fit(model, data.train, replace(recipe.config(), seed=seed), progress=False)
    model.eval()
    split = Split(data.test.x[:400], data.test.c[:400])
    wanted = [data.decode(x) for x in split.x]
    as_taught = translations(model, split.c, data)
    alone = [data.decode(model.sample(1, c[None, c != 0], temperature=0)) for c in split.c]
    return {
        "as in training": round(metrics.exact_match(as_taught, wanted).value, 4),
        "without padding": round(metrics.exact_match(alone, wanted).value, 4),
    }


def cloze_text() -> tuple[Tensor, Tensor]:
    """Return held-out windows, (N, 65), and the training text, (T,)."""
    docs = recipes.get("masked-pydocs").dataset()
    rows = torch.cat([docs.test.c, docs.test.x], 1)
    pick = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:WINDOWS]
    return rows[pick.sort().values], torch.cat([docs.train.c[0], docs.train.x[:, -1]])


def curve(fill, windows: Tensor) -> dict[str, float]:
    """Measure the accuracy in gaps: one in a window, and shares of it."""
    found = {}
    for share in SHARES:
        rows = windows if share == 0 else windows[:200]
        found[str(share)] = round(metrics.cloze(fill, rows, metrics.gaps(rows, share), mask=MASK).value, 4)
    return found


def tiny_language(n: int, seed: int) -> Tensor:
    """Draw words of the tiny language, int64 of shape (n, LENGTH)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(LETTERS, (n, LENGTH), generator=generator)
    stay = torch.rand(n, LENGTH, generator=generator) < STAY
    return torch.where(stay, x[:, :1], x)


def tiny(seed: int) -> dict[str, float]:
    """Train a masked and a causal model on the tiny language; add up what they give to all its strings."""
    x = tiny_language(2000, seed)
    every = torch.tensor(list(itertools.product(range(LETTERS), repeat=LENGTH)))
    shape = {"vocabulary": LETTERS, "context": LENGTH, "width": 32, "heads": 2, "layers": 2}
    torch.manual_seed(seed)
    models = Masked(**shape), GPT(**shape)
    untrained = models[1].log_prob(every).exp().sum().item()
    for model in models:
        fit(model, Split(x), replace(TINY, seed=seed), progress=False)
    both, causal = models
    with torch.no_grad():
        found = {
            "masked": pseudo_log_prob(both, every).exp().sum().item(),
            "causal": causal.log_prob(every).exp().sum().item(),
            "causal, untrained": untrained,
        }
    truth = language_log_prob(every)
    torch.manual_seed(seed)
    for sweeps in (1, 10):
        drawn = both.sample(3000, sweeps=sweeps)
        found[f"Gibbs, {sweeps}"] = distance(drawn, truth)
    found["causal draws"] = distance(causal.sample(3000, length=LENGTH), truth)
    return {name: round(value, 4) for name, value in found.items()}


def language_log_prob(x: Tensor) -> Tensor:
    """Return the true log-probability of words of the tiny language, nats, shape (N,)."""
    same = (x[:, 1:] == x[:, :1]).float()
    other = (1 - STAY) / LETTERS
    return (same * (STAY + other) + (1 - same) * other).log().sum(1) - math.log(LETTERS)


def distance(drawn: Tensor, log_p: Tensor) -> float:
    """Return the total variation between the shares of drawn words and the true probabilities of all words."""
    place = (drawn * LETTERS ** torch.arange(LENGTH - 1, -1, -1)).sum(1)
    shares = torch.bincount(place, minlength=LETTERS**LENGTH) / len(drawn)
    return 0.5 * (shares - log_p.exp()).abs().sum().item()


def writing(model: Masked, seed: int, text: Tensor, windows: Tensor) -> dict[str, float]:
    """Let one block write, trained in three ways and not at all; an n-gram judges, nats a letter."""
    docs = recipes.get("masked-pydocs").dataset()
    judge = NGram(ORDER, MASK).fit(text)
    torch.manual_seed(seed)
    causal = GPT(vocabulary=MASK, context=64, width=64, heads=2, layers=3)
    with torch.no_grad():
        before = causal.log_probs(docs.test.x[:200], docs.test.c[:200]).mean().item()
    start = windows[:32, :1]
    texts = {"real": windows[:32, 1:], "untrained": causal.sample(32, start)}
    fit(causal, docs.train, replace(CAUSAL, seed=seed), progress=False)
    with torch.no_grad():
        after = causal.log_probs(docs.test.x[:200], docs.test.c[:200]).mean().item()
    texts["causal"] = causal.sample(32, start)
    texts["masked, one sweep"] = model.sample(32, start, sweeps=1)
    texts["masked, five sweeps"] = model.sample(32, start, sweeps=5)
    found = {name: judge.log_prob(torch.cat([start, x], 1))[:, 1:].mean().item() for name, x in texts.items()}
    found |= {"held out, untrained": before, "held out, trained": after}
    return {name: round(value, 4) for name, value in found.items()}


def _mean(runs: list[dict], name: str) -> float:
    return sum(run[name] for run in runs) / len(runs)


def bert(results: dict) -> str:
    """Put claim C12 in a sentence, from the record's own numbers."""
    total, one = _mean(results["tiny"], "masked"), _mean(results["tiny"], "causal")
    return (
        f"False. Every prediction depends on the tokens of both sides. What it gives to all strings of a "
        f"tiny language adds up to {total:.2f}, where a causal model's probabilities add up to {one:.2f}: it has no "
        f"probability of a text. Gibbs sampling draws from it all the same: after five sweeps its text costs a judge "
        f"{-_mean(results['writing'], 'masked, five sweeps'):.2f} nats a letter, a causal model's "
        f"{-_mean(results['writing'], 'causal'):.2f}."
    )


def transformers(results: dict) -> str:
    """Put claim C16 in a sentence, from the record's own numbers."""
    before, after = (-_mean(results["writing"], f"held out, {when}") for when in ("untrained", "trained"))
    return (
        f"Half right. A causal transformer is a distribution over texts before its first step: the probabilities of "
        f"all strings add up to {_mean(results['tiny'], 'causal, untrained'):.2f}, and it can be drawn from. It is a "
        f"bad one: {before:.2f} nats a letter on held-out text, where {math.log(MASK):.2f} are those of an even "
        f"choice, and {after:.2f} once trained. What training decides is what it is a good distribution of."
    )
