"""Drawn worlds: what a caption, a map or a factor says can be read off the picture."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit.data import load
from genkit.data.avatars import EXPRESSIONS, HAIR, TONES, draw, persons
from genkit.data.drawing import Canvas, box, cross, ellipse, segment, triangle
from genkit.data.scenes import COLOURS, RELATIONS, SHAPES, WORDS, caption, decode, encode
from genkit.data.towns import CLASSES, read_map

# drawing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (lambda c: ellipse(c.x, c.y, 16.2, 15.7, 9.0, 5.0), math.pi * 45),
        (lambda c: box(c.x, c.y, 16.0, 16.0, 6.5, 4.5), 13 * 9),
        (lambda c: segment(c.x, c.y, 8.0, 16.0, 24.0, 16.0, torch.tensor(3.0)), 16 * 6 + math.pi * 9),
        (lambda c: cross(c.x, c.y, 16.0, 16.0, 10.0), 2 * 20 * 8.4 - 8.4**2),
        (lambda c: triangle(c.x, c.y, 16.0, 16.0, 10.0), 20 * 20 / 2),
    ],
)
def test_paint_covers_the_area_of_the_shape(shape, area):
    canvas = Canvas(1, 32)
    canvas.paint(shape(canvas), (1.0, 0.0, 0.5))
    red, green, blue = canvas.rgb[0].flatten(1).sum(1).tolist()
    assert red == pytest.approx(area, rel=0.04) and green == 0 and blue == pytest.approx(red / 2, rel=1e-4)


def test_distances_are_those_of_the_plane():
    canvas = Canvas(1, 32)
    d = segment(canvas.x, canvas.y, 4.5, 4.5, 20.5, 4.5, torch.tensor(1.0))[0]
    assert d[4, 10].item() == pytest.approx(-1) and d[14, 10].item() == pytest.approx(9)
    assert d[7, 24].item() == pytest.approx(4.0)  # 3 down and 4 beyond the end: 5, less the half-width
    assert ellipse(canvas.x, canvas.y, 16.5, 16.5, 5.0, 5.0)[0, 16, 28].item() == pytest.approx(7.0)


# scenes --------------------------------------------------------------------------------------------------------------


def hue(pixel):
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], pixel.tolist(), strict=True)))


def test_a_caption_says_what_is_to_be_seen():
    data = load("scenes", n=400)
    split = data.train
    for row in range(120):
        said = data.decode(split.c[row]).split()
        f = {name: values[row] for name, values in split.factors.items()}
        (x0, y0), (x1, y1) = f["place"].tolist()
        relation = RELATIONS[f["relation"]]
        holds = {"left of": x0 < x1, "right of": x0 > x1, "above": y0 < y1, "below": y0 > y1}
        assert holds[relation] and caption(split.factors, row) == " ".join(said)
        for k, (x, y) in enumerate(f["place"].tolist()):
            assert hue(split.x[row, :, int(y), int(x)]) == said[1 if k == 0 else -2]

        assert said[2] == SHAPES[f["shape"][0]] and said[-1] == SHAPES[f["shape"][1]]


def test_the_two_things_lie_apart_and_inside_the_picture():
    f = load("scenes", n=1000).train.factors
    gap = (f["place"][:, 0] - f["place"][:, 1]).abs().amax(1) - f["radius"].sum(1)
    assert gap.min() > 0.5
    assert (f["place"] - f["radius"][..., None]).min() >= 0 and (f["place"] + f["radius"][..., None]).max() <= 32


@given(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3), st.integers(0, 5), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_caption_survives_the_way_to_numbers_and_back(colour, shape, relation, other, form):
    said = f"a {list(COLOURS)[colour]} {SHAPES[shape]} {RELATIONS[relation]} a {list(COLOURS)[other]} {SHAPES[form]}"
    tokens = encode(said)
    assert decode(tokens) == said and tokens.shape == (7,) and tokens.max() < len(WORDS)


def test_night_is_the_same_scene_and_no_map_of_colours():
    night, day = load("scenes", view="night", given="day", n=600).test, load("scenes", view="day", n=600).test
    assert torch.equal(night.c, day.x) and torch.equal(night.factors["place"], day.factors["place"])
    rows = torch.arange(len(night.x))
    for k in (0, 1):
        x, y = night.factors["place"][:, k].long().T
        window = night.x[rows, :, y, x], night.c[rows, :, y, x]
        warm = window[0][:, 0] - window[0][:, 2], window[1][:, 0] - window[1][:, 2]
        assert (warm[0] > 0.3).float().mean() > 0.9 > 0.1 > (warm[1] > 0.3).float().mean(), "windows light up"
    assert night.c.mean() > 2.5 * night.x.mean()
    # a cloud is in the day and leaves no trace at night
    f = {name: values.clone() for name, values in night.factors.items()}
    from genkit.data.scenes import draw as draw_scene

    f["cloud"][:, 2] = 1 - f["cloud"][:, 2]
    assert torch.equal(draw_scene(f, "night"), night.x) and not torch.equal(draw_scene(f, "day"), night.c)


def test_unpaired_halves_are_disjoint_and_the_test_keeps_its_pairs():
    paired = load("scenes", view="night", given="day", n=200)
    apart = load("scenes", view="night", given="day", paired=False, n=200)
    nights = {tuple(row) for row in paired.train.x.flatten(1).tolist()}
    day_of = {
        tuple(c): tuple(x)
        for c, x in zip(*(t.flatten(1).tolist() for t in (paired.train.c, paired.train.x)), strict=True)
    }
    x, c = (t.flatten(1).tolist() for t in (apart.train.x, apart.train.c))
    assert len(x) == len(c) == 80 and {tuple(row) for row in x} <= nights
    assert not {tuple(row) for row in x} & {day_of[tuple(row)] for row in c}, "no picture's true partner is in training"
    assert torch.equal(paired.test.x, apart.test.x) and torch.equal(paired.test.c, apart.test.c)


def test_a_map_says_what_stands_at_every_pixel():
    data = load("scenes", view="map", given="satellite", n=200)
    assert torch.equal(read_map(data.test.x), data.test.factors["classes"])
    share = torch.stack([(data.train.factors["classes"] == k).float().mean() for k in range(len(CLASSES))])
    assert share.min() > 0.03 and share.argmax() == 0
    # from above the same things look alike, and roads like grey roofs: a colour alone does not tell
    seen = data.train.c.permute(0, 2, 3, 1)[data.train.factors["classes"] == 4]
    assert seen.std(0).min() > 0.08, "trees stand over roads"


def test_the_same_seed_draws_the_same_and_another_draws_others():
    for name, options in (
        ("scenes", {"n": 50}),
        ("scenes", {"view": "satellite", "n": 50}),
        ("avatars", {"people": 10}),
    ):
        one, other = load(name, **options), load(name, **options, seed=1)
        assert one.sha256 != other.sha256 and one.train.x.dtype == torch.float32
        assert one.train.x.min() >= 0 and one.train.x.max() <= 1


def test_drawing_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    load("scenes", n=20, seed=77), load("scenes", view="map", n=20, seed=77), load("avatars", people=10, seed=77)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "dya"}, "view: expected one of .* Did you mean 'day'"),
        ({"view": "night", "given": "nigth"}, "given: expected one of"),
        ({"view": "night", "given": "map"}, "given: expected another view of what 'night' shows, received 'map'"),
        ({"paired": False}, "paired: expected True where no view is given, received False"),
        ({"n": 9}, "n: expected at least 10, received 9"),
    ],
)
def test_bad_scenes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        load("scenes", **options)


@pytest.mark.parametrize(
    "said", ["a red circle", "a red circle left of a blue squre", "the red circle left of a blue square"]
)
def test_other_sentences_are_no_captions(said):
    with pytest.raises(ValueError, match="text: expected"):
        encode(said)


def test_maps_of_another_shape():
    with pytest.raises(ValueError, match=r"x: expected maps of shape \(N, 3, H, W\), received \(2, 32\)"):
        read_map(torch.zeros(2, 32))


# faces ---------------------------------------------------------------------------------------------------------------


def test_nobody_is_in_two_parts_unless_asked():
    data = load("avatars", people=40, each=3)
    seen = [set(s.factors["identity"].tolist()) for s in (data.train, data.valid, data.test)]
    assert [len(s) for s in seen] == [32, 4, 4] and not seen[0] & seen[1] and not seen[0] & seen[2]
    mixed = load("avatars", people=40, each=5, split="pictures")
    assert set(mixed.test.c.tolist()) & set(mixed.train.c.tolist()) and len(mixed.test) == 20
    assert torch.equal(data.train.c, data.train.factors["identity"])


def test_a_person_keeps_what_makes_the_person():
    f = load("avatars", people=20, each=6).train.factors
    for name in ("tone", "hair", "eyes", "glasses", "beard", "width", "nose"):
        for who in f["identity"].unique():
            assert len(f[name][f["identity"] == who].unique()) == 1, name
    assert len(f["expression"].unique()) == len(EXPRESSIONS) and f["pose"].abs().max() <= 1


def face(**change):
    people = persons(30, torch.Generator().manual_seed(2))
    zero = torch.zeros(30, dtype=torch.int64)
    start = people | {"identity": zero, "expression": zero, "pose": torch.zeros(30)}
    return draw(start | {name: torch.full_like(start[name], value) for name, value in change.items()})


def test_a_front_is_symmetric_and_a_turn_to_the_left_mirrors_one_to_the_right():
    torch.testing.assert_close(face(), face().flip(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(face(pose=-0.7), face(pose=0.7).flip(3), atol=1e-4, rtol=0)
    assert (face(pose=0.7) - face()).abs().mean() > 0.02


def test_each_factor_changes_what_it_should():
    cheek = face(tone=0)[:, :, 18, 16], face(tone=len(TONES) - 1)[:, :, 18, 16]
    assert (cheek[0].mean(1) > cheek[1].mean(1)).all()
    for k in range(1, len(EXPRESSIONS)):
        changed = (face(expression=k) - face(expression=0)).abs().amax(1)
        assert (changed.flatten(1).amax(1) > 0.05).all() and changed[:, 26:].max() < 1e-6, EXPRESSIONS[k]
    for name in ("glasses", "beard"):
        assert ((face(**{name: 1}) - face(**{name: 0})).abs().flatten(1).mean(1) > 1e-3).all(), name
    for k in range(1, len(HAIR)):
        assert (face(hair=k) - face(hair=0)).abs().mean() > 0.01


def test_turned_faces_have_their_fronts():
    data = load("avatars", people=20, each=4, turned=True)
    f = data.test.factors
    assert f["pose"].abs().min() >= 0.4
    torch.testing.assert_close(data.test.c, draw(f))
    torch.testing.assert_close(data.test.x, draw(f | {"pose": 0 * f["pose"]}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"people": 9}, "people, each: expected at least 10 and 1, received 9 and 6"),
        ({"split": "peoples"}, "split: expected one of people, pictures; received 'peoples'. Did you mean 'people'"),
        ({"persons": 3}, "options: expected one of"),
    ],
)
def test_bad_faces_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        load("avatars", **options)
