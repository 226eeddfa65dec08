"""Timing in turns: what a ratio is, and that every benchmark of the register measures both sides."""

import importlib
import time

import pytest
import torch

from genkit import bench
from genkit.bench.turns import Ratio, beside, clock, flat, peer, seconds


def test_the_ratio_is_that_of_the_rounds_and_not_of_the_sums():
    ratio = Ratio.over([1.0, 2.0, 30.0], [2.0, 4.0, 30.0])  # the third round was disturbed
    assert (ratio.value, ratio.low, ratio.high) == (0.5, 0.5, 0.75)
    assert (ratio.ours, ratio.theirs) == (2.0, 4.0)


def test_the_faster_way_is_seen_to_be_faster():
    ratio = beside({"short": lambda: time.sleep(0.002), "long": lambda: time.sleep(0.008)}, rounds=5)["long"]
    assert ratio.low <= ratio.value <= ratio.high and ratio.value < 0.6
    assert set(flat({"long": ratio}, "a nap")) == {
        "a nap, ratio to long", "a nap, ratio to long, lower quartile", "a nap, ratio to long, upper quartile",
        "a nap, genkit, ms", "a nap, long, ms",
    }  # fmt: skip


def test_all_take_turns_and_each_goes_first_as_often():
    order = []
    seconds({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=4, warm=0)
    assert "".join(order) in ("abbaabba", "baabbaab")


def test_of_one_thread_the_processor_keeps_the_time():
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert clock() is time.process_time
        torch.set_num_threads(2)
        assert clock() is time.perf_counter
    finally:
        torch.set_num_threads(threads)
    assert max(seconds({"nap": lambda: time.sleep(0.02)}, rounds=2, clock=time.process_time)["nap"]) < 0.015


def test_bad_input_gets_one_line():
    with pytest.raises(ValueError, match="rounds, ways: expected at least 2 rounds"):
        seconds({"a": int}, rounds=1)
    with pytest.raises(ValueError, match="ours, theirs: expected the same rounds"):
        Ratio.over([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no_such_library: expected it to be installed"):
        peer("no_such_library")
    with pytest.raises(ValueError, match="name: .*Did you mean 'step'"):
        bench.run("steps")


@pytest.mark.parametrize("name", bench.BENCHES)
def test_every_benchmark_of_the_register_can_be_found_and_says_what_it_does(name):
    found = getattr(importlib.import_module(f"genkit.bench.{name}"), name)
    assert found.__doc__ and not bench.BENCHES[name].endswith(".")


def test_the_step_is_timed_against_a_bare_loop():
    found = bench.run("step", rounds=2, steps=3)
    assert 0.2 < found["vae-digits, 3 steps, ratio to bare loop"] < 5
    assert 0.2 < found["gpt-pydocs, 3 steps, ratio to bare loop"] < 5
