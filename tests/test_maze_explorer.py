"""The maze in the page: lives of agents that can be replayed, walls that can be drawn, controls for everybody."""

import numpy as np
import pytest
import torch
from browsing import look

from genkit.explorers import maze_explorer
from genkit.explorers.maze import Page
from genkit.maze import Maze
from genkit.maze_env import MazeEnv
from genkit.planning import value_iteration
from genkit.reinforcement import dyna_q, q_learning

MAZE = Maze(("S..#...", ".#...#.", ".#X#..G", "...c#.."), coin=0.1)


def explorer():
    return maze_explorer(MAZE)


def captions(page):
    return page.eval_on_selector_all(".gk-now", "all => all.map((p) => p.textContent)")


# in Python -------------------------------------------------------------------------------------------------------


def test_a_probe_is_the_life_of_genkits_own_agents():
    for inputs, outputs in explorer().probes:
        maze = MAZE.changed(slip=inputs["slip"], step=inputs["step"])
        env = MazeEnv(maze, limit=500)
        env.np_random = Page(inputs["seed"] + 1)
        options = {
            "rng": Page(inputs["seed"]),
            "episodes": inputs["episodes"],
            "epsilon": inputs["epsilon"],
            "start": 1.0,
        }
        agent = (
            q_learning(env, **options)
            if not inputs["planning"]
            else dyna_q(env, planning=inputs["planning"], **options)
        )
        *_, last = agent
        table = np.array(outputs[28 : 28 + 112]).reshape(28, 4)
        np.testing.assert_allclose(table, last.table, atol=1e-6)
        assert outputs[-1] == last.length and len(outputs) == 28 * 5 + inputs["episodes"]
    long = explorer().probes[3]
    exact = value_iteration(*MAZE.changed(slip=long[0]["slip"], step=0.0).tables(), 0.95)
    np.testing.assert_allclose(long[1][:28], exact, atol=1e-3)


def test_the_pages_chance_repeats():
    one, other = Page(3), Page(3)
    assert [one.random() for _ in range(5)] == [other.random() for _ in range(5)]


@pytest.mark.parametrize("maze", [Maze(("S" + "." * 150 + "G",)), Maze(("S..",))])
def test_what_cannot_be_shown_is_refused(maze):
    with pytest.raises(ValueError, match="maze: expected at most 150 squares and a goal"):
        maze_explorer(maze)


# in Chromium -----------------------------------------------------------------------------------------------------


def test_the_page_answers_every_probe_number_by_number(open_page):
    page = open_page(explorer().html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    for (_, expected), received in zip(explorer().probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=2e-6, rtol=0)


def test_all_three_find_the_shortest_way_the_planner_first(open_page):
    page = open_page(explorer().html())
    best = f"a way of {int(MAZE.steps_to_goal()[0])} steps"
    assert [text.split(": ")[1] for text in captions(page)] == ["no way yet"] * 3
    for _ in range(15):
        page.get_by_role("button", name="one step").click()
    assert captions(page)[2] == f"15 sweeps: {best}" and "no way yet" in captions(page)[0]
    for _ in range(40):
        page.get_by_role("button", name="100 steps").click()
    assert all(text.endswith(best) for text in captions(page)), captions(page)
    assert "4015 steps" in captions(page)[0]
    page.get_by_role("button", name="start again").click()
    assert captions(page)[0] == "0 episodes, 0 steps: no way yet"


def test_a_life_in_the_page_is_the_replay(open_page):
    page = open_page(explorer().html())
    for _ in range(3):
        page.get_by_role("button", name="100 steps").click()
    env = MazeEnv(MAZE, limit=500)
    env.np_random = Page(2)
    lengths = [e.length for e in q_learning(env, rng=Page(1), episodes=300, start=1.0)]
    lived = int((np.cumsum(lengths) <= 300).sum())
    assert captions(page)[0].startswith(f"{lived} episodes, 300 steps")


def test_a_wall_is_drawn_by_mouse_and_by_keyboard_and_taken_away(open_page):
    page = open_page(explorer().html())
    page.get_by_role("button", name="100 steps").click()
    maze = page.locator(".gk-maze").nth(2)
    box = maze.bounding_box()
    scale = box["width"] / 7.2

    def square(column, row):
        return box["x"] + scale * (column + 0.6), box["y"] + scale * (row + 0.6)

    walls = lambda: page.locator(".gk-maze").nth(0).locator(".gk-wall").count()  # noqa: E731
    before = walls()
    page.mouse.move(*square(1, 0))
    page.mouse.down()
    page.mouse.move(*square(2, 0))
    page.mouse.up()
    assert walls() == before + 2
    page.mouse.click(*square(0, 0))
    assert walls() == before + 2, "the start stays"
    maze.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert walls() == before + 1 and "row 1, column 2: nothing" in maze.get_attribute("aria-label")
    page.get_by_role("combobox").select_option("X")
    page.keyboard.press("Tab")
    maze.focus()
    page.keyboard.press(" ")
    assert "column 2: a pit" in maze.get_attribute("aria-label")
    page.keyboard.press("ArrowUp")
    assert "row 1" in maze.get_attribute("aria-label"), "the cursor stays in the maze"


def test_moving_the_sliders_changes_what_is_learned(open_page):
    page = open_page(explorer().html())
    page.get_by_label("slips").fill("0.6")
    page.get_by_label("a step").fill("0.1")
    page.get_by_label("tries").fill("1")
    page.get_by_label("imagines").fill("50")
    shown = page.eval_on_selector_all(".gk-knob", "all => all.map((e) => e.textContent)")
    assert shown == ["60 %", "0.10", "100 %", "50"]
    for _ in range(3):
        page.get_by_role("button", name="100 steps").click()
    assert captions(page)[2] == "300 sweeps: no way yet", "who is paid for every step does not want to arrive"


def test_it_runs_and_stops(open_page):
    page = open_page(explorer().html())
    page.get_by_role("button", name="run").click()
    page.wait_for_function("() => Number(document.querySelector('.gk-now').innerText.match(/, (\\d+) steps/)[1]) >= 6")
    page.get_by_role("button", name="stop").click()
    before = captions(page)
    page.wait_for_timeout(300)
    assert captions(page) == before


def test_a_finger_draws_and_does_not_move_the_page(open_page):
    page = open_page(explorer().html(), has_touch=True, viewport={"width": 390, "height": 800})
    maze = page.locator(".gk-maze").first
    maze.scroll_into_view_if_needed()
    box, before = maze.bounding_box(), maze.locator(".gk-wall").count()
    page.touchscreen.tap(box["x"] + box["width"] * 1.6 / 7.2, box["y"] + box["width"] * 0.6 / 7.2)
    assert maze.locator(".gk-wall").count() == before + 1
    assert page.eval_on_selector(".gk-maze", "p => getComputedStyle(p).touchAction") == "none"


def test_everything_can_be_reached_by_the_tabulator(open_page):
    page = open_page(explorer().html())
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert reached == ["svg", *["input"] * 4, "select", *["button"] * 4]


@pytest.mark.parametrize("book", [True, False], ids=["in the book", "in a notebook"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = open_page(
        f'<div class="bd-article">{explorer().html()}</div>',
        head=look(theme, book=book),
        viewport={"width": width, "height": 800},
    )
    page.get_by_role("button", name="100 steps").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
