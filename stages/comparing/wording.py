"""Comparisons as a reader wants them: an aligned table, and a sentence each."""

from collections.abc import Sequence

from stages.comparing.comparison import Comparison
from stages.comparing.levels import sureness
from stages.comparing.pairing import Pairs
from stages.core.layout import aligned
from stages.core.wording import plural

_HEADER = ("task", "condition", "pairs", "A", "B", "B - A", "interval", "lost", "gained", "p", "adjusted", "verdict")
_WORDS = [place for place, name in enumerate(_HEADER) if name in ("task", "condition", "verdict")]


def points(difference: float) -> str:
    """A difference of shares in points: `3.2`."""
    return f"{100 * difference:.1f}"


def chance(p: float) -> str:
    """A p-value: `0.031`, `<0.0001`."""
    return "<0.0001" if p < 1e-4 else f"{p:.2g}"


def percent(share: float) -> str:
    """A share in percent with a digit after the point; 100.0 and 0.0 are said only of all and of none."""
    digits = 1
    while share not in (0, 1) and float(f"{100 * share:.{digits}f}") in (0, 100):
        digits += 1
    return f"{100 * share:.{digits}f} %"


def table(comparisons: Sequence[Comparison]) -> str:
    """One line a condition."""
    return "\n".join(aligned([_HEADER, *(_cells(one) for one in comparisons)], _WORDS))


def _cells(one: Comparison) -> list[str]:
    return [
        *(one.task, one.condition, f"{one.pairs:,}", percent(one.success_a), percent(one.success_b)),
        *(f"{100 * one.difference:+.1f}", f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"),
        *(f"{one.lost:,}", f"{one.gained:,}", chance(one.p), chance(one.p_adjusted), one.verdict),
    ]


def sentence(one: Comparison, level: float) -> str:
    """The verdict on a condition that was compared at `level`."""
    name = f"{one.task} {one.condition}"
    sure = sureness(level)
    if one.verdict != "no evidence":
        span = f"{points(abs(one.difference))} points, {sure} interval {points(one.low)} to {points(one.high)}"
        return f"{name}: B is {one.verdict} ({span}; adjusted p {chance(one.p_adjusted)})."
    if one.low > 0 or one.high < 0:
        alone = f"exact p {chance(one.p)}, adjusted {chance(one.p_adjusted)}"
        span = f"{sure} interval by itself {points(one.low)} to {points(one.high)} points"
        return f"{name}: not enough evidence of a difference ({alone}; {span})."
    excluded = f"more than {points(-one.low)} points worse or {points(one.high)} points better is excluded ({sure})"
    return f"{name}: no evidence of a difference; B being {excluded}."


def task_left_out(task: str) -> str:
    """That a task was not compared at all."""
    return f"{task}: left out, one side lacks it."


def left_out(pairs: Pairs) -> list[str]:
    """What of a condition was not compared, and why."""
    name = f"{pairs.task} {pairs.condition}"
    told = []
    if pairs.differing:
        told.append(f"{name}: left out {plural(pairs.differing, 'seed')} whose worlds differ.")
    if pairs.alone:
        told.append(f"{name}: left out {plural(pairs.alone, 'episode')} that one side lacks.")
    if pairs.copies:
        again = plural(pairs.copies, "copy", "copies")
        told.append(f"{name}: left out {again} of an episode (nothing in them is random).")
    return told
