"""What a world decides about the arm: every knob is felt, late commands arrive late, and the defaults are the arm's."""

from pathlib import Path
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
from stages.tasks.kuka.dynamics import KNOBS, TORQUES, Delay, Dynamics, Links

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


def test_what_touches_things_turns_as_it_is_described() -> None:
    described = ET.parse(Path(pybullet_data.getDataPath(), "kuka_iiwa", "model.urdf"))
    inertias = [
        tuple(float(one.get(axis, "")) for axis in ("ixx", "iyy", "izz"))
        for one in described.iterfind("link[@name]/inertial/inertia")
    ]
    bench = Bench(0.04)
    loaded = [bench.client.getDynamicsInfo(bench.arm, link)[2] for link in range(7)]
    bench.close()
    assert [(0.0, 0.0, 0.0)] * 7 != loaded == inertias[1:]  # the first link does not move


def test_the_default_is_the_arm_as_it_was_loaded() -> None:
    arm = Arm(TORQUES, without=("visual", "collision"), ground=False)
    described = [arm.client.getDynamicsInfo(arm.body, link) for link in range(7)]
    Links(arm.client, arm.body).set(Dynamics(link_mass=3, payload=2, joint_damping=4))
    changed = [arm.client.getDynamicsInfo(arm.body, link) for link in range(7)]
    arm.reset(np.zeros(7), Dynamics())
    restored = [arm.client.getDynamicsInfo(arm.body, link) for link in range(7)]
    arm.close()
    for before, between, after in zip(described, changed, restored, strict=True):
        assert before[0] != between[0]
        assert after[0] == before[0]
        assert np.allclose(after[2], before[2], rtol=1e-12)
