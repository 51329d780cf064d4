"""What has been seen: the rows that policies look up, and how far a new situation is from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.bounds import LARGEST, SMALLEST
from stages.core.episode import Bools, Recollection, Steps
from stages.core.errors import UserError
from stages.core.params import PolicySettings
from stages.core.policy import Arrays
from stages.core.task import Channel, Floats
from stages.policies.embedding import Embedding
from stages.policies.features import Features
from stages.policies.neighbors import Found, Neighbors, squared

# [1] Least spread of what is expected to follow, in features of which 1 is a scale: known rows may agree by chance.
_SPREAD = 0.01


class Recalled(NamedTuple):
    """What B observations bring to mind."""

    queries: Floats  # (B, F) their features
    distances: Floats  # (B, k) to the nearest rows
    rows: NDArray[np.int64]  # (B, k)
    near: Floats  # (B, k, F) the features of those rows
    trust: Floats  # (B, k) in those rows

    def shares(self) -> Floats:
        """Weights (B, k) by which the rows may vote; their sum is 1."""
        return shares(self.trust, self.distances)

    def first(self, count: int) -> "Recalled":
        """The same of the `count` nearest rows alone, to the last bit."""
        # Copies, because products of matrices round otherwise where rows are not contiguous.
        parts: Iterator[Any] = (np.ascontiguousarray(part[:, :count]) for part in self[1:])
        return Recalled(self.queries, *parts)


def shares(trust: Floats, distances: Floats) -> Floats:
    """Weights (B, k) by trust (B, k) and inverse distance, softened so that no single row decides alone.

    Their sum is 1; they are NaN where no row is trusted.
    """
    votes: Floats = trust / (distances + 0.1 * distances[:, -1:] + 1e-9)
    return votes / in_order(votes)[:, None]


def in_order(votes: Floats) -> Floats:
    """The sum over axis 1 of (B, k) or (B, k, A), one after the other: rounded alike in any batch."""
    total: Floats = np.add.accumulate(votes, axis=1)[:, -1]
    return total


def weighted_mean(votes: Floats, actions: Floats) -> Floats:
    """The mean (B, A) of actions (B, k, A) by votes (B, k)."""
    result: Floats = in_order(votes[:, :, None] * actions) / in_order(votes)[:, None]
    return result


@dataclass(frozen=True)
class Memory:
    """N rows of expert steps in the space of the features, and how many of the nearest are looked at."""

    features: Features
    known: Neighbors  # (N, F)
    actions: Floats  # (N, A)
    trust: Floats  # (N,) how much a row counts, beside its distance
    followed: Bools  # (N,) whether the next row is the next step of the same episode
    neighbors: int
    embedding: Embedding | None = None

    @classmethod
    def of(cls, steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Self:
        """Remember every row. UserError for more neighbours than rows."""
        _check_neighbors(settings.neighbors, len(steps))
        seen, embedding = steps.observations, None
        if settings.embedding is not None:
            embedding = Embedding.fit(seen, observation, settings.embedding)
            seen, observation = embedding.beside(seen), (*observation, *embedding.channels())
        features = Features.choose(observation, settings.features)
        trusted: dict[str, float] = dict(settings.trust.items())
        trust = np.array([trusted.get(source, 1.0) for source in steps.source])
        known = Neighbors(features(seen))
        return cls(features, known, steps.actions, trust, _followed(steps), settings.neighbors, embedding)

    def without(self, episode: slice) -> Self:
        """The same without the rows of that episode."""
        kept = np.delete(np.arange(len(self.actions)), episode)
        known, followed = Neighbors(self.known.points[kept]), self.followed[kept]
        return replace(self, known=known, actions=self.actions[kept], trust=self.trust[kept], followed=followed)

    def recall(self, observations: Floats) -> Recalled:
        """The k nearest rows of each of B observations (B, O), by distance and then by row."""
        queries = self.queries(observations)
        return self.recalled(queries, self.known.nearest(queries, self.neighbors))

    def recalled(self, queries: Floats, found: Found) -> Recalled:
        """What those rows are that were found for B queries (B, F)."""
        return Recalled(queries, *found, self.known.points.take(found.rows, axis=0), self.trust.take(found.rows))

    def proposed(self, rows: NDArray[np.int64]) -> Floats:
        """The actions (B, k, A) of rows (B, k)."""
        # In memory rank by rank, as they are looked through: for a batch that takes half the time.
        return self.actions.take(rows.T, axis=0).transpose(1, 0, 2)

    def nearest(self, observations: Floats, count: int) -> Found:
        """The `count` rows next to each of B observations (B, O), or all where there are fewer."""
        return self.known.nearest(self.queries(observations), min(count, len(self.actions)))

    def queries(self, observations: Floats) -> Floats:
        """Their features (B, F)."""
        return self.features(self.embedding.beside(observations) if self.embedding else observations)

    def recollection(self, recalled: Recalled) -> Recollection:
        """What is kept of it, as long as an episode lasts."""
        return Recollection(recalled.queries, recalled.rows, recalled.distances, self)

    # Products of matrices, observation by observation: a sum over an axis may round differently with the batch.

    def extrapolation(self, recollection: Recollection) -> Floats:
        """The distance (B,) to the mean of the nearest rows."""
        near = self.known.points.take(recollection.rows, axis=0)  # (B, k, F)
        centre = (np.full((1, self.neighbors), 1 / self.neighbors) @ near)[:, 0]  # (B, F)
        result: Floats = np.sqrt(squared(recollection.seen - centre))
        return result

    def disagreement(self, recollection: Recollection) -> Floats:
        """Root of the mean over channels (B,) of the variance of the nearest rows' actions, the nearer the heavier.

        The unit is the standard deviation of all known actions.
        """
        rows = recollection.rows
        weights = shares(self.trust.take(rows), recollection.distances)[:, None]  # (B, 1, k)
        actions = self._standardized.take(rows, axis=0)  # (B, k, A)
        channels = actions.shape[2]
        variance = weights @ (actions - weights @ actions) ** 2 @ np.full((channels, 1), 1 / channels)  # (B, 1, 1)
        result: Floats = np.sqrt(variance[:, 0, 0])
        return result

    @cached_property
    def _standardized(self) -> Floats:
        """The actions (N, A) in standard deviations of their channel; one that never changes stays as it is."""
        spread = self.actions.std(axis=0)
        return self.actions / np.where(spread > 0, spread, 1.0)

    def surprise(self, before: Recollection, after: Recollection) -> Floats:
        """The root mean square over features (B,) of the distance to what followed, in spreads of that."""
        rows = before.rows
        with np.errstate(invalid="ignore"):  # nothing by nothing: not known
            weights = shares(self.trust[rows] * self.followed[rows], before.distances)[:, None]  # (B, 1, k)
        changes = self._changes.take(rows, axis=0)  # (B, k, F)
        mean = weights @ changes  # (B, 1, F)
        variance = weights @ (changes - mean) ** 2 + _SPREAD**2
        off = (after.seen - before.seen - mean[:, 0]) ** 2 / variance[:, 0]
        result: Floats = np.sqrt(in_order(off) / off.shape[1])
        return result

    @cached_property
    def _changes(self) -> Floats:
        """From each row's features to the next row's (N, F): where that did not follow it, it does not count."""
        return np.diff(self.known.points, axis=0, append=self.known.points[-1:])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays, for storage."""
        return {
            **self.features.arrays(),
            "points": self.known.points,
            "actions": self.actions,
            "trust": self.trust,
            "followed": self.followed,
            "neighbors": np.array(self.neighbors),
            **(self.embedding.arrays() if self.embedding else {}),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The memory that was stored. Raises ValueError or KeyError where its arrays do not belong together."""
        features = Features.from_arrays(arrays)
        points, actions, trust, followed = (arrays[name] for name in ("points", "actions", "trust", "followed"))
        neighbors = arrays["neighbors"]
        if not (
            points.ndim == actions.ndim == 2
            and len(points) == len(actions) >= neighbors >= 1
            and trust.shape == followed.shape == points.shape[:1]
        ):
            raise ValueError("its arrays differ in length")
        if any(part.shape != points.shape[1:] for part in features.arrays().values()):
            raise ValueError("its features are not those of its rows")
        if any(one.dtype != np.float64 for one in (points, actions, trust)) or followed.dtype != np.bool_:
            raise ValueError("its rows are no numbers")
        if not actions.shape[1]:
            raise ValueError("its rows do nothing")
        if not ((np.abs(points) < LARGEST / SMALLEST).all() and (np.abs(actions) < LARGEST).all()):
            raise ValueError("its numbers are not finite, or too large")
        if not ((trust >= SMALLEST) & (trust <= LARGEST)).all():
            raise ValueError("it holds rows that it does not trust")
        embedding = Embedding.from_arrays(arrays)
        return cls(features, Neighbors(points), actions, trust, followed, int(neighbors), embedding)


def _followed(steps: Steps) -> Bools:
    """Whether the next row (N,) is the next step of the same episode; after a label it is what was done instead."""
    return np.append((np.diff(steps.episode) == 0) & (np.diff(steps.frame) == 1), False)


def _check_neighbors(neighbors: int, rows: int) -> None:
    if neighbors > rows:
        raise UserError(f"policy neighbors: found {neighbors}, allowed: at most the {rows} rows known")
