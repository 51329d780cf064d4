"""Neighbour queries among 10^3 to 10^7 rows: time and memory, each size in a process of its own.

The rows are those of the reach task's first policy, again and again, each time stretched a little and with noise, from
a seed; queries are made in the same way from another seed. Time is the processor's: both run in one thread.
"""

from collections.abc import Callable, Sequence
import json
from statistics import median
import sys
import time
from typing import Any

import numpy as np

from stages.core.files import write_bytes
from stages.core.task import Floats
from tests.benchmarks.alone import MIB, count_anew, most_resident, resident, run_alone
from tests.benchmarks.figures import REPORTS, Figure
from tests.chain import ROOT

SIZES = tuple(10**power for power in range(3, 8))
ENGINES = {"nearest": "#0072B2", "scikit-learn": "#D55E00"}
NEIGHBORS = 5
BATCH = 1024
MEASURED = {"one row": "us", f"batch of {BATCH}": "us/row", "to build": "s", "memory": "MiB"}


def growth() -> list[Figure]:
    """Of both engines, size after size."""
    figures = []
    for rows in SIZES:
        for engine in ENGINES:
            found = run_alone("tests.benchmarks.growth", engine, rows)
            figures += [Figure(_name(engine, rows, what), found[what], unit) for what, unit in MEASURED.items()]
    return figures


def _name(engine: str, rows: int, what: str) -> str:
    return f"{engine}, {rows:,} rows: {what}"


def write_chart(figures: Sequence[Figure]) -> None:
    """Time and memory over the number of rows, as reports/benchmarks/growth.svg."""
    from stages.reporting.drawing import chart

    value = {one.what: one.value for one in figures}
    with chart(8.0, 2.7) as drawn:
        drawn.axes.remove()
        panels = drawn.figure.subplots(1, len(MEASURED))
        drawn.figure.subplots_adjust(left=0.06, right=0.99, wspace=0.45)
        for axes, (what, unit) in zip(panels, MEASURED.items(), strict=True):
            axes.patch.set_alpha(0)
            for engine, colour in ENGINES.items():
                line = [value[_name(engine, rows, what)] for rows in SIZES]
                axes.plot(SIZES, line, "o-", color=colour, label=engine, markersize=3)
            axes.set(title=f"{what} [{unit}]", xlabel="rows", xscale="log", yscale="log")
        panels[0].legend(loc="center left")
        picture = drawn.picture("Time and memory of neighbour queries over the number of rows.")
    write_bytes(REPORTS / "growth.svg", picture.content)


def made(rows: int, seed: int) -> Floats:
    """So many points (N, F) along reach trajectories."""
    with np.load(ROOT / "data" / "kuka_reach" / "round_0" / "policy.npz") as arrays:
        first = np.ascontiguousarray(arrays["points"])
    rng, points = np.random.default_rng(seed), np.empty((rows, first.shape[1]))
    for start in range(0, rows, len(first)):
        part = points[start : start + len(first)]
        part[:] = first[rng.permutation(len(first))[: len(part)]] * (1 + 0.05 * rng.normal(size=first.shape[1]))
        part += 1e-2 * rng.normal(size=part.shape)
    return points


def _run(engine: str, rows: int) -> dict[str, float]:
    """Build and ask here; memory is what is resident beside what was before the points were, at most."""
    build = {"nearest": _ours, "scikit-learn": _theirs}[engine]
    build(made(100, 2))  # what is imported belongs to no size
    before = resident()
    points, queries = made(rows, 0), made(20 * BATCH, 1)
    count_anew()
    start = time.process_time()
    ask = build(points)
    built = time.process_time() - start
    ask(queries[:1])
    one = median(_timed(ask, query[None]) for query in queries[:500])
    many = median(_timed(ask, queries[start : start + BATCH]) for start in range(0, len(queries), BATCH))
    memory = (most_resident() - before) / MIB
    return {"one row": one * 1e6, f"batch of {BATCH}": many / BATCH * 1e6, "to build": built, "memory": memory}


def _ours(points: Floats) -> Callable[[Floats], Any]:
    from stages.policies.neighbors import Neighbors

    known = Neighbors(points)
    known.nearest(points[:1], NEIGHBORS)
    return lambda queries: known.nearest(queries, NEIGHBORS)


def _theirs(points: Floats) -> Callable[[Floats], Any]:
    from sklearn.neighbors import KNeighborsRegressor

    known = KNeighborsRegressor(NEIGHBORS, algorithm="kd_tree").fit(points, points[:, 0])
    known.predict(points[:1])
    return lambda queries: known.predict(queries)


def _timed(ask: Callable[[Floats], Any], queries: Floats) -> float:
    start = time.process_time()
    ask(queries)
    return time.process_time() - start


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], int(sys.argv[2]))))
