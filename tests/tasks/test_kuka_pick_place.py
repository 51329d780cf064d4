"""Pick and place: the same bits after any contact, the grasp by friction, what ends an episode."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from stages.core.episode import Decision, Episode, Plan
from stages.core.params import Range
from stages.core.rollout import expert_controller, rollout
from stages.core.task import Floats
from stages.core.worlds import plan_episodes, with_noise
from stages.tasks.kuka.gripper import OPEN, TCP
from stages.tasks.kuka.kinematics import LIMITS, tool_and_jacobian
from stages.tasks.kuka.pointing import pointing_down
from stages.tasks.kuka_pick_place import KukaPickPlace

# Everything that a world can vary, and the tool so near to the cube that contacts begin early.
SPANS = {
    "cube_y": Range(-0.06, 0.06),
    "cube_yaw": Range(-0.5, 0.5),
    "target_y": Range(-0.1, 0.1),
    "start_offset": Range(0.0, 0.05),
    "start_height": Range(0.05, 0.1),
    "push": Range(0.0, 0.05),
    "push_time": Range(0.1, 0.3),
    "cube_mass": Range(0.05, 0.2),
    "cube_size": Range(0.036, 0.044),
    "friction": Range(0.6, 1.0),
    "finger_friction": Range(0.8, 1.1),
    "link_mass": Range(0.8, 1.2),
    "payload": Range(0.0, 1.0),
    "physics_rate": Range(220.0, 260.0),
    "gravity": Range(9.0, 11.0),
    "latency": Range(0.0, 1.0),
    "motor_gain": Range(0.07, 0.15),
    "motor_strength": Range(0.7, 1.0),
    "joint_damping": Range(0.2, 1.0),
    "grip_force": Range(10.0, 20.0),
}
CUT = 35  # control steps: some episodes end in mid-grasp, some carrying

Same = Callable[[Iterable[Episode], Iterable[Episode]], None]


def plans_in_contact(count: int) -> list[Plan]:
    return plan_episodes(with_noise(KukaPickPlace.knobs, 0.001, 0.004), SPANS, count, "contact", 3, "contact")


def clumsy(observations: Floats) -> Decision:
    """The expert with a heavy hand: it presses on cubes and scrapes along the table."""
    decision = expert_controller(KukaPickPlace)(observations)
    return decision._replace(actions=decision.actions - np.array([0, 0, 0.001, 0, 0]))


def run(plans: Iterable[Plan], lockstep: int) -> list[Episode]:
    return list(rollout(KukaPickPlace, clumsy, list(plans), CUT, lockstep))


def test_contacts_leave_no_trace(assert_same: Same) -> None:
    plans = plans_in_contact(16)
    fresh = [episode for plan in plans for episode in run([plan], 1)]
    gripped = sum(bool(episode.observations[-1][14] and episode.observations[-1][13] < 0.05) for episode in fresh)
    assert gripped >= 5  # or it would prove nothing
    order = [plans[place] for place in np.random.default_rng(0).permutation(len(plans))]
    for arranged, lockstep in ((plans, 1), (plans[::-1], 1), (order, 1), (plans, 3), (order, 8)):
        assert_same(run(arranged, lockstep), fresh)


def test_a_takeover_in_mid_grasp_goes_on_as_the_episode_did(assert_same: Same) -> None:
    (plan,) = plan_episodes(with_noise(KukaPickPlace.knobs, 0.0, 0.0), {}, 1, "whole", 1, "whole")
    controller = expert_controller(KukaPickPlace)
    (whole,) = rollout(KukaPickPlace, controller, [plan], 150, 1)
    held = int(np.flatnonzero(whole.observations[:, 12] > 0.02)[0])
    replayed = Plan(plan.index, plan.condition, plan.seed, plan.world, whole.executed[:held])
    assert_same(rollout(KukaPickPlace, controller, [replayed], 150, 1), [whole])


def test_joints_of_a_tool_that_points_down() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        radius, azimuth, height, yaw = rng.uniform((0.42, -1.0, 0.0, -1.0), (0.78, 1.0, 0.3, 1.0))
        place = np.array([radius * np.cos(azimuth), radius * np.sin(azimuth), height])
        joints = np.array(pointing_down((*place, yaw), TCP))
        position, attitude, _ = (part[0] for part in tool_and_jacobian(joints[None]))
        assert np.allclose(position + TCP * attitude[:, 2], place, atol=1e-9)
        assert np.allclose(attitude[:, 2], [0, 0, -1], atol=1e-9)
        assert np.allclose(attitude[:2, 0], [-np.cos(yaw), -np.sin(yaw)], atol=1e-9)
        assert (np.abs(joints) < LIMITS).all()


def test_without_friction_the_cube_stays_on_the_table() -> None:
    plans = plan_episodes(with_noise(KukaPickPlace.knobs, 0, 0), {"friction": Range(0.02, 0.02)}, 2, "ice", 1, "ice")
    for episode in rollout(KukaPickPlace, expert_controller(KukaPickPlace), plans, 120, 1):
        assert episode.outcome != "success"
        assert episode.observations[:, 12].max() < 0.02


@pytest.mark.parametrize("size", [0.036, 0.038, 0.04, 0.042, 0.044])
def test_every_size_of_cube_is_carried(size: float) -> None:
    knobs = with_noise(KukaPickPlace.knobs, 0, 0)
    plans = plan_episodes(knobs, {"cube_size": Range(size, size)}, 1, "size", 1, "size")
    (episode,) = rollout(KukaPickPlace, expert_controller(KukaPickPlace), plans, 150, 1)
    assert episode.outcome == "success"
    held = episode.observations[:, 12] > 0.02
    assert np.allclose(episode.observations[held, 13], size, atol=0.004)
    assert episode.observations[0, 13] == pytest.approx(2 * OPEN)


def test_a_square_looks_the_same_after_a_quarter_turn() -> None:
    with KukaPickPlace() as task:
        world = {name: knob.default for name, knob in with_noise(KukaPickPlace.knobs, 0, 0).items()}
        seen = [task.reset({**world, "cube_yaw": yaw}, np.random.default_rng(0))[-1] for yaw in (0.3, 0.3 + np.pi / 2)]
    assert seen == pytest.approx([0.3, 0.3])


@pytest.mark.parametrize("time", [0.0, 0.01])
def test_a_push_before_the_first_step_comes_with_it(time: float) -> None:
    moved = []
    for push in (0.0, 0.05):
        spans = {"push": Range(push, push), "push_time": Range(time, time)}
        (plan,) = plan_episodes(with_noise(KukaPickPlace.knobs, 0, 0), spans, 1, "push", 1, "push")
        (episode,) = rollout(KukaPickPlace, expert_controller(KukaPickPlace), [plan], 12, 1)
        carry = episode.observations[:, 10:12]
        moved.append(np.hypot(*(carry[-1] - carry[0])))
    assert moved == pytest.approx([0, 0.05], abs=0.01)


def test_an_episode_that_begins_crashed_ends_crashed() -> None:
    """Its tool starts too high, and is back below before the first step is over."""
    spans = {"start_height": Range(0.455, 0.455)}
    (plan,) = plan_episodes(with_noise(KukaPickPlace.knobs, 0, 0), spans, 1, "high", 1, "high")
    (episode,) = rollout(KukaPickPlace, expert_controller(KukaPickPlace), [plan], 150, 1)
    assert (len(episode), episode.outcome) == (1, "crash")


@pytest.mark.parametrize("knob", SPANS)
def test_every_knob_matters(knob: str) -> None:
    """Two episodes that differ in one knob alone are two."""
    spans = {**SPANS, "motor_strength": Range(0.05, 1.0)}
    world = {name: Range(span.high, span.high) for name, span in spans.items()} | {"start_height": Range(0.2, 0.2)}
    episodes = []
    for value in (spans[knob].low, spans[knob].high):
        drawn = {**world, knob: Range(value, value)}
        (plan,) = plan_episodes(with_noise(KukaPickPlace.knobs, 0.0, 0.0), drawn, 1, "knob", 1, "knob")
        episodes += rollout(KukaPickPlace, expert_controller(KukaPickPlace), [plan], 80, 1)
    first, second = (episode.observations for episode in episodes)
    assert first.shape != second.shape or not np.array_equal(first, second)
