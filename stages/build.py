"""Build a round's dataset: of the demonstrations, or of the dataset of the round before and its corrections.

ROWS and MORE are demonstrations/steps.parquet and demonstrations/episodes.parquet for round_0, and dataset.parquet and
corrections.parquet of the round before for every later one.
"""

from collections.abc import Iterator
from pathlib import Path
import sys

import numpy as np
import pyarrow as pa

from stages.core import cli, errors, parquet, schemas, tables
from stages.core.columns import numbers, texts, values
from stages.core.episode import Bools
from stages.core.schemas import RECORDED
from stages.core.task import Task
from stages.core.wording import plural
from stages.tasks import TASKS

_MOST = 2**62  # episodes that can be numbered and still be followed by others


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    parser.add_argument("rows", type=Path, help="steps.parquet of demonstrations, or dataset.parquet")
    parser.add_argument("more", type=Path, help="episodes.parquet of demonstrations, or corrections.parquet")
    parser.add_argument("--output", type=cli.new_file(), required=True, help="the dataset, a Parquet file")
    arguments = parser.parse_args()
    task = TASKS.find(arguments.task)
    schema = schemas.expert_schema(arguments.task, task)
    if arguments.rows.name == schemas.STEPS:
        beside = arguments.rows.parent / schemas.EPISODES
        if arguments.more.resolve() != beside.resolve():
            raise errors.UserError(f"{arguments.more}: found other episodes, allowed: {beside}, those of the steps")
        parts = from_demonstrations(arguments.rows.parent, arguments.task, task)
    else:
        parts = aggregate(arguments.rows, arguments.more, schema)
    rows = parquet.write_parts(parts, schema, arguments.output)
    print(f"{arguments.output}: {plural(rows, 'row')}")


def from_demonstrations(folder: Path, name: str, task: type[Task]) -> Iterator[pa.Table]:
    """The dataset of round 0, in parts: demonstrations that succeeded, for who copies a failure learns to fail.

    The others are left out, and standard error says how many. UserError when none is left.
    """
    episodes = tables.list_episodes(folder, name, task)
    succeeded = np.array([outcome == "success" for outcome in episodes["outcome"].to_pylist()])
    person = np.array([condition == RECORDED for condition in episodes["condition"].to_pylist()])
    for steps, place in tables.read_steps(folder, name, task, episodes):
        kept = succeeded[place]
        yield _rows(steps.filter(numbers(kept)), person[place[kept]], name, task)
    if not succeeded.any():
        raise errors.UserError(f"{folder}: found no demonstration that succeeded, allowed: at least 1")
    if not succeeded.all():
        failed = np.sum(~succeeded)
        print(f"{folder}: {failed} of {len(succeeded)} demonstrations failed and are left out", file=sys.stderr)


def _rows(steps: pa.Table, person: Bools, name: str, task: type[Task]) -> pa.Table:
    """Steps of an expert, or where `person` (N,) is true of a person, as rows of a dataset."""
    count, schema = steps.num_rows, schemas.expert_schema(name, task)
    made = {
        "timestamp": numbers(values(steps["frame_index"]) * task.control_period),
        "round": numbers(np.zeros(count, dtype=np.int64)),
        "source": texts(["expert", "person"]).take(numbers(person.astype(np.int64))),
    }
    absent = {key: pa.nulls(count, schema.field(key).type) for key in ("gate", "mode", "practice_episode")}
    columns = {**dict(zip(steps.column_names, steps.columns, strict=True)), **made, **absent}
    return pa.Table.from_arrays([columns[key] for key in schema.names], schema=schema)


def aggregate(dataset: Path, corrections: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of both files, in parts, with the episodes of the corrections renumbered after the known ones.

    UserError for corrections that are of no later round than the dataset.
    """
    known = last = -1
    for part in parquet.read_parts(dataset, schema):
        known = max(known, int(values(part["episode_index"]).max()))
        last = max(last, int(values(part["round"]).max()))
        if known >= _MOST:
            raise errors.UserError(f"{dataset}: column episode_index: found {known}, allowed: below {_MOST}")
        yield part
    # Twice through the corrections: a number may only be given once all are known.
    parts = parquet.read_parts(corrections, schema, empty=True)
    there = [np.unique(values(part["episode_index"])) for part in parts]
    episodes = np.unique(np.concatenate(there or [np.zeros(0, dtype=np.int64)]))
    place = schema.get_field_index("episode_index")
    for part in parquet.read_parts(corrections, schema, empty=True):
        first = int(values(part["round"]).min())
        if first <= last:
            allowed = f"more than {last}, the last of {dataset}"
            raise errors.UserError(f"{corrections}: column round: found {first}, allowed: {allowed}")
        ranks = np.searchsorted(episodes, values(part["episode_index"]))
        yield part.set_column(place, schema.field(place), numbers(known + 1 + ranks))


if __name__ == "__main__":
    errors.run(main)
