"""Datasets of up to 10^7 rows: written in parts, against pandas' writer, and built by the stage itself.

The rows are those of the reach task's first dataset (`dvc repro` or `dvc pull` brings it), again and again, each time
stretched a little and with noise on every number, from a seed. Each measurement is a process of its own, and what it
takes is told without what Python and its libraries take before the first row.
"""

from collections.abc import Callable, Iterator, Sequence
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.core import parquet, schemas, tables
from stages.core.columns import numbers, values
from stages.core.digest import Digest
from stages.tasks.kuka_reach import KukaReach
from tests.benchmarks.alone import MIB, count_anew, cpu, most_resident, resident, run_alone, user
from tests.benchmarks.figures import Figure
from tests.chain import ROOT

ROWS = 10_000_000
SIZES = (100_000, 1_000_000, ROWS)  # rows of what the stage builds
REPEATS = 2
TILES = 30  # copies of the first dataset that are made together
TASK = "kuka_reach"
DATA = ROOT / "data" / TASK
SCHEMA = schemas.expert_schema(TASK, KukaReach)


def measure() -> list[Figure]:
    """Against pandas, what checks cost, and how the stage grows."""
    with tempfile.TemporaryDirectory(dir=ROOT / "data") as name:
        return [*_against_pandas(Path(name)), *_built(Path(name))]


def _against_pandas(folder: Path) -> Iterator[Figure]:
    told = _in_turns(("stream", "pandas", "stream float32", "pandas float32"), ROWS, REPEATS, folder)
    for suffix, limits in (("", {"cpu": 0.30, "memory": 0.15, "size": 0.75}), (" float32", {})):
        ours, theirs = told["stream" + suffix], told["pandas" + suffix]
        kind = suffix.strip() or "float64"
        for what in ("cpu", "memory", "size"):
            name = f"10^7 rows, {kind}: {what} of the writer over pandas' (zstd)"
            yield Figure(name, ours[what] / theirs[what], at_most=limits.get(what))
        for who, one in (("ours", ours), ("pandas", theirs)):
            yield Figure(f"10^7 rows, {kind}, {who}: CPU", one["cpu"], "s")
            yield Figure(f"10^7 rows, {kind}, {who}: memory", one["memory"] / MIB, "MiB")
            yield Figure(f"10^7 rows, {kind}, {who}: size", one["size"] / MIB, "MiB")
    few = _in_turns(("stream", "unchecked", "digest"), SIZES[1], 4 * REPEATS, folder)
    whole = few["stream"]["cpu"]
    yield Figure("share of the digest in the writer's CPU", few["digest"]["cpu"] / whole)
    yield Figure("share of the pages' checksums in the writer's CPU", 1 - few["unchecked"]["cpu"] / whole)


def _in_turns(kinds: Sequence[str], rows: int, repeats: int, folder: Path) -> dict[str, dict[str, float]]:
    """The least that each has taken."""
    told: dict[str, dict[str, float]] = {}
    for _ in range(repeats):
        for kind in kinds:
            found = run_alone("tests.benchmarks.tables", kind, rows, folder)
            told[kind] = {key: min(value, told.get(kind, found)[key]) for key, value in found.items()}
    return told


def _built(folder: Path) -> Iterator[Figure]:
    """The stage itself, as dvc runs it: from demonstrations, and a dataset with a tenth as many corrections."""
    for way in ("demonstrations", "aggregation"):
        cost: dict[str, list[float]] = {"cpu": [], "user": []}
        for rows in SIZES:
            made = prepare(way, rows, folder)
            found = _in_turns([way], rows, 2 * REPEATS, folder)[way]
            for kind, costs in cost.items():
                costs.append(found[kind] / made * 1e6)
            yield Figure(f"build by {way}, {rows:,} rows: CPU", cost["cpu"][-1], "us/row")
            yield Figure(f"build by {way}, {rows:,} rows: memory", found["memory"] / MIB, "MiB", at_most=512)
        growth = f"build by {way}: CPU a row of {SIZES[-1]:,} rows over that of {SIZES[-2]:,}"
        # The kernel's part, mostly of writing files, goes up and down with what else the machine does.
        for kind, name in (("cpu", growth), ("user", f"{growth}, without the kernel's")):
            yield Figure(name, cost[kind][-1] / cost[kind][-2])


def tiled(first: pa.Table, rows: int, schema: pa.Schema | None = None) -> Iterator[pa.Table]:
    """As many whole copies of a table as fit into so many rows, in parts, their episodes numbered one after another."""
    rng, schema = np.random.default_rng(0), schema or first.schema
    episodes = int(values(first["episode_index"]).max()) + 1
    noise = {
        name: 1e-3 * values(first[name]).std()
        for name in first.column_names
        if name.startswith(("observation.", "action.", "executed."))
    }
    for start in range(0, rows // len(first), TILES):
        copies = min(TILES, rows // len(first) - start)
        table = pa.concat_tables([first] * copies).combine_chunks()
        copy = np.repeat(np.arange(copies), len(first))
        columns = {name: table[name] for name in table.column_names}
        columns["episode_index"] = numbers(values(table["episode_index"]) + episodes * (start + copy))
        for name, spread in noise.items():
            stretched = values(table[name]) * (1 + 0.05 * rng.normal(size=copies))[copy]
            columns[name] = numbers(stretched + spread * rng.normal(size=len(copy)))
        yield pa.Table.from_arrays(list(columns.values()), schema=first.schema).cast(schema, safe=False)


def _first() -> pa.Table:
    return parquet.read_table(DATA / "round_0" / "dataset.parquet", SCHEMA)


def prepare(way: str, rows: int, folder: Path) -> int:
    """Write the two files that the stage reads; how many rows it is to write."""
    if way == "aggregation":
        first, added = _first(), rows // 11
        parquet.write_parts(tiled(first, rows - added), SCHEMA, folder / "dataset.parquet")
        place = SCHEMA.get_field_index("round")
        later = first.set_column(place, SCHEMA.field(place), numbers(values(first["round"]) + 1))
        parquet.write_parts(tiled(later, added), SCHEMA, folder / "corrections.parquet")
        return (rows - added) // len(first) * len(first) + added // len(first) * len(first)
    shown = tables.read_episodes(DATA / "demonstrations", TASK, KukaReach)
    for name, table in zip((schemas.STEPS, schemas.EPISODES), shown, strict=True):
        copies = rows // len(shown[0])
        parquet.write_parts(tiled(table, copies * len(table)), table.schema, folder / name)
    return copies * len(shown[0])


# What runs alone


class _Unchecked(pq.ParquetWriter):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "write_page_checksum": False})


def _float32() -> pa.Schema:
    fields = [field.with_type(pa.float32()) if pa.types.is_floating(field.type) else field for field in SCHEMA]
    return pa.schema(fields, metadata=SCHEMA.metadata)


class _Timed:
    """Passes parts on, and knows how long they took to be made."""

    def __init__(self, made: Iterator[pa.Table]) -> None:
        self._made, self.cpu = made, 0.0

    def __iter__(self) -> "_Timed":
        return self

    def __next__(self) -> pa.Table:
        start = cpu()
        try:
            return next(self._made)
        finally:
            self.cpu += cpu() - start


def _write(kind: str, made: Iterator[pa.Table], schema: pa.Schema, path: Path) -> None:
    if kind == "digest":
        seen = Digest(schema)
        for part in made:
            seen.add(part)
        path.write_bytes(seen.value())
        return
    if kind == "unchecked":
        pq.ParquetWriter = _Unchecked
    parquet.write_parts(made, schema, path)


def run(kind: str, rows: int, folder: Path) -> dict[str, float]:
    """Do it here, and what it took: seconds of processor and clock, bytes of memory and of the file."""
    path = folder / "out.parquet"
    if kind in ("demonstrations", "aggregation"):
        from stages import build

        shown = kind == "demonstrations"
        files = (schemas.STEPS, schemas.EPISODES) if shown else ("dataset.parquet", "corrections.parquet")
        sys.argv = ["build", TASK, *(str(folder / file) for file in files), "--output", str(path)]
        return _measured(build.main, path)
    schema = _float32() if kind.endswith("float32") else SCHEMA
    made = _Timed(tiled(_first(), rows, schema))
    if not kind.startswith("pandas"):
        found = _measured(lambda: _write(kind, made, schema, path), path)
        return {**found, "cpu": found["cpu"] - made.cpu}
    import pandas as pd  # noqa: F401  # before memory is looked at

    before = resident()
    frame = pa.concat_tables(list(made)).to_pandas(split_blocks=True, self_destruct=True)
    pa.default_memory_pool().release_unused()
    return _measured(lambda: frame.to_parquet(path, compression="zstd", index=False), path, before)


def _measured(work: Callable[[], None], path: Path, before: float | None = None) -> dict[str, float]:
    """From here on, except that memory counts from `before` [bytes]."""
    before = resident() if before is None else before
    count_anew()
    used, own, wall = cpu(), user(), time.perf_counter()
    work()
    used, own, wall = cpu() - used, user() - own, time.perf_counter() - wall
    return {
        "cpu": used,
        "user": own,
        "wall": wall,
        "memory": most_resident() - before,
        "size": float(path.stat().st_size),
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
