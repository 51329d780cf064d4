"""Arrow's columns from numpy's arrays, and back.

`pyarrow.array` and `to_numpy` import pandas, if only to ask whether it has a part in this: half of the time
in which a stage starts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pyarrow as pa

from stages.core.episode import Bools

LARGEST = 1e100  # of any number, whatever its unit: the squares of larger ones are soon infinite


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
    """The numbers or booleans (N,) of a column, read-only; where floats have nulls, they have NaN."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count:
        found = np.full(len(array), np.nan)
        found[values(array.is_valid())] = values(array.drop_null())
        return found
    if pa.types.is_boolean(array.type):
        return values(array.cast(pa.uint8())).view(np.bool_)
    return np.from_dlpack(array)


def letters(column: pa.Array) -> tuple[NDArray[np.int32], memoryview]:
    """Where N strings without nulls begin and the last ends (N + 1,), in bytes, and the bytes of them all."""
    if len(column) == 0:
        return np.zeros(1, dtype=np.int32), memoryview(b"")
    _, offsets, content = column.buffers()
    edges = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    return edges, memoryview(content or b"")[edges[0] : edges[-1]]


def _validity(known: Bools) -> pa.Buffer | None:
    return None if known.all() else _bits(known)


def _bits(content: Bools) -> pa.Buffer:
    return pa.py_buffer(np.packbits(content, bitorder="little"))
