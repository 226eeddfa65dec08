"""Shopping baskets in which ten rules are planted, so that what a miner finds can be held against the truth.

Every item is put in by its own coin. Then, where a basket holds what a rule asks for, another coin may add what the
rule promises. Nothing else ties items together: any other rule that is found was found by chance.
"""

from itertools import pairwise

import torch
from torch import Tensor

from .dataset import Dataset, Split, digest

RULES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("flour",), "yeast"),
    (("pasta",), "pesto"),
    (("beer",), "crisps"),
    (("tea",), "lemons"),
    (("paint",), "brushes"),
    (("nappies",), "wipes"),
    (("torch",), "batteries"),
    (("bread", "cheese"), "grapes"),
    (("rice", "fish"), "ginger"),
    (("eggs", "bacon"), "chives"),
)
"""What is planted: who buys all of the first also buys the second, more often than others do."""
FOLLOWS = 0.6  # how often a basket with what a rule asks for gets what it promises, its own coin apart
COMMON = (
    "bread", "milk", "cheese", "eggs", "rice", "fish", "bacon", "apples", "butter", "coffee", "water", "yoghurt",
)  # fmt: skip
USUAL = (
    "flour", "pasta", "beer", "tea", "paint", "nappies", "torch", "sugar", "salt", "onions", "carrots", "soap",
    "honey", "olives", "juice", "nuts",
)  # fmt: skip
RARE = (
    "candles", "string", "matches", "vinegar", "mustard", "stamps", "sponges", "buttons", "saffron", "capers", "glue",
    "shoelaces",
)  # fmt: skip
PROMISED = tuple(promised for _, promised in RULES)
ITEMS = (*COMMON, *USUAL, *PROMISED, *RARE)
RATES = {**dict.fromkeys(COMMON, 0.25), **dict.fromkeys(USUAL, 0.08), **dict.fromkeys(PROMISED, 0.12),
         **dict.fromkeys(RARE, 0.01)}  # fmt: skip
"""How often an item's own coin puts it into a basket."""


def fill(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw n baskets: the items in each, 0 or 1 of shape (n, items), and the rules that added theirs, (n, rules)."""
    rates = torch.tensor([RATES[item] for item in ITEMS])
    x = torch.rand(n, len(ITEMS), generator=generator) < rates
    fired = []
    for asked, promised in RULES:
        ready = x[:, [ITEMS.index(item) for item in asked]].all(1)
        fired.append(ready & (torch.rand(n, generator=generator) < FOLLOWS))
        x[:, ITEMS.index(promised)] |= fired[-1]
    return x.float(), torch.stack(fired, 1)


def baskets(n: int = 8000, seed: int = 0) -> Dataset:
    """Draw n baskets of 50 kinds of item; half to learn from, a tenth to choose by, and the rest to be judged on.

    Arguments
        n: baskets, at least 10.
        seed: of all coins.

    x holds 0 and 1, float32 of shape (N, 50). ``factors["rule"]`` tells which planted rule added its item, bool of
    shape (N, 10), in the order of ``RULES``. ``encode`` takes a text such as ``"bread, milk"`` to a row, ``decode`` a
    row to such a text.
    """
    if n < 10:
        raise ValueError(f"n: expected at least 10, received {n}")
    x, fired = fill(n, torch.Generator().manual_seed(seed))
    held = n // 10
    edges = (0, n // 2, n // 2 + held, n)
    splits = [Split(x[a:b], None, {"rule": fired[a:b]}) for a, b in pairwise(edges)]

    def encode(text: str) -> Tensor:
        named = [item.strip() for item in text.split(",") if item.strip()]
        if unknown := sorted(set(named) - set(ITEMS)):
            raise ValueError(f"text: expected known items between commas, received {', '.join(unknown)}")
        row = torch.zeros(len(ITEMS))
        row[[ITEMS.index(item) for item in named]] = 1
        return row

    def decode(row: Tensor) -> str:
        return ", ".join(item for item, there in zip(ITEMS, row.tolist(), strict=True) if there)

    return Dataset(
        "baskets", *splits, shape=(len(ITEMS),), levels=2, encode=encode, decode=decode, sha256=digest(*splits)
    )  # fmt: skip
