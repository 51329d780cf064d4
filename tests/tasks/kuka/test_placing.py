"""When the expert closes, lets go and leaves."""

import numpy as np
import pytest

from stages.tasks.kuka.placing import ALIGNED, CLOSED, EMPTY, LOST, OPENED, RETREAT, TURNED, Command, Seen, place

OPEN_WIDE, HOLDING = OPENED + 0.01, CLOSED - 0.006


def one(
    grasp: tuple[float, float, float] = (0.0, 0.0, 0.0),
    carry: tuple[float, float] = (0.1, 0.0),
    height: float = 0.0,
    opening: float = OPEN_WIDE,
    grip: float = 0.0,
    yaw: float = 0.0,
) -> Command:
    """What is commanded where that is seen."""
    arrays = (np.array([value]) for value in (grasp, carry, height, opening, grip, yaw))
    return place(Seen(*arrays))


def test_it_closes_where_it_is_aligned_and_turned_as_the_cube_is() -> None:
    assert one().grip == 1
    for off in (
        {"grasp": (1.1 * ALIGNED, 0.0, 0.0)},
        {"grasp": (0.0, 0.0, 0.02)},
        {"yaw": 1.1 * TURNED},
        {"yaw": -1.1 * TURNED},
        {"opening": CLOSED},
    ):
        assert one(**off).grip == 0, off


def test_what_is_not_between_the_fingers_is_let_go() -> None:
    held = {"grip": 1.0, "opening": HOLDING, "height": 0.05}
    assert one(**held).grip == 1
    for lost in ({"grasp": (0.0, 0.0, -1.1 * LOST)}, {"grasp": (1.1 * LOST, 0.0, 0.0)}, {"opening": 0.9 * EMPTY}):
        found = one(**{**held, **lost})
        assert found.grip == 0, lost
        assert not found.motion.any()


def test_it_leaves_a_cube_that_lies_where_it_belongs_and_does_not_come_back() -> None:
    placed = {"carry": (0.005, 0.0), "height": 0.0}
    for up in (0.0, -0.03, -0.9 * RETREAT):
        found = one(**placed, grasp=(0.004, 0.0, up))
        assert found.grip == 0
        assert found.motion[0, :2].tolist() == [0, 0]
        assert found.motion[0, 2] > 0
    assert one(**placed, grasp=(0.0, 0.0, -RETREAT)).motion[0, 2] == pytest.approx(0)
