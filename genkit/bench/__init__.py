"""Timings of genkit beside its peers: ``genkit bench NAME`` runs both in turns and prints their ratio with its spread.

The peers are needed for nothing else, and come with the extra ``bench``.
"""

import importlib
import inspect

from ..names import unknown

BENCHES: dict[str, str] = {
    "step": "a training step of a VAE and of a GPT, in genkit's trainer and in a bare loop of the same modules",
    "families": "every family on the same pictures for the same seconds: the bake-off",
    "flow": "densities, samples and training steps of a coupling flow beside zuko, nflows and normflows",
    "gpt": "how soon a small GPT has learnt, against a plain loop",
    "growth": "how a training step and a draw grow with image, text, batch and data, for every family",
    "compile": "training steps and draws of several families with torch.compile and without",
    "diffusion": "sampling from a diffusion model, against diffusers on the same U-Net",
    "boltzmann": "learning and one step of a restricted Boltzmann machine, against scikit-learn",
    "frechet": "the Fréchet distance of features, against torchmetrics",
}
"""Each is the function of its name in the module of its name."""


def run(name: str, **options) -> dict[str, float]:
    """Run a benchmark by its name, with its options."""
    if name not in BENCHES:
        raise unknown("name", name, BENCHES)
    bench = getattr(importlib.import_module(f"{__name__}.{name}"), name)
    wanted = inspect.signature(bench).parameters
    for option in options:
        if option not in wanted:
            raise ValueError(f"{option}: expected none for the benchmark {name!r}, received {options[option]!r}")
    return bench(**options)
