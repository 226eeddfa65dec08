"""Faults made on purpose are the faults they say they are; the count by class finds them; votes are counted rightly."""

import base64
import io
import math

import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import chi2_contingency

from genkit import spoiling
from genkit.judging import TwoWay
from genkit.metrics import wilson
from genkit.metrics.class_counts import missing_share, worst_class
from genkit.record import recorded
from genkit.records import metrics as lab


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_blur_is_scipys_gaussian_filter():
    x = torch.rand(2, 1, 14, 14, generator=chance())
    for width in (0.4, 0.9):
        reach = max(1, round(3 * width))
        theirs = gaussian_filter(x.numpy(), (0, 0, width, width), mode="constant", radius=(0, 0, reach, reach))
        torch.testing.assert_close(spoiling.blurred(x, width), torch.tensor(theirs), atol=1e-5, rtol=1e-5)


def test_noise_has_its_deviation_and_stays_in_range():
    x = torch.full((50, 1, 20, 20), 0.5)
    assert (spoiling.noisy(x, 0.05, chance()) - x).std().item() == pytest.approx(0.05, rel=0.05)
    loud = spoiling.noisy(x, 3.0, chance())
    assert loud.min() == 0 and loud.max() == 1
    assert torch.equal(spoiling.noisy(x, 0.0, chance()), x)


def test_a_share_is_moved_by_a_pixel_and_the_rest_is_not():
    x = torch.rand(40, 1, 5, 5, generator=chance())
    moved = spoiling.shifted(x, 0.25, chance(1))
    same = (moved == x).flatten(1).all(1)
    assert int(same.sum()) == 30
    assert torch.equal(moved[~same][..., 1:], x[~same][..., :-1]) and not moved[~same][..., 0].any()


def test_a_bad_row_is_taken_over_by_a_good_one_and_good_ones_stay():
    bad = torch.rand(200, generator=chance()) < 0.4
    rows = spoiling.refilled(200, bad, chance(1))
    assert not bad[rows].any() and torch.equal(rows[~bad], torch.arange(200)[~bad])


def test_texts_keep_what_a_fault_leaves_alone():
    texts = [[f"{i}.{j}" for j in range(12)] for i in range(20)]
    mixed = spoiling.shuffled(texts, 0.5, chance())
    assert [sorted(t) for t in mixed] == [sorted(t) for t in texts]
    assert sum(a != b for a, b in zip(mixed, texts, strict=True)) == 10
    loops = spoiling.looped(texts, 1.0, chance(), words=5)
    assert all(len(set(t)) == 5 and len(t) == 12 for t in loops)
    swapped = spoiling.replaced(texts, 0.3, chance(), [["x"]])
    assert sum(t == ["x"] for t in swapped) == 6
    left = [len(t) for t in spoiling.thinned(texts, 0.5, chance())]
    assert 4.5 < sum(left) / 20 < 8.5 and texts[0] == [f"0.{j}" for j in range(12)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spoiling.blurred(torch.ones(1, 1, 3, 3), 0.0), "width: expected"),
        (lambda: spoiling.noisy(torch.ones(1), -1.0, chance()), "deviation: expected"),
        (lambda: spoiling.chosen(3, 1.5, chance()), "share: expected"),
        (lambda: spoiling.refilled(2, torch.tensor([True, True]), chance()), "bad: expected"),
        (lambda: missing_share(torch.tensor([0, 3]), torch.tensor([0]), classes=2), "classes: expected more than 3"),
        (lambda: missing_share(torch.tensor([[0]]), torch.tensor([0]), classes=2), "real, samples: expected"),
        (lambda: missing_share(torch.tensor([0.0]), torch.tensor([0]), classes=2), "real: expected classes 0, 1"),
        (lambda: missing_share(torch.tensor([0]), torch.tensor([-1]), classes=2), "samples: .*int64, least -1"),
        (lambda: spoiling.blurred(torch.ones(1, 1, 3, 3), math.inf), "width: expected"),
        (lambda: spoiling.blurred(torch.ones(1, 1, 3, 3).long(), 0.5), "x: expected images .* of fractions"),
        (lambda: spoiling.blurred(torch.ones(1, 3, 3), 0.5), "x: expected images"),
        (lambda: spoiling.noisy(torch.ones(1), math.nan, chance()), "deviation: expected"),
        (lambda: spoiling.shifted(torch.ones(2, 1, 3, 3), 1.0, chance(), pixels=-1), "x, pixels: expected"),
        (lambda: spoiling.looped([["a"]], 1.0, chance(), words=0), "words: expected 1 or more"),
        (lambda: spoiling.replaced([["a"]], 1.0, chance(), []), "by: expected one text or more"),
        (lambda: spoiling.thinned([["a"]], 1.1, chance()), "share: expected"),
        (lambda: TwoWay(torch.ones(2, 1, 3, 3), torch.ones(1, 1, 3, 3)), "real, made: expected"),
        (lambda: game().found(""), "choices: expected 1 … 6"),
        (lambda: game().found("LRX"), "choices: expected"),
        (lambda: game().found("L" * 7), "choices: expected"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# the count by class ---------------------------------------------------------------------------------------------------


def test_the_missing_share_is_the_root_of_pearsons_chi_square():
    real, made = torch.randint(0, 3, (200,), generator=chance()), torch.randint(0, 3, (150,), generator=chance(1))
    for k, z in enumerate(missing_share(real, made, classes=3).tolist()):
        table = [[int((v == k).sum()), int((v != k).sum())] for v in (real, made)]
        assert z**2 == pytest.approx(chi2_contingency(table, correction=False).statistic, rel=1e-4)


def test_it_is_standard_normal_where_nothing_is_missing_and_large_where_something_is():
    pairs = [torch.randint(0, 5, (2, 400), generator=chance(seed)) for seed in range(300)]
    found = [missing_share(*pair, classes=5)[0].item() for pair in pairs]
    values = torch.tensor(found)
    assert abs(values.mean()) < 0.25 and 0.85 < values.std() < 1.15
    real = torch.randint(0, 5, (400,), generator=chance())
    made = torch.where(real == 4, 0, real)
    assert missing_share(real, made, classes=7).argmax() == 4 and worst_class(real, made, classes=7).value > 5
    assert missing_share(real, real, classes=7).abs().max() == 0


# the world ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    return lab.world(0, draws=10)


def test_the_parts_share_no_letter_and_have_the_rare_one_in_its_share(world):
    keys = [{tuple(x.flatten().tolist()[150:400]) for x in part.x} for part in (world.train, world.real, world.pool)]
    assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]
    for part in (world.train, world.real, world.pool):
        share = (part.letter == lab.LETTERS.index(lab.RARE)).double().mean().item()
        assert share == pytest.approx(lab.SHARE, abs=0.002)


def test_every_fault_is_there_in_full(world):
    g = chance(3)
    clean = lab.drawn(world, g)
    made = {fault: make(world, clean, much[2], g) for fault, (make, much, _) in lab.FAULTS.items()}
    assert all(len(letters) == lab.SIZE for letters in made.values())
    assert not (made["rare class gone"].letter == lab.LETTERS.index(lab.RARE)).any()
    assert len(made["classes gone"].letter.unique()) == 4
    fonts = made["few fonts a letter"]
    assert all(len(fonts.font[fonts.letter == k].unique()) == 1 for k in fonts.letter.unique())
    away = torch.cdist(made["copies"].x.flatten(1).double(), world.train.x.flatten(1).double()).min(1).values
    assert away.max() < 1e-5 and len(made["copies"].x.flatten(1).unique(dim=0)) == lab.SIZE
    some = lab.FAULTS["copies"][0](world, clean, 0.3, g)
    assert (
        int((torch.cdist(some.x.flatten(1).double(), world.train.x.flatten(1).double()).min(1).values < 1e-5).sum())
        == 150
    )


def test_scores_are_deviations_of_clean_sets():
    usual = lab.spread([{"a": 1.0}, {"a": 3.0}])
    assert usual["a"] == (2.0, pytest.approx(math.sqrt(2)))
    assert lab.scores(usual, [{"a": 2.0}, {"a": 2.0 + 4 * math.sqrt(2)}])["a"] == pytest.approx(2.0)
    runs = [{"f": [{"m": 5.0, "n": 1.0}]}, {"f": [{"m": 3.0, "n": -1.0}]}]
    assert lab.agreed(runs, 0) == {"f": {"m": 3.0, "n": 0.0}}


def test_the_record_has_three_seeds_of_everything():
    record = recorded("evaluation/metrics")
    assert all(len(record[part]) == len(lab.SEEDS) == 3 for part in ("matrix", "bias", "rare", "text"))
    for run in record["matrix"]:
        assert set(run) == set(lab.FAULTS)
        assert all(len(degrees) == 3 and set(degrees[0]) == set(lab.JUDGES) for degrees in run.values())


# votes ----------------------------------------------------------------------------------------------------------------


def game():
    return TwoWay(torch.ones(6, 1, 4, 4), torch.zeros(6, 1, 4, 4), seed=0)


def test_the_real_one_is_where_the_game_put_it():
    played = game()
    right = "".join("L" if x.mean() == 1 else "R" for x in played.left)
    assert set(right) == {"L", "R"} and played.found(right) == 6 == played.found(right.lower())
    assert played.found("".join({"L": "R", "R": "L"}[v] for v in right)) == 0
    assert played.score(right).value == 1 and played.found(right[:2]) == 2
    assert "more than guessing" in played.verdict(right).plain and "as well" in played.verdict(right[:3]).plain


def test_the_widget_keeps_the_choices_and_says_the_interval():
    pytest.importorskip("ipywidgets")
    played = game()
    box = played.play(pause=0)
    columns, told = box.children
    pictures, buttons = ([column.children[i] for column in columns.children] for i in (0, 1))
    assert 'alt="pair 1, left"' in pictures[0].value and told.value == "pair 1 of 6"
    for _ in range(6):
        buttons[0].click()
    right = played.found("LLLLLL")
    low, high = wilson(right, 6)
    assert played.choices == "LLLLLL" and f"{low:.0%} … {high:.0%}" in told.value
    assert f"{right} of 6 pairs, {right / 6:.0%}" in told.value and "*" not in told.value
    assert played.verdict(played.choices).plain.replace("**", "") == told.value
    assert all(button.disabled for button in buttons)
    buttons[0].click()
    assert played.choices == "LLLLLL", "the game is over"


def test_every_pair_is_shown_as_it_is_and_a_double_click_judges_one_pair(monkeypatch):
    pytest.importorskip("ipywidgets")
    from genkit import judging

    played, now = game(), [0.0]
    monkeypatch.setattr(judging.time, "monotonic", lambda: now[0])
    columns, told = played.play().children
    pictures, buttons = ([column.children[i] for column in columns.children] for i in (0, 1))
    for i in range(6):
        assert told.value == f"pair {i + 1} of 6"
        for picture, side in zip(pictures, (played.left, played.right), strict=True):
            shown = Image.open(io.BytesIO(base64.b64decode(picture.value.split("base64,")[1].removesuffix('">'))))
            assert shown.size == (168, 168) and shown.getpixel((9, 9)) == round(255 * (1 - side[i].mean().item()))
        buttons[1].click()
        now[0] += 0.2
        buttons[1].click()  # the second half of a double click
        now[0] += 2.0
    assert played.choices == "RRRRRR" and "Wilson" in told.value
    played.play()
    assert played.choices == "", "a new game begins anew"


def test_choices_that_are_no_word_are_named():
    for bad in (None, ["L"], "L,R", "L\nR"):
        with pytest.raises(ValueError, match="choices: expected 1 … 6 letters"):
            game().found(bad)


# the patient of the exercises -----------------------------------------------------------------------------------------


def test_the_patient_lacks_fonts_and_nothing_that_a_wrong_answer_names():
    from genkit.exercises.metrics import patient

    ill, world = patient()
    z = lab.scores(lab.clean(world, sets=8), [lab.asked(world, ill)])
    assert z["recall"] < -20 and z["coverage"] < -10, "too few kinds of each letter"
    for name in ("precision", "density", "sharpness", "class score", "copying z", "worst class"):
        assert abs(z[name]) < lab.LIMIT, f"{name} accuses another fault"
