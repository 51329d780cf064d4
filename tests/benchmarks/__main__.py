"""Benchmarks: `python -m tests.benchmarks NAME` measures and writes reports/benchmarks/NAME.csv; without NAME, all.

They take minutes each and want a quiet machine, so pytest does not run them. What is compared is measured in turns in
one run, and told as a ratio.
"""

from argparse import ArgumentParser
from importlib import import_module

import stages  # noqa: F401  # sets what must be set before numpy is imported
from tests.benchmarks.figures import write_figures

NAMES = ("rollout", "neighbors", "tables", "compute", "startup", "whole", "library")


def main() -> None:
    """Command line."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=NAMES, nargs="?")
    wanted = parser.parse_args().name
    for name in [wanted] if wanted else NAMES:
        write_figures(name, import_module(f"tests.benchmarks.{name}").measure())


if __name__ == "__main__":
    main()
