"""How often further demonstrations raise the alarm that was calibrated on others, and how often they surprise."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.comparing.shares import NORMAL
from stages.core.episode import Episode, Steps
from stages.core.params import PolicySettings
from stages.core.streams import stream
from stages.core.tables import episode_slices
from stages.core.task import Channel, Floats
from stages.policies.calibration import left_out, proven_rank, threshold_of
from stages.policies.memory import Memory
from stages.policies.surprise import largest_surprise, ranked, surprises_left_out

QUANTILES = (0.8, 0.9, 0.95)
Row = dict[str, Any]


class AlarmRates(NamedTuple):
    """Which shares of held-out demonstrations are above the thresholds of one quantile."""

    rate: float  # novelty above its own
    proven: float  # ... above that of the proven rank
    surprise: float


def check_calibration(
    episodes: Sequence[Episode],
    known: int,
    splits: int,
    settings: PolicySettings,
    channels: Sequence[Channel],
    seed: int,
) -> list[Row]:
    """One row a quantile: the share of held-out demonstrations that alarm, over `splits` random divisions of a pool.

    In each, `known` demonstrations are what the policy knows and what the threshold is calibrated on, and all others
    are held out. `asked` is the rate asked for, `rate` the mean over splits with its 95 % interval by their spread
    (draws of one pool overlap, so that it is a little too short), `proven` the mean rate at the proven rank. `surprise`
    is the same as `rate` for surprise in the place of novelty.
    """
    found = [
        _alarmed([episodes[place] for place in learned], [episodes[place] for place in others], settings, channels)
        for learned, others in _splits(len(episodes), known, splits, seed)
    ]
    return [
        {
            "demonstrations": known,
            "splits": splits,
            "held_out": len(episodes) - known,
            "asked": round(1 - quantile, 9),
            **_mean("rate", [one.rate for one in of_splits]),
            "proven": float(np.mean([one.proven for one in of_splits])),
            **_mean("surprise", [one.surprise for one in of_splits]),
        }
        for quantile, of_splits in zip(QUANTILES, zip(*found, strict=True), strict=True)
    ]


def _alarmed(
    learned: Sequence[Episode], others: Sequence[Episode], settings: PolicySettings, channels: Sequence[Channel]
) -> list[AlarmRates]:
    """Of the other episodes, at each quantile of those that were learned."""
    steps = steps_of(learned)
    memory = Memory.of(steps, settings, channels)
    scores = left_out(steps, episode_slices(steps.episode), settings, channels)
    surprises = surprises_left_out(steps, settings, channels)
    novelty = _largest(memory, others)
    recalled = (memory.recollection(memory.recall(one.observations)) for one in others)
    surprise = np.array([largest_surprise(one) for one in recalled])

    def at(quantile: float) -> AlarmRates:
        safe = np.sort(scores.diagonal())[min(len(learned), proven_rank(len(learned), quantile)) - 1]
        calm = ranked(surprises, quantile)
        above = (
            novelty > threshold_of(scores, quantile).threshold,
            novelty > safe,
            surprise > (calm.threshold if calm else np.inf),
        )
        return AlarmRates(*(float(one.mean()) for one in above))

    return [at(quantile) for quantile in QUANTILES]


def _splits(pool: int, known: int, splits: int, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    for number in range(splits):
        order = stream(seed, "calibration", number).permutation(pool).tolist()
        yield order[:known], order[known:]


def steps_of(episodes: Sequence[Episode]) -> Steps:
    """What a policy would learn from the episodes of an expert."""
    lengths = [len(episode) for episode in episodes]
    rows = sum(lengths)
    return Steps(
        np.repeat(np.arange(len(episodes)), lengths),
        np.concatenate([np.arange(length) for length in lengths]),
        np.zeros(rows, dtype=np.int64),
        ["expert"] * rows,
        np.concatenate([episode.observations for episode in episodes]),
        np.concatenate([episode.actions for episode in episodes]),
    )


def _largest(memory: Memory, episodes: Sequence[Episode]) -> Floats:
    """The largest novelty of each episode (E,)."""
    novelty = memory.recall(np.concatenate([episode.observations for episode in episodes])).distances[:, -1]
    starts = np.cumsum([0, *(len(episode) for episode in episodes[:-1])])
    result: Floats = np.maximum.reduceat(novelty, starts)
    return result


def _mean(name: str, rates: Sequence[float]) -> dict[str, float]:
    middle = float(np.mean(rates))
    reach = NORMAL * float(np.std(rates, ddof=1)) / len(rates) ** 0.5
    return {name: middle, f"{name}_low": middle - reach, f"{name}_high": middle + reach}
