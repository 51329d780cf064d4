"""The columns of episodes and of expert steps, as the task's declaration gives them."""

from collections.abc import Iterable

import pyarrow as pa

from stages.core.episode import Scores
from stages.core.task import NOISE_KNOBS, Channel, Task

SCORES = Scores._fields  # of a step; none where that is not measured
STEPS, EPISODES = "steps.parquet", "episodes.parquet"
RECORDED = "recording"  # the condition of episodes that a person recorded
GIVEN = "given."  # columns that begin so tell worlds apart, as those of knobs do


def _field(name: str, unit: str, kind: pa.DataType | None = None, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind or pa.float64(), nullable=nullable, metadata={"unit": unit})


def _channels(prefix: str, channels: Iterable[Channel]) -> list[pa.Field]:
    return [_field(f"{prefix}.{channel.name}", channel.unit) for channel in channels]


_INDEX = [
    pa.field("episode_index", pa.int64(), nullable=False),
    pa.field("frame_index", pa.int64(), nullable=False),
    _field("timestamp", "s"),
]


def steps_schema(name: str, task: type[Task]) -> pa.Schema:
    """Columns of `steps.parquet`: one row a control step.

    Its `error` is what is left to the goal after the step; all else is as it was when the step was decided. A person's
    recording has no error, nor a world.
    """
    fields = [
        *_INDEX,
        *_channels("observation", task.observation),
        *_channels("action", task.action),
        *_channels("executed", task.action),
        *(_field(score, "1", nullable=True) for score in SCORES),
        pa.field("shift", pa.bool_(), nullable=False),
        _field("error", task.error_unit, nullable=True),
    ]
    return pa.schema(fields, metadata={"task": name})


def episodes_schema(name: str, task: type[Task]) -> pa.Schema:
    """Columns of `episodes.parquet`: one row an episode, with the world it ran in.

    `responded` is in how many steps the response to the alarm acted in the policy's stead; in those that are `asked`,
    that was the expert.
    """
    fields = [
        pa.field("episode_index", pa.int64(), nullable=False),
        pa.field("condition", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("steps", pa.int64(), nullable=False),
        pa.field("responded", pa.int64(), nullable=False),
        pa.field("asked", pa.int64(), nullable=False),
        _field("error", task.error_unit, nullable=True),
        *(_field(f"detail.{detail}", unit, nullable=True) for detail, unit in task.detail_units.items()),
        *(_field(f"{GIVEN}{name}", unit, nullable=True) for name, unit in task.given_units.items()),
        *(_field(f"world.{knob}", known.unit, nullable=True) for knob, known in {**task.knobs, **NOISE_KNOBS}.items()),
    ]
    return pa.schema(fields, metadata={"task": name})


def expert_schema(name: str, task: type[Task]) -> pa.Schema:
    """Columns of `dataset.parquet` and `corrections.parquet`: one row a step the expert has decided.

    `gate`, `mode` and `practice_episode` tell how and where a correction was asked for; demonstrations have none.
    """
    fields = [
        *_INDEX,
        pa.field("round", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("gate", pa.string()),
        pa.field("mode", pa.string()),
        pa.field("practice_episode", pa.int64()),
        *_channels("observation", task.observation),
        *_channels("action", task.action),
    ]
    return pa.schema(fields, metadata={"task": name})
