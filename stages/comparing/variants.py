"""What each variant of a study changes: its episodes held against those of another, seed by seed."""

from collections.abc import Mapping
from typing import NamedTuple

from stages.comparing.comparison import Comparison, compare
from stages.comparing.evaluations import Evaluation
from stages.comparing.pairing import pair

LEVEL = 0.05  # of all that a study compares in one round


class Held(NamedTuple):
    """One condition of a variant, held against another variant's."""

    variant: str
    against: str
    comparison: Comparison  # A is the other one, B the variant


def compare_variants(evaluations: Mapping[str, Evaluation], against: Mapping[str, str]) -> list[Held]:
    """What is known of the variants' differences in one round, of those that have episodes of the same seeds.

    `evaluations` are by variant, and so is `against`: the variant that it is held against. Worlds need not be the same,
    as they may be what a study varies. P-values are adjusted for all conditions of all variants at once.
    """
    paired = [
        (variant, other, pairs)
        for variant, other in against.items()
        for pairs in pair(evaluations[other], evaluations[variant], any_world=True)
        if len(pairs)
    ]
    comparisons = compare([pairs for *_, pairs in paired], LEVEL)
    return [Held(variant, other, one) for (variant, other, _), one in zip(paired, comparisons, strict=True)]
