"""The arm reaches as a beginner would have it reach: one call a joint, one query a step, a new world an episode."""

from collections.abc import Callable, Sequence
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
import pybullet as p
import pybullet_data

from stages.core.episode import Plan
from stages.core.streams import stream
from stages.tasks.kuka_reach import ARRIVED, ARRIVED_STEPS, GAIN, TOOL_SPEED, start_pose

JOINTS, TOOL, PHYSICS_STEPS, FORCE = 7, 6, 8, 300
PERIOD = PHYSICS_STEPS / 240  # [s]
Floats = NDArray[np.float64]
# From what is seen (joints and way to the goal) to the joint targets.
Deciding = Callable[[list[float], Floats], Sequence[float]]


class Done(NamedTuple):
    """What was run."""

    episodes: int
    reached: int
    physics_steps: int
    seconds: float  # of CPU
    rows: int

    @property
    def rate(self) -> float:
        """Episodes a CPU second."""
        return self.episodes / self.seconds


def by_inverse_kinematics(arm: int, noise: Callable[[], Floats]) -> Deciding:
    """The expert: a little nearer to the goal, as PyBullet solves for it."""

    def decide(joints: list[float], offset: Floats) -> Sequence[float]:
        tool = np.array(joints[JOINTS:])
        step = offset * min(GAIN, TOOL_SPEED * PERIOD / max(float(np.linalg.norm(offset)), 1e-9))
        targets = p.calculateInverseKinematics(arm, TOOL, (tool + step).tolist())
        return list(np.array(targets) + noise())

    return decide


def collect(plans: Sequence[Plan], max_steps: int, every_physics_step: bool) -> Done:
    """Expert episodes in the worlds of `plans`; decisions as often as ours, or in every physics step."""
    p.connect(p.DIRECT)
    p.setAdditionalSearchPath(pybullet_data.getDataPath())
    begun = time.process_time()
    physics, reached, rows = 0, 0, 0
    for plan in plans:
        p.resetSimulation()
        p.setGravity(0, 0, -9.81)
        p.loadURDF("plane.urdf")
        arm = p.loadURDF("kuka_iiwa/model.urdf", useFixedBase=True)
        for joint, angle in enumerate(start_pose(plan.world["start_offset"], stream(plan.seed, "reset"))):
            p.resetJointState(arm, joint, angle)
        goal = np.array([plan.world[f"goal_{axis}"] for axis in "xyz"])
        rng, level = stream(plan.seed, "action_noise"), plan.world["action_noise"]

        def noise(rng: np.random.Generator = rng, level: float = level) -> Floats:
            return level * rng.uniform(-1, 1, JOINTS)

        decide = by_inverse_kinematics(arm, noise)
        recorded, near = [], 0
        for step in range(max_steps * PHYSICS_STEPS):
            if every_physics_step or step % PHYSICS_STEPS == 0:
                joints = [p.getJointState(arm, joint)[0] for joint in range(JOINTS)]
                tool = p.getLinkState(arm, TOOL, computeForwardKinematics=True)[4]
                offset = goal - np.array(tool)
                targets = decide([*joints, *tool], offset)
                for joint in range(JOINTS):
                    p.setJointMotorControl2(arm, joint, p.POSITION_CONTROL, targetPosition=targets[joint], force=FORCE)
                recorded.append([*joints, *offset, *targets])
            p.stepSimulation()
            physics += 1
            if step % PHYSICS_STEPS == PHYSICS_STEPS - 1:
                near = near + 1 if np.linalg.norm(offset) < ARRIVED else 0
                if near > ARRIVED_STEPS:
                    reached += 1
                    break
        rows += len(recorded)
    seconds = time.process_time() - begun
    p.disconnect()
    return Done(len(plans), reached, physics, seconds, rows)


def play(observations: Floats, actions: Floats, episodes: int, steps: int) -> tuple[Done, float]:
    """A regressor in the loop, one row a control step; also the physics steps a CPU second of the same without it."""
    from sklearn.neighbors import KNeighborsRegressor

    model = KNeighborsRegressor(n_neighbors=5, weights="distance").fit(observations, actions)
    p.connect(p.DIRECT)
    p.setAdditionalSearchPath(pybullet_data.getDataPath())
    begun = time.process_time()
    for episode in range(episodes):
        arm = _start(observations[episode, :JOINTS])
        targets = observations[episode, :JOINTS].copy()
        for _ in range(steps):
            joints = [p.getJointState(arm, joint)[0] for joint in range(JOINTS)]
            tool = p.getLinkState(arm, TOOL, computeForwardKinematics=True)[4]
            seen = np.array([*joints, *(np.array([0.5, 0.0, 0.4]) - np.array(tool))])
            targets = targets + model.predict(seen[None])[0]
            for joint in range(JOINTS):
                p.setJointMotorControl2(arm, joint, p.POSITION_CONTROL, targetPosition=targets[joint], force=FORCE)
            for _ in range(PHYSICS_STEPS):
                p.stepSimulation()
    done = Done(episodes, 0, episodes * steps * PHYSICS_STEPS, time.process_time() - begun, episodes * steps)
    _start(observations[0, :JOINTS])
    begun = time.process_time()
    for _ in range(done.physics_steps):
        p.stepSimulation()
    raw = done.physics_steps / (time.process_time() - begun)
    p.disconnect()
    return done, raw


def _start(joints: Floats) -> int:
    p.resetSimulation()
    p.setGravity(0, 0, -9.81)
    p.loadURDF("plane.urdf")
    arm = int(p.loadURDF("kuka_iiwa/model.urdf", useFixedBase=True))
    for joint, angle in enumerate(joints.tolist()):
        p.resetJointState(arm, joint, angle)
        p.setJointMotorControl2(arm, joint, p.POSITION_CONTROL, targetPosition=angle, force=FORCE)
    return arm
