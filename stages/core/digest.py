"""A digest of what a table says: Parquet's pages carry checksums, its footer and page headers do not."""

from collections.abc import Iterator, Mapping
import hashlib

import pyarrow as pa

from stages.core import columns

DIGEST = b"digest"  # in a file's metadata


def digest(table: pa.Table) -> bytes:
    """SHA-256 of names, types and values, whatever the layout and the metadata."""
    total = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        total.update(f"{name} {column.type} {len(column)}\n".encode())
        for part in _parts(column.combine_chunks()):
            total.update(part)
    return total.hexdigest().encode()


def check_digest(table: pa.Table, metadata: Mapping[bytes, bytes] | None) -> None:
    """ValueError where the digest in the metadata, if there is one, is not the table's."""
    if (metadata or {}).get(DIGEST) not in (None, digest(table)):
        raise ValueError("its content is not what was written")


def _parts(values: pa.Array) -> Iterator[bytes]:
    if pa.types.is_string(values.type):
        encoded = values.dictionary_encode()
        yield repr(encoded.dictionary.to_pylist()).encode()
        values = encoded.indices
    if values.null_count:
        yield columns.values(values.is_null()).tobytes()
        values = values.drop_null()
    yield columns.values(values).tobytes()
