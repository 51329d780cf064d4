"""Which episodes of two evaluations are held against each other: those of equal seeds, in equal worlds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stages.comparing.evaluations import Evaluation
from stages.core.episode import Bools, Ints
from stages.core.task import NOISE_KNOBS, Floats


@dataclass(frozen=True)
class Pairs:
    """The N worlds of a condition that A and B both ran in, and what was left out."""

    task: str
    condition: str
    before: Bools  # (N,) A succeeded
    after: Bools  # (N,) B succeeded
    differing: int = 0  # seeds of both sides whose worlds differ
    alone: int = 0  # episodes of one side whose seed the other side lacks
    copies: int = 0  # pairs that repeat another one to the last bit
    alike: bool = False  # in each of the worlds both did the same, to the last bit, and were judged alike
    seeds: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # (N,) of the worlds
    worlds: Mapping[str, Floats] = field(default_factory=dict)  # knob -> (N,)
    given: Mapping[str, Floats] = field(default_factory=dict)  # what else tells worlds apart, where it is known: (N,)

    @property
    def lost(self) -> int:
        """Worlds in which A succeeded and B did not."""
        return int((self.before & ~self.after).sum())

    @property
    def gained(self) -> int:
        """Worlds in which B succeeded and A did not."""
        return int((self.after & ~self.before).sum())

    def __len__(self) -> int:
        return len(self.before)


def pair(a: Evaluation, b: Evaluation, any_world: bool = False) -> list[Pairs]:
    """The pairs of every condition of either side, in A's order, then B's: equal condition, seed and world.

    With `any_world` those of equal seeds alone, for where the world itself is what was changed.
    """
    return [_pair_condition(a, b, name, any_world) for name in dict.fromkeys([*a.conditions, *b.conditions])]


def _pair_condition(a: Evaluation, b: Evaluation, condition: str, any_world: bool) -> Pairs:
    in_a, in_b = _rows(a, condition), _rows(b, condition)
    _, first, second = np.intersect1d(a.seeds[in_a], b.seeds[in_b], assume_unique=True, return_indices=True)
    rows_a, rows_b = in_a[first], in_b[second]
    same = _same_worlds(a, b, rows_a, rows_b)
    kept = same | any_world
    kept_a, kept_b = rows_a[kept], rows_b[kept]
    worlds = {knob: column[kept_a] for knob, column in a.worlds.items()}
    theirs = [column[kept_b] for column in b.worlds.values()]
    once = without_copies(worlds, np.column_stack([a.endings[kept_a], b.endings[kept_b], *theirs]))
    return Pairs(
        a.task,
        condition,
        a.success[kept_a[once]],
        b.success[kept_b[once]],
        differing=int((~same).sum()),
        alone=len(in_a) + len(in_b) - 2 * len(rows_a),
        copies=len(kept_a) - len(once),
        alike=_alike(a, b, kept_a, kept_b),
        seeds=a.seeds[kept_a[once]],
        worlds={knob: column[once] for knob, column in worlds.items()},
        given={
            name: column[rows[once]] for side, rows in ((a, kept_a), (b, kept_b)) for name, column in side.given.items()
        },
    )


def _rows(evaluation: Evaluation, condition: str) -> Ints:
    return np.array([row for row, name in enumerate(evaluation.conditions) if name == condition], dtype=np.int64)


def _same_worlds(a: Evaluation, b: Evaluation, rows_a: Ints, rows_b: Ints) -> Bools:
    """Whether world n of A is world n of B (N,); a knob that only one side knows makes them differ.

    What else was given there must be the same as well, unless one side comes from before that was written down.
    """
    same = np.full(len(rows_a), set(a.worlds) == set(b.worlds))
    for ours, theirs in ((a.worlds, b.worlds), (a.given, b.given)):
        for name in set(ours) & set(theirs):
            same &= ours[name][rows_a] == theirs[name][rows_b]
    return same


def _alike(a: Evaluation, b: Evaluation, rows_a: Ints, rows_b: Ints) -> bool:
    """Whether these episodes ended after as many steps, with the same error, and as the same success or not."""
    same = np.array_equal(a.endings[rows_a], b.endings[rows_b])
    return same and np.array_equal(a.success[rows_a], b.success[rows_b])


def without_copies(worlds: Mapping[str, Floats], endings: Floats) -> Ints:
    """Places (M,) of the pairs (N,) without the copies: to count one episode twice would be evidence from nothing.

    A copy ran in an equal world (`worlds`: knob -> (N,)) without noise and ended alike, to the last bit, on both sides
    (`endings`: (N, E), no columns where that is not known yet): nothing was random in it but the seed's number.
    """
    columns = [worlds[knob] for knob in sorted(worlds)]
    quiet = np.all([worlds[knob] == 0 for knob in NOISE_KNOBS if knob in worlds], axis=0)
    # What is noisy is told apart by its place: it is no copy of anything.
    place = np.where(quiet, -1, np.arange(len(endings)))
    known = np.column_stack([*columns, endings, place]) + 0.0  # -0 is 0
    _, first = np.unique(known, axis=0, return_index=True)
    return np.sort(first)
