"""Files that are nearly right: parameters, recordings, tables and policies changed where it hurts."""

from collections.abc import Callable, Mapping
from contextlib import suppress
import copy
import io
import json
import os
from pathlib import Path
from typing import Any
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from stages.core.digest import DIGEST
from stages.core.parquet import write_table
from stages.core.seal import sealed
from tests.endurance.damage import BYTES, Rng, choose

TRAP = "ran"  # the file that appears where something in a file was run as code


class Trap:
    """Unpickling it makes the file that must never appear."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (TRAP,)


def _bytes(path: Path, rng: Rng) -> None:
    path.write_bytes(choose(rng, BYTES)(path.read_bytes(), rng))


# Parameters

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 0.5, -0.5, 1.0, 1e-300, 1e300, -1e300, 2**31, 2**63, 2**64, -(2**63), 10**30),
    *(float("nan"), float("inf"), float("-inf"), "", " ", "0", "a", "ä", "\u202e", "a\nb", "\x7f", "x" * 5000, "~"),
    *("round_0", "distance", "../..", "/etc/passwd", "null", [], {}, [[]], [{}], {"a": 1}, [1, 2, 3], [None], ["x"]),
    *({"low": 1, "high": 0}, {"low": 0.0, "high": 1e308}, {"low": -1e308, "high": 1e308}, list(range(1000))),
)
TEXTS = (
    *("!!python/object/apply:os.mkdir [ran]", "!!python/name:os.system", "!!python/object/new:os.mkdir [ran]", "!x 1"),
    *(
        "2001-99-99",
        "!!timestamp x",
        "!!bool x",
        "!!int x",
        "!!int ''",
        "!!float x",
        "!!binary x",
        "=",
        "<<",
        "&a",
        "*a",
    ),
    *("9" * 5000, "0x" + "f" * 5000, "1:99:99", "1_000", "0o17", "010", ".inf", ".nan", "-.inf", "1e999", "1e-05", "~"),
    *("[" * 300, "[" * 20_000, "{" * 20_000, "? " * 500, "- " * 2000, "'", '"', "|", ">", "%", "@", "`", "\t", "\0"),
    *("{a: 1, a: 2}", "&a [*a]", "[&a [x], *a]", "!!set {a}", "!!omap [a: 1]", "--- 1", "...", "\ufeff1", "\u2028"),
    *('"\\ud800"', '"\\0"', "{[1]: 2}", "{{}: 1}", "&a {<<: *a}", "{<<: {seed: 1}}", "{<<: 3}"),
)


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Every mapping or list in it, with each of its keys."""
    inner: list[tuple[Any, Any]]
    if isinstance(content, dict):
        inner = [(content, key) for key in content]
    elif isinstance(content, list):
        inner = list(zip([content] * len(content), range(len(content)), strict=True))
    else:
        return []
    return inner + [found for _, key in inner for found in _places(content[key])]


def _changed_parameters(content: Any, rng: Rng) -> Any:
    for _ in range(int(choose(rng, (1, 1, 2, 3)))):
        places = _places(content)
        if not places:
            return content
        holder, key = choose(rng, places)
        kind = rng.integers(6)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[choose(rng, (*NASTY[:30], "seed", "low", f"{key}x")) if rng.random() < 0.5 else str(key).upper()] = (
                holder[key]
            )
        elif kind == 2:
            other, where = choose(rng, places)
            holder[key] = copy.deepcopy(other[where])
        elif kind == 3 and isinstance(holder[key], int | float):
            holder[key] = holder[key] * choose(rng, (-1, 0, 0.5, 1e6, 1e12, 1e300))
        else:
            holder[key] = copy.deepcopy(choose(rng, NASTY))  # for it may be changed in its turn
    return content


def parameters(path: Path, rng: Rng) -> None:
    """A params.yaml that is changed in a few places, in its values, its text or its bytes."""
    kind = rng.random()
    text = path.read_text()
    if kind < 0.6:
        content = yaml.load(text, yaml.CSafeLoader)
        try:
            made = yaml.dump(
                _changed_parameters(content, rng), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True
            )
        except (TypeError, ValueError, yaml.YAMLError):
            made = ""
        path.write_text(made, errors="surrogatepass")
    elif kind < 0.85:
        lines = text.splitlines()
        place = int(rng.integers(len(lines)))
        name, colon, _ = lines[place].partition(":")
        new = f"{name}{colon or ':'} {choose(rng, TEXTS)}"
        lines[place : place + int(rng.integers(2))] = [new] * int(rng.integers(1, 3))
        path.write_text("\n".join(lines) + "\n")
    else:
        _bytes(path, rng)


# Recordings

CELLS = (
    *(
        "",
        " ",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "-1e308",
        "1e308",
        "1e-320",
        "0x10",
        "1_000",
        "1,0",
        "1;0",
        "true",
    ),
    *(
        "null",
        "NA",
        "#N/A",
        '"',
        '"1"',
        "'1'",
        "1.2.3",
        "--1",
        "٣",
        "ä",
        "\u202e1",
        "9" * 400,
        "x" * 70_000,
        "2024-01-01",
    ),
    *("=1+1", "1\r", "1\0", "1e", "+1", ".5", "5.", "1e1", "00012", "9223372036854775808", "\ufeff1", "12:00"),
)


def csv_recording(path: Path, rng: Rng) -> None:
    """A CSV of which cells, columns, rows, separators or bytes are others."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    kind = rng.integers(8)
    if kind == 0:
        _bytes(path, rng)
        return
    if kind == 1:
        place = int(rng.integers(len(rows[0])))
        header = (*CELLS, "distance", "step", "Distance", " step", "joint_1", "a\nb", "x" * 3000)
        rows[0][place] = choose(rng, header)
    elif kind == 2:
        rows = [row + [choose(rng, CELLS)] * int(rng.integers(3)) for row in rows]
    elif kind == 3:
        rows = [row[: int(rng.integers(3))] if rng.random() < 0.2 else row for row in rows]
    elif kind == 4:
        rows = rows[int(rng.integers(len(rows) + 1)) :]
    elif kind == 5:
        rows = [[rows[0][0], rows[0][0]], *rows[1:]]
    else:
        for _ in range(int(rng.integers(1, 4))):
            row = rows[int(rng.integers(len(rows)))]
            row[int(rng.integers(len(row)))] = choose(rng, CELLS)
    between, ending = choose(rng, (",", ",", ",", ";", "\t", " ")), choose(rng, ("\n", "\n", "\r\n", "\r", "\n\n"))
    text = ending.join(between.join(row) for row in rows)
    path.write_bytes(text.encode(choose(rng, ("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig")), "surrogatepass"))


# Tables

NUMBERS = (np.nan, np.inf, -np.inf, -1.0, 0.0, 0.5, 57.0, 1e18, 1e300, -1e300, 5e-324, 2.0**53)
INTEGERS = (-1, 0, 1, 57, 2**31, 2**62, -(2**62), 10**12)
WORDS = ("", "success", "crash", "expert", "x" * 5000, "a\nb", "ä", "\u202e", "recording", "practice", "../..")
KINDS = (pa.float32(), pa.float16(), pa.int32(), pa.int64(), pa.uint64(), pa.string(), pa.bool_(), pa.large_string())


def _cell(column: pa.ChunkedArray, rng: Rng) -> pa.Array:
    found = column.to_pylist()
    nasty: Any = WORDS if pa.types.is_string(column.type) else INTEGERS
    if pa.types.is_floating(column.type):
        nasty = NUMBERS
    elif pa.types.is_boolean(column.type):
        nasty = (True, False)
    value = None if rng.random() < 0.15 else choose(rng, nasty)
    if found and rng.random() < 0.7:
        found[int(rng.integers(len(found)))] = value
    else:
        found = [value] * len(found)
    return pa.array(found, column.type)


def _other_kind(column: pa.ChunkedArray, rng: Rng) -> Any:
    kind = rng.integers(6)
    if kind < 3:
        return column.cast(choose(rng, KINDS), safe=False)
    if kind == 3:
        return column.combine_chunks().dictionary_encode()
    if kind == 4:
        return pa.array([[value] for value in column.to_pylist()])
    return pa.array([{"a": value} for value in column.to_pylist()])


def _rows(table: pa.Table, rng: Rng) -> pa.Table:
    rows = table.num_rows
    order = choose(
        rng,
        (
            rng.permutation(rows),
            np.delete(np.arange(rows), rng.integers(max(rows, 1), size=1)) if rows else np.arange(0),
            np.repeat(np.arange(rows), 2),
            np.arange(rows)[::-1],
            np.arange(0),
            np.arange(rows)[: rows // 2],
        ),
    )
    return table.take(pa.array(order))


def _metadata(table: pa.Table, rng: Rng) -> pa.Table:
    known = dict(table.schema.metadata or {})
    words = (b"", b"kuka_reach", b"distance", b"\xff\xfe", b"a\nb", b"x" * 9000)
    if rng.random() < 0.4:
        return table.replace_schema_metadata({**known, b"task": choose(rng, words)})
    if rng.random() < 0.3:
        return table.replace_schema_metadata(None)
    place = int(rng.integers(table.num_columns))
    field = table.schema.field(place).with_metadata({"unit": choose(rng, ("m", "rad", "cm", "", "x" * 9000, "a\nb"))})
    return pa.table(table.columns, schema=table.schema.set(place, field))


def _columns(table: pa.Table, rng: Rng) -> pa.Table:
    place = int(rng.integers(table.num_columns))
    name = table.column_names[place]
    kind = rng.integers(4)
    if kind == 0:
        return table.remove_column(place)
    if kind == 1:
        return table.append_column(choose(rng, (name, "extra", "a\nb", "", "x" * 9000)), table[place])
    if kind == 2:
        names = [*table.column_names]
        names[place] = choose(rng, (name.upper(), names[0], "", "\n"))
        return table.rename_columns(names)
    return table.select(list(rng.permutation(table.num_columns)))


def _changed_table(table: pa.Table, rng: Rng) -> pa.Table:
    place = int(rng.integers(table.num_columns))
    kind = rng.integers(10)
    if kind < 4:
        field = table.schema.field(place).with_nullable(True)
        return table.set_column(place, field, _cell(table[place], rng))
    if kind < 6:
        made = _other_kind(table[place], rng)
        field = pa.field(table.column_names[place], made.type, metadata=table.schema.field(place).metadata)
        return table.set_column(place, field, made)
    return (_rows, _metadata, _columns, _rows)[kind - 6](table, rng)


def _claims(path: Path, rows: int) -> None:
    """Patch the number of rows in the footer, which is a zigzag varint somewhere in it."""
    content, real = path.read_bytes(), pq.read_metadata(path).num_rows
    length = int.from_bytes(content[-8:-4], "little")
    body, footer = content[: -8 - length], content[-8 - length : -8]
    old, new = _varint(2 * real), _varint(2 * rows)
    for place in range(len(footer)):
        if footer.startswith(old, place):
            made = footer[:place] + new + footer[place + len(old) :]
            path.write_bytes(body + made + len(made).to_bytes(4, "little") + b"PAR1")
            try:
                if pq.read_metadata(path).num_rows == rows:
                    return
            except Exception:  # it was another number
                continue
    path.write_bytes(content)


def _varint(number: int) -> bytes:
    made = bytearray()
    while number >= 128:
        made.append(number % 128 + 128)
        number //= 128
    return bytes([*made, number])


def table(path: Path, rng: Rng) -> None:
    """A Parquet file with other rows, columns, types, units or bytes, its digest right, stale or absent."""
    kind = rng.random()
    if kind < 0.3:
        _bytes(path, rng)
        return
    if kind < 0.35:
        _claims(path, int(choose(rng, (10**12, 10**9, 2**40, 10**6))))
        return
    with pq.ParquetFile(path) as file:
        found, stale = file.read(), (file.metadata.metadata or {}).get(DIGEST, b"")
    try:
        for _ in range(int(rng.integers(1, 3))):
            found = _changed_table(found, rng)
        if rng.random() < 0.6:
            write_table(found, path)  # as one would who wants it to be believed
            return
    except Exception:  # what cannot be made is no file
        path.write_bytes(rng.bytes(50))
        return
    if rng.random() < 0.3:
        found = found.replace_schema_metadata({**(found.schema.metadata or {}), DIGEST: stale})
    try:
        pq.write_table(found, path, compression=choose(rng, ("none", "snappy", "gzip", "zstd", "brotli")))
    except Exception:  # float16 and the like
        path.write_bytes(b"PAR1")


# Policies

SHAPES = ((), (0,), (1,), (3,), (0, 0), (1, 1), (2, 3), (7, 1), (1, 7), (2, 2, 2))
DTYPES = ("f4", "f8", "i8", "u1", "?", "c16", "U5", "S3", "M8[s]", "f2", ">f8", "i4")


def _changed_array(array: Any, rng: Rng) -> Any:
    kind = rng.integers(6)
    if kind == 0:
        return np.ones(choose(rng, SHAPES))
    if kind == 1:
        return np.asarray(array).astype(choose(rng, DTYPES))
    if kind == 2:
        return np.array([Trap()], dtype=object) if rng.random() < 0.5 else np.array(Trap(), dtype=object)
    if kind == 3 and array.ndim:
        return array[: len(array) // 2]
    if kind == 4 and array.ndim == 2:
        return np.hstack([array, array]) if rng.random() < 0.5 else array[:, :0]
    if array.dtype.kind not in "fi" or not array.size:
        return np.array(choose(rng, ("", "kuka_reach", "distance", "knn", "mlp", "a\nb", "x" * 9000)))
    made = array.copy().reshape(-1)
    numbers = NUMBERS if array.dtype.kind == "f" else (-1, 0, 1, 2, 57, 10**12, -(2**62))
    made[int(rng.integers(len(made)))] = choose(rng, numbers)
    return made.reshape(array.shape)


def _npy(rng: Rng) -> bytes:
    """An array whose header claims what is not there, or is no header."""
    shape = choose(rng, ("(1000000000000,)", "(1000000000,)", "(-1,)", "(2, 3", "('a',)", "(10**9,)", "()", "((1,),)"))
    kind = choose(rng, ("<f8", "|O", "<U9999999", "V8", "<f8,<f8", "", "__import__('os').mkdir('ran')"))
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64)


def policy(path: Path, rng: Rng) -> None:
    """A policy whose arrays, archive or bytes are others."""
    kind = rng.random()
    with np.load(path) as file:
        arrays: dict[str, Any] = dict(file)
    name = choose(rng, arrays)
    if kind < 0.3:
        _bytes(path, rng)
    elif kind < 0.75:
        try:
            for _ in range(int(rng.integers(1, 3))):
                arrays[name] = _changed_array(arrays[name], rng)
                name = choose(rng, arrays)
        except (TypeError, ValueError):
            arrays.pop(name)
        np.savez(path, allow_pickle=True, **arrays)
    elif kind < 0.8:
        arrays.pop(name)
        arrays[f"{name}_x"] = np.zeros(3)
        np.savez(path, **arrays)
    elif kind < 0.9:
        _repacked(path, name, _npy(rng))
    elif kind < 0.95:
        arrays[name] = np.zeros(int(choose(rng, (10, 10**6, 3 * 10**7))))
        np.savez_compressed(path, **arrays)
    else:
        _repacked(path, choose(rng, ("../ran", "/tmp/ran", "task", "a" * 3000)), choose(rng, (b"", b"x", _npy(rng))))


def _repacked(path: Path, name: str, content: bytes) -> None:
    """The same archive with one entry, old or new, of that content."""
    made = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.namelist():
            if entry != f"{name}.npy":
                new.writestr(entry, old.read(entry))
        new.writestr(f"{name}.npy", content)
    path.write_bytes(made.getvalue())


def conditions(path: Path, rng: Rng) -> None:
    """Ranges that are others, under a seal that is right, or bytes that are."""
    if rng.random() < 0.2:
        return _bytes(path, rng)
    changed = _changed_parameters(json.loads(path.read_bytes())["conditions"], rng)
    with suppress(TypeError, ValueError):  # what JSON cannot say
        path.write_text(json.dumps(sealed({"conditions": changed})), errors="surrogatepass")
    return None


MUTATORS: Mapping[str, Callable[[Path, Rng], None]] = {
    "params.yaml": parameters,
    "conditions": conditions,
    "recording (CSV)": csv_recording,
    "recording (Parquet)": table,
    "table": table,
    "policy": policy,
}
