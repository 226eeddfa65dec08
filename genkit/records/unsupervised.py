"""The experiments of the chapter on learning without labels."""

import math
import random
from collections.abc import Callable

import torch
from torch import Tensor

from .. import recipes
from ..association import judge, mine, shortest
from ..base import Generative
from ..clustering import at_random, best_of, kmeans, spread_out
from ..data import Dataset, load
from ..data.baskets import ITEMS, RULES
from ..detectors import DETECTORS
from ..metrics import auroc
from ..models.autoencoder import mlp_autoencoder
from ..training import TrainConfig, fit
from .unlabelled import (
    WORLDS,
    agreement,
    by_tsne,
    eight_groups,
    elbow,
    in_cube,
    lost,
    mixture,
    round_groups,
    standardised,
    trusted,
    tumour_rows,
    two_clouds,
    ways,
    width,
    wine,
)

SOURCES = (
    "records.unlabelled", "clustering", "association", "detectors", "data.digits", "data.baskets", "metrics.detection",
    "models.autoencoder", "training",
)  # fmt: skip
RECIPES = ("autoencoder-digits",)
SEEDS = tuple(range(10))
FEW = (0, 1, 2)
COUNTS = tuple(range(1, 31))
"""Numbers of groups that are tried."""
CODES = (2, 4, 8, 16)
THRESHOLDS = (1.1, 1.2, 1.5, 2.0, 3.0)
SUPPORT, CONFIDENCE, LIFT = 0.01, 0.5, 3.0
"""What the chapter asks of a rule."""
RUNGS = (0, 10, 20, 40)
"""Malignant tumours that slip in among 200 benign ones to learn from."""
PLANTED = {(tuple(sorted(asked)), promised) for asked, promised in RULES}
TIED = {frozenset((a, b)) for asked, got in RULES for a in (*asked, got) for b in (*asked, got) if a != b}
"""Pairs of items that some rule ties together. All others are independent."""


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: a minute and a quarter on one thread."""
    results = {"groups": [groups(seed) for seed in SEEDS], "starts": [starts(seed) for seed in SEEDS]}
    results["shapes"] = {name: [shapes(name, seed) for seed in SEEDS] for name in WORLDS}
    results["units"] = [units(seed) for seed in SEEDS]
    for part in ("groups", "starts", "units"):
        tell(f"{part}: { {k: round(sum(r[k] for r in results[part]) / len(SEEDS), 3) for k in results[part][0]} }")
    results["counts"] = {world: [counts(world, seed) for seed in FEW] for world in ("five groups", "digits")}
    results["rules"] = [rules(seed) for seed in range(5)]
    results["false"] = [false_rules(seed) for seed in range(5)]
    results["cube"] = [cube(seed) for seed in FEW]
    for part in ("rules", "false", "cube"):
        tell(f"{part}: {results[part]}")
    results["maps"] = [maps(seed) for seed in FEW]
    results["sizes"] = [sizes(seed) for seed in FEW]
    results["unseen"] = [unseen(seed) for seed in FEW]
    results["tumours"] = {str(n): [tumours(n, seed) for seed in SEEDS] for n in RUNGS}
    for part in ("maps", "sizes", "unseen", "tumours"):
        tell(f"{part}: {results[part]}")
    results["sayings"] = {"elbow": elbow_verdict(results), "maps": map_verdict(results)}
    return results


# groups ---------------------------------------------------------------------------------------------------------------


def groups(seed: int) -> dict[str, float]:
    """Group digits without their labels, and return how far the groups of test digits agree with the labels."""
    from sklearn.cluster import AgglomerativeClustering, KMeans
    from sklearn.decomposition import PCA

    data = load("digits", split="random", seed=seed)
    x, test, truth = data.train.x.flatten(1).numpy(), data.test.x.flatten(1).numpy(), data.test.c
    pca = PCA(20, random_state=seed).fit(x)
    found = {
        "chance": torch.randint(10, truth.shape, generator=torch.Generator().manual_seed(seed)).numpy(),
        "k-means, one random start": KMeans(10, init="random", n_init=1, random_state=seed).fit(x).predict(test),
        "k-means, best of 10": KMeans(10, n_init=10, random_state=seed).fit(x).predict(test),
        "Gaussian mixture": mixture(pca.transform(x), 10, seed).predict(pca.transform(test)),
        "merging, of the test digits": AgglomerativeClustering(10).fit_predict(test),
        "k-means, of the test digits": KMeans(10, n_init=10, random_state=seed).fit_predict(test),
    }
    return {name: round(agreement(truth, torch.tensor(labels)), 4) for name, labels in found.items()}


def shapes(name: str, seed: int) -> dict[str, float]:
    """Return how well three ways find groups of a shape."""
    draw, k = WORLDS[name]
    x, truth = draw(seed)
    return {way: round(agreement(truth, labels), 4) for way, labels in ways(x, k, seed).items()}


def starts(seed: int, tries: int = 60) -> dict[str, float]:
    """Return how often k-means gets stuck on eight round groups: it ends above 1.1 times the least inertia found."""
    x, _ = eight_groups(seed)
    found, least = {}, best_of(x, 8, random.Random(seed).random, starts=30).inertia
    for name, start in (("anywhere", at_random), ("spread out", spread_out)):
        chance = random.Random(100 + seed).random
        ends = [list(kmeans(x, start(x, 8, chance)))[-1].inertia for _ in range(tries)]
        found[f"stuck, {name}"] = sum(end > 1.1 * least for end in ends) / tries
        found[f"worst, {name}"] = round(max(ends) / least, 3)
        tens = [min(ends[i : i + 10]) for i in range(0, tries, 10)]
        found[f"stuck, best of 10, {name}"] = sum(end > 1.1 * least for end in tens) / len(tens)
    return found


def units(seed: int) -> dict[str, float]:
    """Group three quarters of the wines, as measured and with every column in its own standard deviations."""
    x, truth, _ = wine()
    some = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[: 3 * len(x) // 4]
    worlds = {"as measured": x[some], "standardised": standardised(x[some])}
    chance = random.Random(seed).random
    return {name: round(agreement(truth[some], best_of(v, 3, chance).labels), 4) for name, v in worlds.items()}


# how many groups ------------------------------------------------------------------------------------------------------


def counts(world: str, seed: int) -> dict[str, list]:
    """Return inertia, silhouette and the mixture's log-density of held-out examples, for every number of groups."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.metrics import silhouette_score

    if world == "digits":
        data = load("digits", split="random", seed=seed)
        pca = PCA(20, random_state=seed).fit(data.train.x.flatten(1).numpy())
        x, held = (pca.transform(part.x.flatten(1).numpy()) for part in (data.train, data.test))
    else:
        x, held = (round_groups(seed + shift)[0].numpy() for shift in (0, 1000))
    found: dict[str, list] = {"inertia": [], "silhouette": [], "held-out": []}
    for k in COUNTS:
        means = KMeans(k, n_init=5, random_state=seed).fit(x)
        found["inertia"].append(round(float(means.inertia_), 2))
        found["silhouette"].append(round(float(silhouette_score(x, means.labels_)), 4) if k > 1 else None)
        found["held-out"].append(round(float(mixture(x, k, seed, starts=2).score(held)), 4))
    return found


def answers(found: dict[str, list]) -> dict[str, int]:
    """Return the number of groups by each criterion, and by elbows of curves that are drawn to 10, 20 and 30."""
    said = {f"elbow, drawn to {n}": elbow(found["inertia"][:n]) for n in (10, 20, 30)}
    for name in ("silhouette", "held-out"):
        scores = [-math.inf if v is None else v for v in found[name]]
        said[name] = 1 + scores.index(max(scores))
    return said


# rules ----------------------------------------------------------------------------------------------------------------


def rules(seed: int) -> dict[str, float]:
    """Mine the baskets at the chapter's thresholds: planted rules that came back, and others."""
    x = load("baskets", seed=seed).train.x
    found = {rule.name for rule in shortest(mine(x, ITEMS, support=SUPPORT, confidence=CONFIDENCE, lift=LIFT))}
    return {"planted": len(found & PLANTED), "others": len(found - PLANTED)}


def false_rules(seed: int, support: float = 0.001) -> dict[str, float]:
    """Ask for little support and for ever more lift: rules between items that nothing ties, and what is left of them.

    ``held`` is the mean lift of these rules in held-out baskets; ``sure`` how many pass a test that allows for the
    number of rules that were tried.
    """
    data = load("baskets", seed=seed)
    found = {}
    tried = len(ITEMS) * (len(ITEMS) - 1)
    for least in THRESHOLDS:
        all_of_them = mine(data.train.x, ITEMS, support=support, lift=least, asked=1)
        false = [rule for rule in all_of_them if frozenset((*rule.asked, rule.promised)) not in TIED]
        held = [judge(data.test.x, ITEMS, rule.asked, rule.promised).lift for rule in false]
        found |= {
            f"found, {least:g}": len(all_of_them), f"false, {least:g}": len(false),
            f"lift, {least:g}": round(sum(r.lift for r in false) / len(false), 4) if false else 0.0,
            f"held, {least:g}": round(sum(held) / len(held), 4) if held else 0.0,
            f"sure, {least:g}": sum(rule.chance <= 0.05 / tried for rule in false),
            f"true and sure, {least:g}": sum(rule.chance <= 0.05 / tried for rule in all_of_them if rule not in false),
        }  # fmt: skip
    return found


# fewer numbers --------------------------------------------------------------------------------------------------------


def squeeze(x: Tensor, latent: int, seed: int = 0) -> Generative:
    """Train an autoencoder on points of shape (N, 3)."""
    torch.manual_seed(seed)
    model = mlp_autoencoder(shape=(3,), latent=latent, hidden=(128, 128))
    config = TrainConfig(steps=1000, batch=200, lr=3e-3, ema=0.99, warmup=50, seed=seed)
    return fit(model, _Points(x), config, progress=False).model


class _Points:
    """Examples without a condition, as the trainer wants them."""

    def __init__(self, x: Tensor):
        self.x, self.c = x, None

    def __len__(self) -> int:
        return len(self.x)


def cube(seed: int) -> dict[str, float]:
    """Squeeze a cube, and a flat box, to a plane and to a line: what is lost of held-out points, and of neighbours."""
    from sklearn.decomposition import PCA

    found = {}
    for name, sides in (("cube", (1.0, 1.0, 1.0)), ("flat box", (2.0, 1.0, 0.1))):
        x, held = in_cube(1000, seed, sides), in_cube(500, 1000 + seed, sides)
        for latent, shape in ((2, "plane"), (1, "line")):
            pca = PCA(latent).fit(x.numpy())
            codes = torch.tensor(pca.transform(held.numpy()))
            again = torch.tensor(pca.inverse_transform(codes.numpy()))
            found[f"{name}, {shape}, PCA"] = lost(held, again, x.mean(0))
            found[f"{name}, {shape}, PCA, trusted"] = trusted(held, codes)
            if name == "cube":
                model = squeeze(x, latent, seed)
                found[f"{name}, {shape}, autoencoder"] = lost(held, model.reconstruct(held), x.mean(0))
                with torch.no_grad():
                    found[f"{name}, {shape}, autoencoder, trusted"] = trusted(held, model.encode(held))
    return {name: round(value, 4) for name, value in found.items()}


def autoencoder(latent: int, data: Dataset, seed: int = 0, *, progress: bool = False) -> Generative:
    """Train the chapter's autoencoder of digits, with a code of so many numbers."""
    recipe = recipes.variant("autoencoder-digits", latent=latent)
    return recipes.train(recipe, seed=seed, dataset=data, progress=progress).model.eval()


def by_pca(data: Dataset, components: int) -> tuple[Tensor, Tensor]:
    """Return codes of the test digits and the test digits rebuilt, both by PCA of the training digits."""
    from sklearn.decomposition import PCA

    pca = PCA(components, random_state=0).fit(data.train.x.flatten(1).numpy())
    codes = pca.transform(data.test.x.flatten(1).numpy())
    return torch.tensor(codes), torch.tensor(pca.inverse_transform(codes)).view_as(data.test.x)


def maps(seed: int) -> dict[str, float]:
    """Squeeze digits: squared error of rebuilt test digits and trustworthiness, by PCA and by autoencoders."""
    data = load("digits", split="random", seed=seed)
    test, found = data.test.x, {}
    found["error, 0, the mean"] = (test - data.train.x.mean(0)).square().flatten(1).sum(1).mean().item()
    for latent in CODES:
        codes, again = by_pca(data, latent)
        found[f"error, {latent}, PCA"] = (test - again).square().flatten(1).sum(1).mean().item()
        found[f"trusted, {latent}, PCA"] = trusted(test, codes)
        model = autoencoder(latent, data, seed)
        with torch.no_grad():
            codes, again = model.encode(test), model.reconstruct(test)
            train = (data.train.x - model.reconstruct(data.train.x)).square().flatten(1).sum(1).mean().item()
        found[f"error, {latent}, autoencoder"] = (test - again).square().flatten(1).sum(1).mean().item()
        found[f"training error, {latent}, autoencoder"] = train
        found[f"trusted, {latent}, autoencoder"] = trusted(test, codes)
    found["trusted, 2, t-SNE"] = trusted(test, by_tsne(test, seed))
    noise = torch.randn(len(test), 2, generator=torch.Generator().manual_seed(seed))
    found["trusted, 2, chance"] = trusted(test, noise)
    return {name: round(value, 4) for name, value in found.items()}


def sizes(seed: int) -> dict[str, float]:
    """Return how many times as wide the large cloud is as the small one: in truth, on PCA's map, and on t-SNE's."""
    from sklearn.decomposition import PCA

    x, labels = two_clouds(seed)
    worlds = {"in truth": x, "PCA": torch.tensor(PCA(2).fit_transform(x.numpy())), "t-SNE": by_tsne(x, seed)}
    return {name: round(width(z[labels == 1]) / width(z[labels == 0]), 3) for name, z in worlds.items()}


# odd ones out ---------------------------------------------------------------------------------------------------------


def unseen(seed: int) -> dict[str, float]:
    """Learn nine digits, and find the tenth among test digits: AUROC by detector and by digit."""
    data, found = load("digits", split="random", seed=seed), {}
    x, test = data.train.x.flatten(1), data.test.x.flatten(1)
    for odd in range(10):
        for name, fit_to in DETECTORS.items():
            score = fit_to(x[data.train.c != odd])
            value = auroc(score(test[data.test.c != odd]), score(test[data.test.c == odd])).value
            found[f"{name}, {odd}"] = round(value, 4)
    return found


def tumours(n: int, seed: int) -> dict[str, float]:
    """Learn from benign tumours, n malignant ones among them, and find the malignant ones: AUROC by detector."""
    train, good, bad = tumour_rows(n, seed)
    found = {}
    for name, fit_to in DETECTORS.items():
        score = fit_to(train)
        found[name] = round(auroc(score(good), score(bad)).value, 4)
    return found


# what is often said ---------------------------------------------------------------------------------------------------


def elbow_verdict(results: dict) -> str:
    """Put into a sentence what the elbow says, from the record's own numbers."""
    said = [answers(run) for run in results["counts"]["digits"]]
    first = {name: sorted({run[name] for run in said}) for name in said[0]}
    spans = {name: f"{v[0]}" if len(v) == 1 else f"{v[0]} to {v[-1]}" for name, v in first.items()}
    return (
        f"It shows where you stopped drawing. For the digits it lies at {spans['elbow, drawn to 10']} groups on a "
        f"curve drawn to 10, and at {spans['elbow, drawn to 30']} on the same curve drawn to 30. The silhouette says "
        f"{spans['silhouette']}; a mixture's held-out density, which asks how well the data are described, says "
        f"{spans['held-out']}. People use ten."
    )


def map_verdict(results: dict) -> str:
    """Put into a sentence what sizes on a t-SNE map mean, from the record's own numbers."""
    mean = {name: sum(run[name] for run in results["sizes"]) / len(results["sizes"]) for name in ("in truth", "t-SNE")}
    return (
        f"They are not. Of two clouds, one {mean['in truth']:.1f} times as wide as the other, t-SNE draws one "
        f"{mean['t-SNE']:.1f} times as wide. It keeps who is near whom, and nothing else."
    )
