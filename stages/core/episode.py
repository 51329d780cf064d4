"""What running and learning pass on: plans, decisions, episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.core.task import Floats, Outcome, World

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Scores(NamedTuple):
    """How far B observations are from what is known; NaN where that is not measured."""

    novelty: Floats  # (B,) distance to the k-th nearest known row, in the policy's features
    extrapolation: Floats  # (B,) distance to the centre of the k nearest: they may all lie to one side
    disagreement: Floats  # (B,) spread of the actions of those that vote, in spreads of all known actions

    @classmethod
    def unknown(cls, size: int) -> "Scores":
        """Of that many observations, nothing."""
        return cls(*(np.full(size, np.nan) for _ in cls._fields))


class Decision(NamedTuple):
    """What a controller answers to B observations."""

    actions: Floats  # (B, A)
    scores: Scores
    shift: Bools  # (B,) novelty above the threshold
    final: Bools  # (B,) to be executed as it is, without the noise of the world
    asked: Bools  # (B,) decided by the expert in the policy's stead


class Controller(Protocol):
    """Anything that maps observations (B, O) to a decision, row by row."""

    def __call__(self, observations: Floats) -> Decision:
        """The decision, whose row b depends on row b of the observations alone."""


@dataclass(frozen=True)
class Plan:
    """An episode to be run: enough to run it again to the same bits."""

    index: int
    condition: str
    seed: int
    world: World
    # Commands (F, A) that are executed first, as they are; the controller takes over after them.
    prelude: Floats = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True)
class Episode:
    """One run of a controller in one world, T steps long."""

    plan: Plan
    observations: Floats  # (T, O) as the controller saw them
    actions: Floats  # (T, A) as the controller decided
    executed: Floats  # (T, A) as they reached the actuators, noise included
    scores: Scores  # (T,) each
    shift: Bools  # (T,)
    asked: Bools  # (T,) decided by the expert in the policy's stead
    errors: Floats  # (T,) left to the goal after each step
    outcome: Outcome
    error: float
    details: Mapping[str, float]

    def __post_init__(self) -> None:
        lengths = {
            len(values)
            for values in (
                *(self.observations, self.actions, self.executed),
                *(*self.scores, self.shift, self.asked, self.errors),
            )
        }
        if len(lengths) != 1:
            raise ValueError(f"an episode's arrays differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class Steps:
    """What one learns from: N rows of expert data."""

    episode: Ints  # (N,) rows of one episode are contiguous
    frame: Ints  # (N,)
    round: Ints  # (N,) the round that added the row
    source: Sequence[str]  # (N,) expert, person or correction
    observations: Floats  # (N, O)
    actions: Floats  # (N, A)

    def __len__(self) -> int:
        return len(self.actions)

    def subset(self, rows: Ints) -> "Steps":
        """Those rows (M,)."""
        return Steps(
            self.episode[rows],
            self.frame[rows],
            self.round[rows],
            [self.source[row] for row in rows],
            self.observations[rows],
            self.actions[rows],
        )
