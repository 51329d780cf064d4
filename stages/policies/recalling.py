"""A policy that answers from the rows a situation brings to mind, and from nothing else."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from stages.core.policy import Answer, Policy
from stages.core.task import Floats
from stages.policies.memory import Memory, Recalled


@dataclass(frozen=True)
class Recalling(Policy):
    """Kinds differ in how they decide. Novelty is the distance to the k-th nearest row, in the features' space."""

    memory: Memory

    def act(self, observations: Floats) -> Answer:
        """What is decided (B, A), and the scores of the rows it was made of."""
        recalled = self.memory.recall(observations)
        actions, shares = self.decide(recalled)
        return Answer(actions, self.memory.scores(recalled, shares), self.memory.recollection(recalled))

    def act_by(self, observations: Floats, counts: Sequence[int]) -> list[Floats]:
        """From one look at as many rows as it has neighbours."""
        recalled = self.memory.recall(observations)
        return [self.decide(recalled.first(count))[0] for count in counts]

    @abstractmethod
    def decide(self, recalled: Recalled) -> tuple[Floats, Floats]:
        """The actions (B, A), and the weights (B, k) by which the rows vote for them; their sum is 1.

        A row counts by `recalled.trust` as well, which is how a person's rows can be made to count for more.
        """
