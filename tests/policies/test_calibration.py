"""A calibrated threshold lets as many demonstrations alarm as it says, whatever their distribution."""

import numpy as np
import pytest

from stages.core.episode import Steps
from stages.core.params import FeatureSettings, PolicySettings
from stages.core.task import Floats, vector
from stages.policies.calibration import calibrate, conformal, left_out
from stages.policies.memory import Memory

CHANNELS = vector("joint", "rad", 2)
SETTINGS = PolicySettings(kind="knn", neighbors=3, weights="uniform", features={"joint": FeatureSettings(scale=2.0)})
STEPS = 6  # an episode


def walks(episodes: int, rng: np.random.Generator) -> Floats:
    """Episodes (episodes, STEPS, 2) from heavy-tailed starts: some lie far from all others."""
    starts = rng.standard_t(2, size=(episodes, 1, 2))
    return starts + np.cumsum(rng.normal(scale=0.3, size=(episodes, STEPS, 2)), axis=1)


def steps_of(episodes: Floats, round_of_each: Floats | None = None) -> Steps:
    count, length = episodes.shape[:2]
    index = np.arange(count * length)
    rounds = index * 0 if round_of_each is None else np.repeat(round_of_each, length)
    actions = np.zeros((len(index), 1))
    return Steps(index // length, index % length, rounds, ["expert"] * len(index), episodes.reshape(-1, 2), actions)


def slow_novelty(steps: Steps, episode: int) -> float:
    """The largest distance of an episode's rows to the third nearest row of all others."""
    mine = steps.episode == episode
    gaps = np.linalg.norm(steps.observations[mine, None] / 2 - steps.observations[None, ~mine] / 2, axis=2)
    return float(np.sort(gaps, axis=1)[:, 2].max())


@pytest.mark.parametrize(("quantile", "rank"), [(0.0, 1), (0.5, 10), (0.9, 18), (0.95, 19), (0.951, 19), (1.0, 19)])
def test_the_threshold_is_a_score_of_an_episode_left_out_by_itself(quantile: float, rank: int) -> None:
    """Of 19 scores that at place ceil(20 * quantile); the largest where there is no such place."""
    steps = steps_of(walks(19, np.random.default_rng(0)))
    largest = sorted(slow_novelty(steps, episode) for episode in range(19))
    found = calibrate(steps, SETTINGS, quantile, CHANNELS)
    assert found.threshold == pytest.approx(largest[rank - 1], rel=1e-12)
    assert (found.episodes, found.rank, found.false_alarms) == (19, rank, pytest.approx(1 - rank / 20))


def test_demonstrations_alone_calibrate_and_corrections_are_known() -> None:
    rng = np.random.default_rng(1)
    episodes = walks(14, rng)
    steps = steps_of(episodes, np.array([0] * 9 + [1] * 5))
    largest = [slow_novelty(steps, episode) for episode in range(9)]
    assert calibrate(steps, SETTINGS, 0.9, CHANNELS).threshold == pytest.approx(max(largest), rel=1e-12)


@pytest.mark.parametrize(("episodes", "quantile"), [(19, 0.9), (19, 0.95), (40, 0.8), (9, 0.9)])
def test_a_conformal_threshold_is_exceeded_as_often_as_it_says(episodes: int, quantile: float) -> None:
    """Scores as such, without the leaving out: the share is 1 - rank / (n + 1) exactly."""
    rng, runs = np.random.default_rng(2), 20_000
    scores = rng.standard_cauchy((runs, episodes + 1))
    found = [conformal(row[:-1], quantile) for row in scores]
    share = np.mean([row[-1] > one.threshold for row, one in zip(scores, found, strict=True)])
    promised = found[0].false_alarms
    assert promised <= 1 - quantile + 1e-9
    assert share == pytest.approx(promised, abs=4 * np.sqrt(promised * (1 - promised) / runs))


@pytest.mark.parametrize(("episodes", "quantile"), [(39, 0.9), (60, 0.8)])
def test_further_demonstrations_alarm_at_the_stated_rate(episodes: int, quantile: float) -> None:
    """At most as often as promised, and not a point less often than asked for, over many draws of everything."""
    rates = []
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        steps = steps_of(walks(episodes, rng))
        threshold = calibrate(steps, SETTINGS, quantile, CHANNELS).threshold
        memory = Memory.of(steps, SETTINGS, CHANNELS)
        novelty = memory.recall(walks(FURTHER, rng).reshape(-1, 2)).novelty.reshape(FURTHER, STEPS)
        rates.append((novelty.max(axis=1) > threshold).mean())
    error = np.std(rates) / np.sqrt(DRAWS)
    assert abs(np.mean(rates) - (1 - quantile)) < 0.01 + 2 * error
    assert np.mean(rates) < 1 - quantile + 3 * error


DRAWS, FURTHER = 40, 200


def test_no_score_grows_when_more_is_known() -> None:
    """What the promise rests on."""
    episodes = walks(30, np.random.default_rng(3))
    few, many = (
        left_out(steps_of(some), [slice(STEPS * one, STEPS * one + STEPS) for one in range(20)], SETTINGS, CHANNELS)
        for some in (episodes[:20], episodes)
    )
    assert (many <= few).all()
    assert (many < few).any()
