"""Arrow's columns from numpy's arrays, and back.

`pyarrow.array` and `to_numpy` import pandas, if only to ask whether it has a part in this: half of the time in which a
stage starts. Arrow's own arithmetic (casts, masks, what is null) imports a wrapper for each of some 300 functions: an
eighth of it. So bits are unpacked here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pyarrow as pa

from stages.core.episode import Bools


def numbers(content: NDArray[Any]) -> pa.Array:
    """Floats, integers or booleans (N,) as they are; NaN becomes null."""
    if content.dtype == np.bool_:
        return pa.Array.from_buffers(pa.bool_(), len(content), [None, _bits(content)])
    known = np.ones(len(content), dtype=bool) if content.dtype == np.int64 else ~np.isnan(content)
    buffers = [_validity(known), pa.py_buffer(np.ascontiguousarray(content))]
    return pa.Array.from_buffers(pa.from_numpy_dtype(content.dtype), len(content), buffers)


def texts(content: Sequence[str | None]) -> pa.Array:
    """Strings (N,); None becomes null."""
    encoded = [(value or "").encode() for value in content]
    offsets = np.cumsum([0, *(len(one) for one in encoded)], dtype=np.int32)
    known = np.array([value is not None for value in content], dtype=bool)
    buffers = [_validity(known), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def values(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """The numbers or booleans (N,) of a column; where it has nulls, floats with NaN in their place."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = _cells(array)
    return np.where(known(array), found, np.nan) if array.null_count else found


def known(array: pa.Array) -> Bools:
    """Which cells hold a value (N,)."""
    return _unpacked(array, 0) if array.null_count else np.ones(len(array), dtype=bool)


def present(array: pa.Array) -> NDArray[Any]:
    """The numbers or booleans (M,) of the cells that hold one, as they are."""
    return _cells(array)[known(array)] if array.null_count else _cells(array)


def _cells(array: pa.Array) -> NDArray[Any]:
    """What stands in all cells (N,), something in those that hold no value. ValueError for what is no number."""
    if pa.types.is_boolean(array.type):
        return _unpacked(array, 1)
    if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        raise ValueError(f"cells of type {array.type} where numbers are needed")
    if not array.null_count:
        return np.from_dlpack(array)
    cells = np.frombuffer(array.buffers()[1], dtype=array.type.to_pandas_dtype())
    return cells[array.offset : array.offset + len(array)]


def _unpacked(array: pa.Array, place: int) -> Bools:
    """The bits (N,) in one of the array's buffers. ValueError where it has none: it is of Arrow's type null."""
    if not len(array):
        return np.zeros(0, dtype=bool)
    buffer = array.buffers()[place]
    if buffer is None:
        raise ValueError(f"cells of type {array.type} where values are needed")
    octets = np.frombuffer(buffer, dtype=np.uint8)[array.offset // 8 :]
    before = array.offset % 8
    return np.unpackbits(octets, count=before + len(array), bitorder="little")[before:].view(np.bool_)


def letters(column: pa.Array) -> tuple[NDArray[np.int32], memoryview]:
    """Where N strings begin and the last ends (N + 1,), in bytes, and the bytes of them all.

    A null is taken to be empty, as `texts` and whoever reads Parquet make it.
    """
    if len(column) == 0:
        return np.zeros(1, dtype=np.int32), memoryview(b"")
    _, offsets, content = column.buffers()
    edges = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    return edges, memoryview(content or b"")[edges[0] : edges[-1]]


def _validity(known: Bools) -> pa.Buffer | None:
    return None if known.all() else _bits(known)


def _bits(content: Bools) -> pa.Buffer:
    return pa.py_buffer(np.packbits(content, bitorder="little"))
