"""The area under the ROC curve: how well one number tells two groups apart, and how sure that is.

It is the share of pairs, one of each group, in which the one of the group to be told has the larger number, ties by
half: 1 tells them apart always, 0.5 is a coin. The interval is Newcombe's method 5 (Statistics in Medicine 25, 2006,
559-573): all areas that lie no further from the one found than the normal quantile allows. It holds for groups of any
size, also where they are apart altogether. Simulated (normal numbers, 2 to 90 members against 50 to 300 others, true
areas from 0.7 to 0.98), the 95 % interval covers 94 to 98 % of truths; DeLong's (Biometrics 44, 1988, 837-845), on the
scale of the logit, covers 72 to 98 % where there are five members or fewer: too sure, just where failures are rare.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.comparing.shares import CONFIDENCE
from stages.core.episode import Bools
from stages.core.task import Floats

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
    return auroc_within(numbers, told, np.zeros(len(told)))


def auroc_within(numbers: Floats, told: Bools, groups: NDArray[Any]) -> Area:
    """How well `numbers` (E,) tell those that are `told` (E,) from the others of their own group (E,).

    It is the share of the pairs within groups. What tells groups apart, and nothing else, is a coin here. The
    interval takes the area to be the same in each.
    """
    from scipy.stats import rankdata

    pairs, sizes = 0.0, []
    for group in dict.fromkeys(groups.tolist()):
        here = groups == group
        mine = told[here]
        members, others = int(mine.sum()), int((~mine).sum())
        if members and others:
            # Mann and Whitney: sums of halves, which are exact.
            pairs += float(rankdata(numbers[here])[mine].sum()) - members * (members + 1) / 2
            sizes.append((members, others))
    return Area(pairs / _pairs(sizes), *area_interval(pairs, sizes)) if sizes else UNKNOWN


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


def area_interval(pairs: float, sizes: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Both ends, for so many pairs in the right order (ties by half), in groups of so many members and others."""
    area = pairs / _pairs(sizes)
    return _end(area, 0.0, sizes), _end(area, 1.0, sizes)


def _pairs(sizes: Sequence[tuple[int, int]]) -> int:
    return sum(members * others for members, others in sizes)


def _end(area: float, bound: float, sizes: Sequence[tuple[int, int]]) -> float:
    """The area nearest to `bound` that the one found does not rule out, by halving."""
    from scipy.special import ndtri

    z, inside, outside = float(ndtri(0.5 + CONFIDENCE / 2)), area, bound
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        allowed = (area - middle) ** 2 <= z**2 * _variance(middle, sizes)
        inside, outside = (middle, outside) if allowed else (inside, middle)
    return inside


def _variance(area: float, sizes: Sequence[tuple[int, int]]) -> float:
    """Of the area found in groups of these sizes, each weighted by its pairs, where that is the true one in each."""
    growth = (1 - area) / (2 - area) + area / (1 + area)
    spread = sum(members * others * (1 + ((members + others) / 2 - 1) * growth) for members, others in sizes)
    return area * (1 - area) * spread / _pairs(sizes) ** 2
