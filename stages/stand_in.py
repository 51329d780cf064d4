"""Record the scripted expert in the worlds of a condition, as a person would record the robot itself.

What only evaluation knows, such as the held-out world `real`, stays out of every stage: these recordings are files of
data/recordings/<task>/ like a person's, taken in where `demonstrate.<task>.recordings` names them. Their worlds are not
those of evaluation.
"""

from pathlib import Path
import re
import sys

import numpy as np

from stages.core import cli, errors
from stages.core.conditions import conditions_of
from stages.core.episode import Episode
from stages.core.files import check_writable
from stages.core.parallel import run_episodes
from stages.core.recordings import write_recording
from stages.core.rollout import expert_controller
from stages.core.settings import load_settings
from stages.core.task import Task
from stages.core.worlds import plan_episodes, with_noise
from stages.policies import POLICIES
from stages.tasks import TASKS


def main() -> None:
    """Command line."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    parser.add_argument("condition", help="one of randomization.<task>.evaluate")
    parser.add_argument("--episodes", type=int, default=5, help="how many (%(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="folder for <condition>_1.parquet and so on")
    arguments = parser.parse_args()
    name, settings = arguments.task, load_settings(arguments.params, TASKS, POLICIES)
    task, condition = TASKS.find(name), arguments.condition
    if task.recorded != task.observation + task.action:
        raise errors.UserError(f"task: found {name}, allowed: one whose recordings hold just what is seen and done")
    conditions = conditions_of(settings, name, "evaluate")
    if condition not in conditions:
        raise errors.UserError(f"condition: found {condition}, allowed: {', '.join(conditions)}")
    if arguments.episodes < 1:
        raise errors.UserError(f"--episodes: found {arguments.episodes}, allowed: at least 1")
    files = [arguments.output / f"{condition}_{number}.parquet" for number in range(1, arguments.episodes + 1)]
    for path in files:
        check_writable(path)
    knobs = with_noise(task.knobs, settings.noise(name, "observation"), settings.noise(name, "action"))
    names = ("stand_in", name, condition)
    plans = plan_episodes(knobs, conditions[condition], arguments.episodes, condition, settings.seed, *names)
    longest = settings.of(settings.params.demonstrate, "demonstrate", name).max_steps
    episodes = run_episodes(task, expert_controller(task), plans, longest, settings.params.compute, f"{name}: stand in")
    if not any(episode.outcome == "success" for episode in episodes):
        ended = ", ".join(dict.fromkeys(str(episode.outcome) for episode in episodes))
        raise errors.UserError(f"{condition}: found no success ({ended}), allowed: one or more; nothing was written")
    for episode, path in zip(episodes, files, strict=True):
        keep(episode, task, path)
    mention_leftovers(arguments.output, condition, arguments.episodes)


def keep(episode: Episode, task: type[Task], path: Path) -> None:
    """Write a success and say so; of any other episode no file stays at `path`, not even an earlier recording's."""
    told = f"{path}: {episode.outcome}, {len(episode)} steps"
    # Who records by hand does not keep what went wrong.
    if episode.outcome == "success":
        write_recording(np.hstack([episode.observations, episode.actions]), task.recorded, path)
    elif path.exists():
        path.unlink()
        told += "; removed an earlier recording of this name"
    print(told)


def mention_leftovers(folder: Path, condition: str, episodes: int) -> None:
    """Say which recordings an earlier, larger set has left: they look like part of this one."""
    name = re.compile(rf"{re.escape(condition)}_([1-9][0-9]*)\.parquet")
    found = filter(None, (name.fullmatch(path.name) for path in folder.glob("*.parquet")))
    left = {int(one[1]): one[0] for one in found if int(one[1]) > episodes}
    if left:
        names = ", ".join(left[number] for number in sorted(left))
        print(f"{folder}: {names}: left there by an earlier set, and not of this one", file=sys.stderr)


if __name__ == "__main__":
    errors.run(main)
