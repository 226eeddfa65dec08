"""Short messages, wanted and unwanted, made of a small grammar: the book's own, so that nobody's letters are in it.

They are far more alike than real ones: one author, a few dozen sentence patterns, 200-odd words, no spelling mistakes
and few disguises. What they share with real ones is that hardly a word is certain proof: friends write of parcels and
prizes too and pass advertisements on, and advertisements borrow the words of friends.
"""

import random

import torch

from .dataset import Dataset, digest
from .splits import shuffled
from .wording import word_codec

WANTED, SPAM = 0, 1
CLASSES = ("wanted", "spam")
GRAMMAR: dict[str, tuple[str, ...]] = {
    "wanted": (
        "{hi} {note}", "{note}", "{hi} {note} {bye}", "{note} {bye}", "{note} {note}", "{hi} {odd} {bye}",
        "{hi} look what i got today , {ad} {bye}",
    ),
    "spam": (
        "{hey} {offer}", "{offer} {now}", "{hey} {offer} {now}", "{offer}", "{scare} {now}", "{hi} {sly} {now}",
        "{hi} {note} {ad}",
    ),
    "ad": ("{offer}", "{offer} {now}", "{scare} {now}", "{hey} {offer}"),
    "note": (
        "are you free for {meal} {when} ?", "the meeting is at {hour} {when} .", "can you call {who} {when} ?",
        "your parcel is with the neighbour .", "i will be {late} , please start without me .",
        "{who} won a prize at school !", "could you buy {food} on the way ?", "the {thing} is ready to collect .",
        "i paid for the {thing} , you owe me {small} .", "thanks for the {thing} !", "we are at the {place} {when} .",
        "do not forget the {thing} {when} .", "my new account works , see you {when} .",
        "{who} says the {place} is closed {when} .", "is the {place} still open ?", "please send me the {thing} .",
    ),
    "odd": (  # friends who sound like advertisements
        "free tickets for the {place} {when} , do you want one ?", "i found a cheap {thing} , only {small} !",
        "click the link i sent you , it is so funny .", "the bank called , my card is blocked again .",
        "we won the match , what a prize !",
    ),
    "offer": (
        "you won a {prize} , claim your {gain} .", "cheap {goods} , only {small} !", "get {gain} without any risk .",
        "free {goods} for every new account .", "your name was drawn , the {prize} is yours .",
        "a loan of {big} , no questions .", "earn {big} a week from home .", "{goods} at half price .",
        "your free {prize} is ready to collect .", "double your money in {days} days .",
    ),
    "scare": (
        "your account is blocked .", "your parcel is waiting , pay {small} .", "your card was used {when} .",
        "the bank needs your password .", "your payment of {big} failed .",
    ),
    "sly": (  # advertisements that sound like friends
        "are you free {when} ? i found {goods} for {small} .", "thanks for the call ! the {prize} is ready .",
        "{who} says you want {goods} .", "your parcel is with the bank .", "i paid for your {prize} .",
    ),
    "hi": ("hi {who} ,", "hello ,", "good morning ,", "dear {who} ,"),
    "hey": ("congratulations !", "dear customer ,", "dear friend ,", "hello ,", "last chance !"),
    "bye": ("see you soon .", "thanks !", "love , {who} .", "call me .", "all the best , {who} ."),
    "now": (
        "click the link now .", "reply with your name .", "call now !", "offer ends {when} .", "click here .",
        "send your password .", "reply today .",
    ),
    "who": ("anna", "ben", "clara", "david", "mum", "dad", "the doctor", "the boss"),
    "when": ("today", "tomorrow", "tonight", "on monday", "on friday", "this weekend", "at noon"),
    "hour": ("nine", "ten", "two", "four"),
    "meal": ("lunch", "dinner", "coffee", "a walk"),
    "food": ("bread", "milk", "apples", "some tea"),
    "late": ("late", "a bit late", "ten minutes late", "on the next train"),
    "thing": ("report", "book", "key", "cake", "ticket", "bill", "photo", "form", "phone", "watch"),
    "place": ("library", "station", "school", "garden", "museum", "bank"),
    "goods": ("watches", "phones", "tickets", "holidays", "medicine", "shoes", "software"),
    "prize": ("prize", "car", "phone", "holiday", "voucher", "lottery"),
    "gain": ("cash", "money", "your prize", "a bonus", "ten thousand"),
    "small": ("five", "ten", "twenty"),
    "big": ("ten thousand", "one million", "five thousand"),
    "days": ("two", "ten", "thirty"),
}  # fmt: skip


def write(kind: str, chance: random.Random) -> str:
    """Return a message of a kind, ``"wanted"`` or ``"spam"``, or any other part of the grammar.

    >>> write("bye", random.Random(0))
    'call me .'
    """
    text = chance.choice(GRAMMAR[kind])
    while "{" in text:
        before, rest = text.split("{", 1)
        name, after = rest.split("}", 1)
        text = before + chance.choice(GRAMMAR[name]) + after
    return text


def vocabulary() -> tuple[str, ...]:
    """Return the end of a message, then every word of the grammar in the order of the alphabet."""
    every = (word for options in GRAMMAR.values() for option in options for word in option.split())
    return ("", *sorted({word for word in every if not word.startswith("{")}))


def messages(n: int = 3000, share: float = 0.4, seed: int = 0) -> Dataset:
    """Write n different messages, a share of them spam; eight tenths to learn from.

    Arguments
        n: messages, 10 to 20,000.
        share: of spam, in (0, 1).
        seed: of the grammar's choices and of the split.

    x is int64 of shape (N, T): numbers of words, then 0; c is 0 for a wanted message and 1 for spam. ``encode`` takes a
    text of known words to such a row, and ``decode`` a row to its text.
    """
    if not 10 <= n <= 20_000:
        raise ValueError(f"n: expected 10 … 20,000, received {n}")
    if not 0 < share < 1:
        raise ValueError(f"share: expected a number in (0, 1), received {share}")
    chance, found = random.Random(seed), {}
    spam = round(n * share)
    for kind, wanted in ((SPAM, spam), (WANTED, n - spam)):
        goal = len(found) + wanted
        while len(found) < goal:
            found.setdefault(write(CLASSES[kind], chance), kind)  # a text that both could write belongs to the first
    words = vocabulary()
    length = max(len(text.split()) for text in found) + 1
    encode, decode = word_codec(words, length)
    x, c = torch.stack([encode(text) for text in found]), torch.tensor(list(found.values()))
    splits = shuffled(x, c, seed=seed)
    return Dataset(
        "messages", *splits, shape=(length,), levels=len(words), classes=CLASSES, encode=encode, decode=decode,
        sha256=digest(*splits),
    )  # fmt: skip
