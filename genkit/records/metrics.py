"""The experiments of the chapter on metrics: good samples are spoiled by degrees, and every metric is asked."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .. import metrics, spoiling
from ..data import load
from ..metrics.class_counts import missing_share, worst_class
from ..metrics.classifier_score import taught
from ..nn import classifier
from .metrics_text import CLEAN, DRAWS, library, scores, spread, text_matrix

SOURCES = (
    "spoiling", "records.metrics_text", "metrics.images", "metrics.inception", "metrics.kernels", "metrics.manifold",
    "metrics.copying", "metrics.classifier_score", "metrics.class_counts", "metrics.extrapolate", "metrics.two_sample",
    "metrics.text", "metrics.rouge", "metrics.votes", "models.ngram", "data.glyphs", "data.text", "nn.classifier",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2)
LETTERS, RARE, SHARE = "ABEGKMQRSW", "Q", 0.02
SIZE = 500
SIZES, RARE_SIZES = (100, 200, 400, 800, 1600), (60, 120, 250, 500)
LIMIT = 3.0
"""A fault is noticed where a metric leaves the mean of clean sets by more than so many of their deviations."""


@dataclass(frozen=True)
class Letters:
    """Pictures of shape (N, 1, 28, 28) with their letters and fonts, int64 of shape (N,)."""

    x: Tensor
    letter: Tensor
    font: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows) -> "Letters":
        return Letters(self.x[rows], self.letter[rows], self.font[rows])


@dataclass(frozen=True)
class World:
    """Training letters, real letters to compare with, and a pool of more real letters that play the samples."""

    train: Letters
    real: Letters
    pool: Letters


def world(seed: int = 0, draws: int = 40) -> World:
    """Draw ten letters in eighteen fonts, of which the letter Q makes up 2 %, and part them in three."""
    data, generator = load("glyphs", letters=LETTERS, draws=draws, seed=seed), Generator().manual_seed(seed)
    parts = (data.train, data.valid, data.test)
    x = torch.cat([p.x for p in parts])
    letter, font = (torch.cat([p.factors[name] for p in parts]) for name in ("letter", "font"))
    order = torch.randperm(len(x), generator=generator)
    rare = letter[order] == LETTERS.index(RARE)
    common = order[~rare]
    few = order[rare][: round(SHARE / (1 - SHARE) * len(common))]
    cut = round(SHARE * SIZE)
    groups = zip(
        common.split([SIZE - cut, SIZE - cut, len(common) - 2 * (SIZE - cut)]),
        few.split([cut, cut, len(few) - 2 * cut]),
        strict=True,
    )
    sets = [torch.cat(pair) for pair in groups]
    return World(*(Letters(x, letter, font)[rows] for rows in sets))


# the metrics ----------------------------------------------------------------------------------------------------------

JUDGES = (
    "Fréchet distance", "KID", "class score", "precision", "recall", "density", "coverage", "sliced Wasserstein",
    "sharpness", "copying z", "teaching", "worst class",
)  # fmt: skip


def seen(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the classifier's features, shape (N, 48), and p(y | x), shape (N, 26), of letters."""
    judge = classifier("glyphs")
    with torch.no_grad():
        features = torch.cat([judge.features(part) for part in x.split(500)])
        return features, judge.head(features).softmax(1)


def asked(w: World, samples: Letters) -> dict[str, float]:
    """Return what every metric says of a set of samples. Their labels are those they were asked for."""
    a, p_real = seen(w.real.x)
    b, p = seen(samples.x)
    right = taught(samples.x, samples.letter, w.real.x, w.real.letter)
    return {
        "Fréchet distance": metrics.frechet(a, b),
        "KID": metrics.kid(a, b).value,
        "class score": metrics.inception_score(p).value,
        "precision": metrics.manifold.precision(a, b).value,
        "recall": metrics.manifold.recall(a, b).value,
        "density": metrics.manifold.density(a, b).value,
        "coverage": metrics.manifold.coverage(a, b).value,
        "sliced Wasserstein": metrics.sliced_wasserstein(w.real.x, samples.x, projections=100).value,
        "sharpness": metrics.sharpness(samples.x, w.real.x).value,
        "copying z": metrics.copy_score(w.train.x, w.real.x, samples.x).value,
        "teaching": right.double().mean().item(),
        "worst class": worst_class(p_real.argmax(1), p.argmax(1), classes=26).value,
    }


# the faults -----------------------------------------------------------------------------------------------------------


def _blur(w: World, s: Letters, much: float, g: Generator) -> Letters:
    return Letters(spoiling.blurred(s.x, much), s.letter, s.font)


def _noise(w: World, s: Letters, much: float, g: Generator) -> Letters:
    return Letters(spoiling.noisy(s.x, much, g), s.letter, s.font)


def _shift(w: World, s: Letters, much: float, g: Generator) -> Letters:
    return Letters(spoiling.shifted(s.x, much, g), s.letter, s.font)


def _rare(w: World, s: Letters, much: float, g: Generator) -> Letters:
    gone = (s.letter == LETTERS.index(RARE)).nonzero()[:, 0]
    bad = torch.zeros(len(s), dtype=torch.bool)
    bad[gone[spoiling.chosen(len(gone), much, g)]] = True
    return s[spoiling.refilled(len(s), bad, g)]


def _classes(w: World, s: Letters, much: float, g: Generator) -> Letters:
    return s[spoiling.refilled(len(s), s.letter < much, g)]


def _copies(w: World, s: Letters, much: float, g: Generator) -> Letters:
    rows = spoiling.chosen(len(s), much, g)
    theirs = w.train[torch.randperm(len(w.train), generator=g)[: len(rows)]]
    kept = torch.ones(len(s), dtype=torch.bool)
    kept[rows] = False
    own = s[kept]
    return Letters(*(torch.cat([getattr(own, k), getattr(theirs, k)]) for k in ("x", "letter", "font")))


def _fonts(w: World, s: Letters, much: float, g: Generator) -> Letters:
    """Give every letter in a few fonts only, each letter in its own few; the pool has enough of each."""
    found = []
    for letter, n in enumerate(s.letter.bincount(minlength=len(LETTERS)).tolist()):
        there = w.pool.font[w.pool.letter == letter].unique()
        own = there[torch.randperm(len(there), generator=g)[: int(much)]]
        rows = ((w.pool.letter == letter) & torch.isin(w.pool.font, own)).nonzero()[:, 0]
        if n:
            found.append(rows[torch.randint(len(rows), (n,), generator=g)])
    return w.pool[torch.cat(found)]


FAULTS: dict[str, tuple[Callable, tuple[float, ...], str]] = {
    "blur": (_blur, (0.35, 0.5, 0.9), "{:g} pixels"),
    "noise": (_noise, (0.02, 0.06, 0.2), "deviation {:g}"),
    "moved by a pixel": (_shift, (0.2, 0.5, 1.0), "{:.0%} of them"),
    "rare class gone": (_rare, (0.5, 0.8, 1.0), "{:.0%} of it"),
    "classes gone": (_classes, (1, 3, 6), "{:g} of 10"),
    "copies": (_copies, (0.1, 0.3, 1.0), "{:.0%} of them"),
    "few fonts a letter": (_fonts, (9, 4, 1), "{:g} of 18"),
}
"""Each fault with what makes it, how much of it, from a little to a lot, and how that is said."""


def drawn(w: World, g: Generator) -> Letters:
    """Draw a clean set from the pool, without repeats."""
    return w.pool[torch.randperm(len(w.pool), generator=g)[:SIZE]]


def spoiled(w: World, fault: str, degree: int, g: Generator) -> Letters:
    """Draw a clean set and spoil it: ``degree`` 0 is a little, 2 a lot."""
    make, much, _ = FAULTS[fault]
    return make(w, drawn(w, g), much[degree], g)


def clean(w: World, sets: int = CLEAN, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Return mean and deviation of every metric over clean sets: its noise, before anything is wrong."""
    g = Generator().manual_seed(seed)
    return spread([asked(w, drawn(w, g)) for _ in range(sets)])


def matrix(w: World, seed: int, draws: int = DRAWS) -> dict[str, list[dict[str, float]]]:
    """Return the z-score of every metric on every fault, a list of three degrees for each fault."""
    usual, g = clean(w, seed=seed), Generator().manual_seed(1000 + seed)
    return {
        fault: [scores(usual, [asked(w, spoiled(w, fault, degree, g)) for _ in range(draws)]) for degree in range(3)]
        for fault in FAULTS
    }


# the size of a sample -------------------------------------------------------------------------------------------------


def bias(w: World, seed: int, repeats: int = 4) -> dict[str, list[float] | float]:
    """Return Fréchet distance and KID of clean samples of several sizes, and both ways to remove what size adds."""
    features = seen(w.pool.x)[0]
    g = Generator().manual_seed(seed)
    order = torch.randperm(len(features), generator=g)
    real, rest = features[order[:3000]], features[order[3000:]]
    found: dict = {"frechet": [], "kid": [], "limit": []}
    for n in SIZES:
        sets = [rest[torch.randperm(len(rest), generator=g)[:n]] for _ in range(repeats)]
        found["frechet"].append(round(sum(metrics.frechet(real, s) for s in sets) / repeats, 4))
        found["kid"].append(round(sum(metrics.kid(real, s).value for s in sets) / repeats, 4))
        least = max(0.25, 60 / n)  # subsets must be larger than there are features
        limits = [metrics.frechet_limit(real, s, smallest=least).value for s in sets]
        found["limit"].append(round(sum(limits) / repeats, 4))
    return found


def rare_by_size(w: World, seed: int, sizes: tuple[int, ...] = RARE_SIZES) -> dict[str, list[float]]:
    """Return how well two metrics tell sets with the rare class from sets without it, by the size of the sets.

    By AUROC over twelve sets of each kind: a half is guessing, 1 never errs.
    """
    features, p = seen(w.pool.x)
    read, g = p.argmax(1), Generator().manual_seed(seed)
    order = torch.randperm(len(features), generator=g)
    real, rest = order[:2500], order[2500:]
    found: dict[str, list[float]] = {"Fréchet distance": [], "worst class": []}
    for n in sizes:
        values: dict = {name: ([], []) for name in found}
        for gone in (0, 1):
            for _ in range(12):
                rows = rest[torch.randperm(len(rest), generator=g)[:n]]
                if gone:
                    rows = rows[spoiling.refilled(n, w.pool.letter[rows] == LETTERS.index(RARE), g)]
                values["Fréchet distance"][gone].append(metrics.frechet(features[real], features[rows]))
                lost = missing_share(read[real], read[rows], classes=26)
                values["worst class"][gone].append(lost.max().item())
        for name, (whole, lacking) in values.items():
            found[name].append(round(metrics.auroc(torch.tensor(whole), torch.tensor(lacking)).value, 3))
    return found


# votes ----------------------------------------------------------------------------------------------------------------


def held(
    p: float, n: int, judges: int = 0, *, skill: float = 0.0, tries: int = 2000, seed: int = 0
) -> dict[str, float]:
    """Return how often three intervals for p hold it, of n simulated votes, in ``tries`` studies.

    With ``judges``, the votes come in equal numbers from so many people whose own p differs by ``skill`` (a standard
    deviation). Then a third interval goes by people: the mean of their shares, and Student's t.
    """
    g = Generator().manual_seed(seed)
    people = max(judges, 1)
    own = (p + skill * torch.randn(tries, people, generator=g)).clamp(0, 1)
    votes = (torch.rand(tries, people, n // people, generator=g) < own[..., None]).double()
    right = votes.sum((1, 2)).long().tolist()
    total, z = people * (n // people), 1.959964
    inside = [low <= p <= high for low, high in (metrics.wilson(r, total) for r in right)]
    plain = [abs(r / total - p) <= z * (r / total * (1 - r / total) / total) ** 0.5 for r in right]
    found = {"Wilson": sum(inside) / tries, "plain": sum(plain) / tries}
    if judges > 1:
        from scipy.stats import t

        each = votes.mean(2)
        reach = t.ppf(0.975, judges - 1) * each.std(1) / judges**0.5
        found["by judge"] = ((each.mean(1) - p).abs() <= reach).double().mean().item()
    return {name: round(value, 4) for name, value in found.items()}


# the record -----------------------------------------------------------------------------------------------------------


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about three minutes on one thread."""
    results: dict = {"matrix": [], "bias": [], "rare": [], "text": [], "votes": {}}
    lib = library()
    for seed in SEEDS:
        w = world(seed)
        for name, found in {
            "matrix": matrix(w, seed), "bias": bias(w, seed), "rare": rare_by_size(w, seed),
            "text": text_matrix(lib, seed),
        }.items():  # fmt: skip
            results[name].append(found)
            tell(f"seed {seed}, {name}: {found}")
    results["votes"] = {
        "as one": {f"{p}, {n}": held(p, n) for p in (0.5, 0.95) for n in (20, 100, 400)},
        "twenty judges": {str(skill): held(0.5, 400, 20, skill=skill) for skill in (0.0, 0.05, 0.1, 0.2)},
    }
    tell(f"votes: {results['votes']}")
    return results


def agreed(runs: list[dict[str, list[dict[str, float]]]], degree: int) -> dict[str, dict[str, float]]:
    """Return the z-score of every metric on every fault: the seed nearest to 0, and 0 where signs differ."""
    found: dict = {}
    for fault in runs[0]:
        row = {}
        for name in runs[0][fault][degree]:
            values = [run[fault][degree][name] for run in runs]
            same = min(values) > 0 or max(values) < 0
            row[name] = min(values, key=abs) if same else 0.0
        found[fault] = row
    return found
