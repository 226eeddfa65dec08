"""What the chapter without labels measures: known where it can be worked out by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from genkit import plots, recipes
from genkit.clustering import kmeans
from genkit.data.baskets import RULES
from genkit.models.autoencoder import Autoencoder
from genkit.records import unlabelled, unsupervised

# measures -------------------------------------------------------------------------------------------------------------


def test_the_elbow_is_where_the_curve_bends():
    bent = [100.0, 60.0, 20.0, 18.0, 16.0, 14.0, 12.0]
    assert unlabelled.elbow(bent) == 3
    assert unlabelled.elbow([5.0 * v + 2 for v in bent]) == 3, "units do not matter"


@given(st.lists(st.integers(0, 3), min_size=6, max_size=30), st.permutations(range(4)))
@settings(max_examples=40, deadline=None)
def test_agreement_knows_no_names(labels, names):
    truth = torch.tensor(labels)
    renamed = torch.tensor(names)[truth]
    assert unlabelled.agreement(truth, renamed) == pytest.approx(1.0)


def test_agreement_by_chance_is_nothing():
    g = torch.Generator().manual_seed(0)
    found = [unlabelled.agreement(*torch.randint(5, (2, 200), generator=g)) for _ in range(50)]
    assert abs(sum(found) / 50) < 0.005 and max(map(abs, found)) < 0.05


def test_a_cubes_corners_lose_a_third_on_a_plane_and_two_on_a_line():
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)
    for k, share in ((2, 1 / 3), (1, 2 / 3)):
        pca = PCA(k).fit(corners.numpy())
        again = torch.tensor(pca.inverse_transform(pca.transform(corners.numpy())))
        assert unlabelled.lost(corners, again, corners.mean(0)) == pytest.approx(share, abs=1e-5)
    assert unlabelled.lost(corners, corners, corners.mean(0)) == 0
    assert unlabelled.lost(corners, corners.mean(0).expand(8, 3), corners.mean(0)) == 1


def test_points_of_a_box_fill_it_evenly():
    x = unlabelled.in_cube(20_000, 0, (2.0, 1.0, 0.1))
    assert (x.abs() <= torch.tensor([1.0, 0.5, 0.05])).all()
    torch.testing.assert_close(x.var(0), torch.tensor([4.0, 1.0, 0.01]) / 12, rtol=0.03, atol=0)


def test_a_map_that_moves_nobody_is_trusted():
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    assert unlabelled.trusted(x, 3 * x) == 1.0
    assert unlabelled.trusted(x, x[torch.randperm(60, generator=torch.Generator().manual_seed(1))]) < 0.7


def test_columns_are_standardised_one_by_one():
    x = unlabelled.standardised(torch.randn(50, 3).double() * torch.tensor([1.0, 10, 500]) + 7)
    torch.testing.assert_close(x.mean(0), torch.zeros(3).double(), atol=1e-9, rtol=0)
    torch.testing.assert_close(x.var(0, correction=0), torch.ones(3).double())


# worlds ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", unlabelled.WORLDS)
def test_a_world_has_its_groups_within_the_picture(world):
    draw, k = unlabelled.WORLDS[world]
    x, labels = draw(0)
    assert x.shape == (len(labels), 2) and x.dtype == torch.double and labels.unique().tolist() == list(range(k))
    assert x.abs().max() <= 3.2 and torch.equal(draw(0)[0], x) and not torch.equal(draw(1)[0], x)


def test_each_way_finds_the_groups_it_believes_in():
    found = {w: unsupervised.shapes(w, 0) for w in unlabelled.WORLDS}
    assert found["round"]["k-means"] > 0.9 and found["long"]["Gaussian mixture"] > 0.9 > found["long"]["k-means"]
    assert found["moons"]["merging nearest"] > 0.9 > found["moons"]["Gaussian mixture"]


def test_one_cloud_is_six_times_as_wide():
    x, labels = unlabelled.two_clouds(0)
    ratio = unlabelled.width(x[labels == 1]) / unlabelled.width(x[labels == 0])
    assert ratio == pytest.approx(6, rel=0.06)
    assert unlabelled.width(torch.tensor([[0.0, 0.0], [0.0, 2.0]])) == 1.0


def test_tumours_to_learn_from_are_none_to_be_judged_on():
    train, good, bad = unlabelled.tumour_rows(20, 0)
    assert (len(train), len(good), len(bad)) == (220, 157, 172)
    rows = {tuple(row) for row in train.tolist()}
    assert not rows & {tuple(row) for row in torch.cat([good, bad]).tolist()}
    torch.testing.assert_close(train.mean(0), torch.zeros(30).double(), atol=1e-9, rtol=0)


def test_pairs_that_a_rule_ties_are_those_of_its_items():
    pairs = sum(math.comb(len(asked) + 1, 2) for asked, _ in RULES)
    assert len(unsupervised.TIED) == pairs == 16
    assert frozenset(("bread", "cheese")) in unsupervised.TIED and frozenset(("bread", "milk")) not in unsupervised.TIED


def test_answers_name_a_number_of_groups():
    falling = [100.0 / k for k in range(1, 31)]
    peak = [-float(abs(k - 7)) for k in range(1, 31)]
    said = unsupervised.answers({"inertia": falling, "silhouette": [None, *peak[1:]], "held-out": peak})
    assert said["silhouette"] == said["held-out"] == 7
    assert said["elbow, drawn to 10"] < said["elbow, drawn to 30"]


def test_the_chapters_autoencoder_is_in_the_table_of_recipes():
    model = recipes.variant("autoencoder-digits", latent=3).build(0)
    assert isinstance(model, Autoencoder) and model.encode(torch.zeros(2, 1, 8, 8)).shape == (2, 3)


# figures --------------------------------------------------------------------------------------------------------------


def test_groups_are_drawn_with_marks_of_their_own_and_numbered_centres():
    x, _ = unlabelled.round_groups(0)
    *_, end = kmeans(x, x[:5])
    panel = plots.clusters({"plain": (x, None, None), "grouped": (x, end.labels, end.centres)})
    figure = panel.figure
    assert [p.get_title() for p in figure.axes] == ["plain", "grouped"]
    assert [t.get_text() for t in figure.axes[1].texts] == list("12345") and not figure.axes[0].texts
    shapes = {c.get_paths()[0].vertices.tobytes() for c in figure.axes[1].collections if len(c.get_offsets()) > 1}
    assert len(shapes) == len(end.labels.unique()), "told apart without colour"


def test_maps_write_every_example_as_its_label():
    z, labels = torch.randn(12, 2), torch.arange(12) % 10
    panel = plots.labelled_maps({"a": z, "b": -z}, labels)
    assert [t.get_text() for t in panel.texts] == [str(k) for k in labels.tolist()]
    assert len(panel.figure.axes) == 2 and max(abs(v) for t in panel.texts for v in t.get_position()) <= 1


def test_a_squeezed_cube_stands_in_its_frame():
    x = unlabelled.in_cube(30, 0)
    panel = plots.squeezed({"in space": x, "a point": torch.zeros_like(x)}, x)
    assert all(len(p.lines) == 12 for p in panel.figure.axes), "a cube has twelve edges"
    moved = panel.figure.axes[1].collections[0].get_array()
    assert moved.max() == pytest.approx(1.0) and panel.figure.axes[0].collections[0].get_array().max() == 0.25


def test_criteria_leave_out_what_is_not_known():
    panel = plots.criteria([1, 2, 3], {"a": {"": [3, 2, 1]}, "b": {"": [None, 5, 4]}}, xlabel="K", mark=2)
    first, second = panel.figure.axes
    assert len(first.lines[0].get_xdata()) == 3 and len(second.lines[0].get_xdata()) == 2
    assert second.lines[1].get_xdata()[0] == 2
