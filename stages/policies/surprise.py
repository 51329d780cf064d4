"""The surprise that a set share of episodes like the demonstrations exceeds.

Novelty is of one observation. Surprise is of two: how far what is seen is from what followed the nearest known rows of
the step before. It tells a world that looks as shown and answers otherwise.

As with novelty an episode is what raises an alarm, so the scores are the largest surprises of the n demonstrated
episodes, each with all others known, and the threshold is the ceil((n + 1) * quantile)-th smallest of them. The rate is
about the one asked for, and not proven to stay below it: surprise is measured in spreads, and a row more can make these
smaller.
"""

from collections.abc import Sequence

import numpy as np

from stages.core.episode import Recollection, Steps
from stages.core.params import PolicySettings
from stages.core.tables import episode_slices
from stages.core.task import Channel, Floats
from stages.policies.calibration import Calibrated, proven_rank
from stages.policies.memory import Memory


def calibrate_surprise(
    steps: Steps, settings: PolicySettings, quantile: float, observation: Sequence[Channel]
) -> Calibrated | None:
    """What `quantile` of episodes like those demonstrated stay below; None where fewer than two can be surprising.

    What is known without one of them is at least k rows, or `calibrate` had refused them.
    """
    return ranked(surprises_left_out(steps, settings, observation), quantile)


def ranked(scores: Floats, quantile: float) -> Calibrated | None:
    """The score that stands at the quantile's rank among those of n episodes (n,); the largest, if n is too small."""
    known = np.sort(scores[~np.isnan(scores)])
    if len(known) < 2:
        return None
    rank = min(proven_rank(len(known), quantile), len(known))
    return Calibrated(float(known[rank - 1]), len(known), rank, 1 - rank / (len(known) + 1), proven=False)


def surprises_left_out(steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Floats:
    """The largest surprise of each of n demonstrated episodes if it is not known (n,); NaN where there is none."""
    everything = None if settings.embedding else Memory.of(steps, settings, observation)
    scores = []
    for part in episode_slices(steps.episode):
        if steps.round[part.start] > 0:
            continue
        if everything is None:  # an embedding is fitted to all rows
            others = Memory.of(steps.subset(np.delete(np.arange(len(steps)), part)), settings, observation)
        else:
            others = everything.without(part)
        scores.append(largest_surprise(others.recollection(others.recall(steps.observations[part]))))
    return np.array(scores)


def largest_surprise(steps: Recollection) -> float:
    """That of an episode, by what its T observations brought to mind; NaN where there is none."""
    surprise = steps.surprises()
    return float(np.nanmax(surprise)) if not np.isnan(surprise).all() else np.nan
