"""What has been seen: the rows that policies look up, and how far a new situation is from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import PolicySettings
from stages.core.policy import Arrays
from stages.core.task import Channel, Floats
from stages.policies.embedding import Embedding
from stages.policies.features import Features
from stages.policies.neighbors import Neighbors


class Recalled(NamedTuple):
    """What B observations bring to mind."""

    queries: Floats  # (B, F) their features
    distances: Floats  # (B, k) to the nearest rows
    rows: NDArray[np.int64]  # (B, k)

    @property
    def novelty(self) -> Floats:
        """The distance to the k-th nearest row (B,)."""
        return self.distances[:, -1]


@dataclass(frozen=True)
class Memory:
    """N rows of expert steps in the space of the features, and how many of the nearest are looked at."""

    features: Features
    known: Neighbors  # (N, F)
    actions: Floats  # (N, A)
    neighbors: int
    embedding: Embedding | None = None

    @classmethod
    def of(cls, steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Self:
        """Remember every row. UserError for more neighbours than rows."""
        if settings.neighbors > len(steps):
            raise UserError(
                f"policy neighbors: found {settings.neighbors}, allowed: at most the {len(steps)} rows known"
            )
        seen, embedding = steps.observations, None
        if settings.embedding is not None:
            embedding = Embedding.fit(seen, observation, settings.embedding)
            seen, observation = embedding.beside(seen), (*observation, *embedding.channels())
        features = Features.choose(observation, settings.features)
        return cls(features, Neighbors(features(seen)), steps.actions, settings.neighbors, embedding)

    def recall(self, observations: Floats) -> Recalled:
        """The k nearest rows of each of B observations (B, O), by distance and then by row."""
        queries = self.features(self.embedding.beside(observations) if self.embedding else observations)
        return Recalled(queries, *self.known.nearest(queries, self.neighbors))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays, for storage."""
        return {
            **self.features.arrays(),
            "points": self.known.points,
            "actions": self.actions,
            "neighbors": np.array(self.neighbors),
            **(self.embedding.arrays() if self.embedding else {}),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The memory that was stored. Raises ValueError or KeyError where its arrays do not belong together."""
        features = Features(arrays["columns"], arrays["scales"], arrays["squashed"])
        points, actions, neighbors = arrays["points"], arrays["actions"], int(arrays["neighbors"])
        if not (points.ndim == actions.ndim == 2 and len(points) == len(actions) >= neighbors >= 1):
            raise ValueError("its arrays differ in length")
        if any(part.shape != points.shape[1:] for part in features.arrays().values()):
            raise ValueError("its features are not those of its rows")
        if not (np.isfinite(points).all() and np.isfinite(actions).all()):
            raise ValueError("its numbers are not finite")
        return cls(features, Neighbors(points), actions, neighbors, Embedding.from_arrays(arrays))
