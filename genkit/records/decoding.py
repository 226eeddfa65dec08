"""The experiments of the chapter on decoding."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from .. import decoding, metrics, recipes
from ..models.ngram import NGram

SOURCES = ("training", "augment", "models.gpt", "models.ngram", "metrics.text", "data.text")
RECIPES = ("gpt-pydocs-small",)
SEEDS = (0, 1, 2)
PROMPT, LENGTH, TEXTS = 32, 128, 24  # characters, characters, texts
ORDER = 6  # of the n-gram that judges
GRAM = 8  # characters in an n-gram that may repeat: a word or two
CURVES: dict[str, dict[str, dict[str, float]]] = {
    "temperature": {f"{t:g}": {"temperature": t} for t in (0.3, 0.5, 0.7, 0.85, 1.0, 1.2)},
    "top-k": {f"{k}": {"top_k": k} for k in (2, 4, 8, 16)},
    "top-p": {f"{p:g}": {"top_p": p} for p in (0.3, 0.5, 0.7, 0.9)},
    "min-p": {f"{p:g}": {"min_p": p} for p in (0.5, 0.2, 0.1, 0.03)},
    "repetition penalty on greedy": {
        f"{r:g}": {"temperature": 0, "repetition_penalty": r} for r in (1.02, 1.05, 1.1, 1.2)
    },
    "frequency penalty on greedy": {
        f"{r:g}": {"temperature": 0, "frequency_penalty": r} for r in (0.05, 0.1, 0.2, 0.4)
    },
}
BEAMS = (3, 8)
HOT, NUCLEUS = 1.5, 0.9  # for the experiment on order


def run(tell: Callable[[str], None]) -> dict:
    """Run all experiments of the chapter at quick scale: about six minutes on one thread."""
    results: dict = {"human": [], "greedy": [], "order": {}, "beams": {}, "top-1": [], "seconds": []}
    results["curves"] = {name: {knob: [] for knob in knobs} for name, knobs in CURVES.items()}
    data = recipes.get("gpt-pydocs-small").dataset()
    prompts, human = pieces(data)
    judge = NGram(ORDER, data.levels).fit(torch.cat([data.train.c[0], data.train.x[:, -1]]))
    for seed in SEEDS:
        start = time.perf_counter()
        model = recipes.train(recipes.get("gpt-pydocs-small"), seed=seed, progress=False).model
        results["seconds"].append(round(time.perf_counter() - start, 1))

        def measured(texts: Tensor, model=model, n: int = TEXTS) -> dict[str, float]:
            return measure(model, judge, prompts[:n], texts)

        results["human"].append(measured(human))
        results["top-1"].append({"share": round(foreseen(model, prompts, human), 4)})
        tell(f"seed {seed}: human {results['human'][-1]}, foreseen {results['top-1'][-1]}")
        torch.manual_seed(seed)
        results["greedy"].append(measured(model.sample(TEXTS, prompts, length=LENGTH, temperature=0)))
        for name, knobs in CURVES.items():
            for knob, rules in knobs.items():
                found = measured(model.sample(TEXTS, prompts, length=LENGTH, **rules))
                results["curves"][name][knob].append(found)
                tell(f"seed {seed}, {name} {knob}: {found}")
        hot, cut = decoding.rules(temperature=HOT), decoding.rules(top_p=NUCLEUS)
        for name, steps in (("temperature, then top-p", hot + cut), ("top-p, then temperature", cut + hot)):
            results["order"].setdefault(name, []).append(measured(write(model, prompts, steps)))
        for beams in BEAMS:
            texts = [decoding.beam_search(model.next, p, LENGTH, beams=beams).tokens for p in prompts]
            results["beams"].setdefault(str(beams), []).append(measured(torch.stack(texts)))
            tell(f"seed {seed}, {beams} beams: {results['beams'][str(beams)][-1]}")
    results["claims"] = {"C01": verdict(results)}
    return results


def pieces(data) -> tuple[Tensor, Tensor]:
    """Cut the held-out text into prompts, shape (TEXTS, PROMPT), and what people wrote after them, (TEXTS, LENGTH)."""
    held = torch.cat([data.test.c[0], data.test.x.flatten()])
    every = held.unfold(0, PROMPT + LENGTH, PROMPT + LENGTH)
    chosen = every[:: len(every) // TEXTS][:TEXTS]
    return chosen[:, :PROMPT], chosen[:, PROMPT:]


def measure(model, judge: NGram, prompts: Tensor, texts: Tensor) -> dict[str, float]:
    """Return how probable texts are, to their own model and to a judge, and how much they repeat and differ."""
    log_p = metrics.continued(model.writer(), prompts, texts)
    judged = judge.log_prob(torch.cat([prompts, texts], 1))[:, prompts.shape[1] :]
    found = {
        "nats": log_p.sum(1).mean().item(),
        "perplexity": metrics.perplexity(log_p).value,
        "judged": metrics.perplexity(judged).value,
        "repeated": metrics.repeated(texts, GRAM).value,
        "distinct": metrics.distinct(texts, GRAM).value,
        "self-BLEU": metrics.self_bleu(texts, GRAM).value,
    }
    return {name: round(value, 4) for name, value in found.items()}


@torch.no_grad()
def write(model, prompts: Tensor, steps: list[decoding.Rule]) -> Tensor:
    """Write after prompts with rules in an order of one's own."""
    writer, tokens = model.writer(), prompts
    for _ in range(LENGTH):
        left = decoding.apply(writer(tokens), tokens, steps).softmax(-1)
        tokens = torch.cat([tokens, torch.multinomial(left, 1)], 1)
    return tokens[:, prompts.shape[1] :]


@torch.no_grad()
def foreseen(model, prompts: Tensor, texts: Tensor) -> float:
    """Return the share of characters in texts that were the model's most probable ones."""
    writer, both, hits = model.writer(), torch.cat([prompts, texts], 1), 0
    for t in range(prompts.shape[1], both.shape[1]):
        hits += (writer(both[:, :t]).argmax(1) == both[:, t]).sum().item()
    return hits / texts.numel()


def verdict(results: dict) -> str:
    """Put claim C01 in a sentence, from the record's own numbers."""

    def mean(runs: list[dict], name: str) -> float:
        return sum(run[name] for run in runs) / len(runs)

    drawn = results["curves"]["temperature"]["1"]
    return (
        "False. A language model gives every token a probability; which one is written, the decoder decides. Always "
        f"writing the most probable repeats {mean(results['greedy'], 'repeated'):.0%} of {GRAM}-character strings, "
        f"drawing {mean(drawn, 'repeated'):.0%}, people {mean(results['human'], 'repeated'):.0%}; of the characters "
        f"that people wrote, {mean(results['top-1'], 'share'):.0%} were the most probable ones."
    )
