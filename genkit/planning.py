r"""Planning with a model: what a policy is worth, and the best policy, from the tables p(s' | s, a) and r(s, a).

Tables are numpy arrays: ``p`` of shape (S, A, S), ``r`` of shape (S, A), as :meth:`genkit.maze.Maze.tables` returns
them. A row of zeros in ``p`` is an end: nothing follows. Equations are those of Sutton & Barto (2018).
"""

from collections.abc import Iterator

import numpy as np

CLOSE = 1e-9  # values that differ by less are the same


def backup(p: np.ndarray, r: np.ndarray, v: np.ndarray, gamma: float) -> np.ndarray:
    r"""Return what every action is worth when what follows is worth v: shape (S, A).

    .. math:: q(s, a) = r(s, a) + \gamma \sum_{s'} p(s' \mid s, a)\, v(s') \qquad \text{(eq. 4.6)}
    """
    return r + gamma * p @ v


def sweeps(p: np.ndarray, r: np.ndarray, gamma: float, *, tolerance: float = 1e-10) -> Iterator[np.ndarray]:
    r"""Value iteration: yield v, shape (S,), after every sweep until no value changes by more than ``tolerance``.

    .. math:: v_{k+1}(s) = \max_a \Big[r(s, a) + \gamma \sum_{s'} p(s' \mid s, a)\, v_k(s')\Big]
        \qquad \text{(eq. 4.10)}

    Raises ``ValueError`` for a ``gamma`` outside [0, 1), for which it may never end.
    """
    _check(p, r, gamma)
    v, change = np.zeros(len(r)), np.inf
    while change > tolerance:
        new = backup(p, r, v, gamma).max(1)
        change, v = np.abs(new - v).max(), new
        yield v


def value_iteration(p: np.ndarray, r: np.ndarray, gamma: float, *, tolerance: float = 1e-10) -> np.ndarray:
    """Return the optimal values, shape (S,): the last of the :func:`sweeps`.

    >>> p, r = np.zeros((2, 1, 2)), np.array([[1.0], [0.0]])
    >>> p[0, 0, 0] = 1  # one more unit in every step, for ever
    >>> value_iteration(p, r, 0.9).round(6)
    array([10.,  0.])
    """
    return list(sweeps(p, r, gamma, tolerance=tolerance))[-1]


def greedy(q: np.ndarray) -> np.ndarray:
    """Return the policy that takes the best action, shape (S, A) of probabilities; the best share equally.

    >>> greedy(np.array([[1.0, 3.0, 3.0, 0.0]]))
    array([[0. , 0.5, 0.5, 0. ]])
    """
    best = q >= q.max(1, keepdims=True) - CLOSE
    return best / best.sum(1, keepdims=True)


def policy_value(p: np.ndarray, r: np.ndarray, policy: np.ndarray, gamma: float) -> np.ndarray:
    r"""Return exactly what a policy is worth in every state, shape (S,): the Bellman equation is linear.

    .. math:: (I - \gamma P_\pi)\, v_\pi = r_\pi \qquad \text{(eq. 4.4 in matrices)}

    ``policy`` has shape (S, A), its rows add up to 1. Raises ``ValueError`` where shapes, rows or ``gamma`` are others.
    """
    _check(p, r, gamma)
    if policy.shape != r.shape or not np.allclose(policy.sum(1), 1):
        raise ValueError(f"policy: expected shape {r.shape} with rows that add up to 1, received {policy.shape}")
    moves = np.einsum("sa,sat->st", policy, p)
    return np.linalg.solve(np.eye(len(r)) - gamma * moves, (policy * r).sum(1))


def policy_sweeps(p: np.ndarray, r: np.ndarray, policy: np.ndarray, gamma: float, *, count: int) -> np.ndarray:
    r"""Return a policy's value after ``count`` sweeps from 0, shape (S,): the same by iteration (eq. 4.5)."""
    v = np.zeros(len(r))
    for _ in range(count):
        v = (policy * backup(p, r, v, gamma)).sum(1)
    return v


def loss_at(p: np.ndarray, r: np.ndarray, q: np.ndarray, gamma: float, state: int) -> float:
    """Return how much value one gives away by acting greedily on ``q`` from ``state``, exactly; 0 is perfect."""
    best = value_iteration(p, r, gamma)[state]
    return float(best - policy_value(p, r, greedy(q), gamma)[state])


def _check(p: np.ndarray, r: np.ndarray, gamma: float) -> None:
    if not 0 <= gamma < 1:
        raise ValueError(f"gamma: expected a discount in [0, 1), received {gamma}")
    if r.ndim != 2 or p.shape != (*r.shape, len(r)):
        raise ValueError(f"p, r: expected shapes (S, A, S) and (S, A), received {p.shape} and {r.shape}")
