"""The maze behind Gymnasium's interface: all that an agent without a map gets to see."""

import gymnasium
from gymnasium.spaces import Discrete

from .maze import Maze
from .reinforcement import Memory


class MazeEnv(gymnasium.Env):
    """A maze as an environment: ``reset`` puts the robot at the start, ``step`` moves it (Towers et al. 2024).

    The observation is the number of the square, the action a direction: 0 up, 1 right, 2 down, 3 left. ``terminated``
    says that the robot has arrived at an end. ``truncated`` says that time is up: it is *not* an end of the maze.

    Arguments
        maze: the truth, which an agent must not look at.
        limit: steps until an episode is cut off, at least 1.
        render_mode: ``"ansi"`` makes ``render`` return the maze in letters, with ``R`` for the robot.

    >>> env = MazeEnv(Maze(("S.G",)))
    >>> env.reset(seed=0)
    (0, {})
    >>> env.step(1)
    (1, -0.04, False, False, {})
    >>> env.step(1)
    (2, 0.96, True, False, {})
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}

    def __init__(self, maze: Maze, *, limit: int = 500, render_mode: str | None = None):
        if limit < 1:
            raise ValueError(f"limit: expected at least 1 step, received {limit}")
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode: expected None or 'ansi', received {render_mode!r}")
        self.maze, self.limit, self.render_mode = maze, limit, render_mode
        self.observation_space, self.action_space = Discrete(maze.states), Discrete(4)
        self.state, self.steps = maze.start, 0

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[int, dict]:
        """Begin an episode: return the start and an empty dictionary. A ``seed`` begins the chance anew, too."""
        super().reset(seed=seed)
        self.state, self.steps = self.maze.start, 0
        return self.state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict]:
        """Move, and return (state, reward, terminated, truncated, {})."""
        if not 0 <= action < 4:
            raise ValueError(f"action: expected 0 … 3, received {action}")
        direction = int(action)
        if self.maze.slip:
            u = self.np_random.random()
            turn = 3 if u < self.maze.slip / 2 else 1 if u < self.maze.slip else 0
            direction = (direction + turn) % 4
        self.state = self.maze.beside(self.state, direction)
        self.steps += 1
        terminated = self.maze.ends(self.state)
        truncated = self.steps >= self.limit and not terminated
        return self.state, self.maze.reward(self.state), terminated, truncated, {}

    def render(self) -> str | None:
        """Return the maze in letters."""
        if self.render_mode != "ansi":
            return None
        lines = [list(line) for line in self.maze.rows]
        row, column = divmod(self.state, self.maze.shape[1])
        lines[row][column] = "R"
        return "\n".join("".join(line) for line in lines)


class Dream(gymnasium.Env):
    """A learned model as an environment: each step is drawn from what a :class:`~genkit.reinforcement.Memory` has seen.

    Arguments
        memory: the model. Where it has never tried an action, a step leads nowhere, for nothing.
        states: how many there are.
        start: the state in which a dream begins.
        limit: steps until it is cut off, at least 1.

    >>> memory = Memory()
    >>> memory.see(0, 1, 0.96, 1, True)
    >>> dream = Dream(memory, states=2, start=0)
    >>> dream.reset(seed=0)[0], dream.step(1)
    (0, (1, 0.96, True, False, {}))
    """

    def __init__(self, memory: Memory, *, states: int, start: int, limit: int = 500):
        self.memory, self.start, self.limit = memory, start, limit
        self.observation_space, self.action_space = Discrete(states), Discrete(4)
        self.state, self.steps = start, 0

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[int, dict]:
        """Begin a dream: return the start and an empty dictionary."""
        super().reset(seed=seed)
        self.state, self.steps = self.start, 0
        return self.state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict]:
        """Imagine a move, and return (state, reward, terminated, truncated, {})."""
        seen = self.memory.outcomes.get((self.state, int(action)), [(0.0, self.state, False)])
        reward, self.state, terminated = seen[int(len(seen) * self.np_random.random())]
        self.steps += 1
        return self.state, reward, terminated, self.steps >= self.limit and not terminated, {}
