"""The party in the page: the machine's own energies and chances, a run that can be replayed, controls for everybody."""

import pytest
import torch
from browsing import article, fits, in_every_look

from genkit.explorers import party_explorer
from genkit.explorers.party import random
from genkit.nn.machines import Network, states

NAMES = ("Ada", "Ben", "<b>", "Dia")


def machine():
    upper = torch.tensor([[0, 2.0, 0, -2], [0, 0, 1.5, 0], [0, 0, 0, 2], [0, 0, 0, 0]])
    return Network(upper + upper.T, torch.tensor([-0.5, 0.3, 0.0, -0.2]))


def party():
    return party_explorer(machine(), NAMES)


def answers(page, inputs):
    return page.evaluate("(inputs) => document.querySelector('.gk-explorer').genkit.run(inputs)", inputs)


# in Python -------------------------------------------------------------------------------------------------------


def test_probes_are_torchs_energies_and_conditional_probabilities():
    for inputs, outputs in party().probes:
        weight, bias = torch.tensor(inputs["weight"]), torch.tensor(inputs["bias"])
        s, beta = torch.tensor([inputs["moods"]]).float(), 1 / inputs["temperature"]
        energies = -0.5 * torch.einsum("ni,ij,nj->n", states(4), weight, states(4)) - states(4) @ bias
        here = (-0.5 * s @ weight @ s.T - bias @ s.T).item()
        assert outputs[0] == pytest.approx(here, abs=1e-5)
        pull = (s @ weight + bias)[0]
        torch.testing.assert_close(torch.tensor(outputs[1:5]), (pull * beta).sigmoid(), atol=1e-5, rtol=0)
        log_z = (-energies * beta).logsumexp(0)
        assert outputs[5] == pytest.approx(log_z.item(), abs=1e-4)
        assert outputs[6] == pytest.approx(torch.exp(-here * beta - log_z).item(), abs=1e-5)
        assert len(outputs) == 7 + inputs["rounds"] + 4


def test_the_pages_chance_is_evenly_spread_and_follows_its_seed():
    generator = random(5)
    drawn = torch.tensor([next(generator) for _ in range(4000)])
    assert abs(drawn.mean() - 0.5) < 0.03 and abs(drawn.std() - 12**-0.5) < 0.01
    assert drawn[0] == pytest.approx(next(random(5))) and drawn[0] != next(random(6))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: party_explorer(machine(), NAMES[:3]), "names: expected 4 with different first letters"),
        (lambda: party_explorer(machine(), ("Ada", "Ann", "Ben", "Cem")), "names: expected 4 with different first"),
        (
            lambda: party_explorer(Network(torch.zeros(9, 9), torch.zeros(9)), tuple("ABCDEFGHI")),
            "expected 2 … 8 units",
        ),
        (lambda: party_explorer(Network(torch.eye(2), torch.zeros(2)), ("A", "B")), "none of a unit with itself"),
        (lambda: party_explorer(Network(torch.ones(2, 2).triu(1), torch.zeros(2)), ("A", "B")), "symmetric links"),
    ],
)
def test_what_is_no_party_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# in Chromium -----------------------------------------------------------------------------------------------------


def test_one_thousand_rounds_visit_moods_as_often_as_they_are_probable(open_page):
    page = open_page(party().html())
    for _ in range(5):
        page.get_by_role("button", name="1,000 rounds").click()
    said = page.inner_text("output")
    assert "round 5000" in said
    assert float(said.split("round 5000, ")[1].split(" %")[0]) < 5
    page.get_by_role("button", name="start again").click()
    assert "round 0" in page.inner_text("output")


def test_a_run_in_the_page_is_the_replay(open_page):
    page = open_page(party().html())
    inputs, expected = party().probes[1]
    assert inputs["moods"] == [0, 1, 0, 1], "where the page starts"
    for _ in range(40):
        page.get_by_role("button", name="one round").click()
    pressed = page.eval_on_selector_all("[aria-pressed]", "all => all.map((b) => Number(b.ariaPressed === 'true'))")
    assert pressed == [int(v) for v in expected[-4:]]
    energy = f"{expected[-5]:.2f}".replace("-", "−")
    assert f"energy {energy}; round 40" in page.inner_text("output")


def test_moving_the_controls_changes_the_party(open_page):
    page = open_page(party().html())
    energy, pair = page.inner_text("output"), page.get_by_role("combobox")
    page.get_by_role("button", name="Ada").click()
    assert page.inner_text("output") != energy
    pair.nth(0).select_option("0")
    pair.nth(1).select_option("1")
    assert pair.nth(2).input_value() == "2"
    pair.nth(2).select_option("-2")
    lines = page.eval_on_selector_all(
        ".gk-room g line:not(.gk-touch)", "all => all.map((l) => l.getAttribute('class'))"
    )
    assert lines[0] == "gk-dislike"
    page.locator(".gk-touch").first.click(force=True)
    assert pair.nth(2).input_value() != "-2"
    page.get_by_label("heat").fill("0.2")
    page.get_by_role("button", name="1,000 rounds").click()
    assert page.get_by_label("heat").get_attribute("aria-valuetext") == "temperature 0.2"
    shares = page.eval_on_selector_all(".gk-seen", "all => all.map((r) => Number(r.getAttribute('width')))")
    assert shares[0] > 5 * max(shares[2:]), "a cold party keeps to its likeliest moods"
    pair.nth(0).select_option("1")
    pair.nth(1).select_option("1")
    assert pair.nth(2).is_disabled(), "nobody befriends oneself"


def test_it_runs_and_stops(open_page):
    page = open_page(party().html())
    page.get_by_role("button", name="run").click()
    page.wait_for_function("() => Number(document.querySelector('output').innerText.match(/round (\\d+)/)[1]) >= 3")
    page.get_by_role("button", name="stop").click()
    before = page.inner_text("output")
    page.wait_for_timeout(400)
    assert page.inner_text("output") == before


def test_everything_can_be_done_by_keyboard_and_is_said(open_page):
    page = open_page(party().html())
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert reached == ["input", "select", "select", "select", *["button"] * 8]
    page.keyboard.press("Enter")
    assert page.get_attribute(".gk-room", "aria-label") == "A room of guests. Happy: Ben."
    assert "<b>" in page.inner_text(".gk-controls")


@in_every_look
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = article(open_page, party().html(), theme=theme, width=width, book=book)
    page.get_by_role("button", name="1,000 rounds").click()
    fits(page, violations)
