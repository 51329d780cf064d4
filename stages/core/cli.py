"""The command line that all stages share."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
import re

from stages.core.errors import UserError


def parser(description: str | None) -> ArgumentParser:
    """A parser for a stage: every stage has `--params`."""
    made = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    made.add_argument("--params", type=Path, default=Path("params.yaml"), help="the parameters (params.yaml)")
    return made


def add_task(made: ArgumentParser) -> None:
    """The task the stage works on."""
    made.add_argument("task", help="name of the task")


def add_round(made: ArgumentParser) -> None:
    """The round the stage works on."""
    made.add_argument("round", help="name of the round, such as round_0")


def add_conditions(made: ArgumentParser) -> None:
    """What the worlds of the stage are drawn from."""
    made.add_argument("--conditions", type=Path, help="file of `randomize` (.json; otherwise as the parameters say)")


def round_number(name: str) -> int:
    """3 of `round_3`; UserError for anything but the name of a round."""
    if not re.fullmatch(r"round_(0|[1-9][0-9]*)", name):
        raise UserError(f"round: found {name}, allowed: round_0, round_1, ...")
    return int(name.removeprefix("round_"))
