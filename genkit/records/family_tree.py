"""The experiments of the chapter on the family tree."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from .. import metrics
from ..data.toy2d import toy
from ..family_plane import Member, families, trained
from ..family_tree import APPROXIMATE, ask_all
from ..metrics.modes import modes_covered, near_modes
from ..points import EXTENT, MIDDLE, SIDE, WIDTH, cells, draw, truth
from ..randomness import randomness_of

SOURCES = (
    "training", "points", "family_plans", "metrics.two_sample", "metrics.modes", "metrics.density",
    "metrics.annealed", "metrics.flow_ode", "models.autoregressive", "models.gpt", "models.recurrent", "models.flow",
    "models.zuko_flow", "models.vae", "models.vq", "models.diffusion", "models.flow_matching", "models.reflow",
    "models.energy", "models.boltzmann", "models.dbn", "models.gan", "models.latent_diffusion", "models.encoders",
    "models.autoencoder",
)  # fmt: skip
RECIPES = ()
SEEDS = (0, 1, 2)
TRAIN, HELD, DRAWN, KEPT = 8000, 2000, 4000, 250
PIECES = (toy("moons").centres - MIDDLE)[10::20]
"""The middles of forty pieces of the two moons."""
CODES = (1, 10, 100, 400)
BASELINES = ("one Gaussian", "32 Gaussians", "kernels")


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter: about four minutes on one thread."""
    results: dict = {"families": {}, "kinds": {}, "samples": {}, "baselines": [], "limits": [], "codes": [], "sums": []}
    for seed in SEEDS:
        x = draw(TRAIN, seed)
        results["limits"].append(limits(seed))
        results["baselines"].append(baselines(x, seed))
        tell(f"baselines, seed {seed}: {results['baselines'][-1]}")
        for family in families():
            member = trained(family, x, seed=seed)
            found, kind, drawn = measure(member, seed)
            results["families"].setdefault(family, []).append(found)
            tell(f"{family}, seed {seed}: {found}")
            if seed == SEEDS[0]:
                results["kinds"][family] = kind
                results["samples"][family] = (100 * drawn[:KEPT]).round().int().tolist()
            if family == "vae":
                results["codes"].append(integrals(member, seed))
                tell(f"sums over the board: {results['codes'][-1]}")
            if family in ("energy", "boltzmann"):
                results["sums"].append({"family": family, "seed": seed, **constants(member, seed)})
                tell(f"constants: {results['sums'][-1]}")
    results["claims"] = verdicts(results)
    return results


def measure(member: Member, seed: int) -> tuple[dict[str, float], str, Tensor]:
    """Return the numbers of a trained member by the yardsticks of the chapter, what its nats are, and its samples."""
    held = draw(HELD, 1000 + seed)
    with randomness_of(seed, -3, 0, torch.device("cpu")):
        start = time.process_time()
        drawn = member.sample(DRAWN)
        seconds = time.process_time() - start
        said = member.log_density(held, k=100)
    found = {} if said is None else {"nats": round(said[0].mean().item(), 4)}
    found |= judged(drawn, seed)
    size = sum(p.numel() for p in member.model.parameters())
    found |= {"train": round(member.seconds, 2), "a second": round(DRAWN / max(seconds, 1e-4)), "parameters": size}
    return found, "none" if said is None else said[1], drawn


def judged(drawn: Tensor, seed: int) -> dict[str, float]:
    """Return how far samples, shape (N, 2), are from fresh points, how many lie on the moons, how much they reach."""
    real = draw(DRAWN, 2000 + seed)
    return {
        "distance": round(metrics.sliced_wasserstein(drawn, real).value, 4),
        "near": round(near_modes(drawn, toy("moons").centres - MIDDLE, 0.1).value, 4),
        "reached": modes_covered(drawn, PIECES, 0.1),
    }


def limits(seed: int) -> dict[str, float]:
    """Return what nobody can beat: the truth's own numbers, and what a board costs."""
    held, fresh = draw(HELD, 1000 + seed), draw(DRAWN, 3000 + seed)
    return {"nats": round(truth(held).mean().item(), 4), "board": round(on_board(held).mean().item(), 4)} | judged(
        fresh, seed
    )


def on_board(x: Tensor, parts: int = 4) -> Tensor:
    """Return the truth's log-density at points, shape (N, 2), averaged over each one's cell: parts² places of it."""
    corner = cells(x) * WIDTH - EXTENT
    line = (torch.arange(parts) + 0.5) / parts * WIDTH
    places = [truth(corner + torch.tensor([a, b])) for a in line.tolist() for b in line.tolist()]
    return torch.stack(places).logsumexp(0) - torch.tensor(float(len(places))).log()


def baselines(x: Tensor, seed: int) -> dict[str, float]:
    """Return held-out nats and distances of what takes no network, fitted by scikit-learn to points, shape (N, 2)."""
    from sklearn.mixture import GaussianMixture
    from sklearn.neighbors import KernelDensity

    held, found = draw(HELD, 1000 + seed), {}
    models = {
        BASELINES[0]: GaussianMixture(1), BASELINES[1]: GaussianMixture(32, random_state=seed),
        BASELINES[2]: KernelDensity(bandwidth=0.06),
    }  # fmt: skip
    for name, model in models.items():
        start = time.process_time()
        model.fit(x.numpy())
        seconds = time.process_time() - start
        drawn = model.sample(DRAWN, random_state=seed) if name == "kernels" else model.sample(DRAWN)[0]
        found[f"nats, {name}"] = round(float(model.score_samples(held.numpy()).mean()), 4)
        found[f"distance, {name}"] = judged(torch.tensor(drawn).float(), seed)["distance"]
        found[f"train, {name}"] = round(seconds, 3)
    return found


@torch.no_grad()
def integrals(member: Member, seed: int) -> dict[str, float]:
    """Return what a VAE's answers add up to over the board, and the nats that they give to held-out points.

    ``bound`` is the mean over codes of log weights, ``k`` the log of the mean of k weights, ``exact`` the sum over z.
    """
    board, held, found = whole_board(), draw(HELD, 1000 + seed), {}
    with randomness_of(seed, -5, 0, torch.device("cpu")):
        for k in CODES:
            found[f"sum, {k}"] = round(member.log_density(board, k=k)[0].exp().sum().item() * WIDTH**2, 4)
            found[f"nats, {k}"] = round(member.log_density(held, k=k)[0].mean().item(), 4)
        found["sum, bound"] = round(bound(member, board).exp().sum().item() * WIDTH**2, 4)
        found["nats, bound"] = round(bound(member, held).mean().item(), 4)
    exact = by_sum(member)
    found["sum, exact"] = round(exact.exp().sum().item() * WIDTH**2, 4)
    found["nats, exact"] = round(at(exact, held).mean().item(), 4)
    return found


def bound(member: Member, x: Tensor, draws: int = 100) -> Tensor:
    """Return the evidence lower bound on the log-density at points, shape (N, 2), a mean over ``draws`` codes."""
    return member.model.log_weights(member.form.write(x), None, draws).mean(0) - member.form.log_area


def by_sum(member: Member, side: int = 80, extent: float = 5.0) -> Tensor:
    """Return the log-density of a VAE with two codes on the whole board, shape (SIDE²,): side² codes stand for all z.

    Given z the two coordinates are independent, so the sum over z is a product of two matrices.
    """
    z, area = metrics.plane(extent, side)
    levels = member.model.decode(z).log_p().flatten(1, -2)  # (codes, 2, SIDE)
    prior = (-z.square().sum(1) / 2).exp() / (2 * torch.pi) * area
    across, up = levels[:, 0].exp(), levels[:, 1].exp()
    return ((prior[:, None] * up).T @ across).flatten().log() - member.form.log_area


def at(board: Tensor, x: Tensor) -> Tensor:
    """Return the values that points, shape (N, 2), have on a board, shape (SIDE²,)."""
    column, row = cells(x).T
    return board[row * SIDE + column]


def whole_board() -> Tensor:
    """Return the middle of each cell of the board, shape (SIDE², 2): rows from low to high."""
    return metrics.plane(EXTENT, SIDE)[0]


@torch.no_grad()
def constants(member: Member, seed: int) -> dict[str, float]:
    """Return log Z of a model that knows its density up to it: by a sum, and by annealing for a machine."""
    if hasattr(member.model, "energy"):
        grid, area = metrics.plane(4.0, 200)
        log_z = (-member.model.energy(grid)).logsumexp(0) + torch.tensor(area).log()
        return {"log Z": round(log_z.item(), 4)}
    machine = member.model.machine
    with randomness_of(seed, -4, 0, torch.device("cpu")):
        guess = metrics.log_partition(machine, chains=200, rungs=400)
    return {"log Z": round(machine.log_partition().item(), 4), "annealed": round(guess.value, 4)}


def mean(runs: list[dict[str, float]], name: str) -> float:
    """Return the mean of a number over runs."""
    return sum(run[name] for run in runs) / len(runs)


def verdicts(results: dict) -> dict[str, str]:
    """Put the chapter's claims in sentences, from the record's own numbers."""
    rows, book = ask_all(), ask_all(plane=False)
    known = [row for row in rows if row.branch == APPROXIMATE]
    machines = [run for run in results["sums"] if "annealed" in run]
    gap = max(abs(run["log Z"] - run["annealed"]) for run in machines)
    low, full = (mean(results["codes"], f"sum, {name}") for name in ("bound", CODES[-1]))
    sized = [row for row in book if row.latent is not None]
    small = sorted(row.family for row in sized if row.latent < row.size)
    rest = len(book) - len(sized)
    return {
        "C10": (
            f"They have one. All {len(known)} families on the approximate branch compute a number from parameters: a "
            f"bound, an energy, a velocity. What is missing is the normalised value. Where all states can be summed, "
            f"it is there: the sum that a Boltzmann machine lacks was estimated to within {gap:.3f} nats of the exact "
            f"one."
        ),
        "C11": (
            f"No. A VAE defines a density, by an integral. Estimated with {CODES[-1]} codes at every cell of a board "
            f"it adds up to {full:.3f}, as a density must. What is plotted too often, the bound, adds up to {low:.2f}."
        ),
        "C21": (
            f"Some do. Of {len(book)} families {len(small)} have a code or noise smaller than the data "
            f"({', '.join(small)}); {len(sized) - len(small)}, among them flows and diffusion, have one at least as "
            f"large, and {rest} have none."
        ),
    }


def scattered(points: list[list[int]]) -> Tensor:
    """Return the samples that a record keeps, shape (N, 2)."""
    return torch.tensor(points) / 100
