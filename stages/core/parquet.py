"""Tables as Parquet files: written whole, in one form, and checked where they are read."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.core.bounds import LARGEST
from stages.core.columns import present
from stages.core.digest import DIGEST, Digest
from stages.core.errors import UserError, listed, quoted, reason
from stages.core.files import check_file, replacing
from stages.core.footers import check_size

GROUP = 2**17  # rows that are in memory together where a table is read or written in parts


def write_table(table: pa.Table, path: Path) -> None:
    """Write Parquet with checksums of its pages and a digest of it all, whole or not at all.

    Equal tables give equal bytes.
    """
    write_parts([table], table.schema, path)


def write_parts(parts: Iterable[pa.Table], schema: pa.Schema, path: Path) -> int:
    """Write a table that comes in parts of any size, as `write_table` would the whole, with GROUP rows in memory.

    What comes back is how many rows it has. Where the parts end in an error, what stood at `path` stays.
    """
    metadata = {key: value for key, value in (schema.metadata or {}).items() if key != DIGEST}
    schema, seen, rows = schema.with_metadata(metadata), Digest(schema), 0
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
            rows += group.num_rows
            writer.write_table(group.replace_schema_metadata(metadata), row_group_size=GROUP)
        writer.add_key_value_metadata({DIGEST: seen.value()})
    return rows


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
    check_file(path)
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
                    yield pa.Table.from_arrays(part.columns, schema=schema)
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
        if pa.types.is_floating(field.type) and not all(map(_is_small, column.chunks)):
            return f"column {field.name}: found nan, infinity or more, allowed: numbers below {LARGEST:g}"
    return ""


def _is_small(part: pa.Array) -> bool:
    return bool((np.abs(present(part)) < LARGEST).all())
