"""The experiments of the chapter on what networks see."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .. import metrics, recipes
from ..base import Generative
from ..data.textures import KINDS, landscape, texture
from ..dreaming import activations, blur, dream, loudness, resize
from ..models.seeing import LAYERS, Seer
from ..style_transfer import content_distance, gram, random_phase, roughened, shuffled_pixels, style_distance, transfer

SOURCES = (
    "training", "models.seeing", "models.vae", "dreaming", "style_transfer", "metrics.spectrum", "metrics.detection",
    "metrics.likelihood", "data.textures",
)  # fmt: skip
RECIPES = ("seeing-textures", "vae-textures")
SEEDS = (0, 1, 2)
TOTAL = 48  # steps uphill, shared out over the octaves
OCTAVES = (1, 2, 4, 6)
BARE = {"octaves": 1, "jitter": 0, "smooth": 0.0}
CURES = {
    "nothing": {},
    "jitter": {"jitter": 4},
    "octaves": {"octaves": 4},
    "blur": {"smooth": 0.8},
    "all three": {"jitter": 4, "octaves": 4, "smooth": 0.8},
}
WEIGHTS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
STYLES = (("cells", 3), ("scales", 5), ("zigzag", 11))


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about five minutes on one thread."""
    networks, seconds = [], []
    for seed in SEEDS:
        found = recipes.train(recipes.get("seeing-textures"), seed=seed, progress=False)
        networks.append(found.model)
        seconds.append(found.seconds)
    results = {"seeds": [], "gains": [], "dreamers": [], "octaves": {}, "cures": {}, "textures": {}, "sweep": {}}
    results["likelihood"] = {}
    for seed, network in enumerate(networks):
        others = [n for n in networks if n is not network]
        results["seeds"].append({"accuracy": right(network), "seconds": round(seconds[seed], 2)})
        tell(f"seed {seed}: {results['seeds'][-1]}")
        x = torch.cat([landscape(128, seed=s) for s in (seed, seed + 10)])
        results["gains"].append(gains(network, x))
        tell(f"gains: {results['gains'][-1]}")
        results["dreamers"].append(dreamers(network, others[0], untrained(seed), x))
        tell(f"dreamers: {results['dreamers'][-1]}")
        for name, found in {str(n): octaves(network, x, n) for n in OCTAVES}.items():
            results["octaves"].setdefault(name, []).append(found)
        for name, found in cures(network, others, seed).items():
            results["cures"].setdefault(name, []).append(found)
        for name, found in synthesised(network, others, seed).items():
            results["textures"].setdefault(name, []).append(found)
        tell(f"textures: { {name: runs[-1] for name, runs in results['textures'].items()} }")
        for name, found in sweep(network, others[0], seed).items():
            results["sweep"].setdefault(name, []).append(found)
        tell(f"sweep: { {name: runs[-1] for name, runs in results['sweep'].items()} }")
        model = recipes.train(recipes.get("vae-textures"), seed=seed, progress=False).model
        for name, found in likelihoods(network, model, seed).items():
            results["likelihood"].setdefault(name, []).append(found)
        tell(f"likelihood: { {name: runs[-1] for name, runs in results['likelihood'].items()} }")
    results["claims"] = {"C08": verdict(results, networks[0])}
    return results


def right(network: Seer) -> float:
    """Return the share of test textures whose kind a network names."""
    test = recipes.get("seeing-textures").dataset().test
    with torch.no_grad():
        return round(metrics.accuracy(network(test.x), test.c).value, 4)


def untrained(seed: int) -> Seer:
    """Return a network with the weights it began with."""
    return recipes.get("seeing-textures").build(100 + seed).eval()


def noise_like(x: Tensor, changed: Tensor, seed: int = 0) -> Tensor:
    """Return x with noise of the size by which it was changed."""
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    return (x + (changed - x).square().mean().sqrt() * noise).clamp(0, 1)


def gain(network: Seer, layer: str, x: Tensor, changed: Tensor) -> float:
    """Return how many times louder a layer answers to changed pictures, by the mean over pictures."""
    f = loudness(network, layer)
    with torch.no_grad():
        return round((f(changed).mean() / f(x).mean()).item(), 4)


def gains(network: Seer, x: Tensor) -> dict[str, float]:
    """Return how much louder each layer becomes by a dream at each ("layer1, layer2": at 1, in 2), and by noise."""
    found = {}
    for climbed in LAYERS:
        y = dream(loudness(network, climbed), x)
        noisy = noise_like(x, y)
        found |= {f"{climbed}, {heard}": gain(network, heard, x, y) for heard in LAYERS}
        found[f"noise, {climbed}"] = gain(network, climbed, x, noisy)
    return found


def dreamers(network: Seer, other: Seer, blank: Seer, x: Tensor) -> dict[str, float]:
    """Return how much louder a network's layers become by the dreams of another network, trained or not."""
    found = {}
    for layer in LAYERS:
        for name, dreamer in {"another": other, "untrained": blank}.items():
            y = dream(loudness(dreamer, layer), x)
            found[f"{name}, {layer}"] = gain(network, layer, x, y)
    return found


def octaves(network: Seer, x: Tensor, n: int, layer: str = "layer4") -> dict[str, float]:
    """Dream over n octaves with as many steps in all; return gains at full and at quarter size, and the long waves."""
    y = dream(loudness(network, layer), x, octaves=n, steps=TOTAL // n)
    small = [resize(z, x.shape[-1] // 4) for z in (x, y)]
    return {
        "gain": gain(network, layer, x, y),
        "gain at a quarter": gain(network, layer, *small),
        "long waves": round(1 - metrics.shorter_waves(y - x, 16.0), 4),
    }


def called(network: Seer, seed: int, starts: int = 2, **change) -> Tensor:
    """Call up pictures of each kind from noise, shape (10 · starts, 3, 64, 64): climb the kind's log-probability."""
    kinds = torch.arange(starts * len(KINDS)) % len(KINDS)
    start = roughened(torch.full((len(kinds), 3, 64, 64), 0.5), 0.1, seed)
    knobs = BARE | change
    rows = torch.arange(len(kinds))
    return dream(lambda y: network(y).log_softmax(1)[rows, kinds], start, steps=TOTAL // knobs["octaves"], **knobs)


def named(network: Seer, x: Tensor) -> float:
    """Return the share of pictures, of the ten kinds in order, again and again, whose kind a network names."""
    with torch.no_grad():
        return metrics.accuracy(network(x), torch.arange(len(x)) % len(KINDS)).value


def cures(network: Seer, others: list[Seer], seed: int) -> dict[str, dict[str, float]]:
    """Call up each kind with each cure of the noise, and measure; real textures stand last."""
    pictures = {name: called(network, seed, **change) for name, change in CURES.items()}
    pictures["real textures"] = canvases(seed)
    return {name: look(network, others, x) for name, x in pictures.items()}


def look(network: Seer, others: list[Seer], x: Tensor) -> dict[str, float]:
    """Measure pictures of each kind: their short waves, and who names their kinds, also through a blur."""
    return {
        "short waves": round(metrics.shorter_waves(x), 4),
        "itself": named(network, x),
        "itself, blurred": named(network, blur(x, 1.0)),
        "others": sum(named(other, x) for other in others) / len(others),
    }


def canvases(seed: int, draws: int = 2, side: int = 64) -> Tensor:
    """Return textures of each kind, shape (10 · draws, 3, side, side)."""
    numbers = range(draws * len(KINDS))
    return torch.cat([texture(KINDS[k % len(KINDS)], side, seed=100 * seed + 20 + k) for k in numbers])


def synthesised(network: Seer, others: list[Seer], seed: int) -> dict[str, dict[str, float]]:
    """Make each kind of texture anew from noise, by Gram matrices and by baselines; other networks judge."""
    style = canvases(seed)
    return {name: judged(others, x, style) for name, x in made(network, untrained(seed), style, seed).items()}


def made(network: Seer, blank: Seer, style: Tensor, seed: int = 0, layers: tuple[int, ...] = (1, 2, 4)) -> dict:
    """Return pictures by name: the textures, baselines, and syntheses by Gram matrices of some layers, and of all."""
    start = torch.rand(style.shape, generator=torch.Generator().manual_seed(seed))
    found = {
        "the texture": style,
        "pixels shuffled": shuffled_pixels(style, seed),
        "phases by chance": random_phase(style, seed),
    }
    ways = {"untrained": (blank, 6)} | {f"first {n}": (network, n) for n in layers} | {"trained": (network, 6)}
    for name, (by, n) in ways.items():
        *_, (found[name], _, _) = transfer(by, start, style, style_layers=LAYERS[:n], steps=80)
    return found


def judged(others: list[Seer], x: Tensor, style: Tensor) -> dict[str, float]:
    """Return how many of the kinds networks name that had no part in it, and the style distance that they measure."""
    far = []
    with torch.no_grad():
        for other in others:
            goals = {name: gram(maps) for name, maps in activations(other, style, LAYERS).items()}
            far.append(style_distance(activations(other, x, LAYERS), goals).median().item())
    return {
        "named": round(sum(named(other, x) for other in others) / len(others), 4),
        "distance": round(sum(far) / len(far), 4),
    }


def sweep(network: Seer, other: Seer, seed: int, side: int = 96) -> dict[str, dict[str, float]]:
    """Transfer three styles to a landscape at each weight; return the distances, also as another network sees them."""
    x, found = landscape(side, seed=seed), {}
    for by, name, weights in ((network, "", WEIGHTS), (untrained(seed), "untrained, ", WEIGHTS[::2])):
        parts = []
        for kind, number in STYLES:
            style = texture(kind, side, seed=number + 50 * seed)
            start = roughened(x, 0.3, seed).expand(len(weights), -1, -1, -1)
            *_, (y, content, far) = transfer(by, start, style, content=x, weight=torch.tensor(weights), steps=80)
            parts.append(torch.stack([content, far, *seen_by(other, y, x, style)]))
        mean = torch.stack(parts).mean(0)
        for i, weight in enumerate(weights):
            keys = ("content", "style", "content by another", "style by another")
            found[f"{name}{weight:g}"] = {key: round(mean[j, i].item(), 4) for j, key in enumerate(keys)}
    return found


def seen_by(other: Seer, x: Tensor, content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Return the content and the style distance of pictures as another network measures them, (B,) each."""
    with torch.no_grad():
        goals = {name: gram(maps) for name, maps in activations(other, style, LAYERS).items()}
        maps, kept = activations(other, x, LAYERS), activations(other, content, ["layer3"])["layer3"]
        return content_distance(maps["layer3"], kept), style_distance(maps, goals)


def likelihoods(network: Seer, model: Generative, seed: int = 0, layers: tuple[str, ...] = LAYERS) -> dict[str, dict]:
    """Dream test patches at each layer; return the gain, and how many bits a VAE wants for each colour of a pixel."""
    x = recipes.get("vae-textures").dataset().test.x[:200]
    torch.manual_seed(seed)
    found = {}
    for layer in layers:
        y = dream(loudness(network, layer), x, octaves=1, steps=10, step=0.01)
        bits = [bits_of(model, z) for z in (x, y, noise_like(x, y, seed))]
        found[layer] = {"gain": gain(network, layer, x, y)} | dict(zip(("before", "dream", "noise"), bits, strict=True))
    return found


def bits_of(model: Generative, x: Tensor) -> float:
    """Return bits per dimension of pictures by a VAE's bound, on 256 levels."""
    with torch.no_grad():
        elbo = model.elbo((x * 255).round() / 255).mean().item()
    return round(-elbo / x[0].numel() / math.log(2), 4)


def verdict(results: dict, network: Seer) -> str:
    """Put claim C08 in a sentence, from the record's own numbers."""

    def mean(layer: str, key: str) -> float:
        runs = results["likelihood"][layer]
        return sum(run[key] for run in runs) / len(runs)

    parts = [name for name in ("encode", "decode", "elbo", "log_prob", "sample") if hasattr(network, name)]
    worse, layer = sum(mean(layer, "dream") > mean(layer, "before") for layer in LAYERS), "layer4"
    return (
        f"No. DeepDream is gradient ascent on a classifier's activations: the picture changes, no weight does. Of "
        f"encoder, decoder, bound, likelihood and sampling the network has {len(parts)}. A dream at the fourth layer "
        f"makes it answer {mean(layer, 'gain'):.1f} times as loudly, and makes the picture less probable to a VAE: "
        f"{mean(layer, 'dream'):.2f} bits a colour instead of {mean(layer, 'before'):.2f}; likewise at {worse} of "
        f"{len(LAYERS)} layers."
    )
