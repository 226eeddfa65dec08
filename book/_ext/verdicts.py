"""The verdicts on claims: sentences whose numbers, and whose outcome, come from a chapter's record."""

from collections.abc import Callable
from statistics import fmean


def mean(rows: list[dict], name: str) -> float:
    """Return the mean over seeds of one number of an experiment."""
    return fmean(row[name] for row in rows)


def blur(results: dict) -> str:
    """C03: are the pictures of a VAE blurred because a VAE is probabilistic?"""
    sharp = {name: mean(runs, "reconstructions") for name, runs in results["blur"].items()}
    short, long = "2 numbers", "32 numbers"
    plain, ours = {n: sharp[f"{n}, β = 0"] for n in (short, long)}, {n: sharp[f"{n}, β = 1"] for n in (short, long)}
    code_matters = ours[long] - ours[short] > abs(ours[short] - plain[short])
    chance_matters = plain[long] > 1.1 * ours[long]
    share = "some of it, where the code is long" if chance_matters else "none of it"
    return " ".join([
        "Wrong about the main reason." if code_matters else "Not settled by our numbers.",
        f"Letters coded in 2 numbers keep {ours[short]:.0%} of their sharpness in a VAE, and {plain[short]:.0%} in an",
        "autoencoder without chance. Blur is first of all an average over what the code leaves out: 32 numbers raise",
        f"the VAE to {ours[long]:.0%}. Chance explains {share}: without it, 32 numbers keep {plain[long]:.0%}.",
    ])  # fmt: skip


def kl_term(results: dict) -> str:
    """C22: does the KL term compare the codes with the distribution of the data?

    The first half is the formula's; the second is asserted by a cell of the chapter, so that the chapter fails where it
    stops being true.
    """
    return (
        "False as stated. The term compares the posterior of one example with the prior; the distribution of the data "
        "does not enter it. Nor does it make the codes of all examples together follow the prior: in the chapter, a "
        "classifier tells the two apart."
    )


VERDICTS: dict[str, Callable[[dict], str]] = {"C03": blur, "C22": kl_term}


def verdict(claim: str, results: dict) -> str | None:
    """Return the verdict on a claim: the record's own words, else words made of its numbers, else None."""
    own = results.get("claims", {}).get(claim)
    if own or claim not in VERDICTS:
        return own
    try:
        return VERDICTS[claim](results)
    except (KeyError, ValueError):  # the record does not hold the experiment (yet)
        return None
