"""The shift threshold: a novelty that few episodes like the demonstrations exceed.

An episode, not a step, is what raises an alarm: a quantile of single steps would alarm in every other episode. So the
scores are the largest novelties of the n demonstrated episodes, each with all other episodes known, corrections among
them, and the threshold is the m-th smallest of these, m = ceil((n + 1) * quantile).

Then another demonstration of the same kind alarms with a probability of at most 1 - m / (n + 1), which is at most
1 - quantile, whatever the distribution. For were it known as well, it and the n would have n + 1 exchangeable scores
(full conformal prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005), and no score of
the n would be larger than here, as a row more makes no distance larger. It is this that lets scores which are left out
one by one do without a margin; in general they alarm in up to twice as many cases (Barber, Candes, Ramdas and
Tibshirani, Predictive inference with the jackknife+, Annals of Statistics 49, 2021). What it costs is that the rate
stays a little below. It holds in round 0; corrections of later rounds depend on the demonstrations, if little.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import PolicySettings
from stages.core.tables import episode_slices
from stages.core.task import Channel, Floats
from stages.policies.memory import Memory

_ROUNDING = 9  # digits: 10 * 0.9 is 9, not a bit more


class Calibrated(NamedTuple):
    """A threshold, and how often it lets a demonstration alarm."""

    threshold: float
    episodes: int  # n that it rests on
    rank: int  # m: it is the m-th smallest of their scores
    false_alarms: float  # highest probability that an episode like them is above it


def conformal(scores: Floats, quantile: float) -> Calibrated:
    """The threshold from the scores of n exchangeable episodes (n,).

    Where n is too small for the quantile, so that only an infinite threshold could keep the promise, it is the largest
    score, and `false_alarms` is above 1 - quantile: 1 / (n + 1).
    """
    episodes = len(scores)
    rank = min(episodes, max(1, ceil(round((episodes + 1) * quantile, _ROUNDING))))
    return Calibrated(float(np.sort(scores)[rank - 1]), episodes, rank, 1 - rank / (episodes + 1))


def calibrate(steps: Steps, settings: PolicySettings, quantile: float, observation: Sequence[Channel]) -> Calibrated:
    """The threshold at which `quantile` of episodes like those demonstrated raise no alarm.

    UserError where fewer than two were demonstrated.
    """
    slices = [part for part in episode_slices(steps.episode) if steps.round[part.start] == 0]
    if len(slices) < 2:
        raise UserError(
            f"shift threshold: found null and {len(slices)} demonstrated episode, "
            "allowed: a number, or at least 2 episodes to calibrate on"
        )
    return conformal(left_out(steps, slices, settings, observation), quantile)


def left_out(steps: Steps, slices: Sequence[slice], settings: PolicySettings, observation: Sequence[Channel]) -> Floats:
    """The largest novelty of each of these episodes (n,), if all other rows are known."""
    if settings.embedding is None:
        memory = Memory.of(steps, settings, observation)
        return np.array([memory.novelty_without(part, steps.observations[part]).max() for part in slices])
    everything, scores = np.arange(len(steps)), []
    for part in slices:  # an embedding is fitted to what is known
        others = Memory.of(steps.subset(np.delete(everything, part)), settings, observation)
        scores.append(others.recall(steps.observations[part]).novelty.max())
    return np.array(scores)
