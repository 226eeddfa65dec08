"""Downloads: fetched once, whole and the right ones, or one clear line and the cache as it was."""

import functools
import gzip
import hashlib
import http.server
import importlib
import io
import tarfile
import threading

import numpy as np
import pytest
import torch
from test_data_own import idx as idx_bytes

from genkit import cli
from genkit.data import idx, load
from genkit.data.download import File, fetch


class Silent(http.server.SimpleHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder served over http as the mirror, an empty cache, and the list of what was asked for."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    Silent.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GENKIT_MIRROR", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("GENKIT_CACHE", str(tmp_path / "cache"))
    yield folder
    server.shutdown()
    server.server_close()


def served(folder, name, content):
    (folder / name).write_bytes(content)
    return File(name, f"https://nowhere.invalid/{name}", "sha256:" + hashlib.sha256(content).hexdigest())


def test_a_file_is_fetched_once(mirror):
    file = served(mirror, "a.bin", b"content")
    assert fetch(file).read_bytes() == b"content"
    assert fetch(file).read_bytes() == b"content"
    assert Silent.asked == ["/a.bin"]


def test_a_tampered_or_truncated_file_is_refused_and_not_kept(mirror, tmp_path):
    file = served(mirror, "a.bin", b"content")
    for content in (b"contenT", b"conte", b""):
        (mirror / "a.bin").write_bytes(content)
        with pytest.raises(OSError, match=r"^download: expected a.bin with sha256:.*, received another file from http"):
            fetch(file)
        assert list((tmp_path / "cache").rglob("*.*")) == []
    (mirror / "a.bin").write_bytes(b"content")
    assert fetch(file).read_bytes() == b"content"


def test_a_cached_file_that_changed_is_fetched_anew(mirror):
    file = served(mirror, "a.bin", b"content")
    fetch(file).write_bytes(b"spoilt")
    assert fetch(file).read_bytes() == b"content" and len(Silent.asked) == 2


def test_what_is_in_the_cache_stays_when_the_new_one_is_wrong(mirror):
    path = fetch(served(mirror, "a.bin", b"content"))
    with pytest.raises(OSError, match="received another file"):
        fetch(File("a.bin", "https://nowhere.invalid/a.bin", "sha256:" + "0" * 64))
    assert path.read_bytes() == b"content"


def test_a_file_that_is_not_there_and_no_network(mirror, monkeypatch):
    file = File("missing.bin", "https://nowhere.invalid/missing.bin", "sha256:" + "0" * 64)
    with pytest.raises(OSError, match=r"^download: expected missing.bin from http.*HTTPError.*GENKIT_MIRROR") as error:
        fetch(file)
    assert "\n" not in str(error.value)
    monkeypatch.setenv("GENKIT_MIRROR", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(OSError, match=r"ConnectionError.* put the file into .*cache"):
        fetch(file)
    monkeypatch.setenv("GENKIT_MIRROR", "no address at all")
    with pytest.raises(OSError, match=r"^download: expected missing.bin from no address at all"):
        fetch(file)


def test_a_file_put_into_the_cache_by_hand_needs_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("GENKIT_CACHE", str(tmp_path))
    monkeypatch.setenv("GENKIT_MIRROR", "http://127.0.0.1:9")
    (tmp_path / "data").mkdir()
    file = served(tmp_path / "data", "a.bin", b"content")
    assert fetch(file).read_bytes() == b"content"


def test_the_command_without_a_network_says_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GENKIT_CACHE", str(tmp_path))
    monkeypatch.setenv("GENKIT_MIRROR", "http://127.0.0.1:9")
    for name in ("mnist", "fashion_mnist", "cifar10", "tiny_shakespeare"):
        assert cli.main(["data", name]) == 1
        error = capsys.readouterr().err
        assert error.startswith("genkit: download: expected ") and error.count("\n") == 1


def test_mnist_and_fashion_from_a_mirror(mirror, monkeypatch):
    """The published sets by way of small files of their form: what is downloaded is what the readers read."""
    rng = np.random.default_rng(0)
    for name, constant in (("mnist", "MNIST"), ("fashion_mnist", "FASHION")):
        base, *_ = getattr(idx, constant)
        checksums = []
        for part in idx.PARTS:
            shape = (24, 28, 28) if "images" in part else (24,)
            content = gzip.compress(idx_bytes(rng.integers(0, 10, shape, dtype=np.uint8)))
            (mirror / f"{name}-{part}.gz").write_bytes(content)
            checksums.append(hashlib.md5(content).hexdigest())
        monkeypatch.setattr(idx, constant, (base, *checksums))
        data = load(name)
        assert data.name == name and data.shape == (1, 28, 28) and len(data.classes) == 10 and len(data.test) == 24


def test_cifar10_from_a_mirror(mirror, monkeypatch):
    cifar10 = importlib.import_module("genkit.data.cifar10")  # the package holds the function under that name
    rng = np.random.default_rng(0)
    rows = {f"data_batch_{i}.bin": rng.integers(0, 256, (10, 3073), dtype=np.uint8) for i in range(1, 6)}
    rows["test_batch.bin"] = rng.integers(0, 256, (10, 3073), dtype=np.uint8)
    for batch in rows.values():
        batch[:, 0] %= 10

    def archive(rows):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, batch in rows.items():
                info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                info.size = batch.nbytes
                tar.addfile(info, io.BytesIO(batch.tobytes()))
        return buffer.getvalue()

    monkeypatch.setattr(cifar10, "ARCHIVE", served(mirror, "cifar.tar.gz", archive(rows)))
    data = load("cifar10")
    assert [len(s) for s in (data.train, data.valid, data.test)] == [45, 5, 10] and data.shape == (3, 32, 32)
    first = rows["data_batch_1.bin"][0]
    assert data.train.c[0] == first[0]
    assert torch.equal(data.train.x[0, 1, 2] * 255, torch.tensor(first[1 + 1024 + 64 : 1 + 1024 + 96]).float())
    del rows["data_batch_3.bin"]
    monkeypatch.setattr(cifar10, "ARCHIVE", served(mirror, "c2.tar.gz", archive(rows)))
    with pytest.raises(ValueError, match="expected data_batch_3.bin in the archive"):
        load("cifar10")
    monkeypatch.setattr(cifar10, "ARCHIVE", served(mirror, "c3.tar.gz", b"no archive"))
    with pytest.raises(ValueError, match="data: expected an archive"):
        load("cifar10")
