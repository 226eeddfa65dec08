"""CIFAR-10, the binary edition: the Python one is a pickle, and no pickle is ever loaded (Krizhevsky 2009)."""

import tarfile

import torch
from torch import Tensor

from .dataset import Dataset, Split, digest
from .download import File, fetch

ARCHIVE = File(
    "cifar-10-binary.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "md5:c32a1d4ab5d03f1284b67883e8d87530",
)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ROW, SIDE = 1 + 3 * 32 * 32, 32  # a label and a picture, red then green then blue


def cifar10() -> Dataset:
    """Load CIFAR-10: 45,000 colour pictures of 32 × 32 to learn from, 5,000 to choose by, 10,000 to be judged on."""
    path = fetch(ARCHIVE)
    try:
        with tarfile.open(path) as archive:  # read in memory: nothing in it is unpacked to the disk
            x, c = _read(archive, *(f"data_batch_{i}.bin" for i in range(1, 6)))
            test = Split(*_read(archive, "test_batch.bin"))
    except tarfile.TarError as error:
        raise ValueError(f"data: expected an archive, received {path}: {error}") from None
    held = len(x) // 10
    splits = [Split(x[:-held], c[:-held]), Split(x[-held:], c[-held:]), test]
    return Dataset("cifar10", *splits, shape=(3, SIDE, SIDE), levels=256, classes=CLASSES, sha256=digest(*splits))


def _read(archive: tarfile.TarFile, *names: str) -> tuple[Tensor, Tensor]:
    content = bytearray()
    for name in names:
        try:
            content += archive.extractfile(f"cifar-10-batches-bin/{name}").read()
        except KeyError:
            raise ValueError(f"data: expected {name} in the archive of CIFAR-10, received one without") from None
    rows = torch.frombuffer(content, dtype=torch.uint8)
    if len(rows) % ROW:
        raise ValueError(f"data: expected rows of {ROW} bytes in {', '.join(names)}, received {len(rows)} bytes")
    rows = rows.view(-1, ROW)
    return rows[:, 1:].reshape(-1, 3, SIDE, SIDE) / 255, rows[:, 0].to(torch.int64)
