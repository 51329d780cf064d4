"""The interval over seeds and worlds holds its level, and the two spreads are told apart."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import ndtri

from stages.comparing.two_level import bootstrap, interval, spread
from stages.core.streams import stream

MEAN = 0.8


def table(rng: np.random.Generator, seeds: int, worlds: int, mean: float, seed_spread: float) -> np.ndarray:
    """Outcomes (S, E): an episode succeeds where seed, world and chance add up to enough (probit).

    The expected share is `mean`: the sum is normal. A seed's part has the variance `seed_spread`, the others 1 each.
    """
    needed = -ndtri(mean) * np.sqrt(2 + seed_spread)
    seed = np.sqrt(seed_spread) * rng.standard_normal((seeds, 1))
    total = seed + rng.standard_normal((1, worlds)) + rng.standard_normal((seeds, worlds))
    made: np.ndarray = total > needed
    return made


def covered(
    found: Callable[[np.ndarray], tuple[float, float]], seeds: int, seed_spread: float, runs: int, mean: float = MEAN
) -> float:
    """How often the interval that is found holds the truth."""
    rng = stream(1, "coverage", seeds, f"{seed_spread:g}")
    ends = np.array([found(table(rng, seeds, 100, mean, seed_spread)) for _ in range(runs)])
    return float(((ends[:, 0] <= mean) & (ends[:, 1] >= mean)).mean())


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_covers_as_often_as_it_says_where_seeds_differ_little(seeds: int) -> None:
    """Seeds that differ with a standard deviation of 4 points; 3,000 runs are unsure by half a point."""
    assert 0.94 <= covered(interval, seeds, 0.05, 3000) <= 0.975


def test_it_covers_nearly_as_often_where_seeds_differ_much() -> None:
    """With a standard deviation of 10 points, 5 seeds are few: the interval is a little short."""
    assert 0.93 <= covered(interval, 5, 0.3, 3000) <= 0.97


def test_near_the_end_it_is_too_short_where_seeds_differ_much() -> None:
    """Bad seeds are rare there, and 5 seeds show none of them: the README says how far down that brings it."""
    assert 0.79 <= covered(interval, 5, 2.0, 1500, mean=0.95) <= 0.84


def test_the_percentiles_of_the_bootstrap_are_too_narrow_for_few_seeds() -> None:
    """Why the interval is another one."""
    assert covered(bootstrap, 3, 0.3, 150) < 0.9


def test_seeds_and_episodes_are_told_apart() -> None:
    rng = stream(1, "apart")
    alike, unlike = ([spread(table(rng, 10, 200, MEAN, seed_spread)) for _ in range(20)] for seed_spread in (0.0, 0.5))
    assert np.mean([one.seed_sd for one in alike]) < 0.01
    assert np.mean([one.seed_sd for one in unlike]) > 0.05
    # One seed's success in 200 worlds that agree half: what a binomial share has.
    assert np.mean([one.episode_sd for one in alike]) == pytest.approx(np.sqrt(0.8 * 0.2 / 200), rel=0.05)


def test_where_all_succeed_the_interval_is_that_of_the_episodes() -> None:
    found = spread(np.ones((5, 100), dtype=bool))
    assert (found.mean, found.high, found.seed_sd, found.episode_sd) == (1.0, 1.0, 0.0, 0.0)
    assert found.low == pytest.approx(1 / (1 + 1.96**2 / 100), abs=1e-4)


def test_swapping_success_and_failure_mirrors_everything() -> None:
    outcomes = table(stream(1, "mirror"), 4, 50, 0.7, 0.2)
    one, other = spread(outcomes), spread(~outcomes)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))
    assert (one.seed_sd, one.episode_sd) == pytest.approx((other.seed_sd, other.episode_sd))
