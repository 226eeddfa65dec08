"""Guests whose moods settle at a party: a Boltzmann machine small enough for every state to be counted."""

from typing import Protocol

import torch
from torch import Tensor

from .explorer import Explorer

MOST = 8  # guests: the page counts all their moods at every stroke


class Party(Protocol):
    """What is shown: a symmetric matrix of links and a bias for each unit."""

    weight: Tensor
    bias: Tensor

    def energy(self, s: Tensor) -> Tensor: ...

    def pull(self, s: Tensor) -> Tensor: ...

    def tempered(self, beta: float) -> "Party": ...


def party_explorer(machine: Party, names: tuple[str, ...]) -> Explorer:
    """Return an explorer for a small general Boltzmann machine, its units guests who are happy or grumpy.

    Friendships, temperature and moods can be changed; the energy is drawn over time, and how often each state was seen
    beside its exact probability. The page's chance is a seeded generator, so that a run can be replayed here.

    Arguments
        machine: a :class:`~genkit.nn.machines.Network` of 2 to 8 units.
        names: of the units; the first letters stand for them.

    Raises ``ValueError`` for too many units, names that do not suit, and links that are not symmetric.

    >>> from genkit.nn.machines import Network
    >>> party_explorer(Network(torch.tensor([[0.0, 2.0], [2.0, 0.0]]), torch.zeros(2)), ("Ada", "Ben"))
    [explorer: A party whose moods settle, to play with]
    """
    n = len(machine.bias)
    if not 2 <= n <= MOST:
        raise ValueError(f"machine: expected 2 … {MOST} units, received {n}")
    if len(names) != n or len({name[:1] for name in names}) != n:
        raise ValueError(f"names: expected {n} with different first letters, received {names}")
    weight, bias = machine.weight.detach(), machine.bias.detach()
    if not torch.equal(weight, weight.T) or weight.diagonal().any():
        raise ValueError("machine: expected symmetric links and none of a unit with itself, received others")
    links = {0.0, *weight.flatten().tolist()}
    levels = sorted({*links, max(links) or 2.0, min(links) or -2.0}, reverse=True)
    state = {"names": list(names), "weight": weight.tolist(), "bias": bias.tolist(), "levels": levels}
    turned = -weight.roll((1, 1), (0, 1))
    tries = [
        {"weight": w.tolist(), "bias": bias.tolist(), "temperature": t, "moods": moods, "seed": seed, "rounds": rounds}
        for w, t, moods, seed, rounds in (
            (weight, 1.0, [0] * n, 1, 0),
            (weight, 1.0, [i % 2 for i in range(n)], 1, 40),
            (weight, 0.3, [1] * n, 7, 40),
            (turned, 2.5, [(i + 1) % 2 for i in range(n)], 2_000_000_000, 40),
        )
    ]
    return Explorer(
        ("random.js", "party.js"), state=state, probes=[(given, _answer(machine, given)) for given in tries],
        title="A party whose moods settle, to play with",
        fallback="Here guests sit in a room, where scripts may run: change who likes whom, and watch the moods settle.",
    )  # fmt: skip


@torch.no_grad()
def _answer(machine: Party, inputs: dict) -> list[float]:
    """Compute what the page should, with the machine's own methods; chance is the page's generator, replayed."""
    machine = type(machine)(torch.tensor(inputs["weight"]).double(), torch.tensor(inputs["bias"]).double())
    tempered = machine.tempered(1 / inputs["temperature"])
    s = torch.tensor([inputs["moods"]]).double()
    n = s.shape[1]
    every = ((torch.arange(2**n)[:, None] >> torch.arange(n)) & 1).double()
    log_z = (-tempered.energy(every)).logsumexp(0).item()
    found = [machine.energy(s).item(), *tempered.pull(s).sigmoid()[0].tolist(), log_z]
    found.append(torch.tensor(-tempered.energy(s).item() - log_z).exp().item())
    chance, now = random(inputs["seed"]), s.clone()
    for _ in range(inputs["rounds"]):
        for i in range(now.shape[1]):
            now[0, i] = float(next(chance) < tempered.pull(now).sigmoid()[0, i].item())
        found.append(machine.energy(now).item())
    return [round(v, 6) for v in (*found, *now[0].tolist())]


def random(seed: int):
    """Yield the numbers in [0, 1) that the page's generator, mulberry32, gives for a seed.

    >>> round(next(random(1)), 6)
    0.627074
    """
    keep, a = 0xFFFFFFFF, seed & 0xFFFFFFFF
    while True:
        a = (a + 0x6D2B79F5) & keep
        t = ((a ^ (a >> 15)) * (1 | a)) & keep
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & keep)) & keep) ^ t
        yield ((t ^ (t >> 14)) & keep) / 2**32
