"""One step of a recorded episode."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from stages.core import tables
from stages.core.columns import values
from stages.core.episode import Ints
from stages.core.errors import UserError
from stages.core.task import Floats, Task


@dataclass(frozen=True)
class Moment:
    """What was seen and done in a step, and of which episode of T steps."""

    episode: int
    condition: str
    outcome: str
    steps: int  # T
    step: int
    time: float  # [s]
    observation: Floats  # (O,) as the policy saw it
    action: Floats  # (A,) as the controller decided, be it the policy or a response to the alarm
    novelty: float
    shift: bool  # whether the alarm rose
    surprise: float | None  # by what was seen after the step before, where anything was to be expected


def read_moment(folder: Path, name: str, task: type[Task], episode: int, step: int | None) -> Moment:
    """The step of that episode among those in `folder`; the one of largest novelty where none is named.

    UserError for an episode or a step that was not recorded.
    """
    steps, episodes = tables.read_episodes(folder, name, task)
    _check_episode(values(episodes["episode_index"]), episode, folder)
    told = episodes.filter(pc.equal(episodes["episode_index"], episode)).to_pylist()[0]
    taken = steps.filter(pc.equal(steps["episode_index"], episode))
    if step is not None and not 0 <= step < len(taken):
        raise UserError(f"--step: found {step}, allowed: 0 to {len(taken) - 1} in episode {episode} of {folder}")
    surprise = values(taken["surprise"])
    place = int(np.nanargmax(values(taken["novelty"]))) if step is None else step
    return Moment(
        episode,
        told["condition"],
        told["outcome"],
        len(taken),
        place,
        float(values(taken["timestamp"])[place]),
        tables.matrix(taken, "observation", task.observation)[place],
        tables.matrix(taken, "action", task.action)[place],
        float(values(taken["novelty"])[place]),
        bool(values(taken["shift"])[place]),
        None if np.isnan(surprise[place]) else float(surprise[place]),
    )


def _check_episode(recorded: Ints, episode: int, folder: Path) -> None:
    if episode not in recorded:
        raise UserError(f"--episode: found {episode}, allowed: {recorded.min()} to {recorded.max()} in {folder}")
