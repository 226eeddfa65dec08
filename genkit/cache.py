"""Where downloads and trained models are kept on a reader's machine."""

import os
from pathlib import Path

from platformdirs import user_cache_dir


def cache_folder() -> Path:
    """Return the folder for downloads and trained models: ``GENKIT_CACHE``, or the user's cache."""
    return Path(os.environ.get("GENKIT_CACHE") or user_cache_dir("genkit-book", appauthor=False))
