"""Endurance: `python -m tests.endurance NAME [COUNT]` runs one of the scripts and writes reports/endurance/NAME.csv.

For `same`, COUNT is the word small, or nothing.

They take minutes to an hour, so pytest does not run them.
"""

from argparse import ArgumentParser
from importlib import import_module

import stages  # noqa: F401  # sets what must be set before numpy is imported

NAMES = ("rot", "fuzz", "kills", "same", "sharing", "experiments")


def main() -> None:
    """Command line."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("count", nargs="?", help="how much to try (as in the committed table)")
    arguments = parser.parse_args()
    run = import_module(f"tests.endurance.{arguments.name}").main
    run() if arguments.count is None else run(arguments.count == "small" or int(arguments.count))


if __name__ == "__main__":
    main()
