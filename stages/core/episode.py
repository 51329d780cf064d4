"""What running and learning pass on: plans, decisions, episodes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

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


class Recollection(NamedTuple):
    """What B observations brought to mind: the k nearest of the rows that a policy knows."""

    seen: Floats  # (B, F) the features of the observations
    rows: Ints  # (B, k)
    distances: Floats  # (B, k)
    compare: Callable[["Recollection", "Recollection"], Floats]  # what `surprise` asks: the policy's own

    @classmethod
    def none(cls, size: int) -> "Recollection":
        """Of that many observations, nothing."""
        return cls(np.empty((size, 0)), np.empty((size, 0), dtype=np.int64), np.empty((size, 0)), _unknown)

    def part(self, which: slice) -> "Recollection":
        """Of some of them."""
        return Recollection(self.seen[which], self.rows[which], self.distances[which], self.compare)

    def surprise(self, after: "Recollection") -> Floats:
        """How far what was seen a step later is from what followed those rows (B,); NaN: nothing did.

        There the expert acted, or after a label the policy. Who acts otherwise, as a response to the alarm does, is
        answered otherwise too.
        """
        return self.compare(self, after)

    def surprises(self) -> Floats:
        """Of the T steps of an episode, each after the one before (T,); the first has none before it."""
        return np.concatenate([[np.nan], self.part(slice(-1)).surprise(self.part(slice(1, None)))])


def _unknown(before: Recollection, after: Recollection) -> Floats:
    return np.full(min(len(before.seen), len(after.seen)), np.nan)


class Decision(NamedTuple):
    """What a controller answers to B observations."""

    actions: Floats  # (B, A)
    scores: Scores
    shift: Bools  # (B,) novelty above the threshold
    final: Bools  # (B,) to be executed as it is, without the noise of the world
    asked: Bools  # (B,) decided by the expert in the policy's stead
    recollection: Recollection

    @classmethod
    def joined(cls, decisions: Sequence["Decision"], rows: Sequence[int]) -> "Decision":
        """Of T decisions one row each, together: a decision on T observations."""
        sizes = [len(one.actions) for one in decisions]
        places = np.cumsum([0, *sizes[:-1]], dtype=np.int64) + rows

        def picked(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
            return np.concatenate(parts).take(places, axis=0)

        actions, scores, shift, final, asked, recollections = zip(*decisions, strict=True)
        seen, known, distances, compares = zip(*recollections, strict=True)
        return cls(
            picked(actions),
            Scores(*map(picked, zip(*scores, strict=True))),
            *(picked(shift), picked(final), picked(asked)),
            Recollection(picked(seen), picked(known), picked(distances), compares[0]),
        )


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
    surprise: Floats  # (T,) how far what was seen is from what was to be expected a step before; NaN: nothing was
    shift: Bools  # (T,)
    asked: Bools  # (T,) decided by the expert in the policy's stead
    errors: Floats  # (T,) left to the goal after each step
    outcome: Outcome
    error: float
    details: Mapping[str, float]
    given: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {
            len(values)
            for values in (
                *(self.observations, self.actions, self.executed),
                *(*self.scores, self.surprise, self.shift, self.asked, self.errors),
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
