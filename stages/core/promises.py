"""What a task must give, checked where it is used: whoever writes one is told what it lacks."""

from collections.abc import Sequence
from typing import get_args

import numpy as np

from stages.core.errors import UserError
from stages.core.task import Channel, Floats, Outcome, Task


class Asked(dict[str, float]):
    """A world, knob by knob; UserError for a knob that the task does not list."""

    def __missing__(self, knob: str) -> float:
        raise UserError(f"reset: found the knob {knob}, allowed: {', '.join(self)} (those in `knobs`)")


def first_observation(task: Task, seen: Floats) -> Floats:
    """What `reset` returned (O,), if it is that; otherwise UserError."""
    return _shaped(f"{type(task).__name__}.reset", seen, (len(task.observation),), task.observation)


def expert_actions(task: type[Task], actions: Floats, rows: int) -> Floats:
    """What the expert answered (B, A), if it is that, and all numbers; otherwise UserError."""
    where = f"{task.__name__}.expert"
    _shaped(where, actions, (rows, len(task.action)), task.action)
    if not np.isfinite(actions).all():
        raise UserError(f"{where}: found {_odd(actions, task.action)}, allowed: numbers")
    return actions


def observed(task: type[Task], observations: Floats) -> Floats:
    """What a controller is shown (B, O), if it is rows of the task's channels, and all numbers; otherwise UserError."""
    seen = np.asarray(observations, dtype=np.float64)
    if seen.ndim != 2 or seen.shape[1] != len(task.observation):
        names = ", ".join(channel.name for channel in task.observation)
        wanted = f"(rows, {len(task.observation)})"
        raise UserError(f"observations: found the shape {seen.shape}, allowed: {wanted}, for the channels {names}")
    if not np.isfinite(seen).all():
        raise UserError(f"{task.__name__}: found {_odd(seen, task.observation)} observed, allowed: numbers")
    return seen


def outcome(task: Task, said: Outcome | None) -> Outcome:
    """How an episode ended, a timeout if the task has not said; UserError for what is no outcome."""
    found = said or "timeout"
    if found not in get_args(Outcome):
        allowed = ", ".join(get_args(Outcome))
        raise UserError(f"{type(task).__name__}.outcome: found {found}, allowed: {allowed}, or None")
    return found


def _shaped(where: str, found: Floats, shape: tuple[int, ...], channels: Sequence[Channel]) -> Floats:
    if np.shape(found) != shape:
        names = ", ".join(channel.name for channel in channels)
        raise UserError(f"{where}: found the shape {np.shape(found)}, allowed: {shape}, for the channels {names}")
    return found


def _odd(rows: Floats, channels: Sequence[Channel]) -> str:
    """The first value (B, O) that is no number, and whose."""
    row, place = np.argwhere(~np.isfinite(rows))[0]
    return f"{channels[place].name} {rows[row, place]}"
