"""The half-way mark is where the curve crosses a half, and its interval covers the truth."""

import numpy as np
import pytest

from stages.core.streams import stream
from stages.probing.halves import Half, half_distance

INF = np.inf


@pytest.mark.parametrize(
    ("hits", "middle"),
    [
        ([0, 0, 10, 20], 2.0),
        ([0, 5, 15, 20], 1.5),
        ([12, 0, 0, 20], 0.0),  # already where it was shown
        ([0, 3, 6, 9], INF),  # farther than was tried
        ([0, 16, 2, 20], 10 / 16),  # what was reached holds farther out
    ],
)
def test_the_mark_is_where_the_share_first_reaches_a_half(hits: list[int], middle: float) -> None:
    found = half_distance([0.0, 1.0, 2.0, 3.0], hits, 20)
    assert found.distance == pytest.approx(middle)
    assert found.low <= found.distance <= found.high


def test_more_episodes_make_it_surer() -> None:
    few, many = (half_distance([0.0, 1.0, 2.0], [0, count // 4, count], count) for count in (12, 1200))
    assert few.low < many.low < 4 / 3 < many.high < few.high


@pytest.mark.parametrize("episodes", [20, 30])
@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_the_interval_covers_the_truth_as_often_as_it_says(spread: float, episodes: int) -> None:
    """Shares that rise as a logistic curve, with the half-way mark anywhere between the values that are tried."""
    rng, distances, runs = stream(1, "halves", episodes, str(spread)), np.arange(7.0), 400
    covered = []
    for _ in range(runs):
        truth = rng.uniform(1.5, 4.5)
        hits = rng.binomial(episodes, 1 / (1 + np.exp(-(distances - truth) / spread)))
        found = half_distance(distances.tolist(), hits.tolist(), episodes)
        covered.append(found.low <= truth <= found.high)
    assert 0.94 <= np.mean(covered) <= 1.0


def test_it_covers_less_where_shares_linger_just_below_a_half() -> None:
    """The largest of several is taken there, so that it seems to be crossed too soon."""
    rng, distances, runs = stream(1, "halves", "plateau"), np.arange(9.0), 1000
    shares = np.array([0.1, 0.35, 0.4, 0.4, 0.4, 0.4, 0.4, 0.8, 0.95])
    truth = 6.25
    covered = []
    for _ in range(runs):
        found = half_distance(distances.tolist(), rng.binomial(30, shares).tolist(), 30)
        covered.append(found.low <= truth <= found.high)
    assert 0.88 <= np.mean(covered) <= 0.98


def test_a_curve_that_stays_down_is_told_to_be_possible_farther_out() -> None:
    found = half_distance([0.0, 1.0], [0, 9], 20)
    assert isinstance(found, Half)
    assert found.distance == found.high == INF
    assert 0 < found.low < 1
