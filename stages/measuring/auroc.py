"""The area under the ROC curve: how well one number tells two groups apart, and how sure that is.

It is the share of pairs, one of each group, in which the one of the group to be told has the larger number, ties by
half: 1 tells them apart always, 0.5 is a coin. The interval is Newcombe's method 5 (Statistics in Medicine 25, 2006,
559-573): all areas that lie no further from the one found than the normal quantile allows. It holds for groups of any
size, also where they are apart altogether. Simulated (normal numbers, 2 to 90 members against 50 to 300 others, true
areas from 0.7 to 0.98), the 95 % interval covers 94 to 98 % of truths; DeLong's (Biometrics 44, 1988, 837-845), on the
scale of the logit, covers 72 to 98 % where there are five members or fewer: too sure, just where failures are rare.
"""

from typing import NamedTuple

import numpy as np

from stages.core.episode import Bools
from stages.core.task import Floats
from stages.measuring.results import CONFIDENCE

LEAST = 10  # members of a group for the interval of a difference
_HALVINGS = 52  # of an interval at most 1 long: to the last bits


class Area(NamedTuple):
    """An area with its 95 % interval; NaN where a group has no member."""

    area: float
    low: float
    high: float


UNKNOWN = Area(np.nan, np.nan, np.nan)


def auroc(numbers: Floats, told: Bools) -> Area:
    """How well `numbers` (E,) tell those that are `told` (E,) from the others."""
    from scipy.stats import rankdata

    members, others = int(told.sum()), int((~told).sum())
    if not members or not others:
        return UNKNOWN
    # Mann and Whitney: sums of halves, which are exact.
    pairs = rankdata(numbers)[told].sum() - members * (members + 1) / 2
    return Area(float(pairs / (members * others)), *area_interval(float(pairs), members, others))


def advantage(numbers: Floats, others: Floats, told: Bools) -> Area:
    """By how much `numbers` (E,) tell better than `others` (E,) do, of the same episodes, with its 95 % interval.

    DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988): the variance of the difference over members and over the
    rest. It needs some of each: below LEAST of either group there is no interval.
    """
    from scipy.special import ndtri

    parts = [_placements(values, told) for values in (numbers, others)]
    by_member, by_other = (one - other for one, other in zip(*parts, strict=True))
    difference = float(by_member.mean())
    if min(len(by_member), len(by_other)) < LEAST:
        return Area(difference, np.nan, np.nan)
    variance = by_member.var(ddof=1) / len(by_member) + by_other.var(ddof=1) / len(by_other)
    reach = float(ndtri(0.5 + CONFIDENCE / 2) * np.sqrt(variance))
    return Area(difference, difference - reach, difference + reach)


def _placements(numbers: Floats, told: Bools) -> tuple[Floats, Floats]:
    """Of each member the share of others below it, of each other the share of members above it; ties count half."""
    from scipy.stats import rankdata

    members, others = numbers[told], numbers[~told]
    ranks = rankdata(np.concatenate([members, others]))
    below = (ranks[: len(members)] - rankdata(members)) / len(others)
    above = 1 - (ranks[len(members) :] - rankdata(others)) / len(members)
    return below, above


def area_interval(pairs: float, members: int, others: int) -> tuple[float, float]:
    """Both ends, for so many pairs in the right order (ties by half) of two groups of these sizes."""
    area = pairs / (members * others)
    return _end(area, 0.0, members, others), _end(area, 1.0, members, others)


def _end(area: float, bound: float, members: int, others: int) -> float:
    """The area nearest to `bound` that the one found does not rule out, by halving."""
    from scipy.special import ndtri

    more, z = (members + others) / 2 - 1, float(ndtri(0.5 + CONFIDENCE / 2))
    inside, outside = area, bound
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        spread = 1 + more * (1 - middle) / (2 - middle) + more * middle / (1 + middle)
        allowed = (area - middle) ** 2 <= z**2 * middle * (1 - middle) * spread / (members * others)
        inside, outside = (middle, outside) if allowed else (inside, middle)
    return inside
