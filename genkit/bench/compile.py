"""Where ``torch.compile`` pays: training steps and draws with it and without, and what it costs beforehand."""

import math
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from ..base import Generative
from . import works
from .turns import Ratio, aloud, clock, seconds

LEAST = 0.05  # seconds that are timed at once: shorter work is repeated


ALONE = {"compile_threads": 1}  # compilers that run in the background would not be seen by the clock


def of_the_loss(model: Generative) -> None:
    """Compile the loss: the trainer asks a model for its players, and they for ``model.loss``.

    Of this model alone, since another one is timed beside it. A copy of the model, as an average of its weights is,
    would go on with the loss of the original: where there is an average, compile the loss of the class.
    """
    model.loss = torch.compile(model.loss, options=ALONE)


def of_the_model(model: Generative) -> None:
    """Compile what the model is called for: a GPT's loss calls it, and before that looks at the tokens' numbers."""
    model.compile(options=ALONE)


def of_the_network(model: Generative) -> None:
    """Compile the modules that drawing calls again and again, since the generator that calls them cannot be compiled.

    They are modules of genkit: torch 2.13 passes over ``nn.Sequential.compile()`` without a word.
    """
    for name in ("net", "network", "blocks"):
        part = getattr(model, name, None)
        for module in part if isinstance(part, torch.nn.ModuleList) else [part] if part is not None else []:
            module.compile(options=ALONE)


@dataclass(frozen=True)
class Trial:
    """A piece of work, and what of it is compiled.

    Arguments
        kind: of :data:`genkit.bench.works.KINDS`.
        work: ``"fit"`` or ``"draw"``.
        size, batch: side of the image or tokens, and how many of them.
        change: compiles a part of a model in place.
    """

    kind: str
    work: str
    size: int
    batch: int
    change: Callable[[Generative], None]

    @property
    def name(self) -> str:
        """Such as ``vae fit``."""
        return f"{self.kind} {self.work}"

    def ready(self) -> Callable[[], object]:
        """Return the work, not compiled."""
        return self._work(works.model(self.kind, self.size))

    def compiled(self) -> Callable[[], object]:
        """Return the work, to be compiled when it is first done."""
        model = works.model(self.kind, self.size)
        self.change(model)
        return self._work(model)

    def _work(self, model: Generative) -> Callable[[], object]:
        if self.work == "draw":
            return works.draw(self.kind, model, self.batch)
        return works.step(model, works.examples(self.kind, self.batch, self.size))


TRIALS = (
    Trial("vae", "fit", 8, 64, of_the_loss),
    Trial("flow", "fit", 8, 64, of_the_loss),
    Trial("gpt", "fit", 64, 12, of_the_model),
    Trial("diffusion", "fit", 8, 32, of_the_loss),
    Trial("diffusion", "draw", 8, 32, of_the_network),
    Trial("pixelcnn", "draw", 8, 4, of_the_network),
    Trial("gpt", "draw", 64, 1, of_the_network),
)


def compile(
    rounds: int = 9, trials: Iterable[Trial] = TRIALS, tell: Callable[[str], None] = aloud
) -> dict[str, float]:  # fmt: skip
    """Time work with ``torch.compile`` and without, in turns.

    Returns for each the ratio of seconds (below 1 the compiled one is faster) with its quartiles, the milliseconds of
    both, the seconds that compiling took, and, where it pays at all, after how many times it has paid. What earlier
    runs have compiled is not used. On one thread, seconds are those that the process and its compilers were given.
    It takes some minutes: ``tell`` is told every trial as it is found.

    Raises ``ValueError`` where there is no C++ compiler, which torch needs for a processor.
    """
    if not compiler():
        raise ValueError("compiler: expected a C++ compiler for torch.compile, such as g++ (or $CXX), found none")
    found: dict[str, float] = {}
    kept = torch.compiler.config.force_disable_caches
    torch.compiler.config.force_disable_caches = True
    try:
        for trial in trials:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "dynamo_pgo")  # which says that nothing is kept, as we wish
                row = _try(trial, rounds)
            tell(line(trial, row))
            found |= {f"{trial.name}, {name}": value for name, value in row.items()}
    finally:
        torch.compiler.config.force_disable_caches = kept
        torch.compiler.reset()
    return found


def line(trial: Trial, row: dict[str, float]) -> str:
    """Return what came of a trial in one line."""
    paid = f"paid after {row['paid after']:,}" if "paid after" in row else "does not pay"
    return (
        f"{trial.name}: {row['compiled, ms']:.1f} ms compiled, {row['eager, ms']:.1f} ms without, ratio "
        f"{row['ratio']:.2f} ({row['ratio, lower quartile']:.2f} … {row['ratio, upper quartile']:.2f}), "
        f"compiling {row['compiling, s']:.0f} s: {paid}"
    )


def compiler() -> str | None:
    """Return the path of a C++ compiler, or None."""
    return next((path for name in (os.environ.get("CXX"), "g++", "c++") if name and (path := shutil.which(name))), None)


def _try(trial: Trial, rounds: int) -> dict[str, float]:
    torch.compiler.reset()
    eager, compiled = trial.ready(), trial.compiled()
    start = _with_compilers()
    for _ in range(3):  # at the second and the third time torch finds out which shapes change
        compiled()
    warm = _with_compilers() - start
    eager()
    now = clock()
    start = now()
    eager()
    repeats = max(1, math.ceil(LEAST / max(now() - start, 1e-6)))
    ways = {way: lambda w=work: [w() for _ in range(repeats)] for way, work in (("ours", compiled), ("eager", eager))}
    found = seconds(ways, rounds, clock=now)
    ratio = Ratio.over(found["ours"], found["eager"])
    ours, theirs = ratio.ours / repeats, ratio.theirs / repeats
    row = {
        "ratio": ratio.value, "ratio, lower quartile": ratio.low, "ratio, upper quartile": ratio.high,
        "compiled, ms": 1e3 * ours, "eager, ms": 1e3 * theirs, "compiling, s": max(0.0, warm - 3 * ours),
    }  # fmt: skip
    pays = ratio.high < 1 and theirs > ours
    return row | ({"paid after": math.ceil(row["compiling, s"] / (theirs - ours))} if pays else {})


def _with_compilers() -> float:
    if torch.get_num_threads() > 1:
        return time.perf_counter()
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
