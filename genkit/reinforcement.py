r"""Learning by trial: agents that know of an environment only what ``reset`` and ``step`` tell them.

Every learner is a generator: it plays an episode, learns, and yields an :class:`Episode`, so that the loop of the
reader decides when it is enough. All chance comes from ``rng.random()``, numbers in [0, 1), and from the environment's
own generator. Equations and boxes are those of Sutton & Barto (2018).
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from .base import Estimate


class Chance(Protocol):
    """Where random numbers come from: ``numpy.random.default_rng(seed)``, or the generator of a page."""

    def random(self) -> float: ...


@dataclass(frozen=True)
class Episode:
    """What an agent knows after an episode, and how that episode went.

    Arguments
        table: the action values, shape (S, A); for :func:`reinforce` the preferences.
        steps: real steps taken since the agent was born.
        length: of this episode, in steps.
        total: the sum of this episode's rewards.
        arrived: whether it ended by itself, and not because time was up.
    """

    table: np.ndarray
    steps: int
    length: int
    total: float
    arrived: bool


def begin(env, seed: int) -> np.random.Generator:
    """Begin an environment's chance anew from ``seed``, and return another generator, for the agent.

    The two must differ: an environment that is seeded by the same number draws the very numbers that
    ``default_rng(seed)`` draws, and the robot would slip whenever its agent makes a certain choice.
    """
    env.reset(seed=seed)
    return np.random.default_rng((seed, 1))


def epsilon_greedy(row: list[float], epsilon: float, rng: Chance) -> int:
    """Return a random action with the chance ``epsilon``, else a best one; equals are drawn (eq. 2.2)."""
    if rng.random() < epsilon:
        return int(len(row) * rng.random())
    top = max(row)
    best = [a for a, value in enumerate(row) if value == top]
    return best[0] if len(best) == 1 else best[int(len(best) * rng.random())]


def update(q: list[list[float]], s: int, a: int, r: float, s2: int, done: bool, alpha: float, gamma: float) -> None:
    r"""Move one entry of q, in place, towards what was just seen.

    .. math:: q(s, a) \leftarrow q(s, a) + \alpha \big[r + \gamma \max_{a'} q(s', a') - q(s, a)\big]
        \qquad \text{(eq. 6.8)}

    Nothing follows an end: where ``done``, the target is r alone.
    """
    target = r if done else r + gamma * max(q[s2])
    q[s][a] += alpha * (target - q[s][a])


class Memory:
    r"""A learned model of the world: for every state and action, the outcomes (s', r, end) that were seen.

    To :meth:`imagine` draws one of them: a sample of the learned distribution :math:`\hat p(s', r \mid s, a)`.

    Arguments
        keep: remember only so many of the latest outcomes of each pair; ``None`` all. With 1 the model believes that
            the world is deterministic, as in the box of section 8.2.

    >>> memory = Memory()
    >>> memory.see(0, 1, -0.04, 5, False)
    >>> memory.imagine(np.random.default_rng(0))
    (0, 1, -0.04, 5, False)
    """

    def __init__(self, *, keep: int | None = None):
        if keep is not None and keep < 1:
            raise ValueError(f"keep: expected None or at least 1, received {keep}")
        self.keep, self.pairs = keep, []
        self.outcomes: dict[tuple[int, int], deque] = {}
        self.guessed: set[tuple[int, int]] = set()

    def see(self, s: int, a: int, r: float, s2: int, done: bool) -> None:
        """Remember one real step; it takes the place of a guess."""
        if (s, a) not in self.outcomes or (s, a) in self.guessed:
            self.pairs += [(s, a)] if (s, a) not in self.outcomes else []
            self.outcomes[s, a] = deque(maxlen=self.keep)
            self.guessed.discard((s, a))
        self.outcomes[s, a].append((r, s2, done))

    def guess(self, s: int, actions: int) -> None:
        """Guess that every untried action of a state leads back to it for nothing (section 8.3, footnote)."""
        for a in range(actions):
            if (s, a) not in self.outcomes:
                self.see(s, a, 0.0, s, False)
                self.guessed.add((s, a))

    def imagine(self, rng: Chance) -> tuple[int, int, float, int, bool]:
        """Draw a pair that was seen and one of its outcomes: (s, a, r, s', end)."""
        s, a = self.pairs[int(len(self.pairs) * rng.random())]
        seen = self.outcomes[s, a]
        return s, a, *seen[int(len(seen) * rng.random())]

    def log_prob(self, s: int, a: int, r: float, s2: int, done: bool, *, states: int) -> float:
        r"""Return :math:`\log \hat p(s', r \mid s, a)` in nats; what was never seen shares one pretended step.

        .. math:: \hat p = \frac{n(s', r) + 1/S}{n + 1}
        """
        seen = self.outcomes.get((s, a), ())
        return float(np.log((sum(outcome == (r, s2, done) for outcome in seen) + 1 / states) / (len(seen) + 1)))

    def tables(self, states: int, actions: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the learned p̂ (S, A, S) and r̂ (S, A), and which pairs were seen, bool (S, A).

        A pair that was never seen is taken to lead nowhere, for nothing. Steps into an end lead out of the table: its
        value is 0, and the row adds up to less than 1.
        """
        p, r = np.zeros((states, actions, states)), np.zeros((states, actions))
        for (s, a), seen in self.outcomes.items():
            for reward, s2, done in seen:
                r[s, a] += reward / len(seen)
                p[s, a, s2] += (not done) / len(seen)
        known = np.zeros((states, actions), dtype=bool)
        known[tuple(zip(*self.pairs, strict=True))] = True
        return p, r, known


def dyna_q(
    env,
    *,
    rng: Chance,
    episodes: int,
    planning: int = 10,
    alpha: float = 0.5,
    gamma: float = 0.95,
    epsilon: float = 0.1,
    start: float = 0.0,
    q: np.ndarray | None = None,
    memory: Memory | None = None,
    learn_model: bool = True,
    bonus: float = 0.0,
) -> Iterator[Episode]:
    r"""Learn from every real step, remember it, and learn from ``planning`` imagined ones (Sutton 1990; box, 8.2).

    With ``planning`` 0 this is :func:`q_learning`. Begin with ``rng = begin(env, seed)``.

    Arguments
        env: a Gymnasium environment with discrete observations and actions.
        planning: imagined steps for each real one, at least 0.
        alpha: learning rate, in (0, 1].
        gamma: discount, in [0, 1].
        epsilon: share of random actions, in [0, 1].
        start: what every action is believed to be worth before it was tried, or ``q``, a whole table, shape (S, A).
        memory: a model to go on with; a new one where there is none.
        learn_model: off, the model stays as it was given, right or wrong.
        bonus: Dyna-Q+: an imagined step is worth ``bonus`` · √(real steps since that pair was last tried) more, and
            actions never tried in a known state are imagined too, as leading back for nothing (section 8.3).

    Raises ``ValueError`` for numbers outside these ranges.
    """
    _check(alpha=alpha, gamma=gamma, epsilon=epsilon)
    if planning < 0 or episodes < 1:
        raise ValueError(f"planning, episodes: expected at least 0 and 1, received {planning} and {episodes}")
    shape = (int(env.observation_space.n), int(env.action_space.n))
    table = np.full(shape, start).tolist() if q is None else q.tolist()
    memory, last, steps = memory or Memory(), {}, 0
    for _ in range(episodes):
        s, _ = env.reset()
        length, total, over, terminated = 0, 0.0, False, False
        while not over:
            a = epsilon_greedy(table[s], epsilon, rng)
            s2, r, terminated, truncated, _ = env.step(a)
            update(table, s, a, r, s2, terminated, alpha, gamma)
            steps, length, total, over = steps + 1, length + 1, total + r, terminated or truncated
            if learn_model and (planning or bonus):
                if bonus:
                    memory.guess(s, shape[1])
                    last[s, a] = steps
                memory.see(s, a, r, s2, terminated)
            for _ in range(planning if memory.pairs else 0):
                i, b, reward, j, done = memory.imagine(rng)
                if bonus:
                    reward += bonus * (steps - last.get((i, b), 0)) ** 0.5
                update(table, i, b, reward, j, done, alpha, gamma)
            s = s2
        yield Episode(np.array(table), steps, length, total, terminated)


def q_learning(env, **options) -> Iterator[Episode]:
    """Learn from real steps alone (Watkins & Dayan 1992; box, 6.5), with the options of :func:`dyna_q`."""
    return dyna_q(env, planning=0, **options)


def returns(rewards: list[float], gamma: float) -> list[float]:
    r"""Return what follows each step, discounted: :math:`G_t = R_{t+1} + \gamma G_{t+1}` (eq. 3.9).

    >>> returns([0.0, 0.0, 1.0], 0.5)
    [0.25, 0.5, 1.0]
    """
    total, found = 0.0, []
    for r in reversed(rewards):
        total = r + gamma * total
        found.append(total)
    return found[::-1]


def softmax(preferences: np.ndarray) -> np.ndarray:
    """Turn preferences, shape (S, A), into probabilities of actions (eq. 13.2)."""
    weight = np.exp(preferences - preferences.max(-1, keepdims=True))
    return weight / weight.sum(-1, keepdims=True)


def reinforce(
    env,
    *,
    rng: Chance,
    episodes: int,
    alpha: float = 0.3,
    gamma: float = 0.95,
    baseline: float = 0.3,
) -> Iterator[Episode]:
    r"""Climb the expected return: make actions that did better than expected more probable (Williams 1992; box, 13.4).

    .. math:: \theta_{s} \leftarrow \theta_{s} + \alpha\, (G_t - b(s))\, (\mathbf 1_a - \pi(\cdot \mid s)),
        \qquad b(s) \leftarrow b(s) + \beta\, (G_t - b(s))

    The last bracket is :math:`\nabla_{\theta_s} \log \pi(a \mid s)` of a softmax. As is usual, the factor
    :math:`\gamma^t` of the box is left out: late steps count as much as early ones.

    Arguments
        alpha: learning rate, above 0.
        gamma: discount, in [0, 1].
        baseline: learning rate β of the expected returns b, in [0, 1]; 0 is no baseline.
    """
    _check(gamma=gamma, baseline=baseline)
    theta = np.zeros((int(env.observation_space.n), int(env.action_space.n)))
    expected, steps = np.zeros(len(theta)), 0
    for _ in range(episodes):
        pi = softmax(theta)
        seen, arrived = play(env, pi, rng)
        for (s, a, _), g in zip(seen, returns([r for _, _, r in seen], gamma), strict=True):
            surprise = g - expected[s]
            expected[s] += baseline * surprise
            theta[s] -= alpha * surprise * pi[s]
            theta[s, a] += alpha * surprise
        steps += len(seen)
        yield Episode(theta.copy(), steps, len(seen), sum(r for _, _, r in seen), arrived)


def play(env, policy: np.ndarray, rng: Chance) -> tuple[list[tuple[int, int, float]], bool]:
    """Play one episode with a policy, shape (S, A): return its (s, a, r), and whether it arrived."""
    edges = policy.cumsum(1).tolist()
    s, _ = env.reset()
    seen, terminated, truncated = [], False, False
    while not (terminated or truncated):
        u, a = rng.random(), 0
        while a < len(edges[s]) - 1 and u >= edges[s][a]:
            a += 1
        s2, r, terminated, truncated, _ = env.step(a)
        seen.append((s, a, r))
        s = s2
    return seen, terminated


def score(env, policy: np.ndarray, *, episodes: int, seed: int, gamma: float = 1.0) -> dict[str, Estimate]:
    """Play fresh episodes, from which nobody learns: their mean return, steps and share that arrived."""
    rng, rows = begin(env, seed), []
    for _ in range(episodes):
        seen, arrived = play(env, policy, rng)
        rows.append((returns([r for _, _, r in seen], gamma)[0], len(seen), arrived))
    columns = torch.tensor(rows, dtype=torch.float64).T
    return {name: Estimate.mean(x) for name, x in zip(("return", "steps", "arrived"), columns, strict=True)}


def until(learner: Iterator[Episode], good: Callable[[Episode], bool], *, times: int = 3, most: int = 10_000) -> float:
    """Return the real steps after which ``good`` holds for ``times`` episodes in a row; ∞ where not within ``most``."""
    first, row = float("inf"), 0
    for episode in learner:
        row = row + 1 if good(episode) else 0
        first = float(episode.steps) if row == 1 else first
        if row == times:
            return first
        if episode.steps >= most:
            break
    return float("inf")


def _check(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: expected a number in [0, 1], received {value}")
