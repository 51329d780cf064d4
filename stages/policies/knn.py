"""Nearest-neighbour cloning: act as the expert did in the most similar situations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.episode import Steps
from stages.core.params import PolicySettings
from stages.core.policy import Arrays
from stages.core.task import Channel, Floats
from stages.policies.memory import Memory, Recalled, weighted_mean
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
        """The rows' mean, and their votes."""
        votes = self._votes(recalled)
        return weighted_mean(votes, self.memory.proposed(recalled.rows)), votes

    def _votes(self, recalled: Recalled) -> Floats:
        """By trust (B, k), and nearness; rows at distance zero, where there are any, decide alone."""
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
