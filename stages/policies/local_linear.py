"""Local linear cloning: a small regression through the most similar situations instead of their mean."""

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

# [1] Ridge on the slopes, against features of which 1 is a scale: without it a few rows in a line would extrapolate.
RIDGE = 0.03


@dataclass(frozen=True)
class LocalLinear(Recalling):
    """The value at the query of a ridge regression through its k nearest rows, the nearer the heavier.

    The mean of neighbours that all lie to one side of a query is wrong by how the action changes on the way to it; a
    slope takes that out. The answer stays within the range of the neighbours' own actions. Source: Atkeson, Moore and
    Schaal, Locally weighted learning, AI Review 11 (1997).
    """

    @classmethod
    def fit(cls, steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Self:
        """Remember every row. UserError for more neighbours than rows."""
        return cls(Memory.of(steps, settings, observation))

    def decide(self, recalled: Recalled) -> tuple[Floats, Floats]:
        """The regression's value at the query, as it is linear in the rows' actions: a mean of them.

        A row on the far side of a slope pulls the answer away from its own action.
        """
        near, shares = recalled.near, recalled.shares()  # (B, k, F), (B, k)
        centre = shares[:, None] @ near  # (B, 1, F)
        spread = near - centre
        square = (spread.transpose(0, 2, 1) * shares[:, None]) @ spread + RIDGE * np.eye(near.shape[2])  # (B, F, F)
        away = (recalled.queries[:, None] - centre).transpose(0, 2, 1)  # (B, F, 1)
        votes = shares * (1 + (spread @ np.linalg.solve(square, away))[:, :, 0])
        actions = self.memory.proposed(recalled.rows)  # (B, k, A)
        return np.clip(weighted_mean(votes, actions), actions.min(axis=1), actions.max(axis=1)), votes

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The rows and how many of them answer."""
        return self.memory.arrays()

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The policy that was stored."""
        return cls(Memory.from_arrays(arrays))
