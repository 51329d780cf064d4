"""Where each gate opens."""

import numpy as np
import pytest

from stages.core.gates import GATES, Visited

SHIFT = np.array([False, True, False, True, True, False])
SURPRISED = np.array([False, False, True, True, False, False])
ERRORS = np.array([5.0, 3.0, 1.0, 1.0, 2.0, 4.0])


def visited(seed: int = 0, failed: bool = True, frames: int = 6) -> Visited:
    return Visited(seed, failed, *(np.resize(one, frames) for one in (SHIFT, SURPRISED, ERRORS)))


def test_shift_opens_exactly_where_novelty_was_above_the_threshold() -> None:
    assert GATES["shift"](visited()).tolist() == [1, 3, 4]


def test_surprise_opens_where_that_was_above_its_own_threshold_and_either_where_one_of_them_was() -> None:
    assert GATES["surprise"](visited()).tolist() == [2, 3]
    assert GATES["either"](visited()).tolist() == [1, 2, 3, 4]


def test_failure_opens_from_the_nearest_approach_to_the_end_and_only_after_a_failure() -> None:
    assert GATES["failure"](visited()).tolist() == [2, 3, 4, 5]
    assert GATES["failure"](visited(failed=False)).tolist() == []


def test_all_opens_everywhere() -> None:
    assert GATES["all"](visited()).tolist() == [0, 1, 2, 3, 4, 5]


def test_random_opens_a_fifth_of_the_frames_by_the_episodes_seed_alone() -> None:
    one, again, other = (
        GATES["random"](visited(seed, failed, 5000)) for seed, failed in ((1, True), (1, False), (2, True))
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(one) / 5000 == pytest.approx(0.2, abs=0.02)


def test_random_opens_the_same_frames_in_a_shorter_episode() -> None:
    longer, shorter = GATES["random"](visited(frames=100)), GATES["random"](visited(frames=40))
    assert np.array_equal(shorter, longer[longer < 40])


@pytest.mark.parametrize("gate", GATES)
def test_frames_are_visited_ones_in_order(gate: str) -> None:
    frames = GATES[gate](visited(frames=50))
    assert np.issubdtype(frames.dtype, np.integer)
    assert (np.diff(frames) > 0).all()
    assert set(frames.tolist()) <= set(range(50))
