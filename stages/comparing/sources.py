"""Where the evaluations of a side come from: a folder, a round of the workspace, or a revision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import re

from stages.comparing.evaluations import Evaluation, read_evaluation
from stages.comparing.revisions import Revision
from stages.comparing.rounds import Chain, read_chain
from stages.core.cli import round_number
from stages.core.errors import UserError
from stages.core.schemas import EPISODES


@dataclass(frozen=True)
class Side:
    """One side of a comparison: by task, the round and its evaluation."""

    name: str
    rounds: Mapping[str, str]
    evaluations: Mapping[str, Evaluation]
    place: Path | Revision  # the folder of data, or what holds it

    def policy(self, task: str, scratch: Path) -> Path:
        """The policy that the task's evaluation is of: where it is, or a copy in the folder `scratch`.

        UserError where DVC's cache lacks it; a folder may lack it, too.
        """
        if isinstance(self.place, Revision):
            return self.place.policy(task, self.rounds[task], scratch)
        inside = self.place / "policy.npz"
        return inside if inside.is_file() else self.place / task / self.rounds[task] / "policy.npz"


@dataclass(frozen=True)
class Workspace:
    """The folder of the data that the chain makes here, and its parameters."""

    data: Path
    params: Path


def find_side(name: str, workspace: Workspace, number: int | None, task: str | None) -> Side:
    """The side that `name` means, with the round `number` (None: the last) where it has several; one task or all.

    A folder wins over a revision of the same name; `round_0` always is the workspace's. Raises UserError where there is
    no such thing (an empty name, such as of an unset variable, is none), or where it lacks the task.
    """
    if not name:
        raise UserError("found an empty name, allowed: a folder, a round, a revision or an experiment")
    folder = Path(name)
    if _is_workspace_round(name):
        side = _workspace_round(name, workspace, task)
    elif _is_round_folder(name):
        side = one_round(name, folder)
    elif (folder / EPISODES).is_file():
        above = (
            f"the one above, {folder.parent}" if folder.name == "evaluation" else "one that holds it as `evaluation`"
        )
        raise UserError(f"{name}: found a folder of episodes, allowed: {above}")
    elif _tasks_below(folder):
        side = data_folder(name, Workspace(folder, _params_of(folder, workspace)), number, task)
    else:
        side = revision(name, number, task)
    if task is not None and task not in side.evaluations:
        raise UserError(f"{name}: task: found no {task}, allowed: {', '.join(side.evaluations)}")
    return side


def lone_tasks(a: Side, b: Side) -> list[str]:
    """The tasks that one side lacks."""
    return sorted(set(a.evaluations) ^ set(b.evaluations))


def only_task(a: str, b: str) -> str | None:
    """If exactly one side is a round's folder, its task: the other side is read for that task only."""
    folders = [name for name in (a, b) if _is_round_folder(name) and not _is_workspace_round(name)]
    return next(iter(one_round(folders[0], Path(folders[0])).rounds)) if len(folders) == 1 else None


def is_one_round(name: str) -> bool:
    """Whether `name` means a round by itself, so that there is none to choose."""
    return _is_workspace_round(name) or _is_round_folder(name)


def _is_workspace_round(name: str) -> bool:
    return re.fullmatch(r"round_[0-9]+", name) is not None


def _is_round_folder(name: str) -> bool:
    return (Path(name) / "evaluation").is_dir()


def one_round(name: str, folder: Path) -> Side:
    """The side that is the folder of one round; its file says which task it is of."""
    evaluation = read_evaluation(folder / "evaluation")
    return Side(name, {evaluation.task: folder.resolve().name}, {evaluation.task: evaluation}, folder)


def data_folder(name: str, workspace: Workspace, number: int | None, task: str | None = None) -> Side:
    """A round of every task of a folder of data, the last one of its parameters or, without any, that there is."""
    tasks = _tasks_below(workspace.data)
    if workspace.params.is_file():
        chain = _chain(workspace)
        # A task or round that the parameters no longer name is left over from another chain.
        rounds = {one: chain.round(number) for one in tasks if one in chain.tasks}
    else:
        rounds = {one: max(names, key=round_number) for one, names in tasks.items()}
        rounds = rounds if number is None else dict.fromkeys(rounds, f"round_{number}")
    return _read_rounds(name, workspace.data, _only(name, rounds, task))


def revision(name: str, number: int | None, task: str | None = None) -> Side:
    """A round of every task of a revision or experiment."""
    found = Revision(name)
    chain = found.chain()
    rounds = _only(name, dict.fromkeys(chain.tasks, chain.round(number)), task)
    return Side(name, rounds, {one: found.evaluation(one, rounds[one]) for one in rounds}, found)


def _workspace_round(name: str, workspace: Workspace, task: str | None) -> Side:
    rounds = {one: name for one, names in _tasks_below(workspace.data).items() if name in names}
    if not rounds and workspace.params.is_file():
        _chain(workspace).round(round_number(name))  # what is no round of the chain, nothing will bring
    return _read_rounds(name, workspace.data, _only(name, rounds, task))


def _chain(workspace: Workspace) -> Chain:
    return read_chain(workspace.params.read_bytes(), str(workspace.params))


def _read_rounds(name: str, data: Path, rounds: Mapping[str, str]) -> Side:
    if not rounds:
        raise UserError(f"{name}: found no evaluation in {data}, which `dvc repro` or `dvc checkout` would bring")
    evaluations = {task: read_evaluation(data / task / one / "evaluation") for task, one in rounds.items()}
    return Side(name, rounds, evaluations, data)


def _tasks_below(data: Path) -> dict[str, Sequence[str]]:
    """The rounds that have an evaluation, by task."""
    found: dict[str, Sequence[str]] = {}
    for folder in sorted(data.glob("*/round_*/evaluation")):
        found[folder.parents[1].name] = [*found.get(folder.parents[1].name, []), folder.parent.name]
    return found


def _params_of(folder: Path, workspace: Workspace) -> Path:
    """The parameters that a folder of data was made with: those beside it, unless it is the workspace's own."""
    own = folder.resolve() == workspace.data.resolve()
    return workspace.params if own else folder.resolve().parent / "params.yaml"


def _only(name: str, rounds: Mapping[str, str], task: str | None) -> Mapping[str, str]:
    """That task's round, or all of them without a task."""
    if task is None or not rounds:
        return rounds
    if task not in rounds:
        raise UserError(f"{name}: task: found no {task}, allowed: {', '.join(rounds)}")
    return {task: rounds[task]}
