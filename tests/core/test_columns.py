"""Columns from numpy and back."""

from itertools import pairwise
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from stages.core.columns import known, letters, numbers, present, texts, values

ARRAYS = [
    np.array([1.5, -0.0, 1e300]),
    np.array([3, -(2**62)]),
    np.array([True, False, True, True, False, False, True, False, True]),
    np.arange(12.0).reshape(4, 3)[:, 1],
    np.empty(0),
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=bool),
]


@pytest.mark.parametrize("content", ARRAYS, ids=str)
def test_columns_are_arrows_own(content: np.ndarray) -> None:
    column = numbers(content)
    column.validate(full=True)
    assert column.equals(pa.array(content))


@pytest.mark.parametrize("content", ARRAYS, ids=str)
def test_what_went_in_comes_out(content: np.ndarray) -> None:
    found = values(numbers(content))
    assert found.dtype == content.dtype
    np.testing.assert_array_equal(found, content)
    np.testing.assert_array_equal(values(pa.chunked_array([numbers(content), numbers(content)])), [*content, *content])


def test_nan_is_null() -> None:
    content = np.array([np.nan, 1.0, np.nan])
    column = numbers(content)
    assert column.to_pylist() == [None, 1.0, None]
    np.testing.assert_array_equal(values(column), content)


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64(), pa.bool_()], ids=str)
@pytest.mark.parametrize("content", [[], [1], [None], [None, 1, 0, None, None, 1, 1, 0, 1, None, 1]], ids=str)
@pytest.mark.parametrize("first", [0, 1, 9])
def test_what_a_part_of_a_column_holds_is_what_arrow_says(kind: pa.DataType, content: list, first: int) -> None:
    around = [1] * 9
    column = pa.array([*around, *content, *around], pa.int64()).cast(kind)
    part = column.slice(len(around) - first, first + len(content) + 3)
    np.testing.assert_array_equal(known(part), part.is_valid().to_numpy(zero_copy_only=False))
    held = part.drop_null().to_numpy(zero_copy_only=False)
    np.testing.assert_array_equal(present(part), held)
    assert present(part).dtype == held.dtype
    expected = [np.nan if value is None else value for value in part.to_pylist()]
    np.testing.assert_array_equal(values(part), expected)


@pytest.mark.parametrize("content", [[], ["a", "", "é"], [None, "b", None], [None]], ids=str)
def test_texts_are_arrows_own(content: list[str | None]) -> None:
    column = texts(content)
    column.validate(full=True)
    assert column.equals(pa.array(content, pa.string()))


@pytest.mark.parametrize("content", [[], ["a", "", "é", "bc"], [""]], ids=str)
def test_letters_are_those_of_the_texts(content: list[str]) -> None:
    column = pa.array(["before", *content, "after"], pa.string()).slice(1, len(content))
    edges, written = letters(column)
    assert [bytes(written[start - edges[0] : stop - edges[0]]).decode() for start, stop in pairwise(edges)] == content
    assert b"".join(one.encode() for one in content) == bytes(written)


def test_what_stages_start_without_is_not_imported() -> None:
    code = (
        "import stages, sys, numpy as np, pyarrow as pa; from stages.core.columns import numbers, texts, values;"
        "values(numbers(np.array([1.0, np.nan]))), values(numbers(np.array([True]))), texts(['a', None]);"
        "assert not {'pandas', 'pyarrow.compute'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
