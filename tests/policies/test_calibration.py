"""A calibrated threshold lets as many demonstrations alarm as it says, whatever their distribution."""

from msgspec.structs import replace
import numpy as np
import pytest

from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import FeatureSettings, PolicySettings
from stages.core.task import Floats, vector
from stages.policies.calibration import calibrate, left_out, proven_rank, threshold_of
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


def slow_novelty(steps: Steps, episode: int, other: int) -> float:
    """The largest distance of an episode's rows to the third nearest row that is of neither."""
    mine, known = steps.episode == episode, ~np.isin(steps.episode, (episode, other))
    gaps = np.linalg.norm(steps.observations[mine, None] / 2 - steps.observations[None, known] / 2, axis=2)
    return float(np.sort(gaps, axis=1)[:, 2].max())


def slow_scores(steps: Steps, episodes: int) -> Floats:
    return np.array([[slow_novelty(steps, one, other) for other in range(episodes)] for one in range(episodes)])


def first(episodes: int) -> list[slice]:
    return [slice(STEPS * one, STEPS * one + STEPS) for one in range(episodes)]


@pytest.mark.parametrize("corrections", [0, 5])
def test_scores_are_the_largest_distances_to_rows_of_neither_episode(corrections: int) -> None:
    """Corrections, episodes of later rounds, are known throughout."""
    rounds = np.array([0] * 12 + [1] * corrections)
    steps = steps_of(walks(12 + corrections, np.random.default_rng(0)), rounds)
    np.testing.assert_allclose(left_out(steps, first(12), SETTINGS, CHANNELS), slow_scores(steps, 12), rtol=1e-12)


def test_episodes_of_different_lengths_are_left_out_whole() -> None:
    rng = np.random.default_rng(4)
    lengths = np.array([2, 9, 1, 4, 4, 12, 3])
    episode, ends = np.repeat(np.arange(7), lengths), np.cumsum(lengths)
    zeros = np.zeros(len(episode), dtype=np.int64)
    steps = Steps(episode, zeros, zeros, ["expert"] * len(episode), rng.normal(size=(len(episode), 2)), zeros[:, None])
    slices = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    np.testing.assert_allclose(left_out(steps, slices, SETTINGS, CHANNELS), slow_scores(steps, 7), rtol=1e-12)


@pytest.mark.parametrize("draw", range(20))
def test_what_stands_still_or_comes_again_is_left_out_alike(draw: int) -> None:
    """Whole numbers lie in the same place again and again: many rows, and many distances, are equal."""
    rng = np.random.default_rng(draw)
    steps = steps_of(np.round(walks(6, rng) / rng.uniform(1, 6)))
    np.testing.assert_allclose(left_out(steps, first(6), SETTINGS, CHANNELS), slow_scores(steps, 6), rtol=1e-12)


def test_demonstrations_that_are_the_same_again_calibrate_nothing() -> None:
    same = np.repeat(walks(1, np.random.default_rng(6)), 25, axis=0)
    with pytest.raises(UserError, match="found null and demonstrations that are the same again, allowed: a number"):
        calibrate(steps_of(same), SETTINGS, 0.9, CHANNELS)


def test_too_few_rows_without_one_demonstration_calibrate_nothing() -> None:
    steps = steps_of(walks(3, np.random.default_rng(7)))
    with pytest.raises(UserError, match="found null and 12 rows without the longest demonstration, fewer than the 13"):
        calibrate(steps, replace(SETTINGS, neighbors=13), 0.5, CHANNELS)


def test_an_episode_without_which_too_little_is_known_stays_known() -> None:
    scores = left_out(steps_of(walks(2, np.random.default_rng(5))), first(2), SETTINGS, CHANNELS)
    assert (scores == scores.diagonal()[:, None]).all()
    assert np.isfinite(scores).all()


def slow_rank(scores: Floats, quantile: float) -> int:
    """The rank for n from the lowest that lets no more of the n alarm, each without it, than the proven one may."""
    episodes = len(scores)

    def alarms(rank: int) -> int:
        told = 0
        for one in range(episodes):
            others = np.sort(np.delete(scores[:, one], one))
            told += bool(rank < episodes and scores[one, one] > others[rank - 1])
        return told

    proven = proven_rank(episodes - 1, quantile)
    lowest = next(rank for rank in range(1, episodes + 1) if alarms(rank) <= episodes - proven)
    return proven_rank(episodes, quantile) - (proven - lowest)


@pytest.mark.parametrize(("episodes", "quantile"), [(20, 0.5), (21, 0.9), (29, 0.95), (30, 0.8), (30, 0.0), (45, 0.9)])
def test_the_threshold_is_the_lowest_score_that_holds_on_each_episode_without_it(
    episodes: int, quantile: float
) -> None:
    steps = steps_of(walks(episodes, np.random.default_rng(0)))
    scores, found = slow_scores(steps, episodes), calibrate(steps, SETTINGS, quantile, CHANNELS)
    assert found.rank == slow_rank(scores, quantile) <= proven_rank(episodes, quantile)
    assert found.threshold == pytest.approx(np.sort(scores.diagonal())[found.rank - 1], rel=1e-12)
    assert found.false_alarms == pytest.approx(1 - proven_rank(episodes, quantile) / (episodes + 1))
    assert not found.proven


@pytest.mark.parametrize(("quantile", "rank"), [(0.0, 1), (0.5, 10), (0.9, 18), (0.95, 19)])
def test_of_few_episodes_the_proven_rank_is_taken(quantile: float, rank: int) -> None:
    steps = steps_of(walks(19, np.random.default_rng(0)))
    found = calibrate(steps, SETTINGS, quantile, CHANNELS)
    assert found.threshold == pytest.approx(np.sort(slow_scores(steps, 19).diagonal())[rank - 1], rel=1e-12)
    assert found[1:] == (19, rank, pytest.approx(1 - rank / 20), True)


@pytest.mark.parametrize(("episodes", "quantile"), [(19, 0.951), (25, 1.0), (8, 0.9)])
def test_too_few_episodes_for_the_rate_are_all_below_the_threshold(episodes: int, quantile: float) -> None:
    steps = steps_of(walks(episodes, np.random.default_rng(0)))
    found = calibrate(steps, SETTINGS, quantile, CHANNELS)
    assert found.threshold == pytest.approx(slow_scores(steps, episodes).diagonal().max(), rel=1e-12)
    assert found[1:] == (episodes, episodes, pytest.approx(1 / (episodes + 1)), True)


@pytest.mark.parametrize(("episodes", "quantile"), [(29, 0.9), (39, 0.95), (9, 0.9)])
def test_scores_that_do_not_hang_on_what_is_known_are_exceeded_as_often_as_it_says(
    episodes: int, quantile: float
) -> None:
    """Then the proven rank is exact, and the one chosen."""
    rng, runs = np.random.default_rng(2), 5_000
    scores = rng.standard_cauchy((runs, episodes + 1))
    found = [threshold_of(np.repeat(row[:-1, None], episodes, axis=1), quantile) for row in scores]
    share = np.mean([row[-1] > one.threshold for row, one in zip(scores, found, strict=True)])
    stated = found[0].false_alarms
    assert {one.rank for one in found} == {proven_rank(episodes, quantile)}
    assert stated <= 1 - quantile + 1e-9
    assert share == pytest.approx(stated, abs=4 * np.sqrt(stated * (1 - stated) / runs))


@pytest.mark.parametrize(("episodes", "quantile", "neighbors"), [(39, 0.9, 3), (40, 0.8, 20)])
def test_further_demonstrations_alarm_at_the_stated_rate(episodes: int, quantile: float, neighbors: int) -> None:
    """Within a point of what is asked for, over many draws of everything, and oftener than at the proven rank."""
    settings = replace(SETTINGS, neighbors=neighbors)
    rates, safe = np.empty(DRAWS), np.empty(DRAWS)
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        steps = steps_of(walks(episodes, rng))
        memory = Memory.of(steps, settings, CHANNELS)
        novelty = memory.recall(walks(FURTHER, rng).reshape(-1, 2)).distances[:, -1].reshape(FURTHER, STEPS).max(axis=1)
        scores = left_out(steps, first(episodes), settings, CHANNELS)
        rates[draw] = (novelty > threshold_of(scores, quantile).threshold).mean()
        safe[draw] = (novelty > np.sort(scores.diagonal())[proven_rank(episodes, quantile) - 1]).mean()
    assert abs(rates.mean() - (1 - quantile)) < 0.01 + 2 * rates.std() / np.sqrt(DRAWS)
    gain = rates - safe
    assert (gain >= 0).all()
    assert gain.mean() > 2 * gain.std() / np.sqrt(DRAWS)


DRAWS, FURTHER = 60, 200


def test_no_score_grows_when_more_is_known() -> None:
    """What the proof of the rank rests on."""
    episodes = walks(30, np.random.default_rng(3))
    few, many = (left_out(steps_of(some), first(20), SETTINGS, CHANNELS) for some in (episodes[:20], episodes))
    assert (many <= few).all()
    assert (many < few).any()
    for scores in (few, many):
        assert (scores >= scores.diagonal()[:, None]).all()
