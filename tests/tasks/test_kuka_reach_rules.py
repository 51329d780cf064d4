"""What counts as an arrival and what as a crash, where an episode starts, and how fast the expert is."""

import numpy as np
import pytest

from stages.core.task import NOISE_KNOBS, Floats
from stages.tasks.kuka.kinematics import LIMITS, tool_and_jacobian
from stages.tasks.kuka_reach import (
    ARRIVED_STEPS,
    JOINT_SPEED,
    LOWEST_START,
    LOWEST_TOOL,
    TOOL_SPEED,
    KukaReach,
    start_pose,
)

STILL = np.zeros(7)
USUAL = {name: knob.default for name, knob in {**KukaReach.knobs, **NOISE_KNOBS}.items()}


def begun(task: KukaReach, **changes: float) -> Floats:
    """The first observation in a world that is usual but for those knobs."""
    return task.reset({**USUAL, **changes}, np.random.default_rng(0))


def at_the_goal(task: KukaReach) -> None:
    """It begins where it is to go."""
    begun(task)
    begun(task, **dict(zip(("goal_x", "goal_y", "goal_z"), task.arm.tool(), strict=True)))


def test_success_is_to_have_stayed_for_ten_steps() -> None:
    with KukaReach() as task:
        at_the_goal(task)
        steps = 0
        while task.outcome is None:
            task.step(STILL)
            steps += 1
        assert (task.outcome, steps) == ("success", ARRIVED_STEPS)


def test_who_leaves_the_goal_begins_again() -> None:
    with KukaReach() as task:
        at_the_goal(task)
        goal = task.goal
        for _ in range(ARRIVED_STEPS - 1):
            task.step(STILL)
        task.goal = (0.0, 0.0, 0.5)
        task.step(STILL)
        task.goal = goal
        for _ in range(ARRIVED_STEPS):
            task.step(STILL)
            assert task.outcome is None
        task.step(STILL)
        assert task.outcome == "success"


def test_a_tool_at_the_ground_is_a_crash() -> None:
    with KukaReach() as task:
        begun(task)
        while task.arm.tool()[2] >= LOWEST_TOOL:
            assert task.outcome is None
            task.step(np.array([0, 0.03, 0, 0, 0, 0, 0]))
        assert task.outcome == "crash"


@pytest.mark.parametrize("way", [-1, 1])
def test_what_is_commanded_beyond_a_joints_limit_is_not_saved_up(way: int) -> None:
    turn = np.array([0, 0, 0, 0, 0, 0, 0.1 * way])
    with KukaReach() as task:
        begun(task)
        for _ in range(100):
            seen = task.step(turn)
        assert abs(seen[6]) == pytest.approx(LIMITS[6], abs=0.02)
        for _ in range(10):
            seen = task.step(-turn)
        assert abs(seen[6]) < LIMITS[6] - 0.5


def test_an_episode_starts_above_the_ground() -> None:
    for seed in range(200):
        pose = start_pose(1.5, np.random.default_rng(seed))
        assert tool_and_jacobian(pose[None])[0][0, 2] > LOWEST_START


def test_the_expert_keeps_to_its_speeds() -> None:
    rng = np.random.default_rng(0)
    joints = np.array([start_pose(offset, rng) for offset in np.linspace(0, 1.2, 200)])
    offset = rng.uniform(-0.6, 0.6, (200, 3))
    turn = KukaReach.expert(np.hstack([joints, offset]))
    assert np.abs(turn).max() <= JOINT_SPEED * KukaReach.control_period + 1e-12
    moved = np.einsum("bij,bj->bi", tool_and_jacobian(joints)[2][:, :3], turn)
    assert np.linalg.norm(moved, axis=1).max() <= 1.01 * TOOL_SPEED * KukaReach.control_period
