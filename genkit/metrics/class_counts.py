"""Are all classes there, each as often as among real examples? A count sees a rare class, where averages may not."""

import torch
from torch import Tensor

from ..base import Estimate


def missing_share(real: Tensor, samples: Tensor, *, classes: int) -> Tensor:
    r"""Return for every class how far its share among samples lies below that among real examples, in deviations.

    .. math:: z_k = \frac{n_k / N - m_k / M}{\sqrt{p_k (1 - p_k) (1/N + 1/M)}}, \qquad p_k = \frac{n_k + m_k}{N + M}

    with :math:`n_k` of N real examples and :math:`m_k` of M samples in class k: the usual test of two proportions, in
    which both sets count as drawn. Positive where the class is too rare; 0 where neither set has it.

    Arguments
        real, samples: classes, int64 of shapes (N,) and (M,): labels, or what a classifier reads.
        classes: how many there are.

    >>> real, samples = torch.tensor([0] * 90 + [1] * 10), torch.tensor([0] * 100)
    >>> missing_share(real, samples, classes=2)
    tensor([-3.2444,  3.2444])
    """
    if real.ndim != 1 or samples.ndim != 1 or min(len(real), len(samples)) < 1:
        raise ValueError(
            f"real, samples: expected shapes (N,) and (M,), received {tuple(real.shape)} and {tuple(samples.shape)}"
        )
    for name, labels in (("real", real), ("samples", samples)):
        if labels.dtype != torch.int64 or labels.min() < 0:
            raise ValueError(f"{name}: expected classes 0, 1, …, int64, received {labels.dtype}, least {labels.min()}")
    n, m = (c.bincount(minlength=classes).double() for c in (real, samples))
    if len(n) > classes or len(m) > classes:
        raise ValueError(f"classes: expected more than {max(real.max(), samples.max())}, received {classes}")
    p = (n + m) / (len(real) + len(samples))
    spread = (p * (1 - p) * (1 / len(real) + 1 / len(samples))).sqrt()
    return torch.where(spread > 0, (n / len(real) - m / len(samples)) / spread.clamp(min=1e-12), 0.0).float()


def worst_class(real: Tensor, samples: Tensor, *, classes: int) -> Estimate:
    """Return the largest :func:`missing_share`: how badly the class that is missed most is missed.

    It is the largest of several numbers of deviation 1, so about 1.5 for ten classes that are all there.
    """
    return Estimate(missing_share(real, samples, classes=classes).max().item(), 1.0)
