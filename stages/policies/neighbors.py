"""Exact nearest neighbours: the same rows as brute force, ties to the lowest row, whatever else is asked with them."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.core.task import Floats

# Below this many rows a tree is not worth its building.
_BRUTE_ROWS = 64
# Candidates a tree is asked for beyond k: enough that ties at the k-th place are seen in nearly all queries.
_SPARE = 3
# The tree's own distances may differ from ours by rounding, never by as much as this share.
_ROUNDING = 1e-12


class Found(NamedTuple):
    """The k nearest rows of each of B queries, by distance and then by row."""

    distances: Floats  # (B, k)
    rows: NDArray[np.int64]  # (B, k)


def _squared(differences: Floats) -> Floats:
    """Sums over the last axis, feature after feature: one order of additions whatever the batch."""
    total: Floats = differences[..., 0] ** 2
    for place in range(1, differences.shape[-1]):
        total += differences[..., place] ** 2
    return total


@dataclass(frozen=True)
class Neighbors:
    """Known points (N, F) that can be asked for the nearest."""

    points: Floats
    _tree: list[Any] = field(default_factory=list, repr=False, compare=False)  # built when first asked

    def __getstate__(self) -> dict[str, Any]:
        """Without the tree: it is rebuilt from the points, in the process that needs it."""
        return {"points": self.points, "_tree": []}

    def nearest(self, queries: Floats, k: int) -> Found:
        """The `k` nearest of the N points to each of the queries (B, F); `k` is at most N."""
        if len(self.points) <= max(_BRUTE_ROWS, k + _SPARE):
            return self._brute(queries, k)
        _, rows = self._grown().query(queries, k=k + _SPARE)
        rows = rows.astype(np.int64)
        found = self._ordered(queries, rows, k + _SPARE)
        # A row that was not fetched is at least as far as the last that was.
        unsure = np.flatnonzero(found.distances[:, -1] <= found.distances[:, k - 1] * (1 + _ROUNDING))
        found = Found(found.distances[:, :k], found.rows[:, :k])
        if len(unsure):
            exact = self._brute(queries[unsure], k)
            found.distances[unsure], found.rows[unsure] = exact
        return found

    def _grown(self) -> Any:
        if not self._tree:
            from pykdtree.kdtree import KDTree

            self._tree.append(KDTree(self.points))
        return self._tree[0]

    def _ordered(self, queries: Floats, rows: NDArray[np.int64], k: int) -> Found:
        squares = _squared(self.points[rows] - queries[:, None, :])
        order = np.lexsort((rows, squares))[:, :k]
        return Found(np.sqrt(np.take_along_axis(squares, order, axis=1)), np.take_along_axis(rows, order, axis=1))

    def _brute(self, queries: Floats, k: int) -> Found:
        everything = np.arange(len(self.points))
        parts = [self._ordered(query[None], everything[None], k) for query in queries]
        return Found(np.concatenate([part.distances for part in parts]), np.concatenate([part.rows for part in parts]))
