"""How cost grows: the fit finds what made the costs, counts are those of the formulas, curves are whole."""

import json
import math
import time

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from genkit import bench, plots
from genkit.base import Generative
from genkit.bench import growth, works
from genkit.bench.compile import TRIALS, Trial, compiler, line, of_the_loss, of_the_network
from genkit.bench.count import kept_bytes, operations
from genkit.data import Split
from genkit.growth import Power, power_law, square_from
from genkit.records import growth as records_growth
from genkit.training import TrainConfig, fit

SIZES = (8, 12, 16, 24, 32)

# the fit --------------------------------------------------------------------------------------------------------------


@given(exponent=st.floats(0.5, 4.5), scale=st.floats(1e-6, 1e3), share=st.floats(0, 0.7), start=st.sampled_from((1, 8)))
@settings(max_examples=50, deadline=None)
def test_a_power_is_found_that_has_no_noise(exponent, scale, share, start):
    n = [start * 2**i for i in range(6)]
    overhead = share * scale * n[-1] ** exponent
    found = power_law(n, [overhead + scale * v**exponent for v in n])
    assert found.exponent == pytest.approx(exponent, abs=0.01)
    assert found.overhead == pytest.approx(overhead, rel=0.02, abs=1e-3 * scale * n[0] ** exponent)
    assert found.stderr is None
    assert found(n[3]) == pytest.approx(overhead + scale * n[3] ** exponent, rel=1e-3)


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 4.0])
def test_the_exponent_is_found_within_its_standard_error_and_the_error_is_no_excuse(exponent):
    """Five rounds that vary by 3 %: of 30 tries nearly all lie within 4 standard errors (of four degrees)."""
    noise = torch.Generator().manual_seed(0)
    truth = torch.tensor([SIZES[0] ** exponent + n**exponent for n in SIZES]).double()
    laws = [power_law(SIZES, (truth * (0.03 * torch.randn(5, 5, generator=noise)).exp()).tolist()) for _ in range(30)]
    far = sum(abs(law.exponent - exponent) > 4 * law.stderr for law in laws)
    assert far <= 3
    errors = [law.exponent - exponent for law in laws]
    assert abs(sum(errors) / 30) < 0.1
    assert sum(law.stderr for law in laws) / 30 < 2 * math.sqrt(sum(e * e for e in errors) / 30) + 0.02


def test_costs_that_hardly_grow_have_an_exponent_near_zero_and_no_overhead():
    law = power_law((10, 100, 1000), [[1.0, 1.03, 0.99], [1.02, 0.99, 1.0]])
    assert abs(law.exponent) < 0.02 and law.overhead == 0 and law.even == 0
    assert power_law((1, 2, 4), [4.0, 2.0, 1.0]).scale == pytest.approx(
        0, abs=1e-9
    )  # a cost that falls is an overhead to this model


def test_the_even_size_is_where_growth_has_caught_up():
    law = Power(overhead=3.0, scale=0.25, exponent=1.5)
    assert law(law.even) == pytest.approx(6.0)


def test_bad_sizes_and_costs_get_one_line():
    with pytest.raises(ValueError, match="n: expected at least 3 different sizes"):
        power_law((1, 2, 2), (1.0, 2.0, 3.0))
    with pytest.raises(ValueError, match=r"costs: expected rounds of 3 costs above 0, received shape \(2,\)"):
        power_law((1, 2, 3), (1.0, 2.0))
    with pytest.raises(ValueError, match="costs: expected rounds of 3 costs above 0"):
        power_law((1, 2, 3), (1.0, 0.0, 2.0))


# counts ---------------------------------------------------------------------------------------------------------------


def test_operations_are_those_of_torchs_own_counter():
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.SiLU(), nn.Flatten(), nn.Linear(4 * 36, 7))
    x = torch.randn(5, 1, 6, 6)

    def work():
        network(x).sum().backward()

    with FlopCounterMode(display=False) as theirs:
        work()
    assert operations(work) == theirs.get_total_flops() > 0


@pytest.mark.parametrize("n", [4, 16, 64])
def test_attention_is_counted_on_a_processor_and_grows_with_the_square(n):
    q = torch.randn(2, 3, n, 8)
    assert operations(lambda: F.scaled_dot_product_attention(q, q, q)) == 2 * 2 * (2 * 3 * n * n * 8)


def test_a_recurrent_network_is_counted():
    network = nn.LSTM(5, 7, batch_first=True)
    with torch.no_grad():
        assert operations(lambda: network(torch.randn(2, 11, 5))) == 2 * 2 * 11 * 4 * 7 * (5 + 7)


def counted(kind, work, sizes, batch=2):
    make = growth.fit if work == "fit" else growth.draw
    return power_law(sizes, [operations(make(kind, n, batch)[0]) for n in sizes]).exponent


@pytest.mark.parametrize("kind", ["vae", "made", "pixelcnn", "flow", "flow_matching", "diffusion", "gan", "boltzmann"])
def test_operations_of_a_step_grow_with_the_area(kind):
    assert counted(kind, "fit", (8, 12, 16)) == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("kind", ["made", "pixelcnn"])
def test_operations_of_a_draw_pixel_by_pixel_grow_with_the_square_of_the_area(kind):
    assert counted(kind, "draw", (3, 4, 6), batch=1) == pytest.approx(4, abs=0.01)


def test_operations_grow_with_the_batch_and_attention_with_more_than_the_length():
    assert counted("gpt", "fit", (4, 8, 16)) == pytest.approx(1, abs=0.05)  # still short: nearly linear
    assert power_law((32, 64, 128), [operations(growth.scores(n)[0]) for n in (32, 64, 128)]).exponent == 2.0
    batches = [operations(growth.fit("vae", 8, n)[0]) for n in (1, 2, 4)]
    assert [b / batches[0] for b in batches] == [1, 2, 4]


def test_what_a_cache_saves_is_seen_in_the_count():
    with_cache, without = (operations(growth.draw(k, 16, 1)[0]) for k in ("gpt", "gpt without cache"))
    assert with_cache < without / 4  # one new token a time instead of up to 16


def test_attention_outweighs_the_rest_of_a_gpt_beyond_six_times_its_width():
    """A layer's matrices take 24 d² a token, its scores 4 d n; the words of 64 tokens add their eighth."""
    lengths = (4, 8, 16)
    counts = []
    for n in lengths:
        model, data = works.model("gpt", n), works.examples("gpt", 2, n)
        with torch.no_grad():
            counts.append(operations(lambda m=model, d=data: m.loss(d.x, d.c)))
    assert square_from(lengths, counts) == pytest.approx(6 * 128 + 64 / 8)


def test_no_square_is_found_where_there_is_none():
    assert square_from((1, 2, 4), (3, 6, 12)) is None and square_from((1, 2, 4), (1, 8, 64)) is None
    assert square_from((1, 2, 4), (1, 4, 16)) is None  # nothing but a square: it has always been ahead


class Two(Generative):
    """A product keeps its input, an exponential its result, which the second product keeps too, beside its weights."""

    def __init__(self):
        super().__init__()
        self.w, self.v = nn.Parameter(torch.zeros(3, 5)), nn.Parameter(torch.zeros(5, 2))

    def loss(self, x, c=None):
        return {"loss": ((x @ self.w).exp() @ self.v).sum(1)}


def test_kept_bytes_are_those_that_the_way_back_needs_and_no_parameters():
    assert kept_bytes(Two(), torch.zeros(7, 3)) == 4 * 7 * (3 + 5)


@pytest.mark.parametrize("kind", works.KINDS)
def test_kept_bytes_grow_with_the_batch(kind):
    model = works.model(kind, 8)
    few, many = (kept_bytes(model, *(lambda s: (s.x, s.c))(works.examples(kind, n, 8))) for n in (32, 96))
    assert few < many <= 3.01 * few  # masked weights and chains are kept at any batch


# curves ---------------------------------------------------------------------------------------------------------------

CASE = growth.Case("vae", "side", "fit", (4, 6, 8), lambda n: growth.fit("vae", n, 2), 2, "batch 2")
NEAR = "nearest neighbour"
LAST = growth.Case(NEAR, "examples", "judge", (200, 300, 400), lambda n: growth.judge(NEAR, n), 1, "")


def test_a_curve_is_json_and_whole():
    told = []
    rows = growth.measure(told.append, rounds=2, cases=[CASE, LAST])
    assert json.loads(json.dumps(rows)) == rows and len(told) == 2
    for row in rows:
        assert set(row) == {
            "family", "what", "work", "held", "n", "seconds", "flops", "kept_bytes", "exponent", "stderr", "overhead",
            "scale", "even", "theory", "flops_exponent", "bytes_exponent", "square_from",
        }  # fmt: skip
        assert len(row["seconds"]) == len(row["n"]) and all(0 < s < 10 for s in row["seconds"])
        assert all(math.isfinite(row[k]) for k in ("exponent", "stderr", "overhead", "scale", "even"))
    assert rows[0]["flops_exponent"] == pytest.approx(2, abs=0.01) and len(rows[0]["kept_bytes"]) == 3
    assert rows[1]["kept_bytes"] is None and told[0].startswith("vae fit by side: ")


def test_the_record_holds_curves_and_what_differs_from_folklore():
    found = records_growth.measure(lambda line: None, [CASE])
    assert found["folklore"].keys() == {"vae fit by side"} and found["curves"][0]["theory"] == 2


@pytest.mark.parametrize(
    ("exponent", "stderr", "said"),
    [(2.2, 0.01, "as said"), (2.6, 0.1, "faster"), (1.4, 0.1, "slower"), (1.4, 0.3, "as said")],
)
def test_a_curve_is_held_against_the_textbook(exponent, stderr, said):
    assert growth.against_theory({"exponent": exponent, "stderr": stderr, "theory": 2}) == said


def test_the_benchmark_tells_exponents_with_their_errors():
    found = bench.run("growth", rounds=2, cases=[CASE], tell=(told := []).append)
    assert set(found) == {
        "vae fit by side, exponent", "vae fit by side, standard error", "vae fit by side, exponent of operations",
    }  # fmt: skip
    assert len(told) == 1 and "textbook 2" in told[0]


def test_every_case_has_a_name_of_its_own_and_its_smallest_size_works():
    assert len({case.name for case in growth.CASES}) == len(growth.CASES)
    kinds = {case.family for case in growth.CASES if case.work != "judge"}
    assert kinds >= set(works.KINDS)
    for case in growth.CASES:
        assert len(case.n) >= 4 and list(case.n) == sorted(case.n)
        if case.work == "judge" or case.what == "examples" or "attention" in case.family:
            case.make(case.n[0])[0]()


def test_a_step_of_the_trainer_does_not_depend_on_how_many_examples_there_are():
    few, many = (operations(growth.trained_on(n)[0]) for n in (100, 10_000))
    assert few == many


def test_an_unknown_kind_is_told_in_one_line():
    with pytest.raises(ValueError, match="kind: .*Did you mean 'vae'"):
        works.model("vea", 8)


# the figure -----------------------------------------------------------------------------------------------------------


def row(family, work, what="side"):
    return {
        "family": family, "work": work, "what": what, "n": [8, 16, 32], "seconds": [0.01, 0.03, 0.11],
        "overhead": 0.003, "scale": 1e-4, "exponent": 2.0, "stderr": 0.1,
    }  # fmt: skip


def test_the_figure_has_a_panel_for_each_family_with_its_exponents_above_it():
    first = plots.plot_growth([row("a", "fit"), row("a", "draw"), row("b_c", "fit")])
    panels = [p for p in first.figure.axes if p.get_visible()]
    assert [p.get_legend().get_title().get_text() for p in panels] == ["a", "b c"]
    labels = [t.get_text() for t in panels[0].get_legend().get_texts()]
    assert labels == ["step: exponent 2.00 ± 0.10", "draw: exponent 2.00 ± 0.10"]
    first.figure.canvas.draw()
    for panel in panels:
        assert (
            panel.get_legend().get_window_extent().y0 >= panel.get_window_extent().y1 - 1
        )  # outside: nothing overlaps
    line, points = panels[0].lines[:2]
    assert line.get_ydata()[-1] == pytest.approx(1e3 * (0.003 + 1e-4 * 32**2)) and list(points.get_ydata()) == [
        10,
        30,
        110,
    ]


def test_no_words_of_the_figure_overlap_or_leave_it():
    rows = [row(name, work) | {"exponent": -2.0, "stderr": 10.0} for name in "abc" for work in ("fit", "draw", "judge")]
    rows.append(row("gpt without cache, a long name", "draw"))
    first = plots.plot_growth(rows)
    figure = first.figure
    figure.draw_without_rendering()
    panels = [p for p in figure.axes if p.get_visible()]
    boxes = [p.get_legend().get_window_extent() for p in panels] + [p.get_window_extent() for p in panels]
    boxes += [figure._supxlabel.get_window_extent(), figure._supylabel.get_window_extent()]
    assert len(boxes) == 10
    for i, box in enumerate(boxes):
        assert (
            figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1 and figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        )
        for other in boxes[:i]:
            gaps = (box.x0 - other.x1, other.x0 - box.x1, box.y0 - other.y1, other.y0 - box.y1)
            assert max(gaps) >= -1, (box, other)
    assert "−2.00 ± 10.00" in panels[0].get_legend().get_texts()[0].get_text()  # a minus sign, no hyphen


def test_curves_over_different_things_do_not_share_a_figure():
    with pytest.raises(ValueError, match="curves: expected those that grow with one thing"):
        plots.plot_growth([row("a", "fit"), row("a", "fit", "batch")])
    with pytest.raises(ValueError, match="received none"):
        plots.plot_growth([])


# torch.compile --------------------------------------------------------------------------------------------------------


def test_without_a_compiler_the_benchmark_says_so(monkeypatch):
    monkeypatch.setattr("genkit.bench.compile.compiler", lambda: None)
    with pytest.raises(ValueError, match="compiler: expected a C\\+\\+ compiler"):
        bench.run("compile", trials=TRIALS[:1])


def test_a_compiled_loss_is_what_the_trainer_calls(monkeypatch):
    """With a compiler of ours that counts: no C++ is needed to see the road."""
    calls = []
    monkeypatch.setattr(torch, "compile", lambda f, **options: lambda *a: calls.append(f.__name__) or f(*a))
    model = works.model("vae", 8)
    before = list(model.state_dict())
    of_the_loss(model)
    data = works.examples("vae", 16, 8)
    result = fit(model, Split(data.x), TrainConfig(steps=3, batch=4, ema=0.9), progress=False)
    assert calls == ["loss"] * 3 and list(model.state_dict()) == before
    assert result.model.sample(2).shape == (2, 1, 8, 8)


@pytest.mark.parametrize("kind", ["flow", "gpt"])
def test_what_readme_compiles_trains_to_the_same_weights(kind, monkeypatch):
    """But for the backend, which needs no C++. The average is scored by its own weights, not by the live ones."""
    torch.compiler.reset()
    data, found = works.examples(kind, 16, 4), []
    for compiled in (False, True):
        model = works.model(kind, 4)
        if compiled and kind == "gpt":
            model.compile(backend="eager")
        elif compiled:
            monkeypatch.setattr(type(model), "loss", torch.compile(type(model).loss, backend="eager"))
        config = TrainConfig(steps=3, batch=8, lr=0.1, ema=0.9)
        result = fit(
            model, data, config, every=3, progress=False, select=lambda m: -m.loss(data.x, data.c)["loss"].mean().item()
        )
        assert len(model.sample(2)) == 2
        found.append((model.state_dict(), result.best_score))
    (plain, score), (weights, same) = found
    assert plain.keys() == weights.keys() and same == pytest.approx(score, rel=1e-5)
    for name, value in plain.items():
        torch.testing.assert_close(weights[name], value, msg=name)


@pytest.mark.parametrize("kind", ["pixelcnn", "gpt"])
def test_a_compiled_network_draws_the_same(kind):
    if not compiler():
        pytest.skip("no C++ compiler on this machine, which torch.compile needs")
    torch.compiler.reset()
    plain, compiled = works.model(kind, 4), works.model(kind, 4)
    parts = []
    compiled_by = lambda module, **options: parts.append(module) or nn.Module.compile(module, backend="aot_eager")  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        for name in ("net", "network", "blocks"):
            part = getattr(compiled, name, None)
            for module in part if isinstance(part, nn.ModuleList) else [part] if part is not None else []:
                patch.setattr(module, "compile", lambda m=module, **options: compiled_by(m))
        of_the_network(compiled)
    assert parts
    drawn = []
    for model in (plain, compiled):
        torch.manual_seed(0)
        drawn.append(works.draw(kind, model, 2)())
    torch.testing.assert_close(*drawn, atol=1e-4, rtol=0)


def test_trials_name_kinds_that_there_are():
    assert {t.kind for t in TRIALS} <= set(works.KINDS) and len({t.name for t in TRIALS}) == len(TRIALS)
    assert Trial("vae", "fit", 4, 2, of_the_loss).ready()() is not None


def test_a_trial_is_told_in_one_line_with_when_it_has_paid():
    row = {
        "ratio": 0.5, "ratio, lower quartile": 0.4, "ratio, upper quartile": 0.6, "compiled, ms": 1.0, "eager, ms": 2.0,
        "compiling, s": 3.0,
    }  # fmt: skip
    told = line(TRIALS[0], row | {"paid after": 3000})
    assert told == (
        "vae fit: 1.0 ms compiled, 2.0 ms without, ratio 0.50 (0.40 … 0.60), compiling 3 s: paid after 3,000"
    )
    assert line(TRIALS[0], row).endswith("does not pay")


def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.mark.parametrize("slower", ["compiled", "eager"])
def test_what_compiling_took_and_when_it_has_paid(slower, monkeypatch):
    """A first call that spins half a second stands for compiling; one of the two ways spins in each call."""
    monkeypatch.setattr("genkit.bench.compile.compiler", lambda: "here")

    def change(model):
        model.compiled, model.seen = True, []

    def work(self, model):
        def act():
            if hasattr(model, "compiled") and not model.seen:
                model.seen.append(spin(0.5))
            spin(0.03 if hasattr(model, "compiled") == (slower == "compiled") else 0.01)

        return act

    monkeypatch.setattr(Trial, "_work", work)
    found = bench.run("compile", rounds=3, trials=[Trial("flow", "fit", 4, 2, change)], tell=lambda line: None)
    assert all(math.isfinite(value) for value in found.values())
    assert found["flow fit, compiling, s"] == pytest.approx(0.5, abs=0.15)
    if slower == "compiled":
        assert found["flow fit, ratio"] == pytest.approx(3, abs=1) and "flow fit, paid after" not in found
    else:
        assert found["flow fit, ratio"] == pytest.approx(1 / 3, abs=0.1) and 15 < found["flow fit, paid after"] < 40
    assert not torch.compiler.config.force_disable_caches
