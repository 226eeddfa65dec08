"""The experiments of the chapter on two ways to know a digit."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import metrics
from ..data import Dataset, Split, load
from ..metrics.calibration import calibration_error, log_loss
from ..models.gaussian import GaussianClasses
from ..models.naive_bayes import WordBayes, bags
from ..nn import classifier

SOURCES = (
    "models.gaussian", "models.naive_bayes", "metrics.detection", "metrics.calibration", "metrics.images",
    "data.digits", "data.messages", "data.glyphs", "nn.classifier",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2)
DRAWS = 10
SIZES = (10, 20, 50, 100, 200, 500, 900)
LOGISTIC = "logistic regression"
NAIVE, SHARED, OWN = "naive Bayes", "Gaussians of one shape", "Gaussians of their own shape"
KINDS = {NAIVE: {"diagonal": True, "shared": True}, SHARED: {"shared": True, "shrink": None}, OWN: {"shrink": None}}
"""Three generative models, from the strongest assumption to the weakest. The first has logistic regression's form."""
FLOOR = 1e-2
FLOORS = (1e-4, 1e-3, 1e-2, 2e-2, 4e-2)
TIMES = (1, 2, 4, 8)
SHARE, FEW = (0.95, 0.05), 100


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about a minute on one thread."""
    results = {"labels": {}, "seeds": [], "repeated": {}, "floors": {}, "published": published()}
    for world, draw in {"digits": digits, "independent pixels": made, "messages": words}.items():
        results["labels"][world] = {str(n): [race(*draw(n, seed)) for seed in range(DRAWS)] for n in SIZES}
        for n, runs in results["labels"][world].items():
            tell(f"{world}, {n} labels: { {k: round(sum(r[k] for r in runs) / DRAWS, 3) for k in runs[0]} }")
    for seed in SEEDS:
        results["seeds"].append(measure(load("digits", split="random", seed=seed), seed))
        tell(f"seed {seed}: {results['seeds'][-1]}")
    for times in TIMES:
        results["repeated"][str(times)] = [repeated(times, seed) for seed in SEEDS]
    for floor in FLOORS:
        results["floors"][str(floor)] = [floored(floor, seed) for seed in SEEDS]
    results["shift"] = [shifted(seed) for seed in range(DRAWS)]
    results["taught"] = [taught(seed) for seed in SEEDS]
    for part in ("repeated", "floors", "shift", "taught", "published"):
        tell(f"{part}: {results[part]}")
    results["claims"] = {"C09": verdict(results["taught"])}
    return results


def logistic(x: Tensor, c: Tensor) -> Callable[[Tensor], Tensor]:
    """Fit scikit-learn's logistic regression, C = 1, and return what gives log p(y | x), shape (N, classes)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=2000).fit(x.flatten(1).numpy(), c.numpy())
    return lambda new: torch.tensor(model.predict_log_proba(new.flatten(1).numpy())).clamp(min=-1e4)


def gaussians(x: Tensor, c: Tensor, kind: str = OWN, **change) -> GaussianClasses:
    """Fit one of the chapter's generative models."""
    options = {"shape": tuple(x.shape[1:]), "classes": int(c.max()) + 1, "floor": FLOOR}
    return GaussianClasses(**options | KINDS[kind] | change).fit(x, c)


def stratified(c: Tensor, n: int, seed: int) -> Tensor:
    """Return the places of n labels, as many of each class, int64 of shape (n,)."""
    generator, each = torch.Generator().manual_seed(seed), n // len(c.unique())
    found = [(c == k).nonzero()[:, 0] for k in c.unique()]
    return torch.cat([places[torch.randperm(len(places), generator=generator)[:each]] for places in found])


# with few labels and with many ----------------------------------------------------------------------------------------

Race = tuple[Tensor, Tensor, Split, dict[str, Callable]]


def digits(n: int, seed: int) -> Race:
    """Return n digits with labels and the test digits, both of a split of their own for each seed."""
    data = load("digits", split="random", seed=seed)
    some = stratified(data.train.c, n, seed)
    return data.train.x[some], data.train.c[some], data.test, _pictures(tuple(KINDS))


def made(n: int, seed: int) -> Race:
    """Return pictures drawn from naive Bayes itself, fitted to the digits: here its assumption holds."""
    data = load("digits", split="random", seed=seed)
    world = gaussians(data.train.x, data.train.c, NAIVE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        c, labels = torch.arange(10).repeat_interleave(n // 10), torch.arange(10).repeat(100)
        return world.sample(n, c), c, Split(world.sample(1000, labels), labels), _pictures((NAIVE, OWN))


def words(n: int, seed: int) -> Race:
    """Return n messages with labels and the test messages, of a set of their own for each seed."""
    data = load("messages", seed=seed)
    some, size = stratified(data.train.c, n, seed), data.levels
    kinds = {
        LOGISTIC: lambda x, c: (lambda fitted: lambda new: fitted(bags(new, size)))(logistic(bags(x, size), c)),
        NAIVE: lambda x, c: WordBayes(vocabulary=size, classes=2).fit(x, c).posterior,
    }
    return data.train.x[some], data.train.c[some], data.test, kinds


def _pictures(kinds: tuple[str, ...]) -> dict[str, Callable]:
    return {LOGISTIC: logistic} | {k: lambda x, c, k=k: gaussians(x, c, k).posterior for k in kinds}


def race(x: Tensor, c: Tensor, test: Split, kinds: dict[str, Callable]) -> dict[str, float]:
    """Return the test accuracy of every kind of model, all fitted to the same labels."""
    return {name: round(metrics.accuracy(fit(x, c)(test.x), test.c).value, 4) for name, fit in kinds.items()}


# with all labels ------------------------------------------------------------------------------------------------------


def measure(data: Dataset, seed: int = 0) -> dict[str, float]:
    """Return everything the chapter measures on digits with all their labels."""
    x, c, test, y = data.train.x, data.train.c, data.test.x, data.test.c
    fitted, judge = {k: gaussians(x, c, k) for k in KINDS}, classifier("digits")
    says = {LOGISTIC: logistic(x, c)} | {k: m.posterior for k, m in fitted.items()}
    found = {}
    for name, predict in says.items():
        log_p = predict(test)
        found[f"accuracy, {name}"] = metrics.accuracy(log_p, y).value
        found[f"calibration error, {name}"] = calibration_error(log_p, y)
        found[f"log-loss, {name}"] = log_loss(log_p, y).value
    torch.manual_seed(seed)
    asked = torch.arange(10).repeat_interleave(50)
    for name, model in fitted.items():
        drawn = model.sample(500, asked)
        found[f"obeyed, {name}"] = metrics.accuracy(judge(drawn.clamp(0, 1)), asked).value
        found[f"frechet, {name}"] = metrics.frechet_distance(test, drawn.clamp(0, 1), judge.features, resamples=2).value
        found[f"nearest, {name}"] = nearest(drawn, x).mean().item()
    found["nearest, test digits"] = nearest(test, x).mean().item()
    found["nearest, copies"] = nearest(copies(x, 500), x).mean().item()
    known = left_half()
    filled = fitted[OWN].fill(test, known, mean=True)
    average = torch.where(known, test, x.mean(0))
    alone = logistic(x[:, known], c)(test[:, known])
    for name, log_p in {
        "mean filled in, then logistic regression": says[LOGISTIC](average),
        "logistic regression of that half alone": alone,
        "Gaussian filled in, then logistic regression": says[LOGISTIC](filled),
        OWN: fitted[OWN].posterior(test, known),
    }.items():
        found[f"half, {name}"] = metrics.accuracy(log_p, y).value
    twin = x[torch.cdist(test[:, known], x[:, known]).argmin(1)]
    for name, guess in {"the mean": average, "the nearest digit": twin, OWN: filled}.items():
        found[f"error of the other half, {name}"] = (guess - test)[:, ~known].square().mean().item()
    for name, strange in {"letters": letters(), "inverted": 1 - test, "upside down": test.flip(2)}.items():
        unsure = {LOGISTIC: lambda v: -says[LOGISTIC](v).max(1).values}
        scores = unsure | {k: lambda v, m=m: -m.log_prob(v) for k, m in fitted.items()}
        found |= {f"{name}, {k}": metrics.auroc(score(test), score(strange)).value for k, score in scores.items()}
    return {name: round(value, 4) for name, value in found.items()}


def nearest(x: Tensor, train: Tensor) -> Tensor:
    """Return the distance of each example from the nearest training example, shape (N,)."""
    return torch.cdist(x.flatten(1), train.flatten(1)).min(1).values


def copies(x: Tensor, n: int) -> Tensor:
    """Return n training examples with a little noise: what a model that copies would give."""
    chosen = x[torch.randint(len(x), (n,))]
    return chosen + 0.02 * torch.randn_like(chosen)


def left_half() -> Tensor:
    """Return which pixels of a digit are known: the left half, bool of shape (1, 8, 8)."""
    return (torch.arange(8) < 4).expand(1, 8, 8).clone()


def letters() -> Tensor:
    """Return capital letters brought to the digits' size, shape (N, 1, 8, 8)."""
    drawn = load("glyphs", draws=2)
    x = torch.cat([drawn.valid.x, drawn.test.x])[..., 2:26, 2:26]
    return F.avg_pool2d(x, 3)


def repeated(times: int, seed: int) -> dict[str, float]:
    """Show every pixel several times, as if it were news each time, and return log-losses on test digits."""
    data = load("digits", split="random", seed=seed)
    x, test = (v.flatten(1).repeat(1, times) for v in (data.train.x, data.test.x))
    says = {LOGISTIC: logistic(x, data.train.c), NAIVE: gaussians(x, data.train.c, NAIVE).posterior}
    return {name: round(log_loss(predict(test), data.test.c).value, 4) for name, predict in says.items()}


def floored(floor: float, seed: int) -> dict[str, float]:
    """Add another variance to every pixel, and return what the model is worth as a density, a painter and a judge."""
    data = load("digits", split="random", seed=seed)
    model, judge = gaussians(data.train.x, data.train.c, floor=floor), classifier("digits")
    torch.manual_seed(seed)
    drawn = model.sample(500, torch.arange(10).repeat_interleave(50)).clamp(0, 1)
    found = {
        "log-density": model.log_prob(data.test.x).mean().item(),
        "frechet": metrics.frechet_distance(data.test.x, drawn, judge.features, resamples=2).value,
        "log-loss": log_loss(model.posterior(data.test.x), data.test.c).value,
        "accuracy": metrics.accuracy(model.posterior(data.test.x), data.test.c).value,
    }
    return {name: round(value, 4) for name, value in found.items()}


def shifted(seed: int) -> dict[str, float]:
    """Learn from messages of which half are spam, and meet an inbox where one in twenty is."""
    data = load("messages", seed=seed)
    some = stratified(data.train.c, FEW, seed)
    new = torch.cat([data.valid.x, data.test.x]), torch.cat([data.valid.c, data.test.c])
    generator = torch.Generator().manual_seed(seed)
    rows = torch.multinomial(inbox(new[1]), 4000, replacement=True, generator=generator)
    x, y = (v[rows] for v in new)
    model = WordBayes(vocabulary=data.levels, classes=2).fit(data.train.x[some], data.train.c[some])
    drawn = logistic(bags(data.train.x[some], data.levels), data.train.c[some])(bags(x, data.levels))
    found = {}
    for name, log_p in {
        f"{NAIVE}, p(y) of training": model.posterior(x),
        f"{NAIVE}, p(y) of the inbox": swapped(model.posterior(x), model.log_share),
        f"{LOGISTIC}, as trained": drawn,
        f"{LOGISTIC}, corrected": swapped(drawn, model.log_share),
    }.items():
        found[f"accuracy, {name}"] = round(metrics.accuracy(log_p, y).value, 4)
        found[f"log-loss, {name}"] = round(log_loss(log_p, y).value, 4)
    return found


def inbox(c: Tensor) -> Tensor:
    """Return weights with which messages of labels c are drawn so that the inbox has its share of spam, shape (N,)."""
    return torch.tensor(SHARE)[c] / c.bincount()[c]


def swapped(log_p: Tensor, log_share: Tensor) -> Tensor:
    """Return log p(y | x), shape (N, 2), with the inbox's p(y) in place of that of training, of logarithm log_share."""
    return (log_p - log_share + torch.tensor(SHARE).log()).log_softmax(1)


def published() -> dict[str, float]:
    """Return accuracies on digits by other writers than those of the training digits."""
    data = load("digits")
    return race(data.train.x, data.train.c, data.test, _pictures(tuple(KINDS)))


# with labels and without ----------------------------------------------------------------------------------------------


def taught(seed: int) -> dict[str, float]:
    """Fit Gaussians of their own shape without labels, with labels that EM finds by itself, and with the true ones."""
    from sklearn.mixture import GaussianMixture

    data = load("digits", split="random", seed=seed)
    x, c, asked, found = data.train.x, data.train.c, torch.arange(10).repeat_interleave(50), {}
    mixture = GaussianMixture(10, reg_covar=5e-3, random_state=seed).fit(x.flatten(1).numpy())
    groups = torch.tensor(mixture.predict(x.flatten(1).numpy()))
    groups = groups.unique(return_inverse=True)[1]  # a group that nobody belongs to is none
    for name, labels in {"none": torch.zeros_like(c), "its own groups": groups, "true labels": c}.items():
        model = gaussians(x, labels)
        votes = torch.zeros(model.classes, 10).index_put((labels, c), torch.ones(len(c)), accumulate=True)
        called = votes.argmax(1)[model.posterior(data.test.x).argmax(1)]
        torch.manual_seed(seed)
        drawn = model.sample(500, asked if name == "true labels" else None).clamp(0, 1)
        found[f"log-density, {name}"] = round(model.log_prob(data.test.x).mean().item(), 3)
        found[f"accuracy, {name}"] = round((called == data.test.c).double().mean().item(), 4)
        found[f"obeyed, {name}"] = round(metrics.accuracy(classifier("digits")(drawn), asked).value, 4)
    return found


def verdict(runs: list[dict[str, float]]) -> str:
    """Put claim C09 in a sentence, from the record's own numbers."""
    mean = {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}
    return (
        f"No. Generative says what is modelled, p(x), and not what it learns from. The same Gaussians learn digits "
        f"without labels, with groups they find themselves, and with labels; held-out log-densities are "
        f"{mean['log-density, none']:.0f}, {mean['log-density, its own groups']:.0f} and "
        f"{mean['log-density, true labels']:.0f} nats. Only the one that was given labels draws the digit "
        f"that is asked for, in {mean['obeyed, true labels']:.0%} of the draws."
    )
