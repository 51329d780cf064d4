"""Episodes and expert steps as tables, and back."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from stages.core.columns import numbers, texts, values
from stages.core.episode import Bools, Episode, Ints, Steps
from stages.core.errors import UserError, quoted
from stages.core.files import replacing
from stages.core.parquet import read_parts, read_table, write_table
from stages.core.schemas import EPISODES, GIVEN, RECORDED, SCORES, STEPS, episodes_schema, expert_schema, steps_schema
from stages.core.task import NOISE_KNOBS, Channel, Floats, Outcome, Task

Values = Any  # of a column: an array of numpy or Arrow, or a list


def matrix(table: pa.Table, prefix: str, channels: Sequence[Channel]) -> Floats:
    """The channels' columns side by side (N, C)."""
    columns = [values(table[f"{prefix}.{channel.name}"]) for channel in channels]
    return np.ascontiguousarray(np.stack(columns, axis=1))


def _matrix_columns(prefix: str, channels: Sequence[Channel], content: Floats) -> dict[str, Floats]:
    return {f"{prefix}.{channel.name}": content[:, place] for place, channel in enumerate(channels)}


def _index_columns(episode: Ints, frame: Ints, period: float) -> dict[str, Values]:
    return {"episode_index": episode, "frame_index": frame, "timestamp": frame * period}


def _table(columns: Mapping[str, Values], schema: pa.Schema) -> pa.Table:
    """The columns (N,) each, which are named in any order, as a table of that schema."""
    arrays = []
    for field in schema:
        content = columns[field.name]
        if isinstance(content, pa.Array):
            arrays.append(content)
        elif pa.types.is_string(field.type):
            arrays.append(texts(content))
        else:
            arrays.append(numbers(np.asarray(content, dtype=field.type.to_pandas_dtype())))
    return pa.Table.from_arrays(arrays, schema=schema)


def write_episodes(folder: Path, name: str, task: type[Task], episodes: Sequence[Episode]) -> None:
    """Write `steps.parquet` and `episodes.parquet` into `folder`, both or neither."""
    lengths = np.array([len(episode) for episode in episodes])
    index = np.array([episode.plan.index for episode in episodes])
    frames = np.concatenate([np.arange(length) for length in lengths])
    steps: dict[str, Values] = {
        **_index_columns(np.repeat(index, lengths), frames, task.control_period),
        **_matrix_columns("observation", task.observation, np.concatenate([e.observations for e in episodes])),
        **_matrix_columns("action", task.action, np.concatenate([e.actions for e in episodes])),
        **_matrix_columns("executed", task.action, np.concatenate([e.executed for e in episodes])),
        **{score: np.concatenate([getattr(e.scores, score) for e in episodes]) for score in SCORES},
        "shift": np.concatenate([e.shift for e in episodes]),
        "error": np.concatenate([e.errors for e in episodes]),
    }
    rows: dict[str, Values] = {
        "episode_index": index,
        "condition": [e.plan.condition for e in episodes],
        "seed": [e.plan.seed for e in episodes],
        "outcome": [e.outcome for e in episodes],
        "steps": lengths,
        "responded": [int(e.responded.sum()) for e in episodes],
        "asked": [int(e.asked.sum()) for e in episodes],
        "error": [e.error for e in episodes],
        **{f"detail.{detail}": [e.details[detail] for e in episodes] for detail in task.detail_units},
        **{f"{GIVEN}{name}": [e.given[name] for e in episodes] for name in task.given_units},
        **{f"world.{knob}": [float(e.plan.world[knob]) for e in episodes] for knob in {**task.knobs, **NOISE_KNOBS}},
    }
    with replacing(folder, holds=(STEPS, EPISODES)) as temporary:
        temporary.mkdir()
        write_table(_table(steps, steps_schema(name, task)), temporary / STEPS)
        write_table(_table(rows, episodes_schema(name, task)), temporary / EPISODES)


def read_episodes(folder: Path, name: str, task: type[Task]) -> tuple[pa.Table, pa.Table]:
    """The tables of steps and episodes in `folder`, checked one by one and against each other."""
    episodes = list_episodes(folder, name, task)
    return pa.concat_tables([part for part, _ in read_steps(folder, name, task, episodes)]), episodes


def list_episodes(folder: Path, name: str, task: type[Task]) -> pa.Table:
    """The table of episodes in `folder`, checked by itself."""
    episodes = read_table(folder / EPISODES, episodes_schema(name, task))
    _check_episodes(folder / EPISODES, episodes, task)
    return episodes


def read_steps(folder: Path, name: str, task: type[Task], episodes: pa.Table) -> Iterator[tuple[pa.Table, Ints]]:
    """The steps in `folder` in parts, as `read_parts` does, and which of the `episodes` each row (N,) is of.

    Raises UserError where they are not the steps of those episodes, frame by frame.
    """
    index, lengths = values(episodes["episode_index"]), values(episodes["steps"])
    ends = np.cumsum(lengths, dtype=np.float64)  # whole all the same, and none is too large
    strangers = UserError(f"{folder}: {STEPS} does not hold the episodes that {EPISODES} lists")
    lost = np.isnan(values(episodes["error"]))
    listed = lengths.min() > 0 and len(np.unique(index)) == len(index)
    first = 0
    for part in read_parts(folder / STEPS, steps_schema(name, task)):
        rows = np.arange(first, first + part.num_rows)
        first += part.num_rows
        if not listed or first > ends[-1]:
            raise strangers
        place = np.searchsorted(ends, rows, side="right")
        if not np.array_equal(values(part["episode_index"]), index[place]):
            raise strangers
        if not np.array_equal(values(part["frame_index"]), rows - (ends - lengths)[place]):
            raise UserError(
                f"{folder}: {STEPS}: found frames that are missing or out of order, allowed: 0, 1, ... each"
            )
        if not np.array_equal(np.isnan(values(part["error"])), lost[place]):
            raise UserError(f"{folder}: {STEPS}: column error: found cells that are empty in one of the two files")
        yield part, place
    if first != ends[-1]:
        raise strangers


def _check_episodes(path: Path, episodes: pa.Table, task: type[Task]) -> None:
    """What running an episode again relies on."""
    for outcome in dict.fromkeys(episodes["outcome"].to_pylist()):
        if outcome not in get_args(Outcome):
            raise UserError(f"{path}: column outcome: found {quoted(outcome)}, allowed: {', '.join(get_args(Outcome))}")
    played = np.array([condition != RECORDED for condition in episodes["condition"].to_pylist()])
    for name in (field.name for field in episodes.schema if field.nullable):
        if (np.isnan(values(episodes[name])) & played).any():
            raise UserError(f"{path}: column {name}: found an empty cell, allowed: in a person's recording alone")
    for name, wrong, allowed in _impossible(episodes, task):
        if wrong.any():
            found = values(episodes[name])[wrong.argmax()]
            raise UserError(f"{path}: column {name}, row {wrong.argmax() + 1}: found {found:g}, allowed: {allowed}")


def _impossible(episodes: pa.Table, task: type[Task]) -> Iterator[tuple[str, Bools, str]]:
    """Columns, where their numbers (N,) are none that a stage writes, and what is allowed."""
    steps = values(episodes["steps"])
    for name in ("episode_index", "seed"):
        yield name, values(episodes[name]) < 0, "at least 0"
    for name in ("responded", "asked"):
        count = values(episodes[name])
        yield name, (count < 0) | (count > steps), "0 to the steps of the episode"
    for knob, known in {**task.knobs, **NOISE_KNOBS}.items():
        name, drawn = f"world.{knob}", values(episodes[f"world.{knob}"])
        if known.low is not None:
            yield name, drawn < known.low, f"at least {known.low:g}"
        if known.high is not None:
            yield name, drawn > known.high, f"at most {known.high:g}"
        if known.integer:
            yield name, drawn % 1 > 0, "whole numbers"


def episode_slices(episode: Ints) -> list[slice]:
    """Where each episode's rows are, in order (rows of one episode are contiguous)."""
    if len(episode) == 0:
        return []
    cuts = np.flatnonzero(np.diff(episode)) + 1
    edges = [0, *cuts.tolist(), len(episode)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def expert_table(
    name: str,
    task: type[Task],
    steps: Steps,
    gate: str | None = None,
    modes: Sequence[str] | None = None,
    practice_episode: Ints | None = None,
) -> pa.Table:
    """N rows that an expert has decided, as a table; corrections have a gate, and each row its mode and episode."""
    rows = len(steps)
    columns: dict[str, Values] = {
        **_index_columns(steps.episode, steps.frame, task.control_period),
        "round": steps.round,
        "source": list(steps.source),
        "gate": [gate] * rows,
        "mode": [None] * rows if modes is None else list(modes),
        "practice_episode": pa.nulls(rows, pa.int64()) if practice_episode is None else practice_episode,
        **_matrix_columns("observation", task.observation, steps.observations),
        **_matrix_columns("action", task.action, steps.actions),
    }
    return _table(columns, expert_schema(name, task))


def expert_steps(table: pa.Table, task: type[Task]) -> Steps:
    """A table of expert rows as what one learns from."""
    return Steps(
        values(table["episode_index"]),
        values(table["frame_index"]),
        values(table["round"]),
        table["source"].to_pylist(),
        matrix(table, "observation", task.observation),
        matrix(table, "action", task.action),
    )
