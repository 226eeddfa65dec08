"""``python -m genkit.exercises stubs`` and ``… solutions OUT``."""

import argparse
from pathlib import Path

from .notebooks import write_solutions, write_stubs


def main(arguments: list[str] | None = None) -> None:
    """Write the stubs into the notebooks, or the instructor's copy of them; print what was written."""
    parser = argparse.ArgumentParser(prog="python -m genkit.exercises", description="Stubs and solutions of notebooks.")
    commands = parser.add_subparsers(dest="command", required=True)
    stubs = commands.add_parser("stubs", help="write every exercise's stub into the notebooks")
    solutions = commands.add_parser("solutions", help="copy the notebooks, with solutions in place of stubs")
    for command in (stubs, solutions):
        command.add_argument("--notebooks", type=Path, default=Path("notebooks"), help="folder (default: notebooks)")
    solutions.add_argument("out", type=Path, help="folder to write to")
    given = parser.parse_args(arguments)
    if not given.notebooks.is_dir():
        parser.error(f"--notebooks: expected a folder, received {given.notebooks}")
    paths = write_stubs(given.notebooks) if given.command == "stubs" else write_solutions(given.notebooks, given.out)
    for path in paths:
        print(path)


if __name__ == "__main__":
    main()
