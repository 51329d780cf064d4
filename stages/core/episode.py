"""What running and learning pass on: plans, decisions, episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.core.task import Floats, Outcome, World

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Scores(NamedTuple):
    """How far each of the T steps of an episode was from what is known; NaN where that is not measured."""

    novelty: Floats  # (T,) distance to the k-th nearest known row, in the policy's features
    extrapolation: Floats  # (T,) distance to the mean of the k nearest: they may all lie to one side
    disagreement: Floats  # (T,) standard deviation of their actions, in those of all known actions
    surprise: Floats  # (T,) how far what is seen is from what was to be expected a step before

    @classmethod
    def unknown(cls, steps: int) -> "Scores":
        """Of that many steps, nothing."""
        return cls(*(np.full(steps, np.nan) for _ in cls._fields))


class Known(Protocol):
    """The rows that a policy knows, as a recollection asks about them."""

    def extrapolation(self, recollection: "Recollection") -> Floats:
        """As in `Scores` (B,)."""

    def disagreement(self, recollection: "Recollection") -> Floats:
        """As in `Scores` (B,)."""

    def surprise(self, before: "Recollection", after: "Recollection") -> Floats:
        """As in `Scores` (B,)."""


class Recollection(NamedTuple):
    """The k nearest known rows of B observations, all that a step leaves behind: scores are made of it afterwards."""

    seen: Floats  # (B, F) the features of the observations
    rows: Ints  # (B, k)
    distances: Floats  # (B, k)
    known: Known | None  # whose rows they are; None: nothing was looked up

    @classmethod
    def none(cls, size: int) -> "Recollection":
        """Of that many observations, nothing."""
        return cls(np.empty((size, 0)), np.empty((size, 0), dtype=np.int64), np.full((size, 1), np.nan), None)

    @property
    def novelty(self) -> Floats:
        """The distance to the k-th nearest row (B,), by which the alarm goes; NaN where nothing was looked up."""
        return self.distances[:, -1]

    def part(self, which: slice) -> "Recollection":
        """Of some of them."""
        return Recollection(self.seen[which], self.rows[which], self.distances[which], self.known)

    def surprise(self, after: "Recollection") -> Floats:
        """How far what was seen a step later is from what followed those rows (B,); NaN: nothing did.

        Valid only while the policy acts as the expert did there: a response to the alarm changes what follows, and
        raises surprise by itself.
        """
        return np.full(len(self.seen), np.nan) if self.known is None else self.known.surprise(self, after)

    def surprises(self) -> Floats:
        """Of the T steps of an episode, each after the one before (T,); the first has none before it."""
        return np.concatenate([[np.nan], self.part(slice(-1)).surprise(self.part(slice(1, None)))])

    def scores(self) -> Scores:
        """Of the T steps of an episode."""
        if self.known is None:
            return Scores.unknown(len(self.seen))
        beyond, apart = self.known.extrapolation(self), self.known.disagreement(self)
        return Scores(self.novelty, beyond, apart, self.surprises())


class Decision(NamedTuple):
    """What a controller answers to B observations."""

    actions: Floats  # (B, A)
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

        actions, shift, final, asked, recollections = zip(*decisions, strict=True)
        seen, nearest, distances, known = zip(*recollections, strict=True)
        recollection = Recollection(picked(seen), picked(nearest), picked(distances), known[0])
        return cls(picked(actions), picked(shift), picked(final), picked(asked), recollection)


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
    responded: Bools  # (T,) decided by the response to the alarm in the policy's stead ...
    asked: Bools  # (T,) ... which was to ask the expert
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
                *(*self.scores, self.shift, self.responded, self.asked, self.errors),
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
