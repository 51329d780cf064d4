"""A digest of what a table says: Parquet's pages carry checksums, its footer and page headers do not."""

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
from zlib import crc32

import numpy as np
import pyarrow as pa

from stages.core.columns import known, letters, present

# In a file's metadata. Files with `digest` alone were written when it was made otherwise: it is not read.
DIGEST = b"content_digest"


class Digest:
    """Of a table that comes in parts: of names, types and values, whatever the parts, the layout and the metadata.

    Each column's values go through CRC-32, as Parquet's own pages do: it is to notice rot, not fraud, and takes half
    the time of SHA-256, which is left with the sums.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._kinds = [f"{field.name} {field.type}" for field in schema]
        self._sums = [_Sum() for _ in schema]

    def add(self, part: pa.Table) -> None:
        """The next rows."""
        for total, column in zip(self._sums, part.columns, strict=True):
            for chunk in column.chunks:
                total.add(chunk)

    def value(self) -> bytes:
        """SHA-256 of all that was added."""
        told = list(zip(self._kinds, self._sums, strict=True))
        return hashlib.sha256(repr(told).encode()).hexdigest().encode()

    def check(self, metadata: Mapping[bytes, bytes] | None) -> None:
        """ValueError where the digest in a file's metadata, if there is one, is another."""
        if (metadata or {}).get(DIGEST) not in (None, self.value()):
            raise ValueError("its content is not what was written")


@dataclass
class _Sum:
    """What is kept of a column's values so far: the same for any parts that they come in."""

    rows: int = 0
    numbers: int = 0  # CRC-32 of the values that are not null; of texts, of their lengths
    letters: int = 0  # CRC-32 of such texts, one after the other
    gaps: int = 0  # CRC-32 of the rows at which nulls begin and end
    within: bool = False  # the last row is null

    def add(self, chunk: pa.Array) -> None:
        held = known(chunk)
        if chunk.null_count or self.within:
            null = ~held
            edges = np.flatnonzero(np.diff(null, prepend=self.within)) + self.rows
            self.gaps = crc32(edges.astype(np.int64).data, self.gaps)
            self.within = bool(null[-1]) if len(null) else self.within
        self.rows += len(chunk)
        if pa.types.is_string(chunk.type):
            bounds, written = letters(chunk)
            self.letters = crc32(written, self.letters)
            self.numbers = crc32(np.diff(bounds)[held].data, self.numbers)
        else:
            self.numbers = crc32(present(chunk).data, self.numbers)
