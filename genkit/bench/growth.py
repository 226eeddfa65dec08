"""How the cost of each family grows with the image, the text, the batch and the number of training examples.

Seconds are measured, in rounds, in which all sizes take turns; operations and kept bytes are counted, and the same on
every machine.
"""

import math
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .. import metrics
from ..growth import Power, power_law, square_from
from ..nn.attention import Attention
from ..training import TrainConfig, train
from . import works
from .count import kept_bytes, operations
from .turns import aloud, clock, seconds

Work = Callable[[], object]
LEAST = 0.01  # seconds that are timed at once: shorter work is repeated
NEAR = 0.25  # exponents nearer than this are one: caches and vectors make so much of a difference


@dataclass(frozen=True)
class Case:
    """One curve: a piece of work at several sizes, with everything else held.

    Arguments
        family: of models, or what is done with samples.
        what: grows: ``"side"`` of the image, ``"length"`` of the text, ``"batch"``, ``"examples"`` to learn from.
        work: ``"fit"`` (a training step), ``"draw"`` (of one batch) or ``"judge"`` (a metric).
        n: the sizes.
        make: returns the work of a size, and the bytes that it keeps for the way back, or None.
        theory: the exponent that a textbook gives for large sizes.
        held: what is held, in words.
    """

    family: str
    what: str
    work: str
    n: tuple[int, ...]
    make: Callable[[int], tuple[Work, int | None]]
    theory: float
    held: str

    @property
    def name(self) -> str:
        """What grows with what, such as ``vae fit by side``."""
        return name_of(vars(self))


def fit(kind: str, size: int, batch: int) -> tuple[Work, int]:
    """Return a training step, and what it keeps."""
    made, data = works.model(kind, size), works.examples(kind, batch, size)
    return works.step(made, data), kept_bytes(made, data.x, data.c)


def draw(kind: str, size: int, batch: int) -> tuple[Work, None]:
    """Return a drawing."""
    return works.draw(kind, works.model(kind, size), batch), None


def attention(n: int, batch: int = 2, width: int = 128, heads: int = 4) -> tuple[Work, None]:
    """Return one layer of attention, there and back."""
    layer, x = Attention(width, heads), torch.randn(batch, n, width, requires_grad=True)
    return lambda: layer(x, causal=True).sum().backward(), None


def scores(n: int, batch: int = 2, width: int = 128, heads: int = 4) -> tuple[Work, None]:
    """Return what is quadratic in a layer of attention: weights of all pairs of places, there and back."""
    q, k, v = (torch.randn(batch, heads, n, width // heads, requires_grad=True) for _ in range(3))
    return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward(), None


def trained_on(n: int, batch: int = 64, side: int = 8) -> tuple[Work, None]:
    """Return a step of the trainer on n examples, the choice of its batch included."""
    loop = train(works.model("vae", side), works.examples("vae", n, side), TrainConfig(10**9, batch, lr=1e-5))
    return lambda: next(loop), None


JUDGES: dict[str, tuple[Callable[[torch.Tensor, torch.Tensor], object], float]] = {
    "nearest neighbour": (lambda x, y: metrics.nearest(y[:100], x), 1),
    "copying test": (lambda x, y: metrics.copy_score(x, y[:100], y[100:200]), 1),
    "Fréchet distance": (metrics.frechet, 1),
    "kernel distance": (lambda x, y: metrics.mmd(x, y, metrics.cubic_kernel), 2),
}
"""From n training examples and as many samples, at least 200, both of 64 numbers, to a judgement."""


def judge(name: str, n: int) -> tuple[Work, None]:
    """Return a judgement of samples."""
    x, y = torch.randn(2, n, 64, generator=torch.Generator().manual_seed(n))
    return lambda: JUDGES[name][0](x, y), None


SIDES, FAR = (8, 12, 16, 24, 32), (8, 16, 32, 48, 64)
LENGTHS, SHORT, BATCHES = (32, 64, 128, 256, 512), (16, 32, 64, 128), (1, 4, 16, 64, 256)
PICTURES = ("vae", "made", "pixelcnn", "flow", "flow_matching", "diffusion", "gan", "boltzmann")
ONE_BY_ONE = ("made", "pixelcnn")  # pixels are drawn one after the other


def _side() -> Iterable[Case]:
    for kind in PICTURES:
        n = FAR if kind in ("vae", "flow", "boltzmann") else SIDES
        yield Case(kind, "side", "fit", n, lambda n, k=kind: fit(k, n, 8), 2, "batch 8")
        slow = kind in ONE_BY_ONE
        n, batch = ((4, 6, 8, 12, 16), 1) if slow else (FAR if kind == "gan" else n, 8)
        yield Case(
            kind, "side", "draw", n, lambda n, k=kind, b=batch: draw(k, n, b), 4 if slow else 2, f"batch {batch}"
        )


def _length() -> Iterable[Case]:
    yield Case("attention scores", "length", "fit", (*LENGTHS, 1024), scores, 2, "batch 2")
    yield Case("attention layer", "length", "fit", (*LENGTHS, 1024), attention, 2, "batch 2")
    for kind, power in (("gpt", 2), ("recurrent", 1)):
        yield Case(kind, "length", "fit", LENGTHS, lambda n, k=kind: fit(k, n, 2), power, "batch 2")
    for kind, power in (("gpt", 2), ("gpt without cache", 3), ("recurrent", 2)):
        n = LENGTHS if kind == "gpt" else SHORT
        yield Case(kind, "length", "draw", n, lambda n, k=kind: draw(k, n, 1), power, "one text")


def _batch() -> Iterable[Case]:
    for kind in (*PICTURES, "gpt", "recurrent"):
        size, held = (32, "32 tokens") if kind in ("gpt", "recurrent") else (8, "side 8")
        held += ", 100 chains" if kind == "boltzmann" else ""
        few = BATCHES[:-1] if kind in ("gpt", "recurrent", "flow_matching", "diffusion", "gan", "pixelcnn") else BATCHES
        yield Case(kind, "batch", "fit", few, lambda n, k=kind, s=size: fit(k, s, n), 1, held)
        few = BATCHES[:-1] if kind in ("pixelcnn", "made", "recurrent") else BATCHES
        yield Case(kind, "batch", "draw", few, lambda n, k=kind, s=size: draw(k, s, n), 1, held)


def _examples() -> Iterable[Case]:
    yield Case("vae", "examples", "fit", (100, 1000, 10_000, 50_000), trained_on, 0, "batch 64, side 8")
    for name, (_, power) in JUDGES.items():
        n = (200, 400, 800, 1600, 3200) if power == 2 else (200, 800, 3200, 12_800, 51_200)
        yield Case(name, "examples", "judge", n, lambda n, k=name: judge(k, n), power, "64 numbers each")


CASES: tuple[Case, ...] = (*_side(), *_length(), *_batch(), *_examples())


def measure(
    tell: Callable[[str], None] = lambda line: None, *, rounds: int = 5, cases: Iterable[Case] = CASES
) -> list[dict]:
    """Measure curves, and return each as JSON.

    Every row holds ``family``, ``what``, ``work``, ``held``, the sizes ``n``, the medians over rounds ``seconds``,
    ``flops`` and ``kept_bytes`` (None where nothing is counted), and the fit of :func:`genkit.growth.power_law`:
    ``overhead`` in seconds, ``scale``, ``exponent`` and ``stderr``; beside them ``flops_exponent`` and
    ``bytes_exponent``, fitted in the same way to what was counted, ``theory``, and ``even``, the size at which what
    grows costs as much as the overhead. ``square_from`` is the length at which attention's square has caught up with
    the rest of the operations, where they are a line and a square.

    On one thread the seconds are those that the process was given, so that others on the machine disturb less. What
    disturbs a whole run is not in the standard error: two runs on a busy machine differed by 0.04 in the middle of all
    exponents, and by 0.3 at most.
    """
    rows = []
    for case in cases:
        rows.append(curve(case, rounds))
        tell(line(rows[-1]))
    return rows


def curve(case: Case, rounds: int) -> dict:
    """Measure one curve; see :func:`measure`."""
    made = {n: case.make(n) for n in case.n}
    flops = [operations(work) for work, _ in made.values()]
    kept = [size for _, size in made.values()]
    now = clock()
    repeats = {n: _repeats(work, now) for n, (work, _) in made.items()}
    ways = {str(n): lambda w=work, r=repeats[n]: [w() for _ in range(r)] for n, (work, _) in made.items()}
    found = seconds(ways, rounds, clock=now)
    each = [[s / repeats[n] for s in found[str(n)]] for n in case.n]  # (sizes, rounds)
    law = power_law(case.n, list(zip(*each, strict=True)))
    return {
        "family": case.family, "what": case.what, "work": case.work, "held": case.held, "n": list(case.n),
        "seconds": [_short(statistics.median(s)) for s in each],
        "flops": flops if all(flops) else None, "kept_bytes": kept if all(kept) else None,
        "exponent": round(law.exponent, 3), "stderr": round(law.stderr, 3), "overhead": _short(law.overhead),
        "scale": _short(law.scale), "even": _short(law.even), "theory": case.theory,
        "flops_exponent": _counted(case.n, flops), "bytes_exponent": _counted(case.n, kept),
        "square_from": _square(case, flops),
    }  # fmt: skip


def name_of(row: dict) -> str:
    """Return what grows with what, of a curve or of a case: such as ``vae fit by side``."""
    return f"{row['family']} {row['work']} by {row['what']}"


def against_theory(row: dict) -> str:
    """Return whether seconds grow ``"slower"`` or ``"faster"`` than the textbook's exponent, or ``"as said"``.

    They differ where they lie more than a quarter and more than three standard errors apart.
    """
    gap = row["exponent"] - row["theory"]
    if abs(gap) <= max(NEAR, 3 * row["stderr"]):
        return "as said"
    return "slower" if gap < 0 else "faster"


def line(row: dict) -> str:
    """Return a curve in one line: its name, the exponents of seconds, of operations, and of the textbook."""
    parts = [f"{name_of(row)}: {row['exponent']:.2f} ± {row['stderr']:.2f}"]
    if row["flops_exponent"] is not None:
        parts.append(f"operations {row['flops_exponent']:.2f}")
    parts.append(f"textbook {row['theory']:g} ({against_theory(row)})")
    if row["even"] > row["n"][0]:
        parts.append(f"overhead as large as the rest at {row['even']:.3g}")
    if row["square_from"]:
        parts.append(f"its square catches up at {row['square_from']:.0f}")
    return ", ".join(parts)


def growth(
    rounds: int = 5, cases: Iterable[Case] = CASES, tell: Callable[[str], None] = aloud
) -> dict[str, float]:  # fmt: skip
    """Measure how cost grows, and return the exponents: of seconds with their standard errors, and of operations.

    It takes some minutes: ``tell`` is told every curve as it is found.
    """
    found: dict[str, float] = {}
    for row in measure(tell, rounds=rounds, cases=cases):
        name = name_of(row)
        found |= {f"{name}, exponent": row["exponent"], f"{name}, standard error": row["stderr"]}
        if row["flops_exponent"] is not None:
            found[f"{name}, exponent of operations"] = row["flops_exponent"]
    return found


def _repeats(work: Work, now: Callable[[], float]) -> int:
    work()
    start = now()
    work()
    return max(1, min(50, math.ceil(LEAST / max(now() - start, 1e-6))))


def _counted(n: tuple[int, ...], counts: list) -> float | None:
    law: Power | None = power_law(n, counts) if all(counts) else None
    return None if law is None else round(law.exponent, 3)


def _square(case: Case, flops: list[int]) -> float | None:
    found = square_from(case.n, flops) if case.what == "length" and all(flops) else None
    return None if found is None or found < case.n[0] else round(found, 1)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
