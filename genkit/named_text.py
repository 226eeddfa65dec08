"""The named models of text: GPTs, recurrent networks, masked models and translators."""

from .recipe import Recipe
from .training import TrainConfig

_LOCALES = TrainConfig(steps=250, batch=32, lr=1e-2, warmup=20, optimiser="muon")
_SMALL = {"width": 96, "heads": 3, "layers": 2}

TEXT = (
    Recipe(
        "gpt-pydocs", "gpt", "pydocs",
        TrainConfig(steps=300, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
        arguments={"vocabulary": 96, "context": 64}, conditional=True,
    ),
    Recipe(  # small enough to be shipped inside a page
        "gpt-pydocs-small", "gpt", "pydocs",
        TrainConfig(steps=400, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
        arguments={"vocabulary": 96, "context": 64, "width": 96, "layers": 3}, conditional=True,
    ),
    Recipe(
        "gpt-docs", "gpt", "pydocs",
        TrainConfig(steps=900, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
        arguments={"vocabulary": 96, "context": 64, **_SMALL}, conditional=True,
    ),
    Recipe(
        "gpt-docs-pairs", "gpt", "pydocs",
        TrainConfig(steps=900, batch=12, lr=8e-3, warmup=20, optimiser="muon"),
        arguments={"vocabulary": 1024, "context": 64, **_SMALL}, options={"pairs": 1024}, conditional=True,
    ),
    Recipe(
        "recurrent-docs", "recurrent", "pydocs",
        TrainConfig(steps=900, batch=12, lr=1e-2, warmup=20),
        arguments={"vocabulary": 96, "context": 64, "width": 96, "hidden": 182, "layers": 1}, conditional=True,
    ),
    Recipe(
        "gpt-recall", "gpt", "recall",
        TrainConfig(steps=600, batch=32, lr=8e-3, warmup=20, optimiser="muon"),
        arguments={"vocabulary": 27, "context": 256, "width": 64, "heads": 4, "layers": 2}, conditional=True,
    ),
    Recipe(
        "gru-recall", "recurrent", "recall", TrainConfig(steps=600, batch=32, lr=1e-2, warmup=20),
        arguments={
            "vocabulary": 27, "context": 256, "width": 64, "hidden": 142, "layers": 1, "cell": "gru", "spread": 1.0,
            "normalised": False,
        },
        conditional=True,
    ),
    Recipe(
        "recurrent-recall", "recurrent", "recall", TrainConfig(steps=600, batch=32, lr=1e-2, warmup=20),
        arguments={"vocabulary": 27, "context": 256, "width": 64, "hidden": 121, "layers": 1}, conditional=True,
    ),
    Recipe(
        "masked-pydocs", "encoders", "pydocs",
        TrainConfig(steps=300, batch=16, lr=1.5e-2, warmup=20, optimiser="muon"),
        arguments={
            "network": "masked", "vocabulary": 96, "context": 65, "width": 64, "heads": 2, "layers": 3,
            "share": 0.3,
        },
        conditional=True,
    ),
    Recipe(
        "translator-locales", "encoders", "locales", _LOCALES, conditional=True,
        arguments={"network": "translator", "vocabulary": 52, "source": 30, "target": 25},
    ),
    Recipe(
        "gpt-locales", "gpt", "locales", _LOCALES, options={"pad": "left"}, conditional=True,
        arguments={"vocabulary": 52, "context": 54, "width": 68, "heads": 2, "layers": 4},
    ),
)  # fmt: skip
