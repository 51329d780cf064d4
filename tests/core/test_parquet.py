"""A table comes back from its file as it was, and a file that is broken is refused."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core import parquet, schemas, tables
from stages.core.digest import DIGEST
from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.tasks.distance import Distance

SCHEMA = schemas.expert_schema("distance", Distance)


def expert_rows(rows: int) -> pa.Table:
    rng = np.random.default_rng(0)
    steps = Steps(
        np.repeat(np.arange(rows), 2)[:rows],
        np.arange(rows) % 2,
        np.zeros(rows, dtype=np.int64),
        ["expert", "person"] * (rows // 2) + ["expert"] * (rows % 2),
        rng.normal(size=(rows, 1)),
        rng.normal(size=(rows, 1)),
    )
    return tables.expert_table("distance", Distance, steps)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dataset.parquet"
    parquet.write_table(expert_rows(15), path)
    return path


def test_expert_rows_come_back_as_they_were(file: Path) -> None:
    assert parquet.read_table(file, SCHEMA).equals(expert_rows(15), check_metadata=True)


def test_equal_tables_give_equal_bytes(file: Path, tmp_path: Path) -> None:
    halves = pa.concat_tables([expert_rows(15).slice(0, 6), expert_rows(15).slice(6)])
    parquet.write_table(halves, tmp_path / "again.parquet")
    parquet.write_table(expert_rows(15).slice(1), tmp_path / "other.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == file.read_bytes()
    assert (tmp_path / "other.parquet").read_bytes() != file.read_bytes()


def long_rows() -> pa.Table:
    """Two groups and a half."""
    return pa.concat_tables([expert_rows(1000)] * (5 * parquet.GROUP // 2000 + 1))


@pytest.mark.parametrize("size", [999, parquet.GROUP, 2 * parquet.GROUP + 1, 10**9])
def test_how_rows_come_does_not_change_the_file(size: int, tmp_path: Path) -> None:
    table = long_rows()
    parquet.write_table(table.combine_chunks(), tmp_path / "whole.parquet")
    parts = (table.slice(start, size) for start in range(0, len(table), size))
    parquet.write_parts(parts, SCHEMA, tmp_path / "parts.parquet")
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    with pq.ParquetFile(tmp_path / "parts.parquet") as file:
        rows = [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]
    assert rows == [parquet.GROUP, parquet.GROUP, len(table) - 2 * parquet.GROUP]
    parts = list(parquet.read_parts(tmp_path / "parts.parquet", SCHEMA))
    assert max(part.num_rows for part in parts) <= parquet.GROUP
    assert pa.concat_tables(parts).equals(table)


def test_damage_to_a_later_part_is_told_before_anything_is_replaced(file: Path, tmp_path: Path) -> None:
    long, before = tmp_path / "long.parquet", file.read_bytes()
    parquet.write_table(long_rows(), long)
    damaged = bytearray(long.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    long.write_bytes(damaged)
    with pytest.raises(UserError, match=r"long\.parquet: not a whole Parquet file"):
        parquet.write_parts(parquet.read_parts(long, SCHEMA), SCHEMA, file)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset.parquet", "long.parquet"]


def test_a_whole_group_less_is_noticed(tmp_path: Path) -> None:
    """As if the footer did not list it: no page is damaged."""
    table = long_rows()
    parquet.write_table(table, tmp_path / "whole.parquet")
    found = {DIGEST: pq.read_metadata(tmp_path / "whole.parquet").metadata[DIGEST], b"task": b"distance"}
    path = tmp_path / "less.parquet"
    pq.write_table(table.slice(0, parquet.GROUP).replace_schema_metadata(found), path)
    with pytest.raises(UserError, match="its content is not what was written"):
        list(parquet.read_parts(path, SCHEMA))


def test_values_that_cannot_be_are_told_of_any_part(tmp_path: Path) -> None:
    steps = long_rows()["action.step"].to_numpy().copy()
    steps[-1] = np.nan
    table = long_rows()
    place = table.schema.get_field_index("action.step")
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array(steps)), tmp_path / "nan.parquet")
    with pytest.raises(UserError, match=r"nan\.parquet: column action\.step: found nan, infinity or more"):
        list(parquet.read_parts(tmp_path / "nan.parquet", SCHEMA))


def test_a_table_without_rows_is_read_only_where_it_may_be_empty(tmp_path: Path) -> None:
    parquet.write_table(expert_rows(0), tmp_path / "none.parquet")
    assert parquet.read_table(tmp_path / "none.parquet", SCHEMA, empty=True).num_rows == 0
    with pytest.raises(UserError, match=r"none\.parquet: no rows, at least one is needed"):
        parquet.read_table(tmp_path / "none.parquet", SCHEMA)


# What is refused


def test_a_flipped_bit_is_noticed_or_harmless(file: Path) -> None:
    whole, rng = file.read_bytes(), np.random.default_rng(1)
    footer = int.from_bytes(whole[-8:-4], "little")
    places = [*rng.integers(len(whole), size=200), *(len(whole) - 1 - rng.integers(footer, size=400))]
    noticed = 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        try:
            assert parquet.read_table(file, SCHEMA).equals(expert_rows(15)), place
        except UserError:
            noticed += 1
    assert noticed > len(places) / 4


def test_a_footer_with_fewer_rows_is_noticed(tmp_path: Path) -> None:
    """The footer has no checksum: were its number of rows smaller, the rest would go unread."""
    path = tmp_path / "dataset.parquet"
    table = expert_rows(15)
    parquet.write_table(table, path)
    digest = pq.read_metadata(path).metadata[DIGEST]
    pq.write_table(table.slice(0, 11).replace_schema_metadata({**table.schema.metadata, DIGEST: digest}), path)
    with pytest.raises(UserError, match="not a whole Parquet file"):
        parquet.read_table(path, SCHEMA)


def without(name: str) -> pa.Table:
    return expert_rows(15).drop_columns([name])


def changed(name: str, values: list[object], kind: pa.DataType | None = None) -> pa.Table:
    table = expert_rows(15)
    place = table.schema.get_field_index(name)
    field = pa.field(name, kind or table.schema.field(name).type, metadata=table.schema.field(name).metadata)
    return table.set_column(place, field, pa.array(values, field.type))


def renamed_task() -> pa.Table:
    return expert_rows(15).replace_schema_metadata({"task": "kuka_reach"})


def other_unit() -> pa.Table:
    table = expert_rows(15)
    place = table.schema.get_field_index("action.step")
    return table.set_column(place, pa.field("action.step", pa.float64(), metadata={"unit": "cm"}), table["action.step"])


def twice() -> pa.Table:
    table = expert_rows(15)
    return table.append_column("round", table["round"])


BROKEN = {
    "missing column": (lambda: without("action.step"), "columns missing: action.step; columns unknown: none"),
    "extra column": (
        lambda: expert_rows(15).append_column("extra", pa.array([1.0] * 15)),
        "columns missing: none; columns unknown: extra",
    ),
    "column twice": (twice, "columns missing: none; columns unknown: round"),
    "wrong task": (renamed_task, "written for task kuka_reach, needed for task distance"),
    "no task": (
        lambda: expert_rows(15).replace_schema_metadata(None),
        "written for task none, needed for task distance",
    ),
    "other unit": (other_unit, "column action.step: found unit cm, allowed: m"),
    "nan": (
        lambda: changed("action.step", [1.0] * 14 + [np.nan]),
        "column action.step: found nan, infinity or more, allowed: numbers below 1e+100",
    ),
    "infinity": (
        lambda: changed("observation.distance", [np.inf] * 15),
        "column observation.distance: found nan, infinity or more, allowed: numbers below 1e+100",
    ),
    "beyond all squares": (
        lambda: changed("action.step", [1.0] * 14 + [1e300]),
        "column action.step: found nan, infinity or more, allowed: numbers below 1e+100",
    ),
    "empty cell": (
        lambda: changed("action.step", [None] + [1.0] * 14),
        "column action.step: found an empty cell, allowed: a value in every row",
    ),
    "empty index": (
        lambda: changed("round", [None] * 15),
        "column round: found an empty cell, allowed: a value in every row",
    ),
    "text": (
        lambda: changed("action.step", ["x"] * 15, pa.string()),
        "column action.step: found string, allowed: double",
    ),
    "whole numbers": (
        lambda: changed("action.step", [1] * 15, pa.int64()),
        "column action.step: found int64, allowed: double",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_table_is_told(case: str, tmp_path: Path) -> None:
    make, message = BROKEN[case]
    path = tmp_path / "dataset.parquet"
    pq.write_table(make(), path)
    with pytest.raises(UserError) as told:
        parquet.read_table(path, SCHEMA)
    assert str(told.value) == f"{path}: {message}"


@pytest.mark.parametrize("kind", [pa.date32(), pa.null(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_columns_of_types_that_no_stage_writes_are_told(kind: pa.DataType, tmp_path: Path) -> None:
    """`compare` reads files of other versions by their own schema."""
    table = expert_rows(15).append_column("extra", pa.nulls(15, kind))
    pq.write_table(table, tmp_path / "dataset.parquet")
    with pytest.raises(UserError, match=r"not a whole Parquet file \(cells of type"):
        parquet.read_table(tmp_path / "dataset.parquet", pq.read_schema(tmp_path / "dataset.parquet"))


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "headless", "zeros"])
def test_a_file_that_is_not_whole_is_told(damage: str, file: Path) -> None:
    whole = file.read_bytes()
    damaged = {
        "empty": b"",
        "text": b"distance,step\n1,2\n",
        "truncated": whole[: len(whole) // 2],
        "headless": whole[7:],
        "zeros": bytes(len(whole)),
    }
    file.write_bytes(damaged[damage])
    with pytest.raises(UserError, match=f"^{file}: not a whole Parquet file") as told:
        parquet.read_table(file, SCHEMA)
    assert "\n" not in str(told.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^{tmp_path / 'none'}: no such file$"):
        parquet.read_table(tmp_path / "none", SCHEMA)
    with pytest.raises(UserError, match=f"^{tmp_path}: found a folder, allowed: a file$"):
        parquet.read_table(tmp_path, SCHEMA)


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    table = expert_rows(15)
    pq.write_table(table.select(table.column_names[::-1]), tmp_path / "dataset.parquet")
    assert parquet.read_table(tmp_path / "dataset.parquet", SCHEMA).equals(table)


# What is crafted: the file is whole, and what it says cannot be


def test_more_rows_than_memory_holds_are_not_read(file: Path) -> None:
    """The footer's number of rows, a varint (30 is 15 in zigzag), is made 2^50."""
    whole = file.read_bytes()
    size = int.from_bytes(whole[-8:-4], "little")
    body, footer = whole[: -8 - size], whole[-8 - size : -8]
    claimed = bytes([128] * 7 + [4])
    for place in (place for place in range(size) if footer[place] == 30):
        made = footer[:place] + claimed + footer[place + 1 :]
        file.write_bytes(body + made + len(made).to_bytes(4, "little") + b"PAR1")
        try:
            if pq.read_metadata(file).num_rows == 2**50:
                break
        except (OSError, pa.ArrowException):
            continue
    else:
        pytest.fail("the number of rows was not found")
    with pytest.raises(UserError, match=r"it claims .* rows, which .* GiB of memory do not hold"):
        parquet.read_table(file, SCHEMA)
