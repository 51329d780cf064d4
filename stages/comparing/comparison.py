"""What is known of the difference between A and B, condition by condition."""

from collections.abc import Sequence
from dataclasses import dataclass

from stages.comparing.intervals import score_interval
from stages.comparing.pairing import Pairs
from stages.comparing.significance import holm, lowest, two_sided


@dataclass(frozen=True)
class Comparison:
    """One condition: shares of success, their difference with its interval, and the evidence for it."""

    task: str
    condition: str
    pairs: int
    success_a: float
    success_b: float
    difference: float  # B minus A
    low: float
    high: float
    lost: int  # A succeeded alone
    gained: int  # B succeeded alone
    p: float
    p_adjusted: float
    counted: bool  # had discordant pairs enough for the test to reject at all
    verdict: str  # better, worse, no evidence
    differing: int
    alone: int
    copies: int


def compare(paired: Sequence[Pairs], level: float) -> list[Comparison]:
    """The comparisons of all conditions that have pairs, their p-values adjusted for there being so many."""
    some = [one for one in paired if len(one)]
    raw = [two_sided(one.lost, one.gained) for one in some]
    counted = lowest([one.lost + one.gained for one in some], 2) <= level
    figures = zip(some, raw, holm(raw, counted).tolist(), counted.tolist(), strict=True)
    return [_comparison(*one, level) for one in figures]


def _comparison(pairs: Pairs, p: float, adjusted: float, counted: bool, level: float) -> Comparison:
    low, high = score_interval(pairs.lost, pairs.gained, len(pairs), 1 - level)
    difference = (pairs.gained - pairs.lost) / len(pairs)
    return Comparison(
        task=pairs.task,
        condition=pairs.condition,
        pairs=len(pairs),
        success_a=float(pairs.before.mean()),
        success_b=float(pairs.after.mean()),
        difference=difference,
        low=float(low),
        high=float(high),
        lost=pairs.lost,
        gained=pairs.gained,
        p=p,
        p_adjusted=adjusted,
        counted=counted,
        verdict=_verdict(difference, adjusted <= level),
        differing=pairs.differing,
        alone=pairs.alone,
        copies=pairs.copies,
    )


def _verdict(difference: float, proven: bool) -> str:
    if not proven or difference == 0:
        return "no evidence"
    return "better" if difference > 0 else "worse"
