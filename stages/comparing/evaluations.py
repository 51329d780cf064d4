"""The episodes of one evaluation, as what is compared: the world each one ran in, and how it ended there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.core import parquet, schemas
from stages.core.columns import values
from stages.core.episode import Bools, Ints
from stages.core.errors import UserError, quoted
from stages.core.files import check_file
from stages.core.task import Floats

WORLD = "world."  # what the names of the knobs' columns begin with
_NEEDED = {
    "condition": pa.string(),
    "seed": pa.int64(),
    "outcome": pa.string(),
    "steps": pa.int64(),
    "error": pa.float64(),
}


@dataclass(frozen=True)
class Evaluation:
    """E episodes of one policy; K knobs, by name, make a world."""

    task: str
    conditions: tuple[str, ...]  # (E,)
    seeds: Ints  # (E,)
    success: Bools  # (E,)
    endings: Floats  # (E, 2) steps and error at the end: with the world, enough to know an episode again
    worlds: Mapping[str, Floats]  # knob -> (E,)
    given: Mapping[str, Floats] = field(default_factory=dict)  # what else tells worlds apart, by name -> (E,)


def read_evaluation(folder: Path) -> Evaluation:
    """The evaluation in `folder`, of whatever task and version it says it is.

    What is compared is read alone: a detail or a channel that another version lacks is no hindrance. Raises UserError
    for a file that is missing, damaged or lacks a column, and for a seed that a condition has twice.
    """
    path = folder / schemas.EPISODES
    found = _schema(path)
    missing = [name for name in _NEEDED if name not in found.names]
    if missing:
        raise UserError(f"{path}: columns missing: {', '.join(missing)}")
    for column in found:
        kind = pa.float64() if column.name.startswith((WORLD, schemas.GIVEN)) else _NEEDED.get(column.name, column.type)
        if column.type != kind:
            raise UserError(f"{path}: column {quoted(column.name)}: found {quoted(column.type)}, allowed: {kind}")
    table = parquet.read_table(path, found)
    for name in table.column_names:
        if table[name].null_count:
            raise UserError(f"{path}: column {quoted(name)}: found an empty cell, allowed: a value in every row")
    evaluation = Evaluation(
        found.metadata[b"task"].decode(),
        tuple(table["condition"].to_pylist()),
        values(table["seed"]),
        np.array([outcome == "success" for outcome in table["outcome"].to_pylist()], dtype=bool),
        np.stack([values(table["steps"]).astype(float), values(table["error"])], axis=1),
        _columns(table, WORLD),
        _columns(table, schemas.GIVEN),
    )
    _check_seeds(path, evaluation)
    return evaluation


def _columns(table: pa.Table, prefix: str) -> dict[str, Floats]:
    """Those whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): values(table[name]) for name in table.column_names if name.startswith(prefix)}


def _schema(path: Path) -> pa.Schema:
    """The columns of the file itself: its units and values are checked against what it declares."""
    check_file(path)
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]})") from None
    if b"task" not in (schema.metadata or {}):
        raise UserError(f"{path}: names no task in its metadata, needed: episodes that `evaluate` wrote")
    return schema


def _check_seeds(path: Path, evaluation: Evaluation) -> None:
    keys = list(zip(evaluation.conditions, evaluation.seeds.tolist(), strict=True))
    if len(set(keys)) < len(keys):
        raise UserError(f"{path}: a condition holds a seed twice, allowed: each once, or no episode has one partner")
