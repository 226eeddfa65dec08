"""Other right answers to the exercises on learning with labels, and wrong ones with words of their hints."""

import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve
from sklearn.preprocessing import StandardScaler

from genkit import metrics
from genkit.metrics.errors import confusion


def by_mask(said, truth, k):
    return torch.stack([torch.stack([((truth == i) & (said == j)).sum() for j in range(k)]) for i in range(k)])


def one_hot(said, truth, k):
    eye = torch.eye(k)
    return eye[truth].T @ eye[said]


def loop_shares(score, truth, threshold):
    hits = [0, 0]
    total = [0, 0]
    for s, t in zip(score.tolist(), truth.tolist(), strict=True):
        total[t] += 1
        hits[t] += s > threshold
    return torch.tensor([hits[0] / total[0], hits[1] / total[1]])


def from_sklearn(score, truth, threshold):
    x, y, thresholds = roc_curve(truth, score, drop_intermediate=False)
    at = max(i for i, t in enumerate(thresholds) if t > threshold)
    return torch.tensor([x[at], y[at]])


def by_ranks(score, truth):
    order = score.double()
    rank = (order[:, None] > order).double().sum(1) + 0.5 * ((order[:, None] == order).double().sum(1) + 1)
    ones = int((truth == 1).sum())
    return (rank[truth == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(truth) - ones))


def under_the_curve(score, truth):
    x, y, _ = roc_curve(truth, score)
    return float(sum((b - a) * (c + d) / 2 for a, b, c, d in zip(x, x[1:], y, y[1:], strict=False)))


def library_scale(train, new):
    return torch.tensor(StandardScaler().fit(train.double().numpy()).transform(new.double().numpy()))


def loop_scale(train, new):
    out = new.clone()
    for j in range(train.shape[1]):
        m = sum(train[:, j].tolist()) / len(train)
        v = sum((t - m) ** 2 for t in train[:, j].tolist()) / len(train)
        out[:, j] = (new[:, j] - m) / v**0.5
    return out


def stacked(x, y, penalty):
    """Ridge is least squares with D more rows."""
    a = torch.cat([x, penalty**0.5 * torch.eye(x.shape[1])]).double()
    ones = torch.cat([torch.ones(len(x), 1), torch.zeros(x.shape[1], 1)]).double()
    target = torch.cat([y, torch.zeros(x.shape[1])]).double()
    return torch.linalg.lstsq(torch.cat([a, ones], 1), target[:, None]).solution[:-1, 0]


def dual(x, y, penalty):
    x, y = x - x.mean(0), y - y.mean()
    return x.T @ torch.linalg.solve(x @ x.T + penalty * torch.eye(len(x)), y)


def in_place_ridge(x, y, penalty):
    x -= x.mean(0)
    y = y - y.mean()
    return torch.linalg.solve(x.T @ x + penalty * torch.eye(x.shape[1]), x.T @ y)


def in_place_scale(train, new):
    new -= train.mean(0)
    return new / train.std(0, correction=0)


RIGHT = {
    "taken_for": {
        "by masks": by_mask,
        "by one-hot vectors": one_hot,
        "genkit's": confusion,
        "scikit-learn's": lambda s, t, k: torch.tensor(confusion_matrix(t, s, labels=range(k))),
        "index_put": lambda s, t, k: torch.zeros(k, k).index_put((t, s), torch.ones(len(s)), accumulate=True),
    },
    "alarms_and_hits": {
        "a loop": loop_shares,
        "from scikit-learn's curve": from_sklearn,
        "divided by counts": lambda s, t, h: torch.stack([((s > h) & (t == k)).sum() / (t == k).sum() for k in (0, 1)]),
        "products": lambda s, t, h: torch.stack(
            [((s > h) * (1 - t)).sum() / (1 - t).sum(), ((s > h) * t).sum() / t.sum()]
        ),
    },
    "area_by_pairs": {
        "by ranks": by_ranks,
        "under the curve": under_the_curve,
        "scikit-learn's": lambda s, t: float(roc_auc_score(t, s)),
        "genkit's": lambda s, t: metrics.auroc(s[t == 0], s[t == 1]).value,
        "signs": lambda s, t: 0.5 + 0.5 * (s[t == 1][:, None] - s[t == 0]).sign().mean(),
        "heaviside": lambda s, t: torch.heaviside(s[t == 1][:, None] - s[t == 0], torch.tensor(0.5)).mean(),
    },
    "scale_fairly": {
        "scikit-learn's": library_scale,
        "a loop": loop_scale,
        "by the variance": lambda a, b: (b - a.mean(0)) / (a - a.mean(0)).square().mean(0).sqrt(),
        "numpy": lambda a, b: torch.tensor((b.numpy() - a.numpy().mean(0)) / a.numpy().std(0)),
    },
    "ridge_weights": {
        "more rows": stacked,
        "the other side": dual,
        "scikit-learn's": lambda x, y, p: torch.tensor(Ridge(p).fit(x.double().numpy(), y.double().numpy()).coef_),
        "an inverse": lambda x, y, p: (
            torch.linalg.inv((x - x.mean(0)).T @ (x - x.mean(0)) + p * torch.eye(x.shape[1])) @ ((x - x.mean(0)).T @ y)
        ),
    },
}

WRONG = {
    "taken_for": {
        "transposed": (lambda s, t, k: confusion(t, s, k), "down the rows"),
        "a list": (lambda s, t, k: confusion(s, t, k).tolist(), "received list"),
        "classes that occur": (lambda s, t, k: confusion(s, t, int(t.max()) + 1), "has its row and column too"),
        "accuracy": (lambda s, t, k: (s == t).float().mean(), "over which axes"),
        "flat": (lambda s, t, k: confusion(s, t, k).flatten(), "an axis too many or too few"),
        "columns normalised": (lambda s, t, k: confusion(s, t, k) / confusion(s, t, k).sum(0), ""),
        "buffered": (lambda s, t, k: torch.zeros(k, k).index_put((t, s), torch.ones(len(s))), "forgets all pairs"),
        "diagonal": (lambda s, t, k: confusion(s, t, k).diagonal(), "over which axes"),
        "both ways": (lambda s, t, k: confusion(s, t, k) + confusion(t, s, k), "one number should be"),
        "unfilled": (lambda s, t, k: torch.zeros(k, k), "one number should be"),
    },
    "alarms_and_hits": {
        "a tuple": (lambda s, t, h: ((s > h)[t == 0].float().mean(), (s > h)[t == 1].float().mean()), "received tuple"),
        "at a half": (lambda s, t, h: loop_shares(s, t, 0.5), "one number should be"),
        "at least": (
            lambda s, t, h: torch.stack([(s >= h)[t == k].float().mean() for k in (0, 1)]),
            "is not above it",
        ),
        "hits alone": (lambda s, t, h: loop_shares(s, t, h)[1], "expected shape"),
        "swapped": (lambda s, t, h: loop_shares(s, t, h)[[1, 0]], "false alarms come first"),
        "lower scores": (lambda s, t, h: loop_shares(-s, t, -h), "above the threshold"),
        "of everything": (
            lambda s, t, h: torch.stack([((s > h) & (t == k)).float().mean() for k in (0, 1)]),
            "of its own class",
        ),
        "precision": (
            lambda s, t, h: torch.stack([((s > h) & (t == k)).sum() / (s > h).sum() for k in (0, 1)]),
            "are right",
        ),
        "sigmoid": (lambda s, t, h: loop_shares(s.sigmoid(), t, h), ""),
    },
    "area_by_pairs": {
        "strict": (lambda s, t: (s[t == 1][:, None] > s[t == 0]).float().mean(), "count nothing"),
        "generous": (lambda s, t: (s[t == 1][:, None] >= s[t == 0]).float().mean(), "a whole one"),
        "backwards": (lambda s, t: 1 - by_ranks(s, t), "turn it round"),
        "the better side": (lambda s, t: 0.5 + abs(float(by_ranks(s, t)) - 0.5), "worse than guessing"),
        "gini": (lambda s, t: 2 * by_ranks(s, t) - 1, "guessing gets 0"),
        "at zero": (lambda s, t: ((s > 0) == t.bool()).double().mean(), "one threshold"),
        "matrix": (lambda s, t: (s[t == 1][:, None] > s[t == 0]).float(), ""),
        "by row": (lambda s, t: (s[t == 1][:, None] > s[t == 0]).float().mean(1), "received tensor"),
        "zipped": (lambda s, t: (s[t == 1][: (t == 0).sum()] > s[t == 0][: (t == 1).sum()]).float().mean(), ""),
        "of hard labels": (lambda s, t: by_ranks((s > 0).float(), t), ""),
    },
    "scale_fairly": {
        "itself": (lambda a, b: (b - b.mean(0)) / b.std(0, correction=0), "scaled by themselves"),
        "joined": (
            lambda a, b: library_scale(torch.cat([a, b]), b),
            "have had a say",
        ),
        "bessel": (lambda a, b: (b - a.mean(0)) / a.std(0), "N − 1"),
        "in place": (in_place_scale, "in place"),
        "rows": (lambda a, b: (b - b.mean(1, keepdim=True)) / b.std(1, keepdim=True), "one number should be"),
        "to an interval": (
            lambda a, b: (b - a.min(0).values) / (a.max(0).values - a.min(0).values),
            "one number should be",
        ),
        "both": (lambda a, b: library_scale(a, torch.cat([a, b])), "expected shape"),
        "transposed": (lambda a, b: library_scale(a, b).T, "expected shape"),
    },
    "ridge_weights": {
        "in place": (in_place_ridge, "in place"),
        "least squares": (lambda x, y, p: stacked(x, y, 0.0), ""),
        "through zero": (
            lambda x, y, p: torch.linalg.solve(x.T @ x + p * torch.eye(x.shape[1]), x.T @ y),
            "b is missing",
        ),
        "with b": (
            lambda x, y, p: torch.cat([stacked(x, y, p), torch.zeros(1, dtype=torch.float64)]),
            "expected shape",
        ),
        "mean squares": (lambda x, y, p: stacked(x, y, p * len(x)), "not multiplied by N"),
        "column": (lambda x, y, p: stacked(x, y, p)[:, None], "an axis too many"),
        "y not centred, x not": (
            lambda x, y, p: torch.linalg.solve(x.T @ x + p * torch.eye(x.shape[1]), x.T @ (y - y.mean())),
            "one number should be",
        ),
        "minus": (
            lambda x, y, p: dual(x, y, -p),
            "",
        ),
    },
}
