"""The family tree asks and is answered rightly; a family that joins the register appears by itself."""

import math

import pytest
import torch
from torch import nn

from genkit import families as register
from genkit import metrics, plots
from genkit.base import Generative
from genkit.families import FAMILIES, SUITS, build
from genkit.family_plane import Member, families, join, plan, trained
from genkit.family_plans import PLANS, Plan
from genkit.family_tree import (
    APPROXIMATE,
    BRANCHES,
    IMPLICIT,
    NOT_GENERATIVE,
    TRACTABLE,
    Passes,
    ask,
    ask_all,
    branch,
    code_size,
    grown,
    noise_size,
    passes,
    says,
    takes,
)  # fmt: skip
from genkit.points import BITS, EXTENT, FORMS, SIDE, WIDTH, anywhere, cells, draw, form, from_gray, gray, truth
from genkit.records.family_tree import at, bound, by_sum, on_board, whole_board
from genkit.training import TrainConfig


class Bell(Generative):
    """One round Gaussian: a family that nobody has heard of."""

    likelihood = "exact"

    def __init__(self, shape):
        super().__init__()
        self.shape, self.mean, self.log_std = (
            tuple(shape),
            nn.Parameter(torch.zeros(shape)),
            nn.Parameter(torch.zeros(())),
        )

    def log_prob(self, x, c=None):
        return torch.distributions.Normal(self.mean, self.log_std.exp()).log_prob(x).sum(1)

    def loss(self, x, c=None):
        return {"loss": -self.log_prob(x)}

    @torch.no_grad()
    def trajectory(self, n, c=None):
        yield self.mean + self.log_std.exp() * torch.randn(n, *self.shape)


def suits(dataset, binary=False):
    if dataset.levels is not None:
        raise ValueError("data: expected numbers")
    return {"shape": list(dataset.shape)}


# the forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMS)
def test_a_point_is_read_back_into_its_own_cell(name):
    way, x = form(name), draw(500, seed=3)
    torch.manual_seed(0)
    w = way.write(x)
    assert tuple(w.shape[1:]) == way.shape
    assert torch.equal(cells(way.read(w)), cells(x))
    if way.levels is not None:
        assert len(w.unique()) <= way.levels
        assert math.isclose(way.log_area, math.log(WIDTH**2))


def test_gray_code_changes_one_bit_between_neighbours():
    bits = gray(torch.arange(SIDE))
    assert bits.shape == (SIDE, BITS) and set(bits.unique().tolist()) == {0.0, 1.0}
    assert (bits[1:] != bits[:-1]).sum(1).tolist() == [1] * (SIDE - 1)
    assert torch.equal(from_gray(bits), torch.arange(SIDE))


def test_a_point_is_drawn_evenly_from_its_cell():
    torch.manual_seed(0)
    x = anywhere(torch.full((20_000, 2), SIDE // 2))
    assert x.min() >= 0 and x.max() <= WIDTH
    torch.testing.assert_close(x.mean(0), torch.full((2,), WIDTH / 2), atol=0.02 * WIDTH, rtol=0)


def test_the_truth_integrates_to_one_on_the_board():
    x, area = metrics.plane(EXTENT, SIDE)
    assert abs(truth(x).exp().sum().item() * area - 1) < 1e-3


def test_a_board_can_only_lose():
    x = draw(4000, seed=9)
    lost = (truth(x) - on_board(x)).mean().item()
    assert 0 < lost < 0.05


@pytest.mark.parametrize("x", [torch.zeros(3), torch.zeros(3, 3)])
def test_points_have_two_coordinates(x):
    with pytest.raises(ValueError, match="x: expected points of shape"):
        cells(x)


def test_an_unknown_form_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'words'"):
        form("word")


# one interface -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", PLANS)
def test_every_planned_family_learns_draws_and_answers_through_one_interface(family, monkeypatch):
    config = TrainConfig(steps=3, batch=16)
    small = PLANS[family].arguments | ({"pairs": 20} if family == "reflow" else {})
    monkeypatch.setitem(PLANS, family, Plan(PLANS[family].form, small, config))
    x = draw(64, seed=0)
    member = trained(family, x)
    assert member.seconds > 0
    torch.manual_seed(0)
    assert member.sample(5).shape == (5, 2)
    said = member.log_density(x[:7], k=4)
    branches = {row: branch(member.model) for row in [family]}
    assert (said is None) == (branches[family] == IMPLICIT)
    if said is not None:
        assert said[0].shape == (7,) and said[0].isfinite().all()
        assert said[1] in ("exact", "bound", "estimate")


@pytest.mark.parametrize("family", ["autoregressive", "gpt", "recurrent", "boltzmann", "energy"])
def test_what_calls_itself_a_density_adds_up_to_one(family):
    member = join(family)
    x, area = metrics.plane(2 * EXTENT if family == "energy" else EXTENT, SIDE)
    values, kind = member.log_density(x)
    assert abs(values.exp().sum().item() * area - 1) < 1e-3, kind


@pytest.mark.parametrize("family", ["gpt", "autoregressive", "boltzmann"])
def test_samples_lie_where_the_density_says(family, monkeypatch):
    brief = TrainConfig(steps=60, batch=128, lr=2e-2, clip=None)
    monkeypatch.setitem(
        PLANS,
        family,
        Plan(PLANS[family].form, PLANS[family].arguments, brief, {"steps": 100} if family == "boltzmann" else {}),
    )
    member = trained(family, draw(2000, seed=0))
    with torch.no_grad():
        density = member.log_density(whole_board())[0].exp().view(SIDE, SIDE) * WIDTH**2
    torch.manual_seed(0)
    column, row = (cells(member.sample(4000)) // 16).T
    seen = torch.zeros(4, 4).index_put((row, column), torch.ones(4000), accumulate=True) / 4000
    said = density.view(4, 16, 4, 16).sum((1, 3))
    assert (said - said.T).abs().max() > 0.05, "the test would not see the two coordinates exchanged"
    torch.testing.assert_close(seen, said, atol=0.035, rtol=0)


def test_the_estimates_of_a_vae_meet_its_exact_sum_and_its_bound_stays_below():
    member = join("vae", seed=1)
    torch.manual_seed(0)
    with torch.no_grad():
        exact, board = by_sum(member), whole_board()
        estimate = member.log_density(board, k=200)[0]
        low = bound(member, board, 50)
    assert abs(exact.exp().sum().item() * WIDTH**2 - 1) < 1e-3
    torch.testing.assert_close(estimate, exact, atol=0.1, rtol=0)
    assert (low - exact).mean() < 0 and low.exp().sum() < exact.exp().sum()
    assert torch.equal(at(exact, board), exact)


def test_a_discrete_density_is_its_probability_over_the_area():
    member, x = join("gpt"), draw(4, seed=0)
    with torch.no_grad():
        by_hand = member.model.log_prob(cells(x)) - 2 * math.log(4 / 64)
    torch.testing.assert_close(member.log_density(x)[0], by_hand)


def test_a_family_for_pictures_alone_says_so():
    assert plan("translation") is None and "translation" not in families()
    with pytest.raises(ValueError, match="family: expected one that takes points"):
        join("translation")


# the questions -------------------------------------------------------------------------------------------------------


EXPECTED = {
    "autoregressive": TRACTABLE, "gpt": TRACTABLE, "flow": TRACTABLE, "vae": APPROXIMATE, "diffusion": APPROXIMATE,
    "energy": APPROXIMATE, "gan": IMPLICIT, "translation": IMPLICIT, "seeing": NOT_GENERATIVE,
}  # fmt: skip


@pytest.mark.parametrize(("family", "expected"), EXPECTED.items())
def test_families_hang_where_textbooks_put_them(family, expected):
    assert ask(family).branch == expected


def test_the_branch_belongs_to_the_model_and_not_to_the_name():
    small, large = ask("boltzmann"), ask("boltzmann", plane=False)
    assert (small.branch, large.branch) == (TRACTABLE, APPROXIMATE)
    assert (ask("flow").says, ask("flow", plane=False).says) == ("exact", "bound")


@pytest.mark.parametrize(
    ("family", "form", "told", "number"),
    [
        ("vae", "levels", "a class", 1), ("autoregressive", "levels", "a class", 2), ("gpt", "words", "a beginning", 2),
        ("diffusion", "numbers", "a class", 250), ("energy", "numbers", "nothing", 15),
        ("translation", None, "a picture", 1), ("gan", "numbers", "a class", 1),
    ],
)  # fmt: skip
def test_what_a_family_takes_hears_and_costs(family, form, told, number):
    row = ask(family)
    assert (row.form, row.told, row.passes) == (form, told, number)


def test_codes_and_noise_are_measured():
    rows = {name: ask(name, plane=False) for name in ("vae", "flow", "diffusion", "autoregressive", "gan")}
    assert (rows["vae"].code, rows["vae"].size) == (32, 3072)
    assert rows["flow"].latent == rows["flow"].size and rows["diffusion"].latent == rows["diffusion"].size
    assert rows["autoregressive"].latent is None and rows["gan"].latent == 16 < rows["gan"].size
    member = join("vq")
    assert code_size(member.model, member.form.write(draw(2, 0))) == 3 and noise_size(member.model) is None


def test_what_families_take_is_found_by_trying():
    assert takes("gpt") == ["text"] and "points" in takes("flow") and "text" not in takes("vae")
    assert takes("boltzmann") == ["black-and-white pictures"]


def test_asking_draws_no_chance_of_the_readers():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    ask("vae")
    assert torch.equal(torch.rand(3), expected)


def test_shared_activations_are_not_counted_and_hooks_are_taken_off():
    act = nn.ReLU()
    net = nn.Sequential(nn.Linear(2, 2), act, nn.Linear(2, 2), act)
    with Passes(net) as counted:
        net(torch.zeros(1, 2))
    net(torch.zeros(1, 2))
    assert counted.most == 1
    assert passes(nn.Linear(2, 2)) is None


# it grows by itself --------------------------------------------------------------------------------------------------


@pytest.fixture
def bell(monkeypatch):
    monkeypatch.setitem(FAMILIES, "bell", Bell)
    monkeypatch.setitem(SUITS, "bell", suits)
    assert register.FAMILIES is FAMILIES


def test_a_made_up_family_appears_in_the_table_and_in_the_tree(bell):
    row = next(row for row in ask_all() if row.family == "bell")
    assert (row.branch, row.says, row.form, row.takes, row.passes) == (TRACTABLE, "exact", "numbers", ("points",), 1)
    assert (row.size, row.noise, row.told) == (2, 2, "nothing")
    assert "bell" in grown(ask_all())[TRACTABLE]


def test_a_made_up_family_is_trained_by_the_same_loop(bell):
    assert families()[-1] == "bell"
    x = draw(4000, seed=0)
    member = trained("bell", x)
    values, kind = member.log_density(x)
    best = torch.distributions.Normal(x.mean(0), (x - x.mean(0)).std()).log_prob(x).sum(1).mean()
    assert kind == "exact" and abs(values.mean() - best) < 0.02
    assert isinstance(member, Member) and member.sample(3).shape == (3, 2)


def test_a_family_that_says_nothing_of_itself_is_listed_with_blanks(monkeypatch):
    monkeypatch.setitem(FAMILIES, "stranger", Bell)
    row = ask_all()[-1]
    assert (row.family, row.branch, row.takes, row.form) == ("stranger", None, (), None)
    assert "stranger" not in str(grown([row]))


def test_every_family_of_the_register_is_asked():
    rows = ask_all()
    assert sorted(row.family for row in rows) == sorted(FAMILIES)
    assert [BRANCHES.index(row.branch) for row in rows] == sorted(BRANCHES.index(row.branch) for row in rows)


def test_a_model_is_judged_by_what_it_says_not_by_its_class():
    member = join("flow").model
    assert says(member) == "exact"
    member.likelihood = "none"
    assert (says(member), branch(member)) == ("nothing", IMPLICIT)
    assert says(build("diffusion", shape=[2], network="mlp", unit=False)) == "by a flow"


# the drawing ---------------------------------------------------------------------------------------------------------


def test_the_tree_shows_every_name_once_and_its_notes():
    nested = {"a": {"b": {"leaf": {}}, "other": {}}, "c": {}}
    panel = plots.tree("root", nested, notes={"leaf": "a note", "nobody": "unseen"})
    said = [text.get_text() for text in panel.texts]
    assert sorted(said) == sorted(["root", "a", "b", "leaf", "other", "c", "a note"])
    heights = {text.get_text(): text.get_position()[1] for text in panel.texts}
    assert [heights[n] for n in ("root", "a", "b", "leaf", "other", "c")] == list(range(6))
    # each line starts below its own parent
    starts = [line.get_ydata()[0] for line in panel.lines if len(line.get_ydata()) == 3]
    assert starts == [pytest.approx(v + 0.35) for v in (0, 1, 2, 1, 0)]
