"""How soon a small GPT has learnt: genkit's against a plain loop of the size that nanoGPT's README gives for a CPU."""

import itertools
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Dataset, load
from ..data.text import read_text
from ..models.gpt import GPT
from ..training import TrainConfig, train

ITERATIONS, BATCH, TURNS = 2000, 12, 20
CONFIG = TrainConfig(steps=300, batch=BATCH, lr=8e-3, warmup=20, optimiser="muon")


def gpt(data: str | None = None, iterations: int = ITERATIONS, config: TrainConfig = CONFIG) -> dict[str, float]:
    """Train both on the same text and return their losses, their seconds and the ratio of these.

    Both have 4 layers of 4 heads, 128 channels, a context of 64 characters and batches of 12, and learn from the first
    nine tenths; the loss is that of the last tenth, in nats per character. The plain loop has learned positions, GELU,
    AdamW with its schedule and nothing else. The two take turns, a twentieth of the way each, since a machine's speed
    drifts. ``data`` is a path; by default Tiny Shakespeare is downloaded.
    """
    dataset = read_text(Path(data)) if data else load("tiny_shakespeare")
    sizes = {"vocabulary": dataset.levels, "context": dataset.shape[0]}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    plain = GPT(**sizes, positions="learned", activation="gelu", qk_norm=False, zero_init=False).to(device)
    ours = GPT(**sizes).to(device)
    loops = {"plain": _plain(plain, dataset, iterations), "genkit": train(ours, dataset.train, config)}
    steps, seconds = {"plain": iterations, "genkit": config.steps}, dict.fromkeys(loops, 0.0)
    for turn in range(TURNS):
        for name, loop in loops.items():
            share = steps[name] * (turn + 1) // TURNS - steps[name] * turn // TURNS
            start = time.perf_counter()
            for _ in itertools.islice(loop, share):
                pass
            seconds[name] += time.perf_counter() - start
    tokens = config.steps * BATCH * dataset.shape[0] / seconds["genkit"]
    flops = 6 * sum(p.numel() for p in ours.parameters()) * tokens  # 2 forwards, 4 back (Kaplan et al. 2020, table 1)
    return {
        "plain, s": seconds["plain"], "plain, nats": loss(plain, dataset),
        "genkit, s": seconds["genkit"], "genkit, nats": loss(ours, dataset),
        "ratio of seconds": seconds["genkit"] / seconds["plain"],
        "genkit, tokens/s": tokens, "of the matmul rate": flops / matmul_rate(device),
    }  # fmt: skip


@torch.no_grad()
def loss(model: nn.Module, dataset: Dataset) -> float:
    """Return the mean loss of the last tenth of the text, nats per character."""
    device = next(model.parameters()).device
    found = [
        -model.log_probs(x.to(device), c.to(device))
        for part in (dataset.valid, dataset.test)
        for x, c in zip(part.x.split(256), part.c.split(256), strict=True)
    ]
    return torch.cat(found).mean().item()


def matmul_rate(device: str, side: int = 1024, rounds: int = 10) -> float:
    """Return how many floating-point operations a second a product of two square matrices reaches, the best of all."""
    a, best = torch.randn(side, side, device=device), math.inf
    for _ in range(rounds):
        start = time.perf_counter()
        (a @ a).sum().item()
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def _plain(model: GPT, dataset: Dataset, iterations: int) -> Iterator[None]:
    """Take one step after the other, as a first program does, with the settings that nanoGPT uses for characters."""
    for name, p in model.named_parameters():
        last = name.endswith(("project.weight", "down.weight"))
        nn.init.normal_(p, std=0.02 / math.sqrt(8) if last else 0.02)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1, fused=True)
    w = dataset.train.c[:, 0]  # the text itself, but for its last window
    for i in range(iterations):
        for group in optimiser.param_groups:
            group["lr"] = _rate(i, iterations)
        starts = torch.randint(len(w) - dataset.shape[0], (BATCH,))
        window = torch.stack([w[s : s + dataset.shape[0] + 1] for s in starts]).to(model.device)
        _step(model, optimiser, window)
        yield


def _step(model: GPT, optimiser: torch.optim.Optimizer, window: Tensor) -> None:
    logits = model(window[:, :-1])
    optimiser.zero_grad(set_to_none=True)
    F.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten()).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()


def _rate(step: int, steps: int, highest: float = 1e-3, lowest: float = 1e-4, warmup: int = 100) -> float:
    if step < warmup:
        return highest * (step + 1) / (warmup + 1)
    return lowest + 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) * (highest - lowest)
