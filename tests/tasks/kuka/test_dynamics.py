"""What a world decides about the arm: every knob is felt, late commands arrive late, and the defaults are the arm's."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
import xml.etree.ElementTree as ET

import numpy as np
import pybullet_data
import pytest

from stages.core.episode import Episode, Plan
from stages.core.rollout import expert_controller, rollout
from stages.core.task import NOISE_KNOBS
from stages.tasks import TASKS
from stages.tasks.kuka.arm import Arm
from stages.tasks.kuka.bench import Bench
from stages.tasks.kuka.dynamics import KNOBS, TORQUES, Delay, Dynamics, Links, physics_steps

TASKS_WITH_AN_ARM = [name for name in TASKS if set(KNOBS) <= set(TASKS.find(name).knobs)]
# Far enough from the default to be felt within a second, by an arm that starts off its rest place.
OTHER = {
    "link_mass": 2.0,
    "payload": 5.0,
    "gravity": 3.0,
    "physics_rate": 480.0,
    "latency": 3.0,
    "motor_gain": 0.03,
    "motor_strength": 0.2,
    "joint_damping": 5.0,
}
STEPS = 40


def episode(name: str, **changes: float) -> Episode:
    task = TASKS.find(name)
    world = {knob: known.default for knob, known in {**task.knobs, **NOISE_KNOBS}.items()}
    plan = Plan(0, "", 1, {**world, "start_offset": 0.15, **changes})
    (one,) = rollout(task, expert_controller(task), [plan], STEPS, 1)
    return one


def test_the_knobs_are_those_of_the_dynamics_and_the_latency() -> None:
    defaults = {name: knob.default for name, knob in KNOBS.items()}
    assert defaults == {**vars(Dynamics()), "latency": 0}
    assert len(TASKS_WITH_AN_ARM) >= 3


@pytest.mark.parametrize("knob", KNOBS)
@pytest.mark.parametrize("name", TASKS_WITH_AN_ARM)
def test_every_knob_is_felt_by_every_arm(name: str, knob: str) -> None:
    one, other = episode(name), episode(name, **{knob: OTHER[knob]})
    both = min(len(one), len(other))
    assert np.abs(one.observations[:both] - other.observations[:both]).max() > 1e-6


def test_a_command_arrives_as_late_as_the_world_has_it() -> None:
    for latency in range(4):
        delay = Delay({"latency": latency}, np.array([-1.0]))
        arrived = [delay(np.array([float(step)]))[0] for step in range(10)]
        assert arrived == [-1.0] * latency + list(range(10 - latency))


def described() -> list[tuple[float, tuple[float, ...]]]:
    """Mass [kg] and moments of inertia [kg m^2] of the links that move, as the arm's description has them."""
    root = ET.parse(Path(pybullet_data.getDataPath(), "kuka_iiwa", "model.urdf"))
    masses = [float(one.get("value", "")) for one in root.iterfind("link/inertial/mass")]
    moments = [
        tuple(float(one.get(axis, "")) for axis in ("ixx", "iyy", "izz"))
        for one in root.iterfind("link/inertial/inertia")
    ]
    return list(zip(masses, moments, strict=True))[1:]


@contextmanager
def loaded(name: str) -> Iterator[tuple[Any, int]]:
    """The simulation and the arm in it, as the task of that name has it."""
    if name == "kuka_pick_place":
        bench = Bench(0.04)
        yield bench.client, bench.arm
        bench.close()
    else:
        arm = Arm(TORQUES, () if name == "kuka_joints" else ("visual", "collision"))
        yield arm.client, arm.body
        arm.close()


@pytest.mark.parametrize("name", ["kuka_joints", "kuka_reach", "kuka_pick_place"])
def test_the_arm_weighs_and_turns_as_it_is_described(name: str) -> None:
    """With shapes or without, and again after another world."""
    with loaded(name) as (client, arm):
        links = Links(client, arm)
        for factor, payload in ((1.0, 0.0), (2.0, 1.5), (1.0, 0.0)):
            links.set(Dynamics(link_mass=factor, payload=payload))
            for link, (mass, moments) in enumerate(described()):
                found = client.getDynamicsInfo(arm, link)
                assert found[0] == factor * mass + (payload if link == 6 else 0)
                assert found[2] == tuple(factor * moment for moment in moments)


def test_whole_physics_steps_make_up_a_control_step_in_every_world() -> None:
    for rate in (1.0, 37.0, 221.0, 239.0, 251.0, 1000.0):
        world = {**vars(Dynamics()), "physics_rate": rate}
        for period in (1 / 240, 1 / 30, 1 / 10):
            steps = physics_steps(world, period)
            assert steps == max(1, round(rate * period))
            assert steps / Dynamics.of(world, period).physics_rate == pytest.approx(period)


def test_a_latency_is_rounded() -> None:
    for latency, late in ((0.4, 0), (0.6, 1), (1.6, 2)):
        delay = Delay({"latency": latency}, np.array([-1.0]))
        assert [delay(np.array([0.0]))[0] for _ in range(4)].count(-1) == late
