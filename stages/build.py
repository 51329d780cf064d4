"""Build a round's dataset: of the demonstrations, or of the dataset of the round before and its corrections.

ROWS and MORE are demonstrations/steps.parquet and demonstrations/episodes.parquet for round_0, and dataset.parquet and
corrections.parquet of the round before for every later one.
"""

from pathlib import Path
import sys

import numpy as np
import pyarrow as pa

from stages.core import cli, errors, tables
from stages.core.columns import numbers, values
from stages.core.episode import Steps
from stages.core.recordings import RECORDED
from stages.core.task import Task
from stages.tasks import TASKS


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    parser.add_argument("rows", type=Path, help="steps.parquet of demonstrations, or dataset.parquet")
    parser.add_argument("more", type=Path, help="episodes.parquet of demonstrations, or corrections.parquet")
    parser.add_argument("--output", type=Path, required=True, help="the dataset, a Parquet file")
    arguments = parser.parse_args()
    task = TASKS.find(arguments.task)
    if arguments.rows.name == tables.STEPS:
        dataset = from_demonstrations(arguments.rows.parent, arguments.task, task)
    else:
        schema = tables.expert_schema(arguments.task, task)
        known = tables.read_table(arguments.rows, schema)
        dataset = aggregate(known, tables.read_table(arguments.more, schema, empty=True))
    tables.write_table(dataset, arguments.output)


def from_demonstrations(folder: Path, name: str, task: type[Task]) -> pa.Table:
    """The dataset of round 0: demonstrations that succeeded, for who copies a failure learns to fail.

    The others are left out, and standard error says how many. UserError when none is left.
    """
    steps, episodes = tables.read_episodes(folder, name, task)
    lengths = values(episodes["steps"])
    succeeded = np.array([outcome == "success" for outcome in episodes["outcome"].to_pylist()])
    if not succeeded.any():
        raise errors.UserError(f"{folder}: found no demonstration that succeeded, allowed: at least 1")
    if not succeeded.all():
        failed = np.sum(~succeeded)
        print(f"{folder}: {failed} of {len(succeeded)} demonstrations failed and are left out", file=sys.stderr)
    person = np.array([condition == RECORDED for condition in episodes["condition"].to_pylist()])
    source = np.where(np.repeat(person, lengths), "person", "expert")[np.repeat(succeeded, lengths)]
    steps = steps.filter(numbers(np.repeat(succeeded, lengths)))
    rows = Steps(
        values(steps["episode_index"]),
        values(steps["frame_index"]),
        np.zeros(steps.num_rows, dtype=np.int64),
        source.tolist(),
        tables.matrix(steps, "observation", task.observation),
        tables.matrix(steps, "action", task.action),
    )
    return tables.expert_table(name, task, rows)


def aggregate(known: pa.Table, corrections: pa.Table) -> pa.Table:
    """Both tables as one, with the episodes of the corrections renumbered after the known ones."""
    first = int(np.max(values(known["episode_index"]))) + 1
    _, ranks = np.unique(values(corrections["episode_index"]), return_inverse=True)
    place = corrections.schema.get_field_index("episode_index")
    renumbered = corrections.set_column(place, corrections.schema.field(place), numbers(ranks + first))
    return pa.concat_tables([known, renumbered])


if __name__ == "__main__":
    errors.run(main)
