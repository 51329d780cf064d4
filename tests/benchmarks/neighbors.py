"""Neighbour queries against scikit-learn's, on the rows that the default run's policies know, and how both grow.

The rows are those of the first policies of reach and of pick and place (`dvc repro` or `dvc pull` brings them); a query
is one of them with noise. Scikit-learn does what it does by itself with so many features, which is a kd-tree. Time is
the processor's: both run in one thread.
"""

from collections.abc import Callable, Iterator
from statistics import median
import time
from typing import Any

import numpy as np

from stages.core.task import Floats
from stages.policies.neighbors import Neighbors
from tests.benchmarks.figures import Figure, write_figures
from tests.benchmarks.growth import growth, write_chart
from tests.chain import ROOT

# Neighbours that each task's policy asks for; 5 for both is the comparison.
ASKED = {"kuka_reach": (5,), "kuka_pick_place": (5, 30)}
BATCHES = (8, 64, 1024)
TURNS = 15
NOISE = 0.01  # of a query, in units of the features
CHECKED = 1000  # queries that are compared with brute force


def known(task: str) -> tuple[Floats, Floats]:
    """The points (N, F) and actions (N, A) of the task's first policy."""
    with np.load(ROOT / "data" / task / "round_0" / "policy.npz") as arrays:
        return np.ascontiguousarray(arrays["points"]), arrays["actions"]


def measure() -> list[Figure]:
    """One row, batches, and bits; the growth is a table and a chart of its own."""
    grown = growth()
    write_figures("growth", grown)
    write_chart(grown)
    return [figure for task, asked in ASKED.items() for k in asked for figure in _of(task, k)]


def _of(task: str, k: int) -> Iterator[Figure]:
    from sklearn.neighbors import KNeighborsRegressor

    points, actions = known(task)
    rng = np.random.default_rng(0)
    ours, theirs = Neighbors(points), KNeighborsRegressor(k).fit(points, actions)
    queries = points[rng.integers(len(points), size=4096)] + NOISE * rng.normal(size=(4096, points.shape[1]))
    name = f"{task} ({len(points):,} x {points.shape[1]}), k = {k}"
    one = _turns(queries, 1, 200, lambda some: ours.nearest(some, k), theirs.predict)
    yield Figure(f"{name}: 1 row, `nearest`", one[0] * 1e6, "us")
    yield Figure(f"{name}: 1 row, `KNeighborsRegressor.predict`", one[1] * 1e6, "us")
    yield Figure(f"{name}: 1 row, how many times as fast", one[2], at_least=20)
    for batch in BATCHES:
        many = _turns(queries, batch, max(2, 400 // batch), lambda some: ours.nearest(some, k), theirs.kneighbors)
        yield Figure(f"{name}: {batch} rows, `nearest`", many[0] / batch * 1e6, "us/row")
        yield Figure(f"{name}: {batch} rows, as fast as `kneighbors`", many[2], at_least=1)
    yield Figure(f"{name}: of {CHECKED} queries differ from brute force", _differing(ours, queries, k), "", at_most=0)


def _turns(queries: Floats, batch: int, count: int, *both: Callable[[Floats], Any]) -> tuple[float, float, float]:
    """The median time of a call of ours and of theirs [s], and of their ratio, turn by turn."""
    starts = np.random.default_rng(1).integers(0, len(queries) - batch + 1, size=count)
    some = [queries[start : start + batch] for start in starts]
    times: list[list[float]] = [[], []]
    for _ in range(TURNS):
        for ask, taken in zip(both, times, strict=True):
            start = time.process_time()
            for one in some:
                ask(one)
            taken.append((time.process_time() - start) / count)
    ours, theirs = times
    return median(ours), median(theirs), median(their / our for our, their in zip(ours, theirs, strict=True))


def _differing(ours: Neighbors, queries: Floats, k: int) -> int:
    """Queries whose rows or distances are not those of all distances, added feature by feature, and a stable sort."""
    wrong = 0
    for query in queries[:CHECKED]:
        squares = np.zeros(len(ours.points))
        for column, value in zip(ours.points.T, query, strict=True):
            squares = squares + (column - value) * (column - value)
        rows = np.argsort(squares, kind="stable")[:k]
        found = ours.nearest(query[None], k)
        wrong += not (
            np.array_equal(found.rows[0], rows) and np.array_equal(found.distances[0], np.sqrt(squares[rows]))
        )
    return wrong
