"""What a Parquet file claims to hold, before any of it is believed."""

import os
from typing import Any

_CELL = 8  # bytes that a value takes at least once it is read


def check_size(file: Any) -> None:
    """ValueError where an open `pyarrow.parquet.ParquetFile` claims more values than this machine's memory holds."""
    rows, columns = file.metadata.num_rows, file.metadata.num_columns
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if rows * columns * _CELL > memory:
        raise ValueError(f"it claims {rows:,} rows, which {memory / 2**30:.0f} GiB of memory do not hold")
