"""The digest is that of the content, in whatever parts it comes; any change of the content is another digest."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from stages.core.digest import DIGEST, Digest

ROWS = 100


def content() -> pa.Table:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=ROWS)
    return pa.table(
        {
            "float": numbers,
            "gaps": pa.array(numbers, mask=np.repeat(rng.random(20) < 0.5, 5)),
            "none": pa.nulls(ROWS, pa.int64()),
            "whole": np.arange(ROWS),
            "flag": numbers > 0,
            "text": pa.array(["a", None, "b", "", "a"] * (ROWS // 5)),
        }
    )


def digest(*parts: pa.Table) -> bytes:
    seen = Digest(parts[0].schema)
    for part in parts:
        seen.add(part)
    return seen.value()


def cut(table: pa.Table, size: int) -> list[pa.Table]:
    return [table.slice(start, size) for start in range(0, len(table), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 99])
def test_the_parts_decide_nothing(size: int) -> None:
    parts = cut(content(), size)
    assert digest(*parts) == digest(content())
    assert digest(pa.concat_tables(parts)) == digest(content())
    assert digest(content().slice(0, 0), *parts, content().slice(0, 0)) == digest(content())


def test_the_metadata_decide_nothing() -> None:
    assert digest(content().replace_schema_metadata({"a": "b"})) == digest(content())


def with_column(name: str, values: pa.Array) -> pa.Table:
    place = content().schema.get_field_index(name)
    return content().set_column(place, name, values)


def swapped(name: str, one: int, other: int) -> pa.Table:
    values = content()[name].to_pylist()
    values[one], values[other] = values[other], values[one]
    return with_column(name, pa.array(values, content().schema.field(name).type))


OTHERS: dict[str, Callable[[], pa.Table]] = {
    "a row less": lambda: content().slice(0, ROWS - 1),
    "a row less where all are null": lambda: content().select(["none"]).slice(1),
    "a row twice": lambda: pa.concat_tables([content(), content().slice(ROWS - 1)]),
    "rows swapped": lambda: swapped("float", 3, 90),
    "nulls elsewhere": lambda: swapped("gaps", 0, content()["gaps"].is_null().to_pylist().index(True)),
    "texts swapped": lambda: swapped("text", 0, 2),
    "null for a text": lambda: swapped("text", 1, 3),
    "the other flag": lambda: swapped("flag", *(content()["flag"].to_pylist().index(one) for one in (True, False))),
    "another name": lambda: content().rename_columns(["other", *content().column_names[1:]]),
    "another type": lambda: with_column("none", pa.nulls(ROWS, pa.float64())),
    "columns swapped": lambda: content().select(content().column_names[::-1]),
    "other texts in the same places": lambda: with_column("text", pa.array(["a", None, "c", "", "a"] * (ROWS // 5))),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_content_has_another_digest(case: str) -> None:
    other = OTHERS[case]()
    shared = [name for name in content().column_names if name in other.column_names]
    assert digest(other) not in (digest(content()), digest(content().select(shared)))


def test_each_bit_of_a_number_counts() -> None:
    known = digest(content())
    for bit in range(64):
        bits = content()["float"].to_numpy().view(np.uint64).copy()
        bits[17] ^= np.uint64(1) << np.uint64(bit)
        assert digest(with_column("float", pa.array(bits.view(np.float64)))) != known


def test_only_a_digest_that_is_there_is_compared() -> None:
    seen = Digest(content().schema)
    seen.add(content())
    seen.check(None)
    seen.check({b"other": b""})
    seen.check({DIGEST: digest(content())})
    with pytest.raises(ValueError, match="its content is not what was written"):
        seen.check({DIGEST: digest(content().slice(1))})
