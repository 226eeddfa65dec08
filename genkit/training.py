"""One training loop for every family. It never asks what kind of model it was given."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .base import Generative, Player, Terms
from .names import unknown
from .progress import Bar
from .randomness import Order, randomness_of

PRECISIONS = {"float32": None, "bf16": torch.bfloat16}


class Examples(Protocol):
    """What the trainer needs of data: rows of x, and of the condition c or None."""

    x: Tensor
    c: Tensor | None


@dataclass(frozen=True)
class TrainConfig:
    """How to train: every knob with its default.

    Arguments
        steps: optimiser steps, at least 1.
        batch: examples in a step, over all processes together.
        lr: AdamW's learning rate (Loshchilov & Hutter 2019), multiplied by each player's own.
        weight_decay: AdamW's decoupled weight decay.
        clip: the largest norm of a player's gradient; None for no clipping.
        ema: the decay of the exponential moving average of the weights; None for no average.
        warmup: steps over which the learning rate rises from 0.
        cosine: let the learning rate fall to 0 along half a cosine.
        precision: ``"float32"`` or ``"bf16"`` (autocast).
        optimiser: ``"adamw"``, or ``"muon"`` (Jordan et al. 2024) for each player's matrices and AdamW for the rest.
        seed: all randomness of the run is a function of it.
    """

    steps: int = 1000
    batch: int = 64
    lr: float = 1e-3
    weight_decay: float = 0.0
    clip: float | None = 1.0
    ema: float | None = None
    warmup: int = 0
    cosine: bool = True
    precision: str = "float32"
    optimiser: str = "adamw"
    seed: int = 0

    def __post_init__(self):
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, received {getattr(self, name)}")
        if not self.lr > 0:
            raise ValueError(f"lr: expected a number above 0, received {self.lr}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"ema: expected None or a number in (0, 1), received {self.ema}")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip: expected None or a number above 0, received {self.clip}")
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)
        if self.optimiser not in ("adamw", "muon"):
            raise unknown("optimiser", self.optimiser, ("adamw", "muon"))


@dataclass
class Step:
    """What a step of training leaves: its number, the mean of every term, the model and its average."""

    i: int
    terms: Terms
    model: Generative
    average: Generative


class Run:
    """A model, its players' optimisers and its average: all that a step changes, and what a checkpoint keeps."""

    def __init__(self, model: Generative, config: TrainConfig):
        self.model, self.config, self.step = model, config, 0
        self.players = model.players()
        self.optimisers = [optimisers(player, config) for player in self.players]
        self.averaged = None
        if config.ema is not None:
            self.averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=False)
            self.averaged.eval().requires_grad_(False)

    @property
    def average(self) -> Generative:
        """The averaged model, or the live one where there is no average."""
        return self.model if self.averaged is None else self.averaged.module

    def advance(self, x: Tensor, c: Tensor | None) -> Terms:
        """Let every player whose turn it is take one optimiser step; return the terms, averaged over the batch."""
        self.model.train()
        log: Terms = {}
        for player, movers in zip(self.players, self.optimisers, strict=True):
            rate = learning_rate(player, self.step, self.config)
            if rate is None:
                continue
            with autocast(self.model.device, self.config.precision):
                terms = {name: term.mean() for name, term in player.loss(x, c).items()}
            for parameter in player.params:
                parameter.grad = None
            terms["loss"].backward(inputs=player.params)  # no gradient enters an opponent's weights
            share_gradients(player.params)
            if self.config.clip is not None:
                terms["grad_norm"] = clip_grad_norm_(player.params, self.config.clip)
            self._stop_at_nan(player, terms["loss"])
            for mover in movers.values():
                for group in mover.param_groups:
                    group["lr"] = rate
                mover.step()
            log |= {f"{player.name}/{name}": term.detach() for name, term in terms.items()}
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        self.step += 1
        return log

    def _stop_at_nan(self, player: Player, loss: Tensor) -> None:
        # reading a number from a GPU waits for it, so there only every 50th step looks
        if (loss.device.type == "cpu" or self.step % 50 == 0) and not math.isfinite(loss.item()):
            raise FloatingPointError(
                f"step {self.step}: the loss of {player.name} is {loss.item()}. "
                "A smaller lr, a smaller clip or a longer warmup usually helps; look for log(0) and division by 0 too."
            )


def train(
    model: Generative,
    data: Examples,
    config: TrainConfig | None = None,
    *,
    augment: Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor | None]] | None = None,
    run: Run | None = None,
) -> Iterator[Step]:
    """Train ``model`` on ``data`` and yield after every step.

    The randomness of a step is a function of (seed, step, rank) alone, and the global random state is put back
    before each yield: what a reader draws inside the loop changes nothing, and a run that is taken up again
    goes on as if it had never stopped.

    Arguments
        model: the model, already on its device.
        data: rows of x and c, such as ``dataset.train``.
        config: see :class:`TrainConfig`.
        augment: changes a batch (x, c) before the model sees it.
        run: a :class:`Run` to go on with; a new one by default.

    Raises ``ValueError`` where there is nothing to train on, ``FloatingPointError`` where a loss is not finite.
    """
    config = config or TrainConfig()
    if len(data.x) == 0:
        raise ValueError("data: expected at least one example, received none")
    run = run or Run(model, config)
    rank, processes = rank_and_processes()
    if config.batch % processes:
        raise ValueError(f"batch: expected a multiple of {processes} processes, received {config.batch}")
    order = Order(len(data.x), config.batch, config.seed)
    share = config.batch // processes
    while run.step < config.steps:
        i = run.step
        rows = order.batch(i)[rank * share : (rank + 1) * share]
        with randomness_of(config.seed, i, rank, model.device):
            x = data.x[rows].to(model.device, non_blocking=True)
            c = None if data.c is None else data.c[rows].to(model.device, non_blocking=True)
            if augment is not None:
                x, c = augment(x, c)
            terms = run.advance(x, c)
        yield Step(i, terms, run.model, run.average)


@dataclass
class Fit:
    """A trained model in evaluation mode, what happened on the way, and how long it took."""

    model: Generative
    history: dict[str, list[float]] = field(default_factory=dict)
    best_step: int | None = None
    best_score: float | None = None
    seconds: float = 0.0


class Keeper(Protocol):
    """Keeps a run on disk: ``genkit.checkpoint.Checkpoints`` is one."""

    def save(self, run: Run, fit: Fit, best: dict[str, Tensor] | None) -> None: ...

    def restore(self, run: Run, fit: Fit) -> dict[str, Tensor] | None: ...


def fit(
    model: Generative,
    data: Examples,
    config: TrainConfig | None = None,
    *,
    select: Callable[[Generative], float] | None = None,
    every: int = 100,
    augment: Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor | None]] | None = None,
    keeper: Keeper | None = None,
    save_every: int = 500,
    progress: bool = True,
) -> Fit:
    """Train to the end with a progress bar and return the averaged model, or the early best of it.

    Arguments
        select: scores the averaged model on *validation* data; higher is better. The best one seen is returned.
        every: steps between two scores and two entries of the history.
        keeper: writes checkpoints every ``save_every`` steps and at the end, and takes up what it finds.
        progress: show a bar while it runs; one line stays.

    The other arguments are those of :func:`train`. ``history`` holds the mean of each term since the last entry,
    ``step``, and ``score`` where there is a ``select``.
    """
    config = config or TrainConfig()
    result, run, start = Fit(model), Run(model, config), time.perf_counter()
    best = keeper.restore(run, result) if keeper else None
    chief, earlier, recent = rank_and_processes()[0] == 0, result.seconds, []
    with Bar(config.steps, run.step, shown=progress and chief) as bar:
        for step in train(model, data, config, augment=augment, run=run):
            recent.append(step.terms)
            if run.step % every == 0 or run.step == config.steps:
                scored = chief and select is not None
                score = _score(select, run.average, config) if scored else None
                _note(result.history, run.step, recent, score)
                recent = []
                if scored and (result.best_score is None or score > result.best_score):
                    result.best_step, result.best_score = run.step, score
                    best = {name: value.clone() for name, value in run.average.state_dict().items()}
                bar.update(run.step, result.history)
            result.seconds = earlier + time.perf_counter() - start
            # a checkpoint falls on an entry of the history, so that nothing of a half-filled entry has to be kept
            if keeper and chief and not recent and (run.step % save_every < every or run.step == config.steps):
                keeper.save(run, result, best)
    bar.tell(result.history, result.seconds, result.best_step)
    # the reader's own model gets the weights, so that it can be trained on
    model.load_state_dict(run.average.state_dict() if best is None else best)
    model.eval()
    return result


def optimisers(player: Player, config: TrainConfig) -> dict[str, torch.optim.Optimizer]:
    """Return what moves a player's parameters, by name: ``"optimiser"`` is AdamW, ``"muon"`` Muon.

    Muon's step of a matrix is scaled to the size of AdamW's (Liu et al. 2025), so that one learning rate serves both.
    """
    matrices = {id(p) for p in player.matrices} if config.optimiser == "muon" else set()
    rest = [p for p in player.params if id(p) not in matrices]
    movers: dict[str, torch.optim.Optimizer] = {}
    if rest:
        fused = rest[0].device.type in ("cpu", "cuda")  # one kernel for all tensors: half the time of a small step
        movers["optimiser"] = torch.optim.AdamW(
            rest, lr=config.lr, betas=player.betas, weight_decay=config.weight_decay, fused=fused
        )
    if matrices:
        movers["muon"] = torch.optim.Muon(
            player.matrices, lr=config.lr, weight_decay=config.weight_decay, momentum=player.betas[0],
            adjust_lr_fn="match_rms_adamw",
        )  # fmt: skip
    return movers


def learning_rate(player: Player, step: int, config: TrainConfig) -> float | None:
    """Return the player's learning rate in this step: warm-up, then half a cosine, over its own span; None to sit out.

    >>> player = Player("model", [], lambda x, c: {})
    >>> [learning_rate(player, i, TrainConfig(steps=4, lr=1.0, warmup=2)) for i in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    first, last = (round(edge * config.steps) for edge in player.span)
    if not first <= step < last or step % player.every:
        return None
    done, length = step - first, last - first
    rate = config.lr * player.lr
    if done < config.warmup:
        return rate * (done + 1) / config.warmup
    if not config.cosine:
        return rate
    return rate * 0.5 * (1 + math.cos(math.pi * (done - config.warmup) / max(1, length - config.warmup)))


def rank_and_processes() -> tuple[int, int]:
    """Return which process this is and how many there are: (0, 1) without torch.distributed."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def share_gradients(params: list[nn.Parameter]) -> None:
    """Average the gradients of ``params`` over all processes; nothing happens where there is one."""
    processes = rank_and_processes()[1]
    if processes == 1:
        return
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in params]
    flat = torch.cat([g.flatten() for g in gradients])  # one message instead of one for each tensor
    dist.all_reduce(flat)
    flat /= processes
    for p, g in zip(params, flat.split([g.numel() for g in gradients]), strict=True):
        p.grad = g.view_as(p)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Return the context in which a forward pass runs at ``precision``."""
    if PRECISIONS[precision] is None:
        return contextlib.nullcontext()
    return torch.autocast(device.type, PRECISIONS[precision])


def _score(select: Callable[[Generative], float], model: Generative, config: TrainConfig) -> float:
    """Score on validation with the same noise every time, so that two scores differ by the weights alone."""
    was_training = model.training
    model.eval()
    with torch.no_grad(), randomness_of(config.seed, -1, 0, model.device):
        score = float(select(model))
    model.train(was_training)
    return score


def _note(history: dict[str, list[float]], step: int, recent: list[Terms], score: float | None) -> None:
    """Append the means of the recent terms to the history. This is where a GPU is waited for."""
    entry = {"step": float(step)}
    for name in {name: None for terms in recent for name in terms}:
        entry[name] = torch.stack([terms[name] for terms in recent if name in terms]).float().mean().item()
    if score is not None:
        entry["score"] = score
    entries = len(history.get("step", []))
    for name, value in entry.items():
        history.setdefault(name, [math.nan] * entries).append(value)
    for values in history.values():  # a player that sat out has no number here
        values.extend([math.nan] * (entries + 1 - len(values)))
