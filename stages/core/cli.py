"""The command line that all stages share."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
import re
import sys
from typing import Any

from stages.core.errors import UserError
from stages.core.files import check_file, check_writable

_OF_EPISODES = ("steps.parquet", "episodes.parquet")  # which belong together, and are written as a folder


class _Parser(ArgumentParser):
    """Refuses to write where another argument reads, or writes as well."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As ArgumentParser does; UserError for a path to be written that is another's, or lies in what is replaced."""
        parsed = super().parse_args(args, namespace)
        paths = [(action.dest, path) for action in self._actions for path in _paths(parsed, action.dest)]
        made = [action.dest for action in self._actions if isinstance(action.type, NewPath)]
        for written, path in paths:
            for name, other in paths if written in made else ():
                if name == written:
                    continue
                if path.resolve() == other.resolve():
                    raise UserError(f"--{written}: found {path}, which is {name} as well, allowed: another path")
                if name in made and path.resolve().is_relative_to(other.resolve()):
                    raise UserError(f"--{written}: found {path}, which lies in --{name}, allowed: a path outside of it")
        return parsed


def _paths(parsed: Namespace, name: str) -> list[Path]:
    """The paths that an argument holds."""
    held = getattr(parsed, name, None)
    return [one for one in (held if isinstance(held, list) else [held]) if isinstance(one, Path)]


def plain_parser(description: str | None) -> ArgumentParser:
    """A parser for a command, which it calls as a user does: python -m stages.NAME."""
    spec = sys.modules["__main__"].__spec__
    program = f"python -m {spec.name}" if spec and spec.name.startswith("stages.") else None
    return _Parser(prog=program, description=description, formatter_class=RawDescriptionHelpFormatter)


def parser(description: str | None) -> ArgumentParser:
    """A parser for a stage: every stage has `--params`."""
    made = plain_parser(description)
    made.add_argument("--params", type=_there, default=Path("params.yaml"), help="the parameters (params.yaml)")
    return made


def _there(text: str) -> Path:
    """The path of a file that is there; UserError where it is not."""
    check_file(Path(text))
    return Path(text)


def add_task(made: ArgumentParser) -> None:
    """The task the stage works on."""
    made.add_argument("task", help="name of the task")


def add_round(made: ArgumentParser) -> None:
    """The round the stage works on."""
    made.add_argument("round", help="name of the round, such as round_0")


def add_conditions(made: ArgumentParser) -> None:
    """What the worlds of the stage are drawn from."""
    made.add_argument("--conditions", type=Path, help="file of `randomize` (.json; otherwise as the parameters say)")


@dataclass(frozen=True)
class NewPath:
    """Reads an option (its `type`) that names what is to be written: whether it can be is known before the work."""

    suffixes: tuple[str, ...] = ()  # of a file, one of which it has to have if there are any
    holds: tuple[str, ...] = ()  # patterns of the files in a folder: what holds others is not replaced

    def __call__(self, text: str) -> Path:
        """The path; UserError where it cannot be written."""
        path = Path(text)
        if self.suffixes and path.suffix not in self.suffixes:
            found = path.suffix or "nothing"
            raise UserError(f"{path}: found a file ending in {found}, allowed: {', '.join(self.suffixes)}")
        if not self.holds and path.name in _OF_EPISODES:
            raise UserError(f"{path}: found the name of a file of episodes, allowed: another one")
        check_writable(path, self.holds)
        return path


def new_file(*suffixes: str) -> NewPath:
    """A file to be written, ending in one of the suffixes if there are any."""
    return NewPath(suffixes)


def new_folder(*holds: str) -> NewPath:
    """A folder to be written, of files of these patterns alone."""
    return NewPath(holds=holds)


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
