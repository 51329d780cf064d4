"""A policy that answers from the rows a situation brings to mind, and from nothing else."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from stages.core.policy import Answer, Policy, Votes
from stages.core.task import Floats
from stages.policies.memory import Memory, Recalled


@dataclass(frozen=True)
class Recalling(Policy):
    """Kinds differ in how they decide. Novelty is the distance to the k-th nearest row, in the features' space."""

    memory: Memory

    def act(self, observations: Floats) -> Answer:
        """What is decided (B, A), and the rows it was made of."""
        recalled = self.memory.recall(observations)
        return Answer(self.decide(recalled)[0], self.memory.recollection(recalled))

    def act_by(self, observations: Floats, counts: Sequence[int]) -> list[Floats]:
        """From one look at as many rows as it has neighbours."""
        recalled = self.memory.recall(observations)
        return [self.decide(recalled.first(count))[0] for count in counts]

    def votes(self, observations: Floats) -> Votes:
        """The rows and their votes."""
        recalled = self.memory.recall(observations)
        return Votes(recalled.rows, recalled.distances, self.decide(recalled)[1])

    @abstractmethod
    def decide(self, recalled: Recalled) -> tuple[Floats, Floats]:
        """The actions (B, A) and the votes (B, k) of the rows, whose mean they are; it may be cut to their range.

        A vote may be negative. It goes by `recalled.trust` as well, so that a person's rows can be made to count more.
        """
