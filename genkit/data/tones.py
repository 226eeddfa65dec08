"""Sounds made by formula: notes and vowel-like tones, whose pitch and kind are known."""

import math

import torch

from .dataset import Dataset, digest
from .splits import shuffled

RATE, LEVELS = 4000, 256  # samples a second; grey levels, so to speak, of a sample
# for each kind: how strong its harmonics are. A vowel is a set of resonances, its formants (Peterson & Barney 1952)
FORMANTS = {"a": (730, 1090), "i": (270, 1900), "u": (300, 870)}
KINDS = ("flute", "string", *FORMANTS)


def tones(n: int = 1500, samples: int = 512, notes: int | None = None, seed: int = 0) -> Dataset:
    """Draw n tones of ``samples`` samples at 4,000 a second, with pitches from 110 to 330 Hz.

    Arguments
        n: how many, at least 10.
        samples: of a tone, at least 2.
        notes: so many pitches, evenly spread to the ear; None for any pitch.
        seed: of kinds, pitches, phases, loudness, noise and the split.

    x holds numbers in [0, 1] on 256 levels, shape (N, samples), silence at a half; c is the kind (flute, string, or one
    of three vowels) and ``factors["pitch"]`` the fundamental in Hz.
    """
    if n < 10 or samples < 2:
        raise ValueError(f"n, samples: expected at least 10 and 2, received {n} and {samples}")
    if notes is not None and notes < 1:
        raise ValueError(f"notes: expected at least 1, received {notes}")
    generator = torch.Generator().manual_seed(seed)
    kind = torch.randint(len(KINDS), (n,), generator=generator)
    place = torch.rand(n, generator=generator)
    if notes is not None:
        place = (place * notes).floor() / notes
    pitch = 110 * 3**place  # Hz: every interval as often, as an ear hears it
    harmonic = torch.arange(1, 18)
    frequency = pitch[:, None] * harmonic  # (n, 17)
    strength = torch.zeros(n, len(harmonic))
    strength[kind == 0] = torch.tensor([1.0, 0.25, 0.08] + [0.0] * 14)
    strength[kind == 1] = 1.0 / harmonic
    for i, formants in enumerate(FORMANTS.values(), start=2):
        resonance = sum(torch.exp(-(((frequency - f) / 120) ** 2) / 2) for f in formants)
        strength[kind == i] = (0.15 / harmonic + resonance)[kind == i]
    strength = strength * (frequency < RATE / 2)  # nothing above half the rate: it would come back as another tone
    phase = 2 * math.pi * torch.rand(n, len(harmonic), generator=generator)
    t = torch.arange(samples) / RATE
    wave = (strength[..., None] * torch.sin(2 * math.pi * frequency[..., None] * t + phase[..., None])).sum(1)
    loud = 0.3 + 0.6 * torch.rand(n, 1, generator=generator)
    wave = loud * wave / wave.abs().amax(1, keepdim=True) + 0.005 * torch.randn(wave.shape, generator=generator)
    x = ((wave.clamp(-1, 1) + 1) / 2 * (LEVELS - 1)).round() / (LEVELS - 1)
    splits = shuffled(x, kind, seed=seed)
    for split, other in zip(splits, shuffled(pitch, seed=seed), strict=True):
        split.factors["pitch"] = other.x
    return Dataset("tones", *splits, shape=(samples,), levels=LEVELS, classes=KINDS, sha256=digest(*splits))
