"""Nearest-neighbour cloning: act as the expert did in the most similar situations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import PolicySettings
from stages.core.policy import Answer, Arrays, Policy
from stages.core.task import Channel, Floats
from stages.policies.features import Features
from stages.policies.neighbors import Neighbors


@dataclass(frozen=True)
class KNN(Policy):
    """The mean of the actions of the k nearest rows, as scikit-learn's KNeighborsRegressor computes it.

    Novelty is the distance to the k-th nearest row, in the space of the features.
    """

    features: Features
    known: Neighbors  # features of N rows
    actions: Floats  # (N, A)
    neighbors: int
    by_distance: bool  # weights 1 / distance instead of equal ones

    @classmethod
    def fit(cls, steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Self:
        """Remember every row. UserError for more neighbours than rows."""
        if settings.neighbors > len(steps):
            raise UserError(
                f"policy neighbors: found {settings.neighbors}, allowed: at most the {len(steps)} rows known"
            )
        features = Features.choose(observation, settings.features)
        known = Neighbors(features(steps.observations))
        return cls(features, known, steps.actions, settings.neighbors, settings.weights == "distance")

    def act(self, observations: Floats) -> Answer:
        """The neighbours' mean action (B, A) and the distance to the k-th of them (B,)."""
        distances, rows = self.known.nearest(self.features(observations), self.neighbors)
        weights = self._weights(distances)
        # Neighbour after neighbour: one order of additions whatever the batch.
        total = weights[:, 0].copy()
        actions = weights[:, :1] * self.actions[rows[:, 0]]
        for place in range(1, self.neighbors):
            total += weights[:, place]
            actions += weights[:, place : place + 1] * self.actions[rows[:, place]]
        return Answer(actions / total[:, None], distances[:, -1])

    def _weights(self, distances: Floats) -> Floats:
        """Weights (B, k); rows at distance zero, where there are any, decide alone."""
        if not self.by_distance:
            return np.ones_like(distances)
        here = distances == 0
        inverse: Floats = 1 / np.where(here, 1, distances)
        return np.where(here.any(axis=1, keepdims=True), here.astype(np.float64), inverse)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The rows and how they are used."""
        return {
            **self.features.arrays(),
            "points": self.known.points,
            "actions": self.actions,
            "neighbors": np.array(self.neighbors),
            "by_distance": np.array(self.by_distance),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The policy that was stored."""
        features = Features(arrays["columns"], arrays["scales"], arrays["squashed"])
        points, actions, neighbors = arrays["points"], arrays["actions"], int(arrays["neighbors"])
        if not (points.ndim == actions.ndim == 2 and len(points) == len(actions) >= neighbors >= 1):
            raise ValueError("its arrays differ in length")
        if any(part.shape != points.shape[1:] for part in features.arrays().values()):
            raise ValueError("its features are not those of its rows")
        if not (np.isfinite(points).all() and np.isfinite(actions).all()):
            raise ValueError("its numbers are not finite")
        return cls(features, Neighbors(points), actions, neighbors, bool(arrays["by_distance"]))
