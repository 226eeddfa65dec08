"""The linear probe: how much a straight border through given features knows of the classes, from few labels."""

import torch
from torch import Tensor

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def few(c: Tensor, n: int, seed: int = 0) -> Tensor:
    """Choose n labelled examples by chance, as many of each class as can be: their row numbers, shape (n,).

    Arguments
        c: int64 labels, shape (N,), 0 to K − 1.
        n: at least K. Where K does not divide n, chance says which classes get one more.

    >>> c = torch.arange(100) % 10
    >>> c[few(c, 50)].bincount()
    tensor([5, 5, 5, 5, 5, 5, 5, 5, 5, 5])
    """
    classes = int(c.max()) + 1
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randperm(len(c), generator=generator)
    lucky = torch.randperm(classes, generator=generator) < n % classes
    parts = [mixed[c[mixed] == k][: n // classes + int(lucky[k])] for k in range(classes)]
    rows = torch.cat(parts)
    if n < classes or len(rows) != n:
        raise ValueError(f"n: expected {classes} to as many as every class has, evenly, received {n}")
    return rows


def probe(features: Tensor, c: Tensor, test: Tensor, answers: Tensor, *, folds: int = 5) -> float:
    """Fit logistic regression to features and labels and return its accuracy on test features, in [0, 1].

    The strength of its penalty is chosen by cross-validation within the labelled examples alone. Features are centred
    and brought to one overall scale by those examples.

    Arguments
        features, c: labelled examples, shapes (n, D) and (n,).
        test, answers: held-out examples, shapes (m, D) and (m,).
        folds: of the cross-validation, at most as many as the rarest class has labels. With one label a class there is
            nothing to choose by, and the middle strength is taken.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.model_selection import StratifiedKFold

    if features.ndim != 2 or test.ndim != 2 or features.shape[1] != test.shape[1] or len(features) != len(c):
        raise ValueError(
            f"features: expected (n, D) beside test of (m, D) and n labels, received {tuple(features.shape)}, "
            f"{tuple(test.shape)} and {tuple(c.shape)}"
        )
    a, b = within(features, test)
    splits = min(folds, int(c.bincount()[c].min()))
    if splits < 2:
        model = LogisticRegression(C=STRENGTHS[len(STRENGTHS) // 2], max_iter=300)
    else:
        parts = StratifiedKFold(splits, shuffle=True, random_state=0)
        model = LogisticRegressionCV(
            Cs=np.array(STRENGTHS),
            cv=parts,
            max_iter=300,
            scoring="neg_log_loss",
            l1_ratios=(0,),
            use_legacy_attributes=False,
        )
    return float((model.fit(a.numpy(), c.numpy()).predict(b.numpy()) == answers.numpy()).mean())


def within(features: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Centre and scale, and turn into the space that the labelled examples span: at most n dimensions.

    A penalised linear classifier lies in that space whatever D is (Kimeldorf & Wahba 1971), so it is the same one,
    found sooner.
    """
    middle = features.mean(0)
    a, b = (features - middle).double(), (test - middle).double()
    scale = a.square().mean().sqrt().clamp(min=1e-12)
    _, _, axes = torch.linalg.svd(a / scale, full_matrices=False)
    return a / scale @ axes.T, b / scale @ axes.T


def gap_closed(found: float, start: float, ceiling: float) -> float:
    """Return which share of the way from ``start`` to ``ceiling`` was gone: 0 is nothing, 1 all, below 0 backwards.

    >>> gap_closed(0.95, 0.9, 1.0)
    0.5
    """
    if not ceiling > start:
        raise ValueError(f"ceiling: expected more than start {start}, received {ceiling}")
    return round((found - start) / (ceiling - start), 6)
