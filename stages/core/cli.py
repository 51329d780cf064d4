"""The command line that all stages share."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable
from pathlib import Path
import re
import sys

from stages.core.errors import UserError
from stages.core.files import check_writable


def plain_parser(description: str | None) -> ArgumentParser:
    """A parser for a command, which it calls as a user does: python -m stages.NAME."""
    spec = sys.modules["__main__"].__spec__
    program = f"python -m {spec.name}" if spec and spec.name.startswith("stages.") else None
    return ArgumentParser(prog=program, description=description, formatter_class=RawDescriptionHelpFormatter)


def parser(description: str | None) -> ArgumentParser:
    """A parser for a stage: every stage has `--params`."""
    made = plain_parser(description)
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


def new_file(*suffixes: str) -> Callable[[str], Path]:
    """Reads an option (its `type`) that names a file to be written, ending in one of the `suffixes` if there are any.

    UserError where it cannot be written: now, as the command begins, and not after all its work.
    """

    def read(text: str) -> Path:
        path = Path(text)
        if suffixes and path.suffix not in suffixes:
            found = path.suffix or "nothing"
            raise UserError(f"{path}: found a file ending in {found}, allowed: {', '.join(suffixes)}")
        check_writable(path)
        return path

    return read


def new_folder(*holds: str) -> Callable[[str], Path]:
    """Reads an option (its `type`) that names a folder to be written, of files of these patterns alone, likewise."""

    def read(text: str) -> Path:
        path = Path(text)
        check_writable(path, holds)
        return path

    return read


def refuse(made: ArgumentParser, arguments: Namespace, names: Iterable[str], where: str) -> None:
    """UserError where one of these options was given, which do nothing `where` they are."""
    for name in names:
        if getattr(arguments, name) != made.get_default(name):
            raise UserError(f"--{name.replace('_', '-')}: has no effect {where}")


def round_number(name: str) -> int:
    """3 of `round_3`; UserError for anything but the name of a round."""
    if not re.fullmatch(r"round_(0|[1-9][0-9]*)", name):
        raise UserError(f"round: found {name}, allowed: round_0, round_1, ...")
    return int(name.removeprefix("round_"))
