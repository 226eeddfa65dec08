"""The exercises of the chapter on learning by trial."""

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def discounted(rewards, gamma):
    """The return of every step of an episode, G_t = R_t+1 + γ G_t+1, shape (T,)."""
    found = torch.zeros_like(rewards)
    total = 0.0  # hole
    for t in reversed(range(len(rewards))):  # hole
        total = rewards[t] + gamma * total  # hole
        found[t] = total  # hole
    return found


def chances(row, epsilon):
    """The ε-greedy probabilities of all actions from their values, both of shape (A,).

    The best action is taken with the chance 1 − ε, and any action, the best included,
    with the chance ε. Where several are best, they share equally.
    """
    best = (row == row.max()).to(row.dtype)  # hole
    return (1 - epsilon) * best / best.sum() + epsilon / len(row)  # hole


def q_step(q, s, a, r, s_next, end, alpha, gamma):
    """The table q, shape (S, A), after one step of Q-learning; q itself stays.

    In state s, action a brought the reward r and led to s_next; end says whether the
    episode is over there.
    """
    new = q.clone()
    target = r if end else r + gamma * q[s_next].max()  # hole
    new[s, a] += alpha * (target - q[s, a])  # hole
    return new


def sweep(p, r, v, gamma):
    """One sweep of value iteration: new values, shape (S,), from p(s' | s, a), shape
    (S, A, S), mean rewards r(s, a), shape (S, A), and old values v, shape (S,).
    """
    return (r + gamma * p @ v).max(dim=1).values  # hole


def value_of(p, r, policy, gamma):
    """What a policy is worth in every state, shape (S,): solve a linear system.

    p(s' | s, a) has shape (S, A, S), r(s, a) and policy π(a | s) have shape (S, A).
    """
    moves = torch.einsum("sa,sat->st", policy, p)
    reward = (policy * r).sum(1)  # hole
    return torch.linalg.solve(torch.eye(len(r)) - gamma * moves, reward)  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _rewards(t, gamma, seed):
    return lambda: (torch.randn(t, generator=torch.Generator().manual_seed(seed)), gamma)


def _table(s, a, seed):
    return torch.randn(s, a, generator=torch.Generator().manual_seed(seed))


def _seen(s, a, end, alpha, gamma, seed):
    def make():
        state, action, following = seed % s, (seed + 1) % a, (seed + 2) % s
        return _table(s, a, seed), state, action, -0.3 + 0.1 * seed, following, end, alpha, gamma

    return make


def _world(s, a, gamma, seed, what):
    def make():
        g = torch.Generator().manual_seed(seed)
        p = torch.rand(s, a, s, generator=g) ** 3
        p = p / p.sum(2, keepdim=True)
        p[-1] = 0  # the last state is an end
        r = torch.randn(s, a, generator=g)
        r[-1] = 0
        policy = torch.rand(s, a, generator=g) + 0.1
        other = 4 * torch.randn(s, generator=g) if what == "v" else policy / policy.sum(1, keepdim=True)
        return p, r, other, gamma

    return make


def _eye(r):
    return torch.eye(len(r))


def _moves(p, policy):
    return torch.einsum("sa,sat->st", policy, p)


def _forward(rewards, gamma):
    """Discount from the beginning of the episode, not from each step on."""
    power = gamma ** torch.arange(len(rewards))
    return (rewards * power).flip(0).cumsum(0).flip(0)


def _past(rewards, gamma):
    found, total = torch.zeros_like(rewards), 0.0
    for t in range(len(rewards)):
        total = rewards[t] + gamma * total
        found[t] = total
    return found


def _one_later(rewards, gamma):
    found, total = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        found[t] = total
        total = rewards[t] + gamma * total
    return found


def _returns(rewards, gamma):
    found, total = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        total = rewards[t] + gamma * total
        found[t] = total
    return found


def _update(q, s, a, target, alpha):
    new = q.clone()
    new[s, a] = q[s, a] + alpha * (target - q[s, a])
    return new


def _row(q, s, r, s2, end, alpha, gamma):
    new = q.clone()
    new[s] = q[s] + alpha * ((r if end else r + gamma * q[s2].max()) - q[s])
    return new


# the exercises --------------------------------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        "discounted",
        1,
        discounted,
        [_rewards(5, 0.9, 0), _rewards(1, 0.5, 1), _rewards(8, 0.99, 2), _rewards(4, 0.0, 3), _rewards(6, 1.0, 4)],
        mistakes={
            "undiscounted": (
                lambda r, g: r.flip(0).cumsum(0).flip(0),
                "these are sums without a discount: what comes k steps later counts γ^k.",
            ),
            "from the past": (
                _past,
                "this adds up what came before each step: a return is what comes after it. Begin at the end.",
            ),
            "from the start": (
                _forward,
                "you discount from the beginning of the episode: each step counts from itself on.",
            ),
            "one later": (_one_later, "the step's own reward is missing: G_t begins with R_t+1, undiscounted."),
            "own reward discounted": (
                lambda r, g: g * _returns(r, g),
                "the step's own reward is not discounted: only what follows it.",
            ),
            "rewards alone": (lambda r, g: r.clone(), "these are the rewards: add what follows, discounted."),
            "two terms": (
                lambda r, g: r + g * torch.cat([r[1:], torch.zeros(1)]),
                "only the next reward is added: the next return is wanted, with all that follows.",
            ),
            "turned": (
                lambda r, g: _returns(r, g).flip(0),
                "the returns come out in reverse order: the first belongs to the first step.",
            ),
            "of the first": (
                lambda r, g: _returns(r, g)[0],
                "this is the return of the first step alone: one number for each step is wanted.",
            ),
            "averaged": (
                lambda r, g: _returns(r, g) / len(r),
                "a return is a sum, not an average over the steps.",
            ),
            "normalised": (
                lambda r, g: (1 - g) * _returns(r, g) if g < 1 else _returns(r, g),
                "the factor 1 − γ does not belong here.",
            ),
        },
    ),
    Exercise(
        "chances",
        1,
        chances,
        [
            lambda: (torch.tensor([0.1, 0.7, -1.0, 0.3]), 0.2),
            lambda: (torch.tensor([0.5, 0.5, -1.0, 0.5]), 0.4),
            lambda: (torch.zeros(3), 0.1),
            lambda: (torch.tensor([-2.0, -1.0]), 0.0),
            lambda: (torch.tensor([1.0, 3.0, 2.0, -4.0, 0.0]), 1.0),
        ],
        mistakes={
            "best gets less": (
                lambda q, e: torch.where(q == q.max(), (1 - e) / (q == q.max()).sum(), e / len(q)),
                "the random choice may fall on the best action too: it gets 1 − ε and its share of ε.",
            ),
            "others share": (
                lambda q, e: (
                    torch.where(q == q.max(), (1 - e) / (q == q.max()).sum(), e / (q != q.max()).sum().clamp(min=1))
                ),
                "the random choice is among all actions, the best included, so each gets ε / A.",
            ),
            "ties doubled": (
                lambda q, e: (1 - e) * (q == q.max()).float() + e / len(q),
                "where several are best, they share the 1 − ε: yours add up to more than 1.",
            ),
            "first of the best": (
                lambda q, e: (1 - e) * torch.nn.functional.one_hot(q.argmax(), len(q)).float() + e / len(q),
                "where several actions are best they share equally; argmax picks the first of them alone.",
            ),
            "swapped": (
                lambda q, e: e * (q == q.max()).float() / (q == q.max()).sum() + (1 - e) / len(q),
                "ε and 1 − ε are swapped: ε is the share of random actions.",
            ),
            "softmax": (
                lambda q, e: torch.softmax(q, 0),
                "a softmax knows no ε: all actions but the best get the same here.",
            ),
            "softmax by epsilon": (
                lambda q, e: torch.softmax(q / max(e, 1e-9), 0),
                "ε is no temperature: all actions but the best get the same chance.",
            ),
            "greedy": (
                lambda q, e: (q == q.max()).float() / (q == q.max()).sum(),
                "this is the greedy policy: with the chance ε any action is taken.",
            ),
            "uniform": (
                lambda q, e: torch.full_like(q, 1 / len(q)),
                "this is the random policy: with the chance 1 − ε the best action is taken.",
            ),
            "worst": (
                lambda q, e: (1 - e) * (q == q.min()).float() / (q == q.min()).sum() + e / len(q),
                "this favours the worst action: take the largest value.",
            ),
            "epsilon each": (
                lambda q, e: (1 - e) * (q == q.max()).float() / (q == q.max()).sum() + e,
                "each action gets ε / A of the random choices: yours add up to more than 1.",
            ),
        },
    ),
    Exercise(
        "q_step",
        2,
        q_step,
        [
            _seen(4, 3, False, 0.5, 0.9, 0),
            _seen(4, 3, True, 0.5, 0.9, 1),
            _seen(3, 2, False, 0.1, 0.95, 2),
            _seen(5, 4, False, 1.0, 0.5, 3),
            _seen(5, 4, True, 0.2, 0.99, 6),
            _seen(7, 3, False, 0.4, 0.9, 5),
            _seen(6, 3, False, 0.7, 0.8, 8),
        ],
        mistakes={
            "beyond the end": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r + g * q[n].max(), al),
                "nothing follows an end: where the episode is over, the target is r alone.",
            ),
            "end turned round": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r + g * q[n].max() if e else r, al),
                "end is turned round: the value of s_next counts where the episode goes on.",
            ),
            "no target": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, q[s, a] + (r if e else r + g * q[n].max()), al),
                "you add the whole target: move towards it, by α times the difference.",
            ),
            "no discount": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r if e else r + q[n].max(), al),
                "the discount γ of what follows is missing.",
            ),
            "no learning rate": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r if e else r + g * q[n].max(), 1.0),
                "the learning rate is missing: this jumps to the target in one step.",
            ),
            "here instead of there": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r if e else r + g * q[s].max(), al),
                "take the best value of s_next, where the step led, and not of s.",
            ),
            "mean": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r if e else r + g * q[n].mean(), al),
                "Q-learning looks at the best action there, not at the average one: take the largest value.",
            ),
            "same action": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r if e else r + g * q[n, a], al),
                "take the best action of s_next, not the same action once more.",
            ),
            "best of all": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r if e else r + g * q.max(), al),
                "this is the largest value of the whole table: take that of the row s_next.",
            ),
            "away": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, r if e else r + g * q[n].max(), -al),
                "this moves away from the target: add α times (target − old value).",
            ),
            "reward ignored": (
                lambda q, s, a, r, n, e, al, g: _update(q, s, a, 0.0 if e else g * q[n].max(), al),
                "the reward is missing from the target.",
            ),
            "whole row": (
                lambda q, s, a, r, n, e, al, g: _row(q, s, r, n, e, al, g),
                "only the action that was taken is learned about: change one entry, q[s, a].",
            ),
        },
    ),
    Exercise(
        "sweep",
        2,
        sweep,
        [_world(4, 3, 0.9, 0, "v"), _world(3, 3, 0.5, 1, "v"), _world(6, 2, 0.99, 2, "v"), _world(2, 5, 0.8, 3, "v")],
        mistakes={
            "no discount": (lambda p, r, v, g: (r + p @ v).max(1).values, "the discount γ is missing."),
            "mean of the actions": (
                lambda p, r, v, g: (r + g * p @ v).mean(1),
                "this is the value of acting at random: take the best action.",
            ),
            "action values": (lambda p, r, v, g: r + g * p @ v, "these are the values of actions: take the largest."),
            "over states": (
                lambda p, r, v, g: (r + g * p @ v).max(0).values,
                "the largest over the states is taken: for each state, take it over the actions.",
            ),
            "which action": (
                lambda p, r, v, g: (r + g * p @ v).argmax(1),
                "these are the numbers of the best actions: their values are wanted.",
            ),
            "no reward": (lambda p, r, v, g: (g * p @ v).max(1).values, "the rewards r(s, a) are missing."),
            "best reward first": (
                lambda p, r, v, g: r.max(1).values + g * (p @ v).max(1).values,
                "reward and what follows belong to the same action: add first, then take the largest.",
            ),
            "best outcome": (
                lambda p, r, v, g: (r + g * (p * v).max(2).values).max(1).values,
                "average over the outcomes s', weighed by their chances: only actions are chosen.",
            ),
            "reward discounted": (
                lambda p, r, v, g: (g * (r + p @ v)).max(1).values,
                "the reward comes now: only what follows is discounted.",
            ),
            "old value kept": (
                lambda p, r, v, g: v + (r + g * p @ v).max(1).values,
                "the old value is replaced, not added to: it stands behind p already.",
            ),
            "worst": (lambda p, r, v, g: (r + g * p @ v).min(1).values, "this takes the worst action."),
        },
    ),
    Exercise(
        "value_of",
        2,
        value_of,
        [_world(4, 3, 0.9, 0, "π"), _world(3, 2, 0.5, 1, "π"), _world(6, 2, 0.95, 2, "π"), _world(2, 2, 0.0, 3, "π")],
        mistakes={
            "no discount": (
                lambda p, r, pi, g: torch.linalg.solve(_eye(r) - _moves(p, pi) * 0.999, (pi * r).sum(1)),
                "the discount γ is missing.",
            ),
            "plus": (
                lambda p, r, pi, g: torch.linalg.solve(_eye(r) + g * _moves(p, pi), (pi * r).sum(1)),
                "a sign is wrong: v = r + γ P v means (I − γ P) v = r.",
            ),
            "transposed": (
                lambda p, r, pi, g: torch.linalg.solve(_eye(r) - g * _moves(p, pi).T, (pi * r).sum(1)),
                "the matrix is transposed: row s holds where one goes *from* s.",
            ),
            "rewards of all": (
                lambda p, r, pi, g: torch.linalg.solve(_eye(r) - g * _moves(p, pi), r.sum(1)),
                "weigh the rewards with the policy: actions it never takes bring nothing.",
            ),
            "mean rewards": (
                lambda p, r, pi, g: torch.linalg.solve(_eye(r) - g * _moves(p, pi), r.mean(1)),
                "weigh the rewards with the policy, not all actions alike.",
            ),
            "best rewards": (
                lambda p, r, pi, g: torch.linalg.solve(_eye(r) - g * _moves(p, pi), r.max(1).values),
                "the policy decides, not the best action: weigh the rewards with the policy.",
            ),
            "one step": (
                lambda p, r, pi, g: (pi * r).sum(1),
                "this is the reward of the first step: what follows is missing. Solve (I − γ P) v = r.",
            ),
            "two steps": (
                lambda p, r, pi, g: (pi * r).sum(1) + g * _moves(p, pi) @ (pi * r).sum(1),
                "these are the first two steps: solving the system counts all of them.",
            ),
            "multiplied": (
                lambda p, r, pi, g: (_eye(r) - g * _moves(p, pi)) @ (pi * r).sum(1),
                "you multiply by I − γ P: solve for v instead.",
            ),
            "discount on the identity": (
                lambda p, r, pi, g: torch.linalg.solve((1 + g) * _eye(r) - _moves(p, pi), (pi * r).sum(1)),
                "γ belongs to P, the matrix of moves, not to the identity.",
            ),
        },
    ),
    Choice(
        "odd_agent",
        3,
        "odd_agent",
        "b",
        {
            "a": "its table comes ever closer to the exact values: it is plain Q-learning.",
            "c": "its table comes ever closer to the exact values: imagined steps do no harm here, the model is right.",
            "none": "one of them stays off however long it learns. Compare with the exact values, square by square.",
        },
        "that is none of the answers: a, b, c, none.",
        "It takes time that is up for an end, and believes that nothing follows: squares where the clock often stops "
        "come out wrong, however long it learns",
    ),
)  # fmt: skip


def suspects():
    """Return a maze, and three agents by name; at most one is wrong.

    Each agent is a function of a number of episodes, and returns the table of action values it has learned by then.
    """
    import numpy as np

    from ..maze import Maze
    from ..maze_env import MazeEnv
    from ..reinforcement import begin, dyna_q

    ring, limit = Maze(("S..", ".#.", "..G")), 6

    class Impatient(MazeEnv):
        def step(self, action):
            s, r, terminated, truncated, more = super().step(action)
            return s, r, terminated or truncated, truncated, more

    def agent(kind, planning):
        def learn(episodes):
            env = kind(ring, limit=limit)
            options = {"planning": planning, "epsilon": 0.8, "alpha": 0.3, "episodes": episodes}
            *_, last = dyna_q(env, rng=begin(env, 0), **options)
            return np.asarray(last.table)

        return learn

    return ring, {"a": agent(MazeEnv, 0), "b": agent(Impatient, 0), "c": agent(MazeEnv, 5)}
