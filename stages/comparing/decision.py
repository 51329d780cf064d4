"""When a condition counts as made worse: the rule of the gate.

A condition fails when both hold:

1. It is proven to be worse: the exact one-sided test of its discordant pairs rejects "not worse" at the level, adjusted
   by Holm over all conditions judged (those that have discordant pairs enough to reject at all). So where nothing was
   made worse, any condition fails with at most that probability, whatever the number of conditions.
2. A worsening of the margin is not ruled out: Tango's score test at the same level, one-sided, does not reject
   "worse by the margin". So what is proven but surely too small to matter passes.

Not the estimate is held against the margin: of true worsenings as large as the margin, that would let half pass,
whatever the number of episodes. By this rule they are caught ever more surely, up to 1 - level.

A condition that does not fail is `cleared` where a worsening of the margin is ruled out; else it is `open`: there are
too few episodes to tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from stages.comparing.intervals import score_interval, score_statistic
from stages.comparing.pairing import Pairs
from stages.comparing.significance import holm, lowest, one_sided
from stages.core.episode import Bools
from stages.core.task import Floats


@dataclass(frozen=True)
class Judgement:
    """What the gate says of one condition, and why."""

    task: str
    condition: str
    state: str  # failed, cleared, open
    pairs: int
    success_baseline: float
    success: float
    difference: float  # less than 0: worse than the baseline
    low: float  # less is ruled out, one-sided, at the level
    lost: int
    gained: int
    p: float
    p_adjusted: float


def failing(lost: ArrayLike, gained: ArrayLike, pairs: ArrayLike, margin: float, level: float) -> Bools:
    """Whether each of K conditions (..., K), which are judged together, fails."""
    worse = adjusted_p(lost, gained, level) <= level
    return np.asarray(worse & ~ruled_out(lost, gained, pairs, margin, level))


def adjusted_p(lost: ArrayLike, gained: ArrayLike, level: float) -> Floats:
    """The p of "not worse" of each of K conditions (..., K), adjusted for their being so many."""
    counted = lowest(np.asarray(lost) + np.asarray(gained), sides=1) <= level
    return holm(one_sided(lost, gained), counted)


def ruled_out(lost: ArrayLike, gained: ArrayLike, pairs: ArrayLike, margin: float, level: float) -> Bools:
    """Whether the data lie too far above "worse by the margin" for it to be true; arrays of any one shape."""
    from scipy.special import ndtri

    return np.asarray(score_statistic(lost, gained, pairs, -margin) > ndtri(1 - level))


def judge(paired: Sequence[Pairs], margin: float, level: float) -> list[Judgement]:
    """The judgements on all conditions that have pairs."""
    some = [one for one in paired if len(one)]
    if not some:
        return []
    lost, gained, pairs = (np.array(part) for part in zip(*((p.lost, p.gained, len(p)) for p in some), strict=True))
    failed = failing(lost, gained, pairs, margin, level)
    cleared = ruled_out(lost, gained, pairs, margin, level)
    low, _ = score_interval(lost, gained, pairs, 1 - 2 * level)
    states = np.where(failed, "failed", np.where(cleared, "cleared", "open")).tolist()
    p = (one_sided(lost, gained).tolist(), adjusted_p(lost, gained, level).tolist())
    return [_judgement(*one) for one in zip(some, states, low.tolist(), *p, strict=True)]


def _judgement(pairs: Pairs, state: str, low: float, p: float, adjusted: float) -> Judgement:
    return Judgement(
        task=pairs.task,
        condition=pairs.condition,
        state=state,
        pairs=len(pairs),
        success_baseline=float(pairs.before.mean()),
        success=float(pairs.after.mean()),
        difference=(pairs.gained - pairs.lost) / len(pairs),
        low=low,
        lost=pairs.lost,
        gained=pairs.gained,
        p=p,
        p_adjusted=adjusted,
    )
