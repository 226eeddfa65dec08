"""The maze keeps Gymnasium's rules; planners find what brute force finds; learners do what their equations say."""

import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.maze import Maze
from genkit.maze_env import Dream, MazeEnv
from genkit.planning import (
    backup,
    greedy,
    loss_at,
    policy_sweeps,
    policy_value,
    sweeps,
    value_iteration,
)
from genkit.reinforcement import (
    Memory,
    begin,
    dyna_q,
    epsilon_greedy,
    play,
    q_learning,
    reinforce,
    returns,
    score,
    softmax,
    until,
    update,
)

SMALL = Maze(("S..", ".#X", "..G"))
ROOM = Maze(("S...", ".#..", "..#G"))
GAMMA = 0.9


def free(maze):
    return maze.inside()


@st.composite
def mazes(draw):
    height, width = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    letters = draw(st.lists(st.sampled_from("....#Xc"), min_size=height * width, max_size=height * width))
    start, goal = draw(st.lists(st.integers(0, height * width - 1), min_size=2, max_size=2, unique=True))
    letters[start], letters[goal] = "S", "G"
    rows = tuple("".join(letters[i * width : (i + 1) * width]) for i in range(height))
    return Maze(rows, slip=draw(st.sampled_from([0.0, 0.2, 1.0])))


def learned(agent, maze, seed=0, limit=200, **options):
    """The last episode of an agent that learns a maze."""
    env = MazeEnv(maze, limit=limit)
    return list(agent(env, rng=begin(env, seed), **options))[-1]


# the maze --------------------------------------------------------------------------------------------------------


@given(mazes())
@settings(max_examples=40, deadline=None)
def test_every_move_leads_somewhere_and_nothing_follows_an_end(maze):
    p, r = maze.tables()
    inside = free(maze)
    assert np.allclose(p[inside].sum(2), 1)
    outside = [s for s in range(maze.states) if s not in inside]
    assert (p[outside] == 0).all() and (r[outside] == 0).all()
    walls = [s for s, letter in enumerate(maze.letters) if letter == "#"]
    assert (p[:, :, walls] == 0).all(), "nobody walks into a wall"


@given(mazes(), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_what_the_environment_does_is_what_the_tables_say(maze, action):
    env, (p, r) = MazeEnv(maze), maze.tables()
    env.reset(seed=0)
    counts, total, n = np.zeros(maze.states), 0.0, 600
    for _ in range(n):
        env.reset()
        s, reward, terminated, _, _ = env.step(action)
        counts[s] += 1
        total += reward
        assert terminated == maze.ends(s)
    assert np.abs(counts / n - p[maze.start, action]).max() < 0.1
    assert abs(total / n - r[maze.start, action]) < 0.15


def test_slips_go_left_and_right_and_never_back():
    maze = Maze(("...", ".S.", "..."), slip=0.4)
    p, _ = maze.tables()
    assert p[4, 0].tolist() == [0, pytest.approx(0.6), 0, 0.2, 0, 0.2, 0, 0, 0]


def test_fewest_steps_by_hand():
    distance = SMALL.steps_to_goal().reshape(3, 3)
    assert distance.tolist() == [[4, 5, 6], [3, np.inf, np.inf], [2, 1, 0]], "a pit is no way through"
    assert Maze(("S#G",)).steps_to_goal()[0] == np.inf


@given(mazes())
@settings(max_examples=40, deadline=None)
def test_fewest_steps_are_those_of_networkx(maze):
    import networkx

    graph = networkx.DiGraph((s, maze.beside(s, a)) for s in free(maze) for a in range(4))
    goal = maze.letters.index("G")
    found = maze.steps_to_goal()
    for s in free(maze):
        there = goal in graph and networkx.has_path(graph, s, goal)
        assert found[s] == (networkx.shortest_path_length(graph, s, goal) if there else np.inf)


@pytest.mark.parametrize("slip", [0.0, 0.3])
def test_gymnasiums_checker_has_nothing_to_say(slip):
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(MazeEnv(ROOM.changed(slip=slip), limit=20, render_mode="ansi"), skip_render_check=True)


def test_gymnasiums_checker_would_notice(capsys):
    from gymnasium.utils.env_checker import check_env

    class Forgetful(MazeEnv):
        def reset(self, *, seed=None, options=None):
            return float(super().reset(seed=seed)[0]), {}

    with pytest.raises(AssertionError):
        check_env(Forgetful(ROOM), skip_render_check=True)


def test_time_that_is_up_is_no_end():
    env = MazeEnv(SMALL, limit=2)
    env.reset(seed=0)
    assert env.step(0)[2:4] == (False, False)
    assert env.step(0)[2:4] == (False, True)
    env = MazeEnv(Maze(("SG",)), limit=1)
    env.reset(seed=0)
    assert env.step(1)[2:4] == (True, False), "who arrives with the last step has arrived"


def test_the_same_seed_slips_the_same_way():
    def walk(seed):
        env = MazeEnv(Maze(("...", ".S.", "..."), slip=0.5))
        env.reset(seed=seed)
        return [env.step(a)[0] for a in (0, 1, 2, 3) * 5]

    assert walk(3) == walk(3) != walk(4)


def test_the_robot_is_drawn():
    env = MazeEnv(SMALL, render_mode="ansi")
    env.reset(seed=0)
    env.step(1)
    assert env.render() == "SR.\n.#X\n..G"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Maze(("S.", ".")), "rows: expected lines of one length"),
        (lambda: Maze(()), "rows: expected lines of one length"),
        (lambda: Maze(("S?",)), r"rows: expected the letters #.SGXc, received '\?'"),
        (lambda: Maze(("..",)), "rows: expected one start S, received 0"),
        (lambda: Maze(("SS",)), "received 2"),
        (lambda: Maze(("SG",), slip=1.5), "slip: expected a probability"),
        (lambda: MazeEnv(SMALL, limit=0), "limit: expected at least 1"),
        (lambda: MazeEnv(SMALL, render_mode="human"), "render_mode: expected None or 'ansi'"),
        (lambda: MazeEnv(SMALL).step(4), "action: expected 0 … 3, received 4"),
        (lambda: value_iteration(*SMALL.tables(), 1.0), "gamma: expected a discount"),
        (lambda: value_iteration(SMALL.tables()[1], SMALL.tables()[1], 0.9), "expected shapes"),
        (lambda: policy_value(*SMALL.tables(), np.ones((9, 4)), 0.9), "policy: expected shape"),
        (lambda: learned(q_learning, SMALL, episodes=1, alpha=1.5), "alpha: expected a number in"),
        (lambda: learned(q_learning, SMALL, episodes=1, epsilon=-0.1), "epsilon: expected a number in"),
        (lambda: learned(dyna_q, SMALL, episodes=1, planning=-1), "planning, episodes: expected at least 0 and 1"),
        (lambda: learned(reinforce, SMALL, episodes=1, gamma=2), "gamma: expected a number in"),
        (lambda: Memory(keep=0), "keep: expected None or at least 1"),
    ],
)
def test_what_does_not_suit_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# planning --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slip", [0.0, 0.25])
def test_value_iteration_finds_the_best_of_all_policies(slip):
    """Brute force: every one of the 4⁵ policies of a maze with five squares, each valued exactly."""
    maze = Maze(("S..", "X.#", "#.G"), slip=slip)
    p, r = maze.tables()
    inside, best = free(maze), np.full(maze.states, -np.inf)
    for choice in itertools.product(range(4), repeat=len(inside)):
        policy = np.full((maze.states, 4), 0.25)
        policy[inside] = np.eye(4)[list(choice)]
        best = np.maximum(best, policy_value(p, r, policy, GAMMA))
    np.testing.assert_allclose(value_iteration(p, r, GAMMA), best, atol=1e-8)


@given(mazes())
@settings(max_examples=30, deadline=None)
def test_without_slips_the_best_way_is_the_shortest(maze):
    """Where only the goal pays, the optimal value follows from the number of steps alone."""
    maze = maze.changed(slip=0.0, coin=-5.0, pit=-5.0)
    v, steps = value_iteration(*maze.tables(), GAMMA), maze.steps_to_goal()
    for s in free(maze):
        n = steps[s]
        forever = maze.step / (1 - GAMMA)
        cost = forever if n == np.inf else maze.step * (1 - GAMMA**n) / (1 - GAMMA) + GAMMA ** (n - 1) * maze.goal
        assert v[s] == pytest.approx(cost, abs=1e-6)


@given(mazes(), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_a_policys_value_by_a_linear_system_is_that_of_many_sweeps(maze, seed):
    policy = np.random.default_rng(seed).dirichlet(np.ones(4), maze.states)
    p, r = maze.tables()
    exact = policy_value(p, r, policy, GAMMA)
    np.testing.assert_allclose(exact, policy_sweeps(p, r, policy, GAMMA, count=300), atol=1e-6)
    np.testing.assert_allclose(exact, (policy * backup(p, r, exact, GAMMA)).sum(1), atol=1e-10)


def test_a_policys_value_is_the_mean_of_what_is_played():
    maze = ROOM.changed(slip=0.2)
    policy = np.full((maze.states, 4), 0.25)
    found = score(MazeEnv(maze, limit=400), policy, episodes=400, seed=0, gamma=GAMMA)["return"]
    exact = policy_value(*maze.tables(), policy, GAMMA)[maze.start]
    assert abs(found.value - exact) < 4 * found.stderr < 0.2


def test_an_agents_chance_is_not_the_environments():
    env = MazeEnv(ROOM.changed(slip=0.2))
    rng = begin(env, 0)
    own, other = ([source.random() for _ in range(500)] for source in (rng, env.np_random))
    assert abs(np.corrcoef(own, other)[0, 1]) < 0.2
    assert env.reset(seed=0) and env.np_random.random() == np.random.default_rng(0).random(), "why one must take care"


def test_every_sweep_brings_the_values_closer_by_gamma():
    p, r = ROOM.changed(slip=0.3).tables()
    best, found = value_iteration(p, r, GAMMA), list(sweeps(p, r, GAMMA))
    off = [np.abs(v - best).max() for v in found[:-3]]
    assert all(b <= GAMMA * a + 1e-9 for a, b in itertools.pairwise(off))
    assert len(found) > 20


def test_the_best_policy_gives_nothing_away():
    p, r = ROOM.changed(slip=0.1).tables()
    q = backup(p, r, value_iteration(p, r, GAMMA), GAMMA)
    assert loss_at(p, r, q, GAMMA, ROOM.start) == pytest.approx(0, abs=1e-8)
    assert loss_at(p, r, -q, GAMMA, ROOM.start) > 0.3


# learning --------------------------------------------------------------------------------------------------------


def test_an_update_by_hand():
    q = [[0.0, 1.0], [3.0, 2.0]]
    update(q, 0, 1, -1.0, 1, False, 0.5, 0.9)
    assert q[0] == [0.0, pytest.approx(1 + 0.5 * (-1 + 0.9 * 3 - 1))]
    update(q, 1, 0, 5.0, 0, True, 1.0, 0.9)
    assert q[1] == [5.0, 2.0], "nothing follows an end"


def test_epsilon_greedy_draws_as_often_as_it_says():
    rng, row = np.random.default_rng(0), [1.0, 5.0, 5.0, 0.0]
    share = np.bincount([epsilon_greedy(row, 0.2, rng) for _ in range(8000)], minlength=4) / 8000
    np.testing.assert_allclose(share, [0.05, 0.45, 0.45, 0.05], atol=0.02)
    assert {epsilon_greedy([0.0, 1.0], 0.0, rng) for _ in range(50)} == {1}


def test_q_learning_finds_the_optimal_values():
    """Every pair tried again and again, at learning rate 1: in a world without chance the values become exact."""
    p, r = ROOM.tables()
    best = backup(p, r, value_iteration(p, r, GAMMA), GAMMA)
    q = learned(q_learning, ROOM, episodes=400, epsilon=1.0, alpha=1.0, gamma=GAMMA).table
    inside = free(ROOM)
    np.testing.assert_allclose(q[inside], best[inside], atol=1e-6)


def test_q_learning_finds_them_where_there_is_chance():
    maze = ROOM.changed(slip=0.2)
    p, r = maze.tables()
    best = backup(p, r, value_iteration(p, r, GAMMA), GAMMA)
    q = learned(q_learning, maze, episodes=2500, epsilon=0.6, alpha=0.02, gamma=GAMMA).table
    inside = free(maze)
    assert np.abs(q[inside] - best[inside]).max() < 0.12


def test_time_that_is_up_does_not_count_as_an_end_for_the_learner():
    maze = Maze(("S......G",))
    p, r = maze.tables()
    best = backup(p, r, value_iteration(p, r, GAMMA), GAMMA)
    q = learned(q_learning, maze, episodes=3000, limit=9, epsilon=0.5, alpha=1.0, gamma=GAMMA).table
    assert np.abs(q - best)[free(maze)].max() < 1e-6


def test_dyna_without_planning_is_q_learning_and_with_it_needs_fewer_steps():
    same = [
        learned(agent, ROOM, episodes=9, **more).table for agent, more in ((q_learning, {}), (dyna_q, {"planning": 0}))
    ]
    assert (same[0] == same[1]).all()
    p, r = ROOM.tables()

    def needed(planning, seed):
        env = MazeEnv(ROOM)
        learner = dyna_q(env, rng=begin(env, seed), episodes=500, planning=planning, start=1.0)
        return until(learner, lambda e: loss_at(p, r, e.table, 0.95, ROOM.start) < 1e-6)

    few, many = (np.mean([needed(n, seed) for seed in range(5)]) for n in (30, 0))
    assert few < many / 2


def test_a_model_that_must_not_learn_does_not():
    memory = Memory()
    memory.see(0, 1, -0.04, 1, False)
    learned(dyna_q, ROOM, episodes=3, memory=memory, learn_model=False)
    assert memory.pairs == [(0, 1)] and len(memory.outcomes[0, 1]) == 1


def test_what_is_imagined_was_seen_as_often_as_it_happens():
    memory, rng = Memory(), np.random.default_rng(0)
    for s2, times in ((1, 30), (4, 10)):
        for _ in range(times):
            memory.see(0, 1, -0.04, s2, False)
    drawn = [memory.imagine(rng) for _ in range(4000)]
    assert {d[:2] for d in drawn} == {(0, 1)}
    assert np.mean([d[3] == 1 for d in drawn]) == pytest.approx(0.75, abs=0.03)
    p, r, known = memory.tables(6)
    assert p[0, 1].tolist() == pytest.approx([0, 0.75, 0, 0, 0.25, 0]) and r[0, 1] == pytest.approx(-0.04)
    assert known.sum() == 1 and known[0, 1]


def test_the_models_probabilities_add_up_to_one():
    memory = Memory()
    for s2 in (1, 1, 4):
        memory.see(0, 1, -0.04, s2, False)
    total = sum(np.exp(memory.log_prob(0, 1, -0.04, s2, False, states=6)) for s2 in range(6))
    assert total == pytest.approx(1) and memory.log_prob(2, 0, -0.04, 3, False, states=6) == pytest.approx(-np.log(6))
    assert memory.log_prob(0, 1, -0.04, 1, False, states=6) == pytest.approx(np.log((2 + 1 / 6) / 4))


def test_a_dream_is_an_environment_whose_returns_are_those_of_the_maze():
    from gymnasium.utils.env_checker import check_env

    maze, memory = ROOM.changed(slip=0.2), Memory()
    learned(dyna_q, maze, episodes=1500, planning=1, epsilon=1.0, memory=memory)
    dream = Dream(memory, states=maze.states, start=maze.start, limit=200)
    check_env(dream, skip_render_check=True)
    p, r = maze.tables()
    policy = greedy(backup(p, r, value_iteration(p, r, GAMMA), GAMMA))
    dreamt, real = (score(env, policy, episodes=400, seed=0)["return"] for env in (dream, MazeEnv(maze)))
    assert abs(dreamt.value - real.value) < 0.05


def test_a_memory_of_one_believes_the_last_time():
    memory = Memory(keep=1)
    for s2 in (1, 1, 1, 4):
        memory.see(0, 1, -0.04, s2, False)
    assert memory.tables(6)[0][0, 1, 4] == 1


def test_the_learned_tables_become_the_true_ones():
    maze = ROOM.changed(slip=0.2)
    memory = Memory()
    learned(dyna_q, maze, episodes=2000, planning=1, epsilon=1.0, memory=memory)
    p, r = maze.tables()
    ends = [s for s in range(maze.states) if maze.ends(s)]
    p[:, :, ends] = 0  # what leads to an end leads out of the learned table
    found, mean, known = memory.tables(maze.states)
    assert known[free(maze)].all()
    assert np.abs(found - p)[known].max() < 0.08 and np.abs(mean - r)[known].max() < 0.1
    np.testing.assert_allclose(value_iteration(found, mean, GAMMA), value_iteration(p, r, GAMMA), atol=0.08)


def test_a_guess_gives_way_to_what_was_seen():
    memory = Memory()
    memory.see(3, 0, 1.0, 5, True)
    memory.guess(3, 2)
    assert memory.pairs == [(3, 0), (3, 1)] and list(memory.outcomes[3, 1]) == [(0.0, 3, False)]
    assert list(memory.outcomes[3, 0]) == [(1.0, 5, True)]
    memory.see(3, 1, -1.0, 4, False)
    assert list(memory.outcomes[3, 1]) == [(-1.0, 4, False)] and len(memory.pairs) == 2


def test_returns_by_hand_and_by_a_sum():
    rewards = [1.0, -2.0, 0.5, 3.0]
    direct = [sum(0.8**k * r for k, r in enumerate(rewards[t:])) for t in range(4)]
    assert returns(rewards, 0.8) == pytest.approx(direct) and returns([], 0.8) == []


def test_the_step_of_reinforce_is_the_gradient_that_autograd_finds():
    env = MazeEnv(ROOM, limit=30)
    env.reset(seed=0)
    found = next(reinforce(env, rng=np.random.default_rng(0), episodes=1, alpha=0.1, gamma=GAMMA, baseline=0.0)).table
    env.reset(seed=0)
    seen, _ = play(env, np.full((12, 4), 0.25), np.random.default_rng(0))
    theta = torch.zeros(12, 4, dtype=torch.double, requires_grad=True)
    log_pi = theta.log_softmax(1)
    follows = returns([r for *_, r in seen], GAMMA)
    sum(g * log_pi[s, a] for (s, a, _), g in zip(seen, follows, strict=True)).backward()
    np.testing.assert_allclose(found, 0.1 * theta.grad.numpy(), atol=1e-10)


def test_reinforce_learns_the_maze():
    episode = learned(reinforce, ROOM, episodes=600, alpha=0.3)
    policy = softmax(episode.table)
    arrived = score(MazeEnv(ROOM, limit=100), policy, episodes=50, seed=1)
    assert arrived["arrived"].value == 1 and arrived["steps"].value < ROOM.steps_to_goal()[0] + 2


def test_playing_follows_the_policys_probabilities():
    maze, rng = Maze(("...", ".S.", "...")), np.random.default_rng(0)
    policy = np.tile([0.1, 0.2, 0.3, 0.4], (9, 1))
    env = MazeEnv(maze, limit=1)
    first = [play(env, policy, rng)[0][0][1] for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(first) / 4000, policy[0], atol=0.03)


def test_until_wants_several_in_a_row():
    env = MazeEnv(ROOM)
    env.reset(seed=0)
    lucky = iter([True, False, True, True, True, False])
    found = until(q_learning(env, rng=np.random.default_rng(0), episodes=6), lambda e: next(lucky))
    env.reset(seed=0)
    steps = [e.steps for e in q_learning(env, rng=np.random.default_rng(0), episodes=6)]
    assert found == steps[2]
    env.reset(seed=0)
    assert until(q_learning(env, rng=np.random.default_rng(0), episodes=6), lambda e: False) == np.inf


def test_a_bonus_makes_dyna_find_a_way_that_opened():
    """Sutton's shortcut, in small: without the bonus yesterday's way is good enough for ever."""
    wall = {(2, 3): "#"}
    open_today = Maze((".......", ".#####.", "S.....G"))
    yesterday = open_today.changed(wall)

    def steps(bonus):
        env = MazeEnv(yesterday, limit=100)
        rng = begin(env, 0)
        memory = Memory(keep=1)
        options = {"rng": rng, "planning": 20, "epsilon": 0.02, "memory": memory, "bonus": bonus}
        *_, last = dyna_q(env, episodes=60, **options)
        env.maze = open_today
        *_, last = dyna_q(env, episodes=200, q=last.table, **options)
        return score(env, greedy(last.table), episodes=20, seed=1)["steps"].value

    assert steps(0.0) > 9
    assert steps(0.003) < 8


def test_importing_the_package_brings_no_gymnasium():
    modules = "genkit, genkit.reinforcement, genkit.exercises, genkit.explorers"
    code = f"import sys, {modules}; print('gymnasium' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_record_holds_what_the_issue_asks_for():
    from genkit.record import recorded

    found = recorded("learning/reinforcement")
    mean = {n: np.mean([run["steps"] for run in found["race"][n]]) for n in ("0", "50")}
    assert len(found["race"]["0"]) == len(found["race"]["50"]) == 10
    assert all(run["solved"] for n in ("0", "50") for run in found["race"][n])
    assert mean["50"] <= mean["0"] / 3
    wrong = {name: np.mean([run["solved"] for run in runs]) for name, runs in found["wrong"].items()}
    assert wrong["Dyna, yesterday's model, frozen"] == 0 and wrong["Q-learning, from scratch"] == 1
    assert "lead is lost" in found["claims"]["C14"]


def test_exact_values_find_the_agent_that_takes_impatience_for_an_end():
    from genkit.exercises import check
    from genkit.exercises.reinforcement import suspects

    ring, agents = suspects()
    p, r = ring.tables()
    best = backup(p, r, value_iteration(p, r, 0.95), 0.95)
    off = {name: np.abs(learn(1200) - best)[free(ring)].max() for name, learn in agents.items()}
    assert off["a"] < 0.01 and off["c"] < 0.01 and off["b"] > 0.3, off
    assert check("odd_agent", "b") and not check("odd_agent", "none")
