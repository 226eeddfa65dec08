"""The command ``genkit``: words for people on stderr; with ``--json`` one object on stdout.

Exit status 0 when it did what was asked, 2 for input that cannot be used, 1 for a failure on the way.
"""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

# torch takes a second to import, so each command imports what it needs: `genkit --help` answers at once


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for the one object
            result = options.command(options)
    except (ValueError, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        return _complain(error, 2)
    except (OSError, FloatingPointError, RuntimeError) as error:
        return _complain(error, 1)
    except Exception as error:  # a person who trains a model is owed a line, not the depths of the program
        if os.environ.get("GENKIT_DEBUG"):
            raise
        return _complain(f"{type(error).__name__}: {error} (GENKIT_DEBUG=1 shows where)", 1)
    except KeyboardInterrupt:
        return _complain("interrupted; go on with --resume", 130)
    if options.json and result is not None:
        print(json.dumps(result))
    return 0


def train(options: argparse.Namespace) -> dict | None:
    """Train a model on a data set and keep its checkpoints."""
    from . import checkpoint, recipes
    from .data import SETS, load
    from .training import TrainConfig

    if options.resume:
        saved = checkpoint.read(options.out).meta if (options.out / "latest").exists() else None
        if saved:
            options.data, options.family = options.data or saved["data"]["source"], saved["family"]
            options.size = options.size or saved["data"]["options"].get("size")
            options.conditional, options.binarise = saved["conditional"], saved["binarise"]
    source = options.data or "digits"
    source = str(Path(source).resolve()) if Path(source).exists() and source not in SETS else source
    with _processes() as (rank, device):
        sized = {"size": options.size} if options.size is not None else {}
        dataset = load(source, **sized)
        recipe = _recipe(recipes, options, source, dataset)
        changes = {k: v for k in ("steps", "batch", "lr", "precision") if (v := getattr(options, k)) is not None}
        about = {
            "family": recipe.family,
            "arguments": recipe.arguments,
            "conditional": recipe.conditional,
            "binarise": recipe.augment == "binarise",
            "data": {"source": source, "options": sized, "name": dataset.name, "sha256": dataset.sha256},
        }
        keeper = checkpoint.Checkpoints(options.out, about, resume=options.resume)
        if rank == 0:
            _tell(f"{recipe.family} on {dataset.name}: {len(dataset.train)} examples, {device}")
        fit = recipes.train(
            recipe, seed=options.seed, device=options.device or device, keeper=keeper, dataset=dataset,
            progress=rank == 0, save_every=options.save_every, **changes,
        )  # fmt: skip
        if rank:
            return None
    _tell(f"saved in {options.out}")
    config = asdict(TrainConfig(**{**asdict(recipe.config()), "seed": options.seed, **changes}))
    best = {"step": fit.best_step, "score": fit.best_score}
    return {"out": str(options.out), "seconds": round(fit.seconds, 2), "best": best, "config": config}


def sample(options: argparse.Namespace) -> dict:
    """Draw samples from a trained model and save them: images as one .png, signals as rows of a .csv, text as .txt."""
    import torch

    from .pictures import save_grid, save_rows
    from .tokens import TokenModel

    model, meta = _restore(options.model)
    torch.manual_seed(options.seed)
    knobs = {k: v for k in ("length", "temperature", "top_p") if (v := getattr(options, k)) is not None}
    if isinstance(model, TokenModel):
        return _write(model, meta, knobs, options)
    for name, value in {"prompt": options.prompt, **knobs}.items():
        if value is not None:
            raise ValueError(f"--{name.replace('_', '-')}: expected a model of text for it, received {meta['family']}")
    if not hasattr(model, "sample"):
        raise ValueError(f"MODEL: expected one that draws, received {meta['family']}, which judges pictures")
    c = None
    if options.label is not None:
        c = torch.tensor([options.label])
    x = model.sample(options.n, c)
    out = options.out or Path("samples.png")
    (save_rows if x.ndim == 2 else save_grid)(x, out)
    _tell(f"{options.n} samples of step {meta['step']} in {out}")
    return {"out": str(out), "n": options.n, "step": meta["step"]}


def _write(model, meta: dict, knobs: dict, options: argparse.Namespace) -> dict:
    """Write texts after the prompt, with a line of dashes between them."""
    from . import files
    from .data import load

    dataset = load(meta["data"]["source"], **meta["data"]["options"])
    if options.n < 1:
        raise ValueError(f"-n: expected at least 1, received {options.n}")
    if options.prompt == "":
        raise ValueError("--prompt: expected at least one character, received none")
    c = None if options.prompt is None else dataset.encode(options.prompt)[None].to(model.device)
    x = model.sample(options.n, c, **knobs)
    written = "\n-----\n".join((options.prompt or "") + dataset.decode(row) for row in x)
    out = options.out or Path("samples.txt")
    with files.atomic(out) as temporary:
        temporary.write_text(written + "\n", encoding="utf-8")
    _tell(f"{options.n} texts of step {meta['step']} in {out}")
    return {"out": str(out), "n": options.n, "step": meta["step"]}


def evaluate(options: argparse.Namespace) -> dict:
    """Measure a trained model on the test data, beside a baseline."""
    import torch

    from . import metrics
    from .data import load

    model, meta = _restore(options.model)
    dataset = load(options.data) if options.data else load(meta["data"]["source"], **meta["data"]["options"])
    if dataset.sha256 != meta["data"]["sha256"]:
        _tell(f"note: the model was trained on other data than {dataset.name}")
    torch.manual_seed(options.seed)
    x, c = dataset.test.x, dataset.test.c if meta["conditional"] else None
    if options.limit:
        x, c = x[: options.limit], None if c is None else c[: options.limit]
    # of Boltzmann machines, the units of a picture are coins; tossing leaves pixels alone that are 0 or 1 already
    coins = hasattr(model, "machine") and dataset.levels is not None
    binary = coins or meta["arguments"].get("pixels") == "bernoulli"
    x = torch.bernoulli(x) if binary else x
    found = {}
    if model.likelihood == "bound":
        found["elbo"] = metrics.elbo(model, x, c)
        if hasattr(model, "iwae"):
            found["iwae"] = metrics.iwae(model, x, c, k=options.k)
        levels = 2 if binary else dataset.levels
        train_x = torch.bernoulli(dataset.train.x) if binary else dataset.train.x
        found["independent pixels"] = metrics.IndependentPixels(levels=levels).fit(train_x).evaluate(x)
    elif model.likelihood == "exact":
        found["log_prob"] = metrics.log_prob(model, x, c)
        if dataset.decode is not None and not x.is_floating_point():
            characters = sum(len(dataset.decode(row)) for row in x) / len(x)
            bits = metrics.bits_per_dim(found["log_prob"], characters)
            found["per character"] = replace(bits, unit="bits/character")
    elif hasattr(model, "machine"):
        found["ais"] = metrics.ais(model, x)
    for name, estimate in found.items():
        _tell(f"{name:>20}  {estimate} ({estimate.kind})")
    return {name: asdict(estimate) for name, estimate in found.items()}


def record(options: argparse.Namespace) -> dict:
    """Run a chapter's experiments over seeds and write its record."""
    from . import record as records

    path = records.write(options.chapter, full=options.full, tell=_tell)
    return {"out": str(path)}


def bench(options: argparse.Namespace) -> dict:
    """Time a piece of genkit against the same thing written out, or against other libraries."""
    from . import bench as benches

    given = {name: getattr(options, name) for name in ("data", "scale", "seconds")}
    result = benches.run(options.name, **{name: value for name, value in given.items() if value is not None})
    for name, value in result.items():
        _tell(f"{value:>12.4g}  {name}")
    return result


def data(options: argparse.Namespace) -> list[dict]:
    """List the data sets, or describe one."""
    from .data import describe

    listing = describe(options.name)
    for row in listing:
        _tell(f"{row['name']:>16}  {row['what']}")
    return listing


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="genkit", description="Train, sample and measure the models of the book.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, **options) -> argparse.ArgumentParser:
        sub = commands.add_parser(function.__name__, help=function.__doc__, description=function.__doc__, **options)
        sub.set_defaults(command=function)
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        return sub

    sub = command(train)
    sub.add_argument("family", help="the family of the model, such as vae")
    sub.add_argument("--data", help="the name of a data set, or a path to your own (default: digits)")
    sub.add_argument("--out", type=Path, required=True, help="the folder for the checkpoints")
    sub.add_argument("--resume", action="store_true", help="go on with the checkpoint in --out")
    sub.add_argument("--conditional", action="store_true", help="give the model the classes of the data")
    sub.add_argument("--binarise", action="store_true", help="toss a coin for every pixel, anew in every step")
    sub.add_argument("--size", type=int, help="crop and resize a folder of pictures to this side, in pixels")
    sub.add_argument("--steps", type=int, help="optimiser steps")
    sub.add_argument("--batch", type=int, help="examples in a step")
    sub.add_argument("--lr", type=float, help="learning rate")
    sub.add_argument("--precision", choices=("float32", "bf16"), help="bf16 runs the forward pass in 16 bits")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    sub.add_argument("--save-every", type=int, default=500, help="steps between two checkpoints")

    sub = command(sample)
    sub.add_argument("model", type=Path, help="a folder that `genkit train` wrote")
    sub.add_argument("-n", type=int, default=64, help="how many")
    sub.add_argument("--out", type=Path, help="the file to write (default: samples.png, or samples.txt for text)")
    sub.add_argument("--label", type=int, help="the class to draw, for a conditional model")
    sub.add_argument("--prompt", help="what a text begins with")
    sub.add_argument("--length", type=int, help="tokens to write (default: as many as a prediction sees)")
    sub.add_argument("--temperature", type=float, help="below 1 more of the probable, above 1 less")
    sub.add_argument("--top-p", type=float, help="draw among the likeliest tokens that have this probability together")
    sub.add_argument("--seed", type=int, default=0)

    sub = command(evaluate)
    sub.add_argument("model", type=Path, help="a folder that `genkit train` wrote")
    sub.add_argument("--data", help="other data than it was trained on")
    sub.add_argument("-k", type=int, default=500, help="samples of the importance-weighted bound")
    sub.add_argument("--limit", type=int, help="use the first so many test examples")
    sub.add_argument("--seed", type=int, default=0)

    sub = command(record)
    sub.add_argument("chapter", help="such as models/vae")
    sub.add_argument("--full", action="store_true", help="the full-scale experiments too (hours without a GPU)")

    sub = command(bench)
    sub.add_argument("name", help="such as step, gpt, flow")
    sub.add_argument("--data", help="for gpt: a text; for families: MNIST's folder. Other data than the usual")
    sub.add_argument("--scale", help="for families: quick (default) or full")
    sub.add_argument("--seconds", type=float, help="for families: of training, for each of them and each seed")

    sub = command(data)
    sub.add_argument("name", nargs="?", help="one data set instead of all")
    return parser


def _recipe(recipes, options: argparse.Namespace, source: str, dataset):
    """The book's recipe where it has one for this family and data; otherwise one that suits the data."""
    named = recipes.RECIPES.get(f"{options.family}-{source}")
    if named is None or not named.conditional:  # text is always given what stands before it
        named = recipes.RECIPES.get(f"{options.family}-{source}" + ("-conditional" if options.conditional else ""))
    if named and (named.augment == "binarise" or not options.binarise):
        return named
    return recipes.suited(
        options.family, source, dataset, conditional=options.conditional, binarise=options.binarise
    )  # fmt: skip


def _restore(folder: Path):
    from . import checkpoint, recipes

    saved = checkpoint.read(folder)
    model = recipes.build(saved.meta["family"], **saved.meta["arguments"])
    return checkpoint.load_weights(model, saved), saved.meta


@contextlib.contextmanager
def _processes() -> Iterator[tuple[int, str]]:
    """Join the other processes that torchrun started, if it did; yield this one's rank and device."""
    import torch
    import torch.distributed as dist

    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0, device
        return
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield dist.get_rank(), device
    finally:
        dist.destroy_process_group()


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _complain(error: object, status: int) -> int:
    _tell("genkit: " + " ".join(str(error).split()))
    return status
