"""A reader's own data: read as they are, or refused in one clear line; never a gap, never a pickle."""

import gzip
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from genkit import cli
from genkit.data import load


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def folder_of_idx(folder, *, n=(24, 5), zipped=False, side=6):
    rng = np.random.default_rng(0)
    made = {}
    for part, count in zip(("train", "t10k"), n, strict=True):
        made[part] = (
            rng.integers(0, 256, (count, side, side), dtype=np.uint8),
            rng.integers(0, 3, count, dtype=np.uint8),
        )
        for kind, array in zip(("images-idx3", "labels-idx1"), made[part], strict=True):
            name = f"{part}-{kind}-ubyte"
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))
    return made


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_of_idx_files(tmp_path, zipped):
    made = folder_of_idx(tmp_path, zipped=zipped)
    data = load(tmp_path)
    assert [len(s) for s in (data.train, data.valid, data.test)] == [22, 2, 5] and data.levels == 256
    x = torch.cat([data.train.x, data.valid.x])[:, 0] * 255
    assert np.array_equal(x.round().to(torch.uint8), made["train"][0])
    assert torch.cat([data.train.c, data.valid.c]).tolist() == made["train"][1].tolist()
    assert np.array_equal((data.test.x[:, 0] * 255).round().to(torch.uint8), made["t10k"][0])


def test_one_idx_file_with_and_without_labels(tmp_path):
    made = folder_of_idx(tmp_path)
    data = load(tmp_path / "train-images-idx3-ubyte")
    assert len(data.train) + len(data.valid) + len(data.test) == 24 and data.classes == ("0", "1", "2")
    image, label = data.test.x[0, 0] * 255, data.test.c[0]
    where = [i for i, x in enumerate(made["train"][0]) if np.array_equal(x, image.round().to(torch.uint8))]
    assert made["train"][1][where[0]] == label  # a picture keeps its own label
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    assert load(tmp_path / "train-images-idx3-ubyte").classes is None


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        (IMAGES, lambda b: b[:-1], "expected 864 bytes for the shape .* received 863"),
        (IMAGES, lambda b: b + b"x", "received more"),
        (IMAGES, lambda b: b[:10], "received one cut short"),
        (IMAGES, lambda b: b"", "expected an IDX file"),
        (IMAGES, lambda b: b"PNG" + b[3:], "expected an IDX file"),
        (IMAGES, lambda b: b[:2] + b"\x0d" + b[3:], "received type 0x0d"),
        (IMAGES, lambda b: b[:4] + b"\xff" * 12 + b[16:], "expected 1 to .* bytes, received the shape"),
        (IMAGES, lambda b: gzip.compress(b)[:-9], "expected a whole gzip file"),
        (
            IMAGES,
            lambda b: gzip.compress(b)[:50] + bytes(50) + gzip.compress(b)[100:],
            "expected a whole gzip file|bytes",
        ),
        (LABELS, lambda b: idx(np.zeros(23, dtype=np.uint8)), "expected 24 labels, received the shape \\(23,\\)"),
        (LABELS, None, "expected train-labels-idx1-ubyte \\(or .gz\\)"),
        ("t10k-images-idx3-ubyte", lambda b: idx(np.zeros((5, 7, 6), dtype=np.uint8)), "expected test images of shape"),
    ],
)
def test_a_damaged_idx_folder(tmp_path, name, spoil, message):
    folder_of_idx(tmp_path)
    path = tmp_path / name
    if spoil is None:
        path.unlink()
    else:
        path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=f"^data: .*{message}"):
        load(tmp_path)


def pictures(folder, *, size=(8, 8), mode="L", n=12, kinds=("",)):
    rng = np.random.default_rng(1)
    for kind in kinds:
        (folder / kind).mkdir(exist_ok=True, parents=True)
        for i in range(n):
            shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / kind / f"{i:02}.png")


def test_a_folder_of_pictures(tmp_path):
    pictures(tmp_path, kinds=("cat", "dog"))
    data = load(tmp_path)
    assert data.shape == (1, 8, 8) and data.classes == ("cat", "dog") and len(data.train) == 20
    stored = {tuple(np.asarray(Image.open(p)).flatten()): p.parent.name for p in tmp_path.rglob("*.png")}
    for x, c in zip(data.train.x, data.train.c, strict=True):
        assert stored[tuple((x * 255).round().flatten().int().tolist())] == data.classes[c]


def test_colour_pictures_and_a_size(tmp_path):
    pictures(tmp_path, size=(12, 8), mode="RGB")
    assert load(tmp_path).shape == (3, 8, 12)
    assert load(tmp_path, size=4).shape == (3, 4, 4)
    Image.new("L", (5, 5)).save(tmp_path / "other.png")
    with pytest.raises(ValueError, match="expected pictures of one size, received 12 × 8 .* and 5 × 5 .*size=32"):
        load(tmp_path)
    assert load(tmp_path, size=4).shape == (3, 4, 4)  # one grey picture among coloured ones


def test_a_broken_picture_is_named(tmp_path):
    pictures(tmp_path)
    whole = (tmp_path / "03.png").read_bytes()
    for content in (whole[: len(whole) // 2], b"not a picture", b""):
        (tmp_path / "03.png").write_bytes(content)
        with pytest.raises(ValueError, match="data: expected a picture, received .*03.png"):
            load(tmp_path)


def test_a_picture_that_would_unfold_beyond_all_memory(tmp_path):
    pictures(tmp_path)
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(ValueError, match="data: expected a picture, received .*bomb.png.*exceeds limit"):
        load(tmp_path, size=8)


def test_folders_without_pictures_or_with_both_kinds(tmp_path):
    with pytest.raises(ValueError, match="data: expected pictures .* received none"):
        load(tmp_path)
    pictures(tmp_path, kinds=("cat",), n=3)
    pictures(tmp_path, n=3)
    with pytest.raises(ValueError, match="or all in folders of classes, received both"):
        load(tmp_path)
    with pytest.raises(ValueError, match="size: expected at least 1, received 0"):
        load(tmp_path, size=0)


def test_arrays(tmp_path):
    x, y = np.random.default_rng(2).integers(0, 256, (20, 4, 4), dtype=np.uint8), np.arange(20) % 2
    np.savez(tmp_path / "a.npz", x=x, y=y)
    data = load(tmp_path / "a.npz")
    assert data.shape == (1, 4, 4) and data.classes == ("0", "1") and data.levels == 256
    rows = {tuple(r.flatten()): label for r, label in zip(x, y, strict=True)}
    for row, c in zip(data.train.x, data.train.c, strict=True):
        assert rows[tuple((row * 255).round().flatten().int().tolist())] == c
    np.save(tmp_path / "b.npy", np.random.default_rng(0).normal(size=(30, 5)))
    assert load(tmp_path / "b.npy").shape == (5,)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": np.zeros((20, 2))}, "expected an array x .* received z"),
        ({"x": np.array([None] * 20)}, "allow_pickle=False"),
        ({"x": np.full((20, 2), np.nan)}, "received NaN or infinity in example 0"),
        ({"x": np.full((20, 4, 4), 7.0)}, "numbers in \\[0, 1\\], received numbers in \\[7, 7\\]"),
        ({"x": np.zeros(20)}, "with 2, 3 or 4 axes, received float64 of shape \\(20,\\)"),
        ({"x": np.zeros((20, 2), dtype=complex)}, "expected x of numbers"),
        ({"x": np.zeros((20, 2)), "y": np.zeros(19, dtype=int)}, "expected 20 labels"),
        ({"x": np.zeros((20, 2)), "y": -np.ones(20, dtype=int)}, "expected 20 labels 0, 1, 2"),
        ({"x": np.zeros((20, 2)), "y": np.zeros(20)}, "expected 20 labels 0, 1, 2, …, received float64"),
        ({"x": np.zeros((0, 2))}, "expected at least 10 examples"),
        ({"x": np.zeros((0, 4, 4))}, "expected at least 10 examples"),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path, arrays, message):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=f"data: .*{message}"):
        load(path)


def test_damaged_arrays(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).normal(size=(50, 9)))
    whole = path.read_bytes()
    for content in (whole[:100], b"nonsense", whole[:200] + bytes(100) + whole[300:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"^data: expected .*a\.npz"):
            load(path)


def test_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufefflength,label,width\n" + "".join(f"{i},{'ab'[i % 2]},{i / 2}\n" for i in range(20)), "utf-8")
    data = load(path)
    assert data.shape == (2,) and data.classes == ("a", "b")
    for x, c in zip(data.train.x, data.train.c, strict=True):
        assert x[1] == x[0] / 2 and c == x[0] % 2
    assert data.decode(data.encode({"length": 3, "width": 4})) == {"length": 3.0, "width": 4.0}
    with pytest.raises(ValueError, match="row: expected length, width; received length"):
        data.encode({"length": 3})


@pytest.mark.parametrize(
    ("cell", "message"),
    [("nan", "received 'nan' in line 7"), ("", "received ''"), ("inf", "received 'inf'"), ("x", "received 'x'"),
     ("1,2", "expected 2 columns, received 3 in line 7")],
)  # fmt: skip
def test_a_table_with_a_hole(tmp_path, cell, message):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i},{cell if i == 5 else i}\n" for i in range(20)))
    with pytest.raises(ValueError, match=f"^data: .*{message}"):
        load(path)
    path.write_text("a,b\n")
    with pytest.raises(ValueError, match="0 lines of numbers"):
        load(path)
    path.write_bytes(b"a,b\n\xff\xfe,1\n")
    with pytest.raises(ValueError, match="expected a table in UTF-8"):
        load(path)


def test_a_text_file(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text("roses are red, violets are blue\n" * 100)
    assert load(path, context=16).name == "verse"
    for content, message in ((b" \n", "received the empty file"), (b"\xff\xfe\xff", "expected text in UTF-8"),
                             (b"short", "received 5 in all")):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load(path)


def test_the_command_trains_on_a_readers_own_pictures_and_evaluates_them(tmp_path, capsys):
    pictures(tmp_path / "mine", size=(9, 12), n=20)
    train = ["train", "vae", "--data", str(tmp_path / "mine"), "--size", "8", "--binarise", "--steps", "5"]
    assert cli.main([*train, "--out", str(tmp_path / "m")]) == 0
    assert cli.main(["train", "vae", "--resume", "--steps", "5", "--out", str(tmp_path / "m")]) == 0  # knows the rest
    assert cli.main(["evaluate", str(tmp_path / "m"), "-k", "2"]) == 0
    assert "other data" not in capsys.readouterr().err
    assert cli.main(["data", str(tmp_path / "mine")]) == 0
    assert "examples 16 + 2 + 2, shape [1, 12, 9]" in capsys.readouterr().err


def test_the_command_answers_bad_data_in_one_line(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("a\nnan\n" * 20)
    (tmp_path / "verse.txt").write_text("roses are red\n" * 200)
    for source in ("x.csv", "missing.csv", "", "verse.txt"):  # the last is fine, but no VAE's
        assert cli.main(["train", "vae", "--data", str(tmp_path / source), "--out", str(tmp_path / "m")]) == 2
        error = capsys.readouterr().err
        assert error.startswith("genkit: data: expected") and error.count("\n") == 1
        assert not (tmp_path / "m").exists()
