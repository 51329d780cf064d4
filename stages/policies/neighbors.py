"""Exact nearest neighbours: the same rows as brute force, ties to the lowest row, whatever else is asked with them."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.core.task import Floats

# Below this many rows a tree is not worth its building.
_BRUTE_ROWS = 64
# Candidates a tree is asked for beyond k: one tells whether the k-th place is a tie, which in real data is rare.
_SPARE = 1
# The tree's own distances may differ from ours by rounding, never by as much as this share.
_ROUNDING = 1e-12
# Points in a leaf of the tree.
_LEAF = 32
# So few numbers that calls cost more than arithmetic (the two ways take equally long at about so many).
_FEW = 800
# Numbers that are worked on together.
_CACHED = 10_000


class Found(NamedTuple):
    """The k nearest rows of each of B queries, by distance and then by row."""

    distances: Floats  # (B, k)
    rows: NDArray[np.int64]  # (B, k)


def squared(differences: Floats) -> Floats:
    """Sums over the last axis, feature after feature: one order of additions whatever the batch."""
    if differences.size < _FEW:
        # The same additions in one call: `accumulate` keeps to their order, `sum` and `einsum` do not.
        running: Floats = np.add.accumulate(differences * differences, axis=-1)
        return running[..., -1]
    total: Floats
    total, *others = np.square(differences.transpose(-1, *range(differences.ndim - 1)), order="C")
    for squares in others:
        total += squares
    return total


@cache
def _rounds_alike(features: int) -> bool:
    """Whether a tree's squared distances are ours to the bit: not where its build adds and multiplies in one."""
    from pykdtree.kdtree import KDTree

    points = np.sin(np.arange(64.0 * features)).reshape(64, features)
    queries = points[::-1] / 3
    squares, rows = KDTree(points).query(queries, k=len(points), sqr_dists=True)
    return np.array_equal(squares, squared(points[rows] - queries[:, None]))


@dataclass(frozen=True)
class Neighbors:
    """Known points (N, F) that can be asked for the nearest."""

    points: Floats  # row by row in memory, from where they are quickly picked

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", np.ascontiguousarray(self.points))

    def __getstate__(self) -> dict[str, Any]:
        """Without the tree: it is rebuilt from the points, in the process that needs it."""
        return {"points": self.points}

    def nearest(self, queries: Floats, k: int) -> Found:
        """The `k` nearest of the N points to each of the queries (B, F); `k` is at most N."""
        return self._nearest(queries, k, k + _SPARE)

    def _nearest(self, queries: Floats, k: int, fetched: int) -> Found:
        """The same, from at least `fetched` candidates: where ties leave it open, from more."""
        if len(self.points) <= max(_BRUTE_ROWS, fetched):
            return self._brute(queries, k)
        squares, candidates = self._tree.query(queries, k=fetched, sqr_dists=True)
        rows = candidates.astype(np.int64)
        if not _rounds_alike(queries.shape[1]):
            squares = squared(self.points.take(rows, axis=0) - queries[:, None])
        # Counted, because that is quicker than `any`, which is a function of Python's.
        if np.count_nonzero(squares[:, 1:] <= squares[:, :-1] * (1 + _ROUNDING)):
            return self._untied(queries, k, squares, rows)
        return Found(np.sqrt(squares[:, :k]), rows[:, :k])

    def _untied(self, queries: Floats, k: int, squares: Floats, rows: NDArray[np.int64]) -> Found:
        """Of candidates in the tree's order, which is not ours for ties and where its own rounding swapped rows."""
        each, order = np.arange(len(rows))[:, None], np.lexsort((rows, squares))
        squares, rows = squares[each, order], rows[each, order]
        found = Found(np.sqrt(squares[:, :k]), rows[:, :k])
        # A row that was not fetched is at least as far as the last that was.
        unsure = squares[:, -1] <= squares[:, k - 1] * (1 + _ROUNDING)
        if unsure.any():
            found.distances[unsure], found.rows[unsure] = self._nearest(queries[unsure], k, 4 * rows.shape[1])
        return found

    @cached_property
    def _tree(self) -> Any:
        from pykdtree.kdtree import KDTree

        return KDTree(self.points, leafsize=_LEAF)

    def _brute(self, queries: Floats, k: int) -> Found:
        """From all rows, for so many queries at a time that their distances fit into the cache."""
        together = max(1, _CACHED // len(self.points))
        parts = [self._all(queries[start : start + together], k) for start in range(0, len(queries), together)]
        if len(parts) == 1:
            return parts[0]
        return Found(np.concatenate([part.distances for part in parts]), np.concatenate([part.rows for part in parts]))

    def _all(self, queries: Floats, k: int) -> Found:
        squares = squared(self.points - queries[:, None])
        rows = np.argsort(squares, axis=1, kind="stable")[:, :k]  # stable: ties to the lowest row
        return Found(np.sqrt(squares[np.arange(len(rows))[:, None], rows]), rows)
