"""Which tasks and rounds a params.yaml makes a chain of, be it this version's or another's."""

from dataclasses import dataclass

from stages.core.cli import round_number
from stages.core.documents import parse_yaml
from stages.core.errors import UserError


@dataclass(frozen=True)
class Chain:
    """The tasks, and the rounds in their order."""

    where: str
    tasks: tuple[str, ...]
    rounds: tuple[str, ...]

    def round(self, number: int | None) -> str:
        """The round of that number, the last one for None; UserError where it has none."""
        if number is None:
            return self.rounds[-1]
        if f"round_{number}" not in self.rounds:
            raise UserError(f"{self.where}: rounds: found no round_{number}, allowed: {', '.join(self.rounds)}")
        return f"round_{number}"


def read_chain(text: bytes, where: str) -> Chain:
    """The chain that the text of a params.yaml describes.

    Only `tasks` and `rounds` are read: what else another version's parameters hold is no concern of a comparison.
    """
    try:
        content = parse_yaml(text, where)
        tasks, rounds = [str(task) for task in content["tasks"]], [str(one["name"]) for one in content["rounds"]]
    except (KeyError, TypeError):
        raise UserError(f"{where}: found no list of tasks and of rounds with names, both are needed") from None
    if not tasks or not rounds:
        raise UserError(f"{where}: tasks, rounds: found an empty list, allowed: at least one of each")
    return Chain(where, tuple(tasks), tuple(sorted(rounds, key=round_number)))
