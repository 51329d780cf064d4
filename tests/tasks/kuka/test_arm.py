"""An arm that was reset moves as a new one does, to the last bit, however its last episode ended."""

from concurrent.futures import ThreadPoolExecutor
import os

import numpy as np
import pytest

from stages.core.task import Floats
from stages.tasks.kuka.arm import Arm, connect
from stages.tasks.kuka.dynamics import TORQUES, Dynamics
from stages.tasks.kuka.kinematics import LIMITS, tool_and_jacobian

_SPREAD = np.random.default_rng(0).uniform(-1, 1, (8, 7))
POSES = {
    "free": 0.6 * _SPREAD + np.array([0, 1.2, 0, -0.8, 0, 0.8, 0]),
    "touching": 0.2 * _SPREAD + np.array([0, 1.9, 0, -0.2, 0, 0.4, 0]),
}
PUSH = {"free": np.array([0, 1.2, 0, 0.4, 0, 0, 0]), "touching": np.array([0.5, 0.3, 0.5, 0.4, 0.5, 0, 0])}

DYNAMICS = Dynamics()


def episode(arm: Arm, start: str, number: int) -> Floats:
    """Where the joints go (T, 14) when the arm is driven into the ground and left there, pushing."""
    arm.reset(POSES[start][number], DYNAMICS)
    arm.command(POSES[start][number] + PUSH[start])
    path = [np.concatenate(arm.advance(8)) for _ in range(12 + number)]
    assert arm.client.getContactPoints(arm.body)
    return np.array(path)


def assert_order_does_not_matter(start: str) -> None:
    fresh = []
    for number in range(8):
        arm = Arm(TORQUES)
        fresh.append(episode(arm, start, number))
        arm.close()
    used = Arm(TORQUES)
    for number in [*range(8), *reversed(range(8)), *np.random.default_rng(1).integers(0, 8, 8)]:
        assert np.array_equal(episode(used, start, number), fresh[number]), number
    used.close()


def test_episodes_that_end_in_contact_are_the_same_in_every_order() -> None:
    assert_order_does_not_matter("free")


@pytest.mark.xfail(strict=True, reason="a reset in contact is not exact; no task starts in contact yet")
def test_episodes_that_start_in_contact_are_the_same_in_every_order() -> None:
    assert_order_does_not_matter("touching")


def test_a_reset_arm_rests_where_it_was_put() -> None:
    arm = Arm(TORQUES, without=("visual", "collision"), ground=False)
    arm.reset(POSES["free"][0], DYNAMICS)
    arm.advance(5)
    motion = arm.reset(POSES["free"][1], DYNAMICS)
    assert np.array_equal(motion.joints, POSES["free"][1])
    assert np.array_equal(arm.motion().joints, POSES["free"][1])
    assert not any(arm.motion().velocities)
    arm.close()


def test_the_tool_is_where_our_own_kinematics_has_it() -> None:
    arm = Arm(TORQUES, without=("visual", "collision"), ground=False)
    for pose in np.random.default_rng(2).uniform(-LIMITS, LIMITS, (50, 7)):
        arm.reset(pose, DYNAMICS)
        assert np.allclose(arm.tool(), tool_and_jacobian(pose[None])[0][0], atol=1e-6)
    arm.close()


def test_the_jacobian_is_how_the_tool_moves() -> None:
    poses, step = np.random.default_rng(3).uniform(-LIMITS, LIMITS, (20, 7)), 1e-6
    jacobian = tool_and_jacobian(poses)[2][:, :3]
    for joint in range(7):
        moved = step * np.eye(7)[joint]
        slope = (tool_and_jacobian(poses + moved)[0] - tool_and_jacobian(poses - moved)[0]) / (2 * step)
        assert np.allclose(jacobian[:, :, joint], slope, atol=1e-8)


def test_threads_that_connect_at_once_leave_standard_output_where_it_was() -> None:
    """Each keeps Bullet quiet meanwhile; what is restored must not be another's silence."""
    before = [os.fstat(number).st_ino for number in (1, 2)]
    with ThreadPoolExecutor(8) as pool:
        for client in pool.map(lambda _: connect(), range(24)):
            client.disconnect()
    assert [os.fstat(number).st_ino for number in (1, 2)] == before
