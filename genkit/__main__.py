"""``python -m genkit`` is the command ``genkit``."""

import sys

from .cli import main

sys.exit(main())
