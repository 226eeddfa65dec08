"""The verdicts on claims: sentences whose numbers, and whose outcome, come from a chapter's record."""

from collections.abc import Callable
from statistics import fmean


def mean(rows: list[dict], name: str) -> float:
    """Return the mean over seeds of one number of an experiment."""
    return fmean(row[name] for row in rows)


def blur(results: dict) -> str:
    """C03: are the pictures of a VAE blurred because a VAE is probabilistic?"""
    drawn = mean(results["seeds"], "sharpness of samples")
    averaged = mean(results["seeds"], "sharpness of mean samples")
    small, large = min(results["beta"], key=float), max(results["beta"], key=float)
    kept = {b: mean(results["beta"][b], "sharpness of reconstructions") for b in (small, large)}
    refuted = averaged < 1 <= drawn and kept[large] < kept[small]
    return " ".join([
        "Not for that reason." if refuted else "Not settled by our numbers.",
        f"On digits, the decoder's mean picture has {averaged:.2f} of the sharpness of the data, and a picture drawn",
        f"pixel by pixel from the same decoder has {drawn:.2f}. Averaging over what is possible makes it smooth.",
        f"How smooth depends on β: reconstructions keep {kept[small]:.2f} at β = {float(small):g},",
        f"and {kept[large]:.2f} at β = {float(large):g}.",
    ])  # fmt: skip


VERDICTS: dict[str, Callable[[dict], str]] = {"C03": blur}


def verdict(claim: str, results: dict) -> str | None:
    """Return the verdict on a claim: the record's own words, else words made of its numbers, else None."""
    own = results.get("claims", {}).get(claim)
    if own or claim not in VERDICTS:
        return own
    try:
        return VERDICTS[claim](results)
    except (KeyError, ValueError):  # the record does not hold the experiment (yet)
        return None
