"""A person's recording, CSV or Parquet, becomes an episode."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from stages.core.bounds import LARGEST
from stages.core.columns import values
from stages.core.digest import Digest
from stages.core.errors import UserError, listed, reason
from stages.core.files import check_file, replacing
from stages.core.footers import check_size
from stages.core.task import Channel, Floats, Task


def read_shown(path: Path, task: type[Task]) -> tuple[Floats, Floats]:
    """Observations (T, O) and actions (T, A) of the recording at `path`; UserError where it is none to learn from."""
    recorded = read_recording(path, task.recorded)
    flaw = task.flaw(recorded)
    if flaw is not None:
        raise UserError(f"{path}: {flaw}")
    return task.complete(recorded)


def read_recording(path: Path, columns: tuple[Channel, ...]) -> Floats:
    """The recording's rows (T, R), its columns in the order of `columns`.

    Raises UserError where the file is missing, empty or damaged, lacks a column or has one more, or holds anything but
    numbers of less than LARGEST.
    """
    readers: dict[str, Callable[[Path], pa.Table]] = {".csv": _read_csv, ".parquet": _read_parquet}
    check_file(path)
    if path.suffix not in readers:
        raise UserError(f"{path}: found a file ending in {path.suffix or 'nothing'}, allowed: {', '.join(readers)}")
    try:
        table = readers[path.suffix](path)
        names = table.column_names
        _check_names(path, names, [channel.name for channel in columns])
        if table.num_rows == 0:
            raise UserError(f"{path}: no rows, at least one is needed")
        return np.stack([_numbers(path, table, channel.name) for channel in columns], axis=1)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({reason(error)})") from None


def write_recording(rows: Floats, columns: tuple[Channel, ...], path: Path) -> None:
    """Write rows (T, R) of a task's recorded `columns` as Parquet or CSV, as the name ends; whole or not at all."""
    import pyarrow.csv

    from stages.core.parquet import write_table

    fields = [pa.field(one.name, pa.float64(), nullable=False, metadata={"unit": one.unit}) for one in columns]
    table = pa.table(list(rows.T), schema=pa.schema(fields))
    if path.suffix == ".parquet":
        write_table(table, path)
    else:
        with replacing(path) as temporary:
            pyarrow.csv.write_csv(table, temporary)


def _read_csv(path: Path) -> pa.Table:
    import pyarrow.csv

    return pyarrow.csv.read_csv(path)


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        check_size(file)
        table = file.read()
        seen = Digest(table.schema)
        seen.add(table)
        seen.check(file.metadata.metadata)
        return table


def _check_names(path: Path, found: list[str], wanted: list[str]) -> None:
    if sorted(found) != sorted(wanted):
        raise UserError(f"{path}: found columns {listed(found)}; allowed: exactly {', '.join(wanted)}")


def _numbers(path: Path, table: pa.Table, name: str) -> Floats:
    column = table[name]
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise UserError(f"{path}: column {name}: found {column.type}, allowed: numbers")
    found: Floats = values(column.cast(pa.float64(), safe=False))
    bad = np.flatnonzero(~(np.abs(found) < LARGEST))
    if len(bad):
        allowed = f"numbers below {LARGEST:g}" if np.isfinite(found[bad[0]]) else "finite numbers"
        raise UserError(f"{path}: column {name}, row {bad[0] + 1}: found {found[bad[0]]}, allowed: {allowed}")
    return found
