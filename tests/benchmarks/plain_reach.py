"""The reach task as one writes it for a library that takes any simulation: plain PyBullet, one call a joint."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
import pybullet as p
import pybullet_data
from pybullet_utils.bullet_client import BulletClient

from stages.tasks.kuka_reach import ARRIVED, ARRIVED_STEPS, LOWEST_TOOL, start_pose

JOINTS, TOOL, PHYSICS_STEPS, FORCE = 7, 6, 8, 300
Floats = NDArray[np.float64]


class PlainReach:
    """The same worlds, observations, commands and ends of episodes; each episode loads its world anew."""

    def __init__(self) -> None:
        self.client = BulletClient(p.DIRECT)
        self.client.setAdditionalSearchPath(pybullet_data.getDataPath())

    def reset(self, world: Mapping[str, float], rng: np.random.Generator) -> Floats:
        """The first observation (10,) in a world."""
        self.client.resetSimulation()
        self.client.setGravity(0, 0, -world["gravity"])
        self.client.loadURDF("plane.urdf")
        self.arm = self.client.loadURDF("kuka_iiwa/model.urdf", useFixedBase=True)
        self.goal = np.array([world[f"goal_{axis}"] for axis in "xyz"])
        self.targets, self.near = start_pose(world["start_offset"], rng), 0
        for joint, angle in enumerate(self.targets):
            self.client.resetJointState(self.arm, joint, angle)
        return self.observe()

    def step(self, action: Floats) -> Floats:
        """The observation (10,) a control step after the targets were moved by an action (7,) [rad]."""
        self.targets = self.targets + action
        for joint, angle in enumerate(self.targets):
            self.client.setJointMotorControl2(self.arm, joint, p.POSITION_CONTROL, targetPosition=angle, force=FORCE)
        for _ in range(PHYSICS_STEPS):
            self.client.stepSimulation()
        return self.observe()

    def observe(self) -> Floats:
        """Joints [rad] and the way to the goal [m], and whether the episode has ended."""
        joints = [self.client.getJointState(self.arm, joint)[0] for joint in range(JOINTS)]
        tool = np.array(self.client.getLinkState(self.arm, TOOL, computeForwardKinematics=True)[4])
        self.error = float(np.linalg.norm(self.goal - tool))
        self.near = self.near + 1 if self.error < ARRIVED else 0
        self.outcome = "crash" if tool[2] < LOWEST_TOOL else "success" if self.near > ARRIVED_STEPS else None
        return np.array([*joints, *(self.goal - tool)])
