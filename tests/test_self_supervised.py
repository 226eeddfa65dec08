"""Labels made from the data: losses against oracles, masks, views, the probe, and what tells collapse."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import families, recipes, record
from genkit.models.contrastive import attract, contrastive, found, nt_xent
from genkit.models.masked_autoencoder import GREY, MaskedAutoencoder, hide, to_patches
from genkit.nn.strided import features_of, strided_encoder
from genkit.nn.views import Views
from genkit.probe import few, gap_closed, probe, within
from genkit.records import CHAPTERS
from genkit.spread import effective_rank, evenness

SMALL = {"shape": (1, 8, 8), "width": 2}


# the contrastive loss ------------------------------------------------------------------------------------------------


def by_loops(a, b, t):
    z = [v / v.norm() for v in torch.cat([a, b])]
    n, losses = len(a), []
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        below = sum((z[i] @ z[k] / t).exp() for k in range(2 * n) if k != i)
        losses.append(-((z[i] @ z[partner] / t).exp() / below).log())
    return torch.stack([(losses[i] + losses[i + n]) / 2 for i in range(n)])


@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 6), d=st.integers(1, 5), t=st.floats(0.1, 2.0), seed=st.integers(0, 99))
def test_nt_xent_is_the_loop_and_torchs_cross_entropy(n, d, t, seed):
    a, b = torch.randn(2, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    torch.testing.assert_close(nt_xent(a, b, t), by_loops(a, b, t))
    z = F.normalize(torch.cat([a, b]))
    logits = (z @ z.T / t).fill_diagonal_(-torch.inf)
    torch.testing.assert_close(nt_xent(a, b, t).mean(), F.cross_entropy(logits, torch.arange(2 * n).roll(n)))


def test_nt_xent_counts_directions_alone_and_knows_no_order():
    a, b = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(nt_xent(a * torch.arange(1.0, 6)[:, None], b), nt_xent(a, b))
    torch.testing.assert_close(nt_xent(b, a), nt_xent(a, b))
    mixed = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(nt_xent(a[mixed], b[mixed]), nt_xent(a, b)[mixed])


def test_where_everything_is_alike_it_is_the_logarithm_of_the_others():
    same = torch.ones(4, 3)
    torch.testing.assert_close(nt_xent(same, same), torch.full((4,), math.log(7)))
    assert nt_xent(torch.eye(4), torch.eye(4), 1e-2).max() < 1e-6


def test_a_partner_is_found_where_it_is_nearest():
    a = torch.eye(3)
    assert found(a, a).tolist() == [1, 1, 1]
    assert found(a, a.roll(1, 0)).tolist() == [0, 0, 0]


def test_attract_is_zero_for_one_direction_and_two_for_opposite_ones():
    v = torch.tensor([[3.0, 4.0]])
    torch.testing.assert_close(torch.cat([attract(v, 2 * v), attract(v, -v)]), torch.tensor([0.0, 2.0]))


@pytest.mark.parametrize("objective", ["nt_xent", "attract", "siamese"])
def test_a_gradient_reaches_all_that_learns(objective):
    torch.manual_seed(0)
    model = contrastive(**SMALL, hidden=8, dim=4, objective=objective)
    terms = model.loss(torch.rand(6, 1, 8, 8))
    assert terms["loss"].shape == (6,)
    terms["loss"].mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for n, p in model.named_parameters() if "bias" not in n)


def test_the_siamese_target_is_held_still():
    torch.manual_seed(0)
    model = contrastive(**SMALL, hidden=8, dim=4, objective="siamese")
    model.predictor = torch.nn.Module()
    model.predictor.forward = lambda z: z.detach()  # if the only way back were the target, there would be none
    assert not model.loss(torch.rand(6, 1, 8, 8))["loss"].requires_grad


def test_agreement_alone_collapses_and_negatives_mend_it():
    """Two groups of points, views by small noise: with negatives the projections spread, without they do not."""

    class Noise(torch.nn.Module):
        def forward(self, x):
            return x + 0.05 * torch.randn_like(x)

    from genkit.models.contrastive import Contrastive
    from genkit.nn import mlp

    x = torch.randn(64, 6, generator=torch.Generator().manual_seed(3))
    spread = {}
    for objective in ("nt_xent", "attract"):
        torch.manual_seed(0)
        model = Contrastive(mlp(6, 32, 16), mlp(16, 16, 8), Noise(), objective=objective)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(150):
            optimiser.zero_grad()
            model.loss(x)["loss"].mean().backward()
            optimiser.step()
        spread[objective] = evenness(model.project(x).detach())
    assert spread["attract"] < 0.2 and spread["nt_xent"] > 0.8


# masks ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 9), places=st.integers(2, 20), ratio=st.floats(0.01, 0.99))
def test_every_row_hides_as_many_and_never_all(rows, places, ratio):
    many = hide(rows, places, ratio).sum(1)
    assert (many == min(max(round(ratio * places), 1), places - 1)).all()


def test_every_place_is_hidden_as_often():
    torch.manual_seed(0)
    share = hide(4000, 8, 0.25).double().mean(0)
    assert (share - 0.25).abs().max() < 0.04


def test_patches_are_cut_in_reading_order_and_lose_nothing():
    x = torch.arange(2 * 2 * 4 * 6.0).view(2, 2, 4, 6)
    patches = to_patches(x, 2)
    assert patches.shape == (2, 6, 8)
    assert torch.equal(patches[1, 4].view(2, 2, 2), x[1, :, 2:4, 2:4])  # second row, second column
    assert torch.equal(patches.flatten(1).sort(1).values, x.flatten(1).sort(1).values)


def test_the_guess_depends_on_what_is_seen_alone_and_the_loss_on_what_is_hidden_alone():
    torch.manual_seed(0)
    model = MaskedAutoencoder(shape=(1, 8, 8), patch=4, width=4).eval()
    x, hidden = torch.rand(3, 1, 8, 8), hide(3, 4, 0.5)
    gaps = model.pixels(hidden)
    other = torch.where(gaps, torch.rand_like(x), x)
    torch.testing.assert_close(model.guess(x, hidden), model.guess(other, hidden))
    assert (model.covered(x, hidden)[gaps] == GREY).all()
    assert torch.equal(model.filled(x, hidden)[~gaps], x[~gaps])
    patches = to_patches(gaps.float(), 4)
    assert torch.equal(patches.mean(2) == 1, hidden) and torch.equal(patches.mean(2) == 0, ~hidden)


def test_the_loss_is_the_error_of_the_hidden_patches():
    torch.manual_seed(0)
    model = MaskedAutoencoder(shape=(1, 8, 8), patch=4, width=4, ratio=0.5).eval()
    x = torch.rand(3, 1, 8, 8)
    torch.manual_seed(7)
    loss = model.loss(x)["loss"]
    torch.manual_seed(7)
    hidden = hide(3, 4, 0.5)
    error = (model.guess(x, hidden) - x).square()
    gaps = model.pixels(hidden)
    torch.testing.assert_close(loss, torch.stack([e[g].mean() for e, g in zip(error, gaps, strict=True)]))


# views ---------------------------------------------------------------------------------------------------------------

STILL = {"shift": 0, "turn": 0, "zoom": 0, "slant": 0, "weight": 0}


def test_a_view_without_change_is_the_picture_and_stays_in_range_otherwise():
    x = torch.rand(20, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Views(**STILL)(x), x, atol=1e-5, rtol=0)
    torch.manual_seed(0)
    y = Views()(x)
    assert y.shape == x.shape and y.min() >= 0 and y.max() <= 1 and not torch.allclose(x, y, atol=0.1)


def test_strokes_grow_and_shrink_and_a_shift_stays_within_its_limit():
    x = torch.zeros(400, 1, 15, 15)
    x[:, :, 5:10, 5:10] = 1
    torch.manual_seed(0)
    ink = Views(**STILL | {"weight": 1.0})(x).sum((1, 2, 3))
    assert ink.min() < 20 and ink.max() > 35
    y = Views(**STILL | {"shift": 2.0})(x)
    at = torch.arange(15.0)
    middle = (y.sum(2) * at).sum((1, 2)) / y.sum((1, 2, 3))
    assert (middle - 7).abs().max() <= 2.01 and (middle - 7).abs().max() > 1.7


def test_a_turn_keeps_the_ink_and_moves_it_round_the_middle():
    x = torch.zeros(200, 1, 21, 21)
    x[:, :, 10, 14:18] = 1
    torch.manual_seed(0)
    y = Views(**STILL | {"turn": 180.0})(x)
    at = torch.arange(21.0) - 10
    down, right = (y.sum(3) * at).sum((1, 2)) / y.sum((1, 2, 3)), (y.sum(2) * at).sum((1, 2)) / y.sum((1, 2, 3))
    assert (torch.hypot(down, right) - 5.5).abs().max() < 0.3
    assert torch.atan2(down, right).std() > 1.5


# the probe -----------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(n=st.integers(4, 40), seed=st.integers(0, 50))
def test_few_are_as_even_as_can_be_and_all_different(n, seed):
    c = torch.arange(4).repeat_interleave(20)
    rows = few(c, n, seed)
    counts = c[rows].bincount(minlength=4)
    assert len(set(rows.tolist())) == n == counts.sum() and counts.max() - counts.min() <= 1


def test_the_probe_tells_groups_apart_and_not_noise():
    g = torch.Generator().manual_seed(0)
    c, answers = (torch.arange(3).repeat(40) for _ in range(2))
    middles = 4 * torch.randn(3, 20, generator=g)
    a, b = (middles[k] + torch.randn(120, 20, generator=g) for k in (c, answers))
    assert probe(a, c, b, answers) == 1.0
    noise = torch.randn(2, 120, 20, generator=g)
    assert 0.2 < probe(noise[0], c, noise[1], answers) < 0.48
    assert probe(middles, torch.arange(3), b, answers) > 0.95  # one label each: nothing to choose a strength by


def test_turning_into_the_span_changes_no_penalised_classifier():
    from sklearn.linear_model import LogisticRegression

    g = torch.Generator().manual_seed(1)
    c = torch.arange(2).repeat(6)
    a, test = torch.randn(12, 30, generator=g) + c[:, None], torch.randn(25, 30, generator=g)
    scale = (a - a.mean(0)).square().mean().sqrt()
    long = LogisticRegression(C=0.1, tol=1e-8).fit(((a - a.mean(0)) / scale).numpy(), c)
    short_a, short_test = within(a, test)
    short = LogisticRegression(C=0.1, tol=1e-8).fit(short_a.numpy(), c)
    assert short_a.shape == (12, 12)
    expected = long.predict_proba(((test - a.mean(0)) / scale).numpy())
    got = short.predict_proba(short_test.numpy())
    assert abs(got - expected).max() < 1e-4


def test_the_gap_is_a_share_of_the_way():
    assert gap_closed(0.5, 0.5, 1.0) == 0 and gap_closed(1.0, 0.5, 1.0) == 1 and gap_closed(0.4, 0.5, 1.0) < 0


# how features fill their space ---------------------------------------------------------------------------------------


def test_the_effective_rank_counts_directions():
    g = torch.Generator().manual_seed(0)
    line = torch.randn(50, 1, generator=g) @ torch.randn(1, 9, generator=g)
    assert abs(effective_rank(line + 3) - 1) < 1e-3
    assert 8.5 < effective_rank(torch.randn(5000, 9, generator=g)) <= 9
    assert effective_rank(torch.ones(5, 3)) == 1


def test_evenness_is_one_on_the_sphere_and_nothing_at_a_point():
    g = torch.Generator().manual_seed(0)
    z = torch.randn(4000, 16, generator=g)
    assert abs(evenness(z) - 1) < 0.02 and abs(evenness(7 * z) - evenness(z)) < 1e-9
    assert evenness(torch.ones(5, 16) + 1e-4 * z[:5]) < 1e-3


# the house -----------------------------------------------------------------------------------------------------------


def test_the_encoder_gives_as_many_features_as_it_says_for_any_size():
    for shape in ((1, 28, 28), (3, 8, 8), (1, 13, 9)):
        assert strided_encoder(shape, width=3)(torch.rand(2, *shape)).shape == (2, features_of(shape, width=3))


@pytest.mark.parametrize("name", ["masked-glyphs", "contrastive-glyphs", "labelled-glyphs"])
def test_they_are_built_from_json_and_train_through_the_one_trainer(name):
    recipe = recipes.get(name)
    data = recipe.dataset()
    fit = recipes.train(recipe, dataset=data, steps=3, batch=16, progress=False)
    assert fit.model.features(data.test.x[:2]).shape == (2, 1024)
    assert all(math.isfinite(v) for v in fit.history["model/loss"])


def test_the_record_is_there_and_says_what_the_page_says():
    assert CHAPTERS["learning/self_supervised"] == "self_supervised"
    results = record.recorded("learning/self_supervised")
    means = record.summary(results["seeds"])
    assert len(results["seeds"]) >= 3
    best = means["contrastive, 50"].mean
    assert best > means["raw pixels, 50"].mean + 0.02 and best > means["random network, 50"].mean + 0.05
    assert means["masked autoencoder, 50"].mean > means["random network, 50"].mean


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nt_xent(torch.ones(1, 2), torch.ones(1, 2)), "at least 2"),
        (lambda: nt_xent(torch.ones(3, 2), torch.ones(2, 2)), "a, b: expected"),
        (lambda: nt_xent(torch.ones(3, 2), torch.ones(3, 2), 0.0), "temperature: expected"),
        (lambda: contrastive(**SMALL, objective="atract"), "Did you mean 'attract'"),
        (lambda: contrastive(**SMALL, temperature=-1.0), "temperature: expected"),
        (lambda: families.build("labelled", shape=[1, 8, 8], classes=1), "classes: expected"),
        (lambda: families.build("labelled", shape=[1, 8, 8], classes=2).loss(torch.rand(2, 1, 8, 8)), "c: expected"),
        (lambda: MaskedAutoencoder(shape=(1, 9, 9), patch=4), "divisible by 4"),
        (lambda: MaskedAutoencoder(shape=(1, 8, 8), patch=4, ratio=1.0), "ratio: expected"),
        (lambda: MaskedAutoencoder(shape=(1, 8, 8), patch=4).features(torch.rand(2, 1, 4, 4)), "x: expected"),
        (lambda: MaskedAutoencoder(shape=(1, 8, 8), patch=4).pixels(torch.ones(2, 3)), "hidden: expected"),
        (lambda: hide(2, 1, 0.5), "places: expected"),
        (lambda: hide(2, 4, 0.0), "ratio: expected"),
        (lambda: to_patches(torch.rand(2, 1, 5, 4), 2), "divisible by 2"),
        (lambda: Views(shift=-1), "shift: expected"),
        (lambda: Views(weight=1.5), "weight"),
        (lambda: Views()(torch.rand(3, 4)), "x: expected"),
        (lambda: strided_encoder((8, 8)), "shape: expected"),
        (lambda: strided_encoder((1, 8, 8), width=0), "width: expected"),
        (lambda: few(torch.arange(4), 2), "n: expected 4"),
        (lambda: few(torch.arange(4).repeat(2), 12), "n: expected"),
        (lambda: probe(torch.rand(4, 2), torch.arange(4), torch.rand(4, 3), torch.arange(4)), "features: expected"),
        (lambda: gap_closed(0.5, 0.9, 0.9), "ceiling: expected"),
        (lambda: effective_rank(torch.rand(3)), "z: expected"),
        (lambda: evenness(torch.rand(1, 3)), "z: expected"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
