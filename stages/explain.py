"""Tell why the policy did what it did in a step of a recorded episode: which known rows its answer is made of.

Without --step it is the step of largest novelty. Nothing is run or changed.
"""

from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING

from stages.core import cli, errors
from stages.tasks import TASKS

if TYPE_CHECKING:
    from stages.explaining.votes import Explanation


def main() -> None:
    """Command line."""
    parser = cli.plain_parser(__doc__)
    parser.add_argument("folder", type=Path, help="folder of a task's round, such as data/kuka_reach/round_0")
    parser.add_argument("--episode", type=int, required=True, help="number of the episode")
    parser.add_argument("--step", type=int, help="number of the step, from 0 (the one of largest novelty)")
    parser.add_argument("--practice", action="store_true", help="an episode of practice instead of evaluation")
    parser.add_argument("--neighbors", type=int, help="only this many of the nearest rows (all that voted)")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")
    arguments = parser.parse_args()
    name, folder = task_name(arguments.folder), arguments.folder
    # Only now: they take longer to import than a question for help should.
    from stages.core.policy import check_answers, load_policy
    from stages.explaining.moment import read_moment
    from stages.explaining.votes import explain, read_known
    from stages.explaining.wording import document, text
    from stages.policies import POLICIES

    task, place = TASKS.find(name), folder / ("practice" if arguments.practice else "evaluation")
    moment = read_moment(place, name, task, arguments.episode, arguments.step)
    trained = load_policy(folder / "policy.npz", name, POLICIES)
    check_answers(trained, task)
    told = explain(trained, read_known(folder / "dataset.parquet", name, task, trained), task, moment)
    _check_policy(told, place)
    shown = _shown(arguments.neighbors, len(told.voters))
    if arguments.json:
        print(document(told, place.as_posix(), task.action, shown))
    else:
        print(text(told, place.as_posix(), task.action, task.control_period, shown))


def task_name(folder: Path) -> str:
    """The task that a round's folder belongs to; UserError for any other folder."""
    if not folder.is_dir():
        raise errors.UserError(f"{folder}: no such folder")
    name = folder.resolve().parent.name
    if name not in TASKS:
        raise errors.UserError(f"{folder}: found the task {name}, allowed: a round's folder of {', '.join(TASKS)}")
    return name


def _check_policy(told: "Explanation", episodes: Path) -> None:
    """UserError where the step was recorded with another policy, or another threshold, than those beside it."""
    then = told.moment
    # Another processor may round the last digits otherwise.
    if told.shift == then.shift and isclose(told.novelty, then.novelty, rel_tol=1e-6, abs_tol=1e-9):
        return
    raise errors.UserError(
        f"{episodes}: found novelty {then.novelty:.6g} and {'an' if then.shift else 'no'} alarm in step {then.step}, "
        f"allowed: the {told.novelty:.6g} and {'an' if told.shift else 'no'} alarm of the policy beside it "
        "(`dvc repro` makes the episodes anew)"
    )


def _shown(wanted: int | None, there: int) -> int:
    if wanted is not None and not 1 <= wanted <= there:
        raise errors.UserError(f"--neighbors: found {wanted}, allowed: 1 to {there}, at which the policy looks")
    return there if wanted is None else wanted


if __name__ == "__main__":
    errors.run(main)
