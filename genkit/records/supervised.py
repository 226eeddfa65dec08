"""The experiments of the chapter on learning with labels."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import metrics
from ..data import Dataset, load
from ..data.houses import worth
from ..leaks import best_of, scaled, selected, twice
from ..metrics.errors import rmse
from ..models.naive_bayes import bags
from ..nn import mlp

SOURCES = (
    "leaks", "metrics.detection", "metrics.errors", "models.naive_bayes", "nn.mlp", "data.digits", "data.messages",
    "data.tables", "data.houses", "data.exam",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2, 3, 4)
DRAWS = range(20)
DEPTHS = tuple(range(1, 13))
SIZES = (20, 50, 100, 200, 400, 800, 1600, 3200)
WIDTHS = (5, 10, 20, 40, 80, 120, 160, 200, 240, 300, 400, 800, 1600, 3200)
TRIES = (1, 10, 100, 1000)
FEW, LABELLED = 150, 200
HOUSES, SHARE = 5000, 0.03
"""How many houses a town has; how much of an inbox is spam."""
LINE, TREES = BOTH = "a straight line", "boosted trees"


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: less than a minute on one thread."""
    every = {
        "spam": spam, "digits": digits, "rare": rare, "patients": patients, "houses": sold, "exam": graded,
        "stopping": lambda seed: stopping(seed)[0], "shrinking": lambda seed: shrinking(seed)[0],
    }  # fmt: skip
    results = {}
    for name, experiment in every.items():
        results[name] = [experiment(seed) for seed in SEEDS]
        tell(f"{name}: {results[name][0]}")
    results["published"] = digits(0, "published")
    results["depth"] = {str(d): [grown(d, seed) for seed in DRAWS] for d in DEPTHS}
    results["examples"] = {str(n): [taught(n, seed) for seed in SEEDS] for n in SIZES}
    results["width"] = {str(w): [wide(w, seed) for seed in SEEDS] for w in WIDTHS}
    results["leaks"] = [leaks(seed) for seed in DRAWS]
    results["tries"] = {
        str(k): [dict(zip(("test", "fresh"), best_of(k, seed=s), strict=True)) for s in DRAWS] for k in TRIES
    }
    for part in ("published", "depth", "examples", "width", "leaks", "tries"):
        tell(f"{part}: {results[part]}"[:300])
    return results


def _rounded(found: dict[str, float]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in found.items()}


# classes --------------------------------------------------------------------------------------------------------------


def logistic(x: Tensor, c: Tensor, strength: float = 1.0):
    """Fit scikit-learn's logistic regression to rows x with labels c; ``strength`` is its C."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=3000).fit(x.flatten(1).numpy(), c.numpy())


def scores(model, x: Tensor) -> Tensor:
    """Return log p(y | x), shape (N, classes)."""
    return torch.tensor(model.predict_log_proba(x.flatten(1).numpy()))


def counts(x: Tensor, data: Dataset) -> Tensor:
    """Return how often each word stands in each text, shape (N, words); column i counts word i + 1."""
    return bags(x, data.levels)[:, 1:]


def spam(seed: int = 0) -> dict[str, float]:
    """Teach 150 messages, or all, and return what the filter is worth, beside the one that lets everything pass."""
    data, found = load("messages", seed=seed), {}
    x, test = (counts(s.x, data) for s in (data.train, data.test))
    c = data.test.c
    found["accuracy, always wanted"] = (c == 0).double().mean()
    for name, n in {"": FEW, ", all labels": len(x)}.items():
        odds = torch.tensor(logistic(x[:n], data.train.c[:n]).decision_function(test.numpy()))
        found[f"accuracy{name}"] = ((odds > 0) == c.bool()).double().mean()
        found[f"auroc{name}"] = metrics.auroc(odds[c == 0], odds[c == 1]).value
    return _rounded(found)


def digits(seed: int = 0, split: str = "random") -> dict[str, float]:
    """Return what logistic regression is worth on digits, beside the commonest digit."""
    data = load("digits", split=split, seed=seed)
    log_p, c = scores(logistic(data.train.x, data.train.c), data.test.x), data.test.c
    found = {"commonest": (c == data.train.c.mode().values).double().mean()}
    found |= {"accuracy": metrics.accuracy(log_p, c).value, "auroc": one_against_rest(log_p, c).mean()}
    return _rounded(found)


def one_against_rest(log_p: Tensor, c: Tensor) -> Tensor:
    """Return the AUROC of each class against all others, shape (classes,)."""
    odds = log_p - (1 - log_p.exp()).clamp(min=1e-12).log()
    areas = [metrics.auroc(odds[c != k, k], odds[c == k, k]).value for k in range(log_p.shape[1])]
    return torch.tensor(areas)


def inbox(seed: int) -> tuple[Dataset, Tensor, Tensor]:
    """Return messages of which few are spam, and the odds of a filter taught 1,000: of validation and of test."""
    data = load("messages", n=10_000, share=SHARE, seed=seed)
    parts = [counts(s.x, data) for s in (data.train, data.valid, data.test)]
    model = logistic(parts[0][:1000], data.train.c[:1000])
    valid, test = (torch.tensor(model.decision_function(part.numpy())) for part in parts[1:])
    return data, valid, test


def rare(seed: int = 0) -> dict[str, float]:
    """Return what filters are worth where few messages are spam: nothing said, a half as threshold, a chosen one."""
    data, valid, test = inbox(seed)
    c, threshold = data.test.c, valid[data.valid.c == 0].quantile(0.98).item()
    found = {"auroc": metrics.auroc(test[c == 0], test[c == 1]).value}
    for name, said in {"nothing": test > test.max(), "half": test > 0, "chosen": test > threshold}.items():
        found[f"accuracy, {name}"] = (said == c.bool()).double().mean()
        found[f"caught, {name}"] = said[c == 1].double().mean()
        found[f"false alarms, {name}"] = said[c == 0].double().mean()
    return _rounded(found)


# numbers --------------------------------------------------------------------------------------------------------------


def line(x: Tensor, y: Tensor, penalty: float = 0.0) -> Callable[[Tensor], Tensor]:
    """Fit a linear model with scikit-learn's ridge on standardised columns; return what predicts, shape (N,)."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), Ridge(penalty)).fit(x.double().numpy(), y.numpy())
    return lambda new: torch.tensor(model.predict(new.double().numpy())).float()


def boosted(x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    """Fit scikit-learn's gradient-boosted trees; return what predicts."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=80, min_samples_leaf=5).fit(x.numpy(), y.numpy())
    return lambda new: torch.tensor(model.predict(new.numpy())).float()


def patients(seed: int = 0) -> dict[str, float]:
    """Return errors of predicting the progression of the disease, in its points."""
    data = load("diabetes", seed=seed)
    (x, y), (new, truth) = ((s.x, s.c) for s in (data.train, data.test))
    guesses = {"the mean": y.mean().expand_as(truth), "body-mass index": line(x[:, 2:3], y)(new[:, 2:3])}
    guesses |= {"all ten columns": line(x, y)(new), TREES: boosted(x, y)(new)}
    return _rounded({name: rmse(guess, truth).value for name, guess in guesses.items()})


def logs(x: Tensor) -> Tensor:
    """Return a house's columns with the logarithms of those that multiply the price, shape (N, 5)."""
    return torch.stack([x[:, 0].log(), x[:, 1], x[:, 2], (1 + x[:, 3]).log(), (0.5 + x[:, 4]).log()], 1)


def bent(x: Tensor) -> Tensor:
    """Return ``logs`` with the square of the age, so that a price may fall and rise again, shape (N, 6)."""
    return torch.cat([logs(x), x[:, 2:3].square()], 1)


def sold(seed: int = 0) -> dict[str, float]:
    """Return errors of predicting what houses were sold for, in thousands."""
    data = load("houses", n=HOUSES, seed=seed)
    (x, y), (new, truth) = ((s.x, s.c) for s in (data.train, data.test))
    guesses = {"the mean": y.mean().expand_as(truth), LINE: line(x, y)(new)}
    guesses["a line of logarithms"] = line(logs(x), y.log())(logs(new)).exp()
    guesses["and the age squared"] = line(bent(x), y.log())(bent(new)).exp()
    guesses["the worth itself"] = worth(new)
    return _rounded({name: rmse(guess, truth).value for name, guess in guesses.items()})


def grader(data: Dataset) -> Callable[[Tensor], Tensor]:
    """Fit a line from counts of words to the first marker's grades; return what gives a grade, not yet rounded."""
    fitted = line(counts(data.train.x, data), data.train.c.float(), penalty=10.0)
    return lambda x: fitted(counts(x, data))


def graded(seed: int = 0) -> dict[str, float]:
    """Return how well grades agree with the first marker's: exactly, within one, and by weighted kappa."""
    from sklearn.metrics import cohen_kappa_score

    data = load("exam", seed=seed)
    (x, c), test = (data.train.x, data.train.c), data.test
    long = [(v > 0).sum(1, keepdim=True).float() for v in (x, test.x)]
    says = {"commonest grade": c.mode().values.expand_as(test.c).float()}
    says |= {"length": line(long[0], c.float())(long[1]), "words": grader(data)(test.x)}
    found = {}
    says |= {"second marker": test.factors["second"].float(), "the scheme, no slips": test.factors["scheme"].float()}
    for name, guess in says.items():
        grade = guess.round().clamp(0, 4)
        found[f"exact, {name}"] = (grade == test.c).double().mean()
        found[f"within one, {name}"] = ((grade - test.c).abs() <= 1).double().mean()
        found[f"kappa, {name}"] = cohen_kappa_score(grade.long(), test.c, weights="quadratic", labels=range(5))
    return _rounded(found)


# too little and too much ----------------------------------------------------------------------------------------------


def grown(depth: int, seed: int) -> dict[str, float]:
    """Grow a tree of a depth on the patients, and return its errors on all three parts."""
    from sklearn.tree import DecisionTreeRegressor

    data = load("diabetes", seed=seed)
    tree = DecisionTreeRegressor(max_depth=depth, random_state=seed).fit(data.train.x.numpy(), data.train.c.numpy())
    parts = {"train": data.train, "valid": data.valid, "test": data.test}
    return _rounded({n: rmse(torch.tensor(tree.predict(s.x.numpy())), s.c).value for n, s in parts.items()})


def taught(n: int, seed: int) -> dict[str, float]:
    """Fit n houses with a line and with trees, both to log prices; return errors of the logarithm, in hundredths."""
    data = load("houses", n=HOUSES, seed=seed)
    x, y, found = data.train.x[:n], data.train.c[:n].log(), {}
    for name, fit in {LINE: line, TREES: boosted}.items():
        predict = fit(x, y)
        found[f"train, {name}"] = 100 * rmse(predict(x), y).value
        found[f"test, {name}"] = 100 * rmse(predict(data.test.x), data.test.c.log()).value
    return _rounded(found)


def wide(width: int, seed: int) -> dict[str, float]:
    """Fit the last layer of a random network of a width to 200 digits by least squares; return its test error rate."""
    data, g = load("digits", split="random", seed=seed), torch.Generator().manual_seed(seed)
    weights = torch.randn(65, width, generator=g, dtype=torch.float64) / 8
    x, test = (F.pad(v.flatten(1).double(), (0, 1), value=1.0) @ weights for v in (data.train.x, data.test.x))
    c, few, new = data.train.c[:LABELLED], x[:LABELLED].relu(), test.relu()
    fitted = torch.linalg.pinv(few, rtol=1e-9) @ F.one_hot(c, 10).double()
    found = {"train": (few @ fitted).argmax(1) != c, "test": (new @ fitted).argmax(1) != data.test.c}
    return _rounded({name: wrong.double().mean() for name, wrong in found.items()})


def stopping(seed: int = 0, steps: int = 400) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Train a network on 266 patients for far too long; return test errors, and the two curves of training."""
    data = load("diabetes", seed=seed)
    mean, std, middle = data.train.x.mean(0), data.train.x.std(0), data.train.c.mean()
    parts = {n: (s.x - mean) / std for n, s in (("train", data.train), ("valid", data.valid), ("test", data.test))}
    curves, best = {"train": [], "valid": [], "test": []}, 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = mlp(10, 100, 1)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(steps):
            with torch.no_grad():
                for name, x in parts.items():
                    truth = getattr(data, name).c
                    curves[name].append(rmse(100 * network(x)[:, 0] + middle, truth).value)
            optimiser.zero_grad()
            (100 * network(parts["train"])[:, 0] + middle - data.train.c).square().mean().backward()
            optimiser.step()
    best = curves["valid"].index(min(curves["valid"]))
    found = {"to the end": curves["test"][-1], "stopped": curves["test"][best], "step": best}
    found |= {
        "train, to the end": curves["train"][-1],
        "the mean": rmse(middle.expand_as(data.test.c), data.test.c).value,
    }
    return _rounded(found), curves


def products(x: Tensor) -> Tensor:
    """Return the columns, their squares and their products by twos and threes, standardised rows in, (N, 285)."""
    from sklearn.preprocessing import PolynomialFeatures

    return torch.tensor(PolynomialFeatures(3, include_bias=False).fit_transform(x.double().numpy()))


PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0)


def shrinking(seed: int = 0) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Fit more columns than there are patients, with more and more penalty; return test errors, and the two curves."""
    data = load("diabetes", seed=seed)
    mean, std, y = data.train.x.mean(0), data.train.x.std(0), data.train.c
    parts = {n: products((s.x - mean) / std) for n, s in zip(("train", "valid", "test"), _parts(data), strict=True)}
    curves = {name: [] for name in parts}
    for penalty in PENALTIES:
        predict = line(parts["train"], y, penalty)
        for name, s in zip(parts, _parts(data), strict=True):
            curves[name].append(rmse(predict(parts[name]), s.c).value)
    best = curves["valid"].index(min(curves["valid"]))
    found = {"hardly any": curves["test"][0], "chosen": curves["test"][best], "penalty": PENALTIES[best]}
    return _rounded(found | {"train, hardly any": curves["train"][0]}), curves


def _parts(data: Dataset):
    return data.train, data.valid, data.test


# the test set, seen too early -----------------------------------------------------------------------------------------


def lot(seed: int, rows: int = 60, columns: int = 2000) -> tuple[Tensor, Tensor]:
    """Return noise, shape (rows, columns), and as many labels 0 as 1, drawn by lot: there is nothing to learn."""
    g = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=g), (torch.arange(rows) % 2)[torch.randperm(rows, generator=g)]


def halves(seed: int) -> tuple[Tensor, Tensor]:
    """Return 266 patients, and whether their disease went farther than the median patient's."""
    data = load("diabetes", seed=seed)
    return data.train.x, (data.train.c > data.train.c.median()).long()


def leaks(seed: int = 0) -> dict[str, float]:
    """Return accuracies with each leak and without, on real labels where there are any, and on labels by lot."""
    noise, coins = lot(seed)
    x, y = halves(seed)
    by_lot = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))]
    found = {}
    for name, early in {"leak": True, "honest": False}.items():
        found[f"columns chosen on all rows, by lot, {name}"] = selected(noise, coins, early=early, seed=seed)
        for kind, labels in {"real": y, "by lot": by_lot}.items():
            found[f"two visits parted, {kind}, {name}"] = twice(x, labels, apart=early, seed=seed)
            found[f"scaled on all rows, {kind}, {name}"] = scaled(x, labels, early=early, seed=seed)
    return _rounded(found)


def tried(tries: int, seed: int) -> dict[str, float]:
    """Return the best score of many guessers on one test set, and what that guesser scores on a fresh one."""
    return dict(zip(("test", "fresh"), best_of(tries, seed=seed), strict=True))
