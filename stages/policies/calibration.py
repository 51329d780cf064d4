"""The shift threshold: a novelty that a set share of episodes like the demonstrations exceeds.

An episode, not a step, is what raises an alarm: a quantile of single steps would alarm in every other episode. So the
scores are the largest novelties of the n demonstrated episodes, each with all other episodes known, corrections among
them, and the threshold is the m-th smallest of these.

With m = ceil((n + 1) * quantile) another demonstration alarms with a probability of at most 1 - m / (n + 1), whatever
the distribution. For were it known as well, it and the n would have n + 1 exchangeable scores (full conformal
prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005), and no score of the n would be
larger than here, as a row more makes no distance larger.

That is safe, and too safe: another demonstration finds n known where each of the n found n - 1, and is less new for
it. How many ranks this is worth is tried on the demonstrations themselves, by calibrating once more inside (Loh,
Calibrating confidence coefficients, Journal of the American Statistical Association 82, 1987): each is held against
the scores of the n - 1 others, all of them without it, and m is lowered by as many ranks as it can be lowered there
before too many alarm. The rate is then near what is asked for, and no longer proven to stay below it. Of few episodes a
rank is worth more than what there is to correct, and the proven one is taken.

All this holds in round 0; corrections of later rounds depend on the demonstrations, if little.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from stages.core.episode import Bools, Ints, Steps
from stages.core.errors import UserError
from stages.core.params import PolicySettings
from stages.core.tables import episode_slices
from stages.core.task import Channel, Floats
from stages.policies.memory import Memory

_ROUNDING = 9  # digits: 10 * 0.9 is 9, not a bit more
_FEW = 20  # episodes: of fewer a rank is more than 5 points
_ALLOWED = "allowed: a number, or at least 2 episodes to calibrate on"
_NOBODY = -1  # owns the rows of corrections
_LOOK = 32  # rows looked at beyond k: they nearly always tell what is next without two episodes' rows


class Calibrated(NamedTuple):
    """A threshold, and how often it lets a demonstration alarm."""

    threshold: float
    episodes: int  # n that it rests on
    rank: int  # m: it is the m-th smallest of their scores
    false_alarms: float  # how probable it is that an episode like them is above it
    proven: bool  # whether at most so probable; otherwise about


def calibrate(steps: Steps, settings: PolicySettings, quantile: float, observation: Sequence[Channel]) -> Calibrated:
    """The threshold at which `quantile` of episodes like those demonstrated raise no alarm.

    UserError where fewer than two were demonstrated, too little is left without one of them, or they are all the same.
    """
    slices = [part for part in episode_slices(steps.episode) if steps.round[part.start] == 0]
    if len(slices) < 2:
        raise UserError(f"shift threshold: found null and {len(slices)} demonstrated episode, {_ALLOWED}")
    found = threshold_of(left_out(steps, slices, settings, observation), quantile)
    if found.threshold == 0:
        raise UserError(f"shift threshold: found null and demonstrations that are the same again, {_ALLOWED}")
    return found


def threshold_of(scores: Floats, quantile: float) -> Calibrated:
    """The threshold from scores (n, n), as `left_out` has them.

    Where n is too small for the quantile, so that only an infinite threshold could keep to it, it is the largest score,
    and `false_alarms` is 1 / (n + 1), which is more than 1 - quantile.
    """
    episodes = len(scores)
    wanted = proven_rank(episodes, quantile)
    rank, proven = min(wanted, episodes), episodes < _FEW or wanted > episodes
    lower = rank if proven else rank - _spare_ranks(scores, quantile)
    threshold = float(np.sort(scores.diagonal())[lower - 1])
    return Calibrated(threshold, episodes, lower, 1 - rank / (episodes + 1), proven)


def proven_rank(episodes: int, quantile: float) -> int:
    """Which of so many exchangeable scores one more exceeds in a share of at most 1 - quantile; n + 1: none of them."""
    return max(1, ceil(round((episodes + 1) * quantile, _ROUNDING)))


def _spare_ranks(scores: Floats, quantile: float) -> int:
    """By how many ranks the threshold can be lowered, as each episode tells by the others' scores without it."""
    proven = proven_rank(len(scores) - 1, quantile)
    above = np.sort((scores < scores.diagonal()).sum(axis=0))  # (n,) how many others each episode is above
    # As many of the n may alarm as the proven rank leaves; the others must not be above the rank chosen.
    return proven - (int(above[proven - 1]) + 1)


def left_out(steps: Steps, slices: Sequence[slice], settings: PolicySettings, observation: Sequence[Channel]) -> Floats:
    """The largest novelty of each of n episodes with that episode left out of what is known, and one more (n, n).

    Row i and column j: that of episode i without i and j; on the diagonal, without i alone.
    Where that leaves too few rows, j is known as well. An embedding is fitted to all but episode i. UserError where
    too little is left without one of them.
    """
    longest = max(part.stop - part.start for part in slices)
    if len(steps) - longest < settings.neighbors:
        raise UserError(
            f"shift threshold: found null and {len(steps) - longest} rows without the longest demonstration, "
            f"fewer than the {settings.neighbors} neighbors, {_ALLOWED}"
        )
    owner = np.full(len(steps), _NOBODY)
    for place, part in enumerate(slices):
        owner[part] = place
    memory = None if settings.embedding else Memory.of(steps, settings, observation)
    scores = []
    for place, part in enumerate(slices):
        known, owners = memory, owner
        if known is None:
            known = Memory.of(steps.subset(np.delete(np.arange(len(steps)), part)), settings, observation)
            owners = np.delete(owner, part)
        seen = steps.observations[part]
        novelty = np.full((len(seen), len(slices)), np.nan)  # if the episode and one more are not known
        for look in (_LOOK, 2 * longest):
            short = np.isnan(novelty).any(axis=1)
            if not short.any():
                break
            found = known.nearest(seen[short], settings.neighbors + look)
            novelty[short] = _without(place, found.distances, owners[found.rows], settings.neighbors, len(slices))
        largest = novelty.max(axis=0)
        scores.append(np.where(np.isnan(largest), largest[place], largest))
    return np.array(scores)


def _without(episode: int, distances: Floats, owners: Ints, neighbors: int, episodes: int) -> Floats:
    """The k-th distance of T rows if that episode and each of n is not known (T, n); NaN where too few rows are left.

    It is known how far the rows next to them are and whose, in ascending order (T, K).
    """
    others = owners != episode
    near = owners[others & (np.cumsum(others, axis=1) <= neighbors)]
    found = np.repeat(_kth(distances, others, neighbors)[:, None], episodes, axis=1)
    for missing in np.setdiff1d(near, _NOBODY):
        found[:, missing] = _kth(distances, others & (owners != missing), neighbors)
    return found


def _kth(distances: Floats, counted: Bools, k: int) -> Floats:
    """The k-th (T,) of the distances (T, K) that are counted (T, K); NaN where fewer are."""
    place = np.cumsum(counted, axis=1)
    last = np.argmax(place == k, axis=1)
    return np.where(place[:, -1] >= k, distances[np.arange(len(last)), last], np.nan)
