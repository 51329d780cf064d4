"""How often further demonstrations raise the alarm that was calibrated on others, and how often they surprise."""

from collections.abc import Iterator, Sequence
from typing import Any

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
    rates: dict[float, list[float]] = {quantile: [] for quantile in QUANTILES}
    proven: dict[float, list[float]] = {quantile: [] for quantile in QUANTILES}
    surprised: dict[float, list[float]] = {quantile: [] for quantile in QUANTILES}
    for learned, others in _splits(len(episodes), known, splits, seed):
        steps = steps_of([episodes[place] for place in learned])
        scores = left_out(steps, episode_slices(steps.episode), settings, channels)
        memory, further = Memory.of(steps, settings, channels), [episodes[place] for place in others]
        largest, surprises = _largest(memory, further), surprises_left_out(steps, settings, channels)
        recalled = (memory.recollection(memory.recall(one.observations)) for one in further)
        surprise = np.array([largest_surprise(one) for one in recalled])
        for quantile in QUANTILES:
            rates[quantile].append(float((largest > threshold_of(scores, quantile).threshold).mean()))
            safe = np.sort(scores.diagonal())[min(known, proven_rank(known, quantile)) - 1]
            proven[quantile].append(float((largest > safe).mean()))
            above = ranked(surprises, quantile)
            surprised[quantile].append(float((surprise > (above.threshold if above else np.inf)).mean()))
    return [
        {
            "demonstrations": known,
            "splits": splits,
            "held_out": len(episodes) - known,
            "asked": round(1 - quantile, 9),
            **_mean("rate", rates[quantile]),
            "proven": float(np.mean(proven[quantile])),
            **_mean("surprise", surprised[quantile]),
        }
        for quantile in QUANTILES
    ]


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
