"""Local linear cloning: a small regression through the most similar situations instead of their mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.episode import Steps
from stages.core.params import PolicySettings
from stages.core.policy import Arrays, Votes
from stages.core.task import Channel, Floats
from stages.policies.memory import Memory, Recalled
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
        """The regression's actions (B, A), and the weights of its rows (B, k)."""
        near = recalled.near  # (B, k, F)
        actions = self.memory.actions.take(recalled.rows, axis=0)  # (B, k, A)
        weights = recalled.shares()[:, None, :]  # (B, 1, k), their sum is 1
        centre, mean = weights @ near, weights @ actions  # (B, 1, F), (B, 1, A)
        spread = near - centre
        weighted = spread.transpose(0, 2, 1) * weights  # (B, F, k)
        square = weighted @ spread + RIDGE * np.eye(near.shape[2])
        slopes = np.linalg.solve(square, weighted @ (actions - mean))  # (B, F, A)
        answer = (mean + (recalled.queries[:, None] - centre) @ slopes)[:, 0]
        return np.clip(answer, actions.min(axis=1), actions.max(axis=1)), weights[:, 0]

    def votes(self, observations: Floats) -> Votes:
        """The neighbours and their weights in the regression's value at the query.

        That value is linear in their actions, so it is a mean of them too, whose weights may be negative: a row on the
        far side of a slope pulls the answer away from its own action. It is that of `act`, which cuts it to their
        range, up to rounding.
        """
        recalled = self.memory.recall(observations)
        near, weights = recalled.near, recalled.shares()  # (B, k, F), (B, k)
        centre = weights[:, None] @ near  # (B, 1, F)
        spread = near - centre
        square = (spread.transpose(0, 2, 1) * weights[:, None]) @ spread + RIDGE * np.eye(near.shape[2])
        away = (recalled.queries[:, None] - centre).transpose(0, 2, 1)  # (B, F, 1)
        slope = (spread @ np.linalg.solve(square, away))[:, :, 0]  # (B, k)
        return Votes(recalled.rows, recalled.distances, weights * (1 + slope))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The rows and how many of them answer."""
        return self.memory.arrays()

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The policy that was stored."""
        return cls(Memory.from_arrays(arrays))
