"""What counts as placed and what as a crash, how a push comes, and what is seen and commanded, rule by rule."""

from math import hypot, pi

import numpy as np
import pytest

from stages.core.params import Range
from stages.core.rollout import expert_controller, rollout
from stages.core.task import Floats
from stages.core.worlds import plan_episodes, with_noise
from stages.tasks.kuka.gripper import OPEN
from stages.tasks.kuka.kinematics import LIMITS
from stages.tasks.kuka_pick_place import (
    FORCE_BOUND,
    LEASH,
    MOTION_LIMIT,
    NEAREST,
    PLACED_STEPS,
    TURN_LIMIT,
    KukaPickPlace,
)

STILL = np.zeros(5)
USUAL = {name: knob.default for name, knob in with_noise(KukaPickPlace.knobs, 0, 0).items()}
PLACED = {"cube_x": 0.6, "cube_y": 0.15, "target_x": 0.6, "target_y": 0.15}


def begun(task: KukaPickPlace, **changes: float) -> Floats:
    """The first observation in a world that is usual but for those knobs."""
    return task.reset({**USUAL, **changes}, np.random.default_rng(0))


def test_a_cube_on_its_target_is_placed_in_the_third_observation() -> None:
    with KukaPickPlace() as task:
        begun(task, **PLACED)
        seen = 1
        while task.outcome is None:
            task.step(STILL)
            seen += 1
        assert (task.outcome, seen) == ("success", PLACED_STEPS)


def test_a_cube_that_slides_over_its_target_is_not_placed() -> None:
    with KukaPickPlace() as task:
        begun(task, **PLACED, friction=0.02)
        task.bench.push((0.1, 0.0, 0.0))
        for _ in range(PLACED_STEPS):
            task.step(STILL)
            assert task.error < 0.02
            assert task.outcome is None


@pytest.mark.parametrize("overlap", [0.0001, 0.0003])
def test_a_cube_that_the_open_gripper_touches_is_not_placed(overlap: float) -> None:
    """A finger lies against it."""
    aside = OPEN - 0.02 + overlap
    with KukaPickPlace() as task:
        begun(task, cube_x=0.6, cube_y=aside, target_x=0.6, target_y=aside, start_height=0.02)
        for _ in range(2 * PLACED_STEPS):
            task.step(STILL)
            assert task.bench.contact_force()[1]
            assert task.error < 0.02
            assert task.outcome is None


def test_what_is_left_counts_the_height_of_the_cube() -> None:
    with KukaPickPlace() as task:
        begun(task, **PLACED)
        task.bench.client.resetBasePositionAndOrientation(task.bench.cube, [0.6, 0.15, 0.12], [0, 0, 0, 1])
        task.step(STILL)
        assert task.error == pytest.approx(0.1, abs=0.01)


def test_to_press_on_the_table_is_a_crash() -> None:
    with KukaPickPlace() as task:
        begun(task)
        for _ in range(60):
            task.step(np.array([0.0, 0.0, -MOTION_LIMIT, 0.0, 0.0]))
            if task.outcome:
                break
        assert task.outcome == "crash"
        assert task.bench.contact_force()[0] > FORCE_BOUND


def test_a_cube_below_the_table_is_a_crash() -> None:
    with KukaPickPlace() as task:
        begun(task)
        task.bench.client.resetBasePositionAndOrientation(task.bench.cube, [0.6, -0.15, -0.5], [0, 0, 0, 1])
        task.step(STILL)
        assert task.outcome == "crash"


@pytest.mark.parametrize("reach", [0.39, 0.81])
def test_a_cube_out_of_reach_is_a_crash(reach: float) -> None:
    with KukaPickPlace() as task:
        begun(task, cube_x=reach, cube_y=0.0)
        assert task.outcome == "crash"


def test_a_tool_too_near_to_the_arm_is_a_crash() -> None:
    with KukaPickPlace() as task:
        begun(task, start_height=0.3)
        while task.outcome is None:
            before = hypot(*task.tool[:2])
            task.step(np.array([-MOTION_LIMIT, 0.0, 0.0, 0.0, 0.0]))
        assert task.outcome == "crash"
        assert hypot(*task.tool[:2]) <= NEAREST < before


def test_a_joint_below_its_range_is_a_crash() -> None:
    with KukaPickPlace() as task:
        begun(task)
        for _ in range(60):
            seen = task.step(np.array([0.0, 0.0, 0.0, TURN_LIMIT, 0.0]))
            if task.outcome:
                break
        assert task.outcome == "crash"
        assert seen[6] < -LIMITS[6]


def test_to_hold_leaves_the_gripper_as_it_was_commanded() -> None:
    observations = np.zeros((2, len(KukaPickPlace.observation)))
    place = [channel.name for channel in KukaPickPlace.observation].index("last_grip")
    observations[:, place] = [0, 1]
    assert KukaPickPlace.hold(observations).tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


@pytest.mark.parametrize("time", [0.2, 0.5])
def test_a_push_comes_at_its_time(time: float) -> None:
    with KukaPickPlace() as task:
        begun(task, push=0.05, push_time=time)
        moved = []
        for _ in range(20):
            seen = task.step(STILL)
            moved.append(bool(np.abs(seen[10:12] - [0.0, 0.3]).max() > 1e-3))
        assert moved.index(True) + 1 == round(30 * time)


@pytest.mark.parametrize("changes", [{}, {"gravity": 5.0}, {"friction": 0.5}, {"friction": 1.2, "gravity": 12.0}])
def test_a_push_is_as_far_in_any_world(changes: dict[str, float]) -> None:
    with KukaPickPlace() as task:
        begun(task, push=0.08, push_time=0.0, **changes)
        for _ in range(30):
            seen = task.step(STILL)
        assert np.hypot(*(seen[10:12] - [0.0, 0.3])) == pytest.approx(0.08, abs=0.008)


def test_a_cube_that_is_held_is_not_pushed() -> None:
    episodes = []
    for push in (0.0, 0.05):
        spans = {"push": Range(push, push), "push_time": Range(1.5, 1.5)}
        (plan,) = plan_episodes(with_noise(KukaPickPlace.knobs, 0, 0), spans, 1, "held", 1, "held")
        (episode,) = rollout(KukaPickPlace, expert_controller(KukaPickPlace), [plan], 60, 1)
        assert episode.observations[45, 14] == 1
        episodes.append(episode)
    assert np.array_equal(episodes[0].observations, episodes[1].observations)


def test_a_gripper_that_starts_closed_stays_so_until_the_first_command_arrives() -> None:
    with KukaPickPlace() as task:
        begun(task, start_grip=1.0, latency=4.0)
        opening = [task.step(STILL)[13] for _ in range(6)]
        assert max(opening[:4]) < 0.002 < opening[-1]


@pytest.mark.parametrize("size", [0.036, 0.04, 0.044])
def test_a_cube_of_any_size_lies_on_the_table(size: float) -> None:
    with KukaPickPlace() as task:
        assert begun(task, cube_size=size)[12] == pytest.approx(0, abs=1e-9)


def test_a_cube_on_its_side_is_turned_as_one_on_its_base() -> None:
    with KukaPickPlace() as task:
        begun(task)
        for roll, pitch in ((pi / 2, 0.0), (0.0, pi / 2), (pi, 0.0)):
            bench = task.bench
            side = bench.client.getQuaternionFromEuler([roll, pitch, 0.3])
            bench.client.resetBasePositionAndOrientation(bench.cube, [0.6, -0.15, 0.02], side)
            assert task.step(STILL)[-1] == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_commanded_tool_is_never_farther_ahead_than_the_leash(axis: int) -> None:
    with KukaPickPlace() as task:
        begun(task, motor_strength=0.02, start_height=0.2)
        for _ in range(5):
            before = task.tool
            task.step(np.eye(5)[axis] * MOTION_LIMIT)
            assert abs(task.goal[axis] - before[axis]) <= LEASH + 1e-12
