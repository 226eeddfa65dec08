"""Files from the network: fetched once, held to their checksum, kept in the reader's cache."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..cache import cache_folder


@dataclass(frozen=True)
class File:
    """A file to download: its name in the cache, its address, and its checksum as ``"sha256:…"`` or ``"md5:…"``."""

    name: str
    url: str
    checksum: str

    @property
    def address(self) -> str:
        """Where it is fetched from: ``url``, or its name below the address in ``GENKIT_MIRROR``."""
        mirror = os.environ.get("GENKIT_MIRROR")
        return f"{mirror.rstrip('/')}/{self.name}" if mirror else self.url


def fetch(file: File) -> Path:
    """Return the path of the file, downloaded into the cache where it is not there yet or not what it should be.

    Raises ``OSError`` in one line where it cannot be had, or is not the file that the checksum promises; what stood
    in the cache before stays.
    """
    import pooch

    folder = cache_folder() / "data"
    quiet = bool(os.environ.get("GENKIT_UNWATCHED"))
    pooch.get_logger().setLevel("ERROR")
    try:
        path = pooch.retrieve(
            file.address, file.checksum, fname=file.name, path=folder,
            downloader=pooch.HTTPDownloader(progressbar=not quiet, timeout=30),
        )  # fmt: skip
    except ValueError as error:
        if "hash" not in str(error):
            raise OSError(_sorry(file, folder, error)) from None
        raise OSError(
            f"download: expected {file.name} with {file.checksum}, received another file from {file.address}"
        ) from None
    except OSError as error:  # of requests, sockets and the disk alike
        raise OSError(_sorry(file, folder, error)) from None
    return Path(path)


def _sorry(file: File, folder: Path, error: Exception) -> str:
    return (
        f"download: expected {file.name} from {file.address}, received {type(error).__name__}. "
        f"Without a network, put the file into {folder}, or name a mirror in GENKIT_MIRROR"
    )
