"""The anytime-valid test errs as seldom as it says, however often it is looked at."""

import numpy as np
import pytest

from stages.comparing.sequential import anytime_p, log_wealth
from stages.comparing.significance import one_sided
from stages.core.streams import stream

RUNS, EPISODES = 10_000, 400


def walks(*names: str, lost: float, gained: float, runs: int = RUNS) -> tuple[np.ndarray, np.ndarray]:
    """Counts of lost and gained pairs after each episode (R, T)."""
    drawn = stream(1, "sequential", *names).random((runs, EPISODES), dtype=np.float32)
    is_lost = drawn < lost
    is_gained = (drawn >= lost) & (drawn < lost + gained)
    return is_lost.cumsum(axis=1, dtype=np.int32), is_gained.cumsum(axis=1, dtype=np.int32)


def rejected(lost: np.ndarray, gained: np.ndarray, level: float = 0.05) -> np.ndarray:
    """Whether each run (R,) ever rejects; the wealth is looked up, as it takes few values."""
    most = EPISODES + 1
    table = log_wealth(np.arange(most)[:, None], np.arange(most)[None, :])
    return table[lost, gained] >= np.log(1 / level)


def test_the_wealth_is_a_fair_game() -> None:
    for lost, gained in ((0, 0), (3, 1), (20, 20)):
        after = [np.exp(log_wealth(lost + 1, gained)), np.exp(log_wealth(lost, gained + 1))]
        assert np.mean(after) == pytest.approx(float(np.exp(log_wealth(lost, gained))))


def test_it_starts_with_nothing_won_and_never_forgets() -> None:
    lost, gained = np.array([0, 1, 8, 8, 8]), np.array([0, 0, 0, 4, 9])
    p = anytime_p(lost, gained)
    assert p[0] == 1.0
    assert (np.diff(p) <= 0).all()


def test_a_look_after_every_episode_errs_in_at_most_five_of_a_hundred_where_nothing_differs() -> None:
    assert rejected(*walks("same", lost=0.1, gained=0.1)).any(axis=1).mean() <= 0.05


def test_an_exact_test_looked_at_as_often_errs_more() -> None:
    """Why this one is there at all."""
    lost, gained = walks("same", lost=0.1, gained=0.1, runs=1000)
    two_sided = 2 * np.minimum(one_sided(lost, gained), one_sided(gained, lost))
    assert (two_sided <= 0.05).any(axis=1).mean() > 0.1


def test_it_saves_episodes_on_average_and_asks_for_more_at_most() -> None:
    """At equal power, 90 % for 15 % lost and 5 % gained: as the module's table says, within what chance does."""
    lost, gained = walks("saving", lost=0.15, gained=0.05)
    counts = np.arange(EPISODES + 1)
    fewer = one_sided(np.maximum(counts[:, None], counts), np.minimum(counts[:, None], counts))
    fixed = int(np.argmax((2 * fewer <= 0.05)[lost, gained].mean(axis=0) >= 0.9)) + 1
    stops = rejected(lost, gained)
    first = np.where(stops.any(axis=1), stops.argmax(axis=1) + 1, EPISODES + 1)
    longest = np.quantile(first, 0.9)
    mean = np.minimum(first, longest).mean()
    assert (fixed, longest, mean) == pytest.approx((214, 321, 160), rel=0.05)
