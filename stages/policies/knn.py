"""Nearest-neighbour cloning: act as the expert did in the most similar situations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.episode import Steps
from stages.core.params import PolicySettings
from stages.core.policy import Arrays, Votes
from stages.core.task import Channel, Floats
from stages.policies.memory import Memory, Recalled, in_order
from stages.policies.recalling import Recalling


@dataclass(frozen=True)
class KNN(Recalling):
    """The mean of the actions of the k nearest rows, as scikit-learn's KNeighborsRegressor computes it."""

    by_distance: bool  # weights 1 / distance instead of equal ones

    @classmethod
    def fit(cls, steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Self:
        """Remember every row. UserError for more neighbours than rows."""
        return cls(Memory.of(steps, settings, observation), settings.weights == "distance")

    def decide(self, recalled: Recalled) -> tuple[Floats, Floats]:
        """The mean actions (B, A), and each row's share in them (B, k)."""
        weights = self._weights(recalled)
        total = in_order(weights)[:, None]
        actions = in_order(weights[:, :, None] * self.memory.actions.take(recalled.rows, axis=0))
        return actions / total, weights / total

    def votes(self, observations: Floats) -> Votes:
        """The neighbours and their weights: `act` adds up in this order, then divides by the weights' sum."""
        recalled = self.memory.recall(observations)
        return Votes(recalled.rows, recalled.distances, self._weights(recalled))

    def _weights(self, recalled: Recalled) -> Floats:
        """Weights (B, k); rows at distance zero, where there are any, decide alone."""
        if not self.by_distance:
            return recalled.trust
        here = recalled.distances == 0
        inverse: Floats = recalled.trust / np.where(here, 1, recalled.distances)
        return np.where(here.any(axis=1, keepdims=True), here * recalled.trust, inverse)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The rows and how they are used."""
        return {**self.memory.arrays(), "by_distance": np.array(self.by_distance)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The policy that was stored."""
        return cls(Memory.from_arrays(arrays), bool(arrays["by_distance"]))
