"""Compare two evaluations, world by world: what is better, what is worse, and what nothing is known of.

A and B are each a folder of data (data), the folder of one round (data/kuka_reach/round_0), a round of the workspace
(round_0), or a revision or experiment (HEAD, main, fewer), whose evaluations are taken from DVC's cache. Where there
are several rounds, the last is compared. Differences are B's minus A's.
"""

from argparse import ArgumentParser
from dataclasses import asdict
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.comparing.levels import check_level, sureness
from stages.core import cli, errors

if TYPE_CHECKING:
    from stages.comparing.comparison import Comparison
    from stages.comparing.pairing import Pairs
    from stages.comparing.sources import Side


def main() -> None:
    """Command line."""
    arguments = _parser().parse_args()
    check_level(arguments.level, 1)
    # Only now: they take longer to import than a question for help should.
    from stages.comparing.comparison import compare
    from stages.comparing.sources import Workspace, find_side, is_one_round, only_task

    if arguments.round is not None and is_one_round(arguments.a) and is_one_round(arguments.b):
        raise errors.UserError(f"--round: found {arguments.round}, allowed: where A or B has several")
    workspace = Workspace(arguments.data, arguments.params)
    task = arguments.task or only_task(arguments.a, arguments.b)
    a, b = (find_side(name, workspace, arguments.round, task) for name in (arguments.a, arguments.b))
    paired = pair_sides(a, b)
    comparisons = compare(paired, arguments.level)
    if arguments.json:
        print(document(a, b, paired, comparisons, arguments.level))
    else:
        print(text(a, b, paired, comparisons, arguments.level))


def _parser() -> ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("a", metavar="A", help="what is compared with: folder, round, revision or experiment")
    parser.add_argument("b", metavar="B", help="what is judged: folder, round, revision or experiment")
    parser.add_argument("--task", help="this task only")
    parser.add_argument("--round", type=int, help="the round of a folder of data or a revision (the last one)")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data of the workspace (data)")
    parser.add_argument("--level", type=float, default=0.05, help="level of significance (0.05)")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")
    return parser


def pair_sides(a: "Side", b: "Side") -> list["Pairs"]:
    """The pairs of all tasks that both sides have, condition by condition; UserError where there is not one pair."""
    from stages.comparing.pairing import pair

    shared = [task for task in a.evaluations if task in b.evaluations]
    if not shared:
        held = f"{a.name} holds {', '.join(a.evaluations)}; {b.name} holds {', '.join(b.evaluations)}"
        raise errors.UserError(f"{a.name}, {b.name}: found no task in common ({held})")
    paired = [pairs for task in shared for pairs in pair(a.evaluations[task], b.evaluations[task])]
    if not any(len(pairs) for pairs in paired):
        differing, alone = sum(one.differing for one in paired), sum(one.alone for one in paired)
        found = f"{differing:,} seeds with worlds that differ, {alone:,} episodes that one side lacks"
        raise errors.UserError(f"{a.name}, {b.name}: no episodes of the same condition, seed and world ({found})")
    return paired


def text(a: "Side", b: "Side", paired: list["Pairs"], comparisons: list["Comparison"], level: float) -> str:
    """The table, what was left out, and a sentence each."""
    from stages.comparing import wording
    from stages.comparing.sources import lone_tasks

    told = [line for pairs in paired for line in wording.left_out(pairs)]
    told += [wording.task_left_out(task) for task in lone_tasks(a, b)]
    sentences = [wording.sentence(one, level) for one in comparisons]
    parts = [f"A: {_described(a)}\nB: {_described(b)}", wording.table(comparisons), "\n".join(sentences)]
    return "\n\n".join([*parts, "\n".join(told)] if told else parts)


def document(a: "Side", b: "Side", paired: list["Pairs"], comparisons: list["Comparison"], level: float) -> str:
    """The same as JSON: equal inputs give equal bytes."""
    from stages.comparing.sources import lone_tasks

    content: dict[str, Any] = {
        "a": {"name": a.name, "rounds": dict(a.rounds)},
        "b": {"name": b.name, "rounds": dict(b.rounds)},
        "level": level,
        "test": "exact McNemar, Holm-adjusted over the conditions that are `counted` (Tarone)",
        "interval": f"Tango's score interval, {sureness(level)}",
        "comparisons": [asdict(one) for one in comparisons],
        "unpaired": [
            {"task": one.task, "condition": one.condition, "differing": one.differing, "alone": one.alone}
            for one in paired
            if not len(one)
        ],
        "tasks_left_out": lone_tasks(a, b),
    }
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False)


def _described(side: "Side") -> str:
    return f"{side.name} ({', '.join(f'{task} {one}' for task, one in side.rounds.items())})"


if __name__ == "__main__":
    errors.run(main)
