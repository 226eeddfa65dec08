"""A maze to draw in: two agents that learn it by trial, one of them with a model, beside a planner who knows it."""

from ..maze import Maze
from ..planning import sweeps
from ..reinforcement import dyna_q
from .explorer import Explorer
from .party import random

MOST = 150  # squares


def maze_explorer(maze: Maze, *, alpha: float = 0.5, gamma: float = 0.95, start: float = 1.0) -> Explorer:
    """Return an explorer of Q-learning, Dyna and value iteration in a maze whose walls can be drawn.

    The page's chance is a seeded generator, so that whole lives of agents can be replayed here, number by number.

    Arguments
        maze: what is there to begin with, at most 150 squares, with a goal.
        alpha, gamma: learning rate and discount of the agents.
        start: what they believe every action to be worth before they have tried it.

    Raises ``ValueError`` for a maze that is too large or has no goal.

    >>> maze_explorer(Maze(("S..", ".#G")))
    [explorer: A maze to draw in, and agents that learn it]
    """
    if maze.states > MOST or "G" not in maze.letters:
        raise ValueError(f"maze: expected at most {MOST} squares and a goal, received {maze.rows}")
    state = {
        "rows": list(maze.rows), "step": maze.step, "goal": maze.goal, "pit": maze.pit, "coin": maze.coin,
        "slip": maze.slip, "alpha": alpha, "gamma": gamma, "start": start, "epsilon": 0.1, "planning": 20, "limit": 500,
    }  # fmt: skip
    tries = [
        {**_inputs(state), "episodes": 1, "sweeps": 1},
        {**_inputs(state), "planning": 0, "episodes": 6, "sweeps": 5},
        {**_inputs(state), "seed": 2_000_000_000, "slip": 0.2, "episodes": 5, "sweeps": 9, "step": -0.1},
        {**_inputs(state), "seed": 7, "epsilon": 0.3, "episodes": 4, "sweeps": 40, "slip": 0.1, "step": 0.0},
    ]
    return Explorer(
        ("random.js", "maze.js"), state=state, probes=[(given, _answer(state, given)) for given in tries],
        title="A maze to draw in, and agents that learn it",
        fallback="Here is a maze, where scripts may run: draw walls, and watch two agents and a planner learn the way.",
    )  # fmt: skip


def _inputs(state: dict) -> dict:
    kept = ("rows", "step", "slip", "epsilon", "planning")
    return {name: state[name] for name in kept} | {"seed": 1, "episodes": 3, "sweeps": 3}


class Page:
    """The page's generator behind the name by which agents and environments ask for chance."""

    def __init__(self, seed: int):
        self.numbers = random(seed)

    def random(self) -> float:
        """Return the next number in [0, 1)."""
        return next(self.numbers)


def _answer(state: dict, inputs: dict) -> list[float]:
    """Compute what the page should: the planner's values, the agent's table and the lengths of its episodes."""
    from ..maze_env import MazeEnv

    rewards = {name: state[name] for name in ("goal", "pit", "coin")}
    maze = Maze(tuple(inputs["rows"]), step=inputs["step"], slip=inputs["slip"], **rewards)
    env = MazeEnv(maze, limit=state["limit"])
    env.np_random = Page(inputs["seed"] + 1)
    options = {name: state[name] for name in ("alpha", "gamma", "start")}
    learner = dyna_q(env, rng=Page(inputs["seed"]), episodes=inputs["episodes"], planning=inputs["planning"],
                     epsilon=inputs["epsilon"], **options)  # fmt: skip
    episodes = list(learner)
    v = [v for v, _ in zip(sweeps(*maze.tables(), state["gamma"]), range(inputs["sweeps"]), strict=False)][-1]
    found = [*v.tolist(), *episodes[-1].table.flatten().tolist(), *(e.length for e in episodes)]
    return [round(float(x), 6) for x in found]
