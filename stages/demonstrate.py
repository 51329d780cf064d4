"""Show the task: the scripted expert performs it, and a person's recordings are imported.

With --recording, the given CSV or Parquet files are imported instead of what params.yaml lists.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
import sys

import numpy as np

from stages.core import cli, errors, schemas, tables
from stages.core.checks import repeated
from stages.core.conditions import find_conditions
from stages.core.episode import Episode, Plan, Scores
from stages.core.parallel import run_episodes
from stages.core.params import DemonstrateSettings, Range
from stages.core.recordings import read_shown
from stages.core.rollout import expert_controller
from stages.core.schemas import RECORDED
from stages.core.settings import Settings, load_settings
from stages.core.task import NOISE_KNOBS, Task
from stages.core.wording import plural, succeeded
from stages.core.worlds import plan_episodes, with_noise
from stages.policies import POLICIES
from stages.tasks import TASKS


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    cli.add_conditions(parser)
    parser.add_argument("--recordings", type=Path, help="folder of the recordings that params.yaml names")
    parser.add_argument("--recording", type=Path, action="append", help="import this file instead (may be repeated)")
    output = cli.new_folder(schemas.STEPS, schemas.EPISODES)
    parser.add_argument("--output", type=output, required=True, help="folder for steps.parquet and episodes.parquet")
    arguments = parser.parse_args()
    task, settings = TASKS.find(arguments.task), load_settings(arguments.params, TASKS, POLICIES)
    if arguments.recording:
        cli.refuse(parser, arguments, ("conditions", "recordings"), "with --recording")
        if again := repeated([path.resolve() for path in arguments.recording]):
            raise errors.UserError(f"--recording: found {again} again, allowed: each file once")
        episodes = recorded_episodes(task, arguments.recording, first=0)
    else:
        wanted = settings.of(settings.params.demonstrate, "demonstrate", arguments.task)
        episodes = []
        if wanted.episodes:
            spans = find_conditions(arguments.conditions, settings, arguments.task, task, "demonstrate")
            episodes = scripted_episodes(arguments.task, task, settings, spans["demonstrate"], wanted)
        files = _named(arguments.recordings, wanted.recordings, arguments.task)
        episodes += recorded_episodes(task, files, first=len(episodes))
    tables.write_episodes(arguments.output, arguments.task, task, episodes)
    shown, steps = plural(len(episodes), "demonstration"), plural(sum(map(len, episodes)), "step")
    print(f"{arguments.task}: {shown} of {steps}; success: {succeeded(episodes)}")


def scripted_episodes(
    name: str, task: type[Task], settings: Settings, spans: Mapping[str, Range], wanted: DemonstrateSettings
) -> list[Episode]:
    """Episodes of the expert in worlds drawn from `spans`.

    The noise moves the world, not the label: the expert's clean action is what is learned.
    Source: Laskey et al., DART, CoRL 2017.
    """
    knobs = with_noise(task.knobs, settings.noise(name, "observation"), settings.noise(name, "demonstration"))
    plans = plan_episodes(knobs, spans, wanted.episodes, "demonstrate", settings.seed, "demonstrate", name)
    controller = expert_controller(task)
    episodes = run_episodes(task, controller, plans, wanted.max_steps, settings.params.compute, f"{name}: demonstrate")
    succeeded = sum(episode.outcome == "success" for episode in episodes)
    if succeeded < len(episodes) / 2:
        print(f"{name}: the expert succeeded in {succeeded} of {len(episodes)} episodes only", file=sys.stderr)
    return episodes


def recorded_episodes(task: type[Task], files: Sequence[Path], first: int) -> list[Episode]:
    """A person's recordings, one episode each, numbered from `first`; UserError for one that shows nothing.

    In which world they were made, and what was left to the goal, is not known.
    """
    world = dict.fromkeys([*task.knobs, *NOISE_KNOBS], np.nan)
    episodes = []
    for place, path in enumerate(files):
        observations, actions = read_shown(path, task)
        unknown, no = np.full(len(actions), np.nan), np.zeros(len(actions), dtype=bool)
        episodes.append(
            Episode(
                Plan(first + place, RECORDED, 0, world),
                observations,
                actions,
                executed=actions,
                scores=Scores.unknown(len(actions)),
                shift=no,
                responded=no,
                asked=no,
                errors=unknown,
                outcome="success",
                error=np.nan,
                details=dict.fromkeys(task.detail_units, np.nan),
                given=dict.fromkeys(task.given_units, np.nan),
            )
        )
    return episodes


def _named(folder: Path | None, names: Sequence[str], task: str) -> list[Path]:
    if names and folder is None:
        raise errors.UserError(f"--recordings: found nothing, allowed: the folder of {', '.join(names)} of {task}")
    return [folder / name for name in names] if folder else []


if __name__ == "__main__":
    errors.run(main)
