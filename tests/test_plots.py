"""Figures and what a cell shows: every picture lies where it should, says what it shows, and reads in grey."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from genkit import plots
from genkit.base import Estimate
from genkit.distributions import bernoulli
from genkit.models.vae import mlp_vae
from genkit.show import say, show, table

ALT = "A figure that shows something to those who look."


def figures():
    x = torch.rand(7, 1, 8, 8)
    model = mlp_vae(shape=(1, 8, 8), pixels=bernoulli(), latent=2, hidden=(8,))
    return {
        "compare": plots.compare({"one": x, "two": x[:3]}),
        "colour": plots.compare({"one": torch.rand(3, 3, 8, 8)}),
        "surprises": plots.surprises({"A": ("a $b\n", -torch.rand(5)), "B": ("{^_}", -torch.rand(4))}),
        "paths": plots.paths({"a": ([1, 2], [2, 9]), "b": ([1], [3])}, marks={"m": (1, 2)}, xlabel="x", ylabel="y"),
        "grid": plots.grid(x, columns=3),
        "curve": plots.curve(
            [1, 2, 3], {"a": [1, 2, 3], "b": [3, 2, 1]}, xlabel="x", ylabel="y", band={"a": [1, 1, 1]}
        ),
        "log": plots.curve([1, 10, 100], {"a": [1, 2, 3]}, xlabel="x", ylabel="y", log_x=True),
        "scatter": plots.scatter({"a": torch.randn(9, 2)}, xlabel="x", ylabel="y"),
        "rate": plots.rate_distortion([1, 5, 20], [100, 80, 60], ["β = 4", "β = 1", "β = 0.1"]),
        "bars": plots.bars({"a": Estimate(1.0, 0.1), "b": Estimate(2.0)}, xlabel="x", mark=1.5),
        "histogram": plots.histogram(torch.randn(50), xlabel="x", densities={"a": (x[0, 0, 0], x[0, 0, 1])}),
        "map": plots.latent_map(model, side=3),
        "borders": plots.borders({"a": x[0, 0], "b": x[:2, 0]}, torch.zeros(4, 2), torch.tensor([0, 1, 0, 1])),
        "hints": plots.hints({"a": None, "b": x[0, 0]}, torch.zeros(4, 2), torch.tensor([0, 1, -1, -1])),
        "ways": plots.ways({"a": torch.randn(5, 9, 2), "b": torch.randn(2, 9, 2)}),
        "fields": plots.fields({"a": x[0, 0], "b": x[1, 0]}, extent=2.0, points=torch.zeros(3, 2)),
        "fits": plots.fits(
            {"a": (x[0, 0, 0], x[0, 0, 1]), "b": (x[0, 0, 0], x[0, 0, 2])},
            {"p": (x[1, 0, 0], x[1, 0, 1])},
            xlabel="x",
            ylabel="y",
        ),
        "confusions": plots.confusions({"a": torch.eye(3).long(), "b": torch.eye(2).long()}, {"a": "xyz", "b": "pq"}),
        "dumbbells": plots.dumbbells({"x": {"p": (0.5, 0.1), "q": (0.9, 0.1)}}, xlabel="x", mark=0.5),
        "roc": plots.roc({"a": ([0, 0.2, 1], [0, 0.9, 1])}, {"here": (0.2, 0.9)}),
        "residuals": plots.residuals(
            {"a": (torch.ones(9), torch.randn(9)), "b": (torch.randn(9), torch.randn(9))}, xlabel="x", ylabel="y"
        ),
        "looks": plots.looks({"a": torch.rand(3, 3), "b": torch.rand(3, 3), "c": torch.rand(3, 3)}, "ab "),
        "growth": plots.plot_growth(
            [
                {
                    "family": "a",
                    "what": "batch",
                    "work": "fit",
                    "n": [1, 8, 64],
                    "seconds": [0.1, 0.2, 1.0],
                    "overhead": 0.1,
                    "scale": 0.014,
                    "exponent": 1.0,
                    "stderr": 0.1,
                }
            ]
        ),
        "mazes": plots.mazes({"a": ("S.#", "..G")}, values={"a": np.arange(6.0)}, ways={"a": [0, 1, 4]}),
    }


@pytest.fixture(scope="module")
def drawn():
    return figures()


@pytest.mark.parametrize("name", figures())
def test_every_figure_is_a_picture_of_a_pages_width(drawn, name):
    picture = show(drawn[name], alt=ALT)._repr_mimebundle_()
    data = base64.b64decode(re.search(r'base64,([^"]+)"', picture["text/html"])[1])
    image = Image.open(io.BytesIO(data))
    width = int(re.search(r'width="(\d+)"', picture["text/html"])[1])
    assert image.width == pytest.approx(2 * width, abs=2) and 100 < width <= 700
    assert image.convert("L").getextrema()[0] < 150  # something is drawn on the paper
    assert ALT in picture["text/html"] and ALT in picture["text/plain"]


def test_no_figure_stays_open_and_no_setting_changes():
    import matplotlib as mpl
    from matplotlib import _pylab_helpers

    before = dict(mpl.rcParams)
    figures()
    assert dict(mpl.rcParams) == before and not _pylab_helpers.Gcf.get_all_fig_managers()


@pytest.mark.parametrize("alt", ["", "   ", "A plot."])
def test_a_figure_must_say_what_it_shows(alt):
    with pytest.raises(ValueError, match="alt: expected a sentence"):
        show(plots.axes(), alt=alt)


def test_alt_text_is_escaped():
    assert "&lt;script&gt;" in show(plots.axes(), alt="<script> is a word that browsers read.").code


def test_the_map_shows_each_picture_at_its_code():
    class Echo:
        def decode(self, z, c):
            return type("P", (), {"mean": (z[:, :1] > 0).float()[..., None, None].expand(-1, 1, 2, 2)})

    image = plots.latent_map(Echo(), side=4, extent=1.0).images[0].get_array()
    assert (image[:, :4] == 0).all() and (image[:, 4:] == 1).all()  # the right half has a positive first code

    class Up:
        def decode(self, z, c):
            return type("P", (), {"mean": (z[:, 1:] > 0).float()[..., None, None].expand(-1, 1, 2, 2)})

    image = plots.latent_map(Up(), side=4, extent=1.0).images[0].get_array()
    assert (image[:4] == 1).all() and (image[4:] == 0).all()  # the upper half has a positive second code


def test_the_colours_differ_in_grey():
    grey = []
    for colour in plots.style.COLOURS[:4]:
        r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        grey.append(0.299 * r + 0.587 * g + 0.114 * b)
    ranked = sorted(grey)
    assert ranked[-1] - ranked[0] > 60 and len(set(plots.style.MARKERS[:4])) == 4
    assert len(set(map(str, plots.style.DASHES[:4]))) == 4


@pytest.mark.parametrize("columns", [2, 5, 7, 14])
@pytest.mark.parametrize("cell", [0.56, 0.8])
def test_long_names_of_rows_stay_on_the_figure(columns, cell):
    figure = plots.compare(
        {"codes by diffusion, guided": torch.rand(columns, 1, 8, 8), "b": torch.rand(2, 1, 8, 8)}, cell=cell
    ).figure
    figure.draw_without_rendering()
    page = figure.bbox
    for panel in figure.axes:
        for artist in (*panel.texts, panel):
            box = artist.get_window_extent()
            assert page.x0 <= box.x0 < box.x1 <= page.x1 and page.y0 <= box.y0 < box.y1 <= page.y1


def test_images_of_another_shape_are_named():
    with pytest.raises(ValueError, match="images: expected shape"):
        plots.compare({"a": torch.rand(3, 8, 8)})


# sentences and tables ------------------------------------------------


def test_a_table_escapes_and_rounds():
    found = table({"<b>": ["<i>", "two"], "nats": [Estimate(-1.239, 0.5, unit="nats"), 3]}, caption="A & B")
    assert "&lt;b&gt;" in found.code and "&lt;i&gt;" in found.code and "A &amp; B" in found.code
    assert "−1.24 ± 0.50" in found.code and '<th scope="row">' in found.code and "<td>3</td>" in found.code
    assert "nats</td>" not in found.code


def test_columns_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="expected columns of one length"):
        table({"a": [1], "b": [1, 2]}, caption="c")


@given(st.floats(-1e6, -0.01))
def test_a_negative_number_gets_a_minus_sign(value):
    assert say(f"It is {value:.2f} nats.").plain == f"It is −{-value:.2f} nats."


@pytest.mark.parametrize("text", ["2026-11-21", "x-1", "a-b", "k-500"])
def test_a_hyphen_in_a_word_stays(text):
    assert say(text).plain == text


def test_matrices_show_what_they_hold():
    low, high = torch.eye(3), torch.arange(9.0).view(3, 3)
    panel = plots.matrices({"low": low, "high": high}, ylabel="output", xlabel="input")
    assert [a.get_title() for a in panel.figure.axes] == ["low", "high"]
    assert torch.equal(torch.tensor(panel.figure.axes[1].images[0].get_array()), high)
    assert (panel.get_ylabel(), panel.get_xlabel()) == ("output", "input")


def test_fields_grow_upwards_and_to_the_right():
    values = torch.zeros(4, 4)
    values[3, 0] = 1.0  # the last row is the top one
    panel = plots.fields({"one": values, "two": values}, extent=2.0)
    shown = panel.images[0]
    assert shown.origin == "lower" and shown.get_extent() == [-2, 2, -2, 2]
    assert shown.get_array()[3, 0] == 1 and len(panel.figure.axes) == 2


def test_a_sound_is_the_wave_it_was_given():
    import wave

    from genkit.show import sound

    shown = sound([0.5, 1.0, 0.0, 2.0], rate=8000, label='a "click" <b>')
    assert "<b>" not in shown.code and shown.plain == '[sound: a "click" <b>]'
    data = base64.b64decode(re.search(r"base64,([^\"]+)", shown.code)[1])
    with wave.open(io.BytesIO(data)) as file:
        assert file.getframerate() == 8000 and file.getnchannels() == 1
        samples = torch.frombuffer(bytearray(file.readframes(4)), dtype=torch.int16)
    assert samples.tolist() == [0, 32767, -32767, 32767]
    with pytest.raises(ValueError, match="rate: expected at least 1"):
        sound([0.5], rate=0, label="nothing")


def test_a_histogram_has_area_one():
    panel = plots.histogram(torch.rand(1000), xlabel="x")
    area = sum(bar.get_width() * bar.get_height() for bar in panel.patches)
    assert area == pytest.approx(1.0)


def test_surprises_are_bars_under_their_characters():
    panel = plots.surprises({"text": ("a $", torch.tensor([-1.0, -0.5, -3.0]))})
    assert [bar.get_height() for bar in panel.patches] == [1.0, 0.5, 3.0]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["a", "·", r"\$"]


def test_paths_on_a_logarithmic_axis_have_plain_numbers():
    panel = plots.paths({"a": ([0, 1], [1.6, 9])}, marks={"me": (0.5, 3)}, xlabel="x", ylabel="y", log_y=True)
    assert [label.get_text() for label in panel.get_yticklabels()] == ["1.5", "2", "3", "4", "6", "8"]
    assert [text.get_text() for text in panel.texts] == ["me"]


def test_alignment_names_every_row_and_column():
    panel = plots.alignment(torch.eye(2, 3), ["a", "b"], ["x", "y", "z"], ylabel="written", xlabel="read")
    assert [t.get_text() for t in panel.get_xticklabels()] == ["x", "y", "z"]
    assert panel.get_images()[0].get_array().shape == (2, 3)
    with pytest.raises(ValueError, match=r"weights: expected shape \(1, 3\), received \(2, 3\)"):
        plots.alignment(torch.eye(2, 3), ["a"], ["x", "y", "z"], ylabel="", xlabel="")


def test_a_network_shows_its_links_by_colour_and_dash_and_its_moods_by_fill():
    weight = torch.tensor([[0, 1.5, 0], [1.5, 0, -2.0], [0, -2.0, 0]])
    panel = plots.network(weight, ("Ada", "Ben", "Cem"), on=torch.tensor([1, 0, 0]))
    widths = sorted(line.get_linewidth() for line in panel.lines)
    assert widths == pytest.approx([0, 1.6 * 1.5, 1.6 * 2])
    assert {line.get_linestyle() for line in panel.lines if line.get_linewidth() > 0} == {"-", "--"}
    assert [text.get_text() for text in panel.texts] == ["Ada", "Ben", "Cem"]
    faces = [tuple(c.get_facecolor()[0]) for c in panel.collections]
    assert faces[0] != faces[1] == faces[2]


def test_a_maze_shows_its_walls_its_best_actions_and_a_way():
    rows, policy = ("S.#", "..G"), np.full((6, 4), 0.25)
    policy[0], policy[3] = (0, 1, 0, 0), (0, 0.5, 0.5, 0)
    options = {"values": {"m": np.arange(6.0)}, "policies": {"m": policy}, "ways": {"m": [0, 1, 4, 5]}}
    panel = plots.mazes({"m": rows, "empty": rows, "third": rows}, **options)
    assert len(panel.patches) == 1 and panel.patches[0].get_xy() == (1.5, -0.5), "one wall"
    arrows = [a for a in panel.texts if getattr(a, "arrow_patch", None) is not None]
    assert len(arrows) == 3, "one where one action is best, two where two are, none where all are equal"
    assert [t.get_text() for t in panel.texts if t not in arrows] == ["S", "G"]
    assert panel.lines[0].get_xdata().tolist() == [0, 1, 1, 2] and panel.lines[0].get_ydata().tolist() == [0, 0, 1, 1]
    shown = panel.images[0].get_array()
    assert shown.mask.tolist() == [[False, False, True], [False, False, True]] and shown[1, 1] == 4
    assert panel.get_ylim() == (1.5, -0.5), "the first row is on top"
    assert not panel.figure.axes[1].images and not panel.figure.axes[3].axison


def written(panel):
    return [text.get_text() for text in panel.texts]


def test_the_first_rank_is_the_darkest_and_one_without_a_number_stays_empty():
    panel = plots.ranked({"speed": [2.0, 1.0, float("nan")], "size": [1.5, 1.5, 3.0]}, ["a", "b", "c"])
    assert written(panel) == ["2", "1", "1.5", "1.5", "3"]
    second, first, *_ = (sum(patch.get_facecolor()[:3]) for patch in panel.patches)
    assert len(panel.patches) == 5 and first < second
    with pytest.raises(ValueError, match="ranks: expected 2 for 'speed', received 3"):
        plots.ranked({"speed": [2.0, 1.0, 3.0]}, ["a", "b"])


def test_yardsticks_that_agree_are_dark_and_no_nought_has_a_sign():
    panel = plots.agreements(torch.tensor([[1.0, -0.04], [0.8, 1.0]]), ["a", "b"])
    assert written(panel) == ["", "0.0", "0.8", ""]
    _, low, high, _ = (sum(patch.get_facecolor()[:3]) for patch in panel.patches)
    assert high < low
    with pytest.raises(ValueError, match="matrix: expected shape"):
        plots.agreements(torch.eye(2), ["a"])


def test_places_join_each_name_with_itself():
    panel = plots.places({"before": [1.0, 2.0], "after": [2.0, 1.0]}, ["a", "b"], marked=["b"])
    assert [line.get_ydata().tolist() if hasattr(line.get_ydata(), "tolist") else list(line.get_ydata())
            for line in panel.lines] == [[1.0, 2.0], [2.0, 1.0]]  # fmt: skip
    assert panel.lines[1].get_linewidth() > panel.lines[0].get_linewidth()


def test_names_at_the_front_cover_neither_points_nor_each_other():
    points = {f"model {i}": (10.0**i, 5.0 + 0.1 * i) for i in range(3)} | {"near": (1.02, 5.0), "far": (900.0, 2.0)}
    panel = plots.frontier(points, [False, False, False, False, True], xlabel="speed", ylabel="ratio")
    panel.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in panel.texts]
    assert sorted(written(panel)) == sorted(points)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert list(panel.lines[0].get_xdata()) == [900.0]
