"""A robot's maze as a Markov decision process: where it can stand, what a move does to it, and what that brings."""

from collections import deque
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""What the actions 0 … 3 add to row and column: up, right, down, left."""
ARROWS = "↑→↓←"
SIGNS = "#.SGXc"


@dataclass(frozen=True)
class Maze:
    r"""A maze drawn in letters, with what a step costs and what its ends are worth.

    A state is a square, counted row by row, walls included (nobody ever stands there). An action is a direction. With
    the chance ``slip`` the robot goes to the left or to the right of where it wanted, each half of the time; a move
    into a wall leaves it where it is. Goal, pit and coin end the episode: nothing follows them, their value is 0.

    Arguments
        rows: lines of one length: ``#`` a wall, ``.`` free, ``S`` the start (one), ``G`` the goal, ``X`` a pit,
            ``c`` a coin.
        step: the reward of every step, paid on top of what lies where it ends; a cost is below 0.
        goal, pit, coin: the rewards for arriving there.
        slip: a probability in [0, 1].

    Raises ``ValueError`` for lines of several lengths, strange letters, not one start, and a slip outside [0, 1].

    >>> maze = Maze(("S.#", "..G"))
    >>> maze.shape, maze.start, maze.steps_to_goal().tolist()
    ((2, 3), 0, [3.0, 2.0, inf, 2.0, 1.0, 0.0])
    """

    rows: tuple[str, ...]
    step: float = -0.04
    goal: float = 1.0
    pit: float = -1.0
    coin: float = 0.3
    slip: float = 0.0

    def __post_init__(self):
        letters = "".join(self.rows)
        if not self.rows or len({len(row) for row in self.rows}) != 1:
            raise ValueError(f"rows: expected lines of one length, received {self.rows}")
        if strange := set(letters) - set(SIGNS):
            raise ValueError(f"rows: expected the letters {SIGNS}, received {''.join(sorted(strange))!r}")
        if letters.count("S") != 1:
            raise ValueError(f"rows: expected one start S, received {letters.count('S')}")
        if not 0 <= self.slip <= 1:
            raise ValueError(f"slip: expected a probability in [0, 1], received {self.slip}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    @cached_property
    def letters(self) -> str:
        """The letter of every state, one after the other."""
        return "".join(self.rows)

    @property
    def states(self) -> int:
        """How many states there are, walls included."""
        return len(self.letters)

    @property
    def start(self) -> int:
        """The state in which every episode begins."""
        return self.letters.index("S")

    def ends(self, state: int) -> bool:
        """Tell whether an episode ends in this state: in a goal, a pit or a coin."""
        return self.letters[state] in "GXc"

    def inside(self) -> list[int]:
        """Return the states from which a move can be made: neither walls nor ends."""
        return [s for s, letter in enumerate(self.letters) if letter in ".S"]

    def beside(self, state: int, direction: int) -> int:
        """Return the state in which a move in exactly this direction ends."""
        row, column = divmod(state, self.shape[1])
        row, column = row + MOVES[direction][0], column + MOVES[direction][1]
        free = 0 <= row < self.shape[0] and 0 <= column < self.shape[1] and self.rows[row][column] != "#"
        return row * self.shape[1] + column if free else state

    def reward(self, arrived: int) -> float:
        """Return what a step is worth that ends in this state."""
        return self.step + {"G": self.goal, "X": self.pit, "c": self.coin}.get(self.letters[arrived], 0.0)

    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the whole truth about the maze: p(s' | s, a), shape (S, A, S), and the mean reward r(s, a), (S, A).

        Rows of walls and of ends are 0: nothing follows there.
        """
        p, r = np.zeros((self.states, 4, self.states)), np.zeros((self.states, 4))
        ways = ((0, 1 - self.slip), (3, self.slip / 2), (1, self.slip / 2))
        for s in self.inside():
            for a in range(4):
                for turn, chance in ways:
                    arrived = self.beside(s, (a + turn) % 4)
                    p[s, a, arrived] += chance
                    r[s, a] += chance * self.reward(arrived)
        return p, r

    def steps_to_goal(self) -> np.ndarray:
        """Return for every state the fewest steps to a goal, by brute force, ∞ where there is no way; shape (S,).

        A search in rings around the goals that knows nothing of rewards: the independent answer to hold learners to.
        """
        distance = np.full(self.states, np.inf)
        queue = deque(s for s, letter in enumerate(self.letters) if letter == "G")
        distance[list(queue)] = 0
        while queue:
            near = queue.popleft()
            for s in self.inside():
                if distance[s] == np.inf and near in (self.beside(s, a) for a in range(4)):
                    distance[s] = distance[near] + 1
                    queue.append(s)
        return distance

    def changed(self, squares: dict[tuple[int, int], str] | None = None, **rewards: float) -> "Maze":
        """Return a maze with other letters on some squares, (row, column), and other rewards or another slip.

        >>> Maze(("S.G",)).changed({(0, 1): "#"}, step=-1.0)
        Maze(rows=('S#G',), step=-1.0, goal=1.0, pit=-1.0, coin=0.3, slip=0.0)
        """
        lines = [list(row) for row in self.rows]
        for (row, column), letter in (squares or {}).items():
            lines[row][column] = letter
        return replace(self, rows=tuple("".join(line) for line in lines), **rewards)


BRIDGE = Maze(
    (
        "......#...",
        ".####.#.#.",
        ".#......#.",
        ".#.##.#.#.",
        "S..#..#...",
        "##......#G",
        "##.XXX#.#.",
        "##........",
    )
)
"""The robot's maze: the shortest way crosses a bridge beside pits; ways around it take a little longer."""
