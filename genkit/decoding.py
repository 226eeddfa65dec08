"""From the logits of a language model to text: pure functions of logits, and three ways to use them.

A *rule* takes logits of shape (B, V) and the tokens so far, (B, T), and returns logits; a token it forbids gets −∞.
Rules are applied in the order in which they are listed; the customary one is penalties, temperature, then cuts.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .names import unknown

Rule = Callable[[Tensor, Tensor], Tensor]
Model = Callable[[Tensor], Tensor]
"""``model(tokens)``: from tokens of shape (B, T) to logits of the next one, (B, V)."""


def temperature(logits: Tensor, t: float) -> Tensor:
    """Divide logits by t ≥ 0: below 1 the probable gets more probable, above 1 less; 0 leaves the most probable alone.

    >>> temperature(torch.tensor([[1.0, 2.0]]), 0.5)
    tensor([[2., 4.]])
    """
    if not 0 <= t < math.inf:
        raise ValueError(f"temperature: expected a finite number >= 0, received {t}")
    return top_k(logits, 1) if t == 0 else logits / t


def top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k largest logits (Fan et al. 2018); of equal ones those that come first. A k beyond V keeps all."""
    if k < 1:
        raise ValueError(f"top_k: expected at least 1, received {k}")
    if k >= logits.shape[-1]:
        return logits
    return _keep(logits, _rank(logits) < k)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the fewest tokens that together have probability p in (0, 1], likeliest first (Holtzman et al. 2020)."""
    if not 0 < p <= 1:
        raise ValueError(f"top_p: expected a number in (0, 1], received {p}")
    if p == 1:
        return logits
    order = logits.argsort(dim=-1, descending=True, stable=True)
    mass = logits.softmax(-1).gather(-1, order).double().cumsum(-1)
    before = mass.roll(1, -1)
    before[..., 0] = 0
    kept = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before < p)
    return _keep(logits, kept)


def min_p(logits: Tensor, p: float) -> Tensor:
    """Keep tokens at least p in (0, 1] times as probable as the most probable one (Nguyen et al. 2025)."""
    if not 0 < p <= 1:
        raise ValueError(f"min_p: expected a number in (0, 1], received {p}")
    return _keep(logits, logits >= logits.amax(-1, keepdim=True) + math.log(p))


def repetition_penalty(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Divide positive logits of tokens seen before by ``penalty`` > 0, multiply negative ones (Keskar et al. 2019)."""
    if not 0 < penalty < math.inf:
        raise ValueError(f"repetition_penalty: expected a number above 0, received {penalty}")
    changed = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(_counts(logits, tokens) > 0, changed, logits)


def presence_penalty(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Take ``penalty`` from the logit of every token that was seen before."""
    return logits - _finite("presence_penalty", penalty) * (_counts(logits, tokens) > 0)


def frequency_penalty(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Take ``penalty`` from the logit of a token for every time that it was seen before."""
    return logits - _finite("frequency_penalty", penalty) * _counts(logits, tokens)


RULES: dict[str, Callable[..., Tensor]] = {
    "repetition_penalty": repetition_penalty, "presence_penalty": presence_penalty,
    "frequency_penalty": frequency_penalty, "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p,
}  # fmt: skip
"""Every rule by its name, in the customary order."""


def rules(**knobs: float) -> list[Rule]:
    """Return the named rules in the customary order, whatever the order in which they are given.

    >>> [made] = rules(temperature=2.0)
    >>> made(torch.tensor([[2.0, 4.0]]), torch.tensor([[0]]))
    tensor([[1., 2.]])
    """
    for name in knobs:
        if name not in RULES:
            raise unknown("rules", name, RULES)
    return [_rule(name, knobs[name]) for name in RULES if name in knobs]


def apply(logits: Tensor, tokens: Tensor, steps: Sequence[Rule]) -> Tensor:
    """Apply rules one after the other. Raises ``ValueError`` where no token is left to choose."""
    for step in steps:
        logits = step(logits, tokens)
    if (logits == -math.inf).all(-1).any() or logits.isnan().any():
        raise ValueError("logits: expected at least one token to choose from, received −∞ or NaN for all")
    return logits


@dataclass(frozen=True)
class Written:
    """What was written after the prompt, and how probable it was.

    Arguments
        tokens: int64 of shape (T,).
        log_probs: log p of each under the model itself, in nats, shape (T,).
        chosen: log p of each under the distribution that it was drawn from, shape (T,).
    """

    tokens: Tensor
    log_probs: Tensor
    chosen: Tensor


@torch.no_grad()
def write(
    model: Model, prompt: Tensor, length: int, steps: Sequence[Rule] = (), *, greedy: bool = False,
    stop: Callable[[Tensor], bool] | None = None, generator: torch.Generator | None = None,
) -> Written:  # fmt: skip
    """Write up to ``length`` tokens after a prompt, by drawing each from what the rules leave, or the likeliest.

    Arguments
        model: logits of the next token.
        prompt: int64 of shape (T,), at least one token.
        length: at most so many tokens.
        steps: rules, such as ``rules(temperature=0.8, top_p=0.95)``.
        greedy: take the most probable token instead of drawing.
        stop: is told what was written so far; writing ends where it says so.
        generator: the source of chance.
    """
    tokens = _prompt(prompt)
    if length < 1:
        raise ValueError(f"length: expected at least 1, received {length}")
    own, chosen = [], []
    for _ in range(length):
        logits = model(tokens)
        left = apply(logits, tokens, steps).log_softmax(-1)
        token = left.argmax(-1, keepdim=True) if greedy else torch.multinomial(left.exp(), 1, generator=generator)
        own.append(logits.log_softmax(-1).gather(-1, token))
        chosen.append(left.gather(-1, token))
        tokens = torch.cat([tokens, token], 1)
        if stop is not None and stop(tokens[0, len(prompt) :]):
            break
    return Written(tokens[0, len(prompt) :], torch.cat(own, 1)[0], torch.cat(chosen, 1)[0])


@torch.no_grad()
def beam_search(
    model: Model, prompt: Tensor, length: int, *, beams: int, end: int | None = None, alpha: float = 0.0
) -> Written:
    """Look for the most probable continuation of ``length`` tokens, keeping the best ``beams`` beginnings at each step.

    Arguments
        end: a token that ends a text before its length; ended texts wait for the others.
        alpha: scores are divided by tokens ** alpha: 0 compares log-probabilities, 1 their means (cf. Wu et al. 2016,
            eq. 14).
    """
    tokens = _prompt(prompt)
    if length < 1 or beams < 1:
        raise ValueError(f"length, beams: expected at least 1, received {length} and {beams}")
    live, done = [(0.0, tokens[0], [])], []
    for _ in range(length):
        log_p = model(torch.stack([t for _, t, _ in live])).log_softmax(-1)
        found = [
            (score + log_p[i, token].item(), torch.cat([text, token[None]]), [*each, log_p[i, token].item()])
            for i, (score, text, each) in enumerate(live)
            for token in log_p[i].topk(min(beams, log_p.shape[1])).indices
        ]
        found.sort(key=lambda entry: -entry[0])
        done += [entry for entry in found[:beams] if entry[1][-1] == end]
        live = [entry for entry in found if entry[1][-1] != end][:beams]
        if not live:
            break
    _, best, each = max(done + live, key=lambda entry: entry[0] / len(entry[2]) ** alpha)
    log_probs = torch.tensor(each)
    return Written(best[len(prompt) :], log_probs, log_probs)


def stop_at(strings: Sequence[str], decode: Callable[[Tensor], str]) -> Callable[[Tensor], bool]:
    """Return a ``stop`` that ends the writing when the text so far ends with one of ``strings``."""
    if not strings or not all(strings):
        raise ValueError(f"strings: expected at least one, none of them empty, received {list(strings)}")
    return lambda tokens: decode(tokens).endswith(tuple(strings))


def _rule(name: str, value: float) -> Rule:
    function = RULES[name]
    if name.endswith("penalty"):
        return lambda logits, tokens: function(logits, tokens, value)
    return lambda logits, tokens: function(logits, value)


def _keep(logits: Tensor, kept: Tensor) -> Tensor:
    return logits.masked_fill(~kept, -math.inf)


def _rank(logits: Tensor) -> Tensor:
    """Return the place of each logit among those of its row, the largest at 0; of equal ones the first is first."""
    return logits.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)


def _counts(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return how often each token was seen, shape of the logits."""
    ones = torch.ones_like(tokens, dtype=logits.dtype)
    return torch.zeros_like(logits).scatter_add(-1, tokens, ones)


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, received {value}")
    return value


def _prompt(prompt: Tensor) -> Tensor:
    if prompt.ndim != 1 or len(prompt) == 0:
        raise ValueError(f"prompt: expected at least one token, shape (T,), received {tuple(prompt.shape)}")
    return prompt[None]
