"""Surprise is how far what follows is from what followed where it looked alike, and as rare as it was calibrated."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from msgspec.structs import replace as changed
import numpy as np
import pytest

from stages.core.episode import Controller, Episode, Plan, Recollection, Steps
from stages.core.params import FeatureSettings, PolicySettings
from stages.core.policy import Trained, policy_controller
from stages.core.rollout import rollout
from stages.core.settings import Settings
from stages.core.task import Floats, vector
from stages.policies import POLICIES
from stages.policies.calibration import proven_rank
from stages.policies.memory import Memory
from stages.policies.surprise import calibrate_surprise, ranked, surprises_left_out
from stages.probing.calibration import steps_of
from stages.tasks.kuka_reach import KukaReach

CHANNELS = vector("joint", "rad", 2)
SETTINGS = PolicySettings(kind="knn", neighbors=3, weights="uniform", features={"joint": FeatureSettings(scale=2.0)})
LENGTH = 7  # steps an episode
KINDS = pytest.mark.parametrize("kind", POLICIES)


def drifts(episodes: int, rng: np.random.Generator, way: tuple[float, float] = (0.3, 0.0)) -> Floats:
    """Episodes (episodes, LENGTH, 2) that move by `way` in each step, roughly."""
    steps = np.array(way) + rng.normal(scale=0.05, size=(episodes, LENGTH, 2))
    return rng.uniform(-1, 1, (episodes, 1, 2)) + np.cumsum(steps, axis=1)


def walked(episodes: Floats, later: int = 0) -> Steps:
    """Those episodes, of which the last ones are of a later round."""
    count = len(episodes)
    index = np.arange(count * LENGTH)
    rounds = np.repeat(np.arange(count) >= count - later, LENGTH).astype(np.int64)
    seen, no = episodes.reshape(-1, 2), np.zeros((len(index), 1))
    return Steps(index // LENGTH, index % LENGTH, rounds, ["expert"] * len(index), seen, no)


def slow_foresight(steps: Steps, seen: Floats, without: int = -1, trust: float = 1.0) -> tuple[Floats, Floats]:
    """Mean and spread of what followed the three rows next to one observation (2,), the nearer the heavier.

    Rows of a person count `trust` times.
    """
    points = steps.observations / 2
    apart = np.linalg.norm(points - seen / 2, axis=1)
    apart[steps.episode == without] = np.inf
    rows = np.argsort(apart, kind="stable")[:3]
    counted = rows[[row + 1 < len(steps) and steps.frame[row + 1] == steps.frame[row] + 1 for row in rows]]
    trusted = np.array([trust if steps.source[row] == "person" else 1.0 for row in counted])
    votes = trusted / (apart[counted] + 0.1 * apart[rows[-1]] + 1e-9)
    changes = points[(counted + 1) % len(points)] - points[counted]
    mean = votes @ changes / votes.sum() if len(counted) else np.full(2, np.nan)
    return mean, np.sqrt(votes @ (changes - mean) ** 2 / votes.sum() + 0.01**2) if len(counted) else mean


def slow_surprises(steps: Steps, episode: Floats, without: int = -1, trust: float = 1.0) -> Floats:
    """Of each step of an episode (T, 2) but the first (T - 1,)."""
    found = []
    for before, after in pairwise(episode):
        mean, spread = slow_foresight(steps, before, without, trust)
        found.append(np.sqrt(np.mean((((after - before) / 2 - mean) / spread) ** 2)))
    return np.array(found)


def recollected(memory: Memory, seen: Floats) -> Recollection:
    return memory.recollection(memory.recall(seen))


def surprises(memory: Memory, episode: Floats) -> Floats:
    return recollected(memory, episode[:-1]).surprise(recollected(memory, episode[1:]))


def threshold_of(steps: Steps, settings: PolicySettings, quantile: float) -> float:
    found = calibrate_surprise(steps, settings, quantile, CHANNELS)
    assert found is not None
    return found.threshold


def test_it_is_the_distance_from_what_followed_the_nearest_rows_in_their_spreads() -> None:
    rng = np.random.default_rng(0)
    steps = walked(drifts(20, rng))
    memory = Memory.of(steps, SETTINGS, CHANNELS)
    for episode in drifts(10, rng):
        np.testing.assert_allclose(surprises(memory, episode), slow_surprises(steps, episode), rtol=1e-9)


def test_rows_count_by_how_far_they_are_trusted() -> None:
    rng = np.random.default_rng(6)
    steps = walked(drifts(20, rng))
    steps = replace(steps, source=["person" if number % 2 else "expert" for number in steps.episode])
    memory = Memory.of(steps, changed(SETTINGS, trust={"person": 5.0}), CHANNELS)
    for episode in drifts(5, rng):
        np.testing.assert_allclose(surprises(memory, episode), slow_surprises(steps, episode, trust=5.0), rtol=1e-9)


def test_where_nothing_is_known_to_have_followed_there_is_none() -> None:
    episodes = drifts(4, np.random.default_rng(1))
    ends = walked(episodes).subset(np.arange(LENGTH - 1, 4 * LENGTH, LENGTH))
    alone = Memory.of(ends, SETTINGS, CHANNELS)
    assert not alone.followed.any()
    assert np.isnan(surprises(alone, episodes[0])).all()


def test_what_follows_a_row_is_the_next_frame_of_its_episode() -> None:
    episode, frame, no = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 3, 4, 5, 6]), np.zeros((6, 1))
    steps = Steps(episode, frame, episode, ["expert"] * 6, np.zeros((6, 2)), no)
    assert Memory.of(steps, SETTINGS, CHANNELS).followed.tolist() == [True, False, False, True, False, False]


@KINDS
def test_a_row_of_the_surprise_depends_on_its_rows_of_the_questions_alone(kind: str) -> None:
    rng = np.random.default_rng(2)
    policy = POLICIES[kind].fit(walked(drifts(20, rng)), changed(SETTINGS, kind=kind), CHANNELS)
    asked = drifts(6, rng).reshape(-1, 2)
    before, after = (policy.act(seen).recollection for seen in (asked, asked[::-1] / 2))
    told = before.surprise(after)
    assert np.isfinite(told).any()
    for size in (1, 2, 5, 41):
        for start in range(0, len(asked), size):
            rows = slice(start, start + size)
            part = policy.act(asked[rows]).recollection
            for here, there in zip(part[:3], before.part(rows)[:3], strict=True):
                assert np.array_equal(here, there)
            assert np.array_equal(part.surprise(after.part(rows)), told[rows], equal_nan=True)


def test_a_world_that_looks_as_shown_and_answers_otherwise_is_surprising_at_once() -> None:
    rng = np.random.default_rng(3)
    steps, settings = walked(drifts(60, rng)), changed(SETTINGS, neighbors=12)
    memory, threshold = Memory.of(steps, settings, CHANNELS), threshold_of(steps, settings, 0.9)
    for way in ((0.0, 0.0), (-0.3, 0.0), (0.3, 0.4)):
        others = drifts(50, rng, way)
        assert np.mean([surprises(memory, one)[0] > threshold for one in others]) > 0.9
    # No single observation tells: the distances to the nearest rows are the same.
    same, standing = (recollected(memory, drifts(200, rng, way)[:, 0]).novelty for way in ((0.3, 0.0), (0.0, 0.0)))
    assert np.median(standing) < np.quantile(same, 0.9)


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_the_threshold_is_of_the_largest_of_each_demonstration_that_is_not_known(quantile: float) -> None:
    """Corrections, episodes of later rounds, are known throughout."""
    rng = np.random.default_rng(4)
    episodes = drifts(17, rng)
    steps = walked(episodes, later=5)
    largest = sorted(slow_surprises(steps, one, number).max() for number, one in enumerate(episodes[:12]))
    found = threshold_of(steps, SETTINGS, quantile)
    assert found == pytest.approx(largest[min(proven_rank(12, quantile), 12) - 1], rel=1e-9)


def test_a_long_slow_demonstration_is_left_out_whole() -> None:
    """Of each of its rows more are near than are looked up at first."""
    rng = np.random.default_rng(7)
    slow, quick = 0.01 * rng.normal(size=(80, 2)).cumsum(axis=0), rng.normal(size=(40, 2)).cumsum(axis=0)
    episode, no = np.repeat([0, 1], [80, 40]), np.zeros((120, 1))
    frame = np.concatenate([np.arange(80), np.arange(40)])
    steps = Steps(episode, frame, episode * 0, ["expert"] * 120, np.concatenate([slow, quick]), no)
    largest = [np.nanmax(slow_surprises(steps, one, number)) for number, one in enumerate((slow, quick))]
    found = surprises_left_out(steps, SETTINGS, CHANNELS)
    np.testing.assert_allclose(found, largest, rtol=1e-9)


def test_of_one_demonstration_there_is_no_rank() -> None:
    assert ranked(np.array([1.0, np.nan]), 0.5) is None


def test_episodes_of_one_step_are_neither_surprised_nor_ranked() -> None:
    steps = walked(drifts(9, np.random.default_rng(5)))
    cut = steps.subset(np.flatnonzero((steps.episode > 3) | (steps.frame == 0)))
    largest = [slow_surprises(cut, cut.observations[cut.episode == number], number).max() for number in range(4, 9)]
    assert threshold_of(cut, SETTINGS, 1.0) == pytest.approx(max(largest), rel=1e-9)
    assert calibrate_surprise(steps.subset(np.arange(0, len(steps), LENGTH)), SETTINGS, 0.9, CHANNELS) is None


@pytest.mark.parametrize(("episodes", "quantile"), [(39, 0.9), (60, 0.8)])
def test_further_demonstrations_surprise_at_about_the_rate_asked_for(episodes: int, quantile: float) -> None:
    rates = []
    for draw in range(40):
        rng = np.random.default_rng(draw)
        steps = walked(drifts(episodes, rng))
        memory = Memory.of(steps, SETTINGS, CHANNELS)
        threshold = threshold_of(steps, SETTINGS, quantile)
        rates.append(np.mean([np.nanmax(surprises(memory, one)) > threshold for one in drifts(100, rng)]))
    assert abs(np.mean(rates) - (1 - quantile)) < 0.02 + 2 * np.std(rates) / np.sqrt(len(rates))


def test_an_arm_that_obeys_late_surprises_from_its_first_steps(
    shown: Callable[[str], list[Episode]], settings: Settings
) -> None:
    """And each recorded step's is that of its observation, after the one before."""
    episodes, cloning = shown("kuka_reach"), settings.of(settings.params.policy, "policy", "kuka_reach")
    known = steps_of(episodes)
    policy = POLICIES[cloning.kind].fit(known, cloning, KukaReach.observation)
    controller = policy_controller(Trained("kuka_reach", cloning.kind, policy, np.inf), "act", KukaReach)
    plans = [one.plan for one in episodes]
    late = [replace(plan, world={**plan.world, "latency": 4}) for plan in plans]
    prompt, slow = (sorted(_run(controller, some), key=lambda one: one.plan.index) for some in (plans, late))
    for one, other in zip(prompt, slow, strict=True):
        told = [controller(seen[None]).recollection for seen in other.observations]
        expected = [before.surprise(after)[0] for before, after in pairwise(told)]
        assert np.array_equal(other.scores.surprise, [np.nan, *expected], equal_nan=True)
        assert other.scores.surprise[1:5].mean() > 2 * one.scores.surprise[1:5].mean()


def _run(controller: Controller, plans: list[Plan]) -> list[Episode]:
    return list(rollout(KukaReach, controller, plans, 40, 2))


def test_trust_stays_with_its_rows_where_an_episode_is_left_out() -> None:
    rng = np.random.default_rng(8)
    episodes = drifts(12, rng)
    steps = walked(episodes)
    steps = replace(steps, source=["person" if number % 3 == 0 else "expert" for number in steps.episode])
    found = surprises_left_out(steps, changed(SETTINGS, trust={"person": 5.0}), CHANNELS)
    wanted = [slow_surprises(steps, one, number, trust=5.0).max() for number, one in enumerate(episodes)]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
