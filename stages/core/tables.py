"""Episodes and expert steps as Parquet tables, whose columns the task's declaration gives; checked on reading."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.core.columns import LARGEST, numbers, texts, values
from stages.core.digest import DIGEST, Digest
from stages.core.episode import Episode, Ints, Scores, Steps
from stages.core.errors import UserError, listed, quoted, reason
from stages.core.files import replacing
from stages.core.footers import check_size
from stages.core.task import NOISE_KNOBS, Channel, Floats, Outcome, Task

Values = Any  # of a column: an array of numpy or Arrow, or a list
STEPS, EPISODES = "steps.parquet", "episodes.parquet"
GROUP = 2**17  # rows that are in memory together where a table is read or written in parts


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
    """Columns of `steps.parquet`: one row a control step."""
    fields = [
        *_INDEX,
        *_channels("observation", task.observation),
        *_channels("action", task.action),
        *_channels("executed", task.action),
        *(_field(score, "1", nullable=True) for score in Scores._fields),
        pa.field("shift", pa.bool_(), nullable=False),
        _field("error", task.error_unit),
    ]
    return pa.schema(fields, metadata={"task": name})


def episodes_schema(name: str, task: type[Task]) -> pa.Schema:
    """Columns of `episodes.parquet`: one row an episode, with the world it ran in.

    `asked` is in how many steps the expert was asked to act in the policy's stead.
    """
    fields = [
        pa.field("episode_index", pa.int64(), nullable=False),
        pa.field("condition", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("steps", pa.int64(), nullable=False),
        pa.field("asked", pa.int64(), nullable=False),
        _field("error", task.error_unit),
        *(_field(f"detail.{detail}", unit) for detail, unit in task.detail_units.items()),
        *(_field(f"world.{knob}", known.unit) for knob, known in {**task.knobs, **NOISE_KNOBS}.items()),
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


def write_table(table: pa.Table, path: Path) -> None:
    """Write Parquet with checksums of its pages and a digest of it all, whole or not at all.

    Equal tables give equal bytes.
    """
    write_parts([table], table.schema, path)


def write_parts(parts: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    """Write a table that comes in parts of any size, as `write_table` would the whole, with GROUP rows in memory.

    Where the parts end in an error, what stood at `path` stays.
    """
    metadata = {key: value for key, value in (schema.metadata or {}).items() if key != DIGEST}
    schema, seen = schema.with_metadata(metadata), Digest(schema)
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    encodings = {
        field.name: "BYTE_STREAM_SPLIT" if pa.types.is_floating(field.type) else "DELTA_BINARY_PACKED"
        for field in schema
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    }
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            use_dictionary=texts,
            column_encoding=encodings,
            # Nobody asks for the least and the largest value, and one page a column and group is quickest.
            write_statistics=False,
            write_batch_size=GROUP,
            max_rows_per_page=GROUP,
            data_page_size=2 * 8 * GROUP,
            write_page_checksum=True,
        ) as writer,
    ):
        for group in _groups(parts):
            seen.add(group)
            writer.write_table(group.replace_schema_metadata(metadata), row_group_size=GROUP)
        writer.add_key_value_metadata({DIGEST: seen.value()})


def _groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, GROUP at a time: where a file is divided does not depend on how its rows came."""
    waiting: list[pa.Table] = []
    rows = 0
    for part in parts:
        waiting.append(part)
        rows += part.num_rows
        if rows >= GROUP:
            table = pa.concat_tables(waiting)
            whole = rows - rows % GROUP
            for start in range(0, whole, GROUP):
                yield table.slice(start, GROUP).combine_chunks()
            waiting, rows = [table.slice(whole)], rows - whole
    if rows:
        yield pa.concat_tables(waiting).combine_chunks()


def read_table(path: Path, schema: pa.Schema, empty: bool = False) -> pa.Table:
    """The table at `path`, whose columns, types, task and values are as `schema` says.

    Raises UserError for a file that is missing, damaged, of another task, of other columns, with numbers that are not
    finite or, unless `empty` may be, without rows.
    """
    parts = list(read_parts(path, schema, empty))
    return pa.concat_tables(parts) if parts else schema.empty_table()


def read_parts(path: Path, schema: pa.Schema, empty: bool = False) -> Iterator[pa.Table]:
    """The same table in parts of at most GROUP rows.

    Whether the file is whole is known after its last part: what was made of the others is nothing before.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    seen, wrong, rows = Digest(schema), "", 0
    try:
        # Without `pre_buffer`, which keeps in memory whatever was read of the file.
        with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
            _check_columns(path, file.schema_arrow, schema)
            check_size(file)
            for batch in file.iter_batches(GROUP):
                part = pa.Table.from_batches([batch]).select(schema.names)
                seen.add(part)
                wrong = wrong or _wrong_values(part, schema)
                rows += part.num_rows
                if not wrong:
                    yield part.cast(schema)
            seen.check(file.metadata.metadata)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path}: not a whole Parquet file ({reason(error)})") from None
    if wrong:
        raise UserError(f"{path}: {wrong}")
    if not empty and rows == 0:
        raise UserError(f"{path}: no rows, at least one is needed")


def _check_columns(path: Path, found: pa.Schema, wanted: pa.Schema) -> None:
    task = (found.metadata or {}).get(b"task", b"none").decode(errors="replace")
    expected = wanted.metadata[b"task"].decode()
    if task != expected:
        raise UserError(f"{path}: written for task {quoted(task)}, needed for task {expected}")
    missing = [name for name in wanted.names if name not in found.names]
    extra = [name for place, name in enumerate(found.names) if name not in wanted.names or name in found.names[:place]]
    if missing or extra:
        raise UserError(
            f"{path}: columns missing: {listed(missing) or 'none'}; columns unknown: {listed(extra) or 'none'}"
        )
    for field in wanted:
        one = found.field(field.name)
        if one.type != field.type:
            raise UserError(f"{path}: column {field.name}: found {quoted(one.type)}, allowed: {field.type}")
        if _unit(one) != _unit(field):
            raise UserError(f"{path}: column {field.name}: found unit {quoted(_unit(one))}, allowed: {_unit(field)}")


def _unit(field: pa.Field) -> str:
    unit: bytes = (field.metadata or {}).get(b"unit", b"none")
    return unit.decode(errors="replace")


def _wrong_values(table: pa.Table, wanted: pa.Schema) -> str:
    """What is wrong with them, if anything is."""
    for field in wanted:
        column = table[field.name]
        if not field.nullable and column.null_count:
            return f"column {field.name}: found an empty cell, allowed: a value in every row"
        if pa.types.is_floating(field.type) and not (np.abs(values(column.drop_null())) < LARGEST).all():
            return f"column {field.name}: found nan, infinity or more, allowed: numbers below {LARGEST:g}"
    return ""


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
        **{score: np.concatenate([getattr(e.scores, score) for e in episodes]) for score in Scores._fields},
        "shift": np.concatenate([e.shift for e in episodes]),
        "error": np.concatenate([e.errors for e in episodes]),
    }
    rows: dict[str, Values] = {
        "episode_index": index,
        "condition": [e.plan.condition for e in episodes],
        "seed": [e.plan.seed for e in episodes],
        "outcome": [e.outcome for e in episodes],
        "steps": lengths,
        "asked": [int(e.asked.sum()) for e in episodes],
        "error": [e.error for e in episodes],
        **{f"detail.{detail}": [e.details[detail] for e in episodes] for detail in task.detail_units},
        **{f"world.{knob}": [float(e.plan.world[knob]) for e in episodes] for knob in {**task.knobs, **NOISE_KNOBS}},
    }
    with replacing(folder) as temporary:
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
        yield part, place
    if first != ends[-1]:
        raise strangers


def _check_episodes(path: Path, episodes: pa.Table, task: type[Task]) -> None:
    """What running an episode again relies on."""
    for outcome in dict.fromkeys(episodes["outcome"].to_pylist()):
        if outcome not in get_args(Outcome):
            raise UserError(f"{path}: column outcome: found {quoted(outcome)}, allowed: {', '.join(get_args(Outcome))}")
    for name, wrong, allowed in (
        ("episode_index", values(episodes["episode_index"]) < 0, "at least 0"),
        ("seed", values(episodes["seed"]) < 0, "at least 0"),
        *((f"world.{knob}", values(episodes[f"world.{knob}"]) < 0, "at least 0") for knob in NOISE_KNOBS),
        *(
            (f"world.{knob}", values(episodes[f"world.{knob}"]) % 1 != 0, "whole numbers")
            for knob, known in task.knobs.items()
            if known.integer
        ),
    ):
        if wrong.any():
            found = values(episodes[name])[wrong.argmax()]
            raise UserError(f"{path}: column {name}, row {wrong.argmax() + 1}: found {found:g}, allowed: {allowed}")


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
    mode: str | None = None,
    practice_episode: Ints | None = None,
) -> pa.Table:
    """Rows that an expert has decided, as a table."""
    rows = len(steps)
    columns: dict[str, Values] = {
        **_index_columns(steps.episode, steps.frame, task.control_period),
        "round": steps.round,
        "source": list(steps.source),
        "gate": [gate] * rows,
        "mode": [mode] * rows,
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
