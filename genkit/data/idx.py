"""Images and labels in MNIST's IDX form, from the network or from a folder of one's own (LeCun et al. 1998)."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import torch
from torch import Tensor

from .dataset import Dataset, Split, digest
from .download import File, fetch
from .splits import shuffled

MOST = 2**31  # bytes: a small file can claim, or unfold into, more than any memory holds
PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
MNIST = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
)  # fmt: skip
FASHION = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
)  # fmt: skip
CLOTHES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def mnist() -> Dataset:
    """Load MNIST (LeCun et al. 1998): 55,000 digits to learn from, 5,000 to choose by, 10,000 to be judged on."""
    return _published("mnist", MNIST, tuple("0123456789"))


def fashion_mnist() -> Dataset:
    """Load Fashion-MNIST (Xiao et al. 2017): MNIST's sizes, ten kinds of clothes."""
    return _published("fashion_mnist", FASHION, CLOTHES)


def read_idx(path: Path) -> Tensor:
    """Read one IDX file of bytes, gzipped or not: uint8 of the shape that its header states.

    Raises ``ValueError`` for a file that is not IDX, is not of bytes, or is longer or shorter than its header says.
    """
    try:
        with open(path, "rb") as f:
            zipped = f.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else open(path, "rb") as f:
            magic = f.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0" or not magic[3]:
                raise ValueError(f"data: expected an IDX file, received {path}")
            if magic[2] != 0x08:
                raise ValueError(
                    f"data: expected IDX of unsigned bytes (type 0x08), received type {magic[2]:#04x} in {path}"
                )
            header = f.read(4 * magic[3])
            if len(header) < 4 * magic[3]:
                raise ValueError(f"data: expected an IDX file, received one cut short, {path}")
            shape = struct.unpack(f">{magic[3]}I", header)
            size = math.prod(shape)
            if not 0 < size <= MOST:
                raise ValueError(f"data: expected 1 to {MOST} bytes, received the shape {shape} in {path}")
            content = f.read(size + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"data: expected a whole gzip file, received {path}: {error}") from None
    if len(content) != size:
        received = "more" if len(content) > size else f"{len(content)}"
        raise ValueError(f"data: expected {size} bytes for the shape {shape}, received {received} in {path}")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).view(shape)


def read_pair(images: Path, labels: Path | None) -> tuple[Tensor, Tensor | None]:
    """Read images, as float32 in [0, 1] of shape (N, 1, H, W), and their labels, int64 of shape (N,)."""
    x = read_idx(images)
    if x.ndim != 3:
        raise ValueError(f"data: expected images of shape (N, H, W), received {tuple(x.shape)} in {images}")
    c = None if labels is None else read_idx(labels).to(torch.int64)
    if c is not None and c.shape != x.shape[:1]:
        raise ValueError(f"data: expected {len(x)} labels, received the shape {tuple(c.shape)} in {labels}")
    return x[:, None] / 255, c


def read_idx_folder(folder: Path) -> Dataset:
    """Load a folder with MNIST's four files, gzipped or not, under their usual names."""
    found = [find(folder, part) for part in PARTS]
    missing = [part for part, path in zip(PARTS, found, strict=True) if path is None]
    if missing:
        raise ValueError(f"data: expected {', '.join(missing)} (or .gz) in {folder}, received a folder without")
    return _dataset(folder.name, found)


def read_idx_file(path: Path, seed: int = 0) -> Dataset:
    """Load one IDX file of images, and its labels from the file named ``labels`` for ``images`` where there is one."""
    stem = path.name.removesuffix(".gz")
    name = stem.replace("images", "labels").replace("idx3", "idx1")
    labels = find(path.parent, name) if name != stem else None
    x, c = read_pair(path, labels)
    splits = shuffled(x, c, seed=seed)
    classes = None if c is None else _numbers(c)
    return Dataset(
        stem.split(".")[0], *splits, shape=tuple(x.shape[1:]), levels=256, classes=classes, sha256=digest(*splits)
    )


def find(folder: Path, part: str) -> Path | None:
    """Return the file of that name in ``folder``, gzipped or not, spelt with a hyphen or a dot before ``idx``."""
    names = [part, part.replace("-idx", ".idx")]
    return next((p for n in names for p in (folder / n, folder / f"{n}.gz") if p.is_file()), None)


def _published(name: str, source: tuple[str, ...], classes: tuple[str, ...]) -> Dataset:
    base, *checksums = source
    files = [
        File(f"{name}-{part}.gz", f"{base}/{part}.gz", f"md5:{md5}") for part, md5 in zip(PARTS, checksums, strict=True)
    ]
    return _dataset(name, [fetch(file) for file in files], classes)


def _dataset(name: str, paths: list[Path], classes: tuple[str, ...] | None = None) -> Dataset:
    (x, c), (test_x, test_c) = read_pair(*paths[:2]), read_pair(*paths[2:])
    if x.shape[1:] != test_x.shape[1:]:
        raise ValueError(
            f"data: expected test images of shape {tuple(x.shape[1:])}, received {tuple(test_x.shape[1:])} "
            f"in {paths[2]}"
        )
    held = max(1, len(x) // 12)
    if len(x) < 2:
        raise ValueError(f"data: expected at least 2 training images, received {len(x)} in {paths[0]}")
    splits = [Split(x[:-held], c[:-held]), Split(x[-held:], c[-held:]), Split(test_x, test_c)]
    classes = classes or _numbers(torch.cat([c, test_c]))
    return Dataset(name, *splits, shape=tuple(x.shape[1:]), levels=256, classes=classes, sha256=digest(*splits))


def _numbers(c: Tensor) -> tuple[str, ...]:
    return tuple(str(i) for i in range(int(c.max()) + 1))
