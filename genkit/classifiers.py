"""How the shipped classifiers are made: ``python -m genkit.classifiers digits`` trains one and writes its weights.

``python -m genkit.classifiers mnist FOLDER`` takes the data from a folder of IDX files.
"""

import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from . import files
from .augment import shift
from .data import load
from .nn.classifier import KINDS, WEIGHTS, Classifier
from .source import source_hash


def train(data, kind: str, *, steps: int = 1500, batch: int = 128, seed: int = 0) -> Classifier:
    """Train a classifier on ``data.x`` and ``data.c``; a fifth of the images is moved by a pixel."""
    torch.manual_seed(seed)
    model = Classifier(*KINDS[kind])
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(len(data.x), (batch,))
        x, c = shift(data.x[rows], data.c[rows], probability=0.3)
        optimiser.zero_grad()
        F.cross_entropy(model(x), c, label_smoothing=0.05).backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def ship(kind: str, source: str | None = None) -> dict:
    """Train the classifier of ``kind`` and write its weights and card. ``source`` may name a folder with the data."""
    options = {"split": "random"} if kind == "digits" else {}
    data = load(source or kind, **options)
    model = train(data.train, kind)
    with torch.no_grad():
        right = (model(data.test.x).argmax(1) == data.test.c).double()
    path = WEIGHTS / f"classifier-{kind}.safetensors"
    with files.atomic(path) as temporary:
        save_file(model.state_dict(), temporary)
    about = {
        "kind": kind,
        "made by": f"python -m genkit.classifiers {kind}" + (" FOLDER" if source else ""),
        "data": {"name": data.name, "sha256": data.sha256, **options},
        "held-out accuracy": round(right.mean().item(), 4),
        "held-out images": len(right),
        "recipe": recipe_hash(),
        "sha256": files.sha256(path),
    }
    files.write_json(WEIGHTS / f"classifier-{kind}.json", about)
    return about


def recipe_hash() -> str:
    """Return the hash of the source that makes the classifiers: this file, the networks and the augmentation."""
    return source_hash("nn.classifier", "augment")


if __name__ == "__main__":
    print(ship(*sys.argv[1:]))
