"""A policy that answers from the rows a situation brings to mind, and from nothing else."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stages.core.policy import Answer, Policy, Votes
from stages.core.task import Floats
from stages.policies.memory import Memory, Recalled


class Decided(NamedTuple):
    """What k rows make of B situations."""

    actions: Floats  # (B, A) the rows' mean by their votes; it may be cut to their range
    votes: Floats  # (B, k) may be negative, where a slope is followed beyond the rows
    shares: Floats  # (B, k) how much each row has a say, for how far they disagree: not negative, their sum is 1


@dataclass(frozen=True)
class Recalling(Policy):
    """Kinds differ in how they decide. Novelty is the distance to the k-th nearest row, in the features' space."""

    memory: Memory

    def act(self, observations: Floats) -> Answer:
        """What is decided (B, A), and the scores of the rows it was made of."""
        recalled = self.memory.recall(observations)
        decided = self.decide(recalled)
        scores = self.memory.scores(recalled, decided.shares)
        return Answer(decided.actions, scores, self.memory.recollection(recalled))

    def act_by(self, observations: Floats, counts: Sequence[int]) -> list[Floats]:
        """From one look at as many rows as it has neighbours."""
        recalled = self.memory.recall(observations)
        return [self.decide(recalled.first(count)).actions for count in counts]

    def votes(self, observations: Floats) -> Votes:
        """The rows and their votes."""
        recalled = self.memory.recall(observations)
        return Votes(recalled.rows, recalled.distances, self.decide(recalled).votes)

    @abstractmethod
    def decide(self, recalled: Recalled) -> Decided:
        """What those rows make of it.

        A row counts by `recalled.trust` as well, which is how a person's rows can be made to count for more.
        """
