"""The experiments of the chapter on learning by trial."""

import time
from collections.abc import Callable

import numpy as np

from ..maze import BRIDGE, Maze
from ..maze_env import Dream, MazeEnv
from ..planning import backup, greedy, loss_at, policy_value, value_iteration
from ..reinforcement import Memory, begin, dyna_q, play, q_learning, reinforce, score, softmax, until

SOURCES = ("maze", "maze_env", "planning", "reinforcement")
RECIPES = ()
SEEDS = tuple(range(10))
GAMMA = 0.95
MOST = 8000  # real steps, after which an agent has failed
PLANNING = (0, 1, 2, 5, 10, 20, 50)
SETTINGS = [
    {"alpha": alpha, "start": start, "epsilon": epsilon}
    for alpha in (0.3, 0.5, 0.8, 1.0)
    for start in (0.0, 0.5, 1.0)
    for epsilon in (0.0, 0.05, 0.1)
]
YESTERDAY = BRIDGE.changed({(0, 7): "G", (5, 9): "."})
"""The same maze while the goal still stood at the end of the upper corridor."""
WRONG = {
    "Q-learning, from scratch": None,
    "Dyna, from scratch": {},
    "Dyna, yesterday's model, frozen": {"learn_model": False},
    "Dyna, yesterday's model, keeps everything": {"keep": None},
    "Dyna, yesterday's model, keeps the latest": {"keep": 1},
}
STARTS = (-1.0, 0.0, 1.0)
EPSILONS = (0.0, 0.05, 0.1, 0.2, 0.4)
RATES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
KEPT = (1, 3, 10, None)
SEEN = (500, 1000, 2000, 4000, 8000, 16000)
SLIP = 0.2
BONUSES = (0.0, 0.001, 0.003, 0.01)
CLIMBS = {"with": (0.3, 0.3), "without": (0.3, 0.0), "without, slower": (0.1, 0.0)}
"""Policy gradient, with a baseline and without: learning rates of the policy and of the baseline."""


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about two minutes on one thread."""
    results: dict = {"race": {}, "settings": {}, "wrong": {}, "explore": {}, "rates": {}, "kept": {}, "shortcut": {}}
    for planning in PLANNING:
        results["race"][str(planning)] = [race(planning, seed) for seed in SEEDS]
        tell(f"planning {planning}: {results['race'][str(planning)]}")
    for planning in (0, max(PLANNING)):
        for changes in SETTINGS:
            name = ", ".join([f"planning {planning}", *(f"{k} {v:g}" for k, v in changes.items())])
            results["settings"][name] = [race(planning, seed, **changes) for seed in SEEDS]
        tell(f"settings, planning {planning}: {best(results, planning)}")
    for name in WRONG:
        results["wrong"][name] = [after_a_change(name, seed) for seed in SEEDS]
        tell(f"{name}: {results['wrong'][name]}")
    for start in STARTS:
        for epsilon in EPSILONS:
            results["explore"][f"{start:g}, {epsilon:g}"] = [explore(start, epsilon, seed) for seed in SEEDS]
    tell(f"exploring: {results['explore']}")
    for slip in (0.0, SLIP):
        for alpha in RATES:
            results["rates"][f"{slip:g}, {alpha:g}"] = [rate(slip, alpha, seed) for seed in SEEDS]
    tell(f"learning rates: {results['rates']}")
    for keep in KEPT:
        results["kept"][str(keep)] = [model_of_slips(keep, seed) for seed in SEEDS]
        tell(f"keeps {keep}: {results['kept'][str(keep)][0]}")
    for bonus in BONUSES:
        results["shortcut"][f"{bonus:g}"] = [shortcut(bonus, seed) for seed in SEEDS]
    tell(f"shortcut: {results['shortcut']}")
    results["gradient"] = [gradient(seed) for seed in SEEDS]
    tell(f"policy gradient: {results['gradient']}")
    results["claims"] = {"C14": verdict(results)}
    return results


def solved(maze: Maze, tolerance: float = 1e-6) -> Callable:
    """Return a test of an episode: acting greedily on its table gives at most ``tolerance`` of value away, exactly."""
    p, r = maze.tables()
    best = value_iteration(p, r, GAMMA)[maze.start]
    return lambda episode: best - policy_value(p, r, greedy(episode.table), GAMMA)[maze.start] <= tolerance


def race(planning: int, seed: int, maze: Maze = BRIDGE, **changes) -> dict[str, float]:
    """Let an agent learn until three episodes in a row leave it with a shortest way: real steps, updates, seconds."""
    env = MazeEnv(maze)
    options = {"start": 1.0, "episodes": MOST, "planning": planning, **changes}
    began = time.perf_counter()
    steps = min(until(dyna_q(env, rng=begin(env, seed), **options), solved(maze), most=MOST), MOST)
    seconds = time.perf_counter() - began
    return {
        "steps": steps,
        "updates": steps * (1 + planning),
        "seconds": round(seconds, 3),
        "solved": float(steps < MOST),
    }


def after_a_change(name: str, seed: int, planning: int = 20) -> dict[str, float]:
    """Learn the maze of today, with a model of yesterday's or without one: real steps until it is solved."""
    change = WRONG[name]
    if change is None or not change:
        return race(0 if change is None else planning, seed)
    memory = Memory(keep=change.get("keep", 1))
    before = MazeEnv(YESTERDAY)
    list(dyna_q(before, rng=begin(before, 100 + seed), start=1.0, planning=planning, episodes=60, memory=memory))
    learn_model = change.get("learn_model", True)
    return race(planning, seed, memory=memory, learn_model=learn_model)


def explore(start: float, epsilon: float, seed: int, episodes: int = 120) -> dict[str, float]:
    """Q-learning for some episodes: share solved, squares it ever left, mean sum of rewards, share that arrived."""
    env = MazeEnv(BRIDGE)
    life = list(q_learning(env, rng=begin(env, seed), start=start, epsilon=epsilon, episodes=episodes))
    return {
        "solved": float(solved(BRIDGE)(life[-1])),
        "squares": float((life[-1].table != start).any(1).sum()),
        "return": round(float(np.mean([e.total for e in life])), 3),
        "arrived": float(np.mean([e.arrived for e in life])),
    }


def rate(slip: float, alpha: float, seed: int) -> dict[str, float]:
    """Q-learning at a learning rate, with slips or without: the value that its greedy policy gives away in the end."""
    maze = BRIDGE.changed(slip=slip)
    env = MazeEnv(maze)
    *_, last = q_learning(env, rng=begin(env, seed), start=1.0, alpha=alpha, episodes=400)
    return {"loss": round(loss_at(*maze.tables(), last.table, GAMMA, maze.start), 4)}


def model_of_slips(keep: int | None, seed: int) -> dict[str, float]:
    """Learn a model of slips by walking about at random: what it says of fresh steps, what planning on it gives."""
    maze, memory, found = BRIDGE.changed(slip=SLIP), Memory(keep=keep), {}
    env = MazeEnv(maze)
    fresh = steps_of(maze, seed, 1000)
    learner = dyna_q(env, rng=begin(env, seed), episodes=MOST, planning=1, epsilon=1.0, memory=memory)
    wanted = list(SEEN)
    for episode in learner:
        while wanted and episode.steps >= wanted[0]:
            n = wanted.pop(0)
            found[f"nats, {n}"] = round(
                float(np.mean([memory.log_prob(*step, states=maze.states) for step in fresh])), 4
            )
            planned, promised = plan(memory, maze)
            p, r = maze.tables()
            found[f"loss, {n}"] = round(loss_at(p, r, planned, GAMMA, maze.start), 4)
            found[f"promised, {n}"] = round(promised, 4)
        if not wanted:
            break
    return found


def plan(memory: Memory, maze: Maze) -> tuple[np.ndarray, float]:
    """Value iteration on the learned tables: action values, shape (S, A), and what they promise at the start."""
    p, r, known = memory.tables(maze.states)
    v = value_iteration(p, r, GAMMA)
    return np.where(known, backup(p, r, v, GAMMA), -1e9), float(v[maze.start])


def steps_of(maze: Maze, seed: int, count: int) -> list[tuple[int, int, float, int, bool]]:
    """Take real steps at random, for nobody to learn from: (s, a, r, s', end)."""
    env = MazeEnv(maze)
    rng, found = begin(env, 10_000 + seed), []
    s, over = env.reset()[0], False
    while len(found) < count:
        a = int(4 * rng.random())
        s2, r, done, late, _ = env.step(a)
        found.append((s, a, r, s2, done))
        s, over = s2, done or late
        if over:
            s, _ = env.reset()
    return found


def shortcut(bonus: float, seed: int) -> dict[str, float]:
    """Learn a maze whose bridge is closed; then it opens. Real steps until Dyna takes it, with a bonus or without."""
    closed = MazeEnv(BRIDGE.changed({(5, 6): "#"}))
    memory, rng = Memory(keep=1), begin(closed, seed)
    options = {"rng": rng, "planning": 20, "memory": memory, "bonus": bonus}
    *_, last = dyna_q(closed, start=1.0, episodes=60, **options)
    env = MazeEnv(BRIDGE)
    env.reset(seed=1000 + seed)
    life = dyna_q(env, q=last.table, episodes=MOST, **options)
    steps = min(until(life, solved(BRIDGE), most=MOST), MOST)
    return {"steps": steps, "solved": float(steps < MOST)}


def gradient(seed: int, episodes: int = 1200) -> dict[str, float]:
    """Policy gradient: steps until its likeliest way is at most a little longer than the shortest; fresh episodes."""
    found = {}
    for name, (alpha, baseline) in CLIMBS.items():
        env = MazeEnv(BRIDGE, limit=300)
        life = list(reinforce(env, rng=begin(env, seed), episodes=episodes, alpha=alpha, baseline=baseline))
        steps = until(iter(life), solved(BRIDGE, 0.1), most=10**9)
        fresh = score(MazeEnv(BRIDGE, limit=300), softmax(life[-1].table), episodes=100, seed=seed)
        found |= {
            f"solved, {name}": float(solved(BRIDGE)(life[-1])), f"good, {name}": float(np.isfinite(steps)),
            f"steps, {name}": min(steps, life[-1].steps), f"return, {name}": round(fresh["return"].value, 3),
        }  # fmt: skip
    return found


def best(results: dict, planning: int) -> tuple[str, float]:
    """Return the settings with which an agent needs fewest real steps on average, and how many."""
    runs = {name: those for name, those in results["settings"].items() if name.startswith(f"planning {planning},")}
    means = {name: float(np.mean([run["steps"] for run in those])) for name, those in runs.items()}
    return min(means.items(), key=lambda item: item[1])


def dreamt(memory: Memory, maze: Maze, policy: np.ndarray, seed: int, episodes: int = 200):
    """Play a policy in the model's imagination: its scores there."""
    return score(Dream(memory, states=maze.states, start=maze.start), policy, episodes=episodes, seed=seed)


def way(maze: Maze, policy: np.ndarray, seed: int = 0, env=None) -> list[int]:
    """Return the squares of one episode of a policy, the last one included."""
    env = env or MazeEnv(maze, limit=60)
    seen, _ = play(env, policy, begin(env, seed))
    return [*(s for s, _, _ in seen), env.state]


def verdict(results: dict) -> str:
    """Put claim C14 in a sentence, from the record's own numbers."""
    mean = {name: float(np.mean([run["steps"] for run in runs])) for name, runs in results["race"].items()}
    most = str(max(PLANNING))
    wrong = {name: float(np.mean([run["steps"] for run in runs])) for name, runs in results["wrong"].items()}
    frozen = sum(run["solved"] for run in results["wrong"]["Dyna, yesterday's model, frozen"])
    everything, latest = (wrong[f"Dyna, yesterday's model, keeps {what}"] for what in ("everything", "the latest"))
    plain, dyna = best(results, 0)[1], best(results, max(PLANNING))[1]
    work = mean[most] * (1 + int(most))
    return (
        f"While the model is right, yes: over {len(SEEDS)} seeds Dyna with {most} imagined steps for each real one "
        f"solves the maze after {mean[most]:,.0f} real steps, Q-learning after {mean['0']:,.0f}; with the best "
        f"settings of each, after {dyna:,.0f} and {plain:,.0f}. It is no less work: {work:,.0f} updates against "
        f"{mean['0']:,.0f}. And with a wrong model the lead is lost. Planning on yesterday's maze, {frozen:.0f} of "
        f"{len(SEEDS)} solve today's within {MOST:,} steps; where the model averages old and new, it takes "
        f"{everything:,.0f}, and where the latest outcome replaces the old one, {latest:,.0f}."
    )
