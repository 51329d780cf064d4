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
# Numbers that are worked on together.
_CACHED = 10_000


class Found(NamedTuple):
    """The k nearest rows of each of B queries, by distance and then by row."""

    distances: Floats  # (B, k)
    rows: NDArray[np.int64]  # (B, k)


def squared(differences: Floats) -> Floats:
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
        return self._nearest(queries, k, k + _SPARE)

    def _nearest(self, queries: Floats, k: int, fetched: int) -> Found:
        """The same, from at least `fetched` candidates: where ties leave it open, from more."""
        if len(self.points) <= max(_BRUTE_ROWS, fetched):
            return self._brute(queries, k)
        _, rows = self._grown().query(queries, k=fetched)
        candidates = self._ordered(queries, rows.astype(np.int64), fetched)
        found = Found(candidates.distances[:, :k], candidates.rows[:, :k])
        # A row that was not fetched is at least as far as the last that was.
        unsure = np.flatnonzero(candidates.distances[:, -1] <= found.distances[:, -1] * (1 + _ROUNDING))
        if len(unsure):
            found.distances[unsure], found.rows[unsure] = self._nearest(queries[unsure], k, 4 * fetched)
        return found

    def _grown(self) -> Any:
        if not self._tree:
            from pykdtree.kdtree import KDTree

            self._tree.append(KDTree(self.points, leafsize=32))
        return self._tree[0]

    def _ordered(self, queries: Floats, rows: NDArray[np.int64], k: int) -> Found:
        squares = squared(self.points[rows] - queries[:, None, :])
        order = np.lexsort((rows, squares))[:, :k]
        each = np.arange(len(queries))[:, None]
        return Found(np.sqrt(squares[each, order]), rows[each, order])

    def _brute(self, queries: Floats, k: int) -> Found:
        """From all rows, for so many queries at a time that their distances fit into the cache."""
        everything = np.arange(len(self.points))
        together = max(1, _CACHED // len(everything))
        parts = [
            self._ordered(some, np.broadcast_to(everything, (len(some), len(everything))), k)
            for some in (queries[start : start + together] for start in range(0, len(queries), together))
        ]
        if len(parts) == 1:
            return parts[0]
        return Found(np.concatenate([part.distances for part in parts]), np.concatenate([part.rows for part in parts]))
